#include "core/net/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/net/libraries.h"
#include "core/net/pg_error.h"

enum { CONNECT_DEADLINE_MS = 10000, POLL_SLICE_MS = 100, CANCEL_DRAIN_MS = 5000 };

static void log_notice(void *context, const char *message)
{
    (void)context;
    log_line("pg", "%s", message);
}

const char *pg_name(const struct pg *pg)
{
    return pg->name;
}

PGconn *pg_connection(struct pg *pg)
{
    return pg->connection;
}

bool pg_is_alive(const struct pg *pg)
{
    /* A server that went away has said so and closed the socket: seen only when somebody reads,
     * its last words first. */
    for (int i = 0; i < 8 && PQtransactionStatus(pg->connection) == PQTRANS_IDLE; i++) {
        struct pollfd descriptor = {PQsocket(pg->connection), POLLIN, 0};
        if (poll(&descriptor, 1, 0) <= 0 || !PQconsumeInput(pg->connection))
            break;
    }
    return PQstatus(pg->connection) == CONNECTION_OK;
}

const char *pg_sqlstate(const struct pg *pg)
{
    return pg->sqlstate;
}

static bool stop_asked(const struct pg *pg)
{
    return pg->stop && atomic_load(pg->stop);
}

/* Waits until the socket can be read (or written); false when the deadline passed (deadline_ns < 0:
 * none) or the stop flag was set. */
static bool wait_socket(const struct pg *pg, bool writing, int64_t deadline_ns)
{
    for (;;) {
        if (stop_asked(pg))
            return false;
        int wait = POLL_SLICE_MS;
        if (deadline_ns >= 0) {
            int64_t left = (deadline_ns - clock_monotonic_ns()) / 1000000;
            if (left < 0)
                return false;
            if (left < wait)
                wait = (int)left + 1;
        }
        struct pollfd descriptor = {PQsocket(pg->connection), writing ? POLLOUT : POLLIN, 0};
        int ready = poll(&descriptor, 1, wait);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true;
    }
}

static bool deadline_error(struct pg *pg, const char *doing, int64_t ms, struct error *error)
{
    if (stop_asked(pg))
        return error_set(error, ERROR_INTERRUPTED, NULL, "%s: %s: stopped", pg->name, doing);
    return error_set(error, ERROR_UNREACHABLE, "look at the server's load and at locks held there",
                     "%s: %s: no answer within %lld ms", pg->name, doing, (long long)ms);
}

/* host:port/database as far as the connection string and the environment tell. */
static char *describe_server(PGconn *connection, struct error *error)
{
    const char *host = PQhost(connection), *port = PQport(connection), *name = PQdb(connection);
    return memory_format(error, "Postgres %s:%s/%s", host && *host ? host : "localhost",
                         port && *port ? port : "5432", name && *name ? name : "?");
}

static bool connect_wait(struct pg *pg, int64_t deadline_ms, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + deadline_ms * 1000000;
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return pg_error_connect(pg, error);
        if (!wait_socket(pg, state == PGRES_POLLING_WRITING, deadline)) {
            if (!stop_asked(pg))
                return error_set(error, ERROR_UNREACHABLE,
                                 "check address and port, and that no firewall drops the packets",
                                 "%s: connecting: no answer within %lld ms", pg->name,
                                 (long long)deadline_ms);
            return deadline_error(pg, "connecting", deadline_ms, error);
        }
        state = PQconnectPoll(pg->connection);
    }
    return true;
}

static bool connect_start(struct pg *pg, const struct pg_options *options, struct error *error)
{
    const char *keys[10], *values[10];
    size_t count = 0;
#define SETTING(key, value) (keys[count] = (key), values[count] = (value), count++)
    SETTING("application_name", "surfboard"); /* the DSN may say otherwise */
    SETTING("dbname", options->dsn ? options->dsn : "");
    if (options->user)
        SETTING("user", options->user);
    if (options->password)
        SETTING("password", options->password);
    if (options->application_name)
        SETTING("application_name", options->application_name);
    SETTING("client_encoding", "UTF8");
    SETTING("keepalives_idle", "30");
    if (options->replication)
        SETTING("replication", "database");
#undef SETTING
    keys[count] = values[count] = NULL;
    /* libpq's complaint about a malformed DSN quotes from it, which may be a password. */
    char *complaint = NULL;
    PQconninfoOption *parsed = strchr(values[1], '=') || strstr(values[1], "://")
                                   ? PQconninfoParse(values[1], &complaint)
                                   : PQconndefaults();
    PQconninfoFree(parsed);
    PQfreemem(complaint);
    if (parsed == NULL)
        return error_set(error, ERROR_CONFIG,
                         "write it as \"host=... port=... dbname=... user=...\" or as "
                         "postgresql://user@host:port/dbname",
                         "the Postgres connection string is malformed");
    pg->connection = PQconnectStartParams(keys, values, 1);
    if (pg->connection == NULL)
        return error_set_memory(error, 0);
    PQsetNoticeProcessor(pg->connection, log_notice, NULL);
    pg->name = describe_server(pg->connection, error);
    if (pg->name == NULL)
        return false;
    return PQstatus(pg->connection) != CONNECTION_BAD || pg_error_connect(pg, error);
}

struct pg *pg_open(const struct pg_options *options, struct error *error)
{
    struct pg *pg = libpq_ready(error) ? memory_zero(1, sizeof *pg, error) : NULL;
    if (pg == NULL)
        return NULL;
    pg->stop = options->stop;
    pg->answer_ms = options->answer_ms;
    int64_t deadline = options->connect_ms > 0 ? options->connect_ms : CONNECT_DEADLINE_MS;
    if (!connect_start(pg, options, error) || !connect_wait(pg, deadline, error) ||
        (PQsetnonblocking(pg->connection, 1) != 0 && !pg_error(pg, NULL, "connecting", error))) {
        pg_close(pg);
        return NULL;
    }
    free(pg->name);
    pg->name = describe_server(pg->connection, error);
    if (pg->name == NULL) {
        pg_close(pg);
        return NULL;
    }
    return pg;
}

void pg_close(struct pg *pg)
{
    if (pg == NULL)
        return;
    if (pg->connection)
        PQfinish(pg->connection);
    free(pg->name);
    free(pg);
}

static int64_t answer_deadline(const struct pg *pg)
{
    return pg->answer_ms > 0 ? clock_monotonic_ns() + pg->answer_ms * 1000000 : -1;
}

/* Pushes out what was sent, reading meanwhile so that neither side waits for the other. */
static bool flush_out(struct pg *pg, struct error *error)
{
    int64_t deadline = answer_deadline(pg);
    for (;;) {
        int left = PQflush(pg->connection);
        if (left == 0)
            return true;
        if (left < 0)
            return pg_error(pg, NULL, "sending", error);
        struct pollfd descriptor = {PQsocket(pg->connection), POLLIN | POLLOUT, 0};
        if (poll(&descriptor, 1, POLL_SLICE_MS) > 0 && (descriptor.revents & POLLIN) &&
            !PQconsumeInput(pg->connection))
            return pg_error(pg, NULL, "sending", error);
        if (stop_asked(pg) || (deadline >= 0 && clock_monotonic_ns() > deadline))
            return deadline_error(pg, "sending", pg->answer_ms, error);
    }
}

static bool next_result(struct pg *pg, PGresult **out, struct error *error)
{
    int64_t deadline = answer_deadline(pg);
    while (PQisBusy(pg->connection)) {
        if (!wait_socket(pg, false, deadline)) {
            deadline_error(pg, "waiting for an answer", pg->answer_ms, error);
            return false;
        }
        if (!PQconsumeInput(pg->connection))
            return pg_error(pg, NULL, "waiting for an answer", error);
    }
    *out = PQgetResult(pg->connection);
    return true;
}

bool pg_next_result(struct pg *pg, PGresult **out, struct error *error)
{
    *out = NULL;
    if (!next_result(pg, out, error)) {
        pg_cancel(pg);
        return false;
    }
    if (*out == NULL)
        return true;
    ExecStatusType status = PQresultStatus(*out);
    if (status != PGRES_FATAL_ERROR && status != PGRES_BAD_RESPONSE)
        return true;
    pg_error(pg, *out, NULL, error);
    if (stop_asked(pg) && strcmp(pg->sqlstate, "57014") == 0 && error)
        error->kind = ERROR_INTERRUPTED;
    PQclear(*out);
    *out = NULL;
    return false;
}

/* A result of COPY comes again and again until its data is read off or its input ended. */
static void leave_copy(struct pg *pg, ExecStatusType status)
{
    if (status == PGRES_COPY_IN || status == PGRES_COPY_BOTH)
        PQputCopyEnd(pg->connection, "cancelled");
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        char *data = NULL;
        while (PQgetCopyData(pg->connection, &data, 0) > 0)
            PQfreemem(data);
    }
}

void pg_cancel(struct pg *pg)
{
    if (!pg_is_alive(pg) || PQtransactionStatus(pg->connection) != PQTRANS_ACTIVE)
        return;
    PGcancel *cancel = PQgetCancel(pg->connection);
    char reason[256];
    if (cancel && !PQcancel(cancel, reason, sizeof reason))
        log_line("pg", "cancel: %s", reason);
    PQfreeCancel(cancel);
    /* Reads off the rest within a bound, the stop flag aside: the answer to a cancel is near. */
    int64_t deadline = clock_monotonic_ns() + CANCEL_DRAIN_MS * INT64_C(1000000);
    const atomic_bool *stop = pg->stop;
    pg->stop = NULL;
    for (;;) {
        if (PQisBusy(pg->connection)) {
            if (!wait_socket(pg, false, deadline) || !PQconsumeInput(pg->connection))
                break;
            continue;
        }
        PGresult *result = PQgetResult(pg->connection);
        if (result == NULL)
            break;
        leave_copy(pg, PQresultStatus(result));
        PQclear(result);
    }
    pg->stop = stop;
}

bool pg_send(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
             bool single_row, struct error *error)
{
    pg->sqlstate[0] = '\0';
    if (!PQsendQueryParams(pg->connection, sql, (int)count, NULL, parameters, NULL, NULL, 0))
        return pg_error(pg, NULL, "sending", error);
    if (single_row && !PQsetSingleRowMode(pg->connection))
        return error_set(error, ERROR_INTERNAL, NULL, "%s: single-row mode refused", pg->name);
    return flush_out(pg, error);
}

/* Runs to the end; keeps the last result, and the first error. */
static bool collect(struct pg *pg, PGresult **last, struct error *error)
{
    bool ok = true;
    *last = NULL;
    for (;;) {
        PGresult *result = NULL;
        bool good = pg_next_result(pg, &result, ok ? error : NULL);
        ok = ok && good;
        if (!good && !pg_is_alive(pg))
            break;
        if (good && result == NULL)
            break;
        if (result) {
            PQclear(*last);
            *last = result;
        }
        /* COPY has its own calls: used here it would never end. */
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            ok = error_set(error, ERROR_INTERNAL, NULL, "%s: COPY through pg_exec()", pg->name);
            pg_cancel(pg);
            break;
        }
        if (!good && PQtransactionStatus(pg->connection) != PQTRANS_ACTIVE)
            break;
    }
    if (!ok) {
        PQclear(*last);
        *last = NULL;
    }
    return ok;
}

bool pg_exec(struct pg *pg, const char *sql, struct error *error)
{
    pg->sqlstate[0] = '\0';
    if (!PQsendQuery(pg->connection, sql))
        return pg_error(pg, NULL, "sending", error);
    PGresult *result = NULL;
    bool ok = flush_out(pg, error) && collect(pg, &result, error);
    PQclear(result);
    return ok;
}

bool pg_exec_format(struct pg *pg, struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = NULL;
    int length = vasprintf(&sql, format, arguments);
    va_end(arguments);
    if (length < 0)
        return error_set_memory(error, 0);
    bool ok = pg_exec(pg, sql, error);
    free(sql);
    return ok;
}

bool pg_query(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
              struct pg_rows *out, struct error *error)
{
    out->result = NULL;
    return pg_send(pg, sql, parameters, count, false, error) && collect(pg, &out->result, error);
}

void pg_rows_destroy(struct pg_rows *rows)
{
    PQclear(rows->result);
    rows->result = NULL;
}

size_t pg_rows_count(const struct pg_rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

const char *pg_rows_value(const struct pg_rows *rows, size_t row, size_t column)
{
    return PQgetisnull(rows->result, (int)row, (int)column)
               ? NULL
               : PQgetvalue(rows->result, (int)row, (int)column);
}

int64_t pg_rows_affected(const struct pg_rows *rows)
{
    return strtoll(PQcmdTuples(rows->result), NULL, 10);
}

bool pg_query_text(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
                   struct buffer *out, bool *found, struct error *error)
{
    struct pg_rows rows;
    buffer_clear(out);
    *found = false;
    bool ok = pg_query(pg, sql, parameters, count, &rows, error);
    if (ok && pg_rows_count(&rows) > 0 && pg_rows_value(&rows, 0, 0)) {
        *found = true;
        ok = buffer_append_text(out, pg_rows_value(&rows, 0, 0), error) &&
             buffer_text(out, error) != NULL;
    }
    pg_rows_destroy(&rows);
    return ok;
}

bool pg_begin(struct pg *pg, struct error *error)
{
    return pg_exec(pg, "BEGIN", error);
}

bool pg_commit(struct pg *pg, struct error *error)
{
    pg->sqlstate[0] = '\0';
    if (!PQsendQuery(pg->connection, "COMMIT"))
        return pg_error(pg, NULL, "COMMIT", error);
    struct error own = {0};
    PGresult *result = NULL;
    bool ok = flush_out(pg, &own) && collect(pg, &result, &own);
    if (ok && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        ok = error_set(&own, ERROR_INTERNAL, NULL,
                       "%s: COMMIT of a failed transaction was answered by %s", pg->name,
                       PQcmdStatus(result));
    PQclear(result);
    if (ok)
        return true;
    /* A SQLSTATE is the server's word that it did not commit (57P01 and its kin aside: it may say
     * so while it goes down). Anything else leaves it open. */
    bool refused = pg->sqlstate[0] && strncmp(pg->sqlstate, "57P", 3) != 0 &&
                   strncmp(pg->sqlstate, "08", 2) != 0;
    if (refused || own.kind == ERROR_INTERNAL) {
        if (error)
            *error = own;
        return false;
    }
    return error_set(error, ERROR_UNKNOWN, "read the outcome before trying again",
                     "%s: the connection broke after COMMIT was sent: %s", pg->name, own.message);
}

void pg_rollback(struct pg *pg)
{
    struct error ignored = {0};
    PGTransactionStatusType status = PQtransactionStatus(pg->connection);
    if (status == PQTRANS_ACTIVE)
        pg_cancel(pg);
    const atomic_bool *stop = pg->stop;
    pg->stop = NULL; /* a stop was the reason, more often than not */
    if (status != PQTRANS_IDLE && pg_is_alive(pg) && !pg_exec(pg, "ROLLBACK", &ignored))
        log_line("pg", "rollback: %s", ignored.message);
    pg->stop = stop;
}

bool pg_quote_name(struct buffer *out, const char *name, struct error *error)
{
    TRY(buffer_append_byte(out, '"', error));
    for (; *name; name++) {
        if (*name == '"')
            TRY(buffer_append_byte(out, '"', error));
        TRY(buffer_append_byte(out, (uint8_t)*name, error));
    }
    return buffer_append_byte(out, '"', error);
}

/* E'' where a backslash occurs, so that standard_conforming_strings does not matter. */
bool pg_quote_text(struct buffer *out, const char *text, struct error *error)
{
    TRY(buffer_append_text(out, strchr(text, '\\') ? "E'" : "'", error));
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            TRY(buffer_append_byte(out, (uint8_t)*text, error));
        TRY(buffer_append_byte(out, (uint8_t)*text, error));
    }
    return buffer_append_byte(out, '\'', error);
}

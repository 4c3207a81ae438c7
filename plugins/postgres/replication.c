#include "plugins/postgres/replication.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "core/base/clock.h"

enum { POLL_SLICE_MS = 200, CLOSE_MS = 2000 };

static bool replication_stopped(const struct replication *replication)
{
    return replication->stop && atomic_load(replication->stop);
}

static PGconn *replication_connection(const struct replication *replication)
{
    return pg_connection(replication->pg);
}

bool replication_open(struct replication *replication, const struct pg_options *options,
                      struct error *error)
{
    struct pg_options walsender = *options;
    walsender.replication = true;
    *replication = (struct replication){.stop = options->stop};
    replication->pg = session_open(&walsender, error);
    return replication->pg != NULL;
}

/* Waits until the socket can be read, at most wait_ms. */
static bool replication_wait(struct replication *replication, int64_t wait_ms, struct error *error)
{
    struct pollfd socket = {PQsocket(replication_connection(replication)), POLLIN, 0};
    if (socket.fd < 0)
        return error_set(error, ERROR_UNREACHABLE, "is the server running?",
                         "the replication connection is closed");
    if (poll(&socket, 1, (int)wait_ms) < 0 && errno != EINTR)
        return error_set_system(error, errno, "waiting for Postgres");
    return true;
}

static bool replication_consume(struct replication *replication, struct error *error)
{
    if (PQconsumeInput(replication_connection(replication)))
        return true;
    return pg_error(replication->pg, NULL, "reading the replication stream", error);
}

bool replication_command(struct replication *replication, const char *sql, PGresult **out,
                         struct error *error)
{
    PGconn *connection = replication_connection(replication);
    *out = NULL;
    if (!PQsendQuery(connection, sql) || PQflush(connection) < 0)
        return pg_error(replication->pg, NULL, sql, error);
    while (PQisBusy(connection)) {
        TRY(replication_wait(replication, POLL_SLICE_MS, error));
        TRY(replication_consume(replication, error));
        if (replication_stopped(replication)) {
            pg_cancel(replication->pg);
            return error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
        }
    }
    PGresult *result = PQgetResult(connection);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_BOTH) {
        *out = result;
        return true;
    }
    for (PGresult *more; (more = PQgetResult(connection)) != NULL;)
        PQclear(more);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        *out = result;
        return true;
    }
    pg_error(replication->pg, result, sql, error);
    PQclear(result);
    return false;
}

bool replication_start(struct replication *replication, const char *slot, const char *publication,
                       uint64_t lsn, struct error *error)
{
    struct buffer sql = {0};
    char text[LSN_TEXT_SIZE];
    PGresult *result = NULL;
    struct buffer name = {0};
    /* A list of identifiers, inside a string. */
    bool ok =
        pg_quote_name(&name, publication, error) && buffer_text(&name, error) &&
        buffer_append_text(&sql, "START_REPLICATION SLOT ", error) &&
        pg_quote_name(&sql, slot, error) &&
        buffer_append_format(&sql, error, " LOGICAL %s (proto_version '1', publication_names ",
                             lsn_format(lsn, text)) &&
        pg_quote_text(&sql, name.data, error) && buffer_append_byte(&sql, ')', error) &&
        buffer_text(&sql, error) && replication_command(replication, sql.data, &result, error);
    if (ok && PQresultStatus(result) != PGRES_COPY_BOTH)
        ok = error_set(error, ERROR_INTERNAL, NULL, "START_REPLICATION did not start a stream");
    PQclear(result);
    buffer_destroy(&sql);
    buffer_destroy(&name);
    return ok;
}

bool replication_next(struct replication *replication, int64_t wait_ms,
                      struct replication_message *out, bool *got, struct error *error)
{
    PGconn *connection = replication_connection(replication);
    *got = false;
    PQfreemem(replication->message);
    replication->message = NULL;
    int length = PQgetCopyData(connection, &replication->message, 1);
    if (length == 0 && wait_ms > 0) {
        TRY(replication_wait(replication, wait_ms, error));
        TRY(replication_consume(replication, error));
        length = PQgetCopyData(connection, &replication->message, 1);
    }
    if (length == 0)
        return true;
    if (length == -1) { /* the server ended it: a shutdown, or an error that comes as the result */
        PGresult *result = PQgetResult(connection);
        if (PQresultStatus(result) == PGRES_FATAL_ERROR)
            pg_error(replication->pg, result, "replicating", error);
        else
            error_set(error, ERROR_UNREACHABLE, "is the server running?",
                      "the server ended the replication stream");
        PQclear(result);
        return false;
    }
    if (length < 0)
        return pg_error(replication->pg, NULL, "reading the replication stream", error);
    TRY(replication_decode(slice_make(replication->message, (size_t)length), out, error));
    if (out->end > replication->received)
        replication->received = out->end;
    *got = true;
    return true;
}

bool replication_status(struct replication *replication, uint64_t flushed, bool ask,
                        struct error *error)
{
    uint8_t message[REPLICATION_STATUS_SIZE];
    PGconn *connection = replication_connection(replication);
    uint64_t written = replication->received > flushed ? replication->received : flushed;
    replication_encode_status(written, flushed, clock_now_us(), ask, message);
    replication->status_ns = clock_monotonic_ns();
    /* 0: the socket is full; the next status will do. */
    if (PQputCopyData(connection, (const char *)message, sizeof message) >= 0 &&
        PQflush(connection) >= 0)
        return true;
    return pg_error(replication->pg, NULL, "confirming to the server", error);
}

void replication_close(struct replication *replication)
{
    if (replication->pg == NULL)
        return;
    PGconn *connection = replication_connection(replication);
    PQfreemem(replication->message);
    replication->message = NULL;
    bool streaming = replication->status_ns != 0 && pg_is_alive(replication->pg);
    if (streaming && PQputCopyEnd(connection, NULL) == 1) {
        int64_t deadline = clock_monotonic_ns() + (int64_t)CLOSE_MS * 1000000;
        int length = 0;
        while (length >= 0 && clock_monotonic_ns() < deadline && PQflush(connection) >= 0) {
            length = PQgetCopyData(connection, &replication->message, 1);
            PQfreemem(replication->message);
            replication->message = NULL;
            if (length == 0 && (!replication_wait(replication, POLL_SLICE_MS, NULL) ||
                                !PQconsumeInput(connection)))
                break;
        }
    }
    pg_close(replication->pg);
    *replication = (struct replication){0};
}

#include "plugins/postgres/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By SQLSTATE or its class; the first prefix that fits. */
static const struct {
    const char *state;
    enum error_kind kind;
    const char *remedy;
} session_states[] = {
    {"28", ERROR_REFUSED, "check user, password and pg_hba.conf"},
    {"3D000", ERROR_NOT_FOUND, "check dbname in the dsn"},
    {"42501", ERROR_REFUSED, "grant the right named, or use a role that has it"},
    {"42P01", ERROR_NOT_FOUND, "check the name; it is case-sensitive"},
    {"42704", ERROR_NOT_FOUND, "check the name; it is case-sensitive"},
    {"42710", ERROR_EXISTS, "choose another name, or adopt what is there"},
    {"42P07", ERROR_EXISTS, "choose another name, or adopt what is there"},
    {"55006", ERROR_CONFLICT, "another session uses it: end that one first"},
    {"55P03", ERROR_CONFLICT, "another session holds a lock: try again"},
    {"40", ERROR_CONFLICT, "try again"},
    {"57P0", ERROR_UNREACHABLE, "the server is starting or stopping: try again"},
    {"57014", ERROR_INTERRUPTED, "a time-out or a cancel ended the statement"},
    {"53300", ERROR_UNREACHABLE, "raise max_connections or close sessions"},
    {"53400", ERROR_REFUSED, "raise max_replication_slots or max_wal_senders (restart)"},
    {"53", ERROR_IO, "the server is out of disk or memory"},
    {"08", ERROR_UNREACHABLE, "is the server running, and is the network there?"},
};

bool session_fail(PGconn *connection, const PGresult *result, const char *what,
                  struct error *error)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    char text[512];
    if (message == NULL)
        message = connection ? PQerrorMessage(connection) : "out of memory";
    snprintf(text, sizeof text, "%s", message);
    for (size_t end = strlen(text); end > 0 && strchr("\r\n ", text[end - 1]); end--)
        text[end - 1] = '\0';
    if (state == NULL || connection == NULL || PQstatus(connection) != CONNECTION_OK)
        return error_set(error, ERROR_UNREACHABLE,
                         "is the server running, and is the network there?", "%s: %s", what, text);
    for (size_t i = 0; i < sizeof session_states / sizeof *session_states; i++) {
        if (strncmp(state, session_states[i].state, strlen(session_states[i].state)) == 0)
            return error_set(error, session_states[i].kind, session_states[i].remedy,
                             "%s: %s (SQLSTATE %s)", what, text, state);
    }
    return error_set(error, ERROR_INTERNAL, "look up the SQLSTATE in the server's log",
                     "%s: %s (SQLSTATE %s)", what, text, state);
}

static const char session_settings[] =
    "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET timezone = 'UTC';"
    "SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lc_monetary = 'C';"
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/* A refused password or a missing database are told by the message alone: libpq gives no SQLSTATE
 * for a failed connect before version 17. */
static void session_connect_failed(PGconn *connection, struct error *error)
{
    const char *text = connection ? PQerrorMessage(connection) : "out of memory";
    bool refused = strstr(text, "authentication failed") || strstr(text, "no password supplied") ||
                   strstr(text, "pg_hba.conf");
    session_fail(connection, NULL, "connecting to Postgres", error);
    if (refused && error) {
        error->kind = ERROR_REFUSED;
        error_remedy(error, "check the credential of this source, and pg_hba.conf on the server");
    }
}

PGconn *session_open(const struct session_options *options, struct error *error)
{
    const char *names[10];
    const char *values[10];
    int count = 0;
    names[count] = "connect_timeout", values[count++] = "10";
    names[count] = "dbname", values[count++] = options->dsn; /* expanded: may override the above */
    if (options->user)
        names[count] = "user", values[count++] = options->user;
    if (options->password)
        names[count] = "password", values[count++] = options->password;
    if (options->replication)
        names[count] = "replication", values[count++] = "database";
    names[count] = "application_name";
    values[count++] = options->name ? options->name : "surfboard";
    names[count] = "client_encoding", values[count++] = "UTF8";
    names[count] = NULL, values[count] = NULL;
    PGconn *connection = PQconnectdbParams(names, values, 1);
    if (connection == NULL || PQstatus(connection) != CONNECTION_OK) {
        session_connect_failed(connection, error);
        PQfinish(connection);
        return NULL;
    }
    if (!session_run(connection, "preparing the session", session_settings, error)) {
        PQfinish(connection);
        return NULL;
    }
    return connection;
}

PGresult *session_query(PGconn *connection, const char *what, const char *sql, int count,
                        const char *const *values, struct error *error)
{
    PGresult *result = count > 0
                           ? PQexecParams(connection, sql, count, NULL, values, NULL, NULL, 0)
                           : PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    session_fail(connection, result, what, error);
    PQclear(result);
    return NULL;
}

bool session_run(PGconn *connection, const char *what, const char *sql, struct error *error)
{
    PGresult *result = session_query(connection, what, sql, 0, NULL, error);
    PQclear(result);
    return result != NULL;
}

bool session_text(PGconn *connection, const char *what, const char *sql, int count,
                  const char *const *values, char *out, size_t size, struct error *error)
{
    PGresult *result = session_query(connection, what, sql, count, values, error);
    if (result == NULL)
        return false;
    bool any = PQntuples(result) > 0 && PQnfields(result) > 0;
    snprintf(out, size, "%s", any ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return true;
}

bool lsn_parse(const char *text, uint64_t *lsn)
{
    char *end;
    unsigned long long high = strtoull(text, &end, 16);
    if (end == text || *end != '/' || high > UINT32_MAX)
        return false;
    const char *rest = end + 1;
    unsigned long long low = strtoull(rest, &end, 16);
    if (end == rest || *end != '\0' || low > UINT32_MAX)
        return false;
    *lsn = (uint64_t)high << 32 | (uint64_t)low;
    return true;
}

const char *lsn_format(uint64_t lsn, char out[LSN_TEXT_SIZE])
{
    snprintf(out, LSN_TEXT_SIZE, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
    return out;
}

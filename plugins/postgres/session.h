/* session.h: a libpq connection as this plugin uses it: our settings (ISO dates, UTC, hex bytea,
 * ISO 8601 intervals, UTF-8: the forms that value.h reads), and errors of our kinds made from
 * SQLSTATEs. Passwords come by parameter or libpq's own ways and never reach a message. */
#ifndef SURFBOARD_POSTGRES_SESSION_H
#define SURFBOARD_POSTGRES_SESSION_H

#include <libpq-fe.h>
#include <stdint.h>

#include "core/base/error.h"

struct session_options {
    const char *dsn;      /* connection string or URI */
    const char *user;     /* NULL: as the dsn says */
    const char *password; /* NULL: as the dsn, ~/.pgpass or the service file say */
    const char *name;     /* application_name; NULL: surfboard */
    bool replication;     /* a walsender session of the dsn's database */
};

/* NULL with ERROR_UNREACHABLE (10 s to connect) or ERROR_REFUSED (authentication). Close it with
 * PQfinish(). */
PGconn *session_open(const struct session_options *options, struct error *error);

/* Runs one statement with text parameters; the result has rows or is a command's. Free it with
 * PQclear(). NULL on failure: the message begins with `what`. */
PGresult *session_query(PGconn *connection, const char *what, const char *sql, int count,
                        const char *const *values, struct error *error);
/* The same (several statements when there are no parameters), without a result. */
bool session_run(PGconn *connection, const char *what, const char *sql, struct error *error);
/* The first column of the first row as text, "" when there is no row or it is null. */
bool session_text(PGconn *connection, const char *what, const char *sql, int count,
                  const char *const *values, char *out, size_t size, struct error *error);

/* Sets the error from a failed result (NULL: from the connection). Returns false. */
bool session_fail(PGconn *connection, const PGresult *result, const char *what,
                  struct error *error);

/* "1A/2B" to a number and back. */
bool lsn_parse(const char *text, uint64_t *lsn);
enum { LSN_TEXT_SIZE = 24 };
const char *lsn_format(uint64_t lsn, char out[LSN_TEXT_SIZE]);

#endif

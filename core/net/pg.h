/* pg.h: a thin face on libpq for everybody who talks to Postgres: deadlines, a stop flag, errors of
 * our kinds with a remedy.
 *
 * One struct pg belongs to one thread. Nothing here blocks longer than its deadline. Messages name
 * the server and database, never a password. What becomes of a server error:
 *   connection refused, lost, shutting down, too many connections, timeouts   ERROR_UNREACHABLE
 *   password, pg_hba.conf, missing right, read-only transaction               ERROR_REFUSED
 *   lock_timeout (55P03), serialisation, deadlock                             ERROR_CONFLICT
 *   unique violation (23505)                                                  ERROR_EXISTS
 *   absent database, schema, table, column, function                          ERROR_NOT_FOUND
 *   syntax error                                                              ERROR_USAGE
 *   bad values (class 22)                                                     ERROR_INPUT
 *   connection lost after COMMIT was sent                                     ERROR_UNKNOWN
 *   the stop flag                                                             ERROR_INTERRUPTED
 * pg_sqlstate() gives the five characters.
 */
#ifndef SURFBOARD_NET_PG_H
#define SURFBOARD_NET_PG_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/error.h"

struct pg;

struct pg_options {
    const char *dsn;      /* key=value pairs or a postgresql:// URI; what it leaves out comes from
                             the environment, ~/.pgpass and pg_service.conf */
    const char *user;     /* over the DSN's; NULL: as it says */
    const char *password; /* the same */
    const char *application_name; /* NULL: "surfboard" */
    bool replication;             /* a walsender connection with replication=database */
    int64_t connect_ms;           /* deadline for connecting; 0: 10 s */
    int64_t answer_ms;            /* how long a statement may stay silent; 0: for ever */
    const atomic_bool *stop;      /* polled while waiting: cancels at the server; NULL: never */
};

struct pg *pg_open(const struct pg_options *options, struct error *error);
void pg_close(struct pg *pg); /* NULL is fine */
/* "127.0.0.1:5432/shop": for messages. */
const char *pg_name(const struct pg *pg);
/* The libpq connection, for COPY and replication. */
PGconn *pg_connection(struct pg *pg);
/* Whether the connection is still good. */
bool pg_is_alive(const struct pg *pg);
/* SQLSTATE of the last failure, "" when it had none. */
const char *pg_sqlstate(const struct pg *pg);

/* One or more statements without parameters; rows are dropped. */
bool pg_exec(struct pg *pg, const char *sql, struct error *error);
bool pg_exec_format(struct pg *pg, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One statement with text parameters ($1 ...; NULL elements are SQL nulls). */
struct pg_rows {
    PGresult *result;
};
bool pg_query(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
              struct pg_rows *out, struct error *error);
void pg_rows_destroy(struct pg_rows *rows); /* a zeroed one is fine */
size_t pg_rows_count(const struct pg_rows *rows);
/* NULL for an SQL null. Borrowed from the rows. */
const char *pg_rows_value(const struct pg_rows *rows, size_t row, size_t column);
/* Rows that an INSERT, UPDATE or DELETE changed. */
int64_t pg_rows_affected(const struct pg_rows *rows);
/* The first value of the first row into `out` (cleared); *found = false when there is no row or it
 * is null. */
bool pg_query_text(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
                   struct buffer *out, bool *found, struct error *error);

bool pg_begin(struct pg *pg, struct error *error);
/* ERROR_UNKNOWN when the connection breaks after COMMIT went out: look before trying again. */
bool pg_commit(struct pg *pg, struct error *error);
/* Best effort; a broken connection has rolled back by itself. */
void pg_rollback(struct pg *pg);

/* ---- results as they arrive ---- */

/* Sends one statement by the extended protocol (so that it can only be one). */
bool pg_send(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
             bool single_row, struct error *error);
/* The next result, NULL at the end; PGRES_FATAL_ERROR becomes an error. PQclear() it. */
bool pg_next_result(struct pg *pg, PGresult **out, struct error *error);
/* Cancels what runs, at the server, and reads off what still comes. */
void pg_cancel(struct pg *pg);

/* Fills *error from a failed result (or, with NULL, from the connection's state); returns false. */
bool pg_error(struct pg *pg, const PGresult *result, const char *doing, struct error *error);

/* "name" and 'text', quoted; appended to `out`. */
bool pg_quote_name(struct buffer *out, const char *name, struct error *error);
bool pg_quote_text(struct buffer *out, const char *text, struct error *error);

#endif

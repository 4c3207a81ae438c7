/* engine.h: result sets: columnar, streaming, whatever engine answers. One result pane and one
 * output serve all of them.
 *
 *     result = query_scan_open(...) | query_postgres_open(...)
 *     while (result_next(result, &batch, &error) && batch) ...
 *     result_close(result)
 */
#ifndef SURFBOARD_QUERY_ENGINE_H
#define SURFBOARD_QUERY_ENGINE_H

#include <stdatomic.h>

#include "core/iceberg/table.h"

struct result;

/* What an engine gives for an open result. */
struct sql_engine {
    const char *name; /* "scan", "postgres" */
    /* *out NULL at the end, else borrowed until the next call. */
    bool (*next_batch)(struct result *result, const struct batch **out, struct error *error);
    /* From any thread: what runs ends soon with ERROR_INTERRUPTED. */
    void (*cancel)(struct result *result);
    void (*close)(struct result *result);
};

/* First member of every implementation. */
struct result {
    const struct sql_engine *engine;
    const struct schema *schema; /* of the rows */
};

bool result_next(struct result *result, const struct batch **out, struct error *error);
void result_cancel(struct result *result);
void result_close(struct result *result); /* NULL is fine */

/* ---- the built-in scan ---- */

struct query_scan_options {
    int64_t snapshot_id;        /* -1: current */
    const char *const *columns; /* as written by the user; NULL: all */
    size_t column_count;
    const char *where;       /* see select.h; NULL: every row */
    int64_t limit;           /* -1: none */
    const atomic_bool *stop; /* NULL: never */
};

/* The table must outlive the result. */
struct result *query_scan_open(const struct iceberg_table *table,
                               const struct query_scan_options *options, struct error *error);
/* What the files that it reads hold: rows, deleted ones too, and bytes. */
void query_scan_size(const struct result *result, int64_t *rows, int64_t *bytes);
/* Rows that match, without handing them out (limit and columns aside). */
bool query_scan_count(const struct iceberg_table *table, const struct query_scan_options *options,
                      int64_t *count, struct error *error);
/* "1732271625123" (milliseconds since 1970), "2024-11-22 10:33:45+00:00", without a zone in UTC, or
 * a date (its midnight) to milliseconds. ERROR_USAGE. */
bool query_parse_time(const char *text, int64_t *ms, struct error *error);

/* A result of one row: column `count`. */
struct result *result_from_count(int64_t count, struct error *error);

/* ---- Postgres ---- */

struct query_postgres_options {
    const char *dsn;              /* with its password, in memory only */
    const char *user;             /* a role without rights, when there is one; NULL: the DSN's */
    int64_t statement_timeout_ms; /* 0: 60 s */
    /* Hands over what has come instead of waiting for a full batch: the first rows at once, later
     * ones ten times a second. */
    bool eager;
    const atomic_bool *stop;
};

/* Sends one reading statement (guard.h) in a read-only transaction, rows streamed one by one.
 * Booleans, integers, floats and bytea are typed; everything else is text as Postgres prints it
 * (times in UTC). A field's doc is Postgres' name of its type, where that is a well-known one. */
struct result *query_postgres_open(const struct query_postgres_options *options, const char *sql,
                                   struct error *error);
/* Runs one statement that may change, in a transaction of its own; `out` gets the command tag.
 * The caller has asked for confirmation. */
bool query_postgres_write(const struct query_postgres_options *options, const char *sql,
                          struct buffer *out, struct error *error);

#endif

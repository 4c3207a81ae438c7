/* Postgres as an engine: one reading statement, streamed row by row. */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/net/pg.h"
#include "core/query/engine.h"
#include "core/query/guard.h"

enum { BATCH_ROWS = 1024, STATEMENT_MS = 60000, EAGER_MS = 100 };

/* Oids of pg_type that are fixed for ever. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701
};

struct postgres_result {
    struct result base;
    struct pg *pg;
    struct schema schema;
    struct batch batch;
    PGresult *first; /* the first row, read to learn the columns */
    atomic_bool cancelled;
    bool ended, eager;
    int64_t handed_ns; /* when a batch was handed out last */
};

static void postgres_close(struct result *result)
{
    struct postgres_result *own = (struct postgres_result *)result;
    PQclear(own->first);
    if (own->pg)
        pg_rollback(own->pg);
    pg_close(own->pg);
    batch_destroy(&own->batch);
    schema_destroy(&own->schema);
    free(own);
}

static void postgres_cancel(struct result *result)
{
    atomic_store(&((struct postgres_result *)result)->cancelled, true);
}

static struct type type_of(Oid oid)
{
    switch (oid) {
    case OID_BOOL:
        return (struct type){.kind = TYPE_BOOLEAN};
    case OID_INT2:
    case OID_INT4:
        return (struct type){.kind = TYPE_INT};
    case OID_INT8:
        return (struct type){.kind = TYPE_LONG};
    case OID_FLOAT4:
        return (struct type){.kind = TYPE_FLOAT};
    case OID_FLOAT8:
        return (struct type){.kind = TYPE_DOUBLE};
    case OID_BYTEA:
        return (struct type){.kind = TYPE_BINARY};
    default:
        return (struct type){.kind = TYPE_STRING};
    }
}

static const char *name_of(Oid oid)
{
    static const struct {
        Oid oid;
        const char *name;
    } known[] = {{OID_BOOL, "boolean"},
                 {OID_BYTEA, "bytea"},
                 {OID_INT8, "bigint"},
                 {OID_INT2, "smallint"},
                 {OID_INT4, "integer"},
                 {OID_FLOAT4, "real"},
                 {OID_FLOAT8, "double precision"},
                 {19, "name"},
                 {25, "text"},
                 {26, "oid"},
                 {114, "json"},
                 {142, "xml"},
                 {869, "inet"},
                 {1042, "character"},
                 {1043, "varchar"},
                 {1082, "date"},
                 {1083, "time"},
                 {1114, "timestamp"},
                 {1184, "timestamptz"},
                 {1186, "interval"},
                 {1266, "timetz"},
                 {1700, "numeric"},
                 {2950, "uuid"},
                 {3220, "pg_lsn"},
                 {3802, "jsonb"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].oid == oid)
            return known[i].name;
    return NULL;
}

static bool learn_columns(struct postgres_result *own, const PGresult *result, struct error *error)
{
    size_t count = (size_t)PQnfields(result);
    own->schema.fields = arena_zero(&own->schema.arena, count, sizeof *own->schema.fields, error);
    TRY(own->schema.fields != NULL);
    for (size_t i = 0; i < count; i++) {
        struct field *field = &own->schema.fields[i];
        *field = (struct field){.id = (int32_t)i + 1,
                                .doc = name_of(PQftype(result, (int)i)),
                                .type = type_of(PQftype(result, (int)i))};
        field->name = arena_copy_text(&own->schema.arena, PQfname(result, (int)i), error);
        TRY(field->name != NULL);
    }
    own->schema.field_count = count;
    own->base.schema = &own->schema;
    return batch_init(&own->batch, &own->schema, error);
}

static bool append_bytea(struct column *column, const char *text, struct error *error)
{
    size_t length = 0;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &length);
    if (bytes == NULL)
        return error_set_memory(error, strlen(text));
    bool ok = column_append_bytes(column, slice_make(bytes, length), error);
    PQfreemem(bytes);
    return ok;
}

static bool append_value(struct column *column, const char *text, size_t length,
                         struct error *error)
{
    uint8_t truth = text[0] == 't';
    int32_t narrow;
    int64_t wide;
    float single;
    double real;
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return column_append_bytes(column, slice_make(&truth, sizeof truth), error);
    case TYPE_INT:
        narrow = (int32_t)strtol(text, NULL, 10);
        return column_append_bytes(column, slice_make(&narrow, sizeof narrow), error);
    case TYPE_LONG:
        wide = strtoll(text, NULL, 10);
        return column_append_bytes(column, slice_make(&wide, sizeof wide), error);
    case TYPE_FLOAT:
        single = strtof(text, NULL);
        return column_append_bytes(column, slice_make(&single, sizeof single), error);
    case TYPE_DOUBLE:
        real = strtod(text, NULL);
        return column_append_bytes(column, slice_make(&real, sizeof real), error);
    case TYPE_BINARY:
        return append_bytea(column, text, error);
    default:
        return column_append_bytes(column, slice_make(text, length), error);
    }
}

static bool append_rows(struct postgres_result *own, const PGresult *result, struct error *error)
{
    for (int row = 0; row < PQntuples(result); row++) {
        for (int i = 0; i < PQnfields(result); i++) {
            struct column *column = &own->batch.columns[i];
            TRY(PQgetisnull(result, row, i)
                    ? column_append_null(column, error)
                    : append_value(column, PQgetvalue(result, row, i),
                                   (size_t)PQgetlength(result, row, i), error));
        }
        own->batch.length++;
    }
    return true;
}

/* Whether rows are there and waiting for the next one would keep them from who looks on. */
static bool is_due(struct postgres_result *own)
{
    return own->eager && own->batch.length && PQisBusy(pg_connection(own->pg)) &&
           clock_monotonic_ns() - own->handed_ns >= EAGER_MS * INT64_C(1000000);
}

static bool postgres_next_batch(struct result *result, const struct batch **out,
                                struct error *error)
{
    struct postgres_result *own = (struct postgres_result *)result;
    *out = NULL;
    batch_clear(&own->batch);
    while (!own->ended && own->batch.length < BATCH_ROWS && !is_due(own)) {
        if (atomic_load(&own->cancelled))
            return error_set(error, ERROR_INTERRUPTED, NULL, "the query was stopped");
        PGresult *row = own->first;
        own->first = NULL;
        if (row == NULL)
            TRY(pg_next_result(own->pg, &row, error));
        own->ended = row == NULL;
        bool ok = row == NULL || append_rows(own, row, error);
        PQclear(row);
        TRY(ok);
    }
    if (own->batch.length)
        *out = &own->batch;
    if (own->batch.length && own->eager)
        own->handed_ns = clock_monotonic_ns();
    return true;
}

static const struct sql_engine postgres_engine = {.name = "postgres",
                                                  .next_batch = postgres_next_batch,
                                                  .cancel = postgres_cancel,
                                                  .close = postgres_close};

static struct pg *open_session(const struct query_postgres_options *options,
                               const atomic_bool *stop, bool reading, struct error *error)
{
    struct pg *pg = pg_open(&(struct pg_options){.dsn = options->dsn,
                                                 .user = options->user,
                                                 .application_name = "surfboard",
                                                 .stop = stop},
                            error);
    if (pg == NULL)
        return NULL;
    int64_t limit = options->statement_timeout_ms ? options->statement_timeout_ms : STATEMENT_MS;
    /* The limit is the session's, so that it holds for COMMIT's deferred work too. */
    bool ok = pg_exec_format(pg, error,
                             "SET statement_timeout = %lld; SET TimeZone = 'UTC'; "
                             "SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; "
                             "SET bytea_output = 'hex'; SET extra_float_digits = 1; "
                             "SET standard_conforming_strings = on",
                             (long long)limit) &&
              pg_exec(pg, reading ? "BEGIN READ ONLY" : "BEGIN", error);
    if (!ok) {
        pg_close(pg);
        return NULL;
    }
    return pg;
}

static bool open_postgres(struct postgres_result *own, const struct query_postgres_options *options,
                          const char *sql, struct error *error)
{
    const atomic_bool *stop = options->stop ? options->stop : &own->cancelled;
    TRY(guard_check_reading(slice_of(sql), error));
    own->pg = open_session(options, stop, true, error);
    TRY(own->pg && pg_send(own->pg, sql, NULL, 0, true, error) &&
        pg_next_result(own->pg, &own->first, error));
    if (own->first == NULL)
        return error_set(error, ERROR_USAGE, "write a statement", "the statement is empty");
    return learn_columns(own, own->first, error);
}

struct result *query_postgres_open(const struct query_postgres_options *options, const char *sql,
                                   struct error *error)
{
    struct postgres_result *own = memory_zero(1, sizeof *own, error);
    if (own == NULL)
        return NULL;
    own->base.engine = &postgres_engine;
    own->eager = options->eager;
    if (!open_postgres(own, options, sql, error)) {
        postgres_close(&own->base);
        return NULL;
    }
    return &own->base;
}

bool query_postgres_write(const struct query_postgres_options *options, const char *sql,
                          struct buffer *out, struct error *error)
{
    TRY(guard_check_single(slice_of(sql), error));
    struct pg *pg = open_session(options, options->stop, false, error);
    TRY(pg != NULL);
    struct pg_rows rows = {0};
    bool ok = pg_query(pg, sql, NULL, 0, &rows, error) &&
              buffer_append_text(out, PQcmdStatus(rows.result), error) && pg_commit(pg, error);
    pg_rows_destroy(&rows);
    if (!ok)
        pg_rollback(pg);
    pg_close(pg);
    return ok;
}

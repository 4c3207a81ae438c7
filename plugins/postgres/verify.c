#include "plugins/postgres/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/pipeline/lag.h"
#include "plugins/postgres/replication.h"
#include "plugins/postgres/verify_table.h"

/* What the table of digests takes for one row, with its free slots. */
enum { HELD_ROW_BYTES = 60 };

void verify_tell(struct verify *verify, json_t *event)
{
    if (verify->options->event && event)
        verify->options->event(verify->options->context, event);
    else
        json_decref(event);
}

bool verify_stopped(const struct verify *verify, struct error *error)
{
    if (verify->options->stop == NULL || !atomic_load(verify->options->stop))
        return false;
    error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
    return true;
}

/* ---- one point of the source ---- */

/* A temporary slot, only for the snapshot that its creation exports and the position of that
 * snapshot: no other way tells the two together. It goes with its connection. */
static bool verify_point(struct verify *verify, const struct pg_options *options,
                         struct error *error)
{
    struct replication replication;
    struct buffer sql = {0};
    PGresult *result = NULL;
    TRY(replication_open(&replication, options, error));
    bool ok = buffer_append_format(&sql, error,
                                   "CREATE_REPLICATION_SLOT \"surfboard_verify_%lld\" TEMPORARY"
                                   " LOGICAL pgoutput EXPORT_SNAPSHOT",
                                   (long long)(clock_now_us() % INT64_C(1000000000000))) &&
              buffer_text(&sql, error) &&
              replication_command(&replication, sql.data, &result, error);
    if (ok && !lsn_parse(PQgetvalue(result, 0, 1), &verify->position))
        ok = error_set(error, ERROR_INTERNAL, NULL, "the slot's consistent point can't be read");
    verify->reader = ok ? session_open(options, error) : NULL;
    ok = verify->reader &&
         pg_exec(verify->reader, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error) &&
         pg_exec_format(verify->reader, error, "SET TRANSACTION SNAPSHOT '%s'",
                        PQgetvalue(result, 0, 2));
    PQclear(result);
    buffer_destroy(&sql);
    replication_close(&replication);
    return ok;
}

static bool verify_open(struct verify *verify, struct error *error)
{
    const struct pipeline *pipeline = verify->options->pipeline;
    struct buffer dsn = {0};
    verify->deltas = store_open(pipeline->profile->lake.deltas, NULL, error);
    verify->catalog = verify->deltas ? pipeline_catalog_open(pipeline, false, error) : NULL;
    TRY(verify->catalog != NULL);
    TRY(pipeline_source_conninfo(pipeline, verify->options->stream->capture, &dsn, error));
    struct pg_options options = {
        .dsn = dsn.data, .application_name = "surfboard verify", .stop = verify->options->stop};
    bool ok = verify_point(verify, &options, error);
    explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return ok;
}

static void verify_close(struct verify *verify)
{
    pg_close(verify->reader);
    catalog_close(verify->catalog);
    store_close(verify->deltas);
}

/* ---- the tables ---- */

static bool verify_wanted(const struct verify_options *options, const struct stream_table *table)
{
    return options->table == NULL || strcmp(options->table, table->dataset) == 0 ||
           strcmp(options->table, table->table) == 0 || strcmp(options->table, table->name) == 0;
}

static bool verify_tables_open(struct verify *verify, struct verify_table *tables, size_t *count,
                               struct error *error)
{
    const struct stream *stream = verify->options->stream;
    for (size_t i = 0; i < stream->table_count; i++) {
        if (!verify_wanted(verify->options, &stream->tables[i]))
            continue;
        struct verify_table *table = &tables[(*count)++];
        table->verify = verify;
        table->from = &stream->tables[i];
        TRY(verify_table_open(table, error));
    }
    return *count > 0 ||
           error_set(error, ERROR_NOT_FOUND, "surfboard streams --json lists them",
                     "stream %s has no table %s", stream->name, verify->options->table);
}

/* Says what will be read and held, before it is. */
static bool verify_plan(struct verify *verify, const struct verify_table *tables, size_t count,
                        struct error *error)
{
    double rows = 0;
    double bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const char *parameters[] = {tables[i].from->schema, tables[i].from->table};
        struct pg_rows found = {0};
        TRY(pg_query(verify->reader,
                     "SELECT greatest(c.reltuples, 0), pg_total_relation_size(c.oid)"
                     " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                     " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
                     parameters, 2, &found, error));
        if (pg_rows_count(&found) > 0) {
            rows += strtod(pg_rows_value(&found, 0, 0), NULL);
            bytes += strtod(pg_rows_value(&found, 0, 1), NULL);
        }
        pg_rows_destroy(&found);
    }
    int64_t sample = verify->options->sample;
    double held = sample > 0 ? (double)sample : rows / (double)count * 2;
    verify_tell(verify,
                json_pack("{s:s, s:I, s:I, s:I, s:I, s:s}", "event", "plan", "tables",
                          (json_int_t)count, "source_rows",
                          (json_int_t)(sample > 0 ? (double)sample * (double)count : rows),
                          "source_bytes", (json_int_t)bytes, "held_bytes",
                          (json_int_t)(held * HELD_ROW_BYTES), "holds",
                          "one table at a time, 60 bytes a row; a snapshot of the source is open "
                          "until the end"));
    return true;
}

static json_t *verify_table_json(const struct verify_table *table)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "table",
                     table->from->name, "exact", (json_int_t)table->exact, "lag",
                     (json_int_t)table->lag, "differs", (json_int_t)table->differs, "source_only",
                     (json_int_t)table->source_only, "lake_only", (json_int_t)table->lake_only,
                     "source_rows", (json_int_t)table->source_rows, "lake_rows",
                     (json_int_t)table->lake_rows, "snapshot", (json_int_t)table->lake.snapshot_id,
                     "examples", table->examples);
}

static bool verify_tables(struct verify *verify, struct verify_table *tables, size_t count,
                          json_t **document, struct error *error)
{
    char lsn[LSN_TEXT_SIZE];
    json_t *list = json_array();
    bool equal = true;
    bool ok =
        verify_await(verify, tables, count, error) && verify_plan(verify, tables, count, error);
    for (size_t i = 0; ok && i < count; i++) {
        struct verify_table *table = &tables[i];
        ok = verify_compare(table, error);
        held_rows_destroy(&table->held); /* one table at a time */
        equal = equal && table->differs + table->source_only + table->lake_only == 0;
        if (ok)
            ok = json_array_append_new(list, verify_table_json(table)) == 0 ||
                 error_set_memory(error, 256);
    }
    if (ok)
        *document = json_pack("{s:s, s:i, s:s, s:s, s:b, s:O, s:b}", "event", "verify", "format", 1,
                              "stream", verify->options->stream->name, "position",
                              lsn_format(verify->position, lsn), "sampled",
                              verify->options->sample > 0, "tables", list, "equal", equal);
    json_decref(list);
    return ok && (*document || error_set_memory(error, 256));
}

bool verify_run(const struct verify_options *options, json_t **document, struct error *error)
{
    struct verify verify = {.options = options};
    size_t count = 0;
    *document = NULL;
    if (options->pipeline->profile->capture.kind != CAPTURE_NATIVE)
        return error_set(error, ERROR_UNSUPPORTED, "set capture: {kind: native}",
                         "verify needs the positions that native capture writes");
    struct verify_table *tables = memory_zero(options->stream->table_count, sizeof *tables, error);
    bool ok = tables && verify_open(&verify, error) &&
              verify_tables_open(&verify, tables, &count, error) &&
              verify_tables(&verify, tables, count, document, error);
    for (size_t i = 0; tables && i < count; i++)
        verify_table_close(&tables[i]);
    free(tables);
    verify_close(&verify);
    return ok;
}

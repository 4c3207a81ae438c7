/* Both sides of a table: the lake's rows are held as digests while the source is read; for a sample
 * it is the other way round. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/iceberg/scan.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/table_copy.h"
#include "plugins/postgres/verify_table.h"

bool verify_table_open(struct verify_table *table, struct error *error)
{
    struct buffer text = {0};
    struct store *deltas = table->verify->deltas;
    table->needed = -1;
    table->examples = json_array();
    bool ok = store_read(deltas, table->from->schema_key, &text, error);
    if (!ok && error && error->kind == ERROR_NOT_FOUND)
        error_remedy(error, "surfboard up %s writes it", table->verify->options->stream->name);
    table->table_loaded = ok;
    ok = ok &&
         change_table_parse(buffer_slice(&text), table->from->schema_key, &table->table, error) &&
         change_table_require_key(&table->table, error);
    buffer_destroy(&text);
    table->keys = ok ? change_row_reader_create(&table->table, NULL, error) : NULL;
    return table->keys != NULL;
}

void verify_table_close(struct verify_table *table)
{
    change_row_reader_destroy(table->keys);
    if (table->table_loaded)
        change_table_destroy(&table->table);
    if (table->lake_loaded)
        iceberg_table_destroy(&table->lake);
    held_rows_destroy(&table->touched);
    held_rows_destroy(&table->held);
    json_decref(table->examples);
}

/* ---- counting ---- */

enum verify_class { EXACT, LAG, DIFFERS, SOURCE_ONLY, LAKE_ONLY };

static const char *const class_names[] = {"exact", "lag", "differs", "source_only", "lake_only"};

static void count_row(struct verify_table *table, enum verify_class class, struct digest key,
                      struct slice key_json)
{
    uint64_t *const counts[] = {&table->exact, &table->lag, &table->differs, &table->source_only,
                                &table->lake_only};
    if (class != EXACT && (table->touched_all || held_rows_find(&table->touched, key)))
        class = LAG;
    ++*counts[class];
    if (class == EXACT || class == LAG || json_array_size(table->examples) >= VERIFY_EXAMPLES)
        return;
    json_t *value = json_loadb(key_json.data ? key_json.data : "null",
                               key_json.data ? key_json.length : 4, JSON_DECODE_ANY, NULL);
    json_array_append_new(table->examples, json_pack("{s:s, s:o}", "class", class_names[class],
                                                     "key", value ? value : json_null()));
}

/* Each so many rows: tells how far it is, and looks for the stop flag. */
static bool verify_look(struct verify_table *table, uint64_t done, const char *side,
                        struct error *error)
{
    struct verify *verify = table->verify;
    if (done % 1024 != 0)
        return true;
    if (clock_monotonic_ns() - verify->told_ns > 1000000000) {
        verify->told_ns = clock_monotonic_ns();
        verify_tell(verify, json_pack("{s:s, s:s, s:s, s:I, s:s}", "event", "progress", "table",
                                      table->from->name, "phase", side, "done", (json_int_t)done,
                                      "unit", "rows"));
    }
    return !verify_stopped(verify, error);
}

/* Sleeps while the rows read from the source are ahead of the rate. */
static void verify_pace(const struct verify *verify, uint64_t done, int64_t begun_ns)
{
    double rate = verify->options->rate;
    while (rate > 0 && !verify_stopped(verify, NULL)) {
        double ahead = (double)done / rate - (double)(clock_monotonic_ns() - begun_ns) / 1e9;
        if (ahead <= 0.01)
            return;
        clock_sleep_ms(ahead > 0.1 ? 100 : (int64_t)(ahead * 1000) + 1);
    }
}

/* ---- a row of either side ---- */

struct row_view {
    const struct column *const *columns; /* in the order of the change table; NULL: not there */
    const struct column *const *key;     /* in key order */
    size_t row;
};

static bool row_digests(struct verify_table *table, const struct row_view *view,
                        struct buffer *scratch, struct digest *key, struct digest *row,
                        struct error *error)
{
    struct change_key value;
    TRY(change_key_of_columns(table->keys, view->key, view->row, &value, error));
    *key = digest_of_key(&value);
    buffer_clear(scratch);
    for (size_t i = 0; i < table->table.column_count; i++)
        TRY(digest_append_value(scratch, view->columns[i], view->row, error));
    *row = digest_of_bytes(buffer_slice(scratch));
    return true;
}

/* ---- the lake ---- */

struct lake_reader {
    struct iceberg_scan *scan;
    const char **names;
    int *places; /* of each column of the change table in the scan; -1: not there */
    const struct column **columns, **key;
};

static void lake_close(struct lake_reader *reader)
{
    iceberg_scan_close(reader->scan);
    free(reader->names);
    free(reader->places);
    free(reader->columns);
    free(reader->key);
}

static bool lake_open(struct verify_table *table, struct lake_reader *reader, struct error *error)
{
    size_t count = table->table.column_count;
    const struct schema *schema = iceberg_scan_row_schema(&table->lake, -1, error);
    *reader = (struct lake_reader){.names = memory_zero(count, sizeof *reader->names, error),
                                   .places = memory_zero(count, sizeof *reader->places, error),
                                   .columns = memory_zero(count, sizeof *reader->columns, error),
                                   .key = memory_zero(count, sizeof *reader->key, error)};
    TRY(schema && reader->names && reader->places && reader->columns && reader->key);
    struct iceberg_scan_options options = {
        .snapshot_id = -1, .columns = reader->names, .stop = table->verify->options->stop};
    for (size_t i = 0; i < count; i++) {
        reader->places[i] = -1;
        if (schema_field(schema, table->table.columns[i].name) == NULL)
            continue;
        reader->places[i] = (int)options.column_count;
        reader->names[options.column_count++] = table->table.columns[i].name;
    }
    reader->scan = iceberg_scan_open(&table->lake, &options, error);
    return reader->scan != NULL;
}

static bool lake_view(const struct verify_table *table, const struct lake_reader *reader,
                      const struct batch *batch, struct row_view *view, struct error *error)
{
    for (size_t i = 0; i < table->table.column_count; i++)
        reader->columns[i] =
            reader->places[i] < 0 ? NULL : &batch->columns[(size_t)reader->places[i]];
    for (size_t i = 0; i < table->table.key_count; i++) {
        reader->key[i] = reader->columns[table->table.key_columns[i]];
        if (reader->key[i] == NULL)
            return error_set(error, ERROR_INPUT,
                             "surfboard merge makes the table anew in another "
                             "place",
                             "table %s in the lake has no key column %s", table->from->name,
                             table->table.columns[table->table.key_columns[i]].name);
    }
    *view = (struct row_view){reader->columns, reader->key, 0};
    return true;
}

typedef bool lake_row(struct verify_table *table, struct digest key, struct digest row,
                      struct error *error);

static bool lake_each(struct verify_table *table, lake_row *visit, struct error *error)
{
    struct lake_reader reader;
    struct buffer scratch = {0};
    uint64_t done = 0;
    bool ok = lake_open(table, &reader, error);
    for (const struct batch *batch = NULL;
         ok && (ok = iceberg_scan_next(reader.scan, &batch, error)) && batch;) {
        struct row_view view = {0};
        ok = lake_view(table, &reader, batch, &view, error);
        for (; ok && view.row < batch->length; view.row++) {
            struct digest key, row;
            ok = row_digests(table, &view, &scratch, &key, &row, error) &&
                 visit(table, key, row, error);
            ok = ok && verify_look(table, ++done, "lake", error);
        }
    }
    lake_close(&reader);
    buffer_destroy(&scratch);
    return ok;
}

static bool lake_hold(struct verify_table *table, struct digest key, struct digest row,
                      struct error *error)
{
    bool twice;
    table->lake_rows++;
    TRY(held_rows_add(&table->held, key, row, &twice, error));
    if (twice)
        count_row(table, LAKE_ONLY, key, (struct slice){0});
    return true;
}

/* For a sample: the source's rows are held. */
static bool lake_meet(struct verify_table *table, struct digest key, struct digest row,
                      struct error *error)
{
    (void)error;
    struct held_row *held = held_rows_find(&table->held, key);
    table->lake_rows++;
    if (held == NULL)
        return true;
    if (held->state == ROW_MET)
        count_row(table, LAKE_ONLY, key, (struct slice){0});
    else
        count_row(table, digest_equal(held->row, row) ? EXACT : DIFFERS, key, (struct slice){0});
    held->state = ROW_MET;
    return true;
}

/* ---- the source ---- */

struct source_reader {
    struct relation *relation;
    struct pgoutput_value *values;
    struct captured_writer writer;
    struct buffer row, key;
    struct change_row_reader *rows;
    struct schema schema;
    struct batch batch;
    const struct column **columns, **keys;
    bool schema_made, batch_made;
};

static bool source_relation(struct verify_table *table, struct source_reader *reader, char *kind,
                            struct error *error)
{
    const char *parameters[] = {table->from->schema, table->from->table};
    struct pgoutput_message message = {0};
    struct pg_rows found = {0};
    struct pg_rows rows = {0};
    struct pg *pg = table->verify->reader;
    TRY(pg_query(pg,
                 "SELECT c.oid, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                 " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
                 parameters, 2, &found, error));
    bool ok = pg_rows_count(&found) > 0 ||
              error_set(error, ERROR_NOT_FOUND, "check model and profile",
                        "the source has no table %s.%s", table->from->schema, table->from->table);
    if (ok) {
        *kind = pg_rows_value(&found, 0, 1)[0];
        ok = table_describe(pg, (uint32_t)strtoul(pg_rows_value(&found, 0, 0), NULL, 10),
                            table->from->schema, table->from->table, NULL, &message, &rows, error);
    }
    if (ok)
        reader->relation = relation_create(pg, &message, "verify", "verify", error);
    pgoutput_message_destroy(&message);
    pg_rows_destroy(&rows);
    pg_rows_destroy(&found);
    return reader->relation != NULL;
}

static void source_close(struct source_reader *reader)
{
    relation_destroy(reader->relation);
    free(reader->values);
    captured_writer_destroy(&reader->writer);
    buffer_destroy(&reader->row);
    buffer_destroy(&reader->key);
    change_row_reader_destroy(reader->rows);
    if (reader->batch_made)
        batch_destroy(&reader->batch);
    if (reader->schema_made)
        schema_destroy(&reader->schema);
    free(reader->columns);
    free(reader->keys);
}

static bool source_open(struct verify_table *table, struct source_reader *reader, char *kind,
                        struct error *error)
{
    size_t count = table->table.column_count;
    *reader = (struct source_reader){0};
    TRY(source_relation(table, reader, kind, error));
    reader->values = memory_zero(reader->relation->column_count, sizeof *reader->values, error);
    reader->columns = memory_zero(count, sizeof *reader->columns, error);
    reader->keys = memory_zero(count, sizeof *reader->keys, error);
    reader->rows = change_row_reader_create(&table->table, NULL, error);
    TRY(reader->values && reader->columns && reader->keys && reader->rows);
    reader->schema_made = change_table_lake_schema(&table->table, &reader->schema, error);
    reader->batch_made = reader->schema_made && batch_init(&reader->batch, &reader->schema, error);
    TRY(reader->batch_made);
    for (size_t i = 0; i < count; i++)
        reader->columns[i] = &reader->batch.columns[i];
    for (size_t i = 0; i < table->table.key_count; i++)
        reader->keys[i] = reader->columns[table->table.key_columns[i]];
    return true;
}

/* The same way that a captured row takes: as JSON, then typed. */
static bool source_digests(struct verify_table *table, struct source_reader *reader, char *line,
                           size_t length, struct digest *key, struct digest *row,
                           struct buffer *scratch, struct error *error)
{
    size_t unavailable = 0;
    struct row_view view = {reader->columns, reader->keys, 0};
    if (!table_copy_split(line, length, reader->values, reader->relation->column_count))
        return error_set(error, ERROR_INTERNAL, NULL, "a row of COPY has another form");
    buffer_clear(&reader->row);
    TRY(relation_append(reader->relation, &reader->writer, &reader->row, RELATION_ROW,
                        reader->values, NULL, error));
    batch_clear(&reader->batch);
    TRY(change_row_read(reader->rows, buffer_slice(&reader->row), (struct slice){0}, false,
                        &reader->batch, NULL, &unavailable, error));
    return row_digests(table, &view, scratch, key, row, error);
}

static bool source_key_json(struct source_reader *reader, struct error *error)
{
    buffer_clear(&reader->key);
    return relation_append(reader->relation, &reader->writer, &reader->key, RELATION_KEY,
                           reader->values, NULL, error);
}

static bool source_row(struct verify_table *table, struct source_reader *reader, struct digest key,
                       struct digest row, struct error *error)
{
    table->source_rows++;
    if (table->verify->options->sample > 0) {
        bool twice;
        return held_rows_add(&table->held, key, row, &twice, error);
    }
    struct held_row *held = held_rows_find(&table->held, key);
    bool equal = held && digest_equal(held->row, row);
    if (held)
        held->state = ROW_MET;
    TRY(equal || source_key_json(reader, error));
    count_row(table, equal ? EXACT : held ? DIFFERS : SOURCE_ONLY, key, buffer_slice(&reader->key));
    return true;
}

/* TABLESAMPLE takes a share of the rows: about twice what is wanted, cut by LIMIT. */
static bool source_sample(const struct verify_table *table, const struct relation *relation,
                          char text[128], struct error *error)
{
    char estimate[64];
    char oid[16];
    const char *parameters[] = {oid};
    text[0] = '\0';
    if (table->verify->options->sample <= 0)
        return true;
    snprintf(oid, sizeof oid, "%u", relation->oid);
    TRY(session_text(table->verify->reader,
                     "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class"
                     " WHERE oid = $1::oid",
                     parameters, 1, estimate, sizeof estimate, error));
    double rows = strtod(estimate, NULL);
    double share = rows > 0 ? (double)table->verify->options->sample * 100.0 / rows : 100.0;
    if (share < 100.0)
        snprintf(text, 128, "TABLESAMPLE BERNOULLI (%.6f)", share);
    return true;
}

static bool source_each(struct verify_table *table, struct error *error)
{
    struct source_reader reader;
    struct buffer sql = {0};
    struct buffer scratch = {0};
    struct pg *pg = table->verify->reader;
    char kind = 'r';
    char sample[128];
    int64_t begun = clock_monotonic_ns();
    bool ok = source_open(table, &reader, &kind, error) &&
              source_sample(table, reader.relation, sample, error) &&
              table_copy_sql(reader.relation, kind, sample[0] ? sample : NULL, NULL, &sql, error) &&
              table_copy_start(pg, sql.data, error);
    while (ok) {
        char *line = NULL;
        size_t length;
        struct digest key, row;
        ok = table_copy_next(pg, &line, &length, error);
        if (!ok || line == NULL)
            break;
        ok = source_digests(table, &reader, line, length, &key, &row, &scratch, error) &&
             source_row(table, &reader, key, row, error) &&
             verify_look(table, table->source_rows, "source", error);
        PQfreemem(line);
        verify_pace(table->verify, table->source_rows, begun);
    }
    ok = ok && table_copy_finish(pg, error);
    source_close(&reader);
    buffer_destroy(&sql);
    buffer_destroy(&scratch);
    return ok || error_prefix(error, "table %s", table->from->name);
}

/* ---- both ---- */

static void count_unmet(struct verify_table *table, enum verify_class class)
{
    for (size_t i = 0; i < table->held.slot_count; i++) {
        if (table->held.slots[i].state == ROW_HELD)
            count_row(table, class, table->held.slots[i].key, (struct slice){0});
    }
}

bool verify_compare(struct verify_table *table, struct error *error)
{
    if (table->verify->options->sample > 0) {
        TRY(source_each(table, error));
        TRY(lake_each(table, lake_meet, error));
        count_unmet(table, SOURCE_ONLY);
        return true;
    }
    TRY(lake_each(table, lake_hold, error));
    TRY(source_each(table, error));
    count_unmet(table, LAKE_ONLY);
    return true;
}

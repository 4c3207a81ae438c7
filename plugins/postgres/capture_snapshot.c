#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "plugins/postgres/capture_run.h"
#include "plugins/postgres/table_copy.h"

/* One snapshot of some tables, all at one point. */
struct snapshot {
    struct capture_run *capture;
    struct pg *reader; /* repeatable read, on the exported snapshot */
    const struct published_table **tables;
    size_t table_count;
    uint64_t lsn; /* the consistent point */
    uint64_t tx_id;
    int64_t taken_us;
    bool any_row;
    uint64_t rows;
};

/* ---- rows ---- */

/* Debezium's marks, but that the last row of a table is always told as such. */
static const char *snapshot_mark(const struct snapshot *snapshot, size_t table, bool first_row,
                                 bool last_row)
{
    if (last_row)
        return table + 1 == snapshot->table_count ? "last" : "last_in_data_collection";
    if (!snapshot->any_row)
        return "first";
    return first_row ? "first_in_data_collection" : "true";
}

static bool snapshot_append(struct snapshot *snapshot, struct relation *relation, size_t table,
                            const struct pgoutput_value *values, bool first_row, bool last_row,
                            struct error *error)
{
    struct capture_run *capture = snapshot->capture;
    struct topic *topic = relation->topic;
    struct line_event event = {.op = values ? 'r' : 't',
                               .snapshot = snapshot_mark(snapshot, table, first_row, last_row),
                               .lsn = snapshot->lsn,
                               .tx_id = snapshot->tx_id,
                               /* an empty table's `t` must not look older than what was before */
                               .last_commit = values ? 0 : snapshot->lsn,
                               .committed_us = snapshot->taken_us,
                               .captured_us = clock_now_us(),
                               .position = {snapshot->lsn, 0},
                               .offset = topic->next};
    if (values) {
        buffer_clear(&capture->key);
        buffer_clear(&capture->after);
        TRY(relation_append(relation, &capture->values, &capture->key, RELATION_KEY, values, NULL,
                            error));
        TRY(relation_append(relation, &capture->values, &capture->after, RELATION_ROW, values, NULL,
                            error));
        event.key = buffer_slice(&capture->key);
        event.after = buffer_slice(&capture->after);
        snapshot->rows++;
    }
    TRY(line_append_event(&topic->waiting, &relation->line, &event, error));
    topics_appended(&capture->topics, topic, event.position);
    snapshot->any_row = true;
    return true;
}

static void snapshot_progress(struct snapshot *snapshot, size_t table, int64_t done)
{
    struct capture_run *capture = snapshot->capture;
    int64_t now = clock_monotonic_ns();
    if (now - capture->event_ns < INT64_C(1000000000))
        return;
    capture->event_ns = now;
    const struct published_table *published = snapshot->tables[table];
    capture_tell(capture,
                 json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:i, s:i}", "event", "progress",
                           "phase", "snapshot", "schema", published->schema, "table",
                           published->name, "done", (json_int_t)done, "unit", "rows", "total",
                           (json_int_t)(published->estimate > done ? published->estimate : done),
                           "tables_done", (int)table, "tables", (int)snapshot->table_count));
}

/* Reads the whole COPY, one row behind, so that the last one is known when it is written. */
static bool snapshot_read_rows(struct snapshot *snapshot, struct relation *relation, size_t table,
                               struct pgoutput_value *values, struct error *error)
{
    char *line = NULL;
    char *held = NULL;
    size_t length = 0;
    size_t held_length = 0;
    int64_t done = 0;
    bool ok = true;
    do {
        ok = table_copy_next(snapshot->reader, &line, &length, error);
        if (ok && capture_stopped(snapshot->capture))
            ok = error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
        if (ok && held) {
            ok = table_copy_split(held, held_length, values, relation->column_count) ||
                 error_set(error, ERROR_INTERNAL, NULL, "a row of COPY has another form");
            ok = ok &&
                 snapshot_append(snapshot, relation, table, values, done == 0, line == NULL, error);
            done++;
        }
        PQfreemem(held);
        held = line;
        held_length = length;
        ok = ok && capture_publish(snapshot->capture, false, error);
        snapshot_progress(snapshot, table, done);
    } while (ok && held);
    PQfreemem(held);
    if (ok && done == 0)
        ok = snapshot_append(snapshot, relation, table, NULL, true, true, error);
    return ok;
}

static bool snapshot_copy(struct snapshot *snapshot, struct relation *relation, size_t table,
                          struct error *error)
{
    const struct published_table *published = snapshot->tables[table];
    struct buffer sql = {0};
    struct pgoutput_value *values = memory_zero(relation->column_count, sizeof *values, error);
    bool ok = values &&
              table_copy_sql(relation, published->kind, NULL, published->filter, &sql, error) &&
              table_copy_start(snapshot->reader, sql.data, error) &&
              snapshot_read_rows(snapshot, relation, table, values, error) &&
              table_copy_finish(snapshot->reader, error);
    free(values);
    buffer_destroy(&sql);
    return ok;
}

static bool snapshot_table(struct snapshot *snapshot, size_t table, struct error *error)
{
    struct capture_run *capture = snapshot->capture;
    const struct published_table *published = snapshot->tables[table];
    struct pgoutput_message message = {0};
    struct pg_rows rows = {0};
    struct relation *relation = NULL;
    uint64_t before = snapshot->rows;
    if (table_describe(snapshot->reader, published->oid, published->schema, published->name,
                       capture->options->publication, &message, &rows, error))
        relation = relation_create(snapshot->reader, &message, capture->topics.prefix,
                                   capture->record.database, error);
    pg_rows_destroy(&rows);
    pgoutput_message_destroy(&message);
    if (relation)
        relation->topic =
            topics_open_topic(&capture->topics, published->schema, published->name, error);
    bool ok = relation && relation->topic && capture_write_schema(capture, relation, error) &&
              snapshot_copy(snapshot, relation, table, error);
    relation_destroy(relation);
    if (!ok)
        return error_prefix(error, "snapshot of %s.%s", published->schema, published->name);
    capture_tell(capture, json_pack("{s:s, s:s, s:s, s:I, s:i, s:i}", "event", "snapshot", "schema",
                                    published->schema, "table", published->name, "rows",
                                    (json_int_t)(snapshot->rows - before), "tables_done",
                                    (int)table + 1, "tables", (int)snapshot->table_count));
    return FAULT("capture.snapshot.after-table", error);
}

/* ---- one snapshot ---- */

static bool snapshot_begin(struct snapshot *snapshot, const char *exported, struct error *error)
{
    struct pg_rows rows = {0};
    snapshot->reader = session_open(&snapshot->capture->connect, error);
    TRY(snapshot->reader != NULL);
    TRY(pg_exec(snapshot->reader, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error));
    TRY(pg_exec_format(snapshot->reader, error, "SET TRANSACTION SNAPSHOT '%s'", exported));
    TRY(pg_query(snapshot->reader,
                 "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,"
                 " txid_snapshot_xmax(txid_current_snapshot())",
                 NULL, 0, &rows, error));
    snapshot->taken_us = strtoll(pg_rows_value(&rows, 0, 0), NULL, 10);
    snapshot->tx_id = strtoull(pg_rows_value(&rows, 0, 1), NULL, 10);
    pg_rows_destroy(&rows);
    return true;
}

/* Copies the tables and makes their rows durable. */
static bool snapshot_take(struct snapshot *snapshot, const char *exported, struct error *error)
{
    struct capture_run *capture = snapshot->capture;
    bool ok = snapshot_begin(snapshot, exported, error);
    for (size_t i = 0; ok && i < snapshot->table_count; i++)
        ok = snapshot_table(snapshot, i, error);
    ok = ok && capture_publish(capture, true, error);
    pg_close(snapshot->reader);
    for (size_t i = 0; ok && i < snapshot->table_count; i++) {
        const struct published_table *table = snapshot->tables[i];
        ok = capture_record_add(&capture->record,
                                &(struct captured_table){.schema = (char *)table->schema,
                                                         .name = (char *)table->name,
                                                         .oid = table->oid,
                                                         .membership = table->membership,
                                                         .snapshot = snapshot->lsn},
                                error);
    }
    capture->summary->snapshot_rows += snapshot->rows;
    capture->summary->snapshot_tables += snapshot->table_count;
    return ok && FAULT("capture.snapshot.before-record", error);
}

/* CREATE_REPLICATION_SLOT: waits for all transactions that run now. */
static bool slot_create(struct replication *replication, const char *name, bool temporary,
                        char exported[64], uint64_t *lsn, struct error *error)
{
    struct buffer sql = {0};
    PGresult *result = NULL;
    bool ok = buffer_append_text(&sql, "CREATE_REPLICATION_SLOT ", error) &&
              pg_quote_name(&sql, name, error) &&
              buffer_append_format(&sql, error, "%s LOGICAL pgoutput EXPORT_SNAPSHOT",
                                   temporary ? " TEMPORARY" : "") &&
              buffer_text(&sql, error) &&
              replication_command(replication, sql.data, &result, error);
    if (ok && !lsn_parse(PQgetvalue(result, 0, 1), lsn))
        ok = error_set(error, ERROR_INTERNAL, NULL, "the slot's consistent point can't be read");
    if (ok)
        snprintf(exported, 64, "%s", PQgetvalue(result, 0, 2));
    PQclear(result);
    buffer_destroy(&sql);
    return ok || error_prefix(error, "creating slot %s", name);
}

bool capture_first_snapshot(struct capture_run *capture, struct error *error)
{
    struct capture_record *record = &capture->record;
    const struct published *published = &capture->published;
    char exported[64];
    struct snapshot snapshot = {.capture = capture, .table_count = published->count};
    while (record->table_count)
        capture_record_remove(record, 0);
    /* Written before the slot exists: whoever finds it afterwards knows whose it is. */
    record->snapshotting = true;
    record->confirmed = 0;
    record->transactions_from = capture->topics.transactions->next;
    capture->topics.transactions->durable = (struct line_position){0, -1};
    TRY(capture_record_write(record, capture->store, capture->topics.prefix, error));
    TRY(FAULT("capture.slot.before-create", error));
    TRY(capture_drop_slot(capture, error));
    capture_tell(capture, json_pack("{s:s, s:s}", "event", "waiting", "for",
                                    "the transactions that run now, to create the slot"));
    TRY(slot_create(&capture->replication, capture->options->slot, false, exported, &snapshot.lsn,
                    error));
    TRY(FAULT("capture.slot.after-create", error));
    snapshot.tables = memory_zero(published->count, sizeof *snapshot.tables, error);
    TRY(snapshot.tables != NULL);
    for (size_t i = 0; i < published->count; i++)
        snapshot.tables[i] = &published->tables[i];
    bool ok = snapshot_take(&snapshot, exported, error);
    free(snapshot.tables);
    TRY(ok);
    record->snapshotting = false;
    record->found = true;
    record->confirmed = snapshot.lsn;
    capture->summary->reloaded = true;
    return capture_record_write(record, capture->store, capture->topics.prefix, error) &&
           FAULT("capture.snapshot.after-record", error);
}

/* Forgets tables that left the publication, came back to it, or are others now (a new oid): changes
 * were missed, they need a snapshot when they are there. */
static bool capture_forget_tables(struct capture_run *capture)
{
    struct capture_record *record = &capture->record;
    bool changed = false;
    for (size_t i = record->table_count; i-- > 0;) {
        bool there = false;
        for (size_t j = 0; j < capture->published.count && !there; j++)
            there = capture->published.tables[j].oid == record->tables[i].oid &&
                    capture->published.tables[j].membership == record->tables[i].membership &&
                    strcmp(capture->published.tables[j].name, record->tables[i].name) == 0 &&
                    strcmp(capture->published.tables[j].schema, record->tables[i].schema) == 0;
        if (!there)
            capture_record_remove(record, i);
        changed = changed || !there;
    }
    return changed;
}

bool capture_new_tables(struct capture_run *capture, struct error *error)
{
    const struct published *published = &capture->published;
    bool changed = capture_forget_tables(capture);
    struct snapshot snapshot = {.capture = capture};
    snapshot.tables = memory_zero(published->count, sizeof *snapshot.tables, error);
    TRY(snapshot.tables != NULL);
    for (size_t i = 0; i < published->count; i++) {
        if (!capture_record_table(&capture->record, published->tables[i].schema,
                                  published->tables[i].name))
            snapshot.tables[snapshot.table_count++] = &published->tables[i];
    }
    bool ok = true;
    if (snapshot.table_count) {
        struct replication temporary;
        char exported[64];
        char name[80];
        /* A slot of its own, that goes with its connection, only for the exported snapshot. */
        snprintf(name, sizeof name, "%.50s_%lld", capture->options->slot,
                 (long long)(clock_now_ms() % 1000000000));
        ok = replication_open(&temporary, &capture->connect, error);
        if (ok) {
            ok = slot_create(&temporary, name, true, exported, &snapshot.lsn, error) &&
                 snapshot_take(&snapshot, exported, error);
            replication_close(&temporary);
        }
    }
    free(snapshot.tables);
    if (ok && (changed || snapshot.table_count))
        ok = capture_record_write(&capture->record, capture->store, capture->topics.prefix, error);
    return ok;
}

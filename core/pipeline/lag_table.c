#include "core/pipeline/lag_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/iceberg/catalog.h"
#include "core/iceberg/table.h"

static void lag_table_forget(struct lag_table *table)
{
    free(table->pointer);
    json_decref(table->watermark);
    table->pointer = NULL;
    table->watermark = NULL;
    table->there = table->oldest_known = false;
    table->batch = table->newest_ms = 0;
    table->rows = -1;
    table->snapshot_count = 0;
    table->version++;
}

void lag_tables_destroy(struct lag_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        struct lag_table *table = tables->tables[i];
        free(table->pointer);
        json_decref(table->watermark);
        free(table);
    }
    free(tables->tables);
    *tables = (struct lag_tables){0};
}

static struct lag_table *tables_find(const struct lag_tables *tables,
                                     const struct stream_table *table)
{
    for (size_t i = 0; i < tables->count; i++)
        if (tables->tables[i]->table == table)
            return tables->tables[i];
    return NULL;
}

const struct lag_table *lag_tables_find(const struct lag_tables *tables,
                                        const struct stream_table *table)
{
    return tables_find(tables, table);
}

struct lag_table *lag_tables_entry(struct lag_tables *tables, const struct stream_table *table,
                                   struct error *error)
{
    struct lag_table *entry = tables_find(tables, table);
    if (entry)
        return entry;
    if (!memory_grow(&tables->tables, &tables->capacity, tables->count + 1, sizeof(void *), error))
        return NULL;
    entry = memory_zero(1, sizeof *entry, error);
    if (entry == NULL)
        return NULL;
    *entry = (struct lag_table){.table = table, .rows = -1};
    tables->tables[tables->count++] = entry;
    return entry;
}

/* The marks that count: the state's when the table still stands on (or behind) the snapshot that it
 * belongs to, else those of the nearest snapshot of ours (design 5, "State"). */
static json_t *table_watermark(const struct iceberg_table *table, int64_t *batch)
{
    const char *text = iceberg_table_property(table, "surfboard.state");
    json_t *state = text ? json_loads(text, 0, NULL) : NULL;
    json_t *snapshot = json_object_get(state, "snapshot");
    json_t *watermark = NULL;
    struct iceberg_snapshot nearest;
    if (state && (!json_is_integer(snapshot) ||
                  (table->snapshot_id >= 0 &&
                   iceberg_snapshot_descends(table, table->snapshot_id,
                                             (int64_t)json_integer_value(snapshot)))))
        watermark = json_incref(json_object_get(state, "watermark"));
    if (json_object_get(state, "batch"))
        *batch = json_integer_value(json_object_get(state, "batch"));
    json_decref(state);
    if (watermark == NULL && iceberg_snapshot_nearest(table, -1, "surfboard.watermark", &nearest)) {
        watermark = json_loads(iceberg_snapshot_summary(&nearest, "surfboard.watermark"), 0, NULL);
        const char *id = iceberg_snapshot_summary(&nearest, "surfboard.batch-id");
        *batch = id ? strtoll(id, NULL, 10) : *batch;
    }
    return watermark;
}

static int64_t summary_number(const struct iceberg_snapshot *snapshot, const char *key,
                              int64_t absent)
{
    const char *text = iceberg_snapshot_summary(snapshot, key);
    return text ? strtoll(text, NULL, 10) : absent;
}

/* Ours say how many rows a batch changed. Of others': each changed row was either written anew or
 * deleted by position, and what left with a data file that was written again is no change. */
static void snapshot_rows(const struct iceberg_snapshot *snapshot, struct lag_snapshot *out)
{
    out->rows = summary_number(snapshot, "surfboard.rows", -1);
    out->rows_exact = out->rows >= 0;
    if (out->rows_exact)
        return;
    out->rows = 0;
    if (strcmp(out->operation, "replace") == 0)
        return;
    int64_t added = summary_number(snapshot, "added-records", 0);
    int64_t again = summary_number(snapshot, "deleted-records", 0) -
                    summary_number(snapshot, "removed-position-deletes", 0);
    int64_t gone = summary_number(snapshot, "added-position-deletes", 0);
    added -= again > 0 && again < added ? again : 0;
    out->rows = added > gone ? added : gone;
}

static void take_snapshot(const struct iceberg_snapshot *snapshot, struct lag_snapshot *out)
{
    const char *operation = iceberg_snapshot_summary(snapshot, "operation");
    *out = (struct lag_snapshot){.id = snapshot->id, .at_ms = snapshot->timestamp_ms};
    snprintf(out->operation, sizeof out->operation, "%s", operation ? operation : "?");
    out->batch = summary_number(snapshot, "surfboard.batch-id", -1);
    out->files = summary_number(snapshot, "added-data-files", 0) +
                 summary_number(snapshot, "added-delete-files", 0);
    out->bytes = summary_number(snapshot, "added-files-size", 0);
    snapshot_rows(snapshot, out);
}

/* From the current one upwards: what a branch or a rollback left aside is not in the table. */
static void take_snapshots(struct lag_table *out, const struct iceberg_table *table)
{
    struct iceberg_snapshot snapshot;
    int64_t id = table->snapshot_id;
    while (id >= 0 && out->snapshot_count < LAG_SNAPSHOTS_MOST &&
           iceberg_snapshot_find(table, id, &snapshot)) {
        take_snapshot(&snapshot, &out->snapshots[out->snapshot_count++]);
        id = snapshot.parent_id;
    }
    if (!iceberg_snapshot_find(table, table->snapshot_id, &snapshot))
        return;
    int64_t records = summary_number(&snapshot, "total-records", -1);
    int64_t equality = summary_number(&snapshot, "total-equality-deletes", 0);
    out->newest_ms = snapshot.timestamp_ms;
    /* What equality deletes take away is known only to who reads the files. */
    out->rows = records < 0 || equality
                    ? -1
                    : records - summary_number(&snapshot, "total-position-deletes", 0);
}

static bool lag_table_load(struct lag_table *entry, struct catalog *catalog,
                           struct catalog_ident ident, struct error *error)
{
    struct iceberg_table loaded = {0};
    TRY(catalog_load(catalog, ident, &loaded, error));
    entry->there = true;
    entry->watermark = table_watermark(&loaded, &entry->batch);
    take_snapshots(entry, &loaded);
    iceberg_table_destroy(&loaded);
    return true;
}

bool lag_tables_look(struct lag_tables *tables, struct catalog *catalog, const char *namespace_name,
                     const struct stream_table *table, struct lag_table **out, struct error *error)
{
    struct catalog_ident ident = {namespace_name, table->name};
    struct lag_table *entry = lag_tables_entry(tables, table, error);
    struct buffer pointer = {0};
    struct error why = {0};
    TRY(entry);
    *out = entry;
    bool ok = catalog_pointer(catalog, ident, &pointer, &why);
    if (ok && entry->pointer && strcmp(entry->pointer, pointer.data) == 0) {
        buffer_destroy(&pointer);
        return true;
    }
    /* The pointer is read first: when the table moves on meanwhile, the next look sees that. */
    lag_table_forget(entry);
    ok = ok && lag_table_load(entry, catalog, ident, &why);
    if (ok)
        entry->pointer = memory_copy_text(pointer.data, &why);
    buffer_destroy(&pointer);
    if (ok && entry->pointer)
        return true;
    lag_table_forget(entry);
    if (why.kind == ERROR_NOT_FOUND)
        return true;
    if (error)
        *error = why;
    return false;
}

/* snapshot.c: which snapshots a table has, and how they descend from each other. */
#include <inttypes.h>

#include "core/base/datetime.h"
#include "core/iceberg/table.h"

bool iceberg_snapshot_find(const struct iceberg_table *table, int64_t id,
                           struct iceberg_snapshot *out)
{
    const struct iceberg_snapshot *found =
        map_get(&table->snapshot_index, slice_make(&id, sizeof id));
    if (found == NULL)
        return false;
    *out = *found;
    return true;
}

const char *iceberg_snapshot_summary(const struct iceberg_snapshot *snapshot, const char *key)
{
    return json_string_value(json_object_get(json_object_get(snapshot->json, "summary"), key));
}

bool iceberg_snapshot_as_of(const struct iceberg_table *table, int64_t time_ms,
                            struct iceberg_snapshot *out, struct error *error)
{
    const json_t *log = json_object_get(table->metadata, "snapshot-log");
    int64_t id = -1, latest = INT64_MIN;
    size_t i;
    json_t *entry;
    json_array_foreach(log, i, entry)
    {
        int64_t at = json_integer_value(json_object_get(entry, "timestamp-ms"));
        if (at <= time_ms && at >= latest) {
            latest = at;
            id = json_integer_value(json_object_get(entry, "snapshot-id"));
        }
    }
    if (id != -1 && iceberg_snapshot_find(table, id, out))
        return true;
    char text[DATETIME_TEXT_SIZE];
    text[0] = '\0';
    if (time_ms > INT64_MIN / 1000 && time_ms < INT64_MAX / 1000)
        text[datetime_format_timestamp(time_ms * 1000, true, text)] = '\0';
    return error_set(error, ERROR_NOT_FOUND,
                     "choose a later time: older snapshots are expired or never were",
                     "the table has no snapshot as of %s (%" PRId64 " ms)", text, time_ms);
}

bool iceberg_snapshot_ref(const struct iceberg_table *table, const char *name,
                          struct iceberg_snapshot *out)
{
    const json_t *ref = json_object_get(json_object_get(table->metadata, "refs"), name);
    const json_t *id = json_object_get(ref, "snapshot-id");
    return json_is_integer(id) && iceberg_snapshot_find(table, json_integer_value(id), out);
}

bool iceberg_snapshot_descends(const struct iceberg_table *table, int64_t descendant,
                               int64_t ancestor)
{
    struct iceberg_snapshot at;
    size_t steps = 0; /* damaged metadata may go round in circles */
    while (descendant != -1 && steps++ <= table->snapshot_count) {
        if (descendant == ancestor)
            return true;
        if (!iceberg_snapshot_find(table, descendant, &at))
            return false;
        descendant = at.parent_id;
    }
    return false;
}

bool iceberg_snapshot_nearest(const struct iceberg_table *table, int64_t from, const char *key,
                              struct iceberg_snapshot *out)
{
    int64_t id = from == -1 ? table->snapshot_id : from;
    size_t steps = 0;
    while (id != -1 && steps++ <= table->snapshot_count) {
        if (!iceberg_snapshot_find(table, id, out))
            return false;
        if (iceberg_snapshot_summary(out, key))
            return true;
        id = out->parent_id;
    }
    return false;
}

const struct schema *iceberg_snapshot_schema(const struct iceberg_table *table,
                                             const struct iceberg_snapshot *snapshot)
{
    const struct schema *schema =
        snapshot->schema_id >= 0 ? iceberg_table_schema(table, snapshot->schema_id) : NULL;
    return schema ? schema : table->schema;
}

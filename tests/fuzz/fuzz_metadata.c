/* Any bytes as table metadata: read or refused; what is read survives load and save; a commit that
 * sets a property leaves every other member as it was, and its metadata is read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/iceberg/commit.h"
#include "core/iceberg/describe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_members(const struct iceberg_table *before, const struct iceberg_table *after)
{
    static const char *const changed[] = {
        "last-updated-ms", "metadata-log", "properties", "current-snapshot-id",
        "snapshots",       "snapshot-log", "statistics", "partition-statistics"};
    const char *key;
    json_t *value;
    json_object_foreach(before->metadata, key, value)
    {
        bool may = false;
        for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
            may = may || strcmp(key, changed[i]) == 0;
        must(may || json_equal(value, json_object_get(after->metadata, key)));
    }
}

static void commit_property(const struct iceberg_table *table)
{
    struct error error = {0};
    struct iceberg_table after;
    struct iceberg_commit *commit = iceberg_commit_begin(table, &error);
    if (commit == NULL)
        return; /* a version that is not written */
    json_t *before = json_deep_copy(table->metadata);
    must(iceberg_commit_set_property(commit, "a", "b ${snapshot-id}", &error));
    for (size_t i = 0; i < table->snapshot_count; i++)
        iceberg_commit_drop_snapshot(commit, table->snapshots[i].id, NULL);
    must(iceberg_commit_prepare(commit, &error));
    must(json_equal(before, table->metadata)); /* the base is shared, never changed */
    json_decref(before);
    must(iceberg_table_parse(iceberg_commit_metadata(commit), "/fuzz/metadata/v2.metadata.json",
                             &after, &error));
    check_members(table, &after);
    must(iceberg_table_property(&after, "a") != NULL);
    must(iceberg_commit_is_in(commit, &after, NULL));
    iceberg_table_destroy(&after);
    iceberg_commit_destroy(commit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iceberg_table table;
    struct iceberg_snapshot snapshot;
    struct error error = {0};
    json_t *json = NULL;
    struct slice bytes = slice_make(data, size);
    if (iceberg_describe_metadata(bytes, "fuzz", &json, &error))
        json_decref(json);
    if (!iceberg_table_parse(bytes, "/fuzz/metadata/v1.metadata.json", &table, &error)) {
        must(error.kind != ERROR_NONE && error.message[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < table.schema_count; i++) {
        struct schema again;
        json_t *schema = iceberg_schema_to_json(&table.schemas[i], NULL, &error);
        must(schema != NULL);
        must(iceberg_schema_from_json(schema, &again, &error));
        must(again.field_count == table.schemas[i].field_count);
        schema_destroy(&again);
        json_decref(schema);
    }
    iceberg_snapshot_as_of(&table, INT64_MAX, &snapshot, NULL);
    iceberg_snapshot_nearest(&table, -1, "surfboard.watermark", &snapshot);
    iceberg_snapshot_ref(&table, "main", &snapshot);
    commit_property(&table);
    iceberg_table_destroy(&table);
    return 0;
}

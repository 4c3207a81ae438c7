/* commit_metadata.c: the base's metadata, changed in place: what is not touched stays as it was. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/iceberg/commit_parts.h"

enum { DEFAULT_PREVIOUS_VERSIONS = 100 };

/* The base's JSON is shared, not copied: a table that is committed to each second has thousands of
 * snapshots in it. Whatever is changed is first made a copy of its own, level by level: this is the
 * member as such a copy, or an empty one when it is absent. */
static json_t *metadata_member(json_t *metadata, const char *key, bool array, struct error *error)
{
    json_t *member = json_object_get(metadata, key);
    if (array ? json_is_array(member) : json_is_object(member))
        member = json_copy(member);
    else
        member = array ? json_array() : json_object();
    return json_put(metadata, key, member, error) ? member : NULL;
}

/* ---- schema ---- */

static bool metadata_same_schema(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "fields"), json_object_get(b, "fields")) &&
           (json_equal(json_object_get(a, "identifier-field-ids"),
                       json_object_get(b, "identifier-field-ids")) ||
            (json_array_size(json_object_get(a, "identifier-field-ids")) == 0 &&
             json_array_size(json_object_get(b, "identifier-field-ids")) == 0));
}

static bool metadata_put_schema(struct iceberg_commit *commit, json_t *metadata,
                                struct error *error)
{
    json_t *schemas = metadata_member(metadata, "schemas", true, error);
    TRY(schemas != NULL);
    json_int_t id = 0, chosen = -1;
    const json_t *current = NULL;
    size_t i;
    json_t *schema;
    json_array_foreach(schemas, i, schema)
    {
        json_int_t its = json_integer_value(json_object_get(schema, "schema-id"));
        id = its >= id ? its + 1 : id;
        if (its == commit->base->schema->id)
            current = schema;
    }
    commit->schema.id = (int32_t)id;
    json_t *made = iceberg_schema_to_json(&commit->schema, current, error);
    TRY(made != NULL);
    json_array_foreach(schemas, i, schema)
    {
        if (metadata_same_schema(schema, made))
            chosen = json_integer_value(json_object_get(schema, "schema-id"));
    }
    if (chosen >= 0) {
        json_decref(made);
        commit->schema.id = (int32_t)chosen;
    } else {
        TRY(json_push(schemas, made, error));
    }
    int32_t highest = schema_highest_id(&commit->schema);
    if (highest < commit->base->last_column_id)
        highest = commit->base->last_column_id;
    TRY(json_put(metadata, "last-column-id", json_integer(highest), error));
    return json_put(metadata, "current-schema-id", json_integer(commit->schema.id), error);
}

/* ---- properties ---- */

/* Replaces "${snapshot-id}". */
static bool metadata_expand(const struct iceberg_commit *commit, const char *value,
                            struct buffer *out, struct error *error)
{
    static const char word[] = "${snapshot-id}";
    int64_t id = commit_makes_snapshot(commit) ? commit->snapshot_id : commit->base->snapshot_id;
    for (const char *at; (at = strstr(value, word)) != NULL; value = at + sizeof word - 1) {
        TRY(buffer_append(out, value, (size_t)(at - value), error));
        TRY(buffer_append_format(out, error, "%" PRId64, id));
    }
    return buffer_append_text(out, value, error);
}

static bool metadata_put_properties(const struct iceberg_commit *commit, json_t *metadata,
                                    struct error *error)
{
    json_t *properties = metadata_member(metadata, "properties", false, error);
    TRY(properties != NULL);
    TRY(json_put(properties, ICEBERG_COMMIT_ID, json_string(commit->id), error));
    for (size_t i = 0; i < commit->properties.count; i++) {
        const struct commit_pair *pair = &commit->properties.items[i];
        if (pair->value == NULL) {
            json_object_del(properties, pair->key);
            continue;
        }
        struct buffer text = {0};
        bool ok = metadata_expand(commit, pair->value, &text, error) &&
                  json_put(properties, pair->key,
                           json_stringn(text.data ? text.data : "", text.length), error);
        buffer_destroy(&text);
        TRY(ok);
    }
    return true;
}

/* ---- snapshot ---- */

static bool metadata_fill_snapshot(struct iceberg_commit *commit, json_t *snapshot, int64_t now_ms,
                                   struct error *error)
{
    const struct iceberg_table *base = commit->base;
    const char *list = iceberg_table_uri(base, commit->list_key, &commit->arena, error);
    int32_t schema_id = commit->has_schema ? commit->schema.id : base->schema->id;
    TRY(list != NULL);
    TRY(json_put(snapshot, "sequence-number", json_integer(base->last_sequence_number + 1), error));
    TRY(json_put(snapshot, "snapshot-id", json_integer(commit->snapshot_id), error));
    if (base->snapshot_id != -1)
        TRY(json_put(snapshot, "parent-snapshot-id", json_integer(base->snapshot_id), error));
    TRY(json_put(snapshot, "timestamp-ms", json_integer(now_ms), error));
    TRY(json_put(snapshot, "summary", commit_make_summary(commit, error), error));
    TRY(json_put(snapshot, "manifest-list", json_string(list), error));
    return json_put(snapshot, "schema-id", json_integer(schema_id), error);
}

static bool metadata_put_main(json_t *metadata, int64_t snapshot_id, struct error *error)
{
    json_t *refs = metadata_member(metadata, "refs", false, error);
    TRY(refs != NULL);
    json_t *main_ref = metadata_member(refs, "main", false, error);
    TRY(main_ref != NULL);
    TRY(json_put(main_ref, "snapshot-id", json_integer(snapshot_id), error));
    return json_object_get(main_ref, "type") ||
           json_put(main_ref, "type", json_string("branch"), error);
}

static bool metadata_put_snapshot(struct iceberg_commit *commit, json_t *metadata, int64_t now_ms,
                                  struct error *error)
{
    json_t *snapshots = metadata_member(metadata, "snapshots", true, error);
    json_t *log = metadata_member(metadata, "snapshot-log", true, error);
    TRY(snapshots != NULL && log != NULL);
    json_t *snapshot = json_object();
    TRY(json_push(snapshots, snapshot, error));
    TRY(metadata_fill_snapshot(commit, snapshot, now_ms, error));
    json_t *entry = json_object();
    TRY(json_push(log, entry, error));
    TRY(json_put(entry, "timestamp-ms", json_integer(now_ms), error));
    TRY(json_put(entry, "snapshot-id", json_integer(commit->snapshot_id), error));
    TRY(metadata_put_main(metadata, commit->snapshot_id, error));
    TRY(json_put(metadata, "current-snapshot-id", json_integer(commit->snapshot_id), error));
    return json_put(metadata, "last-sequence-number",
                    json_integer(commit->base->last_sequence_number + 1), error);
}

/* ---- expiry ---- */

static bool metadata_is_dropped(const struct iceberg_commit *commit, const json_t *object)
{
    int64_t id = json_integer_value(json_object_get(object, "snapshot-id"));
    for (size_t i = 0; i < commit->dropped_count; i++) {
        if (commit->dropped[i] == id)
            return true;
    }
    return false;
}

static bool metadata_drop_snapshots(const struct iceberg_commit *commit, json_t *metadata,
                                    struct error *error)
{
    static const char *const lists[] = {"snapshots", "statistics", "partition-statistics"};
    if (commit->dropped_count == 0)
        return true;
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        json_t *list = metadata_member(metadata, lists[l], true, error);
        TRY(list != NULL);
        for (size_t i = json_array_size(list); i-- > 0;) {
            if (metadata_is_dropped(commit, json_array_get(list, i)))
                json_array_remove(list, i);
        }
    }
    /* History must not have holes: everything up to the last entry that is gone goes. */
    json_t *log = metadata_member(metadata, "snapshot-log", true, error);
    TRY(log != NULL);
    for (size_t i = json_array_size(log); i-- > 0;) {
        if (!metadata_is_dropped(commit, json_array_get(log, i)))
            continue;
        for (size_t j = 0; j <= i; j++)
            json_array_remove(log, 0);
        break;
    }
    return true;
}

/* ---- the whole ---- */

static bool metadata_put_log(struct iceberg_commit *commit, json_t *metadata, struct error *error)
{
    const struct iceberg_table *base = commit->base;
    const char *keep = iceberg_table_property(base, "write.metadata.previous-versions-max");
    long most = keep ? strtol(keep, NULL, 10) : DEFAULT_PREVIOUS_VERSIONS;
    const char *key = NULL, *file = base->metadata_location;
    if (store_key(base->store, file, &key))
        file = iceberg_table_uri(base, key, &commit->arena, error);
    TRY(file != NULL);
    json_t *log = metadata_member(metadata, "metadata-log", true, error);
    TRY(log != NULL);
    json_t *entry = json_object();
    TRY(json_push(log, entry, error));
    TRY(json_put(entry, "timestamp-ms",
                 json_integer(json_integer_value(json_object_get(metadata, "last-updated-ms"))),
                 error));
    TRY(json_put(entry, "metadata-file", json_string(file), error));
    while ((long)json_array_size(log) > (most > 0 ? most : 1))
        json_array_remove(log, 0);
    return true;
}

static bool metadata_change(struct iceberg_commit *commit, json_t *metadata, struct error *error)
{
    int64_t now_ms = clock_now_ms();
    int64_t before = json_integer_value(json_object_get(metadata, "last-updated-ms"));
    if (now_ms < before) /* another host's clock is ahead: time must not run backwards */
        now_ms = before;
    TRY(metadata_put_log(commit, metadata, error));
    if (commit->has_schema)
        TRY(metadata_put_schema(commit, metadata, error));
    if (commit_makes_snapshot(commit))
        TRY(metadata_put_snapshot(commit, metadata, now_ms, error));
    TRY(metadata_drop_snapshots(commit, metadata, error));
    TRY(metadata_put_properties(commit, metadata, error));
    if (!json_is_integer(json_object_get(metadata, "current-snapshot-id"))) /* older readers */
        TRY(json_put(metadata, "current-snapshot-id", json_integer(-1), error));
    commit->updated_ms = now_ms;
    return json_put(metadata, "last-updated-ms", json_integer(now_ms), error);
}

bool commit_make_metadata(struct iceberg_commit *commit, struct error *error)
{
    json_t *metadata = json_copy(commit->base->metadata);
    if (metadata == NULL)
        return error_set_memory(error, 4096);
    buffer_clear(&commit->metadata);
    bool ok =
        metadata_change(commit, metadata, error) && json_print(metadata, &commit->metadata, error);
    json_decref(metadata);
    return ok;
}

/* ---- a new table ---- */

static bool metadata_put_empty_lists(json_t *metadata, struct error *error)
{
    static const struct {
        const char *list, *id;
    } lists[] = {{"partition-specs", "spec-id"}, {"sort-orders", "order-id"}};
    for (size_t i = 0; i < 2; i++) {
        json_t *list = json_array(), *item = json_object();
        TRY(json_put(metadata, lists[i].list, list, error));
        TRY(json_push(list, item, error));
        TRY(json_put(item, lists[i].id, json_integer(0), error));
        TRY(json_put(item, "fields", json_array(), error));
    }
    static const char *const empty[] = {"snapshots", "statistics", "partition-statistics",
                                        "snapshot-log", "metadata-log"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        TRY(json_put(metadata, empty[i], json_array(), error));
    return true;
}

static bool metadata_fill_new(json_t *metadata, const struct schema *schema, const char *location,
                              const struct iceberg_property *properties, size_t property_count,
                              struct error *error)
{
    uint8_t uuid[16];
    char text[UUID_TEXT_SIZE];
    TRY(uuid_make(uuid, error));
    uuid_format(uuid, text);
    TRY(json_put(metadata, "format-version", json_integer(2), error));
    TRY(json_put(metadata, "table-uuid", json_string(text), error));
    TRY(json_put(metadata, "location", json_string(location), error));
    TRY(json_put(metadata, "last-sequence-number", json_integer(0), error));
    TRY(json_put(metadata, "last-updated-ms", json_integer(clock_now_ms()), error));
    TRY(json_put(metadata, "last-column-id", json_integer(schema_highest_id(schema)), error));
    TRY(json_put(metadata, "current-schema-id", json_integer(0), error));
    json_t *schemas = json_array();
    TRY(json_put(metadata, "schemas", schemas, error));
    TRY(json_push(schemas, iceberg_schema_to_json(schema, NULL, error), error));
    TRY(json_put(json_array_get(schemas, 0), "schema-id", json_integer(0), error));
    TRY(json_put(metadata, "default-spec-id", json_integer(0), error));
    TRY(json_put(metadata, "last-partition-id", json_integer(999), error));
    TRY(json_put(metadata, "default-sort-order-id", json_integer(0), error));
    json_t *values = json_object();
    TRY(json_put(metadata, "properties", values, error));
    for (size_t i = 0; i < property_count; i++)
        TRY(json_put(values, properties[i].key, json_string(properties[i].value), error));
    TRY(json_put(metadata, "current-snapshot-id", json_integer(-1), error));
    TRY(json_put(metadata, "refs", json_object(), error));
    return metadata_put_empty_lists(metadata, error);
}

bool iceberg_table_make_metadata(const struct schema *schema, const char *location,
                                 const struct iceberg_property *properties, size_t property_count,
                                 struct buffer *out, struct error *error)
{
    json_t *metadata = json_object();
    if (metadata == NULL)
        return error_set_memory(error, 64);
    bool ok = metadata_fill_new(metadata, schema, location, properties, property_count, error) &&
              json_print(metadata, out, error);
    json_decref(metadata);
    return ok;
}

#include "core/iceberg/table.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/codec/codec.h"
#include "core/iceberg/spec.h"

enum { METADATA_LIMIT = 1 << 30 };

/* ---- reading the members ---- */

static bool table_read_schemas(struct iceberg_table *table, const char *name, struct error *error)
{
    const json_t *list = json_object_get(table->metadata, "schemas");
    const json_t *single = json_object_get(table->metadata, "schema"); /* v1 */
    size_t count = json_is_array(list) ? json_array_size(list) : json_is_object(single) ? 1 : 0;
    if (count == 0)
        return error_set(error, ERROR_INPUT, NULL, "%s: \"schemas\" is missing", name);
    table->schemas = arena_zero(&table->arena, count, sizeof *table->schemas, error);
    TRY(table->schemas != NULL);
    for (size_t i = 0; i < count; i++) {
        const json_t *json = json_is_array(list) ? json_array_get(list, i) : single;
        if (!iceberg_schema_from_json(json, &table->schemas[i], error))
            return error_prefix(error, "%s", name);
        table->schema_count = i + 1;
    }
    int32_t current = table->schemas[count - 1].id;
    TRY(json_optional_int(table->metadata, "current-schema-id", name, &current, error));
    table->schema = iceberg_table_schema(table, current);
    if (table->schema == NULL)
        return error_set(error, ERROR_INPUT, NULL, "%s: schema %" PRId32 " is missing", name,
                         current);
    return true;
}

static bool table_read_spec(struct iceberg_table *table, const json_t *fields, int32_t id,
                            size_t index, const char *name, struct error *error)
{
    table->specs[index].id = id;
    if (!iceberg_spec_read(fields, table->schema, table->schemas, table->schema_count,
                           &table->arena, &table->specs[index], error))
        return error_prefix(error, "%s", name);
    table->spec_count = index + 1;
    return true;
}

static bool table_read_specs(struct iceberg_table *table, const char *name, struct error *error)
{
    const json_t *list = json_object_get(table->metadata, "partition-specs");
    const json_t *single = json_object_get(table->metadata, "partition-spec"); /* v1 */
    size_t count = json_is_array(list) ? json_array_size(list) : json_is_array(single) ? 1 : 0;
    if (count == 0)
        return error_set(error, ERROR_INPUT, NULL, "%s: \"partition-specs\" is missing", name);
    table->specs = arena_zero(&table->arena, count, sizeof *table->specs, error);
    TRY(table->specs != NULL);
    for (size_t i = 0; i < count; i++) {
        const json_t *spec = json_array_get(list, i);
        int32_t id = 0;
        if (spec)
            TRY(json_get_int(spec, "spec-id", name, &id, error));
        TRY(table_read_spec(table, spec ? json_object_get(spec, "fields") : single, id, i, name,
                            error));
    }
    int32_t current = table->specs[count - 1].id;
    TRY(json_optional_int(table->metadata, "default-spec-id", name, &current, error));
    table->spec = iceberg_table_spec(table, current);
    if (table->spec == NULL)
        return error_set(error, ERROR_INPUT, NULL, "%s: partition spec %" PRId32 " is missing",
                         name, current);
    return true;
}

static bool table_read_snapshot(const json_t *json, struct iceberg_snapshot *out, const char *name,
                                struct error *error)
{
    *out = (struct iceberg_snapshot){.parent_id = -1, .schema_id = -1, .json = json};
    TRY(json_get_long(json, "snapshot-id", name, &out->id, error));
    TRY(json_optional_long(json, "parent-snapshot-id", name, &out->parent_id, error));
    TRY(json_optional_long(json, "sequence-number", name, &out->sequence_number, error));
    TRY(json_get_long(json, "timestamp-ms", name, &out->timestamp_ms, error));
    TRY(json_optional_int(json, "schema-id", name, &out->schema_id, error));
    return json_optional_text(json, "manifest-list", name, &out->manifest_list, error);
}

static bool table_read_snapshots(struct iceberg_table *table, const char *name, struct error *error)
{
    const json_t *list = json_object_get(table->metadata, "snapshots");
    size_t count = json_array_size(list);
    table->snapshots = arena_zero(&table->arena, count, sizeof *table->snapshots, error);
    TRY(table->snapshots != NULL);
    for (size_t i = 0; i < count; i++) {
        struct iceberg_snapshot *snapshot = &table->snapshots[i];
        TRY(table_read_snapshot(json_array_get(list, i), snapshot, name, error));
        table->snapshot_count = i + 1;
        TRY(map_put(&table->snapshot_index, slice_make(&snapshot->id, sizeof snapshot->id),
                    snapshot, error));
    }
    table->snapshot_id = -1;
    TRY(json_optional_long(table->metadata, "current-snapshot-id", name, &table->snapshot_id,
                           error));
    struct iceberg_snapshot current;
    if (table->snapshot_id != -1 && !iceberg_snapshot_find(table, table->snapshot_id, &current))
        return error_set(error, ERROR_INPUT, "the metadata file is damaged: name an older one",
                         "%s: the current snapshot %" PRId64 " is missing", name,
                         table->snapshot_id);
    return true;
}

static bool table_read(struct iceberg_table *table, const char *name, struct error *error)
{
    const char *location = NULL;
    if (!json_is_object(table->metadata))
        return error_set(error, ERROR_INPUT, NULL, "%s: no table metadata", name);
    table->uuid = "";
    TRY(json_get_int(table->metadata, "format-version", name, &table->format_version, error));
    if (table->format_version < 1 || table->format_version > 3)
        return error_set(error, ERROR_UNSUPPORTED, "read this table with a newer surfboard",
                         "%s: format version %d is not known", name, table->format_version);
    TRY(json_get_text(table->metadata, "location", name, &location, error));
    TRY(json_optional_text(table->metadata, "table-uuid", name, &table->uuid, error));
    TRY(json_optional_long(table->metadata, "last-sequence-number", name,
                           &table->last_sequence_number, error));
    TRY(json_optional_int(table->metadata, "last-column-id", name, &table->last_column_id, error));
    TRY((table->location = memory_copy_text(location, error)) != NULL);
    size_t length = strlen(table->location);
    while (length > 1 && table->location[length - 1] == '/')
        table->location[--length] = '\0';
    TRY(table_read_schemas(table, name, error));
    TRY(table_read_specs(table, name, error));
    return table_read_snapshots(table, name, error);
}

/* ---- opening ---- */

/* Where files may lie that are not below the table: anywhere on this machine, or in its bucket. */
static bool table_open_outside(struct iceberg_table *table, struct error *error)
{
    const char *uri = store_uri(table->store);
    const char *bucket = strstr(uri, "://");
    if (store_is_local(table->store))
        table->outside_store = store_open("/", NULL, error);
    else {
        size_t length = (size_t)(bucket - uri) + 3;
        length += strcspn(uri + length, "/");
        char *root = memory_copy_slice(slice_make(uri, length), error);
        table->outside_store = root ? store_open(root, NULL, error) : NULL;
        free(root);
    }
    return table->outside_store != NULL;
}

/* The table's folder: what stands before "/metadata/<file>"; with a metadata folder of another
 * name, what the metadata itself says. */
static bool table_open_store(struct iceberg_table *table, struct error *error)
{
    static const char folder[] = "/metadata";
    const char *end = strrchr(table->metadata_location, '/');
    size_t length = end ? (size_t)(end - table->metadata_location) : 0;
    char *root = NULL;
    if (end == NULL ||
        (length == sizeof folder - 2 && memcmp(table->metadata_location, folder + 1, length) == 0))
        root = memory_copy_text(end == NULL ? ".." : ".", error);
    else if (slice_ends_with(slice_make(table->metadata_location, length), slice_of(folder)))
        root = memory_copy_slice(slice_make(table->metadata_location, length - (sizeof folder - 1)),
                                 error);
    else
        root = memory_copy_text(table->location, error);
    TRY(root != NULL);
    table->store = store_open(*root ? root : "/", NULL, error);
    free(root);
    TRY(table->store != NULL);
    return table_open_outside(table, error);
}

static bool table_unpack(struct slice *json, struct buffer *unpacked, const char *name,
                         struct error *error)
{
    if (json->length < 2 || memcmp(json->data, "\x1f\x8b", 2) != 0)
        return true;
    if (!codec_decompress_append(NULL, CODEC_GZIP, *json, METADATA_LIMIT, unpacked, error))
        return error_prefix(error, "%s", name);
    *json = buffer_slice(unpacked);
    return true;
}

bool iceberg_table_parse(struct slice json, const char *metadata_location,
                         struct iceberg_table *out, struct error *error)
{
    const char *name = metadata_location ? metadata_location : "table metadata";
    struct buffer unpacked = {0};
    *out = (struct iceberg_table){.snapshot_id = -1, .loaded_ms = clock_now_ms()};
    bool ok = table_unpack(&json, &unpacked, name, error) &&
              (out->metadata = json_parse(json, name, error)) != NULL;
    buffer_destroy(&unpacked);
    ok = ok && table_read(out, name, error);
    if (ok && metadata_location)
        ok = (out->metadata_location = memory_copy_text(metadata_location, error)) != NULL &&
             table_open_store(out, error);
    if (!ok)
        iceberg_table_destroy(out);
    return ok;
}

void iceberg_table_destroy(struct iceberg_table *table)
{
    for (size_t i = 0; i < table->schema_count; i++)
        schema_destroy(&table->schemas[i]);
    store_close(table->store);
    store_close(table->outside_store);
    map_destroy(&table->snapshot_index);
    json_decref(table->metadata);
    free(table->metadata_location);
    free(table->location);
    free(table->namespace_name);
    free(table->name);
    arena_destroy(&table->arena);
    *table = (struct iceberg_table){0};
}

bool iceberg_table_set_durable(struct iceberg_table *table, bool durable, struct error *error)
{
    const struct store_options options = {.durable = durable};
    if (store_is_durable(table->store) == durable)
        return true;
    struct store *store = store_open(store_uri(table->store), &options, error);
    TRY(store != NULL);
    store_close(table->store);
    table->store = store;
    return true;
}

/* ---- paths ---- */

/* "file:/a", "file:///a" and "/a" are one place. */
static const char *path_plain(const char *path)
{
    if (strncmp(path, "file:", 5) != 0)
        return path;
    path += 5;
    while (path[0] == '/' && path[1] == '/')
        path++;
    return path;
}

bool iceberg_table_resolve(const struct iceberg_table *table, const char *path,
                           struct store **store, struct buffer *key, struct error *error)
{
    const char *plain = path_plain(path), *location = path_plain(table->location), *found = NULL;
    size_t length = strlen(location);
    buffer_clear(key);
    if (table->store == NULL)
        return error_set(error, ERROR_INTERNAL, NULL, "%s: the table was opened without files",
                         path);
    if (strncmp(plain, location, length) == 0 && plain[length] == '/') {
        found = plain + length;
        while (*found == '/') /* "location//data": Trino and Spark both wrote such */
            found++;
        *store = table->store;
    } else if (store_key(table->store, path, &found)) {
        *store = table->store;
    } else if (store_key(table->outside_store, path, &found)) {
        *store = table->outside_store;
    } else {
        return error_set(error, ERROR_NOT_FOUND,
                         "copy the file below the table, or open the table where it lives",
                         "%s: not below the table's location %s, and no local file", path,
                         table->location);
    }
    return buffer_append_text(key, found, error) && buffer_text(key, error) != NULL;
}

bool iceberg_table_source(const struct iceberg_table *table, const char *path, struct source *out,
                          struct error *error)
{
    struct store *store = NULL;
    struct buffer key = {0};
    bool ok = iceberg_table_resolve(table, path, &store, &key, error) &&
              store_source_open(store, key.data, out, error);
    buffer_destroy(&key);
    return ok;
}

const char *iceberg_table_uri(const struct iceberg_table *table, const char *key,
                              struct arena *arena, struct error *error)
{
    return arena_format(arena, error, "%s/%s", table->location, key);
}

/* ---- lookups ---- */

const char *iceberg_table_property(const struct iceberg_table *table, const char *key)
{
    return json_string_value(json_object_get(json_object_get(table->metadata, "properties"), key));
}

const struct schema *iceberg_table_schema(const struct iceberg_table *table, int32_t schema_id)
{
    for (size_t i = 0; i < table->schema_count; i++) {
        if (table->schemas[i].id == schema_id)
            return &table->schemas[i];
    }
    return NULL;
}

const struct iceberg_spec *iceberg_table_spec(const struct iceberg_table *table, int32_t spec_id)
{
    for (size_t i = 0; i < table->spec_count; i++) {
        if (table->specs[i].id == spec_id)
            return &table->specs[i];
    }
    return NULL;
}

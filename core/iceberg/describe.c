#include "core/iceberg/describe.h"

#include <inttypes.h>

#include "core/avro/reader.h"
#include "core/base/json.h"
#include "core/iceberg/table.h"

/* ---- Avro ---- */

struct describe {
    struct avro_reader *reader;
    bool manifest, list;
    struct schema schema; /* of the manifest's table; fields NULL when not known */
};

static const char *describe_kind(const struct describe *describe)
{
    return describe->list ? "manifest-list" : describe->manifest ? "manifest" : "avro";
}

static void describe_recognise(struct describe *describe)
{
    const struct avro_type *root = avro_reader_schema(describe->reader)->root;
    if (root->kind != AVRO_RECORD)
        return;
    describe->list = avro_field_by_id(root, 500) != NULL;
    describe->manifest = !describe->list && avro_field_by_id(root, 2) != NULL &&
                         avro_reader_metadata(describe->reader, "schema").length != 0;
    struct slice text = avro_reader_metadata(describe->reader, "schema");
    json_t *json = describe->manifest ? json_parse(text, "schema", NULL) : NULL;
    if (json && !iceberg_schema_from_json(json, &describe->schema, NULL))
        describe->schema = (struct schema){0}; /* bounds stay in hexadecimal */
    json_decref(json);
}

/* Bounds arrive as [{"key": field id, "value": hex}] and leave as {"column": "value"}. */
static json_t *describe_bounds(const struct describe *describe, const json_t *entries,
                               struct error *error)
{
    json_t *out = json_object();
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry)
    {
        int32_t id = (int32_t)json_integer_value(json_object_get(entry, "key"));
        const char *hex = json_string_value(json_object_get(entry, "value"));
        const struct field *field = schema_find_id(&describe->schema, id);
        struct buffer bytes = {0}, text = {0};
        char name[32];
        bool ok = hex != NULL;
        for (; ok && hex[0] && hex[1]; hex += 2) {
            unsigned byte = 0;
            sscanf(hex, "%2x", &byte);
            ok = buffer_append_byte(&bytes, (uint8_t)byte, error);
        }
        const struct type raw = {.kind = TYPE_BINARY};
        ok = ok &&
             iceberg_value_print(field ? &field->type : &raw, buffer_slice(&bytes), &text, error);
        snprintf(name, sizeof name, "#%" PRId32, id);
        if (ok) {
            json_t *value = json_stringn(text.data ? text.data : "", text.length);
            json_object_set_new(out, field ? field->name : name,
                                value ? value : json_string("(not text)"));
        }
        buffer_destroy(&bytes);
        buffer_destroy(&text);
    }
    return out;
}

static void describe_name_bounds(const struct describe *describe, json_t *record,
                                 struct error *error)
{
    static const char *const keys[] = {"lower_bounds", "upper_bounds"};
    json_t *file = json_object_get(record, "data_file");
    for (size_t i = 0; file && i < 2; i++) {
        const json_t *entries = json_object_get(file, keys[i]);
        if (json_is_array(entries))
            json_object_set_new(file, keys[i], describe_bounds(describe, entries, error));
    }
}

static bool describe_records(const struct describe *describe, size_t limit, json_t *out,
                             struct error *error)
{
    const struct avro_type *root = avro_reader_schema(describe->reader)->root;
    json_t *records = json_array();
    TRY(json_put(out, "records", records, error));
    struct avro_cursor *cursor = NULL;
    bool end = false;
    for (size_t i = 0;; i++) {
        json_t *record = NULL;
        TRY(avro_reader_next(describe->reader, &cursor, &end, error));
        if (end)
            return true;
        if (i == limit)
            return json_put(out, "more", json_true(), error);
        TRY(avro_get_json(cursor, root, &record, error));
        if (describe->manifest)
            describe_name_bounds(describe, record, error);
        TRY(json_push(records, record, error));
    }
}

/* The schema of a manifest is JSON in a text: shown as JSON. */
static bool describe_file_metadata(const struct describe *describe, json_t *out,
                                   struct error *error)
{
    static const char *const nested[] = {"schema", "partition-spec"};
    json_t *metadata = avro_reader_metadata_json(describe->reader, error);
    TRY(json_put(out, "metadata", metadata, error));
    json_object_del(metadata, "iceberg.schema");
    for (size_t i = 0; i < 2; i++) {
        const char *text = json_string_value(json_object_get(metadata, nested[i]));
        json_t *json = text ? json_parse(slice_of(text), nested[i], NULL) : NULL;
        if (json)
            TRY(json_put(metadata, nested[i], json, error));
    }
    return true;
}

bool iceberg_describe_avro(const struct source *source, size_t limit, json_t **out,
                           struct error *error)
{
    struct describe describe = {.reader = avro_reader_open(source, error)};
    TRY(describe.reader != NULL);
    describe_recognise(&describe);
    *out = json_object();
    bool ok = *out != NULL || error_set_memory(error, 64);
    ok = ok && json_put(*out, "kind", json_string(describe_kind(&describe)), error) &&
         describe_file_metadata(&describe, *out, error) &&
         describe_records(&describe, limit, *out, error);
    if (!ok) {
        json_decref(*out);
        *out = NULL;
    }
    schema_destroy(&describe.schema);
    avro_reader_close(describe.reader);
    return ok;
}

/* ---- table metadata ---- */

static bool describe_schema(const struct iceberg_table *table, json_t *out, struct error *error)
{
    json_t *columns = json_array();
    TRY(json_put(out, "schema", columns, error));
    for (size_t i = 0; i < table->schema->field_count; i++) {
        const struct field *field = &table->schema->fields[i];
        struct buffer text = {0};
        json_t *column = json_object();
        TRY(json_push(columns, column, error));
        bool ok = type_print(&field->type, &text, error) &&
                  json_put(column, "id", json_integer(field->id), error) &&
                  json_put(column, "name", json_string(field->name), error) &&
                  json_put(column, "type", json_stringn(text.data, text.length), error) &&
                  json_put(column, "required", json_boolean(field->required), error);
        buffer_destroy(&text);
        TRY(ok);
    }
    return true;
}

/* The newest snapshots, without their manifest lists' long names. */
static bool describe_snapshots(const struct iceberg_table *table, json_t *out, struct error *error)
{
    enum { SHOWN = 10 };
    json_t *snapshots = json_array();
    TRY(json_put(out, "snapshots", json_integer((json_int_t)table->snapshot_count), error));
    TRY(json_put(out, "newest_snapshots", snapshots, error));
    size_t first = table->snapshot_count > SHOWN ? table->snapshot_count - SHOWN : 0;
    for (size_t i = table->snapshot_count; i-- > first;)
        TRY(json_push(snapshots, json_incref((json_t *)(uintptr_t)table->snapshots[i].json),
                      error));
    struct iceberg_snapshot current;
    if (!iceberg_snapshot_find(table, table->snapshot_id, &current))
        return json_put(out, "current", json_null(), error);
    return json_put(out, "current", json_incref((json_t *)(uintptr_t)current.json), error);
}

static bool describe_table(const struct iceberg_table *table, json_t *out, struct error *error)
{
    static const char *const copied[] = {
        "last-sequence-number", "last-updated-ms", "last-column-id", "current-schema-id",
        "default-spec-id",      "partition-specs", "sort-orders",    "refs",
        "properties",           "next-row-id",
    };
    TRY(json_put(out, "kind", json_string("table-metadata"), error));
    TRY(json_put(out, "location", json_string(table->location), error));
    TRY(json_put(out, "format_version", json_integer(table->format_version), error));
    TRY(json_put(out, "uuid", json_string(table->uuid), error));
    TRY(describe_schema(table, out, error));
    TRY(describe_snapshots(table, out, error));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
        json_t *value = json_object_get(table->metadata, copied[i]);
        if (value)
            TRY(json_put(out, copied[i], json_incref(value), error));
    }
    size_t versions = json_array_size(json_object_get(table->metadata, "metadata-log"));
    TRY(json_put(out, "earlier_metadata_files", json_integer((json_int_t)versions), error));
    return json_put(out, "schemas", json_integer((json_int_t)table->schema_count), error);
}

bool iceberg_describe_metadata(struct slice json, const char *name, json_t **out,
                               struct error *error)
{
    struct iceberg_table table;
    if (!iceberg_table_parse(json, NULL, &table, error))
        return error_prefix(error, "%s", name);
    *out = json_object();
    bool ok = *out != NULL || error_set_memory(error, 64);
    ok = ok && describe_table(&table, *out, error);
    if (!ok) {
        json_decref(*out);
        *out = NULL;
    }
    iceberg_table_destroy(&table);
    return ok;
}

#include "core/iceberg/schema.h"

#include "core/base/json.h"

enum { SCHEMA_DEPTH = 64, SCHEMA_NAME = 160 };

/* ---- from JSON ---- */

static bool schema_read_type(const json_t *json, struct type *out, struct arena *arena, int depth,
                             struct error *error);

static bool schema_read_field(const json_t *json, struct field *out, struct arena *arena, int depth,
                              struct error *error)
{
    const char *name = NULL, *doc = NULL;
    TRY(json_get_text(json, "name", "schema", &name, error));
    TRY(json_get_int(json, "id", "schema", &out->id, error));
    TRY(json_optional_text(json, "doc", "schema", &doc, error));
    out->required = json_is_true(json_object_get(json, "required"));
    TRY((out->name = arena_copy_text(arena, name, error)) != NULL);
    if (doc)
        TRY((out->doc = arena_copy_text(arena, doc, error)) != NULL);
    if (!schema_read_type(json_object_get(json, "type"), &out->type, arena, depth, error))
        return error_prefix(error, "column %.*s", SCHEMA_NAME, name);
    return true;
}

static bool schema_read_fields(const json_t *json, struct field **fields, size_t *count,
                               struct arena *arena, int depth, struct error *error)
{
    if (!json_is_array(json))
        return error_set(error, ERROR_INPUT, NULL, "schema: \"fields\" is missing");
    size_t total = json_array_size(json);
    *fields = arena_zero(arena, total, sizeof **fields, error);
    TRY(*fields != NULL);
    for (size_t i = 0; i < total; i++)
        TRY(schema_read_field(json_array_get(json, i), &(*fields)[i], arena, depth + 1, error));
    *count = total;
    return true;
}

/* The element of a list, the key or value of a map: keys "<part>", "<part>-id", "<part>-required".
 */
static bool schema_read_part(const json_t *json, const char *part, bool always, struct field *out,
                             struct arena *arena, int depth, struct error *error)
{
    char key[32];
    snprintf(key, sizeof key, "%s-id", part);
    TRY(json_get_int(json, key, "schema", &out->id, error));
    snprintf(key, sizeof key, "%s-required", part);
    out->required = always || json_is_true(json_object_get(json, key));
    out->name = part;
    return schema_read_type(json_object_get(json, part), &out->type, arena, depth + 1, error);
}

static bool schema_read_type(const json_t *json, struct type *out, struct arena *arena, int depth,
                             struct error *error)
{
    *out = (struct type){0};
    if (depth > SCHEMA_DEPTH)
        return error_set(error, ERROR_INPUT, NULL, "schema: nested deeper than %d", SCHEMA_DEPTH);
    if (json_is_string(json))
        return type_parse_primitive(json_string_value(json), out, error);
    const char *kind = NULL;
    TRY(json_get_text(json, "type", "schema", &kind, error));
    if (strcmp(kind, "struct") == 0) {
        out->kind = TYPE_STRUCT;
        return schema_read_fields(json_object_get(json, "fields"), &out->fields, &out->field_count,
                                  arena, depth, error);
    }
    bool list = strcmp(kind, "list") == 0;
    if (!list && strcmp(kind, "map") != 0)
        return error_set(error, ERROR_UNSUPPORTED, "read this table with a newer surfboard",
                         "type %.*s is not known", SCHEMA_NAME, kind);
    out->kind = list ? TYPE_LIST : TYPE_MAP;
    out->fields = arena_zero(arena, 2, sizeof *out->fields, error);
    TRY(out->fields != NULL);
    out->field_count = list ? 1 : 2;
    if (list)
        return schema_read_part(json, "element", false, &out->fields[0], arena, depth, error);
    TRY(schema_read_part(json, "key", true, &out->fields[0], arena, depth, error));
    return schema_read_part(json, "value", false, &out->fields[1], arena, depth, error);
}

static bool schema_read(const json_t *json, struct schema *out, struct error *error)
{
    TRY(json_optional_int(json, "schema-id", "schema", &out->id, error));
    TRY(schema_read_fields(json_object_get(json, "fields"), &out->fields, &out->field_count,
                           &out->arena, 0, error));
    const json_t *ids = json_object_get(json, "identifier-field-ids");
    size_t count = json_array_size(ids);
    out->identifier_ids = arena_zero(&out->arena, count, sizeof(int32_t), error);
    TRY(out->identifier_ids != NULL);
    for (size_t i = 0; i < count; i++)
        out->identifier_ids[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    out->identifier_count = count;
    return true;
}

bool iceberg_schema_from_json(const json_t *json, struct schema *out, struct error *error)
{
    *out = (struct schema){0};
    if (schema_read(json, out, error))
        return true;
    schema_destroy(out);
    return false;
}

/* ---- to JSON ---- */

/* The JSON of the field with this id anywhere in a schema, list or map, NULL when absent. */
static const json_t *schema_previous(const json_t *json, int32_t id, int depth)
{
    size_t i;
    json_t *field;
    if (json == NULL || depth > SCHEMA_DEPTH)
        return NULL;
    json_array_foreach(json_object_get(json, "fields"), i, field)
    {
        if (json_integer_value(json_object_get(field, "id")) == id)
            return field;
        const json_t *below = schema_previous(json_object_get(field, "type"), id, depth + 1);
        if (below)
            return below;
    }
    static const char *const parts[] = {"element", "key", "value"};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        const json_t *below = schema_previous(json_object_get(json, parts[p]), id, depth + 1);
        if (below)
            return below;
    }
    return NULL;
}

static json_t *schema_write_type(const struct type *type, const json_t *previous,
                                 struct error *error);

static bool schema_write_field(json_t *fields, const struct field *field, const json_t *previous,
                               struct error *error)
{
    const json_t *before = schema_previous(previous, field->id, 0);
    json_t *json = before ? json_copy((json_t *)(uintptr_t)before) : json_object();
    TRY(json_push(fields, json, error));
    TRY(json_put(json, "id", json_integer(field->id), error));
    TRY(json_put(json, "name", json_string(field->name), error));
    TRY(json_put(json, "required", json_boolean(field->required), error));
    json_t *type = schema_write_type(&field->type, previous, error);
    TRY(type != NULL);
    TRY(json_put(json, "type", type, error));
    if (field->doc)
        return json_put(json, "doc", json_string(field->doc), error);
    json_object_del(json, "doc");
    return true;
}

static bool schema_write_part(json_t *json, const char *part, bool with_required,
                              const struct field *field, const json_t *previous,
                              struct error *error)
{
    char key[32];
    snprintf(key, sizeof key, "%s-id", part);
    TRY(json_put(json, key, json_integer(field->id), error));
    json_t *type = schema_write_type(&field->type, previous, error);
    TRY(type != NULL);
    TRY(json_put(json, part, type, error));
    snprintf(key, sizeof key, "%s-required", part);
    return !with_required || json_put(json, key, json_boolean(field->required), error);
}

static bool schema_write_nested(json_t *json, const struct type *type, const json_t *previous,
                                struct error *error)
{
    if (type->kind == TYPE_LIST) {
        TRY(json_put(json, "type", json_string("list"), error));
        return schema_write_part(json, "element", true, &type->fields[0], previous, error);
    }
    if (type->kind == TYPE_MAP) {
        TRY(json_put(json, "type", json_string("map"), error));
        TRY(schema_write_part(json, "key", false, &type->fields[0], previous, error));
        return schema_write_part(json, "value", true, &type->fields[1], previous, error);
    }
    TRY(json_put(json, "type", json_string("struct"), error));
    json_t *fields = json_array();
    TRY(json_put(json, "fields", fields, error));
    for (size_t i = 0; i < type->field_count; i++)
        TRY(schema_write_field(fields, &type->fields[i], previous, error));
    return true;
}

static json_t *schema_write_type(const struct type *type, const json_t *previous,
                                 struct error *error)
{
    json_t *json = NULL;
    if (type_is_nested(type)) {
        json = json_object();
        if (json && !schema_write_nested(json, type, previous, error)) {
            json_decref(json);
            return NULL;
        }
    } else {
        struct buffer text = {0};
        bool ok = type_print(type, &text, error);
        json = ok ? json_stringn(text.data, text.length) : NULL;
        buffer_destroy(&text);
        if (!ok)
            return NULL;
    }
    if (json == NULL)
        error_set_memory(error, 64);
    return json;
}

static bool schema_write(json_t *json, const struct schema *schema, const json_t *previous,
                         struct error *error)
{
    TRY(json_put(json, "type", json_string("struct"), error));
    TRY(json_put(json, "schema-id", json_integer(schema->id), error));
    if (schema->identifier_count) {
        json_t *ids = json_array();
        TRY(json_put(json, "identifier-field-ids", ids, error));
        for (size_t i = 0; i < schema->identifier_count; i++)
            TRY(json_push(ids, json_integer(schema->identifier_ids[i]), error));
    }
    json_t *fields = json_array();
    TRY(json_put(json, "fields", fields, error));
    for (size_t i = 0; i < schema->field_count; i++)
        TRY(schema_write_field(fields, &schema->fields[i], previous, error));
    return true;
}

json_t *iceberg_schema_to_json(const struct schema *schema, const json_t *previous,
                               struct error *error)
{
    json_t *json = json_object();
    if (json == NULL)
        error_set_memory(error, 64);
    if (json == NULL || schema_write(json, schema, previous, error))
        return json;
    json_decref(json);
    return NULL;
}

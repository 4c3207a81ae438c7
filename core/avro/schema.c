#include "core/avro/schema.h"

#include "core/base/json.h"
#include "core/base/map.h"

enum { AVRO_SCHEMA_DEPTH = 64 };

struct schema_parser {
    struct arena *arena;
    struct map names; /* named types seen so far, by short and full name */
    int depth;
};

static const char *const kind_names[] = {
    [AVRO_NULL] = "null",   [AVRO_BOOLEAN] = "boolean", [AVRO_INT] = "int",
    [AVRO_LONG] = "long",   [AVRO_FLOAT] = "float",     [AVRO_DOUBLE] = "double",
    [AVRO_BYTES] = "bytes", [AVRO_STRING] = "string",   [AVRO_RECORD] = "record",
    [AVRO_ENUM] = "enum",   [AVRO_ARRAY] = "array",     [AVRO_MAP] = "map",
    [AVRO_UNION] = "",      [AVRO_FIXED] = "fixed",
};

static bool schema_parse(struct schema_parser *parser, const json_t *json,
                         const struct avro_type **out, struct error *error);

static struct avro_type *schema_new(struct schema_parser *parser, enum avro_kind kind,
                                    struct error *error)
{
    struct avro_type *type = arena_zero(parser->arena, 1, sizeof *type, error);
    if (type) {
        type->kind = kind;
        type->element_id = type->key_id = type->value_id = -1;
    }
    return type;
}

/* A type by its name: primitive, or named before. */
static bool schema_parse_name(struct schema_parser *parser, const char *name,
                              const struct avro_type **out, struct error *error)
{
    for (enum avro_kind kind = AVRO_NULL; kind <= AVRO_STRING; kind++) {
        if (strcmp(name, kind_names[kind]) == 0)
            return (*out = schema_new(parser, kind, error)) != NULL;
    }
    *out = map_get_text(&parser->names, name);
    if (*out == NULL)
        return error_set(error, ERROR_INPUT, NULL, "Avro schema: unknown type \"%s\"", name);
    return true;
}

/* Enters a named type before its fields are parsed, so that they may refer to it. */
static bool schema_enter_name(struct schema_parser *parser, const json_t *json,
                              struct avro_type *type, struct error *error)
{
    const char *name = NULL, *space = NULL;
    TRY(json_get_text(json, "name", "Avro schema", &name, error));
    TRY(json_optional_text(json, "namespace", "Avro schema", &space, error));
    TRY((type->name = arena_copy_text(parser->arena, name, error)) != NULL);
    TRY(map_put(&parser->names, slice_of(type->name), type, error));
    if (space) {
        const char *full = arena_format(parser->arena, error, "%s.%s", space, name);
        TRY(full != NULL);
        TRY(map_put(&parser->names, slice_of(full), type, error));
    }
    return true;
}

static bool schema_parse_record(struct schema_parser *parser, const json_t *json,
                                struct avro_type *type, struct error *error)
{
    const json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields))
        return error_set(error, ERROR_INPUT, NULL, "Avro schema: record %s has no fields",
                         type->name);
    size_t count = json_array_size(fields);
    type->fields = arena_zero(parser->arena, count, sizeof *type->fields, error);
    TRY(type->fields != NULL);
    for (size_t i = 0; i < count; i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = NULL;
        type->fields[i].id = -1;
        TRY(json_get_text(field, "name", "Avro schema", &name, error));
        TRY(json_optional_int(field, "field-id", "Avro schema", &type->fields[i].id, error));
        TRY((type->fields[i].name = arena_copy_text(parser->arena, name, error)) != NULL);
        TRY(schema_parse(parser, json_object_get(field, "type"), &type->fields[i].type, error));
        type->field_count =
            i + 1; /* a field may refer to the record: never to a field not yet there */
    }
    return true;
}

static bool schema_parse_union(struct schema_parser *parser, const json_t *json,
                               struct avro_type *type, struct error *error)
{
    size_t count = json_array_size(json);
    if (count == 0)
        return error_set(error, ERROR_INPUT, NULL, "Avro schema: empty union");
    type->branches = arena_zero(parser->arena, count, sizeof *type->branches, error);
    TRY(type->branches != NULL);
    for (size_t i = 0; i < count; i++)
        TRY(schema_parse(parser, json_array_get(json, i), &type->branches[i], error));
    type->branch_count = count;
    return true;
}

static bool schema_parse_item(struct schema_parser *parser, const json_t *json, const char *key,
                              struct avro_type *type, struct error *error)
{
    type->branches = arena_zero(parser->arena, 1, sizeof *type->branches, error);
    TRY(type->branches != NULL);
    TRY(schema_parse(parser, json_object_get(json, key), &type->branches[0], error));
    type->branch_count = 1;
    return true;
}

static bool schema_parse_enum(struct schema_parser *parser, const json_t *json,
                              struct avro_type *type, struct error *error)
{
    const json_t *symbols = json_object_get(json, "symbols");
    size_t count = json_array_size(symbols);
    type->symbols = arena_zero(parser->arena, count, sizeof *type->symbols, error);
    TRY(type->symbols != NULL);
    for (size_t i = 0; i < count; i++) {
        const char *symbol = json_string_value(json_array_get(symbols, i));
        if (symbol == NULL)
            return error_set(error, ERROR_INPUT, NULL, "Avro schema: enum %s: bad symbol",
                             type->name);
        TRY((type->symbols[i] = arena_copy_text(parser->arena, symbol, error)) != NULL);
    }
    type->symbol_count = count;
    return true;
}

static bool schema_parse_attributes(struct schema_parser *parser, const json_t *json,
                                    struct avro_type *type, struct error *error)
{
    const char *logical = NULL;
    TRY(json_optional_text(json, "logicalType", "Avro schema", &logical, error));
    if (logical)
        TRY((type->logical = arena_copy_text(parser->arena, logical, error)) != NULL);
    TRY(json_optional_int(json, "precision", "Avro schema", &type->precision, error));
    TRY(json_optional_int(json, "scale", "Avro schema", &type->scale, error));
    TRY(json_optional_int(json, "element-id", "Avro schema", &type->element_id, error));
    TRY(json_optional_int(json, "key-id", "Avro schema", &type->key_id, error));
    TRY(json_optional_int(json, "value-id", "Avro schema", &type->value_id, error));
    type->adjust_to_utc = json_is_true(json_object_get(json, "adjust-to-utc"));
    return true;
}

static bool schema_parse_object(struct schema_parser *parser, const json_t *json,
                                const struct avro_type **out, struct error *error)
{
    const json_t *inner = json_object_get(json, "type");
    const char *name = json_string_value(inner);
    if (name == NULL) /* {"type": {…}} or {"type": […]} */
        return schema_parse(parser, inner, out, error);
    enum avro_kind kind = AVRO_NULL;
    while (kind <= AVRO_FIXED && strcmp(name, kind_names[kind]) != 0)
        kind++;
    if (kind > AVRO_FIXED)
        return schema_parse_name(parser, name, out, error);
    struct avro_type *type = schema_new(parser, kind, error);
    TRY(type != NULL);
    *out = type;
    TRY(schema_parse_attributes(parser, json, type, error));
    if (kind == AVRO_RECORD || kind == AVRO_ENUM || kind == AVRO_FIXED)
        TRY(schema_enter_name(parser, json, type, error));
    int32_t size = 0;
    switch (kind) {
    case AVRO_RECORD:
        return schema_parse_record(parser, json, type, error);
    case AVRO_ENUM:
        return schema_parse_enum(parser, json, type, error);
    case AVRO_ARRAY:
        return schema_parse_item(parser, json, "items", type, error);
    case AVRO_MAP:
        return schema_parse_item(parser, json, "values", type, error);
    case AVRO_FIXED:
        TRY(json_get_int(json, "size", "Avro schema", &size, error));
        if (size < 0)
            return error_set(error, ERROR_INPUT, NULL, "Avro schema: fixed %s has a negative size",
                             type->name);
        type->size = (size_t)size;
        return true;
    default:
        return true;
    }
}

static bool schema_parse(struct schema_parser *parser, const json_t *json,
                         const struct avro_type **out, struct error *error)
{
    if (++parser->depth > AVRO_SCHEMA_DEPTH)
        return error_set(error, ERROR_INPUT, NULL, "Avro schema: nested deeper than %d",
                         AVRO_SCHEMA_DEPTH);
    if (json_is_string(json)) {
        TRY(schema_parse_name(parser, json_string_value(json), out, error));
    } else if (json_is_array(json)) {
        struct avro_type *type = schema_new(parser, AVRO_UNION, error);
        TRY(type != NULL);
        *out = type;
        TRY(schema_parse_union(parser, json, type, error));
    } else if (json_is_object(json)) {
        TRY(schema_parse_object(parser, json, out, error));
    } else {
        return error_set(error, ERROR_INPUT, NULL, "Avro schema: a type is missing");
    }
    parser->depth--;
    return true;
}

bool avro_schema_parse(struct slice text, struct avro_schema *out, struct error *error)
{
    *out = (struct avro_schema){0};
    json_t *json = json_parse(text, "Avro schema", error);
    TRY(json != NULL);
    struct schema_parser parser = {.arena = &out->arena};
    bool ok = schema_parse(&parser, json, &out->root, error);
    map_destroy(&parser.names);
    json_decref(json);
    if (!ok)
        avro_schema_destroy(out);
    return ok;
}

void avro_schema_destroy(struct avro_schema *schema)
{
    arena_destroy(&schema->arena);
    *schema = (struct avro_schema){0};
}

const struct avro_field *avro_field_by_id(const struct avro_type *type, int32_t id)
{
    for (size_t i = 0; type->kind == AVRO_RECORD && i < type->field_count; i++) {
        if (type->fields[i].id == id)
            return &type->fields[i];
    }
    return NULL;
}

const struct avro_type *avro_optional(const struct avro_type *type, int *null_branch)
{
    if (type->kind != AVRO_UNION || type->branch_count != 2)
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (type->branches[i]->kind == AVRO_NULL) {
            *null_branch = i;
            return type->branches[1 - i];
        }
    }
    return NULL;
}

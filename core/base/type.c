#include "core/base/type.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t width;
} type_facts[TYPE_KINDS] = {
    [TYPE_BOOLEAN] = {"boolean", 1},     [TYPE_INT] = {"int", 4},
    [TYPE_LONG] = {"long", 8},           [TYPE_FLOAT] = {"float", 4},
    [TYPE_DOUBLE] = {"double", 8},       [TYPE_DECIMAL] = {"decimal", 16},
    [TYPE_DATE] = {"date", 4},           [TYPE_TIME] = {"time", 8},
    [TYPE_TIMESTAMP] = {"timestamp", 8}, [TYPE_TIMESTAMPTZ] = {"timestamptz", 8},
    [TYPE_STRING] = {"string", 0},       [TYPE_UUID] = {"uuid", 16},
    [TYPE_FIXED] = {"fixed", 0},         [TYPE_BINARY] = {"binary", 0},
    [TYPE_LIST] = {"list", 0},           [TYPE_MAP] = {"map", 0},
    [TYPE_STRUCT] = {"struct", 0},
};

void schema_destroy(struct schema *schema)
{
    arena_destroy(&schema->arena);
    *schema = (struct schema){0};
}

bool type_copy(struct type *out, const struct type *type, struct arena *arena, struct error *error)
{
    *out = *type;
    if (type->field_count == 0)
        return true;
    out->fields = arena_zero(arena, type->field_count, sizeof *out->fields, error);
    TRY(out->fields != NULL);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct field *from = &type->fields[i];
        struct field *to = &out->fields[i];
        *to = *from;
        to->name = arena_copy_text(arena, from->name ? from->name : "", error);
        TRY(to->name != NULL);
        if (from->doc) {
            to->doc = arena_copy_text(arena, from->doc, error);
            TRY(to->doc != NULL);
        }
        TRY(type_copy(&to->type, &from->type, arena, error));
    }
    return true;
}

bool schema_copy(struct schema *out, const struct schema *schema, struct error *error)
{
    *out = (struct schema){.id = schema->id, .field_count = schema->field_count};
    struct type whole = {
        .kind = TYPE_STRUCT, .fields = schema->fields, .field_count = schema->field_count};
    struct type copy;
    bool ok = type_copy(&copy, &whole, &out->arena, error);
    if (ok) {
        out->fields = copy.fields;
        out->identifier_count = schema->identifier_count;
        out->identifier_ids =
            arena_zero(&out->arena, schema->identifier_count, sizeof(int32_t), error);
        ok = out->identifier_ids != NULL;
    }
    if (!ok) {
        schema_destroy(out);
        return false;
    }
    for (size_t i = 0; i < schema->identifier_count; i++)
        out->identifier_ids[i] = schema->identifier_ids[i];
    return true;
}

const struct field *schema_field(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

const struct field *schema_field_by_id(const struct schema *schema, int32_t id)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].id == id)
            return &schema->fields[i];
    }
    return NULL;
}

static const struct field *fields_find_id(const struct field *fields, size_t count, int32_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].id == id)
            return &fields[i];
        const struct field *found =
            fields_find_id(fields[i].type.fields, fields[i].type.field_count, id);
        if (found)
            return found;
    }
    return NULL;
}

const struct field *schema_find_id(const struct schema *schema, int32_t id)
{
    return fields_find_id(schema->fields, schema->field_count, id);
}

static int32_t fields_highest_id(const struct field *fields, size_t count)
{
    int32_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t below = fields_highest_id(fields[i].type.fields, fields[i].type.field_count);
        if (fields[i].id > highest)
            highest = fields[i].id;
        if (below > highest)
            highest = below;
    }
    return highest;
}

int32_t schema_highest_id(const struct schema *schema)
{
    return fields_highest_id(schema->fields, schema->field_count);
}

bool type_is_nested(const struct type *type)
{
    return type->kind == TYPE_LIST || type->kind == TYPE_MAP || type->kind == TYPE_STRUCT;
}

bool type_equal(const struct type *a, const struct type *b)
{
    if (a->kind != b->kind || a->field_count != b->field_count)
        return false;
    if (a->kind == TYPE_DECIMAL && (a->precision != b->precision || a->scale != b->scale))
        return false;
    if (a->kind == TYPE_FIXED && a->length != b->length)
        return false;
    for (size_t i = 0; i < a->field_count; i++) {
        if (a->kind == TYPE_STRUCT && strcmp(a->fields[i].name, b->fields[i].name) != 0)
            return false;
        if (!type_equal(&a->fields[i].type, &b->fields[i].type))
            return false;
    }
    return true;
}

size_t type_width(const struct type *type)
{
    return type->kind == TYPE_FIXED ? (size_t)type->length : type_facts[type->kind].width;
}

bool type_print(const struct type *type, struct buffer *out, struct error *error)
{
    switch (type->kind) {
    case TYPE_DECIMAL:
        return buffer_append_format(out, error, "decimal(%" PRId32 ", %" PRId32 ")",
                                    type->precision, type->scale);
    case TYPE_FIXED:
        return buffer_append_format(out, error, "fixed[%" PRId32 "]", type->length);
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_STRUCT:
        TRY(buffer_append_format(out, error, "%s<", type_facts[type->kind].name));
        for (size_t i = 0; i < type->field_count; i++) {
            if (i)
                TRY(buffer_append_text(out, ", ", error));
            if (type->kind == TYPE_STRUCT)
                TRY(buffer_append_format(out, error, "%s: ", type->fields[i].name));
            TRY(type_print(&type->fields[i].type, out, error));
        }
        return buffer_append_byte(out, '>', error);
    default:
        return buffer_append_text(out, type_facts[type->kind].name, error);
    }
}

bool type_parse_primitive(const char *text, struct type *out, struct error *error)
{
    *out = (struct type){0};
    for (int kind = 0; kind < TYPE_LIST; kind++) {
        if (kind != TYPE_DECIMAL && kind != TYPE_FIXED &&
            strcmp(text, type_facts[kind].name) == 0) {
            out->kind = (enum type_kind)kind;
            return true;
        }
    }
    int end = 0;
    if (sscanf(text, "decimal( %" SCNd32 " , %" SCNd32 " )%n", &out->precision, &out->scale,
               &end) == 2 &&
        end > 0 && text[end] == '\0') {
        out->kind = TYPE_DECIMAL;
        if (out->precision >= 1 && out->precision <= 38 && out->scale >= 0 &&
            out->scale <= out->precision)
            return true;
        return error_set(error, ERROR_INPUT, NULL, "type %s: precision or scale out of range",
                         text);
    }
    if (sscanf(text, "fixed[ %" SCNd32 " ]%n", &out->length, &end) == 1 && end > 0 &&
        text[end] == '\0' && out->length > 0) {
        out->kind = TYPE_FIXED;
        return true;
    }
    return error_set(error, ERROR_UNSUPPORTED, "read this table with a newer surfboard or Trino",
                     "type %s is not known", text);
}

/* evolution.c: field ids and the rules of schema change (spec, "Schema Evolution"). */
#include "core/iceberg/schema.h"

/* Ids above are reserved for metadata columns. */
enum { ID_LIMIT = 2147483447 };

static bool evolution_number(struct field *fields, size_t count, int32_t *last_id,
                             struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].id > 0)
            continue;
        if (*last_id >= ID_LIMIT)
            return error_set(error, ERROR_UNSUPPORTED, "make a new table",
                             "column %s: field ids are used up", fields[i].name);
        fields[i].id = ++*last_id;
    }
    for (size_t i = 0; i < count; i++)
        TRY(evolution_number(fields[i].type.fields, fields[i].type.field_count, last_id, error));
    return true;
}

bool iceberg_schema_assign_ids(struct schema *schema, int32_t *last_id, struct error *error)
{
    int32_t highest = schema_highest_id(schema);
    if (highest > *last_id)
        *last_id = highest;
    return evolution_number(schema->fields, schema->field_count, last_id, error);
}

bool iceberg_type_promotes(const struct type *from, const struct type *to)
{
    if (from->kind == TYPE_DECIMAL && to->kind == TYPE_DECIMAL)
        return from->scale == to->scale && from->precision <= to->precision;
    if (from->kind == TYPE_INT && to->kind == TYPE_LONG)
        return true;
    if (from->kind == TYPE_FLOAT && to->kind == TYPE_DOUBLE)
        return true;
    return type_equal(from, to);
}

static const struct field *evolution_find(const struct field *fields, size_t count, int32_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].id == id)
            return &fields[i];
    }
    return NULL;
}

static bool evolution_refuse(const struct field *field, const char *what, struct error *error)
{
    return error_set(error, ERROR_UNSUPPORTED,
                     "take the column into a new table, or add it under another name",
                     "column %s: %s", field->name, what);
}

static bool evolution_type_change(const struct field *from, const struct field *to,
                                  struct error *error)
{
    struct buffer text = {0};
    bool ok = type_print(&from->type, &text, error) && buffer_append_text(&text, " to ", error) &&
              type_print(&to->type, &text, error) && buffer_text(&text, error) != NULL;
    if (ok)
        error_set(error, ERROR_UNSUPPORTED,
                  "allowed are int to long, float to double and decimals of more digits; for "
                  "others take the data into a new table",
                  "column %s: the type can't change from %s", to->name, text.data);
    buffer_destroy(&text);
    return false;
}

static bool evolution_check(const struct schema *whole, const struct field *from, size_t from_count,
                            const struct field *to, size_t to_count, int32_t last_id,
                            struct error *error)
{
    for (size_t i = 0; i < to_count; i++) {
        const struct field *after = &to[i];
        for (size_t j = 0; j < i; j++) {
            if (strcmp(to[j].name, after->name) == 0)
                return evolution_refuse(after, "the name is there twice", error);
        }
        const struct field *before = evolution_find(from, from_count, after->id);
        if (before == NULL) {
            if (schema_find_id(whole, after->id))
                return evolution_refuse(after, "its id belongs to a column elsewhere", error);
            if (after->id > 0 && after->id <= last_id)
                return evolution_refuse(after, "its id was used by a column that is gone", error);
            if (after->required)
                return evolution_refuse(after, "an added column must be optional", error);
            continue;
        }
        if (after->required && !before->required)
            return evolution_refuse(after, "an optional column can't become required", error);
        if (type_is_nested(&after->type) && after->type.kind == before->type.kind)
            TRY(evolution_check(whole, before->type.fields, before->type.field_count,
                                after->type.fields, after->type.field_count, last_id, error));
        else if (!iceberg_type_promotes(&before->type, &after->type))
            return evolution_type_change(before, after, error);
    }
    return true;
}

bool iceberg_schema_check_evolution(const struct schema *from, const struct schema *to,
                                    int32_t last_id, struct error *error)
{
    for (size_t i = 0; i < from->identifier_count; i++) {
        if (schema_find_id(to, from->identifier_ids[i]) == NULL) {
            const struct field *key = schema_find_id(from, from->identifier_ids[i]);
            return error_set(error, ERROR_UNSUPPORTED, "take the data into a new table",
                             "column %s is part of the key and can't be dropped",
                             key ? key->name : "?");
        }
    }
    return evolution_check(from, from->fields, from->field_count, to->fields, to->field_count,
                           last_id, error);
}

/* Which schema a batch writes with: the lake's, brought up to the source's columns. */
#include <string.h>

#include "core/merge/target.h"

#define BATCH_COLUMN "ds_surf_batch_id"

static bool misfit(const struct field *field, const struct type *source, struct error *error)
{
    struct buffer lake = {0}, wanted = {0};
    bool ok = type_print(&field->type, &lake, error) && type_print(source, &wanted, error) &&
              buffer_text(&lake, error) && buffer_text(&wanted, error);
    if (ok)
        error_set(error, ERROR_CONFIG,
                  "merge into a new table (a reload), or change the column back at the source",
                  "column \"%s\" is %s in the lake and %s at the source: no change that Iceberg "
                  "allows",
                  field->name, lake.data, wanted.data);
    buffer_destroy(&lake);
    buffer_destroy(&wanted);
    return false;
}

/* Widens `lake` to `source`, inside lists and structs too; ids stay. */
static bool widen(struct type *lake, const struct type *source, const struct field *field,
                  bool *changed, struct error *error)
{
    if (type_equal(lake, source))
        return true;
    if (type_is_nested(lake)) {
        if (lake->kind != source->kind || lake->field_count != source->field_count)
            return misfit(field, source, error);
        for (size_t i = 0; i < lake->field_count; i++)
            TRY(widen(&lake->fields[i].type, &source->fields[i].type, field, changed, error));
        return true;
    }
    if (!iceberg_type_promotes(lake, source))
        return misfit(field, source, error);
    *lake = *source;
    *changed = true;
    return true;
}

static void clear_ids(struct type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        type->fields[i].id = 0;
        clear_ids(&type->fields[i].type);
    }
}

static struct field *find_field(struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

static bool add_field(struct schema *schema, const struct change_column *column,
                      struct error *error)
{
    struct field *field = &schema->fields[schema->field_count];
    *field = (struct field){.id = 0, .required = false};
    field->name = arena_copy_text(&schema->arena, column->name, error);
    TRY(field->name != NULL);
    TRY(type_copy(&field->type, &column->type, &schema->arena, error));
    clear_ids(&field->type);
    schema->field_count++;
    return true;
}

/* A column that was dropped and came again is another column: its old values stay behind. */
static bool take_column(struct target *target, struct schema *schema,
                        const struct change_column *column, bool *changed, struct error *error)
{
    struct table_state *state = &target->conflate.state;
    struct field *field = find_field(schema, column->name);
    if (field && state_name_remove(state->dropped, &state->dropped_count, column->name)) {
        size_t at = (size_t)(field - schema->fields);
        memmove(field, field + 1, (schema->field_count - at - 1) * sizeof *field);
        schema->field_count--;
        field = NULL;
    }
    if (field == NULL) {
        *changed = true;
        return add_field(schema, column, error);
    }
    if (field->required && column->key_ordinal < 0) {
        field->required = false;
        *changed = true;
    }
    return widen(&field->type, &column->type, field, changed, error);
}

/* Columns that the source no longer has stay, null from now on. */
static bool note_dropped(struct target *target, struct schema *schema, bool *changed,
                         struct error *error)
{
    const struct change_table *source = target->in->table;
    struct table_state *state = &target->conflate.state;
    for (size_t i = 0; i < schema->field_count; i++) {
        struct field *field = &schema->fields[i];
        if (strcmp(field->name, BATCH_COLUMN) == 0 ||
            change_table_column(source, slice_of(field->name)) < source->column_count)
            continue;
        TRY(state_name_add(&state->dropped, &state->dropped_count, &state->dropped_capacity,
                           field->name, error));
        *changed |= field->required;
        field->required = false;
    }
    return true;
}

/* Iceberg wants identifier columns required: without that, no identifier. */
static void set_identifier(const struct change_table *source, struct schema *schema, bool *changed)
{
    size_t count = 0;
    bool whole = schema->identifier_count == source->key_count;
    for (size_t i = 0; whole && i < source->key_count; i++) {
        const struct field *field =
            find_field(schema, source->columns[source->key_columns[i]].name);
        bool found = false;
        for (size_t k = 0; field && field->required && k < schema->identifier_count; k++)
            found |= schema->identifier_ids[k] == field->id;
        count += found;
    }
    if (schema->identifier_count && count != schema->identifier_count) {
        schema->identifier_count = 0;
        *changed = true;
    }
}

static bool evolve(struct target *target, struct schema *schema, bool *changed, struct error *error)
{
    const struct change_table *source = target->in->table;
    TRY(schema_copy(schema, target->table.schema, error));
    struct field *fields = arena_zero(&schema->arena, schema->field_count + source->column_count,
                                      sizeof *fields, error);
    TRY(fields != NULL);
    memcpy(fields, schema->fields, schema->field_count * sizeof *fields);
    schema->fields = fields;
    for (size_t i = 0; i < source->column_count; i++)
        TRY(take_column(target, schema, &source->columns[i], changed, error));
    TRY(note_dropped(target, schema, changed, error));
    set_identifier(source, schema, changed);
    const struct field *batch = find_field(schema, BATCH_COLUMN);
    if (batch == NULL || batch->type.kind != TYPE_INT)
        return error_set(error, ERROR_REFUSED, "merge into a new table",
                         "the table has no column " BATCH_COLUMN " int: it is not a live table of "
                         "ours");
    return true;
}

/* One field of the lake as a field of a schema for reading or writing. */
static bool copy_field(struct schema *out, const struct field *field, struct error *error)
{
    struct field *to = &out->fields[out->field_count++];
    *to = *field;
    to->name = arena_copy_text(&out->arena, field->name, error);
    to->doc = NULL;
    return to->name && type_copy(&to->type, &field->type, &out->arena, error);
}

static bool make_projections(struct target *target, struct error *error)
{
    const struct change_table *source = target->in->table;
    struct schema *write = &target->write_schema, *key = &target->key_schema;
    *write = *key = (struct schema){0};
    write->fields =
        arena_zero(&write->arena, source->column_count + 1, sizeof *write->fields, error);
    key->fields = arena_zero(&key->arena, source->key_count, sizeof *key->fields, error);
    TRY(write->fields && key->fields);
    for (size_t i = 0; i < source->column_count; i++)
        TRY(copy_field(write, schema_field(target->lake, source->columns[i].name), error));
    TRY(copy_field(write, schema_field(target->lake, BATCH_COLUMN), error));
    for (size_t i = 0; i < source->key_count; i++)
        TRY(copy_field(
            key, schema_field(target->lake, source->columns[source->key_columns[i]].name), error));
    return true;
}

bool target_layout(struct target *target, struct error *error)
{
    target->commit = iceberg_commit_begin(&target->table, error);
    TRY(target->commit != NULL);
    if (target->table.spec && target->table.spec->field_count)
        return error_set(error, ERROR_UNSUPPORTED, "merge into a table without partitions",
                         "the table is partitioned: merge writes tables without partitions");
    struct schema evolved = {0};
    bool changed = false;
    bool ok = evolve(target, &evolved, &changed, error);
    target->schema_changed = changed;
    target->lake = target->table.schema;
    if (ok && changed) {
        target->lake = iceberg_commit_set_schema(target->commit, &evolved, error);
        ok = target->lake != NULL;
    }
    schema_destroy(&evolved);
    return ok && make_projections(target, error);
}

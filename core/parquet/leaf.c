#include "core/parquet/leaf.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/memory.h"

/* Bytes of a FIXED for decimals, by precision: the least whose signed range holds 10^p - 1. */
static int32_t decimal_width(int32_t precision)
{
    static const uint8_t widths[39] = {1,  1,  1,  2,  2,  3,  3,  4,  4,  4,  5,  5,  6,
                                       6,  6,  7,  7,  8,  8,  9,  9,  9,  10, 10, 11, 11,
                                       11, 12, 12, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16};
    return widths[precision];
}

enum parquet_physical parquet_physical_of(const struct type *type, int32_t *width)
{
    static const struct {
        enum parquet_physical physical;
        int32_t width;
    } table[TYPE_KINDS] = {
        [TYPE_BOOLEAN] = {PARQUET_BOOLEAN, 1},   [TYPE_INT] = {PARQUET_INT32, 4},
        [TYPE_LONG] = {PARQUET_INT64, 8},        [TYPE_FLOAT] = {PARQUET_FLOAT, 4},
        [TYPE_DOUBLE] = {PARQUET_DOUBLE, 8},     [TYPE_DECIMAL] = {PARQUET_FIXED, 0},
        [TYPE_DATE] = {PARQUET_INT32, 4},        [TYPE_TIME] = {PARQUET_INT64, 8},
        [TYPE_TIMESTAMP] = {PARQUET_INT64, 8},   [TYPE_TIMESTAMPTZ] = {PARQUET_INT64, 8},
        [TYPE_STRING] = {PARQUET_BYTE_ARRAY, 0}, [TYPE_UUID] = {PARQUET_FIXED, 16},
        [TYPE_FIXED] = {PARQUET_FIXED, 0},       [TYPE_BINARY] = {PARQUET_BYTE_ARRAY, 0},
    };
    *width = table[type->kind].width;
    if (type->kind == TYPE_FIXED)
        *width = type->length;
    if (type->kind == TYPE_DECIMAL) {
        if (type->precision <= 9) {
            *width = 4;
            return PARQUET_INT32;
        }
        if (type->precision <= 18) {
            *width = 8;
            return PARQUET_INT64;
        }
        *width = decimal_width(type->precision);
    }
    return table[type->kind].physical;
}

struct lister {
    struct parquet_leaf *leaves;
    size_t capacity;
    size_t count;
    struct parquet_leaf path; /* of the field being looked at */
    struct error *error;
};

static bool check_type(const struct field *field, struct error *error)
{
    const struct type *type = &field->type;
    if (type->kind == TYPE_STRUCT && type->field_count == 0)
        return error_set(error, ERROR_UNSUPPORTED, "give the struct a member",
                         "column %s: Parquet has no struct without members", field->name);
    if (type->kind == TYPE_DECIMAL && (type->precision < 1 || type->precision > 38 ||
                                       type->scale < 0 || type->scale > type->precision))
        return error_set(error, ERROR_UNSUPPORTED, "use a precision of 1 to 38",
                         "column %s: decimal(%" PRId32 ", %" PRId32 ")", field->name,
                         type->precision, type->scale);
    if (type->kind == TYPE_FIXED && type->length < 1)
        return error_set(error, ERROR_UNSUPPORTED, "use a length of at least 1",
                         "column %s: fixed[%" PRId32 "]", field->name, type->length);
    return true;
}

static bool list_field(struct lister *lister, const struct field *field, uint16_t child)
{
    struct parquet_leaf *path = &lister->path;
    const struct parquet_leaf before = *path;
    if (path->depth == PARQUET_MAX_DEPTH)
        return error_set(lister->error, ERROR_UNSUPPORTED, "flatten the column",
                         "column %s: nested more than %d deep", path->path[0]->name,
                         PARQUET_MAX_DEPTH);
    TRY(check_type(field, lister->error));
    bool repeated = field->type.kind == TYPE_LIST || field->type.kind == TYPE_MAP;
    path->path[path->depth] = field;
    path->child[path->depth++] = child;
    path->max_definition = (uint8_t)(path->max_definition + !field->required + repeated);
    path->max_repetition = (uint8_t)(path->max_repetition + repeated);
    if (!type_is_nested(&field->type)) {
        TRY(memory_grow(&lister->leaves, &lister->capacity, lister->count + 1,
                        sizeof *lister->leaves, lister->error));
        path->field = field;
        path->physical = parquet_physical_of(&field->type, &path->width);
        lister->leaves[lister->count++] = *path;
    }
    for (size_t i = 0; i < field->type.field_count; i++)
        TRY(list_field(lister, &field->type.fields[i], (uint16_t)i));
    *path = before;
    return true;
}

bool parquet_leaves_list(const struct schema *schema, struct arena *arena,
                         struct parquet_leaf **out, size_t *count, struct error *error)
{
    struct lister lister = {.error = error};
    bool ok = true;
    for (size_t i = 0; ok && i < schema->field_count; i++) {
        lister.path = (struct parquet_leaf){.top = i};
        ok = list_field(&lister, &schema->fields[i], 0);
    }
    if (ok) {
        *count = lister.count;
        *out = arena_zero(arena, lister.count, sizeof **out, error);
        ok = *out != NULL;
        if (ok && lister.count)
            memcpy(*out, lister.leaves, lister.count * sizeof **out);
    }
    free(lister.leaves);
    return ok;
}

/* ---- shredding ---- */

void parquet_shred_destroy(struct parquet_shred *shred)
{
    free(shred->definition);
    free(shred->repetition);
    free(shred->rows);
    *shred = (struct parquet_shred){0};
}

static bool null_in_required(const struct parquet_leaf *leaf, size_t at, struct error *error)
{
    return error_set(error, ERROR_INPUT, "correct the source, or make the column optional",
                     "column %s%s%s: null in a required field", leaf->path[0]->name,
                     at ? ", field " : "", at ? leaf->path[at]->name : "");
}

static bool shred_flat(struct parquet_shred *shred, const struct parquet_leaf *leaf, size_t from,
                       size_t count, struct error *error)
{
    const struct column *column = shred->column;
    shred->levels = count;
    shred->count = count;
    shred->first = from;
    shred->uniform = true;
    shred->scattered = false;
    if (column->null_count == 0)
        return true;
    size_t present = 0;
    const uint8_t *valid = column->valid + from;
    for (size_t i = 0; i < count; i++)
        present += valid[i];
    if (present == count)
        return true;
    if (leaf->field->required)
        return null_in_required(leaf, 0, error);
    TRY(memory_grow(&shred->rows, &shred->rows_capacity, count, sizeof *shred->rows, error));
    TRY(memory_grow(&shred->definition, &shred->definition_capacity, count, 1, error));
    memcpy(shred->definition, valid, count);
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        shred->rows[next] = from + i;
        next += valid[i];
    }
    shred->count = present;
    shred->uniform = false;
    shred->scattered = true;
    return true;
}

static bool put_level(struct parquet_shred *shred, uint8_t definition, uint8_t repetition,
                      struct error *error)
{
    size_t needed = shred->levels + 1;
    TRY(memory_grow(&shred->definition, &shred->definition_capacity, needed, 1, error));
    TRY(memory_grow(&shred->repetition, &shred->repetition_capacity, needed, 1, error));
    shred->definition[shred->levels] = definition;
    shred->repetition[shred->levels++] = repetition;
    return true;
}

struct position {
    size_t at;          /* path index */
    uint8_t definition; /* levels so far */
    uint8_t repetition; /* of the first entry below */
    uint8_t depth;      /* repeated ancestors */
};

static bool shred_value(struct parquet_shred *shred, const struct parquet_leaf *leaf,
                        const struct column *column, size_t row, struct position position,
                        struct error *error)
{
    const struct field *field = leaf->path[position.at];
    if (column_is_null(column, row)) {
        if (field->required)
            return null_in_required(leaf, position.at, error);
        return put_level(shred, position.definition, position.repetition, error);
    }
    position.definition = (uint8_t)(position.definition + !field->required);
    if (position.at + 1 == leaf->depth) {
        TRY(memory_grow(&shred->rows, &shred->rows_capacity, shred->count + 1, sizeof *shred->rows,
                        error));
        shred->rows[shred->count++] = row;
        return put_level(shred, position.definition, position.repetition, error);
    }
    position.at++;
    const struct column *child = &column->children[leaf->child[position.at]];
    if (field->type.kind == TYPE_STRUCT)
        return shred_value(shred, leaf, child, row, position, error);
    uint64_t begin = column->offsets[row];
    uint64_t end = column->offsets[row + 1];
    if (begin == end)
        return put_level(shred, position.definition, position.repetition, error);
    position.definition++;
    position.depth++;
    for (uint64_t i = begin; i < end; i++) {
        TRY(shred_value(shred, leaf, child, (size_t)i, position, error));
        position.repetition = position.depth;
    }
    return true;
}

bool parquet_shred_rows(struct parquet_shred *shred, const struct parquet_leaf *leaf,
                        const struct column *top, size_t from, size_t count, struct error *error)
{
    shred->column = top;
    for (size_t i = 1; i < leaf->depth; i++)
        shred->column = &shred->column->children[leaf->child[i]];
    if (leaf->depth == 1)
        return shred_flat(shred, leaf, from, count, error);
    shred->levels = 0;
    shred->count = 0;
    shred->uniform = false;
    shred->scattered = true;
    for (size_t row = from; row < from + count; row++)
        TRY(shred_value(shred, leaf, top, row, (struct position){0}, error));
    return true;
}

uint64_t parquet_leaf_bytes(const struct parquet_leaf *leaf, const struct column *top, size_t from,
                            size_t to)
{
    const struct column *column = top;
    uint64_t begin = from;
    uint64_t end = to;
    for (size_t i = 1; i < leaf->depth; i++) {
        if (column->offsets) {
            begin = column->offsets[begin];
            end = column->offsets[end];
        }
        column = &column->children[leaf->child[i]];
    }
    if (leaf->physical != PARQUET_BYTE_ARRAY || column->offsets == NULL)
        return (end - begin) * (uint64_t)leaf->width;
    return column->offsets[end] - column->offsets[begin] + 4 * (end - begin);
}

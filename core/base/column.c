#include "core/base/column.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/memory.h"

static bool column_has_offsets(const struct column *column)
{
    enum type_kind kind = column->type->kind;
    return kind == TYPE_STRING || kind == TYPE_BINARY || kind == TYPE_LIST || kind == TYPE_MAP;
}

bool column_init(struct column *column, const struct type *type, struct error *error)
{
    *column = (struct column){.type = type, .child_count = type->field_count};
    if (type->field_count) {
        column->children = memory_zero(type->field_count, sizeof *column->children, error);
        TRY(column->children != NULL);
        for (size_t i = 0; i < type->field_count; i++) {
            if (!column_init(&column->children[i], &type->fields[i].type, error)) {
                column->child_count = i;
                column_destroy(column);
                return false;
            }
        }
    }
    return true;
}

void column_destroy(struct column *column)
{
    for (size_t i = 0; i < column->child_count; i++)
        column_destroy(&column->children[i]);
    free(column->children);
    free(column->valid);
    free(column->values);
    free(column->offsets);
    free(column->bytes);
    *column = (struct column){0};
}

void column_clear(struct column *column)
{
    column->length = 0;
    column->null_count = 0;
    column->bytes_length = 0;
    for (size_t i = 0; i < column->child_count; i++)
        column_clear(&column->children[i]);
}

bool column_reserve(struct column *column, size_t more, struct error *error)
{
    size_t needed = column->length + more;
    if (needed <= column->capacity)
        return true;
    size_t capacity = column->capacity;
    TRY(memory_grow(&column->valid, &capacity, needed, 1, error));
    size_t grown = capacity;
    size_t width = type_width(column->type);
    if (width) {
        void *values = memory_realloc(column->values, grown * width);
        if (values == NULL)
            return error_set_memory(error, grown * width);
        column->values = values;
    }
    if (column_has_offsets(column)) {
        uint64_t *offsets = memory_realloc(column->offsets, (grown + 1) * sizeof *column->offsets);
        if (offsets == NULL)
            return error_set_memory(error, grown * sizeof *offsets);
        offsets[0] = 0;
        column->offsets = offsets;
    }
    column->capacity = grown;
    return true;
}

/* The end of the present children or bytes, where the next row of a ranged type begins. */
static uint64_t column_range_end(const struct column *column)
{
    return type_is_nested(column->type) ? column->children[0].length : column->bytes_length;
}

bool column_append_null(struct column *column, struct error *error)
{
    TRY(column_reserve(column, 1, error));
    size_t row = column->length;
    size_t width = type_width(column->type);
    if (column->type->kind == TYPE_STRUCT) {
        for (size_t i = 0; i < column->child_count; i++)
            TRY(column_append_null(&column->children[i], error));
    }
    if (width)
        memset((char *)column->values + row * width, 0, width);
    if (column->offsets)
        column->offsets[row + 1] = column_range_end(column);
    column->valid[row] = 0;
    column->null_count++;
    column->length++;
    return true;
}

bool column_append_bytes(struct column *column, struct slice value, struct error *error)
{
    TRY(column_reserve(column, 1, error));
    size_t row = column->length;
    size_t width = type_width(column->type);
    if (width) {
        if (value.length != width)
            return error_set(error, ERROR_INTERNAL, NULL, "a value of %zu bytes, not %zu",
                             value.length, width);
        memcpy((char *)column->values + row * width, value.data, width);
    } else {
        TRY(memory_grow(&column->bytes, &column->bytes_capacity,
                        column->bytes_length + value.length, 1, error));
        if (value.length)
            memcpy(column->bytes + column->bytes_length, value.data, value.length);
        column->bytes_length += value.length;
        column->offsets[row + 1] = column->bytes_length;
    }
    column->valid[row] = 1;
    column->length++;
    return true;
}

bool column_append_list_end(struct column *column, struct error *error)
{
    TRY(column_reserve(column, 1, error));
    column->offsets[column->length + 1] = column_range_end(column);
    column->valid[column->length++] = 1;
    return true;
}

bool column_append_struct_end(struct column *column, struct error *error)
{
    TRY(column_reserve(column, 1, error));
    column->valid[column->length++] = 1;
    return true;
}

void column_truncate(struct column *column, size_t length)
{
    for (size_t row = length; row < column->length; row++)
        column->null_count -= !column->valid[row];
    column->length = length;
    uint64_t end = length && column->offsets ? column->offsets[length] : 0;
    if (column->type->kind == TYPE_STRUCT)
        end = length;
    else if (column->child_count == 0)
        column->bytes_length = (size_t)end;
    for (size_t i = 0; i < column->child_count; i++)
        column_truncate(&column->children[i], (size_t)end);
}

struct slice column_fixed(const struct column *column, size_t row)
{
    size_t width = type_width(column->type);
    return slice_make((const char *)column->values + row * width, width);
}

bool column_append_row(struct column *column, const struct column *from, size_t row,
                       struct error *error)
{
    if (column_is_null(from, row))
        return column_append_null(column, error);
    switch (column->type->kind) {
    case TYPE_STRING:
    case TYPE_BINARY:
        return column_append_bytes(column, column_bytes(from, row), error);
    case TYPE_LIST:
    case TYPE_MAP:
        for (uint64_t i = from->offsets[row]; i < from->offsets[row + 1]; i++) {
            for (size_t child = 0; child < column->child_count; child++)
                TRY(column_append_row(&column->children[child], &from->children[child], (size_t)i,
                                      error));
        }
        return column_append_list_end(column, error);
    case TYPE_STRUCT:
        for (size_t child = 0; child < column->child_count; child++)
            TRY(column_append_row(&column->children[child], &from->children[child], row, error));
        return column_append_struct_end(column, error);
    default:
        return column_append_bytes(column, column_fixed(from, row), error);
    }
}

static bool children_equal(const struct column *a, size_t a_row, const struct column *b,
                           size_t b_row)
{
    for (size_t child = 0; child < a->child_count; child++) {
        if (!column_rows_equal(&a->children[child], a_row, &b->children[child], b_row))
            return false;
    }
    return true;
}

bool column_rows_equal(const struct column *a, size_t a_row, const struct column *b, size_t b_row)
{
    bool a_null = column_is_null(a, a_row);
    if (a_null || column_is_null(b, b_row))
        return a_null && column_is_null(b, b_row);
    switch (a->type->kind) {
    case TYPE_FLOAT:
        if (isnan(column_float(a, a_row)) && isnan(column_float(b, b_row)))
            return true;
        break;
    case TYPE_DOUBLE:
        if (isnan(column_double(a, a_row)) && isnan(column_double(b, b_row)))
            return true;
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        return slice_equal(column_bytes(a, a_row), column_bytes(b, b_row));
    case TYPE_LIST:
    case TYPE_MAP: {
        uint64_t length = a->offsets[a_row + 1] - a->offsets[a_row];
        if (length != b->offsets[b_row + 1] - b->offsets[b_row])
            return false;
        for (uint64_t i = 0; i < length; i++) {
            if (!children_equal(a, (size_t)(a->offsets[a_row] + i), b,
                                (size_t)(b->offsets[b_row] + i)))
                return false;
        }
        return true;
    }
    case TYPE_STRUCT:
        return children_equal(a, a_row, b, b_row);
    default:
        break;
    }
    return slice_equal(column_fixed(a, a_row), column_fixed(b, b_row));
}

bool batch_init(struct batch *batch, const struct schema *schema, struct error *error)
{
    *batch = (struct batch){.schema = schema};
    batch->columns = memory_zero(schema->field_count, sizeof *batch->columns, error);
    TRY(batch->columns != NULL);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (!column_init(&batch->columns[i], &schema->fields[i].type, error)) {
            batch_destroy(batch);
            return false;
        }
        batch->column_count = i + 1;
    }
    return true;
}

void batch_destroy(struct batch *batch)
{
    for (size_t i = 0; i < batch->column_count; i++)
        column_destroy(&batch->columns[i]);
    free(batch->columns);
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    batch->length = 0;
    for (size_t i = 0; i < batch->column_count; i++)
        column_clear(&batch->columns[i]);
}

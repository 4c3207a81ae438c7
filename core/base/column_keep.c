/* Dropping rows of a column in place: what filters and deletes leave. */
#include <stdlib.h>

#include "core/base/column.h"
#include "core/base/memory.h"

static void keep_fixed(struct column *column, const uint8_t *keep, size_t width)
{
    char *values = column->values;
    size_t to = 0;
    for (size_t row = 0; row < column->length; row++) {
        if (!keep[row])
            continue;
        if (to != row)
            memcpy(values + to * width, values + row * width, width);
        to++;
    }
}

/* Closes up the ranges of the kept rows; `bytes` moves with them when there is one. */
static void keep_ranges(struct column *column, const uint8_t *keep, char *bytes)
{
    uint64_t end = 0;
    size_t to = 0;
    for (size_t row = 0; row < column->length; row++) {
        uint64_t first = column->offsets[row], length = column->offsets[row + 1] - first;
        if (!keep[row])
            continue;
        if (bytes && end != first)
            memmove(bytes + end, bytes + first, length);
        column->offsets[to++] = end;
        end += length;
    }
    column->offsets[to] = end;
}

static bool keep_children(struct column *column, const uint8_t *keep, struct error *error)
{
    size_t count = column->child_count ? column->children[0].length : 0;
    uint8_t *inside = memory_zero(count, 1, error);
    bool ok = inside != NULL;
    for (size_t row = 0; ok && row < column->length; row++) {
        if (keep[row])
            memset(inside + column->offsets[row], 1,
                   column->offsets[row + 1] - column->offsets[row]);
    }
    for (size_t i = 0; ok && i < column->child_count; i++)
        ok = column_keep(&column->children[i], inside, error);
    free(inside);
    return ok;
}

bool column_keep(struct column *column, const uint8_t *keep, struct error *error)
{
    enum type_kind kind = column->type->kind;
    size_t width = type_width(column->type);
    if (column->length == 0)
        return true;
    if (kind == TYPE_STRUCT) {
        for (size_t i = 0; i < column->child_count; i++)
            TRY(column_keep(&column->children[i], keep, error));
    } else if (kind == TYPE_LIST || kind == TYPE_MAP) {
        TRY(keep_children(column, keep, error));
        keep_ranges(column, keep, NULL);
    } else if (width) {
        keep_fixed(column, keep, width);
    } else {
        keep_ranges(column, keep, column->bytes);
    }
    size_t to = 0, nulls = 0;
    for (size_t row = 0; row < column->length; row++) {
        if (!keep[row])
            continue;
        nulls += column->valid[row] == 0;
        column->valid[to++] = column->valid[row];
    }
    column->length = to;
    column->null_count = nulls;
    if (kind == TYPE_STRING || kind == TYPE_BINARY)
        column->bytes_length = column->offsets[to];
    return true;
}

bool batch_keep(struct batch *batch, const uint8_t *keep, struct error *error)
{
    size_t kept = 0;
    for (size_t row = 0; row < batch->length; row++)
        kept += keep[row] != 0;
    if (kept == batch->length)
        return true;
    for (size_t i = 0; i < batch->column_count; i++)
        TRY(column_keep(&batch->columns[i], keep, error));
    batch->length = kept;
    return true;
}

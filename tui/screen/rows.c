#include "tui/screen/rows.h"

#include <stdlib.h>

#include "core/base/memory.h"

struct rows *rows_share(struct rows *rows)
{
    rows->shares++;
    return rows;
}

void rows_release(struct rows *rows)
{
    if (rows == NULL || --rows->shares > 0)
        return;
    for (size_t i = 0; i < rows->block_count; i++)
        free(rows->blocks[i]);
    free(rows->blocks);
    arena_destroy(&rows->arena);
    free(rows);
}

bool rows_add(struct rows *rows, struct rows_block *block)
{
    if (!memory_grow(&rows->blocks, &rows->block_capacity, rows->block_count + 1,
                     sizeof(struct rows_block *), NULL)) {
        free(block);
        return false;
    }
    block->first = rows->count;
    rows->blocks[rows->block_count++] = block;
    rows->count += block->count;
    rows->bytes += block->bytes;
    rows->cut_cells += block->cut_cells;
    for (size_t i = 0; i < rows->column_count; i++)
        if (block->widths[i] > rows->widths[i])
            rows->widths[i] = block->widths[i];
    return true;
}

static const struct rows_block *block_of(const struct rows *rows, size_t row)
{
    size_t low = 0, high = rows->block_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (rows->blocks[middle]->first <= row)
            low = middle;
        else
            high = middle;
    }
    return rows->blocks[low];
}

struct slice rows_cell(const struct rows *rows, size_t row, size_t column, bool *null)
{
    *null = true;
    if (row >= rows->count || column >= rows->column_count)
        return (struct slice){"", 0};
    const struct rows_block *block = block_of(rows, row);
    size_t cell = (row - block->first) * rows->column_count + column;
    uint32_t start = cell ? block->ends[cell - 1] : 0;
    *null = block->nulls[cell / 8] >> cell % 8 & 1;
    return (struct slice){block->text + start, block->ends[cell] - start};
}

int rows_width(const struct rows *rows, size_t column)
{
    return rows->widths[column];
}

#include "tui/screen/rows_maker.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/query/value.h"
#include "tui/screen/canvas.h"

/* ---- empty rows of a schema ---- */

static bool type_is_number(const struct field *field, bool doc_is_type)
{
    switch (field->type.kind) {
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL:
        return true;
    default:
        /* Postgres' numeric comes as the text that it prints. */
        return doc_is_type && field->doc && strcmp(field->doc, "numeric") == 0;
    }
}

static bool column_fill(struct rows *rows, struct rows_column *column, const struct field *field,
                        bool doc_is_type, struct error *error)
{
    struct buffer type = {0};
    column->name = arena_copy_text(&rows->arena, field->name, error);
    column->number = type_is_number(field, doc_is_type);
    bool ok =
        column->name && (doc_is_type && field->doc ? buffer_append_text(&type, field->doc, error)
                                                   : type_print(&field->type, &type, error));
    column->type = ok ? arena_copy_slice(&rows->arena, buffer_slice(&type), error) : NULL;
    buffer_destroy(&type);
    return column->type != NULL;
}

struct rows *rows_create(const struct schema *schema, bool doc_is_type, struct error *error)
{
    struct rows *rows = memory_zero(1, sizeof *rows, error);
    if (rows == NULL)
        return NULL;
    rows->shares = 1;
    rows->column_count = schema->field_count;
    rows->columns = arena_zero(&rows->arena, schema->field_count, sizeof *rows->columns, error);
    rows->widths = arena_zero(&rows->arena, schema->field_count, 1, error);
    bool ok = rows->columns && rows->widths;
    for (size_t i = 0; ok && i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        ok = column_fill(rows, &rows->columns[i], field, doc_is_type, error);
        if (ok)
            rows->widths[i] = (uint8_t)text_width(slice_of(rows->columns[i].name), ROWS_WIDTH_MOST);
    }
    if (ok)
        return rows;
    rows_release(rows);
    return NULL;
}

/* ---- making blocks ---- */

bool rows_maker_init(struct rows_maker *maker, size_t columns, struct error *error)
{
    *maker = (struct rows_maker){.columns = columns};
    maker->null_bytes = (columns * ROWS_BLOCK_MOST + 7) / 8;
    maker->nulls = memory_zero(maker->null_bytes, 1, error);
    maker->widths = memory_zero(columns, 1, error);
    if (maker->nulls && maker->widths)
        return true;
    rows_maker_destroy(maker);
    return false;
}

void rows_maker_destroy(struct rows_maker *maker)
{
    buffer_destroy(&maker->text);
    buffer_destroy(&maker->cell);
    free(maker->ends);
    free(maker->nulls);
    free(maker->widths);
    *maker = (struct rows_maker){0};
}

/* Most cells are short ASCII, whose width is their length. */
static int cell_width(struct slice text)
{
    bool plain = true;
    if (text.length > ROWS_WIDTH_MOST)
        text.length = ROWS_WIDTH_MOST * 4 < text.length ? ROWS_WIDTH_MOST * 4 : text.length;
    for (size_t i = 0; i < text.length; i++)
        plain &= (unsigned char)text.data[i] - 0x20u < 0x5Fu;
    if (plain)
        return text.length < ROWS_WIDTH_MOST ? (int)text.length : ROWS_WIDTH_MOST;
    return text_width(text, ROWS_WIDTH_MOST);
}

/* Whole characters only. */
static size_t cut_length(struct slice text, size_t most)
{
    size_t length = most;
    while (length && most - length < 4 && ((unsigned char)text.data[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static bool put_cell(struct rows_maker *maker, struct slice text, size_t room, size_t column,
                     struct error *error)
{
    size_t most = room < ROWS_CELL_MOST ? room : ROWS_CELL_MOST;
    if (text.length > most) {
        text.length = cut_length(text, most);
        maker->cut_cells++;
    }
    int width = cell_width(text);
    if (width > maker->widths[column])
        maker->widths[column] = (uint8_t)width;
    return buffer_append_slice(&maker->text, text, error);
}

bool rows_maker_add(struct rows_maker *maker, const struct batch *batch, size_t row,
                    struct error *error)
{
    size_t start = maker->text.length;
    TRY(memory_grow(&maker->ends, &maker->end_capacity, maker->end_count + maker->columns,
                    sizeof *maker->ends, error));
    for (size_t i = 0; i < maker->columns; i++) {
        const struct column *column = &batch->columns[i];
        size_t room = ROWS_ROW_MOST - (maker->text.length - start);
        if (column_is_null(column, row)) {
            maker->nulls[maker->end_count / 8] |= (uint8_t)(1u << maker->end_count % 8);
            if (maker->widths[i] < 4)
                maker->widths[i] = 4; /* "NULL" */
        } else if (column->type->kind == TYPE_STRING) {
            TRY(put_cell(maker, column_bytes(column, row), room, i, error));
        } else {
            buffer_clear(&maker->cell);
            TRY(value_append_text(column, row, &maker->cell, error) &&
                put_cell(maker, buffer_slice(&maker->cell), room, i, error));
        }
        maker->ends[maker->end_count++] = (uint32_t)maker->text.length;
    }
    maker->count++;
    return true;
}

bool rows_maker_full(const struct rows_maker *maker)
{
    return maker->count == ROWS_BLOCK_MOST || maker->text.length >= ROWS_BLOCK_BYTES;
}

struct rows_block *rows_maker_take(struct rows_maker *maker, struct error *error)
{
    size_t nulls = (maker->end_count + 7) / 8;
    size_t bytes = sizeof(struct rows_block) + maker->end_count * sizeof(uint32_t) + nulls +
                   maker->columns + maker->text.length;
    struct rows_block *block = memory_zero(1, bytes, error);
    if (block == NULL)
        return NULL;
    block->count = maker->count;
    block->bytes = bytes;
    block->cut_cells = maker->cut_cells;
    block->ends = (uint32_t *)(block + 1);
    block->nulls = (uint8_t *)(block->ends + maker->end_count);
    block->widths = block->nulls + nulls;
    block->text = (char *)(block->widths + maker->columns);
    if (maker->end_count)
        memcpy(block->ends, maker->ends, maker->end_count * sizeof(uint32_t));
    memcpy(block->nulls, maker->nulls, nulls);
    memcpy(block->widths, maker->widths, maker->columns);
    if (maker->text.length)
        memcpy(block->text, maker->text.data, maker->text.length);
    memset(maker->nulls, 0, maker->null_bytes);
    memset(maker->widths, 0, maker->columns);
    buffer_clear(&maker->text);
    maker->end_count = maker->count = maker->cut_cells = 0;
    return block;
}

#include "tui/screen/canvas.h"

#include <stdlib.h>

#include "core/base/memory.h"

enum { CANVAS_SIDE_MOST = 4096 }; /* cells a side; beyond it a terminal jokes */

static const struct cell blank = {.text = " ", .length = 1, .width = 1, .style = STYLE_TEXT};

bool canvas_init(struct canvas *canvas, int rows, int columns, struct error *error)
{
    *canvas = (struct canvas){
        .rows = rows < 1                  ? 1
                : rows > CANVAS_SIDE_MOST ? CANVAS_SIDE_MOST
                                          : rows,
        .columns = columns < 1                  ? 1
                   : columns > CANVAS_SIDE_MOST ? CANVAS_SIDE_MOST
                                                : columns,
    };
    canvas->cells =
        memory_zero((size_t)canvas->rows * (size_t)canvas->columns, sizeof *canvas->cells, error);
    if (canvas->cells == NULL)
        return false;
    canvas_clear(canvas);
    return true;
}

void canvas_destroy(struct canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct canvas){0};
}

void canvas_clear(struct canvas *canvas)
{
    size_t count = (size_t)canvas->rows * (size_t)canvas->columns;
    for (size_t i = 0; i < count; i++)
        canvas->cells[i] = blank;
    canvas->clip = (struct rect){0, 0, canvas->rows, canvas->columns};
    canvas->cursor_row = canvas->cursor_column = -1;
}

/* Sums in 64 bits: a view may give any numbers. */
static void span_cut(int *start, int *count, int least, int most)
{
    int64_t end = (int64_t)*start + (*count > 0 ? *count : 0);
    if (*start < least)
        *start = least;
    if (*start > most)
        *start = most;
    if (end > most)
        end = most;
    *count = end > *start ? (int)(end - *start) : 0;
}

static struct rect rect_cut(struct rect rect, struct rect clip)
{
    span_cut(&rect.row, &rect.rows, clip.row, clip.row + clip.rows);
    span_cut(&rect.column, &rect.columns, clip.column, clip.column + clip.columns);
    return rect;
}

struct rect canvas_clip(struct canvas *canvas, struct rect rect)
{
    struct rect before = canvas->clip;
    canvas->clip = rect_cut(rect, before);
    return before;
}

static struct cell *cell_at(struct canvas *canvas, int row, int column)
{
    return canvas->cells + (size_t)row * (size_t)canvas->columns + column;
}

static void cell_blank(struct cell *cell, uint8_t style)
{
    *cell = blank;
    cell->style = style;
}

/* Before `width` cells from (row, column) are drawn over: the halves left and right of them that
 * lose their other half. */
static void cells_release(struct canvas *canvas, int row, int column, int width)
{
    struct cell *first = cell_at(canvas, row, column), *last = first + width - 1;
    if (first->length == 0 && column > 0)
        cell_blank(first - 1, first[-1].style);
    if (last->width == 2 && column + width < canvas->columns)
        cell_blank(last + 1, last->style);
}

void canvas_put(struct canvas *canvas, int row, int column, const struct cell *cell)
{
    const struct rect *clip = &canvas->clip;
    if (row < clip->row || row >= clip->row + clip->rows || column + cell->width <= clip->column ||
        column >= clip->column + clip->columns)
        return;
    bool left = column >= clip->column;
    bool right = column + cell->width <= clip->column + clip->columns;
    if (!left || !right) {
        int half = left ? column : column + 1;
        cells_release(canvas, row, half, 1);
        cell_blank(cell_at(canvas, row, half), cell->style);
        return;
    }
    cells_release(canvas, row, column, cell->width);
    struct cell *at = cell_at(canvas, row, column);
    at[0] = *cell;
    if (cell->width == 2)
        at[1] = (struct cell){.style = cell->style};
}

/* Draws the same narrow cell all over. */
static void rect_fill(struct canvas *canvas, struct rect rect, const struct cell *cell)
{
    rect = rect_cut(rect, canvas->clip);
    for (int row = rect.row; rect.columns > 0 && row < rect.row + rect.rows; row++) {
        cells_release(canvas, row, rect.column, 1);
        cells_release(canvas, row, rect.column + rect.columns - 1, 1);
        struct cell *at = cell_at(canvas, row, rect.column);
        for (int i = 0; i < rect.columns; i++)
            at[i] = *cell;
    }
}

void canvas_fill(struct canvas *canvas, struct rect rect, enum style style, char byte)
{
    struct cell cell = blank;
    cell.text[0] = (char)(byte > ' ' && byte < 0x7F ? byte : ' ');
    cell.style = (uint8_t)style;
    rect_fill(canvas, rect, &cell);
}

void canvas_put_ascii(struct canvas *canvas, int row, int column, enum style style,
                      struct slice text)
{
    int first = column, count = (int)text.length;
    const struct rect *clip = &canvas->clip;
    span_cut(&first, &count, clip->column, clip->column + clip->columns);
    if (row < clip->row || row >= clip->row + clip->rows || count == 0)
        return;
    cells_release(canvas, row, first, 1);
    cells_release(canvas, row, first + count - 1, 1);
    struct cell cell = blank, *at = cell_at(canvas, row, first);
    cell.style = (uint8_t)style;
    const char *from = text.data + (first - column);
    for (int i = 0; i < count; i++) {
        cell.text[0] = from[i];
        at[i] = cell;
    }
}

void canvas_restyle(struct canvas *canvas, struct rect rect, enum style style)
{
    rect = rect_cut(rect, canvas->clip);
    for (int row = rect.row; rect.columns > 0 && row < rect.row + rect.rows; row++) {
        struct cell *at = cell_at(canvas, row, rect.column);
        /* Both halves of a wide character look the same: it goes with its left one. */
        for (int i = 0; i < rect.columns; i++)
            if (i > 0 || at[0].length)
                at[i].style = (uint8_t)style;
        if (at[rect.columns - 1].width == 2)
            at[rect.columns].style = (uint8_t)style;
    }
}

static struct cell border_cell(const struct canvas *canvas, const char *text)
{
    struct cell cell;
    text_next(slice_of(text), 0, canvas->ascii, &cell);
    cell.style = STYLE_BORDER;
    return cell;
}

void canvas_rule(struct canvas *canvas, int row, int column, int columns)
{
    struct cell line = border_cell(canvas, "─");
    rect_fill(canvas, (struct rect){row, column, 1, columns}, &line);
}

static void box_frame(struct canvas *canvas, struct rect rect)
{
    int right = rect.column + rect.columns - 1, bottom = rect.row + rect.rows - 1;
    canvas_rule(canvas, rect.row, rect.column + 1, rect.columns - 2);
    canvas_rule(canvas, bottom, rect.column + 1, rect.columns - 2);
    struct cell line = border_cell(canvas, canvas_glyph(canvas, GLYPH_VERTICAL));
    rect_fill(canvas, (struct rect){rect.row + 1, rect.column, rect.rows - 2, 1}, &line);
    rect_fill(canvas, (struct rect){rect.row + 1, right, rect.rows - 2, 1}, &line);
    canvas_print(canvas, rect.row, rect.column, 1, STYLE_BORDER, "┌");
    canvas_print(canvas, rect.row, right, 1, STYLE_BORDER, "┐");
    canvas_print(canvas, bottom, rect.column, 1, STYLE_BORDER, "└");
    canvas_print(canvas, bottom, right, 1, STYLE_BORDER, "┘");
}

/* "┌ title ─" and "─ note ─┘": a blank on both sides of the text, in the text's style when it is
 * reversed, so that the bar is even. */
static void box_title(struct canvas *canvas, struct rect rect, const char *title, bool focused)
{
    int room = rect.columns - 5;
    if (title == NULL || *title == '\0' || room < 1)
        return;
    enum style style = focused ? STYLE_TITLE_ON : STYLE_TITLE;
    int at = rect.column + 1;
    canvas_print(canvas, rect.row, at, 1, style, " ");
    int took = canvas_print(canvas, rect.row, at + 1, room, style, title);
    canvas_print(canvas, rect.row, at + 1 + took, 1, style, " ");
}

static void box_note(struct canvas *canvas, struct rect rect, const char *note)
{
    int room = rect.columns - 5;
    if (note == NULL || *note == '\0' || room < 1)
        return;
    int width = text_width(slice_of(note), room);
    int row = rect.row + rect.rows - 1, at = rect.column + rect.columns - 3 - width;
    canvas_print(canvas, row, at - 1, 1, STYLE_BORDER, " ");
    canvas_print(canvas, row, at, room, STYLE_DIM, note);
    canvas_print(canvas, row, at + width, 1, STYLE_BORDER, " ");
}

struct rect canvas_box(struct canvas *canvas, struct rect rect, const char *title, const char *note,
                       bool focused)
{
    if (rect.rows < 2 || rect.columns < 2)
        return (struct rect){rect.row, rect.column, 0, 0};
    box_frame(canvas, rect);
    box_title(canvas, rect, title, focused);
    box_note(canvas, rect, note);
    return (struct rect){rect.row + 1, rect.column + 1, rect.rows - 2, rect.columns - 2};
}

void canvas_cursor(struct canvas *canvas, int row, int column)
{
    bool inside = row >= 0 && row < canvas->rows && column >= 0 && column < canvas->columns;
    canvas->cursor_row = inside ? row : -1;
    canvas->cursor_column = inside ? column : -1;
}

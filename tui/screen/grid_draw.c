/* Drawing a grid: which columns fit, heads, rule, rows. */
#include <stdio.h>

#include "tui/screen/grid.h"

/* ---- where columns stand ---- */

static int column_width(const struct grid *grid, size_t column, int room)
{
    int width = grid->columns[column].width;
    if (grid->columns[column].wide)
        width = rows_width(grid->rows, column) > width ? rows_width(grid->rows, column) : width;
    if (grid->order.sorted && grid->order.column == column) { /* room for the arrow */
        int name = text_width(slice_of(grid->rows->columns[column].name), GRID_WIDTH_MOST) + 2;
        width = name > width ? name : width;
    }
    return width > room ? room : width;
}

/* "│▸  2 ║ ": marker, number, rule. */
static int number_width(const struct grid *grid)
{
    int width = 3;
    size_t count = grid->rows->count;
    for (size_t most = 999; count > most && width < 9; most = most * 10 + 9)
        width++;
    return width;
}

/* Columns from `from` to `to` that fit behind `at`; the last one may be cut, but not to less than
 * half. Returns where the next would stand. */
static int place_columns(struct grid *grid, size_t from, size_t to, int at, int room)
{
    for (size_t i = from; i < to && at < room && grid->slot_count < GRID_SLOTS_MOST; i++) {
        if (grid->columns[i].hidden)
            continue;
        int width = column_width(grid, i, room - grid->number_width - 6);
        if (at + width > room) {
            if (room - at < 4 || room - at < width / 2)
                return room;
            width = room - at;
        }
        grid->slots[grid->slot_count++] = (struct grid_slot){i, at, width};
        at += width + 3;
    }
    return at;
}

/* Whether the column under the cursor is there, and whole. */
static bool cursor_is_placed(const struct grid *grid, int room)
{
    for (size_t i = 0; i < grid->slot_count; i++)
        if (grid->slots[i].column == grid->column)
            return grid->slots[i].width >=
                   column_width(grid, grid->column, room - grid->number_width - 6);
    return false;
}

/* What is left at the right goes to the last one, if it has more to show. */
static void widen_last(struct grid *grid, int room)
{
    if (grid->slot_count == 0)
        return;
    struct grid_slot *last = &grid->slots[grid->slot_count - 1];
    int wanted = rows_width(grid->rows, last->column);
    if (wanted > last->width)
        last->width = wanted < room - last->at ? wanted : room - last->at;
}

static void place_all(struct grid *grid, int room)
{
    size_t count = grid->rows->column_count;
    grid->slot_count = 0;
    int at = place_columns(grid, 0, grid->frozen, grid->number_width + 4, room);
    place_columns(grid, grid->left > grid->frozen ? grid->left : grid->frozen, count, at, room);
    widen_last(grid, room);
}

/* Scrolls sideways until the column under the cursor is in sight. What is frozen gives way when
 * it leaves no room. */
static void grid_place_columns(struct grid *grid, int room)
{
    size_t count = grid->rows->column_count;
    grid->number_width = number_width(grid);
    if (grid->frozen > count)
        grid->frozen = count;
    if (grid->column >= grid->frozen && grid->column < grid->left)
        grid->left = grid->column;
    place_all(grid, room);
    while (!cursor_is_placed(grid, room) && grid->column >= grid->frozen &&
           grid->left < grid->column) {
        grid->left++;
        place_all(grid, room);
    }
    if (!cursor_is_placed(grid, room)) {
        size_t frozen = grid->frozen, left = grid->left;
        grid->frozen = 0;
        grid->left = grid->column;
        place_all(grid, room);
        grid->frozen = frozen;
        grid->left = left;
    }
}

/* ---- drawing ---- */

static bool is_frozen_end(const struct grid *grid, size_t slot)
{
    return grid->frozen && slot + 1 < grid->slot_count && grid->slots[slot].column < grid->frozen &&
           grid->slots[slot + 1].column >= grid->frozen;
}

static void draw_bars(const struct grid *grid, struct canvas *canvas, struct rect line, bool rule)
{
    canvas_print(canvas, line.row, line.column + grid->number_width + 2, 1, STYLE_BORDER,
                 rule ? "╫" : "║");
    for (size_t i = 0; i + 1 < grid->slot_count; i++) {
        int at = line.column + grid->slots[i].at + grid->slots[i].width + 1;
        const char *bar = rule ? "┼" : canvas_glyph(canvas, GLYPH_VERTICAL);
        if (is_frozen_end(grid, i))
            bar = rule ? "╫" : "║";
        canvas_print(canvas, line.row, at, 1, STYLE_BORDER, bar);
    }
}

/* Marks where columns go on out of sight. */
static void draw_more(const struct grid *grid, struct canvas *canvas, struct rect line)
{
    size_t count = grid->rows->column_count, first = grid->frozen;
    while (count && grid->columns[count - 1].hidden)
        count--;
    while (first < count && grid->columns[first].hidden)
        first++;
    const struct grid_slot *last = grid->slot_count ? &grid->slots[grid->slot_count - 1] : NULL;
    if (last && last->column + 1 < count)
        canvas_print(canvas, line.row, line.column + line.columns - 1, 1, STYLE_DIM, "›");
    for (size_t i = 0; i < grid->slot_count; i++)
        if (grid->slots[i].column >= grid->frozen) {
            if (grid->slots[i].column > first)
                canvas_print(canvas, line.row, line.column + grid->slots[i].at - 1, 1, STYLE_DIM,
                             "‹");
            break;
        }
}

static void draw_head(const struct grid *grid, struct canvas *canvas, struct rect line,
                      bool focused)
{
    canvas_print_right(canvas, line.row, line.column + 1, grid->number_width, STYLE_LABEL, "#");
    draw_bars(grid, canvas, line, false);
    for (size_t i = 0; i < grid->slot_count; i++) {
        const struct grid_slot *slot = &grid->slots[i];
        const struct rows_column *column = &grid->rows->columns[slot->column];
        enum style style = focused && slot->column == grid->column ? STYLE_TITLE_ON : STYLE_LABEL;
        bool sorted = grid->order.sorted && grid->order.column == slot->column;
        int at = line.column + slot->at, room = slot->width - (sorted ? 2 : 0);
        if (column->number && !sorted)
            canvas_print_right(canvas, line.row, at, room, style, column->name);
        else
            canvas_print(canvas, line.row, at, room, style, column->name);
        if (sorted)
            canvas_print(canvas, line.row, at + slot->width - 1, 1, STYLE_LABEL,
                         grid->order.descending ? "↓" : "↑");
    }
    draw_more(grid, canvas, line);
}

static void draw_cell(const struct grid *grid, struct canvas *canvas, int row, int at, int width,
                      size_t index, size_t column)
{
    bool null;
    struct slice text = rows_cell(grid->rows, index, column, &null);
    bool right = grid->rows->columns[column].number;
    if (null)
        text = SLICE_LITERAL("NULL");
    if (right) {
        int taken = text_width(text, width);
        at += width - taken;
        width = taken;
    }
    canvas_text(canvas, row, at, width, null ? STYLE_NULL : STYLE_TEXT, text);
}

static void draw_row(void *context, size_t index, struct canvas *canvas, struct rect line,
                     bool selected)
{
    const struct grid *grid = context;
    char number[24];
    size_t row = grid_row_at(grid, index);
    /* The list gives what stands behind its marker's column; slots count from before it. */
    line.column--;
    line.columns++;
    snprintf(number, sizeof number, "%zu", row + 1);
    canvas_print_right(canvas, line.row, line.column + 1, grid->number_width,
                       selected ? STYLE_STRONG : STYLE_DIM, number);
    draw_bars(grid, canvas, line, false);
    for (size_t i = 0; i < grid->slot_count; i++)
        draw_cell(grid, canvas, line.row, line.column + grid->slots[i].at, grid->slots[i].width,
                  row, grid->slots[i].column);
}

static void put_cursor(const struct grid *grid, struct canvas *canvas, struct rect rect)
{
    if (canvas->cursor_row < rect.row)
        return;
    for (size_t i = 0; i < grid->slot_count; i++)
        if (grid->slots[i].column == grid->column)
            canvas_cursor(canvas, canvas->cursor_row, rect.column + grid->slots[i].at);
}

void grid_draw(struct grid *grid, struct canvas *canvas, struct rect rect, bool focused)
{
    if (grid->rows == NULL || rect.rows < 1 || rect.columns < 1)
        return;
    bool typing = grid->filter.editing;
    if (filter_draw(&grid->filter, canvas, rect.row + rect.rows - 1, rect.column + 1,
                    rect.columns - 2))
        rect.rows--;
    struct rect before = canvas_clip(canvas, rect);
    grid_place_columns(grid, rect.columns);
    draw_head(grid, canvas, (struct rect){rect.row, rect.column, 1, rect.columns}, focused);
    if (rect.rows > 4) {
        canvas_rule(canvas, rect.row + 1, rect.column, rect.columns);
        draw_bars(grid, canvas, (struct rect){rect.row + 1, rect.column, 1, rect.columns}, true);
        rect.row++;
        rect.rows--;
    }
    rect.row++;
    rect.rows--;
    list_draw(&grid->list, canvas, rect, focused && !typing, draw_row, grid);
    if (focused && !typing)
        put_cursor(grid, canvas, rect);
    canvas->clip = before;
}

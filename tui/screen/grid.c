#include "tui/screen/grid.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

enum { MEASURED_ENOUGH = 256, NARROWEST = 3 };

void grid_destroy(struct grid *grid)
{
    rows_release(grid->rows);
    filter_destroy(&grid->filter);
    free(grid->columns);
    free(grid->map);
    *grid = (struct grid){0};
}

static size_t grid_columns(const struct grid *grid)
{
    return grid->rows ? grid->rows->column_count : 0;
}

/* ---- what is shown ---- */

static void grid_count(struct grid *grid)
{
    list_set_count(&grid->list, grid->map ? grid->map_count : grid->rows ? grid->rows->count : 0);
}

/* Widths settle with the first rows, and once more with the last: between them columns must not be
 * pushed about while one reads. Only numbers make room at once, for half of one is another one. */
static void grid_measure(struct grid *grid)
{
    bool settled = grid->measured >= MEASURED_ENOUGH && !grid->rows->complete;
    grid->measured = grid->rows->count;
    for (size_t i = 0; i < grid_columns(grid); i++) {
        if (settled && !grid->rows->columns[i].number)
            continue;
        int width = rows_width(grid->rows, i);
        width = width > GRID_WIDTH_MOST ? GRID_WIDTH_MOST : width;
        grid->columns[i].width = (uint8_t)(width < NARROWEST ? NARROWEST : width);
    }
}

bool grid_begin(struct grid *grid, struct rows *rows, struct error *error)
{
    struct grid_column *columns = memory_zero(rows->column_count, sizeof *columns, error);
    if (columns == NULL) {
        rows_release(rows);
        return false;
    }
    grid_destroy(grid);
    grid->rows = rows;
    grid->columns = columns;
    grid_grew(grid);
    return true;
}

void grid_grew(struct grid *grid)
{
    grid_measure(grid);
    grid_count(grid);
}

size_t grid_row_at(const struct grid *grid, size_t index)
{
    return grid->map ? grid->map[index] : index;
}

bool grid_row(const struct grid *grid, size_t *row)
{
    if (grid->list.selected >= grid->list.count)
        return false;
    *row = grid_row_at(grid, grid->list.selected);
    return true;
}

void grid_arranged(struct grid *grid, uint32_t *map, size_t count)
{
    size_t row = 0, index = 0;
    bool any = grid_row(grid, &row);
    free(grid->map);
    grid->map = map;
    grid->map_count = count;
    grid_count(grid);
    while (any && map && index < count && map[index] != row)
        index++;
    if (any && map == NULL)
        index = row;
    grid->list.selected = index < grid->list.count ? index : 0;
}

bool grid_cell(const struct grid *grid, struct slice *text, bool *null)
{
    size_t row;
    if (grid->column >= grid_columns(grid) || !grid_row(grid, &row))
        return false;
    *text = rows_cell(grid->rows, row, grid->column, null);
    return true;
}

/* ---- columns ---- */

/* The next one that is not hidden, `way` -1 or 1; the same when there is none. */
static size_t grid_neighbour(const struct grid *grid, int way)
{
    size_t count = grid_columns(grid), at = grid->column;
    while (way > 0 ? at + 1 < count : at > 0) {
        at = way > 0 ? at + 1 : at - 1;
        if (!grid->columns[at].hidden)
            return at;
    }
    return grid->column;
}

static size_t grid_shown(const struct grid *grid)
{
    size_t shown = 0;
    for (size_t i = 0; i < grid_columns(grid); i++)
        shown += !grid->columns[i].hidden;
    return shown;
}

static void grid_hide(struct grid *grid)
{
    size_t hidden = grid->column, next = grid_neighbour(grid, 1);
    if (next == hidden)
        next = grid_neighbour(grid, -1);
    grid->columns[hidden].hidden = true;
    grid->column = next;
}

static bool grid_any_hidden(const struct grid *grid)
{
    return grid_shown(grid) < grid_columns(grid);
}

enum answer grid_can(const struct grid *grid, enum action_id action, const char **why)
{
    if (grid_columns(grid) == 0)
        return ANSWER_ABSENT;
    switch (action) {
    case ACTION_LEFT:
    case ACTION_RIGHT:
    case ACTION_FREEZE:
    case ACTION_WIDTH:
        return ANSWER_WORKS;
    case ACTION_HIDE:
        *why = "it is the only column left";
        return grid_shown(grid) > 1 ? ANSWER_WORKS : ANSWER_REFUSED;
    case ACTION_SHOW_ALL:
        *why = "no column is hidden";
        return grid_any_hidden(grid) ? ANSWER_WORKS : ANSWER_REFUSED;
    default:
        return list_can(&grid->list, action);
    }
}

void grid_act(struct grid *grid, enum action_id action)
{
    switch (action) {
    case ACTION_LEFT:
    case ACTION_RIGHT:
        grid->column = grid_neighbour(grid, action == ACTION_RIGHT ? 1 : -1);
        break;
    case ACTION_FREEZE:
        grid->frozen = grid->frozen == grid->column + 1 ? 0 : grid->column + 1;
        grid->left = grid->frozen;
        break;
    case ACTION_HIDE:
        grid_hide(grid);
        break;
    case ACTION_SHOW_ALL:
        for (size_t i = 0; i < grid_columns(grid); i++)
            grid->columns[i].hidden = false;
        break;
    case ACTION_WIDTH:
        grid->columns[grid->column].wide = !grid->columns[grid->column].wide;
        break;
    default:
        list_act(&grid->list, action);
    }
}

/* ---- words ---- */

static size_t grid_place(const struct grid *grid)
{
    size_t place = 0;
    for (size_t i = 0; i <= grid->column && i < grid_columns(grid); i++)
        place += !grid->columns[i].hidden;
    return place;
}

void grid_note(const struct grid *grid, char left[GRID_NOTE_SIZE], char right[GRID_NOTE_SIZE])
{
    struct slice text;
    bool null;
    left[0] = right[0] = '\0';
    if (grid_columns(grid) == 0)
        return;
    const struct rows_column *column = &grid->rows->columns[grid->column];
    bool any = grid_cell(grid, &text, &null);
    /* Cut at a byte: the canvas cuts what is left of a character. */
    snprintf(left, GRID_NOTE_SIZE, "%.40s %.24s%s%.*s", column->name, column->type,
             !any   ? ""
             : null ? ": NULL"
                    : ": ",
             any && !null ? (int)(text.length < 40 ? text.length : 40) : 0, any ? text.data : "");
    for (char *at = left; *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    int used = any ? snprintf(right, GRID_NOTE_SIZE, "row %zu of %zu, ", grid->list.selected + 1,
                              grid->list.count)
                   : 0;
    snprintf(right + used, (size_t)(GRID_NOTE_SIZE - used), "column %zu/%zu", grid_place(grid),
             grid_shown(grid));
}

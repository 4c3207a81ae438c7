/* grid.h: rows and columns of an answer: the cell under the cursor, frozen, hidden and wider
 * columns, and the rows in the order of the last sort and filter.
 *
 * A move changes few cells: the row is marked by a glyph and its number, the column by its head,
 * and the hardware cursor stands on the cell. */
#ifndef SURFBOARD_TUI_SCREEN_GRID_H
#define SURFBOARD_TUI_SCREEN_GRID_H

#include "tui/screen/filter.h"
#include "tui/screen/list.h"
#include "tui/screen/rows.h"

enum { GRID_SLOTS_MOST = 160, GRID_WIDTH_MOST = 32, GRID_NOTE_SIZE = 160 };

struct grid_column {
    uint8_t width; /* cells; 0: not decided yet */
    bool hidden, wide;
};

struct grid {
    struct rows *rows; /* a share; NULL: no answer yet */
    struct grid_column *columns;
    struct list list;
    size_t column, left, frozen; /* under the cursor; first that scrolls; so many stay */
    size_t measured;             /* rows that the widths were taken from */
    struct filter filter;
    struct rows_order order; /* its filter text is `filter`'s field */
    uint32_t *map;           /* row numbers as shown; NULL: all, as they came */
    size_t map_count;
    /* Where columns stand: of the last drawing. */
    struct grid_slot {
        size_t column;
        int at, width;
    } slots[GRID_SLOTS_MOST];
    size_t slot_count;
    int number_width;
};

void grid_destroy(struct grid *grid);
/* The rows of an answer that begins; takes the share. False: no memory. */
bool grid_begin(struct grid *grid, struct rows *rows, struct error *error);
/* More rows came, or the last did. */
void grid_grew(struct grid *grid);
/* What rows_arrange() gave, NULL for all rows as they came: owned from now on. The cursor stays on
 * its row if that is still shown. */
void grid_arranged(struct grid *grid, uint32_t *map, size_t count);

/* The number in `rows` of the row under the cursor; false: there is none. */
bool grid_row(const struct grid *grid, size_t *row);
/* The number in `rows` of a shown row. */
size_t grid_row_at(const struct grid *grid, size_t index);
/* The cell under the cursor; false: there is none. */
bool grid_cell(const struct grid *grid, struct slice *text, bool *null);

/* Moving, columns, widths; not what needs rows to be arranged anew. */
enum answer grid_can(const struct grid *grid, enum action_id action, const char **why);
void grid_act(struct grid *grid, enum action_id action);
/* Heads, rule, rows; grid_draw.c. */
void grid_draw(struct grid *grid, struct canvas *canvas, struct rect rect, bool focused);
/* "status varchar: open" and "row 2 of 5, column 1/4" for the lower border. */
void grid_note(const struct grid *grid, char left[GRID_NOTE_SIZE], char right[GRID_NOTE_SIZE]);

#endif

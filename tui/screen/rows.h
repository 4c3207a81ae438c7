/* rows.h: the rows of an answer as the grid shows them: each cell's text, and whether it is null.
 *
 * Held in blocks of one allocation each, made by the job that reads and handed to the screen's
 * thread, which only hooks them in: a million rows cost it nothing. Within a block cells lie row by
 * row, since the job can't know a block's size before its last row, and since drawing, filters and
 * files read whole rows. Four bytes and a bit a cell beside the text.
 *
 * A block never changes once it is made. Blocks come in on the screen's thread only; others may
 * read rows that are `complete` while they hold a share of them. */
#ifndef SURFBOARD_TUI_SCREEN_ROWS_H
#define SURFBOARD_TUI_SCREEN_ROWS_H

#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"

enum {
    ROWS_CELL_MOST = 4 << 20, /* bytes of one cell that are kept */
    ROWS_WIDTH_MOST = 200     /* cells, beyond which a column's width is not measured */
};

struct rows_column {
    const char *name;
    const char *type; /* "decimal(12,2)", as the engine calls it */
    bool number;      /* right-aligned, sorted by value */
};

struct rows_block {
    size_t first; /* index of its first row */
    size_t count;
    size_t bytes;     /* of this allocation */
    size_t cut_cells; /* cells that are not kept whole */
    uint32_t *ends;   /* where each cell's text ends */
    uint8_t *nulls;   /* a bit a cell */
    uint8_t *widths;  /* the widest cell of each column, ROWS_WIDTH_MOST at most */
    char *text;
};

struct rows {
    struct rows_column *columns;
    size_t column_count;
    struct rows_block **blocks;
    size_t block_count, block_capacity;
    size_t count, bytes, cut_cells;
    uint8_t *widths; /* of all blocks so far */
    bool complete;   /* no block will come any more */
    int shares;      /* of the screen's thread */
    struct arena arena;
};

/* On the screen's thread. The last share frees it; NULL is fine. */
struct rows *rows_share(struct rows *rows);
void rows_release(struct rows *rows);
/* Hooks a block in and owns it. False when there is no memory: the block is then freed. */
bool rows_add(struct rows *rows, struct rows_block *block);

/* The text of a cell, borrowed; empty for a null. */
struct slice rows_cell(const struct rows *rows, size_t row, size_t column, bool *null);
/* The widest cell of a column so far, its name included. */
int rows_width(const struct rows *rows, size_t column);

/* ---- which rows, in which order (rows_order.c) ---- */

struct rows_order {
    bool sorted, descending;
    size_t column;
    const char *filter; /* as typed, see filter.h; "" for all rows */
};

/* Row numbers in that order; stable, nulls last either way. False with ERROR_INTERRUPTED when
 * *stop was set. *out is fresh memory. On any thread, for complete rows. */
bool rows_arrange(const struct rows *rows, const struct rows_order *order, const atomic_bool *stop,
                  uint32_t **out, size_t *count, struct error *error);
/* Orders numbers as texts of any length, exponents, NaN and infinities included. */
int rows_compare_numbers(struct slice a, struct slice b);

#endif

/* rows_maker.h: rows (rows.h) from the batches of an engine, on a worker. Apart from rows.h, whose
 * users know another `struct field`. */
#ifndef SURFBOARD_TUI_SCREEN_ROWS_MAKER_H
#define SURFBOARD_TUI_SCREEN_ROWS_MAKER_H

#include "core/base/column.h"
#include "tui/screen/rows.h"

enum {
    ROWS_BLOCK_MOST = 1024,     /* rows a block */
    ROWS_BLOCK_BYTES = 1 << 20, /* of text, after which a block is closed */
    ROWS_ROW_MOST = 32 << 20    /* bytes of one row that are kept */
};

/* Empty, with one share. Names and types are copied. `doc_is_type`: a field's doc, where it has
 * one, is the engine's own name of its type. */
struct rows *rows_create(const struct schema *schema, bool doc_is_type, struct error *error);

struct rows_maker {
    size_t columns;
    size_t count; /* rows under way */
    size_t cut_cells;
    struct buffer text, cell;
    uint32_t *ends;
    size_t end_count, end_capacity;
    uint8_t *nulls, *widths;
    size_t null_bytes;
};

bool rows_maker_init(struct rows_maker *maker, size_t columns, struct error *error);
void rows_maker_destroy(struct rows_maker *maker);
/* One more row; the block is full when rows_maker_full() says so. */
bool rows_maker_add(struct rows_maker *maker, const struct batch *batch, size_t row,
                    struct error *error);
bool rows_maker_full(const struct rows_maker *maker);
/* What was added, as a block; NULL without memory. The maker is empty again. */
struct rows_block *rows_maker_take(struct rows_maker *maker, struct error *error);

#endif

/* row_digest.h: rows as 128-bit digests, and a table of them by key: how verify holds millions of
 * rows of one side while it reads the other (48 bytes a row and free slots). Two different rows
 * share a digest with a chance of 1 in 2^128 for each pair. */
#ifndef SURFBOARD_POSTGRES_ROW_DIGEST_H
#define SURFBOARD_POSTGRES_ROW_DIGEST_H

#include "core/base/buffer.h"
#include "core/base/column.h"
#include "core/change/row.h"

struct digest {
    uint64_t high, low;
};

static inline bool digest_equal(struct digest a, struct digest b)
{
    return a.high == b.high && a.low == b.low;
}

struct digest digest_of_key(const struct change_key *key);
/* Appends a value in one form for all types that can hold it: integers of any width, decimals of
 * any scale, float and double alike. NULL column: a null. */
bool digest_append_value(struct buffer *out, const struct column *column, size_t row,
                         struct error *error);
struct digest digest_of_bytes(struct slice bytes);

enum { ROW_FREE, ROW_HELD, ROW_MET };

struct held_row {
    struct digest key, row;
    uint64_t state;
};

struct held_rows {
    struct held_row *slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
};

/* Holds a row. *twice = true, and nothing changes, when its key is held already. */
bool held_rows_add(struct held_rows *rows, struct digest key, struct digest row, bool *twice,
                   struct error *error);
/* NULL when absent. Good until the next add. */
struct held_row *held_rows_find(const struct held_rows *rows, struct digest key);
void held_rows_destroy(struct held_rows *rows);

#endif

/* key.h: the key of a row in the form that merge compares, hashes, sorts and indexes.
 *
 * A key of one whole-number column (int, long, date, time, timestamps) is that number. Any other is
 * a byte string whose unsigned byte order is the order of the key's columns: numbers big-endian
 * with the sign bit turned over, strings raw (escaped and ended by two zero bytes when another
 * column follows), so that rows sorted by it have tight bounds in every key column.
 */
#ifndef SURFBOARD_MERGE_KEY_H
#define SURFBOARD_MERGE_KEY_H

#include "core/base/column.h"

/* Where the key lies in a row of some schema. */
struct key_shape {
    bool integer;
    size_t count;
    size_t *columns; /* indexes into the schema's fields, in the order of the key */
};

struct key {
    int64_t integer;    /* integer shapes */
    struct slice bytes; /* others */
};

/* The key columns by name. ERROR_CONFIG when one is not in the schema or of a nested type. */
bool key_shape_init(struct key_shape *shape, const struct schema *schema, const char *const *names,
                    size_t count, struct error *error);
void key_shape_destroy(struct key_shape *shape);

/* The key of one row. Bytes are put in `scratch` (cleared first), which the key then borrows; a
 * single string column is borrowed from the batch itself. ERROR_INPUT for a null in the key. */
bool key_read(const struct key_shape *shape, const struct batch *batch, size_t row,
              struct buffer *scratch, struct key *out, struct error *error);

static inline int64_t key_column_integer(const struct column *column, size_t row)
{
    return type_width(column->type) == 4 ? column_int(column, row) : column_long(column, row);
}

/* A mixing function for whole-number keys: every bit of the key reaches the upper bits. */
static inline uint64_t key_mix(int64_t integer)
{
    uint64_t x = (uint64_t)integer;
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 29;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ x >> 32;
}

/* 128 bits of seeded XXH3. */
struct key_hash {
    uint64_t high;
    uint64_t low;
};
struct key_hash key_hash_bytes(struct slice bytes, uint64_t seed);

/* For messages: the key as JSON text, {"id":7}. */
bool key_print(const struct key_shape *shape, const struct batch *batch, size_t row,
               struct buffer *out, struct error *error);

#endif

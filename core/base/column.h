/* column.h: columnar batches, the one form in which rows travel between parquet, change, merge and
 * query. A column owns its memory; column_clear() keeps it for the next batch.
 *
 * Layout by type (values are native-endian):
 *   boolean          values: uint8_t 0 or 1
 *   int, date        values: int32_t           float   values: float
 *   long, time, timestamp, timestamptz   values: int64_t        double  values: double
 *   decimal          values: __int128, the unscaled value at the field's scale
 *   uuid, fixed      values: the bytes, type_width() each (uuid 16, big-endian as printed)
 *   string, binary   offsets[length + 1] into bytes
 *   list             offsets[length + 1] into children[0]
 *   map              offsets[length + 1] into children[0] (keys) and children[1] (values)
 *   struct           children[i] has the same length
 * A null has valid[i] == 0, and a zero value / empty range in its place, so that rows line up.
 * `valid` is always there (one byte a row); null_count == 0 lets readers skip it.
 */
#ifndef SURFBOARD_BASE_COLUMN_H
#define SURFBOARD_BASE_COLUMN_H

#include "core/base/type.h"

typedef __int128 int128;

struct column {
    const struct type *type; /* borrowed */
    size_t length;           /* rows */
    size_t capacity;
    size_t null_count;
    uint8_t *valid;
    void *values;
    uint64_t *offsets;
    char *bytes;
    size_t bytes_length;
    size_t bytes_capacity;
    struct column *children;
    size_t child_count;
};

/* Prepares an empty column of this type; `type` must outlive it. */
bool column_init(struct column *column, const struct type *type, struct error *error);
void column_destroy(struct column *column);
void column_clear(struct column *column);
/* Room for `more` rows (not for string bytes). */
bool column_reserve(struct column *column, size_t more, struct error *error);

bool column_append_null(struct column *column, struct error *error);
/* The value's bytes: type_width() of them for fixed-width types, any number for string, binary. */
bool column_append_bytes(struct column *column, struct slice value, struct error *error);
/* For list and map: the child values were appended before this; closes the row at their end. */
bool column_append_list_end(struct column *column, struct error *error);
/* For struct: one value was appended to each child before this. */
bool column_append_struct_end(struct column *column, struct error *error);
/* Forgets all rows from `length` on, and whatever a failed append left in the children. */
void column_truncate(struct column *column, size_t length);
/* Appends row `row` of `from`, a column of an equal type. */
bool column_append_row(struct column *column, const struct column *from, size_t row,
                       struct error *error);

static inline bool column_is_null(const struct column *column, size_t row)
{
    return column->null_count != 0 && column->valid[row] == 0;
}

static inline struct slice column_bytes(const struct column *column, size_t row)
{
    /* A column of empty values only has no bytes at all. */
    return (struct slice){column->bytes ? column->bytes + column->offsets[row] : "",
                          (size_t)(column->offsets[row + 1] - column->offsets[row])};
}

static inline int32_t column_int(const struct column *column, size_t row)
{
    return ((const int32_t *)column->values)[row];
}

static inline int64_t column_long(const struct column *column, size_t row)
{
    return ((const int64_t *)column->values)[row];
}

static inline int128 column_decimal(const struct column *column, size_t row)
{
    return ((const int128 *)column->values)[row];
}

static inline double column_double(const struct column *column, size_t row)
{
    return ((const double *)column->values)[row];
}

static inline float column_float(const struct column *column, size_t row)
{
    return ((const float *)column->values)[row];
}

/* The value of a fixed-width row as bytes. */
struct slice column_fixed(const struct column *column, size_t row);

/* Equal, nulls equal to nulls, NaN equal to NaN, -0.0 unlike 0.0. Types must be equal. */
bool column_rows_equal(const struct column *a, size_t a_row, const struct column *b, size_t b_row);

/* A batch: one column a field of a schema, all of one length. */
struct batch {
    const struct schema *schema; /* borrowed */
    struct column *columns;
    size_t column_count;
    size_t length;
};

/* Drops the rows whose keep[row] is 0, in place (column_keep.c). */
bool column_keep(struct column *column, const uint8_t *keep, struct error *error);
bool batch_keep(struct batch *batch, const uint8_t *keep, struct error *error);

bool batch_init(struct batch *batch, const struct schema *schema, struct error *error);
void batch_destroy(struct batch *batch);
void batch_clear(struct batch *batch);

#endif

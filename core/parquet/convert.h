/* convert.h: from how a leaf is stored to the type that is wanted of it; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_CONVERT_H
#define SURFBOARD_PARQUET_CONVERT_H

#include "core/parquet/metadata.h"

enum convert {
    CONVERT_NONE, /* the stored form is the column's own */
    CONVERT_INT_TO_LONG,
    CONVERT_UINT_TO_LONG,
    CONVERT_INT_TO_DECIMAL,
    CONVERT_LONG_TO_DECIMAL,
    CONVERT_ULONG_TO_DECIMAL,
    CONVERT_FIXED_TO_DECIMAL,
    CONVERT_BYTES_TO_DECIMAL,
    CONVERT_FLOAT_TO_DOUBLE,
    CONVERT_HALF_TO_FLOAT,
    CONVERT_HALF_TO_DOUBLE,
    CONVERT_INT_MILLIS, /* 32-bit milliseconds to microseconds */
    CONVERT_LONG_MILLIS,
    CONVERT_NANOS,
    CONVERT_INT96,
    CONVERT_KINDS
};

/* False when a leaf stored as `element`, of the file's type `have`, can't be read as `want`. */
bool convert_choose(const struct metadata_element *element, const struct type *have,
                    const struct type *want, enum convert *out);

/* `count` values of `width` bytes each (the stored ones) to the column's form. False when a value
 * has no room in it. Not for CONVERT_NONE and CONVERT_BYTES_TO_DECIMAL. */
bool convert_fixed(enum convert convert, const void *in, size_t width, size_t count, void *out);
/* Byte arrays of a binary column's rows [0, count) to decimals. */
bool convert_bytes(const struct column *in, size_t count, int128 *out);

#endif

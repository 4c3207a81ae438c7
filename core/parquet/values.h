/* values.h: the value encodings of data pages, decoded piece by piece; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_VALUES_H
#define SURFBOARD_PARQUET_VALUES_H

#include "core/base/column.h"
#include "core/parquet/format.h"
#include "core/parquet/rle.h"

/* DELTA_BINARY_PACKED. */
struct delta_decoder {
    const uint8_t *at; /* behind what was read; of a miniblock: its first byte */
    const uint8_t *end;
    uint64_t per_miniblock;
    uint64_t miniblocks;
    uint64_t left; /* values to come, the first one included */
    bool first;    /* the first value, in `last`, was not handed out yet */
    int64_t last;
    int64_t least; /* the block's smallest delta */
    const uint8_t *widths;
    uint64_t miniblock;    /* the next one of the block */
    uint64_t in_miniblock; /* deltas left in the present one */
    uint64_t bit;          /* in the present miniblock */
    unsigned width;
};

struct values_decoder {
    enum parquet_encoding encoding; /* PLAIN_DICTIONARY is RLE_DICTIONARY */
    enum parquet_physical physical;
    size_t width;      /* of a fixed-width value; booleans 1 */
    const uint8_t *at; /* PLAIN, the bytes of DELTA_(LENGTH_)BYTE_ARRAY, BYTE_STREAM_SPLIT */
    const uint8_t *end;
    size_t index;   /* PLAIN booleans: bit; BYTE_STREAM_SPLIT: value */
    size_t streams; /* BYTE_STREAM_SPLIT: values in all */
    struct rle_decoder rle;
    struct delta_decoder lengths;  /* or the values themselves */
    struct delta_decoder prefixes; /* DELTA_BYTE_ARRAY */
    struct buffer previous;        /* DELTA_BYTE_ARRAY: the value before; kept between pages */
    size_t limit;                  /* most bytes that one call may append */
};

/* Why decoding can stop. */
enum values_result {
    VALUES_OK,
    VALUES_DAMAGED,
    VALUES_TOO_LARGE,
    VALUES_UNSUPPORTED,
    VALUES_MEMORY
};

/* Bytes of one value of a physical type in memory; 0 for byte arrays. */
size_t values_width(enum parquet_physical physical, int32_t type_length);

/* Begins a page's values: `previous` and `limit` of the struct stay. */
enum values_result values_begin(struct values_decoder *decoder, int32_t encoding,
                                enum parquet_physical physical, size_t width, struct slice bytes);
/* `count` values of fixed width to `out`; not for dictionary pages. */
enum values_result values_read_fixed(struct values_decoder *decoder, void *out, size_t count);
/* `count` byte arrays behind row `at` of a string or binary column with room for them; sets
 * offsets[at + 1 ...] and appends to its bytes. Also FIXED in DELTA_BYTE_ARRAY. */
enum values_result values_read_bytes(struct values_decoder *decoder, struct column *out, size_t at,
                                     size_t count, struct error *error);
/* `count` entry numbers of the dictionary, each below `entries`. */
enum values_result values_read_indices(struct values_decoder *decoder, uint32_t *out, size_t count,
                                       size_t entries);
/* Passes over `count` values; for DELTA_BYTE_ARRAY read them instead. */
enum values_result values_skip(struct values_decoder *decoder, size_t count);

#endif

/* leaf_reader.h: reads one leaf of the file, row group by row group: pages, levels, values; inside
 * core/parquet. */
#ifndef SURFBOARD_PARQUET_LEAF_READER_H
#define SURFBOARD_PARQUET_LEAF_READER_H

#include "core/codec/codec.h"
#include "core/parquet/convert.h"
#include "core/parquet/metadata.h"
#include "core/parquet/values.h"

struct leaf_reader {
    /* what it reads */
    const struct metadata *metadata;
    const struct source *source;
    const struct parquet_limits *limits;
    struct codec_context *codec; /* the cursor's */
    size_t index;
    const struct metadata_leaf *leaf;
    bool levels_only; /* its values are not wanted, only the structure above them */
    enum convert convert;
    size_t stored_width; /* 0: byte arrays */
    size_t column_width; /* 0: string, binary */
    /* the chunk */
    struct arena arena; /* of the offset index */
    const struct metadata_chunk *chunk;
    size_t group;
    int64_t row; /* of the group, that is read next */
    struct page_locations locations;
    int64_t next_at; /* file offset of the next page header */
    int64_t end_at;
    size_t next_page; /* index into locations, where they are known */
    bool dictionary_loaded;
    size_t dictionary_count;
    struct buffer dictionary_values; /* in the column's form */
    struct column dictionary_texts;  /* or as byte arrays */
    /* the page */
    int64_t page_at;
    struct buffer page;   /* decompressed */
    struct buffer window; /* of a source that is not mapped */
    int64_t window_at;
    size_t levels_left; /* not decoded yet */
    int64_t rows_left;  /* rows that the index says begin in the page and were not seen yet; -1:
                           not known */
    struct rle_decoder definitions;
    struct rle_decoder repetitions;
    struct values_decoder values;
    uint8_t *ahead_definition; /* levels decoded but not taken; repeated leaves only */
    uint8_t *ahead_repetition;
    size_t ahead_at, ahead_count;
    /* what the last leaf_read() gave */
    struct column *out;
    size_t filled;       /* values, behind out->length, without gaps */
    uint8_t *definition; /* set when max_definition > 0 */
    uint8_t *repetition; /* set when max_repetition > 0 */
    size_t levels;
    size_t definition_capacity, repetition_capacity;
    size_t bytes_begin; /* of out->bytes */
    bool too_large;     /* it failed for the size of what was asked for at once */
    /* working memory */
    struct buffer stored; /* values before conversion */
    struct column texts;  /* byte arrays before conversion; FIXED in DELTA_BYTE_ARRAY */
    uint32_t *indices;
};

/* `want` NULL: levels only. ERROR_UNSUPPORTED when the leaf can't be read as that type. */
bool leaf_reader_init(struct leaf_reader *reader, const struct metadata *metadata,
                      const struct source *source, const struct parquet_limits *limits,
                      struct codec_context *codec, size_t leaf, const struct type *want,
                      struct error *error);
void leaf_reader_destroy(struct leaf_reader *reader);

/* Puts the reader on row `row` of the group. */
bool leaf_reader_seek(struct leaf_reader *reader, size_t group, int64_t row, struct error *error);

/* Reads `rows` rows: their levels, and their present values behind row out->length of `out`
 * without gaps (for the caller to spread). `out` NULL with levels_only. */
bool leaf_reader_read(struct leaf_reader *reader, struct column *out, size_t rows,
                      struct error *error);

/* leaf_page.c: opens the next data page; dictionary pages on the way are taken in. `skip_rows`: a
 * page with no more rows than that is passed over undecoded, and they are taken from it. */
bool leaf_open_page(struct leaf_reader *reader, int64_t *skip_rows, struct error *error);
/* Reads the chunk's offset index, if it has one and it was not read yet. */
bool leaf_load_locations(struct leaf_reader *reader, struct error *error);
/* Puts next_at on the page that holds the row, where there is an index; *row becomes the row in
 * that page. */
void leaf_locate(struct leaf_reader *reader, int64_t *row);
/* Turns a values_result into the error that it stands for; true for VALUES_OK. */
bool leaf_values_ok(struct leaf_reader *reader, enum values_result result, struct error *error);

#endif

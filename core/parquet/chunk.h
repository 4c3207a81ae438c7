/* chunk.h: one column chunk being written: its open page, the finished pages and what the footer
 * will say of them; inside core/parquet. Memory is kept from row group to row group. */
#ifndef SURFBOARD_PARQUET_CHUNK_H
#define SURFBOARD_PARQUET_CHUNK_H

#include "core/base/stream.h"
#include "core/parquet/dictionary.h"
#include "core/parquet/leaf.h"
#include "core/parquet/range.h"
#include "core/parquet/writer.h"

/* A finished data page. Its bounds lie in the chunk record's `index_bytes`. */
struct chunk_page {
    int64_t offset; /* in the chunk's bytes; in the file once the chunk is written */
    int32_t size;   /* with header */
    int64_t first_row;
    int64_t nulls;
    bool has_bounds;
    size_t low_at, low_length, high_at, high_length;
};

/* What a written chunk leaves behind for the footer and the page index. */
struct chunk_record {
    const struct parquet_leaf *leaf;
    int64_t dictionary_offset; /* -1: none */
    int64_t data_offset;
    int64_t compressed; /* page headers included, as the format wants */
    int64_t uncompressed;
    int64_t values; /* nulls included */
    int64_t nulls;
    int64_t nans;
    int32_t plain_pages;
    int32_t dictionary_pages;
    bool has_bounds;
    bool low_exact, high_exact;
    size_t low_at, low_length, high_at, high_length; /* in index_bytes */
    struct chunk_page *pages;
    size_t page_count;
    size_t page_capacity;
    struct buffer index_bytes;
    bool ascending, descending;
    bool unindexed; /* a page with values has no bounds: no column index */
    int64_t offset_index_at, column_index_at;
    int32_t offset_index_length, column_index_length;
};

/* Working memory that all chunks of a writer share: one chunk is written to at a time. */
struct chunk_scratch {
    struct codec_context *codec;
    struct parquet_shred shred;
    struct buffer dense; /* values without gaps, in their physical form */
    int128 low;          /* of the decimals in it */
    int128 high;
    struct buffer page;   /* a page before compression */
    struct buffer packed; /* and after it */
    uint32_t *words;      /* levels widened for the encoder */
    size_t words_capacity;
};

enum chunk_mode {
    CHUNK_TRIAL, /* first page: collects dictionary entries, may still turn back */
    CHUNK_DICTIONARY,
    CHUNK_PLAIN
};

struct chunk {
    const struct parquet_leaf *leaf;
    const struct parquet_writer_options *options;
    enum chunk_mode mode;
    enum chunk_mode first_mode; /* of the next chunk */
    struct dictionary dictionary;
    uint64_t plain_bytes; /* of the values of the open page in PLAIN form */
    uint32_t page_number;
    /* the open page */
    int64_t page_rows;
    size_t page_levels;
    size_t page_values; /* present ones */
    bool uniform;       /* all of its definition levels are the highest: `definition` is unset */
    uint8_t *definition;
    size_t definition_capacity;
    uint8_t *repetition;
    size_t repetition_capacity;
    uint32_t *indices; /* dictionary modes */
    size_t index_capacity;
    struct buffer plain; /* PLAIN mode; booleans a byte each until the page is closed */
    struct range page_range;
    /* the chunk so far */
    struct buffer bytes;
    int64_t rows;
    struct range previous; /* of the last page with bounds, for the boundary order */
    bool has_previous;
    struct range chunk_range;
    struct range file_range;
    int64_t raw; /* PLAIN bytes taken, for the row group's limit */
    struct chunk_record record;
};

bool chunk_init(struct chunk *chunk, const struct parquet_leaf *leaf,
                const struct parquet_writer_options *options, struct error *error);
void chunk_destroy(struct chunk *chunk);
void chunk_record_destroy(struct chunk_record *record);
void chunk_scratch_destroy(struct chunk_scratch *scratch);

/* Rows [from, from + count) of the leaf's top-level column. */
bool chunk_write(struct chunk *chunk, struct chunk_scratch *scratch, const struct column *top,
                 size_t from, size_t count, struct error *error);
/* Closes the last page, writes the chunk and hands out its record; ready for the next group. */
bool chunk_finish(struct chunk *chunk, struct chunk_scratch *scratch, struct sink *sink,
                  struct chunk_record *out, struct error *error);

/* chunk_page.c: closes the open page. */
bool chunk_close_page(struct chunk *chunk, struct chunk_scratch *scratch, struct error *error);
/* Turns the open page's dictionary indices back into PLAIN values. */
bool chunk_indices_to_plain(struct chunk *chunk, struct error *error);

#endif

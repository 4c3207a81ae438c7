/* writer.h: batches in, one Parquet file out (parquet-format 2.x; version 1 data pages).
 *
 * Each leaf is written as PLAIN or RLE_DICTIONARY, whichever pays; levels are RLE; every page has a
 * CRC, every chunk statistics in logical order and a page index, every schema element its field
 * id. Pages begin on row borders. Nothing is kept for each value: rows are encoded from the
 * columns' arrays straight into the open pages, and a row group's compressed pages wait in memory
 * until it is full.
 */
#ifndef SURFBOARD_PARQUET_WRITER_H
#define SURFBOARD_PARQUET_WRITER_H

#include "core/base/column.h"
#include "core/base/stream.h"
#include "core/codec/codec.h"
#include "core/parquet/facts.h"

struct parquet_key_value {
    const char *key;
    const char *value; /* NULL: a key without a value */
};

struct parquet_writer_options {
    enum codec codec;  /* none, snappy, gzip, zstd */
    int level;         /* 0 = the codec's default */
    bool dictionary;   /* false: PLAIN only */
    size_t page_bytes; /* a page is closed when its values reach this many bytes ... */
    size_t page_rows;  /* ... or rows */
    size_t group_rows; /* the same for row groups; bytes are counted before compression */
    size_t group_bytes;
    const struct parquet_key_value *key_values; /* footer metadata, e.g. "iceberg.schema" */
    size_t key_value_count;
};

/* What NULL options mean; start from it to change one. */
#define PARQUET_WRITER_DEFAULTS                                                                    \
    {                                                                                              \
        .codec = CODEC_ZSTD, .level = 1, .dictionary = true, .page_bytes = 1 << 20,                \
        .page_rows = 20000, .group_rows = 1 << 20, .group_bytes = 128 << 20,                       \
    }

struct parquet_writer;

/* Begins a file. `schema` and `sink` must outlive the writer, options need not. A field id of -1
 * leaves the id out. ERROR_UNSUPPORTED for a struct without members. */
struct parquet_writer *parquet_writer_open(struct sink *sink, const struct schema *schema,
                                           const struct parquet_writer_options *options,
                                           struct error *error);

/* Appends the batch's rows; its columns are the schema's fields in order. A null in a required
 * field, or a decimal beyond its precision, is ERROR_INPUT that names the column. After a failure
 * only parquet_writer_destroy() is legal. */
bool parquet_writer_write(struct parquet_writer *writer, const struct batch *batch,
                          struct error *error);
/* Rows [from, from + count) of the batch only. */
bool parquet_writer_write_rows(struct parquet_writer *writer, const struct batch *batch,
                               size_t from, size_t count, struct error *error);

/* Rows taken so far, and an estimate of the file's size if it were closed now. */
int64_t parquet_writer_rows(const struct parquet_writer *writer);
int64_t parquet_writer_bytes(const struct parquet_writer *writer);

/* Writes what is pending and the footer. `out` may be NULL; else the caller destroys it. The
 * writer is still to be destroyed. A file without rows is legal: no row groups. */
bool parquet_writer_close(struct parquet_writer *writer, struct parquet_file_facts *out,
                          struct error *error);
void parquet_writer_destroy(struct parquet_writer *writer);

#endif

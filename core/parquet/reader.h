/* reader.h: Parquet files in, batches out: what Spark, Trino, DuckDB, Arrow and we write.
 *
 * Pages v1 and v2; PLAIN, PLAIN_DICTIONARY, RLE_DICTIONARY, RLE, BIT_PACKED levels, the three DELTA
 * encodings, BYTE_STREAM_SPLIT; codecs none, snappy, gzip, zstd, lz4_raw; lists, maps and structs
 * to any depth (two- and three-level lists). Anything else is ERROR_UNSUPPORTED when it is
 * projected, not before.
 *
 * Types the lake has no room for come as the nearest: unsigned and short integers as int, long or
 * decimal(20,0); milli- and nanoseconds as microseconds (nanoseconds rounded down); INT96 as
 * timestamp; enum and json as string; float16 as float.
 *
 * A file is never trusted: every length is checked, memory is bounded by the limits, a damaged file
 * is ERROR_INPUT with its name and the offset of the damage, and page checksums are verified.
 *
 * A reader may be shared by threads once opened; a cursor belongs to one.
 */
#ifndef SURFBOARD_PARQUET_READER_H
#define SURFBOARD_PARQUET_READER_H

#include "core/base/column.h"
#include "core/base/stream.h"
#include "core/parquet/facts.h"

struct parquet_limits {
    size_t footer_bytes; /* largest footer */
    size_t page_bytes;   /* largest page, decompressed */
    size_t batch_bytes;  /* a batch is handed out early when it has this many bytes; a row with more
                            than four times as many in one column is ERROR_UNSUPPORTED */
};

#define PARQUET_LIMITS_DEFAULT                                                                     \
    {                                                                                              \
        .footer_bytes = 16 << 20, .page_bytes = 512 << 20, .batch_bytes = 256 << 20                \
    }

struct parquet_reader;

/* Reads the footer. The struct is copied; its context must outlive the reader. */
struct parquet_reader *parquet_reader_open(const struct source *source,
                                           const struct parquet_limits *limits /* NULL: default */,
                                           struct error *error);
void parquet_reader_close(struct parquet_reader *reader);

int64_t parquet_reader_rows(const struct parquet_reader *reader);
/* The file's columns; ids are -1 where the file has none. Borrowed from the reader. */
const struct schema *parquet_reader_schema(const struct parquet_reader *reader);
const char *parquet_reader_created_by(const struct parquet_reader *reader);
/* A value of the footer's key-value metadata, NULL when absent. */
const char *parquet_reader_metadata(const struct parquet_reader *reader, const char *key);

struct parquet_group {
    int64_t rows;
    int64_t first_row; /* in the file */
    int64_t offset;    /* of its first page */
    int64_t bytes;     /* compressed */
};

size_t parquet_reader_groups(const struct parquet_reader *reader);
/* False when there is no such group. */
bool parquet_reader_group(const struct parquet_reader *reader, size_t index,
                          struct parquet_group *out);

/* What the footer says of a leaf in a row group, for pruning; the bounds live in `arena`, in the
 * form of the file's own type (a file written before a promotion has narrower bounds).
 * Untrustworthy statistics (legacy min/max of strings, NaN, min > max) are left out.
 * ERROR_NOT_FOUND when the file has no such leaf. */
bool parquet_reader_group_facts(const struct parquet_reader *reader, size_t group, int32_t field_id,
                                struct arena *arena, struct parquet_column_facts *out,
                                struct error *error);

struct parquet_cursor;

/* Rows [first_row, first_row + row_count) (-1: to the end) as the columns of `projection`, matched
 * by field id, or by name where the file has no ids at all. A column the file lacks is null
 * (ERROR_INPUT when it is required). Promotions: int to long, float to double, decimal to more
 * digits, and whatever needs no conversion. Seeks by the page index where there is one, so that few
 * rows touch few pages. `projection` must outlive the cursor. */
struct parquet_cursor *parquet_cursor_open(struct parquet_reader *reader,
                                           const struct schema *projection, int64_t first_row,
                                           int64_t row_count, struct error *error);
/* Puts the cursor on another range, forwards or backwards, keeping its memory. */
bool parquet_cursor_seek(struct parquet_cursor *cursor, int64_t first_row, int64_t row_count,
                         struct error *error);
/* The file's row number of the next row. */
int64_t parquet_cursor_row(const struct parquet_cursor *cursor);
/* Clears `out` (a batch of `projection`) and fills it with up to `max_rows` rows; 0 rows at the
 * end. Fewer than max_rows does not mean the end. */
bool parquet_cursor_next(struct parquet_cursor *cursor, struct batch *out, size_t max_rows,
                         struct error *error);
void parquet_cursor_close(struct parquet_cursor *cursor);

#endif

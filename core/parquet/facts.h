/* facts.h: what is known of a column or a file without reading its values. Bounds are in Iceberg's
 * single-value binary form (spec, appendix D): boolean 1 byte; int, date, float 4 bytes LE; long,
 * time, timestamps, double 8 LE; decimal minimal big-endian; string, binary, fixed, uuid raw. */
#ifndef SURFBOARD_PARQUET_FACTS_H
#define SURFBOARD_PARQUET_FACTS_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/slice.h"

/* One leaf of the schema. */
struct parquet_column_facts {
    int32_t field_id;         /* -1 when the file has none */
    int64_t compressed_bytes; /* page headers included */
    int64_t value_count;      /* nulls included */
    int64_t null_count;       /* -1 when not known */
    int64_t nan_count;        /* float and double; -1 for others and when not known */
    bool has_bounds;          /* never below a list or map; NaN is never a bound */
    bool lower_exact;         /* the bound is a value of the column, not a shortened one */
    bool upper_exact;
    struct slice lower;
    struct slice upper;
};

struct parquet_file_facts {
    int64_t rows;
    int64_t bytes;                        /* exact size of the file */
    struct parquet_column_facts *columns; /* leaves in schema order; bounds whole, not shortened */
    size_t column_count;
    int64_t *split_offsets; /* where each row group begins, ascending */
    size_t split_count;
    struct arena arena; /* owns all of the above */
};

void parquet_file_facts_destroy(struct parquet_file_facts *facts);

#endif

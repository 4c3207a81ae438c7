/* describe.h: what a Parquet file holds, for `surfboard peek`: footer, schema, row groups, column
 * chunks with encodings, sizes, bounds and null counts, and each page with `pages`. */
#ifndef SURFBOARD_PARQUET_DESCRIBE_H
#define SURFBOARD_PARQUET_DESCRIBE_H

#include "core/base/buffer.h"
#include "core/base/stream.h"

struct parquet_describe_options {
    bool json;  /* one JSON object instead of text */
    bool pages; /* also walk the page headers */
};

/* Appends the description to `out`. */
bool parquet_describe(const struct source *source, const struct parquet_describe_options *options,
                      struct buffer *out, struct error *error);

#endif

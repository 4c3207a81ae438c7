/* statistics.h: a chunk's statistics as a range that can be trusted; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_STATISTICS_H
#define SURFBOARD_PARQUET_STATISTICS_H

#include "core/parquet/metadata.h"
#include "core/parquet/range.h"

/* Fills `out` (zeroed; range_destroy() it) with the chunk's bounds in the leaf's lake type; its
 * `set` is false where there are none, or none to be trusted: legacy min and max of anything but
 * signed numbers, no declared order, NaN, a wrong length, low above high, INT96. */
bool statistics_range(const struct metadata_leaf *leaf, const struct metadata_chunk *chunk,
                      struct range *out, struct error *error);

#endif

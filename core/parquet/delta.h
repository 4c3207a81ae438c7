/* delta.h: decoding of DELTA_BINARY_PACKED; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_DELTA_H
#define SURFBOARD_PARQUET_DELTA_H

#include "core/parquet/values.h"

/* False when the header is damaged. */
bool delta_begin(struct delta_decoder *delta, const uint8_t *at, const uint8_t *end);
/* The next `count` values; false when there are fewer or the bytes end before. */
bool delta_read(struct delta_decoder *delta, int64_t *out, size_t count);
/* Where the bytes behind the last value begin. */
bool delta_find_end(struct delta_decoder delta, const uint8_t **out);

#endif

/* quantity.h: sizes and durations as people write them in profiles and options. */
#ifndef SURFBOARD_BASE_QUANTITY_H
#define SURFBOARD_BASE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUANTITY_TEXT_SIZE = 32 };

/* "1048576", "512MiB", "1.5GiB", "2GB", "64k": KiB, MiB, GiB, TiB are 1024-based and so are the
 * bare letters K, M, G, T; kB, MB, GB, TB are 1000-based; case does not matter. False when it is
 * not a size or does not fit. */
bool quantity_parse_bytes(const char *text, uint64_t *bytes);
/* "500ms", "30s", "5m", "1h", "2d", "1h30m"; a bare number is seconds. Milliseconds out. */
bool quantity_parse_duration(const char *text, int64_t *ms);

/* For people: "512 B", "7.5 MB" (1000-based), "40 s", "6 min", "3 h", "2 d". */
void quantity_format_bytes(uint64_t bytes, char out[QUANTITY_TEXT_SIZE]);
void quantity_format_age(int64_t ms, char out[QUANTITY_TEXT_SIZE]);
/* A count with thin grouping: "1 204 311". */
void quantity_format_count(uint64_t count, char out[QUANTITY_TEXT_SIZE]);

#endif

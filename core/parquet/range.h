/* range.h: lowest and highest value of a page, chunk or file, in the logical order of the type
 * (numbers by value, NaN left out, strings and uuids by unsigned bytes); inside core/parquet. */
#ifndef SURFBOARD_PARQUET_RANGE_H
#define SURFBOARD_PARQUET_RANGE_H

#include "core/base/column.h"

enum range_kind { RANGE_WHOLE, RANGE_WIDE, RANGE_REAL, RANGE_BYTES };

struct range_bound {
    int64_t whole; /* boolean to timestamp, and decimals of up to 18 digits */
    int128 wide;   /* longer decimals */
    double real;   /* float and double */
    struct buffer bytes;
};

struct range {
    enum range_kind kind;
    bool set;
    struct range_bound low;
    struct range_bound high;
    uint64_t low_head; /* the first eight bytes of bytes bounds, big-endian */
    uint64_t high_head;
};

/* The kind by the type (and for decimals the physical form). */
enum range_kind range_kind_of(const struct type *type);
void range_destroy(struct range *range);
static inline void range_clear(struct range *range)
{
    range->set = false;
}

void range_add_whole(struct range *range, int64_t low, int64_t high);
void range_add_wide(struct range *range, int128 low, int128 high);
void range_add_real(struct range *range, double low, double high);
bool range_add_bytes(struct range *range, struct slice value, struct error *error);
/* `part` into `range`. */
bool range_add_range(struct range *range, const struct range *part, struct error *error);
/* -1, 0, 1 by lower and by upper bound of two set ranges. */
int range_compare_low(const struct range *a, const struct range *b);
int range_compare_high(const struct range *a, const struct range *b);

enum range_result { RANGE_EXACT, RANGE_SHORTENED, RANGE_NONE, RANGE_FAILED };
/* Appends the bound as Parquet's statistics hold it, the PLAIN form without a length; strings and
 * binary are shortened when they have more than `longest` bytes. RANGE_NONE: no shortened upper
 * bound exists (all bytes FF), nothing was appended. RANGE_FAILED sets the error. */
enum range_result range_append_parquet(const struct range *range, bool upper,
                                       const struct type *type, int32_t width, size_t longest,
                                       struct buffer *out, struct error *error);
/* The bound in Iceberg's single-value form, whole, in the arena. */
bool range_to_iceberg(const struct range *range, bool upper, const struct type *type,
                      struct arena *arena, struct slice *out, struct error *error);

#endif

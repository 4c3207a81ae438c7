/* sort.h: radix sort of 64-bit keys with an index beside each, for key tables and key indexes. */
#ifndef SURFBOARD_MERGE_SORT_H
#define SURFBOARD_MERGE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sort_pair {
    uint64_t key;
    uint64_t at;
};

/* Sorts `pairs` ascending and stably, using `other` (as many) as room to move; returns the one of
 * both that holds the result. Bytes in which all keys agree cost one counting pass and no move. */
struct sort_pair *sort_pairs(struct sort_pair *pairs, struct sort_pair *other, size_t count);

/* Signed numbers in unsigned order. */
static inline uint64_t sort_bias(int64_t integer)
{
    return (uint64_t)integer ^ UINT64_C(1) << 63;
}

#endif

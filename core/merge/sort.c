#include "core/merge/sort.h"

#include <string.h>

static void sort_count(const struct sort_pair *pairs, size_t count, size_t counts[8][256])
{
    memset(counts, 0, 8 * sizeof *counts);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = pairs[i].key;
        for (size_t digit = 0; digit < 8; digit++, key >>= 8)
            counts[digit][key & 0xFF]++;
    }
}

struct sort_pair *sort_pairs(struct sort_pair *pairs, struct sort_pair *other, size_t count)
{
    size_t counts[8][256];
    sort_count(pairs, count, counts);
    for (size_t digit = 0; digit < 8 && count > 1; digit++) {
        unsigned shift = (unsigned)digit * 8;
        size_t *starts = counts[digit];
        if (starts[pairs[0].key >> shift & 0xFF] == count)
            continue;
        size_t sum = 0;
        for (size_t i = 0; i < 256; i++) {
            size_t here = starts[i];
            starts[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++)
            other[starts[pairs[i].key >> shift & 0xFF]++] = pairs[i];
        struct sort_pair *swap = pairs;
        pairs = other;
        other = swap;
    }
    return pairs;
}

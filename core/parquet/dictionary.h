/* dictionary.h: the writer's dictionary of one column chunk: an open-addressing table over the
 * distinct values, whose PLAIN form is the dictionary page; inside core/parquet. Cleared and used
 * again for each row group. */
#ifndef SURFBOARD_PARQUET_DICTIONARY_H
#define SURFBOARD_PARQUET_DICTIONARY_H

#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/slice.h"

enum { DICTIONARY_MOST_ENTRIES = 1 << 16, DICTIONARY_MOST_BYTES = 1 << 20 };

struct dictionary {
    size_t width;        /* of a value; 0 = byte arrays */
    struct buffer plain; /* the dictionary page's body */
    size_t count;
    uint64_t *slots; /* hash's upper half and entry number + 1; 0 = free */
    size_t slot_count;
    uint32_t *offsets; /* byte arrays: where each entry's length begins in `plain` */
    size_t offsets_capacity;
    uint32_t *stamps; /* the page that used the entry last */
    size_t stamps_capacity;
};

bool dictionary_init(struct dictionary *dictionary, size_t width, struct error *error);
void dictionary_destroy(struct dictionary *dictionary);
void dictionary_clear(struct dictionary *dictionary);

/* Looks up or adds `count` values and writes their entry numbers to `out`. *fits is false, and the
 * rest of `out` not set, when the dictionary would outgrow its limits. */
bool dictionary_add_fixed(struct dictionary *dictionary, const void *values, size_t count,
                          uint32_t *out, bool *fits, struct error *error);
/* Byte arrays: value i is bytes[offsets[row], offsets[row + 1]) where row is rows[i], or
 * first + i when rows is NULL. */
bool dictionary_add_bytes(struct dictionary *dictionary, const char *bytes, const uint64_t *offsets,
                          const uint64_t *rows, size_t first, size_t count, uint32_t *out,
                          bool *fits, struct error *error);

static inline struct slice dictionary_value(const struct dictionary *dictionary, uint32_t entry)
{
    if (dictionary->width)
        return slice_make(dictionary->plain.data + entry * dictionary->width, dictionary->width);
    const char *at = dictionary->plain.data + dictionary->offsets[entry];
    uint32_t length;
    memcpy(&length, at, sizeof length);
    return slice_make(at + sizeof length, length);
}

/* Whether the entry is seen for the first time in this page (numbers from 1). */
static inline bool dictionary_first_in_page(struct dictionary *dictionary, uint32_t entry,
                                            uint32_t page)
{
    bool first = dictionary->stamps[entry] != page;
    dictionary->stamps[entry] = page;
    return first;
}

#endif

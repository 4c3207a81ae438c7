/* slice.h: borrowed bytes. A slice owns nothing; it is good as long as what it points into. */
#ifndef SURFBOARD_BASE_SLICE_H
#define SURFBOARD_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* may be NULL when length is 0 */
    size_t length;
};

/* For printf: `"%.*s", SLICE_ARG(s)`. Cuts at INT_MAX bytes. */
#define SLICE_ARG(s)                                                                               \
    (int)((s).length > 0x7fffffff ? 0x7fffffff : (s).length), (s).data ? (s).data : ""

#define SLICE_LITERAL(text) ((struct slice){"" text, sizeof(text) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline struct slice slice_make(const void *data, size_t length)
{
    return (struct slice){data, length};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
    return slice_equal(a, slice_of(text));
}

/* Unsigned byte order, as Parquet and Iceberg compare strings. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t least = a.length < b.length ? a.length : b.length;
    int order = least ? memcmp(a.data, b.data, least) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static inline bool slice_starts_with(struct slice a, struct slice prefix)
{
    return a.length >= prefix.length &&
           (prefix.length == 0 || memcmp(a.data, prefix.data, prefix.length) == 0);
}

static inline bool slice_ends_with(struct slice a, struct slice suffix)
{
    return a.length >= suffix.length &&
           (suffix.length == 0 ||
            memcmp(a.data + a.length - suffix.length, suffix.data, suffix.length) == 0);
}

#endif

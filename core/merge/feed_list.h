/* feed_list.h: which files a topic has; private to core/merge's feed. */
#ifndef SURFBOARD_MERGE_FEED_LIST_H
#define SURFBOARD_MERGE_FEED_LIST_H

#include "core/base/arena.h"
#include "core/codec/codec.h"

struct store;

struct feed_entry {
    const char *key; /* in the store */
    uint64_t size;
    int64_t modified_ms;
    int32_t partition;
    enum codec codec;
    int64_t hint;  /* the number in its name, where its first offset usually stands; -1: none */
    int64_t first; /* offset of its first record; -1 unknown, INT64_MAX: it has none */
    int64_t last;  /* offset of its last record, once it was read; -1 unknown */
    bool read;     /* up to its end: nothing new in it while size and time stay */
};

/* Sorted by (partition, hint, key); files without a hint come behind the others. */
struct feed_list {
    struct feed_entry *entries;
    size_t count;
    struct arena arena;
};

/* Files of `folder`: {name}.jsonl[.gz|.zst] in it (partition 0) and in {n} or partition={n} below
 * it. Names that begin with a dot or an underscore are passed over, as are other files; delta files
 * in any other folder are ERROR_INPUT. What `before` knew of unchanged files is kept (NULL:
 * nothing). */
bool feed_list_read(struct store *store, const char *folder, const char *topic,
                    const struct feed_list *before, struct feed_list *out, struct error *error);
void feed_list_destroy(struct feed_list *list);

#endif

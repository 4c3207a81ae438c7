/* store_ops.h: what a kind of store is made of: one table of functions behind store.h, one for
 * folders and one for S3. Not for others. */
#ifndef SURFBOARD_STORE_STORE_OPS_H
#define SURFBOARD_STORE_STORE_OPS_H

#include "core/store/store.h"

struct store_ops {
    void (*close)(struct store *store);
    bool (*key)(const struct store *store, const char *uri, const char **key);
    bool (*read)(struct store *store, const char *key, struct buffer *out, struct error *error);
    bool (*source_open)(struct store *store, const char *key, struct source *out,
                        struct error *error);
    void (*source_close)(struct source *source);
    bool (*put)(struct store *store, const char *key, struct slice body, bool if_absent,
                struct error *error);
    struct store_writer *(*writer_open)(struct store *store, const char *key, struct error *error);
    bool (*writer_commit)(struct store_writer *writer, enum store_flush flush, struct error *error);
    void (*writer_abort)(struct store_writer *writer);
    bool (*sync)(struct store *store, const char *const *keys, size_t count, struct pool *pool,
                 struct error *error);
    bool (*list)(struct store *store, const char *prefix, struct store_listing *out,
                 struct error *error);
    bool (*stat)(struct store *store, const char *key, uint64_t *size, int64_t *modified_ms,
                 struct error *error);
    bool (*remove)(struct store *store, const char *key, struct error *error);
    /* Many at once; NULL: one by one. */
    bool (*remove_many)(struct store *store, const char *const *keys, size_t count,
                        struct error *error);
    bool (*sweep)(struct store *store, const char *prefix, size_t *removed, struct error *error);
    bool (*root_exists)(struct store *store, bool *exists, struct error *error);
    bool (*root_make)(struct store *store, struct error *error);
    bool (*root_remove)(struct store *store, bool *removed, struct error *error);
    bool (*has_folder)(struct store *store, const char *key, bool *there, struct error *error);
};

/* The beginning of every kind's own struct. */
struct store {
    const struct store_ops *ops;
    char *root; /* without a slash at the end, unless it is "/" */
    char *uri;
    bool durable;
};

struct store_writer {
    struct store *store;
    struct sink sink;
};

/* What a source's context begins with. */
struct store_source_head {
    const struct store_ops *ops;
};

/* Made of non-empty parts that are neither "." nor "..". */
bool store_key_is_good(const char *key);
/* For qsort: by the bytes of the keys. */
int store_compare_entries(const void *a, const void *b);

#endif

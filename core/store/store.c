/* The face: chooses the kind of store by the URI's scheme, and passes on. */
#include "core/store/store.h"

#include <errno.h>
#include <stdlib.h>

#include "core/store/folder.h"
#include "core/store/s3.h"
#include "core/store/s3_store.h"

struct store *store_open(const char *uri, const struct store_options *options, struct error *error)
{
    return s3_is_uri(uri) ? s3_open(uri, options, error) : folder_open(uri, options, error);
}

void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
}

const char *store_root(const struct store *store)
{
    return store->root;
}

const char *store_uri(const struct store *store)
{
    return store->uri;
}

bool store_is_durable(const struct store *store)
{
    return store->durable;
}

bool store_is_local(const struct store *store)
{
    return store->ops == &folder_ops;
}

bool store_root_exists(struct store *store, bool *exists, struct error *error)
{
    return store->ops->root_exists(store, exists, error);
}

bool store_root_make(struct store *store, struct error *error)
{
    return store->ops->root_make(store, error);
}

bool store_root_remove(struct store *store, bool *removed, struct error *error)
{
    return store->ops->root_remove(store, removed, error);
}

bool store_key(const struct store *store, const char *uri, const char **key)
{
    return store->ops->key(store, uri, key);
}

bool store_key_is_good(const char *key)
{
    for (const char *part = key;;) {
        size_t length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.') ||
            (length == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        if (part[length] == '\0')
            return true;
        part += length + 1;
    }
}

int store_compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct store_entry *)a)->key, ((const struct store_entry *)b)->key);
}

bool store_read(struct store *store, const char *key, struct buffer *out, struct error *error)
{
    return store->ops->read(store, key, out, error);
}

bool store_source_open(struct store *store, const char *key, struct source *out,
                       struct error *error)
{
    return store->ops->source_open(store, key, out, error);
}

void store_source_close(struct source *source)
{
    if (source->context)
        ((struct store_source_head *)source->context)->ops->source_close(source);
    *source = (struct source){0};
}

bool store_put(struct store *store, const char *key, struct slice body, struct error *error)
{
    return store->ops->put(store, key, body, false, error);
}

bool store_put_if_absent(struct store *store, const char *key, struct slice body,
                         struct error *error)
{
    return store->ops->put(store, key, body, true, error);
}

struct store_writer *store_writer_open(struct store *store, const char *key, struct error *error)
{
    return store->ops->writer_open(store, key, error);
}

struct sink *store_writer_sink(struct store_writer *writer)
{
    return &writer->sink;
}

bool store_writer_commit(struct store_writer *writer, enum store_flush flush, struct error *error)
{
    return writer->store->ops->writer_commit(writer, flush, error);
}

void store_writer_abort(struct store_writer *writer)
{
    if (writer)
        writer->store->ops->writer_abort(writer);
}

bool store_sync(struct store *store, const char *const *keys, size_t count, struct pool *pool,
                struct error *error)
{
    return store->ops->sync(store, keys, count, pool, error);
}

bool store_list(struct store *store, const char *prefix, struct store_listing *out,
                struct error *error)
{
    return store->ops->list(store, prefix, out, error);
}

void store_listing_destroy(struct store_listing *listing)
{
    free(listing->entries);
    arena_destroy(&listing->arena);
    *listing = (struct store_listing){0};
}

bool store_has_folder(struct store *store, const char *key, bool *there, struct error *error)
{
    return store->ops->has_folder(store, key, there, error);
}

bool store_stat(struct store *store, const char *key, uint64_t *size, int64_t *modified_ms,
                struct error *error)
{
    return store->ops->stat(store, key, size, modified_ms, error);
}

bool store_exists(struct store *store, const char *key, bool *exists, struct error *error)
{
    struct error own = {0};
    *exists = store_stat(store, key, NULL, NULL, &own);
    if (*exists || own.kind == ERROR_NOT_FOUND || own.system == ENOTDIR)
        return true;
    if (error)
        *error = own;
    return false;
}

bool store_delete(struct store *store, const char *key, struct error *error)
{
    return store->ops->remove(store, key, error);
}

bool store_delete_many(struct store *store, const char *const *keys, size_t count,
                       struct error *error)
{
    if (store->ops->remove_many)
        return store->ops->remove_many(store, keys, count, error);
    for (size_t i = 0; i < count; i++)
        TRY(store->ops->remove(store, keys[i], error));
    return true;
}

bool store_sweep(struct store *store, const char *prefix, size_t *removed, struct error *error)
{
    return store->ops->sweep(store, prefix, removed, error);
}

/* Opening a place in a bucket as a store. */
#include "core/store/s3_store.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

/* What stands behind "s3://", "s3a://" or "s3n://"; NULL for other schemes. */
static const char *uri_rest(const char *uri)
{
    static const char *const schemes[] = {"s3://", "s3a://", "s3n://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncmp(uri, schemes[i], strlen(schemes[i])) == 0)
            return uri + strlen(schemes[i]);
    return NULL;
}

bool s3_is_uri(const char *uri)
{
    return uri_rest(uri) != NULL;
}

static bool bucket_is_good(struct slice name)
{
    if (name.length < 3 || name.length > 63)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == '_'))
            return false;
    }
    return name.data[0] != '.' && name.data[0] != '-';
}

/* "a//b/" becomes "a/b/": the key's parts, each with its slash; "" for nothing. */
static char *tidy_prefix(const char *path, struct error *error)
{
    char *out = memory_zero(strlen(path) + 2, 1, error);
    size_t length = 0;
    for (const char *at = path; out && *at;) {
        size_t part = strcspn(at, "/");
        if (part) {
            memcpy(out + length, at, part);
            length += part;
            out[length++] = '/';
        }
        at += part + (at[part] == '/');
    }
    return out;
}

/* A path with "." or ".." would be another one in every other client. */
static bool prefix_is_good(const char *prefix)
{
    size_t length = strlen(prefix);
    if (length == 0)
        return true;
    char *copy = memory_copy_slice(slice_make(prefix, length - 1), NULL);
    bool good = copy && store_key_is_good(copy);
    free(copy);
    return good;
}

static bool store_make(struct s3_store *store, const char *uri, struct error *error)
{
    const char *rest = uri_rest(uri);
    size_t length = strcspn(rest, "/");
    struct slice name = slice_make(rest, length);
    if (!bucket_is_good(name))
        return error_set(error, ERROR_CONFIG, "give s3://bucket/path",
                         "store %s: \"%.*s\" is no name of a bucket", uri, SLICE_ARG(name));
    TRY((store->bucket = memory_copy_slice(name, error)) != NULL);
    TRY((store->prefix = tidy_prefix(rest + length, error)) != NULL);
    if (!prefix_is_good(store->prefix))
        return error_set(error, ERROR_CONFIG, "give s3://bucket/path",
                         "store %s: the path has \".\" or \"..\" in it", uri);
    size_t prefix = strlen(store->prefix);
    store->base.uri = memory_format(error, "s3://%s%s%.*s", store->bucket, prefix ? "/" : "",
                                    prefix ? (int)prefix - 1 : 0, store->prefix);
    store->base.root = store->base.uri;
    return store->base.uri != NULL;
}

struct store *s3_open(const char *uri, const struct store_options *options, struct error *error)
{
    struct s3_store *store = memory_zero(1, sizeof *store, error);
    if (store == NULL)
        return NULL;
    store->base.ops = &s3_ops;
    store->base.durable = options ? options->durable : true;
    if (!store_make(store, uri, error) || (store->connection = s3_connection_take(error)) == NULL) {
        s3_store_free(store);
        return NULL;
    }
    return &store->base;
}

struct s3_store *s3_store_again(const struct s3_store *store, struct error *error)
{
    struct s3_store *copy = memory_zero(1, sizeof *copy, error);
    if (copy == NULL)
        return NULL;
    copy->base = (struct store){.ops = &s3_ops, .durable = store->base.durable};
    copy->connection = store->connection;
    atomic_fetch_add(&copy->connection->holders, 1);
    if (!store_make(copy, store->base.uri, error)) {
        s3_store_free(copy);
        return NULL;
    }
    return copy;
}

void s3_store_free(struct s3_store *store)
{
    if (store == NULL)
        return;
    s3_connection_release(store->connection);
    free(store->bucket);
    free(store->prefix);
    free(store->base.uri);
    free(store);
}

static void s3_close(struct store *store)
{
    s3_store_free((struct s3_store *)store);
}

static bool s3_key(const struct store *base, const char *uri, const char **key)
{
    const struct s3_store *store = (const struct s3_store *)base;
    const char *rest = uri_rest(uri);
    size_t bucket = strlen(store->bucket), prefix = strlen(store->prefix);
    if (rest == NULL || strncmp(rest, store->bucket, bucket) != 0 || rest[bucket] != '/')
        return false;
    rest += bucket + 1;
    if (strncmp(rest, store->prefix, prefix) != 0 || rest[prefix] == '\0')
        return false;
    *key = rest + prefix;
    return true;
}

/* What S3 has answered is on its disks. */
static bool s3_sync(struct store *store, const char *const *keys, size_t count, struct pool *pool,
                    struct error *error)
{
    (void)store;
    (void)keys;
    (void)count;
    (void)pool;
    (void)error;
    return true;
}

static bool s3_stat(struct store *base, const char *key, uint64_t *size, int64_t *modified_ms,
                    struct error *error)
{
    const struct s3_store *store = (const struct s3_store *)base;
    struct s3_object object;
    TRY(s3_check_key(store, key, error) && s3_head(store, key, &object, error));
    if (size)
        *size = object.size;
    if (modified_ms)
        *modified_ms = object.modified_ms;
    return true;
}

const struct store_ops s3_ops = {
    .close = s3_close,
    .key = s3_key,
    .read = s3_read,
    .source_open = s3_source_open,
    .source_close = s3_source_close,
    .put = s3_put,
    .writer_open = s3_writer_open,
    .writer_commit = s3_writer_commit,
    .writer_abort = s3_writer_abort,
    .sync = s3_sync,
    .list = s3_list_all,
    .stat = s3_stat,
    .remove = s3_remove,
    .remove_many = s3_remove_many,
    .sweep = s3_sweep,
    .has_folder = s3_has_folder,
    .root_exists = s3_bucket_exists,
    .root_make = s3_bucket_make,
    .root_remove = s3_bucket_remove,
};

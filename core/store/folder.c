/* Opening a folder as a store, and reading from it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/store/folder.h"

/* Skips "file:" and the empty authority; NULL for another scheme. */
static const char *uri_path(const char *uri)
{
    const char *colon = strchr(uri, ':');
    const char *slash = strchr(uri, '/');
    if (colon == NULL || colon == uri || (slash && slash < colon))
        return uri;
    if (strncmp(uri, "file:", 5) != 0)
        return strncmp(colon, "://", 3) == 0 ? NULL : uri;
    uri += 5;
    return strncmp(uri, "///", 3) == 0 ? uri + 2 : uri;
}

/* Removes double slashes and "." parts and the slash at the end; ".." stays for the kernel. */
static void path_tidy(char *path)
{
    char *to = path;
    const char *at = path;
    while (*at) {
        if (at[0] == '/' && at[1] == '/')
            at++;
        else if (at[0] == '/' && at[1] == '.' && (at[2] == '/' || at[2] == '\0'))
            at += 2;
        else
            *to++ = *at++;
    }
    while (to > path + 1 && to[-1] == '/')
        to--;
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

static char *path_absolute(const char *path, struct error *error)
{
    if (path[0] == '/')
        return memory_copy_text(path, error);
    char *here = getcwd(NULL, 0);
    if (here == NULL) {
        error_set_system(error, errno, "finding the current folder");
        return NULL;
    }
    char *joined = memory_format(error, "%s/%s", here, path);
    free(here);
    return joined;
}

static void folder_close(struct store *store)
{
    free(store->root);
    free(store->uri);
    free(store);
}

struct store *folder_open(const char *uri, const struct store_options *options, struct error *error)
{
    const char *path = uri_path(uri);
    if (path == NULL || *path == '\0') {
        error_set(error, path ? ERROR_CONFIG : ERROR_UNSUPPORTED,
                  "give a folder (/path, file:///path) or a place in a bucket (s3://bucket/path)",
                  "store %s: %s", uri, path ? "no path" : "no store of this kind is known");
        return NULL;
    }
    struct store *store = memory_zero(1, sizeof *store, error);
    if (store == NULL)
        return NULL;
    store->ops = &folder_ops;
    store->durable = options ? options->durable : true;
    store->root = path_absolute(path, error);
    if (store->root)
        path_tidy(store->root);
    store->uri = store->root ? memory_format(error, "file://%s", store->root) : NULL;
    if (store->uri == NULL) {
        folder_close(store);
        return NULL;
    }
    return store;
}

static bool folder_key(const struct store *store, const char *uri, const char **key)
{
    const char *path = uri_path(uri);
    size_t length = store->root[1] ? strlen(store->root) : 0;
    if (path == NULL || strncmp(path, store->root, length) != 0 || path[length] != '/' ||
        path[length + 1] == '\0')
        return false;
    *key = path + length + 1;
    return true;
}

char *store_path(const struct store *store, const char *key, struct error *error)
{
    if (!store_key_is_good(key)) {
        error_set(error, ERROR_INPUT, "keys are relative paths without '.', '..' or empty parts",
                  "%s: not a key: \"%s\"", store->root, key);
        return NULL;
    }
    return file_join(store->root, key, error);
}

char *store_path_folder(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    return memory_copy_slice(slice_make(slash ? path : ".", length), error);
}

bool store_make_folders(const struct store *store, const char *folder, struct error *error)
{
    char *copy = memory_copy_text(folder, error);
    if (copy == NULL)
        return false;
    bool ok = true;
    for (char *at = copy + 1; ok && at[-1]; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        struct stat status;
        if (mkdir(copy, 0777) == 0) {
            char *parent = store->durable ? store_path_folder(copy, error) : NULL;
            ok = !store->durable || (parent && file_sync_folder(parent, error));
            free(parent);
        } else {
            int number = errno;
            if (stat(copy, &status) != 0)
                ok = error_set_system(error, number, "creating folder %s", copy);
            else if (!S_ISDIR(status.st_mode))
                ok = error_set_system(error, ENOTDIR, "creating folder %s", folder);
        }
        *at = kept;
    }
    free(copy);
    return ok;
}

static bool folder_read(struct store *store, const char *key, struct buffer *out,
                        struct error *error)
{
    char *path = store_path(store, key, error);
    bool ok = path && file_read(path, out, error);
    free(path);
    return ok;
}

struct store_source {
    struct store_source_head head;
    int fd;
    char *path;
    char *map;
    size_t length;
};

static bool source_read_at(void *context, uint64_t offset, void *out, size_t length,
                           struct error *error)
{
    const struct store_source *source = context;
    char *at = out;
    while (length) {
        ssize_t got = pread(source->fd, at, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_system(error, errno, "reading %s", source->path);
        if (got == 0)
            return error_set(error, ERROR_INPUT, "it was cut while being read: fetch it again",
                             "%s: ends at byte %llu, but was longer when it was opened",
                             source->path, (unsigned long long)offset);
        at += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

static const char *source_map(void *context)
{
    return ((struct store_source *)context)->map;
}

static void source_free(struct store_source *source)
{
    if (source == NULL)
        return;
    if (source->map)
        munmap(source->map, source->length);
    if (source->fd >= 0)
        close(source->fd);
    free(source->path);
    free(source);
}

static bool folder_source_open(struct store *store, const char *key, struct source *out,
                               struct error *error)
{
    struct store_source *source = memory_zero(1, sizeof *source, error);
    if (source == NULL)
        return false;
    source->head.ops = &folder_ops;
    source->fd = -1;
    source->path = store_path(store, key, error);
    bool ok = source->path != NULL;
    struct stat status = {0};
    if (ok) {
        source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
        ok = source->fd >= 0 || error_set_system(error, errno, "%s", source->path);
    }
    if (ok && fstat(source->fd, &status) != 0)
        ok = error_set_system(error, errno, "%s", source->path);
    if (ok && !S_ISREG(status.st_mode))
        ok = error_set(error, ERROR_INPUT, NULL, "%s: not a file", source->path);
    if (!ok) {
        source_free(source);
        return false;
    }
    source->length = (size_t)status.st_size;
    if (source->length) {
        /* Where mapping fails (a file system without it), read() serves alone. */
        void *map = mmap(NULL, source->length, PROT_READ, MAP_SHARED, source->fd, 0);
        source->map = map == MAP_FAILED ? NULL : map;
    }
    *out = (struct source){source, source->length, source->path, source_read_at, source_map};
    return true;
}

static void folder_source_close(struct source *source)
{
    source_free(source->context);
}

static bool folder_stat(struct store *store, const char *key, uint64_t *size, int64_t *modified_ms,
                        struct error *error)
{
    char *path = store_path(store, key, error);
    struct stat status;
    bool ok = path != NULL;
    if (ok && stat(path, &status) != 0)
        ok = error_set_system(error, errno, "%s", path);
    if (ok && !S_ISREG(status.st_mode))
        ok = error_set(error, ERROR_NOT_FOUND, NULL, "%s: not a file", path);
    if (ok && size)
        *size = (uint64_t)status.st_size;
    if (ok && modified_ms)
        *modified_ms = (int64_t)status.st_mtim.tv_sec * 1000 + status.st_mtim.tv_nsec / 1000000;
    free(path);
    return ok;
}

static bool folder_delete(struct store *store, const char *key, struct error *error)
{
    char *path = store_path(store, key, error);
    bool ok = path && FAULT("store.delete.before", error);
    if (ok && unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
        ok = error_set_system(error, errno, "deleting %s", path);
    free(path);
    return ok;
}

static bool folder_has(struct store *store, const char *key, bool *there, struct error *error)
{
    char *path = *key ? file_join(store->root, key, error) : memory_copy_text(store->root, error);
    struct stat status;
    TRY(path != NULL);
    *there = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    free(path);
    return true;
}

static bool folder_exists(struct store *store, bool *exists, struct error *error)
{
    return folder_has(store, "", exists, error);
}

static bool folder_make(struct store *store, struct error *error)
{
    return file_make_folders(store->root, 0770, error);
}

static bool folder_remove(struct store *store, bool *removed, struct error *error)
{
    *removed = rmdir(store->root) == 0 || errno == ENOENT;
    return *removed || errno == ENOTEMPTY || errno == EEXIST ||
           error_set_system(error, errno, "removing %s", store->root);
}

const struct store_ops folder_ops = {
    .close = folder_close,
    .key = folder_key,
    .read = folder_read,
    .source_open = folder_source_open,
    .source_close = folder_source_close,
    .put = folder_put,
    .writer_open = folder_writer_open,
    .writer_commit = folder_writer_commit,
    .writer_abort = folder_writer_abort,
    .sync = folder_sync,
    .list = folder_list,
    .stat = folder_stat,
    .remove = folder_delete,
    .sweep = folder_sweep,
    .has_folder = folder_has,
    .root_exists = folder_exists,
    .root_make = folder_make,
    .root_remove = folder_remove,
};

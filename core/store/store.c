#include "core/store/store.h"

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

struct store *store_open(const char *uri, const struct store_options *options, struct error *error)
{
    const char *path = uri_path(uri);
    if (path == NULL || *path == '\0') {
        error_set(error, path ? ERROR_CONFIG : ERROR_UNSUPPORTED,
                  "give a folder: /path, or file:///path", "store %s: %s", uri,
                  path ? "no path" : "this version reads and writes folders only");
        return NULL;
    }
    struct store *store = memory_zero(1, sizeof *store, error);
    if (store == NULL)
        return NULL;
    store->durable = options ? options->durable : true;
    store->root = path_absolute(path, error);
    if (store->root)
        path_tidy(store->root);
    store->uri = store->root ? memory_format(error, "file://%s", store->root) : NULL;
    if (store->uri == NULL) {
        store_close(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    free(store->root);
    free(store->uri);
    free(store);
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

bool store_key(const struct store *store, const char *uri, const char **key)
{
    const char *path = uri_path(uri);
    size_t length = store->root[1] ? strlen(store->root) : 0;
    if (path == NULL || strncmp(path, store->root, length) != 0 || path[length] != '/' ||
        path[length + 1] == '\0')
        return false;
    *key = path + length + 1;
    return true;
}

/* A key is made of non-empty parts that are neither "." nor "..". */
static bool key_is_good(const char *key)
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

char *store_path(const struct store *store, const char *key, struct error *error)
{
    if (!key_is_good(key)) {
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

bool store_read(struct store *store, const char *key, struct buffer *out, struct error *error)
{
    char *path = store_path(store, key, error);
    bool ok = path && file_read(path, out, error);
    free(path);
    return ok;
}

struct store_source {
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

bool store_source_open(struct store *store, const char *key, struct source *out,
                       struct error *error)
{
    struct store_source *source = memory_zero(1, sizeof *source, error);
    if (source == NULL)
        return false;
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

void store_source_close(struct source *source)
{
    source_free(source->context);
    *source = (struct source){0};
}

bool store_stat(struct store *store, const char *key, uint64_t *size, int64_t *modified_ms,
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
    char *path = store_path(store, key, error);
    bool ok = path && FAULT("store.delete.before", error);
    if (ok && unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR)
        ok = error_set_system(error, errno, "deleting %s", path);
    free(path);
    return ok;
}

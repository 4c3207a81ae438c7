/* Listing and sweeping a folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/store/folder.h"

enum { WALK_DEPTH = 64 };

/* One walk over a tree; `file` is called for every file whose key begins with the prefix. */
struct walk {
    const struct store *store;
    struct slice prefix;
    bool temporaries; /* visit only these, else only the others */
    bool (*file)(struct walk *walk, const char *path, const char *key, const struct stat *status,
                 struct error *error);
    struct store_listing *listing;
    size_t capacity;
    size_t removed;
};

static bool walk_folder(struct walk *walk, const char *path, const char *key, int depth,
                        struct error *error);

/* A name may vanish between readdir and stat; a link that leads nowhere is a fault to report. */
static bool walk_stat(const char *path, struct stat *status, bool *gone, struct error *error)
{
    *gone = false;
    if (stat(path, status) == 0)
        return true;
    int number = errno;
    struct stat link;
    if (number == ENOENT && lstat(path, &link) != 0 && errno == ENOENT) {
        *gone = true;
        return true;
    }
    return error_set_system(error, number, "listing %s", path);
}

/* Whether anything below the folder `key` ("a/b/") can begin with the prefix. */
static bool walk_may_match(const struct walk *walk, struct slice key)
{
    return slice_starts_with(key, walk->prefix) || slice_starts_with(walk->prefix, key);
}

static bool walk_entry(struct walk *walk, const char *folder, const char *parent_key,
                       const char *name, int depth, struct error *error)
{
    char *path = file_join(folder, name, error);
    char *key = path ? memory_format(error, "%s%s", parent_key, name) : NULL;
    char *folder_key = key ? memory_format(error, "%s/", key) : NULL;
    bool ok = folder_key != NULL;
    struct stat status = {0};
    bool gone = false;
    bool wanted = ok && (walk_may_match(walk, slice_of(folder_key)) ||
                         slice_starts_with(slice_of(key), walk->prefix));
    ok = ok && (!wanted || walk_stat(path, &status, &gone, error));
    if (ok && wanted && !gone) {
        if (S_ISDIR(status.st_mode))
            ok = walk_folder(walk, path, folder_key, depth + 1, error);
        else if (S_ISREG(status.st_mode) && slice_starts_with(slice_of(key), walk->prefix) &&
                 store_name_is_temporary(name) == walk->temporaries)
            ok = walk->file(walk, path, key, &status, error);
    }
    free(path);
    free(key);
    free(folder_key);
    return ok;
}

static bool walk_folder(struct walk *walk, const char *path, const char *key, int depth,
                        struct error *error)
{
    if (depth > WALK_DEPTH)
        return error_set(error, ERROR_IO, "is a link pointing back up the tree?",
                         "listing %s: more than %d folders deep", path, WALK_DEPTH);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        /* Below the root a folder may have gone since it was seen. */
        if (errno == ENOENT && depth > 0)
            return true;
        return error_set_system(error, errno, "listing %s", path);
    }
    bool ok = true;
    while (ok) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            ok = errno == 0 || error_set_system(error, errno, "listing %s", path);
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = walk_entry(walk, path, key, entry->d_name, depth, error);
    }
    closedir(folder);
    return ok;
}

/* Starts as deep as the prefix names whole folders, so that a table's listing does not read its
 * neighbours. */
static bool walk_run(struct walk *walk, struct error *error)
{
    struct stat status;
    if (stat(walk->store->root, &status) != 0)
        return error_set_system(error, errno, "listing %s", walk->store->root);
    const char *end = walk->prefix.length ? strrchr(walk->prefix.data, '/') : NULL;
    if (end == NULL)
        return walk_folder(walk, walk->store->root, "", 0, error);
    char *folder =
        memory_copy_slice(slice_make(walk->prefix.data, (size_t)(end - walk->prefix.data)), error);
    char *path = folder ? store_path(walk->store, folder, error) : NULL;
    char *key = path ? memory_format(error, "%s/", folder) : NULL;
    bool ok = key && walk_folder(walk, path, key, 1, error);
    free(folder);
    free(path);
    free(key);
    return ok;
}

static bool list_file(struct walk *walk, const char *path, const char *key,
                      const struct stat *status, struct error *error)
{
    (void)path;
    struct store_listing *listing = walk->listing;
    TRY(memory_grow(&listing->entries, &walk->capacity, listing->count + 1,
                    sizeof *listing->entries, error));
    struct store_entry *entry = &listing->entries[listing->count];
    entry->key = arena_copy_text(&listing->arena, key, error);
    entry->size = (uint64_t)status->st_size;
    entry->modified_ms = (int64_t)status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
    listing->count += entry->key != NULL;
    return entry->key != NULL;
}

bool folder_list(struct store *store, const char *prefix, struct store_listing *out,
                 struct error *error)
{
    *out = (struct store_listing){0};
    struct walk walk = {
        .store = store, .prefix = slice_of(prefix), .file = list_file, .listing = out};
    if (!walk_run(&walk, error)) {
        store_listing_destroy(out);
        return false;
    }
    if (out->count)
        qsort(out->entries, out->count, sizeof *out->entries, store_compare_entries);
    return true;
}

/* A living writer holds the lock of its file. */
static bool sweep_file(struct walk *walk, const char *path, const char *key,
                       const struct stat *status, struct error *error)
{
    (void)key;
    (void)status;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || error_set_system(error, errno, "sweeping %s", path);
    bool ok = true;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        if (unlink(path) == 0)
            walk->removed++;
        else
            ok = errno == ENOENT || error_set_system(error, errno, "sweeping %s", path);
    }
    close(fd);
    return ok;
}

bool folder_sweep(struct store *store, const char *prefix, size_t *removed, struct error *error)
{
    struct walk walk = {
        .store = store, .prefix = slice_of(prefix), .temporaries = true, .file = sweep_file};
    bool ok = walk_run(&walk, error);
    if (removed)
        *removed = walk.removed;
    return ok;
}

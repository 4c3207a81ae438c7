/* Writing into a folder: a locked temporary file beside the object, then link(2) or rename(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/store/folder.h"

enum { WRITER_BUFFER = 256 * 1024 };

struct folder_writer {
    struct store_writer base;
    int fd;
    char *path;
    char *folder;
    char *temporary;
    char *buffer;
    size_t buffered;
};

bool store_name_is_temporary(const char *name)
{
    struct slice text = slice_of(name);
    return slice_starts_with(text, SLICE_LITERAL(STORE_TEMPORARY_PREFIX)) &&
           slice_ends_with(text, SLICE_LITERAL(STORE_TEMPORARY_SUFFIX));
}

/* Creates the temporary file and takes its lock. A sweeper holds the lock while it removes a file,
 * so one that lost its name before we got the lock was swept: take another. */
static bool temporary_create(struct folder_writer *writer, struct error *error)
{
    for (;;) {
        uint8_t uuid[16];
        char unique[UUID_TEXT_SIZE];
        TRY(uuid_make(uuid, error));
        uuid_format(uuid, unique);
        free(writer->temporary);
        writer->temporary =
            memory_format(error, "%s/" STORE_TEMPORARY_PREFIX "%s" STORE_TEMPORARY_SUFFIX,
                          writer->folder, unique);
        if (writer->temporary == NULL)
            return false;
        int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
        writer->fd = open(writer->temporary, flags, 0666);
        if (writer->fd < 0 && errno == ENOENT) {
            TRY(store_make_folders(writer->base.store, writer->folder, error));
            writer->fd = open(writer->temporary, flags, 0666);
        }
        if (writer->fd < 0)
            return error_set_system(error, errno, "writing in %s", writer->folder);
        struct stat status;
        while (flock(writer->fd, LOCK_EX) != 0 && errno == EINTR)
            continue;
        if (fstat(writer->fd, &status) != 0)
            return error_set_system(error, errno, "%s", writer->temporary);
        if (status.st_nlink > 0)
            return true;
        close(writer->fd);
        writer->fd = -1;
    }
}

static bool writer_flush(struct folder_writer *writer, struct error *error)
{
    TRY(FAULT("store.write.before", error));
    bool ok = file_write_all(writer->fd, writer->buffer, writer->buffered, writer->path, error);
    writer->buffered = 0;
    return ok;
}

static bool writer_write(void *context, const void *data, size_t length, struct error *error)
{
    struct folder_writer *writer = context;
    if (writer->buffered + length > WRITER_BUFFER) {
        TRY(writer_flush(writer, error));
        if (length >= WRITER_BUFFER) {
            TRY(FAULT("store.write.large", error));
            return file_write_all(writer->fd, data, length, writer->path, error);
        }
    }
    memcpy(writer->buffer + writer->buffered, data, length);
    writer->buffered += length;
    return true;
}

static void writer_free(struct folder_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->path);
    free(writer->folder);
    free(writer->temporary);
    free(writer->buffer);
    free(writer);
}

static void writer_discard(struct folder_writer *writer)
{
    if (writer->fd >= 0)
        unlink(writer->temporary);
    writer_free(writer);
}

void folder_writer_abort(struct store_writer *writer)
{
    writer_discard((struct folder_writer *)writer);
}

static struct folder_writer *writer_open(struct store *store, const char *key, struct error *error)
{
    struct folder_writer *writer = memory_zero(1, sizeof *writer, error);
    if (writer == NULL)
        return NULL;
    writer->base.store = store;
    writer->fd = -1;
    writer->path = store_path(store, key, error);
    writer->folder = writer->path ? store_path_folder(writer->path, error) : NULL;
    writer->buffer = writer->folder ? memory_zero(WRITER_BUFFER, 1, error) : NULL;
    if (writer->buffer == NULL || !temporary_create(writer, error)) {
        writer_discard(writer);
        return NULL;
    }
    writer->base.sink = (struct sink){writer, 0, writer_write};
    return writer;
}

struct store_writer *folder_writer_open(struct store *store, const char *key, struct error *error)
{
    struct folder_writer *writer = writer_open(store, key, error);
    return writer ? &writer->base : NULL;
}

/* Whether `path` is the very file behind `fd`. */
static bool same_file(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

/* Gives the temporary file its name. Any answer but "done" may hide a link that was made (EIO, or
 * EEXIST to a repeated request on NFS), so the name decides: is it our file? */
static bool writer_link(struct folder_writer *writer, struct error *error)
{
    bool linked = link(writer->temporary, writer->path) == 0;
    int number = linked ? 0 : errno;
    struct error lost = {0};
    if (linked && !FAULT("store.link.reply", &lost))
        number = EIO;
    if (number == 0 || same_file(writer->fd, writer->path))
        return true;
    if (number == EEXIST)
        return error_set(error, ERROR_EXISTS, "another writer was first: read again and retry",
                         "%s: exists already", writer->path);
    return error_set_system(error, number, "creating %s", writer->path);
}

/* The folder's entry is made but may not be on the disk. */
static bool writer_sync_folder(struct folder_writer *writer, struct error *error)
{
    struct error own = {0};
    if (FAULT("store.commit.before-folder-sync", &own) && file_sync_folder(writer->folder, &own))
        return true;
    return error_set(error, ERROR_UNKNOWN,
                     "the disk reported an error after the file got its name: look at the "
                     "machine's disks, then read the object again before relying on it",
                     "%s: written, but not surely on the disk: %s", writer->path, own.message);
}

static bool writer_sync_file(struct folder_writer *writer, struct error *error)
{
    TRY(FAULT("store.commit.before-sync", error));
    return fsync(writer->fd) == 0 || error_set_system(error, errno, "fsync %s", writer->temporary);
}

enum writer_publish { PUBLISH_NEW, PUBLISH_REPLACE };

static bool writer_publish(struct folder_writer *writer, enum writer_publish how,
                           enum store_flush flush, struct error *error)
{
    bool durable = writer->base.store->durable && flush == STORE_FLUSH_NOW;
    bool ok = writer_flush(writer, error) && (!durable || writer_sync_file(writer, error)) &&
              FAULT("store.commit.before-name", error);
    if (ok && how == PUBLISH_NEW)
        ok = writer_link(writer, error);
    else if (ok && rename(writer->temporary, writer->path) != 0)
        ok = error_set_system(error, errno, "renaming to %s", writer->path);
    if (!ok || how == PUBLISH_NEW)
        unlink(writer->temporary);
    if (ok && durable)
        ok = writer_sync_folder(writer, error);
    writer_free(writer);
    if (ok)
        (void)FAULT("store.commit.after-name", NULL); /* to be killed at; nothing fails here */
    return ok;
}

bool folder_writer_commit(struct store_writer *writer, enum store_flush flush, struct error *error)
{
    return writer_publish((struct folder_writer *)writer, PUBLISH_NEW, flush, error);
}

bool folder_put(struct store *store, const char *key, struct slice body, bool if_absent,
                struct error *error)
{
    struct folder_writer *writer = writer_open(store, key, error);
    if (writer == NULL)
        return false;
    if (!sink_write(&writer->base.sink, body.data, body.length, error)) {
        writer_discard(writer);
        return false;
    }
    return writer_publish(writer, if_absent ? PUBLISH_NEW : PUBLISH_REPLACE, STORE_FLUSH_NOW,
                          error);
}

struct flush_wave {
    char **paths;
};

static bool flush_one(void *context, size_t index, struct error *error)
{
    const char *path = ((struct flush_wave *)context)->paths[index];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_system(error, errno, "%s", path);
    bool ok = fsync(fd) == 0 || error_set_system(error, errno, "fsync %s", path);
    close(fd);
    return ok;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Puts the folders of `paths`, up to the root, into `folders`, each once. */
static bool wave_folders(const struct store *store, char *const *paths, size_t count,
                         char ***folders, size_t *folder_count, size_t *capacity,
                         struct error *error)
{
    size_t root = strlen(store->root);
    for (size_t i = 0; i < count; i++) {
        char *folder = store_path_folder(paths[i], error);
        while (folder) {
            bool known = false;
            for (size_t k = *folder_count; k > 0 && !known; k--)
                known = strcmp((*folders)[k - 1], folder) == 0;
            if (known ||
                !memory_grow(folders, capacity, *folder_count + 1, sizeof **folders, error)) {
                free(folder);
                if (!known)
                    return false;
                break;
            }
            (*folders)[(*folder_count)++] = folder;
            if (strlen(folder) <= root)
                break;
            folder = store_path_folder(folder, error);
        }
        if (folder == NULL)
            return false;
    }
    qsort(*folders, *folder_count, sizeof **folders, compare_texts);
    return true;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

bool folder_sync(struct store *store, const char *const *keys, size_t count, struct pool *pool,
                 struct error *error)
{
    if (!store->durable || count == 0)
        return true;
    char **paths = memory_zero(count, sizeof *paths, error);
    char **folders = NULL;
    size_t folder_count = 0, capacity = 0;
    bool ok = paths != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = (paths[i] = store_path(store, keys[i], error)) != NULL;
    ok = ok && wave_folders(store, paths, count, &folders, &folder_count, &capacity, error);
    struct flush_wave wave = {paths};
    ok = ok && FAULT("store.sync.before-files", error) &&
         pool_run(pool, count, flush_one, &wave, error);
    struct flush_wave folder_wave = {folders};
    ok = ok && FAULT("store.sync.before-folders", error) &&
         pool_run(pool, folder_count, flush_one, &folder_wave, error);
    free_texts(paths, count);
    free_texts(folders, folder_count);
    return ok;
}

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dirent.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/merge/feed.h"

struct feed_watch {
    int fd;         /* of inotify; -1: the timeout alone */
    char **folders; /* local paths */
    size_t count, capacity;
};

/* A file that was closed after writing or moved in; a new partition's folder. */
static const uint32_t events =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_ONLYDIR;

/* "file:///a", "file:/a" and "/a" are the same folder; NULL for other schemes. */
static const char *local_path(const char *uri)
{
    if (strncmp(uri, "file:", 5) == 0)
        return strncmp(uri + 5, "///", 3) == 0 ? uri + 7 : uri + 5;
    return strstr(uri, "://") ? NULL : uri;
}

/* Watching a folder twice is harmless: the kernel knows it. A folder that is not there yet will be
 * found after a timeout. */
static bool watch_folder(struct feed_watch *watch, const char *path, struct error *error)
{
    if (inotify_add_watch(watch->fd, path, events) >= 0 || errno == ENOENT || errno == ENOTDIR)
        return true;
    if (errno == ENOSPC)
        return error_set(error, ERROR_IO,
                         "raise fs.inotify.max_user_watches (sysctl), or merge by schedule",
                         "watching folder %s: no watches left", path);
    return error_set_system(error, errno, "watching folder %s", path);
}

static bool watch_parts(struct feed_watch *watch, const char *path, struct error *error)
{
    TRY(watch_folder(watch, path, error));
    DIR *folder = opendir(path);
    if (folder == NULL)
        return errno == ENOENT || errno == ENOTDIR ||
               error_set_system(error, errno, "reading folder %s", path);
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        char *part = file_join(path, entry->d_name, error);
        good = part && watch_folder(watch, part, error);
        free(part);
    }
    closedir(folder);
    return good;
}

struct feed_watch *feed_watch_open(const char *const *folders, size_t count, struct error *error)
{
    struct feed_watch *watch = memory_zero(1, sizeof *watch, error);
    if (watch == NULL)
        return NULL;
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bool good = watch->fd >= 0 || error_set_system(error, errno, "starting inotify");
    for (size_t i = 0; good && i < count; i++) {
        const char *path = local_path(folders[i]);
        if (path == NULL)
            continue;
        good = memory_grow(&watch->folders, &watch->capacity, watch->count + 1,
                           sizeof *watch->folders, error);
        char *copy = good ? memory_copy_text(path, error) : NULL;
        good = copy != NULL;
        if (good)
            watch->folders[watch->count++] = copy;
        good = good && watch_parts(watch, path, error);
    }
    if (good)
        return watch;
    feed_watch_close(watch);
    return NULL;
}

void feed_watch_close(struct feed_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->fd >= 0)
        close(watch->fd);
    for (size_t i = 0; i < watch->count; i++)
        free(watch->folders[i]);
    free(watch->folders);
    free(watch);
}

/* Empties the queue; new folders are watched from now on. */
static bool drain(struct feed_watch *watch, bool *folders_changed, struct error *error)
{
    _Alignas(struct inotify_event) char buffer[16384];
    for (;;) {
        ssize_t length = read(watch->fd, buffer, sizeof buffer);
        if (length < 0)
            return errno == EAGAIN || error_set_system(error, errno, "reading inotify");
        for (char *at = buffer; at < buffer + length;) {
            const struct inotify_event *event = (const void *)at;
            /* After an overflow anything may have happened. */
            *folders_changed |= (event->mask & (IN_ISDIR | IN_Q_OVERFLOW)) != 0;
            at += sizeof *event + event->len;
        }
    }
}

bool feed_watch_wait(struct feed_watch *watch, int64_t timeout_ms, bool *woken, struct error *error)
{
    struct pollfd ready = {.fd = watch->fd, .events = POLLIN};
    int timeout = timeout_ms > 3600000 ? 3600000 : (int)timeout_ms;
    int count = poll(&ready, 1, timeout < 0 ? 0 : timeout);
    *woken = count > 0;
    if (count < 0)
        return errno == EINTR ? error_set(error, ERROR_INTERRUPTED, NULL,
                                          "interrupted while waiting for files")
                              : error_set_system(error, errno, "waiting for files");
    bool folders_changed = count == 0; /* a folder that was not there may be now */
    if (count > 0)
        TRY(drain(watch, &folders_changed, error));
    for (size_t i = 0; folders_changed && i < watch->count; i++)
        TRY(watch_parts(watch, watch->folders[i], error));
    return true;
}

#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/random.h"

bool file_read(const char *path, struct buffer *out, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_system(error, errno, "%s", path);
    struct stat status;
    bool ok = true;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        ok = error_set_system(error, EISDIR, "%s", path);
    while (ok) {
        ok = buffer_reserve(out, 1 << 16, error);
        if (!ok)
            break;
        ssize_t got = read(fd, out->data + out->length, out->capacity - out->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            ok = error_set_system(error, errno, "%s", path);
        if (got <= 0)
            break;
        out->length += (size_t)got;
    }
    close(fd);
    return ok;
}

bool file_write_all(int fd, const void *data, size_t length, const char *name, struct error *error)
{
    const char *at = data;
    while (length) {
        ssize_t put = write(fd, at, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_set_system(error, errno, "writing %s", name);
        at += put;
        length -= (size_t)put;
    }
    return true;
}

bool file_sync_folder(const char *path, struct error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set_system(error, errno, "%s", path);
    bool ok = fsync(fd) == 0 || errno == EINVAL || error_set_system(error, errno, "fsync %s", path);
    close(fd);
    return ok;
}

static char *file_parent(const char *path, struct error *error)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_copy_text(".", error);
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    return memory_copy_slice(slice_make(path, length), error);
}

bool file_write_atomic(const char *path, struct slice bytes, mode_t mode, struct error *error)
{
    uint8_t uuid[16];
    char unique[UUID_TEXT_SIZE];
    TRY(uuid_make(uuid, error));
    uuid_format(uuid, unique);
    char *temporary = memory_format(error, "%s.%s.tmp", path, unique);
    char *folder = file_parent(path, error);
    bool ok = temporary && folder;
    int fd = -1;
    if (ok) {
        fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        ok = fd >= 0 || error_set_system(error, errno, "creating %s", temporary);
    }
    if (fd >= 0) {
        ok = file_write_all(fd, bytes.data, bytes.length, temporary, error);
        if (ok && fsync(fd) != 0)
            ok = error_set_system(error, errno, "fsync %s", temporary);
        if (close(fd) != 0 && ok)
            ok = error_set_system(error, errno, "closing %s", temporary);
        if (ok && rename(temporary, path) != 0)
            ok = error_set_system(error, errno, "renaming to %s", path);
        if (ok)
            ok = file_sync_folder(folder, error);
        else
            unlink(temporary);
    }
    free(temporary);
    free(folder);
    return ok;
}

bool file_make_folders(const char *path, mode_t mode, struct error *error)
{
    char *copy = memory_copy_text(path, error);
    if (copy == NULL)
        return false;
    bool ok = true;
    for (char *at = copy + 1; ok && at[-1]; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        struct stat status;
        if (mkdir(copy, mode) != 0 &&
            !(errno == EEXIST && stat(copy, &status) == 0 && S_ISDIR(status.st_mode)))
            ok = error_set_system(error, errno, "creating folder %s", copy);
        *at = kept;
    }
    free(copy);
    return ok;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *file_join(const char *folder, const char *name, struct error *error)
{
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    while (*name == '/')
        name++;
    bool root = length == 1 && folder[0] == '/';
    return memory_format(error, "%.*s%s%s", (int)length, folder, root ? "" : "/", name);
}

static int file_remove_entry(const char *path, const struct stat *status, int type,
                             struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

bool file_remove_tree(const char *path, struct error *error)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return errno == ENOENT || error_set_system(error, errno, "%s", path);
    int number = nftw(path, file_remove_entry, 32, FTW_DEPTH | FTW_PHYS);
    if (number != 0)
        return error_set_system(error, number > 0 ? number : errno, "removing %s", path);
    return true;
}

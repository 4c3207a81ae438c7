#include "core/pipeline/run_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/datetime.h"
#include "core/base/memory.h"
#include "core/pipeline/run.h"

enum { RUN_CHUNK = 8192, RUN_LINE_MOST = 4 << 20, RUN_LINES_BACK = 64 };

bool run_file_number(const char *name, unsigned long *out)
{
    size_t digits = strspn(name, "0123456789");
    if (digits == 0 || digits > 12 || strcmp(name + digits, ".jsonl") != 0)
        return false;
    *out = strtoul(name, NULL, 10);
    return true;
}

static int run_compare_down(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
    return (x < y) - (x > y);
}

bool run_file_numbers(const char *folder, unsigned long **out, size_t *count, struct error *error)
{
    *out = NULL;
    *count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL && errno == ENOENT)
        return true; /* nothing ever ran */
    if (directory == NULL)
        return error_set_system(error, errno, "%s", folder);
    size_t capacity = 0;
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(directory));) {
        unsigned long number;
        if (!run_file_number(entry->d_name, &number))
            continue;
        ok = memory_grow(out, &capacity, *count + 1, sizeof **out, error);
        if (ok)
            (*out)[(*count)++] = number;
    }
    closedir(directory);
    if (ok && *count)
        qsort(*out, *count, sizeof **out, run_compare_down);
    return ok;
}

char *run_file_path(const struct profile *profile, const char *id, struct error *error)
{
    size_t length = strlen(id);
    if (length && length <= 12 && strspn(id, "0123456789") == length) {
        char *path =
            memory_format(error, "%s/runs/%04lu.jsonl", profile->state, strtoul(id, NULL, 10));
        if (path == NULL || access(path, F_OK) == 0)
            return path;
        free(path);
    }
    error_set(error, ERROR_NOT_FOUND, "surfboard runs lists them", "there is no run %s", id);
    return NULL;
}

bool run_file_is_locked(int fd)
{
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        flock(fd, LOCK_UN);
        return false;
    }
    return errno == EWOULDBLOCK;
}

bool run_file_check_format(const json_t *start, const char *path, struct error *error)
{
    json_int_t format = json_integer_value(json_object_get(start, "format"));
    return format <= RUN_FORMAT ||
           error_set(error, ERROR_CONFIG, "use the surfboard that wrote it, or a newer one",
                     "run %s: format %lld is newer than this surfboard reads (%d)", path,
                     (long long)format, RUN_FORMAT);
}

int64_t run_event_time(const json_t *event)
{
    const char *at = json_string_value(json_object_get(event, "at"));
    int64_t us;
    return at && datetime_parse_timestamptz(slice_of(at), &us) ? us : -1;
}

/* ---- both ends ---- */

/* Appends up to `length` bytes from `offset`. */
static bool run_read_at(int fd, const char *path, int64_t offset, size_t length, struct buffer *out,
                        struct error *error)
{
    TRY(buffer_reserve(out, length, error));
    while (length) {
        ssize_t got = pread(fd, out->data + out->length, length, offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_system(error, errno, "reading %s", path);
        if (got == 0)
            return true;
        out->length += (size_t)got;
        offset += got;
        length -= (size_t)got;
    }
    return true;
}

static bool run_read_first(int fd, const char *path, struct run_ends *out, struct error *error)
{
    struct buffer text = {0};
    const char *end = NULL;
    bool ok = true;
    while (ok && end == NULL && (int64_t)text.length < out->size && text.length < RUN_LINE_MOST) {
        ok = run_read_at(fd, path, (int64_t)text.length, RUN_CHUNK, &text, error);
        end = ok && text.length ? memchr(text.data, '\n', text.length) : NULL;
    }
    if (ok && end)
        out->start = json_loadb(text.data, (size_t)(end - text.data), 0, NULL);
    buffer_destroy(&text);
    return ok;
}

static bool event_is(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, "event"));
    return text && strcmp(text, name) == 0;
}

/* Goes back over the whole lines of `text`, the end of the file, to the last event and the last
 * progress. What no JSON can be made of (zeros behind a power failure) is passed over. */
static void run_scan_back(struct slice text, bool whole, struct run_ends *out)
{
    size_t end = text.length;
    while (end && text.data[end - 1] != '\n')
        end--;
    out->torn = end < text.length;
    for (int lines = 0; end && lines < RUN_LINES_BACK && out->report == NULL; lines++) {
        size_t start = end - 1;
        while (start && text.data[start - 1] != '\n')
            start--;
        if (start == 0 && !whole)
            return; /* its beginning lies before the window */
        json_t *event = json_loadb(text.data + start, end - 1 - start, 0, NULL);
        out->torn |= event == NULL && out->last == NULL;
        if (event && out->last == NULL)
            out->last = json_incref(event);
        if (event_is(event, "progress"))
            out->report = json_incref(event);
        json_decref(event);
        end = start;
    }
}

bool run_file_ends(int fd, const char *path, struct run_ends *out, struct error *error)
{
    *out = (struct run_ends){0};
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set_system(error, errno, "%s", path);
    out->size = status.st_size;
    bool ok = run_read_first(fd, path, out, error);
    struct buffer text = {0};
    for (int64_t window = RUN_CHUNK; ok && out->last == NULL; window *= 8) {
        int64_t from = out->size > window ? out->size - window : 0;
        buffer_clear(&text);
        ok = run_read_at(fd, path, from, (size_t)(out->size - from), &text, error);
        if (ok)
            run_scan_back(buffer_slice(&text), from == 0, out);
        if (from == 0 || window > RUN_LINE_MOST)
            break;
    }
    buffer_destroy(&text);
    if (!ok)
        run_ends_destroy(out);
    return ok;
}

void run_ends_destroy(struct run_ends *ends)
{
    json_decref(ends->start);
    json_decref(ends->last);
    json_decref(ends->report);
    *ends = (struct run_ends){0};
}

#include "core/pipeline/run_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/memory.h"
#include "core/pipeline/run_file.h"

enum { TAIL_CHUNK = 16384 };

struct run_tail {
    int fd;
    char *path;
    struct buffer text; /* read and not given out, from `at` on */
    size_t at;
    int64_t offset; /* in the file, of text.data[at] */
    bool skip;      /* up to the next newline: the beginning of that line was not read */
    enum run_tail_state state;
    int exit_code;
};

static bool tail_start(struct run_tail *tail, int64_t offset, struct error *error)
{
    struct run_ends ends;
    TRY(run_file_ends(tail->fd, tail->path, &ends, error));
    bool ok = run_file_check_format(ends.start, tail->path, error);
    if (offset < 0) {
        offset = ends.size + offset;
        tail->skip = offset > 0;
        offset = offset > 0 ? offset - 1 : 0; /* a newline just there ends the line before */
    }
    tail->offset = offset;
    run_ends_destroy(&ends);
    return ok;
}

struct run_tail *run_tail_open(const struct profile *profile, const char *id, int64_t offset,
                               struct error *error)
{
    char *path = run_file_path(profile, id, error);
    struct run_tail *tail = path ? memory_zero(1, sizeof *tail, error) : NULL;
    if (tail == NULL) {
        free(path);
        return NULL;
    }
    tail->path = path;
    tail->exit_code = -1;
    tail->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (tail->fd < 0)
        error_set_system(error, errno, "%s", path);
    if (tail->fd >= 0 && tail_start(tail, offset, error))
        return tail;
    run_tail_close(tail);
    return NULL;
}

void run_tail_close(struct run_tail *tail)
{
    if (tail == NULL)
        return;
    if (tail->fd >= 0)
        close(tail->fd);
    buffer_destroy(&tail->text);
    free(tail->path);
    free(tail);
}

/* Appends what the file has behind what was read; *more = false at its end. */
static bool tail_read(struct run_tail *tail, bool *more, struct error *error)
{
    struct buffer *text = &tail->text;
    if (tail->at)
        memmove(text->data, text->data + tail->at, text->length - tail->at);
    text->length -= tail->at;
    tail->at = 0;
    TRY(buffer_reserve(text, TAIL_CHUNK, error));
    ssize_t got;
    do
        got = pread(tail->fd, text->data + text->length, TAIL_CHUNK,
                    tail->offset + (int64_t)text->length);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_set_system(error, errno, "reading %s", tail->path);
    text->length += (size_t)got;
    *more = got > 0;
    return true;
}

/* A whole line out of what was read. */
static bool tail_take(struct run_tail *tail, struct slice *line)
{
    size_t left = tail->text.length - tail->at;
    const char *from = left ? tail->text.data + tail->at : NULL;
    const char *end = left ? memchr(from, '\n', left) : NULL;
    if (end == NULL)
        return false;
    *line = slice_make(from, (size_t)(end - from));
    tail->at += line->length + 1;
    tail->offset += (int64_t)line->length + 1;
    return true;
}

static bool tail_find(struct run_tail *tail, struct slice *line, struct error *error)
{
    for (bool more = true; more;) {
        while (tail_take(tail, line)) {
            if (!tail->skip)
                return true;
            tail->skip = false;
        }
        TRY(tail_read(tail, &more, error));
    }
    *line = (struct slice){0};
    return true;
}

static void tail_notice(struct run_tail *tail, struct slice line, json_t **event)
{
    json_t *json = json_loadb(line.data, line.length, 0, NULL);
    const char *name = json_string_value(json_object_get(json, "event"));
    if (name && strcmp(name, "end") == 0) {
        tail->state = RUN_TAIL_ENDED;
        tail->exit_code = (int)json_integer_value(json_object_get(json, "exit"));
    }
    if (event)
        *event = json;
    else
        json_decref(json);
}

bool run_tail_next(struct run_tail *tail, struct slice *line, json_t **event, struct error *error)
{
    if (event)
        *event = NULL;
    TRY(tail_find(tail, line, error));
    if (line->data == NULL && tail->state == RUN_TAIL_ALIVE && !run_file_is_locked(tail->fd)) {
        /* What it wrote just before it let go of the lock. */
        TRY(tail_find(tail, line, error));
        if (line->data == NULL)
            tail->state = RUN_TAIL_DIED;
    }
    if (line->data)
        tail_notice(tail, *line, event);
    return true;
}

enum run_tail_state run_tail_state(const struct run_tail *tail)
{
    return tail->state;
}

int run_tail_exit_code(const struct run_tail *tail)
{
    return tail->exit_code;
}

int64_t run_tail_offset(const struct run_tail *tail)
{
    return tail->offset;
}

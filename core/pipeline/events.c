#include "core/pipeline/events.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/host.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/pipeline/run_file.h"

enum { EVENTS_READ_MOST = 8 << 20 };

/* ---- writing ---- */

static char *events_line(const struct state_event *event, struct error *error)
{
    char user[64], host[128], by[200], at[40];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    snprintf(by, sizeof by, "%s@%s", user, host);
    host_time_text(event->at_us ? event->at_us : clock_now_us(), at, sizeof at);
    json_t *json =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "format", EVENTS_FORMAT, "at", at,
                  "object", event->object, "from", event->from ? event->from : "", "to", event->to,
                  "why", event->why ? event->why : "", "by", event->by ? event->by : by, "run",
                  event->run ? event->run : "");
    char *text = json_text(json, JSON_COMPACT, error);
    json_decref(json);
    return text;
}

/* Under the lock: closes a torn line first, so that ours begins a new one. */
static bool events_write(int fd, const char *path, const char *line, struct error *error)
{
    struct buffer text = {0};
    struct stat status;
    char last = '\n';
    bool ok = fstat(fd, &status) == 0 &&
              (status.st_size == 0 || pread(fd, &last, 1, status.st_size - 1) == 1);
    if (!ok)
        return error_set_system(error, errno, "%s", path);
    ok = (last == '\n' || buffer_append_byte(&text, '\n', error)) &&
         buffer_append_text(&text, line, error) && buffer_append_byte(&text, '\n', error) &&
         file_write_all(fd, text.data, text.length, path, error);
    if (!ok && ftruncate(fd, status.st_size) != 0)
        errno = 0; /* a torn line: the next writer closes it */
    buffer_destroy(&text);
    return ok;
}

bool events_append(const struct profile *profile, const struct state_event *event,
                   struct error *error)
{
    char *folder = profile_state_folder(profile, "", error);
    char *path = folder ? file_join(folder, "events.jsonl", error) : NULL;
    char *line = path ? events_line(event, error) : NULL;
    bool ok = line != NULL;
    int fd = -1;
    if (ok) {
        fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        ok = (fd >= 0 && flock(fd, LOCK_EX) == 0) || error_set_system(error, errno, "%s", path);
    }
    if (ok) {
        if (fchmod(fd, profile_state_file_mode(profile)) != 0)
            errno = 0; /* not ours: it has its mode already */
        ok = events_write(fd, path, line, error);
    }
    if (fd >= 0)
        close(fd);
    free(line);
    free(path);
    free(folder);
    return ok;
}

bool events_note(const struct profile *profile, const char *object, const char *to, const char *why,
                 bool *written, struct error *error)
{
    struct event_list list;
    if (written)
        *written = false;
    if (access(profile->state, W_OK | X_OK) != 0)
        return true;
    TRY(events_load(profile, object, 0, 1, &list, error));
    const char *from = list.count ? list.events[0].to : "";
    bool ok = true;
    if (strcmp(from, to) != 0) {
        struct state_event event = {.object = object, .from = from, .to = to, .why = why};
        struct error own = {0};
        ok = events_append(profile, &event, &own);
        if (written)
            *written = ok;
        if (!ok && own.kind == ERROR_IO)
            ok = true; /* who only looks does not fail by a full disk */
        if (!ok && error)
            *error = own;
    }
    event_list_destroy(&list);
    return ok;
}

/* ---- reading ---- */

static bool events_read_file(const char *path, struct buffer *out, struct error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || error_set_system(error, errno, "%s", path);
    struct stat status;
    bool ok = fstat(fd, &status) == 0 || error_set_system(error, errno, "%s", path);
    int64_t from = 0;
    if (ok && status.st_size > EVENTS_READ_MOST)
        from = status.st_size - EVENTS_READ_MOST;
    size_t left = ok ? (size_t)(status.st_size - from) : 0;
    ok = ok && buffer_reserve(out, left + 1, error);
    while (ok && left) {
        ssize_t got = pread(fd, out->data + out->length, left, from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            ok = error_set_system(error, errno, "reading %s", path);
        if (got <= 0)
            break;
        out->length += (size_t)got;
        from += got;
        left -= (size_t)got;
    }
    close(fd);
    return ok;
}

static const char *events_text(const json_t *json, const char *key, struct arena *arena,
                               struct error *error)
{
    const char *text = json_string_value(json_object_get(json, key));
    return arena_copy_text(arena, text ? text : "", error);
}

static bool events_take(const json_t *json, struct event_list *list, struct state_event *out,
                        struct error *error)
{
    struct arena *arena = list->arena;
    out->at_us = run_event_time(json);
    out->object = events_text(json, "object", arena, error);
    out->from = events_text(json, "from", arena, error);
    out->to = events_text(json, "to", arena, error);
    out->why = events_text(json, "why", arena, error);
    out->by = events_text(json, "by", arena, error);
    out->run = events_text(json, "run", arena, error);
    return out->object && out->from && out->to && out->why && out->by && out->run;
}

struct events_wish {
    const char *path, *object;
    int64_t since_us;
    size_t most;
};

/* One line of the file, from the newest to the oldest; *over when older ones don't matter. */
static bool events_line_back(struct slice line, const struct events_wish *wish, size_t *capacity,
                             struct event_list *list, bool *over, struct error *error)
{
    json_t *json = json_loadb(line.data, line.length, 0, NULL);
    json_int_t format = json_integer_value(json_object_get(json, "format"));
    const char *object = json_string_value(json_object_get(json, "object"));
    bool ok = format <= EVENTS_FORMAT ||
              error_set(error, ERROR_CONFIG, "use the surfboard that wrote it, or a newer one",
                        "%s: format %lld is newer than this surfboard reads (%d)", wish->path,
                        (long long)format, EVENTS_FORMAT);
    if (ok && object && (wish->object == NULL || strcmp(object, wish->object) == 0)) {
        *over = run_event_time(json) < wish->since_us;
        if (!*over) {
            ok = memory_grow(&list->events, capacity, list->count + 1, sizeof *list->events,
                             error) &&
                 events_take(json, list, &list->events[list->count], error);
            list->count += ok;
            *over = list->count >= wish->most;
        }
    }
    json_decref(json);
    return ok;
}

static void events_turn(struct event_list *list)
{
    for (size_t i = 0; i < list->count / 2; i++) {
        struct state_event held = list->events[i];
        list->events[i] = list->events[list->count - 1 - i];
        list->events[list->count - 1 - i] = held;
    }
}

bool events_load(const struct profile *profile, const char *object, int64_t since_us, size_t most,
                 struct event_list *out, struct error *error)
{
    *out = (struct event_list){0};
    struct buffer text = {0};
    char *path = file_join(profile->state, "events.jsonl", error);
    out->arena = path ? memory_zero(1, sizeof *out->arena, error) : NULL;
    bool ok = out->arena && events_read_file(path, &text, error);
    struct events_wish wish = {path, object, since_us, most};
    size_t capacity = 0, end = text.length;
    bool over = most == 0;
    while (ok && !over && end) {
        size_t stop = text.data[end - 1] == '\n' ? end - 1 : end;
        size_t start = stop;
        while (start && text.data[start - 1] != '\n')
            start--;
        ok = events_line_back(slice_make(text.data + start, stop - start), &wish, &capacity, out,
                              &over, error);
        end = start;
    }
    buffer_destroy(&text);
    free(path);
    if (ok)
        events_turn(out);
    else
        event_list_destroy(out);
    return ok;
}

void event_list_destroy(struct event_list *list)
{
    free(list->events);
    if (list->arena)
        arena_destroy(list->arena);
    free(list->arena);
    *list = (struct event_list){0};
}

/* Reading the runs of a state back: which ran, which run, which died. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/pipeline/run.h"

static int run_compare_down(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
    return (x < y) - (x > y);
}

static bool run_numbers(const char *folder, unsigned long **out, size_t *count, struct error *error)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return error_set_system(error, errno, "%s", folder);
    size_t capacity = 0;
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(directory));) {
        size_t digits = strspn(entry->d_name, "0123456789");
        if (digits == 0 || strcmp(entry->d_name + digits, ".jsonl") != 0)
            continue;
        ok = memory_grow(out, &capacity, *count + 1, sizeof **out, error);
        if (ok)
            (*out)[(*count)++] = strtoul(entry->d_name, NULL, 10);
    }
    closedir(directory);
    if (ok && *count)
        qsort(*out, *count, sizeof **out, run_compare_down);
    return ok;
}

static char *run_text(const json_t *object, const char *key, struct error *error)
{
    const char *text = json_string_value(json_object_get(object, key));
    return memory_copy_text(text ? text : "", error);
}

/* First and last whole line of an event file. */
static bool run_read_ends(const char *path, json_t **first, json_t **last, struct error *error)
{
    struct buffer text = {0};
    bool ok = file_read(path, &text, error);
    size_t end = text.length;
    while (end && text.data[end - 1] != '\n')
        end--; /* a line that is being written */
    if (ok && end) {
        size_t length = (size_t)((char *)memchr(text.data, '\n', end) - text.data);
        *first = json_loadb(text.data, length, 0, NULL);
        size_t start = end - 1;
        while (start && text.data[start - 1] != '\n')
            start--;
        *last = json_loadb(text.data + start, end - 1 - start, 0, NULL);
    }
    buffer_destroy(&text);
    return ok;
}

/* Somebody holds the lock: it is alive. */
static bool run_is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

static bool run_summarise(const char *folder, unsigned long number, struct run_summary *out,
                          struct error *error)
{
    char *path = memory_format(error, "%s/%04lu.jsonl", folder, number);
    if (path == NULL)
        return false;
    json_t *first = NULL;
    bool ok = run_read_ends(path, &first, &out->last, error);
    bool locked = ok && run_is_locked(path);
    free(path);
    const char *kind = json_string_value(json_object_get(out->last, "event"));
    bool ended = kind && strcmp(kind, "end") == 0;
    out->exit_code = ended ? (int)json_integer_value(json_object_get(out->last, "exit")) : -1;
    out->state = !ended                  ? (locked ? "running" : "died")
                 : out->exit_code == 0   ? "done"
                 : out->exit_code == 130 ? "interrupted"
                                         : "failed";
    if (ok) {
        const char *user = json_string_value(json_object_get(first, "user"));
        const char *host = json_string_value(json_object_get(first, "host"));
        out->id = memory_format(error, "%04lu", number);
        out->verb = run_text(first, "verb", error);
        out->object = run_text(first, "object", error);
        out->by = memory_format(error, "%s@%s", user ? user : "?", host ? host : "?");
        out->started = run_text(first, "at", error);
        out->ended = ended ? run_text(out->last, "at", error) : memory_copy_text("", error);
        ok = out->id && out->verb && out->object && out->by && out->started && out->ended;
    }
    json_decref(first);
    return ok;
}

bool run_list_load(const struct profile *profile, size_t most, struct run_list *out,
                   struct error *error)
{
    *out = (struct run_list){0};
    char *folder = profile_state_folder(profile, "runs", error);
    if (folder == NULL)
        return false;
    unsigned long *numbers = NULL;
    size_t count = 0;
    bool ok = run_numbers(folder, &numbers, &count, error);
    if (count > most)
        count = most;
    if (ok && count) {
        out->runs = memory_zero(count, sizeof *out->runs, error);
        ok = out->runs != NULL;
    }
    for (size_t i = 0; ok && i < count; i++) {
        out->count++;
        ok = run_summarise(folder, numbers[i], &out->runs[i], error);
    }
    free(numbers);
    free(folder);
    if (!ok)
        run_list_destroy(out);
    return ok;
}

void run_list_destroy(struct run_list *list)
{
    for (size_t i = 0; list->runs && i < list->count; i++) {
        struct run_summary *run = &list->runs[i];
        free(run->id);
        free(run->verb);
        free(run->object);
        free(run->by);
        free(run->started);
        free(run->ended);
        json_decref(run->last);
    }
    free(list->runs);
    *list = (struct run_list){0};
}

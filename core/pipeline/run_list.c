/* Reading the runs of a state back: which ran, which run, which died. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/run.h"
#include "core/pipeline/run_file.h"

static char *run_text(const json_t *object, const char *key, const char *otherwise,
                      struct error *error)
{
    const char *text = json_string_value(json_object_get(object, key));
    return memory_copy_text(text ? text : otherwise, error);
}

static bool event_is(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, "event"));
    return text && strcmp(text, name) == 0;
}

static double run_figure(const json_t *event, const char *key)
{
    const json_t *value = json_object_get(event, key);
    return json_is_number(value) ? json_number_value(value) : -1;
}

static void run_figures(const json_t *event, struct run_progress_figures *out)
{
    const char *unit = json_string_value(json_object_get(event, "unit"));
    const char *phase = json_string_value(json_object_get(event, "phase"));
    const json_t *total = json_object_get(event, "total");
    out->known = event != NULL;
    out->done = json_integer_value(json_object_get(event, "done"));
    out->total = json_is_integer(total) ? json_integer_value(total) : -1;
    out->rate = run_figure(event, "rate");
    out->eta_s = run_figure(event, "eta_s");
    snprintf(out->unit, sizeof out->unit, "%s", unit ? unit : "");
    snprintf(out->phase, sizeof out->phase, "%s", phase ? phase : "");
}

static const char *run_state(bool ended, int exit_code, bool locked)
{
    if (!ended)
        return locked ? "running" : "died";
    return exit_code == 0 ? "done" : exit_code == 130 ? "interrupted" : "failed";
}

static void run_judge(const struct run_ends *ends, bool locked, struct run_summary *out)
{
    bool ended = event_is(ends->last, "end");
    out->exit_code = ended ? (int)json_integer_value(json_object_get(ends->last, "exit")) : -1;
    out->state = run_state(ended, out->exit_code, locked);
    out->last = json_incref(ends->last);
    out->torn = ends->torn && !locked;
    run_figures(ends->report, &out->progress);
    bool running = !ended && locked;
    if (running && event_is(ends->last, "waiting"))
        out->waiting = json_incref(ends->last);
    int64_t told_us = run_event_time(ends->last);
    if (running && told_us >= 0 && clock_now_us() > told_us)
        out->silent_ms = (clock_now_us() - told_us) / 1000;
    out->silent = out->silent_ms >= RUN_SILENT_MS;
    json_t *arguments = json_object_get(ends->start, "arguments");
    if (json_is_array(arguments))
        out->arguments = json_incref(arguments);
    size_t index;
    json_t *argument;
    json_array_foreach(out->arguments, index, argument) out->follows |=
        json_is_string(argument) && strcmp(json_string_value(argument), "--follow") == 0;
    /* Whether something later stands in the way is seen by run_list_judge(). */
    out->resumable = strcmp(out->state, "died") == 0 && out->arguments && !out->follows &&
                     json_is_true(json_object_get(ends->start, "resumes"));
}

static bool run_describe(const struct run_ends *ends, unsigned long number, struct run_summary *out,
                         struct error *error)
{
    const json_t *start = ends->start;
    const char *user = json_string_value(json_object_get(start, "user"));
    const char *host = json_string_value(json_object_get(start, "host"));
    bool ended = event_is(ends->last, "end");
    out->pid = (int)json_integer_value(json_object_get(start, "pid"));
    out->id = memory_format(error, "%04lu", number);
    out->verb = run_text(start, "verb", "?", error);
    out->object = run_text(start, "object", "", error);
    out->host = run_text(start, "host", "?", error);
    out->by = memory_format(error, "%s@%s", user ? user : "?", host ? host : "?");
    out->started = run_text(start, "at", "", error);
    out->ended = ended ? run_text(ends->last, "at", "", error) : memory_copy_text("", error);
    return out->id && out->verb && out->object && out->host && out->by && out->started &&
           out->ended;
}

static bool run_summarise(const char *folder, unsigned long number, struct run_summary *out,
                          struct error *error)
{
    char *path = memory_format(error, "%s/%04lu.jsonl", folder, number);
    if (path == NULL)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set_system(error, errno, "%s", path);
        free(path);
        return false;
    }
    /* The lock first: one that ends in between has its end event by then. */
    bool locked = run_file_is_locked(fd);
    struct run_ends ends;
    bool ok = run_file_ends(fd, path, &ends, error);
    close(fd);
    if (ok && !run_file_check_format(ends.start, path, NULL)) {
        run_ends_destroy(&ends);
        out->state = "newer";
        out->exit_code = -1;
    } else if (ok) {
        run_judge(&ends, locked, out);
    }
    ok = ok && run_describe(&ends, number, out, error);
    run_ends_destroy(&ends);
    free(path);
    return ok;
}

/* The newest of a verb and object decides; of died ones only the newest goes on. */
static void run_list_judge(struct run_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct run_summary *run = &list->runs[i];
        for (size_t k = 0; run->resumable && k < i; k++) {
            const struct run_summary *later = &list->runs[k];
            if (strcmp(later->verb, run->verb) == 0 && strcmp(later->object, run->object) == 0 &&
                strcmp(later->state, "failed") != 0)
                run->resumable = false;
        }
    }
}

bool run_list_load(const struct profile *profile, size_t most, struct run_list *out,
                   struct error *error)
{
    *out = (struct run_list){0};
    char *folder = memory_format(error, "%s/runs", profile->state);
    if (folder == NULL)
        return false;
    unsigned long *numbers = NULL;
    size_t count = 0;
    bool ok = run_file_numbers(folder, &numbers, &count, error);
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
    if (ok)
        run_list_judge(out);
    else
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
        free(run->host);
        free(run->by);
        free(run->started);
        free(run->ended);
        json_decref(run->last);
        json_decref(run->waiting);
        json_decref(run->arguments);
    }
    free(list->runs);
    *list = (struct run_list){0};
}

const struct run_summary *run_list_find(const struct run_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strtoul(list->runs[i].id, NULL, 10) == strtoul(id, NULL, 10))
            return &list->runs[i];
    return NULL;
}

/* ---- signals ---- */

static bool run_is_here(const json_t *start)
{
    char boot[64];
    const char *then = json_string_value(json_object_get(start, "boot"));
    host_boot_id(boot, sizeof boot);
    return then && *boot && strcmp(boot, then) == 0;
}

/* By a handle on the process, which cannot become another one between the look and the signal. */
static bool run_kill(const json_t *start, const char *id, int number, struct error *error)
{
    int pid = (int)json_integer_value(json_object_get(start, "pid"));
    uint64_t began = (uint64_t)json_integer_value(json_object_get(start, "started"));
    int handle = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    bool same = handle >= 0 && began != 0 && host_process_start(pid) == began;
    bool ok;
    if (!same)
        ok = error_set(error, ERROR_CONFLICT, "surfboard runs shows how it stands",
                       "run %s: its process %d is gone", id, pid);
    else
        ok = syscall(SYS_pidfd_send_signal, handle, number, NULL, 0) == 0 ||
             error_set_system(error, errno, "run %s (process %d)", id, pid);
    if (handle >= 0)
        close(handle);
    return ok;
}

bool run_signal(const struct profile *profile, const char *id, int number, struct error *error)
{
    char *path = run_file_path(profile, id, error);
    if (path == NULL)
        return false;
    struct run_ends ends = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 || error_set_system(error, errno, "%s", path);
    ok = ok && run_file_ends(fd, path, &ends, error) &&
         run_file_check_format(ends.start, path, error);
    const char *host = json_string_value(json_object_get(ends.start, "host"));
    if (ok && (event_is(ends.last, "end") || !run_file_is_locked(fd)))
        ok = error_set(error, ERROR_CONFLICT, "surfboard runs shows how", "run %s is over", id);
    if (ok && !run_is_here(ends.start)) {
        error_set(error, ERROR_CONFLICT, NULL, "run %s: its process is not on this host, but on %s",
                  id, host ? host : "another");
        ok = error_remedy(error, "run the same command on %s", host ? host : "that host");
    }
    ok = ok && run_kill(ends.start, id, number, error);
    run_ends_destroy(&ends);
    if (fd >= 0)
        close(fd);
    free(path);
    return ok;
}

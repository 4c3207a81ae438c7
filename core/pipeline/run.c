#include "core/pipeline/run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/host.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/pipeline/run_file.h"

enum { RUN_TELL_MS = 500, RUN_PHASE_SIZE = 64 };

struct run {
    int fd;
    char id[RUN_ID_SIZE];
    char *path;
    pthread_mutex_t mutex; /* all below */
    int64_t told_ns;       /* when the last event was written */
    char phase[RUN_PHASE_SIZE];
    int64_t phase_ns;    /* since when it is in it */
    int64_t progress_ns; /* the last progress event of this phase, 0: none */
    int64_t progress_done;
    pthread_t pulse;
    pthread_cond_t ending;
    bool pulsing, ended;
};

/* ---- its file ---- */

static bool run_highest(const char *folder, unsigned long *out, struct error *error)
{
    unsigned long *numbers;
    size_t count;
    bool ok = run_file_numbers(folder, &numbers, &count, error);
    *out = ok && count ? numbers[0] : 0;
    free(numbers);
    return ok;
}

static bool run_unwritable(const char *path, struct error *error)
{
    int number = errno;
    error_set_system(error, number, "run file %s", path);
    if (error && (number == EACCES || number == EPERM || number == EROFS))
        error_remedy(error, "give this user the state folder (chgrp to a group of theirs, chmod "
                            "2770), or name another one as `state` in the profile");
    return false;
}

/* The lock is taken on a hidden file, which then gets its name: nobody ever sees an event file of a
 * living run without its lock. link() fails when the number was just taken. */
static bool run_create(struct run *run, const char *folder, unsigned mode, struct error *error)
{
    unsigned long number;
    TRY(run_highest(folder, &number, error));
    char *hidden = memory_format(error, "%s/.new-%d-%lld", folder, (int)getpid(),
                                 (long long)clock_monotonic_ns());
    if (hidden == NULL)
        return false;
    run->fd = open(hidden, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    bool ok = run->fd >= 0 || run_unwritable(hidden, error);
    if (ok && (fchmod(run->fd, mode) != 0 || flock(run->fd, LOCK_EX | LOCK_NB) != 0))
        ok = run_unwritable(hidden, error);
    for (bool named = false; ok && !named;) {
        number++;
        snprintf(run->id, sizeof run->id, "%04lu", number);
        free(run->path);
        run->path = memory_format(error, "%s/%s.jsonl", folder, run->id);
        if (run->path == NULL)
            ok = false;
        else if (link(hidden, run->path) == 0)
            named = true;
        else if (errno != EEXIST)
            ok = run_unwritable(run->path, error);
    }
    if (run->fd >= 0)
        unlink(hidden);
    free(hidden);
    return ok;
}

static void run_destroy(struct run *run)
{
    if (run == NULL)
        return;
    if (run->pulsing) {
        pthread_mutex_lock(&run->mutex);
        run->ended = true;
        pthread_cond_signal(&run->ending);
        pthread_mutex_unlock(&run->mutex);
        pthread_join(run->pulse, NULL);
    }
    if (run->fd >= 0)
        close(run->fd);
    pthread_cond_destroy(&run->ending);
    pthread_mutex_destroy(&run->mutex);
    free(run->path);
    free(run);
}

/* ---- events ---- */

static void run_enter(struct run *run, const char *phase)
{
    if (strncmp(run->phase, phase, sizeof run->phase - 1) == 0)
        return;
    snprintf(run->phase, sizeof run->phase, "%s", phase);
    run->phase_ns = clock_monotonic_ns();
    run->progress_ns = 0;
}

/* The phase that an event of the verb's own tells. */
static void run_notice(struct run *run, const json_t *event)
{
    const char *phase = json_string_value(json_object_get(event, "phase"));
    if (phase == NULL)
        phase = json_string_value(json_object_get(event, "for"));
    if (phase)
        run_enter(run, phase);
}

/* Under the mutex. A line that did not fit is cut off again: what comes next begins a new line. */
static bool run_write(struct run *run, json_t *event, bool milestone, struct error *error)
{
    char at[40];
    host_time_text(clock_now_us(), at, sizeof at);
    if (event == NULL || json_object_set_new(event, "at", json_string(at)) != 0)
        return error_set_memory(error, 0);
    char *text = json_text(event, JSON_COMPACT, error);
    if (text == NULL)
        return false;
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the NUL: a line is one write */
    off_t before = lseek(run->fd, 0, SEEK_END);
    bool ok = file_write_all(run->fd, text, length + 1, run->path, error);
    free(text);
    if (!ok && before >= 0 && ftruncate(run->fd, before) != 0)
        errno = 0; /* the torn line stays; readers know what it is */
    if (ok && milestone && fsync(run->fd) != 0)
        ok = error_set_system(error, errno, "fsync %s", run->path);
    run->told_ns = clock_monotonic_ns();
    return ok;
}

bool run_event(struct run *run, json_t *event, bool milestone, struct error *error)
{
    pthread_mutex_lock(&run->mutex);
    run_notice(run, event);
    bool ok = run_write(run, event, milestone, error);
    pthread_mutex_unlock(&run->mutex);
    json_decref(event);
    return ok;
}

void run_phase(struct run *run, const char *phase)
{
    if (run == NULL)
        return;
    pthread_mutex_lock(&run->mutex);
    run_enter(run, phase);
    pthread_mutex_unlock(&run->mutex);
}

/* Under the mutex. */
static void run_tell_progress(struct run *run, const char *unit, int64_t done, int64_t total)
{
    int64_t now = clock_monotonic_ns();
    int64_t since = run->progress_ns ? run->progress_ns : run->phase_ns;
    int64_t before = run->progress_ns ? run->progress_done : 0;
    if (run->progress_ns && now - run->progress_ns < (int64_t)RUN_TELL_MS * 1000000)
        return;
    double seconds = (double)(now - since) / 1e9;
    /* Figures of a moment's work are no rate. */
    bool knows = seconds >= 0.1 && done >= before;
    double rate = knows ? (double)(done - before) / seconds : 0;
    json_t *event = json_pack("{s:s, s:s, s:I, s:s}", "event", "progress", "phase", run->phase,
                              "done", (json_int_t)done, "unit", unit);
    if (event && knows)
        json_object_set_new(event, "rate", json_real(rate));
    if (event && total >= 0)
        json_object_set_new(event, "total", json_integer(total));
    if (event && total >= done && rate > 0)
        json_object_set_new(event, "eta_s", json_real((double)(total - done) / rate));
    run_write(run, event, false, NULL);
    json_decref(event);
    run->progress_ns = now;
    run->progress_done = done;
}

void run_progress(struct run *run, const char *phase, const char *unit, int64_t done, int64_t total)
{
    if (run == NULL)
        return;
    pthread_mutex_lock(&run->mutex);
    run_enter(run, phase);
    run_tell_progress(run, unit, done, total);
    pthread_mutex_unlock(&run->mutex);
}

/* ---- the pulse ---- */

static void *run_pulse(void *argument)
{
    struct run *run = argument;
    pthread_mutex_lock(&run->mutex);
    while (!run->ended) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t quiet_ns = clock_monotonic_ns() - run->told_ns;
        int64_t left_ns = (int64_t)RUN_PULSE_MS * 1000000 - quiet_ns;
        if (left_ns <= 0) {
            double since = (double)(clock_monotonic_ns() - run->phase_ns) / 1e9;
            json_t *event = json_pack("{s:s, s:s, s:f}", "event", "waiting", "for", run->phase,
                                      "since_s", since);
            run_write(run, event, false, NULL);
            json_decref(event);
            continue;
        }
        int64_t ns = until.tv_nsec + left_ns;
        until.tv_sec += ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        pthread_cond_timedwait(&run->ending, &run->mutex, &until);
    }
    pthread_mutex_unlock(&run->mutex);
    return NULL;
}

/* Signals are for the verb's own thread: its sleeps end by them. Without a thread the run is merely
 * quieter. */
static void run_start_pulse(struct run *run)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    run->pulsing = pthread_create(&run->pulse, NULL, run_pulse, run) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- begin and end ---- */

static bool run_start_event(struct run *run, const struct run_intent *intent, struct error *error)
{
    char user[64], host[128], boot[64], binary[4096];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    host_boot_id(boot, sizeof boot);
    ssize_t length = readlink("/proc/self/exe", binary, sizeof binary - 1);
    binary[length > 0 ? length : 0] = '\0';
    json_t *event = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:s, s:s}",
                              "event", "start", "format", RUN_FORMAT, "run", run->id, "verb",
                              intent->verb, "object", intent->object ? intent->object : "", "user",
                              user, "host", host, "pid", (int)getpid(), "boot", boot, "started",
                              (json_int_t)host_process_start((int)getpid()), "binary", binary,
                              "version", SURFBOARD_VERSION);
    if (event && intent->arguments) {
        json_t *arguments = json_array();
        for (size_t i = 0; intent->arguments[i]; i++)
            json_array_append_new(arguments, json_string(intent->arguments[i]));
        json_object_set_new(event, "arguments", arguments);
        json_object_set_new(event, "resumes", json_boolean(intent->resumes));
    }
    return run_event(run, event, true, error);
}

static void run_set_up(struct run *run, const char *verb)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&run->ending, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&run->mutex, NULL);
    run->fd = -1;
    run->told_ns = clock_monotonic_ns();
    run_enter(run, verb);
}

struct run *run_begin_intent(const struct profile *profile, const struct run_intent *intent,
                             struct error *error)
{
    char *folder = profile_state_folder(profile, "runs", error);
    struct run *run = folder ? memory_zero(1, sizeof *run, error) : NULL;
    bool ok = run != NULL;
    if (ok) {
        run_set_up(run, intent->verb);
        ok = run_create(run, folder, profile_state_file_mode(profile), error) &&
             run_start_event(run, intent, error) && file_sync_folder(folder, error);
        if (!ok && run->path)
            unlink(run->path); /* it never began */
    }
    free(folder);
    if (ok) {
        run_start_pulse(run);
        return run;
    }
    run_destroy(run);
    return NULL;
}

struct run *run_begin(const struct profile *profile, const char *verb, const char *object,
                      struct error *error)
{
    return run_begin_intent(profile, &(struct run_intent){.verb = verb, .object = object}, error);
}

const char *run_id(const struct run *run)
{
    return run->id;
}

bool run_end(struct run *run, int exit_code, const struct error *failure, struct error *error)
{
    if (run == NULL)
        return true;
    json_t *event = json_pack("{s:s, s:i}", "event", "end", "exit", exit_code);
    if (event && failure && failure->kind)
        json_object_set_new(event, "error",
                            json_pack("{s:s, s:s, s:s}", "kind", error_kind_name(failure->kind),
                                      "message", failure->message, "remedy", failure->remedy));
    /* Nothing comes behind the end, not even a beat of the pulse. */
    pthread_mutex_lock(&run->mutex);
    bool ok = run_write(run, event, true, error);
    run->ended = true;
    pthread_mutex_unlock(&run->mutex);
    json_decref(event);
    run_destroy(run);
    return ok;
}

#include "core/pipeline/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/file.h"
#include "core/base/host.h"
#include "core/base/memory.h"

struct run {
    int fd;
    char id[24];
    char *path;
    pthread_mutex_t mutex;
};

static bool run_number(const char *name, unsigned long *out)
{
    size_t digits = strspn(name, "0123456789");
    if (digits == 0 || digits > 12 || strcmp(name + digits, ".jsonl") != 0)
        return false;
    *out = strtoul(name, NULL, 10);
    return true;
}

static bool run_highest(const char *folder, unsigned long *out, struct error *error)
{
    *out = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return error_set_system(error, errno, "%s", folder);
    for (struct dirent *entry; (entry = readdir(directory));) {
        unsigned long number;
        if (run_number(entry->d_name, &number) && number > *out)
            *out = number;
    }
    closedir(directory);
    return true;
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
    bool ok = run->fd >= 0 || error_set_system(error, errno, "run file %s", hidden);
    if (ok && (fchmod(run->fd, mode) != 0 || flock(run->fd, LOCK_EX | LOCK_NB) != 0))
        ok = error_set_system(error, errno, "run file %s", hidden);
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
            ok = error_set_system(error, errno, "run file %s", run->path);
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
    if (run->fd >= 0)
        close(run->fd);
    pthread_mutex_destroy(&run->mutex);
    free(run->path);
    free(run);
}

static bool run_start_event(struct run *run, const char *verb, const char *object,
                            struct error *error)
{
    char user[64], host[128], boot[64], binary[4096];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    host_boot_id(boot, sizeof boot);
    ssize_t length = readlink("/proc/self/exe", binary, sizeof binary - 1);
    binary[length > 0 ? length : 0] = '\0';
    json_t *event =
        json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:s, s:s}", "event", "start",
                  "format", RUN_FORMAT, "run", run->id, "verb", verb, "object",
                  object ? object : "", "user", user, "host", host, "pid", (int)getpid(), "boot",
                  boot, "started", (json_int_t)host_process_start((int)getpid()), "binary", binary,
                  "version", SURFBOARD_VERSION);
    return run_event(run, event, true, error);
}

struct run *run_begin(const struct profile *profile, const char *verb, const char *object,
                      struct error *error)
{
    char *folder = profile_state_folder(profile, "runs", error);
    struct run *run = folder ? memory_zero(1, sizeof *run, error) : NULL;
    bool ok = run != NULL;
    if (ok) {
        run->fd = -1;
        pthread_mutex_init(&run->mutex, NULL);
        ok = run_create(run, folder, profile_state_file_mode(profile), error) &&
             run_start_event(run, verb, object, error) && file_sync_folder(folder, error);
    }
    free(folder);
    if (ok)
        return run;
    run_destroy(run);
    return NULL;
}

const char *run_id(const struct run *run)
{
    return run->id;
}

bool run_event(struct run *run, json_t *event, bool milestone, struct error *error)
{
    char at[40];
    host_time_text(clock_now_us(), at, sizeof at);
    if (event == NULL || json_object_set_new(event, "at", json_string(at)) != 0) {
        json_decref(event);
        return error_set_memory(error, 0);
    }
    char *text = json_text(event, JSON_COMPACT, error);
    json_decref(event);
    if (text == NULL)
        return error_set_memory(error, 0);
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the NUL: a line is one write */
    pthread_mutex_lock(&run->mutex);
    bool ok = file_write_all(run->fd, text, length + 1, run->path, error);
    if (ok && milestone && fsync(run->fd) != 0)
        ok = error_set_system(error, errno, "fsync %s", run->path);
    pthread_mutex_unlock(&run->mutex);
    free(text);
    return ok;
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
    bool ok = run_event(run, event, true, error);
    run_destroy(run);
    return ok;
}

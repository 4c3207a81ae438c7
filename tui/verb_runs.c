/* runs, attach, cancel: what ran and runs, and its events. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/run.h"
#include "tui/verbs.h"

enum { RUNS_SHOWN = 50, ATTACH_POLL_MS = 200 };

static bool runs_print(struct command *command, const struct run_list *list, struct error *error)
{
    json_t *runs = json_array();
    bool ok = true;
    char line[512];
    if (!command->json)
        fprintf(command->out, "%-6s %-12s %-10s %-20s %-24s %s\n", "RUN", "STATE", "VERB", "OBJECT",
                "STARTED", "BY");
    for (size_t i = 0; ok && i < list->count; i++) {
        const struct run_summary *run = &list->runs[i];
        if (command->json) {
            json_array_append_new(
                runs, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:O?}", "run", run->id,
                                "verb", run->verb, "object", run->object, "state", run->state,
                                "started", run->started, "ended", run->ended, "by", run->by, "exit",
                                run->exit_code < 0 ? json_null() : json_integer(run->exit_code),
                                "last", run->last));
            continue;
        }
        snprintf(line, sizeof line, "%-6s %-12s %-10s %-20s %-24s %s", run->id, run->state,
                 run->verb, run->object, run->started, run->by);
        ok = command_print_data(command, slice_of(line), error);
        fputc('\n', command->out);
    }
    if (ok && command->json)
        ok = command_print_json(command, json_pack("{s:O}", "runs", runs), error);
    json_decref(runs);
    return ok;
}

static int runs_run(struct command *command)
{
    struct error error = {0};
    struct run_list list;
    const struct profile *profile = command_profile(command, &error);
    if (profile == NULL || !run_list_load(profile, RUNS_SHOWN, &list, &error))
        return command_fail(command, &error);
    bool ok = runs_print(command, &list, &error);
    run_list_destroy(&list);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_runs = {
    .name = "runs",
    .synopsis = "",
    .summary = "Lists the last 50 runs with state, verb, object, start and who began them",
    .run = runs_run,
};

/* The event file of a run that is there; NULL with an error. */
static char *run_file(const struct profile *profile, const char *id, struct error *error)
{
    char *folder = profile_state_folder(profile, "runs", error);
    char *path = NULL;
    if (folder && strspn(id, "0123456789") == strlen(id))
        path = memory_format(error, "%s/%04lu.jsonl", folder, strtoul(id, NULL, 10));
    free(folder);
    if (path && access(path, R_OK) == 0)
        return path;
    free(path);
    error_set(error, ERROR_NOT_FOUND, "surfboard runs lists them", "there is no run %s", id);
    return NULL;
}

/* Whether the run's file says that it has ended, or its lock that it died. */
static bool run_is_over(const struct profile *profile, const char *id, bool *over, int *exit_code,
                        struct error *error)
{
    struct run_list list;
    TRY(run_list_load(profile, 100000, &list, error));
    *over = true;
    for (size_t i = 0; i < list.count; i++)
        if (strtoul(list.runs[i].id, NULL, 10) == strtoul(id, NULL, 10)) {
            *over = strcmp(list.runs[i].state, "running") != 0;
            *exit_code = list.runs[i].exit_code < 0 ? 8 : list.runs[i].exit_code;
        }
    run_list_destroy(&list);
    return true;
}

static bool attach_copy(struct command *command, int fd, struct error *error)
{
    char chunk[8192];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_system(error, errno, "reading the run");
        if (got == 0)
            return fflush(command->out) == 0;
        size_t start = 0;
        for (size_t i = 0; i < (size_t)got; i++) {
            if (chunk[i] != '\n')
                continue;
            TRY(command_print_data(command, slice_make(chunk + start, i - start), error));
            fputc('\n', command->out);
            start = i + 1;
        }
        TRY(command_print_data(command, slice_make(chunk + start, (size_t)got - start), error));
    }
}

static int attach_run(struct command *command)
{
    struct error error = {0};
    const char *id = command_argument(command, 0);
    const struct profile *profile = command_profile(command, &error);
    char *path = profile ? run_file(profile, id, &error) : NULL;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (path && fd < 0)
        error_set_system(&error, errno, "%s", path);
    bool over = false, ok = fd >= 0;
    int exit_code = 0;
    while (ok && !over) {
        ok =
            run_is_over(profile, id, &over, &exit_code, &error) && attach_copy(command, fd, &error);
        if (ok && !over && (atomic_load(command->stop) || !clock_sleep_ms(ATTACH_POLL_MS)))
            break;
    }
    if (fd >= 0)
        close(fd);
    free(path);
    if (!ok)
        return command_fail(command, &error);
    if (!over)
        command_say(command, "run %s goes on; surfboard attach %s finds it again", id, id);
    return over ? exit_code : 0;
}

const struct verb verb_attach = {
    .name = "attach",
    .synopsis = "RUN",
    .summary = "Shows a run's events as they come, until it ends; its exit code is the run's",
    .flags = VERB_JSON_LINES | VERB_GRACEFUL,
    .least = 1,
    .most = 1,
    .run = attach_run,
};

/* Signals only the very process that the run names: same boot, same start time. */
static bool cancel_signal(const char *path, const char *id, struct error *error)
{
    struct error local = {0};
    char boot[64];
    FILE *file = fopen(path, "re");
    char line[8192] = "";
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        error_set_system(&local, errno, "%s", path);
    if (file)
        fclose(file);
    json_t *start = json_loads(line, 0, NULL);
    const char *boot_then = json_string_value(json_object_get(start, "boot"));
    int pid = (int)json_integer_value(json_object_get(start, "pid"));
    uint64_t began = (uint64_t)json_integer_value(json_object_get(start, "started"));
    host_boot_id(boot, sizeof boot);
    bool same = pid > 1 && boot_then && strcmp(boot, boot_then) == 0 &&
                host_process_start(pid) == began && began != 0;
    json_decref(start);
    if (!same)
        return error_set(error, ERROR_CONFLICT, "it may run on another host: see surfboard runs",
                         "run %s: its process is not on this host", id);
    return kill(pid, SIGTERM) == 0 ||
           error_set_system(error, errno, "run %s (process %d)", id, pid);
}

static int cancel_run(struct command *command)
{
    struct error error = {0};
    const char *id = command_argument(command, 0);
    const struct profile *profile = command_profile(command, &error);
    char *path = profile ? run_file(profile, id, &error) : NULL;
    bool over = false;
    int exit_code = 0;
    bool ok = path && run_is_over(profile, id, &over, &exit_code, &error);
    if (ok && over)
        ok = error_set(&error, ERROR_CONFLICT, "surfboard runs shows how", "run %s is over", id);
    ok = ok && cancel_signal(path, id, &error);
    free(path);
    if (!ok)
        return command_fail(command, &error);
    command_say(command,
                "run %s was told to stop; what is committed stays, and the same command "
                "goes on from there",
                id);
    return 0;
}

const struct verb verb_cancel = {
    .name = "cancel",
    .synopsis = "RUN",
    .summary = "Asks a run to stop at its next safe point",
    .flags = VERB_CHANGES,
    .least = 1,
    .most = 1,
    .run = cancel_run,
};

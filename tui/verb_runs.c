/* runs, attach, cancel: what ran and runs, and its events. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/pipeline/run.h"
#include "core/pipeline/run_tail.h"
#include "tui/verbs.h"

enum { RUNS_SHOWN = 50, RUNS_ALL = 100000, ATTACH_POLL_MS = 200 };

/* ---- runs ---- */

static json_t *figures_json(const struct run_progress_figures *figures)
{
    if (!figures->known)
        return json_null();
    json_t *json = json_pack("{s:s, s:I, s:s}", "phase", figures->phase, "done",
                             (json_int_t)figures->done, "unit", figures->unit);
    json_object_set_new(json, "total",
                        figures->total < 0 ? json_null() : json_integer(figures->total));
    json_object_set_new(json, "rate", figures->rate < 0 ? json_null() : json_real(figures->rate));
    json_object_set_new(json, "eta_s",
                        figures->eta_s < 0 ? json_null() : json_real(figures->eta_s));
    return json;
}

static json_t *run_json(const struct run_summary *run)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:O?, s:s, s:f, s:b, s:o, s:O?, "
                     "s:b, s:b, s:O?}",
                     "run", run->id, "verb", run->verb, "object", run->object, "state", run->state,
                     "started", run->started, "ended", run->ended, "by", run->by, "exit",
                     run->exit_code < 0 ? json_null() : json_integer(run->exit_code), "last",
                     run->last, "host", run->host, "silent_s", (double)run->silent_ms / 1000.0,
                     "silent", run->silent, "progress", figures_json(&run->progress), "waiting",
                     run->waiting, "resumable", run->resumable, "torn", run->torn, "arguments",
                     run->arguments);
}

/* What it is at, in a few words. */
static void run_says(const struct run_summary *run, char *out, size_t size)
{
    const struct run_progress_figures *figures = &run->progress;
    const char *message =
        json_string_value(json_object_get(json_object_get(run->last, "error"), "message"));
    const char *waits = json_string_value(json_object_get(run->waiting, "for"));
    bool running = strcmp(run->state, "running") == 0;
    *out = '\0';
    if (run->silent)
        snprintf(out, size, "silent %lld s", (long long)(run->silent_ms / 1000));
    else if (run->waiting)
        snprintf(out, size, "waiting: %s", waits ? waits : "");
    else if (running && figures->known && figures->total >= 0)
        snprintf(out, size, "%s: %lld of %lld %s", figures->phase, (long long)figures->done,
                 (long long)figures->total, figures->unit);
    else if (running && figures->known)
        snprintf(out, size, "%s: %lld %s", figures->phase, (long long)figures->done, figures->unit);
    else if (run->resumable)
        snprintf(out, size, "surfboard resume goes on with it");
    else if (message)
        snprintf(out, size, "%s", message);
}

static bool runs_print_text(struct command *command, const struct run_list *list,
                            struct error *error)
{
    char line[1024], says[256];
    fprintf(command->out, "%-6s %-12s %-10s %-20s %-24s %-18s %s\n", "RUN", "STATE", "VERB",
            "OBJECT", "STARTED", "BY", "SAYS");
    for (size_t i = 0; i < list->count; i++) {
        const struct run_summary *run = &list->runs[i];
        run_says(run, says, sizeof says);
        int length = snprintf(line, sizeof line, "%-6s %-12s %-10s %-20s %-24s %-18s %s", run->id,
                              run->state, run->verb, run->object, run->started, run->by, says);
        while (length > 0 && (size_t)length < sizeof line && line[length - 1] == ' ')
            line[--length] = '\0';
        TRY(command_print_data(command, slice_of(line), error));
        fputc('\n', command->out);
    }
    return true;
}

static bool runs_print(struct command *command, const struct run_list *list, struct error *error)
{
    if (!command->json)
        return runs_print_text(command, list, error);
    json_t *runs = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(runs, run_json(&list->runs[i]));
    return command_print_json(command, json_pack("{s:o}", "runs", runs), error);
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
    .details =
        "A run is alive only while it holds the lock on its event file: without it, and without "
        "an end, it died. One that says nothing for ten seconds stands still: \"silent\".",
    .run = runs_run,
};

/* ---- attach ---- */

/* Prints what is there; waits for more until the run is over or it is asked to stop. */
static bool attach_follow(struct command *command, struct run_tail *tail, struct error *error)
{
    while (run_tail_state(tail) == RUN_TAIL_ALIVE) {
        struct slice line;
        TRY(run_tail_next(tail, &line, NULL, error));
        if (line.data) {
            TRY(command_print_data(command, line, error));
            fputc('\n', command->out);
            continue;
        }
        if (fflush(command->out) != 0)
            return error_set(error, ERROR_IO, "give it room, or another place to write to",
                             "writing the result failed");
        if (run_tail_state(tail) == RUN_TAIL_ALIVE &&
            (atomic_load(command->stop) || !clock_sleep_ms(ATTACH_POLL_MS)) &&
            atomic_load(command->stop))
            return true;
    }
    return true;
}

static int attach_run(struct command *command)
{
    struct error error = {0};
    const char *id = command_argument(command, 0);
    const struct profile *profile = command_profile(command, &error);
    struct run_tail *tail = profile ? run_tail_open(profile, id, 0, &error) : NULL;
    bool ok = tail && attach_follow(command, tail, &error);
    enum run_tail_state state = tail ? run_tail_state(tail) : RUN_TAIL_DIED;
    int exit_code = tail ? run_tail_exit_code(tail) : -1;
    run_tail_close(tail);
    if (!ok)
        return command_fail(command, &error);
    if (state == RUN_TAIL_ENDED)
        return exit_code;
    if (state == RUN_TAIL_ALIVE) {
        command_say(command, "run %s goes on; surfboard attach %s finds it again", id, id);
        return 0;
    }
    error_set(&error, ERROR_INTERNAL,
              "surfboard resume goes on with what can go on; the same command does it too",
              "run %s died without an end: it was killed, or the machine went down", id);
    return command_fail(command, &error);
}

const struct verb verb_attach = {
    .name = "attach",
    .synopsis = "RUN",
    .summary = "Shows a run's events as they come, until it ends; its exit code is the run's",
    .details = "Ctrl-C leaves the run alone. Exit 8 when the run died without an end.",
    .flags = VERB_JSON_LINES | VERB_GRACEFUL,
    .least = 1,
    .most = 1,
    .run = attach_run,
};

/* ---- cancel ---- */

/* By verb: what is there after it stopped. */
static const char *const cancel_leaves[][2] = {
    {"merge", "batches that were committed stay, the one under way leaves nothing; merge goes on "
              "from there"},
    {"capture", "delta files that were written stay, and the slot holds the source's changes for "
                "the next capture: take the stream down if none is to come"},
    {"simulate", "rows that were committed stay in the source"},
    {"up", "steps that were applied stay, with their receipts; up goes on from there, down takes "
           "them away"},
    {"down", "what is undone stays undone, the rest stands; down goes on from there"},
    {"maintain", "files that were removed are gone; maintain goes on from there"},
    {"verify", "nothing stays behind"},
};

static const char *cancel_remains(const char *verb)
{
    for (size_t i = 0; i < sizeof cancel_leaves / sizeof *cancel_leaves; i++)
        if (strcmp(cancel_leaves[i][0], verb) == 0)
            return cancel_leaves[i][1];
    return "what is committed stays, and the same command goes on from there";
}

static int cancel_run(struct command *command)
{
    struct error error = {0};
    struct run_list list = {0};
    const char *id = command_argument(command, 0);
    const struct profile *profile = command_profile(command, &error);
    bool ok = profile && run_signal(profile, id, SIGTERM, &error) &&
              run_list_load(profile, RUNS_ALL, &list, &error);
    const struct run_summary *run = ok ? run_list_find(&list, id) : NULL;
    const char *verb = run ? run->verb : "";
    const char *object = run ? run->object : "";
    const char *stays = cancel_remains(verb);
    if (ok && command->json)
        ok = command_print_json(command,
                                json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "cancel", "run", id,
                                          "verb", verb, "object", object, "stays", stays),
                                &error);
    else if (ok)
        command_say(command, "run %s (%s %s) was told to stop at its next safe point; %s", id, verb,
                    object, stays);
    run_list_destroy(&list);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_cancel = {
    .name = "cancel",
    .synopsis = "RUN",
    .summary = "Asks a run to stop at its next safe point; says what stays behind",
    .flags = VERB_CHANGES,
    .least = 1,
    .most = 1,
    .run = cancel_run,
};

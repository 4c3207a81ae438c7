/* resume: starts what is wanted and not alive, and goes on with what died in its middle. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/pipeline/events.h"
#include "core/pipeline/run_child.h"
#include "tui/step_print.h"
#include "tui/verbs.h"
#include "tui/work.h"

enum { RESUME_RUNS = 500, RESUME_WAIT_MS = 15000, RESUME_SETTLE_MS = 700, RESUME_POLL_MS = 30 };

/* One piece of work, and what became of starting it. */
struct resumed {
    char *verb, *object;
    const char *action; /* "started", "alive", "paused", "busy", "failed", "done", "starting" */
    char *after;        /* the run that died; NULL: it is wanted */
    char run[RUN_ID_SIZE];
    struct run_child *child;
    struct run_child_report report;
};

struct resuming {
    struct command *command;
    const struct profile *profile;
    const struct pipeline *pipeline;
    const struct stream *only; /* NULL: all */
    struct run_binary binary;
    struct run_list runs;
    struct wanted wanted;
    struct resumed *items;
    size_t count, capacity;
    int worst;
};

static struct resumed *resume_add(struct resuming *resuming, const char *verb, const char *object,
                                  const char *action, struct error *error)
{
    if (!memory_grow(&resuming->items, &resuming->capacity, resuming->count + 1,
                     sizeof *resuming->items, error))
        return NULL;
    struct resumed *item = &resuming->items[resuming->count++];
    *item = (struct resumed){.action = action,
                             .verb = memory_copy_text(verb, error),
                             .object = memory_copy_text(object, error)};
    return item->verb && item->object ? item : NULL;
}

static void resuming_close(struct resuming *resuming)
{
    for (size_t i = 0; i < resuming->count; i++) {
        free(resuming->items[i].verb);
        free(resuming->items[i].object);
        free(resuming->items[i].after);
        run_child_close(resuming->items[i].child);
    }
    free(resuming->items);
    run_list_destroy(&resuming->runs);
    wanted_destroy(&resuming->wanted);
}

/* ---- what to start ---- */

static bool resume_start(struct resuming *resuming, struct resumed *item,
                         const char *const *arguments)
{
    item->action = "starting";
    item->child =
        run_child_start(resuming->profile, &resuming->binary, arguments, &item->report.failure);
    if (item->child == NULL) {
        item->action = "failed";
        item->report.exit_code = error_exit_code(item->report.failure.kind);
    }
    return true;
}

static bool resume_is_ours(const struct resuming *resuming, const char *verb, const char *object)
{
    struct work works[WORK_MOST];
    if (resuming->only == NULL || strcmp(object, resuming->only->name) == 0)
        return true;
    size_t count = work_of_stream(resuming->pipeline, resuming->only, works);
    for (size_t i = 0; i < count; i++)
        if (strcmp(works[i].verb, verb) == 0 && strcmp(works[i].object, object) == 0)
            return true;
    return false;
}

static bool resume_wanted(struct resuming *resuming, struct error *error)
{
    for (size_t i = 0; i < resuming->wanted.count; i++) {
        const struct wanted_work *work = &resuming->wanted.work[i];
        if (!resume_is_ours(resuming, work->verb, work->object))
            continue;
        const struct run_summary *alive =
            work_alive(resuming->pipeline, &resuming->runs, work->verb, work->object);
        const char *action = work->paused     ? "paused"
                             : alive == NULL  ? "starting"
                             : alive->follows ? "alive"
                                              : "busy";
        struct resumed *item = resume_add(resuming, work->verb, work->object, action, error);
        TRY(item != NULL);
        if (alive)
            snprintf(item->run, sizeof item->run, "%s", alive->id);
        if (!work->paused && alive == NULL)
            TRY(resume_start(resuming, item, work->arguments));
    }
    return true;
}

/* Wanted work of the same verb and object does what the dead run would. */
static bool resume_died(struct resuming *resuming, struct error *error)
{
    for (size_t i = 0; i < resuming->runs.count; i++) {
        const struct run_summary *run = &resuming->runs.runs[i];
        if (!run->resumable || !resume_is_ours(resuming, run->verb, run->object) ||
            wanted_find(&resuming->wanted, run->verb, run->object))
            continue;
        size_t count = json_array_size(run->arguments);
        const char **arguments = memory_zero(count + 1, sizeof *arguments, error);
        TRY(arguments != NULL);
        bool whole = count > 0;
        for (size_t k = 0; k < count; k++) {
            arguments[k] = json_string_value(json_array_get(run->arguments, k));
            whole &= arguments[k] != NULL;
        }
        struct resumed *item =
            whole ? resume_add(resuming, run->verb, run->object, "starting", error) : NULL;
        bool ok = !whole || item;
        if (item) {
            item->after = memory_copy_text(run->id, error);
            ok = item->after && resume_start(resuming, item, arguments);
        }
        free(arguments);
        TRY(ok);
    }
    return true;
}

/* ---- what became of it ---- */

static bool resume_poll(struct resuming *resuming, bool *open, struct error *error)
{
    *open = false;
    for (size_t i = 0; i < resuming->count; i++) {
        struct resumed *item = &resuming->items[i];
        if (item->child == NULL)
            continue;
        TRY(run_child_poll(item->child, &item->report, error));
        memcpy(item->run, item->report.run, sizeof item->run);
        if (item->report.state == RUN_CHILD_ENDED)
            item->action = item->report.exit_code ? "failed" : "done";
        else if (item->report.state == RUN_CHILD_RUNNING)
            item->action = "started";
        *open |= item->report.state == RUN_CHILD_STARTING;
    }
    return true;
}

/* Until each has begun its run, or failed; then a moment more, for what fails at once. */
static bool resume_await(struct resuming *resuming, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + (int64_t)RESUME_WAIT_MS * 1000000;
    bool open = false, any = false;
    for (size_t i = 0; i < resuming->count; i++)
        any |= resuming->items[i].child != NULL;
    do {
        TRY(resume_poll(resuming, &open, error));
        if (open && !atomic_load(resuming->command->stop))
            clock_sleep_ms(RESUME_POLL_MS);
    } while (open && !atomic_load(resuming->command->stop) && clock_monotonic_ns() < deadline);
    if (any && !atomic_load(resuming->command->stop))
        clock_sleep_ms(RESUME_SETTLE_MS);
    return resume_poll(resuming, &open, error);
}

static json_t *resumed_json(const struct resumed *item)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s?}", "verb", item->verb, "object", item->object,
                  "action", item->action, "run", item->run, "after", item->after);
    const struct error *failure = &item->report.failure;
    if (item->report.pid)
        json_object_set_new(json, "pid", json_integer(item->report.pid));
    if (failure->kind)
        json_object_set_new(json, "error",
                            json_pack("{s:s, s:s, s:s}", "kind", error_kind_name(failure->kind),
                                      "message", failure->message, "remedy", failure->remedy));
    return json;
}

static bool resumed_print(struct resuming *resuming, const struct resumed *item,
                          struct error *error)
{
    char line[ERROR_MESSAGE_SIZE + ERROR_REMEDY_SIZE + 512];
    const struct error *failure = &item->report.failure;
    int length = snprintf(line, sizeof line, "%s %s: %s%s%s%s%s%s%s%s", item->verb, item->object,
                          item->action, item->run[0] ? ", run " : "", item->run,
                          item->after ? ", goes on where run " : "", item->after ? item->after : "",
                          item->after ? " died" : "", failure->kind ? ": " : "", failure->message);
    if (failure->remedy[0] && length > 0 && (size_t)length < sizeof line)
        snprintf(line + length, sizeof line - (size_t)length, "\n  %s", failure->remedy);
    TRY(command_print_data(resuming->command, slice_of(line), error));
    fputc('\n', resuming->command->out);
    return true;
}

static bool resume_report(struct resuming *resuming, struct error *error)
{
    struct command *command = resuming->command;
    json_t *list = json_array();
    bool ok = true;
    for (size_t i = 0; ok && i < resuming->count; i++) {
        const struct resumed *item = &resuming->items[i];
        json_t *json = resumed_json(item);
        if (command_run_record(command)) {
            json_t *event = json_pack("{s:s}", "event", "resume");
            json_object_update(event, json);
            ok = run_event(command_run_record(command), event, true, error);
        }
        json_array_append_new(list, json);
        if (strcmp(item->action, "failed") == 0 && resuming->worst == 0)
            resuming->worst = item->report.exit_code;
        if (ok && !command->json)
            ok = resumed_print(resuming, item, error);
    }
    if (ok && command->json)
        ok = command_print_json(command, json_pack("{s:O}", "work", list), error);
    else if (ok && resuming->count == 0)
        command_say(command, "nothing is wanted here, and nothing died in its middle; surfboard "
                             "resume STREAM makes a stream's capture and merge wanted");
    json_decref(list);
    return ok;
}

/* ---- the verb ---- */

static bool resume_want(struct resuming *resuming, struct error *error)
{
    struct work works[WORK_MOST];
    size_t count = work_of_stream(resuming->pipeline, resuming->only, works);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        bool changed;
        TRY(wanted_set(resuming->profile, works[i].verb, works[i].object, NULL, false, &changed,
                       error));
        any |= changed;
    }
    return !any || events_note(resuming->profile, resuming->only->name, "wanted",
                               "surfboard resume", NULL, error);
}

static int resume_perform(struct resuming *resuming)
{
    struct error error = {0};
    bool ok = run_binary_fix(&resuming->binary, &error);
    if (ok && resuming->only)
        ok = resume_want(resuming, &error);
    ok = ok && wanted_load(resuming->profile, &resuming->wanted, &error) &&
         run_list_load(resuming->profile, RESUME_RUNS, &resuming->runs, &error) &&
         resume_died(resuming, &error) && resume_wanted(resuming, &error) &&
         resume_await(resuming, &error) && resume_report(resuming, &error);
    resuming_close(resuming);
    return ok ? resuming->worst : command_fail(resuming->command, &error);
}

static int resume_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    const char *name = command_argument(command, 0);
    int code = step_open_pipeline(command, &pipeline);
    if (code >= 0)
        return code;
    struct resuming resuming = {
        .command = command, .profile = command_profile(command, &error), .pipeline = &pipeline};
    bool ok =
        name == NULL || (resuming.only = pipeline_captured_stream(&pipeline, name, &error)) != NULL;
    code = ok ? resume_perform(&resuming) : command_fail(command, &error);
    pipeline_close(&pipeline);
    return code;
}

const struct verb verb_resume = {
    .name = "resume",
    .synopsis = "[STREAM]",
    .summary = "Starts what is wanted and not alive; goes on with what died in its middle",
    .details =
        "With STREAM: capture and merge of that stream are wanted from now on, and not paused any "
        "more. Alone: everything that is wanted and not alive. Work that was killed in its middle "
        "(up, merge, capture, maintain) is begun again with the same arguments, unless a later "
        "run of the same kind succeeded, runs, or was stopped by hand. Each is a process of its "
        "own that outlives this command; surfboard unit prints what calls it at boot.\n\n"
        "Exit code: 0 when everything started or was alive, else that of the first that failed.",
    .flags = VERB_CHANGES | VERB_GRACEFUL,
    .most = 1,
    .run = resume_run,
};

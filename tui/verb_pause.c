/* pause: stops a stream's long-running work, and keeps resume from starting it again. */
#include <signal.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/pipeline/events.h"
#include "tui/step_print.h"
#include "tui/verbs.h"
#include "tui/work.h"

enum { PAUSE_RUNS = 500, PAUSE_POLL_MS = 100, PAUSE_WAIT_MS = 60000 };

struct pausing {
    struct command *command;
    const struct profile *profile;
    const struct pipeline *pipeline;
    const struct stream *stream;
    json_t *work; /* what was done, for the report */
};

/* Until the run is over; false with ERROR_INTERRUPTED, or ERROR_CONFLICT after a minute. */
static bool pause_await(struct pausing *pausing, const char *id, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + (int64_t)PAUSE_WAIT_MS * 1000000;
    for (;;) {
        struct run_list runs;
        TRY(run_list_load(pausing->profile, PAUSE_RUNS, &runs, error));
        const struct run_summary *run = run_list_find(&runs, id);
        bool over = run == NULL || strcmp(run->state, "running") != 0;
        run_list_destroy(&runs);
        if (over)
            return true;
        if (atomic_load(pausing->command->stop))
            return error_set(error, ERROR_INTERRUPTED,
                             "it stops at its next safe point all the same",
                             "interrupted while waiting for run %s", id);
        if (clock_monotonic_ns() > deadline)
            return error_set(error, ERROR_CONFLICT, "surfboard attach shows what it is at",
                             "run %s was told to stop and has not ended after a minute", id);
        clock_sleep_ms(PAUSE_POLL_MS);
    }
}

static bool pause_tell(struct pausing *pausing, const struct work *work, const char *action,
                       const char *run, struct error *error)
{
    struct command *command = pausing->command;
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "verb", work->verb, "object", work->object,
                             "action", action, "run", run);
    if (!command->json)
        fprintf(command->out, "%s %s: %s%s%s\n", work->verb, work->object, action,
                *run ? ", run " : "", run);
    if (command_run_record(command)) {
        json_t *event = json_pack("{s:s}", "event", "pause");
        json_object_update(event, json);
        TRY(run_event(command_run_record(command), event, true, error));
    }
    return json_array_append_new(pausing->work, json) == 0 || error_set_memory(error, 0);
}

/* Marks first, then stops: in between nobody starts it again. */
static bool pause_work(struct pausing *pausing, const struct work *work, struct error *error)
{
    struct wanted wanted;
    struct run_list runs;
    TRY(wanted_load(pausing->profile, &wanted, error));
    bool shared = strcmp(work->verb, "capture") == 0 &&
                  work_is_shared(pausing->pipeline, &wanted, pausing->stream);
    wanted_destroy(&wanted);
    if (shared)
        return pause_tell(pausing, work, "goes on: other streams of its source need it", "", error);
    TRY(wanted_set(pausing->profile, work->verb, work->object, NULL, true, NULL, error));
    TRY(run_list_load(pausing->profile, PAUSE_RUNS, &runs, error));
    const struct run_summary *alive =
        work_alive(pausing->pipeline, &runs, work->verb, work->object);
    bool ok = true;
    if (alive && alive->follows) {
        ok = run_signal(pausing->profile, alive->id, SIGTERM, error) &&
             pause_await(pausing, alive->id, error) &&
             pause_tell(pausing, work, "stopped and paused", alive->id, error);
    } else {
        ok =
            pause_tell(pausing, work, alive ? "paused; the run under way ends by itself" : "paused",
                       alive ? alive->id : "", error);
    }
    run_list_destroy(&runs);
    return ok;
}

static bool pause_stream(struct pausing *pausing, struct error *error)
{
    struct work works[WORK_MOST];
    size_t count = work_of_stream(pausing->pipeline, pausing->stream, works);
    /* The merge first: whether another stream needs the capture is asked without it. */
    for (size_t i = count; i > 0; i--)
        TRY(pause_work(pausing, &works[i - 1], error));
    return events_note(pausing->profile, pausing->stream->name, "paused", "surfboard pause", NULL,
                       error);
}

static int pause_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    int code = step_open_pipeline(command, &pipeline);
    if (code >= 0)
        return code;
    struct pausing pausing = {.command = command,
                              .profile = command_profile(command, &error),
                              .pipeline = &pipeline,
                              .work = json_array()};
    pausing.stream = pipeline_captured_stream(&pipeline, command_argument(command, 0), &error);
    bool ok = pausing.stream && pause_stream(&pausing, &error);
    if (ok && command->json)
        ok = command_print_json(command, json_pack("{s:O}", "work", pausing.work), &error);
    json_decref(pausing.work);
    pipeline_close(&pipeline);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_pause = {
    .name = "pause",
    .synopsis = "STREAM",
    .summary = "Stops a stream's capture and merge cleanly, until resume STREAM",
    .details = "What is committed stays. While it is paused the slot keeps the source's changes, "
               "so the source's disk fills: status says by how much. A capture that other streams "
               "of the same source need goes on.",
    .flags = VERB_CHANGES | VERB_GRACEFUL,
    .least = 1,
    .most = 1,
    .run = pause_run,
};

/* What the demo does, one after the other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tui/demo/demo.h"

enum { STOP_WAIT_MS = 30000, POLL_MS = 100 };

/* What is asked to stop drains and compares all the same: a second signal ends it at once. */
static const atomic_bool never;

static int64_t whole(const json_t *line, const char *key)
{
    return json_integer_value(json_object_get(line, key));
}

static bool is_event(const json_t *line, const char *name)
{
    const char *event = json_string_value(json_object_get(line, "event"));
    return event && strcmp(event, name) == 0;
}

/* Counts of a child that is started more than once add up; within one run they are totals. */
static void take_simulate(void *context, const json_t *line)
{
    struct demo *demo = context;
    if (is_event(line, "progress"))
        demo->counts.simulated = whole(line, "done");
    if (!is_event(line, "summary"))
        return;
    demo->counts.simulated =
        whole(line, "inserts") + whole(line, "updates") + whole(line, "deletes");
    demo->counts.multi_table += whole(line, "multi_table");
}

static void take_capture(void *context, const json_t *line)
{
    struct demo *demo = context;
    const char *unit = json_string_value(json_object_get(line, "unit"));
    if (is_event(line, "progress") && unit && strcmp(unit, "events") == 0)
        demo->counts.captured = whole(line, "done");
    if (!is_event(line, "summary"))
        return;
    demo->counts.captured += whole(line, "events") - demo->counts.captured;
    demo->counts.snapshot_rows += whole(line, "snapshot_rows");
    demo->counts.key_changes += whole(line, "key_changes");
    demo->counts.unavailable += whole(line, "unavailable");
}

static void take_merge(void *context, const json_t *line)
{
    struct demo *demo = context;
    /* A follower tells each batch, and sums them up at its end; a single pass only sums up. */
    const char *wanted = demo->draining ? "summary" : "batch";
    const char *state = json_string_value(json_object_get(line, "state"));
    if (!is_event(line, wanted) || state == NULL || strcmp(state, "committed") != 0)
        return;
    demo->counts.events += whole(line, "events");
    demo->counts.inserted += whole(line, "inserted");
    demo->counts.updated += whole(line, "updated");
    demo->counts.deleted += whole(line, "deleted");
    demo->counts.batches++;
    demo->counts.batch = whole(line, "batch");
}

static void take_up(void *context, const json_t *line)
{
    struct demo *demo = context;
    char text[256];
    const char *step = json_string_value(json_object_get(line, "step"));
    const char *action = json_string_value(json_object_get(line, "action"));
    const char *title = json_string_value(json_object_get(line, "title"));
    if (!is_event(line, "step") || !step || !action)
        return;
    if (title && strncmp(title, step, strlen(step)) == 0 && title[strlen(step)] == ':')
        title += strlen(step) + 2;
    snprintf(text, sizeof text, "%-11s %-8s %.150s", step, action, title ? title : "");
    demo_say(demo, text);
}

static void take_verify(void *context, const json_t *line)
{
    struct demo *demo = context;
    if (json_object_get(line, "equal") == NULL)
        return;
    demo->equal = json_is_true(json_object_get(line, "equal"));
    size_t index;
    json_t *table;
    json_array_foreach(json_object_get(line, "tables"), index, table)
    {
        const char *name = json_string_value(json_object_get(table, "table"));
        int64_t differs = whole(table, "differs"), source = whole(table, "source_only"),
                lake = whole(table, "lake_only");
        if (differs || source || lake)
            buffer_append_format(&demo->differences, NULL,
                                 "  %s: %lld differ, %lld only in the source, %lld only in the "
                                 "lake\n",
                                 name ? name : "?", (long long)differs, (long long)source,
                                 (long long)lake);
    }
}

/* Starts `surfboard --profile P <words> --json`. */
static bool demo_start(struct demo *demo, struct demo_child *child, const char *name,
                       const char *const *words, void (*line)(void *, const json_t *),
                       struct error *error)
{
    const char *arguments[DEMO_ARGUMENTS_MOST] = {"--profile", demo->profile_path};
    size_t count = 2;
    for (size_t i = 0; words[i]; i++)
        arguments[count++] = words[i];
    arguments[count++] = "--json";
    arguments[count] = NULL;
    char *log = memory_format(error, "%s/%s.log", demo->logs, name);
    TRY(log);
    child->name = name;
    child->line = line;
    child->context = demo;
    bool ok = demo_child_start(child, arguments, log, error);
    free(log);
    return ok;
}

/* A child that ended with trouble: its last words, from its log. */
static bool demo_blame(struct demo *demo, const struct demo_child *child, struct error *error)
{
    char last[512] = "";
    char *log = memory_format(error, "%s/%s.log", demo->logs, child->name);
    TRY(log);
    program_last_line(log, last, sizeof last);
    error_set(error, ERROR_CHECK, NULL, "%s ended with exit code %d: %s", child->name,
              child->exit_code, *last ? last : "it said nothing");
    error_remedy(error, "look into %s", log);
    free(log);
    return false;
}

/* Runs one verb to its end. */
static bool demo_once(struct demo *demo, struct demo_child *child, const char *name,
                      const char *const *words, void (*line)(void *, const json_t *),
                      bool may_be_one, const atomic_bool *stop, struct error *error)
{
    TRY(demo_start(demo, child, name, words, line, error));
    if (!demo_child_wait(child, stop, error)) {
        demo_child_stop(child, STOP_WAIT_MS, NULL);
        return false;
    }
    return child->exit_code == 0 || (may_be_one && child->exit_code == 1) ||
           demo_blame(demo, child, error);
}

static bool demo_check_children(struct demo *demo, struct error *error)
{
    struct demo_child *children[] = {&demo->simulate, &demo->capture, &demo->merge};
    for (size_t i = 0; i < 3; i++)
        if (children[i]->pid == 0)
            return demo_blame(demo, children[i], error);
    return true;
}

/* The part that people watch. */
static bool demo_live(struct demo *demo, struct error *error)
{
    struct demo_child *children[] = {&demo->simulate, &demo->capture, &demo->merge};
    const atomic_bool *stop = demo->command->stop;
    demo->started_ns = clock_monotonic_ns();
    if (demo_has_screen(demo))
        return demo_screen(demo, error) && demo_check_children(demo, error);
    while (!atomic_load(stop) && clock_monotonic_ns() - demo->started_ns < demo->run_ms * 1000000) {
        TRY(demo_children_poll(children, 3, POLL_MS, error));
        TRY(demo_check_children(demo, error));
        TRY(demo_measure(demo, error));
        demo_report(demo, "live");
    }
    return true;
}

static bool demo_start_all(struct demo *demo, struct error *error)
{
    char rate[32], seed[32];
    snprintf(rate, sizeof rate, "%lld", (long long)demo->rate);
    /* Another seed at each start, or a resumed demo would try to make the same changes again. */
    snprintf(seed, sizeof seed, "%lld", (long long)(clock_now_ms() / 1000));
    const char *const capture[] = {"capture", DEMO_STREAM, "--follow", NULL};
    const char *const merge[] = {"merge", DEMO_STREAM, "--follow", NULL};
    const char *const simulate[] = {"simulate", DEMO_STREAM, "--rate", rate, "--seed", seed, NULL};
    return demo_start(demo, &demo->capture, "capture", capture, take_capture, error) &&
           demo_start(demo, &demo->merge, "merge", merge, take_merge, error) &&
           demo_start(demo, &demo->simulate, "simulate", simulate, take_simulate, error);
}

/* The generator stops first; then everything that it wrote is captured, and all that merged. */
static bool demo_drain(struct demo *demo, struct error *error)
{
    const char *const capture[] = {"capture", DEMO_STREAM, "--once", NULL};
    const char *const merge[] = {"merge", DEMO_STREAM, "--once", NULL};
    demo_say(demo, "the generator stops; what it wrote flows on");
    TRY(demo_child_stop(&demo->simulate, STOP_WAIT_MS, error));
    TRY(demo_child_stop(&demo->capture, STOP_WAIT_MS, error));
    int64_t captured = demo->counts.captured;
    demo->counts.captured = 0;
    TRY(demo_once(demo, &demo->capture, "capture", capture, take_capture, false, &never, error));
    demo->counts.captured += captured;
    TRY(demo_child_stop(&demo->merge, STOP_WAIT_MS, error));
    demo->draining = true;
    return demo_once(demo, &demo->merge, "merge", merge, take_merge, false, &never, error);
}

bool demo_run(struct demo *demo, struct error *error)
{
    const char *const up[] = {"up", DEMO_STREAM, NULL};
    const char *const verify[] = {"verify", DEMO_STREAM, "--full", NULL};
    if (atomic_load(demo->command->stop))
        return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted before anything was written");
    demo_say(demo, "bringing the stream up, step by step");
    TRY(demo_once(demo, &demo->up, "up", up, take_up, false, demo->command->stop, error));
    demo_say(demo, "starting generator, capture and merge");
    TRY(demo_start_all(demo, error));
    TRY(demo_live(demo, error));
    TRY(demo_drain(demo, error));
    demo->measured_ns = 0;
    TRY(demo_measure(demo, error));
    demo->shown_ns = 0;
    demo_report(demo, "drained");
    demo_say(demo, "comparing source and lake, row by row");
    return demo_once(demo, &demo->verify, "verify", verify, take_verify, true, &never, error);
}

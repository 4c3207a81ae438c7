/* history: changes of state and runs, in the order of time. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/events.h"
#include "core/pipeline/run.h"
#include "core/pipeline/run_file.h"
#include "tui/verbs.h"

enum { HISTORY_RUNS = 2000, HISTORY_EVENTS = 5000, HISTORY_SINCE_MS = 8 * 3600 * 1000 };

/* A line of it: a change of state, or a run by when it began. */
struct moment {
    int64_t at_us;
    const struct state_event *event;
    const struct run_summary *run;
};

struct history {
    struct command *command;
    const char *object; /* NULL: all */
    struct event_list events;
    struct run_list runs;
    struct moment *moments;
    size_t count;
};

static int moment_compare(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

static bool history_collect(struct history *history, int64_t since_us, struct error *error)
{
    size_t most = history->events.count + history->runs.count;
    history->moments = memory_zero(most + 1, sizeof *history->moments, error);
    TRY(history->moments != NULL);
    for (size_t i = 0; i < history->events.count; i++)
        history->moments[history->count++] = (struct moment){
            .at_us = history->events.events[i].at_us, .event = &history->events.events[i]};
    for (size_t i = 0; i < history->runs.count; i++) {
        const struct run_summary *run = &history->runs.runs[i];
        json_t *at = json_pack("{s:s}", "at", run->started);
        int64_t at_us = run_event_time(at);
        json_decref(at);
        if (at_us >= since_us &&
            (history->object == NULL || strcmp(history->object, run->object) == 0))
            history->moments[history->count++] = (struct moment){.at_us = at_us, .run = run};
    }
    if (history->count)
        qsort(history->moments, history->count, sizeof *history->moments, moment_compare);
    return true;
}

static json_t *moment_json(const struct moment *moment)
{
    const struct state_event *event = moment->event;
    const struct run_summary *run = moment->run;
    char at[40];
    host_time_text(moment->at_us, at, sizeof at);
    if (event)
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "at", at, "kind", "state",
                         "object", event->object, "from", event->from, "to", event->to, "why",
                         event->why, "by", event->by, "run", event->run);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "at", at, "kind", "run",
                     "object", run->object, "verb", run->verb, "state", run->state, "by", run->by,
                     "run", run->id, "ended", run->ended, "exit",
                     run->exit_code < 0 ? json_null() : json_integer(run->exit_code));
}

static bool moment_print(struct command *command, const struct moment *moment, struct error *error)
{
    char line[4096], at[40];
    const struct state_event *event = moment->event;
    const struct run_summary *run = moment->run;
    host_time_text(moment->at_us, at, sizeof at);
    if (event)
        snprintf(line, sizeof line, "%s  %-20s %s%s%s%s%s  %s%s%s", at, event->object, event->from,
                 *event->from ? " -> " : "", event->to, *event->why ? ": " : "", event->why,
                 event->by, *event->run ? ", run " : "", event->run);
    else
        snprintf(line, sizeof line, "%s  %-20s run %s: %s, %s  %s", at,
                 *run->object ? run->object : "-", run->id, run->verb, run->state, run->by);
    TRY(command_print_data(command, slice_of(line), error));
    fputc('\n', command->out);
    return true;
}

static bool history_print(struct history *history, struct error *error)
{
    struct command *command = history->command;
    json_t *list = json_array();
    bool ok = true;
    for (size_t i = 0; ok && i < history->count; i++) {
        if (command->json)
            json_array_append_new(list, moment_json(&history->moments[i]));
        else
            ok = moment_print(command, &history->moments[i], error);
    }
    if (ok && command->json)
        ok = command_print_json(command, json_pack("{s:O}", "history", list), error);
    else if (ok && history->count == 0)
        command_say(command, "nothing happened in that time; --since 30d looks further back");
    json_decref(list);
    return ok;
}

static int history_run(struct command *command)
{
    struct error error = {0};
    struct history history = {.command = command, .object = command_argument(command, 0)};
    const struct profile *profile = command_profile(command, &error);
    int64_t since_us =
        clock_now_us() - command_duration_ms(command, "since", HISTORY_SINCE_MS) * 1000;
    bool ok =
        profile &&
        events_load(profile, history.object, since_us, HISTORY_EVENTS, &history.events, &error) &&
        run_list_load(profile, HISTORY_RUNS, &history.runs, &error) &&
        history_collect(&history, since_us, &error) && history_print(&history, &error);
    free(history.moments);
    event_list_destroy(&history.events);
    run_list_destroy(&history.runs);
    return ok ? 0 : command_fail(command, &error);
}

static const struct option_spec history_options[] = {
    {"since", OPTION_DURATION, "TIME", "how far back (8h)"},
    {0},
};

const struct verb verb_history = {
    .name = "history",
    .synopsis = "[OBJECT] [--since 8h]",
    .summary = "Shows changes of state and runs, oldest first",
    .details = "OBJECT is a stream, or what the changes name. Changes of state are written by "
               "whoever sees them: status, pause, resume, the screen.",
    .options = history_options,
    .most = 1,
    .run = history_run,
};

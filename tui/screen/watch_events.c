/* What the watch shares with all operators of a state: paused work, and changes of state. */
#include <stdio.h>
#include <string.h>

#include "core/pipeline/events.h"
#include "tui/screen/watch_private.h"
#include "tui/work.h"

enum { EVENTS_FIRST = 4096 };

/* Who cannot read it knows of no pause; what was known stays. */
void watch_read_wanted(struct watch_work *work)
{
    struct wanted wanted;
    struct error ignored = {0};
    if (!wanted_load(work->profile, &wanted, &ignored))
        return;
    for (size_t i = 0; i < work->count; i++) {
        const struct wanted_work *merge =
            wanted_find(&wanted, "merge", work->pipeline->streams[i].name);
        work->readings[i].paused = merge && merge->paused;
    }
    wanted_destroy(&wanted);
}

static void keep_change(struct watch_change *change, const struct state_event *event)
{
    *change = (struct watch_change){.at_us = event->at_us};
    const struct {
        char *to;
        size_t size;
        const char *from;
    } texts[] = {{change->object, sizeof change->object, event->object},
                 {change->from, sizeof change->from, event->from},
                 {change->to, sizeof change->to, event->to},
                 {change->why, sizeof change->why, event->why},
                 {change->by, sizeof change->by, event->by},
                 {change->run, sizeof change->run, event->run}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        snprintf(texts[i].to, texts[i].size, "%s", texts[i].from ? texts[i].from : "");
}

static void take_noted(struct watch_work *work, const struct state_event *event)
{
    for (size_t i = 0; i < work->count; i++)
        if (event->object && strcmp(work->pipeline->streams[i].name, event->object) == 0)
            snprintf(work->readings[i].noted, sizeof work->readings[i].noted, "%s",
                     event->to ? event->to : "");
}

/* `most` 1: only what came last. */
static void load_events(struct watch_work *work, size_t most)
{
    struct event_list list;
    struct error ignored = {0};
    if (!events_load(work->profile, NULL, 0, most, &list, &ignored))
        return;
    for (size_t i = 0; i < list.count; i++)
        take_noted(work, &list.events[i]);
    if (list.count)
        keep_change(&work->change, &list.events[list.count - 1]);
    work->change_known = true;
    event_list_destroy(&list);
}

/* Whether merging catches up changes too often to be news. */
static const char *state_to_note(const struct watch_reading *reading)
{
    const char *state = reading->lag.state;
    bool pausable =
        strcmp(state, "ok") == 0 || strcmp(state, "late") == 0 || strcmp(state, "stopped") == 0;
    return reading->paused && pausable ? "paused" : state;
}

void watch_read_events(struct watch_work *work)
{
    struct error ignored = {0};
    bool written = false;
    load_events(work, work->events_known ? 1 : EVENTS_FIRST);
    work->events_known = true;
    for (size_t i = 0; i < work->measured && !work->read_only; i++) {
        struct watch_reading *reading = &work->readings[i];
        const char *state = state_to_note(reading);
        bool any = false;
        if (strcmp(reading->noted, state) == 0 || reading->lag.stream->capture == NULL)
            continue;
        snprintf(reading->noted, sizeof reading->noted, "%s", state);
        /* What was never built is no news. */
        events_note(work->profile, reading->lag.stream->name, state, reading->lag.reason, &any,
                    &ignored);
        written |= any;
    }
    if (written)
        load_events(work, 1);
}

/* What the watch shares with all operators of a state: changes of state. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/pipeline/events.h"
#include "tui/screen/watch_private.h"

enum { EVENTS_MOST = 4096 };

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

/* Read again only when somebody wrote: others' lines count as ours. */
static void load_events(struct watch_work *work)
{
    struct event_list list;
    struct error ignored = {0};
    struct stat status = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/events.jsonl", work->profile->state);
    if (stat(path, &status) != 0)
        status.st_size = 0;
    int64_t changed = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    if (work->change_known && work->events_size == status.st_size && work->events_ns == changed)
        return;
    work->events_size = status.st_size;
    work->events_ns = changed;
    if (!events_load(work->profile, NULL, 0, EVENTS_MOST, &list, &ignored))
        return;
    for (size_t i = 0; i < list.count; i++)
        take_noted(work, &list.events[i]);
    work->change = (struct watch_change){0};
    if (list.count)
        keep_change(&work->change, &list.events[list.count - 1]);
    work->change_known = true;
    event_list_destroy(&list);
}

/* What nobody noted within the events that were read is looked for once more before it is news. */
static void note(struct watch_work *work, struct watch_reading *reading, const char *state)
{
    struct error ignored = {0};
    const char *name = reading->lag.stream->name, *why = reading->lag.reason;
    if (reading->noted[0])
        events_append(
            work->profile,
            &(struct state_event){.object = name, .from = reading->noted, .to = state, .why = why},
            &ignored);
    else
        events_note(work->profile, name, state, why, NULL, &ignored);
    snprintf(reading->noted, sizeof reading->noted, "%s", state);
}

void watch_read_events(struct watch_work *work)
{
    load_events(work);
    /* Who only looks makes no folders, and needs no right to write. */
    if (work->read_only || access(work->profile->state, W_OK | X_OK) != 0)
        return;
    for (size_t i = 0; i < work->measured; i++) {
        struct watch_reading *reading = &work->readings[i];
        /* Whether merging catches up changes too often to be news. */
        const char *state = reading->lag.state;
        if (reading->lag.stream->capture && strcmp(reading->noted, state) != 0)
            note(work, reading, state);
    }
    load_events(work);
}

/* A run of `up` or `down` that works on the stream in sight, started here or elsewhere: its events
 * are read once a second, by a job, as long as it goes on. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/datetime.h"
#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "core/pipeline/run_tail.h"
#include "tui/screen/view_pipeline.h"

enum { TICK_MS = 1000, EVENTS_MOST = 200, TAIL_LIMIT_MS = 20000 };

struct pipe_follow {
    struct pipeline_view *view; /* NULL: closed, or another stream is in sight */
    const struct profile *profile;
    char run[RUN_ID_SIZE];
    bool down; /* steps go backwards */
    struct job *job;
    /* The job's; handed over by done(). */
    struct run_tail *tail;
    json_t *events[EVENTS_MOST];
    size_t event_count;
    enum run_tail_state state;
    /* The screen's. */
    int step; /* PIPE_NONE */
    int64_t step_us, heard_us;
    char says[160];
};

/* ---- which run ---- */

static bool run_is_for(const struct run_summary *run, const char *stream)
{
    return (strcmp(run->verb, "up") == 0 || strcmp(run->verb, "down") == 0) &&
           strcmp(run->state, "running") == 0 &&
           (run->object[0] == '\0' || strcmp(run->object, stream) == 0);
}

static const struct run_summary *run_found(const struct pipeline_view *view)
{
    const struct pipe_stream *stream = pipe_stream_now(view);
    const struct run_list *runs = &view->view.app->watch.runs;
    for (size_t i = 0; stream && i < runs->count; i++)
        if (run_is_for(&runs->runs[i], stream->stream->name) &&
            strcmp(runs->runs[i].id, view->over) != 0)
            return &runs->runs[i];
    return NULL;
}

const char *pipe_run(const struct pipeline_view *view)
{
    if (view->follow)
        return view->follow->run;
    const struct run_summary *run = run_found(view);
    return run ? run->id : NULL;
}

/* "up orders --step slot" is of orders. */
static bool child_is_for(const char *what, const char *stream)
{
    size_t length = strlen(stream);
    what += strncmp(what, "up ", 3) == 0 ? 3 : strncmp(what, "down ", 5) == 0 ? 5 : 0;
    return strncmp(what, stream, length) == 0 && (what[length] == ' ' || what[length] == '\0');
}

bool pipe_run_starts(const struct pipeline_view *view)
{
    const struct runner *runner = &view->view.app->runner;
    const struct pipe_stream *stream = pipe_stream_now(view);
    for (size_t i = 0; stream && i < runner->count; i++)
        if (child_is_for(runner->children[i].what, stream->stream->name))
            return true;
    return false;
}

/* ---- events ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int step_index(const struct pipe_stream *stream, const char *id, size_t length)
{
    for (size_t i = 0; i < stream->count; i++)
        if (strlen(stream->steps[i].step->id) == length &&
            memcmp(stream->steps[i].step->id, id, length) == 0)
            return (int)i;
    return PIPE_NONE;
}

static void follow_enter(struct pipe_follow *follow, int step, int64_t at_us)
{
    if (step != follow->step)
        follow->step_us = at_us;
    follow->step = step;
}

/* A phase reads "slot: apply". */
static void follow_phase(struct pipe_follow *follow, const struct pipe_stream *stream,
                         const char *phase, int64_t at_us)
{
    int step = step_index(stream, phase, strcspn(phase, ":"));
    if (step != PIPE_NONE)
        follow_enter(follow, step, at_us);
}

static void follow_step(struct pipe_follow *follow, struct pipe_stream *stream, const json_t *event,
                        int64_t at_us)
{
    const char *id = text_of(event, "step"), *action = text_of(event, "action");
    int index = step_index(stream, id, strlen(id));
    if (index == PIPE_NONE || strcmp(text_of(event, "stream"), stream->stream->name) != 0)
        return;
    struct pipe_step *step = &stream->steps[index];
    snprintf(step->did, sizeof step->did, "%s", action);
    step->stale = true;
    follow->says[0] = '\0';
    if (strcmp(action, "stopped") == 0) {
        snprintf(step->stopped_run, sizeof step->stopped_run, "%s", follow->run);
        free(step->stopped_why);
        free(step->stopped_remedy);
        step->stopped_why = memory_copy_text(text_of(event, "reason"), NULL);
        step->stopped_remedy = memory_copy_text(text_of(event, "remedy"), NULL);
        step->stopped_us = at_us;
    }
    int next = follow->down ? index - 1 : index + 1;
    bool stands = strcmp(action, "applied") == 0 || strcmp(action, "kept") == 0;
    if (stands)
        step->stopped_run[0] = '\0';
    follow_enter(follow, next >= (int)stream->count ? PIPE_NONE : next, at_us);
}

static void follow_progress(struct pipe_follow *follow, const json_t *event)
{
    char done[QUANTITY_TEXT_SIZE], total[QUANTITY_TEXT_SIZE], place[80] = "";
    json_int_t of = json_integer_value(json_object_get(event, "total"));
    const char *table = text_of(event, "table");
    quantity_format_count((uint64_t)json_integer_value(json_object_get(event, "done")), done);
    quantity_format_count((uint64_t)(of > 0 ? of : 0), total);
    if (*table)
        snprintf(place, sizeof place, "%s: ", table);
    if (of > 0)
        snprintf(follow->says, sizeof follow->says, "%s%s of about %s %s", place, done, total,
                 text_of(event, "unit"));
    else
        snprintf(follow->says, sizeof follow->says, "%s%s %s", place, done, text_of(event, "unit"));
}

/* The run failed in a step that told nothing of itself. */
static void follow_end(struct pipe_follow *follow, struct pipe_stream *stream, const json_t *event,
                       int64_t at_us)
{
    const json_t *failure = json_object_get(event, "error");
    if (failure == NULL || follow->step == PIPE_NONE)
        return;
    struct pipe_step *step = &stream->steps[follow->step];
    snprintf(step->stopped_run, sizeof step->stopped_run, "%s", follow->run);
    free(step->stopped_why);
    free(step->stopped_remedy);
    step->stopped_why = memory_copy_text(text_of(failure, "message"), NULL);
    step->stopped_remedy = memory_copy_text(text_of(failure, "remedy"), NULL);
    step->stopped_us = at_us;
}

static void follow_event(struct pipe_follow *follow, const json_t *event)
{
    struct pipe_stream *stream = pipe_stream_now(follow->view);
    const char *kind = text_of(event, "event");
    int64_t at_us = clock_now_us();
    datetime_parse_timestamptz(slice_of(text_of(event, "at")), &at_us);
    if (strcmp(kind, "start") == 0) {
        follow->down = strcmp(text_of(event, "verb"), "down") == 0;
    } else if (strcmp(kind, "step") == 0) {
        bool stopped = strcmp(text_of(event, "action"), "stopped") == 0;
        follow_step(follow, stream, event, at_us);
        if (stopped)
            follow->step = PIPE_NONE;
    } else if (strcmp(kind, "progress") == 0) {
        follow_phase(follow, stream, text_of(event, "phase"), at_us);
        follow_progress(follow, event);
    } else if (strcmp(kind, "waiting") == 0) {
        const char *what = text_of(event, "for");
        bool pulse = step_index(stream, what, strcspn(what, ":")) != PIPE_NONE;
        follow_phase(follow, stream, what, at_us);
        if (!pulse)
            snprintf(follow->says, sizeof follow->says, "waits for %s", what);
    } else if (strcmp(kind, "end") == 0) {
        follow_end(follow, stream, event, at_us);
    }
}

/* ---- the job ---- */

static bool tail_run(struct job *job, void *context, struct error *error)
{
    struct pipe_follow *follow = context;
    (void)job;
    if (follow->tail == NULL)
        follow->tail = run_tail_open(follow->profile, follow->run, 0, error);
    TRY(follow->tail != NULL);
    while (follow->event_count < EVENTS_MOST) {
        struct slice line;
        json_t *event = NULL;
        TRY(run_tail_next(follow->tail, &line, &event, error));
        if (line.data == NULL)
            break;
        if (event)
            follow->events[follow->event_count++] = event;
    }
    /* More may wait: then it is not over, whatever stands at the end of the file. */
    follow->state =
        follow->event_count < EVENTS_MOST ? run_tail_state(follow->tail) : RUN_TAIL_ALIVE;
    return true;
}

static void follow_free(struct pipe_follow *follow)
{
    for (size_t i = 0; i < follow->event_count; i++)
        json_decref(follow->events[i]);
    run_tail_close(follow->tail);
    free(follow);
}

static void follow_over(struct pipeline_view *view)
{
    struct pipe_follow *follow = view->follow;
    snprintf(view->over, sizeof view->over, "%s", follow->run);
    view->follow = NULL;
    follow_free(follow);
    /* Steps of wider scopes are other streams' too. */
    for (size_t i = 0; i < view->count; i++)
        for (size_t n = 0; n < view->streams[i].count; n++)
            view->streams[i].steps[n].stale = true;
    view->look_again = true;
    pipe_changed(view);
    pipe_tick_soon(view);
}

static void tail_done(void *context, bool ok, const struct error *error)
{
    struct pipe_follow *follow = context;
    struct pipeline_view *view = follow->view;
    follow->job = NULL;
    if (view == NULL) {
        follow_free(follow);
        return;
    }
    for (size_t i = 0; i < follow->event_count; i++)
        follow_event(follow, follow->events[i]);
    bool more = follow->event_count == EVENTS_MOST;
    for (size_t i = 0; i < follow->event_count; i++)
        json_decref(follow->events[i]);
    if (follow->event_count)
        follow->heard_us = clock_now_us();
    follow->event_count = 0;
    pipe_changed(view);
    if (!ok && error->kind != ERROR_INTERRUPTED)
        app_fail(view->view.app, error);
    if (!ok || follow->state != RUN_TAIL_ALIVE)
        follow_over(view);
    else if (more)
        pipe_tick_soon(view);
}

static const struct job_kind tail_kind = {"run", TAIL_LIMIT_MS, tail_run, tail_done};

static void follow_read(struct pipeline_view *view, struct pipe_follow *follow)
{
    struct job *job = app_job(view->view.app, &tail_kind, follow);
    /* Without a job it was told to tail_done() already, and is gone. */
    if (job)
        follow->job = job;
}

static void follow_begin(struct pipeline_view *view, const char *run)
{
    struct error error = {0};
    struct pipe_follow *follow = memory_zero(1, sizeof *follow, &error);
    if (follow == NULL) {
        app_fail(view->view.app, &error);
        return;
    }
    follow->view = view;
    follow->profile = &view->view.app->profile;
    follow->step = PIPE_NONE;
    snprintf(follow->run, sizeof follow->run, "%s", run);
    view->follow = follow;
    pipe_changed(view);
}

void pipe_follow_leave(struct pipeline_view *view)
{
    struct pipe_follow *follow = view->follow;
    struct pipe_stream *stream = pipe_stream_now(view);
    if (follow == NULL)
        return;
    view->follow = NULL;
    follow->view = NULL;
    for (size_t i = 0; stream && i < stream->count; i++)
        stream->steps[i].did[0] = '\0';
    if (follow->job)
        job_stop(follow->job);
    else
        follow_free(follow);
}

/* ---- once a second ---- */

static bool in_sight(const struct pipeline_view *view)
{
    const struct app *app = view->view.app;
    return app->views[app->current] == &view->view;
}

static void pipe_tick(void *context)
{
    struct pipeline_view *view = context;
    view->ticking = false;
    if (!in_sight(view))
        return;
    if (view->look_again && view->look == NULL)
        pipe_look(view);
    const struct run_summary *run = view->follow ? NULL : run_found(view);
    if (run)
        follow_begin(view, run->id);
    if (view->follow && view->follow->job == NULL)
        follow_read(view, view->follow);
    if (view->look == NULL && view->follow == NULL && !pipe_run_starts(view))
        return;
    view->ticking = true;
    pipe_changed(view);
    loop_after(&view->view.app->loop, TICK_MS, pipe_tick, view);
}

void pipe_tick_soon(struct pipeline_view *view)
{
    view->ticking = true;
    loop_after(&view->view.app->loop, 0, pipe_tick, view);
}

void pipe_tick_stop(struct pipeline_view *view)
{
    loop_cancel(&view->view.app->loop, pipe_tick, view);
}

int pipe_follow_step(const struct pipeline_view *view, int64_t *since_us)
{
    if (view->follow == NULL)
        return PIPE_NONE;
    *since_us = view->follow->step_us;
    return view->follow->step;
}

const char *pipe_follow_says(const struct pipeline_view *view)
{
    return view->follow ? view->follow->says : "";
}

/* One that was too short to be followed is read to its end now: it may say why it stopped. */
static void run_ended(struct pipeline_view *view, const char *run)
{
    if (view->follow == NULL && run[0] && strcmp(run, view->over) != 0)
        follow_begin(view, run);
    else if (view->follow == NULL && run[0] == '\0')
        view->look_again = true;
    pipe_tick_soon(view);
}

void pipe_run_ended(struct app *app, const char *run, int exit_code)
{
    (void)exit_code;
    for (size_t i = 0; view_kinds[i]; i++)
        if (view_kinds[i] == &view_pipeline && app->views[i])
            run_ended((struct pipeline_view *)app->views[i], run);
}

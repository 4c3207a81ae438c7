/* 2 Pipeline: the bring-up of a stream, step by step: how each stands, what it would send, how it
 * is taken back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tui/screen/view_pipeline.h"
#include "tui/steps.h"

enum { OLD_MS = 30000 };

void pipe_changed(struct pipeline_view *view)
{
    view->generation++;
    app_dirty(view->view.app);
}

/* ---- the streams, once the model is read ---- */

static bool fill_steps(struct pipe_stream *stream, struct pipeline *pipeline, struct error *error)
{
    struct bring_up work = {.pipeline = pipeline, .stream = stream->stream};
    size_t most = 0;
    while (all_steps[most])
        most++;
    stream->steps = memory_zero(most, sizeof *stream->steps, error);
    TRY(stream->steps);
    for (size_t i = 0; i < most; i++) {
        struct step_target target = step_target_of(&work, all_steps[i]);
        if (all_steps[i]->applies == NULL || all_steps[i]->applies(&target))
            stream->steps[stream->count++].step = all_steps[i];
    }
    list_set_count(&stream->list, stream->count);
    return true;
}

/* Steps are made when a stream comes into sight first: there may be many streams. */
static void show_stream(struct pipeline_view *view, size_t index)
{
    struct error error = {0};
    struct app *app = view->view.app;
    if (index >= view->count)
        return;
    if (index != view->current) {
        pipe_look_leave(view);
        pipe_follow_leave(view);
    }
    view->current = index;
    view->detail.top = 0;
    struct pipe_stream *stream = &view->streams[index];
    if (stream->steps == NULL && stream->stream->no_capture == NULL &&
        !fill_steps(stream, &app->pipeline, &error))
        app_fail(app, &error);
    pipe_changed(view);
    pipe_tick_soon(view);
}

static bool prepare(struct pipeline_view *view, struct error *error)
{
    const char *why;
    const struct pipeline *pipeline = app_pipeline(view->view.app, &why);
    if (pipeline == NULL || view->streams)
        return true;
    view->streams = memory_zero(pipeline->stream_count + 1, sizeof *view->streams, error);
    TRY(view->streams);
    view->count = pipeline->stream_count;
    size_t first = 0;
    for (size_t i = 0; i < view->count; i++)
        view->streams[i].stream = &pipeline->streams[i];
    while (first < view->count && pipeline->streams[first].no_capture)
        first++;
    show_stream(view, first < view->count ? first : 0);
    return true;
}

/* ---- the program's side ---- */

static struct view *pipeline_open_view(struct app *app, void *argument, struct error *error)
{
    (void)argument;
    struct pipeline_view *view = memory_zero(1, sizeof *view, error);
    if (view == NULL)
        return NULL;
    view->view = (struct view){&view_pipeline, app};
    return &view->view;
}

static void pipeline_close_view(struct view *base)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    pipe_tick_stop(view);
    pipe_look_leave(view);
    pipe_look_forget(view);
    pipe_follow_leave(view);
    for (size_t i = 0; i < view->count; i++) {
        for (size_t n = 0; n < view->streams[i].count; n++)
            pipe_step_forget(&view->streams[i].steps[n]);
        free(view->streams[i].steps);
    }
    free(view->streams);
    pipe_detail_destroy(&view->detail);
    free(view);
}

static void find_now(struct pipeline_view *view, const struct object *object)
{
    for (size_t i = 0; i < view->count; i++) {
        struct pipe_stream *stream = &view->streams[i];
        if (strcmp(stream->stream->name, object->stream) != 0)
            continue;
        show_stream(view, i);
        for (size_t n = 0; n < stream->count; n++)
            if (strcmp(stream->steps[n].step->id, object->step) == 0)
                stream->list.selected = n;
    }
    view->wants = false;
}

static void pipeline_find(struct view *base, const struct object *object)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    struct error error = {0};
    if (!prepare(view, &error))
        app_fail(view->view.app, &error);
    view->wanted = *object;
    view->wants = true;
    if (view->streams)
        find_now(view, &view->wanted);
}

/* What is known is looked at again when it is old. */
static void pipeline_shown(struct view *base)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    struct error error = {0};
    if (!prepare(view, &error))
        app_fail(view->view.app, &error);
    if (view->wants && view->streams)
        find_now(view, &view->wanted);
    struct pipe_stream *stream = pipe_stream_now(view);
    if (stream && view->look == NULL &&
        (stream->looked_us == 0 || clock_now_us() - stream->looked_us > OLD_MS * INT64_C(1000)))
        pipe_look(view);
    pipe_tick_soon(view);
    pipe_changed(view);
}

/* What is known of runs is new: one that somebody else began is followed from now on. */
static void pipeline_tick(struct view *base)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    if (!view->ticking && pipe_run(view))
        pipe_tick_soon(view);
}

static bool pipeline_object(struct view *base, struct object *out)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    const struct pipe_stream *stream = pipe_stream_now(view);
    const struct pipe_step *step = pipe_step_now(view);
    const char *run = stream ? pipe_run(view) : NULL;
    if (stream == NULL)
        return false;
    *out = (struct object){.kind = step ? "step" : "stream"};
    snprintf(out->stream, sizeof out->stream, "%s", stream->stream->name);
    snprintf(out->run, sizeof out->run, "%s", run ? run : "");
    if (step == NULL) {
        snprintf(out->text, sizeof out->text, "%s: %s", stream->stream->name,
                 stream->stream->no_capture);
        return true;
    }
    struct pipe_look_of look = pipe_step_look(view, stream, stream->list.selected);
    static const char *const words[] = {"done", "failed", "differs", "unknown", "to do", "running"};
    snprintf(out->step, sizeof out->step, "%s", step->step->id);
    snprintf(out->text, sizeof out->text, "%s %s: %s%s%s", stream->stream->name, step->step->id,
             words[look.mark], look.word[0] ? ", " : "", look.word);
    return true;
}

/* ---- keys ---- */

static enum answer can_move(const struct pipeline_view *view, enum action_id action)
{
    const struct pipe_stream *stream = pipe_stream_now(view);
    switch (action) {
    case ACTION_PREVIOUS:
    case ACTION_NEXT:
        return view->count > 1 ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        return stream && !view->narrow && !view->zoomed ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_ZOOM:
        return stream && !view->narrow ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_BACK:
        return stream && (view->on_detail || view->zoomed) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_OPEN:
        return stream && view->narrow && !view->on_detail ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return view->on_detail || stream == NULL ? pipe_detail_can(view, action)
                                                 : list_can(&stream->list, action);
    }
}

static enum answer can_check(const struct pipeline_view *view, const char **why)
{
    const struct pipe_stream *stream = pipe_stream_now(view);
    if (stream == NULL || stream->count == 0)
        return ANSWER_ABSENT;
    *why = "the steps are being asked; Ctrl-C stops that";
    return view->look ? ANSWER_REFUSED : ANSWER_WORKS;
}

static enum answer pipeline_can(struct view *base, enum action_id action, const char **why)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    switch (actions[action].scope) {
    case SCOPE_PIPELINE:
        return action == ACTION_STEP_CHECK ? can_check(view, why) : pipe_ask_can(view, action, why);
    case SCOPE_OBJECT:
        return pipe_ask_can(view, action, why);
    case SCOPE_LIST:
        return action == ACTION_REFRESH ? can_check(view, why) : can_move(view, action);
    case SCOPE_GLOBAL:
        if (action == ACTION_INTERRUPT)
            return view->look ? ANSWER_WORKS : ANSWER_ABSENT;
        return action == ACTION_BACK ? can_move(view, action) : ANSWER_ABSENT;
    case SCOPE_MOVE:
        return can_move(view, action);
    default:
        return ANSWER_ABSENT;
    }
}

static void act_back(struct pipeline_view *view)
{
    if (view->zoomed)
        view->zoomed = false;
    else
        view->on_detail = false;
}

static void act_stream(struct pipeline_view *view, bool next)
{
    size_t step = next ? 1 : view->count - 1;
    show_stream(view, (view->current + step) % view->count);
    pipeline_shown(&view->view);
}

static void act_move(struct pipeline_view *view, enum action_id action)
{
    struct pipe_stream *stream = pipe_stream_now(view);
    if (view->on_detail || stream == NULL) {
        pipe_detail_act(view, action);
        return;
    }
    size_t before = stream->list.selected;
    list_act(&stream->list, action);
    if (stream->list.selected != before)
        view->detail.top = 0;
}

static void pipeline_act(struct view *base, enum action_id action)
{
    struct pipeline_view *view = (struct pipeline_view *)base;
    pipe_changed(view);
    switch (action) {
    case ACTION_STEP_CHECK:
    case ACTION_REFRESH:
        pipe_look(view);
        break;
    case ACTION_INTERRUPT:
        pipe_look_stop(view);
        app_say(view->view.app, STYLE_DIM, "the steps are asked no further; v asks again");
        break;
    case ACTION_PREVIOUS:
    case ACTION_NEXT:
        act_stream(view, action == ACTION_NEXT);
        break;
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        view->on_detail = !view->on_detail;
        break;
    case ACTION_ZOOM:
        view->zoomed = !view->zoomed;
        break;
    case ACTION_OPEN:
        view->on_detail = true;
        break;
    case ACTION_BACK:
        act_back(view);
        break;
    default:
        if (actions[action].scope == SCOPE_MOVE)
            act_move(view, action);
        else
            pipe_ask(view, action);
    }
}

static const enum scope pipeline_scopes[] = {SCOPE_PIPELINE, SCOPE_OBJECT, SCOPE_LIST, SCOPE_MOVE,
                                             SCOPE_COUNT};

const struct view_kind view_pipeline = {
    .name = "pipeline",
    .title = "Pipeline",
    .action = ACTION_VIEW_PIPELINE,
    .scopes = pipeline_scopes,
    .open = pipeline_open_view,
    .close = pipeline_close_view,
    .draw = pipe_draw,
    .can = pipeline_can,
    .act = pipeline_act,
    .object = pipeline_object,
    .tick = pipeline_tick,
    .shown = pipeline_shown,
    .find = pipeline_find,
};

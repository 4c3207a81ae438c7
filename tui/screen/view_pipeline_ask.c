/* What a key may do to the pipeline now, and the box that asks before it does. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/view_pipeline.h"

/* Of the screen's thread; good until the next question. */
static char reason[192];

static const char *reason_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *reason_set(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return reason;
}

static enum answer refuse(const char **why, const char *text)
{
    *why = text;
    return ANSWER_REFUSED;
}

/* ---- whether ---- */

/* Stands, but this stream is not yet noted among its users. */
static bool to_join(const struct pipe_step *step)
{
    return pipe_stands(step) && step->answer->has_receipt && !step->answer->joined;
}

static bool to_apply(const struct pipe_step *step)
{
    return pipe_to_do(step) || to_join(step);
}

/* Why a step that does not stand can't be applied as it is. */
static const char *why_stuck(const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    const char *id = step->step->id;
    if (answer == NULL)
        return reason_set("%s has not answered yet", id);
    if (answer->failure.kind)
        return reason_set("%s could not be asked; v asks again", id);
    if (answer->found.needs_person)
        return reason_set("%s needs a person first: see its remedy", id);
    if (answer->found.state == STEP_FITS)
        return reason_set("%s is there and not made by us", id);
    return reason_set("%s is not as it has to be: see its remedy", id);
}

static enum answer can_apply(const struct pipeline_view *view, const struct pipe_stream *stream,
                             const struct pipe_step *step, const char **why)
{
    if (step == NULL || (view->narrow && !view->on_detail))
        return ANSWER_ABSENT;
    for (size_t i = 0; &stream->steps[i] < step; i++)
        if (!pipe_stands(&stream->steps[i]))
            return refuse(why, reason_set("%s comes first", stream->steps[i].step->id));
    if (to_apply(step))
        return ANSWER_WORKS;
    if (pipe_stands(step))
        return refuse(why, "it stands already; v proves it again");
    return refuse(why, why_stuck(step));
}

static enum answer can_apply_all(const struct pipe_stream *stream, const char **why)
{
    for (size_t i = 0; i < stream->count; i++) {
        if (to_apply(&stream->steps[i]))
            return ANSWER_WORKS;
        if (!pipe_stands(&stream->steps[i]))
            return refuse(why, why_stuck(&stream->steps[i]));
    }
    return refuse(why, "every step stands already");
}

/* A wide step under the cursor that only this stream uses is meant when it is undone by name. */
static bool undo_shared(const struct pipe_stream *stream, size_t from, bool whole)
{
    const struct pipe_step *step = &stream->steps[from];
    return !whole && from < stream->count && pipe_undo_action(step, true) &&
           step->step->scope <= STEP_SOURCE;
}

static enum answer can_undo(const struct pipe_stream *stream, size_t from, bool whole,
                            const char **why)
{
    bool shared = undo_shared(stream, from, whole);
    for (size_t i = from; i < stream->count; i++) {
        const char *action = pipe_undo_action(&stream->steps[i], shared);
        if (stream->steps[i].answer == NULL)
            return refuse(why, why_stuck(&stream->steps[i]));
        if (action && strcmp(action, "kept-shared") != 0)
            return ANSWER_WORKS;
    }
    return refuse(why, whole ? "nothing was made for this stream"
                             : "nothing from here on was made for this stream");
}

static enum answer can_stop(const struct pipeline_view *view, const char **why)
{
    if (pipe_run(view))
        return ANSWER_WORKS;
    return pipe_run_starts(view) ? refuse(why, "it is just starting") : ANSWER_ABSENT;
}

static enum answer can_change(const struct pipeline_view *view, enum action_id action,
                              const char **why)
{
    const struct pipe_stream *stream = pipe_stream_now(view);
    const char *run = pipe_run(view);
    enum answer answer =
        action == ACTION_STEP_APPLY  ? can_apply(view, stream, pipe_step_now(view), why)
        : action == ACTION_STEP_ALL  ? can_apply_all(stream, why)
        : action == ACTION_STEP_UNDO ? can_undo(stream, stream->list.selected, false, why)
                                     : can_undo(stream, 0, true, why);
    if (answer == ANSWER_ABSENT)
        return answer;
    if (run)
        return refuse(why, reason_set("run %s is under way for this stream", run));
    if (pipe_run_starts(view))
        return refuse(why, "a run is just starting for this stream");
    return answer;
}

enum answer pipe_ask_can(const struct pipeline_view *view, enum action_id action, const char **why)
{
    const struct pipe_stream *stream = pipe_stream_now(view);
    if (stream == NULL || stream->count == 0)
        return ANSWER_ABSENT;
    switch (action) {
    case ACTION_STEP_APPLY:
    case ACTION_STEP_ALL:
    case ACTION_STEP_UNDO:
    case ACTION_TAKE_DOWN:
        return can_change(view, action, why);
    case ACTION_STEP_STOP:
        return can_stop(view, why);
    case ACTION_STEP_PLAN:
        return pipe_step_now(view)->answer ? ANSWER_WORKS
                                           : refuse(why, why_stuck(pipe_step_now(view)));
    default:
        return ANSWER_ABSENT;
    }
}

/* ---- what the box says ---- */

struct pipe_order {
    char verb[8], stream[OBJECT_TEXT_SIZE], step[64], run[RUN_ID_SIZE];
    bool shared;
};

static void order_run(struct app *app, void *context)
{
    const struct pipe_order *order = context;
    const char *words[10];
    size_t count = 0;
    bool down = strcmp(order->verb, "down") == 0;
    words[count++] = order->verb;
    words[count++] = order->run[0] ? order->run : order->stream;
    if (order->step[0]) {
        words[count++] = down ? "--from" : "--step";
        words[count++] = order->step;
    }
    if (order->shared)
        words[count++] = "--shared";
    if (down) {
        words[count++] = "--confirm";
        words[count++] = order->stream;
    }
    words[count] = NULL;
    app_run(app, words, order->run[0] ? NULL : pipe_run_ended);
    for (size_t i = 0; view_kinds[i]; i++)
        if (view_kinds[i] == &view_pipeline && app->views[i])
            pipe_tick_soon((struct pipeline_view *)app->views[i]);
}

static bool add_lines(struct buffer *out, const struct step_report *report, const char *indent)
{
    bool ok = true;
    for (size_t i = 0; ok && i < report->line_count; i++)
        ok = buffer_append_format(out, NULL, "%s%s\n", indent, report->lines[i]);
    return ok;
}

static bool add_undo(struct buffer *out, const struct pipe_step *step, const char *indent)
{
    const struct pipe_answer *answer = step->answer;
    if (answer->undo_failure.kind)
        return buffer_append_format(out, NULL, "%snot known: %s\n", indent,
                                    answer->undo_failure.message);
    if (answer->undo_known && answer->undo.line_count == 0)
        return buffer_append_format(out, NULL, "%snothing to send\n", indent);
    return answer->undo_known ? add_lines(out, &answer->undo, indent)
                              : buffer_append_format(out, NULL, "%snot known yet\n", indent);
}

static bool add_plan(struct buffer *out, const struct pipe_step *step, const char *indent)
{
    if (!pipe_to_do(step))
        return buffer_append_format(
            out, NULL, "%snothing to send: its receipt will name this stream too\n", indent);
    if (step->answer->found.line_count == 0)
        return buffer_append_format(out, NULL, "%snothing to send\n", indent);
    return add_lines(out, &step->answer->found, indent);
}

static void ask_order(struct pipeline_view *view, struct ask *ask, const struct pipe_order *order,
                      struct buffer *plan, struct buffer *undo)
{
    struct error error = {0};
    struct pipe_order *copy = memory_zero(1, sizeof *copy, &error);
    if (copy == NULL || !buffer_text(plan, &error) || !buffer_text(undo, &error)) {
        app_fail(view->view.app, &error);
        free(copy);
        return;
    }
    *copy = *order;
    ask->plan = plan->data;
    ask->undo = undo->data;
    ask->yes = order_run;
    ask->forget = free;
    ask->context = copy;
    app_ask(view->view.app, ask);
}

static void ask_apply(struct pipeline_view *view, const struct pipe_stream *stream,
                      const struct pipe_step *step)
{
    struct pipe_order order = {.verb = "up"};
    struct buffer plan = {0}, undo = {0};
    char title[128], target[512];
    struct bring_up work = {.pipeline = &view->view.app->pipeline, .stream = stream->stream};
    struct step_target of = step_target_of(&work, step->step);
    char *object = step_object(step->step, &of, NULL);
    snprintf(order.stream, sizeof order.stream, "%s", stream->stream->name);
    snprintf(order.step, sizeof order.step, "%s", step->step->id);
    snprintf(title, sizeof title, "Apply step %s", step->step->id);
    snprintf(target, sizeof target, "%s of %s, for stream %s", step->step->id,
             object ? object : "?", stream->stream->name);
    free(object);
    struct ask ask = {.title = title,
                      .target = target,
                      .cost = "it is proved behind that; the run goes on without this screen",
                      .button = "apply"};
    if (add_plan(&plan, step, "") && add_undo(&undo, step, ""))
        ask_order(view, &ask, &order, &plan, &undo);
    buffer_destroy(&plan);
    buffer_destroy(&undo);
}

static bool list_plans(struct buffer *plan, const struct pipe_stream *stream)
{
    bool ok = true;
    for (size_t i = 0; ok && i < stream->count; i++) {
        const struct pipe_step *step = &stream->steps[i];
        if (pipe_stands(step) && !to_join(step))
            continue;
        ok = buffer_append_format(plan, NULL, "%s%s\n", step->step->id,
                                  to_apply(step) ? "" : ": looked at when it comes");
        ok = ok && (!to_apply(step) || add_plan(plan, step, "  "));
    }
    return ok;
}

static void ask_apply_all(struct pipeline_view *view, const struct pipe_stream *stream)
{
    struct pipe_order order = {.verb = "up"};
    struct buffer plan = {0}, undo = {0};
    char title[OBJECT_TEXT_SIZE + 32], target[OBJECT_TEXT_SIZE + 32];
    snprintf(order.stream, sizeof order.stream, "%s", stream->stream->name);
    snprintf(title, sizeof title, "Bring up %s", order.stream);
    snprintf(target, sizeof target, "stream %s, step after step", order.stream);
    struct ask ask = {.title = title,
                      .target = target,
                      .cost = "it stops at the first step that needs a person or whose proof "
                              "fails; what stands is left alone",
                      .button = "bring up"};
    if (list_plans(&plan, stream) &&
        buffer_append_text(&undo, "u takes steps back, the last one first", NULL))
        ask_order(view, &ask, &order, &plan, &undo);
    buffer_destroy(&plan);
    buffer_destroy(&undo);
}

static bool list_undo(struct buffer *plan, const struct pipe_stream *stream, size_t from,
                      bool shared)
{
    bool ok = true;
    for (size_t i = stream->count; ok && i-- > from;) {
        const struct pipe_step *step = &stream->steps[i];
        const char *action = pipe_undo_action(step, shared);
        if (action == NULL)
            continue;
        if (strcmp(action, "undone") == 0)
            ok = buffer_append_format(plan, NULL, "%s\n", step->step->id) &&
                 add_undo(plan, step, "  ");
        else if (strcmp(action, "kept-shared") == 0)
            ok = buffer_append_format(plan, NULL, "%s stays: down --shared takes it away\n",
                                      step->step->id);
        else
            ok = buffer_append_format(
                plan, NULL, "%s is left as it is, without us: %s\n", step->step->id,
                step->answer->users > 1 ? "other streams use it" : "it was adopted");
    }
    return ok;
}

static void ask_undo(struct pipeline_view *view, const struct pipe_stream *stream, size_t from,
                     bool whole)
{
    struct pipe_order order = {.verb = "down", .shared = undo_shared(stream, from, whole)};
    struct buffer plan = {0}, undo = {0};
    const char *id = stream->steps[from].step->id;
    char title[OBJECT_TEXT_SIZE + 32], target[OBJECT_TEXT_SIZE + 96];
    snprintf(order.stream, sizeof order.stream, "%s", stream->stream->name);
    snprintf(order.step, sizeof order.step, "%s", whole ? "" : id);
    if (whole)
        snprintf(title, sizeof title, "Take down %s", order.stream);
    else
        snprintf(title, sizeof title, "Undo %s of %s", id, order.stream);
    snprintf(target, sizeof target, "stream %s%s%s", order.stream,
             whole ? ", everything that receipts say was made for it"
                   : ", the last step first, to ",
             whole ? "" : id);
    struct ask ask = {.title = title,
                      .target = target,
                      .cost = "what is marked so can't come back; an object that changed since its "
                              "receipt is not touched",
                      .typed = order.stream,
                      .button = whole ? "take down" : "undo"};
    if (list_undo(&plan, stream, from, order.shared) &&
        buffer_append_text(&undo, "a brings it up again, from a new snapshot", NULL))
        ask_order(view, &ask, &order, &plan, &undo);
    buffer_destroy(&plan);
    buffer_destroy(&undo);
}

static void ask_stop(struct pipeline_view *view)
{
    struct pipe_order order = {.verb = "cancel"};
    struct buffer plan = {0}, undo = {0};
    char title[64], target[OBJECT_TEXT_SIZE + 64];
    snprintf(order.run, sizeof order.run, "%s", pipe_run(view));
    snprintf(title, sizeof title, "Stop run %s", order.run);
    snprintf(target, sizeof target, "run %s of stream %s", order.run,
             pipe_stream_now(view)->stream->name);
    struct ask ask = {.title = title, .target = target, .button = "stop it"};
    if (buffer_append_text(&plan, "SIGTERM: it stops at its next safe point", NULL) &&
        buffer_append_text(&undo, "what it has done stands, with receipts; a goes on from there",
                           NULL))
        ask_order(view, &ask, &order, &plan, &undo);
    buffer_destroy(&plan);
    buffer_destroy(&undo);
}

/* ---- the whole plan, to read ---- */

static bool plan_receipt(struct buffer *out, const struct pipe_answer *answer)
{
    if (!answer->has_receipt)
        return buffer_append_text(out, "\nReceipt\n  none: not made by us\n", NULL);
    return buffer_append_format(
        out, NULL, "\nReceipt\n  %s by %s%s%s at %s; %zu stream%s use%s it\n",
        answer->how == RECEIPT_ADOPTED    ? "adopted"
        : answer->how == RECEIPT_APPLYING ? "begun"
                                          : "made",
        answer->made_by, answer->made_run[0] ? " in run " : "", answer->made_run, answer->made_at,
        answer->users, answer->users == 1 ? "" : "s", answer->users == 1 ? "s" : "");
}

static bool plan_differences(struct buffer *out, const struct step_report *found)
{
    bool ok = found->difference_count == 0 || buffer_append_text(out, "\nDifferences\n", NULL);
    for (size_t i = 0; ok && i < found->difference_count; i++)
        ok = buffer_append_format(out, NULL, "  %s\n    wanted %s\n    found  %s\n",
                                  found->differences[i].field, found->differences[i].wanted,
                                  found->differences[i].found);
    return ok;
}

static void show_plan(struct pipeline_view *view, const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    struct buffer text = {0};
    char title[128];
    snprintf(title, sizeof title, "Plan of %s", step->step->id);
    bool ok =
        buffer_append_format(&text, NULL, "%s\n%s\n\nPlan\n", step->step->title, step->step->why);
    if (pipe_to_do(step))
        ok = ok && add_plan(&text, step, "  ");
    else
        ok = ok && buffer_append_format(&text, NULL, "  nothing to send%s\n",
                                        pipe_stands(step) ? ": it stands" : " now");
    if (answer->found.needs_person)
        ok = ok && buffer_append_format(
                       &text, NULL, "\nNeeds a person\n  %s\n  %s\n", answer->found.needs_person,
                       answer->found.needs_person_remedy ? answer->found.needs_person_remedy : "");
    ok = ok && buffer_append_text(&text, "\nUndo\n", NULL) && add_undo(&text, step, "  ") &&
         plan_receipt(&text, answer) && plan_differences(&text, &answer->found);
    if (ok)
        app_text(view->view.app, title, buffer_slice(&text));
    buffer_destroy(&text);
}

void pipe_ask(struct pipeline_view *view, enum action_id action)
{
    const struct pipe_stream *stream = pipe_stream_now(view);
    switch (action) {
    case ACTION_STEP_APPLY:
        ask_apply(view, stream, pipe_step_now(view));
        break;
    case ACTION_STEP_ALL:
        ask_apply_all(view, stream);
        break;
    case ACTION_STEP_UNDO:
        ask_undo(view, stream, stream->list.selected, false);
        break;
    case ACTION_TAKE_DOWN:
        ask_undo(view, stream, 0, true);
        break;
    case ACTION_STEP_STOP:
        ask_stop(view);
        break;
    default:
        show_plan(view, pipe_step_now(view));
    }
}

/* What may be done with the stream under the cursor. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "tui/screen/view_streams.h"

/* ---- may it ---- */

static enum answer refuse(struct streams_view *view, const char **why, const char *format,
                          const char *what)
{
    snprintf(view->why, sizeof view->why, format, what);
    *why = view->why;
    return ANSWER_REFUSED;
}

/* The run of this verb that is at work on the stream; NULL. */
static const char *run_at_work(const struct app *app, const char *verb, const char *stream)
{
    for (size_t i = 0; i < app->watch.runs.count; i++) {
        const struct run_summary *run = &app->watch.runs.runs[i];
        if (strcmp(run->state, "running") == 0 && strcmp(run->verb, verb) == 0 &&
            strcmp(run->object, stream) == 0)
            return run->id;
    }
    return NULL;
}

static bool stands(const struct watch_stream *stream)
{
    return stream->paused || (stream->known && strcmp(stream->lag.state, "stopped") == 0);
}

static enum answer can_work(struct streams_view *view, const struct watch_stream *stream,
                            enum action_id action, const char **why)
{
    const struct app *app = view->view.app;
    const char *name = stream->lag.stream->name;
    const char *merging = run_at_work(app, "merge", name);
    const char *verifying = run_at_work(app, "verify", name);
    if (!stream->known)
        return refuse(view, why, "%s was not looked at yet", name);
    if (strcmp(stream->lag.state, "not built") == 0)
        return refuse(view, why, "bring %s up first: b shows its steps", name);
    if (action == ACTION_STREAM_MERGE && merging)
        return refuse(view, why, "run %s merges it: 7 shows it", merging);
    if (action == ACTION_STREAM_VERIFY && verifying)
        return refuse(view, why, "run %s verifies it: 7 shows it", verifying);
    if ((action == ACTION_STREAM_VERIFY || action == ACTION_PREVIEW) && stream->tables_there == 0)
        return refuse(view, why, "nothing of %s was merged yet", name);
    return ANSWER_WORKS;
}

enum answer streams_can_stream(struct streams_view *view, enum action_id action, const char **why)
{
    const struct watch_stream *stream = streams_selected(view);
    if (stream == NULL) {
        bool orphan = streams_row(view) != NULL && actions[action].scope == SCOPE_STREAMS &&
                      action != ACTION_STREAM_RESUME;
        return orphan ? refuse(view, why, "%s", "this is a slot that no stream reads")
                      : ANSWER_ABSENT;
    }
    const struct stream *of = stream->lag.stream;
    switch (action) {
    case ACTION_STREAM_OPEN:
    case ACTION_HISTORY:
    case ACTION_GRAPH:
    case ACTION_STEPS:
        return ANSWER_WORKS;
    /* What nobody runs is resumed too: wanted from then on, and kept running. */
    case ACTION_STREAM_PAUSE:
    case ACTION_STREAM_RESUME:
        if (stands(stream) != (action == ACTION_STREAM_RESUME))
            return ANSWER_ABSENT;
        break;
    case ACTION_STREAM_MERGE:
    case ACTION_STREAM_VERIFY:
    case ACTION_PREVIEW:
    case ACTION_TAKE_DOWN:
        break;
    default:
        return ANSWER_ABSENT;
    }
    if (of->no_capture)
        return refuse(view, why, "it is not captured from here: %s", of->no_capture);
    return action == ACTION_TAKE_DOWN ? ANSWER_WORKS : can_work(view, stream, action, why);
}

/* ---- asking, then doing ---- */

struct streams_order {
    enum action_id action;
    char stream[OBJECT_TEXT_SIZE];
};

static void order_forget(void *context)
{
    free(context);
}

static void order_yes(struct app *app, void *context)
{
    const struct streams_order *order = context;
    const char *name = order->stream;
    const char *const merge[] = {"merge", name, NULL};
    const char *const verify[] = {"verify", name, "--full", NULL};
    const char *const pause[] = {"pause", name, NULL};
    const char *const resume[] = {"resume", name, NULL};
    const char *const down[] = {"down", name, "--confirm", name, NULL};
    app_run(app,
            order->action == ACTION_STREAM_MERGE    ? merge
            : order->action == ACTION_STREAM_VERIFY ? verify
            : order->action == ACTION_STREAM_PAUSE  ? pause
            : order->action == ACTION_STREAM_RESUME ? resume
                                                    : down,
            NULL);
}

static void plan_merge(const struct watch_stream *stream, struct buffer *plan, struct ask *ask)
{
    char age[32];
    ask->button = "merge";
    ask->undo = "a batch is not taken back; the snapshots before it stay for a while";
    if (stream->lag.events_waiting_ms) {
        watch_age(stream->lag.chain[3].lag_s, age, sizeof age);
        buffer_append_format(plan, NULL, "\nwhat waits: changes of the last %s", age);
    } else {
        buffer_append_text(plan, "\nnothing waits that was seen in the last look", NULL);
    }
    buffer_append_format(
        plan, NULL, "\ninto %zu table%s, as batch %lld", stream->lag.stream->table_count,
        stream->lag.stream->table_count == 1 ? "" : "s", (long long)stream->lag.batch + 1);
}

static void plan_verify(const struct watch_stream *stream, struct buffer *plan, struct ask *ask)
{
    char rows[QUANTITY_TEXT_SIZE];
    ask->button = "verify";
    ask->undo = "nothing is changed";
    ask->cost = "a snapshot of the source stays open until the end";
    if (stream->rows >= 0) {
        quantity_format_count((uint64_t)stream->rows, rows);
        buffer_append_format(plan, NULL,
                             "\nreads all rows of %zu table%s, here and in the source: the lake "
                             "has %s",
                             stream->tables_there, stream->tables_there == 1 ? "" : "s", rows);
    } else {
        buffer_append_text(plan, "\nreads all rows of source and lake; how many is not known",
                           NULL);
    }
}

static void plan_down(const struct watch_stream *stream, struct buffer *plan, struct ask *ask)
{
    ask->button = "take down";
    ask->typed = stream->lag.stream->name;
    ask->undo = "the position in the source's log is lost: bringing it up again takes a new "
                "snapshot of all rows";
    buffer_append_text(plan,
                       "\nundoes, the last step first, what receipts say was made for it; what "
                       "others use or what was adopted stays"
                       "\ndelta files go; the tables of the lake stay",
                       NULL);
}

static void plan_pause(const struct watch_stream *stream, bool pause, struct buffer *plan,
                       struct ask *ask)
{
    (void)stream;
    ask->button = pause ? "pause" : "resume";
    ask->undo = pause ? "P resumes it" : "P pauses it again";
    if (pause)
        ask->cost = "while it stands the source keeps its WAL";
    buffer_append_text(plan,
                       pause ? "\nstops capture and merge of it until it is resumed"
                             : "\nlets capture and merge of it run, and keeps them running",
                       NULL);
}

static void ask_order(struct streams_view *view, enum action_id action)
{
    struct app *app = view->view.app;
    const struct watch_stream *stream = streams_selected(view);
    const struct stream *of = stream->lag.stream;
    struct buffer plan = {0}, target = {0}, title = {0};
    struct object object = {0};
    struct ask ask = {.yes = order_yes, .forget = order_forget};
    struct streams_order *order = memory_zero(1, sizeof *order, NULL);
    if (order == NULL)
        return;
    order->action = action;
    snprintf(order->stream, sizeof order->stream, "%s", of->name);
    streams_object(&view->view, &object);
    app_twin(app, action, &object, &plan);
    if (action == ACTION_STREAM_MERGE)
        plan_merge(stream, &plan, &ask);
    else if (action == ACTION_STREAM_VERIFY)
        plan_verify(stream, &plan, &ask);
    else if (action == ACTION_TAKE_DOWN)
        plan_down(stream, &plan, &ask);
    else
        plan_pause(stream, action == ACTION_STREAM_PAUSE, &plan, &ask);
    buffer_append_format(&title, NULL, "%s: %s", of->name, actions[action].title);
    buffer_append_format(&target, NULL, "stream %s of platform %s: %zu table%s of source %s",
                         of->name, app->pipeline.platform, of->table_count,
                         of->table_count == 1 ? "" : "s",
                         of->capture ? of->capture->source->name : "?");
    ask.title = buffer_text(&title, NULL);
    ask.target = buffer_text(&target, NULL);
    ask.plan = buffer_text(&plan, NULL);
    ask.context = order;
    if (ask.title && ask.target && ask.plan)
        app_ask(app, &ask);
    else
        free(order);
    buffer_destroy(&title);
    buffer_destroy(&target);
    buffer_destroy(&plan);
}

void streams_act_stream(struct streams_view *view, enum action_id action)
{
    struct app *app = view->view.app;
    const struct stream *stream = streams_selected(view)->lag.stream;
    struct object object = {0};
    switch (action) {
    case ACTION_STREAM_OPEN:
        streams_batches(app, stream);
        break;
    case ACTION_HISTORY:
        streams_history(app, stream);
        break;
    case ACTION_GRAPH:
        streams_graph(app, stream);
        break;
    case ACTION_PREVIEW:
        streams_preview(app, stream);
        break;
    case ACTION_STEPS:
        streams_object(&view->view, &object);
        app_show(app, ACTION_VIEW_PIPELINE, &object);
        break;
    default:
        ask_order(view, action);
    }
}

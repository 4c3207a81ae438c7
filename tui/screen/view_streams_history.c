/* What happened to a stream: its runs and changes of state, read off the screen's thread. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/pipeline/events.h"
#include "tui/screen/run_words.h"
#include "tui/screen/text.h"
#include "tui/screen/view_streams.h"

enum { HISTORY_EVENTS = 1000, HISTORY_RUNS = 1000, HISTORY_LIMIT_MS = 20000 };

struct history_box;

/* Of the job: outlives a box that is closed meanwhile. */
struct history_read {
    struct history_box *box; /* NULL: closed */
    const struct profile *profile;
    char object[OBJECT_TEXT_SIZE];
    struct event_list events;
    struct run_list runs;
};

struct history_box {
    struct view view;
    char title[OBJECT_TEXT_SIZE + 32];
    struct text text;
    struct history_read *reading; /* under way; NULL: done */
    struct job *job;
};

static const struct view_kind history_kind;

/* ---- reading ---- */

static bool history_run(struct job *job, void *context, struct error *error)
{
    (void)job;
    struct history_read *read = context;
    return events_load(read->profile, read->object, 0, HISTORY_EVENTS, &read->events, error) &&
           run_list_load(read->profile, HISTORY_RUNS, &read->runs, error);
}

static void print_event(struct history_box *box, const struct state_event *event)
{
    char at[32];
    enum style style;
    enum glyph glyph = watch_glyph(event->to ? event->to : "", &style);
    (void)glyph;
    watch_time(event->at_us, true, at, sizeof at);
    text_print(&box->text, style, "%-11s  %s%s%s%s%s  %s%s%s", at, event->from ? event->from : "",
               event->from && *event->from ? " to " : "", event->to ? event->to : "?",
               event->why && *event->why ? ": " : "", event->why ? event->why : "",
               event->by ? event->by : "", event->run && *event->run ? ", run " : "",
               event->run ? event->run : "");
}

static void print_run(struct history_box *box, const struct run_summary *run)
{
    char at[32], took[32], says[512];
    watch_time(run_words_started(run), true, at, sizeof at);
    run_words_took(run, took, sizeof took);
    run_words_says(run, says, sizeof says);
    text_print(&box->text, STYLE_TEXT, "%-11s  run %s %s: %s%s%s%s%s  %s", at, run->id, run->verb,
               run_words_state(run), *took ? ", " : "", took, *says ? ": " : "", says, run->by);
}

/* Both in one order, the newest first: events come oldest first, runs newest first. */
static void history_print(struct history_box *box, const struct history_read *read)
{
    size_t event = read->events.count, run = 0;
    text_clear(&box->text);
    for (;;) {
        while (run < read->runs.count && strcmp(read->runs.runs[run].object, read->object) != 0)
            run++;
        const struct run_summary *next_run = run < read->runs.count ? &read->runs.runs[run] : NULL;
        const struct state_event *next_event = event ? &read->events.events[event - 1] : NULL;
        if (next_event && (next_run == NULL || next_event->at_us > run_words_started(next_run))) {
            print_event(box, next_event);
            event--;
        } else if (next_run) {
            print_run(box, next_run);
            run++;
        } else {
            break;
        }
    }
    if (box->text.line_count == 0)
        text_print(&box->text, STYLE_DIM, "nothing is recorded about it yet");
}

static void history_done(void *context, bool ok, const struct error *error)
{
    struct history_read *read = context;
    struct history_box *box = read->box;
    if (box) {
        box->reading = NULL;
        box->job = NULL;
        app_dirty(box->view.app);
        if (ok) {
            history_print(box, read);
        } else {
            text_clear(&box->text);
            text_print(&box->text, STYLE_FAIL, "%s", error->message);
            text_print(&box->text, STYLE_TEXT, "%s", error->remedy);
        }
    }
    event_list_destroy(&read->events);
    run_list_destroy(&read->runs);
    free(read);
}

static const struct job_kind history_job = {"history", HISTORY_LIMIT_MS, history_run, history_done};

/* ---- the box ---- */

static struct view *history_open(struct app *app, void *argument, struct error *error)
{
    const struct stream *stream = argument;
    struct history_box *box = memory_zero(1, sizeof *box, error);
    struct history_read *read = box ? memory_zero(1, sizeof *read, error) : NULL;
    if (read == NULL) {
        free(box);
        return NULL;
    }
    box->view = (struct view){&history_kind, app};
    box->text.wrap = true;
    snprintf(box->title, sizeof box->title, "%s: what happened, the newest first", stream->name);
    text_print(&box->text, STYLE_DIM, "reading");
    snprintf(read->object, sizeof read->object, "%s", stream->name);
    read->profile = &app->profile;
    read->box = box;
    box->reading = read;
    struct job *job = app_job(app, &history_job, read);
    box->job = box->reading ? job : NULL;
    return &box->view;
}

static void history_close(struct view *view)
{
    struct history_box *box = (struct history_box *)view;
    if (box->reading) {
        box->reading->box = NULL;
        job_stop(box->job);
    }
    text_destroy(&box->text);
    free(box);
}

static void history_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct history_box *box = (struct history_box *)view;
    char note[48];
    struct rect inside = canvas_box(canvas, rect, box->title, NULL, true);
    inside.column++;
    inside.columns -= 2;
    text_draw(&box->text, canvas, inside, true);
    text_note(&box->text, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, box->title, note, true);
}

static enum answer history_can(struct view *view, enum action_id action, const char **why)
{
    (void)why;
    return text_can(&((struct history_box *)view)->text, action);
}

static void history_act(struct view *view, enum action_id action)
{
    text_act(&((struct history_box *)view)->text, action);
}

static bool history_key(struct view *view, key_code key)
{
    return text_key(&((struct history_box *)view)->text, key);
}

static void history_size(struct view *view, int rows, int columns, int *wanted_rows,
                         int *wanted_columns)
{
    (void)view;
    *wanted_columns = columns > 124 ? 120 : columns;
    *wanted_rows = rows > 34 ? 30 : rows;
}

static const enum scope history_scopes[] = {SCOPE_TEXT, SCOPE_MOVE, SCOPE_COUNT};

static const struct view_kind history_kind = {
    .name = "history",
    .title = "History",
    .scopes = history_scopes,
    .open = history_open,
    .close = history_close,
    .draw = history_draw,
    .can = history_can,
    .act = history_act,
    .key = history_key,
    .size = history_size,
};

void streams_history(struct app *app, const struct stream *stream)
{
    app_push(app, &history_kind, (void *)(uintptr_t)stream);
}

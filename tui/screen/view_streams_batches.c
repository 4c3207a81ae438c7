/* A stream from near: how it stands, its tables, its last batches. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "tui/screen/text.h"
#include "tui/screen/view_streams.h"

enum { BATCHES_MOST = 200 };

struct batches_box {
    struct view view;
    const struct stream *stream;
    struct text text;
    bool tables_known; /* once read; else a look was under way each time */
};

static const struct view_kind batches_kind;

/* ---- its text ---- */

static void print_state(struct batches_box *box, const struct watch_stream *stream)
{
    const struct app *app = box->view.app;
    char line[LAG_REASON_SIZE + 256];
    enum style style;
    watch_glyph(watch_state(app, stream), &style);
    text_print(&box->text, style, "%-9s%s", "State", watch_state(app, stream));
    const struct {
        const char *label;
        void (*say)(const struct app *, const struct watch_stream *, char *, size_t);
    } lines[] = {{"Why", streams_reason}, {"Remedy", streams_remedy}, {"Checked", streams_checked}};
    for (size_t i = 0; i < 3; i++) {
        lines[i].say(app, stream, line, sizeof line);
        if (*line)
            text_print(&box->text, STYLE_TEXT, "%-9s%s", lines[i].label, line);
    }
    streams_if_left(stream, line, sizeof line);
    if (*line)
        text_print(&box->text, STYLE_TEXT, "%-9s%s", "If left", line);
    text_print(&box->text, STYLE_TEXT, "%s", "");
    text_print(&box->text, STYLE_LABEL, "%-10s %-9s %-10s %s", "STAGE", "STATE", "BEHIND",
               "POSITION");
    for (int i = 0; i < LAG_STAGES; i++) {
        const struct lag_stage *stage = &stream->lag.chain[i];
        char behind[32];
        watch_age(stage->lag_s, behind, sizeof behind);
        text_print(&box->text, STYLE_TEXT, "%-10s %-9s %-10s %s", stage->stage,
                   lag_state_name(stage->state), behind, stage->position);
    }
}

static void print_table(struct batches_box *box, const struct stream_table *table,
                        const struct lag_table *facts)
{
    char rows[QUANTITY_TEXT_SIZE] = "?", at[32] = "never";
    if (facts->rows >= 0)
        quantity_format_count((uint64_t)facts->rows, rows);
    if (facts->newest_ms)
        watch_time(facts->newest_ms * 1000, true, at, sizeof at);
    text_print(&box->text, STYLE_TEXT, "%-28s %12s %7lld  %s", table->ident,
               facts->there ? rows : "not there", (long long)facts->batch, at);
}

/* A snapshot of one of the tables; the newest of all first. */
static void print_batch(struct batches_box *box, const struct stream_table *table,
                        const struct lag_snapshot *snapshot)
{
    char at[32], batch[24] = "-", rows[QUANTITY_TEXT_SIZE], bytes[QUANTITY_TEXT_SIZE];
    watch_time(snapshot->at_ms * 1000, true, at, sizeof at);
    if (snapshot->batch >= 0)
        snprintf(batch, sizeof batch, "%lld", (long long)snapshot->batch);
    quantity_format_count((uint64_t)(snapshot->rows > 0 ? snapshot->rows : 0), rows);
    quantity_format_bytes((uint64_t)(snapshot->bytes > 0 ? snapshot->bytes : 0), bytes);
    text_print(&box->text, STYLE_TEXT, "%-11s %7s  %-22s %10s%s %6lld %10s  %s", at, batch,
               table->name, rows, snapshot->rows_exact ? " " : "~", (long long)snapshot->files,
               bytes, snapshot->operation);
}

static void print_batches(struct batches_box *box, const struct lag_table *const *facts)
{
    const struct stream *stream = box->stream;
    size_t *next = memory_zero(stream->table_count, sizeof *next, NULL);
    text_print(&box->text, STYLE_TEXT, "%s", "");
    text_print(&box->text, STYLE_LABEL, "%-11s %7s  %-22s %10s  %6s %10s  %s", "TIME", "BATCH",
               "TABLE", "ROWS", "FILES", "ADDED", "OPERATION");
    for (int shown = 0; next && shown < BATCHES_MOST; shown++) {
        size_t newest = SIZE_MAX;
        for (size_t i = 0; i < stream->table_count; i++)
            if (facts[i] && next[i] < facts[i]->snapshot_count &&
                (newest == SIZE_MAX ||
                 facts[i]->snapshots[next[i]].at_ms > facts[newest]->snapshots[next[newest]].at_ms))
                newest = i;
        if (newest == SIZE_MAX)
            break;
        print_batch(box, &stream->tables[newest], &facts[newest]->snapshots[next[newest]++]);
    }
    free(next);
}

static void print_tables(struct batches_box *box)
{
    const struct stream *stream = box->stream;
    const struct lag_table **facts = memory_zero(stream->table_count + 1, sizeof *facts, NULL);
    text_print(&box->text, STYLE_TEXT, "%s", "");
    text_print(&box->text, STYLE_LABEL, "%-28s %12s %7s  %s", "TABLE", "ROWS", "BATCH", "NEWEST");
    for (size_t i = 0; facts && i < stream->table_count; i++) {
        facts[i] = watch_table(box->view.app, &stream->tables[i]);
        if (facts[i])
            print_table(box, &stream->tables[i], facts[i]);
        else
            text_print(&box->text, STYLE_DIM, "%-28s %12s", stream->tables[i].ident,
                       "not looked at");
    }
    if (facts)
        print_batches(box, facts);
    free(facts);
}

/* While a look is under way the tables are the worker's: what is shown stays until it is over. */
static void batches_fill(struct batches_box *box)
{
    const struct app *app = box->view.app;
    const struct watch_stream *stream = watch_stream(app, box->stream->name);
    bool busy = app->watch.job != NULL;
    if (busy && box->tables_known)
        return;
    size_t top = box->text.top;
    text_clear(&box->text);
    if (stream)
        print_state(box, stream);
    if (!busy)
        print_tables(box);
    else
        text_print(&box->text, STYLE_DIM, "%s", "\nlooking at its tables");
    box->tables_known = !busy;
    box->text.top = top;
}

/* ---- the box ---- */

static struct view *batches_open(struct app *app, void *argument, struct error *error)
{
    struct batches_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&batches_kind, app};
    box->stream = argument;
    box->text.wrap = true;
    batches_fill(box);
    return &box->view;
}

static void batches_close(struct view *view)
{
    struct batches_box *box = (struct batches_box *)view;
    text_destroy(&box->text);
    free(box);
}

static void batches_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct batches_box *box = (struct batches_box *)view;
    char note[48];
    struct rect inside = canvas_box(canvas, rect, box->stream->name, NULL, true);
    inside.column++;
    inside.columns -= 2;
    text_draw(&box->text, canvas, inside, true);
    text_note(&box->text, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, box->stream->name, note, true);
}

static struct streams_view *streams_below(const struct app *app)
{
    for (size_t i = 0; view_kinds[i]; i++)
        if (view_kinds[i] == &view_streams)
            return (struct streams_view *)app->views[i];
    return NULL;
}

/* The stream before or behind in the list below; NULL. */
static const struct stream *batches_neighbour(const struct batches_box *box, bool next)
{
    const struct streams_view *view = streams_below(box->view.app);
    size_t at = view ? view->list.selected : 0;
    while (view && (next ? at + 1 < view->list.count : at > 0)) {
        at = next ? at + 1 : at - 1;
        if (!view->rows[at].orphan)
            return box->view.app->watch.streams[view->rows[at].index].lag.stream;
    }
    return NULL;
}

static enum answer batches_can(struct view *view, enum action_id action, const char **why)
{
    struct batches_box *box = (struct batches_box *)view;
    (void)why;
    if (action == ACTION_PREVIOUS || action == ACTION_NEXT)
        return batches_neighbour(box, action == ACTION_NEXT) ? ANSWER_WORKS : ANSWER_ABSENT;
    return text_can(&box->text, action);
}

static void batches_act(struct view *view, enum action_id action)
{
    struct batches_box *box = (struct batches_box *)view;
    if (action != ACTION_PREVIOUS && action != ACTION_NEXT) {
        text_act(&box->text, action);
        return;
    }
    box->stream = batches_neighbour(box, action == ACTION_NEXT);
    struct object object = {.kind = "stream"};
    snprintf(object.stream, sizeof object.stream, "%s", box->stream->name);
    struct streams_view *below = streams_below(view->app);
    snprintf(below->selected, sizeof below->selected, "%s", box->stream->name);
    streams_fill(below);
    box->text.top = 0;
    box->tables_known = false;
    batches_fill(box);
}

static bool batches_key(struct view *view, key_code key)
{
    return text_key(&((struct batches_box *)view)->text, key);
}

static bool batches_object(struct view *view, struct object *out)
{
    const struct batches_box *box = (struct batches_box *)view;
    out->kind = "stream";
    snprintf(out->stream, sizeof out->stream, "%s", box->stream->name);
    snprintf(out->text, sizeof out->text, "%s", box->stream->name);
    return true;
}

static void batches_tick(struct view *view)
{
    batches_fill((struct batches_box *)view);
}

static void batches_size(struct view *view, int rows, int columns, int *wanted_rows,
                         int *wanted_columns)
{
    const struct batches_box *box = (struct batches_box *)view;
    *wanted_columns = columns > 112 ? 108 : columns;
    *wanted_rows = box->text.line_count + 3 > (size_t)rows ? rows : (int)box->text.line_count + 3;
}

static const enum scope batches_scopes[] = {SCOPE_TEXT, SCOPE_MOVE, SCOPE_COUNT};

static const struct view_kind batches_kind = {
    .name = "batches",
    .title = "Stream",
    .scopes = batches_scopes,
    .open = batches_open,
    .close = batches_close,
    .draw = batches_draw,
    .can = batches_can,
    .act = batches_act,
    .key = batches_key,
    .object = batches_object,
    .tick = batches_tick,
    .size = batches_size,
};

void streams_batches(struct app *app, const struct stream *stream)
{
    app_push(app, &batches_kind, (void *)(uintptr_t)stream);
}

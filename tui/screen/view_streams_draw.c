/* What the Streams view shows: the sum, the worst, the last change, the list. */
#include <string.h>

#include "core/base/datetime.h"
#include "core/base/quantity.h"
#include "tui/screen/run_words.h"
#include "tui/screen/view_streams.h"

enum {
    DETAIL_LEAST_COLUMNS = 70,
    DETAIL_LEAST_ROWS = 17,
    LIST_LEAST_ROWS = 6,
    NAME_LEAST = 8,
    NAME_MOST = 32,
    WORST_NAME_MOST = 20,
    NONE = -1
};

const char *streams_dash(const struct app *app)
{
    return app->ascii ? "-" : "─";
}

/* ---- above the list ---- */

static const char *dot(const struct app *app)
{
    return app->ascii ? " - " : " · ";
}

static void draw_summary(const struct streams_view *view, struct canvas *canvas, struct rect rect)
{
    const struct app *app = view->view.app;
    int column = rect.column + 1, end = rect.column + rect.columns - 1;
    bool first = true;
    char text[64] = "";
    if (view->readers_stale)
        snprintf(text, sizeof text, "%zu workspace%s stale", view->readers_stale,
                 view->readers_stale == 1 ? " reads" : "s read");
    int right = (int)strlen(text);
    if (column + 2 * right > end)
        right = 0;
    for (int i = 0; i < STREAMS_STATES; i++) {
        enum style style;
        if (view->counts[i] == 0)
            continue;
        watch_glyph(streams_states[i], &style);
        if (!first)
            column += canvas_print(canvas, rect.row, column, 3, STYLE_DIM, dot(app));
        first = false;
        column += canvas_format(canvas, rect.row, column, end - right - column, style, "%zu %s",
                                view->counts[i], streams_states[i]);
    }
    if (view->looking)
        canvas_format(canvas, rect.row, column, end - right - column, STYLE_DIM,
                      "%slooking at %zu stream%s", first ? "" : dot(app), view->looking,
                      view->looking == 1 ? "" : "s");
    if (right)
        canvas_print_right(canvas, rect.row, end - right, right, STYLE_WARN, text);
}

/* Records are in UTC, the screen is not. */
static void localise_since(char *text, size_t size)
{
    char *since = strstr(text, " since "), at[32];
    int64_t us;
    if (since && datetime_parse_timestamptz(slice_of(since + 7), &us)) {
        watch_time(us, true, at, sizeof at);
        snprintf(since + 7, size - (size_t)(since + 7 - text), "%s", at);
    }
}

void streams_reason(const struct app *app, const struct watch_stream *stream, char *out,
                    size_t size)
{
    char age[32], goal[32];
    *out = '\0';
    if (!stream->known || watch_is_stale(app, stream)) {
        char at[32];
        watch_time(stream->checked_us, true, at, sizeof at);
        snprintf(out, size, stream->known ? "no answer since %s" : "not looked at yet", at);
        return;
    }
    bool late = strcmp(stream->state, "late") == 0 || strcmp(stream->state, "catching up") == 0;
    if (late && stream->lag.freshness_s >= 0) {
        watch_age(stream->lag.freshness_s, age, sizeof age);
        watch_age((double)stream->lag.stream->freshness_ms / 1e3, goal, sizeof goal);
        snprintf(out, size, "%s old, goal %s: %s", age, goal,
                 stream->note[0] ? stream->note : stream->lag.reason);
    } else {
        snprintf(out, size, "%s",
                 stream->note[0] && !stream->lag.reason[0] ? stream->note : stream->lag.reason);
        if (stream->paused)
            localise_since(out, size);
    }
}

static void draw_worst(const struct streams_view *view, struct canvas *canvas, int row,
                       struct rect rect, const struct streams_row *worst)
{
    const struct app *app = view->view.app;
    const struct watch *watch = &app->watch;
    char name[OBJECT_TEXT_SIZE], text[LAG_REASON_SIZE + 64];
    enum style style;
    const char *state = worst->orphan ? "orphan" : watch_state(app, &watch->streams[worst->index]);
    enum glyph glyph = watch_glyph(state, &style);
    if (worst->orphan) {
        char held[QUANTITY_TEXT_SIZE];
        const struct watch_orphan *orphan = &watch->orphans[worst->index];
        quantity_format_bytes(orphan->held_bytes, held);
        snprintf(text, sizeof text, "no stream reads it, and it keeps %s of WAL of %s", held,
                 orphan->source);
    } else {
        streams_reason(app, &watch->streams[worst->index], text, sizeof text);
    }
    int column = rect.column + 1, end = rect.column + rect.columns - 1;
    canvas_print(canvas, row, column, 1, style, canvas_glyph(canvas, glyph));
    column += 2;
    int used = canvas_print(canvas, row, column, WORST_NAME_MOST, STYLE_STRONG,
                            streams_row_name(view, worst, name));
    column += (used < 10 ? 10 : used) + 1;
    canvas_print(canvas, row, column, end - column, STYLE_TEXT, text);
}

/* Looking at something and doing the daily work change nothing that one would ask about. */
static const struct run_summary *newest_change(const struct run_list *runs)
{
    static const char *const daily[] = {"merge", "capture", "verify", "maintain", "simulate"};
    for (size_t i = 0; i < runs->count; i++) {
        bool change = true;
        for (size_t k = 0; k < sizeof daily / sizeof *daily; k++)
            change = change && strcmp(runs->runs[i].verb, daily[k]) != 0;
        if (change)
            return &runs->runs[i];
    }
    return NULL;
}

/* Of somebody's run and a change of state that somebody saw: what came later. */
static void last_change_text(const struct app *app, char *out, size_t size)
{
    const struct watch *watch = &app->watch;
    const struct run_summary *run = newest_change(&watch->runs);
    const struct watch_change *change = &watch->change;
    int64_t run_us = run ? run_words_started(run) : -1;
    char at[32], what[128];
    if (change->object[0] && change->at_us > run_us) {
        watch_time(change->at_us, true, at, sizeof at);
        snprintf(out, size, "%s %s: %s%s%s%s%s%s%s", at, change->object, change->from,
                 change->from[0] ? " to " : "", change->to, change->why[0] ? ": " : "", change->why,
                 change->run[0] ? ", run " : "", change->run);
    } else if (run) {
        watch_time(run_us, true, at, sizeof at);
        run_words_what(run, what, sizeof what);
        snprintf(out, size, "%s %s: %s, run %s%s%s", at, run->by, what, run->id,
                 strcmp(run->state, "done") ? ", " : "",
                 strcmp(run->state, "done") ? run->state : "");
    } else {
        snprintf(out, size, "%s",
                 watch->runs_why.kind ? watch->runs_why.message
                 : watch->runs_us     ? "none that left a record"
                                      : "not looked at yet");
    }
}

static void draw_last_change(const struct app *app, struct canvas *canvas, int row,
                             struct rect rect)
{
    char text[ERROR_MESSAGE_SIZE];
    int column = rect.column + 1, end = rect.column + rect.columns - 1;
    column += canvas_print(canvas, row, column, 13, STYLE_LABEL, "Last change") + 2;
    last_change_text(app, text, sizeof text);
    canvas_print(canvas, row, column, end - column, STYLE_TEXT, text);
}

/* ---- the list ---- */

/* Where each column begins, from the left edge of a line; NONE: no room for it. */
struct columns {
    int name, state, fresh, goal, batch, rate, spark, readers, stuck;
    int name_width, spark_cells;
};

/* What goes first when it gets narrow: the picture, then figures, then where it is stuck. */
static struct columns choose_columns(int width)
{
    struct columns columns = {.state = NONE,
                              .fresh = NONE,
                              .goal = NONE,
                              .batch = NONE,
                              .rate = NONE,
                              .spark = NONE,
                              .readers = NONE,
                              .stuck = NONE};
    struct {
        int *at, width, least;
    } wanted[] = {{&columns.state, 12, 24},   {&columns.fresh, 7, 34}, {&columns.goal, 7, 54},
                  {&columns.batch, 7, 62},    {&columns.rate, 7, 70},  {&columns.spark, 13, 76},
                  {&columns.readers, 9, 112}, {&columns.stuck, 9, 44}};
    columns.spark_cells = width >= 100 ? WATCH_SAMPLES : WATCH_SAMPLES / 3;
    wanted[5].width = columns.spark_cells + 3;
    int taken = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        taken += width >= wanted[i].least ? wanted[i].width : 0;
    columns.name = 2;
    columns.name_width = width - 3 - taken;
    columns.name_width = columns.name_width < NAME_LEAST ? NAME_LEAST : columns.name_width;
    columns.name_width = columns.name_width > NAME_MOST ? NAME_MOST : columns.name_width;
    int at = columns.name + columns.name_width + 1;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (width >= wanted[i].least) {
            *wanted[i].at = at;
            at += wanted[i].width;
        }
    return columns;
}

static void draw_head(const struct streams_view *view, struct canvas *canvas, struct rect rect)
{
    struct columns columns = choose_columns(rect.columns - 1);
    const struct {
        int at, width;
        bool right;
        const char *name;
        enum streams_sort sort;
    } heads[] = {{columns.name, 6, false, "STREAM", SORT_NAME},
                 {columns.state, 6, false, "STATE", SORT_WORST},
                 {columns.fresh, 6, true, "FRESH", SORT_FRESH},
                 {columns.goal, 6, true, "GOAL", SORTS},
                 {columns.batch, 6, true, "BATCH", SORT_BATCH},
                 {columns.rate, 6, true, "ROWS/S", SORT_ROWS},
                 {columns.spark < 0 ? NONE : columns.spark + 1, 8, false, "30 MIN", SORTS},
                 {columns.readers, 8, true, "READ BY", SORTS},
                 {columns.stuck, 8, false, "STUCK AT", SORTS}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        enum style style = heads[i].sort == view->sort ? STYLE_STRONG : STYLE_LABEL;
        int column = rect.column + 1 + heads[i].at;
        if (heads[i].at == NONE)
            continue;
        if (heads[i].right)
            canvas_print_right(canvas, rect.row, column, heads[i].width, style, heads[i].name);
        else
            canvas_print(canvas, rect.row, column, heads[i].width, style, heads[i].name);
    }
}

static void draw_spark(struct canvas *canvas, int row, int column, int cells, enum style style,
                       const int64_t samples[WATCH_SAMPLES])
{
    int64_t sums[WATCH_SAMPLES], most = 0;
    int each = WATCH_SAMPLES / cells;
    for (int i = 0; i < cells; i++) {
        sums[i] = -1;
        for (int k = 0; k < each; k++)
            if (samples[i * each + k] >= 0)
                sums[i] = (sums[i] < 0 ? 0 : sums[i]) + samples[i * each + k];
        most = sums[i] > most ? sums[i] : most;
    }
    /* One text: a picture of 30 cells costs as much as a word. */
    char text[WATCH_SAMPLES * 4 + 1];
    size_t length = 0;
    for (int i = 0; i < cells; i++) {
        int height = sums[i] <= 0 ? 0 : 1 + (int)((double)sums[i] / (double)most * 6);
        const char *cell = sums[i] < 0 ? " " : canvas_spark(canvas, height);
        size_t bytes = strlen(cell);
        memcpy(text + length, cell, bytes < 4 ? bytes : 4);
        length += bytes < 4 ? bytes : 4;
    }
    canvas_text(canvas, row, column, cells, style, slice_make(text, length));
}

static void draw_number(struct canvas *canvas, int row, int column, int width, enum style style,
                        double value)
{
    char text[QUANTITY_TEXT_SIZE];
    if (value < 0)
        snprintf(text, sizeof text, "?");
    else if (value > 0 && value < 1)
        snprintf(text, sizeof text, "<1");
    else if (value < 1e6)
        snprintf(text, sizeof text, "%.0f", value);
    else
        snprintf(text, sizeof text, value < 1e8 ? "%.0fk" : "%.1e",
                 value < 1e8 ? value / 1e3 : value);
    canvas_print_right(canvas, row, column, width, style, text);
}

static void draw_figures(const struct app *app, const struct watch_stream *stream,
                         struct canvas *canvas, struct rect rect, const struct columns *columns,
                         bool stale)
{
    enum style plain = stale ? STYLE_DIM : STYLE_TEXT;
    const struct lag *lag = &stream->lag;
    double goal = (double)lag->stream->freshness_ms / 1e3;
    char text[32];
    (void)app;
    if (columns->fresh != NONE) {
        watch_age(stream->known ? lag->freshness_s : -1, text, sizeof text);
        bool over = lag->freshness_s > goal;
        canvas_print_right(canvas, rect.row, rect.column + columns->fresh, 6,
                           stale  ? STYLE_DIM
                           : over ? STYLE_WARN
                                  : STYLE_TEXT,
                           text);
    }
    if (columns->goal != NONE) {
        watch_age(goal, text, sizeof text);
        canvas_print_right(canvas, rect.row, rect.column + columns->goal, 6, STYLE_DIM, text);
    }
    if (columns->batch != NONE)
        draw_number(canvas, rect.row, rect.column + columns->batch, 6, plain,
                    stream->known && (lag->batch || stream->rows_s >= 0) ? (double)lag->batch : -1);
    if (columns->rate != NONE)
        draw_number(canvas, rect.row, rect.column + columns->rate, 6, plain, stream->rows_s);
    if (columns->spark != NONE)
        draw_spark(canvas, rect.row, rect.column + columns->spark + 1, columns->spark_cells,
                   stale ? STYLE_DIM : STYLE_SPARK, stream->samples);
    if (columns->readers != NONE)
        draw_number(canvas, rect.row, rect.column + columns->readers, 8, plain,
                    stream->readers ? (double)stream->reader_count : -1);
    if (columns->stuck != NONE && lag->stuck_at)
        canvas_print(canvas, rect.row, rect.column + columns->stuck, 9, plain, lag->stuck_at);
}

static void draw_row(void *context, size_t index, struct canvas *canvas, struct rect rect,
                     bool selected)
{
    const struct streams_view *view = context;
    const struct app *app = view->view.app;
    const struct streams_row *row = &view->rows[index];
    struct columns columns = choose_columns(rect.columns);
    char name[OBJECT_TEXT_SIZE];
    enum style style;
    const struct watch_stream *stream = row->orphan ? NULL : &app->watch.streams[row->index];
    const char *state = stream ? watch_state(app, stream) : "orphan";
    bool stale = stream && (!stream->known || watch_is_stale(app, stream));
    enum glyph glyph = watch_glyph(state, &style);
    style = stale ? STYLE_DIM : style;
    canvas_print(canvas, rect.row, rect.column, 1, style, canvas_glyph(canvas, glyph));
    canvas_print(canvas, rect.row, rect.column + columns.name, columns.name_width,
                 selected ? STYLE_STRONG
                 : stale  ? STYLE_DIM
                          : STYLE_TEXT,
                 streams_row_name(view, row, name));
    if (columns.state != NONE)
        canvas_print(canvas, rect.row, rect.column + columns.state, 11, style,
                     stream && !stream->known ? "looking" : state);
    if (stream)
        draw_figures(app, stream, canvas, rect, &columns, stale);
}

static void list_title(const struct streams_view *view, char *out, size_t size)
{
    static const char *const orders[] = {"worst first", "by name", "oldest first",
                                         "latest batch first", "busiest first"};
    const char *dash = streams_dash(view->view.app);
    char shown[48] = "";
    if (filter_active(&view->filter))
        snprintf(shown, sizeof shown, "%zu of ", view->list.count);
    snprintf(out, size, "Streams %s %s%zu %s %s%s", dash, shown, view->total, dash,
             orders[view->sort], view->turned ? ", turned" : "");
}

static void draw_list(struct streams_view *view, struct canvas *canvas, struct rect rect)
{
    char title[96], note[64] = "";
    list_title(view, title, sizeof title);
    struct rect inside = canvas_box(canvas, rect, title, NULL, true);
    if (filter_draw(&view->filter, canvas, inside.row + inside.rows - 1, inside.column,
                    inside.columns))
        inside.rows--;
    struct rect lines = {inside.row + 1, inside.column, inside.rows - 1, inside.columns};
    draw_head(view, canvas, inside);
    list_draw(&view->list, canvas, lines, !view->filter.editing, draw_row, view);
    size_t below = view->list.count - view->list.top;
    below = lines.rows > 0 && below > (size_t)lines.rows ? below - (size_t)lines.rows : 0;
    if (below)
        snprintf(note, sizeof note, "%zu more %s", below, canvas_glyph(canvas, GLYPH_MORE));
    else
        list_note(&view->list, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, title, note, true);
    if (view->list.count == 0 && view->total)
        canvas_print(canvas, lines.row, lines.column + 1, lines.columns - 1, STYLE_DIM,
                     "no stream has these words; Esc drops the filter");
}

/* ---- nothing to list ---- */

static void draw_nothing(const struct streams_view *view, struct canvas *canvas, struct rect rect)
{
    const struct app *app = view->view.app;
    const char *why;
    const struct pipeline *pipeline = app_pipeline(app, &why);
    struct rect inside = canvas_box(canvas, rect, "Streams", NULL, true);
    bool failed = app->pipeline_state == PIPELINE_FAILED;
    int column = inside.column + 1, columns = inside.columns - 2;
    if (pipeline) {
        canvas_format(canvas, inside.row, column, columns, STYLE_TEXT,
                      "The model asks for no stream on platform %s.", pipeline->platform);
        canvas_print(canvas, inside.row + 1, column, columns, STYLE_DIM,
                     "1 shows the model: who wants which data, and on which platform");
        return;
    }
    canvas_print(canvas, inside.row, column, columns, failed ? STYLE_FAIL : STYLE_DIM, why);
    if (failed && app->pipeline_error.remedy[0])
        canvas_print(canvas, inside.row + 1, column, columns, STYLE_TEXT,
                     app->pipeline_error.remedy);
    canvas_cursor(canvas, inside.row, column);
}

/* ---- all of it ---- */

void streams_draw(struct view *base, struct canvas *canvas, struct rect rect)
{
    struct streams_view *view = (struct streams_view *)base;
    if (view->total == 0) {
        draw_nothing(view, canvas, rect);
        return;
    }
    struct rect rest = rect;
    if (rect.rows >= LIST_LEAST_ROWS + 1) {
        draw_summary(view, canvas, rest);
        rest.row++, rest.rows--;
    }
    size_t worst = rect.rows >= 19 ? 2 : rect.rows >= 12 ? 1 : 0;
    for (size_t i = 0; i < worst && i < view->worst_count; i++) {
        draw_worst(view, canvas, rest.row, rest, &view->worst[i]);
        rest.row++, rest.rows--;
    }
    if (rect.rows >= 14) {
        draw_last_change(base->app, canvas, rest.row, rest);
        rest.row++, rest.rows--;
    }
    if (rect.columns >= DETAIL_LEAST_COLUMNS && rect.rows >= DETAIL_LEAST_ROWS) {
        int rows = streams_detail_rows(view, rest.rows, rect.columns);
        struct rect detail = {rest.row + rest.rows - rows, rest.column, rows, rest.columns};
        rest.rows -= rows;
        streams_draw_detail(view, canvas, detail);
    }
    draw_list(view, canvas, rest);
}

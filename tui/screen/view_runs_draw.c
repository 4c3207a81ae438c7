/* What the Runs view shows. */
#include <string.h>

#include "core/base/json.h"
#include "tui/screen/run_words.h"
#include "tui/screen/view_runs.h"

#include <stdlib.h>

enum {
    DETAIL_LEAST_ROWS = 16,
    DETAIL_LEAST_COLUMNS = 60,
    DETAIL_ROWS = 7,
    LABEL_WIDTH = 9,
    BAR_CELLS = 8,
    NONE = -1
};

/* ---- the list ---- */

struct columns {
    int state, what, started, took, by, says;
    int what_width;
};

static struct columns choose_columns(int width)
{
    struct columns columns = {
        .state = NONE, .started = NONE, .took = NONE, .by = NONE, .says = NONE};
    int at = 7; /* glyph, blank, four digits, blank */
    if (width >= 30) {
        columns.state = at;
        at += 12;
    }
    columns.what = at;
    columns.what_width = width - at > 44 ? (width - at) / 3 : width >= 50 ? 18 : width - at;
    columns.what_width = columns.what_width > 32 ? 32 : columns.what_width;
    at += columns.what_width + 1;
    const struct {
        int *to, cells, least;
    } more[] = {{&columns.started, 12, 54}, {&columns.took, 8, 90}, {&columns.by, 18, 110}};
    for (size_t i = 0; i < 3; i++)
        if (width >= more[i].least) {
            *more[i].to = at;
            at += more[i].cells;
        }
    if (width - at >= 12)
        columns.says = at;
    return columns;
}

static void draw_head(struct canvas *canvas, struct rect rect)
{
    struct columns columns = choose_columns(rect.columns - 1);
    const struct {
        int at;
        const char *name;
    } heads[] = {{2, "RUN"},
                 {columns.state, "STATE"},
                 {columns.what, "WHAT"},
                 {columns.started, "STARTED"},
                 {columns.took, "TOOK"},
                 {columns.by, "BY"},
                 {columns.says, "SAYS"}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (heads[i].at != NONE)
            canvas_print(canvas, rect.row, rect.column + 1 + heads[i].at,
                         rect.columns - 1 - heads[i].at, STYLE_LABEL, heads[i].name);
}

/* "████░░░░ " of what is done; returns the cells that it took. */
static int draw_bar(const struct app *app, struct canvas *canvas, int row, int column,
                    const struct run_summary *run)
{
    double part = run_words_part(run);
    int full = (int)(part * BAR_CELLS + 0.5);
    if (part < 0)
        return 0;
    for (int i = 0; i < BAR_CELLS; i++)
        canvas_print(canvas, row, column + i, 1, i < full ? STYLE_SPARK : STYLE_DIM,
                     i < full     ? (app->ascii ? "#" : "█")
                     : app->ascii ? "."
                                  : "░");
    return BAR_CELLS + 1;
}

static void draw_row(void *context, size_t index, struct canvas *canvas, struct rect rect,
                     bool selected)
{
    const struct runs_view *view = context;
    const struct run_list *runs = &view->view.app->watch.runs;
    if (view->rows[index] >= runs->count)
        return;
    const struct run_summary *run = &runs->runs[view->rows[index]];
    struct columns columns = choose_columns(rect.columns);
    const char *state = run_words_state(run);
    enum style style, plain = selected ? STYLE_STRONG : STYLE_TEXT;
    enum glyph glyph = watch_glyph(state, &style);
    char text[512];
    canvas_print(canvas, rect.row, rect.column, 1, style, canvas_glyph(canvas, glyph));
    canvas_print(canvas, rect.row, rect.column + 2, columns.what - 3 < 6 ? columns.what - 3 : 6,
                 plain, run->id);
    if (columns.state != NONE)
        canvas_print(canvas, rect.row, rect.column + columns.state, 11, style, state);
    run_words_what(run, text, sizeof text);
    canvas_print(canvas, rect.row, rect.column + columns.what, columns.what_width, plain, text);
    if (columns.started != NONE && run_words_started(run) >= 0) {
        watch_time(run_words_started(run), true, text, sizeof text);
        canvas_print(canvas, rect.row, rect.column + columns.started, 11, STYLE_TEXT, text);
    }
    if (columns.took != NONE) {
        run_words_took(run, text, sizeof text);
        canvas_print_right(canvas, rect.row, rect.column + columns.took, 7, STYLE_TEXT, text);
    }
    if (columns.by != NONE)
        canvas_print(canvas, rect.row, rect.column + columns.by, 17, STYLE_DIM, run->by);
    if (columns.says != NONE) {
        int at = rect.column + columns.says;
        at += draw_bar(view->view.app, canvas, rect.row, at, run);
        run_words_says(run, text, sizeof text);
        canvas_print(canvas, rect.row, at, rect.column + rect.columns - at, STYLE_TEXT, text);
    }
}

static void list_title(const struct runs_view *view, char *out, size_t size)
{
    static const char *const orders[] = {"newest first", "by state", "by what"};
    const struct app *app = view->view.app;
    const char *dash = app->ascii ? "-" : "─";
    char shown[48] = "";
    if (filter_active(&view->filter))
        snprintf(shown, sizeof shown, "%zu of ", view->list.count);
    snprintf(out, size, "Runs %s %s%zu %s %s%s", dash, shown, app->watch.runs.count, dash,
             orders[view->sort], view->turned ? ", turned" : "");
}

static void draw_list(struct runs_view *view, struct canvas *canvas, struct rect rect)
{
    const struct app *app = view->view.app;
    char title[96], note[64] = "";
    list_title(view, title, sizeof title);
    struct rect inside = canvas_box(canvas, rect, title, NULL, true);
    if (filter_draw(&view->filter, canvas, inside.row + inside.rows - 1, inside.column,
                    inside.columns))
        inside.rows--;
    struct rect lines = {inside.row + 1, inside.column, inside.rows - 1, inside.columns};
    draw_head(canvas, inside);
    list_draw(&view->list, canvas, lines, !view->filter.editing, draw_row, view);
    list_note(&view->list, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, title, note, true);
    if (view->list.count == 0 && app->watch.runs.count)
        canvas_print(canvas, lines.row, lines.column + 1, lines.columns - 1, STYLE_DIM,
                     "no run has these words; Esc drops the filter");
}

/* ---- the run under the cursor ---- */

static void draw_line(struct canvas *canvas, struct rect inside, int *row, const char *label,
                      enum style style, const char *text)
{
    if (*row >= inside.row + inside.rows || *text == '\0')
        return;
    canvas_print(canvas, *row, inside.column + 1, LABEL_WIDTH, STYLE_LABEL, label);
    canvas_print(canvas, *row, inside.column + 1 + LABEL_WIDTH, inside.columns - LABEL_WIDTH - 2,
                 style, text);
    (*row)++;
}

static void command_text(const struct run_summary *run, char *out, size_t size)
{
    size_t used = 0, index;
    json_t *word;
    *out = '\0';
    json_array_foreach(run->arguments, index, word)
    {
        const char *text = json_string_value(word);
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", index ? " " : "surfboard ",
                                     text ? text : "?");
    }
}

static void draw_detail(const struct runs_view *view, struct canvas *canvas, struct rect rect)
{
    const struct run_summary *run = runs_selected(view);
    char text[ERROR_MESSAGE_SIZE], what[256], started[32], ended[32] = "", took[32];
    enum style style;
    if (run == NULL) {
        canvas_box(canvas, rect, NULL, NULL, false);
        return;
    }
    run_words_what(run, what, sizeof what);
    snprintf(text, sizeof text, "run %s: %s", run->id, what);
    struct rect inside = canvas_box(canvas, rect, text, NULL, false);
    int row = inside.row;
    watch_glyph(run_words_state(run), &style);
    run_words_says(run, text, sizeof text);
    snprintf(what, sizeof what, "%s%s%.200s", run_words_state(run), *text ? ": " : "", text);
    draw_line(canvas, inside, &row, "State", style, what);
    watch_time(run_words_started(run), true, started, sizeof started);
    run_words_took(run, took, sizeof took);
    if (run->ended[0])
        watch_time(run_words_ended(run), true, ended, sizeof ended);
    snprintf(text, sizeof text, "%s%s%s%s%s, by %s", run_words_started(run) < 0 ? "?" : started,
             *ended ? " to " : "", ended, *took ? ", " : "", took, run->by);
    draw_line(canvas, inside, &row, "Time", STYLE_TEXT, text);
    command_text(run, text, sizeof text);
    draw_line(canvas, inside, &row, "Command", STYLE_TEXT,
              *text ? text : "not recorded: it can't be begun again from here");
    const char *remedy =
        json_string_value(json_object_get(json_object_get(run->last, "error"), "remedy"));
    if (strcmp(run->state, "died") == 0)
        remedy = run->resumable ? "R begins it again: it goes on where it was"
                                : "Enter shows how far it came";
    draw_line(canvas, inside, &row, "Remedy", STYLE_TEXT, remedy ? remedy : "");
    char *last = run->last ? json_text(run->last, JSON_COMPACT, NULL) : NULL;
    draw_line(canvas, inside, &row, "Last", STYLE_DIM, last ? last : "");
    free(last);
}

/* ---- all of it ---- */

static void draw_nothing(const struct app *app, struct canvas *canvas, struct rect rect)
{
    const struct error *why = &app->watch.runs_why;
    struct rect inside = canvas_box(canvas, rect, "Runs", NULL, true);
    int column = inside.column + 1, columns = inside.columns - 2;
    canvas_cursor(canvas, inside.row, column);
    if (!app->has_profile) {
        canvas_print(canvas, inside.row, column, columns, STYLE_DIM, "there is no profile");
    } else if (why->kind) {
        canvas_print(canvas, inside.row, column, columns, STYLE_FAIL, why->message);
        canvas_print(canvas, inside.row + 1, column, columns, STYLE_TEXT, why->remedy);
    } else if (app->watch.runs_us == 0) {
        canvas_print(canvas, inside.row, column, columns, STYLE_DIM, "looking");
    } else {
        canvas_print(canvas, inside.row, column, columns, STYLE_TEXT, "Nothing ran yet.");
        canvas_print(canvas, inside.row + 1, column, columns, STYLE_DIM,
                     "2 shows the steps of the bring-up, 3 the streams; what they start stands "
                     "here");
    }
}

static void draw_summary(const struct runs_view *view, struct canvas *canvas, struct rect rect)
{
    const struct {
        size_t count;
        const char *what;
        enum style style;
    } parts[] = {{view->alive, "under way", STYLE_OK},
                 {view->died, "died", STYLE_FAIL},
                 {view->failed, "failed", STYLE_FAIL}};
    int column = rect.column + 1, end = rect.column + rect.columns - 1;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].count == 0 && i > 0)
            continue;
        if (i)
            column +=
                canvas_print(canvas, rect.row, column, 3, STYLE_DIM, canvas->ascii ? " - " : " · ");
        column += canvas_format(canvas, rect.row, column, end - column,
                                parts[i].count ? parts[i].style : STYLE_DIM, "%zu %s",
                                parts[i].count, parts[i].what);
    }
    if (view->view.app->watch.runs_why.kind)
        canvas_print(canvas, rect.row, column + 2, end - column - 2, STYLE_FAIL,
                     view->view.app->watch.runs_why.message);
}

void runs_draw(struct view *base, struct canvas *canvas, struct rect rect)
{
    struct runs_view *view = (struct runs_view *)base;
    if (base->app->watch.runs.count == 0) {
        draw_nothing(base->app, canvas, rect);
        return;
    }
    struct rect rest = rect;
    if (rect.rows >= 8) {
        draw_summary(view, canvas, rest);
        rest.row++, rest.rows--;
    }
    if (rect.rows >= DETAIL_LEAST_ROWS && rect.columns >= DETAIL_LEAST_COLUMNS) {
        rest.rows -= DETAIL_ROWS;
        draw_detail(view, canvas,
                    (struct rect){rest.row + rest.rows, rest.column, DETAIL_ROWS, rest.columns});
    }
    draw_list(view, canvas, rest);
}

/* The right pane: why a step exists, what would be sent, how it is undone, what was found. Lines
 * are folded at blanks once, when something changed, and not for each frame. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/datetime.h"
#include "core/base/memory.h"
#include "tui/screen/view_pipeline.h"

enum { LABEL_COLUMNS = 8, LINES_MOST = 400, UNDO_LINES = 3, TEXT_SIZE = 4096 };

void pipe_detail_destroy(struct detail *detail)
{
    buffer_destroy(&detail->bytes);
    free(detail->lines);
    *detail = (struct detail){0};
}

/* ---- lines ---- */

static struct detail_line *detail_push(struct detail *detail)
{
    if (detail->count >= LINES_MOST || !memory_grow(&detail->lines, &detail->capacity,
                                                    detail->count + 1, sizeof *detail->lines, NULL))
        return NULL;
    struct detail_line *line = &detail->lines[detail->count++];
    *line = (struct detail_line){0};
    return line;
}

static void detail_rule(struct detail *detail)
{
    struct detail_line *line = detail_push(detail);
    if (line)
        line->indent = PIPE_NONE;
}

/* How many bytes of `text` go on a line, and how many are passed over behind them. */
static size_t fold_at(struct slice text, int columns, size_t *skip)
{
    size_t fits = text_offset(text, columns);
    *skip = 0;
    if (fits >= text.length)
        return text.length;
    for (size_t at = fits; at > 0; at--)
        if (text.data[at] == ' ') {
            *skip = 1;
            return at;
        }
    return fits ? fits : text.length;
}

/* One paragraph: its label before the first line, the rest below the text. Newlines part lines. */
static void detail_add(struct detail *detail, const char *label, enum style label_style, int indent,
                       enum style style, struct slice text)
{
    int columns = detail->columns - indent > 4 ? detail->columns - indent : 4;
    size_t start = detail->bytes.length, label_length = strlen(label);
    if (!buffer_append_slice(&detail->bytes, text, NULL) ||
        !buffer_append_text(&detail->bytes, label, NULL))
        return;
    bool first = true;
    for (size_t at = 0; first || at < text.length; first = false) {
        struct slice rest = {detail->bytes.data + start + at, text.length - at};
        const char *newline = memchr(rest.data, '\n', rest.length);
        struct slice paragraph = {rest.data, newline ? (size_t)(newline - rest.data) : rest.length};
        size_t skip, fits = fold_at(paragraph, columns, &skip);
        struct detail_line *line = detail_push(detail);
        if (line == NULL)
            return;
        *line = (struct detail_line){.label = start + text.length,
                                     .label_length = first ? label_length : 0,
                                     .label_style = label_style,
                                     .start = start + at,
                                     .length = fits,
                                     .style = style,
                                     .indent = indent};
        at += fits + skip;
        if (newline && fits == paragraph.length)
            at++;
    }
}

static void detail_text(struct detail *detail, const char *label, enum style style,
                        const char *text)
{
    if (text && *text)
        detail_add(detail, label, STYLE_LABEL, LABEL_COLUMNS, style, slice_of(text));
}

static void detail_print(struct detail *detail, const char *label, enum style style,
                         const char *format, ...) __attribute__((format(printf, 4, 5)));

static void detail_print(struct detail *detail, const char *label, enum style style,
                         const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    detail_text(detail, label, style, text);
}

/* A glyph, then text beside it. */
static void detail_mark(struct detail *detail, const char *glyph, enum style glyph_style,
                        enum style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void detail_mark(struct detail *detail, const char *glyph, enum style glyph_style,
                        enum style style, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    detail_add(detail, glyph, glyph_style, 2, style, slice_of(text));
}

/* ---- plan and undo ---- */

/* A line that does not fit is cut: `o` shows it whole. Exact lines are read, not folded. */
static void detail_lines(struct detail *detail, const char *label, const struct step_report *report,
                         size_t most)
{
    for (size_t i = 0; i < report->line_count && i < most; i++) {
        struct detail_line *line = detail_push(detail);
        const char *text = report->lines[i];
        size_t start = detail->bytes.length, length = strcspn(text, "\n");
        const char *own = i ? "" : label;
        if (line == NULL || !buffer_append(&detail->bytes, text, length, NULL) ||
            !buffer_append_text(&detail->bytes, own, NULL))
            return;
        *line = (struct detail_line){.label = start + length,
                                     .label_length = strlen(own),
                                     .label_style = STYLE_LABEL,
                                     .start = start,
                                     .length = length,
                                     .style = STYLE_TEXT,
                                     .indent = LABEL_COLUMNS};
    }
    if (report->line_count > most)
        detail_print(detail, "", STYLE_DIM, "%zu more: o", report->line_count - most);
}

static void compose_plan(struct detail *detail, const struct pipe_step *step, size_t most)
{
    const struct pipe_answer *answer = step->answer;
    if (answer == NULL || answer->failure.kind)
        detail_text(detail, "Plan", STYLE_DIM, "not known: it depends on what is there");
    else if (pipe_to_do(step) && answer->found.line_count)
        detail_lines(detail, "Plan", &answer->found, most);
    else if (pipe_stands(step))
        detail_text(detail, "Plan", STYLE_DIM, "nothing to send: it stands");
    else
        detail_text(detail, "Plan", STYLE_DIM, "nothing to send");
}

static void compose_undo(struct detail *detail, const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    const char *action = pipe_undo_action(step, true);
    if (answer == NULL || answer->failure.kind)
        return;
    if (answer->has_receipt && action && strcmp(action, "released") == 0)
        detail_text(detail, "Undo", STYLE_TEXT,
                    answer->users > 1 ? "stays: other streams use it" : "stays: it was adopted");
    else if (pipe_stands(step) && !answer->has_receipt)
        detail_text(detail, "Undo", STYLE_DIM, "nothing: it was not made by us");
    else if (answer->undo_failure.kind)
        detail_print(detail, "Undo", STYLE_UNKNOWN, "not known: %s", answer->undo_failure.message);
    else if (answer->undo_known && answer->undo.line_count)
        detail_lines(detail, "Undo", &answer->undo, UNDO_LINES);
    else if (answer->undo_known)
        detail_text(detail, "Undo", STYLE_DIM, "nothing to send");
}

/* ---- what was found ---- */

static const char *verdict_glyph(const struct canvas *canvas, enum step_verdict verdict,
                                 enum style *style)
{
    static const struct {
        enum glyph glyph;
        enum style style;
    } looks[] = {[VERDICT_OK] = {GLYPH_OK, STYLE_OK},
                 [VERDICT_WARN] = {GLYPH_WARN, STYLE_WARN},
                 [VERDICT_FAIL] = {GLYPH_FAIL, STYLE_FAIL},
                 [VERDICT_UNKNOWN] = {GLYPH_UNKNOWN, STYLE_UNKNOWN}};
    *style = looks[verdict].style;
    return canvas_glyph(canvas, looks[verdict].glyph);
}

static void compose_findings(struct detail *detail, const struct canvas *canvas,
                             const struct step_report *report, enum step_verdict verdict)
{
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct step_finding *finding = &report->findings[i];
        enum style style;
        if (finding->verdict != verdict)
            continue;
        const char *glyph = verdict_glyph(canvas, verdict, &style);
        bool named = strncmp(finding->evidence, finding->check, strlen(finding->check)) == 0;
        detail_mark(detail, glyph, style, STYLE_TEXT, "%s%s%s", named ? "" : finding->check,
                    named ? "" : ": ", finding->evidence);
        if (verdict == VERDICT_OK)
            continue;
        detail_text(detail, "Cause", STYLE_TEXT, finding->cause);
        detail_text(detail, "Remedy", STYLE_TEXT, finding->remedy);
    }
}

static void compose_person(struct detail *detail, const struct canvas *canvas,
                           const struct step_report *found)
{
    if (found->needs_person == NULL)
        return;
    detail_mark(detail, canvas_glyph(canvas, GLYPH_WARN), STYLE_WARN, STYLE_STRONG,
                "needs a person: %s", found->needs_person);
    detail_text(detail, "Run", STYLE_STRONG, found->needs_person_remedy);
    detail_text(detail, "", STYLE_DIM, "v checks again");
}

static void compose_differences(struct detail *detail, const struct canvas *canvas,
                                const struct step_report *found)
{
    for (size_t i = 0; i < found->difference_count; i++) {
        const struct step_difference *difference = &found->differences[i];
        detail_mark(detail, canvas_glyph(canvas, GLYPH_WARN), STYLE_WARN, STYLE_TEXT, "%s",
                    difference->field);
        detail_text(detail, "Wanted", STYLE_ADDED, difference->wanted);
        detail_text(detail, "Found", STYLE_REMOVED, difference->found);
    }
}

static void compose_stopped(struct detail *detail, const struct canvas *canvas,
                            const struct pipe_step *step)
{
    char at[32], age[32];
    if (step->stopped_run[0] == '\0')
        return;
    watch_time(step->stopped_us, true, at, sizeof at);
    watch_age((double)(clock_now_us() - step->stopped_us) / 1e6, age, sizeof age);
    detail_mark(detail, canvas_glyph(canvas, GLYPH_FAIL), STYLE_FAIL, STYLE_TEXT,
                "run %s stopped here at %s, %s ago", step->stopped_run, at, age);
    detail_text(detail, "Cause", STYLE_TEXT, step->stopped_why);
    detail_text(detail, "Remedy", STYLE_TEXT, step->stopped_remedy);
}

/* When; and how long ago once that is more than a minute: a page at rest is not drawn again. */
static void compose_checked(struct detail *detail, const struct pipe_step *step)
{
    const struct pipe_answer *answer = step->answer;
    char at[32], age[32];
    int64_t seconds = (clock_now_us() - answer->at_us) / 1000000;
    watch_time(answer->at_us, true, at, sizeof at);
    watch_age((double)seconds, age, sizeof age);
    detail_print(detail, answer->proved && step->step->prove ? "Proved" : "Checked", STYLE_DIM,
                 "%s%s%s%s", at, seconds >= 60 ? ", " : "", seconds >= 60 ? age : "",
                 seconds >= 60 ? " ago" : "");
    if (step->stale || seconds > PIPE_STALE_MS / 1000)
        detail_text(detail, "", STYLE_WARN, "stale: v checks again");
}

static void compose_receipt(struct detail *detail, const struct pipe_answer *answer)
{
    char at[32];
    int64_t made_us;
    if (!answer->has_receipt)
        return;
    snprintf(at, sizeof at, "%.10s", answer->made_at);
    if (datetime_parse_timestamptz(slice_of(answer->made_at), &made_us))
        watch_time(made_us, true, at, sizeof at);
    detail_print(detail, answer->how == RECEIPT_ADOPTED ? "Adopted" : "Made", STYLE_DIM,
                 "%s by %s%s%s", at, answer->made_by, answer->made_run[0] ? ", run " : "",
                 answer->made_run);
}

static void compose_answer(struct detail *detail, const struct canvas *canvas,
                           const struct pipe_step *step)
{
    static const enum step_verdict order[] = {VERDICT_FAIL, VERDICT_UNKNOWN, VERDICT_WARN,
                                              VERDICT_OK};
    const struct pipe_answer *answer = step->answer;
    if (answer->failure.kind) {
        detail_mark(detail, canvas_glyph(canvas, GLYPH_UNKNOWN), STYLE_UNKNOWN, STYLE_TEXT,
                    "%s did not answer", step->step->service);
        detail_text(detail, "Cause", STYLE_TEXT, answer->failure.message);
        detail_text(detail, "Remedy", STYLE_TEXT, answer->failure.remedy);
    }
    compose_person(detail, canvas, &answer->found);
    if (answer->found.state == STEP_FITS && !step->step->requirement) {
        detail_mark(detail, canvas_glyph(canvas, GLYPH_WARN), STYLE_WARN, STYLE_TEXT,
                    "it is there already, and not made by us");
        detail_text(detail, "Remedy", STYLE_TEXT,
                    "take it away, or give our own another name in the profile");
    }
    compose_differences(detail, canvas, &answer->found);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        compose_findings(detail, canvas, &answer->found, order[i]);
        compose_findings(detail, canvas, &answer->proof, order[i]);
    }
    compose_checked(detail, step);
    compose_receipt(detail, answer);
}

static void compose_live(struct detail *detail, const struct canvas *canvas,
                         const struct pipeline_view *view, const struct pipe_step *step)
{
    int64_t since_us = 0, now = clock_now_us();
    char age[32];
    int index = pipe_follow_step(view, &since_us);
    if (index == PIPE_NONE || &pipe_stream_now(view)->steps[index] != step)
        return;
    watch_age((double)(now - since_us) / 1e6, age, sizeof age);
    detail_mark(detail, canvas_glyph(canvas, GLYPH_MARK), STYLE_STRONG, STYLE_STRONG,
                "run %s is at it for %s; x stops it", pipe_run(view), age);
    detail_text(detail, "", STYLE_TEXT, pipe_follow_says(view));
}

static void compose_asking(struct detail *detail, const struct canvas *canvas,
                           const struct pipe_step *step)
{
    char age[32];
    int64_t waited = clock_now_us() - step->asked_us;
    if (step->asked_us == 0 || (step->answer && waited < 1000000))
        return;
    watch_age((double)waited / 1e6, age, sizeof age);
    detail_mark(detail, canvas_glyph(canvas, GLYPH_UNKNOWN), STYLE_UNKNOWN, STYLE_TEXT,
                "asks %s since %s; Ctrl-C stops that", step->step->service, age);
}

static void compose_step(struct pipeline_view *view, const struct canvas *canvas,
                         const struct pipe_step *step, int rows)
{
    struct detail *detail = &view->detail;
    size_t most = rows > 12 ? (size_t)rows / 3 : 3;
    detail_add(detail, "", STYLE_LABEL, 0, STYLE_DIM, slice_of(step->step->why));
    compose_plan(detail, step, most);
    compose_undo(detail, step);
    detail_rule(detail);
    compose_live(detail, canvas, view, step);
    compose_asking(detail, canvas, step);
    compose_stopped(detail, canvas, step);
    if (step->answer)
        compose_answer(detail, canvas, step);
    else if (step->asked_us == 0)
        detail_mark(detail, canvas_glyph(canvas, GLYPH_UNKNOWN), STYLE_UNKNOWN, STYLE_TEXT,
                    "not asked yet; v asks");
}

/* ---- when there is no step ---- */

static void compose_no_pipeline(struct pipeline_view *view, const struct canvas *canvas)
{
    struct detail *detail = &view->detail;
    const struct app *app = view->view.app;
    const char *why;
    app_pipeline(app, &why);
    bool failed = app->pipeline_state == PIPELINE_FAILED;
    detail_mark(detail, canvas_glyph(canvas, failed ? GLYPH_FAIL : GLYPH_ABSENT),
                failed ? STYLE_FAIL : STYLE_ABSENT, STYLE_TEXT, "%s", why);
    if (failed)
        detail_text(detail, "Remedy", STYLE_TEXT, app->pipeline_error.remedy);
}

/* Every stream that can't be captured, with its reason. */
static void compose_none(struct pipeline_view *view, const struct canvas *canvas)
{
    struct detail *detail = &view->detail;
    const struct pipeline *pipeline = &view->view.app->pipeline;
    if (view->count == 0)
        detail_mark(detail, canvas_glyph(canvas, GLYPH_ABSENT), STYLE_ABSENT, STYLE_TEXT,
                    "the model asks for no stream on platform %s", pipeline->platform);
    for (size_t i = 0; i < view->count; i++) {
        const struct stream *stream = view->streams[i].stream;
        if (stream->no_capture)
            detail_mark(detail, canvas_glyph(canvas, GLYPH_ABSENT), STYLE_ABSENT,
                        i == view->current ? STYLE_STRONG : STYLE_TEXT, "%s: %s", stream->name,
                        stream->no_capture);
    }
}

static void compose(struct pipeline_view *view, const struct canvas *canvas, int rows)
{
    struct detail *detail = &view->detail;
    const struct pipe_step *step = pipe_step_now(view);
    detail->count = 0;
    buffer_clear(&detail->bytes);
    if (step)
        compose_step(view, canvas, step, rows);
    else if (view->view.app->pipeline_state != PIPELINE_OPEN)
        compose_no_pipeline(view, canvas);
    else
        compose_none(view, canvas);
}

/* ---- drawing ---- */

static void detail_title(const struct pipeline_view *view, char *out, size_t size)
{
    const struct pipe_step *step = pipe_step_now(view);
    const struct pipe_stream *stream = pipe_stream_now(view);
    if (step)
        snprintf(out, size, "%s ─ %s", step->step->id, pipe_title(step->step));
    else if (stream)
        snprintf(out, size, "not captured here");
    else
        snprintf(out, size, "Pipeline");
}

static void detail_note(const struct detail *detail, char *out, size_t size)
{
    size_t page = detail->page > 0 ? (size_t)detail->page : 0;
    if (detail->count <= page)
        snprintf(out, size, "%s", "");
    else
        snprintf(out, size, "line %zu of %zu", detail->top + 1, detail->count);
}

static size_t detail_last_top(const struct detail *detail)
{
    size_t page = detail->page > 0 ? (size_t)detail->page : 1;
    return detail->count > page ? detail->count - page : 0;
}

static void detail_draw_line(const struct detail *detail, const struct detail_line *line,
                             struct canvas *canvas, int row, struct rect rect)
{
    const char *bytes = detail->bytes.data;
    if (line->indent == PIPE_NONE) {
        canvas_rule(canvas, row, rect.column, rect.columns);
        return;
    }
    if (line->label_length)
        canvas_text(canvas, row, rect.column, rect.columns, line->label_style,
                    (struct slice){bytes + line->label, line->label_length});
    canvas_text(canvas, row, rect.column + line->indent, rect.columns - line->indent, line->style,
                (struct slice){bytes + line->start, line->length});
}

void pipe_detail_draw(struct pipeline_view *view, struct canvas *canvas, struct rect rect,
                      bool focused)
{
    struct detail *detail = &view->detail;
    char title[256], note[48];
    struct rect inside = {rect.row + 1, rect.column + 2, rect.rows - 2, rect.columns - 4};
    int columns = inside.columns > 0 ? inside.columns : 0;
    /* Ages go on by the minute; while something goes on, by the second. */
    int64_t beat = clock_now_us() / (view->ticking ? 1000000 : 60000000);
    uint64_t of = view->generation * 1000003 + (uint64_t)beat * 2 + (uint64_t)canvas->ascii +
                  ((uint64_t)(inside.rows > 0 ? inside.rows : 0) << 48);
    if (detail->made_of != of || detail->columns != columns) {
        detail->made_of = of;
        detail->columns = columns;
        compose(view, canvas, inside.rows);
    }
    detail->page = inside.rows;
    if (detail->top > detail_last_top(detail))
        detail->top = detail_last_top(detail);
    detail_title(view, title, sizeof title);
    detail_note(detail, note, sizeof note);
    canvas_box(canvas, rect, title, note, focused);
    for (int i = 0; i < inside.rows && detail->top + (size_t)i < detail->count; i++)
        detail_draw_line(detail, &detail->lines[detail->top + (size_t)i], canvas, inside.row + i,
                         inside);
    if (focused)
        canvas_cursor(canvas, inside.row, inside.column);
}

/* ---- moving ---- */

enum answer pipe_detail_can(const struct pipeline_view *view, enum action_id action)
{
    (void)view;
    switch (action) {
    case ACTION_UP:
    case ACTION_DOWN:
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
    case ACTION_HALF_UP:
    case ACTION_HALF_DOWN:
    case ACTION_FIRST:
    case ACTION_LAST:
        return ANSWER_WORKS;
    default:
        return ANSWER_ABSENT;
    }
}

void pipe_detail_act(struct pipeline_view *view, enum action_id action)
{
    struct detail *detail = &view->detail;
    /* The same moves as in a list, of the line on top. */
    struct list list = {
        .count = detail_last_top(detail) + 1, .selected = detail->top, .page = detail->page};
    list_act(&list, action);
    detail->top = list.selected;
}

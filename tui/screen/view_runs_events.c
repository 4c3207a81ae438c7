/* The events of a run as they come: from near the end, following it; `<` begins at the start, and
 * loads further as one reads on. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/run_reader.h"
#include "tui/screen/run_words.h"
#include "tui/screen/text.h"
#include "tui/screen/view_runs.h"

enum { KEPT_MOST = 16 << 20 }; /* bytes of lines; what was read earlier goes */

struct events_box {
    struct view view;
    char run[RUN_ID_SIZE];
    struct run_reader *reader;
    struct text words, raw; /* line by line the same */
    bool shows_raw;
    bool loaded, more, from_start;
    size_t dropped; /* pieces that went to keep the memory small */
    enum run_tail_state state;
    int exit_code;
    char trouble[ERROR_MESSAGE_SIZE + ERROR_REMEDY_SIZE + 4];
    char why[256];
};

static const struct view_kind events_kind;

static struct text *events_text(struct events_box *box)
{
    return box->shows_raw ? &box->raw : &box->words;
}

/* ---- lines ---- */

static size_t line_length(const char *at, size_t left)
{
    const char *end = memchr(at, '\n', left);
    return end ? (size_t)(end - at) : left;
}

static void append_lines(struct text *text, const struct buffer *lines, const struct buffer *styles,
                         bool styled)
{
    size_t at = 0, count = 0;
    while (at < lines->length && count < styles->length) {
        size_t length = line_length(lines->data + at, lines->length - at);
        enum style style = styled ? (enum style)styles->data[count] : STYLE_TEXT;
        /* An empty line is a line too. */
        if (!text_append(text, style,
                         slice_make(length ? lines->data + at : " ", length ? length : 1)))
            return;
        at += length + 1;
        count++;
    }
}

static void events_keep_small(struct events_box *box)
{
    if (box->raw.bytes.length + box->words.bytes.length < KEPT_MOST)
        return;
    text_clear(&box->raw);
    text_clear(&box->words);
    box->dropped++;
}

static void events_heard(void *context, const struct run_piece *piece, const struct error *error)
{
    struct events_box *box = context;
    box->loaded = true;
    if (error) {
        snprintf(box->trouble, sizeof box->trouble, "%s%s%s", error->message,
                 error->remedy[0] ? "; " : "", error->remedy);
        return;
    }
    events_keep_small(box);
    append_lines(&box->raw, &piece->raw, &piece->styles, false);
    append_lines(&box->words, &piece->words, &piece->styles, true);
    box->more = piece->more;
    box->from_start = piece->from_start;
    box->state = piece->state;
    box->exit_code = piece->exit_code;
    /* Following: until the end is reached. Reading from the start: as far as one reads. */
    if (piece->more && events_text(box)->tail)
        run_reader_read(box->reader);
}

static void events_begin(struct events_box *box, bool from_start)
{
    struct error error = {0};
    run_reader_close(box->reader);
    text_clear(&box->words);
    text_clear(&box->raw);
    box->loaded = box->more = box->from_start = false;
    box->dropped = 0;
    box->state = RUN_TAIL_ALIVE;
    box->trouble[0] = '\0';
    box->words.tail = box->raw.tail = !from_start;
    box->reader = run_reader_open(box->view.app, box->run, from_start, events_heard, box, &error);
    if (box->reader)
        run_reader_read(box->reader);
    else
        app_fail(box->view.app, &error);
}

/* ---- the box ---- */

static struct view *events_open(struct app *app, void *argument, struct error *error)
{
    struct events_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&events_kind, app};
    snprintf(box->run, sizeof box->run, "%s", (const char *)argument);
    box->words.wrap = box->raw.wrap = true;
    events_begin(box, false);
    return &box->view;
}

static void events_close(struct view *view)
{
    struct events_box *box = (struct events_box *)view;
    run_reader_close(box->reader);
    text_destroy(&box->words);
    text_destroy(&box->raw);
    free(box);
}

static void events_tick(struct view *view)
{
    struct events_box *box = (struct events_box *)view;
    bool reads = box->reader && !run_reader_busy(box->reader) && box->state == RUN_TAIL_ALIVE &&
                 !box->trouble[0];
    /* From the start only what is read on to: it would run ahead of the reader else. */
    if (reads && (!box->more || events_text(box)->tail))
        run_reader_read(box->reader);
}

static const struct run_summary *events_run(const struct events_box *box)
{
    return run_list_find(&box->view.app->watch.runs, box->run);
}

static void events_title(const struct events_box *box, char *out, size_t size)
{
    const struct run_summary *run = events_run(box);
    const char *dash = box->view.app->ascii ? "-" : "─";
    char what[200] = "", end[48] = "";
    if (run)
        run_words_what(run, what, sizeof what);
    if (!box->loaded)
        snprintf(end, sizeof end, "reading");
    else if (box->state == RUN_TAIL_ENDED)
        snprintf(end, sizeof end, "ended, exit %d", box->exit_code);
    else if (box->state == RUN_TAIL_DIED)
        snprintf(end, sizeof end, "died: nothing comes any more");
    else
        snprintf(end, sizeof end, "%s", run ? run_words_state(run) : "under way");
    snprintf(out, size, "run %s%s%s %s %s", box->run, *what ? ": " : "", what, dash, end);
}

static void events_note(const struct events_box *box, char *out, size_t size)
{
    char lines[64];
    const struct text *text = box->shows_raw ? &box->raw : &box->words;
    text_note(text, lines, sizeof lines);
    bool earlier = box->loaded && (!box->from_start || box->dropped);
    snprintf(out, size, "%s%s%s%s%s", lines, *lines && (earlier || box->more) ? ", " : "",
             earlier ? "earlier ones left out: < begins at the start" : "",
             earlier && box->more ? ", " : "", box->more ? "more behind" : "");
}

static void events_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct events_box *box = (struct events_box *)view;
    char title[320], note[160];
    events_title(box, title, sizeof title);
    struct rect inside = canvas_box(canvas, rect, title, NULL, true);
    if (box->trouble[0]) {
        canvas_print(canvas, inside.row, inside.column, inside.columns, STYLE_FAIL, box->trouble);
        inside.row++, inside.rows--;
    }
    text_draw(events_text(box), canvas, inside, true);
    events_note(box, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, title, note, true);
}

/* ---- keys ---- */

/* The run before or behind in the list below; NULL. */
static const struct run_summary *events_neighbour(const struct events_box *box, bool next)
{
    const struct runs_view *view = runs_of(box->view.app);
    const struct run_list *runs = &box->view.app->watch.runs;
    for (size_t i = 0; view && i < view->list.count; i++) {
        if (view->rows[i] >= runs->count || strcmp(runs->runs[view->rows[i]].id, box->run) != 0)
            continue;
        if (next ? i + 1 < view->list.count : i > 0) {
            size_t row = view->rows[next ? i + 1 : i - 1];
            return row < runs->count ? &runs->runs[row] : NULL;
        }
    }
    return NULL;
}

static enum answer events_can(struct view *view, enum action_id action, const char **why)
{
    struct events_box *box = (struct events_box *)view;
    switch (action) {
    case ACTION_PREVIOUS:
    case ACTION_NEXT:
        return events_neighbour(box, action == ACTION_NEXT) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_TAIL:
    case ACTION_WHOLE:
        return ANSWER_WORKS;
    case ACTION_RUN_EVENTS:
        return ANSWER_ABSENT;
    case ACTION_RUN_CANCEL:
    case ACTION_RUN_AGAIN:
        return runs_can_run(view->app, events_run(box), action, box->why, sizeof box->why, why);
    default:
        return text_can(events_text(box), action);
    }
}

static void events_show(struct events_box *box, const struct run_summary *run)
{
    struct runs_view *below = runs_of(box->view.app);
    snprintf(box->run, sizeof box->run, "%s", run->id);
    snprintf(below->selected, sizeof below->selected, "%s", run->id);
    runs_fill(below);
    events_begin(box, false);
}

static void events_move(struct events_box *box, enum action_id action)
{
    struct text *text = events_text(box);
    if (action == ACTION_FIRST && (!box->from_start || box->dropped)) {
        events_begin(box, true);
        return;
    }
    if (action == ACTION_LAST && box->more) {
        events_begin(box, false);
        return;
    }
    text_act(text, action);
    if (action == ACTION_LAST && box->state == RUN_TAIL_ALIVE)
        text->tail = true;
    if (box->more && !text->tail && text_at_end(text))
        run_reader_read(box->reader);
}

static void events_act(struct view *view, enum action_id action)
{
    struct events_box *box = (struct events_box *)view;
    switch (action) {
    case ACTION_PREVIOUS:
    case ACTION_NEXT:
        events_show(box, events_neighbour(box, action == ACTION_NEXT));
        break;
    case ACTION_WHOLE: {
        const struct text *from = events_text(box);
        struct text *to = box->shows_raw ? &box->words : &box->raw;
        to->top = from->top;
        to->tail = from->tail;
        to->wrap = from->wrap;
        box->shows_raw = !box->shows_raw;
        break;
    }
    case ACTION_TAIL:
        if (box->more && !events_text(box)->tail)
            events_begin(box, false);
        else
            text_act(events_text(box), action);
        break;
    case ACTION_RUN_CANCEL:
    case ACTION_RUN_AGAIN:
        runs_ask(view->app, events_run(box), action);
        break;
    default:
        events_move(box, action);
    }
}

static bool events_key(struct view *view, key_code key)
{
    return text_key(events_text((struct events_box *)view), key);
}

static bool events_object(struct view *view, struct object *out)
{
    const struct events_box *box = (struct events_box *)view;
    out->kind = "run";
    snprintf(out->run, sizeof out->run, "%s", box->run);
    snprintf(out->text, sizeof out->text, "run %s", box->run);
    return true;
}

static const enum scope events_scopes[] = {SCOPE_TEXT, SCOPE_RUNS, SCOPE_MOVE, SCOPE_COUNT};

static const struct view_kind events_kind = {
    .name = "events",
    .title = "Events",
    .scopes = events_scopes,
    .open = events_open,
    .close = events_close,
    .draw = events_draw,
    .can = events_can,
    .act = events_act,
    .key = events_key,
    .object = events_object,
    .tick = events_tick,
};

void runs_events(struct app *app, const char *run)
{
    char id[RUN_ID_SIZE];
    snprintf(id, sizeof id, "%s", run);
    app_push(app, &events_kind, id);
}

/* Any action or object, by typing a part of its name. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/app.h"
#include "tui/screen/field.h"
#include "tui/screen/list.h"

enum { PALETTE_MOST = 400 };

struct palette_entry {
    enum action_id action;       /* what Enter does; with `stream`: shows it there */
    const struct stream *stream; /* NULL: an action */
    int rank;                    /* lower first */
    enum answer answer;
    const char *why;
};

struct palette_box {
    struct view view;
    struct view *below;
    struct field field;
    struct palette_entry entries[PALETTE_MOST];
    struct list list;
};

static const struct view_kind palette_kind;

/* 0: begins with the word, 1: a word in it does, 2: contains it, 3: its letters in order; -1. */
static int palette_rank(const char *name, const char *word)
{
    const char *found = strcasestr(name, word);
    if (found)
        return found == name ? 0 : !isalnum((unsigned char)found[-1]) ? 1 : 2;
    const char *at = word;
    for (; *name && *at; name++)
        if (tolower((unsigned char)*name) == tolower((unsigned char)*at))
            at++;
    return *at ? -1 : 3;
}

static void palette_add(struct palette_box *box, struct palette_entry entry, const char *name)
{
    entry.rank = palette_rank(name, box->field.text);
    if (entry.rank >= 0 && box->list.count < PALETTE_MOST)
        box->entries[box->list.count++] = entry;
}

static int palette_compare(const void *a, const void *b)
{
    const struct palette_entry *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank - y->rank;
    return (int)x->action - (int)y->action;
}

static void palette_fill(struct palette_box *box)
{
    struct app *app = box->view.app;
    char name[160];
    const char *why;
    size_t boxes = app->box_count;
    if (boxes && app->boxes[boxes - 1] == &box->view)
        app->box_count--;
    box->list.count = 0;
    for (int i = 1; i < ACTION_COUNT; i++) {
        struct palette_entry entry = {.action = (enum action_id)i, .why = ""};
        entry.answer = app_can(app, box->below, entry.action, &entry.why);
        snprintf(name, sizeof name, "%s %s", actions[i].name, actions[i].help);
        if (entry.answer != ANSWER_ABSENT && actions[i].scope != SCOPE_MOVE)
            palette_add(box, entry, name);
    }
    app->box_count = boxes;
    const struct pipeline *pipeline = app_pipeline(app, &why);
    for (size_t i = 0; pipeline && i < pipeline->stream_count; i++)
        palette_add(box,
                    (struct palette_entry){.action = ACTION_VIEW_STREAMS,
                                           .stream = &pipeline->streams[i],
                                           .answer = ANSWER_WORKS},
                    pipeline->streams[i].name);
    list_set_count(&box->list, box->list.count);
    box->list.selected = 0;
    if (box->field.length)
        qsort(box->entries, box->list.count, sizeof *box->entries, palette_compare);
}

static struct view *palette_open(struct app *app, void *argument, struct error *error)
{
    struct palette_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&palette_kind, app};
    box->below = argument;
    palette_fill(box);
    return &box->view;
}

static void palette_close(struct view *view)
{
    free(view);
}

static void palette_row(void *context, size_t index, struct canvas *canvas, struct rect rect,
                        bool selected)
{
    const struct palette_box *box = context;
    const struct palette_entry *entry = &box->entries[index];
    enum style style = entry->answer != ANSWER_WORKS ? STYLE_DIM
                       : selected                    ? STYLE_STRONG
                                                     : STYLE_TEXT;
    if (entry->stream) {
        canvas_print(canvas, rect.row, rect.column, 20, style, entry->stream->name);
        canvas_print(canvas, rect.row, rect.column + 21, rect.columns - 21, STYLE_DIM,
                     "stream: shows it in Streams");
        return;
    }
    char keys[KEYMAP_TEXT_SIZE];
    keymap_text(&box->view.app->keymap, entry->action, keys);
    canvas_print(canvas, rect.row, rect.column, 16, style, actions[entry->action].name);
    canvas_print(canvas, rect.row, rect.column + 17, 8, STYLE_KEY, keys);
    canvas_print(canvas, rect.row, rect.column + 26, rect.columns - 26, STYLE_DIM,
                 entry->answer == ANSWER_WORKS ? actions[entry->action].help : entry->why);
}

static void palette_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct palette_box *box = (struct palette_box *)view;
    char note[48];
    list_note(&box->list, note, sizeof note);
    struct rect inside = canvas_box(canvas, rect, "Any action or object", note, true);
    struct rect lines = {inside.row + 1, inside.column, inside.rows - 1, inside.columns};
    list_draw(&box->list, canvas, lines, true, palette_row, box);
    canvas_print(canvas, inside.row, inside.column, 2, STYLE_KEY, ":");
    field_draw(&box->field, canvas, inside.row, inside.column + 2, inside.columns - 2, true);
}

static enum answer palette_can(struct view *view, enum action_id action, const char **why)
{
    const struct palette_box *box = (struct palette_box *)view;
    if (action == ACTION_ACCEPT) {
        *why = "nothing is called so";
        return box->list.count ? ANSWER_WORKS : ANSWER_REFUSED;
    }
    return list_can(&box->list, action);
}

static void palette_act(struct view *view, enum action_id action)
{
    struct palette_box *box = (struct palette_box *)view;
    struct app *app = view->app;
    if (action != ACTION_ACCEPT) {
        list_act(&box->list, action);
        return;
    }
    struct palette_entry entry = box->entries[box->list.selected];
    app_pop(app);
    if (entry.stream) {
        struct object object = {.kind = "stream"};
        snprintf(object.stream, sizeof object.stream, "%s", entry.stream->name);
        app_show(app, entry.action, &object);
    } else {
        app_act(app, entry.action);
    }
}

static bool palette_key(struct view *view, key_code key)
{
    struct palette_box *box = (struct palette_box *)view;
    if (key == KEY_HOME || key == KEY_END || !field_key(&box->field, key))
        return false;
    palette_fill(box);
    return true;
}

static void palette_size(struct view *view, int rows, int columns, int *wanted_rows,
                         int *wanted_columns)
{
    (void)view;
    *wanted_columns = columns > 90 ? 86 : columns;
    *wanted_rows = rows > 24 ? 22 : rows;
}

static const enum scope palette_scopes[] = {SCOPE_BOX, SCOPE_MOVE, SCOPE_COUNT};

static bool palette_types(const struct view *view)
{
    (void)view;
    return true;
}

static const struct view_kind palette_kind = {
    .types = palette_types,
    .name = "palette",
    .title = "Palette",
    .scopes = palette_scopes,
    .open = palette_open,
    .close = palette_close,
    .draw = palette_draw,
    .can = palette_can,
    .act = palette_act,
    .key = palette_key,
    .size = palette_size,
};

void app_palette(struct app *app)
{
    app_push(app, &palette_kind, app_top(app));
}

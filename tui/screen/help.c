/* The keys that work in the view below, from the action table. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "tui/screen/app.h"
#include "tui/screen/filter.h"
#include "tui/screen/list.h"

struct help_line {
    enum action_id action; /* ACTION_NONE: a heading */
    enum scope scope;
    enum answer answer;
    const char *why;
};

struct help_box {
    struct view view;
    struct view *below;
    struct help_line lines[ACTION_COUNT + SCOPE_COUNT];
    struct list list;
    struct filter filter;
};

static const struct view_kind help_kind;

static bool help_matches(const struct help_box *box, enum action_id action)
{
    char line[256], keys[KEYMAP_TEXT_SIZE];
    keymap_text(&box->view.app->keymap, action, keys);
    snprintf(line, sizeof line, "%s %s %s", keys, actions[action].title, actions[action].help);
    return filter_match(&box->filter, line);
}

/* A scope's actions that mean something in the view below, and whose key is not taken by an inner
 * scope. */
static void help_collect(struct help_box *box, enum scope scope)
{
    struct app *app = box->view.app;
    size_t count = box->list.count, head = count;
    for (int i = 1; i < ACTION_COUNT; i++) {
        enum answer answer, found;
        const char *why = "", *ignored;
        if (actions[i].scope != scope || app->keymap.keys[i][0] == KEY_NONE)
            continue;
        answer = app_can(app, box->below, (enum action_id)i, &why);
        if (answer == ANSWER_ABSENT || !help_matches(box, (enum action_id)i) ||
            app_look_up(app, app->keymap.keys[i][0], &found, &ignored) != (enum action_id)i)
            continue;
        if (count == head)
            box->lines[count++] = (struct help_line){ACTION_NONE, scope, ANSWER_WORKS, ""};
        box->lines[count++] = (struct help_line){(enum action_id)i, scope, answer, why};
    }
    box->list.count = count;
}

/* The look-up asks the top view, so that this box must not be there yet, or not count. */
static void help_fill(struct help_box *box)
{
    struct app *app = box->view.app;
    size_t boxes = app->box_count;
    if (boxes && app->boxes[boxes - 1] == &box->view)
        app->box_count--;
    box->list.count = 0;
    for (const enum scope *at = box->below->kind->scopes; *at != SCOPE_COUNT; at++)
        help_collect(box, *at);
    help_collect(box, SCOPE_GLOBAL);
    app->box_count = boxes;
    list_set_count(&box->list, box->list.count);
}

static struct view *help_open(struct app *app, void *argument, struct error *error)
{
    struct help_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&help_kind, app};
    box->below = argument;
    help_fill(box);
    return &box->view;
}

static void help_close(struct view *view)
{
    filter_destroy(&((struct help_box *)view)->filter);
    free(view);
}

static void help_row(void *context, size_t index, struct canvas *canvas, struct rect rect,
                     bool selected)
{
    const struct help_box *box = context;
    const struct help_line *line = &box->lines[index];
    char keys[KEYMAP_TEXT_SIZE];
    if (line->action == ACTION_NONE) {
        canvas_print(canvas, rect.row, rect.column, rect.columns, STYLE_LABEL,
                     scope_name(line->scope));
        return;
    }
    bool works = line->answer == ANSWER_WORKS;
    keymap_text(&box->view.app->keymap, line->action, keys);
    canvas_print(canvas, rect.row, rect.column + 1, 12, works ? STYLE_KEY : STYLE_DIM, keys);
    int column = rect.column + 14, columns = rect.columns - 14;
    if (works)
        canvas_print(canvas, rect.row, column, columns, selected ? STYLE_STRONG : STYLE_TEXT,
                     actions[line->action].help);
    else
        canvas_format(canvas, rect.row, column, columns, STYLE_DIM, "%s: %s",
                      actions[line->action].title, line->why);
}

static void help_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct help_box *box = (struct help_box *)view;
    char title[96], note[48];
    snprintf(title, sizeof title, "Keys in %s", box->below->kind->title);
    list_note(&box->list, note, sizeof note);
    struct rect inside = canvas_box(canvas, rect, title, note, true);
    if (filter_draw(&box->filter, canvas, inside.row + inside.rows - 1, inside.column,
                    inside.columns))
        inside.rows--;
    list_draw(&box->list, canvas, inside, !box->filter.editing, help_row, box);
}

static enum answer help_can(struct view *view, enum action_id action, const char **why)
{
    (void)why;
    if (action == ACTION_FILTER)
        return ANSWER_WORKS;
    return list_can(&((struct help_box *)view)->list, action);
}

static void help_act(struct view *view, enum action_id action)
{
    struct help_box *box = (struct help_box *)view;
    if (action == ACTION_FILTER)
        box->filter.editing = true;
    else
        list_act(&box->list, action);
}

static bool help_key(struct view *view, key_code key)
{
    struct help_box *box = (struct help_box *)view;
    bool changed;
    if (!filter_key(&box->filter, key, &changed))
        return false;
    if (changed)
        help_fill(box);
    return true;
}

static void help_size(struct view *view, int rows, int columns, int *wanted_rows,
                      int *wanted_columns)
{
    const struct help_box *box = (struct help_box *)view;
    *wanted_columns = columns > 100 ? 100 : columns;
    *wanted_rows = box->list.count + 3 > (size_t)rows ? rows : (int)box->list.count + 3;
}

static const enum scope help_scopes[] = {SCOPE_LIST, SCOPE_MOVE, SCOPE_COUNT};

static bool help_types(const struct view *view)
{
    return ((const struct help_box *)view)->filter.editing;
}

static const struct view_kind help_kind = {
    .types = help_types,
    .name = "help",
    .title = "Keys",
    .scopes = help_scopes,
    .open = help_open,
    .close = help_close,
    .draw = help_draw,
    .can = help_can,
    .act = help_act,
    .key = help_key,
    .size = help_size,
};

void app_help(struct app *app)
{
    app_push(app, &help_kind, app_top(app));
}

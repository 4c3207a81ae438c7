/* A question before the world changes: context, target, plan, undo, cost; Enter does it, or a typed
 * name where data or a position would be lost. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/app.h"
#include "tui/screen/text.h"

struct ask_box {
    struct view view;
    struct ask ask;
    char *title, *typed, *button;
    struct text text;
    struct field field;
    bool answered;
};

static const struct view_kind ask_box_kind;

static bool ask_line(struct text *text, const char *label, enum style style, const char *lines)
{
    if (lines == NULL)
        return true;
    bool first = true, ok = true;
    for (const char *at = lines; ok && *at;) {
        int length = (int)strcspn(at, "\n");
        ok = text_print(text, style, "%-8s %.*s", first ? label : "", length, at);
        first = false;
        at += length;
        at += *at == '\n';
    }
    return ok;
}

static bool ask_fill(struct ask_box *box, const struct ask *ask, struct error *error)
{
    struct app *app = box->view.app;
    box->text.wrap = true;
    box->text.indent = 9;
    box->title = memory_copy_text(ask->title, error);
    box->button = memory_copy_text(ask->button, error);
    box->typed = ask->typed ? memory_copy_text(ask->typed, error) : NULL;
    bool ok = box->title && box->button && (box->typed || !ask->typed);
    ok = ok && ask_line(&box->text, "Context", STYLE_STRONG,
                        app->has_profile ? app->profile.context : "none");
    ok = ok && ask_line(&box->text, "Target", STYLE_STRONG, ask->target);
    ok = ok && ask_line(&box->text, "Plan", STYLE_TEXT, ask->plan);
    ok = ok && ask_line(&box->text, "Undo", STYLE_TEXT, ask->undo);
    ok = ok && ask_line(&box->text, "Cost", STYLE_TEXT, ask->cost);
    return ok || error_set_memory(error, 0);
}

static struct view *ask_box_open(struct app *app, void *argument, struct error *error)
{
    const struct ask *ask = argument;
    struct ask_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&ask_box_kind, app};
    if (ask_fill(box, ask, error)) {
        box->ask = *ask;
        return &box->view;
    }
    ask_box_kind.close(&box->view);
    return NULL;
}

static void ask_box_close(struct view *view)
{
    struct ask_box *box = (struct ask_box *)view;
    if (box->ask.forget)
        box->ask.forget(box->ask.context);
    text_destroy(&box->text);
    free(box->title);
    free(box->typed);
    free(box->button);
    free(box);
}

static void ask_box_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct ask_box *box = (struct ask_box *)view;
    struct rect inside = canvas_box(canvas, rect, box->title, NULL, true);
    struct rect text = inside;
    int last = inside.row + inside.rows - 1, column = inside.column;
    text.rows -= 2;
    text_draw(&box->text, canvas, text, box->typed == NULL);
    canvas_rule(canvas, last - 1, inside.column, inside.columns);
    /* Nobody shall agree to a plan without knowing that there is more of it. */
    char note[48];
    text_note(&box->text, note, sizeof note);
    if (note[0])
        canvas_print_right(canvas, last - 1, inside.column, inside.columns - 2, STYLE_WARN, note);
    if (box->typed) {
        column += canvas_format(canvas, last, column, inside.columns, STYLE_WARN,
                                "Type %s: ", box->typed);
        field_draw(&box->field, canvas, last, column, inside.column + inside.columns - column - 1,
                   true);
        return;
    }
    column += canvas_print(canvas, last, column, 8, STYLE_KEY, "Enter ");
    column += canvas_print(canvas, last, column, 24, STYLE_TEXT, box->button) + 2;
    column += canvas_print(canvas, last, column, 8, STYLE_KEY, "Esc ");
    canvas_print(canvas, last, column, 24, STYLE_TEXT, "leave it");
}

static bool ask_typed_right(const struct ask_box *box)
{
    return box->typed == NULL || strcmp(box->field.text, box->typed) == 0;
}

static enum answer ask_box_can(struct view *view, enum action_id action, const char **why)
{
    struct ask_box *box = (struct ask_box *)view;
    if (action == ACTION_ACCEPT) {
        *why = "the name is not typed yet";
        return ask_typed_right(box) ? ANSWER_WORKS : ANSWER_REFUSED;
    }
    return actions[action].scope == SCOPE_MOVE ? text_can(&box->text, action) : ANSWER_ABSENT;
}

static void ask_box_act(struct view *view, enum action_id action)
{
    struct ask_box *box = (struct ask_box *)view;
    if (action != ACTION_ACCEPT) {
        text_act(&box->text, action);
        return;
    }
    /* The box goes first: what it starts may open another. */
    struct app *app = view->app;
    struct ask ask = box->ask;
    box->ask.forget = NULL;
    app_pop(app);
    ask.yes(app, ask.context);
    if (ask.forget)
        ask.forget(ask.context);
}

static bool ask_box_key(struct view *view, key_code key)
{
    struct ask_box *box = (struct ask_box *)view;
    return box->typed && field_key(&box->field, key);
}

static void ask_box_size(struct view *view, int rows, int columns, int *wanted_rows,
                         int *wanted_columns)
{
    const struct ask_box *box = (struct ask_box *)view;
    int wide = columns > 84 ? 80 : columns - 4, lines = 0;
    for (size_t i = 0; i < box->text.line_count; i++)
        lines += 1 + (int)(box->text.lines[i].length / (size_t)(wide > 4 ? wide - 2 : 4));
    *wanted_columns = wide;
    *wanted_rows = lines + 4 < rows - 2 ? lines + 4 : rows - 2;
}

static const enum scope ask_box_scopes[] = {SCOPE_BOX, SCOPE_MOVE, SCOPE_COUNT};

static bool ask_box_types(const struct view *view)
{
    return ((const struct ask_box *)view)->typed != NULL;
}

static const struct view_kind ask_box_kind = {
    .types = ask_box_types,
    .name = "question",
    .title = "Question",
    .scopes = ask_box_scopes,
    .open = ask_box_open,
    .close = ask_box_close,
    .draw = ask_box_draw,
    .can = ask_box_can,
    .act = ask_box_act,
    .key = ask_box_key,
    .size = ask_box_size,
};

void app_ask(struct app *app, const struct ask *ask)
{
    struct ask copy = *ask;
    if (!app_push(app, &ask_box_kind, &copy) && ask->forget)
        ask->forget(ask->context);
}

/* ---- a line to type ---- */

struct prompt_box {
    struct view view;
    struct prompt prompt;
    char *title, *label;
    struct field field;
};

static const struct view_kind prompt_box_kind;

static struct view *prompt_box_open(struct app *app, void *argument, struct error *error)
{
    const struct prompt *prompt = argument;
    struct prompt_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&prompt_box_kind, app};
    box->title = memory_copy_text(prompt->title, error);
    box->label = memory_copy_text(prompt->label, error);
    if (box->title == NULL || box->label == NULL) {
        prompt_box_kind.close(&box->view);
        return NULL;
    }
    box->prompt = *prompt;
    box->field.secret = prompt->secret;
    field_set(&box->field, prompt->initial ? prompt->initial : "");
    return &box->view;
}

static void prompt_box_close(struct view *view)
{
    struct prompt_box *box = (struct prompt_box *)view;
    explicit_bzero(&box->field, sizeof box->field);
    if (box->prompt.forget)
        box->prompt.forget(box->prompt.context);
    free(box->title);
    free(box->label);
    free(box);
}

static void prompt_box_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct prompt_box *box = (struct prompt_box *)view;
    struct rect inside = canvas_box(canvas, rect, box->title, NULL, true);
    canvas_print(canvas, inside.row, inside.column + 1, inside.columns - 2, STYLE_LABEL,
                 box->label);
    field_draw(&box->field, canvas, inside.row + 1, inside.column + 1, inside.columns - 2, true);
}

static enum answer prompt_box_can(struct view *view, enum action_id action, const char **why)
{
    (void)view, (void)why;
    return action == ACTION_ACCEPT ? ANSWER_WORKS : ANSWER_ABSENT;
}

static void prompt_box_act(struct view *view, enum action_id action)
{
    (void)action;
    struct prompt_box *box = (struct prompt_box *)view;
    struct app *app = view->app;
    struct prompt prompt = box->prompt;
    struct field field = box->field;
    box->prompt.forget = NULL;
    app_pop(app);
    prompt.done(app, prompt.context, (struct slice){field.text, field.length});
    explicit_bzero(&field, sizeof field);
}

static bool prompt_box_key(struct view *view, key_code key)
{
    return field_key(&((struct prompt_box *)view)->field, key);
}

static void prompt_box_size(struct view *view, int rows, int columns, int *wanted_rows,
                            int *wanted_columns)
{
    (void)view, (void)rows;
    *wanted_rows = 4;
    *wanted_columns = columns > 84 ? 80 : columns - 4;
}

static const enum scope prompt_box_scopes[] = {SCOPE_BOX, SCOPE_COUNT};

static bool prompt_box_types(const struct view *view)
{
    (void)view;
    return true;
}

static const struct view_kind prompt_box_kind = {
    .types = prompt_box_types,
    .name = "prompt",
    .title = "Prompt",
    .scopes = prompt_box_scopes,
    .open = prompt_box_open,
    .close = prompt_box_close,
    .draw = prompt_box_draw,
    .can = prompt_box_can,
    .act = prompt_box_act,
    .key = prompt_box_key,
    .size = prompt_box_size,
};

void app_prompt(struct app *app, const struct prompt *prompt)
{
    struct prompt copy = *prompt;
    if (!app_push(app, &prompt_box_kind, &copy) && prompt->forget)
        prompt->forget(prompt->context);
}

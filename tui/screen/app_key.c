/* From a key to what it does: the views' scopes, read-only mode, boxes. */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "tui/screen/app.h"
#include "tui/screen/terminal.h"

enum { BOX_DEAF_MS = 200 };

struct view *app_top(const struct app *app)
{
    return app->box_count ? app->boxes[app->box_count - 1] : app->views[app->current];
}

bool app_has_scope(const struct view *view, enum scope scope)
{
    if (scope == SCOPE_GLOBAL)
        return true;
    for (const enum scope *at = view->kind->scopes; *at != SCOPE_COUNT; at++)
        if (*at == scope)
            return true;
    return false;
}

/* ---- what the program itself does ---- */

static enum answer can_everywhere(const struct app *app, struct view *view, enum action_id action)
{
    bool boxed = app->box_count > 0;
    for (size_t i = 0; view_kinds[i]; i++)
        if (view_kinds[i]->action == action)
            return boxed ? ANSWER_ABSENT : ANSWER_WORKS;
    switch (action) {
    case ACTION_PALETTE:
    case ACTION_MESSAGES:
    case ACTION_HELP:
        return boxed ? ANSWER_ABSENT : ANSWER_WORKS;
    case ACTION_CLOSE:
    case ACTION_REPAINT:
        return ANSWER_WORKS;
    case ACTION_BACK:
        return boxed ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_SUSPEND:
        return app->terminal ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_PLACE_BACK:
        return boxed ? ANSWER_ABSENT : app->place > 1 ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_PLACE_FORWARD:
        return boxed ? ANSWER_ABSENT : app->place < app->place_count ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_COPY:
    case ACTION_COPY_TWIN: {
        struct object object = {0};
        return view->kind->object && view->kind->object(view, &object) ? ANSWER_WORKS
                                                                       : ANSWER_ABSENT;
    }
    default:
        return ANSWER_ABSENT;
    }
}

static void copy_object(struct app *app, struct view *view)
{
    struct object object = {0};
    if (view->kind->object && view->kind->object(view, &object) && object.text[0])
        app_copy(app, slice_of(object.text));
    else
        app_say(app, STYLE_WARN, "nothing to copy here");
}

static void go_place(struct app *app, size_t place)
{
    app->place = place;
    app->current = app->places[place - 1];
    struct view *view = app->views[app->current];
    if (view->kind->shown)
        view->kind->shown(view);
    watch_pace(app);
}

static void act_everywhere(struct app *app, struct view *view, enum action_id action)
{
    switch (action) {
    case ACTION_PALETTE:
        app_palette(app);
        break;
    case ACTION_MESSAGES:
        app_messages(app);
        break;
    case ACTION_HELP:
        app_help(app);
        break;
    case ACTION_CLOSE:
        if (app->box_count)
            app_pop(app);
        else
            app->ended = true;
        break;
    case ACTION_BACK:
        app_pop(app);
        break;
    case ACTION_REPAINT:
        painter_forget(&app->painter);
        break;
    case ACTION_SUSPEND:
        app->suspends = true;
        break;
    case ACTION_PLACE_BACK:
        go_place(app, app->place - 1);
        break;
    case ACTION_PLACE_FORWARD:
        go_place(app, app->place + 1);
        break;
    case ACTION_COPY:
        copy_object(app, view);
        break;
    default:
        app_show(app, action, NULL);
    }
}

/* ---- which action ---- */

/* The view first: what it says about an action counts before what the program does by itself. */
static enum answer can_somewhere(const struct app *app, struct view *view, enum action_id action,
                                 const char **why, bool *by_view)
{
    *by_view = app_has_scope(view, actions[action].scope);
    enum answer answer =
        *by_view && view->kind->can ? view->kind->can(view, action, why) : ANSWER_ABSENT;
    if (answer != ANSWER_ABSENT)
        return answer;
    *by_view = false;
    bool lists =
        actions[action].scope == SCOPE_GLOBAL || app_has_scope(view, actions[action].scope);
    return lists ? can_everywhere(app, view, action) : ANSWER_ABSENT;
}

enum answer app_can(const struct app *app, struct view *view, enum action_id action,
                    const char **why)
{
    bool by_view;
    enum answer answer = can_somewhere(app, view, action, why, &by_view);
    if (answer == ANSWER_WORKS && actions[action].danger != DANGER_NONE && app->read_only) {
        *why = "this context is read-only";
        return ANSWER_REFUSED;
    }
    return answer;
}

/* Of several actions of one scope and key (pause, resume) the one that means something now. */
static enum action_id look_up_scope(const struct app *app, struct view *view, enum scope scope,
                                    key_code key, enum answer *answer, const char **why)
{
    for (int i = 1; i < ACTION_COUNT; i++) {
        if (actions[i].scope != scope)
            continue;
        for (size_t n = 0; n < KEYMAP_KEYS_MOST && app->keymap.keys[i][n]; n++) {
            if (app->keymap.keys[i][n] != key)
                continue;
            *answer = app_can(app, view, (enum action_id)i, why);
            if (*answer != ANSWER_ABSENT)
                return (enum action_id)i;
        }
    }
    return ACTION_NONE;
}

enum action_id app_look_up(const struct app *app, key_code key, enum answer *answer,
                           const char **why)
{
    struct view *view = app_top(app);
    enum action_id found = ACTION_NONE;
    *answer = ANSWER_ABSENT;
    *why = "";
    if (key >= ' ' && key < KEY_CTRL && view->kind->types && view->kind->types(view))
        return ACTION_NONE;
    for (const enum scope *at = view->kind->scopes; *at != SCOPE_COUNT && !found; at++)
        found = look_up_scope(app, view, *at, key, answer, why);
    return found ? found : look_up_scope(app, view, SCOPE_GLOBAL, key, answer, why);
}

void app_act(struct app *app, enum action_id action)
{
    struct view *view = app_top(app);
    const char *why = "";
    bool by_view;
    enum answer answer = app_can(app, view, action, &why);
    app->dirty = true;
    if (answer != ANSWER_WORKS) {
        app_say(app, STYLE_WARN, "%s: %s", actions[action].title,
                answer == ANSWER_REFUSED ? why : "does nothing here");
        return;
    }
    terminal_doing(actions[action].name);
    can_somewhere(app, view, action, &why, &by_view);
    if (action == ACTION_COPY_TWIN && !by_view) {
        struct object object = {0};
        struct buffer text = {0};
        if (view->kind->object)
            view->kind->object(view, &object);
        /* What Enter does here is what one wants to repeat. */
        enum action_id main_one = ACTION_NONE;
        for (int i = 1; i < ACTION_COUNT && main_one == ACTION_NONE; i++)
            if (actions[i].cli && actions[i].scope == view->kind->scopes[0])
                main_one = (enum action_id)i;
        if (main_one == ACTION_NONE)
            main_one = view->kind->action;
        if (app_twin(app, main_one, &object, &text))
            app_copy(app, buffer_slice(&text));
        buffer_destroy(&text);
    } else if (by_view) {
        view->kind->act(view, action);
    } else {
        act_everywhere(app, view, action);
    }
    terminal_doing(app_top(app)->kind->name);
}

void app_key(struct app *app, key_code key)
{
    struct view *view = app_top(app);
    enum answer answer;
    const char *why;
    if (clock_monotonic_ns() < app->deaf_until_ns)
        return;
    app->dirty = app->dirty || app->message_shown;
    app->message_shown = false;
    if (key == KEY_MOUSE) {
        app_mouse(app);
        return;
    }
    /* Before any text field: these never are text. */
    bool always = key == (KEY_CTRL | 'l') || key == (KEY_CTRL | 'z');
    if (!always && view->kind->key && view->kind->key(view, key)) {
        app->dirty = true;
        return;
    }
    enum action_id action = app_look_up(app, key, &answer, &why);
    if (action == ACTION_NONE) {
        char name[KEY_NAME_SIZE];
        key_name(key, name);
        if (key != KEY_PASTE && key != KEY_MOUSE && key != KEY_UNKNOWN && key != KEY_ESCAPE)
            app_say(app, STYLE_DIM, "%s means nothing here; ? lists the keys", name);
        return;
    }
    app_act(app, action);
}

/* ---- views and boxes ---- */

static void place_note(struct app *app)
{
    if (app->place && app->places[app->place - 1] == app->current)
        return;
    if (app->place == APP_PLACES_MOST) {
        memmove(app->places, app->places + 1, (APP_PLACES_MOST - 1) * sizeof *app->places);
        app->place--;
    }
    app->places[app->place++] = app->current;
    app->place_count = app->place;
}

void app_show(struct app *app, enum action_id action, const struct object *find)
{
    size_t index = 0;
    while (view_kinds[index] && view_kinds[index]->action != action)
        index++;
    if (view_kinds[index] == NULL)
        return;
    app->dirty = true;
    if (app->views[index] == NULL) {
        struct error error = {0};
        app->views[index] = view_kinds[index]->open(app, NULL, &error);
        if (app->views[index] == NULL) {
            app_fail(app, &error);
            return;
        }
    }
    while (app->box_count)
        app_pop(app);
    app->current = index;
    place_note(app);
    struct view *view = app->views[index];
    if (find && view->kind->find)
        view->kind->find(view, find);
    if (view->kind->shown)
        view->kind->shown(view);
    watch_pace(app);
}

bool app_push(struct app *app, const struct view_kind *kind, void *argument)
{
    struct error error = {0};
    if (app->box_count == APP_BOXES_MOST)
        return false;
    struct view *box = kind->open(app, argument, &error);
    if (box == NULL) {
        app_fail(app, &error);
        return false;
    }
    app->boxes[app->box_count++] = box;
    app->deaf_until_ns = clock_monotonic_ns() + BOX_DEAF_MS * INT64_C(1000000);
    app->dirty = true;
    return true;
}

void app_pop(struct app *app)
{
    if (app->box_count == 0)
        return;
    struct view *box = app->boxes[--app->box_count];
    box->kind->close(box);
    app->dirty = true;
}

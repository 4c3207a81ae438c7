/* The frame around the views: header, tabs, foot line; and sending what was drawn. */
#include <stdio.h>
#include <string.h>

#include "core/base/host.h"
#include "tui/screen/app.h"
#include "tui/screen/terminal.h"

enum { FRAME_LEAST_ROWS = 16, TABS_LEAST_COLUMNS = 60 };

static void draw_services(struct app *app, int row, int left)
{
    struct canvas *canvas = &app->canvas;
    const struct watch *watch = &app->watch;
    int columns = -1;
    for (size_t i = 0; i < watch->service_count; i++)
        columns += (int)strlen(watch->services[i].name) + 3;
    int column = canvas->columns - columns - 1;
    if (columns < 0 || column < left + 2)
        return;
    for (size_t i = 0; i < watch->service_count; i++) {
        static const char *const names[] = {"ok", "late", "FAILED", "unknown", "not built"};
        enum style style;
        enum glyph glyph = watch_glyph(names[watch->services[i].state], &style);
        column += canvas_print(canvas, row, column, 24, STYLE_HEADER, watch->services[i].name) + 1;
        column += canvas_print(canvas, row, column, 2, style, canvas_glyph(canvas, glyph)) + 1;
    }
}

static void draw_who(const struct app *app, char *out, size_t size)
{
    char user[64], host[128];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    host[strcspn(host, ".")] = '\0';
    if (app->options.who)
        snprintf(out, size, "%s", app->options.who);
    else
        snprintf(out, size, "%s@%s", user, host);
}

static void draw_header(struct app *app)
{
    struct canvas *canvas = &app->canvas;
    char context[96] = "NO PROFILE", who[200];
    draw_who(app, who, sizeof who);
    if (app->has_profile) {
        snprintf(context, sizeof context, "%s", app->profile.context);
        for (char *at = context; *at; at++)
            if (*at >= 'a' && *at <= 'z')
                *at = (char)(*at - 'a' + 'A');
    }
    int column = 1;
    column += canvas_print(canvas, 0, column, 12, STYLE_HEADER, "surfboard") + 2;
    column += canvas_print(canvas, 0, column, 40, STYLE_CONTEXT, context) + 2;
    column += canvas_print(canvas, 0, column, 48, STYLE_HEADER, who);
    if (app->read_only)
        column += 2 + canvas_print(canvas, 0, column + 2, 12, STYLE_WARN, "READ-ONLY");
    draw_services(app, 0, column);
}

static int digit_of(const struct app *app, enum action_id action)
{
    key_code key = app->keymap.keys[action][0];
    return key > ' ' && key < 0x7F ? (int)key : 0;
}

static void draw_tabs(struct app *app)
{
    struct canvas *canvas = &app->canvas;
    const struct view_kind *now = view_kinds[app->current];
    int column = 1;
    app->tab_count = 0;
    if (canvas->columns < TABS_LEAST_COLUMNS) {
        canvas_format(canvas, 1, column, canvas->columns - 2, STYLE_TAB_ON, "%c %s %s",
                      digit_of(app, now->action), now->title, app->ascii ? "< >" : "‹ ›");
        return;
    }
    for (size_t i = 0; view_kinds[i]; i++) {
        if (view_kinds[i]->action == ACTION_NONE)
            continue;
        if (column > 1) {
            canvas_print(canvas, 1, column, 1, STYLE_BORDER, canvas_glyph(canvas, GLYPH_VERTICAL));
            column += 2;
        }
        column +=
            canvas_format(canvas, 1, column, 24, i == app->current ? STYLE_TAB_ON : STYLE_TAB,
                          "%c %s", digit_of(app, view_kinds[i]->action), view_kinds[i]->title) +
            1;
    }
}

/* One hint: "m merge now"; refused ones are dimmed. False when there is no room. */
static bool draw_hint(struct app *app, int row, int *column, int limit, enum action_id action,
                      enum answer answer)
{
    char key[KEY_NAME_SIZE];
    key_name(app->keymap.keys[action][0], key);
    bool asks = actions[action].danger != DANGER_NONE;
    int wide = (int)(strlen(key) + strlen(actions[action].title)) + 3 + asks;
    if (app->keymap.keys[action][0] == KEY_NONE || *column + wide > limit)
        return app->keymap.keys[action][0] == KEY_NONE;
    *column += canvas_print(&app->canvas, row, *column, 10,
                            answer == ANSWER_WORKS ? STYLE_KEY : STYLE_DIM, key) +
               1;
    *column += canvas_print(&app->canvas, row, *column, 20,
                            answer == ANSWER_WORKS ? STYLE_TEXT : STYLE_DIM, actions[action].title);
    if (asks)
        *column += canvas_print(&app->canvas, row, *column, 1, STYLE_DIM,
                                canvas_glyph(&app->canvas, GLYPH_ELLIPSIS));
    *column += 2;
    return true;
}

/* From the table: the view's own actions, innermost scope first, as many as there is room for; the
 * way to all others at the end. */
static void draw_hints(struct app *app, int row)
{
    struct view *view = app_top(app);
    static const enum action_id boxed[] = {ACTION_BACK, ACTION_CLOSE},
                                plain[] = {ACTION_PALETTE, ACTION_HELP};
    const enum action_id *last = app->box_count ? boxed : plain;
    int tail = app->box_count ? 18 : 15, column = 1, limit = app->canvas.columns - tail;
    const char *why;
    bool room = true;
    for (const enum scope *at = view->kind->scopes; *at != SCOPE_COUNT && room; at++)
        for (int i = 1; i < ACTION_COUNT && room; i++) {
            if (actions[i].scope != *at || *at == SCOPE_MOVE)
                continue;
            enum answer answer = app_can(app, view, (enum action_id)i, &why);
            enum answer found;
            if (answer != ANSWER_ABSENT &&
                app_look_up(app, app->keymap.keys[i][0], &found, &why) == (enum action_id)i)
                room = draw_hint(app, row, &column, limit, (enum action_id)i, answer);
        }
    for (size_t i = 0; i < 2; i++) {
        enum answer answer;
        if (app_look_up(app, app->keymap.keys[last[i]][0], &answer, &why) == last[i])
            draw_hint(app, row, &column, app->canvas.columns, last[i], ANSWER_WORKS);
    }
}

static void draw_foot(struct app *app, int row)
{
    if (app->message_shown && app->message_count) {
        const struct app_message *last =
            &app->messages[(app->message_count - 1) % APP_MESSAGES_MOST];
        canvas_print(&app->canvas, row, 1, app->canvas.columns - 2, last->style, last->text);
        return;
    }
    draw_hints(app, row);
}

static void draw_boxes(struct app *app, struct rect area)
{
    struct canvas *canvas = &app->canvas;
    for (size_t i = 0; i < app->box_count; i++) {
        struct view *box = app->boxes[i];
        struct rect at = area;
        int rows = area.rows, columns = area.columns;
        if (box->kind->size)
            box->kind->size(box, area.rows, area.columns, &rows, &columns);
        at.rows = rows < area.rows ? rows : area.rows;
        at.columns = columns < area.columns ? columns : area.columns;
        at.row += (area.rows - at.rows) / 2;
        at.column += (area.columns - at.columns) / 2;
        struct rect before = canvas_clip(canvas, at);
        canvas->cursor_row = -1;
        canvas_fill(canvas, at, STYLE_TEXT, ' ');
        box->kind->draw(box, canvas, at);
        canvas->clip = before;
    }
}

void app_draw(struct app *app)
{
    struct canvas *canvas = &app->canvas;
    struct rect area = {0, 0, canvas->rows, canvas->columns};
    canvas_clear(canvas);
    app->tab_count = 0;
    bool framed = canvas->rows >= FRAME_LEAST_ROWS;
    if (framed) {
        area = (struct rect){2, 0, canvas->rows - 3, canvas->columns};
        draw_header(app);
        draw_tabs(app);
        draw_foot(app, canvas->rows - 1);
    }
    struct view *view = app->views[app->current];
    struct rect before = canvas_clip(canvas, area);
    view->kind->draw(view, canvas, area);
    canvas->clip = before;
    draw_boxes(app, area);
    if (!framed && app->message_shown && canvas->rows > 1) {
        canvas_fill(canvas, (struct rect){canvas->rows - 1, 0, 1, canvas->columns}, STYLE_TEXT,
                    ' ');
        draw_foot(app, canvas->rows - 1);
    }
}

bool app_paint(struct app *app)
{
    struct error error = {0};
    if (!app->dirty || (app->terminal && terminal_busy(app->terminal)))
        return true;
    app->dirty = false;
    /* What is drawn also tells how much was in sight, which notes and hints lean on: in a new place
     * they would be right only in the next frame. */
    const struct view *top = app_top(app);
    if (app->laid_out != top || app->laid_rows != app->canvas.rows ||
        app->laid_columns != app->canvas.columns)
        app_draw(app);
    app->laid_out = top;
    app->laid_rows = app->canvas.rows;
    app->laid_columns = app->canvas.columns;
    app_draw(app);
    app->frames++;
    buffer_clear(&app->frame);
    if (!painter_frame(&app->painter, &app->canvas, &app->frame, &error))
        painter_forget(&app->painter); /* no memory now; the next frame tries again */
    return app->terminal == NULL || app->frame.length == 0 ||
           terminal_send(app->terminal, buffer_slice(&app->frame));
}

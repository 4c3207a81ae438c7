/* The mouse, when the profile asks for it: the wheel moves, a press selects the line or the tab. It
 * does what keys do and nothing else. */
#include <stdlib.h>

#include "tui/screen/app.h"
#include "tui/screen/input.h"

enum { WHEEL_LINES = 3, TABS_ROW = 1 };

static void mouse_move(struct app *app, enum action_id action, int lines)
{
    const char *why;
    for (int i = 0; i < lines; i++)
        if (app_can(app, app_top(app), action, &why) == ANSWER_WORKS)
            app_act(app, action);
}

static enum action_id mouse_tab(const struct app *app, int column)
{
    for (size_t i = 0; i < app->tab_count; i++)
        if (column >= app->tabs[i].column && column < app->tabs[i].column + app->tabs[i].columns)
            return app->tabs[i].action;
    return ACTION_NONE;
}

void app_mouse(struct app *app)
{
    const struct input_mouse *mouse = app->input ? &app->input->mouse : NULL;
    if (mouse == NULL)
        return;
    if (mouse->what != MOUSE_PRESS) {
        mouse_move(app, mouse->what == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN, WHEEL_LINES);
        return;
    }
    if (mouse->row == TABS_ROW && app->tab_count) {
        enum action_id tab = mouse_tab(app, mouse->column);
        if (tab)
            app_act(app, tab);
        return;
    }
    /* The hardware cursor stands on the selected line. */
    int lines = app->canvas.cursor_row < 0 ? 0 : mouse->row - app->canvas.cursor_row;
    mouse_move(app, lines < 0 ? ACTION_UP : ACTION_DOWN, abs(lines));
}

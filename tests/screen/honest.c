/* Every key of every layer: it does something exactly when `?` lists it there. */
#include <string.h>

#include "tests/screen/driver.h"

/* What one can see of a key, but for what the foot line says: another view, box or cell. */
static uint64_t screen_digest(struct app *app)
{
    uint64_t digest = app->box_count * 7 + app->current;
    app_draw(app);
    const unsigned char *bytes = (const unsigned char *)app->canvas.cells;
    size_t count = (size_t)(app->canvas.rows * app->canvas.columns) * sizeof(struct cell);
    for (size_t i = 0; i < count; i++)
        digest = (digest ^ bytes[i]) * 0x100000001B3u;
    return digest;
}

static bool key_is_listed(struct app *app, key_code key)
{
    enum answer answer;
    const char *why;
    return app_look_up(app, key, &answer, &why) != ACTION_NONE;
}

/* A key that is not listed only says so; it must not change anything else. */
static bool check_key(struct script *script, key_code key)
{
    struct app *app = &script->app;
    char name[KEY_NAME_SIZE];
    struct view *top = app_top(app);
    key_name(key, name);
    if (top->kind->key && key != KEY_ESCAPE && key < KEY_SPECIAL && app->box_count)
        return true; /* text in a box's field */
    if (key_is_listed(app, key))
        return true;
    size_t boxes = app->box_count, current = app->current;
    app->message_shown = false;
    uint64_t before = screen_digest(app);
    script_press(script, key);
    bool ended = app->ended, moved = boxes != app->box_count || current != app->current;
    app->message_shown = false;
    uint64_t after = screen_digest(app);
    if (ended || moved || (before != after && app->box_count == boxes && !top->kind->key))
        return script_fail(script, "%s is not listed in %s and does something", name,
                           top->kind->name);
    return true;
}

bool script_keys_honest(struct script *script)
{
    static const key_code special[] = {
        KEY_UP,        KEY_DOWN,   KEY_LEFT,   KEY_RIGHT,     KEY_HOME,  KEY_END, KEY_PAGE_UP,
        KEY_PAGE_DOWN, KEY_INSERT, KEY_DELETE, KEY_BACKSPACE, KEY_ENTER, KEY_TAB, KEY_BACK_TAB};
    for (key_code key = ' '; key < 0x7F; key++)
        if (!check_key(script, key))
            return false;
    for (key_code key = 'a'; key <= 'z'; key++)
        if (!check_key(script, KEY_CTRL | key))
            return false;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (!check_key(script, special[i]))
            return false;
    return true;
}

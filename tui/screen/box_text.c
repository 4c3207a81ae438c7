/* A text to read, and the messages, in a box. */
#include <stdlib.h>

#include "core/base/host.h"
#include "core/base/memory.h"
#include "tui/screen/app.h"
#include "tui/screen/text.h"

struct text_box {
    struct view view;
    char *title;
    struct text text;
};

struct text_box_argument {
    const char *title;
    struct slice text;
};

static const struct view_kind text_box_kind;

static struct view *text_box_open(struct app *app, void *argument, struct error *error)
{
    const struct text_box_argument *given = argument;
    struct text_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&text_box_kind, app};
    box->text.wrap = true;
    box->title = memory_copy_text(given->title, error);
    if (box->title && text_append(&box->text, STYLE_TEXT, given->text))
        return &box->view;
    if (box->title)
        error_set_memory(error, given->text.length);
    text_box_kind.close(&box->view);
    return NULL;
}

static void text_box_close(struct view *view)
{
    struct text_box *box = (struct text_box *)view;
    text_destroy(&box->text);
    free(box->title);
    free(box);
}

static void text_box_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct text_box *box = (struct text_box *)view;
    char note[48];
    struct rect inside = canvas_box(canvas, rect, box->title, NULL, true);
    text_draw(&box->text, canvas, inside, true);
    text_note(&box->text, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, box->title, note, true);
}

static enum answer text_box_can(struct view *view, enum action_id action, const char **why)
{
    (void)why;
    enum answer answer = text_can(&((struct text_box *)view)->text, action);
    return answer;
}

static void text_box_act(struct view *view, enum action_id action)
{
    text_act(&((struct text_box *)view)->text, action);
}

static bool text_box_key(struct view *view, key_code key)
{
    return text_key(&((struct text_box *)view)->text, key);
}

static void text_box_size(struct view *view, int rows, int columns, int *wanted_rows,
                          int *wanted_columns)
{
    const struct text_box *box = (struct text_box *)view;
    int longest = 0;
    for (size_t i = 0; i < box->text.line_count; i++) {
        struct slice line = {box->text.bytes.data + box->text.lines[i].start,
                             box->text.lines[i].length};
        int width = text_width(line, columns);
        longest = width > longest ? width : longest;
    }
    *wanted_columns = longest + 4 > 50 ? longest + 4 : 50;
    *wanted_rows = box->text.line_count + 3 > (size_t)rows ? rows : (int)box->text.line_count + 3;
}

static const enum scope text_box_scopes[] = {SCOPE_TEXT, SCOPE_MOVE, SCOPE_COUNT};

static bool text_box_types(const struct view *view)
{
    return ((const struct text_box *)view)->text.searching;
}

static const struct view_kind text_box_kind = {
    .types = text_box_types,
    .name = "text",
    .title = "Text",
    .scopes = text_box_scopes,
    .open = text_box_open,
    .close = text_box_close,
    .draw = text_box_draw,
    .can = text_box_can,
    .act = text_box_act,
    .key = text_box_key,
    .size = text_box_size,
};

void app_text(struct app *app, const char *title, struct slice text)
{
    struct text_box_argument argument = {title, text};
    app_push(app, &text_box_kind, &argument);
}

void app_messages(struct app *app)
{
    struct buffer text = {0};
    char at[40];
    size_t kept = app->message_count < APP_MESSAGES_MOST ? app->message_count : APP_MESSAGES_MOST;
    bool ok = true;
    for (size_t i = 1; ok && i <= kept; i++) {
        const struct app_message *message =
            &app->messages[(app->message_count - i) % APP_MESSAGES_MOST];
        host_time_text(message->at_us, at, sizeof at);
        ok = buffer_append_format(&text, NULL, "%.8s  %s\n", at + 11, message->text);
    }
    if (kept == 0)
        buffer_append_text(&text, "no messages yet", NULL);
    app_text(app, "Messages, the newest first (UTC)", buffer_slice(&text));
    buffer_destroy(&text);
}

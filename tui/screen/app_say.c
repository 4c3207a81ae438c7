/* Messages, the clipboard, and the command line's twin of an action. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tui/screen/app.h"
#include "tui/screen/input.h"
#include "tui/screen/terminal.h"

enum { MESSAGE_SIZE = ERROR_MESSAGE_SIZE + ERROR_REMEDY_SIZE };

void app_dirty(struct app *app)
{
    app->dirty = true;
}

void app_say(struct app *app, enum style style, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct app_message *message = &app->messages[app->message_count % APP_MESSAGES_MOST];
    char *copy = memory_copy_text(text, NULL);
    if (copy == NULL)
        return;
    free(message->text);
    *message = (struct app_message){clock_now_us(), style, copy};
    app->message_count++;
    app->message_shown = true;
    app->dirty = true;
}

void app_fail(struct app *app, const struct error *error)
{
    app_say(app, STYLE_FAIL, "%s%s%s", error->message, error->remedy[0] ? "; " : "", error->remedy);
}

void app_copy(struct app *app, struct slice text)
{
    char start[48];
    size_t length = text.length < sizeof start - 1 ? text.length : sizeof start - 1;
    memcpy(start, text.data, length);
    start[length] = '\0';
    struct error error = {0};
    if (app->terminal && !terminal_copy(app->terminal, text, &error)) {
        app_fail(app, &error);
        return;
    }
    app_say(app, STYLE_DIM, "copied: %s%s", start, length < text.length ? "…" : "");
}

void app_reopen(struct app *app, const char *profile_path)
{
    snprintf(app->reopen, sizeof app->reopen, "%s", profile_path);
    app->ended = true;
}

struct slice app_paste(const struct app *app)
{
    return app->input ? input_paste(app->input) : slice_of("");
}

/* A word as a shell reads it back. */
static bool append_word(struct buffer *out, const char *word)
{
    bool plain = *word != '\0';
    for (const char *at = word; *at; at++)
        plain = plain && (strchr("-_./:=@%+,", *at) || (*at >= '0' && *at <= '9') ||
                          (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'));
    if (plain)
        return buffer_append_text(out, word, NULL);
    bool ok = buffer_append_byte(out, '\'', NULL);
    for (const char *at = word; ok && *at; at++)
        ok = *at == '\'' ? buffer_append_text(out, "'\\''", NULL)
                         : buffer_append_byte(out, (uint8_t)*at, NULL);
    return ok && buffer_append_byte(out, '\'', NULL);
}

static const char *twin_value(const struct object *object, const char *name, size_t length)
{
    const struct {
        const char *name, *value;
    } values[] = {{"stream", object->stream}, {"dataset", object->dataset}, {"run", object->run},
                  {"table", object->table},   {"step", object->step},       {"path", object->text}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strlen(values[i].name) == length && memcmp(values[i].name, name, length) == 0)
            return values[i].value;
    return "";
}

bool app_twin(const struct app *app, enum action_id action, const struct object *object,
              struct buffer *out)
{
    const char *at = action ? actions[action].cli : NULL;
    if (at == NULL || !buffer_append_text(out, "surfboard", NULL))
        return false;
    if (app->options.profile_path)
        if (!buffer_append_text(out, " --profile ", NULL) ||
            !append_word(out, app->options.profile_path))
            return false;
    bool ok = buffer_append_byte(out, ' ', NULL);
    while (ok && *at) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        if (end == NULL) {
            ok = buffer_append_byte(out, (uint8_t)*at++, NULL);
            continue;
        }
        const char *value = twin_value(object, at + 1, (size_t)(end - at - 1));
        ok = *value ? append_word(out, value) : true;
        at = end + 1;
    }
    while (ok && out->length && out->data[out->length - 1] == ' ')
        out->length--;
    return ok;
}

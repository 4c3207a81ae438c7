/* What goes out: results, errors, progress. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/neutral.h"
#include "tui/command_private.h"

static void output_clear_progress(struct command *command)
{
    if (!command->hidden->progress_shown)
        return;
    fputs("\r\033[K", command->err);
    command->hidden->progress_shown = false;
}

/* A message may quote what lies in a file or came from a server. */
static void output_safe(struct command *command, const char *text)
{
    struct buffer safe = {0};
    if (command->err_is_terminal &&
        neutral_append(&safe, slice_of(text), command->ascii ? "." : NEUTRAL_DOT, NULL))
        fwrite(safe.data, 1, safe.length, command->err);
    else
        fputs(text, command->err);
    buffer_destroy(&safe);
}

static void output_lines(struct command *command, const char *indent, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        char line[ERROR_MESSAGE_SIZE];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        fputs(indent, command->err);
        output_safe(command, line);
        fputc('\n', command->err);
        text += length + (text[length] == '\n');
        indent = "  ";
    }
}

int command_fail(struct command *command, const struct error *error)
{
    command->hidden->failure = *error;
    output_clear_progress(command);
    output_lines(command, "surfboard: ", error->message);
    output_lines(command, "  ", error->remedy);
    if (command->json && !command->reported) {
        json_t *inner = json_pack("{s:s, s:s, s:s}", "kind", error_kind_name(error->kind),
                                  "message", error->message, "remedy", error->remedy);
        json_t *outer = json_pack("{s:o}", "error", inner);
        if (outer == NULL || !command_print_json(command, outer, NULL))
            fputs("{\"error\":{\"kind\":\"memory\",\"message\":\"\",\"remedy\":\"\"}}\n",
                  command->out);
        command->reported = true;
    }
    fflush(command->err);
    return error_exit_code(error->kind);
}

int command_fail_usage(struct command *command, const char *format, ...)
{
    struct error error = {0};
    va_list arguments;
    va_start(arguments, format);
    error_set_va(&error, ERROR_USAGE, NULL, format, arguments);
    va_end(arguments);
    if (command->verb)
        error_remedy(&error, "surfboard %s --help shows how it is used", command->verb->name);
    return command_fail(command, &error);
}

int command_interrupted(struct command *command)
{
    struct error error = {0};
    error_set(&error, ERROR_INTERRUPTED, NULL, "interrupted");
    return command_fail(command, &error);
}

bool command_print_json(struct command *command, json_t *value, struct error *error)
{
    if (value == NULL)
        return error_set_memory(error, 0);
    char *text = json_text(value, JSON_COMPACT | JSON_ENCODE_ANY, error);
    json_decref(value);
    if (text == NULL)
        return error_set_memory(error, 0);
    output_clear_progress(command);
    bool ok = fputs(text, command->out) >= 0 && fputc('\n', command->out) != EOF &&
              fflush(command->out) == 0;
    free(text);
    return ok || error_set(error, ERROR_IO, "give it room, or another place to write to",
                           "writing the result failed");
}

bool command_print_data(struct command *command, struct slice text, struct error *error)
{
    struct buffer safe = {0};
    if (command->out_is_terminal) {
        if (!neutral_append(&safe, text, command->ascii ? "." : NEUTRAL_DOT, error)) {
            buffer_destroy(&safe);
            return false;
        }
        text = buffer_slice(&safe);
    }
    bool ok = text.length == 0 || fwrite(text.data, 1, text.length, command->out) == text.length;
    buffer_destroy(&safe);
    return ok || error_set(error, ERROR_IO, "give it room, or another place to write to",
                           "writing the result failed");
}

void command_say(struct command *command, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_clear_progress(command);
    output_lines(command, "", text);
    fflush(command->err);
}

void command_progress(struct command *command, const char *format, ...)
{
    if (!command->err_is_terminal)
        return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_clear_progress(command);
    if (*text) {
        output_safe(command, text);
        command->hidden->progress_shown = true;
    }
    fflush(command->err);
}

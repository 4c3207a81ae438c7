#include "tui/command_rows.h"

#include <errno.h>
#include <string.h>

#include "core/base/neutral.h"

enum { CELL_COLUMNS = 60 };

enum output_format command_rows_format(const struct command *command)
{
    enum output_format format = OUTPUT_TABLE;
    const char *name = command_option(command, "format");
    if (name)
        (void)output_format_parse(name, &format); /* the verb's table checked it */
    return command->json ? OUTPUT_JSON : format;
}

static struct slice trim(struct slice text)
{
    while (text.length && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.length--;
    }
    while (text.length && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Up to the next comma outside quotes. */
static struct slice next_name(const char **at)
{
    const char *start = *at;
    bool quoted = false;
    while (**at && (quoted || **at != ',')) {
        quoted ^= **at == '"';
        (*at)++;
    }
    struct slice name = trim(slice_make(start, (size_t)(*at - start)));
    if (name.length >= 2 && name.data[0] == '"' && name.data[name.length - 1] == '"')
        name = slice_make(name.data + 1, name.length - 2);
    return name;
}

bool command_split_columns(const char *text, struct arena *arena, const char *const **columns,
                           size_t *count, struct error *error)
{
    *columns = NULL;
    *count = 0;
    if (text == NULL)
        return true;
    const char **list = arena_zero(arena, strlen(text) + 1, sizeof *list, error);
    TRY(list != NULL);
    for (const char *at = text;; at++) {
        struct slice name = next_name(&at);
        if (name.length == 0)
            return error_set(error, ERROR_USAGE, "write --columns a,b,c",
                             "--columns: a name is empty");
        list[*count] = arena_copy_slice(arena, name, error);
        TRY(list[(*count)++] != NULL);
        if (*at == '\0')
            break;
    }
    *columns = list;
    return true;
}

static bool write_file(void *context, const void *data, size_t length, struct error *error)
{
    if (fwrite(data, 1, length, context) == length)
        return true;
    return error_set_system(error, errno, "writing the result");
}

bool command_print_rows(struct command *command, struct result *result, int64_t limit, bool *more,
                        struct error *error)
{
    struct sink sink = {.context = command->out, .write = write_file};
    struct output_options options = {.format = command_rows_format(command),
                                     .ascii = command->ascii};
    if (command->out_is_terminal) {
        options.mark = command->ascii ? "." : NEUTRAL_DOT;
        options.width = CELL_COLUMNS;
    }
    struct output *output = output_open(result->schema, &options, &sink, error);
    bool ok = output != NULL;
    *more = false;
    while (ok) {
        const struct batch *batch = NULL;
        ok = result_next(result, &batch, error);
        if (!ok || batch == NULL)
            break;
        struct batch part = *batch;
        int64_t left = limit < 0 ? INT64_MAX : limit - output_rows(output);
        if ((int64_t)part.length > left) {
            part.length = (size_t)left;
            *more = true;
        }
        ok = output_write(output, &part, error);
        if (*more)
            break;
    }
    ok = ok && output_finish(output, error);
    if (ok && fflush(command->out) != 0)
        ok = error_set_system(error, errno, "writing the result");
    output_close(output);
    return ok;
}

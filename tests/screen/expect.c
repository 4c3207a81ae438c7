/* What scripts expect of the screen. */
#include <stdlib.h>
#include <string.h>

#include "tests/screen/driver.h"

const char *script_keep(struct script *script, const char *text)
{
    return arena_copy_text(&script->arena, text, NULL);
}

void script_destroy(struct script *script)
{
    arena_destroy(&script->arena);
    buffer_destroy(&script->extra);
    free(script);
}

char *script_text(char *argument)
{
    size_t length = strlen(argument);
    if (length < 2 || argument[0] != '"' || argument[length - 1] != '"')
        return argument;
    argument[length - 1] = '\0';
    char *out = argument;
    for (const char *at = argument + 1; *at; at++) {
        if (*at == '\\' && at[1])
            *out++ = *++at == 'n' ? '\n' : *at;
        else
            *out++ = *at;
    }
    *out = '\0';
    return argument;
}

void screen_row(const struct app *app, int row, struct buffer *out)
{
    const struct canvas *canvas = &app->canvas;
    size_t end = out->length;
    for (int column = 0; column < canvas->columns; column++) {
        const struct cell *cell = &canvas->cells[row * canvas->columns + column];
        buffer_append(out, cell->text, cell->length, NULL);
        if (cell->length != 1 || cell->text[0] != ' ')
            end = out->length;
    }
    out->length = end;
}

/* Cells before byte `offset` of a row's text. */
static int screen_column(const struct app *app, int row, size_t offset)
{
    const struct canvas *canvas = &app->canvas;
    int column = 0;
    for (size_t bytes = 0; column < canvas->columns && bytes < offset; column++)
        bytes += canvas->cells[row * canvas->columns + column].length;
    return column;
}

bool screen_find(const struct app *app, const char *text, int *row, int *column)
{
    struct buffer line = {0};
    bool found = false;
    for (int i = 0; i < app->canvas.rows && !found; i++) {
        buffer_clear(&line);
        screen_row(app, i, &line);
        const char *at = line.length ? memmem(line.data, line.length, text, strlen(text)) : NULL;
        found = at != NULL;
        if (found && row)
            *row = i;
        if (found && column)
            *column = screen_column(app, i, (size_t)(at - line.data));
    }
    buffer_destroy(&line);
    return found;
}

void screen_print(struct app *app, FILE *out)
{
    struct buffer line = {0};
    app_draw(app);
    for (int i = 0; i < app->canvas.rows; i++) {
        buffer_clear(&line);
        screen_row(app, i, &line);
        fprintf(out, "    |%.*s\n", (int)line.length, line.data ? line.data : "");
    }
    buffer_destroy(&line);
    if (app->message_count)
        fprintf(out, "    last message: %s\n",
                app->messages[(app->message_count - 1) % APP_MESSAGES_MOST].text);
}

static bool expect_row(struct script *script, char *rest)
{
    struct app *app = &script->app;
    struct buffer line = {0};
    char *text;
    long row = strtol(rest, &text, 10);
    text = script_text(text + strspn(text, " "));
    row = row < 0 ? app->canvas.rows + row : row;
    if (row < 0 || row >= app->canvas.rows)
        return script_fail(script, "there is no row %ld", row);
    screen_row(app, (int)row, &line);
    bool ok = line.length && memmem(line.data, line.length, text, strlen(text));
    buffer_destroy(&line);
    return ok || script_fail(script, "row %ld does not say: %s", row, text);
}

static bool expect_style(struct script *script, char *rest)
{
    struct app *app = &script->app;
    char *name = strrchr(rest, ' ');
    int row, column;
    if (name == NULL)
        return script_fail(script, "expect-style \"text\" STYLE");
    *name++ = '\0';
    const char *text = script_text(rest);
    if (!screen_find(app, text, &row, &column))
        return script_fail(script, "not on the screen: %s", text);
    const char *found =
        style_name((enum style)app->canvas.cells[row * app->canvas.columns + column].style);
    return strcmp(found, name) == 0 || script_fail(script, "%s is %s, not %s", text, found, name);
}

static bool expect_cursor(struct script *script, const char *text)
{
    struct buffer line = {0};
    int row = script->app.canvas.cursor_row;
    bool ok = row >= 0;
    if (ok)
        screen_row(&script->app, row, &line);
    ok = ok && line.length && memmem(line.data, line.length, text, strlen(text));
    buffer_destroy(&line);
    return ok || script_fail(script, "the cursor is in row %d, not at: %s", row, text);
}

static bool expect_message(struct script *script, const char *text)
{
    const struct app *app = &script->app;
    const char *last =
        app->message_count ? app->messages[(app->message_count - 1) % APP_MESSAGES_MOST].text : "";
    return strstr(last, text) != NULL ||
           script_fail(script, "the last message is '%s', not: %s", last, text);
}

static bool expect_ascii(struct script *script)
{
    const struct canvas *canvas = &script->app.canvas;
    for (int i = 0; i < canvas->rows * canvas->columns; i++)
        for (int n = 0; n < canvas->cells[i].length; n++)
            if ((unsigned char)canvas->cells[i].text[n] >= 0x80)
                return script_fail(script, "not ASCII in row %d: %.*s", i / canvas->columns,
                                   canvas->cells[i].length, canvas->cells[i].text);
    return true;
}

bool script_mask(struct script *script, const char *expression)
{
    if (script->mask_count == SCRIPT_MASKS_MOST)
        return false;
    script->masks[script->mask_count++] = script_keep(script, expression);
    return true;
}

bool script_expect(struct script *script, const char *word, char *rest)
{
    app_paint(&script->app);
    if (strcmp(word, "expect") == 0) {
        const char *text = script_text(rest);
        return screen_find(&script->app, text, NULL, NULL) ||
               script_fail(script, "not on the screen: %s", text);
    }
    if (strcmp(word, "expect-not") == 0) {
        const char *text = script_text(rest);
        return !screen_find(&script->app, text, NULL, NULL) ||
               script_fail(script, "on the screen: %s", text);
    }
    if (strcmp(word, "expect-row") == 0)
        return expect_row(script, rest);
    if (strcmp(word, "expect-style") == 0)
        return expect_style(script, rest);
    if (strcmp(word, "expect-cursor") == 0)
        return expect_cursor(script, script_text(rest));
    if (strcmp(word, "expect-message") == 0)
        return expect_message(script, script_text(rest));
    if (strcmp(word, "expect-ascii") == 0)
        return expect_ascii(script);
    if (strcmp(word, "expect-ended") == 0)
        return script->app.ended || script_fail(script, "it was not left");
    if (strcmp(word, "golden") == 0)
        return script_golden(script, rest);
    if (strcmp(word, "picture") == 0)
        return script_picture(script, rest);
    return script_fail(script, "no such word: %s", word);
}

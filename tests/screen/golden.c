/* Golden screens: the text, which style each cell has, and how the theme draws these styles. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/screen/driver.h"

static char style_letter(int style)
{
    return (char)(style == STYLE_TEXT ? ' ' : style < 26 ? 'a' + style : 'A' + style - 26);
}

/* Each match becomes as many # as it has characters, so that the columns stay. */
static bool mask_line(const struct script *script, struct buffer *line)
{
    for (size_t i = 0; i < script->mask_count; i++) {
        regex_t regex;
        regmatch_t match;
        if (regcomp(&regex, script->masks[i], REG_EXTENDED) != 0)
            return false;
        size_t from = 0;
        while (buffer_text(line, NULL) && from < line->length &&
               regexec(&regex, line->data + from, 1, &match, from ? REG_NOTBOL : 0) == 0 &&
               match.rm_eo > match.rm_so) {
            memset(line->data + from + match.rm_so, '#', (size_t)(match.rm_eo - match.rm_so));
            from += (size_t)match.rm_eo;
        }
        regfree(&regex);
    }
    return true;
}

static void golden_styles(const struct app *app, struct buffer *out, bool *used)
{
    const struct canvas *canvas = &app->canvas;
    buffer_append_text(out, "---\n", NULL);
    for (int row = 0; row < canvas->rows; row++) {
        size_t end = out->length;
        for (int column = 0; column < canvas->columns; column++) {
            int style = canvas->cells[row * canvas->columns + column].style;
            used[style] = true;
            buffer_append_byte(out, (uint8_t)style_letter(style), NULL);
            if (style != STYLE_TEXT)
                end = out->length;
        }
        out->length = end;
        buffer_append_byte(out, '\n', NULL);
    }
}

static void golden_looks(const struct app *app, struct buffer *out, const bool *used)
{
    buffer_append_text(out, "---\n", NULL);
    for (int i = 0; i < STYLE_COUNT; i++) {
        char bytes[LOOK_BYTES_MOST];
        if (!used[i])
            continue;
        size_t length = look_sequence(&app->theme.looks[i], app->painter.abilities.depth, bytes);
        buffer_append_format(out, NULL, "%c %s ", style_letter(i), style_name((enum style)i));
        for (size_t n = 0; n < length; n++)
            buffer_append_byte(out, bytes[n] == 27 ? '^' : (uint8_t)bytes[n], NULL);
        buffer_append_byte(out, '\n', NULL);
    }
}

static bool golden_text(struct script *script, struct buffer *out)
{
    struct app *app = &script->app;
    struct buffer line = {0};
    bool used[STYLE_COUNT] = {false}, ok = true;
    app_draw(app);
    for (int row = 0; ok && row < app->canvas.rows; row++) {
        buffer_clear(&line);
        screen_row(app, row, &line);
        ok = mask_line(script, &line) && buffer_append_slice(out, buffer_slice(&line), NULL) &&
             buffer_append_byte(out, '\n', NULL);
    }
    buffer_destroy(&line);
    golden_styles(app, out, used);
    golden_looks(app, out, used);
    return ok;
}

/* The first line that differs. */
static void golden_differ(struct script *script, const struct buffer *want,
                          const struct buffer *got)
{
    const char *a = want->data, *b = got->data;
    int line = 1;
    while (*a && *a == *b) {
        size_t x = strcspn(a, "\n"), y = strcspn(b, "\n");
        if (x != y || memcmp(a, b, x) != 0)
            break;
        a += x + (a[x] == '\n');
        b += y + (b[y] == '\n');
        line++;
    }
    script_fail(script, "golden screen, line %d\n  want |%.*s\n  got  |%.*s", line,
                (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
}

bool script_golden(struct script *script, const char *name)
{
    struct error error = {0};
    struct buffer want = {0}, got = {0};
    char path[1024];
    int folder = (int)(strrchr(script->path, '/') - script->path);
    snprintf(path, sizeof path, "%.*s/golden/%s.txt", folder, script->path, name);
    const char *write = getenv("GOLDEN");
    bool ok = golden_text(script, &got) && buffer_text(&got, &error);
    if (ok && write && strcmp(write, "write") == 0) {
        ok = file_write_atomic(path, buffer_slice(&got), 0644, &error) ||
             script_fail(script, "%s", error.message);
    } else if (ok) {
        ok = file_read(path, &want, &error) && buffer_text(&want, &error);
        if (!ok)
            script_fail(script, "%s: GOLDEN=write makes it", error.message);
        else if (!slice_equal(buffer_slice(&want), buffer_slice(&got)) && (ok = false, true))
            golden_differ(script, &want, &got);
    }
    buffer_destroy(&want);
    buffer_destroy(&got);
    return ok;
}

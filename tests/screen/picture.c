/* A frame as an SVG picture, for the README: cells, looks of the theme, a dark ground. */
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "tests/screen/driver.h"

enum { CELL_WIDTH = 8, CELL_HEIGHT = 17, BASELINE = 13, MARGIN = 10 };

static const char *const palette[16] = {
    "#1d1f21", "#e06c6c", "#98c379", "#e5c07b", "#6ca7e0", "#c586c0", "#5fb8b8", "#c8ccd0",
    "#7f848a", "#ff8a8a", "#b5e090", "#ffd98a", "#8ac2ff", "#e0a0e0", "#80d8d8", "#ffffff"};

static void color_text(color value, const char *otherwise, char out[16])
{
    if (value == COLOR_DEFAULT)
        snprintf(out, 16, "%s", otherwise);
    else if (value & COLOR_INDEX)
        snprintf(out, 16, "%s", palette[value & 15]);
    else
        snprintf(out, 16, "#%06x", (unsigned)value & 0xFFFFFF);
}

static void picture_escape(struct buffer *out, const struct cell *cell)
{
    const char *text = cell->text;
    if (cell->length == 1 && (*text == '<' || *text == '>' || *text == '&'))
        buffer_append_format(out, NULL, "&#%d;", *text);
    else
        buffer_append(out, text, cell->length, NULL);
}

/* Cells of one style beside each other, from `column`; returns the column behind them. */
static int picture_run(const struct app *app, int row, int column, struct buffer *out)
{
    const struct canvas *canvas = &app->canvas;
    const struct cell *cells = &canvas->cells[row * canvas->columns];
    int style = cells[column].style, start = column;
    const struct look *look = &app->theme.looks[style];
    bool reverse = look->attributes & ATTRIBUTE_REVERSE, blank = true;
    char front[16], back[16];
    for (; column < canvas->columns && cells[column].style == style; column++)
        blank = blank && (cells[column].length != 1 || cells[column].text[0] == ' ');
    blank = blank && column > start;
    for (int i = start; blank && i < column; i++)
        blank = cells[i].length == 1;
    color_text(look->front, "#c8ccd0", front);
    color_text(look->back, "#1d1f21", back);
    int x = MARGIN + start * CELL_WIDTH, y = MARGIN + row * CELL_HEIGHT;
    if (reverse || look->back != COLOR_DEFAULT)
        buffer_append_format(out, NULL, "<rect x='%d' y='%d' width='%d' height='%d' fill='%s'/>\n",
                             x, y, (column - start) * CELL_WIDTH, CELL_HEIGHT,
                             reverse ? front : back);
    if (blank)
        return column;
    buffer_append_format(out, NULL, "<text x='%d' y='%d' textLength='%d' fill='%s'%s%s%s>", x,
                         y + BASELINE, (column - start) * CELL_WIDTH, reverse ? back : front,
                         look->attributes & ATTRIBUTE_BOLD ? " font-weight='bold'" : "",
                         look->attributes & ATTRIBUTE_DIM ? " opacity='0.6'" : "",
                         look->attributes & ATTRIBUTE_UNDERLINE ? " text-decoration='underline'"
                                                                : "");
    for (int i = start; i < column; i++)
        picture_escape(out, &cells[i]);
    buffer_append_text(out, "</text>\n", NULL);
    return column;
}

/* Only where PICTURES names a folder: else nothing happens. */
bool script_picture(struct script *script, const char *name)
{
    struct error error = {0};
    struct buffer out = {0};
    struct app *app = &script->app;
    const char *folder = getenv("PICTURES");
    char path[1024];
    if (folder == NULL)
        return true;
    app_draw(app);
    int wide = app->canvas.columns * CELL_WIDTH + 2 * MARGIN;
    int high = app->canvas.rows * CELL_HEIGHT + 2 * MARGIN;
    buffer_append_format(
        &out, NULL,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
        "font-family='DejaVu Sans Mono,Menlo,Consolas,monospace' font-size='13.29' "
        "xml:space='preserve'>\n<rect width='100%%' height='100%%' rx='6' "
        "fill='#1d1f21'/>\n",
        wide, high);
    for (int row = 0; row < app->canvas.rows; row++)
        for (int column = 0; column < app->canvas.columns;)
            column = picture_run(app, row, column, &out);
    buffer_append_text(&out, "</svg>\n", NULL);
    snprintf(path, sizeof path, "%s/%s.svg", folder, name);
    bool ok = file_write_atomic(path, buffer_slice(&out), 0644, &error);
    buffer_destroy(&out);
    return ok || script_fail(script, "%s", error.message);
}

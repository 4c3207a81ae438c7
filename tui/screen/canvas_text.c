/* Text into cells: clusters, widths, what is not shown as it is. */
#include <stdio.h>
#include <utf8proc.h>

#include "core/base/neutral.h"
#include "core/base/utf8.h"
#include "tui/screen/canvas.h"
#include "tui/screen/glyph.h"

static void cell_set(struct cell *cell, const char *text, size_t length, int width)
{
    memcpy(cell->text, text, length);
    cell->length = (uint8_t)length;
    cell->width = (uint8_t)width;
}

static bool point_is_selector(uint32_t point)
{
    return (point >= 0xFE00 && point <= 0xFE0F) || (point >= 0xE0100 && point <= 0xE01EF) ||
           (point >= 0x180B && point <= 0x180F && point != 0x180E);
}

/* Whether `point` may stand behind a base: it takes room, or is a mark. */
static bool point_attaches(uint32_t point)
{
    if (neutral_is_unsafe(point))
        return false;
    if (utf8proc_charwidth((utf8proc_int32_t)point) > 0)
        return true;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)point);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

/* Takes what belongs to the base `point` of `length` bytes, which ends at `at`. Bytes for which the
 * cell has no room are taken too, and lost. Returns where the cluster ends. */
static size_t cluster_extend(struct slice text, size_t at, uint32_t point, struct cell *cell)
{
    utf8proc_int32_t state = 0;
    bool full = false;
    int width = cell->width;
    while (at < text.length && (unsigned char)text.data[at] >= 0x80) {
        size_t length = utf8_character_length(text.data + at, text.length - at);
        if (length == 0)
            break;
        uint32_t next = utf8_decode(text.data + at, length);
        if (!point_attaches(next) || utf8proc_grapheme_break_stateful(
                                         (utf8proc_int32_t)point, (utf8proc_int32_t)next, &state))
            break;
        at += length;
        point = next;
        if (point_is_selector(next))
            continue;
        full = full || cell->length + length > CELL_BYTES;
        if (full)
            continue;
        memcpy(cell->text + cell->length, text.data + at - length, length);
        cell->length = (uint8_t)(cell->length + length);
        width += utf8proc_charwidth((utf8proc_int32_t)next);
    }
    cell->width = (uint8_t)(width > 2 ? 2 : width);
    return at;
}

static void cell_make_ascii(struct cell *cell, uint32_t point, size_t first)
{
    char twin = cell->length == first ? glyph_twin(point) : 0;
    int width = cell->width;
    memset(cell->text, 0, sizeof cell->text);
    cell->text[0] = twin ? twin : '?';
    cell->length = 1;
    if (width == 2) { /* two cells of one letter each can't be one cell: "??" is its text */
        cell->text[1] = '?';
        cell->length = 2;
    }
}

size_t text_next(struct slice text, size_t at, bool ascii, struct cell *out)
{
    *out = (struct cell){0};
    unsigned char byte = (unsigned char)text.data[at];
    bool plain = byte >= ' ' && byte < 0x7F;
    if (plain && (at + 1 >= text.length || (unsigned char)text.data[at + 1] < 0x80)) {
        cell_set(out, text.data + at, 1, 1);
        return 1;
    }
    size_t length = utf8_character_length(text.data + at, text.length - at);
    uint32_t point = length ? utf8_decode(text.data + at, length) : 0;
    int width = length ? utf8proc_charwidth((utf8proc_int32_t)point) : 0;
    if (width <= 0 || neutral_is_unsafe(point)) {
        cell_set(out, ascii ? "." : NEUTRAL_DOT, ascii ? 1 : 2, 1);
        return length ? length : 1;
    }
    cell_set(out, text.data + at, length, width);
    size_t end = cluster_extend(text, at + length, point, out);
    if (ascii && (point >= 0x80 || out->length > length))
        cell_make_ascii(out, point, length);
    return end - at;
}

/* How many bytes from `at` on, at most `most`, are printable ASCII without a mark behind them: each
 * a cluster of one cell. */
static size_t plain_run(struct slice text, size_t at, size_t most)
{
    size_t left = text.length - at, length = 0;
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    most = most < left ? most : left;
    while (length < most && bytes[length] >= ' ' && bytes[length] < 0x7F)
        length++;
    return length && length < left && bytes[length] >= 0x80 ? length - 1 : length;
}

int text_width(struct slice text, int most)
{
    int width = 0;
    struct cell cell;
    for (size_t at = 0; at < text.length && width < most;) {
        size_t run = plain_run(text, at, (size_t)(most - width));
        at += run ? run : text_next(text, at, false, &cell);
        width += run ? (int)run : cell.width;
    }
    return width < most ? width : most > 0 ? most : 0;
}

size_t text_offset(struct slice text, int column)
{
    size_t at = 0;
    struct cell cell;
    for (int width = 0; at < text.length && width < column; width += cell.width)
        at += text_next(text, at, false, &cell);
    return at;
}

/* As many whole clusters as fit; returns the cells they take. */
static int text_draw(struct canvas *canvas, int row, int column, int room, enum style style,
                     struct slice text)
{
    int took = 0;
    struct cell cell;
    for (size_t at = 0; at < text.length && took < room;) {
        size_t run = plain_run(text, at, (size_t)(room - took));
        if (run) {
            canvas_put_ascii(canvas, row, column + took, style, slice_make(text.data + at, run));
            at += run;
            took += (int)run;
            continue;
        }
        at += text_next(text, at, canvas->ascii, &cell);
        if (took + cell.width > room)
            break;
        cell.style = (uint8_t)style;
        canvas_put(canvas, row, column + took, &cell);
        took += cell.width;
    }
    return took;
}

int canvas_text(struct canvas *canvas, int row, int column, int columns, enum style style,
                struct slice text)
{
    if (columns <= 0 || text.length == 0)
        return 0;
    bool cut = columns < INT32_MAX && text_width(text, columns + 1) > columns;
    int took = text_draw(canvas, row, column, cut ? columns - 1 : columns, style, text);
    if (cut) {
        struct slice more = slice_of(canvas_glyph(canvas, GLYPH_ELLIPSIS));
        took += text_draw(canvas, row, column + took, 1, style, more);
    }
    return took;
}

int canvas_print(struct canvas *canvas, int row, int column, int columns, enum style style,
                 const char *text)
{
    return canvas_text(canvas, row, column, columns, style, slice_of(text));
}

int canvas_format(struct canvas *canvas, int row, int column, int columns, enum style style,
                  const char *format, ...)
{
    char text[2048]; /* more than a row shows; what is longer is cut like a text that doesn't fit */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return length < 0 ? 0 : canvas_print(canvas, row, column, columns, style, text);
}

int canvas_print_right(struct canvas *canvas, int row, int column, int columns, enum style style,
                       const char *text)
{
    int width = text_width(slice_of(text), columns);
    return canvas_print(canvas, row, column + columns - width, columns, style, text);
}

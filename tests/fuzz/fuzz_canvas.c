/* Any bytes as text on the screen: what the painter writes is its own sequences and safe
 * characters, whole, and no more. Judged by rules written down here, not by the product's own
 * table. */
#include <stddef.h>
#include <stdint.h>

#include "core/base/utf8.h"
#include "tui/screen/painter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* Bytes of the control sequence at `at`, which must be one of the painter's. */
static size_t sequence_length(const char *at, size_t length)
{
    size_t i = 2;
    check(length > 2 && at[1] == '[');
    bool private = at[2] == '?';
    for (i += private; i < length && ((at[i] >= '0' && at[i] <= '9') || at[i] == ';'); i++)
        ;
    check(i < length && i < 60);
    if (private)
        check(i == 4 && at[3] == '7' && (at[4] == 'h' || at[4] == 'l'));
    else
        check(strchr("ABCDGHJKSTXmr", at[i]) != NULL);
    return i + 1;
}

/* What a terminal acts on or does not show. */
static bool character_is_harmless(uint32_t point)
{
    static const uint32_t ranges[][2] = {
        {0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},     {0x61C, 0x61C},
        {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E}, {0x2060, 0x206F},
        {0xD800, 0xDFFF},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i][0] && point <= ranges[i][1])
            return false;
    return true;
}

static void check_output(struct slice out, bool ascii)
{
    for (size_t at = 0; at < out.length;) {
        char byte = out.data[at];
        if (byte == '\033') {
            at += sequence_length(out.data + at, out.length - at);
        } else if (byte == '\r' || byte == '\n' || byte == '\b') {
            at++;
        } else {
            size_t length = utf8_character_length(out.data + at, out.length - at);
            check(length > 0 && (!ascii || length == 1));
            check(character_is_harmless(utf8_decode(out.data + at, length)));
            at += length;
        }
    }
}

/* Each line of the input is a text: on the canvas, in a box's title, cut, right-aligned. */
static void draw(struct canvas *canvas, struct slice text, int turn)
{
    char line[256];
    for (int row = 0; text.length; row++) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end ? (size_t)(end - text.data) : text.length;
        int column = (row * 7 + turn * 3) % (canvas->columns + 6) - 5;
        enum style style = (enum style)((row + turn) % STYLE_COUNT);
        canvas_text(canvas, row % canvas->rows, column, canvas->columns / (1 + row % 3), style,
                    slice_make(text.data, length));
        size_t part = length < sizeof line - 1 ? length : sizeof line - 1;
        memcpy(line, text.data, part);
        line[part] = '\0';
        if (row % 4 == 2)
            canvas_box(canvas, (struct rect){row % canvas->rows, column, 3, 12}, line, line, true);
        if (row % 4 == 3)
            canvas_print_right(canvas, row % canvas->rows, column, 9, style, line);
        length += end != NULL;
        text = slice_make(text.data + length, text.length - length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    bool ascii = data[0] & 1;
    struct painter_abilities abilities = {.depth = (enum color_depth)(data[0] >> 1 & 3),
                                          .scrolls = data[0] & 8,
                                          .erases = data[0] & 16,
                                          .ansi = true,
                                          .blanks = data[0] & 32};
    struct theme theme;
    struct canvas canvas;
    struct painter painter;
    struct buffer out = {0};
    check(theme_parse(SLICE_LITERAL("match: red on blue\n"), "fuzz", &theme, NULL));
    check(canvas_init(&canvas, 1 + data[1] % 16, 1 + data[2] % 64, NULL));
    check(painter_init(&painter, &abilities, &theme, NULL));
    canvas.ascii = ascii;
    for (int turn = 0; turn < 3; turn++) {
        draw(&canvas, slice_make(data + 3, size - 3), turn);
        buffer_clear(&out);
        check(painter_frame(&painter, &canvas, &out, NULL));
        check_output(buffer_slice(&out), ascii);
        size_t row = sizeof(struct cell) * (size_t)canvas.columns;
        memmove(canvas.cells, (char *)canvas.cells + row, row * (size_t)(canvas.rows - 1));
    }
    buffer_clear(&out);
    draw(&canvas, slice_make(data + 3, size - 3), 2);
    check(painter_frame(&painter, &canvas, &out, NULL));
    buffer_clear(&out);
    check(painter_frame(&painter, &canvas, &out, NULL) && out.length == 0);
    buffer_destroy(&out);
    painter_destroy(&painter);
    canvas_destroy(&canvas);
    return 0;
}

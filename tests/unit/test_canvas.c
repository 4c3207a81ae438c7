/* What a canvas shows of any text, and that nothing leaves its clip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "tui/screen/canvas.h"

static struct canvas made(int rows, int columns)
{
    struct canvas canvas;
    assert_true(canvas_init(&canvas, rows, columns, NULL));
    return canvas;
}

/* A row as text; a right half shows as "<". Checks what holds for every cell. */
static const char *row_text(const struct canvas *canvas, int row)
{
    static char out[4096];
    size_t length = 0;
    for (int i = 0; i < canvas->columns; i++) {
        const struct cell *cell = &canvas->cells[row * canvas->columns + i];
        if (cell->length == 0) {
            assert_int_equal(cell->width, 0);
            assert_true(i > 0 && cell[-1].width == 2 && cell[-1].style == cell->style);
            out[length++] = '<';
            continue;
        }
        assert_true(cell->length <= CELL_BYTES && (cell->width == 1 || cell->width == 2));
        assert_true(utf8_valid(cell->text, cell->length));
        assert_true(cell->width == 1 || (i + 1 < canvas->columns && cell[1].length == 0));
        for (size_t k = cell->length; k < CELL_BYTES; k++)
            assert_int_equal(cell->text[k], 0);
        memcpy(out + length, cell->text, cell->length);
        length += cell->length;
    }
    out[length] = '\0';
    return out;
}

static void shows_at(int column, int columns, bool ascii, struct slice text, const char *expected)
{
    struct canvas canvas = made(1, 12);
    canvas.ascii = ascii;
    int took = canvas_text(&canvas, 0, column, columns, STYLE_OK, text);
    const char *found = row_text(&canvas, 0);
    size_t length = strlen(found);
    while (length && found[length - 1] == ' ')
        length--;
    if (length != strlen(expected) || memcmp(found, expected, length) != 0)
        fail_msg("'%.*s', not '%s'", (int)length, found, expected);
    assert_true(took <= (columns > 0 ? columns : 0));
    int width = text_width(text, columns + 1);
    assert_int_equal(took <= columns && width <= columns ? took : width, width);
    canvas_destroy(&canvas);
}

#define SHOWS(text, expected) shows_at(0, 12, false, SLICE_LITERAL(text), expected)
#define SHOWS_ASCII(text, expected) shows_at(0, 12, true, SLICE_LITERAL(text), expected)

static void text_is_made_safe(void **state)
{
    (void)state;
    SHOWS("a\033[2Jb", "a·[2Jb");
    SHOWS("a\x9B"
          "b\xC2\x9B"
          "c",
          "a·b·c");
    SHOWS("a\0b\x7F\tc\n", "a·b··c·");
    SHOWS("\xE2\x80\xAE\xE2\x80\x8B\xE2\x80\xA8\xEF\xBB\xBF\xF3\xA0\x81\x81\xE2\x80\x8F", "······");
    SHOWS("\xED\xA0\x80|\xC0\x9B|\xF5|\xE2\x82", "···|··|·|··");
    SHOWS("\xC2\xAD\xD8\x80\xE1\xA0\x8E", "···"); /* formats that utf8proc gives a width or none */
    SHOWS("\xCC\x81"
          "a",
          "·a"); /* a mark without a base */
    SHOWS("\xEF\xB8\x8F"
          "a",
          "·a");                           /* a selector without one */
    SHOWS("a\xE2\x80\x8D\xCC\x81", "a··"); /* the joiner attaches nothing */
    SHOWS_ASCII("\033\xC2\x9B\xE2\x80\xAE", "...");
}

static void cluster_is_one_cell(void **state)
{
    (void)state;
    SHOWS("e\xCC\x81|", "e\xCC\x81|");
    SHOWS("中|", "中<|");
    SHOWS("🇩🇪|", "🇩🇪<|");      /* one flag */
    SHOWS("🇩🇪🇫🇷|", "🇩🇪<🇫🇷<|"); /* two */
    SHOWS("👍🏽|", "👍🏽<|");
    SHOWS("👩\xE2\x80\x8D💻|", "👩<·💻<|");
    SHOWS("❤\xEF\xB8\x8F|", "❤|"); /* the selector only makes terminals disagree */
    SHOWS("हि|", "हि|");
    SHOWS("กำ|", "กำ<|");
    SHOWS("각|", "각<|"); /* conjoining jamo */
    /* Marks beyond a cell's room are dropped whole. */
    SHOWS("a\xCC\x81\xCC\x82\xCC\x83\xCC\x84\xCC\x85\xCC\x86\xCC\x87|",
          "a\xCC\x81\xCC\x82\xCC\x83\xCC\x84\xCC\x85|");
}

static void ascii_shows_twins_and_question_marks(void **state)
{
    (void)state;
    SHOWS_ASCII("┌─│║═┼ ▁█", "+-||=+ _#");
    SHOWS_ASCII("●▲✗·✓▸▾…◆→“”", "*!x.+>v~#>\"\"");
    SHOWS_ASCII("Müller", "M?ller");
    SHOWS_ASCII("e\xCC\x81|", "?|");
    SHOWS_ASCII("中|", "?"
                       "?<|"); /* one cluster of two cells */
    assert_int_equal(text_width(SLICE_LITERAL("中é"), 9), 3);
}

static void long_text_ends_in_an_ellipsis(void **state)
{
    (void)state;
    struct slice text = SLICE_LITERAL("abcdef");
    shows_at(0, 6, false, text, "abcdef");
    shows_at(0, 5, false, text, "abcd…");
    shows_at(0, 1, false, text, "…");
    shows_at(0, 5, true, text, "abcd~");
    shows_at(0, 3, false, SLICE_LITERAL("中文"), "中<…");
    shows_at(0, 2, false, SLICE_LITERAL("中文"), "…"); /* no half character before it */
    shows_at(0, 0, false, text, "");
    shows_at(0, -3, false, text, "");
}

static void right_aligned_text_ends_at_its_edge(void **state)
{
    (void)state;
    struct canvas canvas = made(3, 8);
    canvas_print_right(&canvas, 0, 1, 6, STYLE_OK, "中a");
    canvas_print_right(&canvas, 1, 1, 6, STYLE_OK, "abcdefgh");
    assert_int_equal(canvas_format(&canvas, 2, 0, 8, STYLE_OK, "%d of %s", 7, "9"), 6);
    assert_string_equal(row_text(&canvas, 0), "    中<a ");
    assert_string_equal(row_text(&canvas, 1), " abcde… ");
    assert_string_equal(row_text(&canvas, 2), "7 of 9  ");
    canvas_destroy(&canvas);
}

static void wide_character_is_never_left_half(void **state)
{
    (void)state;
    shows_at(-1, 12, false, SLICE_LITERAL("中a"), " a"); /* its left half is outside */
    shows_at(-1, 12, false, SLICE_LITERAL("xa"), "a");
    shows_at(11, 12, false, SLICE_LITERAL("中"), "");
    struct canvas canvas = made(1, 6);
    canvas_print(&canvas, 0, 0, 6, STYLE_OK, "中文字");
    canvas_print(&canvas, 0, 1, 1, STYLE_OK, "x");
    assert_string_equal(row_text(&canvas, 0), " x文<字<");
    canvas_print(&canvas, 0, 3, 2, STYLE_OK, "国");
    assert_string_equal(row_text(&canvas, 0), " x 国< ");
    canvas_print(&canvas, 0, 0, 6, STYLE_OK, "中文字");
    canvas_fill(&canvas, (struct rect){0, 1, 1, 4}, STYLE_OK, '.');
    assert_string_equal(row_text(&canvas, 0), " .... ");
    canvas_destroy(&canvas);
}

static void nothing_is_drawn_outside_the_clip(void **state)
{
    (void)state;
    struct canvas canvas = made(3, 6);
    struct rect all = canvas_clip(&canvas, (struct rect){1, 2, 1, 3});
    canvas_print(&canvas, 0, 0, 6, STYLE_OK, "aaaaaa");
    canvas_print(&canvas, 1, -2, 9, STYLE_OK, "bbbbbcdefg");
    canvas_fill(&canvas, (struct rect){2, 0, 5, 5}, STYLE_OK, 'x');
    assert_string_equal(row_text(&canvas, 0), "      ");
    assert_string_equal(row_text(&canvas, 1), "  bcd ");
    assert_string_equal(row_text(&canvas, 2), "      ");
    /* A clip in a clip; then empty; numbers that overflow. */
    struct rect before = canvas_clip(&canvas, (struct rect){-5, 3, 100, 100});
    canvas_print(&canvas, 1, 2, 3, STYLE_OK, "xyz");
    assert_string_equal(row_text(&canvas, 1), "  byz ");
    canvas_clip(&canvas, (struct rect){2000000000, 2000000000, 2000000000, 2000000000});
    canvas_print(&canvas, 1, 2, 3, STYLE_OK, "qqq");
    canvas.clip = before;
    canvas_fill(&canvas, (struct rect){-2000000000, -2000000000, 2147483647, 2147483647}, 0, 'q');
    assert_string_equal(row_text(&canvas, 1), "  qqq ");
    canvas.clip = all;
    canvas_fill(&canvas, (struct rect){0, 0, 1, 6}, STYLE_OK, '\033');
    assert_string_equal(row_text(&canvas, 0), "      ");
    canvas_destroy(&canvas);
}

static void restyle_takes_whole_characters(void **state)
{
    (void)state;
    struct canvas canvas = made(1, 6);
    canvas_print(&canvas, 0, 0, 6, STYLE_OK, "中文字");
    canvas_restyle(&canvas, (struct rect){0, 1, 1, 2}, STYLE_FAIL);
    row_text(&canvas, 0);
    static const uint8_t styles[] = {STYLE_OK,   STYLE_OK, STYLE_FAIL,
                                     STYLE_FAIL, STYLE_OK, STYLE_OK};
    for (int i = 0; i < 6; i++)
        assert_int_equal(canvas.cells[i].style, styles[i]);
    canvas_destroy(&canvas);
}

static void box_has_title_and_note(void **state)
{
    (void)state;
    struct canvas canvas = made(3, 20);
    struct rect inside =
        canvas_box(&canvas, (struct rect){0, 0, 3, 20}, "Streams", "6 more ▾", true);
    assert_int_equal(inside.row, 1);
    assert_int_equal(inside.columns, 18);
    assert_string_equal(row_text(&canvas, 0), "┌ Streams ─────────┐");
    assert_string_equal(row_text(&canvas, 1), "│                  │");
    assert_string_equal(row_text(&canvas, 2), "└─────── 6 more ▾ ─┘");
    assert_int_equal(canvas.cells[2].style, STYLE_TITLE_ON);
    canvas.ascii = true;
    canvas_box(&canvas, (struct rect){0, 0, 3, 10}, "a long title", NULL, false);
    assert_string_equal(row_text(&canvas, 0), "+ a lo~ -+─────────┐");
    inside = canvas_box(&canvas, (struct rect){0, 0, 1, 5}, "x", "y", false);
    assert_int_equal(inside.rows, 0);
    canvas_box(&canvas, (struct rect){-1, -1, 9, 40}, "x", "y", false);
    assert_string_equal(row_text(&canvas, 1), "|        |         │");
    canvas_destroy(&canvas);
}

static void offset_finds_a_column(void **state)
{
    (void)state;
    struct slice text = SLICE_LITERAL("a中e\xCC\x81z");
    assert_int_equal(text_offset(text, 0), 0);
    assert_int_equal(text_offset(text, 1), 1);
    assert_int_equal(text_offset(text, 2), 4); /* inside the wide one: behind it */
    assert_int_equal(text_offset(text, 3), 4);
    assert_int_equal(text_offset(text, 4), 7);
    assert_int_equal(text_offset(text, 99), text.length);
}

static void canvas_fails_without_memory(void **state)
{
    (void)state;
#ifdef SURFBOARD_FAULTS
    struct canvas canvas;
    struct error error = {0};
    memory_fail_after(1);
    assert_false(canvas_init(&canvas, 5, 5, &error));
    memory_fail_after(0);
    assert_int_equal(error.kind, ERROR_MEMORY);
    canvas_destroy(&canvas);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_made_safe),
        cmocka_unit_test(cluster_is_one_cell),
        cmocka_unit_test(ascii_shows_twins_and_question_marks),
        cmocka_unit_test(long_text_ends_in_an_ellipsis),
        cmocka_unit_test(right_aligned_text_ends_at_its_edge),
        cmocka_unit_test(wide_character_is_never_left_half),
        cmocka_unit_test(nothing_is_drawn_outside_the_clip),
        cmocka_unit_test(restyle_takes_whole_characters),
        cmocka_unit_test(box_has_title_and_note),
        cmocka_unit_test(offset_finds_a_column),
        cmocka_unit_test(canvas_fails_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

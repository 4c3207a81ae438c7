/* The painter against libvterm: after each frame the emulator shows the canvas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <vterm.h>

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "tui/screen/glyph.h"
#include "tui/screen/painter.h"

/* Of ncurses; its header makes macros of common words. */
int setupterm(const char *type, int fd, int *result);

static const struct painter_abilities able = {
    .depth = COLORS_TRUE, .scrolls = true, .erases = true, .ansi = true, .blanks = true};

struct bench {
    VTerm *terminal;
    VTermScreen *screen;
    struct painter painter;
    struct canvas canvas;
    struct buffer out;
    struct theme theme;
    int frame;                          /* for messages */
    int scrolls;                        /* frames with a scroll region */
    VTermScreenCell looks[STYLE_COUNT]; /* what the emulator makes of each style */
};

static VTerm *terminal_new(int rows, int columns, VTermScreen **screen)
{
    VTerm *terminal = vterm_new(rows, columns);
    assert_non_null(terminal);
    vterm_set_utf8(terminal, 1);
    *screen = vterm_obtain_screen(terminal);
    vterm_screen_reset(*screen, 1);
    return terminal;
}

static VTermScreenCell terminal_cell(VTermScreen *screen, int row, int column)
{
    VTermScreenCell cell = {0};
    vterm_screen_get_cell(screen, (VTermPos){row, column}, &cell);
    return cell;
}

static void bench_learn_looks(struct bench *bench)
{
    for (int i = 0; i < STYLE_COUNT; i++) {
        VTermScreen *screen;
        VTerm *terminal = terminal_new(1, 2, &screen);
        char bytes[LOOK_BYTES_MOST];
        size_t length =
            look_sequence(&bench->theme.looks[i], bench->painter.abilities.depth, bytes);
        vterm_input_write(terminal, bytes, length);
        vterm_input_write(terminal, "x", 1);
        bench->looks[i] = terminal_cell(screen, 0, 0);
        vterm_free(terminal);
    }
}

static struct bench bench_new(const struct painter_abilities *abilities, const struct theme *theme,
                              int rows, int columns)
{
    struct bench bench = {0};
    bench.terminal = terminal_new(rows, columns, &bench.screen);
    bench.theme = *theme;
    assert_true(painter_init(&bench.painter, abilities, theme, NULL));
    assert_true(canvas_init(&bench.canvas, rows, columns, NULL));
    bench_learn_looks(&bench);
    return bench;
}

static void bench_free(struct bench *bench)
{
    vterm_free(bench->terminal);
    painter_destroy(&bench->painter);
    canvas_destroy(&bench->canvas);
    buffer_destroy(&bench->out);
}

/* Terminals differ about it (and this one is one of them): only its first character is sure. */
static bool cell_is_doubtful(const struct cell *cell)
{
    size_t first = utf8_character_length(cell->text, cell->length);
    enum glyph_trust trust = glyph_trust(utf8_decode(cell->text, first));
    return trust == GLYPH_DOUBTFUL || (first < cell->length && (unsigned char)cell->text[1] >= 128);
}

static bool same_text(const struct canvas *canvas, int column, const struct cell *cell,
                      const VTermScreenCell *found)
{
    uint32_t points[CELL_BYTES + 1] = {0};
    size_t count = 0;
    for (size_t at = 0; at < cell->length; count++) {
        size_t length = utf8_character_length(cell->text + at, cell->length - at);
        points[count] = utf8_decode(cell->text + at, length);
        at += length;
    }
    if (points[0] == ' ' && count == 1 && found->chars[0] == 0)
        return true; /* erased */
    if (cell_is_doubtful(cell))
        return found->chars[0] == points[0] ||
               (found->chars[0] == 0xB7 && column + 2 > canvas->columns);
    if (cell->length == 2 && cell->text[0] == '?' && cell->text[1] == '?')
        return found->chars[0] == '?'; /* ASCII for a wide one */
    for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && (i == 0 || found->chars[i - 1]); i++)
        if (found->chars[i] != points[i])
            return false;
    return true;
}

/* The right half of a wide character: nothing, or where the emulator takes the character for
 * several narrow ones, one of them. */
static bool same_half(const struct cell *left, const VTermScreenCell *found)
{
    uint32_t point = found->chars[0];
    if (point == UINT32_MAX || point == 0 || point == ' ')
        return true;
    for (size_t at = 0, length; at < left->length; at += length) {
        length = utf8_character_length(left->text + at, left->length - at);
        if (utf8_decode(left->text + at, length) == point)
            return true;
    }
    return false;
}

static bool same_look(const VTermScreenCell *wanted, const VTermScreenCell *found, bool blank)
{
    if (wanted->attrs.reverse != found->attrs.reverse ||
        wanted->attrs.underline != found->attrs.underline ||
        !vterm_color_is_equal(&wanted->bg, &found->bg))
        return false;
    if (blank && !wanted->attrs.reverse && !wanted->attrs.underline)
        return true;
    return (blank || wanted->attrs.bold == found->attrs.bold) &&
           vterm_color_is_equal(&wanted->fg, &found->fg);
}

static void bench_compare(struct bench *bench)
{
    const struct canvas *canvas = &bench->canvas;
    for (int row = 0; row < canvas->rows; row++)
        for (int column = 0; column < canvas->columns; column++) {
            const struct cell *cell = &canvas->cells[row * canvas->columns + column];
            VTermScreenCell found = terminal_cell(bench->screen, row, column);
            bool corner = row == canvas->rows - 1 && column + cell->width >= canvas->columns;
            if (corner && !bench->painter.abilities.ansi)
                continue;
            if (cell->length == 0 && !same_half(cell - 1, &found))
                fail_msg("frame %d, row %d column %d: U+%04X is left of another character",
                         bench->frame, row, column, found.chars[0]);
            if (cell->length == 0)
                continue;
            bool blank = cell->length == 1 && cell->text[0] == ' ';
            if (!same_text(canvas, column, cell, &found) ||
                !same_look(&bench->looks[cell->style], &found, blank))
                fail_msg("frame %d, row %d column %d: '%.*s' in %s, not U+%04X%s", bench->frame,
                         row, column, cell->length, cell->text, style_name(cell->style),
                         found.chars[0],
                         same_text(canvas, column, cell, &found) ? " in another look" : "");
        }
    VTermPos cursor;
    vterm_state_get_cursorpos(vterm_obtain_state(bench->terminal), &cursor);
    assert_int_equal(cursor.row, canvas->cursor_row < 0 ? canvas->rows - 1 : canvas->cursor_row);
    assert_int_equal(cursor.col, canvas->cursor_column < 0 ? 0 : canvas->cursor_column);
}

/* One frame: painted, shown, compared; the next one has nothing to say. Returns its bytes. */
static size_t bench_frame(struct bench *bench)
{
    struct error error = {0};
    buffer_clear(&bench->out);
    assert_true(painter_frame(&bench->painter, &bench->canvas, &bench->out, &error));
    size_t length = bench->out.length;
    if (length) {
        vterm_input_write(bench->terminal, bench->out.data, length);
        bench->scrolls += memmem(bench->out.data, length, "\033[r", 3) != NULL;
    }
    bench_compare(bench);
    buffer_clear(&bench->out);
    assert_true(painter_frame(&bench->painter, &bench->canvas, &bench->out, &error));
    assert_int_equal(bench->out.length, 0);
    return length;
}

/* As text, so that strstr() finds things in it. */
static const char *frame_text(struct bench *bench)
{
    buffer_clear(&bench->out);
    assert_true(painter_frame(&bench->painter, &bench->canvas, &bench->out, NULL));
    const char *text = buffer_text(&bench->out, NULL);
    assert_non_null(text);
    return text;
}

/* Every style its own look: colours of all kinds, all attributes. */
static struct theme motley(void)
{
    struct theme theme = {.name = "motley"};
    for (unsigned i = 0; i < STYLE_COUNT; i++) {
        static const color colors[] = {COLOR_DEFAULT, COLOR_INDEX | 1, COLOR_INDEX | 12,
                                       0x123456,      0xFFEEDD,        COLOR_DEFAULT};
        theme.looks[i] =
            (struct look){colors[i % 6], i % 5 ? COLOR_DEFAULT : colors[i / 5], (uint8_t)(i % 16)};
    }
    theme.looks[STYLE_TEXT] = (struct look){COLOR_DEFAULT, COLOR_DEFAULT, 0};
    return theme;
}

static struct theme dark(void)
{
    struct theme theme;
    assert_true(theme_load("themes/dark.yaml", NULL, &theme, NULL));
    return theme;
}

static uint64_t dice;

static int roll(int most)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((dice >> 33) % (uint64_t)most);
}

static const char *const snippets[] = {
    "plain text",   "a",           "中文字",        "e\xCC\x81te\xCC\x81",
    "Müller Grün",  "👍🏽 ok", "🇩🇪🇫🇷",          "👩‍💻 at work",
    "❤️ heart", "हिन्दी",       "กำลัง",          "가각 각",
    "─│┌ ●▲✗ ▁▅█",  "שלום",        "مرحبا",         "        x",
    "   ",          "日",          "-------------", "x                     y",
    "ﷺ ﷽",          "①②③ ½",       "\033[31m\x9B",  "𝔘𝔫𝔦",
    "\t\r\n",
};

static void draw_something(struct canvas *canvas)
{
    int row = roll(canvas->rows), column = roll(canvas->columns + 4) - 4;
    enum style style = (enum style)roll(STYLE_COUNT);
    struct rect rect = {row, column, roll(canvas->rows), roll(canvas->columns)};
    switch (roll(9)) {
    case 0:
        canvas_box(canvas, rect, "Title 中", "note", roll(2));
        break;
    case 1:
        rect.rows = rect.rows / 3 + 1;
        canvas_fill(canvas, rect, style, roll(3) ? ' ' : '#');
        break;
    case 2:
        canvas_restyle(canvas, rect, style);
        break;
    case 3:
        canvas_cursor(canvas, row, column);
        break;
    default:
        canvas_print(canvas, row, column, 1 + roll(canvas->columns + 9), style,
                     snippets[roll(sizeof snippets / sizeof *snippets)]);
    }
}

/* A stretch of rows moves; what it leaves is drawn anew or not. */
static void move_rows(struct canvas *canvas)
{
    int top = roll(canvas->rows), count = 1 + roll(canvas->rows - top), by = 1 + roll(3);
    if (by >= count)
        return;
    size_t row = sizeof(struct cell) * (size_t)canvas->columns;
    char *first = (char *)canvas->cells + row * (size_t)top;
    bool up = roll(2);
    memmove(up ? first : first + row * (size_t)by, up ? first + row * (size_t)by : first,
            row * (size_t)(count - by));
    if (roll(2))
        canvas_fill(canvas, (struct rect){up ? top + count - by : top, 0, by, canvas->columns},
                    STYLE_TEXT, ' ');
}

static void resize(struct bench *bench)
{
    int rows = 1 + roll(20), columns = 2 + roll(50);
    canvas_destroy(&bench->canvas);
    assert_true(canvas_init(&bench->canvas, rows, columns, NULL));
    vterm_set_size(bench->terminal, rows, columns);
}

static void any_canvas(const struct painter_abilities *abilities, struct theme theme, int frames,
                       bool ascii)
{
    struct bench bench = bench_new(abilities, &theme, 12, 40);
    for (int frame = 0; frame < frames; frame++) {
        bench.frame = frame;
        dice = (uint64_t)frame * 7919 + abilities->depth;
        bench.canvas.ascii = ascii;
        if (roll(20) == 0)
            resize(&bench);
        if (roll(40) == 0)
            painter_forget(&bench.painter);
        if (roll(30) == 0)
            canvas_clear(&bench.canvas);
        if (roll(3) == 0)
            move_rows(&bench.canvas);
        for (int i = roll(6); i > 0; i--)
            draw_something(&bench.canvas);
        bench_frame(&bench);
    }
    if (frames >= 200)
        assert_int_equal(bench.scrolls > 0, abilities->scrolls && abilities->ansi);
    bench_free(&bench);
}

static void terminal_shows_any_canvas(void **state)
{
    (void)state;
    any_canvas(&able, motley(), 3000, false);
    any_canvas(&able, dark(), 1500, false);
    struct theme theme = motley();
    theme.looks[STYLE_TEXT].back = 0x202020; /* a page with a background of its own */
    any_canvas(&able, theme, 1000, false);
    any_canvas(&able, dark(), 500, true);
}

static void lesser_terminals_show_any_canvas(void **state)
{
    (void)state;
    struct theme theme = motley();
    theme.looks[STYLE_TEXT].back = 0x202020;
    for (int i = 0; i < 16; i++) {
        struct painter_abilities abilities = {.depth = (enum color_depth)(i % 4),
                                              .scrolls = i & 1,
                                              .erases = i & 2,
                                              .ansi = true,
                                              .blanks = i & 4};
        any_canvas(&abilities, i & 8 ? theme : motley(), 300, false);
    }
}

static void terminfo_serves_where_ansi_does_not(void **state)
{
    (void)state;
    int result;
    if (setupterm("vt100", 1, &result) != 0)
        skip();
    struct painter_abilities abilities = able;
    abilities.ansi = false;
    any_canvas(&abilities, motley(), 600, true);
    struct bench bench = bench_new(&abilities, &(struct theme){0}, 5, 20);
    canvas_print(&bench.canvas, 1, 1, 9, STYLE_TITLE_ON, "x");
    bench_frame(&bench);
    painter_forget(&bench.painter);
    assert_null(strstr(frame_text(&bench), "$<")); /* no padding is written */
    bench_free(&bench);
}

static const char *const page_top[] = {
    " surfboard  DELL  surf@dell1  READ-ONLY    pg ● connect ✗ s3 ● trino ● airflow ?",
    " 1 Model │ 2 Pipeline │ 3 Streams │ 4 Query │ 5 Changes │ 6 Services │ 7 Runs",
    " 1 FAILED · 1 unknown · 1 late · 7 ok · 1 not built      4 workspaces read stale",
    " ✗ orders     connector task 0 failed 14:19: password authentication failed",
    " ▲ customers  6 min old, goal 5 min: run 0412 is merging, 40 s to go",
    " Last change  14:17 anna: new password for role surf_cdc, run 0409   h history",
};

/* Streams, the home, 160x50: 11 streams, a detail pane below. */
static void draw_page(struct canvas *canvas, int selected)
{
    canvas_clear(canvas);
    for (int i = 0; i < 6; i++)
        canvas_print(canvas, i, 0, 160, i < 2 ? STYLE_HEADER : STYLE_TEXT, page_top[i]);
    canvas_print(canvas, 1, 11, 11, STYLE_TAB_ON, " 3 Streams ");
    canvas_box(canvas, (struct rect){6, 0, 24, 160}, "Streams ─ 11 ─ worst first", "6 more ▾",
               true);
    canvas_print(canvas, 7, 4, 150, STYLE_LABEL,
                 "STREAM       STATE      FRESH   GOAL  BATCH  ROWS/S  30 MIN      STUCK AT");
    for (int i = 0; i < 11; i++) {
        enum style state = i == 0 ? STYLE_FAIL : i == 2 ? STYLE_WARN : STYLE_OK;
        enum style name = i == selected ? STYLE_STRONG : STYLE_TEXT;
        canvas_print(canvas, 8 + i, 1, 1, name, i == selected ? "▸" : " ");
        canvas_print(canvas, 8 + i, 2, 1, state, i == 0 ? "✗" : i == 2 ? "▲" : "●");
        canvas_format(canvas, 8 + i, 4, 12, name, "customers_%d", i);
        canvas_print(canvas, 8 + i, 17, 9, state, i == 0 ? "FAILED" : "ok");
        canvas_format(canvas, 8 + i, 27, 40, STYLE_TEXT, "%3d s  5 min  %5d  %6d", i * 7, 877 + i,
                      310 * i);
        canvas_print(canvas, 8 + i, 60, 10, STYLE_SPARK, "▂▂▃▂▆█▇▆▆▆");
    }
    canvas_box(canvas, (struct rect){30, 0, 19, 160},
               "orders ─ 3 tables of shop ─ capture \"shop\", no other stream", NULL, false);
    for (int i = 0; i < 12; i++) {
        canvas_print(canvas, 32 + i, 2, 8, STYLE_LABEL, i % 3 ? "Checked" : "Remedy");
        canvas_print(canvas, 32 + i, 11, 140, STYLE_TEXT,
                     "give connector \"shop\" the new credential PG_SHOP, restart task 0");
    }
    canvas_print(canvas, 49, 0, 160, STYLE_DIM,
                 " Enter open  d diagnose  l logs  h history  v verify  p preview  : all  ? keys");
    canvas_cursor(canvas, 8 + selected, 1);
}

/* A log over the whole width: 45 rows in a box, one selected. */
static void draw_list(struct canvas *canvas, int first, int selected)
{
    char note[40];
    canvas_clear(canvas);
    snprintf(note, sizeof note, "row %d of 1000", selected + 1);
    canvas_box(canvas, (struct rect){1, 0, 48, 160}, "orders", note, true);
    for (int i = 0; i < 46; i++) {
        int at = first + i;
        enum style name = at == selected ? STYLE_STRONG : STYLE_TEXT;
        canvas_print(canvas, 2 + i, 1, 1, name, at == selected ? "▸" : " ");
        canvas_print(canvas, 2 + i, 2, 1, STYLE_OK, "●");
        canvas_format(canvas, 2 + i, 4, 150, name, "%5d customer %d of the shop", at, at * 7919);
        canvas_format(canvas, 2 + i, 60, 90, STYLE_DIM, "%d  2026-11-22 14:%02d:%02d  batch %d",
                      at * 31337, at % 60, at * 7 % 60, at / 3);
    }
    canvas_cursor(canvas, 2 + selected - first, 1);
}

static void within(const char *what, size_t bytes, size_t most)
{
    print_message("%s: %zu bytes (at most %zu)\n", what, bytes, most);
    if (bytes > most)
        fail_msg("%s: %zu bytes, more than %zu", what, bytes, most);
}

static void frames_are_small(void **state)
{
    (void)state;
    struct theme theme = dark();
    struct bench bench = bench_new(&able, &theme, 50, 160);
    draw_page(&bench.canvas, 0);
    within("first frame of a page", bench_frame(&bench), 6144);
    draw_page(&bench.canvas, 1);
    within("cursor move on it", bench_frame(&bench), 150);
    draw_list(&bench.canvas, 0, 0);
    within("another page", bench_frame(&bench), 6144);
    size_t worst = 0, worst_scroll = 0, bytes;
    for (int i = 1; i < 46; i++) {
        draw_list(&bench.canvas, 0, i);
        bytes = bench_frame(&bench);
        worst = bytes > worst ? bytes : worst;
    }
    within("cursor move in a list", worst, 150);
    for (int i = 46; i < 246; i++) {
        draw_list(&bench.canvas, i - 45, i);
        bytes = bench_frame(&bench);
        worst_scroll = bytes > worst_scroll ? bytes : worst_scroll;
    }
    within("scroll down by a row", worst_scroll, 400);
    for (int i = 200; i > 0; i--) {
        draw_list(&bench.canvas, i, i);
        bytes = bench_frame(&bench);
        if (i < 200)
            worst_scroll = bytes > worst_scroll ? bytes : worst_scroll;
    }
    within("scroll up by a row", worst_scroll, 400);
    canvas_cursor(&bench.canvas, 3, 1);
    within("only the cursor", bench_frame(&bench), 8);
    bench_free(&bench);
}

/* Borders stand where they belong although the terminal takes another width for what is left of
 * them; and nothing is lost behind a character that took more than expected. */
static void disputed_widths_bend_no_border(void **state)
{
    (void)state;
    struct theme theme = dark();
    struct bench bench = bench_new(&able, &theme, 26, 40);
    for (int round = 0; round < 3; round++) {
        canvas_clear(&bench.canvas);
        struct rect inside =
            canvas_box(&bench.canvas, (struct rect){0, 0, 26, 20 + round}, "t", NULL, true);
        for (int i = 0; i < 24; i++)
            for (int column = 0; column < inside.columns; column += 7)
                canvas_print(&bench.canvas, 1 + i, 1 + column, inside.columns - column, STYLE_TEXT,
                             snippets[(i + round) % 24]);
        bench_frame(&bench);
        for (int row = 1; row < 25; row++) {
            assert_int_equal(terminal_cell(bench.screen, row, 0).chars[0], 0x2502);
            assert_int_equal(terminal_cell(bench.screen, row, 19 + round).chars[0], 0x2502);
        }
    }
    bench_free(&bench);
}

/* Behind a character that is not plain ASCII or ours comes an absolute address or nothing. */
static void cursor_is_addressed_behind_foreign_characters(void **state)
{
    (void)state;
    struct theme theme = dark();
    struct bench bench = bench_new(&able, &theme, 4, 40);
    bench_frame(&bench);
    canvas_print(&bench.canvas, 1, 3, 30, STYLE_TEXT, "aéb中c─d");
    buffer_clear(&bench.out);
    assert_true(painter_frame(&bench.painter, &bench.canvas, &bench.out, NULL));
    static const char expected[] = "\033[2;4Haé\033[6Gb中\033[9Gc─d\r\n\n";
    assert_int_equal(bench.out.length, sizeof expected - 1);
    assert_memory_equal(bench.out.data, expected, sizeof expected - 1);
    bench_free(&bench);
}

/* This emulator waits with the wrap, as xterm does; others scroll at once. */
static void last_cell_is_written_without_wrap(void **state)
{
    (void)state;
    struct theme theme = dark();
    struct bench bench = bench_new(&able, &theme, 3, 6);
    canvas_print(&bench.canvas, 2, 0, 6, STYLE_TEXT, "abcdef");
    assert_non_null(strstr(frame_text(&bench), "abcde\033[?7lf\033[?7h"));
    canvas_print(&bench.canvas, 2, 5, 1, STYLE_MATCH, " ");
    assert_non_null(strstr(frame_text(&bench), "\033[?7l \033[?7h"));
    canvas_print(&bench.canvas, 2, 4, 2, STYLE_TEXT, "中");
    assert_non_null(strstr(frame_text(&bench), "\033[?7l中\033[?7h"));
    canvas_print(&bench.canvas, 1, 0, 6, STYLE_TEXT, "abcdef");
    assert_null(strstr(frame_text(&bench), "?7"));
    bench_free(&bench);
}

/* This emulator erases with the present background; others can't. */
static void colored_blanks_are_erased_only_where_that_colors(void **state)
{
    (void)state;
    struct theme theme = dark();
    theme.looks[STYLE_OK].back = COLOR_INDEX | 4;
    for (int erases = 0; erases < 2; erases++) {
        struct painter_abilities abilities = able;
        abilities.erases = erases;
        struct bench bench = bench_new(&abilities, &theme, 3, 40);
        frame_text(&bench);
        canvas_fill(&bench.canvas, (struct rect){1, 0, 1, 40}, STYLE_OK, ' ');
        const char *text = frame_text(&bench);
        assert_int_equal(strstr(text, "\033[K") != NULL, erases);
        canvas_fill(&bench.canvas, (struct rect){1, 0, 1, 40}, STYLE_TEXT, ' ');
        text = frame_text(&bench);
        if (strstr(text, "\033[m\033[K") == NULL)
            fail_msg("%d: %s", erases, text + 1);
        bench_free(&bench);
    }
}

static void styles_without_difference_cost_nothing(void **state)
{
    (void)state;
    struct theme theme;
    assert_true(theme_load("mono", NULL, &theme, NULL));
    struct painter_abilities abilities = able;
    abilities.depth = COLORS_NONE;
    struct bench bench = bench_new(&abilities, &theme, 4, 40);
    canvas_print(&bench.canvas, 1, 3, 30, STYLE_OK, "ok");
    bench_frame(&bench);
    canvas_print(&bench.canvas, 1, 3, 30, STYLE_SPARK, "ok");
    assert_int_equal(bench_frame(&bench), 0);
    bench_free(&bench);
}

static void painter_survives_want_of_memory(void **state)
{
    (void)state;
#ifdef SURFBOARD_FAULTS
    struct theme theme = dark();
    for (long n = 1; n < 9; n++) {
        struct bench bench = bench_new(&able, &theme, 6, 40);
        canvas_print(&bench.canvas, 1, 3, 30, STYLE_OK, "text");
        struct error error = {0};
        memory_fail_after(n);
        bool ok = painter_frame(&bench.painter, &bench.canvas, &bench.out, &error);
        memory_fail_after(0);
        assert_true(ok || error.kind == ERROR_MEMORY);
        if (!ok)
            assert_int_equal(bench.out.length, 0);
        assert_true(n > 1 || !ok);
        painter_forget(&bench.painter);
        bench_frame(&bench); /* and goes on */
        bench_free(&bench);
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_is_addressed_behind_foreign_characters),
        cmocka_unit_test(last_cell_is_written_without_wrap),
        cmocka_unit_test(colored_blanks_are_erased_only_where_that_colors),
        cmocka_unit_test(styles_without_difference_cost_nothing),
        cmocka_unit_test(frames_are_small),
        cmocka_unit_test(disputed_widths_bend_no_border),
        cmocka_unit_test(terminal_shows_any_canvas),
        cmocka_unit_test(lesser_terminals_show_any_canvas),
        cmocka_unit_test(terminfo_serves_where_ansi_does_not),
        cmocka_unit_test(painter_survives_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What tui/screen/terminal.h promises about a tty it owns: what is sent to which type, that nothing
 * blocks, and that what is pending is never mixed up. Signals and crashes are the pty tier's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tui/screen/terminal.h"
#include "tui/screen/terminfo.h"

static struct error error;

/* -- a pty as our stdin and stdout, while cmocka's are put away */

struct line {
    int master, slave, saved_in, saved_out;
    struct termios before;
    char seen[1 << 17];
    size_t length;
};
static struct line line;

static void line_open(unsigned short rows, unsigned short columns)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    fflush(stdout);
    assert_int_equal(openpty(&line.master, &line.slave, NULL, NULL, &size), 0);
    fcntl(line.master, F_SETFL, O_NONBLOCK);
    tcgetattr(line.slave, &line.before);
    line.saved_in = dup(STDIN_FILENO);
    line.saved_out = dup(STDOUT_FILENO);
    dup2(line.slave, STDIN_FILENO);
    dup2(line.slave, STDOUT_FILENO);
    line.length = 0;
}

static void line_close(void)
{
    dup2(line.saved_in, STDIN_FILENO);
    dup2(line.saved_out, STDOUT_FILENO);
    close(line.saved_in);
    close(line.saved_out);
    close(line.slave);
    close(line.master);
}

/* All that came, as text. */
static const char *line_read(void)
{
    ssize_t count;
    while ((count =
                read(line.master, line.seen + line.length, sizeof line.seen - 1 - line.length)) > 0)
        line.length += (size_t)count;
    line.seen[line.length] = '\0';
    return line.seen;
}

static const char *line_news(void)
{
    line.length = 0;
    return line_read();
}

static void set_environment(const char *term, const char *colorterm, const char *no_color)
{
    unsetenv("TMUX");
    term ? setenv("TERM", term, 1) : unsetenv("TERM");
    colorterm ? setenv("COLORTERM", colorterm, 1) : unsetenv("COLORTERM");
    no_color ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR");
}

static void open_as(struct terminal *terminal, const struct terminal_options *options)
{
    line_open(24, 80);
    if (!terminal_open(terminal, options, &error)) {
        line_close();
        fail_msg("%s", error.message);
    }
}

static bool settings_are_back(void)
{
    struct termios now;
    tcgetattr(line.slave, &now);
    return now.c_lflag == line.before.c_lflag && now.c_iflag == line.before.c_iflag &&
           now.c_oflag == line.before.c_oflag;
}

/* -- types */

static void colours_follow_type_and_environment(void **state)
{
    (void)state;
    static const struct {
        const char *term, *colorterm, *no_color;
        enum color_depth depth;
    } cases[] = {
        {"xterm-256color", NULL, NULL, COLORS_256},
        {"xterm-256color", "truecolor", NULL, COLORS_TRUE},
        {"xterm-256color", "24bit", NULL, COLORS_TRUE},
        {"xterm-256color", "yes", NULL, COLORS_256},
        {"xterm-256color", "truecolor", "1", COLORS_NONE},
        {"xterm-256color", NULL, "", COLORS_256}, /* empty counts as unset: no-color.org */
        {"xterm", NULL, NULL, COLORS_16},
        {"tmux-256color", "truecolor", NULL, COLORS_TRUE},
        {"screen-256color", "truecolor", NULL, COLORS_256}, /* told of the terminal outside */
        {"linux", NULL, NULL, COLORS_16},
        {"linux", "truecolor", NULL, COLORS_16},
        {"vt100", NULL, NULL, COLORS_NONE},
        {"vt220", "truecolor", NULL, COLORS_NONE},
        {"nonsense", "truecolor", NULL, COLORS_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct terminal terminal;
        struct terminal_options options = {.title = NULL};
        if (!terminfo_open(cases[i].term, -1) && strcmp(cases[i].term, "nonsense") != 0)
            continue; /* ncurses-base lacks it here */
        set_environment(cases[i].term, cases[i].colorterm, cases[i].no_color);
        open_as(&terminal, &options);
        enum color_depth depth = terminal.abilities.depth;
        terminal_close(&terminal);
        line_close();
        if (depth != cases[i].depth)
            fail_msg("%s, COLORTERM %s: %d", cases[i].term, cases[i].colorterm, (int)depth);
    }
}

static void no_color_is_an_option_too(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.no_color = true};
    set_environment("xterm-256color", "truecolor", NULL);
    open_as(&terminal, &options);
    assert_int_equal(terminal.abilities.depth, COLORS_NONE);
    terminal_close(&terminal);
    line_close();
}

static void abilities_are_what_the_painter_relies_on(void **state)
{
    (void)state;
    static const struct {
        const char *term;
        bool ansi, blanks, erases, scrolls, modern, known;
    } cases[] = {
        {"xterm-256color", true, true, true, true, true, true},
        {"tmux-256color", true, false, false, true, true, true},
        {"screen", true, false, false, true, true, true},
        {"rxvt-unicode", true, true, true, true, true, true},
        {"linux", true, true, true, false, false, true},
        {"vt100", false, false, false, false, false, true},
        {"ansi", true, true, false, false, false, true},
        {"nonsense", false, false, false, false, false, false},
        {"unknown", false, false, false, false, false, false},
        {"", false, false, false, false, false, false},
        {NULL, false, false, false, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct terminal terminal;
        struct terminal_options options = {.title = "surfboard"};
        set_environment(cases[i].term, NULL, NULL);
        open_as(&terminal, &options);
        const struct painter_abilities can = terminal.abilities;
        bool same = can.ansi == cases[i].ansi && can.blanks == cases[i].blanks &&
                    can.erases == cases[i].erases && can.scrolls == cases[i].scrolls &&
                    terminal.modern == cases[i].modern && terminal.known_type == cases[i].known &&
                    terminal.synchronised == cases[i].modern;
        terminal_close(&terminal);
        line_close();
        if (!same)
            fail_msg("%s: ansi %d blanks %d erases %d scrolls %d", cases[i].term, can.ansi,
                     can.blanks, can.erases, can.scrolls);
    }
}

static void what_cannot_place_its_cursor_is_refused(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    set_environment("dumb", NULL, NULL);
    line_open(24, 80);
    bool ok = terminal_open(&terminal, &options, &error);
    bool back = settings_are_back();
    const char *news = line_news();
    line_close();
    assert_false(ok);
    assert_int_equal(error.kind, ERROR_REFUSED);
    assert_non_null(strstr(error.remedy, "command line"));
    assert_true(back);
    assert_string_equal(news, "");
    assert_int_equal(terminal.fd, -1);
    terminal_close(&terminal); /* nothing to do, and nothing done */
}

static void without_a_terminal_it_is_refused(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    int null = open("/dev/null", O_RDWR);
    line_open(24, 80);
    dup2(null, STDOUT_FILENO);
    bool ok = terminal_open(&terminal, &options, &error);
    line_close();
    close(null);
    assert_false(ok);
    assert_int_equal(error.kind, ERROR_REFUSED);
    assert_non_null(strstr(error.message, "output is not a terminal"));
}

static void ascii_is_taken_where_the_locale_knows_no_more(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL}, ascii = {.ascii = true};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    assert_true(terminal.utf8);
    terminal_close(&terminal);
    line_close();
    open_as(&terminal, &ascii);
    assert_false(terminal.utf8);
    terminal_close(&terminal);
    line_close();
    setlocale(LC_ALL, "C");
    open_as(&terminal, &options);
    assert_false(terminal.utf8);
    terminal_close(&terminal);
    line_close();
    setlocale(LC_ALL, "C.UTF-8");
}

/* -- frames */

static void nothing_is_written_before_the_first_frame(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = "surfboard\x1b[31m D\xc2\x9b\x07"};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    assert_string_equal(line_news(), "");
    assert_false(settings_are_back());
    assert_true(terminal_send(&terminal, SLICE_LITERAL("page")));
    const char *news = line_news();
    assert_int_equal(strncmp(news, "\x1b[?2026h\x1b[?1049h", 16), 0);
    assert_non_null(strstr(news, "\x1b]2;surfboard[31m D\x1b\\page\x1b[?2026l"));
    assert_true(terminal_send(&terminal, SLICE_LITERAL("next")));
    assert_string_equal(line_news(), "\x1b[?2026hnext\x1b[?2026l");
    assert_true(terminal_send(&terminal, SLICE_LITERAL("")));
    assert_string_equal(line_news(), "");
    terminal_close(&terminal);
    assert_non_null(strstr(line_news(), "\x1b[?1049l"));
    assert_true(settings_are_back());
    line_close();
}

static void closed_before_a_frame_it_leaves_no_trace(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = "surfboard"};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    terminal_close(&terminal);
    assert_string_equal(line_news(), "");
    assert_true(settings_are_back());
    line_close();
}

static void fill(struct terminal *terminal)
{
    static char frame[8192];
    memset(frame, 'x', sizeof frame);
    for (int i = 0; i < 64 && !terminal_busy(terminal); i++)
        assert_true(terminal_send(terminal, slice_make(frame, sizeof frame)));
    assert_true(terminal_busy(terminal));
}

static void what_did_not_fit_goes_out_in_order(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    fill(&terminal);
    assert_true(terminal_send(&terminal, SLICE_LITERAL("last"))); /* waits behind the rest */
    assert_true(terminal_flush(&terminal));
    for (int i = 0; i < 1000 && terminal_busy(&terminal); i++) {
        line_read();
        assert_true(terminal_flush(&terminal));
    }
    assert_false(terminal_busy(&terminal));
    const char *all = line_read();
    size_t begins = 0, ends = 0, inside = 0;
    for (const char *at = all; *at; at++) {
        begins += strncmp(at, "\x1b[?2026h", 8) == 0;
        ends += strncmp(at, "\x1b[?2026l", 8) == 0;
        inside += *at == 'x';
    }
    assert_int_equal(begins, ends);
    assert_int_equal(inside % 8192, 0);
    assert_string_equal(all + line.length - 20, "\x1b[?2026hlast\x1b[?2026l");
    terminal_close(&terminal);
    line_close();
}

static void a_cut_off_frame_is_cancelled_on_closing(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    fill(&terminal);
    terminal_close(&terminal);
    assert_true(settings_are_back());
    const char *news = line_news(), *cancel = strstr(news, "\x18\x1b\\\x1b[?2026l");
    assert_non_null(cancel);
    assert_non_null(strstr(cancel, "\x1b[?1049l"));
    line_close();
}

static void given_away_nothing_is_written(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = "surfboard"};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    terminal_send(&terminal, SLICE_LITERAL("page"));
    terminal_suspend(&terminal);
    assert_true(settings_are_back());
    line_news();
    terminal_send(&terminal, SLICE_LITERAL("page"));
    terminal_title(&terminal, "other");
    terminal_suspend(&terminal);
    assert_string_equal(line_news(), "");
    terminal_close(&terminal);
    assert_string_equal(line_news(), "");
    line_close();
}

static void a_lost_line_is_told(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    char byte;
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    terminal_send(&terminal, SLICE_LITERAL("page"));
    assert_int_equal(terminal_read(&terminal, &byte, 1), 0);
    close(line.master);
    line.master = open("/dev/null", O_RDONLY);
    assert_int_equal(terminal_read(&terminal, &byte, 1), -1);
    assert_false(terminal_send(&terminal, SLICE_LITERAL("next")));
    assert_true(terminal_resume(&terminal));
    terminal_abandon(&terminal);
    assert_int_equal(terminal.fd, -1);
    line_close();
}

static void a_size_of_nothing_is_80x24(void **state)
{
    (void)state;
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    struct winsize size = {.ws_row = 0, .ws_col = 0}, huge = {.ws_row = 65535, .ws_col = 65535};
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    assert_false(terminal_measure(&terminal));
    ioctl(line.slave, TIOCSWINSZ, &huge);
    assert_true(terminal_measure(&terminal));
    assert_in_range(terminal.rows, 500, 1000); /* cells cost memory */
    ioctl(line.slave, TIOCSWINSZ, &size);
    assert_true(terminal_measure(&terminal));
    assert_int_equal(terminal.rows, 24);
    assert_int_equal(terminal.columns, 80);
    terminal_close(&terminal);
    line_close();
}

/* -- clipboard */

static void a_clipboard_takes_so_much_and_no_more(void **state)
{
    (void)state;
    static char text[TERMINAL_COPY_MOST + 1];
    struct terminal terminal;
    struct terminal_options options = {.title = NULL};
    memset(text, 'a', sizeof text);
    set_environment("xterm-256color", NULL, NULL);
    open_as(&terminal, &options);
    assert_true(terminal_copy(&terminal, slice_of("row 1"), &error));
    assert_string_equal(line_news(), "\x1b]52;c;cm93IDE=\x1b\\");
    assert_true(terminal_copy(&terminal, slice_make(text, TERMINAL_COPY_MOST), &error));
    line.length = 0;
    while (terminal_busy(&terminal)) {
        line_read();
        assert_true(terminal_flush(&terminal));
    }
    line_read();
    assert_in_range(line.length, 70000, 74994 + 9);
    assert_false(terminal_copy(&terminal, slice_make(text, sizeof text), &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "56245"));
    assert_string_equal(line_news(), "");
    terminal_close(&terminal);
    line_close();
    set_environment("linux", NULL, NULL);
    open_as(&terminal, &options);
    assert_false(terminal_copy(&terminal, slice_of("row 1"), &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    terminal_close(&terminal);
    line_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_follow_type_and_environment),
        cmocka_unit_test(no_color_is_an_option_too),
        cmocka_unit_test(abilities_are_what_the_painter_relies_on),
        cmocka_unit_test(what_cannot_place_its_cursor_is_refused),
        cmocka_unit_test(without_a_terminal_it_is_refused),
        cmocka_unit_test(ascii_is_taken_where_the_locale_knows_no_more),
        cmocka_unit_test(nothing_is_written_before_the_first_frame),
        cmocka_unit_test(closed_before_a_frame_it_leaves_no_trace),
        cmocka_unit_test(what_did_not_fit_goes_out_in_order),
        cmocka_unit_test(a_cut_off_frame_is_cancelled_on_closing),
        cmocka_unit_test(given_away_nothing_is_written),
        cmocka_unit_test(a_lost_line_is_told),
        cmocka_unit_test(a_size_of_nothing_is_80x24),
        cmocka_unit_test(a_clipboard_takes_so_much_and_no_more),
    };
    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

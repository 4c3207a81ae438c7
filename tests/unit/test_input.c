/* What a user types arrives as the keys that were meant, however the line cuts it up, and what a
 * terminal says by itself never becomes a key: tui/screen/input.h and key.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/random.h"
#include "tui/screen/input.h"
#include "tui/screen/terminfo.h"

/* -- keys as one line of names, "Up m Paste(text)" */

struct heard {
    struct input *input;
    char text[4096];
    size_t length, count;
};

static void hear(void *context, key_code key)
{
    struct heard *heard = context;
    char name[KEY_NAME_SIZE], *at = heard->text + heard->length;
    size_t room = sizeof heard->text - heard->length;
    const struct input_mouse *mouse = &heard->input->mouse;
    key_name(key, name);
    heard->count++;
    int length;
    if (key == KEY_PASTE)
        length = snprintf(at, room, "Paste(%.*s) ", SLICE_ARG(input_paste(heard->input)));
    else if (key == KEY_MOUSE)
        length = snprintf(at, room, "Mouse%d(%d,%d) ", (int)mouse->what, mouse->row, mouse->column);
    else
        length = snprintf(at, room, "%s ", name);
    if (length > 0 && (size_t)length < room)
        heard->length += (size_t)length;
}

static const char *end_of(struct heard *heard)
{
    if (heard->length > 0)
        heard->length--;
    heard->text[heard->length] = '\0';
    return heard->text;
}

struct typed {
    const char *bytes;
    size_t length;
    const char *keys;
};
#define TYPED(bytes, keys)                                                                         \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, keys                                                             \
    }

/* In one piece, cut once at each place, and byte by byte: always the same keys. */
static void check_typed(const char *type, const struct typed *typed)
{
    for (size_t cut = 0; cut <= typed->length + 1; cut++) {
        struct input input;
        input_init(&input, type && terminfo_open(type, -1));
        struct heard heard = {.input = &input};
        if (cut > typed->length) {
            for (size_t i = 0; i < typed->length; i++)
                input_feed(&input, typed->bytes + i, 1, hear, &heard);
        } else {
            input_feed(&input, typed->bytes, cut, hear, &heard);
            input_feed(&input, typed->bytes + cut, typed->length - cut, hear, &heard);
        }
        if (strcmp(end_of(&heard), typed->keys) != 0)
            fail_msg("%s, cut at %zu of \"%s\": %s", type ? type : "no terminfo", cut,
                     typed->bytes[0] == 0x1b ? typed->bytes + 1 : typed->bytes, heard.text);
        if (input_waits(&input))
            fail_msg("still waits behind %s", typed->keys);
        input_destroy(&input);
        terminfo_close();
    }
}

static const struct typed common[] = {
    TYPED("q", "q"),
    TYPED("aZ9 ~", "a Z 9 Space ~"),
    TYPED("\r\n\t\b\x7f", "Enter Enter Tab Backspace Backspace"),
    TYPED("\x01\x03\x0c\x1a\x1c\x1d\x1e\x1f",
          "Ctrl-A Ctrl-C Ctrl-L Ctrl-Z Ctrl-\\ Ctrl-] Ctrl-^ Ctrl-_"),
    TYPED("\0x", "Ctrl-Space x"),
    TYPED("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
    TYPED("a\xff\xfe\xc3(\xed\xa0\x80\xc0\x9b\xf5z", "a ( z"), /* broken bytes are nothing */
    TYPED("\xe2\x82q\xc2\x9bq", "q q"),
    TYPED("\x1b[A\x1b[B\x1b[C\x1b[D", "Up Down Right Left"),
    TYPED("\x1bOA\x1bOB\x1bOC\x1bOD", "Up Down Right Left"),
    TYPED("\x1b[1;5A\x1b[1;2B\x1b[1;3C\x1b[1;10D", "Up Down Right Left"),
    TYPED("\x1b[1;5H\x1b[1;2F\x1b[5;3~\x1b[3;5~", "Home End PgUp Del"),
    TYPED("\x1bO5A\x1bO2D", "Up Left"),
    TYPED("\x1b[a\x1b[b\x1bOc\x1bOd", "Up Down Right Left"),
    TYPED("\x1b[H\x1bOH\x1b[1~\x1b[7~\x1b[7$\x1b[7^\x1b[7@", "Home Home Home Home Home Home Home"),
    TYPED("\x1b[F\x1bOF\x1b[4~\x1b[8~\x1b[8$", "End End End End End"),
    TYPED("\x1b[5~\x1b[6~\x1b[2~\x1b[3~", "PgUp PgDn Ins Del"),
    TYPED("\x1b[Z", "Shift-Tab"),
    TYPED("\x1bOM\x1bOp\x1bOq\x1bOy\x1bOk\x1bOm\x1bOj\x1bOo\x1bOn\x1bOX\x1bOI",
          "Enter 0 1 9 + - * / . = Tab"),
    TYPED("\x1bOP\x1b[15~\x1b[24~\x1b[[A\x1b[[Eq", "q"), /* F-keys are nobody's */
    TYPED("\x1bm\x1b\x1b[A", "Esc m Esc Up"),            /* there is no Alt */
    TYPED("\x1b\r\x1b\xc3\xa9", "Esc Enter Esc \xc3\xa9"),
    TYPED("\x1b]j\x1bPj\x1b]]q", "Esc ] j Esc P j Esc ] ] q"), /* two keys, not a string */
    TYPED("\x1b[\rj\x1b[[j\x1bO\x03", "Esc [ Enter j Esc [ [ j Esc O Ctrl-C"),
    TYPED("\x1b[12\x1b[A\x1b[1;\rj", "Up Enter j"), /* cut off by another key */
    TYPED("\x1bO5\x1b[Aj", "Up j"),
    /* answers to questions of the program before us */
    TYPED("\x1b[?62;22cq", "q"),
    TYPED("\x1b[>41;380;0c\x1b[12;40R\x1b[0n\x1b[?2026;2$y\x1b[4;1$y\x1b[8;50;160tq", "q"),
    TYPED("\x1b]11;rgb:0000/0000/0000\x1b\\q\x1b]10;rgb:f0f0/f0f0/f0f0\x07q", "q q"),
    TYPED("\x1bP>|XTerm(380)\x1b\\\x1bP1$r0m\x1b\\\x1bP0+r\x1b\\q", "q"),
    TYPED("\x1b_Gi=31;OK\x1b\\\x1b^note\x1b\\q", "q"),
    TYPED("\x1b]lDELETE everything :q\x1b\\q\x1b]Licon\x1b\\q", "q q"),
    TYPED("\x1b[I\x1b[Oq\x1b[97;5uq\x1b[27;5;97~q", "q q q"),
    /* a string without an end lets every key through that can't be part of it */
    TYPED("\x1b]11;rgb:00\rj", "Enter j"),
    TYPED("\x1b]11;rgb:00\x1b[Bj", "Down j"),
    TYPED("\x1b]11;rgb:00\x03j", "Ctrl-C j"),
    /* paste */
    TYPED("\x1b[200~select 1;\x1b[201~q", "Paste(select 1;) q"),
    TYPED("\x1b[200~a\rb\r\nc\nd\te\x1b[201~", "Paste(a\nb\nc\nd\te)"),
    TYPED("\x1b[200~\x1b[201\x1b[20\x1b[201~q", "Paste([201[20) q"),
    TYPED("\x1b[200~\x1b\x1b[201~\x1b[201~q", "Paste() q"),
    TYPED("\x1b[200~\x1b[31mr\x03\x7f\xff\xc2\x9b\xc3\xa9\x1b[201~q", "Paste([31mr\xc3\xa9) q"),
    /* mouse */
    TYPED("\x1b[<0;1;1M\x1b[<0;1;1m\x1b[<64;10;5M\x1b[<65;160;50Mq",
          "Mouse0(0,0) Mouse1(4,9) Mouse2(49,159) q"),
    TYPED("\x1b[<16;3;4M\x1b[<2;3;4M\x1b[<35;3;4M\x1b[<0;3M\x1b[<0;0;0M",
          "Mouse0(3,2) Mouse0(0,0)"),
    TYPED("\x1b[<0;99999999999;99999999999Mq", "Mouse0(99999,99999) q"),
};

static void keys_are_the_same_wherever_the_line_cuts_them(void **state)
{
    (void)state;
    static const char *const types[] = {NULL,    "xterm-256color", "rxvt-unicode", "tmux-256color",
                                        "vt100", "screen"};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (size_t i = 0; i < sizeof common / sizeof *common; i++)
            check_typed(types[t], &common[i]);
}

static void terminfo_adds_what_is_not_common(void **state)
{
    (void)state;
    static const struct typed linux_console = TYPED("\x1b\tq\x1b[[A\x1b[4~", "Shift-Tab q End"),
                              sun = TYPED("\x1b[216z\x1b[222z\x1b[224zq", "PgUp PgDn q"),
                              ansi = TYPED("\x1b[L\x1b[Aq", "Ins Up q"),
                              vt52 = TYPED("\x1b"
                                           "Aq\x1b[A",
                                           "Up q Up");
    check_typed("linux", &linux_console);
    check_typed("sun", &sun);
    check_typed("ansi", &ansi);
    if (terminfo_open("vt52", -1))
        check_typed("vt52", &vt52);
}

/* -- what time decides */

static const char *keys_of(struct input *input, struct heard *heard, const char *bytes,
                           unsigned flushes)
{
    heard->input = input;
    heard->length = heard->count = 0;
    input_feed(input, bytes, strlen(bytes), hear, heard);
    for (unsigned i = 0; i < flushes; i++)
        input_flush(input, hear, heard);
    return end_of(heard);
}

static void a_lone_escape_is_a_key_once_nothing_follows(void **state)
{
    (void)state;
    struct input input;
    struct heard heard;
    input_init(&input, false);
    assert_false(input_waits(&input));
    assert_string_equal(keys_of(&input, &heard, "\x1b", 0), "");
    assert_true(input_waits(&input));
    assert_string_equal(keys_of(&input, &heard, "", 1), "Esc");
    assert_false(input_waits(&input));
    assert_string_equal(keys_of(&input, &heard, "\x1b[", 1), "Esc [");
    assert_string_equal(keys_of(&input, &heard, "\x1bO", 1), "Esc O");
    assert_string_equal(keys_of(&input, &heard, "\x1b]", 1), "Esc ]");
    assert_string_equal(keys_of(&input, &heard, "\x1bP", 1), "Esc P");
    assert_string_equal(keys_of(&input, &heard, "\x1b[[", 1), "Esc [ [");
    assert_string_equal(keys_of(&input, &heard, "\x1b\x1b", 2), "Esc Esc");
    assert_string_equal(keys_of(&input, &heard, "", 3), "");
    input_destroy(&input);
}

static void the_late_rest_of_a_sequence_is_no_key(void **state)
{
    (void)state;
    struct input input;
    struct heard heard;
    input_init(&input, false);
    assert_string_equal(keys_of(&input, &heard, "\x1b[1;", INPUT_SEQUENCE_PATIENCE - 1), "");
    assert_string_equal(keys_of(&input, &heard, "5", INPUT_SEQUENCE_PATIENCE - 1), "");
    assert_string_equal(keys_of(&input, &heard, "Aq", 0), "Up q");
    assert_string_equal(keys_of(&input, &heard, "\x1b]11;rgb", 3), "");
    assert_string_equal(keys_of(&input, &heard, ":D\x1b", 0), "");
    assert_string_equal(keys_of(&input, &heard, "\\q", 0), "q");
    input_destroy(&input);
}

static void a_sequence_without_an_end_is_given_up(void **state)
{
    (void)state;
    struct input input;
    struct heard heard;
    input_init(&input, false);
    assert_string_equal(keys_of(&input, &heard, "\x1b[1;5", INPUT_SEQUENCE_PATIENCE), "");
    assert_false(input_waits(&input));
    assert_string_equal(keys_of(&input, &heard, "q", 0), "q");
    assert_string_equal(keys_of(&input, &heard, "\x1b]11;rgb", INPUT_SEQUENCE_PATIENCE), "");
    assert_string_equal(keys_of(&input, &heard, "q", 0), "q");
    assert_string_equal(keys_of(&input, &heard, "\x1b]11;rgb\x1b", 1), "Esc");
    assert_string_equal(keys_of(&input, &heard, "q", 0), "q");
    assert_string_equal(keys_of(&input, &heard, "\x1b[200~rows", INPUT_PASTE_PATIENCE - 1), "");
    assert_string_equal(keys_of(&input, &heard, "", 1), "");
    assert_string_equal(keys_of(&input, &heard, "", INPUT_PASTE_PATIENCE), "Paste(rows)");
    assert_string_equal(keys_of(&input, &heard, "q", 0), "q");
    input_destroy(&input);
}

static void a_string_without_an_end_is_bounded(void **state)
{
    (void)state;
    struct input input;
    struct heard heard = {.input = &input};
    input_init(&input, false);
    input_feed(&input, "\x1b]52;c;", 7, hear, &heard);
    for (int i = 0; i < 5000; i++)
        input_feed(&input, "A", 1, hear, &heard);
    assert_in_range(heard.count, 800, 1000);
    input_feed(&input, "\x1b[", 2, hear, &heard);
    heard.count = 0;
    for (int i = 0; i < 5000; i++)
        input_feed(&input, "1", 1, hear, &heard);
    input_feed(&input, "Aq", 2, hear, &heard);
    assert_int_equal(heard.count, 1);
    input_destroy(&input);
}

static void count_paste(void *context, key_code key)
{
    struct input *input = context;
    if (key == KEY_PASTE)
        assert_int_equal(input_paste(input).length, INPUT_PASTE_MOST);
    else
        assert_int_equal(key, 'q');
}

static void a_paste_is_limited_and_ends_all_the_same(void **state)
{
    (void)state;
    struct input input;
    static char piece[65536];
    memset(piece, 'x', sizeof piece);
    input_init(&input, false);
    input_feed(&input, "\x1b[200~", 6, count_paste, &input);
    for (int i = 0; i < 20; i++)
        input_feed(&input, piece, sizeof piece, count_paste, &input);
    input_feed(&input, "\x1b[201~q", 7, count_paste, &input);
    assert_false(input_waits(&input));
    input_destroy(&input);
}

static void all_400_held_keys_arrive(void **state)
{
    (void)state;
    struct input input;
    struct heard heard = {.input = &input};
    input_init(&input, false);
    for (int i = 0; i < 400; i++)
        input_feed(&input, "\x1bOB", 3, hear, &heard);
    assert_int_equal(heard.count, 400);
    input_destroy(&input);
}

/* Whatever came before, once it was given up a plain key is a plain key. */
static void random_bytes_lose_no_later_key(void **state)
{
    (void)state;
    static const char spice[] = "\x1b\x1b\x1b[[O]P_^X?;<0123456789~ABMmcRn$\\\x07\r\x9b\xc3\xe2";
    struct random random;
    random_seed(&random, 20260101);
    terminfo_open("xterm-256color", -1);
    for (int round = 0; round < 20000; round++) {
        struct input input;
        struct heard heard = {.input = &input};
        char bytes[64];
        size_t length = random_below(&random, sizeof bytes);
        for (size_t i = 0; i < length; i++)
            bytes[i] = random_below(&random, 4) ? spice[random_below(&random, sizeof spice)]
                                                : (char)random_below(&random, 256);
        input_init(&input, round % 2);
        input_feed(&input, bytes, length, hear, &heard);
        unsigned flushes = 0;
        for (; input_waits(&input); flushes++)
            input_flush(&input, hear, &heard);
        assert_in_range(flushes, 0, INPUT_PASTE_PATIENCE + INPUT_SEQUENCE_PATIENCE);
        assert_string_equal(keys_of(&input, &heard, "q\x1b[A", 0), "q Up");
        input_destroy(&input);
    }
    terminfo_close();
}

/* -- names */

static void names_are_read_as_they_are_written(void **state)
{
    (void)state;
    char name[KEY_NAME_SIZE];
    for (key_code key = KEY_UP; key <= KEY_MOUSE; key++) {
        key_name(key, name);
        assert_int_equal(key_parse(name), key);
    }
    for (key_code key = ' '; key < 0x3000; key++) {
        if (key >= 0x7f && key < 0xa0)
            continue;
        key_name(key, name);
        assert_int_equal(key_parse(name), key);
    }
    for (char letter = 'a'; letter <= 'z'; letter++) {
        key_code key = KEY_CTRL | (key_code)letter;
        key_name(key, name);
        assert_int_equal(name[5], letter - 'a' + 'A');
        if (!strchr("hijm", letter))
            assert_int_equal(key_parse(name), key);
    }
}

static void names_have_the_usual_variants(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        key_code key;
    } known[] = {
        {"C-l", KEY_CTRL | 'l'},
        {"c-L", KEY_CTRL | 'l'},
        {"ctrl-x", KEY_CTRL | 'x'},
        {"CTRL-SPACE", KEY_CTRL | ' '},
        {"C-@", KEY_CTRL | ' '},
        {"Ctrl-\\", KEY_CTRL | '\\'},
        {"C-/", KEY_CTRL | '_'},
        {"C-m", KEY_ENTER}, /* the same byte on every terminal */
        {"Ctrl-I", KEY_TAB},
        {"C-h", KEY_BACKSPACE},
        {"C-[", KEY_ESCAPE},
        {"pageup", KEY_PAGE_UP},
        {"PgDn", KEY_PAGE_DOWN},
        {"esc", KEY_ESCAPE},
        {"ESCAPE", KEY_ESCAPE},
        {"return", KEY_ENTER},
        {"BackTab", KEY_BACK_TAB},
        {"shift-tab", KEY_BACK_TAB},
        {"space", ' '},
        {" ", ' '},
        {"m", 'm'},
        {"M", 'M'},
        {"<", '<'},
        {"-", '-'},
        {"\xc3\xa9", 0xe9},
        {"", KEY_NONE},
        {"mm", KEY_NONE},
        {"F5", KEY_NONE},
        {"Ctrl-", KEY_NONE},
        {"C-\xc3\xa9", KEY_NONE},
        {"C-up", KEY_NONE},
        {"M-x", KEY_NONE},
        {"\x1b", KEY_NONE},
        {"\xff", KEY_NONE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (key_parse(known[i].name) != known[i].key)
            fail_msg("%s is %x", known[i].name, (unsigned)key_parse(known[i].name));
    char name[KEY_NAME_SIZE];
    key_name(KEY_UNKNOWN, name);
    assert_string_equal(name, "unknown");
    key_name(0x85, name);
    assert_string_equal(name, "U+0085");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_same_wherever_the_line_cuts_them),
        cmocka_unit_test(terminfo_adds_what_is_not_common),
        cmocka_unit_test(a_lone_escape_is_a_key_once_nothing_follows),
        cmocka_unit_test(the_late_rest_of_a_sequence_is_no_key),
        cmocka_unit_test(a_sequence_without_an_end_is_given_up),
        cmocka_unit_test(a_string_without_an_end_is_bounded),
        cmocka_unit_test(a_paste_is_limited_and_ends_all_the_same),
        cmocka_unit_test(all_400_held_keys_arrive),
        cmocka_unit_test(random_bytes_lose_no_later_key),
        cmocka_unit_test(names_are_read_as_they_are_written),
        cmocka_unit_test(names_have_the_usual_variants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

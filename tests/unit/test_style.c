/* Themes, colours and the sequences that set them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "tui/screen/style.h"

static void refuse(const char *text, const char *message, const char *remedy)
{
    struct theme theme;
    struct error error = {0};
    assert_false(theme_parse(slice_of(text), "t/my.yaml", &theme, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    if (strstr(error.message, message) == NULL || strstr(error.remedy, remedy) == NULL)
        fail_msg("%s (%s)", error.message, error.remedy);
    assert_string_equal(theme.name, "dark"); /* the screen can go on */
}

static void theme_says_what_a_role_looks_like(void **state)
{
    (void)state;
    struct theme theme;
    assert_true(theme_parse(SLICE_LITERAL("fail: bold red\n"
                                          "ok: \"#00Ff7f on bright-black\"\n"
                                          "warn: reverse dim underline\n"
                                          "key: default on default\n"
                                          "text: plain\n"),
                            "t/my.yaml", &theme, NULL));
    assert_string_equal(theme.name, "my");
    assert_int_equal(theme.looks[STYLE_FAIL].front, COLOR_INDEX | 1);
    assert_int_equal(theme.looks[STYLE_FAIL].back, COLOR_DEFAULT);
    assert_int_equal(theme.looks[STYLE_FAIL].attributes, ATTRIBUTE_BOLD);
    assert_int_equal(theme.looks[STYLE_OK].front, 0x00FF7F);
    assert_int_equal(theme.looks[STYLE_OK].back, COLOR_INDEX | 8);
    assert_int_equal(theme.looks[STYLE_WARN].attributes,
                     ATTRIBUTE_DIM | ATTRIBUTE_UNDERLINE | ATTRIBUTE_REVERSE);
    assert_int_equal(theme.looks[STYLE_TEXT].front, COLOR_DEFAULT);
    /* What is left out looks as in dark. */
    assert_int_equal(theme.looks[STYLE_STRONG].attributes, ATTRIBUTE_BOLD);
    assert_true(theme_parse(SLICE_LITERAL(""), "my.yaml", &theme, NULL));
}

static void theme_error_names_line_and_nearest(void **state)
{
    (void)state;
    refuse("ok: green\nfial: red\n", "t/my.yaml:2: unknown role fial", "did you mean 'fail'?");
    refuse("title_on: red\n", "t/my.yaml:1: unknown role title_on", "did you mean 'title-on'?");
    refuse("zzzzzzzzzz: red\n", "unknown role", "README");
    refuse("\n\nok: gren\n", "t/my.yaml:3: ok: no such colour: gren", "did you mean 'green'?");
    refuse("ok: bod green\n", "no such colour: bod", "did you mean 'bold'?");
    refuse("ok: green on\n", "t/my.yaml:1: ok: no colour behind `on`", "#");
    refuse("ok: green on #202020\n", "no colour behind `on`", "quotes");
    refuse("ok: green on bold\n", "no such colour: bold", "");
    refuse("ok: \"#12345\"\n", "no such colour: #12345", "#rrggbb");
    refuse("ok: #123456\n", "t/my.yaml:1: ok: no word", "quotes");
    refuse("ok:\n", "no word", "plain");
    refuse("ok: [green]\n", "t/my.yaml:1: ok wants words on one line", "bold red");
    refuse("ok: green\nok: red\n", "t/my.yaml:2: ok is there twice", "keep one");
    refuse("- ok\n", "a theme wants a mapping", "role: words");
    refuse("? [a]\n: red\n", "a role is a plain word", "role: words");
    refuse("ok: \"green\n", "not YAML", "");
}

static void theme_is_found_by_name_path_or_built_in(void **state)
{
    (void)state;
    struct theme theme, built_in;
    struct error error = {0};
    char folder[] = "/tmp/surfboard-style-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("XDG_CONFIG_HOME", folder, 1), 0);
    assert_true(theme_load("themes/dark.yaml", NULL, &theme, &error));
    assert_true(theme_load("dark", NULL, &built_in, &error));
    assert_memory_equal(theme.looks, built_in.looks, sizeof theme.looks);
    assert_true(theme_load("mono", "#102030", &theme, &error));
    assert_string_equal(theme.name, "mono");
    assert_int_equal(theme.looks[STYLE_CONTEXT].front, 0x102030);
    assert_true(theme_load("themes/light.yaml", "red", &theme, &error));
    assert_int_equal(theme.looks[STYLE_CONTEXT].front, COLOR_INDEX | 1);

    snprintf(path, sizeof path, "mkdir -p %s/surfboard/themes", folder);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/surfboard/themes/dark.yaml", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("ok: blue\n", file);
    fclose(file);
    assert_true(theme_load("dark", NULL, &theme, &error));
    assert_int_equal(theme.looks[STYLE_OK].front, COLOR_INDEX | 4); /* the user's own wins */
    unlink(path);

    assert_false(theme_load("drak", NULL, &theme, &error));
    assert_string_equal(error.message, "no theme drak");
    assert_string_equal(error.remedy, "did you mean 'dark'?");
    assert_false(theme_load("dark", "redd", &theme, &error));
    assert_string_equal(error.message, "accent: no such colour: redd");
    assert_false(theme_load("./no/such.yaml", NULL, &theme, &error));
    assert_string_equal(theme.name, "dark");
    snprintf(path, sizeof path, "rm -r %s", folder);
    assert_int_equal(system(path), 0);
}

static void expect(struct look look, enum color_depth depth, const char *sequence)
{
    char out[LOOK_BYTES_MOST];
    size_t length = look_sequence(&look, depth, out);
    if (length != strlen(sequence) || memcmp(out, sequence, length) != 0)
        fail_msg("%.*s, not %s", (int)length - 1, out + 1, sequence + 1);
}

static void look_falls_to_the_depth(void **state)
{
    (void)state;
    struct look plain = {COLOR_DEFAULT, COLOR_DEFAULT, 0};
    struct look rgb = {0xFF8700, 0x121212, ATTRIBUTE_BOLD};
    expect(plain, COLORS_TRUE, "\033[m");
    expect(rgb, COLORS_TRUE, "\033[0;1;38;2;255;135;0;48;2;18;18;18m");
    expect(rgb, COLORS_256, "\033[0;1;38;5;208;48;5;233m");
    expect(rgb, COLORS_16, "\033[0;1;33;40m");
    expect(rgb, COLORS_NONE, "\033[0;1m");
    struct look sixteen = {COLOR_INDEX | 9, COLOR_INDEX | 4, ATTRIBUTE_DIM | ATTRIBUTE_UNDERLINE};
    expect(sixteen, COLORS_TRUE, "\033[0;2;4;91;44m");
    expect(sixteen, COLORS_NONE, "\033[0;2;4m");
    expect((struct look){0xFFFFFF, 0x000000, ATTRIBUTE_REVERSE}, COLORS_256,
           "\033[0;7;38;5;231;48;5;16m");
}

static void longest_look_fits(void **state)
{
    (void)state;
    struct look longest = {0xFFFFFF, 0xFEFEFE, 15}, none = {COLOR_DEFAULT, COLOR_DEFAULT, 0};
    char out[LOOK_BYTES_MOST];
    assert_true(look_sequence(&longest, COLORS_TRUE, out) < LOOK_BYTES_MOST);
    assert_true(look_change(&none, &longest, out) < LOOK_BYTES_MOST);
    struct look other = {0xEEEEEE, 0xEEEEEF, ATTRIBUTE_BOLD}, dim = {0xFFFFFF, 0xFEFEFE, 2};
    assert_true(look_change(&other, &dim, out) < LOOK_BYTES_MOST);
    assert_int_equal(look_change(&other, &other, out), 0);
}

static void change(struct look from, struct look to, const char *sequence)
{
    char out[LOOK_BYTES_MOST];
    size_t length = look_change(&from, &to, out);
    if (length != strlen(sequence) || memcmp(out, sequence, length) != 0)
        fail_msg("%.*s, not %s", (int)length - 1, out + 1, sequence + 1);
}

static void change_of_look_is_short(void **state)
{
    (void)state;
    struct look plain = {COLOR_DEFAULT, COLOR_DEFAULT, 0}, bold = {COLOR_DEFAULT, COLOR_DEFAULT, 1},
                dim = {COLOR_DEFAULT, COLOR_DEFAULT, 2}, red = {COLOR_INDEX | 1, COLOR_DEFAULT, 0},
                red_bold = {COLOR_INDEX | 1, COLOR_DEFAULT, 1};
    change(plain, bold, "\033[1m");
    change(bold, plain, "\033[m");
    change(bold, dim, "\033[0;2m");
    change(red, red_bold, "\033[1m");
    change(red_bold, red, "\033[22m");
    change(red_bold, bold, "\033[39m");
    change(plain, red, "\033[31m");
    change(dim, red, "\033[0;31m");
    struct look rgb = {0x102030, 0x405060, 1}, rgb_dim = {0x102030, 0x405060, 2};
    change(rgb, rgb_dim, "\033[22;2m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(theme_says_what_a_role_looks_like),
        cmocka_unit_test(theme_error_names_line_and_nearest),
        cmocka_unit_test(theme_is_found_by_name_path_or_built_in),
        cmocka_unit_test(look_falls_to_the_depth),
        cmocka_unit_test(longest_look_fits),
        cmocka_unit_test(change_of_look_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

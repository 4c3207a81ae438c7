/* The editor over readline, and the file of its statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/base/file.h"
#include "tui/screen/editor.h"

static struct error failure;

static void press(struct editor *editor, const char *text)
{
    for (; *text; text++)
        editor_key(editor, (key_code)(unsigned char)*text);
}

static void holds(const struct editor *editor, const char *expected)
{
    struct slice text = editor_text(editor);
    if (!slice_is(text, expected))
        fail_msg("'%.*s', not '%s'", SLICE_ARG(text), expected);
}

static void opened(struct editor *editor)
{
    *editor = (struct editor){0};
    if (!editor_load(&failure))
        fail_msg("%s", failure.message);
    editor_open(editor);
}

static void keys_edit(void **state)
{
    (void)state;
    struct editor editor;
    opened(&editor);
    press(&editor, "select (1)"); /* without waiting at the parenthesis */
    editor_key(&editor, KEY_CTRL | 'w');
    holds(&editor, "select ");
    editor_key(&editor, KEY_CTRL | 'y');
    holds(&editor, "select (1)");
    editor_key(&editor, KEY_CTRL | '_');
    holds(&editor, "select ");
    editor_key(&editor, 0xE9);
    editor_key(&editor, 0x4E2D);
    holds(&editor, "select \u00e9\u4e2d");
    editor_key(&editor, KEY_LEFT);
    editor_key(&editor, KEY_DELETE);
    editor_key(&editor, KEY_DELETE);
    holds(&editor, "select \u00e9");
    editor_key(&editor, KEY_HOME);
    editor_key(&editor, KEY_CTRL | 'k');
    holds(&editor, "");
    editor_key(&editor, KEY_CTRL | 'd');
    editor_key(&editor, KEY_CTRL | 'd');
    press(&editor, "still here");
    holds(&editor, "still here");
    editor_close(&editor);
}

static void every_key_is_harmless(void **state)
{
    (void)state;
    struct editor editor;
    struct canvas canvas;
    opened(&editor);
    assert_true(canvas_init(&canvas, 5, 20, NULL));
    for (int round = 0; round < 40; round++)
        for (key_code key = 0; key < 0x100; key++) {
            key_code other = (key * 167 + (key_code)round * 31) % 0x100;
            editor_key(&editor, other >= 'a' && other <= 'z' ? KEY_CTRL | other : other);
            editor_key(&editor, KEY_SPECIAL + other % (KEY_UNKNOWN - KEY_SPECIAL + 1));
            if (other == 'e')
                editor_search(&editor);
            if (other == '7')
                editor_enter(&editor);
            editor_draw(&editor, &canvas, (struct rect){0, 0, 5, 20}, true);
        }
    canvas_destroy(&canvas);
    editor_close(&editor);
}

static void lines_and_history(void **state)
{
    (void)state;
    struct editor editor;
    opened(&editor);
    press(&editor, "select 1");
    assert_true(editor_enter(&editor));
    editor_accept(&editor);
    holds(&editor, "select 1");
    editor_clear(&editor);
    editor_insert(&editor, SLICE_LITERAL("select\n2"));
    assert_false(editor_enter(&editor));
    holds(&editor, "select\n2\n");
    press(&editor, ";");
    assert_true(editor_enter(&editor));
    editor_accept(&editor);
    holds(&editor, "select\n2\n;");
    for (int i = 0; i < 3; i++)
        editor_key(&editor, KEY_UP);
    holds(&editor, "select 1");
    press(&editor, "0"); /* a change of the history, taken back when something is accepted */
    editor_key(&editor, KEY_DOWN);
    holds(&editor, "select\n2\n;");
    editor_accept(&editor);
    editor_key(&editor, KEY_UP);
    editor_key(&editor, KEY_UP);
    editor_key(&editor, KEY_UP);
    holds(&editor, "select 1");
    editor_search(&editor);
    press(&editor, "2");
    assert_true(editor_searches(&editor));
    editor_search_end(&editor, false);
    holds(&editor, "select 1");
    editor_close(&editor);
    opened(&editor);
    editor_key(&editor, KEY_UP);
    holds(&editor, "");
    editor_close(&editor);
}

static void a_long_text_stops_growing(void **state)
{
    (void)state;
    struct editor editor;
    size_t length = EDITOR_BYTES_MOST + 100;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'x', length);
    opened(&editor);
    editor_insert(&editor, (struct slice){text, length});
    press(&editor, "y");
    assert_int_equal(editor_text(&editor).length, EDITOR_BYTES_MOST);
    assert_true(editor_rows(&editor, 80) >= EDITOR_BYTES_MOST / 80);
    editor_close(&editor);
    free(text);
}

static void statements_are_kept(void **state)
{
    (void)state;
    char folder[] = "/tmp/surfboard-editor-XXXXXX", path[64];
    struct editor_history history = {0};
    struct stat facts;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/query_history", folder);
    assert_true(editor_history_load(path, &history, &failure));
    assert_int_equal(history.count, 0);
    assert_true(editor_history_append(path, SLICE_LITERAL("a\n\\n'b'"), &failure));
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    for (int i = 0; i < 2 * EDITOR_HISTORY_MOST; i++)
        assert_true(editor_history_append(path, SLICE_LITERAL("b"), &failure));
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs("torn", file);
    fclose(file);
    assert_true(editor_history_append(path, SLICE_LITERAL("last"), &failure));
    assert_true(editor_history_load(path, &history, &failure));
    assert_int_equal(history.count, EDITOR_HISTORY_MOST);
    assert_string_equal(history.statements[EDITOR_HISTORY_MOST - 1], "last");
    assert_string_equal(history.statements[EDITOR_HISTORY_MOST - 2], "torn");
    editor_history_destroy(&history);
    assert_int_equal(stat(path, &facts), 0);
    assert_true(facts.st_size < EDITOR_HISTORY_MOST * 3);
    assert_true(file_remove_tree(folder, &failure));

    assert_false(editor_history_may(SLICE_LITERAL("alter role x PASSWORD 'y'")));
    assert_false(editor_history_may(SLICE_LITERAL("select $$a$$, passwd from t")));
    assert_true(editor_history_may(SLICE_LITERAL("select password from t")));
    assert_true(editor_history_may(SLICE_LITERAL("select 'pass'")));
    assert_true(editor_history_may((struct slice){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_edit),           cmocka_unit_test(every_key_is_harmless),
        cmocka_unit_test(lines_and_history),   cmocka_unit_test(a_long_text_stops_growing),
        cmocka_unit_test(statements_are_kept),
    };
    setenv("LC_ALL", "C.UTF-8", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

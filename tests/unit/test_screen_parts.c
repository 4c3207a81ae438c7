/* The parts of the screen that need no terminal: loop, jobs, keys by table, fields, filters, lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "tui/screen/action.h"
#include "tui/screen/field.h"
#include "tui/screen/filter.h"
#include "tui/screen/job.h"
#include "tui/screen/list.h"
#include "tui/screen/text.h"
#include "tui/verbs.h"

/* ---- loop ---- */

static void count_up(void *context)
{
    ++*(int *)context;
}

static void timers_run_once_when_due(void **state)
{
    (void)state;
    struct loop loop;
    int a = 0, b = 0;
    assert_true(loop_init(&loop, NULL));
    clock_fake(1000000);
    loop_after(&loop, 50, count_up, &a);
    loop_after(&loop, 10, count_up, &b);
    loop_after(&loop, 500, count_up, &b); /* the same pair: moved */
    assert_true(loop_turn(&loop, 0, NULL));
    assert_int_equal(a + b, 0);
    clock_fake(1000000 + 60000);
    loop_turn(&loop, 0, NULL);
    loop_turn(&loop, 0, NULL);
    assert_int_equal(a, 1);
    assert_int_equal(b, 0);
    loop_cancel(&loop, count_up, &b);
    clock_fake(9000000);
    loop_turn(&loop, 0, NULL);
    assert_int_equal(b, 0);
    assert_true(loop_is_idle(&loop));
    clock_fake(-1);
    loop_destroy(&loop);
}

/* ---- jobs ---- */

struct work {
    int told, done, ran;
    bool ok, waits;
    enum error_kind kind;
    struct job *job;
};

static void work_tell(void *context)
{
    struct work *work = context;
    assert_int_equal(work->done, 0);
    work->told++;
}

static bool work_run(struct job *job, void *context, struct error *error)
{
    struct work *work = context;
    work->ran++;
    for (int i = 0; i < 100 && !work->waits; i++)
        job_tell(job, work_tell, work);
    while (work->waits && !atomic_load(job_stop_flag(job)))
        usleep(1000);
    return !work->waits || error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
}

static void work_done(void *context, bool ok, const struct error *error)
{
    struct work *work = context;
    work->done++;
    work->ok = ok;
    work->kind = error->kind;
}

static void turn_until(struct loop *loop, const int *done, int want)
{
    for (int i = 0; i < 5000 && *done < want; i++)
        loop_turn(loop, 5, NULL);
    assert_int_equal(*done, want);
}

static void a_job_tells_in_order_and_is_done_once(void **state)
{
    (void)state;
    static const struct job_kind kind = {"work", 0, work_run, work_done};
    struct loop loop;
    struct work work = {0};
    assert_true(loop_init(&loop, NULL));
    struct jobs *jobs = jobs_create(&loop, NULL);
    assert_non_null(job_start(jobs, &kind, &work, NULL));
    assert_false(loop_is_idle(&loop));
    turn_until(&loop, &work.done, 1);
    assert_int_equal(work.told, 100);
    assert_true(work.ok);
    assert_true(loop_is_idle(&loop));
    assert_true(jobs_destroy(jobs, 1000));
    loop_destroy(&loop);
}

static void a_job_past_its_limit_is_unreachable(void **state)
{
    (void)state;
    static const struct job_kind kind = {"slow", 30, work_run, work_done};
    struct loop loop;
    struct work works[JOB_THREADS_MOST + 4] = {0};
    size_t count = sizeof works / sizeof *works;
    assert_true(loop_init(&loop, NULL));
    struct jobs *jobs = jobs_create(&loop, NULL);
    for (size_t i = 0; i < count; i++) {
        works[i].waits = true;
        assert_non_null(job_start(jobs, &kind, &works[i], NULL));
    }
    /* Those that no thread had time for are answered too. */
    for (size_t i = 0; i < count; i++) {
        turn_until(&loop, &works[i].done, 1);
        assert_false(works[i].ok);
        assert_int_equal(works[i].kind, ERROR_UNREACHABLE);
    }
    assert_true(jobs_destroy(jobs, 1000));
    loop_destroy(&loop);
}

static void jobs_end_with_the_screen(void **state)
{
    (void)state;
    static const struct job_kind kind = {"waits", 0, work_run, work_done};
    struct loop loop;
    struct work works[JOB_THREADS_MOST + 2] = {0};
    size_t count = sizeof works / sizeof *works;
    assert_true(loop_init(&loop, NULL));
    struct jobs *jobs = jobs_create(&loop, NULL);
    for (size_t i = 0; i < count; i++) {
        works[i].waits = true;
        works[i].job = job_start(jobs, &kind, &works[i], NULL);
    }
    job_stop(works[0].job);
    turn_until(&loop, &works[0].done, 1);
    assert_true(jobs_destroy(jobs, 5000));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(works[i].done, 1);
    assert_int_equal(loop.busy, 0);
    loop_destroy(&loop);
}

/* ---- the action table ---- */

static void every_action_is_whole(void **state)
{
    (void)state;
    struct keymap keymap;
    keymap_init(&keymap);
    for (int i = 1; i < ACTION_COUNT; i++) {
        assert_int_equal(action_find(actions[i].name), i);
        assert_true(strlen(actions[i].help) > 3 && strlen(actions[i].title) < 16);
        assert_true(keymap.keys[i][0] != KEY_NONE);
        /* What changes the world has its twin on the command line. */
        assert_true(actions[i].danger == DANGER_NONE || actions[i].cli);
    }
}

/* Default keys that screen.md rules out. */
static void no_action_takes_a_forbidden_key(void **state)
{
    (void)state;
    struct keymap keymap;
    keymap_init(&keymap);
    static const key_code never[] = {KEY_CTRL | 's', KEY_CTRL | 'q', KEY_CTRL | '\\',
                                     KEY_CTRL | 'a', KEY_CTRL | 'b'};
    for (int i = 1; i < ACTION_COUNT; i++)
        for (size_t n = 0; n < KEYMAP_KEYS_MOST; n++)
            for (size_t k = 0; k < sizeof never / sizeof *never; k++)
                assert_true(keymap.keys[i][n] == KEY_NONE || keymap.keys[i][n] != never[k]);
}

/* Each twin names a verb of the table, and options that this verb has. */
static void check_twin(const char *cli)
{
    char words[256], *place;
    snprintf(words, sizeof words, "%s", cli);
    const struct verb *verb = NULL;
    for (size_t i = 0; verbs[i]; i++) {
        size_t length = strlen(verbs[i]->name);
        if (strncmp(cli, verbs[i]->name, length) == 0 && (cli[length] == ' ' || !cli[length]))
            verb = verbs[i];
    }
    if (verb == NULL)
        fail_msg("no verb for the twin: %s", cli);
    for (char *word = strtok_r(words, " ", &place); word; word = strtok_r(NULL, " ", &place)) {
        bool known = strncmp(word, "--", 2) != 0;
        for (const struct option_spec *spec = verb->options; !known && spec && spec->name; spec++)
            known = strcmp(spec->name, word + 2) == 0;
        if (!known)
            fail_msg("%s: the verb has no option %s", cli, word);
    }
}

static void every_twin_is_accepted_by_the_command_line(void **state)
{
    (void)state;
    for (int i = 1; i < ACTION_COUNT; i++)
        if (actions[i].cli)
            check_twin(actions[i].cli);
}

static void keys_of_the_profile_are_checked(void **state)
{
    (void)state;
    struct keymap keymap;
    struct error error = {0};
    keymap_init(&keymap);
    assert_true(keymap_set(&keymap, "merge-now", "M Ctrl-T", &error));
    assert_int_equal(keymap_find(&keymap, SCOPE_STREAMS, 'M'), ACTION_STREAM_MERGE);
    assert_int_equal(keymap_find(&keymap, SCOPE_STREAMS, 'm'), ACTION_NONE);
    assert_false(keymap_set(&keymap, "merge-nov", "m", &error));
    assert_string_equal(error.remedy, "did you mean 'merge-now'?");
    assert_false(keymap_set(&keymap, "verify", "M", &error));
    assert_non_null(strstr(error.message, "merge-now already"));
    assert_false(keymap_set(&keymap, "verify", "Hyper-X", &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_true(keymap_set(&keymap, "merge-now", "", &error));
    assert_int_equal(keymap_find(&keymap, SCOPE_STREAMS, 'M'), ACTION_NONE);
}

/* ---- field, filter, list, text ---- */

static void a_field_edits_whole_characters(void **state)
{
    (void)state;
    struct field field = {0};
    field_set(&field, "a\xC3\xA4\xE2\x82\xAC");
    assert_true(field_key(&field, KEY_LEFT));
    assert_true(field_key(&field, KEY_BACKSPACE));
    assert_string_equal(field.text, "a\xE2\x82\xAC");
    assert_true(field_key(&field, 0x1F600));
    assert_string_equal(field.text, "a\xF0\x9F\x98\x80\xE2\x82\xAC");
    assert_true(field_key(&field, KEY_DELETE));
    assert_true(field_key(&field, KEY_CTRL | 'w'));
    assert_string_equal(field.text, "");
    field_paste(&field, slice_of("two\x1b[31m\nlines\xff"));
    assert_string_equal(field.text, "two[31mlines");
    assert_false(field_key(&field, KEY_ENTER));
    field_set(&field, "");
    for (int i = 0; i < 2 * FIELD_SIZE; i++)
        field_key(&field, 0x20AC);
    assert_true(field.length < FIELD_SIZE);
}

static void a_filter_takes_words_without_words_and_expressions(void **state)
{
    (void)state;
    struct filter filter = {0};
    bool changed;
    filter.editing = true;
    for (const char *at = "ord !old"; *at; at++)
        assert_true(filter_key(&filter, (key_code)*at, &changed));
    assert_true(filter_match(&filter, "Orders"));
    assert_false(filter_match(&filter, "orders_old"));
    assert_true(filter_key(&filter, KEY_ENTER, &changed));
    assert_true(filter_active(&filter) && !filter.editing);
    filter_clear(&filter);
    filter.editing = true;
    for (const char *at = "~^o.*s$"; *at; at++)
        filter_key(&filter, (key_code)*at, &changed);
    assert_true(filter_match(&filter, "orders"));
    assert_false(filter_match(&filter, "stock"));
    for (const char *at = "("; *at; at++)
        filter_key(&filter, (key_code)*at, &changed);
    assert_true(filter.broken && filter_match(&filter, "stock"));
    filter_destroy(&filter);
}

static void row_nothing(void *context, size_t index, struct canvas *canvas, struct rect rect,
                        bool selected)
{
    (void)canvas, (void)rect;
    if (selected)
        *(size_t *)context = index;
}

static void a_list_keeps_its_selection_in_sight(void **state)
{
    (void)state;
    struct list list = {0};
    struct canvas canvas;
    size_t seen = 99;
    assert_true(canvas_init(&canvas, 10, 20, NULL));
    struct rect rect = {0, 0, 10, 20};
    list_set_count(&list, 100);
    list_draw(&list, &canvas, rect, true, row_nothing, &seen);
    assert_int_equal(seen, 0);
    list_act(&list, ACTION_PAGE_DOWN);
    list_act(&list, ACTION_DOWN);
    list_draw(&list, &canvas, rect, true, row_nothing, &seen);
    assert_int_equal(seen, 11);
    assert_true(list.top <= 11 && list.top + 10 > 11);
    list_act(&list, ACTION_LAST);
    list_draw(&list, &canvas, rect, true, row_nothing, &seen);
    assert_int_equal(list.top, 90);
    list_set_count(&list, 3);
    list_draw(&list, &canvas, rect, true, row_nothing, &seen);
    assert_int_equal(seen, 2);
    assert_int_equal(list.top, 0);
    list_set_count(&list, 0);
    assert_int_equal(list_can(&list, ACTION_DOWN), ANSWER_ABSENT);
    list_draw(&list, &canvas, (struct rect){0, 0, 0, 0}, true, row_nothing, &seen);
    list_draw(&list, &canvas, (struct rect){0, 0, -3, -3}, true, row_nothing, &seen);
    canvas_destroy(&canvas);
}

static void a_text_finds_and_follows(void **state)
{
    (void)state;
    struct text text = {0};
    struct canvas canvas;
    assert_true(canvas_init(&canvas, 5, 20, NULL));
    struct rect rect = {0, 0, 5, 20};
    assert_true(text_append(&text, STYLE_TEXT, slice_of("one\ntwo\n")));
    for (int i = 0; i < 20; i++)
        assert_true(text_print(&text, STYLE_DIM, "line %d", i));
    assert_int_equal(text.line_count, 22);
    text_act(&text, ACTION_SEARCH);
    for (const char *at = "e 13"; *at; at++)
        assert_true(text_key(&text, (key_code)*at));
    assert_true(text_key(&text, KEY_ENTER));
    assert_int_equal(text.top, 15);
    text_draw(&text, &canvas, rect, true);
    text_act(&text, ACTION_TAIL);
    text_draw(&text, &canvas, rect, true);
    assert_int_equal(text.top + (size_t)text.page, text.line_count);
    text_act(&text, ACTION_UP);
    assert_false(text.tail);
    text_draw(&text, &canvas, (struct rect){0, 0, 1, 1}, true);
    text_destroy(&text);
    canvas_destroy(&canvas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_once_when_due),
        cmocka_unit_test(a_job_tells_in_order_and_is_done_once),
        cmocka_unit_test(a_job_past_its_limit_is_unreachable),
        cmocka_unit_test(jobs_end_with_the_screen),
        cmocka_unit_test(every_action_is_whole),
        cmocka_unit_test(no_action_takes_a_forbidden_key),
        cmocka_unit_test(every_twin_is_accepted_by_the_command_line),
        cmocka_unit_test(keys_of_the_profile_are_checked),
        cmocka_unit_test(a_field_edits_whole_characters),
        cmocka_unit_test(a_filter_takes_words_without_words_and_expressions),
        cmocka_unit_test(a_list_keeps_its_selection_in_sight),
        cmocka_unit_test(a_text_finds_and_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

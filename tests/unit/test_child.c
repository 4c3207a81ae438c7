/* The demo's children end when they are asked to, at whatever moment that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tui/demo/demo.h"

enum { ROUNDS = 400, STOP_MS = 5000 };

/* As the program's own handler of a verb that drains before it ends. */
static void take_note(int number)
{
    (void)number;
}

static void a_child_asked_to_stop_before_it_runs_ends_all_the_same(void **state)
{
    (void)state;
    struct error error = {0};
    struct demo_child child = {.name = "child"};
    const char *const arguments[] = {"wait", NULL};
    struct sigaction action = {.sa_handler = take_note}, before;
    sigemptyset(&action.sa_mask);
    assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (!demo_child_start(&child, arguments, "/dev/null", &error) ||
            !demo_child_stop(&child, STOP_MS, &error))
            fail_msg("round %d: %s", i, error.message);
        assert_int_equal(child.exit_code, 128 + SIGTERM);
    }
    sigaction(SIGTERM, &before, NULL);
    demo_child_destroy(&child);
}

static void a_starter_keeps_its_signals_as_they_were(void **state)
{
    (void)state;
    struct error error = {0};
    struct demo_child child = {.name = "child"};
    const char *const arguments[] = {"mask", NULL};
    static const atomic_bool never;
    sigset_t mask, after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
    assert_true(demo_child_start(&child, arguments, "/dev/null", &error));
    assert_true(demo_child_wait(&child, &never, &error));
    assert_int_equal(child.exit_code, 0);
    assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
    assert_true(sigismember(&after, SIGUSR1));
    assert_false(sigismember(&after, SIGTERM));
    sigemptyset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    demo_child_destroy(&child);
}

/* This program is also the child, as surfboard is its own. */
static int be_child(const char *word)
{
    sigset_t mask;
    while (strcmp(word, "wait") == 0)
        pause();
    sigprocmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGTERM) || !sigismember(&mask, SIGUSR1);
}

int main(int count, char **arguments)
{
    if (count > 1)
        return be_child(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_asked_to_stop_before_it_runs_ends_all_the_same),
        cmocka_unit_test(a_starter_keeps_its_signals_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

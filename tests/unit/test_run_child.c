/* A run started as a process of its own: it outlives its starter, its first failure is told in its
 * words, and after an upgrade nothing is started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/pipeline/run_child.h"
#include "core/pipeline/run_tail.h"

static char folder[64];
static struct profile profile;
static struct run_binary binary;

/* ---- the child: this program again ---- */

static atomic_bool stop;

static void on_term(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

/* What the test could have handed down by mistake. */
static int child_is_clean(void)
{
    sigset_t mask;
    struct sigaction action;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < 32; number++) {
        if (sigismember(&mask, number) == 1)
            return 40;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            return 41;
    }
    for (int fd = 3; fd < 64; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return 42;
    if (getsid(0) != getpid() || getpgrp() != getpid())
        return 43;
    char byte;
    return read(0, &byte, 1) == 0 ? 0 : 44;
}

static int child_main(char **arguments)
{
    if (strcmp(arguments[2], "clean") == 0)
        return child_is_clean();
    if (strcmp(arguments[2], "refuse") == 0) {
        fprintf(stderr, "context dell\nsurfboard: stream.Shop is locked: by anna\n  wait for it\n");
        return 6;
    }
    if (strcmp(arguments[2], "abort") == 0) {
        fprintf(stderr, "something: assertion failed\n");
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    struct profile own;
    signal(SIGTERM, on_term);
    if (!profile_load(arguments[1], &own, NULL))
        return 3;
    struct run *run = run_begin(&own, arguments[2], arguments[3], NULL);
    if (run == NULL)
        return 8;
    for (int i = 0; i < 500 && !atomic_load(&stop); i++)
        clock_sleep_ms(20);
    run_end(run, atomic_load(&stop) ? 130 : 0, NULL, NULL);
    profile_destroy(&own);
    return 130;
}

/* ---- the tests ---- */

static int set_up(void **state)
{
    (void)state;
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/surfboard-child-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/dell.yaml", folder);
    assert_true(file_write_atomic(path, slice_of("context: dell\nstate: state\n"), 0600, NULL));
    return profile_load(path, &profile, NULL) && run_binary_fix(&binary, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    profile_destroy(&profile);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

static struct run_child *start(const char *verb)
{
    struct error error = {0};
    const char *const arguments[] = {verb, "Shop", NULL};
    struct run_child *child = run_child_start(&profile, &binary, arguments, &error);
    if (child == NULL)
        fail_msg("%s", error.message);
    return child;
}

static struct run_child_report wait_end(struct run_child *child)
{
    struct run_child_report report;
    for (int i = 0; i < 1000; i++) {
        assert_true(run_child_poll(child, &report, NULL));
        if (report.state == RUN_CHILD_ENDED)
            break;
        clock_sleep_ms(10);
    }
    assert_int_equal(report.state, RUN_CHILD_ENDED);
    return report;
}

static void a_child_inherits_nothing(void **state)
{
    (void)state;
    sigset_t some, before;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_BLOCK, &some, &before);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    int kept = open("/dev/null", O_RDONLY); /* without CLOEXEC, as a library may */
    struct run_child *child = start("clean");
    struct run_child_report report = wait_end(child);
    if (report.exit_code)
        fail_msg("exit %d: %s", report.exit_code, report.failure.message);
    assert_string_equal(report.run, "");
    run_child_close(child);
    close(kept);
    sigset_t now;
    sigprocmask(SIG_SETMASK, &before, &now);
    assert_int_equal(sigismember(&now, SIGUSR1), 1);
    assert_int_equal(sigismember(&now, SIGINT), 0);
    signal(SIGHUP, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static void a_failure_before_there_was_a_run_is_told_in_its_words(void **state)
{
    (void)state;
    struct run_child *child = start("refuse");
    struct run_child_report report = wait_end(child);
    assert_int_equal(report.exit_code, 6);
    assert_int_equal(report.failure.kind, ERROR_CONFLICT);
    assert_string_equal(report.failure.message, "stream.Shop is locked: by anna");
    assert_string_equal(report.failure.remedy, "wait for it");
    run_child_close(child);
    child = start("abort");
    report = wait_end(child);
    assert_int_equal(report.exit_code, 128 + SIGABRT);
    assert_non_null(strstr(report.failure.message, "signal 6"));
    assert_non_null(strstr(report.failure.message, "assertion failed"));
    run_child_close(child);
}

static void the_run_is_found_by_its_process_and_other_children_are_left_alone(void **state)
{
    (void)state;
    pid_t other = fork();
    if (other == 0)
        _exit(33);
    struct run *own = run_begin(&profile, "up", "Shop", NULL);
    struct run_child *child = start("merge");
    struct run_child_report report;
    assert_true(run_child_wait(child, 10000, &report, NULL));
    assert_int_equal(report.state, RUN_CHILD_RUNNING);
    assert_string_not_equal(report.run, run_id(own));
    run_end(own, 0, NULL, NULL);
    struct run_list list;
    assert_true(run_list_load(&profile, 10, &list, NULL));
    const struct run_summary *run = run_list_find(&list, report.run);
    assert_string_equal(run->verb, "merge");
    assert_string_equal(run->state, "running");
    assert_int_equal(run->pid, report.pid);
    run_list_destroy(&list);
    assert_true(run_signal(&profile, report.run, SIGTERM, NULL));
    report = wait_end(child);
    assert_int_equal(report.exit_code, 130);
    assert_int_equal(report.failure.kind, ERROR_INTERRUPTED);
    run_child_close(child);
    int status;
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(WEXITSTATUS(status), 33);
}

static void it_outlives_its_starter_and_the_starters_group(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t starter = fork();
    if (starter == 0) {
        setsid();
        struct run_child_report report = {0};
        struct run_child *child = start("merge");
        run_child_wait(child, 10000, &report, NULL);
        if (write(pipes[1], &report, sizeof report) != sizeof report)
            _exit(1);
        for (;;)
            pause();
    }
    struct run_child_report report;
    assert_int_equal(read(pipes[0], &report, sizeof report), sizeof report);
    close(pipes[0]);
    close(pipes[1]);
    kill(-starter, SIGHUP); /* as when the line drops */
    kill(-starter, SIGKILL);
    assert_int_equal(waitpid(starter, NULL, 0), starter);
    clock_sleep_ms(100);
    struct run_list list;
    assert_true(run_list_load(&profile, 10, &list, NULL));
    assert_string_equal(run_list_find(&list, report.run)->state, "running");
    run_list_destroy(&list);
    struct run_tail *tail = run_tail_open(&profile, report.run, 0, NULL);
    assert_true(run_signal(&profile, report.run, SIGTERM, NULL));
    struct slice line;
    for (int i = 0; i < 500 && run_tail_state(tail) == RUN_TAIL_ALIVE; i++) {
        assert_true(run_tail_next(tail, &line, NULL, NULL));
        clock_sleep_ms(10);
    }
    assert_int_equal(run_tail_exit_code(tail), 130);
    run_tail_close(tail);
}

static void after_an_upgrade_nothing_is_started(void **state)
{
    (void)state;
    char path[128], command[4400];
    struct run_binary copy;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/program", folder);
    snprintf(command, sizeof command, "cp '%s' '%s'", binary.path, path);
    assert_int_equal(system(command), 0);
    assert_true(run_binary_of(path, &copy, NULL));
    assert_false(run_binary_changed(&copy, &error));
    assert_string_equal(copy.build, binary.build);
    snprintf(command, sizeof command, "cp --remove-destination /bin/true '%s'", path);
    assert_int_equal(system(command), 0);
    assert_true(run_binary_changed(&copy, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.remedy, "restart surfboard"));
    const char *const arguments[] = {"clean", NULL};
    assert_null(run_child_start(&profile, &copy, arguments, NULL));
    unlink(path);
    assert_true(run_binary_changed(&copy, NULL));
}

int main(int count, char **arguments)
{
    if (count > 3 && strcmp(arguments[1], "--profile") == 0)
        return child_main(arguments + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_inherits_nothing),
        cmocka_unit_test(a_failure_before_there_was_a_run_is_told_in_its_words),
        cmocka_unit_test(the_run_is_found_by_its_process_and_other_children_are_left_alone),
        cmocka_unit_test(it_outlives_its_starter_and_the_starters_group),
        cmocka_unit_test(after_an_upgrade_nothing_is_started),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

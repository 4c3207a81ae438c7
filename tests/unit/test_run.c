/* What a run's file says is true: alive, ended, died, silent, torn, newer; read in pieces as it
 * grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/pipeline/run.h"
#include "core/pipeline/run_tail.h"

static char folder[64];
static struct profile profile;

static int set_up(void **state)
{
    (void)state;
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/surfboard-run-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/dell.yaml", folder);
    assert_true(file_write_atomic(path, slice_of("context: dell\nstate: state\n"), 0600, NULL));
    return profile_load(path, &profile, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    profile_destroy(&profile);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

/* An event file as somebody else wrote it. */
static void put_run(const char *id, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/state/runs", folder);
    assert_true(file_make_folders(path, 0700, NULL));
    snprintf(path, sizeof path, "%s/state/runs/%s.jsonl", folder, id);
    assert_true(file_write_atomic(path, slice_of(text), 0600, NULL));
}

static void forget_runs(void)
{
    char path[160];
    snprintf(path, sizeof path, "%s/state/runs", folder);
    assert_true(file_remove_tree(path, NULL));
}

#define START(format, verb, object, more)                                                          \
    "{\"event\":\"start\",\"format\":" #format ",\"run\":\"0001\",\"verb\":\"" verb                \
    "\",\"object\":\"" object "\",\"user\":\"u\",\"host\":\"h\",\"pid\":999999,\"boot\":\"b\","    \
    "\"started\":1" more ",\"at\":\"2026-11-22T10:00:00.000Z\"}\n"
#define END(code) "{\"event\":\"end\",\"exit\":" #code ",\"at\":\"2026-11-22T10:00:09.000Z\"}\n"
#define AGAIN(words) ",\"arguments\":[" words "],\"resumes\":true"

static struct run_list load(void)
{
    struct run_list list;
    struct error error = {0};
    if (!run_list_load(&profile, 100, &list, &error))
        fail_msg("%s", error.message);
    return list;
}

static void nothing_ran_is_an_empty_list_and_makes_no_folder(void **state)
{
    (void)state;
    char path[160];
    forget_runs();
    struct run_list list = load();
    assert_int_equal(list.count, 0);
    snprintf(path, sizeof path, "%s/state/runs", folder);
    assert_false(file_exists(path));
}

static void progress_waiting_and_silence_are_told_from_the_events(void **state)
{
    (void)state;
    forget_runs();
    struct run *run = run_begin(&profile, "merge", "Shop", NULL);
    run_phase(run, "read");
    usleep(120000);
    run_progress(run, "read", "events", 10, 100);
    run_progress(run, "read", "events", 20, 100); /* too soon: not written */
    struct run_list list = load();
    const struct run_summary *seen = &list.runs[0];
    assert_string_equal(seen->state, "running");
    assert_true(seen->progress.known);
    assert_int_equal(seen->progress.done, 10);
    assert_int_equal(seen->progress.total, 100);
    assert_string_equal(seen->progress.unit, "events");
    assert_string_equal(seen->progress.phase, "read");
    assert_true(seen->progress.rate > 0 && seen->progress.eta_s > 0);
    assert_null(seen->waiting);
    assert_false(seen->silent);
    assert_int_equal(seen->pid, getpid());
    run_list_destroy(&list);
    assert_true(
        run_event(run, json_pack("{s:s, s:s}", "event", "waiting", "for", "files"), false, NULL));
    clock_fake(clock_now_us() + 11000000);
    list = load();
    clock_fake(-1);
    assert_non_null(list.runs[0].waiting);
    assert_true(list.runs[0].silent);
    assert_true(list.runs[0].silent_ms >= 11000 && list.runs[0].silent_ms < 20000);
    assert_int_equal(list.runs[0].progress.done, 10);
    run_list_destroy(&list);
    assert_true(run_end(run, 0, NULL, NULL));
    list = load();
    assert_string_equal(list.runs[0].state, "done");
    assert_false(list.runs[0].silent);
    run_list_destroy(&list);
}

static void a_verb_that_says_nothing_waits_aloud_each_two_seconds(void **state)
{
    (void)state;
    forget_runs();
    struct run *run = run_begin(&profile, "up", "Shop", NULL);
    run_phase(run, "slot: apply");
    usleep(RUN_PULSE_MS * 1000 + 400000);
    struct run_list list = load();
    assert_non_null(list.runs[0].waiting);
    assert_string_equal(json_string_value(json_object_get(list.runs[0].waiting, "for")),
                        "slot: apply");
    assert_true(json_real_value(json_object_get(list.runs[0].waiting, "since_s")) > 1);
    run_list_destroy(&list);
    assert_true(run_end(run, 0, NULL, NULL));
}

static void a_torn_run_reads_as_died_with_its_last_whole_event(void **state)
{
    (void)state;
    forget_runs();
    put_run("0001", START(1, "merge", "Shop", "") "{\"event\":\"progress\",\"done\":7,\"at\":"
                                                  "\"2026-11-22T10:00:01.000Z\"}\n{\"event\":\"ba");
    put_run("0002", "{\"event\":\"sta");
    put_run("0003", "");
    put_run("0004", START(1, "up", "Shop", "") "\n\n\n");
    struct run_list list = load();
    assert_int_equal(list.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(list.runs[i].state, "died");
    assert_true(list.runs[3].torn);
    assert_int_equal(json_integer_value(json_object_get(list.runs[3].last, "done")), 7);
    assert_true(list.runs[2].torn);
    assert_null(list.runs[2].last);
    assert_string_equal(list.runs[2].verb, "?");
    assert_null(list.runs[1].last);
    assert_string_equal(json_string_value(json_object_get(list.runs[0].last, "event")), "start");
    assert_true(list.runs[0].torn);
    run_list_destroy(&list);
    struct error error = {0};
    assert_false(run_signal(&profile, "1", SIGTERM, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_false(run_signal(&profile, "77", SIGTERM, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_false(run_signal(&profile, "../x", SIGTERM, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
}

static void a_newer_format_is_refused_with_the_remedy_and_listed_as_such(void **state)
{
    (void)state;
    forget_runs();
    put_run("0001", START(2, "merge", "Shop", "") END(0));
    put_run("0002", START(1, "merge", "Shop", "") END(7));
    struct run_list list = load();
    assert_string_equal(list.runs[1].state, "newer");
    assert_null(list.runs[1].last);
    assert_string_equal(list.runs[0].state, "failed");
    run_list_destroy(&list);
    struct error error = {0};
    assert_null(run_tail_open(&profile, "0001", 0, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.message, "newer"));
    assert_non_null(strstr(error.remedy, "surfboard"));
    assert_false(run_signal(&profile, "0001", SIGTERM, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
}

static void what_died_goes_on_unless_something_later_stands_in_the_way(void **state)
{
    (void)state;
    forget_runs();
    put_run("0001", START(1, "merge", "A", AGAIN("\"merge\",\"A\"")));
    put_run("0002", START(1, "merge", "B", AGAIN("\"merge\",\"B\"")));
    put_run("0003", START(1, "merge", "C", AGAIN("\"merge\",\"C\"")));
    put_run("0004", START(1, "merge", "D", AGAIN("\"merge\",\"D\",\"--follow\"")));
    put_run("0005", START(1, "query", "", ""));
    put_run("0006", START(1, "merge", "A", AGAIN("\"merge\",\"A\"")) END(0));
    put_run("0007", START(1, "merge", "B", AGAIN("\"merge\",\"B\"")) END(4));
    put_run("0008", START(1, "merge", "C", AGAIN("\"merge\",\"C\"")));
    struct run_list list = load();
    static const bool resumable[] = {false, true, false, false, false, false, false, true};
    for (size_t i = 0; i < 8; i++)
        if (list.runs[7 - i].resumable != resumable[i])
            fail_msg("run %zu: resumable is %d", i + 1, list.runs[7 - i].resumable);
    assert_true(list.runs[4].follows);
    assert_int_equal(json_array_size(list.runs[0].arguments), 2);
    assert_ptr_equal(run_list_find(&list, "8"), &list.runs[0]);
    assert_null(run_list_find(&list, "9"));
    run_list_destroy(&list);
}

static void a_big_file_is_read_at_its_ends_only(void **state)
{
    (void)state;
    forget_runs();
    struct buffer text = {0};
    char *filler = calloc(1, 30001);
    memset(filler, 'x', 30000);
    assert_true(buffer_append_text(&text, START(1, "up", "Shop", ""), NULL));
    for (int i = 0; i < 2000; i++)
        buffer_append_format(&text, NULL, "{\"event\":\"step\",\"n\":%d,\"t\":\"%s\"}\n", i,
                             filler);
    assert_true(buffer_text(&text, NULL));
    put_run("0001", text.data);
    int64_t begun = clock_monotonic_ns();
    struct run_list list = load();
    assert_true(clock_monotonic_ns() - begun < 1000000000);
    assert_int_equal(json_integer_value(json_object_get(list.runs[0].last, "n")), 1999);
    run_list_destroy(&list);
    struct run_tail *tail = run_tail_open(&profile, "1", -40000, NULL);
    struct slice line;
    json_t *event;
    assert_true(run_tail_next(tail, &line, &event, NULL));
    assert_int_equal(json_integer_value(json_object_get(event, "n")), 1999);
    json_decref(event);
    run_tail_close(tail);
    buffer_destroy(&text);
    free(filler);
}

static void expect_line(struct run_tail *tail, const char *name)
{
    struct slice line;
    json_t *event;
    assert_true(run_tail_next(tail, &line, &event, NULL));
    if (name == NULL) {
        assert_null(line.data);
    } else {
        assert_non_null(line.data);
        assert_string_equal(json_string_value(json_object_get(event, "event")), name);
    }
    json_decref(event);
}

static void a_tail_gives_each_event_once_as_it_comes_and_tells_the_end(void **state)
{
    (void)state;
    forget_runs();
    struct run *run = run_begin(&profile, "merge", "Shop", NULL);
    struct run_tail *tail = run_tail_open(&profile, run_id(run), 0, NULL);
    expect_line(tail, "start");
    expect_line(tail, NULL);
    assert_int_equal(run_tail_state(tail), RUN_TAIL_ALIVE);
    assert_true(run_event(run, json_pack("{s:s}", "event", "batch"), true, NULL));
    int64_t offset = run_tail_offset(tail);
    expect_line(tail, "batch");
    assert_true(run_end(run, 7, NULL, NULL));
    expect_line(tail, "end");
    expect_line(tail, NULL);
    assert_int_equal(run_tail_state(tail), RUN_TAIL_ENDED);
    assert_int_equal(run_tail_exit_code(tail), 7);
    run_tail_close(tail);
    tail = run_tail_open(&profile, "1", offset, NULL);
    expect_line(tail, "batch");
    run_tail_close(tail);
    put_run("0002", START(1, "merge", "Shop", "") "{\"ev");
    tail = run_tail_open(&profile, "2", 0, NULL);
    expect_line(tail, "start");
    expect_line(tail, NULL);
    assert_int_equal(run_tail_state(tail), RUN_TAIL_DIED);
    run_tail_close(tail);
}

/* A full disk: the file may not grow any more. */
static void a_write_that_fails_leaves_no_half_line(void **state)
{
    (void)state;
    forget_runs();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct run *run = run_begin(&profile, "merge", "Shop", NULL);
        struct rlimit limit = {.rlim_cur = 700, .rlim_max = 700};
        setrlimit(RLIMIT_FSIZE, &limit);
        struct error error = {0};
        char filler[600];
        memset(filler, 'x', sizeof filler);
        bool told =
            run_event(run, json_pack("{s:s, s:s%}", "event", "batch", "x", filler, sizeof filler),
                      true, &error);
        _exit(told || error.kind != ERROR_IO ? 1 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct run_list list = load();
    assert_int_equal(list.count, 1);
    assert_string_equal(list.runs[0].state, "died");
    assert_false(list.runs[0].torn);
    run_list_destroy(&list);
}

static void a_state_that_cannot_be_written_names_the_remedy(void **state)
{
    (void)state;
    forget_runs();
    if (geteuid() == 0) { /* root may write anywhere: a folder that is none stands for it */
        char path[160];
        snprintf(path, sizeof path, "%s/state/runs", folder);
        assert_true(file_write_atomic(path, slice_of(""), 0600, NULL));
        struct error error = {0};
        assert_null(run_begin(&profile, "merge", "Shop", &error));
        assert_true(error.kind != ERROR_NONE);
        unlink(path);
        return;
    }
    char path[160];
    snprintf(path, sizeof path, "%s/state/runs", folder);
    assert_true(file_make_folders(path, 0500, NULL));
    struct error error = {0};
    assert_null(run_begin(&profile, "merge", "Shop", &error));
    assert_int_equal(error.kind, ERROR_IO);
    assert_non_null(strstr(error.remedy, "state"));
    chmod(path, 0700);
}

static void a_hundred_runs_are_listed_in_a_moment(void **state)
{
    (void)state;
    forget_runs();
    char id[8];
    for (int i = 1; i <= 100; i++) {
        snprintf(id, sizeof id, "%04d", i);
        put_run(id, START(1, "merge", "Shop", "") END(0));
    }
    int64_t begun = clock_monotonic_ns();
    struct run_list list = load();
    print_message("100 runs listed in %.2f ms\n", (double)(clock_monotonic_ns() - begun) / 1e6);
    assert_int_equal(list.count, 100);
    run_list_destroy(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_ran_is_an_empty_list_and_makes_no_folder),
        cmocka_unit_test(progress_waiting_and_silence_are_told_from_the_events),
        cmocka_unit_test(a_verb_that_says_nothing_waits_aloud_each_two_seconds),
        cmocka_unit_test(a_torn_run_reads_as_died_with_its_last_whole_event),
        cmocka_unit_test(a_newer_format_is_refused_with_the_remedy_and_listed_as_such),
        cmocka_unit_test(what_died_goes_on_unless_something_later_stands_in_the_way),
        cmocka_unit_test(a_big_file_is_read_at_its_ends_only),
        cmocka_unit_test(a_tail_gives_each_event_once_as_it_comes_and_tells_the_end),
        cmocka_unit_test(a_write_that_fails_leaves_no_half_line),
        cmocka_unit_test(a_state_that_cannot_be_written_names_the_remedy),
        cmocka_unit_test(a_hundred_runs_are_listed_in_a_moment),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Two hosts that share a catalog and not a state keep out of each other's way; a database that is
 * down or deaf stops nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/pipeline/lock.h"
#include "tests/unit/pg_cluster.h"

/* A profile of a host of its own: its state lies in `name`. */
static struct profile host(const char *name, const char *dsn, const char *catalog)
{
    char path[128], text[1024];
    struct profile profile;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/%s.yaml", cluster_folder, name);
    snprintf(text, sizeof text,
             "context: dell\nstate: %s\nlake: {warehouse: w, catalog: {name: %s, dsn: \"%s\"}}\n",
             name, catalog, dsn);
    if (!profile_parse(slice_of(text), path, &profile, &error))
        fail_msg("%s", error.message);
    return profile;
}

static void two_states_and_one_catalog_exclude_each_other(void **state)
{
    (void)state;
    struct profile one = host("one", cluster_dsn, "lake"), two = host("two", cluster_dsn, "lake");
    struct profile other = host("other", cluster_dsn, "pond");
    struct error error = {0};
    struct lock *lock = lock_take(&one, "merge.lake.shop", "merge", &error);
    assert_non_null(lock);
    assert_null(lock_stands_alone(lock));
    assert_null(lock_take(&two, "merge.lake.shop", "merge", &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    char pid[32];
    snprintf(pid, sizeof pid, ":%d", (int)getpid());
    assert_non_null(strstr(error.message, "merge by "));
    assert_non_null(strstr(error.message, pid));
    assert_non_null(strstr(error.message, "since 20"));
    assert_true(error.remedy[0] != '\0');
    struct lock *free_name = lock_take(&two, "merge.lake.parts", "merge", NULL);
    assert_non_null(free_name);
    lock_release(free_name);
    struct lock *free_catalog = lock_take(&other, "merge.lake.shop", "merge", NULL);
    assert_non_null(free_catalog);
    lock_release(free_catalog);
    lock_release(lock);
    lock = lock_take(&two, "merge.lake.shop", "merge", &error);
    assert_non_null(lock);
    lock_release(lock);
    profile_destroy(&one);
    profile_destroy(&two);
    profile_destroy(&other);
}

static void it_goes_with_its_process_however_that_ends(void **state)
{
    (void)state;
    struct profile one = host("one", cluster_dsn, "lake"), two = host("two", cluster_dsn, "lake");
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        char sign = lock_take(&one, "x", "merge", NULL) ? 'y' : 'n';
        if (write(pipes[1], &sign, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    char sign;
    assert_int_equal(read(pipes[0], &sign, 1), 1);
    assert_int_equal(sign, 'y');
    assert_null(lock_take(&two, "x", "merge", NULL));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    struct lock *lock = NULL;
    for (int i = 0; i < 100 && lock == NULL; i++) {
        lock = lock_take(&two, "x", "merge", NULL);
        if (lock == NULL)
            clock_sleep_ms(20);
    }
    assert_non_null(lock);
    lock_release(lock);
    close(pipes[0]);
    close(pipes[1]);
    profile_destroy(&one);
    profile_destroy(&two);
}

/* Takes it all the same, says why it stands alone, and within three seconds. */
static void expect_alone(const char *dsn)
{
    struct profile one = host("one", dsn, "lake");
    int64_t begun = clock_monotonic_ns();
    struct lock *lock = lock_take(&one, "x", "merge", NULL);
    int64_t took_ms = (clock_monotonic_ns() - begun) / 1000000;
    print_message("a lock without its database took %lld ms\n", (long long)took_ms);
    assert_non_null(lock);
    assert_non_null(lock_stands_alone(lock));
    assert_true(took_ms < 3200);
    struct error error = {0};
    assert_null(lock_take(&one, "x", "capture", &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "busy with merge"));
    lock_release(lock);
    profile_destroy(&one);
}

static void a_database_that_is_down_stops_nobody(void **state)
{
    (void)state;
    expect_alone("host=/nowhere dbname=x user=y");
}

static void a_database_that_accepts_and_never_answers_stops_nobody(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    char dsn[96];
    snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d dbname=x user=y", ntohs(address.sin_port));
    expect_alone(dsn);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_states_and_one_catalog_exclude_each_other),
        cmocka_unit_test(it_goes_with_its_process_however_that_ends),
        cmocka_unit_test(a_database_that_is_down_stops_nobody),
        cmocka_unit_test(a_database_that_accepts_and_never_answers_stops_nobody),
    };
    return cmocka_run_group_tests(tests, cluster_start, cluster_stop);
}

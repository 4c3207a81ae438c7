/* The promises of core/net/pg: deadlines hold, errors have our kinds, passwords stay unseen. Runs
 * against a private Postgres. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/net/pg.h"
#include "tests/unit/pg_cluster.h"

static struct pg *open_cluster(const struct pg_options *more)
{
    struct pg_options options = more ? *more : (struct pg_options){0};
    options.dsn = cluster_dsn;
    struct error error = {0};
    struct pg *pg = pg_open(&options, &error);
    if (pg == NULL)
        fail_msg("%s", error.message);
    return pg;
}

static void connecting_fails_with_a_remedy(void **state)
{
    (void)state;
    static const struct {
        const char *dsn;
        enum error_kind kind;
    } cases[] = {{"host=127.0.0.1 port=1 dbname=x", ERROR_UNREACHABLE},
                 {"host=/nowhere dbname=x password=geheim", ERROR_UNREACHABLE},
                 {"host=x password='geheim", ERROR_CONFIG},
                 {"geheim=1 hostt=x", ERROR_CONFIG},
                 {"postgresql://u:geheim@127.0.0.1:1/x", ERROR_UNREACHABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pg_options options = {.dsn = cases[i].dsn, .password = i == 0 ? "geheim" : NULL};
        struct error error = {0};
        assert_null(pg_open(&options, &error));
        assert_int_equal(error.kind, cases[i].kind);
        assert_true(error.message[0] && error.remedy[0]);
        assert_null(strstr(error.message, "geheim"));
    }
    struct error error = {0};
    char dsn[300];
    snprintf(dsn, sizeof dsn, "%s dbname=absent", cluster_dsn);
    struct pg_options options = {.dsn = dsn};
    assert_null(pg_open(&options, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    error_clear(&error);
    options = (struct pg_options){.dsn = cluster_dsn, .user = "nobody_known"};
    assert_null(pg_open(&options, &error));
    assert_int_equal(error.kind, ERROR_REFUSED);
}

static void parameters_come_back_as_they_went(void **state)
{
    (void)state;
    struct pg *pg = open_cluster(NULL);
    const char *values[] = {"it's \\ \xC3\xA9", NULL};
    struct pg_rows rows;
    assert_true(pg_query(pg, "SELECT $1::text, $2::text, current_setting('application_name')",
                         values, 2, &rows, NULL));
    assert_int_equal(pg_rows_count(&rows), 1);
    assert_string_equal(pg_rows_value(&rows, 0, 0), values[0]);
    assert_null(pg_rows_value(&rows, 0, 1));
    assert_string_equal(pg_rows_value(&rows, 0, 2), "surfboard");
    pg_rows_destroy(&rows);
    struct buffer sql = {0};
    assert_true(buffer_append_text(&sql, "SELECT ", NULL) && pg_quote_text(&sql, values[0], NULL) &&
                buffer_append_text(&sql, " AS ", NULL) && pg_quote_name(&sql, "a\"b", NULL));
    struct buffer text = {0};
    bool found = false;
    assert_true(pg_query_text(pg, buffer_text(&sql, NULL), NULL, 0, &text, &found, NULL));
    assert_true(found && slice_is(buffer_slice(&text), values[0]));
    assert_true(pg_query_text(pg, "SELECT 1 WHERE false", NULL, 0, &text, &found, NULL));
    assert_false(found);
    buffer_destroy(&sql);
    buffer_destroy(&text);
    pg_close(pg);
}

static void server_errors_have_our_kinds(void **state)
{
    (void)state;
    struct pg *pg = open_cluster(NULL);
    assert_true(pg_exec(pg, "CREATE TABLE k (id int PRIMARY KEY); INSERT INTO k VALUES (1)", NULL));
    static const struct {
        const char *sql, *state;
        enum error_kind kind;
    } cases[] = {{"SELECT * FROM nothing", "42P01", ERROR_NOT_FOUND},
                 {"SELEC 1", "42601", ERROR_USAGE},
                 {"INSERT INTO k VALUES (1)", "23505", ERROR_EXISTS},
                 {"SELECT 1/0", "22012", ERROR_INPUT},
                 {"BEGIN READ ONLY; INSERT INTO k VALUES (2)", "25006", ERROR_REFUSED},
                 {"SET statement_timeout = 50; SELECT pg_sleep(5)", "57014", ERROR_UNREACHABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        assert_false(pg_exec(pg, cases[i].sql, &error));
        assert_int_equal(error.kind, cases[i].kind);
        assert_string_equal(pg_sqlstate(pg), cases[i].state);
        assert_true(pg_is_alive(pg));
        pg_rollback(pg);
    }
    struct error error = {0};
    struct pg_rows rows;
    assert_false(pg_query(pg, "SELECT 1; SELECT 2", NULL, 0, &rows, &error)); /* one at a time */
    assert_false(pg_exec(pg, "COPY k TO STDOUT", &error));
    assert_true(pg_exec(pg, "SELECT 1", &error));
    pg_close(pg);
}

static void a_lock_timeout_is_a_conflict(void **state)
{
    (void)state;
    struct pg *one = open_cluster(NULL), *two = open_cluster(NULL);
    assert_true(pg_exec(one, "CREATE TABLE l (id int)", NULL));
    assert_true(pg_exec(one, "BEGIN; LOCK l", NULL));
    struct error error = {0};
    assert_false(pg_exec(two, "SET lock_timeout = 100; SELECT * FROM l", &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_string_equal(pg_sqlstate(two), "55P03");
    pg_rollback(one);
    assert_true(pg_exec(two, "SELECT * FROM l", NULL));
    pg_close(one);
    pg_close(two);
}

static void a_silent_statement_ends_at_the_deadline(void **state)
{
    (void)state;
    struct pg *pg = open_cluster(&(struct pg_options){.answer_ms = 200});
    int64_t start = clock_monotonic_ns();
    struct error error = {0};
    assert_false(pg_exec(pg, "SELECT pg_sleep(20)", &error));
    assert_int_equal(error.kind, ERROR_UNREACHABLE);
    assert_true(clock_monotonic_ns() - start < INT64_C(5000000000));
    assert_true(pg_exec(pg, "SELECT 1", &error)); /* and the connection is good again */
    pg_close(pg);
}

static void *set_flag(void *flag)
{
    usleep(200000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static void the_stop_flag_cancels_at_the_server(void **state)
{
    (void)state;
    atomic_bool stop = false;
    struct pg *pg = open_cluster(&(struct pg_options){.stop = &stop});
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, set_flag, &stop), 0);
    struct error error = {0};
    assert_false(pg_exec(pg, "SELECT pg_sleep(20)", &error));
    assert_int_equal(error.kind, ERROR_INTERRUPTED);
    pthread_join(thread, NULL);
    atomic_store(&stop, false);
    struct buffer text = {0};
    bool found = false;
    assert_true(pg_query_text(pg,
                              "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
                              "'SELECT pg_sleep(20)%' AND state = 'active'",
                              NULL, 0, &text, &found, NULL));
    assert_true(slice_is(buffer_slice(&text), "0"));
    buffer_destroy(&text);
    pg_close(pg);
}

static void a_commit_that_failed_is_told_from_one_that_may_have_worked(void **state)
{
    (void)state;
    struct pg *pg = open_cluster(NULL), *other = open_cluster(NULL);
    struct error error = {0};
    assert_true(pg_exec(pg, "CREATE TABLE d (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)", NULL));
    assert_true(pg_begin(pg, NULL) && pg_exec(pg, "INSERT INTO d VALUES (1), (1)", NULL));
    assert_false(pg_commit(pg, &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    assert_true(pg_begin(pg, NULL));
    assert_false(pg_exec(pg, "SELECT 1/0", &error));
    assert_false(pg_commit(pg, &error)); /* the server answers ROLLBACK */
    assert_int_equal(error.kind, ERROR_INTERNAL);
    assert_true(pg_begin(pg, NULL) && pg_exec(pg, "INSERT INTO d VALUES (2)", NULL));
    assert_true(pg_exec_format(other, NULL, "SELECT pg_terminate_backend(%d)",
                               PQbackendPID(pg_connection(pg))));
    usleep(100000);
    error_clear(&error);
    assert_false(pg_commit(pg, &error));
    assert_int_equal(error.kind, ERROR_UNKNOWN);
    assert_false(pg_is_alive(pg));
    pg_rollback(pg);
    pg_close(pg);
    pg_close(other);
}

static void rows_stream_and_can_be_left(void **state)
{
    (void)state;
    struct pg *pg = open_cluster(NULL);
    assert_true(pg_send(pg, "SELECT g FROM generate_series(1, 10000000) g", NULL, 0, true, NULL));
    for (int i = 0; i < 100; i++) {
        PGresult *result = NULL;
        assert_true(pg_next_result(pg, &result, NULL));
        assert_int_equal(PQresultStatus(result), PGRES_SINGLE_TUPLE);
        assert_int_equal(atoi(PQgetvalue(result, 0, 0)), i + 1);
        PQclear(result);
    }
    pg_cancel(pg);
    assert_true(pg_exec(pg, "SELECT 1", NULL));
    pg_close(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_fails_with_a_remedy),
        cmocka_unit_test(parameters_come_back_as_they_went),
        cmocka_unit_test(server_errors_have_our_kinds),
        cmocka_unit_test(a_lock_timeout_is_a_conflict),
        cmocka_unit_test(a_silent_statement_ends_at_the_deadline),
        cmocka_unit_test(the_stop_flag_cancels_at_the_server),
        cmocka_unit_test(a_commit_that_failed_is_told_from_one_that_may_have_worked),
        cmocka_unit_test(rows_stream_and_can_be_left),
    };
    return cmocka_run_group_tests(tests, cluster_start, cluster_stop);
}

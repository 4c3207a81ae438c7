/* The promises of the JDBC catalog: several tables move together or not at all, one writer wins,
 * and a lost reply is settled by what the rows say. Runs against a private Postgres. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/iceberg/catalog_jdbc.h"
#include "core/iceberg/scan.h"
#include "tests/unit/lake.h"
#include "tests/unit/pg_cluster.h"

static struct error failure;
static char warehouse[96];

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

static int start(void **state)
{
    int result = cluster_start(state);
    snprintf(warehouse, sizeof warehouse, "%s/warehouse", cluster_folder);
    return result;
}

static struct catalog *open_catalog(void)
{
    struct catalog *catalog = catalog_jdbc_open(cluster_dsn, "lake", warehouse, false, &failure);
    must(catalog != NULL);
    return catalog;
}

static struct catalog_ident ident(const char *name)
{
    return (struct catalog_ident){"shop", name};
}

static void create(struct catalog *catalog, const char *name)
{
    struct schema schema;
    struct iceberg_table table;
    lake_schema(&schema);
    must(catalog_create(catalog, ident(name), &schema, NULL, 0, NULL, &table, &failure));
    assert_string_equal(table.name, name);
    assert_string_equal(table.namespace_name, "shop");
    iceberg_table_destroy(&table);
    schema_destroy(&schema);
}

static int64_t count_rows(struct catalog *catalog, const char *name)
{
    struct iceberg_table table;
    int64_t rows = -1;
    must(catalog_load(catalog, ident(name), &table, &failure));
    struct iceberg_scan *scan =
        iceberg_scan_open(&table, &(struct iceberg_scan_options){.snapshot_id = -1}, &failure);
    must(scan && iceberg_scan_count(scan, &rows, &failure));
    iceberg_scan_close(scan);
    iceberg_table_destroy(&table);
    return rows;
}

/* How many metadata files a table's folder holds. */
static size_t count_metadata(struct catalog *catalog, const char *name)
{
    struct iceberg_table table;
    struct store_listing listing;
    size_t count = 0;
    must(catalog_load(catalog, ident(name), &table, &failure));
    must(store_list(table.store, "metadata/", &listing, &failure));
    for (size_t i = 0; i < listing.count; i++)
        count += strstr(listing.entries[i].key, ".metadata.json") != NULL;
    store_listing_destroy(&listing);
    iceberg_table_destroy(&table);
    return count;
}

/* A commit of rows to each of two tables. */
struct pair {
    struct catalog *catalog;
    struct iceberg_table tables[2];
    struct iceberg_commit *commits[2];
};

static void pair_open(struct pair *pair, struct catalog *catalog, const char *a, const char *b,
                      int64_t rows)
{
    const char *const names[] = {a, b};
    pair->catalog = catalog;
    for (int i = 0; i < 2; i++) {
        must(catalog_load(catalog, ident(names[i]), &pair->tables[i], &failure));
        pair->commits[i] = iceberg_commit_begin(&pair->tables[i], &failure);
        must(pair->commits[i] && lake_add_rows(pair->commits[i], 0, rows, NULL, NULL, &failure));
    }
}

static void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        iceberg_commit_destroy(pair->commits[i]);
        iceberg_table_destroy(&pair->tables[i]);
    }
}

static void *open_racing(void *unused)
{
    struct catalog *catalog = catalog_jdbc_open(cluster_dsn, "lake", NULL, false, NULL);
    catalog_close(catalog);
    return catalog ? unused : NULL;
}

static void the_catalogs_tables_are_made_once(void **state)
{
    (void)state;
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_racing, warehouse), 0);
    for (int i = 0; i < 8; i++) {
        void *opened = NULL;
        pthread_join(threads[i], &opened);
        assert_ptr_equal(opened, warehouse);
    }
}

static void tables_are_created_listed_renamed_and_dropped(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog();
    struct iceberg_table table;
    struct schema schema;
    struct catalog_listing listing;
    create(catalog, "b_table");
    create(catalog, "a_table");
    lake_schema(&schema);
    assert_false(
        catalog_create(catalog, ident("a_table"), &schema, NULL, 0, NULL, &table, &failure));
    assert_int_equal(failure.kind, ERROR_EXISTS);
    schema_destroy(&schema);
    must(catalog_list(catalog, "shop", &listing, &failure));
    assert_int_equal(listing.count, 2);
    assert_string_equal(listing.items[0].name, "a_table");
    assert_string_equal(listing.items[1].name, "b_table");
    catalog_listing_destroy(&listing);
    must(catalog_list(catalog, "other", &listing, &failure));
    assert_int_equal(listing.count, 0);
    catalog_listing_destroy(&listing);

    assert_false(catalog_jdbc_rename(catalog, ident("a_table"), ident("b_table"), &failure));
    assert_int_equal(failure.kind, ERROR_EXISTS);
    must(catalog_jdbc_rename(catalog, ident("a_table"), (struct catalog_ident){"attic", "a"},
                             &failure));
    assert_false(catalog_load(catalog, ident("a_table"), &table, &failure));
    assert_int_equal(failure.kind, ERROR_NOT_FOUND);
    assert_false(catalog_jdbc_rename(catalog, ident("a_table"), ident("c"), &failure));
    assert_int_equal(failure.kind, ERROR_NOT_FOUND);
    must(catalog_load(catalog, (struct catalog_ident){"attic", "a"}, &table, &failure));
    iceberg_table_destroy(&table);
    must(catalog_drop(catalog, (struct catalog_ident){"attic", "a"}, &failure));
    must(catalog_drop(catalog, ident("b_table"), &failure));
    assert_false(catalog_drop(catalog, ident("b_table"), &failure));
    assert_int_equal(failure.kind, ERROR_NOT_FOUND);
    assert_false(catalog_load(catalog, (struct catalog_ident){NULL, "x"}, &table, &failure));
    assert_int_equal(failure.kind, ERROR_USAGE);
    catalog_close(catalog);
}

static bool insert_metric(void *context, void *connection, struct error *error)
{
    return pg_exec(connection, context, error);
}

static int64_t metric_rows(void)
{
    struct pg *pg = pg_open(&(struct pg_options){.dsn = cluster_dsn}, &failure);
    struct buffer text = {0};
    bool found = false;
    must(pg && pg_query_text(pg, "SELECT count(*) FROM metric", NULL, 0, &text, &found, &failure));
    int64_t rows = atoll(text.data);
    buffer_destroy(&text);
    pg_close(pg);
    return rows;
}

static void several_tables_and_the_callers_rows_move_together(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog();
    struct pair pair;
    create(catalog, "m1");
    create(catalog, "m2");
    struct pg *pg = pg_open(&(struct pg_options){.dsn = cluster_dsn}, &failure);
    must(pg && pg_exec(pg, "CREATE TABLE metric (n int)", &failure));
    pg_close(pg);
    pair_open(&pair, catalog, "m2", "m1", 10);
    char sql[] = "INSERT INTO metric VALUES (1)", bad[] = "INSERT INTO metric VALUES (1/0)";
    struct catalog_commit_options options = {.in_transaction = insert_metric, .context = bad};
    assert_false(catalog_commit(catalog, pair.commits, 2, &options, &failure));
    assert_int_equal(failure.kind, ERROR_INPUT);
    assert_int_equal(count_rows(catalog, "m1"), 0);
    assert_int_equal(count_rows(catalog, "m2"), 0);
    assert_int_equal(metric_rows(), 0);
    assert_int_equal(count_metadata(catalog, "m1"), 1); /* the unused ones are gone */
    options.context = sql;
    must(catalog_commit(catalog, pair.commits, 2, &options, &failure));
    assert_int_equal(count_rows(catalog, "m1"), 10);
    assert_int_equal(count_rows(catalog, "m2"), 10);
    assert_int_equal(metric_rows(), 1);
    assert_int_equal(iceberg_commit_outcome(pair.commits[0]), ICEBERG_OUTCOME_WON);
    assert_int_equal(count_metadata(catalog, "m1"), 2);
    pair_close(&pair);
    catalog_close(catalog);
}

static void one_lost_race_loses_all_and_is_tried_again(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog(), *rival = open_catalog();
    struct pair pair, other;
    create(catalog, "r1");
    create(catalog, "r2");
    create(catalog, "r3");
    pair_open(&pair, catalog, "r1", "r2", 5);
    pair_open(&other, rival, "r2", "r3", 7);
    must(catalog_commit(rival, other.commits, 2, NULL, &failure));
    pair_close(&other);
    struct catalog_commit_options once = {.retries = 0};
    assert_false(catalog_commit(catalog, pair.commits, 2, &once, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    assert_int_equal(iceberg_commit_outcome(pair.commits[1]), ICEBERG_OUTCOME_LOST);
    assert_int_equal(count_rows(catalog, "r1"), 0);
    struct catalog_commit_options often = {.retries = 3};
    /* Still on the old base: the first attempt loses again, the second stands on the new one. */
    must(catalog_commit(catalog, pair.commits, 2, &often, &failure));
    assert_int_equal(count_rows(catalog, "r1"), 5);
    assert_int_equal(count_rows(catalog, "r2"), 12);
    pair_close(&pair);
    catalog_close(catalog);
    catalog_close(rival);
}

enum { WRITERS = 4, ROUNDS = 6 };

static void *write_rounds(void *unused)
{
    struct catalog *catalog = catalog_jdbc_open(cluster_dsn, "lake", warehouse, false, NULL);
    bool ok = catalog != NULL;
    for (int round = 0; ok && round < ROUNDS; round++) {
        struct pair pair;
        pair_open(&pair, catalog, round % 2 ? "c1" : "c2", round % 2 ? "c2" : "c1", 3);
        struct catalog_commit_options options = {.retries = 100};
        ok = catalog_commit(catalog, pair.commits, 2, &options, NULL);
        pair_close(&pair);
    }
    catalog_close(catalog);
    return ok ? unused : NULL;
}

static void of_many_writers_none_loses_a_row(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog();
    create(catalog, "c1");
    create(catalog, "c2");
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_rounds, warehouse), 0);
    for (int i = 0; i < WRITERS; i++) {
        void *done = NULL;
        pthread_join(threads[i], &done);
        assert_non_null(done);
    }
    assert_int_equal(count_rows(catalog, "c1"), 3 * WRITERS * ROUNDS);
    assert_int_equal(count_rows(catalog, "c2"), 3 * WRITERS * ROUNDS);
    catalog_close(catalog);
}

/* Ends our own session from another one, just before COMMIT; the first time only. */
static bool cut_before_commit(void *context, void *connection, struct error *error)
{
    bool *cut = context;
    if (*cut)
        return true;
    *cut = true;
    struct pg *other = pg_open(&(struct pg_options){.dsn = cluster_dsn}, error);
    bool ok = other && pg_exec_format(other, error, "SELECT pg_terminate_backend(%d)",
                                      PQbackendPID(pg_connection(connection)));
    pg_close(other);
    usleep(100000);
    return ok;
}

static void a_connection_cut_at_commit_is_settled_and_tried_again(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog();
    struct pair pair;
    create(catalog, "k1");
    create(catalog, "k2");
    pair_open(&pair, catalog, "k1", "k2", 4);
    bool cut = false;
    struct catalog_commit_options options = {
        .retries = 3, .in_transaction = cut_before_commit, .context = &cut};
    must(catalog_commit(catalog, pair.commits, 2, &options, &failure));
    assert_true(cut);
    assert_int_equal(count_rows(catalog, "k1"), 4);
    assert_int_equal(count_rows(catalog, "k2"), 4);
    pair_close(&pair);
    catalog_close(catalog);
}

static void a_restarted_server_is_found_again(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog();
    create(catalog, "s1");
    assert_int_equal(cluster_call("restart"), 0);
    assert_int_equal(count_rows(catalog, "s1"), 0);
    catalog_close(catalog);
}

static void the_old_layout_is_refused_with_its_remedy(void **state)
{
    (void)state;
    struct pg *pg = pg_open(&(struct pg_options){.dsn = cluster_dsn}, &failure);
    must(pg && pg_exec(pg,
                       "CREATE SCHEMA old; CREATE TABLE old.iceberg_tables (catalog_name text); "
                       "CREATE TABLE old.iceberg_namespace_properties (catalog_name text)",
                       &failure));
    pg_close(pg);
    char dsn[320];
    snprintf(dsn, sizeof dsn, "%s options='-c search_path=old'", cluster_dsn);
    error_clear(&failure);
    assert_null(catalog_jdbc_open(dsn, "lake", warehouse, false, &failure));
    assert_int_equal(failure.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(failure.remedy, "ALTER TABLE"));
}

#ifdef SURFBOARD_FAULTS
/* In a program of its own: commits one pair, with a fault rule in the environment. */
static int commit_main(const char *dsn, const char *place)
{
    struct pair pair;
    struct catalog *catalog = catalog_jdbc_open(dsn, "lake", place, false, &failure);
    if (catalog == NULL)
        return 90;
    const char *const names[] = {"f1", "f2"};
    for (int i = 0; i < 2; i++) {
        if (!catalog_load(catalog, ident(names[i]), &pair.tables[i], &failure))
            return 91;
        pair.commits[i] = iceberg_commit_begin(&pair.tables[i], &failure);
        if (pair.commits[i] == NULL || !lake_add_rows(pair.commits[i], 0, 2, NULL, NULL, &failure))
            return 92;
    }
    struct catalog_commit_options once = {.retries = 0};
    bool ok = catalog_commit(catalog, pair.commits, 2, &once, &failure);
    pair_close(&pair);
    catalog_close(catalog);
    return ok ? 0 : (int)failure.kind;
}

static int create_main(const char *dsn, const char *place)
{
    struct schema schema;
    struct iceberg_table table;
    struct catalog *catalog = catalog_jdbc_open(dsn, "lake", place, false, &failure);
    if (catalog == NULL)
        return 90;
    lake_schema(&schema);
    bool ok = catalog_create(catalog, ident("made"), &schema, NULL, 0, NULL, &table, &failure);
    if (ok)
        iceberg_table_destroy(&table);
    schema_destroy(&schema);
    catalog_close(catalog);
    return ok ? 0 : (int)failure.kind;
}

static int run_with_fault(const char *what, const char *rule)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("SURFBOARD_FAULT", rule, 1);
        execl("/proc/self/exe", "test", what, cluster_dsn, warehouse, (char *)NULL);
        _exit(99);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_crash_leaves_all_tables_old_or_all_new(void **state)
{
    (void)state;
    struct catalog *catalog = open_catalog();
    create(catalog, "f1");
    create(catalog, "f2");
    static const struct {
        const char *rule;
        int result;
        bool committed;
    } cases[] = {{"jdbc.commit.before-update=kill", -1, false},
                 {"jdbc.commit.before-update=eio", ERROR_IO, false},
                 {"jdbc.commit.before-commit=kill", -1, false},
                 {"jdbc.commit.before-commit=enospc", ERROR_IO, false},
                 {"jdbc.commit.after-commit=kill", -1, true},
                 {"jdbc.commit.after-commit=eio", 0, true},
                 {"store.commit.before-name=eio@4", ERROR_IO, false}};
    int64_t rows = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(run_with_fault("commit", cases[i].rule), cases[i].result);
        rows += cases[i].committed ? 2 : 0;
        assert_int_equal(count_rows(catalog, "f1"), rows);
        assert_int_equal(count_rows(catalog, "f2"), rows);
    }
    catalog_close(catalog);
}

static void a_crash_leaves_a_table_made_or_not_made(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        int result;
        bool made;
    } cases[] = {{"jdbc.create.before-commit=kill", -1, false},
                 {"jdbc.create.before-commit=eio", ERROR_IO, false},
                 {"jdbc.create.after-commit=kill", -1, true},
                 {"jdbc.create.after-commit=enospc", 0, true}};
    struct catalog *catalog = open_catalog();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct iceberg_table table;
        assert_int_equal(run_with_fault("create", cases[i].rule), cases[i].result);
        bool made = catalog_load(catalog, ident("made"), &table, &failure);
        assert_int_equal(made, cases[i].made);
        if (made) {
            iceberg_table_destroy(&table);
            must(catalog_drop(catalog, ident("made"), &failure));
        }
    }
    catalog_close(catalog);
}
#endif

int main(int count, char **arguments)
{
#ifdef SURFBOARD_FAULTS
    if (count == 4 && strcmp(arguments[1], "commit") == 0)
        return commit_main(arguments[2], arguments[3]);
    if (count == 4 && strcmp(arguments[1], "create") == 0)
        return create_main(arguments[2], arguments[3]);
#else
    (void)count;
    (void)arguments;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogs_tables_are_made_once),
        cmocka_unit_test(tables_are_created_listed_renamed_and_dropped),
        cmocka_unit_test(several_tables_and_the_callers_rows_move_together),
        cmocka_unit_test(one_lost_race_loses_all_and_is_tried_again),
        cmocka_unit_test(of_many_writers_none_loses_a_row),
        cmocka_unit_test(a_connection_cut_at_commit_is_settled_and_tried_again),
        cmocka_unit_test(a_restarted_server_is_found_again),
        cmocka_unit_test(the_old_layout_is_refused_with_its_remedy),
#ifdef SURFBOARD_FAULTS
        cmocka_unit_test(a_crash_leaves_all_tables_old_or_all_new),
        cmocka_unit_test(a_crash_leaves_a_table_made_or_not_made),
#endif
    };
    return cmocka_run_group_tests(tests, start, cluster_stop);
}

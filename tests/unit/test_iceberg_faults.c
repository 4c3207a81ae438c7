/* A commit that is killed, or fails, at any point has happened whole or not at all; running it
 * again ends in the same table, and nothing is orphaned for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/iceberg/delete.h"
#include "core/iceberg/maintain.h"
#include "core/iceberg/reach.h"
#include "tests/unit/lake.h"

static struct error failure;

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

/* ---- what the child does ---- */

/* One exactly-once batch: ten rows come, one goes, "state" says that it is done. */
static bool batch_run(struct lake *lake, struct error *error)
{
    struct iceberg_table table;
    struct iceberg_file_list files = {0};
    struct iceberg_commit *commit = NULL;
    struct arena arena = {0};
    struct iceberg_file deletes;
    const int64_t row = 3;
    TRY(catalog_load(lake->catalog, lake->ident, &table, error));
    bool done = iceberg_table_property(&table, "state") != NULL;
    bool ok = done || ((commit = iceberg_commit_begin(&table, error)) != NULL &&
                       iceberg_snapshot_files(&table, -1, &files, error) &&
                       iceberg_commit_guard_property(commit, "state", error) &&
                       iceberg_commit_set_property(commit, "state", "done", error) &&
                       lake_add_rows(commit, 100, 110, NULL, NULL, error) &&
                       iceberg_write_position_deletes(commit, &files.items[0], &row, 1, &arena,
                                                      &deletes, error) &&
                       iceberg_commit_add_file(commit, &deletes, error) &&
                       catalog_commit(lake->catalog, &commit, 1, NULL, error));
    if (!ok && commit)
        iceberg_commit_discard(commit);
    iceberg_commit_destroy(commit);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
    arena_destroy(&arena);
    return ok;
}

enum { APPENDS = 6, APPENDED = 10 };

static bool append_run(struct lake *lake, struct error *error)
{
    for (int i = 0; i < APPENDS; i++)
        TRY(lake_append(lake, 1000 + i * APPENDED, 1000 + (i + 1) * APPENDED, error));
    return true;
}

static bool maintain_run(struct lake *lake, struct error *error)
{
    const struct iceberg_expiry expiry = {.min_snapshots = 1};
    struct iceberg_maintained done = {0};
    clock_fake(clock_now_us() + INT64_C(48) * 3600 * 1000000);
    return iceberg_expire(lake->catalog, lake->ident, &expiry, &done, error) &&
           iceberg_orphans(lake->catalog, lake->ident, 1000, 0, false, &done, error);
}

static int child(const char *what, const char *uri)
{
    struct lake lake = {.ident = {NULL, uri}};
    struct error error = {0};
    struct iceberg_table table;
    bool ok = (lake.catalog = catalog_storage_open(NULL, true, &error)) != NULL;
    if (ok && strcmp(what, "batch") == 0) {
        ok = batch_run(&lake, &error);
    } else if (ok && strcmp(what, "append") == 0) {
        ok = append_run(&lake, &error);
    } else if (ok && strcmp(what, "create") == 0) {
        struct schema schema;
        lake_schema(&schema);
        ok = catalog_create(lake.catalog, lake.ident, &schema, NULL, 0, NULL, &table, &error);
        if (ok)
            iceberg_table_destroy(&table);
        schema_destroy(&schema);
    } else if (ok) {
        ok = maintain_run(&lake, &error);
    }
    if (!ok)
        fprintf(stderr, "%s: %s\n", error_kind_name(error.kind), error.message);
    catalog_close(lake.catalog);
    return ok ? 0 : error_exit_code(error.kind);
}

/* Runs this program again as a child. */
static pid_t start(const char *what, const struct lake *lake, const char *fault, const char *log)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("SURFBOARD_FAULT", fault, 1);
        setenv("SURFBOARD_FAULT_LOG", log, 1);
        execl("/proc/self/exe", "test_iceberg_faults", what, lake->uri, (char *)NULL);
        _exit(99);
    }
    return pid;
}

/* The child's exit code, or 1000 + the signal that ended it. */
static int run(const char *what, const struct lake *lake, const char *fault)
{
    char log[128];
    snprintf(log, sizeof log, "%s/fired", lake->folder);
    unlink(log);
    pid_t pid = start(what, lake, fault, log);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (*fault && access(log, F_OK) != 0)
        fail_msg("%s: the point did not fire in \"%s\"", fault, what);
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- what must hold ---- */

static void check_rows(struct lake *lake, bool done)
{
    struct iceberg_table table;
    struct iceberg_file_list files;
    int64_t rows = 0, gone = 0;
    lake_load(lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    for (size_t i = 0; i < files.count; i++) {
        struct source source = {0};
        must(iceberg_table_source(&table, files.items[i].path, &source, &failure));
        store_source_close(&source);
        *(files.items[i].content == ICEBERG_DATA ? &rows : &gone) += files.items[i].record_count;
    }
    assert_int_equal(rows, done ? 30 : 20);
    assert_int_equal(gone, done ? 1 : 0);
    assert_int_equal(iceberg_table_property(&table, "state") != NULL, done);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
}

/* After a sweep every file of the table is one that its snapshots need. */
static void check_no_orphans(struct lake *lake)
{
    struct iceberg_table table;
    struct store_listing listing;
    struct reach reach = {0};
    struct iceberg_maintained done = {0};
    clock_fake(clock_now_us() + INT64_C(2) * 3600 * 1000000);
    must(iceberg_orphans(lake->catalog, lake->ident, 3600 * 1000, 0, false, &done, &failure));
    clock_fake(-1);
    lake_load(lake, &table);
    for (size_t i = 0; i < table.snapshot_count; i++)
        must(reach_add_lists(&reach, &table, &table.snapshots[i], NULL, &failure));
    must(reach_add_files(&reach, &table, false, &failure));
    must(store_list(table.store, "", &listing, &failure));
    for (size_t i = 0; i < listing.count; i++) {
        const char *key = listing.entries[i].key;
        if (!strstr(key, ".metadata.json") && !strstr(key, "version-hint") &&
            !reach_has(&reach, key))
            fail_msg("%s is left behind", key);
    }
    store_listing_destroy(&listing);
    reach_destroy(&reach);
    iceberg_table_destroy(&table);
}

static void lake_with_rows(struct lake *lake)
{
    struct iceberg_table table;
    lake_open(lake);
    lake_create(lake, &table);
    iceberg_table_destroy(&table);
    must(lake_append(lake, 0, 10, &failure));
    must(lake_append(lake, 10, 20, &failure));
}

static const char *const actions[] = {"kill", "eio", "enospc"};
enum { ACTIONS = sizeof actions / sizeof *actions };

static void a_commit_is_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *point;
        bool published; /* a kill there leaves a commit behind */
    } points[] = {
        {"iceberg.deletes.before-write", false},  {"iceberg.commit.after-data", false},
        {"iceberg.commit.before-list", false},    {"iceberg.commit.after-manifests", false},
        {"iceberg.commit.before-flush", false},   {"iceberg.commit.after-flush", false},
        {"iceberg.commit.before-pointer", false}, {"iceberg.commit.after-pointer", true},
    };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        for (size_t a = 0; a < ACTIONS; a++) {
            struct lake lake;
            char fault[96];
            lake_with_rows(&lake);
            snprintf(fault, sizeof fault, "%s=%s", points[i].point, actions[a]);
            int code = run("batch", &lake, fault);
            /* An error behind the pointer is found out to be a success. */
            int wanted = a == 0 ? 1009 : points[i].published ? 0 : 8;
            if (code != wanted)
                fail_msg("%s: ended with %d instead of %d", fault, code, wanted);
            check_rows(&lake, points[i].published);
            assert_int_equal(run("batch", &lake, ""), 0);
            check_rows(&lake, true);
            check_no_orphans(&lake);
            lake_close(&lake);
        }
    }
}

/* Several processes, held up where it hurts most, and a sweep for orphans among them. */
static void no_commit_is_lost_when_processes_race(void **state)
{
    (void)state;
    enum { PROCESSES = 4 };
    static const char *const delays[PROCESSES] = {
        "iceberg.commit.before-pointer=delay:60", "iceberg.commit.after-pointer=delay:60",
        "iceberg.commit.after-flush=delay:60", "iceberg.commit.before-list=delay:60@3"};
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_file_list files;
    struct iceberg_maintained done = {0};
    char log[128];
    pid_t children[PROCESSES];
    int64_t rows = 0;
    lake_with_rows(&lake);
    snprintf(log, sizeof log, "%s/fired", lake.folder);
    for (int i = 0; i < PROCESSES; i++)
        children[i] = start("append", &lake, delays[i], log);
    for (int i = 0; i < 5; i++) {
        must(iceberg_orphans(lake.catalog, lake.ident, 3600 * 1000, 0, false, &done, &failure));
        clock_sleep_ms(30);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(done.files_deleted + done.metadata_deleted, 0);
    lake_load(&lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    for (size_t i = 0; i < files.count; i++)
        rows += files.items[i].record_count;
    assert_int_equal(rows, 20 + PROCESSES * APPENDS * APPENDED);
    assert_int_equal(table.snapshot_count, 2 + PROCESSES * APPENDS);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
    check_no_orphans(&lake);
    lake_close(&lake);
}

static void creating_is_whole_or_not_at_all(void **state)
{
    (void)state;
    for (size_t a = 0; a < ACTIONS; a++) {
        struct lake lake;
        struct iceberg_table table;
        char fault[96];
        lake_open(&lake);
        snprintf(fault, sizeof fault, "iceberg.create.before-pointer=%s", actions[a]);
        assert_int_equal(run("create", &lake, fault), a == 0 ? 1009 : 8);
        assert_false(catalog_load(lake.catalog, lake.ident, &table, &failure));
        assert_int_equal(failure.kind, ERROR_NOT_FOUND);
        assert_int_equal(run("create", &lake, ""), 0);
        lake_load(&lake, &table);
        iceberg_table_destroy(&table);
        lake_close(&lake);
    }
}

static void maintenance_that_dies_is_finished_by_the_next(void **state)
{
    (void)state;
    static const char *const points[] = {
        "iceberg.expire.after-commit", "iceberg.expire.before-delete", "iceberg.orphans.after-list",
        "iceberg.orphans.before-delete"};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        for (size_t a = 0; a < ACTIONS; a++) {
            struct lake lake;
            char fault[96];
            lake_with_rows(&lake);
            assert_int_equal(run("batch", &lake, "iceberg.commit.before-pointer=kill"), 1009);
            snprintf(fault, sizeof fault, "%s=%s", points[i], actions[a]);
            assert_int_equal(run("maintain", &lake, fault), a == 0 ? 1009 : 8);
            check_rows(&lake, false);
            assert_int_equal(run("maintain", &lake, ""), 0);
            check_rows(&lake, false);
            assert_int_equal(run("batch", &lake, ""), 0);
            check_rows(&lake, true);
            check_no_orphans(&lake);
            lake_close(&lake);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return child(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_is_whole_or_not_at_all),
        cmocka_unit_test(no_commit_is_lost_when_processes_race),
        cmocka_unit_test(creating_is_whole_or_not_at_all),
        cmocka_unit_test(maintenance_that_dies_is_finished_by_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

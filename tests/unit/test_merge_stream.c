/* Several tables of one stream: one batch, one commit, or (in a storage catalog, which can't) one
 * recorded cut that survives a crash between the tables; two merges at once; a rolled back table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/change/table.h"
#include "core/iceberg/scan.h"
#include "core/merge/merge.h"
#include "core/merge/state.h"
#include "tests/unit/pg_cluster.h"

static struct error error;
#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

enum { TABLES = 2 };

struct fixture {
    char folder[64];
    char deltas[TABLES][128], transactions[128], records[128], warehouse[128], index[128];
    struct change_table tables[TABLES];
    struct merge_table targets[TABLES];
    struct merge_stream stream;
    struct merge_options options;
    int64_t lsn;
    int64_t next[TABLES], transaction_next;
};

static const char schema_file[] =
    "{\"name\":\"%s\",\"columns\":[{\"name\":\"id\",\"type\":\"bigint\"},{\"name\":\"v\",\"type\":"
    "\"text\"}],\"primary_key\":[\"id\"]}";

static void begin(struct fixture *f, bool transactions)
{
    *f = (struct fixture){.lsn = 100};
    strcpy(f->folder, "/tmp/surfboard-stream-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->warehouse, sizeof f->warehouse, "%s/lake", f->folder);
    snprintf(f->records, sizeof f->records, "%s/lake/_surfboard/s", f->folder);
    snprintf(f->index, sizeof f->index, "%s/index", f->folder);
    snprintf(f->transactions, sizeof f->transactions, "%s/deltas/p.transaction", f->folder);
    static const char *const names[TABLES] = {"orders", "lines"};
    for (int i = 0; i < TABLES; i++) {
        char json[256];
        int length = snprintf(json, sizeof json, schema_file, names[i]);
        must(change_table_parse(slice_make(json, (size_t)length), "test", &f->tables[i], &error));
        snprintf(f->deltas[i], sizeof f->deltas[i], "%s/deltas/p.public.%s", f->folder, names[i]);
        f->targets[i] = (struct merge_table){.name = names[i],
                                             .table = &f->tables[i],
                                             .deltas = f->deltas[i],
                                             .deltas_optional = true,
                                             .ident = {"shop", names[i]}};
    }
    f->stream = (struct merge_stream){.name = "s",
                                      .tables = f->targets,
                                      .table_count = TABLES,
                                      .transactions = transactions ? f->transactions : NULL,
                                      .records = f->records};
    f->options = (struct merge_options)MERGE_OPTIONS_DEFAULT;
    f->options.index = f->index;
    f->options.durable = false;
    f->options.threads = 1;
    f->options.gap_wait_ms = 0;
    f->stream.catalog = catalog_storage_open(f->warehouse, false, &error);
    assert_non_null(f->stream.catalog);
}

static void end(struct fixture *f)
{
    catalog_close(f->stream.catalog);
    for (int i = 0; i < TABLES; i++)
        change_table_destroy(&f->tables[i]);
    file_remove_tree(f->folder, NULL);
}

static void put_file(const char *folder, int64_t offset, struct slice text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/0", folder);
    must(file_make_folders(path, 0755, &error));
    snprintf(path, sizeof path, "%s/0/%020lld.jsonl", folder, (long long)offset);
    must(file_write_atomic(path, text, 0644, &error));
}

/* One source transaction: row `id` of every table set to `value`. */
static void transaction(struct fixture *f, int64_t id, const char *value, bool with_end)
{
    struct buffer text = {0};
    f->lsn += 10;
    for (int i = 0; i < TABLES; i++) {
        buffer_clear(&text);
        must(buffer_append_format(
            &text, &error,
            "{\"key\":{\"id\":%lld},\"value\":{\"op\":\"u\",\"before\":null,\"after\":{\"id\":%lld,"
            "\"v\":\"%s\"},\"source\":{\"sequence\":\"[\\\"%lld\\\",\\\"%lld\\\"]\",\"lsn\":%lld,"
            "\"txId\":%lld,\"ts_us\":%lld,\"schema\":\"public\",\"table\":\"%s\"},\"transaction\":"
            "{\"id\":\"%lld:%lld\",\"total_order\":%d,\"data_collection_order\":1}},\"offset\":"
            "%lld}\n",
            (long long)id, (long long)id, value, (long long)f->lsn, (long long)f->lsn + i,
            (long long)f->lsn + i, (long long)f->lsn, (long long)f->lsn * 1000, f->targets[i].name,
            (long long)f->lsn, (long long)f->lsn + i, i + 1, (long long)f->next[i]));
        put_file(f->deltas[i], f->next[i]++, buffer_slice(&text));
    }
    buffer_clear(&text);
    must(buffer_append_format(
        &text, &error,
        "{\"key\":{\"id\":\"%lld:%lld\"},\"value\":{\"status\":\"BEGIN\",\"id\":\"%lld:%lld\","
        "\"ts_ms\":1,\"event_count\":null,\"data_collections\":null},\"offset\":%lld}\n",
        (long long)f->lsn, (long long)f->lsn, (long long)f->lsn, (long long)f->lsn,
        (long long)f->transaction_next));
    put_file(f->transactions, f->transaction_next++, buffer_slice(&text));
    if (with_end) {
        buffer_clear(&text);
        must(buffer_append_format(
            &text, &error,
            "{\"key\":{\"id\":\"%lld:%lld\"},\"value\":{\"status\":\"END\",\"id\":\"%lld:%lld\","
            "\"ts_ms\":1,\"event_count\":2,\"data_collections\":[{\"data_collection\":"
            "\"public.orders\",\"event_count\":1},{\"data_collection\":\"public.lines\","
            "\"event_count\":1}]},\"offset\":%lld}\n",
            (long long)f->lsn, (long long)f->lsn + 5, (long long)f->lsn, (long long)f->lsn + 5,
            (long long)f->transaction_next));
        put_file(f->transactions, f->transaction_next++, buffer_slice(&text));
    }
    buffer_destroy(&text);
}

static bool run_once(struct fixture *f, struct merge_summary *out)
{
    struct merge *merge = merge_open(&f->stream, &f->options, &error);
    assert_non_null(merge);
    bool ok = merge_batch(merge, out, &error);
    merge_close(merge);
    return ok;
}

static void run(struct fixture *f, enum merge_state state, int64_t batch)
{
    struct merge_summary summary = {0};
    must(run_once(f, &summary));
    assert_int_equal(summary.state, state);
    assert_int_equal(summary.batch, batch);
    merge_summary_destroy(&summary);
}

/* "id=v id=v" of one table, by id; and its state. */
static void check_table(struct fixture *f, int at, const char *expected, int64_t batch)
{
    struct iceberg_table table;
    must(catalog_load(f->stream.catalog, f->targets[at].ident, &table, &error));
    struct iceberg_scan_options options = {.snapshot_id = -1};
    struct iceberg_scan *scan = iceberg_scan_open(&table, &options, &error);
    assert_non_null(scan);
    char values[100][16] = {{0}};
    const struct batch *rows;
    for (;;) {
        must(iceberg_scan_next(scan, &rows, &error));
        if (rows == NULL)
            break;
        for (size_t row = 0; row < rows->length; row++) {
            struct slice value = column_bytes(&rows->columns[1], row);
            int64_t id = column_long(&rows->columns[0], row);
            assert_int_equal(values[id][0], 0); /* a key once */
            snprintf(values[id], sizeof values[id], "%.*s", SLICE_ARG(value));
        }
    }
    iceberg_scan_close(scan);
    struct buffer text = {0};
    for (int id = 0; id < 100; id++) {
        if (values[id][0])
            must(buffer_append_format(&text, &error, "%s%d=%s", text.length ? " " : "", id,
                                      values[id]));
    }
    must(buffer_text(&text, &error) != NULL);
    assert_string_equal(text.length ? text.data : "", expected);
    buffer_destroy(&text);
    struct table_state state;
    char topic[64];
    snprintf(topic, sizeof topic, "p.public.%s", f->targets[at].name);
    must(table_state_load(&table, topic, &state, &error));
    assert_int_equal(state.batch, batch);
    table_state_destroy(&state);
    iceberg_table_destroy(&table);
}

static void check(struct fixture *f, const char *expected, int64_t batch)
{
    for (int i = 0; i < TABLES; i++)
        check_table(f, i, expected, batch);
}

static void whole_transactions_in_one_batch(struct fixture *f)
{
    transaction(f, 1, "a", true);
    transaction(f, 2, "b", true);
    run(f, MERGE_COMMITTED, 1);
    check(f, "1=a 2=b", 1);
    run(f, MERGE_NOTHING_TO_DO, 1);
    transaction(f, 1, "c", true);
    transaction(f, 3, "never seen yet", false); /* no END: waits */
    run(f, MERGE_COMMITTED, 2);
    check(f, "1=c 2=b", 2);
}

static void a_storage_catalog_commits_by_record(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, true);
    whole_transactions_in_one_batch(&f);
    char record[160];
    snprintf(record, sizeof record, "%s/batch-2.json", f.records);
    assert_false(file_exists(record));
    end(&f);
}

static void tables_without_a_transaction_topic_go_on(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, false);
    transaction(&f, 1, "a", true);
    run(&f, MERGE_COMMITTED, 1);
    check(&f, "1=a", 1);
    end(&f);
}

#ifdef SURFBOARD_FAULTS
/* Killed between the commits of two tables: the next run takes the recorded cut, although more has
 * come meanwhile, and both tables carry the same batch. */
static void a_crash_between_tables_keeps_their_cut(void **state)
{
    (void)state;
    static const char *const faults[] = {
        "merge.record.after-put=kill",          "iceberg.commit.before-pointer=kill@1",
        "iceberg.commit.before-pointer=kill@2", "iceberg.commit.after-pointer=kill@1",
        "iceberg.commit.after-pointer=kill@2",  "merge.record.before-remove=kill"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct fixture f;
        begin(&f, true);
        transaction(&f, 1, "a", true);
        run(&f, MERGE_COMMITTED, 1);
        transaction(&f, 1, "b", true);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            /* Fault points are read once in a process: this one starts anew. */
            setenv("SURFBOARD_FAULT", faults[i], 1);
            setenv("SURFBOARD_TEST_FOLDER", f.folder, 1);
            execl("/proc/self/exe", "test_merge_stream", "--merge-once", (char *)NULL);
            _exit(99);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status))
            fail_msg("%s did not fire: %d", faults[i], status);
        transaction(&f, 2, "later", true);
        run(&f, MERGE_COMMITTED, i < 4 ? 2 : 3); /* the last two: both tables had committed */
        for (int more = 0; more < 2; more++) {
            struct merge_summary summary = {0};
            must(run_once(&f, &summary));
            merge_summary_destroy(&summary);
        }
        check(&f, "1=b 2=later", 3);
        end(&f);
    }
}

static int merge_once(const char *folder)
{
    struct fixture f;
    begin(&f, true);
    file_remove_tree(f.folder, NULL);
    snprintf(f.folder, sizeof f.folder, "%s", folder);
    catalog_close(f.stream.catalog);
    snprintf(f.warehouse, sizeof f.warehouse, "%s/lake", folder);
    snprintf(f.records, sizeof f.records, "%s/lake/_surfboard/s", folder);
    snprintf(f.index, sizeof f.index, "%s/index", folder);
    snprintf(f.transactions, sizeof f.transactions, "%s/deltas/p.transaction", folder);
    for (int i = 0; i < TABLES; i++)
        snprintf(f.deltas[i], sizeof f.deltas[i], "%s/deltas/p.public.%s", folder,
                 f.targets[i].name);
    f.stream.catalog = catalog_storage_open(f.warehouse, false, &error);
    struct merge_summary summary = {0};
    return run_once(&f, &summary) ? 0 : 8;
}
#endif

static void a_jdbc_catalog_commits_all_tables_at_once(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, true);
    catalog_close(f.stream.catalog);
    f.stream.catalog = catalog_jdbc_open(cluster_dsn, "lake", f.warehouse, false, &error);
    assert_non_null(f.stream.catalog);
    f.stream.records = NULL;
    whole_transactions_in_one_batch(&f);
    end(&f);
}

/* Another merge of the same table was faster: this one finds its work done. */
static void the_second_of_two_merges_does_nothing_twice(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, true);
    transaction(&f, 1, "a", true);
    run(&f, MERGE_COMMITTED, 1);
    struct merge *first = merge_open(&f.stream, &f.options, &error);
    struct merge *second = merge_open(&f.stream, &f.options, &error);
    assert_true(first && second);
    struct merge_summary one = {0}, two = {0};
    for (int i = 0; i < 3; i++) {
        transaction(&f, 2 + i, "b", true);
        must(merge_batch(i % 2 ? second : first, &one, &error));
        must(merge_batch(i % 2 ? first : second, &two, &error));
        assert_int_equal(one.state, MERGE_COMMITTED);
        assert_int_equal(two.state, MERGE_NOTHING_TO_DO);
    }
    merge_summary_destroy(&one);
    merge_summary_destroy(&two);
    merge_close(first);
    merge_close(second);
    check(&f, "1=a 2=b 3=b 4=b", 4);
    end(&f);
}

int main(int argc, char **argv)
{
#ifdef SURFBOARD_FAULTS
    if (argc > 1 && strcmp(argv[1], "--merge-once") == 0)
        return merge_once(getenv("SURFBOARD_TEST_FOLDER"));
#endif
    (void)argc;
    (void)argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storage_catalog_commits_by_record),
        cmocka_unit_test(tables_without_a_transaction_topic_go_on),
#ifdef SURFBOARD_FAULTS
        cmocka_unit_test(a_crash_between_tables_keeps_their_cut),
#endif
        cmocka_unit_test(the_second_of_two_merges_does_nothing_twice),
        cmocka_unit_test_setup_teardown(a_jdbc_catalog_commits_all_tables_at_once, cluster_start,
                                        cluster_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

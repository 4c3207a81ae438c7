/* Events of a transaction that lie there before the transaction topic does wait for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/change/table.h"
#include "core/iceberg/catalog.h"
#include "core/merge/merge.h"

static char folder[64];

static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    *strrchr(path, '/') = '\0';
    assert_true(file_make_folders(path, 0700, NULL));
    path[strlen(path)] = '/';
    assert_true(file_write_atomic(path, slice_of(text), 0600, NULL));
}

static int64_t merged(struct merge *merge)
{
    struct merge_summary summary = {0};
    struct error error = {0};
    if (!merge_batch(merge, &summary, &error))
        fail_msg("%s", error.message);
    int64_t events = summary.events;
    merge_summary_destroy(&summary);
    return events;
}

static void events_wait_for_a_transaction_topic_that_comes_later(void **state)
{
    (void)state;
    char deltas[128], transactions[128], warehouse[128], index[128];
    struct change_table table;
    assert_true(change_table_parse(
        slice_of("{\"name\":\"t\",\"columns\":[{\"name\":\"id\",\"type\":\"bigint\",\"nullable\":"
                 "false}],\"primary_key\":[\"id\"]}"),
        "t.json", &table, NULL));
    snprintf(deltas, sizeof deltas, "%s/d/p.public.t", folder);
    snprintf(transactions, sizeof transactions, "%s/d/p.transaction", folder);
    snprintf(warehouse, sizeof warehouse, "%s/w", folder);
    snprintf(index, sizeof index, "%s/i", folder);
    put("d/p.public.t/0/00000000000000000000.jsonl",
        "{\"offset\":0,\"key\":{\"id\":1},\"value\":{\"op\":\"r\",\"before\":null,\"after\":{"
        "\"id\":1},"
        "\"source\":{\"lsn\":10,\"txId\":1,\"snapshot\":\"last\"},\"transaction\":null}}\n"
        "{\"offset\":1,\"key\":{\"id\":2},\"value\":{\"op\":\"c\",\"before\":null,\"after\":{"
        "\"id\":2},"
        "\"source\":{\"lsn\":20,\"txId\":2,\"sequence\":\"[\\\"10\\\",\\\"20\\\"]\"},"
        "\"transaction\":{\"id\":\"2:20\",\"total_order\":1,\"data_collection_order\":1}}}\n");
    struct catalog *catalog = catalog_storage_open(warehouse, false, NULL);
    assert_non_null(catalog);
    struct merge_table target = {.name = "t",
                                 .table = &table,
                                 .deltas = deltas,
                                 .ident = {.namespace_name = "n", .name = "t"}};
    struct merge_stream stream = {.name = "s",
                                  .catalog = catalog,
                                  .tables = &target,
                                  .table_count = 1,
                                  .transactions = transactions};
    struct merge_options options = MERGE_OPTIONS_DEFAULT;
    options.durable = false;
    options.index = index;
    options.gap_wait_ms = 0;
    struct error error = {0};
    struct merge *merge = merge_open(&stream, &options, &error);
    if (merge == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(merged(merge), 1); /* the snapshot's row */
    assert_int_equal(merged(merge), 0);
    put("d/p.transaction/0/00000000000000000000.jsonl",
        "{\"offset\":0,\"key\":{\"id\":\"2:20\"},\"value\":{\"status\":\"END\",\"id\":\"2:25\","
        "\"ts_ms\":1,\"event_count\":1,\"data_collections\":[{\"data_collection\":\"public.t\","
        "\"event_count\":1}]}}\n");
    assert_int_equal(merged(merge), 1);
    assert_int_equal(merged(merge), 0);
    merge_close(merge);
    catalog_close(catalog);
    change_table_destroy(&table);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/surfboard-early-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_wait_for_a_transaction_topic_that_comes_later),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

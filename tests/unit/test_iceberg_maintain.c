/* Old snapshots and what crashed commits left go; what anybody needs stays, foreign files too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/iceberg/maintain.h"
#include "tests/unit/lake.h"

#define HOUR_MS INT64_C(3600000)

static struct error failure;
static const struct iceberg_expiry hourly = {
    .snapshot_age_ms = HOUR_MS, .min_snapshots = 5, .delete_grace_ms = HOUR_MS};

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

static int64_t rows_of(struct lake *lake)
{
    struct iceberg_table table;
    struct iceberg_file_list files;
    int64_t rows = 0;
    lake_load(lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    for (size_t i = 0; i < files.count; i++) {
        struct source source = {0};
        must(iceberg_table_source(&table, files.items[i].path, &source, &failure));
        store_source_close(&source);
        rows += files.items[i].record_count;
    }
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
    return rows;
}

/* Each commit replaces the table's only data file. */
static void replace_all(struct lake *lake, int64_t rows)
{
    struct iceberg_table table;
    struct iceberg_file_list files;
    lake_load(lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    for (size_t i = 0; i < files.count; i++)
        must(iceberg_commit_remove_file(commit, &files.items[i], &failure));
    must(lake_add_rows(commit, 0, rows, NULL, NULL, &failure));
    must(catalog_commit(lake->catalog, &commit, 1, NULL, &failure));
    iceberg_commit_destroy(commit);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
}

static size_t count_files(struct lake *lake, const char *prefix)
{
    struct store_listing listing;
    struct store *store = store_open(lake->uri, NULL, &failure);
    must(store_list(store, prefix, &listing, &failure));
    size_t count = listing.count;
    store_listing_destroy(&listing);
    store_close(store);
    return count;
}

static void expiry_removes_what_only_old_snapshots_need(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_maintained done = {0};
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 1; i <= 20; i++)
        replace_all(&lake, i);
    assert_int_equal(count_files(&lake, "data/"), 20);

    must(iceberg_expire(lake.catalog, lake.ident, &hourly, &done, &failure));
    assert_int_equal(done.snapshots_expired, 0); /* all are young */
    int64_t now = clock_now_us();
    clock_fake(now + 2 * HOUR_MS * 1000);
    struct iceberg_expiry dry = hourly;
    dry.dry_run = true;
    must(iceberg_expire(lake.catalog, lake.ident, &dry, &done, &failure));
    assert_int_equal(done.snapshots_expired, 15);
    assert_int_equal(count_files(&lake, "data/"), 20);

    struct iceberg_expiry few = hourly;
    few.max_snapshots = 4;
    done = (struct iceberg_maintained){0};
    must(iceberg_expire(lake.catalog, lake.ident, &few, &done, &failure));
    assert_int_equal(done.snapshots_expired, 4);
    assert_int_equal(done.left, 11);
    done = (struct iceberg_maintained){0};
    must(iceberg_expire(lake.catalog, lake.ident, &hourly, &done, &failure));
    assert_int_equal(done.snapshots_expired, 11);
    assert_int_equal(count_files(&lake, "data/"), 5);
    assert_int_equal(rows_of(&lake), 20);
    lake_load(&lake, &table);
    assert_int_equal(table.snapshot_count, 5);
    assert_int_equal(json_array_size(json_object_get(table.metadata, "snapshot-log")), 5);
    for (size_t i = 0; i < table.snapshot_count; i++) {
        struct iceberg_file_list files;
        must(iceberg_snapshot_files(&table, table.snapshots[i].id, &files, &failure));
        assert_int_equal(files.count, 1);
        struct source source = {0};
        must(iceberg_table_source(&table, files.items[0].path, &source, &failure));
        store_source_close(&source);
        iceberg_file_list_destroy(&files);
    }
    iceberg_table_destroy(&table);
    clock_fake(-1);
    lake_close(&lake);
}

static void a_superseded_snapshot_stays_for_its_readers_grace(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_maintained done = {0};
    struct iceberg_expiry one = hourly;
    one.min_snapshots = 1;
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    replace_all(&lake, 1);
    int64_t now = clock_now_us();
    clock_fake(now + 24 * HOUR_MS * 1000);
    replace_all(&lake, 2); /* the first was current until this moment */
    must(iceberg_expire(lake.catalog, lake.ident, &one, &done, &failure));
    assert_int_equal(done.snapshots_expired, 0);
    clock_fake(now + 25 * HOUR_MS * 1000 + 1000000);
    must(iceberg_expire(lake.catalog, lake.ident, &one, &done, &failure));
    assert_int_equal(done.snapshots_expired, 1);
    clock_fake(-1);
    lake_close(&lake);
}

static void tags_and_the_way_to_the_last_batch_stay(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_maintained done = {0};
    struct buffer text = {0};
    struct iceberg_expiry one = hourly;
    one.min_snapshots = 1;
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 1; i <= 10; i++) {
        if (i != 6) {
            replace_all(&lake, i);
            continue;
        }
        lake_load(&lake, &table); /* the sixth is a batch of a merge */
        struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
        must(lake_add_rows(commit, 0, 3, NULL, NULL, &failure));
        must(iceberg_commit_set_summary(commit, "surfboard.watermark", "{}", &failure));
        must(catalog_commit(lake.catalog, &commit, 1, NULL, &failure));
        iceberg_commit_destroy(commit);
        iceberg_table_destroy(&table);
    }
    lake_load(&lake, &table); /* the third gets a tag */
    json_t *refs = json_object_get(table.metadata, "refs");
    json_object_set_new(
        refs, "kept",
        json_pack("{s:I,s:s}", "snapshot-id", (json_int_t)table.snapshots[2].id, "type", "tag"));
    char *whole = json_dumps(table.metadata, 0);
    char path[160];
    snprintf(path, sizeof path, "%s/metadata/v12.metadata.json", lake.uri);
    must(file_write_atomic(path, slice_of(whole), 0644, &failure));
    int64_t third = table.snapshots[2].id, sixth = table.snapshots[5].id;
    free(whole);
    iceberg_table_destroy(&table);
    int64_t now = clock_now_us();
    clock_fake(now + 5 * HOUR_MS * 1000);
    must(iceberg_expire(lake.catalog, lake.ident, &one, &done, &failure));
    clock_fake(-1);
    assert_int_equal(done.snapshots_expired, 4); /* 1, 2, 4, 5 */
    lake_load(&lake, &table);
    struct iceberg_snapshot found;
    assert_true(iceberg_snapshot_find(&table, third, &found));
    assert_true(iceberg_snapshot_descends(&table, table.snapshot_id, sixth));
    assert_true(iceberg_snapshot_nearest(&table, -1, "surfboard.watermark", &found));
    assert_int_equal(found.id, sixth);
    iceberg_table_destroy(&table);
    buffer_destroy(&text);
    lake_close(&lake);
}

static void orphans_of_ours_go_after_the_grace_and_nothing_else(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_maintained done = {0};
    char path[192];
    static const char *const foreign[] = {
        "data/00000-0-5a6e000f-9177-4628-8f50-49ae59063e1f.parquet",
        "data/5a6e000f-9177-4628-8f50-49ae59063e1f.parquet",
        "metadata/5a6e000f-9177-4628-8f50-49ae59063e1f-m0.avro",
        "metadata/00007-5a6e000f-9177-4628-8f50-49ae59063e1f.metadata.json",
    };
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 0; i < 3; i++)
        must(lake_append(&lake, i * 10, i * 10 + 10, &failure));
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", lake.uri, foreign[i]);
        must(file_write_atomic(path, SLICE_LITERAL("{}"), 0644, &failure));
    }
    /* a metadata file that a catalog's commit of ours put before it died */
    static const char uuid[] = "6b6e000f-9177-4628-8f50-49ae59063e1f";
    char body[128];
    snprintf(path, sizeof path, "%s/metadata/00009-%s.metadata.json", lake.uri, uuid);
    snprintf(body, sizeof body, "{\"properties\":{\"surfboard.commit-id\":\"%s\"}}", uuid);
    must(file_write_atomic(path, slice_of(body), 0644, &failure));
    lake_load(&lake, &table); /* a commit that dies before its pointer */
    struct iceberg_commit *dead = iceberg_commit_begin(&table, &failure);
    must(lake_add_rows(dead, 0, 10, NULL, NULL, &failure));
    must(iceberg_commit_prepare(dead, &failure));
    iceberg_commit_destroy(dead);
    iceberg_table_destroy(&table);
    size_t data = count_files(&lake, "data/"), metadata = count_files(&lake, "metadata/");

    must(iceberg_orphans(lake.catalog, lake.ident, HOUR_MS, 0, false, &done, &failure));
    assert_int_equal(done.files_deleted + done.metadata_deleted, 0);
    int64_t now = clock_now_us();
    clock_fake(now + 2 * HOUR_MS * 1000);
    must(iceberg_orphans(lake.catalog, lake.ident, HOUR_MS, 0, true, &done, &failure));
    assert_int_equal(done.files_deleted, 1);
    assert_int_equal(done.metadata_deleted, 3);
    assert_int_equal(count_files(&lake, "data/"), data);
    done = (struct iceberg_maintained){0};
    must(iceberg_orphans(lake.catalog, lake.ident, HOUR_MS, 2, false, &done, &failure));
    assert_int_equal(done.files_deleted + done.metadata_deleted, 2);
    assert_int_equal(done.left, 1); /* the other one is not looked at any more */
    must(iceberg_orphans(lake.catalog, lake.ident, HOUR_MS, 0, false, &done, &failure));
    clock_fake(-1);
    assert_int_equal(count_files(&lake, "data/"), data - 1);
    assert_int_equal(count_files(&lake, "metadata/"), metadata - 3);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", lake.uri, foreign[i]);
        assert_int_equal(access(path, F_OK), 0);
    }
    assert_int_equal(rows_of(&lake), 30);
    lake_close(&lake);
}

static void old_versions_go_in_order_and_never_within_a_day(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_maintained done = {0};
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    must(
        iceberg_commit_set_property(commit, "write.metadata.previous-versions-max", "3", &failure));
    must(catalog_commit(lake.catalog, &commit, 1, NULL, &failure));
    iceberg_commit_destroy(commit);
    iceberg_table_destroy(&table);
    for (int i = 0; i < 8; i++)
        must(lake_append(&lake, i * 10, i * 10 + 10, &failure));
    int64_t now = clock_now_us();
    clock_fake(now + 23 * HOUR_MS * 1000);
    must(iceberg_orphans(lake.catalog, lake.ident, HOUR_MS, 0, false, &done, &failure));
    assert_int_equal(done.metadata_deleted, 0);
    clock_fake(now + 25 * HOUR_MS * 1000);
    must(iceberg_orphans(lake.catalog, lake.ident, HOUR_MS, 0, false, &done, &failure));
    clock_fake(-1);
    assert_int_equal(done.metadata_deleted, 6); /* 10 versions: the head and three before it stay */
    assert_int_equal(rows_of(&lake), 80);
    char path[160];
    snprintf(path, sizeof path, "%s/metadata/version-hint.text", lake.uri);
    must(file_write_atomic(path, SLICE_LITERAL("2"), 0644, &failure)); /* points to nothing now */
    assert_int_equal(rows_of(&lake), 80);
    lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expiry_removes_what_only_old_snapshots_need),
        cmocka_unit_test(a_superseded_snapshot_stays_for_its_readers_grace),
        cmocka_unit_test(tags_and_the_way_to_the_last_batch_stay),
        cmocka_unit_test(orphans_of_ours_go_after_the_grace_and_nothing_else),
        cmocka_unit_test(old_versions_go_in_order_and_never_within_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

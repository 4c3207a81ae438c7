/* Manifests that others wrote are rewritten without losing anything: every entry keeps its values,
 * counts, bounds and sequence numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/iceberg/catalog.h"

static struct error failure;

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

/* Copies a case's table into a fresh folder whose storage catalog begins at its newest metadata. */
static void copy_case(const char *name, char *folder)
{
    char command[768], path[512];
    struct buffer text = {0};
    snprintf(path, sizeof path, "tests/fixtures/iceberg/%s/catalog-row.json", name);
    must(file_read(path, &text, &failure));
    json_t *row = json_parse(buffer_slice(&text), path, &failure);
    const char *location = json_string_value(json_object_get(row, "metadata_location"));
    const char *key = location + strlen("s3://warehouse/");
    const char *end = strstr(key, "/metadata/");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command,
             "cp -r 'tests/fixtures/iceberg/%s/warehouse/%.*s/.' '%s' && cd '%s' && "
             "cp '%s' metadata/v1.metadata.json",
             name, (int)(end - key), key, folder, folder, end + 1);
    assert_int_equal(system(command), 0);
    json_decref(row);
    buffer_destroy(&text);
}

static bool same_value(const struct iceberg_value *a, const struct iceberg_value *b)
{
    return a->present == b->present && (!a->present || slice_equal(a->bytes, b->bytes));
}

static void check_same(const struct iceberg_file *a, const struct iceberg_file *b)
{
    assert_int_equal(a->content, b->content);
    assert_string_equal(a->format, b->format);
    assert_int_equal(a->spec_id, b->spec_id);
    assert_int_equal(a->record_count, b->record_count);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->snapshot_id, b->snapshot_id);
    assert_int_equal(a->sequence_number, b->sequence_number);
    assert_int_equal(a->file_sequence_number, b->file_sequence_number);
    assert_int_equal(a->sort_order_id, b->sort_order_id);
    assert_int_equal(a->partition_count, b->partition_count);
    for (size_t i = 0; i < a->partition_count; i++)
        assert_true(same_value(&a->partition[i], &b->partition[i]));
    assert_int_equal(a->metric_count, b->metric_count);
    for (size_t i = 0; i < a->metric_count; i++) {
        const struct iceberg_metric *left = &a->metrics[i], *right = &b->metrics[i];
        assert_int_equal(left->field_id, right->field_id);
        assert_int_equal(left->column_size, right->column_size);
        assert_int_equal(left->value_count, right->value_count);
        assert_int_equal(left->null_count, right->null_count);
        assert_int_equal(left->nan_count, right->nan_count);
        assert_true(same_value(&left->lower, &right->lower));
        assert_true(same_value(&left->upper, &right->upper));
    }
    assert_int_equal(a->split_count, b->split_count);
    for (size_t i = 0; i < a->split_count; i++)
        assert_int_equal(a->split_offsets[i], b->split_offsets[i]);
    assert_int_equal(a->equality_count, b->equality_count);
    assert_int_equal(a->referenced_data_file != NULL, b->referenced_data_file != NULL);
    if (a->referenced_data_file)
        assert_string_equal(a->referenced_data_file, b->referenced_data_file);
}

static const struct iceberg_file *find(const struct iceberg_file_list *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].path, path) == 0)
            return &files->items[i];
    }
    return NULL;
}

static void rewrite_case(const char *name, bool merge)
{
    char folder[] = "/tmp/surfboard-rewrite-XXXXXX";
    struct iceberg_table table, after;
    struct iceberg_file_list before, files;
    copy_case(name, folder);
    struct catalog *catalog = catalog_storage_open(NULL, false, &failure);
    const struct catalog_ident ident = {NULL, folder};
    must(catalog_load(catalog, ident, &table, &failure));
    must(iceberg_snapshot_files(&table, -1, &before, &failure));
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    size_t removed = 0;
    if (merge)
        iceberg_commit_merge_manifests(commit);
    for (size_t i = 0; i < before.count; i += 3, removed++)
        must(iceberg_commit_remove_file(commit, &before.items[i], &failure));
    bool empty = iceberg_commit_is_empty(commit);
    must(catalog_commit(catalog, &commit, 1, NULL, &failure));
    iceberg_commit_destroy(commit);

    must(catalog_load(catalog, ident, &after, &failure));
    assert_int_equal(after.snapshot_count, table.snapshot_count + !empty);
    assert_string_equal(after.location, table.location); /* a copy keeps the names it had */
    must(iceberg_snapshot_files(&after, -1, &files, &failure));
    assert_int_equal(files.count, before.count - removed);
    for (size_t i = 0; i < before.count; i++) {
        const struct iceberg_file *now = find(&files, before.items[i].path);
        assert_int_equal(now == NULL, i % 3 == 0);
        if (now)
            check_same(&before.items[i], now);
    }
    struct iceberg_manifest_list manifests;
    must(iceberg_snapshot_manifests(&after, -1, &manifests, &failure));
    for (size_t i = 0; i < manifests.count; i++) {
        assert_true(manifests.items[i].min_sequence_number <= manifests.items[i].sequence_number);
        assert_int_equal(manifests.items[i].partition_count,
                         iceberg_table_spec(&after, manifests.items[i].spec_id)->field_count);
    }
    if (merge) /* one for each spec and kind is enough here */
        assert_true(manifests.count <= 2 * after.spec_count);
    iceberg_manifest_list_destroy(&manifests);
    iceberg_file_list_destroy(&files);
    iceberg_file_list_destroy(&before);
    iceberg_table_destroy(&after);
    iceberg_table_destroy(&table);
    catalog_close(catalog);
    file_remove_tree(folder, NULL);
}

static const char *const cases[] = {"types",     "deletes",          "partitioned", "evolution",
                                    "compacted", "nested-evolution", "formats",     "empty"};
enum { CASES = sizeof cases / sizeof *cases };

static void removing_files_keeps_the_other_entries(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        rewrite_case(cases[i], false);
}

static void merging_manifests_keeps_every_entry(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        rewrite_case(cases[i], true);
}

static void a_table_of_a_catalog_is_not_written_behind_its_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/surfboard-rewrite-XXXXXX", path[128];
    struct iceberg_table table;
    copy_case("deletes", folder);
    snprintf(path, sizeof path, "%s/metadata/v1.metadata.json", folder);
    assert_int_equal(unlink(path), 0);
    struct catalog *catalog = catalog_storage_open(NULL, false, &failure);
    must(catalog_load(catalog, (struct catalog_ident){NULL, folder}, &table, &failure));
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    must(iceberg_commit_set_property(commit, "a", "b", &failure));
    assert_false(catalog_commit(catalog, &commit, 1, NULL, &failure));
    assert_int_equal(failure.kind, ERROR_REFUSED);
    assert_non_null(strstr(failure.remedy, "--catalog-dsn"));
    iceberg_commit_destroy(commit);
    iceberg_table_destroy(&table);
    catalog_close(catalog);
    file_remove_tree(folder, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removing_files_keeps_the_other_entries),
        cmocka_unit_test(merging_manifests_keeps_every_entry),
        cmocka_unit_test(a_table_of_a_catalog_is_not_written_behind_its_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tables that others wrote are read whole: metadata, snapshots, manifests, entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/iceberg/file.h"

static struct error failure;

/* The metadata file that the catalog row of a case names, below the case's folder. */
static void open_case(const char *name, struct iceberg_table *table)
{
    char path[512];
    struct buffer text = {0};
    snprintf(path, sizeof path, "tests/fixtures/iceberg/%s/catalog-row.json", name);
    assert_true(file_read(path, &text, &failure));
    json_t *row = json_parse(buffer_slice(&text), path, &failure);
    const char *location = json_string_value(json_object_get(row, "metadata_location"));
    static const char prefix[] = "s3://warehouse/";
    assert_true(slice_starts_with(slice_of(location), slice_of(prefix)));
    snprintf(path, sizeof path, "tests/fixtures/iceberg/%s/warehouse/%s", name,
             location + sizeof prefix - 1);
    if (!iceberg_table_open(path, table, &failure))
        fail_msg("%s: %s", path, failure.message);
    json_decref(row);
    buffer_destroy(&text);
}

static const char *const cases[] = {
    "types",     "deletes", "partitioned", "evolution", "nested-evolution",
    "compacted", "formats", "empty"};

static int64_t summary_number(const struct iceberg_snapshot *snapshot, const char *key)
{
    const char *text = iceberg_snapshot_summary(snapshot, key);
    return text ? strtoll(text, NULL, 10) : 0;
}

/* What Trino counted in each snapshot's summary is what its manifests hold. */
static void every_snapshot_lists_the_files_its_summary_counts(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct iceberg_table table;
        open_case(cases[c], &table);
        assert_true(table.snapshot_count > 0);
        for (size_t s = 0; s < table.snapshot_count; s++) {
            const struct iceberg_snapshot *snapshot = &table.snapshots[s];
            struct iceberg_file_list files;
            if (!iceberg_snapshot_files(&table, snapshot->id, &files, &failure))
                fail_msg("%s: %s", cases[c], failure.message);
            int64_t data = 0, deletes = 0, rows = 0, positions = 0, bytes = 0;
            for (size_t i = 0; i < files.count; i++) {
                const struct iceberg_file *file = &files.items[i];
                struct source source = {0};
                bytes += file->size;
                data += file->content == ICEBERG_DATA;
                deletes += file->content != ICEBERG_DATA;
                rows += file->content == ICEBERG_DATA ? file->record_count : 0;
                positions += file->content == ICEBERG_DATA ? 0 : file->record_count;
                assert_true(file->sequence_number > 0);
                assert_true(file->sequence_number <= snapshot->sequence_number);
                assert_true(file->snapshot_id > 0);
                assert_true(iceberg_table_source(&table, file->path, &source, &failure));
                assert_int_equal(source.size, file->size);
                store_source_close(&source);
                if (file->content == ICEBERG_POSITION_DELETES)
                    assert_non_null(iceberg_file_scope(file).data);
            }
            assert_int_equal(data, summary_number(snapshot, "total-data-files"));
            assert_int_equal(deletes, summary_number(snapshot, "total-delete-files"));
            assert_int_equal(rows, summary_number(snapshot, "total-records"));
            assert_int_equal(positions, summary_number(snapshot, "total-position-deletes"));
            assert_int_equal(bytes, summary_number(snapshot, "total-files-size"));
            iceberg_file_list_destroy(&files);
        }
        iceberg_table_destroy(&table);
    }
}

static void metadata_survives_load_and_save_member_by_member(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(
        glob("tests/fixtures/iceberg/*/warehouse/fx/*/metadata/*.metadata.json", 0, NULL, &found),
        0);
    assert_true(found.gl_pathc > 50);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buffer text = {0}, saved = {0};
        struct iceberg_table table;
        assert_true(file_read(found.gl_pathv[i], &text, &failure));
        assert_true(iceberg_table_parse(buffer_slice(&text), found.gl_pathv[i], &table, &failure));
        json_t *before = json_parse(buffer_slice(&text), "before", &failure);
        assert_true(json_print(table.metadata, &saved, &failure));
        json_t *after = json_parse(buffer_slice(&saved), "after", &failure);
        assert_true(json_equal(before, after));
        for (size_t s = 0; s < table.schema_count; s++) {
            json_t *list = json_object_get(before, "schemas");
            json_t *schema = iceberg_schema_to_json(&table.schemas[s], NULL, &failure);
            assert_true(json_equal(json_array_get(list, s), schema));
            json_decref(schema);
        }
        json_decref(before);
        json_decref(after);
        iceberg_table_destroy(&table);
        buffer_destroy(&text);
        buffer_destroy(&saved);
    }
    globfree(&found);
}

static void partition_values_come_typed(void **state)
{
    (void)state;
    struct iceberg_table table;
    struct iceberg_file_list files;
    open_case("partitioned", &table);
    assert_int_equal(table.spec->field_count, 3);
    assert_true(iceberg_snapshot_files(&table, -1, &files, &failure));
    size_t nulls = 0, escaped = 0;
    for (size_t i = 0; i < files.count; i++) {
        const struct iceberg_value *region = &files.items[i].partition[0];
        struct buffer day = {0};
        nulls += !region->present;
        escaped += region->present && slice_is(region->bytes, "a b/c=d \xC3\xA9");
        assert_true(files.items[i].partition[1].present);
        assert_true(iceberg_value_print(&table.spec->fields[2].type,
                                        files.items[i].partition[2].bytes, &day, &failure));
        assert_non_null(buffer_text(&day, &failure));
        char marker[64];
        snprintf(marker, sizeof marker, "ts_day=%s/", day.data);
        assert_non_null(strstr(files.items[i].path, marker));
        buffer_destroy(&day);
    }
    assert_true(nulls > 0);
    assert_true(escaped > 0);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
}

static void time_travel_finds_the_snapshot_of_a_moment(void **state)
{
    (void)state;
    struct iceberg_table table;
    struct iceberg_snapshot found;
    open_case("deletes", &table);
    for (size_t i = 0; i < table.snapshot_count; i++) {
        assert_true(
            iceberg_snapshot_as_of(&table, table.snapshots[i].timestamp_ms, &found, &failure));
        assert_int_equal(found.id, table.snapshots[i].id);
    }
    assert_false(iceberg_snapshot_as_of(&table, 0, &found, &failure));
    assert_int_equal(failure.kind, ERROR_NOT_FOUND);
    assert_true(iceberg_snapshot_ref(&table, "main", &found));
    assert_int_equal(found.id, table.snapshot_id);
    assert_true(iceberg_snapshot_descends(&table, table.snapshot_id, table.snapshots[0].id));
    assert_false(iceberg_snapshot_descends(&table, table.snapshots[0].id, table.snapshot_id));
    iceberg_table_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_snapshot_lists_the_files_its_summary_counts),
        cmocka_unit_test(metadata_survives_load_and_save_member_by_member),
        cmocka_unit_test(partition_values_come_typed),
        cmocka_unit_test(time_travel_finds_the_snapshot_of_a_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

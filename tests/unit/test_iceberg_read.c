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
#include "core/codec/codec.h"
#include "core/iceberg/describe.h"
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
        json_t *described = NULL;
        assert_true(iceberg_describe_metadata(buffer_slice(&text), "t", &described, &failure));
        assert_int_equal(json_integer_value(json_object_get(described, "snapshots")),
                         table.snapshot_count);
        json_decref(described);
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

/* The folder of a case's table. */
static void folder_of(const struct iceberg_table *table, char *out, size_t size)
{
    const char *end = strstr(table->metadata_location, "/metadata/");
    snprintf(out, size, "%.*s", (int)(end - table->metadata_location), table->metadata_location);
}

static void a_table_folder_opens_at_its_newest_metadata(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct iceberg_table table, again;
        char folder[512];
        open_case(cases[c], &table);
        folder_of(&table, folder, sizeof folder);
        if (!iceberg_table_open(folder, &again, &failure))
            fail_msg("%s: %s", folder, failure.message);
        assert_true(json_equal(table.metadata, again.metadata));
        iceberg_table_destroy(&again);
        iceberg_table_destroy(&table);
    }
    struct iceberg_table none;
    assert_false(iceberg_table_open("tests/unit", &none, &failure));
    assert_int_equal(failure.kind, ERROR_NOT_FOUND);
}

static void two_heads_of_one_number_are_named_not_guessed(void **state)
{
    (void)state;
    char folder[] = "/tmp/surfboard-heads-XXXXXX", path[160];
    static const char *const names[] = {"00001-7dbf100e-5fd1-4a41-90ca-198570fedf78.metadata.json",
                                        "00001-8dbf100e-5fd1-4a41-90ca-198570fedf78.metadata.json"};
    struct iceberg_table table;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/metadata", folder);
    assert_true(file_make_folders(path, 0755, &failure));
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/metadata/%s", folder, names[i]);
        assert_true(file_write_atomic(path, SLICE_LITERAL("{}"), 0644, &failure));
    }
    assert_false(iceberg_table_open(folder, &table, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    assert_non_null(strstr(failure.message, names[0]));
    assert_non_null(strstr(failure.message, names[1]));
    file_remove_tree(folder, NULL);
}

static void version_1_and_compressed_metadata_are_read(void **state)
{
    (void)state;
    static const char v1[] =
        "{\"format-version\":1,\"location\":\"file:/t/\",\"last-updated-ms\":1,"
        "\"last-column-id\":2,\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
        "\"name\":\"a\",\"required\":true,\"type\":\"long\"}]},\"partition-spec\":["
        "{\"source-id\":1,\"name\":\"a_bucket\",\"transform\":\"bucket[4]\"},"
        "{\"source-id\":1,\"name\":\"new\",\"transform\":\"zorder\"}]}";
    struct buffer packed = {0};
    assert_true(codec_compress(NULL, CODEC_GZIP, 0, slice_of(v1), &packed, &failure));
    const struct slice forms[] = {slice_of(v1), buffer_slice(&packed)};
    for (size_t i = 0; i < 2; i++) {
        struct iceberg_table table;
        struct iceberg_file_list files;
        if (!iceberg_table_parse(forms[i], "/t/metadata/v1.metadata.json", &table, &failure))
            fail_msg("%s", failure.message);
        assert_int_equal(table.format_version, 1);
        assert_string_equal(table.location, "file:/t");
        assert_int_equal(table.snapshot_id, -1);
        assert_int_equal(table.schema->field_count, 1);
        assert_int_equal(table.spec->fields[0].field_id, 1000);
        assert_int_equal(table.spec->fields[0].transform, ICEBERG_BUCKET);
        assert_int_equal(table.spec->fields[0].argument, 4);
        assert_int_equal(table.spec->fields[1].transform, ICEBERG_TRANSFORM_UNKNOWN);
        assert_true(iceberg_snapshot_files(&table, -1, &files, &failure));
        assert_int_equal(files.count, 0);
        iceberg_file_list_destroy(&files);
        iceberg_table_destroy(&table);
    }
    buffer_destroy(&packed);
}

static void a_moved_table_finds_its_files_and_foreign_ones_are_named(void **state)
{
    (void)state;
    struct iceberg_table table;
    struct buffer key = {0};
    struct store *store = NULL;
    char path[512];
    open_case("deletes", &table);
    snprintf(path, sizeof path, "%s/data/x.parquet", table.location); /* s3://… */
    assert_true(iceberg_table_resolve(&table, path, &store, &key, &failure));
    assert_ptr_equal(store, table.store);
    assert_string_equal(key.data, "data/x.parquet");
    snprintf(path, sizeof path, "%s//data/x.parquet", table.location);
    assert_true(iceberg_table_resolve(&table, path, &store, &key, &failure));
    assert_string_equal(key.data, "data/x.parquet");
    assert_true(iceberg_table_resolve(&table, "file:/elsewhere/y", &store, &key, &failure));
    assert_ptr_equal(store, table.outside_store);
    assert_string_equal(key.data, "elsewhere/y");
    snprintf(path, sizeof path, "%s-other/x.parquet", table.location);
    assert_false(iceberg_table_resolve(&table, path, &store, &key, &failure));
    assert_int_equal(failure.kind, ERROR_NOT_FOUND);
    assert_non_null(strstr(failure.message, "-other/x.parquet"));
    buffer_destroy(&key);
    iceberg_table_destroy(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_snapshot_lists_the_files_its_summary_counts),
        cmocka_unit_test(metadata_survives_load_and_save_member_by_member),
        cmocka_unit_test(partition_values_come_typed),
        cmocka_unit_test(time_travel_finds_the_snapshot_of_a_moment),
        cmocka_unit_test(a_table_folder_opens_at_its_newest_metadata),
        cmocka_unit_test(two_heads_of_one_number_are_named_not_guessed),
        cmocka_unit_test(version_1_and_compressed_metadata_are_read),
        cmocka_unit_test(a_moved_table_finds_its_files_and_foreign_ones_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

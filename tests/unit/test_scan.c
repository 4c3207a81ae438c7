/* The promises of the table scan: every delete of every kind is applied to exactly the rows it is
 * about, counts agree with rows, and files that are not what the manifest says are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/random.h"
#include "core/iceberg/delete.h"
#include "core/iceberg/scan.h"
#include "core/iceberg/scan_internal.h"
#include "core/iceberg/statistics.h"
#include "tests/unit/lake.h"

static struct error failure;

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

enum { ROWS = 3000 };

/* Which of the rows (ids 0 .. ROWS-1) a scan hands out; each at most once. */
static size_t scan_ids(const struct iceberg_table *table, int64_t snapshot_id, bool seen[ROWS])
{
    static const char *const columns[] = {"name", "id"};
    size_t count = 0;
    int64_t counted = -1;
    const struct batch *batch = NULL;
    struct iceberg_scan_options options = {
        .snapshot_id = snapshot_id, .columns = columns, .column_count = 2};
    memset(seen, 0, ROWS);
    struct iceberg_scan *scan = iceberg_scan_open(table, &options, &failure);
    must(scan != NULL);
    for (;;) {
        must(iceberg_scan_next(scan, &batch, &failure));
        if (batch == NULL)
            break;
        assert_int_equal(batch->column_count, 2);
        for (size_t row = 0; row < batch->length; row++) {
            int64_t id = column_long(&batch->columns[1], row);
            char name[32];
            snprintf(name, sizeof name, "name %lld", (long long)id);
            assert_true(id >= 0 && id < ROWS && !seen[id]);
            assert_int_equal(column_is_null(&batch->columns[0], row), id % 7 == 0);
            if (id % 7)
                assert_true(slice_is(column_bytes(&batch->columns[0], row), name));
            seen[id] = true;
            count++;
        }
    }
    iceberg_scan_close(scan);
    scan = iceberg_scan_open(table, &options, &failure);
    must(scan && iceberg_scan_count(scan, &counted, &failure));
    assert_int_equal(counted, count);
    iceberg_scan_close(scan);
    return count;
}

struct fixture {
    struct lake lake;
    struct iceberg_table table;
    struct arena arena;
    bool seen[ROWS];
};

static void open_fixture(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    lake_open(&fixture->lake);
    lake_create(&fixture->lake, &fixture->table);
    iceberg_table_destroy(&fixture->table);
    must(lake_append(&fixture->lake, 0, 1000, &failure));
    must(lake_append(&fixture->lake, 1000, ROWS, &failure));
    lake_load(&fixture->lake, &fixture->table);
}

static void reload(struct fixture *fixture)
{
    iceberg_table_destroy(&fixture->table);
    lake_load(&fixture->lake, &fixture->table);
}

static void close_fixture(struct fixture *fixture)
{
    iceberg_table_destroy(&fixture->table);
    arena_destroy(&fixture->arena);
    lake_close(&fixture->lake);
}

/* The data file whose rows begin with id `first`. */
static const struct iceberg_file *data_file(const struct iceberg_plan *plan, int64_t rows)
{
    for (size_t i = 0; i < plan->task_count; i++) {
        if (plan->tasks[i].data->record_count == rows)
            return plan->tasks[i].data;
    }
    fail_msg("no file of %lld rows", (long long)rows);
    return NULL;
}

static void delete_positions(struct fixture *fixture, int64_t file_rows, const int64_t *rows,
                             size_t count)
{
    struct iceberg_plan plan;
    struct iceberg_file file;
    must(iceberg_plan_make(&fixture->table, -1, NULL, &plan, &failure));
    struct iceberg_commit *commit = iceberg_commit_begin(&fixture->table, &failure);
    must(commit &&
         iceberg_write_position_deletes(commit, data_file(&plan, file_rows), rows, count,
                                        &fixture->arena, &file, &failure) &&
         iceberg_commit_add_file(commit, &file, &failure) &&
         catalog_commit(fixture->lake.catalog, &commit, 1, NULL, &failure));
    iceberg_commit_destroy(commit);
    iceberg_plan_destroy(&plan);
    reload(fixture);
}

static void position_deletes_of_several_files_add_up(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    int64_t before = fixture.table.snapshot_id;
    static const int64_t first[] = {0, 1, 500, 999}, again[] = {1, 2, 998}, second[] = {0, 1999};
    delete_positions(&fixture, 1000, first, 4);
    delete_positions(&fixture, 1000, again, 3);
    delete_positions(&fixture, 2000, second, 2);
    assert_int_equal(scan_ids(&fixture.table, -1, fixture.seen), ROWS - 8);
    static const int64_t gone[] = {0, 1, 2, 500, 998, 999, 1000, 2999};
    for (size_t i = 0; i < 8; i++)
        assert_false(fixture.seen[gone[i]]);
    assert_int_equal(scan_ids(&fixture.table, before, fixture.seen), ROWS); /* time travel */
    close_fixture(&fixture);
}

/* Writes a Parquet file of our own beside the table's and adds it as a delete file. */
static void add_delete_file(struct fixture *fixture, const struct schema *schema,
                            const struct batch *batch, struct iceberg_file *file)
{
    struct iceberg_commit *commit = iceberg_commit_begin(&fixture->table, &failure);
    const char *key = iceberg_commit_new_key(commit, "data", "parquet", &failure);
    const char *uri = iceberg_commit_uri(commit, key, &failure);
    struct store_writer *writer = store_writer_open(fixture->table.store, key, &failure);
    struct parquet_writer *parquet =
        parquet_writer_open(store_writer_sink(writer), schema, NULL, &failure);
    struct parquet_file_facts facts = {0};
    must(parquet && parquet_writer_write(parquet, batch, &failure) &&
         parquet_writer_close(parquet, &facts, &failure));
    parquet_writer_destroy(parquet);
    must(store_writer_commit(writer, STORE_FLUSH_LATER, &failure));
    file->path = uri;
    file->format = "PARQUET";
    file->record_count = facts.rows;
    file->size = facts.bytes;
    file->sort_order_id = -1;
    file->content_offset = file->content_size = file->first_row_id = -1;
    must(iceberg_commit_add_file(commit, file, &failure) &&
         catalog_commit(fixture->lake.catalog, &commit, 1, NULL, &failure));
    parquet_file_facts_destroy(&facts);
    iceberg_commit_destroy(commit);
    reload(fixture);
}

/* As Spark writes them by default: one file for the whole partition. */
static void one_delete_file_may_be_about_many_data_files(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    static struct field fields[] = {{.id = ICEBERG_DELETE_PATH_ID,
                                     .required = true,
                                     .name = "file_path",
                                     .type = {.kind = TYPE_STRING}},
                                    {.id = ICEBERG_DELETE_POSITION_ID,
                                     .required = true,
                                     .name = "pos",
                                     .type = {.kind = TYPE_LONG}}};
    static const struct schema schema = {.fields = fields, .field_count = 2};
    struct iceberg_plan plan;
    struct batch batch;
    must(iceberg_plan_make(&fixture.table, -1, NULL, &plan, &failure));
    must(batch_init(&batch, &schema, &failure));
    static const struct {
        int64_t file_rows, row;
    } gone[] = {{2000, 5}, {1000, 5}, {2000, 3}, {1000, 7}}; /* unsorted, as it should not be */
    for (size_t i = 0; i < 4; i++) {
        const char *path = data_file(&plan, gone[i].file_rows)->path;
        must(column_append_bytes(&batch.columns[0], slice_of(path), &failure) &&
             column_append_bytes(&batch.columns[1], slice_make(&gone[i].row, 8), &failure));
        batch.length++;
    }
    must(column_append_bytes(&batch.columns[0], SLICE_LITERAL("file:///elsewhere/x.parquet"),
                             &failure) &&
         column_append_bytes(&batch.columns[1], slice_make(&gone[0].row, 8), &failure));
    batch.length++;
    struct iceberg_file file = {.content = ICEBERG_POSITION_DELETES};
    add_delete_file(&fixture, &schema, &batch, &file);
    assert_int_equal(scan_ids(&fixture.table, -1, fixture.seen), ROWS - 4);
    assert_false(fixture.seen[5] || fixture.seen[7] || fixture.seen[1003] || fixture.seen[1005]);
    batch_destroy(&batch);
    iceberg_plan_destroy(&plan);
    close_fixture(&fixture);
}

static void equality_deletes_hit_older_rows_only(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    static struct field fields[] = {{.id = 2, .name = "name", .type = {.kind = TYPE_STRING}},
                                    {.id = 1, .name = "id", .type = {.kind = TYPE_LONG}}};
    static const struct schema schema = {.fields = fields, .field_count = 2};
    struct batch batch;
    must(batch_init(&batch, &schema, &failure));
    static const struct {
        int64_t id;
        const char *name;
    } gone[] = {{1, "name 1"}, {7, NULL}, {2, "another name"}, {2001, "name 2001"}};
    for (size_t i = 0; i < 4; i++) {
        must(gone[i].name ? column_append_bytes(&batch.columns[0], slice_of(gone[i].name), &failure)
                          : column_append_null(&batch.columns[0], &failure));
        must(column_append_bytes(&batch.columns[1], slice_make(&gone[i].id, 8), &failure));
        batch.length++;
    }
    int32_t ids[] = {2, 1};
    struct iceberg_file file = {
        .content = ICEBERG_EQUALITY_DELETES, .equality_ids = ids, .equality_count = 2};
    add_delete_file(&fixture, &schema, &batch, &file);
    assert_int_equal(scan_ids(&fixture.table, -1, fixture.seen), ROWS - 3);
    assert_false(fixture.seen[1] || fixture.seen[7] || fixture.seen[2001]);
    assert_true(fixture.seen[2]);
    must(lake_append(&fixture.lake, 1, 2, &failure)); /* the same key again, newer */
    reload(&fixture);
    assert_int_equal(scan_ids(&fixture.table, -1, fixture.seen), ROWS - 2);
    assert_true(fixture.seen[1]);
    batch_destroy(&batch);
    close_fixture(&fixture);
}

static bool in_vector(int64_t row)
{
    return row == 0 || row == 3 || (row >= 5 && row < 10) ||
           (row >= 65536 && row < 131072 && (row - 65536) % 3 == 0) ||
           (row >= 200000 && row <= 300000) || row == (INT64_C(1) << 32) + 7 ||
           row == INT64_C(1) << 33;
}

/* Blobs by CRoaring: array, bitmap and run containers, three high words. */
static void deletion_vectors_of_every_container_are_read(void **state)
{
    (void)state;
    static const char *const files[] = {"tests/fixtures/vectors/mixed.bin",
                                        "tests/fixtures/vectors/runs.bin"};
    for (size_t f = 0; f < 2; f++) {
        struct buffer blob = {0};
        struct iceberg_positions positions = {0};
        must(file_read(files[f], &blob, &failure));
        must(scan_read_vector(buffer_slice(&blob), files[f], 200000, &positions, &failure));
        assert_int_equal(positions.count, 121856);
        for (size_t i = 0; i < positions.count; i++)
            assert_true(in_vector(positions.rows[i]) &&
                        (i == 0 || positions.rows[i - 1] < positions.rows[i]));
        positions.count = 0;
        struct error error = {0};
        assert_false(scan_read_vector(buffer_slice(&blob), "x", 1000, &positions, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        for (size_t at = 0; at < blob.length; at += 97) { /* one changed byte is always seen */
            blob.data[at] = (char)(blob.data[at] ^ 0x40);
            positions.count = 0;
            assert_false(scan_read_vector(buffer_slice(&blob), "x", 200000, &positions, NULL));
            blob.data[at] = (char)(blob.data[at] ^ 0x40);
        }
        iceberg_positions_destroy(&positions);
        buffer_destroy(&blob);
    }
}

static void chosen_rows_are_those_rows(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    struct iceberg_plan plan;
    struct random random;
    random_seed(&random, 11);
    must(iceberg_plan_make(&fixture.table, -1, NULL, &plan, &failure));
    struct iceberg_file_reader *reader =
        iceberg_file_open(&fixture.table, data_file(&plan, 2000), fixture.table.schema, &failure);
    must(reader != NULL);
    for (int round = 0; round < 50; round++) {
        int64_t rows[64], row = -1;
        size_t count = 0;
        struct batch batch;
        must(batch_init(&batch, fixture.table.schema, &failure));
        while (count < 64 &&
               (row += 1 + (int64_t)random_below(&random, round % 2 ? 3 : 200)) < 2000)
            rows[count++] = row;
        must(iceberg_file_rows(reader, rows, count, &batch, &failure));
        assert_int_equal(batch.length, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(column_long(&batch.columns[0], i), 1000 + rows[i]);
        batch_destroy(&batch);
    }
    struct batch batch;
    must(batch_init(&batch, fixture.table.schema, &failure));
    static const int64_t beyond[] = {2000}, twice[] = {4, 4};
    assert_false(iceberg_file_rows(reader, beyond, 1, &batch, NULL));
    assert_false(iceberg_file_rows(reader, twice, 2, &batch, NULL));
    batch_destroy(&batch);
    iceberg_file_close(reader);
    iceberg_plan_destroy(&plan);
    close_fixture(&fixture);
}

static void files_that_cannot_match_are_not_read(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    struct arena arena = {0};
    struct expression_builder builder = {.schema = fixture.table.schema, .arena = &arena};
    static const struct {
        const char *id;
        size_t files;
        int64_t rows;
    } cases[] = {{"999", 1, 1}, {"1000", 1, 1}, {"3000", 0, 0}, {"-1", 0, 0}};
    for (size_t i = 0; i < 4; i++) {
        struct expression_literal literal = {EXPRESSION_LITERAL_NUMBER, slice_of(cases[i].id)};
        struct iceberg_scan_options options = {
            .snapshot_id = -1,
            .where = expression_compare(&builder, EXPRESSION_EQUAL, "id", &literal, &failure)};
        struct iceberg_scan *scan = iceberg_scan_open(&fixture.table, &options, &failure);
        must(scan != NULL);
        assert_int_equal(iceberg_scan_plan(scan)->task_count, cases[i].files);
        assert_int_equal(iceberg_scan_plan(scan)->data_files, 2);
        int64_t rows = -1;
        must(iceberg_scan_count(scan, &rows, &failure));
        assert_int_equal(rows, cases[i].rows);
        iceberg_scan_close(scan);
    }
    expression_builder_destroy(&builder);
    arena_destroy(&arena);
    close_fixture(&fixture);
}

/* Rows 0 .. 999 as ids in row groups of 100, with two rows deleted in different groups. */
static void row_groups_are_skipped_and_row_numbers_stay_right(void **state)
{
    (void)state;
    static struct fixture fixture;
    struct arena arena = {0};
    struct expression_builder builder = {.schema = NULL, .arena = &arena};
    open_fixture(&fixture);
    struct schema ids = {.fields = fixture.table.schemas[0].fields, .field_count = 1};
    struct parquet_writer_options options = PARQUET_WRITER_DEFAULTS;
    options.group_rows = 100;
    struct iceberg_commit *commit = iceberg_commit_begin(&fixture.table, &failure);
    const char *key = iceberg_commit_new_key(commit, "data", "parquet", &failure);
    struct store_writer *file = store_writer_open(fixture.table.store, key, &failure);
    struct parquet_writer *writer =
        parquet_writer_open(store_writer_sink(file), &ids, &options, &failure);
    struct parquet_file_facts facts = {0};
    struct iceberg_file described;
    struct batch batch;
    must(writer && batch_init(&batch, &ids, &failure));
    for (int64_t id = 5000; id < 6000; id++)
        must(column_append_bytes(&batch.columns[0], slice_make(&id, 8), &failure));
    batch.length = 1000;
    must(parquet_writer_write(writer, &batch, &failure) &&
         parquet_writer_close(writer, &facts, &failure) &&
         store_writer_commit(file, STORE_FLUSH_LATER, &failure) &&
         iceberg_file_from_facts(&facts, fixture.table.schema,
                                 iceberg_commit_uri(commit, key, &failure), &fixture.arena,
                                 &described, &failure));
    described.record_count = 1000;
    const int64_t gone[] = {0, 350, 351, 999};
    struct iceberg_file deletes;
    must(iceberg_commit_add_file(commit, &described, &failure) &&
         iceberg_write_position_deletes(commit, &described, gone, 4, &fixture.arena, &deletes,
                                        &failure) &&
         iceberg_commit_add_file(commit, &deletes, &failure) &&
         catalog_commit(fixture.lake.catalog, &commit, 1, NULL, &failure));
    reload(&fixture);
    builder.schema = fixture.table.schema;
    static const struct {
        const char *low, *high;
        int64_t rows;
    } cases[] = {{"5000", "5999", 996}, {"5340", "5360", 19}, {"5900", "9000", 99},
                 {"5000", "5000", 0},   {"5001", "5099", 99}, {"5350", "5351", 0},
                 {"5299", "5300", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expression_literal low = {EXPRESSION_LITERAL_NUMBER, slice_of(cases[i].low)};
        struct expression_literal high = {EXPRESSION_LITERAL_NUMBER, slice_of(cases[i].high)};
        const struct expression *both[] = {
            expression_compare(&builder, EXPRESSION_GREATER_OR_EQUAL, "id", &low, &failure),
            expression_compare(&builder, EXPRESSION_LESS_OR_EQUAL, "id", &high, &failure)};
        struct iceberg_scan_options scan_options = {
            .snapshot_id = -1,
            .where = expression_combine(&builder, EXPRESSION_AND, both, 2, &failure)};
        struct iceberg_scan *scan = iceberg_scan_open(&fixture.table, &scan_options, &failure);
        int64_t rows = 0;
        const struct batch *out = NULL;
        for (must(scan && iceberg_scan_next(scan, &out, &failure)); out;
             must(iceberg_scan_next(scan, &out, &failure))) {
            for (size_t row = 0; row < out->length; row++) {
                int64_t id = column_long(&out->columns[0], row);
                assert_true(id >= atoll(cases[i].low) && id <= atoll(cases[i].high));
                assert_true(id != 5000 && id != 5350 && id != 5351 && id != 5999);
            }
            rows += (int64_t)out->length;
        }
        assert_int_equal(rows, cases[i].rows);
        iceberg_scan_close(scan);
    }
    iceberg_commit_destroy(commit);
    batch_destroy(&batch);
    parquet_writer_destroy(writer);
    parquet_file_facts_destroy(&facts);
    expression_builder_destroy(&builder);
    arena_destroy(&arena);
    close_fixture(&fixture);
}

/* Files moved in from Hive leave the partition columns out; the manifest knows their values. */
static void a_partition_column_that_a_file_lacks_has_the_partitions_value(void **state)
{
    (void)state;
    static struct fixture fixture;
    struct iceberg_plan plan;
    struct batch batch;
    int64_t first = -1;
    open_fixture(&fixture);
    must(iceberg_plan_make(&fixture.table, -1, NULL, &plan, &failure));
    struct iceberg_partition_field partition = {.source_id = 99,
                                                .field_id = 1000,
                                                .name = "region",
                                                .transform = ICEBERG_IDENTITY,
                                                .source_type = {.kind = TYPE_STRING},
                                                .type = {.kind = TYPE_STRING}};
    struct iceberg_spec spec = {.id = 7, .fields = &partition, .field_count = 1};
    struct iceberg_value value = {true, SLICE_LITERAL("a b/c=d")};
    struct iceberg_file data = *data_file(&plan, 1000);
    data.spec_id = 7;
    data.partition = &value;
    data.partition_count = 1;
    struct field fields[] = {
        {.id = 99, .required = true, .name = "region", .type = {.kind = TYPE_STRING}},
        fixture.table.schema->fields[0],
        {.id = 98, .name = "added_later", .type = {.kind = TYPE_INT}}};
    struct schema projection = {.fields = fields, .field_count = 3};
    struct iceberg_spec *kept = fixture.table.specs;
    size_t kept_count = fixture.table.spec_count;
    fixture.table.specs = &spec;
    fixture.table.spec_count = 1;
    struct iceberg_file_reader *reader =
        iceberg_file_open(&fixture.table, &data, &projection, &failure);
    must(reader && batch_init(&batch, &projection, &failure) &&
         iceberg_file_next(reader, &batch, 10, &first, &failure));
    assert_int_equal(batch.length, 10);
    for (size_t row = 0; row < 10; row++) {
        assert_true(slice_is(column_bytes(&batch.columns[0], row), "a b/c=d"));
        assert_int_equal(column_long(&batch.columns[1], row), row);
        assert_true(column_is_null(&batch.columns[2], row));
    }
    iceberg_file_close(reader);
    fixture.table.specs = kept;
    fixture.table.spec_count = kept_count;
    batch_destroy(&batch);
    iceberg_plan_destroy(&plan);
    close_fixture(&fixture);
}

static void a_file_that_is_not_what_its_manifest_says_is_refused(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    struct iceberg_plan plan;
    struct buffer key = {0};
    struct store *store = NULL;
    must(iceberg_plan_make(&fixture.table, -1, NULL, &plan, &failure));
    must(iceberg_table_resolve(&fixture.table, plan.tasks[0].data->path, &store, &key, &failure));
    char *path = file_join(store_root(store), key.data, &failure);
    assert_int_equal(truncate(path, plan.tasks[0].data->size - 1), 0);
    struct error error = {0};
    assert_null(
        iceberg_file_open(&fixture.table, plan.tasks[0].data, fixture.table.schema, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, key.data));
    assert_int_equal(unlink(path), 0);
    error_clear(&error);
    assert_null(
        iceberg_file_open(&fixture.table, plan.tasks[0].data, fixture.table.schema, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    free(path);
    buffer_destroy(&key);
    iceberg_plan_destroy(&plan);
    close_fixture(&fixture);
}

static void a_stopped_scan_ends_as_interrupted(void **state)
{
    (void)state;
    static struct fixture fixture;
    open_fixture(&fixture);
    atomic_bool stop = true;
    struct iceberg_scan_options options = {.snapshot_id = -1, .stop = &stop};
    struct iceberg_scan *scan = iceberg_scan_open(&fixture.table, &options, &failure);
    const struct batch *batch;
    struct error error = {0};
    assert_false(iceberg_scan_next(scan, &batch, &error));
    assert_int_equal(error.kind, ERROR_INTERRUPTED);
    iceberg_scan_close(scan);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_deletes_of_several_files_add_up),
        cmocka_unit_test(one_delete_file_may_be_about_many_data_files),
        cmocka_unit_test(equality_deletes_hit_older_rows_only),
        cmocka_unit_test(deletion_vectors_of_every_container_are_read),
        cmocka_unit_test(chosen_rows_are_those_rows),
        cmocka_unit_test(files_that_cannot_match_are_not_read),
        cmocka_unit_test(row_groups_are_skipped_and_row_numbers_stay_right),
        cmocka_unit_test(a_partition_column_that_a_file_lacks_has_the_partitions_value),
        cmocka_unit_test(a_file_that_is_not_what_its_manifest_says_is_refused),
        cmocka_unit_test(a_stopped_scan_ends_as_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

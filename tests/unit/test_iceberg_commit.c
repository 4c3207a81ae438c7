/* What is committed is there, whole, for every reader; what lost a race is tried again or refused;
 * nothing is lost and nothing foreign is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/iceberg/delete.h"
#include "tests/unit/lake.h"

static struct error failure;

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

static void commit_one(struct lake *lake, struct iceberg_commit *commit)
{
    must(catalog_commit(lake->catalog, &commit, 1, NULL, &failure));
    iceberg_commit_destroy(commit);
}

/* Rows of live data files minus rows of live position deletes. */
static int64_t live_rows(struct lake *lake, size_t *files_out)
{
    struct iceberg_table table;
    struct iceberg_file_list files;
    int64_t rows = 0;
    lake_load(lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    for (size_t i = 0; i < files.count; i++)
        rows += files.items[i].content == ICEBERG_DATA ? files.items[i].record_count
                                                       : -files.items[i].record_count;
    if (files_out)
        *files_out = files.count;
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
    return rows;
}

static void a_new_table_is_empty_and_valid(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table, again;
    struct schema schema;
    lake_open(&lake);
    lake_create(&lake, &table);
    assert_int_equal(table.format_version, 2);
    assert_int_equal(table.snapshot_id, -1);
    assert_int_equal(table.last_column_id, 4);
    assert_int_equal(json_integer_value(json_object_get(table.metadata, "current-snapshot-id")),
                     -1);
    assert_int_equal(table.schema->identifier_count, 1);
    lake_schema(&schema);
    assert_false(
        catalog_create(lake.catalog, lake.ident, &schema, NULL, 0, NULL, &again, &failure));
    assert_int_equal(failure.kind, ERROR_EXISTS);
    schema_destroy(&schema);
    assert_int_equal(live_rows(&lake, NULL), 0);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void rows_come_and_go_with_the_right_sequence_numbers(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_file_list files;
    struct arena arena = {0};
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    must(lake_append(&lake, 0, 100, &failure));
    must(lake_append(&lake, 100, 200, &failure));
    assert_int_equal(live_rows(&lake, NULL), 200);

    /* Three rows of the first file go; the second file goes whole; a third comes. */
    lake_load(&lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    assert_int_equal(files.count, 2);
    const struct iceberg_file *second = &files.items[0], *first = &files.items[1];
    assert_int_equal(first->sequence_number, 1);
    assert_int_equal(second->sequence_number, 2);
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    struct iceberg_file deletes;
    const int64_t rows[] = {0, 7, 99}, wrong[] = {5, 5};
    assert_false(
        iceberg_write_position_deletes(commit, first, wrong, 2, &arena, &deletes, &failure));
    must(iceberg_write_position_deletes(commit, first, rows, 3, &arena, &deletes, &failure));
    assert_true(slice_is(iceberg_file_scope(&deletes), first->path));
    const struct iceberg_metric *path = iceberg_file_metric(&deletes, 2147483546);
    assert_true(slice_is(path->lower.bytes, first->path)); /* whole, however long */
    assert_true(slice_is(path->upper.bytes, first->path));
    must(iceberg_commit_add_file(commit, &deletes, &failure));
    must(iceberg_commit_remove_file(commit, second, &failure));
    must(lake_add_rows(commit, 500, 510, NULL, NULL, &failure));
    must(iceberg_commit_set_summary(commit, "surfboard.batch-id", "3", &failure));
    must(iceberg_commit_set_property(commit, "surfboard.state", "{\"snapshot\":${snapshot-id}}",
                                     &failure));
    int64_t id = iceberg_commit_snapshot_id(commit);
    commit_one(&lake, commit);
    char *second_path = strdup(second->path), *first_path = strdup(first->path);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);

    lake_load(&lake, &table);
    struct iceberg_snapshot snapshot;
    assert_int_equal(table.snapshot_id, id);
    assert_true(iceberg_snapshot_find(&table, id, &snapshot));
    assert_string_equal(iceberg_snapshot_summary(&snapshot, "operation"), "overwrite");
    assert_string_equal(iceberg_snapshot_summary(&snapshot, "total-records"), "110");
    assert_string_equal(iceberg_snapshot_summary(&snapshot, "total-position-deletes"), "3");
    assert_string_equal(iceberg_snapshot_summary(&snapshot, "deleted-data-files"), "1");
    assert_string_equal(iceberg_snapshot_summary(&snapshot, "surfboard.batch-id"), "3");
    char wanted[64];
    snprintf(wanted, sizeof wanted, "{\"snapshot\":%" PRId64 "}", id);
    assert_string_equal(iceberg_table_property(&table, "surfboard.state"), wanted);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    assert_int_equal(files.count, 3);
    for (size_t i = 0; i < files.count; i++) {
        const struct iceberg_file *file = &files.items[i];
        assert_string_not_equal(file->path, second_path);
        if (strcmp(file->path, first_path) == 0)
            assert_int_equal(file->sequence_number, 1);
        else
            assert_int_equal(file->sequence_number, 3);
    }
    /* The removed one is marked, with its own sequence number and our snapshot. */
    struct iceberg_manifest_list manifests;
    size_t marked = 0;
    must(iceberg_snapshot_manifests(&table, -1, &manifests, &failure));
    for (size_t m = 0; m < manifests.count; m++) {
        struct iceberg_file_list all = {0};
        must(iceberg_manifest_files(&table, &manifests.items[m], false, &all, &failure));
        for (size_t i = 0; i < all.count; i++) {
            if (all.items[i].status != ICEBERG_DELETED)
                continue;
            marked++;
            assert_string_equal(all.items[i].path, second_path);
            assert_int_equal(all.items[i].sequence_number, 2);
            assert_int_equal(all.items[i].snapshot_id, id);
        }
        iceberg_file_list_destroy(&all);
    }
    assert_int_equal(marked, 1);
    iceberg_manifest_list_destroy(&manifests);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
    assert_int_equal(live_rows(&lake, NULL), 107);
    free(second_path);
    free(first_path);
    arena_destroy(&arena);
    lake_close(&lake);
}

static void a_commit_without_files_makes_no_snapshot(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    must(lake_append(&lake, 0, 5, &failure));
    lake_load(&lake, &table);
    int64_t id = table.snapshot_id;
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    assert_true(iceberg_commit_is_empty(commit));
    must(iceberg_commit_set_property(commit, "a", "1", &failure));
    must(iceberg_commit_set_property(commit, "b", "2", &failure));
    assert_int_equal(iceberg_commit_snapshot_id(commit), -1);
    commit_one(&lake, commit);
    iceberg_table_destroy(&table);
    lake_load(&lake, &table);
    assert_int_equal(table.snapshot_id, id);
    assert_int_equal(table.snapshot_count, 1);
    assert_string_equal(iceberg_table_property(&table, "b"), "2");
    commit = iceberg_commit_begin(&table, &failure);
    must(iceberg_commit_set_property(commit, "b", NULL, &failure));
    commit_one(&lake, commit);
    iceberg_table_destroy(&table);
    lake_load(&lake, &table);
    assert_null(iceberg_table_property(&table, "b"));
    assert_int_equal(json_array_size(json_object_get(table.metadata, "metadata-log")), 3);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void members_nobody_knows_survive_a_commit(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct buffer text = {0};
    char path[128];
    lake_open(&lake);
    lake_create(&lake, &table);
    snprintf(path, sizeof path, "%s/metadata/v1.metadata.json", lake.uri);
    must(json_put(table.metadata, "future", json_pack("{s:[i,i]}", "x", 1, 2), &failure));
    json_t *schema = json_array_get(json_object_get(table.metadata, "schemas"), 0);
    json_t *name = json_array_get(json_object_get(schema, "fields"), 1);
    must(json_put(name, "future-default", json_string("x"), &failure));
    must(json_print(table.metadata, &text, &failure));
    must(file_write_atomic(path, buffer_slice(&text), 0644, &failure));
    iceberg_table_destroy(&table);
    must(lake_append(&lake, 0, 5, &failure));
    lake_load(&lake, &table);
    struct schema wider;
    must(schema_copy(&wider, table.schema, &failure));
    wider.fields[2].type.precision = 14;
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    assert_non_null(iceberg_commit_set_schema(commit, &wider, &failure));
    commit_one(&lake, commit);
    schema_destroy(&wider);
    iceberg_table_destroy(&table);
    lake_load(&lake, &table);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(table.metadata, "future"), "x")), 2);
    schema = json_array_get(json_object_get(table.metadata, "schemas"), 1);
    name = json_array_get(json_object_get(schema, "fields"), 1);
    assert_string_equal(json_string_value(json_object_get(name, "future-default")), "x");
    iceberg_table_destroy(&table);
    buffer_destroy(&text);
    lake_close(&lake);
}

static void a_commit_leaves_its_base_alone(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct schema wider;
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 0; i < 3; i++)
        must(lake_append(&lake, i * 10, i * 10 + 10, &failure));
    lake_load(&lake, &table);
    json_t *before = json_deep_copy(table.metadata);
    must(schema_copy(&wider, table.schema, &failure));
    wider.fields[2].type.precision = 20;
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    must(lake_add_rows(commit, 50, 60, NULL, NULL, &failure));
    must(iceberg_commit_set_property(commit, "a", "b", &failure));
    must(iceberg_commit_drop_snapshot(commit, table.snapshots[0].id, &failure));
    assert_false(iceberg_commit_drop_snapshot(commit, table.snapshot_id, &failure));
    assert_int_equal(failure.kind, ERROR_REFUSED);
    assert_non_null(iceberg_commit_set_schema(commit, &wider, &failure));
    must(iceberg_commit_prepare(commit, &failure));
    assert_true(json_equal(before, table.metadata));
    json_decref(before);
    schema_destroy(&wider);
    commit_one(&lake, commit);
    iceberg_table_destroy(&table);
    lake_load(&lake, &table);
    assert_int_equal(table.snapshot_count, 3);
    assert_int_equal(json_array_size(json_object_get(table.metadata, "snapshot-log")), 3);
    assert_int_equal(table.schema->fields[2].type.precision, 20);
    assert_int_equal(table.schema_count, 2);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void schemas_evolve_by_the_rules(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct schema next;
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);

    /* refused: narrower, required, another type, the key dropped, an id used before */
    must(schema_copy(&next, table.schema, &failure));
    next.fields[2].type.precision = 10;
    assert_null(iceberg_commit_set_schema(commit, &next, &failure));
    assert_int_equal(failure.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(failure.message, "amount"));
    next.fields[2].type.precision = 12;
    next.fields[1].required = true;
    assert_null(iceberg_commit_set_schema(commit, &next, &failure));
    next.fields[1].required = false;
    next.fields[3].type.kind = TYPE_STRING;
    assert_null(iceberg_commit_set_schema(commit, &next, &failure));
    next.fields[3].type.kind = TYPE_TIMESTAMPTZ;
    struct field *all = next.fields;
    next.fields = all + 1;
    next.field_count = 3;
    assert_null(iceberg_commit_set_schema(commit, &next, &failure));
    next.fields = all;
    next.field_count = 4;

    /* accepted: drop "name", add two */
    struct field added[5];
    memcpy(added, all, sizeof *all);
    memcpy(added + 1, all + 2, 2 * sizeof *all);
    added[3] = (struct field){.name = "flag", .type = {.kind = TYPE_BOOLEAN}};
    struct field element = {.name = "element", .type = {.kind = TYPE_INT}};
    added[4] = (struct field){.name = "tags",
                              .type = {.kind = TYPE_LIST, .fields = &element, .field_count = 1}};
    struct schema grown = next;
    grown.fields = added;
    grown.field_count = 5;
    const struct schema *made = iceberg_commit_set_schema(commit, &grown, &failure);
    assert_non_null(made);
    assert_int_equal(made->fields[3].id, 5);
    assert_int_equal(made->fields[4].id, 6);
    assert_int_equal(made->fields[4].type.fields[0].id, 7);
    commit_one(&lake, commit);
    schema_destroy(&next);
    iceberg_table_destroy(&table);

    /* "name" again is another column; its old id stays dead */
    lake_load(&lake, &table);
    assert_int_equal(table.last_column_id, 7);
    assert_int_equal(table.schema->id, 1);
    must(schema_copy(&next, table.schema, &failure));
    next.fields[3].name = "name";
    next.fields[3].id = 2;
    commit = iceberg_commit_begin(&table, &failure);
    assert_null(iceberg_commit_set_schema(commit, &next, &failure));
    assert_non_null(strstr(failure.message, "gone"));
    iceberg_commit_destroy(commit);
    schema_destroy(&next);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

/* ---- races ---- */

static void a_lost_race_is_tried_again_with_the_same_manifests(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    must(lake_add_rows(commit, 0, 10, NULL, NULL, &failure));
    must(lake_append(&lake, 10, 20, &failure)); /* the rival */
    commit_one(&lake, commit);
    iceberg_table_destroy(&table);
    size_t files = 0;
    assert_int_equal(live_rows(&lake, &files), 20);
    assert_int_equal(files, 2);
    lake_load(&lake, &table);
    struct iceberg_snapshot snapshot;
    assert_true(iceberg_snapshot_find(&table, table.snapshot_id, &snapshot));
    assert_int_equal(snapshot.sequence_number, 2);
    assert_string_equal(iceberg_snapshot_summary(&snapshot, "total-records"), "20");
    /* nothing is left of the attempt that lost: two data files, two manifests, two lists */
    struct store_listing listing;
    must(store_list(table.store, "", &listing, &failure));
    assert_int_equal(listing.count, 2 + 2 + 2 + 3 + 1);
    store_listing_destroy(&listing);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void a_race_for_the_same_rows_is_a_conflict(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_file_list files;
    struct arena arena = {0};
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    must(lake_append(&lake, 0, 10, &failure));
    lake_load(&lake, &table);
    must(iceberg_snapshot_files(&table, -1, &files, &failure));
    const int64_t row = 3;
    struct iceberg_file deletes;

    /* ours deletes a row of a file that the rival replaces; ours replaces one the rival deletes in
     */
    struct iceberg_commit *ours = iceberg_commit_begin(&table, &failure);
    must(
        iceberg_write_position_deletes(ours, &files.items[0], &row, 1, &arena, &deletes, &failure));
    must(iceberg_commit_add_file(ours, &deletes, &failure));
    struct iceberg_commit *rewrite = iceberg_commit_begin(&table, &failure);
    must(iceberg_commit_remove_file(rewrite, &files.items[0], &failure));
    must(lake_add_rows(rewrite, 0, 10, NULL, NULL, &failure));
    struct iceberg_commit *rival = iceberg_commit_begin(&table, &failure);
    struct iceberg_file theirs;
    must(
        iceberg_write_position_deletes(rival, &files.items[0], &row, 1, &arena, &theirs, &failure));
    must(iceberg_commit_add_file(rival, &theirs, &failure));
    commit_one(&lake, rival);
    assert_false(catalog_commit(lake.catalog, &rewrite, 1, NULL, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    assert_non_null(strstr(failure.message, "deleted rows of"));
    iceberg_commit_discard(rewrite);
    iceberg_commit_destroy(rewrite);
    assert_int_equal(live_rows(&lake, NULL), 9);

    struct iceberg_table now;
    struct iceberg_file_list live;
    lake_load(&lake, &now);
    must(iceberg_snapshot_files(&now, -1, &live, &failure));
    rewrite = iceberg_commit_begin(&now, &failure);
    for (size_t i = 0; i < live.count; i++)
        must(iceberg_commit_remove_file(rewrite, &live.items[i], &failure));
    must(lake_add_rows(rewrite, 0, 9, NULL, NULL, &failure));
    commit_one(&lake, rewrite);
    iceberg_file_list_destroy(&live);
    iceberg_table_destroy(&now);
    assert_false(catalog_commit(lake.catalog, &ours, 1, NULL, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    assert_non_null(strstr(failure.message, "removed"));
    iceberg_commit_discard(ours);
    iceberg_commit_destroy(ours);
    assert_int_equal(live_rows(&lake, NULL), 9);
    iceberg_file_list_destroy(&files);
    iceberg_table_destroy(&table);
    arena_destroy(&arena);
    lake_close(&lake);
}

static void a_guarded_property_excludes_a_second_writer(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *both[2];
    for (int i = 0; i < 2; i++) {
        both[i] = iceberg_commit_begin(&table, &failure);
        must(iceberg_commit_guard_property(both[i], "surfboard.state", &failure));
        must(iceberg_commit_set_property(both[i], "surfboard.state", i ? "b" : "a", &failure));
        must(lake_add_rows(both[i], 0, 10, NULL, NULL, &failure));
    }
    must(catalog_commit(lake.catalog, &both[0], 1, NULL, &failure));
    assert_false(catalog_commit(lake.catalog, &both[1], 1, NULL, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    assert_non_null(strstr(failure.message, "surfboard.state"));
    iceberg_commit_discard(both[1]);
    for (int i = 0; i < 2; i++)
        iceberg_commit_destroy(both[i]);
    iceberg_table_destroy(&table);
    assert_int_equal(live_rows(&lake, NULL), 10);
    lake_close(&lake);
}

enum { WRITERS = 4, ROUNDS = 12 };

struct racer {
    struct lake *lake;
    int number;
    bool ok;
    struct error error;
};

static void *race(void *context)
{
    struct racer *racer = context;
    struct lake mine = *racer->lake;
    mine.catalog = catalog_storage_open(NULL, false, &racer->error);
    racer->ok = mine.catalog != NULL;
    for (int i = 0; racer->ok && i < ROUNDS; i++) {
        int64_t from = racer->number * 1000 + i * 10;
        racer->ok = lake_append(&mine, from, from + 10, &racer->error);
    }
    catalog_close(mine.catalog);
    return NULL;
}

static void no_commit_is_lost_when_writers_race(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct racer racers[WRITERS];
    pthread_t threads[WRITERS];
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 0; i < WRITERS; i++) {
        racers[i] = (struct racer){.lake = &lake, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < WRITERS; i++) {
        if (!racers[i].ok)
            fail_msg("writer %d: %s", i, racers[i].error.message);
    }
    size_t files = 0;
    assert_int_equal(live_rows(&lake, &files), WRITERS * ROUNDS * 10);
    assert_int_equal(files, WRITERS * ROUNDS);
    lake_load(&lake, &table);
    assert_int_equal(table.snapshot_count, WRITERS * ROUNDS);
    assert_int_equal(table.last_sequence_number, WRITERS * ROUNDS);
    for (size_t i = 0; i < table.snapshot_count; i++)
        assert_true(iceberg_snapshot_descends(&table, table.snapshot_id, table.snapshots[i].id));
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

struct setter {
    struct lake *lake;
    int number;
    bool ok;
    struct error error;
};

static void *set_properties(void *context)
{
    struct setter *setter = context;
    struct catalog *catalog = catalog_storage_open(NULL, false, &setter->error);
    const struct catalog_commit_options options = {.retries = 100};
    setter->ok = catalog != NULL;
    for (int i = 0; setter->ok && i < ROUNDS; i++) {
        struct iceberg_table table;
        char key[32];
        snprintf(key, sizeof key, "p.%d.%d", setter->number, i);
        setter->ok = catalog_load(catalog, setter->lake->ident, &table, &setter->error);
        if (!setter->ok)
            break;
        struct iceberg_commit *commit = iceberg_commit_begin(&table, &setter->error);
        setter->ok = commit && iceberg_commit_set_property(commit, key, "set", &setter->error) &&
                     catalog_commit(catalog, &commit, 1, &options, &setter->error);
        iceberg_commit_destroy(commit);
        iceberg_table_destroy(&table);
    }
    catalog_close(catalog);
    return NULL;
}

/* Commits without a snapshot are told apart by the contents of their metadata file. */
static void no_property_is_lost_when_writers_race(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct setter setters[WRITERS];
    pthread_t threads[WRITERS];
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 0; i < WRITERS; i++) {
        setters[i] = (struct setter){.lake = &lake, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, set_properties, &setters[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    lake_load(&lake, &table);
    for (int i = 0; i < WRITERS; i++) {
        if (!setters[i].ok)
            fail_msg("writer %d: %s", i, setters[i].error.message);
        for (int n = 0; n < ROUNDS; n++) {
            char key[32];
            snprintf(key, sizeof key, "p.%d.%d", i, n);
            assert_non_null(iceberg_table_property(&table, key));
        }
    }
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

/* ---- allocation failures ---- */

/* Ours, that is: jansson's own parser aborts when its allocations fail, so it is left alone. */
static void every_failed_allocation_leaves_the_table_whole(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    int64_t rows = 0;
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    must(lake_append(&lake, 0, 10, &failure));
    rows = 10;
    for (long n = 1;; n += 1 + n / 150) { /* the first ones each, later ones at wider steps */
        memory_fail_after(n);
        bool ok = lake_append(&lake, n * 10, n * 10 + 10, &failure);
        bool reached = memory_allocations() >= n;
        memory_fail_after(0);
        if (!ok && failure.kind != ERROR_MEMORY)
            fail_msg("allocation %ld: %s: %s", n, error_kind_name(failure.kind), failure.message);
        rows += ok ? 10 : 0;
        assert_int_equal(live_rows(&lake, NULL), rows);
        if (!reached)
            break;
    }
    lake_close(&lake);
}

/* ---- stalled writers ---- */

static void a_writer_that_slept_an_hour_looks_again_first(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    must(lake_add_rows(commit, 0, 10, NULL, NULL, &failure));
    table.loaded_ms -= 2 * 60 * 60 * 1000;
    const struct catalog_commit_options once = {.retries = 0};
    assert_false(catalog_commit(lake.catalog, &commit, 1, &once, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    commit_one(&lake, commit); /* with retries it reloads and wins */
    assert_int_equal(live_rows(&lake, NULL), 10);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void a_pointer_put_into_a_gap_is_lost_and_taken_back(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    char path[160];
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *stalled = iceberg_commit_begin(&table, &failure);
    must(lake_add_rows(stalled, 0, 10, NULL, NULL, &failure));
    for (int i = 1; i <= 5; i++)
        must(lake_append(&lake, i * 100, i * 100 + 10, &failure));
    for (int i = 1; i <= 4; i++) { /* a day later maintenance has removed the old versions */
        snprintf(path, sizeof path, "%s/metadata/v%d.metadata.json", lake.uri, i);
        assert_int_equal(unlink(path), 0);
    }
    const struct catalog_commit_options once = {.retries = 0};
    assert_false(catalog_commit(lake.catalog, &stalled, 1, &once, &failure));
    assert_int_equal(failure.kind, ERROR_CONFLICT);
    assert_int_equal(iceberg_commit_outcome(stalled), ICEBERG_OUTCOME_LOST);
    snprintf(path, sizeof path, "%s/metadata/v2.metadata.json", lake.uri);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(live_rows(&lake, NULL), 50);
    commit_one(&lake, stalled);
    assert_int_equal(live_rows(&lake, NULL), 60);
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void the_hint_is_only_a_hint(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    char path[160];
    static const char *const hints[] = {"1", "2\n", "77", "nonsense", "-4", ""};
    lake_open(&lake);
    lake_create(&lake, &table);
    iceberg_table_destroy(&table);
    for (int i = 0; i < 4; i++)
        must(lake_append(&lake, i * 10, i * 10 + 10, &failure));
    snprintf(path, sizeof path, "%s/metadata/version-hint.text", lake.uri);
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        must(file_write_atomic(path, slice_of(hints[i]), 0644, &failure));
        assert_int_equal(live_rows(&lake, NULL), 40);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(live_rows(&lake, NULL), 40);
    must(lake_append(&lake, 40, 50, &failure));
    assert_int_equal(live_rows(&lake, NULL), 50);
    lake_close(&lake);
}

static void many_small_commits_keep_the_manifests_bounded(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    struct iceberg_manifest_list manifests;
    lake_open(&lake);
    lake_create(&lake, &table);
    struct iceberg_commit *commit = iceberg_commit_begin(&table, &failure);
    must(iceberg_commit_set_property(commit, "commit.manifest.min-count-to-merge", "10", &failure));
    commit_one(&lake, commit);
    iceberg_table_destroy(&table);
    for (int i = 0; i < 60; i++) {
        must(lake_append(&lake, i * 10, i * 10 + 10, &failure));
        lake_load(&lake, &table);
        must(iceberg_snapshot_manifests(&table, -1, &manifests, &failure));
        assert_true(manifests.count <= 11);
        iceberg_manifest_list_destroy(&manifests);
        iceberg_table_destroy(&table);
    }
    size_t files = 0;
    assert_int_equal(live_rows(&lake, &files), 600);
    assert_int_equal(files, 60);
    lake_close(&lake);
}

static void tables_of_other_versions_are_refused_before_anything_is_written(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table table;
    lake_open(&lake);
    lake_create(&lake, &table);
    for (int version = 1; version <= 3; version += 2) {
        table.format_version = version;
        assert_null(iceberg_commit_begin(&table, &failure));
        assert_int_equal(failure.kind, ERROR_UNSUPPORTED);
        assert_true(failure.remedy[0] != '\0');
    }
    iceberg_table_destroy(&table);
    lake_close(&lake);
}

static void made_in(struct catalog *catalog, const char *space, const char *name)
{
    struct iceberg_table table;
    struct schema schema;
    lake_schema(&schema);
    if (!catalog_create(catalog, (struct catalog_ident){space, name}, &schema, NULL, 0, NULL,
                        &table, &failure))
        lake_fail("create", &failure);
    iceberg_table_destroy(&table);
    schema_destroy(&schema);
}

static void tables_of_all_namespaces_are_listed(void **state)
{
    (void)state;
    struct lake lake;
    struct catalog_listing listing;
    lake_open(&lake);
    struct catalog *catalog = catalog_storage_open(lake.folder, false, &failure);
    assert_non_null(catalog);
    made_in(catalog, "shop", "orders");
    made_in(catalog, "shop", "items");
    made_in(catalog, "shop.eu", "orders");
    assert_true(catalog_list(catalog, NULL, &listing, &failure));
    assert_int_equal(listing.count, 3);
    static const char *const expected[][2] = {
        {"shop.eu", "orders"}, {"shop", "items"}, {"shop", "orders"}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(listing.items[i].namespace_name, expected[i][0]);
        assert_string_equal(listing.items[i].name, expected[i][1]);
    }
    catalog_listing_destroy(&listing);
    assert_true(catalog_list(catalog, "shop", &listing, &failure));
    assert_int_equal(listing.count, 2);
    catalog_listing_destroy(&listing);
    catalog_close(catalog);
    lake_close(&lake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_table_is_empty_and_valid),
        cmocka_unit_test(rows_come_and_go_with_the_right_sequence_numbers),
        cmocka_unit_test(a_commit_without_files_makes_no_snapshot),
        cmocka_unit_test(members_nobody_knows_survive_a_commit),
        cmocka_unit_test(a_commit_leaves_its_base_alone),
        cmocka_unit_test(schemas_evolve_by_the_rules),
        cmocka_unit_test(a_lost_race_is_tried_again_with_the_same_manifests),
        cmocka_unit_test(a_race_for_the_same_rows_is_a_conflict),
        cmocka_unit_test(a_guarded_property_excludes_a_second_writer),
        cmocka_unit_test(no_commit_is_lost_when_writers_race),
        cmocka_unit_test(no_property_is_lost_when_writers_race),
        cmocka_unit_test(every_failed_allocation_leaves_the_table_whole),
        cmocka_unit_test(a_writer_that_slept_an_hour_looks_again_first),
        cmocka_unit_test(a_pointer_put_into_a_gap_is_lost_and_taken_back),
        cmocka_unit_test(the_hint_is_only_a_hint),
        cmocka_unit_test(many_small_commits_keep_the_manifests_bounded),
        cmocka_unit_test(tables_of_other_versions_are_refused_before_anything_is_written),
        cmocka_unit_test(tables_of_all_namespaces_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Key table, key order and key index: every key is found where it is, none where it is not, and a
 * damaged index is never believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/merge/key_index.h"
#include "core/merge/key_table.h"
#include "core/merge/sort.h"

static struct change_key number(int64_t value)
{
    return (struct change_key){.is_integer = true, .integer = value};
}

static struct change_key text(const char *bytes)
{
    return (struct change_key){.bytes = slice_of(bytes)};
}

static void each_key_has_one_entry(void **state)
{
    (void)state;
    struct key_table table;
    key_table_init(&table, true, 0);
    for (int round = 0; round < 2; round++) {
        for (int64_t i = 0; i < 20000; i++) {
            struct change_key key = number((i - 10000) * INT64_C(1000000007));
            struct key_entry *entry = key_table_put(&table, &key, NULL);
            assert_non_null(entry);
            assert_int_equal(entry - table.entries, i);
        }
    }
    assert_int_equal(table.count, 20000);
    struct change_key absent = number(5);
    assert_null(key_table_find(&table, &absent));
    key_table_clear(&table);
    absent = number(0);
    assert_null(key_table_find(&table, &absent));
    key_table_destroy(&table);
}

/* With one seed for all and only the bytes to tell keys apart, equal hashes must not merge them:
 * exact comparison is checked by forging the hash of an entry. */
static void equal_hashes_do_not_merge_keys(void **state)
{
    (void)state;
    struct key_table table;
    key_table_init(&table, false, 7);
    struct change_key left = text("left"), right = text("right");
    struct key_entry *entry = key_table_put(&table, &left, NULL);
    struct key_hash forged = key_hash_bytes(right.bytes, 7);
    struct key_hash real = key_hash_bytes(left.bytes, 7);
    entry->integer = (int64_t)forged.low;
    entry->hash_high = forged.high;
    /* Move the slot to where the forged hash looks. */
    memset(table.slots, 0, table.slot_count * sizeof *table.slots);
    table.slots[forged.low & (table.slot_count - 1)] =
        (forged.low & UINT64_C(0xFFFFFFFF00000000)) | 1;
    assert_null(key_table_find(&table, &right));
    assert_true(real.low != forged.low);
    entry = key_table_put(&table, &right, NULL);
    assert_int_equal(entry - table.entries, 1);
    key_table_destroy(&table);
}

static void order_is_the_order_of_keys(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 42);
    struct key_table table;
    struct key_order order = {0};
    key_table_init(&table, true, 0);
    for (int i = 0; i < 5000; i++) {
        struct change_key key = number((int64_t)random_next(&random) >> random_below(&random, 60));
        assert_non_null(key_table_put(&table, &key, NULL));
    }
    assert_true(key_table_sort(&table, false, &order, NULL));
    for (size_t i = 1; i < table.count; i++)
        assert_true(table.entries[order.at[i - 1]].integer < table.entries[order.at[i]].integer);
    key_table_destroy(&table);

    key_table_init(&table, false, 3);
    for (int i = 0; i < 5000; i++) {
        char bytes[40];
        int length = snprintf(bytes, sizeof bytes, "%.*s%d", (int)random_below(&random, 12),
                              "commonprefix", (int)random_below(&random, 3000));
        struct change_key key = {.bytes = slice_make(bytes, (size_t)length)};
        assert_non_null(key_table_put(&table, &key, NULL));
    }
    assert_true(key_table_sort(&table, false, &order, NULL));
    for (size_t i = 1; i < table.count; i++) {
        const struct key_entry *a = &table.entries[order.at[i - 1]];
        const struct key_entry *b = &table.entries[order.at[i]];
        assert_true(
            slice_compare(slice_make(a->bytes, a->length), slice_make(b->bytes, b->length)) < 0);
    }
    assert_true(key_table_sort(&table, true, &order, NULL));
    for (size_t i = 1; i < table.count; i++)
        assert_true((uint64_t)table.entries[order.at[i - 1]].integer <=
                    (uint64_t)table.entries[order.at[i]].integer);
    key_table_destroy(&table);
    key_order_destroy(&order);
}

static void images_are_kept_apart_and_reused(void **state)
{
    (void)state;
    struct image_pool pool = {0};
    struct image a = {0}, b = {0};
    assert_true(image_store(&pool, &a, slice_of("first"), NULL));
    assert_true(image_store(&pool, &b, slice_of("second"), NULL));
    char *place = a.data;
    assert_true(image_store(&pool, &a, slice_of("again, longer"), NULL));
    assert_ptr_equal(a.data, place);
    assert_true(slice_is(image_slice(&b), "second"));
    char *large = calloc(1, 3 << 20);
    assert_true(image_store(&pool, &a, slice_make(large, 3 << 20), NULL));
    assert_true(slice_is(image_slice(&b), "second"));
    free(large);
    image_pool_reset(&pool);
    assert_int_equal(pool.used, 0);
    image_pool_destroy(&pool);
}

/* -- index ------------------------------------------------------------------------------------- */

struct fixture {
    char folder[64];
    struct key_index_folder indexes;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/surfboard-index-XXXXXX");
    if (mkdtemp(fixture->folder) == NULL ||
        !key_index_folder_open(fixture->folder, &fixture->indexes, NULL))
        return -1;
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    key_index_folder_close(&fixture->indexes);
    file_remove_tree(fixture->folder, NULL);
    free(fixture);
    return 0;
}

static struct key_index_binding binding(bool integer, int64_t rows)
{
    return (struct key_index_binding){.table_uuid = "11111111-2222-3333-4444-555555555555",
                                      .path = "file:///t/data/a.parquet",
                                      .length = 1000,
                                      .sequence = 3,
                                      .rows = rows,
                                      .integer = integer};
}

/* Every probe is compared with a plain walk over the entries. */
static void check_search(const struct key_index *index, const struct key_index_entry *entries,
                         size_t count, struct key_probe *probes, size_t probe_count)
{
    struct key_hits hits = {0};
    assert_true(key_index_search(index, probes, probe_count, &hits, NULL));
    size_t expected = 0;
    uint64_t expected_sum = 0, sum = 0;
    for (size_t i = 0; i < probe_count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (entries[k].key != probes[i].key || entries[k].high != probes[i].high)
                continue;
            expected++;
            expected_sum += (uint64_t)(probes[i].tag + 1) * (entries[k].row + 1);
        }
    }
    assert_int_equal(hits.count, expected);
    for (size_t h = 0; h < hits.count; h++)
        sum += (uint64_t)(hits.items[h].tag + 1) * (hits.items[h].row + 1);
    assert_true(sum == expected_sum);
    free(hits.items);
}

static int compare_probes(const void *a, const void *b)
{
    const struct key_probe *left = a, *right = b;
    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return (left->high > right->high) - (left->high < right->high);
}

static void search_finds_exactly_what_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct random random;
    random_seed(&random, 1);
    static const struct {
        bool integer;
        size_t count, probes;
        uint64_t range; /* small: many equal keys */
    } cases[] = {{true, 0, 5, 100},      {true, 1, 5, 3},         {true, 512, 100, 700},
                 {true, 513, 100, 600},  {true, 3000, 20, 40000}, {true, 3000, 20, 4},
                 {false, 3000, 50, 500}, {false, 2000, 12, 3},    {false, 1500, 300, 1500}};
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        size_t count = cases[at].count;
        struct key_index_entry *entries = calloc(count + 1, sizeof *entries);
        for (size_t i = 0; i < count; i++)
            entries[i] = (struct key_index_entry){
                random_below(&random, cases[at].range),
                cases[at].integer ? 0 : (uint32_t)random_below(&random, 2), (uint32_t)i};
        struct key_probe *probes = calloc(cases[at].probes, sizeof *probes);
        for (size_t i = 0; i < cases[at].probes; i++)
            probes[i] = (struct key_probe){
                random_below(&random, cases[at].range + 2),
                cases[at].integer ? 0 : (uint32_t)random_below(&random, 2), (uint32_t)i};
        qsort(probes, cases[at].probes, sizeof *probes, compare_probes);
        struct key_index_binding bound = binding(cases[at].integer, (int64_t)count);
        struct buffer file = {0};
        assert_true(key_index_build(entries, count, &bound, fixture->indexes.seed, &file, NULL));
        assert_true(key_index_save(&fixture->indexes, &bound, buffer_slice(&file), NULL));
        struct key_index *index;
        assert_true(key_index_open(&fixture->indexes, &bound, &index, NULL));
        assert_non_null(index);
        check_search(index, entries, count, probes, cases[at].probes);
        key_index_close(index);
        index = key_index_take(&file, &bound, fixture->indexes.seed, NULL);
        assert_non_null(index);
        check_search(index, entries, count, probes, cases[at].probes);
        key_index_close(index);
        free(entries);
        free(probes);
    }
}

static void an_index_of_another_file_is_thrown_away(void **state)
{
    struct fixture *fixture = *state;
    struct key_index_entry entries[3] = {{1, 0, 0}, {2, 0, 1}, {3, 0, 2}};
    struct key_index_binding good = binding(true, 3);
    struct buffer file = {0};
    struct key_index_binding others[4] = {good, good, good, good};
    others[0].length++;
    others[1].sequence++;
    others[2].rows++;
    others[3].integer = false;
    for (size_t i = 0; i < 4; i++) {
        struct key_index *index;
        assert_true(key_index_build(entries, 3, &good, fixture->indexes.seed, &file, NULL));
        assert_true(key_index_save(&fixture->indexes, &good, buffer_slice(&file), NULL));
        assert_true(key_index_open(&fixture->indexes, &others[i], &index, NULL));
        assert_null(index);
        assert_true(key_index_open(&fixture->indexes, &good, &index, NULL));
        assert_null(index); /* the misfit was removed */
    }
    buffer_destroy(&file);
}

/* Flip one bit anywhere: the index is refused when opened or when the block is touched; it never
 * gives a wrong row. */
static void a_damaged_index_is_never_believed(void **state)
{
    (void)state;
    enum { COUNT = 700 };
    struct key_index_entry entries[COUNT];
    struct key_probe probes[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        entries[i] = (struct key_index_entry){i * 3, 0, COUNT - i};
        probes[i] = (struct key_probe){i * 3, 0, i};
    }
    struct key_index_binding bound = binding(true, COUNT);
    struct buffer file = {0};
    assert_true(key_index_build(entries, COUNT, &bound, 0, &file, NULL));
    for (size_t at = 0; at < file.length; at += 13) {
        struct buffer copy = {0};
        assert_true(buffer_append_slice(&copy, buffer_slice(&file), NULL));
        copy.data[at] ^= 0x10;
        struct key_index *index = key_index_take(&copy, &bound, 0, NULL);
        if (index) {
            struct key_hits hits = {0};
            struct error error = {0};
            assert_false(key_index_search(index, probes, COUNT, &hits, &error));
            assert_int_equal(error.kind, ERROR_INPUT);
            free(hits.items);
        }
        key_index_close(index);
    }
    buffer_destroy(&file);
}

static void the_seed_of_a_machine_stays(void **state)
{
    struct fixture *fixture = *state;
    struct key_index_folder again;
    assert_true(key_index_folder_open(fixture->folder, &again, NULL));
    assert_true(again.seed == fixture->indexes.seed);
    key_index_folder_close(&again);
}

static void sweep_keeps_what_is_named(void **state)
{
    struct fixture *fixture = *state;
    struct key_index_entry entry = {1, 0, 0};
    struct key_index_binding a = binding(true, 1), b = a;
    b.path = "file:///t/data/b.parquet";
    struct buffer file = {0};
    struct key_index *index;
    assert_true(key_index_build(&entry, 1, &a, 0, &file, NULL));
    assert_true(key_index_save(&fixture->indexes, &a, buffer_slice(&file), NULL));
    assert_true(key_index_build(&entry, 1, &b, 0, &file, NULL));
    assert_true(key_index_save(&fixture->indexes, &b, buffer_slice(&file), NULL));
    key_index_sweep(&fixture->indexes, a.table_uuid, &b, 1);
    assert_true(key_index_open(&fixture->indexes, &a, &index, NULL));
    assert_null(index);
    assert_true(key_index_open(&fixture->indexes, &b, &index, NULL));
    assert_non_null(index);
    key_index_close(index);
    buffer_destroy(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_one_entry),
        cmocka_unit_test(equal_hashes_do_not_merge_keys),
        cmocka_unit_test(order_is_the_order_of_keys),
        cmocka_unit_test(images_are_kept_apart_and_reused),
        cmocka_unit_test_setup_teardown(search_finds_exactly_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_index_of_another_file_is_thrown_away, set_up, tear_down),
        cmocka_unit_test(a_damaged_index_is_never_believed),
        cmocka_unit_test_setup_teardown(the_seed_of_a_machine_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sweep_keeps_what_is_named, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

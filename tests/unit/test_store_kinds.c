/* The promises of core/store/store.h that every kind of store keeps: a folder, and S3 by the fake
 * server; `test_store_kinds URI` proves them for that place, found by the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/random.h"
#include "core/store/store.h"
#include "tests/unit/fake_s3.h"
#include "tests/unit/store_race.h"

static char base[256];  /* the kind's place */
static char place[320]; /* a fresh one below it, for each test */

static int fresh(void **state)
{
    uint8_t uuid[16];
    char text[UUID_TEXT_SIZE];
    (void)state;
    if (!uuid_make(uuid, NULL))
        return -1;
    uuid_format(uuid, text);
    snprintf(place, sizeof place, "%s/%s", base, text);
    return 0;
}

static void assert_good(const struct error *error, bool ok)
{
    if (!ok)
        fail_msg("%s [%s]", error->message, error_kind_name(error->kind));
}

static struct store *open_place(void)
{
    struct error error = {0};
    struct store *store = store_open(place, NULL, &error);
    assert_good(&error, store != NULL);
    return store;
}

static void assert_object(struct store *store, const char *key, const char *body)
{
    struct buffer bytes = {0};
    struct error error = {0};
    assert_good(&error, store_read(store, key, &bytes, &error));
    assert_true(slice_is(buffer_slice(&bytes), body));
    buffer_destroy(&bytes);
}

static size_t count_below(struct store *store, const char *prefix)
{
    struct store_listing listing;
    struct error error = {0};
    assert_good(&error, store_list(store, prefix, &listing, &error));
    for (size_t i = 1; i < listing.count; i++)
        assert_true(strcmp(listing.entries[i - 1].key, listing.entries[i].key) < 0);
    size_t count = listing.count;
    store_listing_destroy(&listing);
    return count;
}

static void the_uri_names_the_place(void **state)
{
    (void)state;
    struct store *store = open_place();
    char uri[400];
    const char *key = NULL;
    snprintf(uri, sizeof uri, "%s/data/x", store_uri(store));
    assert_true(store_key(store, uri, &key));
    assert_string_equal(key, "data/x");
    assert_false(store_key(store, store_uri(store), &key));
    struct store *again = store_open(store_uri(store), NULL, NULL);
    assert_non_null(again);
    assert_string_equal(store_root(again), store_root(store));
    store_close(again);
    store_close(store);
}

static void a_missing_root_is_not_an_empty_store(void **state)
{
    (void)state;
    struct store *store = open_place();
    struct store_listing listing;
    struct error error = {0};
    struct buffer bytes = {0};
    bool exists = true;
    assert_false(store_list(store, "", &listing, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_false(store_read(store, "x", &bytes, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_good(&error, store_exists(store, "x", &exists, &error));
    assert_false(exists);
    assert_good(&error, store_has_folder(store, "", &exists, &error));
    assert_false(exists);
    assert_good(&error, store_delete(store, "x", &error));
    buffer_destroy(&bytes);
    store_close(store);
}

static void keys_never_leave_the_store(void **state)
{
    (void)state;
    struct store *store = open_place();
    static const char *const bad[] = {"", "/x", "../x", "a/../../x", "a//b", "a/.", "a/", "."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        assert_false(store_put(store, bad[i], SLICE_LITERAL("x"), &error));
        assert_int_equal(error.kind, ERROR_INPUT);
    }
    struct error error = {0};
    assert_good(&error, store_put(store, "..x/.y", SLICE_LITERAL("x"), &error));
    store_close(store);
}

static void put_if_absent_is_won_once(void **state)
{
    (void)state;
    struct store *store = open_place();
    struct error error = {0};
    assert_good(&error, store_put_if_absent(store, "a/b/v1", SLICE_LITERAL("first"), &error));
    assert_false(store_put_if_absent(store, "a/b/v1", SLICE_LITERAL("second"), &error));
    assert_int_equal(error.kind, ERROR_EXISTS);
    assert_object(store, "a/b/v1", "first");
    assert_good(&error, store_put(store, "a/b/v1", SLICE_LITERAL("third"), &error));
    assert_object(store, "a/b/v1", "third");
    assert_int_equal(count_below(store, ""), 1);
    assert_good(&error, store_delete(store, "a/b/v1", &error));
    assert_good(&error, store_put_if_absent(store, "a/b/v1", SLICE_LITERAL(""), &error));
    assert_object(store, "a/b/v1", "");
    store_close(store);
}

static void of_many_racing_writers_one_wins(void **state)
{
    (void)state;
    struct store *store = open_place();
    struct error error = {0};
    int won = store_race(store, &error);
    assert_good(&error, won >= 0);
    assert_int_equal(won, 20);
    assert_int_equal(count_below(store, ""), 20);
    store_close(store);
}

static struct store_writer *write_object(struct store *store, const char *key, const char *bytes,
                                         size_t length)
{
    struct error error = {0};
    struct store_writer *writer = store_writer_open(store, key, &error);
    assert_good(&error, writer != NULL);
    for (size_t at = 0; at < length; at += 700001) {
        size_t left = length - at;
        assert_good(&error, sink_write(store_writer_sink(writer), bytes + at,
                                       left < 700001 ? left : 700001, &error));
    }
    assert_int_equal(store_writer_sink(writer)->written, length);
    return writer;
}

/* Of the sizes around what one request, one part and one block hold. */
static void an_object_of_any_size_appears_only_at_commit(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 1048576, 1048577, 8388608, 8388609, 25000000};
    enum { LARGEST = 25000000 };
    struct store *store = open_place();
    char *bytes = malloc(LARGEST);
    char *out = malloc(LARGEST);
    assert_non_null(bytes);
    assert_non_null(out);
    for (size_t i = 0; i < LARGEST; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    assert_true(store_put(store, "root", SLICE_LITERAL("x"), NULL));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char key[32];
        struct error error = {0};
        struct buffer whole = {0};
        struct source source;
        bool exists = true;
        uint64_t size = 1;
        int64_t modified = 0;
        snprintf(key, sizeof key, "d/1/x%zu.bin", i);
        struct store_writer *writer = write_object(store, key, bytes, sizes[i]);
        assert_good(&error, store_exists(store, key, &exists, &error));
        assert_false(exists);
        assert_int_equal(count_below(store, "d/"), i);
        assert_good(&error, store_writer_commit(writer, STORE_FLUSH_LATER, &error));
        const char *keys[] = {key};
        assert_good(&error, store_sync(store, keys, 1, NULL, &error));
        assert_good(&error, store_stat(store, key, &size, &modified, &error));
        assert_int_equal(size, sizes[i]);
        assert_true(modified > INT64_C(1600000000000));
        assert_good(&error, store_read(store, key, &whole, &error));
        assert_int_equal(whole.length, sizes[i]);
        assert_true(sizes[i] == 0 || memcmp(whole.data, bytes, sizes[i]) == 0);
        buffer_destroy(&whole);
        assert_good(&error, store_source_open(store, key, &source, &error));
        assert_int_equal(source.size, sizes[i]);
        assert_good(&error, source_read(&source, 0, out, sizes[i], &error));
        assert_true(sizes[i] == 0 || memcmp(out, bytes, sizes[i]) == 0);
        if (sizes[i] > 100) {
            assert_good(&error, source_read(&source, sizes[i] - 100, out, 100, &error));
            assert_memory_equal(out, bytes + sizes[i] - 100, 100);
        }
        assert_false(source_read(&source, sizes[i], out, 1, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        store_source_close(&source);
        /* A second one loses, a third is given up: neither leaves anything. */
        writer = write_object(store, key, bytes, sizes[i]);
        assert_false(store_writer_commit(writer, STORE_FLUSH_NOW, &error));
        assert_int_equal(error.kind, ERROR_EXISTS);
        store_writer_abort(write_object(store, "d/2/y", bytes, sizes[i]));
        assert_int_equal(count_below(store, ""), i + 2);
    }
    size_t removed = 9;
    struct error error = {0};
    assert_good(&error, store_sweep(store, "", &removed, &error));
    assert_int_equal(removed, 0);
    free(bytes);
    free(out);
    store_close(store);
}

static void keys_of_every_kind_are_kept_and_listed_in_order(void **state)
{
    (void)state;
    struct store *store = open_place();
    struct error error = {0};
    static const char *const keys[] = {"t-1/x",       "t/0/1",   "t/0/1.gz",   "t/0.x",
                                       "t/00/2",      "t0",      "\xC3\xA9/e", "a b+c=d&e",
                                       "q\"'%41;,:@", "z/p=1/f", "z/(x)~!*$",  "\xF0\x9F\x98\x80"};
    enum { KEYS = sizeof keys / sizeof *keys };
    for (size_t i = 0; i < KEYS; i++) {
        assert_good(&error, store_put_if_absent(store, keys[i], slice_of(keys[i]), &error));
        assert_object(store, keys[i], keys[i]);
    }
    static const struct {
        const char *prefix;
        size_t count;
    } cases[] = {{"", KEYS}, {"t/", 4},          {"t/0", 4},    {"t/0/", 2},
                 {"t", 6},   {"none/at/all", 0}, {"t/0/1.", 1}, {"z/p=", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(count_below(store, cases[i].prefix), cases[i].count);
    bool there = false;
    assert_good(&error, store_has_folder(store, "t/0", &there, &error));
    assert_true(there);
    assert_good(&error, store_has_folder(store, "t/1", &there, &error));
    assert_false(there);
    assert_good(&error, store_delete_many(store, keys, KEYS - 1, &error));
    assert_int_equal(count_below(store, ""), 1);
    store_close(store);
}

static void more_than_a_page_is_listed_whole(void **state)
{
    (void)state;
    struct store *store = open_place();
    struct error error = {0};
    enum { COUNT = 1100 };
    static char names[COUNT][16];
    const char *keys[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "p%zu/k%zu", i % 7, i);
        keys[i] = names[i];
        assert_good(&error, store_put(store, keys[i], SLICE_LITERAL("1"), &error));
    }
    assert_int_equal(count_below(store, ""), COUNT);
    assert_good(&error, store_delete_many(store, keys + 1, COUNT - 1, &error));
    assert_int_equal(count_below(store, ""), 1);
    store_close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(the_uri_names_the_place, fresh),
    cmocka_unit_test_setup(a_missing_root_is_not_an_empty_store, fresh),
    cmocka_unit_test_setup(keys_never_leave_the_store, fresh),
    cmocka_unit_test_setup(put_if_absent_is_won_once, fresh),
    cmocka_unit_test_setup(of_many_racing_writers_one_wins, fresh),
    cmocka_unit_test_setup(an_object_of_any_size_appears_only_at_commit, fresh),
    cmocka_unit_test_setup(keys_of_every_kind_are_kept_and_listed_in_order, fresh),
    cmocka_unit_test_setup(more_than_a_page_is_listed_whole, fresh),
};

int main(int count, char **arguments)
{
    if (count > 1) {
        snprintf(base, sizeof base, "%s", arguments[1]);
        return cmocka_run_group_tests_name("as asked", tests, NULL, NULL);
    }
    strcpy(base, "/tmp/surfboard-kinds-XXXXXX");
    if (mkdtemp(base) == NULL)
        return 1;
    int failed = cmocka_run_group_tests_name("folder", tests, NULL, NULL);
    file_remove_tree(base, NULL);
    fake_s3_start();
    strcpy(base, "s3://lake/kinds");
    failed += cmocka_run_group_tests_name("S3", tests, NULL, NULL);
    fake_s3_stop();
    return failed;
}

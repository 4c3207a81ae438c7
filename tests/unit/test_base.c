/* The promises of core/base that everything above leans on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/column.h"
#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/map.h"
#include "core/base/pool.h"
#include "core/base/utf8.h"

static void error_cut_keeps_characters_whole(void **state)
{
    (void)state;
    struct error error = {0};
    char text[3000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 3);
    error_set(&error, ERROR_INPUT, "do", "%s", text);
    assert_true(utf8_valid(error.message, strlen(error.message)));
    assert_true(slice_ends_with(slice_of(error.message), slice_of("...")));
    error_prefix(&error, "table %s", "t");
    assert_true(slice_starts_with(slice_of(error.message), slice_of("table t: ")));
    assert_true(utf8_valid(error.message, strlen(error.message)));
}

static void system_errors_carry_a_remedy(void **state)
{
    (void)state;
    struct error error = {0};
    assert_false(error_set_system(&error, ENOSPC, "writing %s", "x"));
    assert_int_equal(error.kind, ERROR_IO);
    assert_non_null(strstr(error.remedy, "disk is full"));
}

static void decimals_round_trip_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int precision, scale;
        const char *plain; /* NULL: must not parse */
        enum decimal_result result;
    } cases[] = {
        {"1.10", 12, 2, "1.10", DECIMAL_OK},
        {"-0.05", 12, 2, "-0.05", DECIMAL_OK},
        {"1e3", 12, 2, "1000.00", DECIMAL_OK},
        {"12.5E-1", 12, 2, "1.25", DECIMAL_OK},
        {"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999",
         DECIMAL_OK},
        {"100000000000000000000000000000000000000", 38, 0, NULL, DECIMAL_TOO_LARGE},
        {"0.000", 3, 2, "0.00", DECIMAL_OK},
        {"1.234", 5, 2, NULL, DECIMAL_INEXACT},
        {"1000", 5, 2, NULL, DECIMAL_TOO_LARGE},
        {"12300.000000", 5, 0, "12300", DECIMAL_OK},
        {"", 5, 0, NULL, DECIMAL_NOT_A_NUMBER},
        {"NaN", 5, 0, NULL, DECIMAL_NOT_A_NUMBER},
        {"1e", 5, 0, NULL, DECIMAL_NOT_A_NUMBER},
        {"0e999999999", 5, 0, "0", DECIMAL_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int128 value = 0;
        char text[DECIMAL_TEXT_SIZE];
        enum decimal_result result =
            decimal_parse(slice_of(cases[i].text), cases[i].precision, cases[i].scale, &value);
        assert_int_equal(result, cases[i].result);
        if (result != DECIMAL_OK)
            continue;
        decimal_format(value, cases[i].scale, text);
        assert_string_equal(text, cases[i].plain);
        uint8_t bytes[16];
        size_t length = decimal_to_bytes_minimal(value, bytes);
        int128 back = 1;
        assert_true(decimal_from_bytes(slice_make(bytes, length), &back));
        assert_true(back == value);
    }
}

static void dates_cover_the_whole_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t days;
    } cases[] = {{"1970-01-01", 0},
                 {"2000-02-29", 11016},
                 {"0001-01-01", -719162},
                 {"-0043-03-15", -735160},
                 {"9999-12-31", 2932896}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t days = 1;
        char text[DATETIME_TEXT_SIZE];
        assert_true(datetime_parse_date(slice_of(cases[i].text), &days));
        assert_int_equal(days, cases[i].days);
        datetime_format_date(days, text);
        assert_string_equal(text, cases[i].text);
    }
    int64_t us;
    assert_false(datetime_parse_date(slice_of("2023-02-29"), &us));
    assert_true(datetime_parse_timestamptz(slice_of("2016-11-04T13:51:30.123456+02:00"), &us));
    char text[DATETIME_TEXT_SIZE];
    datetime_format_timestamp(us, true, text);
    assert_string_equal(text, "2016-11-04T11:51:30.123456Z");
    assert_true(datetime_parse_timestamp(slice_of("1969-12-31T23:59:59.5"), &us));
    assert_int_equal(us, -500000);
    assert_true(datetime_parse_time(slice_of("24:00:00"), &us));
    assert_int_equal(us, DATETIME_US_PER_DAY);
}

static void utf8_refuses_what_is_not(void **state)
{
    (void)state;
    assert_true(utf8_valid("h\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80 plain ascii text", 27));
    static const char *const bad[] = {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                      "\x80",     "\xE2\x82",     "12345678\xFF"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
}

static void base64_is_strict(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(base64_decode(slice_of("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="), &out, NULL));
    assert_true(slice_is(buffer_slice(&out), "__debezium_unavailable_value"));
    buffer_clear(&out);
    assert_true(base64_encode(SLICE_LITERAL("abcd"), &out, NULL));
    assert_true(slice_is(buffer_slice(&out), "YWJjZA=="));
    assert_false(base64_decode(slice_of("ab c"), &out, NULL));
    assert_false(base64_decode(slice_of("a"), &out, NULL));
    buffer_destroy(&out);
}

/* Metadata of other engines is read, changed in one place and written again. */
static void json_that_is_written_keeps_each_value(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[0.768,-0.5,2.0,-0.0,1e23,1.5e-300,1e22]",
        "{\"min\":6.5275481311296341,\"max\":1337308004.2871624,\"like\":\"0.10000000000000001\"}",
        "{\"1.50\":\"1.50\",\"\\\"1.50\":[\"\\\\\",0.1,\"0.100\",\"\\\"0.100\\\"\",1.25]}",
        "[9223372036854775807,-9223372036854775808,true,null]",
        "0.30000000000000004",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error error = {0};
        struct buffer out = {0};
        json_error_t problem;
        json_t *json = json_loads(texts[i], JSON_DECODE_ANY, &problem);
        assert_non_null(json);
        assert_true(json_print(json, &out, &error) && buffer_text(&out, &error));
        json_t *again = json_loads(out.data, JSON_DECODE_ANY, &problem);
        if (!json_equal(json, again) || strlen(out.data) > strlen(texts[i]) + 2)
            fail_msg("%s became %s", texts[i], out.data);
        json_decref(json);
        json_decref(again);
        buffer_destroy(&out);
    }
}

static void map_keeps_order_and_finds_all(void **state)
{
    (void)state;
    struct map map = {0};
    static char keys[1000][8];
    for (int i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        assert_true(map_put(&map, slice_of(keys[i]), keys[i], NULL));
    }
    for (int i = 0; i < 1000; i++) {
        assert_ptr_equal(map_get_text(&map, keys[i]), keys[i]);
        assert_ptr_equal(map.entries[i].value, keys[i]);
    }
    assert_null(map_get_text(&map, "k1000"));
    map_destroy(&map);
}

static bool add_one(void *context, size_t index, struct error *error)
{
    (void)error;
    __atomic_fetch_add((long *)context, (long)index, __ATOMIC_RELAXED);
    return true;
}

static bool fail_some(void *context, size_t index, struct error *error)
{
    (void)context;
    return index % 7 != 3 || error_set(error, ERROR_INPUT, NULL, "index %zu", index);
}

static void pool_runs_each_index_once_and_reports_the_first_failure(void **state)
{
    (void)state;
    struct pool *pool = pool_create(4, NULL);
    assert_non_null(pool);
    for (int round = 0; round < 50; round++) {
        long sum = 0;
        assert_true(pool_run(pool, 100, add_one, &sum, NULL));
        assert_int_equal(sum, 4950);
    }
    struct error error = {0};
    assert_false(pool_run(pool, 100, fail_some, NULL, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    pool_destroy(pool);
}

static void columns_copy_nested_rows(void **state)
{
    (void)state;
    struct field element = {.id = 2, .name = "element", .type = {.kind = TYPE_STRING}};
    struct type list = {.kind = TYPE_LIST, .fields = &element, .field_count = 1};
    struct column a, b;
    assert_true(column_init(&a, &list, NULL) && column_init(&b, &list, NULL));
    assert_true(column_append_bytes(&a.children[0], SLICE_LITERAL("x"), NULL));
    assert_true(column_append_null(&a.children[0], NULL));
    assert_true(column_append_list_end(&a, NULL));
    assert_true(column_append_null(&a, NULL));
    assert_true(column_append_list_end(&a, NULL));
    for (size_t row = 0; row < a.length; row++) {
        assert_true(column_append_row(&b, &a, row, NULL));
        assert_true(column_rows_equal(&a, row, &b, row));
    }
    assert_false(column_rows_equal(&a, 1, &b, 2));
    column_destroy(&a);
    column_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_cut_keeps_characters_whole),
        cmocka_unit_test(system_errors_carry_a_remedy),
        cmocka_unit_test(decimals_round_trip_exactly),
        cmocka_unit_test(dates_cover_the_whole_calendar),
        cmocka_unit_test(utf8_refuses_what_is_not),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(json_that_is_written_keeps_each_value),
        cmocka_unit_test(map_keeps_order_and_finds_all),
        cmocka_unit_test(pool_runs_each_index_once_and_reports_the_first_failure),
        cmocka_unit_test(columns_copy_nested_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Promises of the line writer and of the values a capture writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "core/change/line_writer.h"
#include "plugins/postgres/pgoutput.h"
#include "plugins/postgres/captured_value.h"

static void any_text_reads_back_as_it_was(void **state)
{
    (void)state;
    char text[96];
    for (unsigned round = 0; round < 4000; round++) {
        size_t length = round % 61;
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(1 + (round * 31 + i * i * 7 + i * round) % 126);
        if (length > 20) {
            memcpy(text + 9, "\xC3\xA9\xF0\x9F\x98\x80", 6);
            text[17] = round % 2 ? '"' : '\\';
        }
        struct buffer out = {0};
        assert_true(line_append_text(&out, slice_make(text, length), NULL));
        json_t *read = json_loadb(out.data, out.length, JSON_DECODE_ANY, NULL);
        assert_non_null(read);
        assert_int_equal(json_string_length(read), length);
        assert_memory_equal(json_string_value(read), text, length);
        json_decref(read);
        buffer_destroy(&out);
    }
}

static void numbers_keep_all_digits(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(line_append_number(&out, INT64_MIN, NULL));
    assert_true(buffer_append_byte(&out, ' ', NULL));
    assert_true(line_append_number(&out, INT64_MAX, NULL));
    assert_true(slice_is(buffer_slice(&out), "-9223372036854775808 9223372036854775807"));
    buffer_destroy(&out);
}

#define ARRAY(of)                                                                                  \
    {                                                                                              \
        .form = (of), .array = true, .delimiter = ','                                              \
    }

static const struct {
    struct captured_type type;
    const char *text;
    const char *json; /* NULL: refused */
} value_cases[] = {
    {{.form = CAPTURED_NUMBER}, "-9223372036854775808", "-9223372036854775808"},
    {{.form = CAPTURED_NUMBER}, "12a", NULL},
    {{.form = CAPTURED_NUMBER}, "1.0", NULL},
    {{.form = CAPTURED_NUMBER}, "-", NULL},
    {{.form = CAPTURED_FLOAT}, "1e-45", "1e-45"},
    {{.form = CAPTURED_FLOAT}, "-0", "-0"},
    {{.form = CAPTURED_FLOAT}, "1.2345e+20", "1.2345e+20"},
    {{.form = CAPTURED_FLOAT}, "1.", NULL},
    {{.form = CAPTURED_FLOAT}, "nan", NULL},
    {{.form = CAPTURED_DECIMAL}, "1\"2", NULL},
    {{.form = CAPTURED_VECTOR}, "[1,2.5,-3e-05]", "[1,2.5,-3e-05]"},
    {{.form = CAPTURED_VECTOR}, "[1,]", NULL},
    {{.form = CAPTURED_FLOAT}, "NaN", "\"NaN\""},
    {{.form = CAPTURED_FLOAT}, "-Infinity", "\"-Infinity\""},
    {{.form = CAPTURED_BOOLEAN}, "t", "true"},
    {{.form = CAPTURED_BOOLEAN}, "yes", NULL},
    {{.form = CAPTURED_DECIMAL}, "100.000", "\"100.000\""},
    {{.form = CAPTURED_DECIMAL}, "NaN", "\"NAN\""},
    {{.form = CAPTURED_DECIMAL}, "Infinity", "\"POSITIVE_INFINITY\""},
    {{.form = CAPTURED_DECIMAL}, "-Infinity", "\"NEGATIVE_INFINITY\""},
    {{.form = CAPTURED_MONEY}, "-$1,234.56", "\"-1234.56\""},
    {{.form = CAPTURED_BYTES}, "\\x00ff10", "\"AP8Q\""},
    {{.form = CAPTURED_BYTES}, "\\xde", "\"3g==\""},
    {{.form = CAPTURED_BYTES}, "\\x", "\"\""},
    {{.form = CAPTURED_BYTES}, "\\x0", NULL},
    {{.form = CAPTURED_BYTES}, "\\000", NULL},
    {{.form = CAPTURED_DATE}, "2024-02-29", "19782"},
    {{.form = CAPTURED_DATE}, "0044-03-15 BC", "-735160"},
    {{.form = CAPTURED_DATE}, "5874897-12-31", "2145042905"},
    {{.form = CAPTURED_DATE}, "4713-01-01 BC", "-2440550"},
    {{.form = CAPTURED_DATE}, "infinity", "-2147472692"},
    {{.form = CAPTURED_DATE}, "2024-02-29x", NULL},
    {{.form = CAPTURED_TIME}, "24:00:00", "86400000000"},
    {{.form = CAPTURED_TIME}, "12:34:56.789012", "45296789012"},
    {{.form = CAPTURED_TIMETZ}, "12:34:56.789+05:30", "\"07:04:56.789Z\""},
    {{.form = CAPTURED_TIMETZ}, "01:00:00+02", "\"23:00:00Z\""},
    {{.form = CAPTURED_TIMESTAMP}, "1969-12-31 23:59:59.999999", "-1"},
    {{.form = CAPTURED_TIMESTAMP}, "0044-03-15 12:00:00 BC", "-63517780800000000"},
    {{.form = CAPTURED_TIMESTAMP}, "infinity", "9223372036825200000"},
    {{.form = CAPTURED_TIMESTAMP}, "294276-12-31 23:59:59.999999", "9224318015999999999"},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 6},
     "2024-02-29 10:34:56.789+00",
     "\"2024-02-29T10:34:56.789000Z\""},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 3},
     "2024-02-29 10:34:56.789+00",
     "\"2024-02-29T10:34:56.789Z\""},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 0},
     "2024-02-29 10:34:56+00",
     "\"2024-02-29T10:34:56Z\""},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 6},
     "0044-03-15 12:00:00+00 BC",
     "\"-0043-03-15T12:00:00.000000Z\""},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 6},
     "294276-12-31 23:59:59.999999+00",
     "\"+294276-12-31T23:59:59.999999Z\""},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 6}, "-infinity", "\"-infinity\""},
    {{.form = CAPTURED_TIMESTAMPTZ, .fraction = 6}, "2024-02-29 10:34:56+01", NULL},
    {{.form = CAPTURED_INTERVAL}, "P1Y2M3DT4H5M6.789S", "\"P1Y2M3DT4H5M6.789S\""},
    {{.form = CAPTURED_INTERVAL}, "PT0S", "\"P0Y0M0DT0H0M0S\""},
    {{.form = CAPTURED_INTERVAL}, "P1M-1DT0.000001S", "\"P0Y1M-1DT0H0M0.000001S\""},
    {{.form = CAPTURED_INTERVAL}, "PT5M", "\"P0Y0M0DT0H5M0S\""},
    {{.form = CAPTURED_INTERVAL}, "PT-0.000001S", "\"P0Y0M0DT0H0M-0.000001S\""},
    {{.form = CAPTURED_INTERVAL}, "P-178000000Y", "\"P-178000000Y0M0DT0H0M0S\""},
    {{.form = CAPTURED_INTERVAL}, "1 day", NULL},
    {{.form = CAPTURED_BIT}, "1", "true"},
    {{.form = CAPTURED_BITS}, "1010101010", "\"qgI=\""},
    {{.form = CAPTURED_BITS}, "101", "\"BQ==\""},
    {{.form = CAPTURED_BITS}, "0000000000", "\"\""},
    {{.form = CAPTURED_HSTORE},
     "\"a\"=>\"1\", \"b\"=>NULL, \"c d\"=>\"x\\\"y\"",
     "\"{\\\"a\\\":\\\"1\\\",\\\"b\\\":null,\\\"c d\\\":\\\"x\\\\\\\"y\\\"}\""},
    {{.form = CAPTURED_HSTORE}, "", "\"{}\""},
    {{.form = CAPTURED_HSTORE}, "\"a\"", NULL},
    {{.form = CAPTURED_POINT},
     "(1.5,-2.5)",
     "{\"x\":1.5,\"y\":-2.5,\"wkb\":\"AQEAAAAAAAAAAAD4PwAAAAAAAATA\",\"srid\":null}"},
    {ARRAY(CAPTURED_NUMBER), "{1,NULL,-2}", "[1,null,-2]"},
    {ARRAY(CAPTURED_NUMBER), "{}", "[]"},
    {ARRAY(CAPTURED_NUMBER), "[5:6]={1,2}", "[1,2]"},
    {ARRAY(CAPTURED_NUMBER), "{{1,2},{3,4}}", "[[1,2],[3,4]]"},
    {ARRAY(CAPTURED_NUMBER), "{1,2", NULL},
    {ARRAY(CAPTURED_TEXT), "{\"\",\"NULL\",NULL,\"{}\",\"\\\\\\\\\",é😀}",
     "[\"\",\"NULL\",null,\"{}\",\"\\\\\\\\\",\"é😀\"]"},
    {ARRAY(CAPTURED_TEXT), "{a,\"b c\",NULL,\"q\\\"uote\"}", "[\"a\",\"b c\",null,\"q\\\"uote\"]"},
    {ARRAY(CAPTURED_DECIMAL), "{1.10,NULL,-2.00}", "[\"1.10\",null,\"-2.00\"]"},
    {ARRAY(CAPTURED_BOOLEAN), "{t,f,NULL}", "[true,false,null]"},
    {ARRAY(CAPTURED_TIMESTAMP), "{\"2024-02-29 12:34:56.789012\",NULL}", "[1709210096789012,null]"},
    {ARRAY(CAPTURED_DATE), "{2024-02-29,1969-12-31}", "[19782,-1]"},
    {ARRAY(CAPTURED_BYTES), "{\"\\\\xff\"}", "[\"/w==\"]"},
    {ARRAY(CAPTURED_FLOAT), "{1.5,NaN,Infinity}", "[1.5,\"NaN\",\"Infinity\"]"},
};

static void values_have_debeziums_forms(void **state)
{
    (void)state;
    struct captured_writer writer = {0};
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        struct error error = {0};
        buffer_clear(&out);
        bool ok = captured_append(&writer, &out, &value_cases[i].type,
                                  slice_of(value_cases[i].text), &error);
        if (value_cases[i].json == NULL) {
            if (ok)
                fail_msg("%s was accepted", value_cases[i].text);
            assert_int_equal(error.kind, ERROR_INPUT);
            assert_int_equal(out.length, 0);
            continue;
        }
        if (!ok || !slice_is(buffer_slice(&out), value_cases[i].json))
            fail_msg("%s: %s, wanted %s %s", value_cases[i].text, buffer_text(&out, NULL),
                     value_cases[i].json, error.message);
    }
    buffer_destroy(&out);
    captured_writer_destroy(&writer);
}

static void cut_values_are_refused_not_overrun(void **state)
{
    (void)state;
    struct captured_writer writer = {0};
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++) {
        size_t length = strlen(value_cases[i].text);
        for (size_t cut = 0; cut < length; cut++) {
            char *copy = malloc(cut ? cut : 1); /* exact size: the sanitizer sees an overrun */
            assert_non_null(copy);
            memcpy(copy, value_cases[i].text, cut);
            buffer_clear(&out);
            captured_append(&writer, &out, &value_cases[i].type, slice_make(copy, cut), NULL);
            free(copy);
        }
    }
    buffer_destroy(&out);
    captured_writer_destroy(&writer);
}

static void a_line_has_every_member_of_the_envelope(void **state)
{
    (void)state;
    struct line_table table;
    struct buffer out = {0};
    assert_true(line_table_init(&table, "1", "shop", "db\"x", "public", "t", NULL));
    struct line_event event = {.op = 'd',
                               .key = SLICE_LITERAL("{\"id\":1}"),
                               .before = SLICE_LITERAL("{\"id\":1}"),
                               .new_key = SLICE_LITERAL("{\"id\":2}"),
                               .lsn = 42,
                               .tx_id = 7,
                               .last_commit = 41,
                               .committed_us = 1700000000123456,
                               .captured_us = 1700000001000001,
                               .transaction_id = SLICE_LITERAL("7:50"),
                               .total_order = 3,
                               .table_order = 2,
                               .position = {50, 3},
                               .offset = 99};
    assert_true(line_append_event(&out, &table, &event, NULL));
    json_t *line = json_loadb(out.data, out.length, 0, NULL);
    assert_non_null(line);
    json_t *value = json_object_get(line, "value");
    json_t *source = json_object_get(value, "source");
    assert_string_equal(json_string_value(json_object_get(source, "db")), "db\"x");
    assert_string_equal(json_string_value(json_object_get(source, "sequence")), "[\"41\",\"42\"]");
    assert_int_equal(json_integer_value(json_object_get(source, "ts_ns")), 1700000000123456000);
    assert_true(json_is_null(json_object_get(source, "snapshot")));
    assert_true(json_is_null(json_object_get(value, "after")));
    assert_string_equal(json_string_value(json_object_get(value, "op")), "d");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(value, "transaction"), "total_order")),
        3);
    assert_int_equal(json_integer_value(json_object_get(line, "offset")), 99);
    json_t *headers = json_object_get(line, "headers");
    assert_int_equal(json_array_size(headers), 2);
    json_decref(line);

    buffer_clear(&out);
    assert_true(line_append_tombstone(&out, &event, 100, NULL));
    line = json_loadb(out.data, out.length, 0, NULL);
    assert_non_null(line);
    assert_true(json_is_null(json_object_get(line, "value")));
    json_decref(line);

    buffer_clear(&out);
    struct line_collection collections[] = {{SLICE_LITERAL("public.a\"b"), 2}};
    assert_true(line_append_transaction(&out, slice_of("7:60"), collections, 1, 2, 0, 5,
                                        (struct line_position){50, 3}, 1, NULL));
    line = json_loadb(out.data, out.length, 0, NULL);
    assert_non_null(line);
    value = json_object_get(line, "value");
    assert_string_equal(json_string_value(json_object_get(value, "status")), "END");
    assert_int_equal(json_integer_value(json_object_get(value, "event_count")), 2);
    json_decref(line);
    buffer_destroy(&out);
    line_table_destroy(&table);
}

/* A byte string of a message, by hand from the documentation. */
static void cut_messages_are_refused(void **state)
{
    (void)state;
    static const char update[] = "U\0\0\0\7O\0\2t\0\0\0\1an\0\0" /* filler makes it long enough */;
    static const struct {
        const char *bytes;
        size_t length;
    } messages[] = {
        {"B\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\1\0\0\0\7", 21},
        {"C\0\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\1", 26},
        {"R\0\0\0\7s\0t\0d\0\1\1id\0\0\0\0\27\377\377\377\377", 24},
        {"I\0\0\0\7N\0\3t\0\0\0\1anu", 16},
        {"U\0\0\0\7K\0\1t\0\0\0\1aN\0\1t\0\0\0\1b", 23},
        {"D\0\0\0\7O\0\1n", 9},
        {"T\0\0\0\2\0\0\0\0\7\0\0\0\10", 14},
    };
    struct pgoutput_message message = {0};
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct error error = {0};
        for (size_t cut = 0; cut < messages[i].length; cut++) {
            char *copy = malloc(cut ? cut : 1);
            assert_non_null(copy);
            memcpy(copy, messages[i].bytes, cut);
            assert_false(pgoutput_decode(slice_make(copy, cut), &message, &error));
            free(copy);
        }
        if (!pgoutput_decode(slice_make(messages[i].bytes, messages[i].length), &message, &error))
            fail_msg("message %zu: %s", i, error.message);
    }
    assert_false(pgoutput_decode(slice_make(update, sizeof update), &message, NULL));
    assert_int_equal(message.relation, 7);
    pgoutput_message_destroy(&message);
}

static void markers_are_those_of_the_fixtures(void **state)
{
    (void)state;
    static const struct {
        struct captured_type type;
        const char *json;
    } cases[] = {
        {{.form = CAPTURED_TEXT}, "\"__debezium_unavailable_value\""},
        {{.form = CAPTURED_DECIMAL}, "\"__debezium_unavailable_value\""},
        {{.form = CAPTURED_BYTES}, "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\""},
        {ARRAY(CAPTURED_TEXT), "[\"__debezium_unavailable_value\"]"},
        {ARRAY(CAPTURED_BYTES), "[\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"]"},
        {ARRAY(CAPTURED_UUID), "[\"b68a35a7-17ad-35b3-af2a-ae46edb4545a\"]"},
    };
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_clear(&out);
        assert_true(captured_append_unavailable(&out, &cases[i].type, NULL));
        assert_true(slice_is(buffer_slice(&out), cases[i].json));
    }
    struct captured_type numbers = ARRAY(CAPTURED_NUMBER);
    buffer_clear(&out);
    assert_true(captured_append_unavailable(&out, &numbers, NULL));
    json_t *array = json_loadb(out.data, out.length, 0, NULL);
    assert_int_equal(json_array_size(array), strlen(CAPTURED_PLACEHOLDER));
    for (size_t i = 0; i < json_array_size(array); i++)
        assert_int_equal(json_integer_value(json_array_get(array, i)), CAPTURED_PLACEHOLDER[i]);
    json_decref(array);
    buffer_destroy(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_reads_back_as_it_was),
        cmocka_unit_test(numbers_keep_all_digits),
        cmocka_unit_test(values_have_debeziums_forms),
        cmocka_unit_test(cut_values_are_refused_not_overrun),
        cmocka_unit_test(a_line_has_every_member_of_the_envelope),
        cmocka_unit_test(cut_messages_are_refused),
        cmocka_unit_test(markers_are_those_of_the_fixtures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

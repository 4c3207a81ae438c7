/* The vectors of the Iceberg specification: hashes, transforms, bounds, single values, schemas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/json.h"
#include "core/base/random.h"
#include "core/iceberg/statistics.h"
#include "core/iceberg/storage.h"

static struct error failure;

static void must(bool ok)
{
    if (!ok)
        fail_msg("%s: %s", error_kind_name(failure.kind), failure.message);
}

/* A value of a type from its text, in single-value form; memory in `out`. */
static struct slice value_of(const struct type *type, const char *text, struct buffer *out)
{
    struct column column;
    int64_t wide = 0;
    int32_t narrow = 0;
    int128 decimal = 0;
    uint8_t uuid[16];
    float single = 0;
    double real = 0;
    struct slice bytes = slice_of(text);
    must(column_init(&column, type, &failure));
    switch (type->kind) {
    case TYPE_BOOLEAN:
        uuid[0] = strcmp(text, "true") == 0;
        bytes = slice_make(uuid, 1);
        break;
    case TYPE_DATE:
        assert_true(datetime_parse_date(bytes, &wide));
        narrow = (int32_t)wide;
        bytes = slice_make(&narrow, 4);
        break;
    case TYPE_INT:
        narrow = (int32_t)strtol(text, NULL, 10);
        bytes = slice_make(&narrow, 4);
        break;
    case TYPE_LONG:
        wide = strtoll(text, NULL, 10);
        bytes = slice_make(&wide, 8);
        break;
    case TYPE_TIME:
        assert_true(datetime_parse_time(bytes, &wide));
        bytes = slice_make(&wide, 8);
        break;
    case TYPE_TIMESTAMP:
        assert_true(datetime_parse_timestamp(bytes, &wide));
        bytes = slice_make(&wide, 8);
        break;
    case TYPE_TIMESTAMPTZ:
        assert_true(datetime_parse_timestamptz(bytes, &wide));
        bytes = slice_make(&wide, 8);
        break;
    case TYPE_DECIMAL:
        assert_int_equal(decimal_parse(bytes, type->precision, type->scale, &decimal), DECIMAL_OK);
        bytes = slice_make(&decimal, sizeof decimal);
        break;
    case TYPE_UUID:
        assert_true(uuid_parse(text, strlen(text), uuid));
        bytes = slice_make(uuid, 16);
        break;
    case TYPE_FLOAT:
        single = strtof(text, NULL);
        bytes = slice_make(&single, 4);
        break;
    case TYPE_DOUBLE:
        real = strtod(text, NULL);
        bytes = slice_make(&real, 8);
        break;
    default:
        break;
    }
    must(column_append_bytes(&column, bytes, &failure));
    buffer_clear(out);
    must(iceberg_value_from_column(&column, 0, out, &failure));
    column_destroy(&column);
    return buffer_slice(out);
}

static void bucket_hashes_are_those_of_appendix_b(void **state)
{
    (void)state;
    static const struct {
        struct type type;
        const char *text;
        int32_t hash;
    } cases[] = {
        {{.kind = TYPE_INT}, "34", 2017239379},
        {{.kind = TYPE_LONG}, "34", 2017239379},
        {{.kind = TYPE_DECIMAL, .precision = 9, .scale = 2}, "14.20", -500754589},
        {{.kind = TYPE_DECIMAL, .precision = 38, .scale = 2}, "14.20", -500754589},
        {{.kind = TYPE_DATE}, "2017-11-16", -653330422},
        {{.kind = TYPE_TIME}, "22:31:08", -662762989},
        {{.kind = TYPE_TIMESTAMP}, "2017-11-16T22:31:08", -2047944441},
        {{.kind = TYPE_TIMESTAMP}, "2017-11-16T22:31:08.000001", -1207196810},
        {{.kind = TYPE_TIMESTAMPTZ}, "2017-11-16T14:31:08-08:00", -2047944441},
        {{.kind = TYPE_STRING}, "iceberg", 1210000089},
        {{.kind = TYPE_UUID}, "f79c3e09-677c-4bbd-a479-3f349cb785e7", 1488055340},
    };
    struct buffer bytes = {0};
    int32_t hash = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        must(iceberg_bucket_hash(&cases[i].type, value_of(&cases[i].type, cases[i].text, &bytes),
                                 &hash, &failure));
        if (hash != cases[i].hash)
            fail_msg("%s: %d", cases[i].text, hash);
    }
    const struct type binary = {.kind = TYPE_BINARY}, fixed = {.kind = TYPE_FIXED, .length = 4},
                      real = {.kind = TYPE_DOUBLE};
    must(iceberg_bucket_hash(&binary, slice_make("\0\1\2\3", 4), &hash, &failure));
    assert_int_equal(hash, -188683207);
    must(iceberg_bucket_hash(&fixed, slice_make("\0\1\2\3", 4), &hash, &failure));
    assert_int_equal(hash, -188683207);
    assert_false(iceberg_bucket_hash(&real, slice_make("\0\0\0\0\0\0\0\0", 8), &hash, &failure));
    assert_int_equal(failure.kind, ERROR_UNSUPPORTED);
    buffer_destroy(&bytes);
}

static void transforms_follow_the_spec(void **state)
{
    (void)state;
    static const struct {
        enum iceberg_transform transform;
        int32_t argument;
        struct type source, result;
        const char *in, *out;
    } cases[] = {
        {ICEBERG_TRUNCATE, 10, {.kind = TYPE_INT}, {.kind = TYPE_INT}, "1", "0"},
        {ICEBERG_TRUNCATE, 10, {.kind = TYPE_INT}, {.kind = TYPE_INT}, "-1", "-10"},
        {ICEBERG_TRUNCATE, 10, {.kind = TYPE_LONG}, {.kind = TYPE_LONG}, "-20", "-20"},
        {ICEBERG_TRUNCATE,
         50,
         {.kind = TYPE_DECIMAL, .precision = 9, .scale = 2},
         {.kind = TYPE_DECIMAL, .precision = 9, .scale = 2},
         "10.65",
         "10.50"},
        {ICEBERG_TRUNCATE,
         10,
         {.kind = TYPE_DECIMAL, .precision = 9, .scale = 2},
         {.kind = TYPE_DECIMAL, .precision = 9, .scale = 2},
         "-0.05",
         "-0.10"},
        {ICEBERG_TRUNCATE, 3, {.kind = TYPE_STRING}, {.kind = TYPE_STRING}, "iceberg", "ice"},
        {ICEBERG_TRUNCATE,
         2,
         {.kind = TYPE_STRING},
         {.kind = TYPE_STRING},
         "\xC3\xA9\xF0\x9F\x8F\x84x",
         "\xC3\xA9\xF0\x9F\x8F\x84"},
        {ICEBERG_YEAR, 0, {.kind = TYPE_DATE}, {.kind = TYPE_INT}, "1969-12-31", "-1"},
        {ICEBERG_YEAR, 0, {.kind = TYPE_DATE}, {.kind = TYPE_INT}, "2017-11-16", "47"},
        {ICEBERG_MONTH, 0, {.kind = TYPE_DATE}, {.kind = TYPE_INT}, "2017-11-16", "574"},
        {ICEBERG_MONTH,
         0,
         {.kind = TYPE_TIMESTAMP},
         {.kind = TYPE_INT},
         "1969-12-31T23:59:59.999999",
         "-1"},
        {ICEBERG_DAY,
         0,
         {.kind = TYPE_TIMESTAMP},
         {.kind = TYPE_DATE},
         "2017-11-16T22:31:08",
         "2017-11-16"},
        {ICEBERG_DAY,
         0,
         {.kind = TYPE_TIMESTAMPTZ},
         {.kind = TYPE_DATE},
         "1969-12-31T23:59:59.999999Z",
         "1969-12-31"},
        {ICEBERG_HOUR,
         0,
         {.kind = TYPE_TIMESTAMP},
         {.kind = TYPE_INT},
         "2017-11-16T22:31:08",
         "419686"},
        {ICEBERG_HOUR,
         0,
         {.kind = TYPE_TIMESTAMP},
         {.kind = TYPE_INT},
         "1969-12-31T23:00:00",
         "-1"},
        {ICEBERG_IDENTITY, 0, {.kind = TYPE_STRING}, {.kind = TYPE_STRING}, "x", "x"},
        {ICEBERG_BUCKET, 16, {.kind = TYPE_LONG}, {.kind = TYPE_INT}, "34", "3"},
    };
    struct arena arena = {0};
    struct buffer bytes = {0}, text = {0};
    struct iceberg_value out;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct iceberg_partition_field field = {.name = "p",
                                                      .transform = cases[i].transform,
                                                      .argument = cases[i].argument,
                                                      .source_type = cases[i].source,
                                                      .type = cases[i].result};
        struct iceberg_value in = {true, value_of(&cases[i].source, cases[i].in, &bytes)};
        must(iceberg_transform_apply(&field, in, &arena, &out, &failure));
        buffer_clear(&text);
        must(iceberg_value_print(&cases[i].result, out.bytes, &text, &failure));
        if (!slice_is(buffer_slice(&text), cases[i].out))
            fail_msg("%s gave %.*s instead of %s", cases[i].in, (int)text.length, text.data,
                     cases[i].out);
        must(iceberg_transform_apply(&field, (struct iceberg_value){0}, &arena, &out, &failure));
        assert_false(out.present);
    }
    arena_destroy(&arena);
    buffer_destroy(&bytes);
    buffer_destroy(&text);
}

static void check_bound(enum type_kind kind, const char *value, size_t length, const char *lower,
                        const char *upper)
{
    const struct type type = {.kind = kind};
    struct arena arena = {0};
    struct iceberg_value cut;
    must(iceberg_bound_cut(&type, slice_make(value, length), false, &arena, &cut, &failure));
    assert_true(cut.present && slice_is(cut.bytes, lower));
    must(iceberg_bound_cut(&type, slice_make(value, length), true, &arena, &cut, &failure));
    if (upper)
        assert_true(cut.present && slice_is(cut.bytes, upper));
    else
        assert_false(cut.present);
    arena_destroy(&arena);
}

static void bounds_are_cut_by_characters_and_raised(void **state)
{
    (void)state;
#define A15 "aaaaaaaaaaaaaaa"
#define TOP "\xF4\x8F\xBF\xBF" /* U+10FFFF, the last character */
    check_bound(TYPE_STRING, "short", 5, "short", "short");
    check_bound(TYPE_STRING, A15 "a", 16, A15 "a", A15 "a");
    check_bound(TYPE_STRING, A15 "ab", 17, A15 "a", A15 "b");
    check_bound(TYPE_STRING, A15 "\xC3\xA9x", 18, A15 "\xC3\xA9", A15 "\xC3\xAA");
    check_bound(TYPE_STRING, A15 "\x7Fx", 17, A15 "\x7F", A15 "\xC2\x80"); /* grows a byte */
    check_bound(TYPE_STRING, A15 "\xED\x9F\xBFx", 19, A15 "\xED\x9F\xBF",
                A15 "\xEE\x80\x80");                                       /* over the surrogates */
    check_bound(TYPE_STRING, A15 TOP "x", 20, A15 TOP, "aaaaaaaaaaaaaab"); /* left of the last */
    check_bound(TYPE_STRING, TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP "x",
                65, TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP TOP, NULL);
    check_bound(TYPE_BINARY, A15 "\xFEx", 17, A15 "\xFE", A15 "\xFF");
    check_bound(TYPE_BINARY, A15 "\xFFx", 17, A15 "\xFF", "aaaaaaaaaaaaaab");
    check_bound(TYPE_BINARY, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                17, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", NULL);
    check_bound(TYPE_UUID, "0123456789abcdef", 16, "0123456789abcdef", "0123456789abcdef");
}

static void single_values_round_trip(void **state)
{
    (void)state;
    static const struct {
        struct type type;
        const char *text;
        const char *hex;
    } cases[] = {
        {{.kind = TYPE_BOOLEAN}, "true", "01"},
        {{.kind = TYPE_INT}, "-2", "feffffff"},
        {{.kind = TYPE_LONG}, "4294967296", "0000000001000000"},
        {{.kind = TYPE_DATE}, "1969-12-31", "ffffffff"},
        {{.kind = TYPE_TIME}, "00:00:01", "40420f0000000000"},
        {{.kind = TYPE_TIMESTAMP}, "1970-01-01T00:00:01", "40420f0000000000"},
        {{.kind = TYPE_FLOAT}, "1.5", "0000c03f"},
        {{.kind = TYPE_DOUBLE}, "1.5", "000000000000f83f"},
        {{.kind = TYPE_DECIMAL, .precision = 9, .scale = 2}, "14.20", "058c"},
        {{.kind = TYPE_DECIMAL, .precision = 9, .scale = 2}, "-0.01", "ff"},
        {{.kind = TYPE_DECIMAL, .precision = 9, .scale = 2}, "1.28", "0080"},
        {{.kind = TYPE_STRING}, "\xC3\xA9", "c3a9"},
        {{.kind = TYPE_UUID},
         "f79c3e09-677c-4bbd-a479-3f349cb785e7",
         "f79c3e09677c4bbda4793f349cb785e7"},
    };
    struct buffer bytes = {0}, again = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice value = value_of(&cases[i].type, cases[i].text, &bytes);
        char hex[64] = "";
        for (size_t b = 0; b < value.length; b++)
            snprintf(hex + 2 * b, 3, "%02x", (unsigned)(uint8_t)value.data[b]);
        assert_string_equal(hex, cases[i].hex);
        struct column column;
        must(column_init(&column, &cases[i].type, &failure));
        must(iceberg_value_to_column(&cases[i].type, value, &column, &failure));
        buffer_clear(&again);
        must(iceberg_value_from_column(&column, 0, &again, &failure));
        assert_true(slice_equal(value, buffer_slice(&again)));
        column_destroy(&column);
    }
    buffer_destroy(&bytes);
    buffer_destroy(&again);
}

static void bounds_from_before_a_promotion_are_widened(void **state)
{
    (void)state;
    const struct type wide = {.kind = TYPE_LONG}, real = {.kind = TYPE_DOUBLE};
    const struct type date = {.kind = TYPE_DATE};
    struct column column;
    int order = 9;
    assert_true(iceberg_value_compare(&wide, slice_make("\xFE\xFF\xFF\xFF", 4),
                                      slice_make("\1\0\0\0\0\0\0\0", 8), &order));
    assert_int_equal(order, -1);
    assert_false(iceberg_value_compare(&wide, slice_make("\1\0\0", 3),
                                       slice_make("\1\0\0\0\0\0\0\0", 8), &order));
    assert_false(iceberg_value_compare(&date, slice_make("\1\0\0\0\0\0\0\0", 8),
                                       slice_make("\1\0\0\0", 4), &order));
    must(column_init(&column, &wide, &failure));
    must(iceberg_value_to_column(&wide, slice_make("\xFE\xFF\xFF\xFF", 4), &column, &failure));
    assert_int_equal(column_long(&column, 0), -2);
    assert_false(iceberg_value_to_column(&wide, slice_make("\1\2", 2), &column, &failure));
    assert_int_equal(failure.kind, ERROR_INPUT);
    column_destroy(&column);
    float half = 0.5f, nan_value = NAN;
    must(column_init(&column, &real, &failure));
    must(iceberg_value_to_column(&real, slice_make(&half, 4), &column, &failure));
    assert_true(column_double(&column, 0) == 0.5);
    assert_false(
        iceberg_value_compare(&real, slice_make(&nan_value, 4), slice_make(&half, 4), &order));
    column_destroy(&column);
}

static void schemas_keep_attributes_nobody_knows(void **state)
{
    (void)state;
    static const char text[] =
        "{\"type\":\"struct\",\"schema-id\":3,\"identifier-field-ids\":[1],\"fields\":["
        "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"int\",\"future\":1},"
        "{\"id\":2,\"name\":\"m\",\"required\":false,\"type\":{\"type\":\"map\",\"key-id\":3,"
        "\"key\":\"string\",\"value-id\":4,\"value\":{\"type\":\"struct\",\"fields\":["
        "{\"id\":5,\"name\":\"x\",\"required\":false,\"type\":\"fixed[3]\",\"initial-default\":7}"
        "]},\"value-required\":false}},"
        "{\"id\":6,\"name\":\"l\",\"required\":false,\"type\":{\"type\":\"list\","
        "\"element-id\":7,\"element\":\"decimal(9, 2)\",\"element-required\":true},"
        "\"doc\":\"words\"}]}";
    struct schema schema;
    json_t *json = json_parse(slice_of(text), "schema", &failure);
    must(iceberg_schema_from_json(json, &schema, &failure));
    assert_int_equal(schema_highest_id(&schema), 7);
    json_t *back = iceberg_schema_to_json(&schema, json, &failure);
    assert_true(json_equal(json, back));
    json_decref(back);
    schema_destroy(&schema);
    json_decref(json);
}

static void unknown_types_are_refused_by_column(void **state)
{
    (void)state;
    struct schema schema;
    json_t *json = json_parse(
        SLICE_LITERAL("{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1,\"name\":\"v\","
                      "\"required\":false,\"type\":\"variant\"}]}"),
        "schema", &failure);
    assert_false(iceberg_schema_from_json(json, &schema, &failure));
    assert_int_equal(failure.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(failure.message, "column v"));
    assert_non_null(strstr(failure.message, "variant"));
    json_decref(json);
}

static void promotions_are_those_of_the_spec(void **state)
{
    (void)state;
    const struct type kinds[] = {
        {.kind = TYPE_INT},
        {.kind = TYPE_LONG},
        {.kind = TYPE_FLOAT},
        {.kind = TYPE_DOUBLE},
        {.kind = TYPE_DECIMAL, .precision = 9, .scale = 2},
        {.kind = TYPE_DECIMAL, .precision = 10, .scale = 2},
        {.kind = TYPE_DECIMAL, .precision = 10, .scale = 3},
        {.kind = TYPE_DATE},
        {.kind = TYPE_TIMESTAMP},
        {.kind = TYPE_STRING},
    };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    size_t legal = 0;
    for (size_t a = 0; a < KINDS; a++) {
        for (size_t b = 0; b < KINDS; b++)
            legal += a != b && iceberg_type_promotes(&kinds[a], &kinds[b]);
    }
    assert_int_equal(legal, 3);
    assert_true(iceberg_type_promotes(&kinds[0], &kinds[1]));
    assert_true(iceberg_type_promotes(&kinds[2], &kinds[3]));
    assert_true(iceberg_type_promotes(&kinds[4], &kinds[5]));
}

static void metadata_names_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(storage_name_version("v1.metadata.json"), 1);
    assert_int_equal(storage_name_version("v12.gz.metadata.json"), 12);
    assert_int_equal(storage_name_version("v12.metadata.json.gz"), 12);
    assert_int_equal(storage_name_version("v.metadata.json"), -1);
    assert_int_equal(storage_name_version("v1x.metadata.json"), -1);
    assert_int_equal(storage_name_version("v99999999999999999999.metadata.json"), -1);
    assert_int_equal(storage_name_version("00001-x.metadata.json"), -1);
    assert_int_equal(
        storage_name_number("00012-d7cac1ab-58e8-4b81-a7e6-197490eea992.metadata.json"), 12);
    assert_int_equal(storage_name_number("snap-1-x.avro"), -1);
    assert_int_equal(storage_name_number("00012.metadata.json"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_hashes_are_those_of_appendix_b),
        cmocka_unit_test(transforms_follow_the_spec),
        cmocka_unit_test(bounds_are_cut_by_characters_and_raised),
        cmocka_unit_test(single_values_round_trip),
        cmocka_unit_test(bounds_from_before_a_promotion_are_widened),
        cmocka_unit_test(schemas_keep_attributes_nobody_knows),
        cmocka_unit_test(unknown_types_are_refused_by_column),
        cmocka_unit_test(promotions_are_those_of_the_spec),
        cmocka_unit_test(metadata_names_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

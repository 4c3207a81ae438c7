/* What events hold becomes what the lake holds, exactly, or is refused by name: the promises of
 * core/change/row.h and table.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/change/row.h"
#include "tests/unit/render.h"

static struct error error;
#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

/* A table and all that reads it. */
struct fixture {
    struct change_table table;
    struct schema schema;
    struct batch batch;
    struct change_row_reader *reader;
};

static void open_with(struct fixture *f, const char *json, const struct change_row_options *options)
{
    error = (struct error){0};
    must(change_table_parse(slice_of(json), "t.json", &f->table, &error));
    must(change_table_lake_schema(&f->table, &f->schema, &error));
    must(batch_init(&f->batch, &f->schema, &error));
    f->reader = change_row_reader_create(&f->table, options, &error);
    must(f->reader != NULL);
}

static void close_fixture(struct fixture *f)
{
    change_row_reader_destroy(f->reader);
    batch_destroy(&f->batch);
    schema_destroy(&f->schema);
    change_table_destroy(&f->table);
}

static bool read_row(struct fixture *f, const char *row)
{
    return change_row_read(f->reader, slice_of(row), (struct slice){0}, false, &f->batch, NULL,
                           NULL, &error);
}

/* Column 1 of the last row must print as `wanted`. */
static void expect_lake(struct fixture *f, const char *wanted, const char *what)
{
    json_t *json = render_value(&f->batch.columns[1], f->batch.length - 1);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (strcmp(text, wanted) != 0)
        fail_msg("%s: %s instead of %s", what, text, wanted);
    free(text);
    json_decref(json);
}

#define BENT "bent" /* null, and counted */
#define BAD NULL    /* ERROR_INPUT */

struct value_case {
    const char *type, *encoding, *value, *lake;
};

static const struct value_case value_cases[] = {
    {"boolean", "", "true", "true"},
    {"bool", "", "false", "false"},
    {"boolean", "", "1", BAD},
    {"boolean", "", "\"true\"", BAD},
    {"smallint", "", "-32768", "-32768"},
    {"integer", "", "2147483647", "2147483647"},
    {"integer", "", "2147483648", BAD},
    {"integer", "", "-2147483649", BAD},
    {"integer", "", "1.0", BAD},
    {"integer", "", "1e2", BAD},
    {"integer", "", "\"5\"", BAD},
    {"bigint", "", "9223372036854775807", "9223372036854775807"},
    {"bigint", "", "-9223372036854775808", "-9223372036854775808"},
    {"bigint", "", "9223372036854775808", BAD},
    {"bigint", "", "-0", "0"},
    {"oid", "", "4000000000", "4000000000"},
    {"real", "", "1.6777216E7", "16777216.0"},
    {"real", "", "1.4E-45", "1.4012984600000001e-45"},
    {"real", "", "0.1", "0.10000000100000001"},
    {"real", "", "\"NaN\"", "\"NaN\""},
    {"real", "", "\"-Infinity\"", "\"-Infinity\""},
    {"real", "", "1e39", BAD},
    {"real", "", "\"nan\"", BAD},
    {"double precision", "", "4.9E-324", "4.9406564584124654e-324"},
    {"double precision", "", "0.1", "0.10000000000000001"},
    {"double precision", "", "123456789.123456789", "123456789.12345679"},
    {"double precision", "", "-0.0", "-0.0"},
    {"double precision", "", "5", "5.0"},
    {"double precision", "", "\"Infinity\"", "\"Infinity\""},
    {"double precision", "", "1e400", BAD},
    {"numeric(12,2)", "", "\"1.10\"", "\"1.10\""},
    {"numeric(12,2)", "", "\"-0.05\"", "\"-0.05\""},
    {"numeric(12,2)", "", "\"5\"", "\"5.00\""},
    {"numeric(12,2)", "", "\"1.100\"", "\"1.10\""},
    {"numeric(12,2)", "", "\"9999999999.99\"", "\"9999999999.99\""},
    {"numeric(12,2)", "", "\"10000000000.00\"", BAD},
    {"numeric(12,2)", "", "\"1.123\"", BAD},
    {"numeric(12,2)", "", "\"\"", BAD},
    {"numeric(12,2)", "", "\"-\"", BAD},
    {"numeric(12,2)", "", "\".\"", BAD},
    {"numeric(12,2)", "", "\"1,5\"", BAD},
    {"numeric(12,2)", "", "\"NAN\"", BENT},
    {"numeric(12,2)", "", "\"POSITIVE_INFINITY\"", BENT},
    {"numeric(12,2)", "", "\"NEGATIVE_INFINITY\"", BENT},
    {"numeric(12,2)", "\"decimal\":\"double\"", "12.34", "\"12.34\""},
    {"numeric(12,2)", "\"decimal\":\"double\"", "1.2E1", "\"12.00\""},
    {"numeric(12,2)", "\"decimal\":\"precise\"", "\"AsY=\"", "\"7.10\""},
    {"numeric(12,2)", "\"decimal\":\"precise\"", "\"/zg=\"", "\"-2.00\""},
    {"numeric(12,2)", "\"decimal\":\"precise\"", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAACxg==\"",
     "\"7.10\""},
    {"numeric(12,2)", "\"decimal\":\"precise\"", "\"\"", BAD},
    {"numeric(12,2)", "\"decimal\":\"precise\"", "\"A?\"", BAD},
    {"numeric(12,2)", "", "{\"scale\":1,\"value\":\"Cg==\"}", "\"1.00\""},
    {"numeric(12,2)", "", "{\"scale\":-2,\"value\":\"Cg==\"}", "\"1000.00\""},
    {"numeric(12,2)", "", "{\"value\":\"Cg==\"}", BAD},
    {"numeric(38,10)", "", "\"1234567890123456789012345678.0123456789\"",
     "\"1234567890123456789012345678.0123456789\""},
    {"numeric(38,10)", "\"decimal\":\"precise\"", "\"CUmw9vACMxPESZBOzGdFFQ==\"",
     "\"1234567890123456789012345678.0123456789\""},
    {"numeric", "", "\"1.10\"", "\"1.10\""},
    {"numeric", "", "\"NAN\"", "\"NaN\""},
    {"numeric", "", "\"NEGATIVE_INFINITY\"", "\"-Infinity\""},
    {"numeric", "", "12.50", "\"12.50\""},
    {"numeric", "", "\"many\"", BAD},
    {"numeric", "\"decimal\":\"precise\"", "{\"scale\":9,\"value\":\"Ah/M5xU=\"}",
     "\"9.123456789\""},
    {"numeric", "\"decimal\":\"precise\"", "{\"scale\":0,\"value\":\"HWMp8cNcpL+rufVhAAAAAAA=\"}",
     "\"10000000000000000000000000000000000000000\""},
    {"numeric", "\"decimal\":\"precise\"", "{\"scale\":-3,\"value\":\"/w==\"}", "\"-1000\""},
    {"numeric", "\"decimal\":\"precise\"", "{\"scale\":5,\"value\":\"gA==\"}", "\"-0.00128\""},
    {"numeric", "\"decimal\":\"precise\"", "{\"scale\":2,\"value\":\"AA==\"}", "\"0.00\""},
    {"numeric(50,5)", "\"decimal\":\"precise\"", "\"CHJ/Y2mq+DyhUCZ0evjH8ZbOPjHZ\"",
     "\"123456789012345678901234567890123456789012345.12345\""},
    {"numeric(5,-2)", "", "\"12300.000\"", "\"12300\""},
    {"numeric(5,-2)", "", "\"12300.\"", "\"12300\""},
    {"money", "", "\"1234.56\"", "\"1234.56\""},
    {"money", "\"decimal\":\"precise\"", "\"f/////////8=\"", "\"92233720368547758.07\""},
    {"text", "", "\"a\\u00e9\\n\\ud83d\\ude00\"", "\"a\xC3\xA9\\n\xF0\x9F\x98\x80\""},
    {"varchar(40)", "", "12345678901234567890.50", "\"12345678901234567890.50\""},
    {"text", "", "true", BAD},
    {"text", "", "{}", BAD},
    {"character(8)", "", "\"char    \"", "\"char    \""},
    {"jsonb", "", "\"{\\\"a\\\": 1}\"", "\"{\\\"a\\\": 1}\""},
    {"enum", "", "\"sad\"", "\"sad\""},
    {"tstzrange", "", "\"[1,2)\"", "\"[1,2)\""},
    {"time with time zone", "", "\"07:04:56.789Z\"", "\"07:04:56.789Z\""},
    {"bytea", "", "\"AAECAwT//v0=\"", "\"\\\\x0001020304fffefd\""},
    {"bytea", "", "\"\"", "\"\\\\x\""},
    {"bytea", "", "\"A\"", BAD},
    {"bytea", "", "\"AB!D\"", BAD},
    {"bytea", "\"binary\":\"hex\"", "\"00ffDe\"", "\"\\\\x00ffde\""},
    {"bytea", "\"binary\":\"hex\"", "\"0\"", BAD},
    {"bytea", "\"binary\":\"base64-url-safe\"", "\"__79\"", "\"\\\\xfffefd\""},
    {"bytea", "\"binary\":\"base64-url-safe\"", "\"//79\"", BAD},
    {"uuid", "", "\"00112233-4455-6677-8899-aabbccddeeff\"",
     "\"\\\\x00112233445566778899aabbccddeeff\""},
    {"uuid", "", "\"00112233445566778899aabbccddeeff\"", BAD},
    {"uuid", "", "\"0011223-34455-6677-8899-aabbccddeeff\"", BAD},
    {"date", "", "19782", "\"2024-02-29\""},
    {"date", "", "-735160", "\"-0043-03-15\""},
    {"date", "", "2145042905", "\"+5874897-12-31\""},
    {"date", "", "-2147472692", BENT},
    {"date", "", "-2147472691", BENT},
    {"date", "", "99999999999", BAD},
    {"date", "", "\"2024-02-29\"", BAD},
    {"date", "\"time\":\"isostring\"", "\"2017-09-15Z\"", "\"2017-09-15\""},
    {"date", "\"time\":\"isostring\"", "\"2017-02-30Z\"", BAD},
    {"time", "", "45296789012", "\"12:34:56.789012\""},
    {"time", "", "86400000000", "\"24:00:00\""},
    {"time", "", "86400000001", BAD},
    {"time", "", "-1", BAD},
    {"time(3)", "\"time\":\"adaptive\"", "45296789", "\"12:34:56.789000\""},
    {"time(4)", "\"time\":\"adaptive\"", "45296789012", "\"12:34:56.789012\""},
    {"time", "\"time\":\"adaptive\"", "45296789012", "\"12:34:56.789012\""},
    {"time(0)", "\"time\":\"adaptive_time_microseconds\"", "45296000000", "\"12:34:56\""},
    {"time", "\"time\":\"connect\"", "45296789", "\"12:34:56.789000\""},
    {"time", "\"time\":\"nanoseconds\"", "45296789012000", "\"12:34:56.789012\""},
    {"time", "\"time\":\"nanoseconds\"", "45296789012345", BAD},
    {"time", "\"time\":\"isostring\"", "\"12:34:56.5Z\"", "\"12:34:56.500000\""},
    {"timestamp", "", "1709210096789012", "\"2024-02-29T12:34:56.789012\""},
    {"timestamp", "", "-1", "\"1969-12-31T23:59:59.999999\""},
    {"timestamp", "", "9223372036825200000", BENT},
    {"timestamp", "", "-9223372036832400000", BENT},
    {"timestamp", "", "-9223372036853775810", BENT}, /* 294276 wrapped */
    {"timestamp", "", "99999999999999999999", BAD},
    {"timestamp", "", "\"2024-01-01T00:00:00\"", BAD},
    {"timestamp(3)", "\"time\":\"adaptive\"", "1709210096789", "\"2024-02-29T12:34:56.789000\""},
    {"timestamp(3)", "\"time\":\"adaptive\"", "9223372036825200", BENT},
    {"timestamp(3)", "\"time\":\"adaptive\"", "-9223372036832400", BENT},
    {"timestamp", "\"time\":\"adaptive\"", "1709210096789012", "\"2024-02-29T12:34:56.789012\""},
    {"timestamp", "\"time\":\"connect\"", "1709210096789", "\"2024-02-29T12:34:56.789000\""},
    {"timestamp", "\"time\":\"isostring\"", "\"2024-02-29T12:34:56.5Z\"",
     "\"2024-02-29T12:34:56.500000\""},
    {"timestamp", "\"time\":\"isostring\"", "\"+294276-12-31T23:59:59Z\"", BENT},
    {"timestamp with time zone", "", "\"2016-11-04T11:51:30.123456Z\"",
     "\"2016-11-04T11:51:30.123456Z\""},
    {"timestamptz", "", "\"2016-11-04T11:51:30Z\"", "\"2016-11-04T11:51:30Z\""},
    {"timestamptz", "", "\"2016-11-04T11:51:30.5+01:00\"", "\"2016-11-04T10:51:30.500000Z\""},
    {"timestamptz", "", "\"-0043-03-15T12:00:00.000000Z\"", "\"-0043-03-15T12:00:00Z\""},
    {"timestamptz", "", "\"+10000-01-01T00:00:00Z\"", "\"+10000-01-01T00:00:00Z\""},
    {"timestamptz", "", "\"+294276-12-31T23:59:59.999999Z\"", BENT},
    {"timestamptz", "", "\"+294276-02-30T23:59:59.999999Z\"", BAD},
    {"timestamptz", "", "\"infinity\"", BENT},
    {"timestamptz", "", "\"-infinity\"", BENT},
    {"timestamptz", "", "1709210096789012", "\"2024-02-29T12:34:56.789012Z\""},
    {"timestamptz", "", "\"2016-11-04T11:51:30\"", BAD},
    {"timestamptz", "", "\"2016-13-04T11:51:30Z\"", BAD},
    {"timestamptz", "", "\"2016-02-30T11:51:30Z\"", BAD},
    {"timestamptz", "", "\"2016-11-04T11:51:30.Z\"", BAD},
    {"interval", "", "\"P1Y2M3DT4H5M6.789S\"", "\"P1Y2M3DT4H5M6.789S\""},
    {"interval", "", "\"P0Y1M-1DT0H0M0.000001S\"", "\"P1M-1DT0.000001S\""},
    {"interval", "", "\"P0Y0M0DT0H0M0S\"", "\"PT0S\""},
    {"interval", "", "\"P-178000000Y0M0DT0H0M0S\"", "\"P-178000000Y\""},
    {"interval", "\"interval\":\"numeric\"", "-86400000000", "\"P-1D\""},
    {"interval", "\"interval\":\"numeric\"", "3723000001", "\"PT1H2M3.000001S\""},
    {"interval", "\"interval\":\"numeric\"", "0", "\"PT0S\""},
    {"interval", "\"interval\":\"numeric\"", "9223372036854775807", BENT},
    {"bit(1)", "", "true", "\"1\""},
    {"bit", "", "false", "\"0\""},
    {"bit(10)", "", "\"qgI=\"", "\"1010101010\""},
    {"bit(10)", "", "\"\"", "\"0000000000\""},
    {"bit(9)", "", "\"qgI=\"", BAD},
    {"bit varying(20)", "", "\"BQ==\"", "\"101\""},
    {"varbit", "", "\"\"", "\"\""},
    {"hstore", "", "\"{\\\"a\\\":\\\"1\\\",\\\"b\\\":null,\\\"c d\\\":\\\"x\\\\\\\"y\\\"}\"",
     "{\"a\":\"1\",\"b\":null,\"c d\":\"x\\\"y\"}"},
    {"hstore", "", "{\"a\":\"1\"}", "{\"a\":\"1\"}"},
    {"hstore", "", "\"{}\"", "{}"},
    {"hstore", "", "\"[1]\"", BAD},
    {"hstore", "", "\"{\\\"a\\\":1}\"", BAD},
    {"hstore", "", "\"{\"", BAD},
    {"point", "", "{\"x\":1.5,\"y\":-2.5,\"wkb\":\"AQ==\",\"srid\":null}",
     "{\"x\":1.5,\"y\":-2.5}"},
    {"point", "", "{\"y\":\"Infinity\",\"x\":1}", "{\"x\":1.0,\"y\":\"Infinity\"}"},
    {"point", "", "{\"x\":1.5}", BAD},
    {"geometry(Point,4326)", "", "{\"wkb\":\"AQI=\",\"srid\":4326}",
     "{\"srid\":4326,\"wkb\":\"\\\\x0102\"}"},
    {"geometry", "", "{\"wkb\":\"AQI=\",\"srid\":null}", "{\"srid\":null,\"wkb\":\"\\\\x0102\"}"},
    {"geometry", "", "{\"srid\":1}", BAD},
    {"vector(3)", "", "[1.0,2.5,-3]", "[1.0,2.5,-3.0]"},
    {"halfvec(2)", "", "[0.5,1]", "[0.5,1.0]"},
    {"sparsevec(5)", "", "{\"dimensions\":5,\"vector\":[[1,0.5],[3,2]]}", "\"{1:0.5,3:2}/5\""},
    {"sparsevec(5)", "", "{\"dimensions\":5,\"vector\":{\"2\":7}}", "\"{2:7}/5\""},
    {"sparsevec(5)", "", "{\"dimensions\":5,\"vector\":[[1]]}", BAD},
    {"integer[]", "", "[1,null,-3]", "[1,null,-3]"},
    {"integer[]", "", "[]", "[]"},
    {"integer[]", "", "[1,\"x\"]", BAD},
    {"integer[]", "", "\"{1}\"", BAD},
    {"text[]", "", "[\"a\",\"\\\"\",null]", "[\"a\",\"\\\"\",null]"},
    {"numeric(10,2)[]", "", "[\"1.10\",null,\"NAN\"]", BENT},
    {"numeric(10,2)[]", "\"decimal\":\"precise\"", "[\"bg==\",null,\"/zg=\"]",
     "[\"1.10\",null,\"-2.00\"]"},
    {"timestamp without time zone[]", "", "[1709210096789012,null]",
     "[\"2024-02-29T12:34:56.789012\",null]"},
    {"double precision[]", "", "[1.5,\"NaN\",null]", "[1.5,\"NaN\",null]"},
    {"bytea[]", "", "[\"/w==\"]", "[\"\\\\xff\"]"},
    {"name", "", "null", "null"},
};

/* Besides its own value each type takes a null, and an absent member reads as one. */
static void check_value(const struct value_case *c)
{
    char json[400], row[1000];
    struct fixture f;
    snprintf(json, sizeof json,
             "{\"name\":\"t\",\"columns\":[{\"name\":\"id\",\"type\":\"int\"},{\"name\":\"v\","
             "\"type\":\"%s\"}],\"primary_key\":[\"id\"],\"encoding\":{%s}}",
             c->type, c->encoding);
    open_with(&f, json, NULL);
    must(read_row(&f, "{\"id\":1,\"v\":null}"));
    must(read_row(&f, "{\"id\":1}"));
    expect_lake(&f, "null", c->type);
    snprintf(row, sizeof row, "{\"id\":1,\"v\":%s}", c->value);
    bool good = read_row(&f, row);
    if (c->lake == BAD) {
        if (good)
            fail_msg("%s takes %s", c->type, c->value);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_non_null(strstr(error.message, "column v ("));
        assert_true(error.remedy[0] != '\0');
        assert_int_equal(f.batch.length, 2);
        assert_int_equal(f.batch.columns[0].length, 2);
        assert_int_equal(f.batch.columns[1].length, 2);
        must(read_row(&f, "{\"id\":3,\"v\":null}")); /* nothing half is left behind */
        assert_int_equal(f.batch.columns[1].length, 3);
    } else {
        if (!good)
            fail_msg("%s: %s", c->type, error.message);
        bool bent = strcmp(c->lake, BENT) == 0;
        assert_int_equal(change_row_bent(f.reader, 1), bent);
        if (!bent)
            expect_lake(&f, c->lake, c->type);
        else if (strchr(c->type, '[') == NULL)
            expect_lake(&f, "null", c->type);
    }
    close_fixture(&f);
}

static void values_become_what_the_lake_holds_or_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++)
        check_value(&value_cases[i]);
}

#define TWO_COLUMNS                                                                                \
    "{\"name\":\"t\",\"columns\":[{\"name\":\"id\",\"type\":\"int\"},{\"name\":\"v\",\"type\":"    \
    "\"%s\"}],\"primary_key\":[\"id\"]}"

static void open_two(struct fixture *f, const char *type, const struct change_row_options *options)
{
    char json[400];
    snprintf(json, sizeof json, TWO_COLUMNS, type);
    open_with(f, json, options);
}

static void bent_values_can_be_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_two(&f, "date", &(struct change_row_options){.refuse_bent = true});
    assert_false(read_row(&f, "{\"id\":1,\"v\":-2147472692}"));
    assert_non_null(strstr(error.message, "no room"));
    assert_int_equal(change_row_bent(f.reader, 1), 0);
    must(read_row(&f, "{\"id\":1,\"v\":1}"));
    close_fixture(&f);
}

static void members_come_in_any_order_and_the_last_double_counts(void **state)
{
    (void)state;
    struct fixture f;
    open_two(&f, "text", NULL);
    must(read_row(&f, "{\"id\":1,\"v\":\"a\"}"));
    must(read_row(&f, "{\"v\":\"b\",\"id\":2}"));
    expect_lake(&f, "\"b\"", "other order");
    must(read_row(&f, " { \"\\u0076\" : \"c\" , \"id\" : 3 } "));
    expect_lake(&f, "\"c\"", "escaped name");
    must(read_row(&f, "{\"v\":\"c\",\"id\":3,\"v\":\"d\"}"));
    expect_lake(&f, "\"d\"", "double");
    assert_false(read_row(&f, "{\"v\":\"c\",\"id\":3,}"));
    assert_false(read_row(&f, "[1]"));
    assert_false(read_row(&f, ""));
    assert_false(read_row(&f, "{\"id\":1}x"));
    assert_int_equal(f.batch.length, 4);
    close_fixture(&f);
}

static void unknown_members_are_counted_or_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct slice name;
    uint64_t count;
    open_two(&f, "text", NULL);
    for (int i = 0; i < 3; i++)
        must(read_row(&f, "{\"id\":1,\"new\":{\"x\":[1]},\"v\":\"a\",\"g\\u00f6\":2}"));
    assert_false(read_row(&f, "{\"id\":1,\"new\":1,\"v\":false}"));
    assert_true(change_row_unknown(f.reader, 0, &name, &count));
    assert_true(slice_is(name, "new"));
    assert_int_equal(count, 3);
    assert_true(change_row_unknown(f.reader, 1, &name, &count));
    assert_true(slice_is(name, "g\xC3\xB6"));
    assert_false(change_row_unknown(f.reader, 2, &name, &count));
    change_row_counters_clear(f.reader);
    assert_false(change_row_unknown(f.reader, 0, &name, &count));
    /* No more than a few hundred names are kept. */
    for (int i = 0; i < 2000; i++) {
        char row[100];
        snprintf(row, sizeof row, "{\"id\":1,\"u%d\":1}", i);
        must(read_row(&f, row));
    }
    uint64_t sum = 0;
    size_t names = 0;
    while (change_row_unknown(f.reader, names, &name, &count)) {
        sum += count;
        names++;
    }
    assert_int_equal(sum, 2000);
    assert_true(names < 300);
    close_fixture(&f);
    open_two(&f, "text", &(struct change_row_options){.refuse_unknown = true});
    assert_false(read_row(&f, "{\"id\":1,\"new\":1}"));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "new"));
    close_fixture(&f);
}

static void a_key_column_must_have_a_value(void **state)
{
    (void)state;
    struct fixture f;
    open_two(&f, "text", NULL);
    assert_false(read_row(&f, "{\"id\":null,\"v\":\"a\"}"));
    assert_non_null(strstr(error.message, "key column without a value"));
    assert_false(read_row(&f, "{\"v\":\"a\"}"));
    close_fixture(&f);
}

/* ---- marks ---- */

struct mark_case {
    const char *type, *value;
    bool is_mark;
};

static void marks_are_known_by_type_and_only_where_they_may_stand(void **state)
{
    (void)state;
#define MARK "__debezium_unavailable_value"
#define MARK_64 "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
#define MARK_BYTES                                                                                 \
    "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,"  \
    "108,117,101]"
    static const struct mark_case cases[] = {
        {"text", "\"" MARK "\"", true},
        {"jsonb", "\"" MARK "\"", true},
        {"numeric", "\"" MARK "\"", true},
        {"numeric(12,2)", "\"" MARK "\"", true},
        {"numeric", "{\"scale\":0,\"value\":\"" MARK_64 "\"}", true},
        {"bytea", "\"" MARK_64 "\"", true},
        {"bytea", "\"" MARK "\"", true},
        {"text", "\"" MARK_64 "\"", false},
        {"text", "\"__debezium_unavailable_valu\\u0065\"", true},
        {"text[]", "[\"" MARK "\"]", true},
        {"text[]", "[\"" MARK "\",\"x\"]", false},
        {"text[]", "[\"" MARK_64 "\"]", false},
        {"bytea[]", "[\"" MARK_64 "\"]", true},
        {"uuid[]", "[\"b68a35a7-17ad-35b3-af2a-ae46edb4545a\"]", true},
        {"text[]", "[\"b68a35a7-17ad-35b3-af2a-ae46edb4545a\"]", false},
        {"integer[]", MARK_BYTES, true},
        {"bigint[]", MARK_BYTES, true},
        {"date[]", MARK_BYTES, true},
        {"integer[]", "[95,95,100]", false},
        {"hstore", "\"{\\\"" MARK "\\\":\\\"" MARK "\\\"}\"", true},
        {"hstore", "{\"" MARK "\":\"" MARK "\"}", true},
        {"hstore", "{\"" MARK "\":\"x\"}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        char row[1000];
        uint8_t gone[2];
        size_t count;
        open_two(&f, cases[i].type, NULL);
        snprintf(row, sizeof row, "{\"id\":1,\"v\":%s}", cases[i].value);
        bool good = change_row_read(f.reader, slice_of(row), (struct slice){0}, true, &f.batch,
                                    gone, &count, &error);
        if (!good || (count == 1) != cases[i].is_mark || gone[1] != cases[i].is_mark || gone[0])
            fail_msg("%s %s: %s", cases[i].type, cases[i].value,
                     good ? "misjudged" : error.message);
        assert_int_equal(column_is_null(&f.batch.columns[1], 0), cases[i].is_mark);
        /* Where none may stand it is data, or not a value of the type. */
        good = read_row(&f, row);
        assert_true(!good || !column_is_null(&f.batch.columns[1], f.batch.length - 1));
        /* A caller that can't use marks is told. */
        if (cases[i].is_mark)
            assert_false(change_row_read(f.reader, slice_of(row), (struct slice){0}, true, &f.batch,
                                         NULL, NULL, &error));
        close_fixture(&f);
    }
}

static void a_placeholder_of_one_s_own_is_known(void **state)
{
    (void)state;
    struct fixture f;
    uint8_t gone[2];
    size_t count;
    open_two(&f, "bytea", &(struct change_row_options){.placeholder = "a\"b"});
    must(change_row_read(f.reader, SLICE_LITERAL("{\"id\":1,\"v\":\"YSJi\"}"), (struct slice){0},
                         true, &f.batch, gone, &count, &error));
    assert_int_equal(count, 1);
    close_fixture(&f);
    open_two(&f, "text", &(struct change_row_options){.placeholder = "a\"b"});
    must(change_row_read(f.reader, SLICE_LITERAL("{\"id\":1,\"v\":\"a\\\"b\"}"), (struct slice){0},
                         true, &f.batch, gone, &count, &error));
    assert_int_equal(count, 1);
    close_fixture(&f);
}

static void marks_stand_in_updates_and_key_changes_only(void **state)
{
    (void)state;
    struct change_table table = {.identity = CHANGE_IDENTITY_DEFAULT};
    struct change change = {.op = 'u'};
    assert_true(change_has_marks(&table, &change));
    change.op = 'c';
    assert_false(change_has_marks(&table, &change));
    change.old_key = SLICE_LITERAL("{}");
    assert_true(change_has_marks(&table, &change));
    table.identity = CHANGE_IDENTITY_FULL;
    assert_false(change_has_marks(&table, &change));
}

/* ---- embedded schemas ---- */

static void a_schema_in_the_event_wins_over_the_file(void **state)
{
    (void)state;
#define ENVELOPE(field)                                                                            \
    "{\"type\":\"struct\",\"fields\":[{\"type\":\"struct\",\"field\":\"before\",\"fields\":[]},"   \
    "{\"type\":\"struct\",\"field\":\"after\",\"fields\":[{\"type\":\"int32\",\"field\":\"id\"}"   \
    "," field "]}]}"
    static const struct {
        const char *type, *schema, *value, *lake;
    } cases[] = {
        {"numeric(12,4)",
         ENVELOPE("{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\","
                  "\"parameters\":{\"scale\":\"2\"},\"field\":\"v\"}"),
         "\"AsY=\"", "\"7.1000\""},
        {"numeric",
         ENVELOPE("{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\","
                  "\"parameters\":{\"scale\":\"2\"},\"field\":\"v\"}"),
         "\"AsY=\"", "\"7.10\""},
        {"text",
         ENVELOPE("{\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\","
                  "\"parameters\":{\"scale\":\"2\"},\"field\":\"v\"}"),
         "\"AsY=\"", "\"7.10\""},
        {"timestamp",
         ENVELOPE("{\"type\":\"int64\",\"name\":\"io.debezium.time.Timestamp\",\"field\":\"v\"}"),
         "1709210096789", "\"2024-02-29T12:34:56.789000\""},
        {"timestamptz",
         ENVELOPE("{\"type\":\"int64\",\"name\":\"io.debezium.time.Timestamp\",\"field\":\"v\"}"),
         "1709210096789", "\"2024-02-29T12:34:56.789000Z\""},
        {"time",
         ENVELOPE("{\"type\":\"int64\",\"name\":\"io.debezium.time.NanoTime\",\"field\":\"v\"}"),
         "45296789012000", "\"12:34:56.789012\""},
        {"date",
         ENVELOPE("{\"type\":\"string\",\"name\":\"io.debezium.time.IsoDate\",\"field\":\"v\"}"),
         "\"2017-09-15Z\"", "\"2017-09-15\""},
        {"bit(12)",
         ENVELOPE("{\"type\":\"bytes\",\"name\":\"io.debezium.data.Bits\",\"parameters\":"
                  "{\"length\":\"10\"},\"field\":\"v\"}"),
         "\"qgI=\"", "\"1010101010\""},
        {"numeric(10,2)[]",
         ENVELOPE("{\"type\":\"array\",\"items\":{\"type\":\"bytes\",\"name\":"
                  "\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"1\"}},"
                  "\"field\":\"v\"}"),
         "[\"bg==\"]", "[\"11.00\"]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        char row[300];
        open_two(&f, cases[i].type, NULL);
        snprintf(row, sizeof row, "{\"id\":1,\"v\":%s}", cases[i].value);
        for (int times = 0; times < 2; times++) {
            must(change_row_read(f.reader, slice_of(row), slice_of(cases[i].schema), false,
                                 &f.batch, NULL, NULL, &error));
            expect_lake(&f, cases[i].lake, cases[i].type);
            must(read_row(&f, "{\"id\":1}")); /* and back to the file's */
        }
        assert_false(change_row_read(f.reader, slice_of(row), SLICE_LITERAL("{\"fields\":{}}"),
                                     false, &f.batch, NULL, NULL, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        close_fixture(&f);
    }
}

/* ---- keys ---- */

#define THREE_KEYS                                                                                 \
    "{\"name\":\"t\",\"columns\":[{\"name\":\"b\",\"type\":\"text\"},{\"name\":\"a\",\"type\":"    \
    "\"%s\"},{\"name\":\"c\",\"type\":\"text\"}],\"primary_key\":[\"a\",\"b\"]}"

static void read_key(struct fixture *f, const char *key, struct buffer *out)
{
    struct change_key typed;
    must(change_key_read(f->reader, slice_of(key), (struct slice){0}, &typed, &error));
    assert_false(typed.is_integer);
    buffer_clear(out);
    must(buffer_append_slice(out, typed.bytes, &error));
}

/* The keys of a list must sort as bytes in the order in which they stand. */
static void check_order(const char *type, const char *const *values, size_t count)
{
    struct fixture f;
    char json[400], key[300];
    struct buffer before = {0}, now = {0};
    snprintf(json, sizeof json, THREE_KEYS, type);
    open_with(&f, json, NULL);
    for (size_t i = 0; i < count; i++) {
        for (int text = 0; text < 3; text++) {
            static const char *const texts[] = {"", "x", "x\\u0000"};
            snprintf(key, sizeof key, "{\"b\":\"%s\",\"a\":%s}", texts[text], values[i]);
            read_key(&f, key, &now);
            if (i + (size_t)text)
                assert_true(slice_compare(buffer_slice(&before), buffer_slice(&now)) < 0);
            buffer_clear(&before);
            must(buffer_append_slice(&before, buffer_slice(&now), &error));
        }
    }
    buffer_destroy(&before);
    buffer_destroy(&now);
    close_fixture(&f);
}

static void key_bytes_sort_as_their_values(void **state)
{
    (void)state;
    static const char *const integers[] = {"-2147483648", "-1", "0", "1", "2147483647"};
    static const char *const longs[] = {"-9223372036854775808", "-256", "-1", "0", "255",
                                        "9223372036854775807"};
    static const char *const decimals[] = {"\"-9999999999.99\"", "\"-0.01\"", "\"0\"", "\"0.01\"",
                                           "\"9999999999.99\""};
    static const char *const doubles[] = {"\"-Infinity\"", "-1.5", "-1e-300",     "-0.0",
                                          "1e-300",        "2",    "\"Infinity\""};
    static const char *const texts[] = {"\"\"",          "\"\\u0000\"", "\"\\u0000a\"",
                                        "\"\\u0001\"",   "\"a\"",       "\"a\\u0000\"",
                                        "\"a\\u0000b\"", "\"ab\"",      "\"\xC3\xA9\""};
    static const char *const booleans[] = {"false", "true"};
    static const char *const uuids[] = {"\"00112233-4455-6677-8899-aabbccddeeff\"",
                                        "\"ff112233-4455-6677-8899-aabbccddeeff\""};
    check_order("int", integers, 5);
    check_order("bigint", longs, 6);
    check_order("numeric(12,2)", decimals, 5);
    check_order("double precision", doubles, 7);
    check_order("real", doubles + 3, 0);
    check_order("text", texts, 9);
    check_order("boolean", booleans, 2);
    check_order("uuid", uuids, 2);
    check_order("date", integers + 1, 3);
    check_order("timestamp", longs + 2, 2);
    check_order("bytea", (const char *const[]){"\"\"", "\"AA==\"", "\"/w==\""}, 3);
}

static void keys_of_rows_and_of_events_are_the_same(void **state)
{
    (void)state;
    struct fixture f;
    char json[400];
    struct buffer from_event = {0};
    struct change_key key;
    snprintf(json, sizeof json, THREE_KEYS, "numeric(12,2)");
    open_with(&f, json, NULL);
    must(read_row(&f, "{\"c\":null,\"b\":\"k\",\"a\":\"1.5\"}"));
    read_key(&f, "{\"a\":\"1.50\",\"b\":\"k\"}", &from_event);
    const struct column *columns[] = {&f.batch.columns[1], &f.batch.columns[0]};
    must(change_key_of_columns(f.reader, columns, 0, &key, &error));
    assert_true(slice_equal(key.bytes, buffer_slice(&from_event)));
    /* Members that are not of the key, other order, wrappers and JSON texts. */
    static const char *const forms[] = {
        "{\"b\":\"k\",\"x\":[1],\"a\":\"1.50\"}",
        "{\"schema\":null,\"payload\":{\"b\":\"k\",\"a\":\"1.50\"}}",
        "\"{\\\"b\\\":\\\"k\\\",\\\"a\\\":\\\"1.50\\\"}\"",
        ("\"{\\\"schema\\\":{\\\"fields\\\":[]},\\\"payload\\\":{\\\"a\\\":\\\"1.5\\\","
         "\\\"b\\\":\\\"k\\\"}}\""),
    };
    struct buffer again = {0};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        read_key(&f, forms[i], &again);
        assert_true(slice_equal(buffer_slice(&again), buffer_slice(&from_event)));
    }
    buffer_destroy(&from_event);
    buffer_destroy(&again);
    close_fixture(&f);
}

static void integer_keys_are_integers(void **state)
{
    (void)state;
    struct fixture f;
    struct change_key key;
    open_two(&f, "text", NULL);
    assert_true(change_key_is_integer(&f.table));
    must(change_key_read(f.reader, SLICE_LITERAL("{\"id\":-7}"), (struct slice){0}, &key, &error));
    assert_true(key.is_integer);
    assert_int_equal(key.integer, -7);
    must(read_row(&f, "{\"id\":-7}"));
    const struct column *column = &f.batch.columns[0];
    must(change_key_of_columns(f.reader, &column, 0, &key, &error));
    assert_int_equal(key.integer, -7);
    close_fixture(&f);
}

static void keys_without_a_value_are_bad_input(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "null",
                                      "{}",
                                      "{\"id\":null}",
                                      "[1]",
                                      "{\"id\":1.5}",
                                      "{\"id\":\"x\"}",
                                      "{\"id\"",
                                      "{\"id\":3000000000}",
                                      "\"{\"",
                                      "5"};
    struct fixture f;
    struct change_key key;
    open_two(&f, "text", NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error_clear(&error);
        if (change_key_read(f.reader, slice_of(bad[i]), (struct slice){0}, &key, &error))
            fail_msg("%s is taken as a key", bad[i]);
        assert_int_equal(error.kind, ERROR_INPUT);
    }
    close_fixture(&f);
    char json[400];
    snprintf(json, sizeof json, THREE_KEYS, "double precision");
    open_with(&f, json, NULL);
    assert_false(change_key_read(f.reader, SLICE_LITERAL("{\"a\":\"NaN\",\"b\":\"x\"}"),
                                 (struct slice){0}, &key, &error));
    close_fixture(&f);
    snprintf(json, sizeof json, THREE_KEYS, "timestamptz");
    open_with(&f, json, NULL);
    assert_false(change_key_read(f.reader, SLICE_LITERAL("{\"a\":\"infinity\",\"b\":\"x\"}"),
                                 (struct slice){0}, &key, &error));
    close_fixture(&f);
}

/* ---- memory ---- */

static void every_failed_allocation_is_an_error(void **state)
{
    (void)state;
#ifdef SURFBOARD_FAULTS
    static const char json[] =
        "{\"name\":\"t\",\"columns\":[{\"name\":\"id\",\"type\":\"text\"},{\"name\":\"v\",\"type\":"
        "\"numeric(10,2)[]\"},{\"name\":\"h\",\"type\":\"hstore\"}],\"primary_key\":[\"id\"]}";
    for (long n = 1;; n++) {
        struct fixture f = {0};
        struct change_key key;
        struct error why = {0};
        memory_fail_after(n);
        bool good = change_table_parse(slice_of(json), "t", &f.table, &why) &&
                    change_table_lake_schema(&f.table, &f.schema, &why) &&
                    batch_init(&f.batch, &f.schema, &why);
        f.reader = good ? change_row_reader_create(&f.table, NULL, &why) : NULL;
        good = f.reader &&
               change_row_read(f.reader,
                               SLICE_LITERAL("{\"id\":\"a\\n\",\"v\":[\"1.5\"],\"u\":1,\"h\":"
                                             "\"{\\\"a\\\":\\\"b\\\"}\"}"),
                               (struct slice){0}, false, &f.batch, NULL, NULL, &why) &&
               change_key_read(f.reader, SLICE_LITERAL("\"{\\\"id\\\":\\\"x\\\"}\""),
                               (struct slice){0}, &key, &why);
        memory_fail_after(0);
        if (!good && why.kind != ERROR_MEMORY)
            fail_msg("allocation %ld: %s", n, why.message);
        change_row_reader_destroy(f.reader);
        batch_destroy(&f.batch);
        schema_destroy(&f.schema);
        change_table_destroy(&f.table);
        if (good) {
            assert_true(n > 20);
            break;
        }
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_what_the_lake_holds_or_are_refused),
        cmocka_unit_test(bent_values_can_be_refused),
        cmocka_unit_test(members_come_in_any_order_and_the_last_double_counts),
        cmocka_unit_test(unknown_members_are_counted_or_refused),
        cmocka_unit_test(a_key_column_must_have_a_value),
        cmocka_unit_test(marks_are_known_by_type_and_only_where_they_may_stand),
        cmocka_unit_test(a_placeholder_of_one_s_own_is_known),
        cmocka_unit_test(marks_stand_in_updates_and_key_changes_only),
        cmocka_unit_test(a_schema_in_the_event_wins_over_the_file),
        cmocka_unit_test(key_bytes_sort_as_their_values),
        cmocka_unit_test(keys_of_rows_and_of_events_are_the_same),
        cmocka_unit_test(integer_keys_are_integers),
        cmocka_unit_test(keys_without_a_value_are_bad_input),
        cmocka_unit_test(every_failed_allocation_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Each form of each type becomes what the lake holds, exactly, or is refused by name: the
 * types in every connector mode. */
#include "tests/unit/row_fixture.h"

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
    {"timestamp", "", "9224318015999999999", BENT}, /* the last of 294276 */
    {"timestamp", "", "9223372036825200000", BENT},
    {"timestamp", "", "-9223372036832400000", BENT},
    {"timestamp", "", "-9223372036853775810", BENT}, /* 294276 wrapped */
    {"timestamp", "", "99999999999999999999", BAD},
    {"timestamp", "", "9224318016000000000", BAD},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_what_the_lake_holds_or_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

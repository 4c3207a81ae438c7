/* Rows and keys of events become columns and normalised keys: the promises of core/change/row.h;
 * the values one by one are in test_change_value.c. */
#include "tests/unit/row_fixture.h"

#include "core/base/memory.h"

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

/* What the scanner reads out of a line, in all the shapes that sinks write: the promises of
 * core/change/event.h. Each test runs with every set of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change/event.h"

static struct error error;
static struct change_scanner *scanner;

#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

static struct change scan(const char *line)
{
    struct change change;
    error_clear(&error);
    must(change_scan_line(scanner, slice_of(line), &change, &error));
    return change;
}

static void refused(const char *line, const char *message)
{
    struct change change;
    error_clear(&error);
    if (change_scan_line(scanner, slice_of(line), &change, &error))
        fail_msg("taken: %s", line);
    assert_int_equal(error.kind, ERROR_INPUT);
    if (strstr(error.message, message) == NULL)
        fail_msg("%s: \"%s\" instead of \"%s\"", line, error.message, message);
}

#define is(slice, text) assert_true(slice_is(slice, text))

static void every_member_is_found(void **state)
{
    (void)state;
    struct change c = scan(
        "{\"key\":{\"id\":1},\"value\":{\"before\":{\"id\":1,\"v\":\"}\"},\"after\":{\"id\":1},"
        "\"source\":{\"version\":\"3\",\"snapshot\":\"first\",\"sequence\":"
        "\"[\\\"12\\\",\\\"34\\\"]\",\"schema\":\"sales dept\",\"table\":\"a \\\"b\\\"\","
        "\"txId\":5,\"lsn\":34,\"ts_ms\":7,\"ts_us\":7001,\"xmin\":null},\"transaction\":"
        "{\"id\":\"5:34\",\"total_order\":3,\"data_collection_order\":2},\"op\":\"u\","
        "\"ts_ms\":9,\"ts_us\":9001,\"ts_ns\":9001002},\"offset\":42,\"timestamp\":"
        "\"2026-01-01T00:00:00.082Z\",\"headers\":[{\"key\":\"__debezium.oldkey\",\"value\":"
        "{\"id\":0}},{\"value\":\"run-1\",\"key\":\"__debezium.context.runId\"},{\"key\":"
        "\"__debezium.newkey\",\"value\":{\"id\":2}},{\"key\":\"__surfboard.position\","
        "\"value\":[10,2]},{\"key\":\"else\",\"value\":7}]}\r");
    int64_t ms;
    assert_int_equal(c.offset, 42);
    assert_int_equal(c.op, 'u');
    is(c.key, "{\"id\":1}");
    is(c.before, "{\"id\":1,\"v\":\"}\"}");
    is(c.after, "{\"id\":1}");
    is(c.source_schema, "sales dept");
    is(c.source_table, "a \"b\"");
    is(c.transaction_id, "5:34");
    is(c.old_key, "{\"id\":0}");
    is(c.new_key, "{\"id\":2}");
    is(c.run_id, "\"run-1\"");
    is(c.capture_position, "[10,2]");
    assert_int_equal(c.snapshot, CHANGE_SNAPSHOT_FIRST);
    assert_true(c.has_position);
    assert_int_equal(c.position.seq0, 12);
    assert_int_equal(c.position.seq1, 34);
    assert_int_equal(c.position.total_order, 3);
    assert_int_equal(c.lsn, 34);
    assert_int_equal(c.tx_id, 5);
    assert_int_equal(c.ts_us, 7001);
    assert_true(change_timestamp_ms(&c, &ms));
    assert_int_equal(ms, 1767225600082);
}

static void members_come_in_any_order(void **state)
{
    (void)state;
    const char *parts[] = {"\"offset\":3",
                           "\"value\":{\"after\":{\"a\":1},\"op\":\"c\"}",
                           "\"key\":{\"a\":1}",
                           "\"headers\":{\"__debezium.newkey\":{\"a\":2}}",
                           "\"timestamp\":1700000000123",
                           "\"topic\":[{\"x\":{}}]"};
    /* All rotations, both directions; what was learnt of one misleads the next. */
    for (int turn = 0; turn < 24; turn++) {
        char line[500] = "{";
        for (int i = 0; i < 6; i++) {
            int at = turn % 2 ? (turn + i) % 6 : (turn + 6 - i) % 6;
            strcat(line, i ? " , " : "");
            strcat(line, parts[at]);
        }
        strcat(line, "}");
        struct change c = scan(line);
        int64_t ms;
        assert_int_equal(c.offset, 3);
        assert_int_equal(c.op, 'c');
        is(c.key, "{\"a\":1}");
        is(c.after, "{\"a\":1}");
        is(c.new_key, "{\"a\":2}");
        assert_true(change_timestamp_ms(&c, &ms));
        assert_int_equal(ms, 1700000000123);
        assert_int_equal(c.position.total_order, -1);
        assert_false(c.has_position);
    }
}

static void the_last_of_doubles_counts_and_forgets_the_others(void **state)
{
    (void)state;
    struct change c = scan("{\"offset\":1,\"offset\":2,\"value\":{\"op\":\"c\",\"after\":{},"
                           "\"source\":{\"lsn\":5,\"table\":\"t\"},\"transaction\":{\"id\":\"1:2\","
                           "\"total_order\":1}},\"value\":{\"op\":\"d\",\"op\":\"t\"}}");
    assert_int_equal(c.offset, 2);
    assert_int_equal(c.op, 't');
    assert_null(c.after.data);
    assert_null(c.source_table.data);
    assert_null(c.transaction_id.data);
    assert_int_equal(c.lsn, 0);
    assert_false(c.has_position);
    c = scan("{\"offset\":1,\"value\":{\"op\":\"c\",\"after\":{}},\"value\":null}");
    assert_int_equal(c.op, CHANGE_TOMBSTONE);
    c = scan(
        "{\"offset\":1,\"value\":null,\"value\":{\"op\":\"c\",\"after\":{},\"source\":{\"lsn\":1},"
        "\"source\":{\"lsn\":null}}}");
    assert_int_equal(c.op, 'c');
    assert_false(c.has_position);
}

static void json_texts_in_strings_and_schemas_are_taken_off(void **state)
{
    (void)state;
    struct change c =
        scan("{\"offset\":1,\"key\":\"{\\\"schema\\\":{\\\"type\\\":\\\"struct\\\"},"
             "\\\"payload\\\":{\\\"id\\\":1}}\",\"value\":\"{\\\"payload\\\":{"
             "\\\"op\\\":\\\"c\\\",\\\"after\\\":{\\\"v\\\":\\\"a\\\\n\\\\u00e9\\\"}},"
             "\\\"schema\\\":{\\\"fields\\\":[]}}\"}");
    is(c.key, "{\"id\":1}");
    is(c.key_schema, "{\"type\":\"struct\"}");
    is(c.after, "{\"v\":\"a\\n\\u00e9\"}");
    is(c.value_schema, "{\"fields\":[]}");
    assert_int_equal(c.op, 'c');
    c = scan("{\"offset\":1,\"key\":{\"payload\":{\"id\":1},\"schema\":null},\"value\":{\"schema\":"
             "{},\"payload\":null}}");
    is(c.key, "{\"id\":1}");
    assert_null(c.key_schema.data);
    assert_int_equal(c.op, CHANGE_TOMBSTONE);
    c = scan("{\"offset\":1,\"key\":\"null\",\"value\":\"null\"}");
    assert_null(c.key.data);
    assert_int_equal(c.op, CHANGE_TOMBSTONE);
    /* Columns of a key may be called schema and payload. */
    c = scan("{\"offset\":1,\"key\":{\"schema\":\"public\",\"payload\":5},\"value\":null}");
    is(c.key, "{\"schema\":\"public\",\"payload\":5}");
    c = scan("{\"offset\":1,\"key\":{\"schema\":{},\"payload\":{},\"x\":1},\"value\":null}");
    is(c.key, "{\"schema\":{},\"payload\":{},\"x\":1}");
    refused("{\"offset\":1,\"value\":\"{\\\"op\\\":}\"}", "in the JSON text of value");
    refused("{\"offset\":1,\"key\":\"x\",\"value\":null}", "in the JSON text of key");
    refused("{\"offset\":1,\"value\":\"\\\"again\\\"\"}", "in the JSON text of value");
    refused("{\"offset\":1,\"value\":{\"schema\":{},\"payload\":{\"payload\":{}}}}", "payload");
}

static void records_without_an_op_are_told_apart(void **state)
{
    (void)state;
    struct change c = scan("{\"offset\":1,\"value\":{\"ts_ms\":5}}");
    assert_int_equal(c.op, CHANGE_HEARTBEAT);
    c = scan("{\"offset\":1,\"value\":{\"status\":\"BEGIN\",\"id\":\"7:9\",\"event_count\":null,"
             "\"data_collections\":null,\"ts_ms\":1}}");
    assert_int_equal(c.op, CHANGE_TRANSACTION);
    assert_false(c.transaction_end);
    assert_int_equal(c.event_count, -1);
    c = scan("{\"offset\":1,\"value\":{\"status\":\"END\",\"id\":\"7:9\",\"event_count\":2,"
             "\"data_collections\":[{\"data_collection\":\"s.t\",\"event_count\":2}]}}");
    assert_true(c.transaction_end);
    assert_int_equal(c.event_count, 2);
    is(c.data_collections, "[{\"data_collection\":\"s.t\",\"event_count\":2}]");
    uint64_t lsn;
    is(change_transaction_key(c.transaction_id, &lsn), "7");
    assert_int_equal(lsn, 9);
    refused("{\"offset\":1,\"value\":{\"id\":1,\"name\":\"x\"}}", "id is not a text");
    refused("{\"offset\":1,\"value\":{\"name\":\"x\"}}", "no op");
    refused("{\"offset\":1,\"value\":{}}", "no op");
    assert_true(error.remedy[0] != '\0');
}

static void snapshot_marks_are_known(void **state)
{
    (void)state;
    static const char *const marks[] = {"null",
                                        "\"true\"",
                                        "\"first\"",
                                        "\"first_in_data_collection\"",
                                        "\"last_in_data_collection\"",
                                        "\"last\"",
                                        "\"incremental\""};
    for (int i = 0; i < 7; i++) {
        char line[200];
        snprintf(
            line, sizeof line,
            "{\"offset\":1,\"value\":{\"op\":\"r\",\"after\":{},\"source\":{\"snapshot\":%s}}}",
            marks[i]);
        assert_int_equal(scan(line).snapshot, i);
    }
    assert_int_equal(
        scan("{\"offset\":1,\"value\":{\"op\":\"t\",\"source\":{\"snapshot\":\"false\"}}}")
            .snapshot,
        CHANGE_SNAPSHOT_NO);
    refused("{\"offset\":1,\"value\":{\"op\":\"t\",\"source\":{\"snapshot\":\"maybe\"}}}",
            "snapshot");
}

static void positions_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        uint64_t seq0, seq1;
        bool there;
    } cases[] = {
        {"{\"sequence\":\"[null,\\\"57\\\"]\",\"lsn\":58}", 0, 57, true},
        {"{\"lsn\":58,\"sequence\":[\"56\",\"57\"]}", 56, 57, true},
        {"{\"sequence\":\"[56, 57]\"}", 56, 57, true},
        {"{\"sequence\":null,\"lsn\":58}", 0, 58, true},
        {"{\"lsn\":58}", 0, 58, true},
        {"{\"lsn\":null}", 0, 0, false},
        {"null", 0, 0, false},
        {"{}", 0, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[200];
        snprintf(line, sizeof line, "{\"offset\":1,\"value\":{\"op\":\"t\",\"source\":%s}}",
                 cases[i].source);
        struct change c = scan(line);
        assert_int_equal(c.position.seq0, cases[i].seq0);
        assert_int_equal(c.position.seq1, cases[i].seq1);
        assert_int_equal(c.has_position, cases[i].there);
    }
    refused("{\"offset\":1,\"value\":{\"op\":\"t\",\"source\":{\"sequence\":\"[1]\"}}}",
            "sequence");
    refused("{\"offset\":1,\"value\":{\"op\":\"t\",\"source\":{\"sequence\":\"[1,2\"}}}",
            "sequence");
    refused("{\"offset\":1,\"value\":{\"op\":\"t\",\"source\":{\"sequence\":5}}}", "sequence");
}

static void positions_compare_as_designed(void **state)
{
    (void)state;
    static const struct {
        struct change_position a, b;
        int order;
        bool exact;
    } cases[] = {
        {{1, 9, 9}, {2, 1, 1}, -1, true},  {{2, 1, 1}, {2, 2, 0}, -1, true},
        {{2, 2, 3}, {2, 2, 1}, 1, true},   {{2, 2, 3}, {2, 2, 3}, 0, true},
        {{2, 2, -1}, {2, 2, 3}, 0, false}, {{2, 2, -1}, {2, 2, -1}, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool exact;
        assert_int_equal(change_position_compare(&cases[i].a, &cases[i].b, &exact), cases[i].order);
        assert_int_equal(exact, cases[i].exact);
        assert_int_equal(change_position_compare(&cases[i].b, &cases[i].a, NULL), -cases[i].order);
    }
}

static void what_a_record_must_have_is_asked_for(void **state)
{
    (void)state;
    refused("{\"value\":null}", "no offset");
    refused("{\"offset\":null,\"value\":null}", "offset is negative or null");
    refused("{\"offset\":-1,\"value\":null}", "offset is negative or null");
    refused("{\"offset\":\"1\",\"value\":null}", "offset is not an integer");
    refused("{\"offset\":1.0,\"value\":null}", "offset is not an integer");
    refused("{\"offset\":9223372036854775808,\"value\":null}", "offset is not an integer");
    refused("{\"offset\":1}", "no value");
    refused("{\"offset\":1,\"value\":5}", "value is neither");
    refused("{\"offset\":1,\"value\":null,\"key\":5}", "key is neither");
    refused("{\"offset\":1,\"value\":{\"op\":\"c\"}}", "without after");
    refused("{\"offset\":1,\"value\":{\"op\":\"u\",\"after\":null}}", "without after");
    refused("{\"offset\":1,\"value\":{\"op\":\"x\"}}", "op is none of");
    refused("{\"offset\":1,\"value\":{\"op\":\"cu\"}}", "op is none of");
    refused("{\"offset\":1,\"value\":{\"op\":\"c\",\"after\":[]}}", "after is not an object");
    refused("{\"offset\":1,\"value\":null,\"headers\":5}", "headers are neither");
    refused("{\"offset\":1,\"value\":null,\"headers\":[5]}", "a header is not an object");
    refused("{\"offset\":1,\"value\":null,\"timestamp\":[]}", "timestamp");
    refused("[]", "not a JSON object");
    refused("{\"offset\":1,\"value\":null}{}", "text behind the end");
    refused("\xEF\xBB\xBF{\"offset\":1,\"value\":null}", "not a JSON object");
    assert_int_equal(scan("{\"offset\":0,\"value\":{\"op\":\"m\"}}").op, 'm');
    assert_int_equal(scan("{\"offset\":0,\"value\":{\"op\":\"d\",\"before\":null}}").op, 'd');
}

/* The list of headers is remembered byte for byte: a longer one, a shorter one, another one. */
static void remembered_headers_are_not_mixed_up(void **state)
{
    (void)state;
    const char *one = "{\"headers\":[{\"key\":\"__debezium.context.runId\",\"value\":\"a\"}],"
                      "\"offset\":1,\"value\":null}";
    const char *two =
        "{\"headers\":[{\"key\":\"__debezium.context.runId\",\"value\":\"a\"},{\"key\":"
        "\"__debezium.oldkey\",\"value\":{\"id\":1}}],\"offset\":1,\"value\":null}";
    const char *none = "{\"headers\":[],\"offset\":1,\"value\":null}";
    for (int i = 0; i < 3; i++) {
        struct change c = scan(one);
        is(c.run_id, "\"a\"");
        assert_null(c.old_key.data);
        char *copy = strdup(two); /* slices must lie in this line, not in an earlier one */
        c = scan(copy);
        is(c.old_key, "{\"id\":1}");
        assert_true(c.old_key.data > copy && c.old_key.data < copy + strlen(copy));
        c = scan(copy);
        assert_true(c.run_id.data > copy && c.run_id.data < copy + strlen(copy));
        free(copy);
        c = scan(none);
        assert_null(c.run_id.data);
        c = scan("{\"offset\":1,\"value\":null,\"headers\":null}");
        assert_null(c.run_id.data);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char line[4 * CHANGE_DEPTH + 200];
    for (int depth = CHANGE_DEPTH - 5; depth < CHANGE_DEPTH + 5; depth++) {
        int n = sprintf(line, "{\"offset\":1,\"value\":null,\"x\":");
        memset(line + n, '[', (size_t)depth);
        memset(line + n + depth, ']', (size_t)depth);
        strcpy(line + n + 2 * depth, "}");
        if (depth + 1 <= CHANGE_DEPTH)
            scan(line);
        else
            refused(line, "nested too deep");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_found),
        cmocka_unit_test(members_come_in_any_order),
        cmocka_unit_test(the_last_of_doubles_counts_and_forgets_the_others),
        cmocka_unit_test(json_texts_in_strings_and_schemas_are_taken_off),
        cmocka_unit_test(records_without_an_op_are_told_apart),
        cmocka_unit_test(snapshot_marks_are_known),
        cmocka_unit_test(positions_are_read_in_every_form),
        cmocka_unit_test(positions_compare_as_designed),
        cmocka_unit_test(what_a_record_must_have_is_asked_for),
        cmocka_unit_test(remembered_headers_are_not_mixed_up),
        cmocka_unit_test(depth_is_bounded),
    };
    int failed = 0;
    for (int lanes = CHANGE_LANES_PORTABLE; lanes <= CHANGE_LANES_AVX2; lanes++) {
        scanner = change_scanner_create_with((enum change_lanes)lanes, &error);
        if (scanner == NULL) {
            printf("lanes %d: %s\n", lanes, error.message);
            continue;
        }
        failed += cmocka_run_group_tests(tests, NULL, NULL);
        change_scanner_destroy(scanner);
    }
    return failed;
}

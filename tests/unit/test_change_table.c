/* Schema files are read or refused by name, and give the lake's schema: the promises of
 * core/change/table.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/change/table.h"

static struct error error;

static void parse(const char *json, struct change_table *table)
{
    error_clear(&error);
    if (!change_table_parse(slice_of(json), "orders.json", table, &error))
        fail_msg("%s", error.message);
}

static void refused(const char *json, const char *message)
{
    struct change_table table;
    error_clear(&error);
    if (change_table_parse(slice_of(json), "orders.json", &table, &error))
        fail_msg("taken: %s", json);
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_true(slice_starts_with(slice_of(error.message), slice_of("orders.json: ")));
    if (strstr(error.message, message) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", error.message, message);
    change_table_destroy(&table);
}

#define ONE(type) "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"" type "\"}]}"

static void a_schema_file_is_read(void **state)
{
    (void)state;
    struct change_table t;
    parse(
        "{\"name\":\"orders\",\"source_schema\":\"public\",\"columns\":[{\"name\":\"id\",\"type\":"
        "\"bigint\",\"nullable\":false},{\"name\":\"total\",\"type\":\"NUMERIC(12, 2)\"},{\"name\":"
        "\"tags\",\"type\":\"text[]\"},{\"name\":\"h\",\"type\":\"public.hstore\"}],\"primary_"
        "key\":"
        "[\"total\",\"id\"],\"replica_identity\":\"full\",\"encoding\":{\"decimal\":\"precise\","
        "\"time\":\"adaptive\",\"interval\":\"numeric\"},\"comment\":[1]}",
        &t);
    assert_string_equal(t.name, "orders");
    assert_string_equal(t.source_schema, "public");
    assert_int_equal(t.column_count, 4);
    assert_int_equal(t.key_count, 2);
    assert_int_equal(t.key_columns[0], 1);
    assert_int_equal(t.columns[0].key_ordinal, 1);
    assert_int_equal(t.columns[2].key_ordinal, -1);
    assert_false(t.columns[0].nullable);
    assert_true(t.columns[1].nullable);
    assert_int_equal(t.identity, CHANGE_IDENTITY_FULL);
    assert_int_equal(t.encoding.decimal, CHANGE_DECIMAL_PRECISE);
    assert_int_equal(t.encoding.binary, CHANGE_BINARY_BASE64);
    assert_int_equal(t.columns[1].type.precision, 12);
    assert_int_equal(change_table_column(&t, slice_of("h")), 3);
    assert_int_equal(change_table_column(&t, slice_of("H")), 4);
    struct schema schema;
    assert_true(change_table_lake_schema(&t, &schema, &error));
    assert_int_equal(schema.field_count, 5);
    assert_string_equal(schema.fields[4].name, "ds_surf_batch_id");
    assert_int_equal(schema.fields[4].type.kind, TYPE_INT);
    for (int i = 0; i < 5; i++)
        assert_int_equal(schema.fields[i].id, i + 1);
    assert_true(schema.fields[0].required && schema.fields[1].required);
    assert_false(schema.fields[2].required || schema.fields[4].required);
    assert_int_equal(schema.fields[2].type.fields[0].id, 6);
    assert_int_equal(schema.fields[3].type.fields[0].id, 7);
    assert_true(schema.fields[3].type.fields[0].required);
    assert_int_equal(schema.fields[3].type.fields[1].id, 8);
    assert_int_equal(schema.identifier_count, 2);
    assert_int_equal(schema.identifier_ids[0], 2);
    schema_destroy(&schema);
    change_table_destroy(&t);
}

static void floats_are_keys_but_no_identifiers(void **state)
{
    (void)state;
    struct change_table t;
    struct schema schema;
    parse(
        "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"real\"}],\"primary_key\":[\"a\"]}",
        &t);
    assert_true(change_table_lake_schema(&t, &schema, &error));
    assert_true(schema.fields[0].required);
    assert_int_equal(schema.identifier_count, 0);
    schema_destroy(&schema);
    change_table_destroy(&t);
}

static void every_type_has_its_place_in_the_lake(void **state)
{
    (void)state;
    static const struct {
        const char *type, *lake;
    } cases[] = {
        {"boolean", "boolean"},
        {"int2", "int"},
        {"serial", "int"},
        {"integer", "int"},
        {"bigserial", "long"},
        {"oid", "long"},
        {"real", "float"},
        {"float8", "double"},
        {"double precision", "double"},
        {"numeric(12,2)", "decimal(12, 2)"},
        {"decimal(38)", "decimal(38, 0)"},
        {"numeric(39,2)", "string"},
        {"numeric", "string"},
        {"numeric(5,-2)", "string"},
        {"numeric(2,4)", "string"},
        {"money", "decimal(19, 2)"},
        {"text", "string"},
        {"character varying(40)", "string"},
        {"varchar", "string"},
        {"character(8)", "string"},
        {"bpchar", "string"},
        {"citext", "string"},
        {"enum", "string"},
        {"json", "string"},
        {"jsonb", "string"},
        {"xml", "string"},
        {"inet", "string"},
        {"cidr", "string"},
        {"macaddr8", "string"},
        {"int4range", "string"},
        {"tstzrange", "string"},
        {"time with time zone", "string"},
        {"timetz", "string"},
        {"time(3) with time zone", "string"},
        {"interval", "string"},
        {"interval day to second(3)", "string"},
        {"name", "string"},
        {"bytea", "binary"},
        {"uuid", "uuid"},
        {"date", "date"},
        {"time", "time"},
        {"time(0) without time zone", "time"},
        {"timestamp", "timestamp"},
        {"timestamp(3) without time zone", "timestamp"},
        {"timestamptz", "timestamptz"},
        {"timestamp(3) with time zone", "timestamptz"},
        {"bit(1)", "string"},
        {"bit", "string"},
        {"bit varying(20)", "string"},
        {"hstore", "map<string, string>"},
        {"integer[]", "list<int>"},
        {"numeric(10,2)[]", "list<decimal(10, 2)>"},
        {"timestamp without time zone[]", "list<timestamp>"},
        {"vector(3)", "list<double>"},
        {"halfvec", "list<float>"},
        {"sparsevec(5)", "string"},
        {"text[3]", "list<string>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct buffer text = {0};
        struct type type;
        if (!change_type_of(cases[i].type, &type, &arena, &error))
            fail_msg("%s: %s", cases[i].type, error.message);
        assert_true(type_print(&type, &text, &error));
        if (!slice_is(buffer_slice(&text), cases[i].lake))
            fail_msg("%s: %.*s instead of %s", cases[i].type, SLICE_ARG(buffer_slice(&text)),
                     cases[i].lake);
        buffer_destroy(&text);
        arena_destroy(&arena);
    }
}

static void what_is_wrong_with_a_schema_file_is_said(void **state)
{
    (void)state;
    refused("", "line 1");
    refused("{\"name\":\"t\",\n\"columns\":[}", "line 2");
    refused("{\"name\":\"t\",\"name\":\"u\"}", "uplicate");
    refused("[]", "not an object");
    refused("{\"columns\":[]}", "name is missing");
    refused("{\"name\":5,\"columns\":[]}", "name is not a text");
    refused("{\"name\":\"t\"}", "columns is not a list");
    refused("{\"name\":\"t\",\"columns\":[]}", "columns is not a list");
    refused("{\"name\":\"t\",\"columns\":[5]}", "columns[0] has no name");
    refused("{\"name\":\"t\",\"columns\":[{\"name\":\"a\"}]}", "column a has no type");
    refused("{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\",\"nullable\":1}]}",
            "nullable");
    refused(
        "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"a\",\"type\":"
        "\"int\"}]}",
        "column a stands there twice");
    refused("{\"name\":\"t\",\"columns\":[{\"name\":\"ds_surf_batch_id\",\"type\":\"int\"}]}",
            "ds_surf_batch_id");
    refused(ONE("mood"), "column a: type mood is not known");
    assert_true(error.remedy[0] != '\0');
    refused(ONE("integer[][]"), "more than one dimension");
    refused(ONE("numeric(12,2"), "not known");
    refused(ONE(""), "not known");
    refused(ONE("box"), "leaves columns of this type out");
    refused(ONE("money[]"), "leaves columns of this type out");
    refused(ONE("name[]"), "leaves columns of this type out");
    refused(
        "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"}],\"primary_key\":[\"b\"]}",
        "there is no column b");
    refused(
        "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"}],\"primary_key\":[\"a\","
        "\"a\"]}",
        "stands there twice");
    refused("{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int[]\"}],\"primary_key\":["
            "\"a\"]}",
            "can't be part of a key");
    refused(
        "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"}],\"primary_key\":\"a\"}",
        "primary_key is not a list");
    refused("{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"}],\"replica_identity\":"
            "\"none\"}",
            "replica_identity: \"none\" is not known");
    assert_non_null(strstr(error.remedy, "nothing"));
    refused("{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"}],\"encoding\":{"
            "\"time\":\"x\"}}",
            "encoding: time");
}

static void a_table_without_key_is_refused_with_a_remedy(void **state)
{
    (void)state;
    struct change_table t;
    parse(ONE("int"), &t);
    assert_false(change_table_require_key(&t, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.remedy, "message.key.columns"));
    change_table_destroy(&t);
}

static void a_key_can_be_learnt_from_an_event(void **state)
{
    (void)state;
    struct change_table t;
    const char *file =
        "{\"name\":\"t\",\"columns\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\","
        "\"type\":\"text\"},{\"name\":\"c\",\"type\":\"text[]\"}],\"primary_key\":[],"
        "\"replica_identity\":\"index\"}";
    parse(file, &t);
    assert_true(change_table_adopt_key(&t, slice_of("{\"\\u0062\":\"x\",\"a\":1}"), &error));
    assert_int_equal(t.key_count, 2);
    assert_int_equal(t.key_columns[0], 0); /* in the order of the columns */
    assert_int_equal(t.key_columns[1], 1);
    assert_int_equal(t.columns[1].key_ordinal, 1);
    change_table_destroy(&t);
    static const char *const bad[] = {"",           "[]",       "{\"x\":1}",
                                      "{\"c\":[]}", "{\"a\":1", "{\"a\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        parse(file, &t);
        if (change_table_adopt_key(&t, slice_of(bad[i]), &error))
            fail_msg("taken: %s", bad[i]);
        assert_true(error.message[0] != '\0');
        change_table_destroy(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schema_file_is_read),
        cmocka_unit_test(floats_are_keys_but_no_identifiers),
        cmocka_unit_test(every_type_has_its_place_in_the_lake),
        cmocka_unit_test(what_is_wrong_with_a_schema_file_is_said),
        cmocka_unit_test(a_table_without_key_is_refused_with_a_remedy),
        cmocka_unit_test(a_key_can_be_learnt_from_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

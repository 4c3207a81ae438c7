/* The promises of core/query: predicates mean what SQL says, only reading statements reach
 * Postgres, values keep their digits, and a terminal never obeys the data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "core/base/neutral.h"
#include "core/net/pg.h"
#include "core/query/engine.h"
#include "core/query/guard.h"
#include "core/query/output.h"
#include "core/query/select.h"
#include "core/query/value.h"
#include "tests/unit/pg_cluster.h"

static struct field fields[] = {
    {.id = 1, .name = "id", .type = {.kind = TYPE_LONG}},
    {.id = 2, .name = "Name", .type = {.kind = TYPE_STRING}},
    {.id = 3, .name = "paid", .type = {.kind = TYPE_BOOLEAN}},
    {.id = 4, .name = "day", .type = {.kind = TYPE_DATE}},
    {.id = 5, .name = "raw", .type = {.kind = TYPE_BINARY}},
    {.id = 6, .name = "date", .type = {.kind = TYPE_STRING}},
    {.id = 7, .name = "NAME", .type = {.kind = TYPE_STRING}},
    {.id = 8, .name = "not", .type = {.kind = TYPE_LONG}},
};
static const struct schema schema = {.fields = fields, .field_count = 8};

/* Three rows: (1, 'one', true, 2024-02-29), (2, 'two', false, 1969-12-31), (3, nulls). */
static void make_rows(struct batch *batch)
{
    assert_true(batch_init(batch, &schema, NULL));
    for (int64_t id = 1; id <= 3; id++) {
        assert_true(column_append_bytes(&batch->columns[0], slice_make(&id, 8), NULL));
        for (size_t i = 1; i < batch->column_count; i++) {
            uint8_t truth = id == 1;
            int32_t day = id == 1 ? 19782 : -1;
            const char *name = id == 1 ? "one" : "two";
            struct column *column = &batch->columns[i];
            bool ok = id == 3  ? column_append_null(column, NULL)
                      : i == 2 ? column_append_bytes(column, slice_make(&truth, 1), NULL)
                      : i == 3 ? column_append_bytes(column, slice_make(&day, 4), NULL)
                      : fields[i].type.kind == TYPE_LONG
                          ? column_append_bytes(column, slice_make(&id, 8), NULL)
                          : column_append_bytes(column, slice_of(name), NULL);
            assert_true(ok);
        }
        batch->length++;
    }
}

static void predicates_mean_what_sql_says(void **state)
{
    (void)state;
    static const struct {
        const char *where, *rows; /* "x" = usage error, else the ids of rows for which it is true */
    } cases[] = {
        {"id = 1", "1"},
        {"ID > 1", "23"},
        {"2 > id", "1"},
        {"2 <= id", "23"},
        {"id <> 2 and id != 3", "1"},
        {"id = 1 or id = 2 and id = 3", "1"},
        {"(id = 1 or id = 2) and id = 2", "2"},
        {"not id = 1", "23"},
        {"not not id = 1", "1"},
        {"id between 2 and 3", "23"},
        {"id not between 2 and 3", "1"},
        {"id in (1, 3, 99999999999999999999)", "13"},
        {"id not in (1, null)", ""},
        {"\"Name\" = 'one'", "1"},
        {"\"Name\" <> 'one'", "2"},
        {"\"Name\" is null", "3"},
        {"\"Name\" is not null", "12"},
        {"\"Name\" like '_n%'", "1"},
        {"\"Name\" not like '%o'", "1"},
        {"\"Name\" like 'o!ne' escape '!'", "1"},
        {"name = 'one'", "x"}, /* Name or NAME? */
        {"paid", "1"},
        {"not paid", "2"},
        {"paid = false or id = 3", "23"},
        {"day = date '2024-02-29'", "1"},
        {"day < '1970-01-01'", "2"},
        {"date = 'one'", "1"},
        {"\"date\" = 'one'", "1"},
        {"raw = X'6f6E65'", "1"},
        {"raw = '\\x6f6e65'", "1"},
        {"id = -1 or id = +1", "1"},
        {"id = 1e0", "1"},
        {"id = null", ""},
        {"not (id = null)", ""},
        {"\"not\" = 2", "2"},
        {"id = 1 -- a comment", "1"},
        {"/* a /* nested */ one */ id = 1", "1"},
        {"\"Name\" = E'o\\ne'", ""},
        {"\"Name\" = $q$one$q$", "1"},
        {"", "x"},
        {"id", "x"},
        {"id =", "x"},
        {"id = 1 id = 2", "x"},
        {"id = 'one'", "x"},
        {"(id = 1", "x"},
        {"id = 1)", "x"},
        {"id in ()", "x"},
        {"id between 1", "x"},
        {"id like 1", "x"},
        {"idd = 1", "x"},
        {"id = id", "x"},
        {"\"Name\" = 'one", "x"},
        {"\"id = 1", "x"},
        {"/* id = 1", "x"},
        {"id = \x01", "x"},
        {"id not = 1", "x"},
        {"day = 'today'", "x"},
    };
    struct batch batch;
    make_rows(&batch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct expression_builder builder = {.schema = &schema, .arena = &arena};
        struct error error = {0};
        char rows[4] = "x";
        const struct expression *where = where_parse(slice_of(cases[i].where), &builder, &error);
        if (where) {
            uint8_t truth[3];
            size_t count = 0;
            assert_true(expression_evaluate(where, &batch, truth, NULL));
            for (size_t row = 0; row < 3; row++) {
                if (truth[row] == EXPRESSION_TRUE)
                    rows[count++] = (char)('1' + row);
            }
            rows[count] = '\0';
        } else {
            assert_true(error.kind == ERROR_USAGE || error.kind == ERROR_NOT_FOUND);
            assert_true(error.message[0]);
        }
        if (strcmp(rows, cases[i].rows) != 0)
            fail_msg("%s: rows \"%s\", not \"%s\": %s", cases[i].where, rows, cases[i].rows,
                     error.message);
        expression_builder_destroy(&builder);
        arena_destroy(&arena);
    }
    batch_destroy(&batch);
}

static void statements_of_the_scan_are_read_whole_or_refused(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct select select;
    assert_true(select_parse(
        SLICE_LITERAL("SELECT a, \"B c\" FROM n.\"T\" WHERE x = ';' AND y < 3 LIMIT 7;"), &arena,
        &select, NULL));
    assert_int_equal(select.column_count, 2);
    assert_string_equal(select.columns[1], "B c");
    assert_string_equal(select.table, "n.T");
    assert_true(slice_starts_with(select.where, SLICE_LITERAL("x = ';' AND y < 3")));
    assert_int_equal(select.limit, 7);
    assert_true(select_parse(SLICE_LITERAL("select count(*) from t"), &arena, &select, NULL));
    assert_true(select.count && select.limit == -1 && select.where.length == 0);
    assert_true(select_parse(SLICE_LITERAL("select count from t"), &arena, &select, NULL));
    assert_false(select.count);
    static const char *const bad[] = {"",
                                      "select",
                                      "select * from",
                                      "select * from t where",
                                      "select * from t limit",
                                      "select a b from t",
                                      "select * from t limit -1",
                                      "select * from t limit 1.5",
                                      "select * from t order by a",
                                      "select * from t where a = 1 group by a",
                                      "select count(a) from t",
                                      "select * from t; select 1",
                                      "select max(a) from t",
                                      "select * from a, b",
                                      "select * from a join b on a.x = b.x",
                                      "insert into t values (1)",
                                      "select * from t where a = 1 union select 1",
                                      "select distinct a from t",
                                      "select 1",
                                      "select * from t limit 99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        if (select_parse(slice_of(bad[i]), &arena, &select, &error))
            fail_msg("accepted: %s", bad[i]);
        assert_true(error.remedy[0]);
    }
    arena_destroy(&arena);
}

static void only_reading_statements_pass_the_guard(void **state)
{
    (void)state;
    static const char *const good[] = {"select 1",
                                       " -- x\n SELECT 1;",
                                       "with a as (select 1) select * from a",
                                       "values (1)",
                                       "table t",
                                       "show all",
                                       "explain select 1",
                                       "explain delete from t",
                                       "explain analyze select 1",
                                       "EXPLAIN (ANALYZE, BUFFERS) WITH a AS (SELECT 1) TABLE a",
                                       "select ';drop table t'",
                                       "select * from pg_replication_slots",
                                       "select * from pg_get_replication_slots()",
                                       "select 'pg_drop_replication_slot(1)'",
                                       "(select 1) union (select 2)",
                                       "select $$nextval('s')$$",
                                       "select \"update\" from t",
                                       "select updated from t",
                                       "select pg_sleep(1)",
                                       "select now(), lower('X')",
                                       "explain (format json) select nextval from t"};
    static const char *const bad[] = {
        "",
        ";",
        "insert into t values (1)",
        "update t set a = 1",
        "delete from t",
        "drop table t",
        "set x = 1",
        "begin",
        "do $$ begin end $$",
        "call p()",
        "copy t to '/x'",
        "vacuum",
        "select 1; select 2",
        "select 1;;drop table t",
        "with a as (insert into t values (1) returning *) select * from a",
        "with a as (delete from t returning 1) table a",
        "explain analyze update t set a = 1",
        "explain (analyze) delete from t",
        "explain (verbose, analyze true) insert into t values (1)",
        "explain analyze with a as (delete from t returning 1) table a",
        "select pg_drop_replication_slot('s')",
        "select PG_DROP_REPLICATION_SLOT ('s')",
        "select pg_catalog.pg_drop_replication_slot('s')",
        "select \"pg_drop_replication_slot\"('s')",
        "select pg_drop_replication_slot/* */('s')",
        "select pg_logical_slot_get_changes('s', null, null)",
        "select pg_terminate_backend(1)",
        "select nextval('s')",
        "select setval('s', 1)",
        "select set_config('a', 'b', false)",
        "select lo_unlink(1)",
        "select dblink_exec('', 'x')",
        "select query_to_xml('select pg_drop_replication_slot(1)', true, true, '')",
        "select U&\"pg\\005fdrop_replication_slot\"('s')",
        "select 'x",
        "select $a$ x",
        "explain analyze execute x",
        "select pg_replication_slot_advance('s', '0/0')",
        "select pg_create_logical_replication_slot('a', 'b')",
        "execute x",
        "prepare x as select 1",
        "listen x",
        "notify x",
        "lock t",
        "refresh materialized view x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct error error = {0};
        if (!guard_check_reading(slice_of(good[i]), &error))
            fail_msg("%s: %s", good[i], error.message);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error error = {0};
        if (guard_check_reading(slice_of(bad[i]), &error))
            fail_msg("passed: %s", bad[i]);
        assert_true(error.kind == ERROR_REFUSED || error.kind == ERROR_USAGE);
    }
    assert_true(guard_check_single(SLICE_LITERAL("update t set a = 1;"), NULL));
    assert_false(guard_check_single(SLICE_LITERAL("update t set a = 1; drop table t"), NULL));
    assert_false(guard_check_single(SLICE_LITERAL("commit"), NULL));
}

static void reals_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        double value;
        bool single;
        const char *text;
    } cases[] = {{1.5, false, "1.5"},
                 {1, false, "1.0"},
                 {-0.0, false, "-0.0"},
                 {1e308, false, "1e+308"},
                 {0.1, false, "0.1"},
                 {(double)0.1f, true, "0.1"},
                 {1.0 / 3, false, "0.3333333333333333"},
                 {5e-324, false, "4.94065645841247e-324"},
                 {1e22, false, "1e+22"},
                 {123456789, false, "123456789.0"}};
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_clear(&text);
        assert_true(value_append_real(cases[i].value, cases[i].single, &text, NULL));
        assert_string_equal(buffer_text(&text, NULL), cases[i].text);
    }
    buffer_destroy(&text);
}

static void print_rows(const char *name, const char *mark, struct buffer *out)
{
    struct batch batch;
    struct field two[] = {fields[0], fields[1]};
    struct schema small = {.fields = two, .field_count = 2};
    assert_true(batch_init(&batch, &small, NULL));
    int64_t id = INT64_MIN;
    assert_true(column_append_bytes(&batch.columns[0], slice_make(&id, 8), NULL) &&
                column_append_null(&batch.columns[0], NULL));
    assert_true(
        column_append_bytes(&batch.columns[1], SLICE_LITERAL("a\x1b[31m,\"\xE2\x80\xAE"), NULL) &&
        column_append_bytes(&batch.columns[1], SLICE_LITERAL(""), NULL));
    batch.length = 2;
    struct output_options options = {.mark = mark, .ascii = true};
    assert_true(output_format_parse(name, &options.format));
    struct sink sink = sink_to_buffer(out);
    buffer_clear(out);
    struct output *output = output_open(&small, &options, &sink, NULL);
    assert_true(output_write(output, &batch, NULL) && output_finish(output, NULL));
    assert_int_equal(output_rows(output), 2);
    output_close(output);
    batch_destroy(&batch);
    assert_non_null(buffer_text(out, NULL));
}

static void data_is_untouched_in_a_pipe_and_neutral_on_a_terminal(void **state)
{
    (void)state;
    struct buffer out = {0};
    print_rows("csv", NULL, &out);
    assert_string_equal(out.data,
                        "id,Name\n-9223372036854775808,\"a\x1b[31m,\"\"\xE2\x80\xAE\"\n,\"\"\n");
    print_rows("json", NULL, &out);
    assert_string_equal(
        out.data, "{\"id\": -9223372036854775808, \"Name\": \"a\\u001b[31m,\\\"\xE2\x80\xAE\"}\n"
                  "{\"id\": null, \"Name\": \"\"}\n");
    static const char *const formats[] = {"table", "csv", "json", "record"};
    for (size_t i = 0; i < 4; i++) {
        print_rows(formats[i], ".", &out);
        assert_null(strchr(out.data, '\x1b'));
        assert_null(strstr(out.data, "\xE2\x80\xAE"));
    }
    print_rows("table", ".", &out);
    assert_string_equal(out.data, "                  id | Name\n"
                                  "---------------------+----------\n"
                                  "-9223372036854775808 | a.[31m,\".\n"
                                  "                NULL | \n");
    buffer_destroy(&out);
}

static void times_are_read_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"1732271625123", 1732271625123},
                 {"2024-11-22T10:33:45.123Z", 1732271625123},
                 {"2024-11-22 12:33:45.1239+02:00", 1732271625123},
                 {"2024-11-22 10:33:45.123", 1732271625123},
                 {"2024-11-22 10:33:45.123 UTC", 1732271625123},
                 {"2024-11-22", 1732233600000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 0;
        assert_true(query_parse_time(cases[i].text, &ms, NULL));
        assert_int_equal(ms, cases[i].ms);
    }
    int64_t ms;
    assert_false(query_parse_time("yesterday", &ms, NULL));
    assert_false(query_parse_time("", &ms, NULL));
}

static size_t count_all(struct result *result, struct error *error, bool *ok)
{
    size_t rows = 0;
    const struct batch *batch = NULL;
    while ((*ok = result_next(result, &batch, error)) && batch)
        rows += batch->length;
    return rows;
}

static void postgres_answers_are_typed_and_streamed(void **state)
{
    (void)state;
    struct query_postgres_options options = {.dsn = cluster_dsn};
    struct error error = {0};
    struct result *result =
        query_postgres_open(&options,
                            "SELECT 1::int2, 2::int8, true, 1.5::float4, 'NaN'::float8, "
                            "'\\x00ff'::bytea, 1.10::numeric, "
                            "'2024-02-29 12:00:00+02'::timestamptz, NULL::int, array[1,2] AS l",
                            &error);
    if (result == NULL)
        fail_msg("%s", error.message);
    const struct batch *batch = NULL;
    assert_true(result_next(result, &batch, &error) && batch && batch->length == 1);
    struct buffer text = {0};
    for (size_t i = 0; i < batch->column_count; i++)
        assert_true(buffer_append_byte(&text, ' ', NULL) &&
                    value_append_json(&batch->columns[i], 0, &text, NULL));
    assert_string_equal(
        buffer_text(&text, NULL),
        " 1 2 true 1.5 \"NaN\" \"AP8=\" \"1.10\" \"2024-02-29 10:00:00+00\" null \"{1,2}\"");
    assert_string_equal(result->schema->fields[9].name, "l");
    buffer_destroy(&text);
    assert_true(result_next(result, &batch, &error) && batch == NULL);
    result_close(result);

    bool ok = false;
    result = query_postgres_open(&options, "SELECT g FROM generate_series(1, 5000) g", &error);
    assert_non_null(result);
    assert_int_equal(count_all(result, &error, &ok), 5000);
    assert_true(ok);
    result_close(result);
    result = query_postgres_open(&options, "SELECT 1 WHERE false", &error);
    assert_non_null(result);
    assert_int_equal(count_all(result, &error, &ok), 0);
    assert_int_equal(result->schema->field_count, 1);
    result_close(result);
    /* Fails half-way: the rows before it are no result. */
    result = query_postgres_open(&options, "SELECT 1/(3000 - g) FROM generate_series(1, 5000) g",
                                 &error);
    assert_non_null(result);
    count_all(result, &error, &ok);
    assert_false(ok);
    assert_int_equal(error.kind, ERROR_INPUT);
    result_close(result);
}

static void postgres_is_only_read(void **state)
{
    (void)state;
    struct query_postgres_options options = {.dsn = cluster_dsn, .statement_timeout_ms = 300};
    struct error error = {0};
    struct pg *pg = pg_open(&(struct pg_options){.dsn = cluster_dsn}, &error);
    assert_true(pg &&
                pg_exec(pg,
                        "CREATE TABLE w (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS "
                        "'INSERT INTO w VALUES (1) RETURNING a'",
                        &error));
    assert_null(query_postgres_open(&options, "SELECT f()",
                                    &error)); /* past the guard, not past READ ONLY */
    assert_int_equal(error.kind, ERROR_REFUSED);
    error_clear(&error);
    assert_null(query_postgres_open(&options, "SELECT pg_sleep(5)", &error));
    assert_int_equal(error.kind, ERROR_UNREACHABLE);
    struct buffer text = {0};
    bool found = false;
    error_clear(&error);
    assert_true(query_postgres_write(&options, "INSERT INTO w VALUES (7)", &text, &error));
    assert_string_equal(buffer_text(&text, NULL), "INSERT 0 1");
    assert_false(
        query_postgres_write(&options, "INSERT INTO w VALUES (8); SELECT 1", &text, &error));
    assert_true(pg_query_text(pg, "SELECT string_agg(a::text, ',') FROM w", NULL, 0, &text, &found,
                              &error));
    assert_string_equal(text.data, "7");
    buffer_destroy(&text);
    pg_close(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predicates_mean_what_sql_says),
        cmocka_unit_test(statements_of_the_scan_are_read_whole_or_refused),
        cmocka_unit_test(only_reading_statements_pass_the_guard),
        cmocka_unit_test(reals_read_back_the_same),
        cmocka_unit_test(data_is_untouched_in_a_pipe_and_neutral_on_a_terminal),
        cmocka_unit_test(times_are_read_in_every_form),
        cmocka_unit_test(postgres_answers_are_typed_and_streamed),
        cmocka_unit_test(postgres_is_only_read),
    };
    return cmocka_run_group_tests(tests, cluster_start, cluster_stop);
}

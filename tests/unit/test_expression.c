/* The promises of predicates: SQL's three-valued logic, numbers compared by value, and pruning that
 * never loses a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "core/base/random.h"
#include "core/iceberg/expression.h"

enum { A_INT = 0, A_TEXT = 1, A_DOUBLE = 2, A_DECIMAL = 3 };

static struct field fields[] = {
    {.id = 1, .name = "n", .type = {.kind = TYPE_INT}},
    {.id = 2, .name = "t", .type = {.kind = TYPE_STRING}},
    {.id = 3, .name = "d", .type = {.kind = TYPE_DOUBLE}},
    {.id = 4, .name = "m", .type = {.kind = TYPE_DECIMAL, .precision = 5, .scale = 2}},
    {.id = 5, .name = "at", .type = {.kind = TYPE_TIMESTAMPTZ}},
    {.id = 6, .name = "u", .type = {.kind = TYPE_UUID}},
    {.id = 7, .name = "x", .type = {.kind = TYPE_BINARY}},
    {.id = 8, .name = "day", .type = {.kind = TYPE_DATE}},
    {.id = 9, .name = "yes", .type = {.kind = TYPE_BOOLEAN}},
    {.id = 10, .name = "f", .type = {.kind = TYPE_FLOAT}},
};
static const struct schema schema = {.fields = fields, .field_count = 10};

static struct arena arena;
static struct expression_builder builder;

static int begin(void **state)
{
    (void)state;
    builder = (struct expression_builder){.schema = &schema, .arena = &arena};
    return 0;
}

static int end(void **state)
{
    (void)state;
    expression_builder_destroy(&builder);
    arena_destroy(&arena);
    return 0;
}

static struct expression_literal number(const char *text)
{
    return (struct expression_literal){EXPRESSION_LITERAL_NUMBER, slice_of(text)};
}

static struct expression_literal text(const char *value)
{
    return (struct expression_literal){EXPRESSION_LITERAL_TEXT, slice_of(value)};
}

static const struct expression *compare(enum expression_kind kind, const char *column,
                                        struct expression_literal literal)
{
    struct error error = {0};
    const struct expression *made = expression_compare(&builder, kind, column, &literal, &error);
    if (made == NULL)
        fail_msg("%s", error.message);
    return made;
}

/* One row: n int, t text, d double, m decimal; the rest null. */
static void add_row(struct batch *batch, const int32_t *n, const char *t, const double *d,
                    const int128 *m)
{
    assert_true(n ? column_append_bytes(&batch->columns[A_INT], slice_make(n, 4), NULL)
                  : column_append_null(&batch->columns[A_INT], NULL));
    assert_true(t ? column_append_bytes(&batch->columns[A_TEXT], slice_of(t), NULL)
                  : column_append_null(&batch->columns[A_TEXT], NULL));
    assert_true(d ? column_append_bytes(&batch->columns[A_DOUBLE], slice_make(d, 8), NULL)
                  : column_append_null(&batch->columns[A_DOUBLE], NULL));
    assert_true(m ? column_append_bytes(&batch->columns[A_DECIMAL], slice_make(m, 16), NULL)
                  : column_append_null(&batch->columns[A_DECIMAL], NULL));
    for (size_t i = 4; i < batch->column_count; i++)
        assert_true(column_append_null(&batch->columns[i], NULL));
    batch->length++;
}

static uint8_t truth_of(const struct expression *expression, const int32_t *n, const char *t,
                        const double *d, const int128 *m)
{
    struct batch batch;
    uint8_t truth = 9;
    assert_true(batch_init(&batch, &schema, NULL));
    add_row(&batch, n, t, d, m);
    assert_true(expression_evaluate(expression, &batch, &truth, NULL));
    batch_destroy(&batch);
    return truth;
}

static void numbers_compare_by_value(void **state)
{
    (void)state;
    static const enum expression_kind kinds[] = {EXPRESSION_EQUAL,   EXPRESSION_NOT_EQUAL,
                                                 EXPRESSION_LESS,    EXPRESSION_LESS_OR_EQUAL,
                                                 EXPRESSION_GREATER, EXPRESSION_GREATER_OR_EQUAL};
    static const struct {
        const char *literal;
        double value;
    } literals[] = {{"2", 2},
                    {"2.0", 2},
                    {"2.5", 2.5},
                    {"-2.5", -2.5},
                    {"20e-1", 2},
                    {"1e30", 1e30},
                    {"-1e30", -1e30},
                    {"0.001e3", 1},
                    {"-0", 0},
                    {"2147483647.5", 2147483647.5},
                    {"-2147483648.5", -2147483648.5},
                    {"99999999999999999999999999999999999999999", 1e41},
                    {".5", .5}};
    static const int32_t values[] = {0, 1, 2, 3, -2, -3, INT32_MAX, INT32_MIN};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t l = 0; l < sizeof literals / sizeof *literals; l++) {
            const struct expression *made = compare(kinds[k], "n", number(literals[l].literal));
            for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
                double a = values[v], b = literals[l].value;
                bool want[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
                assert_int_equal(truth_of(made, &values[v], NULL, NULL, NULL), want[k]);
            }
            assert_int_equal(truth_of(made, NULL, NULL, NULL, NULL), EXPRESSION_NULL);
        }
    }
    int128 m = 12345; /* 123.45 */
    assert_int_equal(
        truth_of(compare(EXPRESSION_EQUAL, "m", number("123.450")), NULL, NULL, NULL, &m), 1);
    assert_int_equal(
        truth_of(compare(EXPRESSION_LESS, "m", number("123.451")), NULL, NULL, NULL, &m), 1);
    assert_int_equal(
        truth_of(compare(EXPRESSION_GREATER, "m", number("123.449")), NULL, NULL, NULL, &m), 1);
    assert_int_equal(truth_of(compare(EXPRESSION_LESS, "m", number("1000")), NULL, NULL, NULL, &m),
                     1);
}

static void nan_is_the_greatest_number(void **state)
{
    (void)state;
    double nan_value = (double)NAN, one = 1;
    assert_int_equal(
        truth_of(compare(EXPRESSION_GREATER, "d", number("1e308")), NULL, NULL, &nan_value, NULL),
        1);
    assert_int_equal(
        truth_of(compare(EXPRESSION_EQUAL, "d", text("NaN")), NULL, NULL, &nan_value, NULL), 1);
    assert_int_equal(truth_of(compare(EXPRESSION_LESS, "d", text("NaN")), NULL, NULL, &one, NULL),
                     1);
    assert_int_equal(
        truth_of(compare(EXPRESSION_LESS, "d", text("Infinity")), NULL, NULL, &one, NULL), 1);
}

static void logic_has_three_values(void **state)
{
    (void)state;
    /* false, true, null in this order */
    int32_t zero = 0, one = 1;
    const int32_t *inputs[] = {&zero, &one, NULL};
    static const uint8_t and_table[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
    static const uint8_t or_table[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};
    const char *texts[] = {"0", "1", NULL};
    const struct expression *pair[] = {compare(EXPRESSION_EQUAL, "n", number("1")),
                                       compare(EXPRESSION_EQUAL, "t", text("1"))};
    const struct expression *both = expression_combine(&builder, EXPRESSION_AND, pair, 2, NULL);
    const struct expression *any = expression_combine(&builder, EXPRESSION_OR, pair, 2, NULL);
    const struct expression *none = expression_combine(&builder, EXPRESSION_NOT, &any, 1, NULL);
    for (int a = 0; a < 3; a++) {
        for (int b = 0; b < 3; b++) {
            assert_int_equal(truth_of(both, inputs[a], texts[b], NULL, NULL), and_table[a][b]);
            assert_int_equal(truth_of(any, inputs[a], texts[b], NULL, NULL), or_table[a][b]);
            uint8_t negated = or_table[a][b] == 2 ? 2 : !or_table[a][b];
            assert_int_equal(truth_of(none, inputs[a], texts[b], NULL, NULL), negated);
        }
    }
    struct expression_literal list[] = {number("1"), {EXPRESSION_LITERAL_NULL, {NULL, 0}}};
    const struct expression *in = expression_in(&builder, "n", list, 2, NULL);
    assert_int_equal(truth_of(in, &one, NULL, NULL, NULL), EXPRESSION_TRUE);
    assert_int_equal(truth_of(in, &zero, NULL, NULL, NULL), EXPRESSION_NULL);
    in = expression_in(&builder, "n", list, 1, NULL);
    assert_int_equal(truth_of(in, &zero, NULL, NULL, NULL), EXPRESSION_FALSE);
    assert_int_equal(truth_of(in, NULL, NULL, NULL, NULL), EXPRESSION_NULL);
}

static void like_follows_sql(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        char escape;
        bool match;
    } cases[] = {{"", "", 0, true},
                 {"", "a", 0, false},
                 {"%", "", 0, true},
                 {"a%", "abc", 0, true},
                 {"%c", "abc", 0, true},
                 {"a_c", "abc", 0, true},
                 {"a_c",
                  "a\xC3\xA9"
                  "c",
                  0, true},
                 {"_", "\xF0\x9F\x98\x80", 0, true},
                 {"%b%", "abc", 0, true},
                 {"%x%", "abc", 0, false},
                 {"a%b%c", "aXbYbZc", 0, true},
                 {"a\\%", "a%", '\\', true},
                 {"a\\%", "ab", '\\', false},
                 {"a!_b", "a_b", '!', true},
                 {"%%%a", "bba", 0, true},
                 {"a", "ab", 0, false},
                 {"ab", "a", 0, false},
                 {"%ab%ab", "abab", 0, true},
                 {"_%_", "a", 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expression *like =
            expression_like(&builder, "t", slice_of(cases[i].pattern), cases[i].escape, NULL);
        assert_non_null(like);
        if (truth_of(like, NULL, cases[i].text, NULL, NULL) != cases[i].match)
            fail_msg("'%s' LIKE '%s'", cases[i].text, cases[i].pattern);
    }
    assert_null(expression_like(&builder, "t", SLICE_LITERAL("a\\"), '\\', NULL));
    assert_null(expression_like(&builder, "n", SLICE_LITERAL("a"), '\\', NULL));
}

static void literals_of_another_type_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *column;
        enum expression_literal_kind kind;
        const char *text;
        bool good;
    } cases[] = {{"n", EXPRESSION_LITERAL_TEXT, "12", true},
                 {"n", EXPRESSION_LITERAL_TEXT, "12x", false},
                 {"n", EXPRESSION_LITERAL_BOOLEAN, "true", false},
                 {"t", EXPRESSION_LITERAL_NUMBER, "12", false},
                 {"d", EXPRESSION_LITERAL_NUMBER, "1e5", true},
                 {"d", EXPRESSION_LITERAL_TEXT, "nan()", false},
                 {"at", EXPRESSION_LITERAL_TEXT, "2024-02-29 12:34:56.789012 UTC", true},
                 {"at", EXPRESSION_LITERAL_TEXT, "2024-02-29T12:34:56+02:00", true},
                 {"at", EXPRESSION_LITERAL_TEXT, "2024-02-29", true},
                 {"at", EXPRESSION_LITERAL_TEXT, "2023-02-29", false},
                 {"at", EXPRESSION_LITERAL_NUMBER, "20240229", false},
                 {"u", EXPRESSION_LITERAL_TEXT, "00112233-4455-6677-8899-aabbccddeeff", true},
                 {"u", EXPRESSION_LITERAL_TEXT, "00112233", false},
                 {"x", EXPRESSION_LITERAL_TEXT, "\\x00ff", true},
                 {"x", EXPRESSION_LITERAL_TEXT, "\\x0", false},
                 {"x", EXPRESSION_LITERAL_TEXT, "\\x-1", false},
                 {"x", EXPRESSION_LITERAL_TEXT, "\\x", true},
                 {"day", EXPRESSION_LITERAL_TEXT, "0001-01-01", true},
                 {"day", EXPRESSION_LITERAL_TEXT, "tomorrow", false},
                 {"yes", EXPRESSION_LITERAL_BOOLEAN, "true", true},
                 {"yes", EXPRESSION_LITERAL_NUMBER, "1", false},
                 {"nn", EXPRESSION_LITERAL_NUMBER, "1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct expression_literal literal = {cases[i].kind, slice_of(cases[i].text)};
        struct error error = {0};
        bool good =
            expression_compare(&builder, EXPRESSION_EQUAL, cases[i].column, &literal, &error);
        if (good != cases[i].good)
            fail_msg("%s = %s: %s", cases[i].column, cases[i].text, error.message);
        if (!good)
            assert_true(error.message[0] && error.remedy[0]);
    }
}

/* A random predicate over n and d with small values, so that bounds often decide. */
static const struct expression *random_predicate(struct random *random, int depth)
{
    static const char *const numbers[] = {"-2", "-1", "0", "1", "1.5", "2", "3", "1e20"};
    uint64_t pick = random_below(random, depth > 0 ? 10 : 7);
    const char *column = random_below(random, 2) ? "n" : "d";
    struct expression_literal literals[3];
    for (int i = 0; i < 3; i++)
        literals[i] = number(numbers[random_below(random, 8)]);
    if (random_below(random, 12) == 0)
        literals[0] = (struct expression_literal){EXPRESSION_LITERAL_NULL, {NULL, 0}};
    if (pick < 4)
        return expression_compare(
            &builder, (enum expression_kind)(EXPRESSION_EQUAL + (int)random_below(random, 6)),
            column, literals, NULL);
    if (pick == 4)
        return expression_is_null(&builder, column, random_below(random, 2), NULL);
    if (pick < 7)
        return expression_in(&builder, column, literals, 1 + random_below(random, 3), NULL);
    const struct expression *children[2] = {random_predicate(random, depth - 1),
                                            random_predicate(random, depth - 1)};
    if (pick == 7)
        return expression_combine(&builder, EXPRESSION_NOT, children, 1, NULL);
    return expression_combine(&builder, pick == 8 ? EXPRESSION_AND : EXPRESSION_OR, children, 2,
                              NULL);
}

/* True metrics and a true partition tuple of random rows, of varying looseness. */
struct random_file {
    struct batch batch;
    struct iceberg_metric metrics[2];
    struct iceberg_value partition[2];
    struct iceberg_partition_field partition_fields[2];
    struct iceberg_spec spec;
    struct iceberg_file file;
};

static struct iceberg_value encode(const struct column *column, size_t row)
{
    struct buffer bytes = {0};
    assert_true(iceberg_value_from_column(column, row, &bytes, NULL));
    const char *copy = arena_copy_slice(&arena, buffer_slice(&bytes), NULL);
    struct iceberg_value value = {true, slice_make(copy, bytes.length)};
    buffer_destroy(&bytes);
    return value;
}

static void make_file(struct random_file *out, struct random *random, bool one_partition)
{
    *out = (struct random_file){0};
    assert_true(batch_init(&out->batch, &schema, NULL));
    size_t rows = 1 + random_below(random, 4);
    int32_t fixed = (int32_t)random_below(random, 6) - 2;
    bool fixed_null = random_below(random, 5) == 0;
    for (size_t i = 0; i < rows; i++) {
        int32_t n = one_partition ? fixed : (int32_t)random_below(random, 6) - 2;
        bool null = one_partition ? fixed_null : random_below(random, 4) == 0;
        double d = random_below(random, 8) == 0 ? (double)NAN : (double)random_below(random, 6) - 2;
        add_row(&out->batch, null ? NULL : &n, NULL, random_below(random, 4) == 0 ? NULL : &d,
                NULL);
    }
    for (int c = 0; c < 2; c++) {
        const struct column *column = &out->batch.columns[c ? A_DOUBLE : A_INT];
        struct iceberg_metric *metric = &out->metrics[c];
        *metric = (struct iceberg_metric){.field_id = c ? 3 : 1,
                                          .value_count = (int64_t)rows,
                                          .null_count = (int64_t)column->null_count};
        for (size_t row = 0; row < rows; row++) {
            if (column_is_null(column, row))
                continue;
            if (c && isnan(column_double(column, row))) {
                metric->nan_count++;
                continue;
            }
            struct iceberg_value value = encode(column, row);
            int order = 0;
            if (!metric->lower.present ||
                (iceberg_value_compare(column->type, value.bytes, metric->lower.bytes, &order) &&
                 order < 0))
                metric->lower = value;
            if (!metric->upper.present ||
                (iceberg_value_compare(column->type, value.bytes, metric->upper.bytes, &order) &&
                 order > 0))
                metric->upper = value;
        }
        if (random_below(random, 4) == 0)
            metric->lower.present = false;
        if (random_below(random, 4) == 0)
            metric->upper.present = false;
        if (random_below(random, 4) == 0)
            metric->null_count = metric->nan_count = -1;
    }
    static const enum iceberg_transform transforms[] = {ICEBERG_IDENTITY, ICEBERG_BUCKET,
                                                        ICEBERG_TRUNCATE};
    for (size_t i = 0; i < 2; i++) {
        out->partition_fields[i] =
            (struct iceberg_partition_field){.source_id = 1,
                                             .field_id = 1000 + (int32_t)i,
                                             .name = "p",
                                             .transform = transforms[random_below(random, 3)],
                                             .argument = 2,
                                             .source_type = {.kind = TYPE_INT},
                                             .type = {.kind = TYPE_INT}};
        if (!column_is_null(&out->batch.columns[A_INT], 0))
            assert_true(iceberg_transform_apply(&out->partition_fields[i],
                                                encode(&out->batch.columns[A_INT], 0), &arena,
                                                &out->partition[i], NULL));
    }
    out->spec = (struct iceberg_spec){.fields = out->partition_fields,
                                      .field_count = one_partition ? 2 : 0};
    out->file = (struct iceberg_file){.metrics = out->metrics,
                                      .metric_count = 2,
                                      .partition = out->partition,
                                      .partition_count = one_partition ? 2 : 0,
                                      .record_count = (int64_t)rows};
}

static void pruning_never_loses_a_row(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 7);
    size_t pruned = 0, useless = 0;
    for (int round = 0; round < 20000; round++) {
        struct random_file file;
        make_file(&file, &random, round % 2);
        const struct expression *where = random_predicate(&random, 3);
        assert_non_null(where);
        uint8_t truth[8];
        assert_true(expression_evaluate(where, &file.batch, truth, NULL));
        bool any = false;
        for (size_t row = 0; row < file.batch.length; row++)
            any = any || truth[row] == EXPRESSION_TRUE;
        bool may = expression_may_match_file(where, &file.file, &file.spec);
        struct iceberg_partition_summary summaries[2];
        for (int i = 0; i < 2; i++)
            summaries[i] =
                (struct iceberg_partition_summary){.contains_null = !file.partition[i].present,
                                                   .contains_nan = -1,
                                                   .lower = file.partition[i],
                                                   .upper = file.partition[i]};
        struct iceberg_manifest manifest = {.partitions = summaries,
                                            .partition_count = file.spec.field_count};
        bool may_manifest = expression_may_match_manifest(where, &manifest, &file.spec);
        if (any && (!may || !may_manifest))
            fail_msg("round %d: a row matches, the file was pruned", round);
        pruned += !may;
        useless += may && !any;
        batch_destroy(&file.batch);
        if (round % 100 == 99) {
            expression_builder_destroy(&builder);
            arena_reset(&arena);
        }
    }
    assert_true(pruned > 4000); /* and it is worth something */
    assert_true(useless < 12000);
}

static void text_bounds_prune_prefixes(void **state)
{
    (void)state;
    struct iceberg_metric metric = {.field_id = 2,
                                    .value_count = 5,
                                    .null_count = 0,
                                    .nan_count = -1,
                                    .lower = {true, SLICE_LITERAL("banana")},
                                    .upper = {true, SLICE_LITERAL("cherry")}};
    struct iceberg_file file = {.metrics = &metric, .metric_count = 1, .record_count = 5};
    static const struct {
        const char *pattern;
        bool may;
    } cases[] = {{"b%", true},      {"ban%", true},  {"cherryz%", false}, {"cherries%", true},
                 {"cherry%", true}, {"a%", false},   {"d%", false},       {"%x", true},
                 {"c_x", true},     {"bad%", false}, {"banz", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct expression *like =
            expression_like(&builder, "t", slice_of(cases[i].pattern), '\\', NULL);
        if (expression_may_match_file(like, &file, NULL) != cases[i].may)
            fail_msg("%s", cases[i].pattern);
    }
    /* A column widened since the file was written has narrow bounds. */
    int32_t low = -5, high = 7;
    struct field wide = {.id = 1, .name = "w", .type = {.kind = TYPE_LONG}};
    struct schema wide_schema = {.fields = &wide, .field_count = 1};
    struct expression_builder wide_builder = {.schema = &wide_schema, .arena = &arena};
    struct iceberg_metric narrow = {.field_id = 1,
                                    .value_count = 5,
                                    .null_count = 0,
                                    .lower = {true, slice_make(&low, 4)},
                                    .upper = {true, slice_make(&high, 4)}};
    file.metrics = &narrow;
    struct expression_literal in = number("7"), beyond = number("8");
    assert_true(expression_may_match_file(
        expression_compare(&wide_builder, EXPRESSION_EQUAL, "w", &in, NULL), &file, NULL));
    assert_false(expression_may_match_file(
        expression_compare(&wide_builder, EXPRESSION_EQUAL, "w", &beyond, NULL), &file, NULL));
    expression_builder_destroy(&wide_builder);
}

static void kept_rows_are_the_same_rows(void **state)
{
    (void)state;
    struct field list_element = {.id = 21, .name = "element", .type = {.kind = TYPE_STRING}};
    struct field members[] = {
        {.id = 22, .name = "a", .type = {.kind = TYPE_INT}},
        {.id = 23,
         .name = "l",
         .type = {.kind = TYPE_LIST, .fields = &list_element, .field_count = 1}}};
    struct type type = {.kind = TYPE_STRUCT, .fields = members, .field_count = 2};
    struct column column, want;
    uint8_t keep[64];
    struct random random;
    random_seed(&random, 3);
    for (int round = 0; round < 200; round++) {
        assert_true(column_init(&column, &type, NULL) && column_init(&want, &type, NULL));
        for (int row = 0; row < 64; row++) {
            keep[row] = random_below(&random, 3) != 0;
            int32_t a = (int32_t)random_next(&random);
            if (random_below(&random, 5) == 0) {
                assert_true(column_append_null(&column, NULL));
                continue;
            }
            assert_true(column_append_bytes(&column.children[0], slice_make(&a, 4), NULL));
            for (uint64_t i = random_below(&random, 4); i > 0; i--)
                assert_true(column_append_bytes(&column.children[1].children[0],
                                                slice_make("abcdef", random_below(&random, 7)),
                                                NULL));
            assert_true(column_append_list_end(&column.children[1], NULL));
            assert_true(column_append_struct_end(&column, NULL));
        }
        for (size_t row = 0; row < 64; row++) {
            if (keep[row])
                assert_true(column_append_row(&want, &column, row, NULL));
        }
        assert_true(column_keep(&column, keep, NULL));
        assert_int_equal(column.length, want.length);
        assert_int_equal(column.null_count, want.null_count);
        for (size_t row = 0; row < want.length; row++)
            assert_true(column_rows_equal(&column, row, &want, row));
        column_destroy(&column);
        column_destroy(&want);
    }
}

#define WITH_BUILDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BUILDER(numbers_compare_by_value),
        WITH_BUILDER(nan_is_the_greatest_number),
        WITH_BUILDER(logic_has_three_values),
        WITH_BUILDER(like_follows_sql),
        WITH_BUILDER(literals_of_another_type_are_refused),
        WITH_BUILDER(pruning_never_loses_a_row),
        WITH_BUILDER(text_bounds_prune_prefixes),
        cmocka_unit_test(kept_rows_are_the_same_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

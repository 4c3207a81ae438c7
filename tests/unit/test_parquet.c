/* The promises of core/parquet: what is written is read back, value for value; facts are true;
 * seeking, projection and promotion keep rows as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/decimal.h"
#include "core/base/memory.h"
#include "core/parquet/reader.h"
#include "core/parquet/writer.h"
#include "tests/unit/rows.h"

static void check(bool ok, const struct error *error)
{
    if (!ok)
        fail_msg("%s (%s)", error->message, error_kind_name(error->kind));
}

/* Writes the batch in uneven pieces. */
static void write_batch(const struct batch *batch, const struct parquet_writer_options *options,
                        struct buffer *out, struct parquet_file_facts *facts)
{
    struct error error = {0};
    struct sink sink = sink_to_buffer(out);
    struct parquet_writer *writer = parquet_writer_open(&sink, batch->schema, options, &error);
    check(writer != NULL, &error);
    size_t piece = 1;
    for (size_t at = 0; at < batch->length; at += piece, piece = piece * 3 + 1) {
        size_t count = batch->length - at < piece ? batch->length - at : piece;
        check(parquet_writer_write_rows(writer, batch, at, count, &error), &error);
    }
    assert_int_equal(parquet_writer_rows(writer), batch->length);
    check(parquet_writer_close(writer, facts, &error), &error);
    parquet_writer_destroy(writer);
}

static void assert_rows_equal(const struct batch *a, size_t a_row, const struct batch *b,
                              size_t b_row)
{
    for (size_t i = 0; i < a->column_count; i++) {
        if (column_rows_equal(&a->columns[i], a_row, &b->columns[i], b_row))
            continue;
        struct buffer text = {0};
        rows_print(a, a_row, &text);
        buffer_append_text(&text, "\nbut\n", NULL);
        rows_print(b, b_row, &text);
        fail_msg("column %zu of row %zu differs: %s", i, a_row, buffer_text(&text, NULL));
    }
}

static struct parquet_reader *open_bytes(struct slice *bytes, struct source *source)
{
    struct error error = {0};
    *source = source_from_memory(bytes, "test.parquet");
    struct parquet_reader *reader = parquet_reader_open(source, NULL, &error);
    check(reader != NULL, &error);
    return reader;
}

/* Reads rows [first, first + count) and compares them with the batch. */
static void read_and_compare(struct parquet_cursor *cursor, const struct batch *expected,
                             int64_t first, int64_t count, size_t step)
{
    struct error error = {0};
    struct batch batch;
    check(batch_init(&batch, expected->schema, &error), &error);
    check(parquet_cursor_seek(cursor, first, count, &error), &error);
    int64_t row = first;
    do {
        assert_int_equal(parquet_cursor_row(cursor), row);
        check(parquet_cursor_next(cursor, &batch, step, &error), &error);
        assert_true(batch.length <= step);
        for (size_t i = 0; i < batch.length; i++)
            assert_rows_equal(expected, (size_t)row + i, &batch, i);
        row += (int64_t)batch.length;
    } while (batch.length > 0);
    assert_int_equal(row, first + count);
    batch_destroy(&batch);
}

/* One random file: written, read whole, and in random ranges. */
static void round_trip(uint64_t seed, size_t rows, enum rows_shape shape)
{
    static const enum codec codecs[] = {CODEC_ZSTD, CODEC_SNAPPY, CODEC_GZIP, CODEC_NONE};
    struct error error = {0};
    struct random random;
    struct schema schema;
    struct batch batch;
    struct buffer bytes = {0};
    random_seed(&random, seed);
    rows_random_schema(&random, 17 + random_below(&random, 8), 3, &schema);
    check(batch_init(&batch, &schema, &error), &error);
    rows_random_batch(&random, &batch, rows, shape);
    struct parquet_writer_options options = PARQUET_WRITER_DEFAULTS;
    options.codec = codecs[seed % 4];
    options.dictionary = seed % 5 != 0;
    if (seed % 3) {
        options.page_rows = 1 + random_below(&random, 300);
        options.page_bytes = 1 + random_below(&random, 5000);
        options.group_rows = 1 + random_below(&random, 1500);
        options.group_bytes = 5000 + random_below(&random, 500000);
    }
    write_batch(&batch, &options, &bytes, NULL);
    struct slice slice = buffer_slice(&bytes);
    struct source source;
    struct parquet_reader *reader = open_bytes(&slice, &source);
    assert_int_equal(parquet_reader_rows(reader), rows);
    struct parquet_cursor *cursor = parquet_cursor_open(reader, &schema, 0, -1, &error);
    check(cursor != NULL, &error);
    read_and_compare(cursor, &batch, 0, (int64_t)rows, 1 + random_below(&random, 3000));
    for (int i = 0; i < 12; i++) {
        int64_t first = (int64_t)random_below(&random, rows + 1);
        int64_t count = (int64_t)random_below(&random, rows - (uint64_t)first + 1);
        read_and_compare(cursor, &batch, first, i % 2 ? count : (count ? 1 : 0), 700);
    }
    /* Single rows in ascending order, as one looks up old values. */
    for (size_t row = 0; row < rows; row += 1 + (size_t)random_below(&random, 40))
        read_and_compare(cursor, &batch, (int64_t)row, 1, 10);
    parquet_cursor_close(cursor);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
    schema_destroy(&schema);
}

static void random_rows_of_random_schemas_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++)
        round_trip(seed, 900, (enum rows_shape)(seed % ROWS_SHAPES));
}

static void few_rows_come_back(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++)
        round_trip(seed, (size_t)seed % 4, (enum rows_shape)(seed % ROWS_SHAPES));
}

static void a_dictionary_that_outgrows_falls_back(void **state)
{
    (void)state;
    /* Enough distinct values for the first page to like the dictionary and the chunk to fill it. */
    struct error error = {0};
    struct random random;
    random_seed(&random, 5);
    struct field fields[] = {
        {.id = 1, .name = "n", .type = {.kind = TYPE_LONG}},
        {.id = 2, .name = "s", .required = true, .type = {.kind = TYPE_STRING}},
        {.id = 3, .name = "u", .type = {.kind = TYPE_UUID}},
    };
    struct schema schema = {.fields = fields, .field_count = 3};
    struct batch batch;
    check(batch_init(&batch, &schema, &error), &error);
    enum { ROWS = 250000 };
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t pick = random_below(&random, 1 + i / 2);
        char text[64] = {0};
        int length = snprintf(text, sizeof text, "value %" PRIu64, pick);
        uint64_t uuid[2] = {pick, ~pick};
        if (pick % 11 == 0)
            check(column_append_null(&batch.columns[0], &error), &error);
        else
            check(column_append_bytes(&batch.columns[0], slice_make(&pick, 8), &error), &error);
        check(column_append_bytes(&batch.columns[1], slice_make(text, (size_t)length), &error),
              &error);
        check(column_append_bytes(&batch.columns[2], slice_make(uuid, 16), &error), &error);
    }
    batch.length = ROWS;
    struct buffer bytes = {0};
    struct parquet_file_facts facts;
    write_batch(&batch, NULL, &bytes, &facts);
    assert_int_equal(facts.rows, ROWS);
    assert_int_equal(facts.bytes, bytes.length);
    struct slice slice = buffer_slice(&bytes);
    struct source source;
    struct parquet_reader *reader = open_bytes(&slice, &source);
    struct parquet_cursor *cursor = parquet_cursor_open(reader, &schema, 0, -1, &error);
    check(cursor != NULL, &error);
    read_and_compare(cursor, &batch, 0, ROWS, 100000);
    read_and_compare(cursor, &batch, 249990, 10, 100000);
    parquet_cursor_close(cursor);
    parquet_reader_close(reader);
    parquet_file_facts_destroy(&facts);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
}

/* ---- facts ---- */

/* The order of two present values as Iceberg orders them. */
static int compare_values(const struct column *column, size_t a, size_t b)
{
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return ((uint8_t *)column->values)[a] - ((uint8_t *)column->values)[b];
    case TYPE_INT:
    case TYPE_DATE:
        return (column_int(column, a) > column_int(column, b)) -
               (column_int(column, a) < column_int(column, b));
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return (column_long(column, a) > column_long(column, b)) -
               (column_long(column, a) < column_long(column, b));
    case TYPE_FLOAT:
        return (column_float(column, a) > column_float(column, b)) -
               (column_float(column, a) < column_float(column, b));
    case TYPE_DOUBLE:
        return (column_double(column, a) > column_double(column, b)) -
               (column_double(column, a) < column_double(column, b));
    case TYPE_DECIMAL:
        return (column_decimal(column, a) > column_decimal(column, b)) -
               (column_decimal(column, a) < column_decimal(column, b));
    case TYPE_UUID:
    case TYPE_FIXED:
        return slice_compare(column_fixed(column, a), column_fixed(column, b));
    default:
        return slice_compare(column_bytes(column, a), column_bytes(column, b));
    }
}

/* Iceberg's single-value form, written out once more for the test. */
static size_t single_value(const struct column *column, size_t row, bool upper, uint8_t *out)
{
    struct slice raw;
    switch (column->type->kind) {
    case TYPE_DECIMAL:
        return decimal_to_bytes_minimal(column_decimal(column, row), out);
    case TYPE_STRING:
    case TYPE_BINARY:
        raw = column_bytes(column, row);
        break;
    default:
        raw = column_fixed(column, row);
    }
    if (raw.length)
        memcpy(out, raw.data, raw.length);
    bool real = column->type->kind == TYPE_FLOAT || column->type->kind == TYPE_DOUBLE;
    bool zero = real && (column->type->kind == TYPE_FLOAT ? column_float(column, row) == 0
                                                          : column_double(column, row) == 0);
    if (zero)
        out[raw.length - 1] = upper ? 0 : 0x80;
    return raw.length;
}

static bool is_nan(const struct column *column, size_t row)
{
    return (column->type->kind == TYPE_FLOAT && isnan(column_float(column, row))) ||
           (column->type->kind == TYPE_DOUBLE && isnan(column_double(column, row)));
}

static void check_facts(const struct column *column, size_t from, size_t to,
                        const struct parquet_column_facts *facts)
{
    size_t low = SIZE_MAX;
    size_t high = SIZE_MAX;
    int64_t nulls = 0;
    int64_t nans = 0;
    for (size_t row = from; row < to; row++) {
        if (column_is_null(column, row)) {
            nulls++;
        } else if (is_nan(column, row)) {
            nans++;
        } else {
            low = low == SIZE_MAX || compare_values(column, row, low) < 0 ? row : low;
            high = high == SIZE_MAX || compare_values(column, row, high) > 0 ? row : high;
        }
    }
    uint8_t value[4096];
    assert_int_equal(facts->value_count, to - from);
    assert_int_equal(facts->null_count, nulls);
    if (facts->nan_count >= 0)
        assert_int_equal(facts->nan_count, nans);
    assert_int_equal(facts->has_bounds, low != SIZE_MAX);
    if (!facts->has_bounds)
        return;
    assert_true(
        slice_equal(facts->lower, slice_make(value, single_value(column, low, false, value))));
    assert_true(
        slice_equal(facts->upper, slice_make(value, single_value(column, high, true, value))));
}

static void facts_of_files_and_groups_are_true(void **state)
{
    (void)state;
    struct error error = {0};
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct random random;
        struct schema schema;
        struct batch batch;
        random_seed(&random, seed);
        rows_random_schema(&random, TYPE_LIST, 0, &schema);
        check(batch_init(&batch, &schema, &error), &error);
        rows_random_batch(&random, &batch, 1000, (enum rows_shape)(seed % ROWS_SHAPES));
        struct parquet_writer_options options = PARQUET_WRITER_DEFAULTS;
        options.group_rows = 330;
        struct buffer bytes = {0};
        struct parquet_file_facts facts;
        write_batch(&batch, &options, &bytes, &facts);
        struct slice slice = buffer_slice(&bytes);
        struct source source;
        struct parquet_reader *reader = open_bytes(&slice, &source);
        assert_int_equal(facts.column_count, schema.field_count);
        assert_int_equal(facts.split_count, 4);
        assert_int_equal(parquet_reader_groups(reader), 4);
        for (size_t i = 0; i < schema.field_count; i++) {
            assert_int_equal(facts.columns[i].field_id, schema.fields[i].id);
            check_facts(&batch.columns[i], 0, 1000, &facts.columns[i]);
            int64_t compressed = 0;
            for (size_t g = 0; g < 4; g++) {
                struct parquet_group group;
                struct parquet_column_facts part;
                struct arena arena = {0};
                assert_true(parquet_reader_group(reader, g, &group));
                assert_int_equal(group.offset, facts.split_offsets[g]);
                check(parquet_reader_group_facts(reader, g, schema.fields[i].id, &arena, &part,
                                                 &error),
                      &error);
                check_facts(&batch.columns[i], (size_t)group.first_row,
                            (size_t)(group.first_row + group.rows), &part);
                compressed += part.compressed_bytes;
                arena_destroy(&arena);
            }
            assert_int_equal(compressed, facts.columns[i].compressed_bytes);
        }
        parquet_reader_close(reader);
        parquet_file_facts_destroy(&facts);
        buffer_destroy(&bytes);
        batch_destroy(&batch);
        schema_destroy(&schema);
    }
}

static void long_bounds_are_shortened_upwards(void **state)
{
    (void)state;
    struct error error = {0};
    struct field field = {.id = 1, .name = "s", .type = {.kind = TYPE_STRING}};
    struct schema schema = {.fields = &field, .field_count = 1};
    struct batch batch;
    check(batch_init(&batch, &schema, &error), &error);
    char text[3000];
    memset(text, 'x', sizeof text);
    check(column_append_bytes(&batch.columns[0], slice_make(text, sizeof text), &error), &error);
    batch.length = 1;
    struct buffer bytes = {0};
    struct parquet_file_facts facts;
    write_batch(&batch, NULL, &bytes, &facts);
    assert_int_equal(facts.columns[0].upper.length, sizeof text);
    struct slice slice = buffer_slice(&bytes);
    struct source source;
    struct parquet_reader *reader = open_bytes(&slice, &source);
    struct parquet_column_facts part;
    struct arena arena = {0};
    check(parquet_reader_group_facts(reader, 0, 1, &arena, &part, &error), &error);
    assert_true(part.has_bounds && !part.lower_exact && !part.upper_exact);
    assert_true(slice_compare(part.lower, slice_make(text, sizeof text)) < 0);
    assert_true(slice_compare(part.upper, slice_make(text, sizeof text)) > 0);
    assert_int_equal(part.upper.data[part.upper.length - 1], 'y');
    arena_destroy(&arena);
    parquet_reader_close(reader);
    parquet_file_facts_destroy(&facts);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
}

/* ---- projection ---- */

static void columns_are_found_by_id_and_widened(void **state)
{
    (void)state;
    struct error error = {0};
    struct field inner[] = {
        {.id = 11, .name = "x", .type = {.kind = TYPE_INT}},
        {.id = 12, .name = "y", .type = {.kind = TYPE_FLOAT}},
    };
    struct field fields[] = {
        {.id = 1, .name = "i", .required = true, .type = {.kind = TYPE_INT}},
        {.id = 2, .name = "f", .type = {.kind = TYPE_FLOAT}},
        {.id = 3, .name = "d", .type = {.kind = TYPE_DECIMAL, .precision = 9, .scale = 2}},
        {.id = 4, .name = "p", .type = {.kind = TYPE_STRUCT, .fields = inner, .field_count = 2}},
    };
    struct schema schema = {.fields = fields, .field_count = 4};
    struct batch batch;
    check(batch_init(&batch, &schema, &error), &error);
    for (int32_t i = 0; i < 5000; i++) {
        float real = (float)i / 4;
        int128 decimal = i * 3 - 7000;
        check(column_append_bytes(&batch.columns[0], slice_make(&i, 4), &error), &error);
        check(column_append_bytes(&batch.columns[1], slice_make(&real, 4), &error), &error);
        check(column_append_bytes(&batch.columns[2], slice_make(&decimal, 16), &error), &error);
        if (i % 3 == 0) {
            check(column_append_null(&batch.columns[3], &error), &error);
            continue;
        }
        check(column_append_bytes(&batch.columns[3].children[0], slice_make(&i, 4), &error),
              &error);
        check(column_append_bytes(&batch.columns[3].children[1], slice_make(&real, 4), &error),
              &error);
        check(column_append_struct_end(&batch.columns[3], &error), &error);
    }
    batch.length = 5000;
    struct buffer bytes = {0};
    write_batch(&batch, NULL, &bytes, NULL);
    struct slice slice = buffer_slice(&bytes);
    struct source source;
    struct parquet_reader *reader = open_bytes(&slice, &source);
    struct field wanted_inner[] = {
        {.id = 13, .name = "x", .type = {.kind = TYPE_STRING}}, /* another x, made later */
        {.id = 12, .name = "yy", .type = {.kind = TYPE_DOUBLE}},
    };
    struct field only_new[] = {{.id = 14, .name = "z", .type = {.kind = TYPE_LONG}}};
    struct field wanted[] = {
        {.id = 4,
         .name = "pp",
         .type = {.kind = TYPE_STRUCT, .fields = wanted_inner, .field_count = 2}},
        {.id = 99, .name = "i", .type = {.kind = TYPE_BINARY}},
        {.id = 3, .name = "d", .type = {.kind = TYPE_DECIMAL, .precision = 30, .scale = 2}},
        {.id = 2, .name = "f", .type = {.kind = TYPE_DOUBLE}},
        {.id = 1, .name = "j", .type = {.kind = TYPE_LONG}},
    };
    struct schema projection = {.fields = wanted, .field_count = 5};
    struct batch got;
    check(batch_init(&got, &projection, &error), &error);
    struct parquet_cursor *cursor = parquet_cursor_open(reader, &projection, 0, -1, &error);
    check(cursor != NULL, &error);
    check(parquet_cursor_next(cursor, &got, 9999, &error), &error);
    assert_int_equal(got.length, 5000);
    for (size_t i = 0; i < 5000; i++) {
        assert_true(column_is_null(&got.columns[1], i));
        assert_true(column_decimal(&got.columns[2], i) == (int128)i * 3 - 7000);
        assert_true(column_double(&got.columns[3], i) == (double)i / 4);
        assert_int_equal(column_long(&got.columns[4], i), i);
        assert_int_equal(column_is_null(&got.columns[0], i), i % 3 == 0);
        assert_true(column_is_null(&got.columns[0].children[0], i));
        if (i % 3)
            assert_true(column_double(&got.columns[0].children[1], i) == (double)i / 4);
    }
    parquet_cursor_close(cursor);
    batch_destroy(&got);
    /* A struct of which no member is in the file still knows where it is null. */
    struct field alone = {
        .id = 4, .name = "p", .type = {.kind = TYPE_STRUCT, .fields = only_new, .field_count = 1}};
    struct schema structure = {.fields = &alone, .field_count = 1};
    check(batch_init(&got, &structure, &error), &error);
    cursor = parquet_cursor_open(reader, &structure, 10, 50, &error);
    check(cursor != NULL, &error);
    check(parquet_cursor_next(cursor, &got, 9999, &error), &error);
    assert_int_equal(got.length, 50);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(column_is_null(&got.columns[0], i), (i + 10) % 3 == 0);
    parquet_cursor_close(cursor);
    batch_destroy(&got);
    /* What can't be widened is refused, not guessed. */
    wanted[4].type.kind = TYPE_STRING;
    assert_null(parquet_cursor_open(reader, &projection, 0, -1, &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "int"));
    wanted[4].type.kind = TYPE_LONG;
    wanted[1].required = true;
    assert_null(parquet_cursor_open(reader, &projection, 0, -1, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
}

static void files_without_ids_are_read_by_name(void **state)
{
    (void)state;
    struct error error = {0};
    struct field fields[] = {{.id = -1, .name = "a", .type = {.kind = TYPE_INT}},
                             {.id = -1, .name = "b", .type = {.kind = TYPE_STRING}}};
    struct schema schema = {.fields = fields, .field_count = 2};
    struct batch batch;
    check(batch_init(&batch, &schema, &error), &error);
    int32_t number = 7;
    check(column_append_bytes(&batch.columns[0], slice_make(&number, 4), &error), &error);
    check(column_append_bytes(&batch.columns[1], slice_of("seven"), &error), &error);
    batch.length = 1;
    struct buffer bytes = {0};
    write_batch(&batch, NULL, &bytes, NULL);
    struct slice slice = buffer_slice(&bytes);
    struct source source;
    struct parquet_reader *reader = open_bytes(&slice, &source);
    struct field wanted = {.id = 5, .name = "b", .type = {.kind = TYPE_STRING}};
    struct schema projection = {.fields = &wanted, .field_count = 1};
    struct batch got;
    check(batch_init(&got, &projection, &error), &error);
    struct parquet_cursor *cursor = parquet_cursor_open(reader, &projection, 0, -1, &error);
    check(cursor != NULL, &error);
    check(parquet_cursor_next(cursor, &got, 10, &error), &error);
    assert_true(slice_is(column_bytes(&got.columns[0], 0), "seven"));
    parquet_cursor_close(cursor);
    batch_destroy(&got);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
}

/* ---- refusals ---- */

static void bad_rows_are_refused_with_the_column(void **state)
{
    (void)state;
    struct field fields[] = {
        {.id = 1, .name = "must", .required = true, .type = {.kind = TYPE_INT}},
        {.id = 2, .name = "money", .type = {.kind = TYPE_DECIMAL, .precision = 3, .scale = 0}}};
    for (size_t i = 0; i < 2; i++) {
        struct error error = {0};
        struct schema schema = {.fields = &fields[i], .field_count = 1};
        struct batch batch;
        check(batch_init(&batch, &schema, &error), &error);
        int128 decimal = 1000;
        check(i ? column_append_bytes(&batch.columns[0], slice_make(&decimal, 16), &error)
                : column_append_null(&batch.columns[0], &error),
              &error);
        batch.length = 1;
        struct buffer bytes = {0};
        struct sink sink = sink_to_buffer(&bytes);
        struct parquet_writer *writer = parquet_writer_open(&sink, &schema, NULL, &error);
        check(writer != NULL, &error);
        assert_false(parquet_writer_write(writer, &batch, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_non_null(strstr(error.message, fields[i].name));
        parquet_writer_destroy(writer);
        buffer_destroy(&bytes);
        batch_destroy(&batch);
    }
}

/* ---- reading little ---- */

struct counted {
    struct slice bytes;
    uint64_t read;
};

static bool counted_read(void *context, uint64_t offset, void *out, size_t length,
                         struct error *error)
{
    (void)error;
    struct counted *counted = context;
    counted->read += length;
    memcpy(out, counted->bytes.data + offset, length);
    return true;
}

static void few_rows_of_a_large_file_touch_few_bytes(void **state)
{
    (void)state;
    struct error error = {0};
    struct random random;
    random_seed(&random, 11);
    struct field field = {.id = 1, .name = "n", .type = {.kind = TYPE_LONG}};
    struct schema schema = {.fields = &field, .field_count = 1};
    struct batch batch;
    check(batch_init(&batch, &schema, &error), &error);
    for (size_t i = 0; i < 1000000; i++) {
        uint64_t number = random_next(&random);
        check(column_append_bytes(&batch.columns[0], slice_make(&number, 8), &error), &error);
    }
    batch.length = 1000000;
    struct buffer bytes = {0};
    write_batch(&batch, NULL, &bytes, NULL);
    struct counted counted = {buffer_slice(&bytes), 0};
    struct source source = {&counted, bytes.length, "counted", counted_read, NULL};
    struct parquet_reader *reader = parquet_reader_open(&source, NULL, &error);
    check(reader != NULL, &error);
    struct parquet_cursor *cursor = parquet_cursor_open(reader, &schema, 777777, 3, &error);
    check(cursor != NULL, &error);
    read_and_compare(cursor, &batch, 777777, 3, 100);
    assert_true(counted.read < 1500000); /* of 8 MB: footer, index, two windows */
    parquet_cursor_close(cursor);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
}

static void wide_rows_come_in_small_batches(void **state)
{
    (void)state;
    struct error error = {0};
    struct field fields[] = {{.id = 1, .name = "n", .type = {.kind = TYPE_INT}},
                             {.id = 2, .name = "s", .type = {.kind = TYPE_STRING}}};
    struct schema schema = {.fields = fields, .field_count = 2};
    struct batch batch, got;
    check(batch_init(&batch, &schema, &error), &error);
    check(batch_init(&got, &schema, &error), &error);
    enum { ROWS = 500, LONG = 100000 };
    char *text = malloc(LONG);
    memset(text, 's', LONG);
    for (int32_t i = 0; i < ROWS; i++) {
        size_t length = i < 100 ? 1 : LONG; /* narrow ones in front, so that averages mislead */
        check(column_append_bytes(&batch.columns[0], slice_make(&i, 4), &error), &error);
        check(column_append_bytes(&batch.columns[1], slice_make(text, length), &error), &error);
    }
    batch.length = ROWS;
    struct buffer bytes = {0};
    write_batch(&batch, NULL, &bytes, NULL);
    assert_true(bytes.length < 100000); /* a dictionary of two */
    struct parquet_limits limits = PARQUET_LIMITS_DEFAULT;
    limits.batch_bytes = 1000000;
    struct slice slice = buffer_slice(&bytes);
    struct source source = source_from_memory(&slice, "wide.parquet");
    struct parquet_reader *reader = parquet_reader_open(&source, &limits, &error);
    check(reader != NULL, &error);
    struct parquet_cursor *cursor = parquet_cursor_open(reader, &schema, 0, -1, &error);
    check(cursor != NULL, &error);
    size_t row = 0;
    do {
        check(parquet_cursor_next(cursor, &got, 10000, &error), &error);
        assert_true(got.columns[1].bytes_length <= 5000000);
        for (size_t i = 0; i < got.length; i++)
            assert_rows_equal(&batch, row++, &got, i);
    } while (got.length > 0);
    assert_int_equal(row, ROWS);
    parquet_cursor_close(cursor);
    parquet_reader_close(reader);
    /* A single row beyond the limit is refused, and the message says where. */
    limits.batch_bytes = LONG / 8;
    reader = parquet_reader_open(&source, &limits, &error);
    cursor = parquet_cursor_open(reader, &schema, 200, -1, &error);
    assert_false(parquet_cursor_next(cursor, &got, 10000, &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "wide.parquet"));
    parquet_cursor_close(cursor);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
    batch_destroy(&got);
    free(text);
}

static void metadata_travels_along(void **state)
{
    (void)state;
    struct error error = {0};
    struct field field = {.id = 1, .name = "n", .type = {.kind = TYPE_LONG}};
    struct schema schema = {.fields = &field, .field_count = 1};
    struct parquet_key_value pairs[] = {{"iceberg.schema", "{\"type\":\"struct\"}"}, {"k", NULL}};
    struct parquet_writer_options options = PARQUET_WRITER_DEFAULTS;
    options.key_values = pairs;
    options.key_value_count = 2;
    struct buffer bytes = {0};
    struct batch batch;
    check(batch_init(&batch, &schema, &error), &error);
    write_batch(&batch, &options, &bytes, NULL);
    struct slice slice = buffer_slice(&bytes);
    struct source source;
    struct parquet_reader *reader = open_bytes(&slice, &source);
    assert_string_equal(parquet_reader_metadata(reader, "iceberg.schema"), pairs[0].value);
    assert_null(parquet_reader_metadata(reader, "k"));
    assert_true(slice_starts_with(slice_of(parquet_reader_created_by(reader)),
                                  slice_of("surfboard version ")));
    assert_int_equal(parquet_reader_groups(reader), 0);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    batch_destroy(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rows_of_random_schemas_come_back),
        cmocka_unit_test(few_rows_come_back),
        cmocka_unit_test(a_dictionary_that_outgrows_falls_back),
        cmocka_unit_test(facts_of_files_and_groups_are_true),
        cmocka_unit_test(long_bounds_are_shortened_upwards),
        cmocka_unit_test(columns_are_found_by_id_and_widened),
        cmocka_unit_test(files_without_ids_are_read_by_name),
        cmocka_unit_test(bad_rows_are_refused_with_the_column),
        cmocka_unit_test(few_rows_of_a_large_file_touch_few_bytes),
        cmocka_unit_test(wide_rows_come_in_small_batches),
        cmocka_unit_test(metadata_travels_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

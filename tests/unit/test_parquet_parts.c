/* The promises of the parts of core/parquet: the encodings agree with the format's description,
 * thrift skips what it does not know, a description says what is in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>

#include "core/base/random.h"
#include "core/parquet/convert.h"
#include "core/parquet/delta.h"
#include "core/parquet/describe.h"
#include "core/parquet/rle.h"
#include "core/parquet/thrift.h"
#include "core/parquet/writer.h"

/* ---- RLE ---- */

static void runs_and_packed_groups_come_back(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 1);
    struct buffer out = {0};
    for (unsigned width = 0; width <= 32; width++) {
        for (int round = 0; round < 40; round++) {
            enum { COUNT = 700 };
            uint32_t values[COUNT], back[COUNT];
            size_t count = (size_t)random_below(&random, COUNT + 1);
            uint64_t limit = (uint64_t)1 << width;
            for (size_t i = 0; i < count;) {
                size_t run = random_below(&random, 3) ? 1 : (size_t)random_below(&random, 200) + 1;
                uint32_t value = (uint32_t)random_below(&random, limit);
                for (; run > 0 && i < count; run--)
                    values[i++] = value;
            }
            buffer_clear(&out);
            assert_true(rle_encode(values, count, width, &out, NULL));
            char *exact = malloc(out.length ? out.length : 1);
            memcpy(exact, out.data ? out.data : "", out.length);
            struct rle_decoder decoder;
            rle_decoder_init(&decoder, slice_make(exact, out.length), width);
            size_t skip = count / 3;
            assert_true(rle_decode(&decoder, back, skip));
            assert_true(rle_skip(&decoder, skip));
            assert_true(rle_decode(&decoder, back + 2 * skip, count - 2 * skip));
            assert_memory_equal(back, values, skip * sizeof *back);
            assert_memory_equal(back + 2 * skip, values + 2 * skip,
                                (count - 2 * skip) * sizeof *back);
            free(exact);
        }
    }
    buffer_destroy(&out);
}

static void bits_come_back(void **state)
{
    (void)state;
    struct random random;
    random_seed(&random, 2);
    struct buffer out = {0};
    for (int round = 0; round < 500; round++) {
        uint8_t bits[1000], back[1000];
        size_t count = (size_t)random_below(&random, sizeof bits + 1);
        for (size_t i = 0; i < count;) {
            size_t run = (size_t)random_below(&random, round % 2 ? 300 : 5) + 1;
            uint8_t bit = (uint8_t)random_below(&random, 2);
            for (; run > 0 && i < count; run--)
                bits[i++] = bit;
        }
        buffer_clear(&out);
        assert_true(rle_encode_bits(bits, count, &out, NULL));
        struct rle_decoder decoder;
        rle_decoder_init(&decoder, buffer_slice(&out), 1);
        assert_true(rle_decode_bytes(&decoder, back, count));
        assert_memory_equal(back, bits, count);
    }
    buffer_destroy(&out);
}

/* Encodings.md: the numbers 0 to 7 at a width of 3, in the hybrid and in the deprecated form. */
static void packed_numbers_match_the_format_description(void **state)
{
    (void)state;
    static const char hybrid[] = {0x03, (char)0x88, (char)0xC6, (char)0xFA};
    static const char legacy[] = {0x05, 0x39, 0x77};
    uint32_t out[8];
    struct rle_decoder decoder;
    for (int form = 0; form < 2; form++) {
        if (form == 0)
            rle_decoder_init(&decoder, slice_make(hybrid, sizeof hybrid), 3);
        else
            rle_decoder_init_legacy(&decoder, slice_make(legacy, sizeof legacy), 3, 8);
        assert_true(rle_decode(&decoder, out, 8));
        for (uint32_t i = 0; i < 8; i++)
            assert_int_equal(out[i], i);
        assert_false(rle_decode(&decoder, out, 1));
    }
    struct buffer written = {0};
    assert_true(rle_encode(out, 8, 3, &written, NULL));
    assert_memory_equal(written.data, hybrid, sizeof hybrid);
    buffer_destroy(&written);
}

/* ---- deltas ---- */

/* Encodings.md, example 1 and 2, blocks of 128 in 4 miniblocks (the examples leave that open). */
static void deltas_match_the_format_description(void **state)
{
    (void)state;
    /* 1, 2, 3, 4, 5: all deltas 1, so no bits. */
    static const uint8_t steady[] = {0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0};
    /* 7, 5, 3, 1, 2, 3, 4, 5: least delta -2, rest 0 0 0 3 3 3 3 at a width of 2. */
    static const uint8_t turning[] = {0x80, 0x01, 4, 8, 14, 3, 2, 0, 0, 0, 0xC0, 0x3F};
    static const int64_t turned[] = {7, 5, 3, 1, 2, 3, 4, 5};
    struct delta_decoder delta;
    int64_t out[8];
    assert_true(delta_begin(&delta, steady, steady + sizeof steady));
    assert_true(delta_read(&delta, out, 5));
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(out[i], i + 1);
    assert_false(delta_read(&delta, out, 1));
    assert_true(delta_begin(&delta, turning, turning + sizeof turning));
    const uint8_t *end;
    assert_true(delta_find_end(delta, &end));
    assert_ptr_equal(end, turning + sizeof turning);
    assert_true(delta_read(&delta, out, 3));
    assert_true(delta_read(&delta, out + 3, 5));
    assert_memory_equal(out, turned, sizeof turned);
    /* Cut anywhere: refused, never read beyond. */
    for (size_t length = 0; length < sizeof turning; length++) {
        uint8_t *exact = malloc(length ? length : 1);
        memcpy(exact, turning, length);
        bool ok = delta_begin(&delta, exact, exact + length) && delta_read(&delta, out, 8);
        assert_false(ok);
        free(exact);
    }
}

/* ---- thrift ---- */

static void unknown_fields_are_skipped(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct thrift_writer writer;
    thrift_write_begin(&writer, &bytes, NULL);
    thrift_field_i32(&writer, 1, -5);
    thrift_field_struct(&writer, 2);
    thrift_field_list(&writer, 1, THRIFT_STRUCT, 20);
    for (int i = 0; i < 20; i++) {
        thrift_struct_begin(&writer);
        thrift_field_bool(&writer, 3, i % 2);
        thrift_field_binary(&writer, 4, slice_of("text"));
        thrift_struct_end(&writer);
    }
    thrift_field_list(&writer, 2, THRIFT_TRUE, 3);
    for (int i = 0; i < 3; i++)
        thrift_element_bool(&writer, i == 1);
    thrift_struct_end(&writer);
    thrift_field_i8(&writer, 30, -1);
    thrift_field_i64(&writer, 1000, INT64_MIN);
    thrift_struct_end(&writer);
    assert_true(writer.ok);
    for (size_t length = 0; length <= bytes.length; length++) {
        struct thrift_reader reader;
        struct thrift_field field = {0};
        int64_t last = 0;
        thrift_read_begin(&reader, slice_make(bytes.data, length));
        while (thrift_read_field(&reader, &field)) {
            if (field.id == 1000)
                last = thrift_read_int(&reader, field.type);
            else
                thrift_skip(&reader, field.type);
        }
        assert_int_equal(reader.failed, length < bytes.length);
        if (length == bytes.length)
            assert_true(last == INT64_MIN);
    }
    buffer_destroy(&bytes);
}

/* ---- conversions ---- */

static void foreign_times_become_microseconds(void **state)
{
    (void)state;
    int64_t out[2];
    int64_t nanos[] = {1999, -1};
    assert_true(convert_fixed(CONVERT_NANOS, nanos, 8, 2, out));
    assert_int_equal(out[0], 1);
    assert_int_equal(out[1], -1); /* down, not towards zero */
    int64_t millis[] = {5, INT64_MAX / 10};
    assert_true(convert_fixed(CONVERT_LONG_MILLIS, millis, 8, 1, out));
    assert_int_equal(out[0], 5000);
    assert_false(convert_fixed(CONVERT_LONG_MILLIS, millis, 8, 2, out));
    /* 2000-01-01 12:00 is Julian day 2451545. */
    uint8_t int96[12] = {0};
    uint64_t noon = UINT64_C(43200000000000);
    uint32_t julian = 2451545;
    memcpy(int96, &noon, 8);
    memcpy(int96 + 8, &julian, 4);
    assert_true(convert_fixed(CONVERT_INT96, int96, 12, 1, out));
    assert_int_equal(out[0], INT64_C(946728000000000));
}

/* ---- description ---- */

static void a_description_names_what_is_there(void **state)
{
    (void)state;
    struct error error = {0};
    struct field element = {.id = 3, .name = "element", .type = {.kind = TYPE_STRING}};
    struct field fields[] = {
        {.id = 1, .name = "day", .required = true, .type = {.kind = TYPE_DATE}},
        {.id = 2,
         .name = "tags",
         .type = {.kind = TYPE_LIST, .fields = &element, .field_count = 1}},
    };
    struct schema schema = {.fields = fields, .field_count = 2};
    struct batch batch;
    assert_true(batch_init(&batch, &schema, &error));
    for (int32_t day = 0; day < 3; day++) {
        assert_true(column_append_bytes(&batch.columns[0], slice_make(&day, 4), &error));
        assert_true(column_append_bytes(&batch.columns[1].children[0], slice_of("a\"b"), &error));
        assert_true(column_append_list_end(&batch.columns[1], &error));
    }
    batch.length = 3;
    struct buffer bytes = {0}, text = {0};
    struct sink sink = sink_to_buffer(&bytes);
    struct parquet_writer *writer = parquet_writer_open(&sink, &schema, NULL, &error);
    assert_true(parquet_writer_write(writer, &batch, &error));
    assert_true(parquet_writer_close(writer, NULL, &error));
    parquet_writer_destroy(writer);
    struct slice slice = buffer_slice(&bytes);
    struct source source = source_from_memory(&slice, "x");
    struct parquet_describe_options options = {.json = true, .pages = true};
    assert_true(parquet_describe(&source, &options, &text, &error));
    json_t *json = json_loadb(text.data, text.length, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_integer_value(json_object_get(json, "rows")), 3);
    json_t *columns =
        json_object_get(json_array_get(json_object_get(json, "row_groups"), 0), "columns");
    json_t *day = json_array_get(columns, 0);
    json_t *tags = json_array_get(columns, 1);
    assert_string_equal(json_string_value(json_object_get(day, "lower")), "1970-01-01");
    assert_string_equal(json_string_value(json_object_get(day, "upper")), "1970-01-03");
    assert_string_equal(json_string_value(json_object_get(tags, "column")), "tags.element");
    assert_true(json_is_true(json_object_get(tags, "pages_readable")));
    assert_true(json_array_size(json_object_get(tags, "pages")) >= 1);
    json_decref(json);
    buffer_clear(&text);
    options.json = false;
    assert_true(parquet_describe(&source, &options, &text, &error));
    assert_non_null(strstr(buffer_text(&text, &error), "tags.element: BYTE_ARRAY, ZSTD"));
    slice.length -= 9;
    source = source_from_memory(&slice, "x");
    assert_false(parquet_describe(&source, &options, &text, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    buffer_destroy(&bytes);
    buffer_destroy(&text);
    batch_destroy(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_and_packed_groups_come_back),
        cmocka_unit_test(bits_come_back),
        cmocka_unit_test(packed_numbers_match_the_format_description),
        cmocka_unit_test(deltas_match_the_format_description),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(foreign_times_become_microseconds),
        cmocka_unit_test(a_description_names_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

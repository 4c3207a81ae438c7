/* The promise of the Parquet reader towards damaged files: an error or the right rows, never a
 * crash, and no failed allocation goes unnoticed on either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/parquet/reader.h"
#include "core/parquet/writer.h"
#include "tests/unit/rows.h"

static const struct parquet_limits small_limits = {
    .footer_bytes = 1 << 20, .page_bytes = 4 << 20, .batch_bytes = 4 << 20};

struct sample {
    struct schema schema;
    struct batch batch;
    struct buffer bytes;
};

static bool sample_write(struct sample *sample, enum codec codec, struct error *error)
{
    struct parquet_writer_options options = PARQUET_WRITER_DEFAULTS;
    options.codec = codec;
    options.page_rows = 30;
    options.group_rows = 80;
    buffer_clear(&sample->bytes);
    struct sink sink = sink_to_buffer(&sample->bytes);
    struct parquet_writer *writer = parquet_writer_open(&sink, &sample->schema, &options, error);
    struct parquet_file_facts facts = {0};
    bool ok = writer && parquet_writer_write(writer, &sample->batch, error) &&
              parquet_writer_close(writer, &facts, error);
    parquet_file_facts_destroy(&facts);
    parquet_writer_destroy(writer);
    return ok;
}

static void sample_make(struct sample *sample, uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    rows_random_schema(&random, 18, 2, &sample->schema);
    assert_true(batch_init(&sample->batch, &sample->schema, NULL));
    rows_random_batch(&random, &sample->batch, 120, ROWS_MIXED);
    sample->bytes = (struct buffer){0};
    assert_true(sample_write(sample, seed % 2 ? CODEC_NONE : CODEC_SNAPPY, NULL));
}

static void sample_destroy(struct sample *sample)
{
    buffer_destroy(&sample->bytes);
    batch_destroy(&sample->batch);
    schema_destroy(&sample->schema);
}

enum { COMPARE = 1, SEEK = 2 };

/* Reads the bytes with the sample's own schema. True when that worked; then, with COMPARE, the rows
 * are the sample's. */
static bool read_bytes(const struct sample *sample, struct slice bytes, int what,
                       struct error *error)
{
    struct source source = source_from_memory(&bytes, "damaged.parquet");
    struct parquet_reader *reader = parquet_reader_open(&source, &small_limits, error);
    if (reader == NULL)
        return false;
    struct batch batch;
    struct parquet_cursor *cursor = NULL;
    size_t row = 0;
    bool ok = batch_init(&batch, &sample->schema, error);
    if (ok) {
        cursor = parquet_cursor_open(reader, &sample->schema, 0, -1, error);
        ok = cursor != NULL;
    }
    if (ok && (what & SEEK))
        ok = parquet_cursor_seek(cursor, parquet_reader_rows(reader) / 2, -1, error);
    while (ok && parquet_cursor_next(cursor, &batch, 50, error) && batch.length > 0) {
        for (size_t i = 0; (what & COMPARE) && i < batch.length; i++, row++) {
            for (size_t c = 0; c < batch.column_count; c++)
                assert_true(
                    column_rows_equal(&sample->batch.columns[c], row, &batch.columns[c], i));
        }
    }
    ok = ok && batch.length == 0 && parquet_cursor_row(cursor) == parquet_reader_rows(reader);
    struct arena arena = {0};
    for (size_t g = 0; g < parquet_reader_groups(reader); g++) {
        for (int32_t id = 0; id < 20; id++) {
            struct parquet_column_facts facts;
            (void)parquet_reader_group_facts(reader, g, id, &arena, &facts, NULL);
        }
    }
    arena_destroy(&arena);
    parquet_cursor_close(cursor);
    batch_destroy(&batch);
    parquet_reader_close(reader);
    return ok;
}

static void assert_plain_error(const struct error *error)
{
    assert_true(error->kind == ERROR_INPUT || error->kind == ERROR_UNSUPPORTED);
    assert_true(error->message[0] != '\0');
}

static void truncated_files_are_errors(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample, 1);
    size_t step = sample.bytes.length / 500 + 1;
    for (size_t length = 0; length < sample.bytes.length; length += length < 64 ? 1 : step) {
        struct error error = {0};
        char *exact = malloc(length ? length : 1);
        memcpy(exact, sample.bytes.data, length);
        assert_false(read_bytes(&sample, slice_make(exact, length), 0, &error));
        assert_plain_error(&error);
        assert_non_null(strstr(error.message, "damaged.parquet"));
        free(exact);
    }
    sample_destroy(&sample);
}

/* Pages carry checksums: a bit that flips in one is always seen. */
static void flipped_bits_in_pages_are_errors(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample, 2);
    struct slice bytes = buffer_slice(&sample.bytes);
    uint32_t footer;
    memcpy(&footer, bytes.data + bytes.length - 8, sizeof footer);
    struct random random;
    random_seed(&random, 3);
    for (size_t round = 0; round < 1500; round++) {
        struct error error = {0};
        size_t at = 4 + (size_t)random_below(&random, bytes.length - footer - 12);
        sample.bytes.data[at] = (char)(sample.bytes.data[at] ^ (1 << round % 8));
        if (!read_bytes(&sample, bytes, COMPARE, &error))
            assert_plain_error(&error);
        sample.bytes.data[at] = (char)(sample.bytes.data[at] ^ (1 << round % 8));
    }
    sample_destroy(&sample);
}

static void damaged_footers_never_crash(void **state)
{
    (void)state;
    for (uint64_t seed = 4; seed <= 5; seed++) {
        struct sample sample;
        sample_make(&sample, seed);
        struct slice bytes = buffer_slice(&sample.bytes);
        uint32_t footer;
        memcpy(&footer, bytes.data + bytes.length - 8, sizeof footer);
        size_t begin = bytes.length - 8 - footer;
        struct random random;
        random_seed(&random, seed);
        for (size_t round = 0; round < 3000; round++) {
            struct error error = {0};
            char saved[4];
            size_t at = begin + (size_t)random_below(&random, footer - 4);
            memcpy(saved, bytes.data + at, sizeof saved);
            size_t width = 1 + round % 4;
            for (size_t i = 0; i < width; i++)
                sample.bytes.data[at + i] =
                    (char)(round % 3 ? random_next(&random) : (round % 2 ? 0xff : 0));
            if (!read_bytes(&sample, bytes, round % 2 ? SEEK : 0, &error) && error.kind)
                assert_plain_error(&error);
            memcpy(sample.bytes.data + at, saved, sizeof saved);
        }
        sample_destroy(&sample);
    }
}

#ifdef SURFBOARD_FAULTS
static void failed_allocations_are_errors(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample, 6);
    memory_fail_after(0);
    assert_true(sample_write(&sample, CODEC_SNAPPY, NULL));
    long writing = memory_allocations();
    for (long n = 1; n <= writing; n += 1 + n / 40) {
        struct error error = {0};
        struct buffer kept = sample.bytes;
        sample.bytes = (struct buffer){0};
        memory_fail_after(n);
        bool ok = sample_write(&sample, CODEC_SNAPPY, &error);
        memory_fail_after(0);
        assert_true(ok || error.kind == ERROR_MEMORY);
        buffer_destroy(&sample.bytes);
        sample.bytes = kept;
    }
    struct slice bytes = buffer_slice(&sample.bytes);
    memory_fail_after(0);
    assert_true(read_bytes(&sample, bytes, COMPARE, NULL));
    long reading = memory_allocations();
    for (long n = 1; n <= reading; n += 1 + n / 40) {
        struct error error = {0};
        memory_fail_after(n);
        bool ok = read_bytes(&sample, bytes, COMPARE, &error);
        memory_fail_after(0);
        assert_true(ok || error.kind == ERROR_MEMORY);
    }
    sample_destroy(&sample);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_files_are_errors),
        cmocka_unit_test(flipped_bits_in_pages_are_errors),
        cmocka_unit_test(damaged_footers_never_crash),
#ifdef SURFBOARD_FAULTS
        cmocka_unit_test(failed_allocations_are_errors),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

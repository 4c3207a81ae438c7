/* parquet_rows: our side of the cross-reader test.
 *
 *   parquet_rows write SEED ROWS FILE     a file of random rows of every type, and their canonical
 *                                         text (tests/unit/rows.h) on standard output
 *   parquet_rows read FILE [FROM COUNT]   the rows of any file as canonical text
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/parquet/reader.h"
#include "core/parquet/writer.h"
#include "tests/unit/rows.h"

static int fail(const struct error *error)
{
    fprintf(stderr, "parquet_rows: %s: %s\n", error_kind_name(error->kind), error->message);
    return error_exit_code(error->kind);
}

static void print_rows(const struct batch *batch)
{
    struct buffer text = {0};
    for (size_t row = 0; row < batch->length; row++) {
        buffer_clear(&text);
        rows_print(batch, row, &text);
        fwrite(text.data, 1, text.length, stdout);
        putchar('\n');
    }
    buffer_destroy(&text);
}

/* Small pages and groups, so that few rows make many of both. */
static bool write_file(uint64_t seed, size_t rows, const char *path, struct error *error)
{
    static const enum codec codecs[] = {CODEC_ZSTD, CODEC_SNAPPY, CODEC_GZIP, CODEC_NONE};
    struct parquet_writer_options options = PARQUET_WRITER_DEFAULTS;
    struct random random;
    struct schema schema;
    struct batch batch;
    struct buffer bytes = {0};
    random_seed(&random, seed);
    rows_random_schema(&random, 22, 3, &schema);
    options.codec = codecs[seed % 4];
    options.page_rows = 1 + random_below(&random, 500);
    options.group_rows = 1 + random_below(&random, 2000);
    struct sink sink = sink_to_buffer(&bytes);
    TRY(batch_init(&batch, &schema, error));
    struct parquet_writer *writer = parquet_writer_open(&sink, &schema, &options, error);
    TRY(writer != NULL);
    for (size_t done = 0; done < rows; done += batch.length) {
        size_t more = 1 + random_below(&random, 999);
        batch_clear(&batch);
        rows_random_batch(&random, &batch, more < rows - done ? more : rows - done, ROWS_MIXED);
        TRY(parquet_writer_write(writer, &batch, error));
        print_rows(&batch);
    }
    TRY(parquet_writer_close(writer, NULL, error));
    parquet_writer_destroy(writer);
    batch_destroy(&batch);
    schema_destroy(&schema);
    bool ok = file_write_atomic(path, buffer_slice(&bytes), 0644, error);
    buffer_destroy(&bytes);
    return ok;
}

static bool read_file(const char *path, int64_t from, int64_t count, struct error *error)
{
    struct buffer bytes = {0};
    TRY(file_read(path, &bytes, error));
    struct slice slice = buffer_slice(&bytes);
    struct source source = source_from_memory(&slice, path);
    struct parquet_reader *reader = parquet_reader_open(&source, NULL, error);
    TRY(reader != NULL);
    struct batch batch;
    TRY(batch_init(&batch, parquet_reader_schema(reader), error));
    struct parquet_cursor *cursor =
        parquet_cursor_open(reader, parquet_reader_schema(reader), from, count, error);
    TRY(cursor != NULL);
    do {
        TRY(parquet_cursor_next(cursor, &batch, 1000, error));
        print_rows(&batch);
    } while (batch.length > 0);
    batch_destroy(&batch);
    parquet_cursor_close(cursor);
    parquet_reader_close(reader);
    buffer_destroy(&bytes);
    return true;
}

int main(int argc, char **argv)
{
    struct error error = {0};
    bool ok;
    if (argc == 5 && strcmp(argv[1], "write") == 0) {
        ok = write_file(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), argv[4], &error);
    } else if ((argc == 3 || argc == 5) && strcmp(argv[1], "read") == 0) {
        ok = read_file(argv[2], argc == 5 ? strtoll(argv[3], NULL, 10) : 0,
                       argc == 5 ? strtoll(argv[4], NULL, 10) : -1, &error);
    } else {
        fputs("usage: parquet_rows write SEED ROWS FILE | read FILE [FROM COUNT]\n", stderr);
        return 2;
    }
    return ok ? 0 : fail(&error);
}

/* The whole Parquet reader over arbitrary bytes: footer, bounds, description, all columns from the
 * beginning and from the middle. */
#include <stdint.h>
#include <stdlib.h>

#include "core/parquet/describe.h"
#include "core/parquet/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_rows(struct parquet_reader *reader, int64_t first)
{
    const struct schema *schema = parquet_reader_schema(reader);
    struct batch batch;
    if (!batch_init(&batch, schema, NULL))
        return;
    struct parquet_cursor *cursor = parquet_cursor_open(reader, schema, first, -1, NULL);
    size_t rows = 0;
    /* A few bytes can stand for billions of rows: enough is enough. */
    while (cursor && rows < 20000 && parquet_cursor_next(cursor, &batch, 3000, NULL) &&
           batch.length > 0)
        rows += batch.length;
    parquet_cursor_close(cursor);
    batch_destroy(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct parquet_limits limits = {
        .footer_bytes = 1 << 20, .page_bytes = 4 << 20, .batch_bytes = 2 << 20};
    struct slice bytes = slice_make(data, size);
    struct source source = source_from_memory(&bytes, "fuzz");
    struct buffer text = {0};
    (void)parquet_describe(&source,
                           &(struct parquet_describe_options){.json = size % 2 == 0, .pages = true},
                           &text, NULL);
    buffer_destroy(&text);
    struct parquet_reader *reader = parquet_reader_open(&source, &limits, NULL);
    if (reader == NULL)
        return 0;
    struct arena arena = {0};
    for (size_t group = 0; group < parquet_reader_groups(reader) && group < 50; group++) {
        for (int32_t id = 0; id < 50; id++) {
            struct parquet_column_facts facts;
            (void)parquet_reader_group_facts(reader, group, id, &arena, &facts, NULL);
        }
    }
    arena_destroy(&arena);
    read_rows(reader, 0);
    read_rows(reader, parquet_reader_rows(reader) / 2);
    parquet_reader_close(reader);
    return 0;
}

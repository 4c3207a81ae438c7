#include "core/parquet/writer.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/parquet/footer.h"

struct parquet_writer {
    struct sink *sink;
    struct parquet_writer_options options;
    struct arena arena; /* leaves, copies of key values */
    struct parquet_leaf *leaves;
    struct chunk *chunks; /* one a leaf */
    size_t leaf_count;
    struct chunk_scratch scratch;
    struct footer footer;
    size_t groups_capacity;
    int64_t group_rows; /* rows in the open group */
};

static bool copy_key_values(struct parquet_writer *writer, struct error *error)
{
    size_t count = writer->options.key_value_count;
    struct parquet_key_value *copies = arena_zero(&writer->arena, count, sizeof *copies, error);
    TRY(copies != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct parquet_key_value *from = &writer->options.key_values[i];
        copies[i].key = arena_copy_text(&writer->arena, from->key, error);
        TRY(copies[i].key != NULL);
        if (from->value) {
            copies[i].value = arena_copy_text(&writer->arena, from->value, error);
            TRY(copies[i].value != NULL);
        }
    }
    writer->options.key_values = copies;
    return true;
}

static bool check_options(const struct parquet_writer_options *options, struct error *error)
{
    if (options->codec > CODEC_ZSTD)
        return error_set(error, ERROR_UNSUPPORTED, "use zstd, snappy, gzip or none",
                         "Parquet files are not written with %s", codec_name(options->codec));
    if (options->page_bytes == 0 || options->page_rows == 0 || options->group_rows == 0 ||
        options->group_bytes == 0 || options->page_bytes > INT32_MAX / 4)
        return error_set(error, ERROR_INTERNAL, NULL, "a Parquet page or group size is no size");
    return true;
}

static bool writer_init(struct parquet_writer *writer, const struct schema *schema,
                        struct error *error)
{
    TRY(check_options(&writer->options, error));
    TRY(copy_key_values(writer, error));
    TRY(parquet_leaves_list(schema, &writer->arena, &writer->leaves, &writer->leaf_count, error));
    if (writer->leaf_count == 0)
        return error_set(error, ERROR_UNSUPPORTED, "give the table a column",
                         "a Parquet file without columns");
    writer->footer = (struct footer){.schema = schema,
                                     .leaves = writer->leaves,
                                     .leaf_count = writer->leaf_count,
                                     .options = &writer->options};
    writer->chunks = memory_zero(writer->leaf_count, sizeof *writer->chunks, error);
    TRY(writer->chunks != NULL);
    for (size_t i = 0; i < writer->leaf_count; i++)
        TRY(chunk_init(&writer->chunks[i], &writer->leaves[i], &writer->options, error));
    writer->scratch.codec = codec_context_create(error);
    TRY(writer->scratch.codec != NULL);
    return sink_write(writer->sink, PARQUET_MAGIC, PARQUET_MAGIC_LENGTH, error);
}

struct parquet_writer *parquet_writer_open(struct sink *sink, const struct schema *schema,
                                           const struct parquet_writer_options *options,
                                           struct error *error)
{
    struct parquet_writer *writer = memory_zero(1, sizeof *writer, error);
    if (writer == NULL)
        return NULL;
    writer->sink = sink;
    writer->options = options ? *options : (struct parquet_writer_options)PARQUET_WRITER_DEFAULTS;
    if (writer_init(writer, schema, error))
        return writer;
    parquet_writer_destroy(writer);
    return NULL;
}

void parquet_writer_destroy(struct parquet_writer *writer)
{
    if (writer == NULL)
        return;
    for (size_t group = 0; group < writer->footer.group_count; group++) {
        for (size_t i = 0; i < writer->leaf_count; i++)
            chunk_record_destroy(&writer->footer.groups[group].chunks[i]);
        free(writer->footer.groups[group].chunks);
    }
    free(writer->footer.groups);
    for (size_t i = 0; writer->chunks && i < writer->leaf_count; i++)
        chunk_destroy(&writer->chunks[i]);
    free(writer->chunks);
    chunk_scratch_destroy(&writer->scratch);
    arena_destroy(&writer->arena);
    free(writer);
}

/* ---- rows ---- */

static bool finish_group(struct parquet_writer *writer, struct error *error)
{
    if (writer->group_rows == 0)
        return true;
    struct footer *footer = &writer->footer;
    TRY(memory_grow(&footer->groups, &writer->groups_capacity, footer->group_count + 1,
                    sizeof *footer->groups, error));
    struct group_record *group = &footer->groups[footer->group_count];
    *group = (struct group_record){.rows = writer->group_rows};
    group->chunks = memory_zero(writer->leaf_count, sizeof *group->chunks, error);
    TRY(group->chunks != NULL);
    footer->group_count++;
    for (size_t i = 0; i < writer->leaf_count; i++)
        TRY(chunk_finish(&writer->chunks[i], &writer->scratch, writer->sink, &group->chunks[i],
                         error));
    writer->group_rows = 0;
    return true;
}

static uint64_t rows_bytes(const struct parquet_writer *writer, const struct batch *batch,
                           size_t from, size_t to)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < writer->leaf_count; i++)
        bytes += parquet_leaf_bytes(&writer->leaves[i], &batch->columns[writer->leaves[i].top],
                                    from, to);
    return bytes;
}

static uint64_t group_bytes(const struct parquet_writer *writer)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < writer->leaf_count; i++)
        bytes += (uint64_t)writer->chunks[i].raw;
    return bytes;
}

/* How many of the rows still go into the open group; at least one. */
static size_t rows_for_group(const struct parquet_writer *writer, const struct batch *batch,
                             size_t from, size_t count)
{
    size_t room = writer->options.group_rows - (size_t)writer->group_rows;
    size_t most = count < room ? count : room;
    uint64_t used = group_bytes(writer);
    uint64_t bytes = used < writer->options.group_bytes ? writer->options.group_bytes - used : 0;
    if (rows_bytes(writer, batch, from, from + most) <= bytes)
        return most;
    size_t least = 1;
    while (least < most) {
        size_t middle = least + (most - least + 1) / 2;
        if (rows_bytes(writer, batch, from, from + middle) <= bytes)
            least = middle;
        else
            most = middle - 1;
    }
    return least;
}

bool parquet_writer_write_rows(struct parquet_writer *writer, const struct batch *batch,
                               size_t from, size_t count, struct error *error)
{
    if (batch->column_count != writer->footer.schema->field_count || from > batch->length ||
        count > batch->length - from)
        return error_set(error, ERROR_INTERNAL, NULL, "a batch that is not the file's");
    while (count > 0) {
        size_t rows = rows_for_group(writer, batch, from, count);
        for (size_t i = 0; i < writer->leaf_count; i++)
            TRY(chunk_write(&writer->chunks[i], &writer->scratch,
                            &batch->columns[writer->leaves[i].top], from, rows, error));
        writer->group_rows += (int64_t)rows;
        writer->footer.rows += (int64_t)rows;
        from += rows;
        count -= rows;
        if ((size_t)writer->group_rows >= writer->options.group_rows ||
            group_bytes(writer) >= writer->options.group_bytes)
            TRY(finish_group(writer, error));
    }
    return true;
}

bool parquet_writer_write(struct parquet_writer *writer, const struct batch *batch,
                          struct error *error)
{
    return parquet_writer_write_rows(writer, batch, 0, batch->length, error);
}

int64_t parquet_writer_rows(const struct parquet_writer *writer)
{
    return writer->footer.rows;
}

int64_t parquet_writer_bytes(const struct parquet_writer *writer)
{
    uint64_t bytes = writer->sink->written;
    for (size_t i = 0; i < writer->leaf_count; i++)
        bytes += writer->chunks[i].bytes.length + writer->chunks[i].plain.length / 2 +
                 writer->chunks[i].dictionary.plain.length / 2;
    return (int64_t)bytes;
}

/* ---- the end ---- */

static bool column_facts(const struct parquet_writer *writer, size_t leaf,
                         struct parquet_file_facts *facts, struct error *error)
{
    const struct range *range = &writer->chunks[leaf].file_range;
    const struct parquet_leaf *place = &writer->leaves[leaf];
    struct parquet_column_facts *out = &facts->columns[leaf];
    *out = (struct parquet_column_facts){.field_id = place->field->id,
                                         .nan_count = range->kind == RANGE_REAL ? 0 : -1};
    for (size_t i = 0; i < writer->footer.group_count; i++) {
        const struct chunk_record *chunk = &writer->footer.groups[i].chunks[leaf];
        out->compressed_bytes += chunk->compressed;
        out->value_count += chunk->values;
        out->null_count += chunk->nulls;
        if (range->kind == RANGE_REAL)
            out->nan_count += chunk->nans;
    }
    out->has_bounds = range->set && place->max_repetition == 0;
    if (!out->has_bounds)
        return true;
    out->lower_exact = true;
    out->upper_exact = true;
    return range_to_iceberg(range, false, &place->field->type, &facts->arena, &out->lower, error) &&
           range_to_iceberg(range, true, &place->field->type, &facts->arena, &out->upper, error);
}

static bool collect_facts(const struct parquet_writer *writer, struct parquet_file_facts *facts,
                          struct error *error)
{
    const struct footer *footer = &writer->footer;
    *facts = (struct parquet_file_facts){.rows = footer->rows,
                                         .bytes = (int64_t)writer->sink->written,
                                         .column_count = writer->leaf_count,
                                         .split_count = footer->group_count};
    facts->columns = arena_zero(&facts->arena, writer->leaf_count, sizeof *facts->columns, error);
    facts->split_offsets =
        arena_zero(&facts->arena, footer->group_count, sizeof *facts->split_offsets, error);
    TRY(facts->columns && facts->split_offsets);
    for (size_t i = 0; i < footer->group_count; i++) {
        const struct chunk_record *first = &footer->groups[i].chunks[0];
        facts->split_offsets[i] =
            first->dictionary_offset >= 0 ? first->dictionary_offset : first->data_offset;
    }
    for (size_t i = 0; i < writer->leaf_count; i++)
        TRY(column_facts(writer, i, facts, error));
    return true;
}

bool parquet_writer_close(struct parquet_writer *writer, struct parquet_file_facts *out,
                          struct error *error)
{
    TRY(finish_group(writer, error));
    TRY(footer_write_indexes(&writer->footer, writer->sink, error));
    TRY(footer_write(&writer->footer, writer->sink, error));
    if (out && !collect_facts(writer, out, error)) {
        parquet_file_facts_destroy(out);
        return false;
    }
    return true;
}

void parquet_file_facts_destroy(struct parquet_file_facts *facts)
{
    arena_destroy(&facts->arena);
    *facts = (struct parquet_file_facts){0};
}

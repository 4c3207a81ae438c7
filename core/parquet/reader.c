#include "core/parquet/reader.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/parquet/reader_private.h"

struct parquet_reader *parquet_reader_open(const struct source *source,
                                           const struct parquet_limits *limits, struct error *error)
{
    struct parquet_reader *reader = memory_zero(1, sizeof *reader, error);
    if (reader == NULL)
        return NULL;
    reader->source = *source;
    reader->limits = limits ? *limits : (struct parquet_limits)PARQUET_LIMITS_DEFAULT;
    if (metadata_read(&reader->metadata, &reader->source, &reader->limits, error))
        return reader;
    parquet_reader_close(reader);
    return NULL;
}

void parquet_reader_close(struct parquet_reader *reader)
{
    if (reader == NULL)
        return;
    metadata_destroy(&reader->metadata);
    free(reader);
}

int64_t parquet_reader_rows(const struct parquet_reader *reader)
{
    return reader->metadata.rows;
}

const struct schema *parquet_reader_schema(const struct parquet_reader *reader)
{
    return &reader->metadata.schema;
}

const char *parquet_reader_created_by(const struct parquet_reader *reader)
{
    return reader->metadata.created_by ? reader->metadata.created_by : "";
}

const char *parquet_reader_metadata(const struct parquet_reader *reader, const char *key)
{
    for (size_t i = 0; i < reader->metadata.pair_count; i++) {
        if (strcmp(reader->metadata.pairs[i].key, key) == 0)
            return reader->metadata.pairs[i].value;
    }
    return NULL;
}

size_t parquet_reader_groups(const struct parquet_reader *reader)
{
    return reader->metadata.group_count;
}

bool parquet_reader_group(const struct parquet_reader *reader, size_t index,
                          struct parquet_group *out)
{
    if (index >= reader->metadata.group_count)
        return false;
    const struct metadata_group *group = &reader->metadata.groups[index];
    *out = (struct parquet_group){
        .rows = group->rows, .first_row = group->first_row, .offset = group->chunks[0].begin};
    for (size_t i = 0; i < reader->metadata.leaf_count; i++)
        out->bytes += group->chunks[i].compressed;
    return true;
}

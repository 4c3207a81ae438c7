#include "core/avro/writer.h"

#include <stdlib.h>

#include "core/avro/block.h"
#include "core/base/memory.h"
#include "core/base/random.h"

enum { BLOCK_TARGET = 64 << 10, SYNC_LENGTH = 16 };

struct avro_writer {
    struct sink *sink;
    enum avro_codec codec;
    uint8_t sync[SYNC_LENGTH];
    struct buffer records; /* of the block being filled */
    int64_t count;
    struct buffer packed, head;
};

static bool writer_entry(struct buffer *out, const char *key, struct slice value,
                         struct error *error)
{
    return avro_put_text(out, key, error) && avro_put_bytes(out, value, error);
}

static bool writer_header(struct avro_writer *writer, const char *schema_json,
                          const struct avro_metadata *metadata, size_t count, struct error *error)
{
    struct buffer *head = &writer->head;
    const char *codec = writer->codec == AVRO_CODEC_DEFLATE ? "deflate" : "null";
    TRY(random_bytes(writer->sync, SYNC_LENGTH, error));
    TRY(buffer_append(head, "Obj\x01", 4, error));
    TRY(avro_put_long(head, (int64_t)count + 2, error));
    TRY(writer_entry(head, "avro.schema", slice_of(schema_json), error));
    TRY(writer_entry(head, "avro.codec", slice_of(codec), error));
    for (size_t i = 0; i < count; i++)
        TRY(writer_entry(head, metadata[i].key, metadata[i].value, error));
    TRY(avro_put_long(head, 0, error));
    TRY(buffer_append(head, writer->sync, SYNC_LENGTH, error));
    return sink_write(writer->sink, head->data, head->length, error);
}

struct avro_writer *avro_writer_open(struct sink *sink, const char *schema_json,
                                     enum avro_codec codec, const struct avro_metadata *metadata,
                                     size_t metadata_count, struct error *error)
{
    struct avro_writer *writer = memory_zero(1, sizeof *writer, error);
    if (writer == NULL)
        return NULL;
    writer->sink = sink;
    writer->codec = codec;
    if (!writer_header(writer, schema_json, metadata, metadata_count, error)) {
        avro_writer_destroy(writer);
        return NULL;
    }
    return writer;
}

void avro_writer_destroy(struct avro_writer *writer)
{
    if (writer == NULL)
        return;
    buffer_destroy(&writer->records);
    buffer_destroy(&writer->packed);
    buffer_destroy(&writer->head);
    free(writer);
}

struct buffer *avro_writer_record(struct avro_writer *writer)
{
    return &writer->records;
}

static bool writer_flush(struct avro_writer *writer, struct error *error)
{
    if (writer->count == 0)
        return true;
    struct slice body = buffer_slice(&writer->records);
    if (writer->codec == AVRO_CODEC_DEFLATE) {
        TRY(avro_block_deflate(body, &writer->packed, error));
        body = buffer_slice(&writer->packed);
    }
    buffer_clear(&writer->head);
    TRY(avro_put_long(&writer->head, writer->count, error));
    TRY(avro_put_long(&writer->head, (int64_t)body.length, error));
    TRY(sink_write(writer->sink, writer->head.data, writer->head.length, error));
    TRY(sink_write(writer->sink, body.data, body.length, error));
    TRY(sink_write(writer->sink, writer->sync, SYNC_LENGTH, error));
    writer->count = 0;
    buffer_clear(&writer->records);
    return true;
}

bool avro_writer_end_record(struct avro_writer *writer, struct error *error)
{
    writer->count++;
    return writer->records.length < BLOCK_TARGET || writer_flush(writer, error);
}

bool avro_writer_finish(struct avro_writer *writer, struct error *error)
{
    return writer_flush(writer, error);
}

/* writer.h: writes Avro object container files with exactly the schema text it is given, so that
 * Iceberg's attributes (field-id, element-id, ...) reach the readers.
 *
 * The caller encodes each record with avro_put_*() into avro_writer_record() in schema order and
 * ends it with avro_writer_end_record(); the writer cuts blocks of about 64 KiB. */
#ifndef SURFBOARD_AVRO_WRITER_H
#define SURFBOARD_AVRO_WRITER_H

#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/stream.h"

struct avro_writer;

enum avro_codec { AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE };

struct avro_metadata {
    const char *key;
    struct slice value;
};

/* Writes the header. The sink must outlive the writer. */
struct avro_writer *avro_writer_open(struct sink *sink, const char *schema_json,
                                     enum avro_codec codec, const struct avro_metadata *metadata,
                                     size_t metadata_count, struct error *error);
struct buffer *avro_writer_record(struct avro_writer *writer);
bool avro_writer_end_record(struct avro_writer *writer, struct error *error);
/* Writes the last block. Does not close the sink. */
bool avro_writer_finish(struct avro_writer *writer, struct error *error);
void avro_writer_destroy(struct avro_writer *writer);

bool avro_put_boolean(struct buffer *out, bool value, struct error *error);
bool avro_put_long(struct buffer *out, int64_t value, struct error *error);       /* int alike */
bool avro_put_bytes(struct buffer *out, struct slice value, struct error *error); /* string alike */
bool avro_put_text(struct buffer *out, const char *value, struct error *error);

#endif

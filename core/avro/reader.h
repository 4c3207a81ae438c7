/* reader.h: Avro object container files (Avro specification, "Object Container Files").
 *
 * Codecs: null, deflate, snappy, zstandard. The reader decodes blocks; records are read with the
 * avro_get_*() calls in schema order, or skipped or turned into JSON whole. Every length is checked
 * against the block: damaged files are ERROR_INPUT, never a crash or an unbounded allocation. */
#ifndef SURFBOARD_AVRO_READER_H
#define SURFBOARD_AVRO_READER_H

#include <jansson.h>

#include "core/avro/schema.h"
#include "core/base/buffer.h"
#include "core/base/stream.h"

struct avro_reader;

/* Where decoding stands inside a block. */
struct avro_cursor {
    const uint8_t *at, *end;
    const char *name; /* of the file, for messages */
};

/* Reads header and schema. The source must outlive the reader. */
struct avro_reader *avro_reader_open(const struct source *source, struct error *error);
void avro_reader_close(struct avro_reader *reader);
const struct avro_schema *avro_reader_schema(const struct avro_reader *reader);
/* A value of the file's metadata map ("schema", "partition-spec-id", ...); {NULL, 0} when absent.
 */
struct slice avro_reader_metadata(const struct avro_reader *reader, const char *key);
/* All of the metadata map but avro.schema, as a JSON object of strings; new reference. */
json_t *avro_reader_metadata_json(const struct avro_reader *reader, struct error *error);

/* Moves to the next record: *cursor stands at its first byte. The caller must read or skip the
 * whole record before the next call. Slices got from the cursor are good until then.
 * *end = true behind the last record. */
bool avro_reader_next(struct avro_reader *reader, struct avro_cursor **cursor, bool *end,
                      struct error *error);

bool avro_get_boolean(struct avro_cursor *cursor, bool *out, struct error *error);
bool avro_get_int(struct avro_cursor *cursor, int32_t *out, struct error *error);
bool avro_get_long(struct avro_cursor *cursor, int64_t *out, struct error *error);
/* bytes and string. Borrowed from the block. */
bool avro_get_bytes(struct avro_cursor *cursor, struct slice *out, struct error *error);
/* `length` raw bytes: fixed, float (4), double (8). */
bool avro_get_raw(struct avro_cursor *cursor, size_t length, struct slice *out,
                  struct error *error);
/* Arrays and maps come in blocks: call until *count is 0, reading *count items between. */
bool avro_get_block(struct avro_cursor *cursor, int64_t *count, struct error *error);
bool avro_skip(struct avro_cursor *cursor, const struct avro_type *type, struct error *error);
/* One value as JSON for people: bytes as hex, unions as their value, maps as objects. */
bool avro_get_json(struct avro_cursor *cursor, const struct avro_type *type, json_t **out,
                   struct error *error);

#endif

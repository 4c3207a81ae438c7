/* block.h: the compression of Avro blocks: null, deflate (raw, no zlib header), snappy (with its
 * big-endian CRC-32 behind), zstandard. Private to core/avro. */
#ifndef SURFBOARD_AVRO_BLOCK_H
#define SURFBOARD_AVRO_BLOCK_H

#include "core/base/buffer.h"

/* No honest block is larger; damaged or hostile ones are refused before memory is asked for. */
#define AVRO_BLOCK_LIMIT ((size_t)256 << 20)

/* Replaces `out` by the decoded block. `codec` as in the file's avro.codec. */
bool avro_block_decode(struct slice codec, struct slice in, struct buffer *out,
                       struct error *error);
bool avro_block_deflate(struct slice in, struct buffer *out, struct error *error);

#endif

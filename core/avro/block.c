#include "core/avro/block.h"

#include "core/codec/codec.h"

static bool block_unsnap(struct slice in, struct buffer *out, struct error *error)
{
    if (in.length < 4)
        return error_set(error, ERROR_INPUT, NULL, "a snappy block has no checksum");
    struct slice body = {in.data, in.length - 4};
    TRY(codec_decompress_append(NULL, CODEC_SNAPPY, body, AVRO_BLOCK_LIMIT, out, error));
    const uint8_t *tail = (const uint8_t *)in.data + body.length;
    uint32_t stored = (uint32_t)tail[0] << 24 | (uint32_t)tail[1] << 16 | (uint32_t)tail[2] << 8 |
                      (uint32_t)tail[3];
    if (codec_crc32(0, buffer_slice(out)) != stored)
        return error_set(error, ERROR_INPUT, NULL, "the checksum of a snappy block is wrong");
    return true;
}

bool avro_block_decode(struct slice codec, struct slice in, struct buffer *out, struct error *error)
{
    buffer_clear(out);
    bool ok;
    if (codec.length == 0 || slice_is(codec, "null"))
        return buffer_append_slice(out, in, error);
    if (slice_is(codec, "deflate"))
        ok = codec_decompress_append(NULL, CODEC_DEFLATE, in, AVRO_BLOCK_LIMIT, out, error);
    else if (slice_is(codec, "zstandard"))
        ok = codec_decompress_append(NULL, CODEC_ZSTD, in, AVRO_BLOCK_LIMIT, out, error);
    else if (slice_is(codec, "snappy"))
        ok = block_unsnap(in, out, error);
    else
        return error_set(error, ERROR_UNSUPPORTED,
                         "rewrite the file with null, deflate, snappy or zstandard",
                         "Avro codec %.*s is not known", SLICE_ARG(codec));
    return ok || error_prefix(error, "Avro block");
}

bool avro_block_deflate(struct slice in, struct buffer *out, struct error *error)
{
    buffer_clear(out);
    return codec_compress(NULL, CODEC_DEFLATE, 1, in, out, error);
}

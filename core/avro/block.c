#include "core/avro/block.h"

#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

enum { BLOCK_STEP = 1 << 16 };

static bool block_damaged(const char *codec, struct error *error)
{
    return error_set(error, ERROR_INPUT, "the file is damaged: restore it, or roll the table back",
                     "an Avro block does not decode (%s)", codec);
}

static bool block_room(struct buffer *out, struct error *error)
{
    if (out->length >= AVRO_BLOCK_LIMIT)
        return error_set(error, ERROR_INPUT, NULL, "an Avro block decodes to more than %zu bytes",
                         AVRO_BLOCK_LIMIT);
    return buffer_reserve(out, BLOCK_STEP, error);
}

static bool block_inflate(struct slice in, struct buffer *out, struct error *error)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)in.data, .avail_in = (uInt)in.length};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return error_set_memory(error, BLOCK_STEP);
    int state = Z_OK;
    bool ok = true;
    while (ok && state == Z_OK) {
        ok = block_room(out, error);
        if (!ok)
            break;
        size_t room = out->capacity - out->length;
        if (room > BLOCK_STEP)
            room = BLOCK_STEP;
        stream.next_out = (Bytef *)out->data + out->length;
        stream.avail_out = (uInt)room;
        state = inflate(&stream, Z_NO_FLUSH);
        out->length += room - stream.avail_out;
    }
    inflateEnd(&stream);
    if (ok && state == Z_MEM_ERROR)
        return error_set_memory(error, BLOCK_STEP);
    return ok && (state == Z_STREAM_END || block_damaged("deflate", error));
}

static bool block_unsnap(struct slice in, struct buffer *out, struct error *error)
{
    size_t length = 0;
    if (in.length < 4 || snappy_uncompressed_length(in.data, in.length - 4, &length) != SNAPPY_OK ||
        length > AVRO_BLOCK_LIMIT || length > in.length * 64)
        return block_damaged("snappy", error);
    TRY(buffer_reserve(out, length + 1, error));
    if (snappy_uncompress(in.data, in.length - 4, out->data, &length) != SNAPPY_OK)
        return block_damaged("snappy", error);
    const uint8_t *tail = (const uint8_t *)in.data + in.length - 4;
    uint32_t stored = (uint32_t)tail[0] << 24 | (uint32_t)tail[1] << 16 | (uint32_t)tail[2] << 8 |
                      (uint32_t)tail[3];
    if (crc32(0, (const Bytef *)out->data, (uInt)length) != stored)
        return block_damaged("snappy checksum", error);
    out->length = length;
    return true;
}

static bool block_unzstd(struct slice in, struct buffer *out, struct error *error)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL)
        return error_set_memory(error, BLOCK_STEP);
    ZSTD_inBuffer input = {in.data, in.length, 0};
    size_t left = 1;
    bool ok = true;
    while (ok && (input.pos < input.size || left != 0)) {
        ok = block_room(out, error);
        if (!ok)
            break;
        ZSTD_outBuffer output = {out->data + out->length, out->capacity - out->length, 0};
        size_t before = input.pos;
        left = ZSTD_decompressStream(context, &output, &input);
        out->length += output.pos;
        if (ZSTD_isError(left) || (output.pos == 0 && input.pos == before))
            ok = block_damaged("zstandard", error);
    }
    ZSTD_freeDCtx(context);
    return ok;
}

bool avro_block_decode(struct slice codec, struct slice in, struct buffer *out, struct error *error)
{
    buffer_clear(out);
    if (codec.length == 0 || slice_is(codec, "null"))
        return buffer_append_slice(out, in, error);
    if (slice_is(codec, "deflate"))
        return block_inflate(in, out, error);
    if (slice_is(codec, "snappy"))
        return block_unsnap(in, out, error);
    if (slice_is(codec, "zstandard"))
        return block_unzstd(in, out, error);
    return error_set(error, ERROR_UNSUPPORTED,
                     "rewrite the table's manifests with null, deflate, snappy or zstandard",
                     "Avro codec %.*s is not known", SLICE_ARG(codec));
}

bool avro_block_deflate(struct slice in, struct buffer *out, struct error *error)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)in.data, .avail_in = (uInt)in.length};
    if (deflateInit2(&stream, 1, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set_memory(error, BLOCK_STEP);
    buffer_clear(out);
    size_t bound = deflateBound(&stream, (uLong)in.length);
    bool ok = buffer_reserve(out, bound, error);
    if (ok) {
        stream.next_out = (Bytef *)out->data;
        stream.avail_out = (uInt)bound;
        ok = deflate(&stream, Z_FINISH) == Z_STREAM_END ||
             error_set(error, ERROR_INTERNAL, NULL, "deflating an Avro block failed");
        out->length = bound - stream.avail_out;
    }
    deflateEnd(&stream);
    return ok;
}

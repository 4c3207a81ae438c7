#include "core/codec/codec.h"

#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "core/base/memory.h"
#include "core/codec/inflate.h"
#include "core/codec/lz4.h"
#include "core/codec/snappy_load.h"

enum { GZIP_WINDOW = 15 + 16, RAW_WINDOW = -15, GZIP_MEMORY = 8, ZSTD_DEFAULT_LEVEL = 3 };

static const struct {
    const char *name;
    size_t ratio; /* the most bytes that one compressed byte can stand for */
} codec_facts[CODEC_KINDS] = {
    [CODEC_NONE] = {"none", 1},          [CODEC_SNAPPY] = {"snappy", 32},
    [CODEC_GZIP] = {"gzip", 1040},       [CODEC_ZSTD] = {"zstd", 65536},
    [CODEC_DEFLATE] = {"deflate", 1040}, [CODEC_LZ4_RAW] = {"lz4_raw", 256},
};

/* Each library's memory is made on first use. */
struct codec_context {
    ZSTD_CCtx *zstd_compress;
    ZSTD_DCtx *zstd_decompress;
    struct inflater *inflater;
    z_stream deflate;
    bool deflate_ready;
    int deflate_window;
    int deflate_level;
};

const char *codec_name(enum codec codec)
{
    return codec < CODEC_KINDS ? codec_facts[codec].name : "unknown";
}

size_t codec_least_size(enum codec codec, size_t out_length)
{
    return codec < CODEC_KINDS ? out_length / codec_facts[codec].ratio : 0;
}

struct codec_context *codec_context_create(struct error *error)
{
    return memory_zero(1, sizeof(struct codec_context), error);
}

void codec_context_destroy(struct codec_context *context)
{
    if (context == NULL)
        return;
    ZSTD_freeCCtx(context->zstd_compress);
    ZSTD_freeDCtx(context->zstd_decompress);
    inflater_destroy(context->inflater);
    if (context->deflate_ready)
        deflateEnd(&context->deflate);
    free(context);
}

static bool damaged(enum codec codec, const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL, "damaged %s data: %s", codec_name(codec), what);
}

static bool unsupported(enum codec codec, const char *verb, struct error *error)
{
    return error_set(error, ERROR_UNSUPPORTED, "use zstd, snappy or gzip", "%s: no %s",
                     codec_name(codec), verb);
}

/* ---- compression ---- */

static bool compress_snappy(struct slice in, struct buffer *out, struct error *error)
{
    TRY(snappy_ready(error));
    size_t length = snappy_max_compressed_length(in.length);
    TRY(buffer_reserve(out, length, error));
    if (snappy_compress(in.data, in.length, out->data + out->length, &length) != SNAPPY_OK)
        return error_set(error, ERROR_INTERNAL, NULL, "snappy can't compress %zu bytes", in.length);
    out->length += length;
    return true;
}

static bool compress_zstd(struct codec_context *context, int level, struct slice in,
                          struct buffer *out, struct error *error)
{
    if (context->zstd_compress == NULL)
        context->zstd_compress = ZSTD_createCCtx();
    if (context->zstd_compress == NULL)
        return error_set_memory(error, 0);
    size_t bound = ZSTD_compressBound(in.length);
    TRY(buffer_reserve(out, bound, error));
    size_t length = ZSTD_compressCCtx(context->zstd_compress, out->data + out->length, bound,
                                      in.data, in.length, level ? level : ZSTD_DEFAULT_LEVEL);
    if (ZSTD_isError(length))
        return error_set(error, ERROR_INTERNAL, NULL, "zstd can't compress %zu bytes: %s",
                         in.length, ZSTD_getErrorName(length));
    out->length += length;
    return true;
}

static bool deflate_prepare(struct codec_context *context, int window, int level,
                            struct error *error)
{
    if (context->deflate_ready && context->deflate_window == window &&
        context->deflate_level == level && deflateReset(&context->deflate) == Z_OK)
        return true;
    if (context->deflate_ready)
        deflateEnd(&context->deflate);
    context->deflate_ready = false;
    context->deflate = (z_stream){0};
    int status =
        deflateInit2(&context->deflate, level, Z_DEFLATED, window, GZIP_MEMORY, Z_DEFAULT_STRATEGY);
    if (status == Z_STREAM_ERROR)
        return error_set(error, ERROR_USAGE, "use a level of 1 to 9", "gzip: no level %d", level);
    if (status != Z_OK)
        return error_set_memory(error, 1 << 18);
    context->deflate_ready = true;
    context->deflate_window = window;
    context->deflate_level = level;
    return true;
}

static bool compress_deflate(struct codec_context *context, int window, int level, struct slice in,
                             struct buffer *out, struct error *error)
{
    if (in.length > UINT32_MAX / 2)
        return error_set(error, ERROR_UNSUPPORTED, "write smaller pages",
                         "gzip: a block of %zu bytes", in.length);
    TRY(deflate_prepare(context, window, level ? level : Z_DEFAULT_COMPRESSION, error));
    z_stream *zlib = &context->deflate;
    uLong bound = deflateBound(zlib, (uLong)in.length);
    TRY(buffer_reserve(out, bound, error));
    zlib->next_in = (Bytef *)(uintptr_t)in.data;
    zlib->avail_in = (uInt)in.length;
    zlib->next_out = (Bytef *)out->data + out->length;
    zlib->avail_out = (uInt)bound;
    if (deflate(zlib, Z_FINISH) != Z_STREAM_END)
        return error_set(error, ERROR_INTERNAL, NULL, "zlib can't compress %zu bytes", in.length);
    out->length += bound - zlib->avail_out;
    return true;
}

static bool compress_with(struct codec_context *context, enum codec codec, int level,
                          struct slice in, struct buffer *out, struct error *error)
{
    switch (codec) {
    case CODEC_NONE:
        return buffer_append_slice(out, in, error);
    case CODEC_SNAPPY:
        return compress_snappy(in, out, error);
    case CODEC_ZSTD:
        return compress_zstd(context, level, in, out, error);
    case CODEC_GZIP:
        return compress_deflate(context, GZIP_WINDOW, level, in, out, error);
    case CODEC_DEFLATE:
        return compress_deflate(context, RAW_WINDOW, level, in, out, error);
    default:
        return unsupported(codec, "compression", error);
    }
}

bool codec_compress(struct codec_context *context, enum codec codec, int level, struct slice in,
                    struct buffer *out, struct error *error)
{
    if (context)
        return compress_with(context, codec, level, in, out, error);
    struct codec_context *made = codec_context_create(error);
    TRY(made != NULL);
    bool ok = compress_with(made, codec, level, in, out, error);
    codec_context_destroy(made);
    return ok;
}

/* ---- decompression ---- */

static bool decompress_snappy(struct slice in, void *out, size_t out_length, struct error *error)
{
    TRY(snappy_ready(error));
    size_t length = 0;
    if (snappy_uncompressed_length(in.data, in.length, &length) != SNAPPY_OK ||
        length != out_length)
        return damaged(CODEC_SNAPPY, "it is not of the expected size", error);
    if (snappy_uncompress(in.data, in.length, out, &length) != SNAPPY_OK || length != out_length)
        return damaged(CODEC_SNAPPY, "not a valid block", error);
    return true;
}

static bool decompress_zstd(struct codec_context *context, struct slice in, void *out,
                            size_t out_length, struct error *error)
{
    if (context->zstd_decompress == NULL)
        context->zstd_decompress = ZSTD_createDCtx();
    if (context->zstd_decompress == NULL)
        return error_set_memory(error, 0);
    size_t length =
        ZSTD_decompressDCtx(context->zstd_decompress, out, out_length, in.data, in.length);
    if (ZSTD_isError(length))
        return damaged(CODEC_ZSTD, ZSTD_getErrorName(length), error);
    return length == out_length || damaged(CODEC_ZSTD, "it is not of the expected size", error);
}

/* One member of a gzip text, or one deflate stream, into out[*at ..]. */
static bool inflate_member(struct inflater *inflater, enum codec codec, struct slice *in, char *out,
                           size_t out_length, size_t *at, struct error *error)
{
    TRY(inflater_reset(inflater, codec == CODEC_GZIP ? INFLATE_GZIP : INFLATE_RAW, error));
    char spill; /* a stream that goes on behind out_length shows itself here */
    for (bool ended = false; !ended;) {
        size_t left = in->length;
        size_t produced = 0;
        bool full = *at == out_length;
        TRY(inflater_run(inflater, in, full ? &spill : out + *at, full ? 1 : out_length - *at,
                         &produced, &ended, error));
        if (full && produced)
            return damaged(codec, "it is longer than expected", error);
        *at += produced;
        if (!ended && produced == 0 && left == in->length)
            return damaged(codec, "it is cut short", error);
    }
    return true;
}

static bool decompress_deflate(struct codec_context *context, enum codec codec, struct slice in,
                               void *out, size_t out_length, struct error *error)
{
    if (context->inflater == NULL)
        context->inflater = inflater_create(INFLATE_FASTEST, error);
    TRY(context->inflater != NULL);
    size_t at = 0;
    do {
        TRY(inflate_member(context->inflater, codec, &in, out, out_length, &at, error));
    } while (codec == CODEC_GZIP && in.length > 0);
    return at == out_length || damaged(codec, "it is not of the expected size", error);
}

static bool decompress_with(struct codec_context *context, enum codec codec, struct slice in,
                            void *out, size_t out_length, struct error *error)
{
    switch (codec) {
    case CODEC_NONE:
        if (in.length != out_length)
            return damaged(codec, "it is not of the expected size", error);
        if (out_length)
            memcpy(out, in.data, out_length);
        return true;
    case CODEC_SNAPPY:
        return decompress_snappy(in, out, out_length, error);
    case CODEC_ZSTD:
        return decompress_zstd(context, in, out, out_length, error);
    case CODEC_GZIP:
    case CODEC_DEFLATE:
        return decompress_deflate(context, codec, in, out, out_length, error);
    case CODEC_LZ4_RAW:
        return lz4_decompress_block(in, out, out_length) ||
               damaged(codec, "not a valid block of the expected size", error);
    default:
        return unsupported(codec, "decompression", error);
    }
}

bool codec_decompress(struct codec_context *context, enum codec codec, struct slice in, void *out,
                      size_t out_length, struct error *error)
{
    if (context)
        return decompress_with(context, codec, in, out, out_length, error);
    struct codec_context *made = codec_context_create(error);
    TRY(made != NULL);
    bool ok = decompress_with(made, codec, in, out, out_length, error);
    codec_context_destroy(made);
    return ok;
}

static bool too_long(enum codec codec, size_t limit, struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL, "%s data of more than %zu bytes", codec_name(codec),
                     limit);
}

static bool append_snappy(struct slice in, size_t limit, struct buffer *out, struct error *error)
{
    TRY(snappy_ready(error));
    size_t length = 0;
    if (snappy_uncompressed_length(in.data, in.length, &length) != SNAPPY_OK)
        return damaged(CODEC_SNAPPY, "not a valid block", error);
    if (length > limit)
        return too_long(CODEC_SNAPPY, limit, error);
    TRY(buffer_reserve(out, length, error));
    TRY(decompress_snappy(in, out->data + out->length, length, error));
    out->length += length;
    return true;
}

static bool append_deflate(struct codec_context *context, struct slice in, size_t limit,
                           struct buffer *out, struct error *error)
{
    if (context->inflater == NULL)
        context->inflater = inflater_create(INFLATE_FASTEST, error);
    TRY(context->inflater != NULL);
    TRY(inflater_reset(context->inflater, INFLATE_RAW, error));
    size_t begin = out->length;
    for (bool ended = false; !ended;) {
        size_t left = in.length;
        size_t produced = 0;
        TRY(buffer_reserve(out, left * 2 + 4096, error));
        TRY(inflater_run(context->inflater, &in, out->data + out->length,
                         out->capacity - out->length, &produced, &ended, error));
        out->length += produced;
        if (out->length - begin > limit)
            return too_long(CODEC_DEFLATE, limit, error);
        if (!ended && produced == 0 && left == in.length)
            return damaged(CODEC_DEFLATE, "it is cut short", error);
    }
    return true;
}

static bool append_stream(enum codec codec, struct slice in, size_t limit, struct buffer *out,
                          struct error *error)
{
    struct codec_stream *stream = codec_stream_open(codec, error);
    TRY(stream != NULL);
    size_t begin = out->length;
    bool ok = true;
    for (size_t produced = 1; ok && (produced || in.length);) {
        ok = buffer_reserve(out, in.length + 4096, error) &&
             codec_stream_decode(stream, &in, out->data + out->length, out->capacity - out->length,
                                 &produced, error);
        out->length += ok ? produced : 0;
        if (ok && out->length - begin > limit)
            ok = too_long(codec, limit, error);
    }
    if (ok && !codec_stream_ended(stream))
        ok = damaged(codec, "it is cut short", error);
    codec_stream_close(stream);
    return ok;
}

bool codec_decompress_append(struct codec_context *context, enum codec codec, struct slice in,
                             size_t limit, struct buffer *out, struct error *error)
{
    switch (codec) {
    case CODEC_NONE:
    case CODEC_GZIP:
    case CODEC_ZSTD:
        return append_stream(codec, in, limit, out, error);
    case CODEC_SNAPPY:
        return append_snappy(in, limit, out, error);
    case CODEC_DEFLATE:
        break;
    default:
        return unsupported(codec, "decompression", error);
    }
    if (context)
        return append_deflate(context, in, limit, out, error);
    struct codec_context *made = codec_context_create(error);
    TRY(made != NULL);
    bool ok = append_deflate(made, in, limit, out, error);
    codec_context_destroy(made);
    return ok;
}

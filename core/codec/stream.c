#include "core/codec/codec.h"

#include <stdlib.h>
#include <zstd.h>

#include "core/base/memory.h"
#include "core/codec/inflate.h"

struct codec_stream {
    enum codec codec;
    bool inside; /* of a member or frame: begun and not ended */
    bool any;    /* at least one member or frame has ended */
    struct inflater *inflater;
    ZSTD_DStream *zstd;
};

struct codec_stream *codec_stream_open(enum codec codec, struct error *error)
{
    if (codec != CODEC_NONE && codec != CODEC_GZIP && codec != CODEC_ZSTD) {
        error_set(error, ERROR_UNSUPPORTED, "use plain, .gz or .zst files",
                  "%s files can't be read piece by piece", codec_name(codec));
        return NULL;
    }
    struct codec_stream *stream = memory_zero(1, sizeof *stream, error);
    if (stream == NULL)
        return NULL;
    stream->codec = codec;
    bool ok = true;
    if (codec == CODEC_GZIP) {
        stream->inflater = inflater_create(INFLATE_FASTEST, error);
        ok = stream->inflater != NULL;
    } else if (codec == CODEC_ZSTD) {
        stream->zstd = ZSTD_createDStream();
        ok = stream->zstd != NULL || error_set_memory(error, 1 << 17);
    }
    if (ok && codec_stream_reset(stream, error))
        return stream;
    codec_stream_close(stream);
    return NULL;
}

void codec_stream_close(struct codec_stream *stream)
{
    if (stream == NULL)
        return;
    inflater_destroy(stream->inflater);
    ZSTD_freeDStream(stream->zstd);
    free(stream);
}

bool codec_stream_reset(struct codec_stream *stream, struct error *error)
{
    stream->inside = false;
    stream->any = false;
    if (stream->zstd && ZSTD_isError(ZSTD_initDStream(stream->zstd)))
        return error_set(error, ERROR_INTERNAL, NULL, "zstd can't be set back");
    return true;
}

static bool decode_gzip(struct codec_stream *stream, struct slice *in, char *out, size_t room,
                        size_t *produced, struct error *error)
{
    while (*produced < room && (in->length || stream->inside)) {
        if (!stream->inside)
            TRY(inflater_reset(stream->inflater, INFLATE_GZIP, error));
        stream->inside = true;
        size_t left = in->length;
        size_t more = 0;
        bool ended = false;
        TRY(inflater_run(stream->inflater, in, out + *produced, room - *produced, &more, &ended,
                         error));
        *produced += more;
        if (ended) {
            stream->inside = false;
            stream->any = true;
        } else if (more == 0 && left == in->length) {
            break; /* wants more input */
        }
    }
    return true;
}

static bool decode_zstd(struct codec_stream *stream, struct slice *in, char *out, size_t room,
                        size_t *produced, struct error *error)
{
    while (*produced < room && (in->length || stream->inside)) {
        ZSTD_inBuffer from = {in->data, in->length, 0};
        ZSTD_outBuffer to = {out, room, *produced};
        size_t status = ZSTD_decompressStream(stream->zstd, &to, &from);
        if (ZSTD_isError(status))
            return error_set(error, ERROR_INPUT, NULL, "damaged zstd data: %s",
                             ZSTD_getErrorName(status));
        bool still = from.pos == 0 && to.pos == *produced;
        in->data += from.pos;
        in->length -= from.pos;
        *produced = to.pos;
        stream->inside = status != 0;
        stream->any = stream->any || status == 0;
        if (still)
            break;
    }
    return true;
}

bool codec_stream_decode(struct codec_stream *stream, struct slice *in, void *out, size_t room,
                         size_t *produced, struct error *error)
{
    *produced = 0;
    switch (stream->codec) {
    case CODEC_GZIP:
        return decode_gzip(stream, in, out, room, produced, error);
    case CODEC_ZSTD:
        return decode_zstd(stream, in, out, room, produced, error);
    default:
        break;
    }
    size_t length = in->length < room ? in->length : room;
    if (length)
        memcpy(out, in->data, length);
    in->data += length;
    in->length -= length;
    *produced = length;
    return true;
}

bool codec_stream_ended(const struct codec_stream *stream)
{
    return stream->codec == CODEC_NONE || (stream->any && !stream->inside);
}

#include "core/codec/inflate.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/base/memory.h"

#if defined(__has_include)
#if __has_include(<isa-l/igzip_lib.h>)
#include <isa-l/igzip_lib.h>
#define HAVE_ISAL 1
#endif
#endif

/* Both libraries count in 32 bits; larger inputs go in pieces. */
static const size_t PIECE = 1u << 30;

struct inflater {
    enum inflate_backend backend;
    bool zlib_ready;
    z_stream zlib;
#ifdef HAVE_ISAL
    struct inflate_state isal;
#endif
};

struct inflater *inflater_create(enum inflate_backend backend, struct error *error)
{
    struct inflater *inflater = memory_zero(1, sizeof *inflater, error);
    if (inflater == NULL)
        return NULL;
#ifdef HAVE_ISAL
    inflater->backend = backend;
#else
    (void)backend;
    inflater->backend = INFLATE_ZLIB;
#endif
    return inflater;
}

void inflater_destroy(struct inflater *inflater)
{
    if (inflater == NULL)
        return;
    if (inflater->zlib_ready)
        inflateEnd(&inflater->zlib);
    free(inflater);
}

bool inflater_reset(struct inflater *inflater, enum inflate_format format, struct error *error)
{
#ifdef HAVE_ISAL
    if (inflater->backend == INFLATE_FASTEST) {
        isal_inflate_init(&inflater->isal);
        inflater->isal.crc_flag = format == INFLATE_GZIP ? ISAL_GZIP : ISAL_DEFLATE;
        return true;
    }
#endif
    int window = format == INFLATE_GZIP ? 15 + 16 : -15;
    int status = inflater->zlib_ready ? inflateReset2(&inflater->zlib, window)
                                      : inflateInit2(&inflater->zlib, window);
    if (status != Z_OK)
        return error_set_memory(error, sizeof inflater->zlib);
    inflater->zlib_ready = true;
    return true;
}

static bool damaged(const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL, "damaged gzip data: %s", what);
}

#ifdef HAVE_ISAL
static bool run_isal(struct inflater *inflater, struct slice *in, void *out, size_t room,
                     size_t *produced, bool *ended, struct error *error)
{
    struct inflate_state *state = &inflater->isal;
    /* The library has no const; it only reads. */
    state->next_in = (uint8_t *)(uintptr_t)in->data;
    state->avail_in = (uint32_t)(in->length < PIECE ? in->length : PIECE);
    state->next_out = out;
    state->avail_out = (uint32_t)(room < PIECE ? room : PIECE);
    int status = isal_inflate(state);
    size_t used = (size_t)((const char *)state->next_in - in->data);
    in->data += used;
    in->length -= used;
    *produced = (size_t)(state->next_out - (uint8_t *)out);
    *ended = state->block_state == ISAL_BLOCK_FINISH;
    if (status == ISAL_INCORRECT_CHECKSUM)
        return damaged("the checksum does not match", error);
    return status >= 0 || damaged("not a valid deflate stream", error);
}
#endif

static bool run_zlib(struct inflater *inflater, struct slice *in, void *out, size_t room,
                     size_t *produced, bool *ended, struct error *error)
{
    z_stream *zlib = &inflater->zlib;
    uInt taken = (uInt)(in->length < PIECE ? in->length : PIECE);
    uInt given = (uInt)(room < PIECE ? room : PIECE);
    zlib->next_in = (Bytef *)(uintptr_t)in->data;
    zlib->avail_in = taken;
    zlib->next_out = out;
    zlib->avail_out = given;
    int status = inflate(zlib, Z_NO_FLUSH);
    in->data += taken - zlib->avail_in;
    in->length -= taken - zlib->avail_in;
    *produced = given - zlib->avail_out;
    *ended = status == Z_STREAM_END;
    if (status == Z_MEM_ERROR)
        return error_set_memory(error, 0);
    return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR ||
           damaged(zlib->msg ? zlib->msg : "not a valid deflate stream", error);
}

bool inflater_run(struct inflater *inflater, struct slice *in, void *out, size_t room,
                  size_t *produced, bool *ended, struct error *error)
{
    *produced = 0;
    *ended = false;
#ifdef HAVE_ISAL
    if (inflater->backend == INFLATE_FASTEST)
        return run_isal(inflater, in, out, room, produced, ended, error);
#endif
    return run_zlib(inflater, in, out, room, produced, ended, error);
}

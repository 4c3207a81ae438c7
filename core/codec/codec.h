/* codec.h: compression and checksums behind one face.
 *
 * Whole blocks (Parquet pages, Avro blocks) go through codec_compress() and codec_decompress();
 * whole files (.gz, .zst delta files) through a codec_stream. A context holds the working memory
 * of the libraries so that nothing is set up for each page; it serves one thread at a time.
 */
#ifndef SURFBOARD_CODEC_CODEC_H
#define SURFBOARD_CODEC_CODEC_H

#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/slice.h"

enum codec {
    CODEC_NONE,
    CODEC_SNAPPY,  /* raw block format */
    CODEC_GZIP,    /* RFC 1952 */
    CODEC_ZSTD,    /* RFC 8878 */
    CODEC_DEFLATE, /* raw RFC 1951, as in Avro; blocks only */
    CODEC_LZ4_RAW, /* LZ4 block without a frame; reading only */
    CODEC_KINDS
};

/* "none", "snappy", "gzip", "zstd", "deflate", "lz4_raw". */
const char *codec_name(enum codec codec);

struct codec_context;

struct codec_context *codec_context_create(struct error *error);
void codec_context_destroy(struct codec_context *context);

/* Appends the compressed form of `in` to `out`. Level 0 is the codec's default. A NULL context
 * makes one for this call alone. */
bool codec_compress(struct codec_context *context, enum codec codec, int level, struct slice in,
                    struct buffer *out, struct error *error);

/* Fills exactly `out_length` bytes, or ERROR_INPUT: more, fewer, damaged and trailing bytes alike.
 * Concatenated gzip members and zstd frames are one text. */
bool codec_decompress(struct codec_context *context, enum codec codec, struct slice in, void *out,
                      size_t out_length, struct error *error);

/* Appends the decompressed form, of unknown size, to `out`; more than `limit` bytes is
 * ERROR_INPUT. */
bool codec_decompress_append(struct codec_context *context, enum codec codec, struct slice in,
                             size_t limit, struct buffer *out, struct error *error);

/* The least number of bytes that `out_length` bytes can be compressed to: what a declared size is
 * checked against before memory is set aside for it. */
size_t codec_least_size(enum codec codec, size_t out_length);

/* ---- whole files, piece by piece ---- */

struct codec_stream;

/* CODEC_NONE (copies), CODEC_GZIP (several members) or CODEC_ZSTD (several frames). */
struct codec_stream *codec_stream_open(enum codec codec, struct error *error);
void codec_stream_close(struct codec_stream *stream);
/* Back to the beginning of a new file, keeping the memory. */
bool codec_stream_reset(struct codec_stream *stream, struct error *error);
/* Decodes from the front of *in, which moves on, into `out`. Call again with more input when *in is
 * used up, or with the same when `out` was filled: at the end of the input call until nothing is
 * produced. */
bool codec_stream_decode(struct codec_stream *stream, struct slice *in, void *out, size_t room,
                         size_t *produced, struct error *error);
/* Whether what was decoded so far ends at the end of a member or frame. False at the end of the
 * input: the file is torn. */
bool codec_stream_ended(const struct codec_stream *stream);

/* ---- checksums and hashes ---- */

/* CRC-32 of IEEE 802.3 (gzip, Parquet, Puffin, Avro's snappy); seed 0, or the value so far. */
uint32_t codec_crc32(uint32_t seed, struct slice bytes);
/* murmur3 x86_32 with seed 0: Iceberg's bucket transform. */
uint32_t codec_murmur3(struct slice bytes);

#endif

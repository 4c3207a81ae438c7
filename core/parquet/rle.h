/* rle.h: the RLE / bit-packing hybrid of parquet-format's Encodings.md (levels, dictionary indices,
 * booleans of v2 pages) and the plain bit-packing of legacy levels; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_RLE_H
#define SURFBOARD_PARQUET_RLE_H

#include <stdint.h>

#include "core/base/buffer.h"

/* Bits needed for values 0..highest. */
unsigned rle_width(uint32_t highest);

/* Appends `count` values of `width` bits (0..32). */
bool rle_encode(const uint32_t *values, size_t count, unsigned width, struct buffer *out,
                struct error *error);
/* The same for bytes of 0 and 1 at a width of one bit. */
bool rle_encode_bits(const uint8_t *values, size_t count, struct buffer *out, struct error *error);
/* One run: `count` times `value`. */
bool rle_encode_run(uint32_t value, size_t count, unsigned width, struct buffer *out,
                    struct error *error);
/* PLAIN booleans: bits only, least significant first. `out` has room for (count + 7) / 8. */
void rle_pack_bits(const uint8_t *values, size_t count, uint8_t *out);

/* Decodes piece by piece; bytes behind the end of a run are never touched. */
struct rle_decoder {
    const uint8_t *at;
    const uint8_t *end;
    unsigned width;
    uint32_t value; /* of the present run */
    size_t run;     /* values left in the run */
    size_t packed;  /* values left in the bit-packed group */
    unsigned bit;   /* next bit of *at */
    bool headers;   /* false: legacy bit-packing, one packed run, most significant bit first */
};

void rle_decoder_init(struct rle_decoder *decoder, struct slice bytes, unsigned width);
/* Legacy BIT_PACKED levels; (count * width + 7) / 8 bytes. */
void rle_decoder_init_legacy(struct rle_decoder *decoder, struct slice bytes, unsigned width,
                             size_t count);
/* Fills `count` values; false when the bytes end before or are damaged. */
bool rle_decode(struct rle_decoder *decoder, uint32_t *out, size_t count);
bool rle_decode_bytes(struct rle_decoder *decoder, uint8_t *out, size_t count);
bool rle_skip(struct rle_decoder *decoder, size_t count);

#endif

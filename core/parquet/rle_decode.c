#include "core/parquet/rle.h"

void rle_decoder_init(struct rle_decoder *decoder, struct slice bytes, unsigned width)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    *decoder = (struct rle_decoder){
        .at = data, .end = data + bytes.length, .width = width, .headers = true};
}

void rle_decoder_init_legacy(struct rle_decoder *decoder, struct slice bytes, unsigned width,
                             size_t count)
{
    rle_decoder_init(decoder, bytes, width);
    decoder->headers = false;
    decoder->packed = count;
}

static bool read_header(struct rle_decoder *decoder)
{
    uint64_t header = 0;
    for (int shift = 0;; shift += 7) {
        if (decoder->at == decoder->end || shift > 35)
            return false;
        uint8_t byte = *decoder->at++;
        header |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    if (header & 1) {
        decoder->packed = (size_t)(header >> 1) * 8;
        decoder->bit = 0;
        return decoder->packed > 0;
    }
    size_t bytes = (decoder->width + 7) / 8;
    if ((size_t)(decoder->end - decoder->at) < bytes)
        return false;
    decoder->value = 0;
    for (size_t i = 0; i < bytes; i++)
        decoder->value |= (uint32_t)decoder->at[i] << (8 * i);
    decoder->at += bytes;
    decoder->run = (size_t)(header >> 1);
    return decoder->run > 0;
}

/* Whether the bits of `count` packed values are there. */
static bool has_bits(const struct rle_decoder *decoder, size_t count)
{
    size_t bits = (size_t)(decoder->end - decoder->at) * 8 - decoder->bit;
    return decoder->at == decoder->end ? decoder->width == 0
                                       : count <= (decoder->width ? bits / decoder->width : count);
}

static void advance(struct rle_decoder *decoder, size_t count)
{
    size_t bits = decoder->bit + count * decoder->width;
    decoder->at += bits / 8;
    decoder->bit = (unsigned)(bits % 8);
    decoder->packed -= count;
}

/* One value, most significant bit first: levels of files from before 2013. */
static uint32_t unpack_legacy(struct rle_decoder *decoder, size_t index)
{
    uint32_t value = 0;
    size_t bit = decoder->bit + index * decoder->width;
    for (unsigned i = 0; i < decoder->width; i++, bit++)
        value = value << 1 | (decoder->at[bit / 8] >> (7 - bit % 8) & 1u);
    return value;
}

static void unpack(struct rle_decoder *decoder, uint32_t *out, size_t count)
{
    const uint8_t *at = decoder->at;
    unsigned width = decoder->width;
    uint64_t mask = ((uint64_t)1 << width) - 1;
    size_t bit = decoder->bit;
    size_t i = 0;
    if (!decoder->headers) {
        for (; i < count; i++)
            out[i] = unpack_legacy(decoder, i);
    }
    /* Up to 32 bits from bit 0..7: eight bytes hold them, as long as there are eight. */
    for (; i < count && decoder->end - (at + bit / 8) >= 8; i++, bit += width) {
        uint64_t word;
        memcpy(&word, at + bit / 8, sizeof word);
        out[i] = (uint32_t)(word >> bit % 8 & mask);
    }
    for (; i < count; i++, bit += width) {
        uint64_t word = 0;
        for (size_t byte = bit / 8, k = 0; byte <= (bit + width) / 8; byte++, k++) {
            if (at + byte < decoder->end)
                word |= (uint64_t)at[byte] << (8 * k);
        }
        out[i] = (uint32_t)(word >> bit % 8 & mask);
    }
}

bool rle_decode(struct rle_decoder *decoder, uint32_t *out, size_t count)
{
    while (count > 0) {
        if (decoder->run == 0 && decoder->packed == 0 &&
            !(decoder->headers && read_header(decoder)))
            return false;
        size_t take;
        if (decoder->run) {
            take = count < decoder->run ? count : decoder->run;
            for (size_t i = 0; i < take; i++)
                out[i] = decoder->value;
            decoder->run -= take;
        } else {
            take = count < decoder->packed ? count : decoder->packed;
            if (!has_bits(decoder, take))
                return false;
            unpack(decoder, out, take);
            advance(decoder, take);
        }
        out += take;
        count -= take;
    }
    return true;
}

bool rle_decode_bytes(struct rle_decoder *decoder, uint8_t *out, size_t count)
{
    uint32_t words[256];
    while (count > 0) {
        /* Runs are what levels mostly are. */
        if (decoder->run) {
            size_t take = count < decoder->run ? count : decoder->run;
            memset(out, (int)(decoder->value & 0xff), take);
            decoder->run -= take;
            out += take;
            count -= take;
            continue;
        }
        size_t take = count < 256 ? count : 256;
        if (decoder->packed && decoder->packed < take)
            take = decoder->packed;
        if (decoder->packed == 0) {
            if (!(decoder->headers && read_header(decoder)))
                return false;
            continue;
        }
        if (!rle_decode(decoder, words, take))
            return false;
        for (size_t i = 0; i < take; i++)
            out[i] = (uint8_t)words[i];
        out += take;
        count -= take;
    }
    return true;
}

bool rle_skip(struct rle_decoder *decoder, size_t count)
{
    while (count > 0) {
        if (decoder->run == 0 && decoder->packed == 0 &&
            !(decoder->headers && read_header(decoder)))
            return false;
        size_t take = decoder->run ? decoder->run : decoder->packed;
        take = count < take ? count : take;
        if (decoder->run) {
            decoder->run -= take;
        } else {
            if (!has_bits(decoder, take))
                return false;
            advance(decoder, take);
        }
        count -= take;
    }
    return true;
}

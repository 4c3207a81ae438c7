#include "core/parquet/rle.h"

/* A run costs a header and ends the packed group before it: it has to save that. */
enum { RUN_BITS = 64, LEAST_RUN = 8 };

unsigned rle_width(uint32_t highest)
{
    return highest ? 32 - (unsigned)__builtin_clz(highest) : 0;
}

static uint8_t *put_varint(uint8_t *out, uint64_t value)
{
    while (value >= 0x80) {
        *out++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_run(uint8_t *out, uint32_t value, size_t count, unsigned width)
{
    out = put_varint(out, (uint64_t)count << 1);
    for (unsigned bits = 0; bits < width; bits += 8)
        *out++ = (uint8_t)(value >> bits);
    return out;
}

/* Packs `count` values, filled up with zeros to whole groups of eight, by 64-bit words. */
static uint8_t *put_packed(uint8_t *out, const uint32_t *values, size_t count, unsigned width)
{
    size_t groups = (count + 7) / 8;
    if (groups == 0)
        return out;
    out = put_varint(out, (uint64_t)groups << 1 | 1);
    uint8_t *end = out + groups * width;
    uint64_t word = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t)values[i] << bits;
        bits += width;
        if (bits >= 64) {
            memcpy(out, &word, 8);
            out += 8;
            bits -= 64;
            word = bits ? (uint64_t)values[i] >> (width - bits) : 0;
        }
    }
    for (; out < end; out++) {
        *out = (uint8_t)word;
        word >>= 8;
    }
    return end;
}

/* The most bytes that `count` values can take. */
static size_t encoded_bound(size_t count, unsigned width)
{
    return count / LEAST_RUN * 20 + (count + 8) * width / 8 + 64;
}

bool rle_encode(const uint32_t *values, size_t count, unsigned width, struct buffer *out,
                struct error *error)
{
    if (count == 0)
        return true;
    TRY(buffer_reserve(out, encoded_bound(count, width), error));
    uint8_t *at = (uint8_t *)out->data + out->length;
    size_t worth = width ? RUN_BITS / width : LEAST_RUN;
    if (worth < LEAST_RUN)
        worth = LEAST_RUN;
    size_t literal = 0; /* values from here to i are still to be packed */
    size_t i = 0;
    while (i < count) {
        size_t run = 1;
        while (i + run < count && values[i + run] == values[i])
            run++;
        size_t fill = (8 - (i - literal) % 8) % 8;
        if (run >= worth + fill || (width == 0 && run)) {
            at = put_packed(at, values + literal, i + fill - literal, width);
            at = put_run(at, values[i], run - fill, width);
            literal = i + run;
        }
        i += run;
    }
    at = put_packed(at, values + literal, count - literal, width);
    out->length = (size_t)((char *)at - out->data);
    return true;
}

bool rle_encode_run(uint32_t value, size_t count, unsigned width, struct buffer *out,
                    struct error *error)
{
    TRY(buffer_reserve(out, 16, error));
    uint8_t *end = put_run((uint8_t *)out->data + out->length, value, count, width);
    out->length = (size_t)((char *)end - out->data);
    return true;
}

/* Eight bytes of 0 and 1 as the bits of one byte: the product gathers them in its top byte. */
static uint8_t gather_bits(const uint8_t *values)
{
    uint64_t word;
    memcpy(&word, values, 8);
    return (uint8_t)(word * 0x0102040810204080u >> 56);
}

void rle_pack_bits(const uint8_t *values, size_t count, uint8_t *out)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        *out++ = gather_bits(values + i);
    if (i < count) {
        uint8_t last[8] = {0};
        memcpy(last, values + i, count - i);
        *out = gather_bits(last);
    }
}

bool rle_encode_bits(const uint8_t *values, size_t count, struct buffer *out, struct error *error)
{
    if (count == 0)
        return true;
    TRY(buffer_reserve(out, encoded_bound(count, 1), error));
    uint8_t *at = (uint8_t *)out->data + out->length;
    size_t groups = count / 8;
    size_t group = 0;
    while (group < groups) {
        /* Runs of whole groups, then the packed groups up to the next run. */
        size_t from = group;
        uint8_t bits = gather_bits(values + group * 8);
        while (group < groups && gather_bits(values + group * 8) == bits)
            group++;
        if ((bits == 0 || bits == 0xff) && (group - from) * 8 >= RUN_BITS) {
            at = put_run(at, bits & 1, (group - from) * 8, 1);
            continue;
        }
        size_t same = 0; /* groups alike in front of `group` */
        while (group < groups && same * 8 < RUN_BITS) {
            bits = gather_bits(values + group * 8);
            same = bits == 0 || bits == 0xff
                       ? (same && bits == gather_bits(values + (group - 1) * 8) ? same + 1 : 1)
                       : 0;
            group++;
        }
        if (same * 8 >= RUN_BITS)
            group -= same;
        at = put_varint(at, (uint64_t)(group - from) << 1 | 1);
        rle_pack_bits(values + from * 8, (group - from) * 8, at);
        at += group - from;
    }
    if (groups * 8 < count) {
        at = put_varint(at, 1 << 1 | 1);
        rle_pack_bits(values + groups * 8, count - groups * 8, at);
        at++;
    }
    out->length = (size_t)((char *)at - out->data);
    return true;
}

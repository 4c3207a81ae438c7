#include "core/codec/lz4.h"

#include <stdint.h>

/* Adds the bytes that continue a length nibble of 15. */
static bool read_length(const uint8_t **at, const uint8_t *end, size_t *length)
{
    if (*length != 15)
        return true;
    uint8_t more;
    do {
        if (*at == end)
            return false;
        more = *(*at)++;
        *length += more;
    } while (more == 255);
    return true;
}

/* A sequence is a token, literals, a 2-byte distance and a match; the last one has no match. */
bool lz4_decompress_block(struct slice in, void *out, size_t out_length)
{
    const uint8_t *at = (const uint8_t *)in.data;
    const uint8_t *end = at + in.length;
    uint8_t *to = out;
    uint8_t *to_end = to + out_length;
    while (at < end) {
        uint8_t token = *at++;
        size_t literals = token >> 4;
        if (!read_length(&at, end, &literals) || literals > (size_t)(end - at) ||
            literals > (size_t)(to_end - to))
            return false;
        if (literals)
            memcpy(to, at, literals);
        at += literals;
        to += literals;
        if (at == end)
            return to == to_end;
        if (end - at < 2)
            return false;
        size_t distance = (size_t)at[0] | (size_t)at[1] << 8;
        at += 2;
        size_t match = token & 15;
        if (!read_length(&at, end, &match))
            return false;
        match += 4;
        if (distance == 0 || distance > (size_t)(to - (uint8_t *)out) ||
            match > (size_t)(to_end - to))
            return false;
        /* Byte by byte, since the match may overlap what it produces. */
        for (const uint8_t *from = to - distance; match > 0; match--)
            *to++ = *from++;
    }
    return false;
}

#include "core/codec/codec.h"

#include <zlib.h>

#if defined(__has_include)
#if __has_include(<isa-l/crc.h>)
#include <isa-l/crc.h>
#define HAVE_ISAL_CRC 1
#endif
#endif

uint32_t codec_crc32(uint32_t seed, struct slice bytes)
{
#ifdef HAVE_ISAL_CRC
    return crc32_gzip_refl(seed, (const unsigned char *)bytes.data, bytes.length);
#else
    return (uint32_t)crc32_z(seed, (const unsigned char *)bytes.data, bytes.length);
#endif
}

static uint32_t rotate_left(uint32_t value, int bits)
{
    return value << bits | value >> (32 - bits);
}

static uint32_t murmur3_scramble(uint32_t block)
{
    return rotate_left(block * 0xcc9e2d51u, 15) * 0x1b873593u;
}

uint32_t codec_murmur3(struct slice bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    uint32_t hash = 0;
    size_t at = 0;
    for (; bytes.length - at >= 4; at += 4) {
        uint32_t block = (uint32_t)data[at] | (uint32_t)data[at + 1] << 8 |
                         (uint32_t)data[at + 2] << 16 | (uint32_t)data[at + 3] << 24;
        hash = rotate_left(hash ^ murmur3_scramble(block), 13) * 5 + 0xe6546b64u;
    }
    uint32_t tail = 0;
    for (size_t i = bytes.length; i-- > at;)
        tail = tail << 8 | data[i];
    if (bytes.length > at)
        hash ^= murmur3_scramble(tail);
    hash ^= (uint32_t)bytes.length;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

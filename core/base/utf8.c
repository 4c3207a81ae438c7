#include "core/base/utf8.h"

#include <string.h>

static bool utf8_continues(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t utf8_character_length(const char *data, size_t length)
{
    const unsigned char *p = (const unsigned char *)data;
    if (length == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return length >= 2 && utf8_continues(p[1]) ? 2 : 0;
    if ((p[0] & 0xF0) == 0xE0) {
        if (length < 3 || !utf8_continues(p[1]) || !utf8_continues(p[2]))
            return 0;
        if (p[0] == 0xE0 && p[1] < 0xA0) /* overlong */
            return 0;
        if (p[0] == 0xED && p[1] > 0x9F) /* surrogates */
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (length < 4 || !utf8_continues(p[1]) || !utf8_continues(p[2]) || !utf8_continues(p[3]))
            return 0;
        if (p[0] == 0xF0 && p[1] < 0x90)
            return 0;
        if (p[0] == 0xF4 && p[1] > 0x8F)
            return 0;
        return 4;
    }
    return 0;
}

uint32_t utf8_decode(const char *data, size_t width)
{
    const unsigned char *p = (const unsigned char *)data;
    switch (width) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    case 3:
        return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    case 4:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    default:
        return 0xFFFD;
    }
}

size_t utf8_encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

bool utf8_valid(const char *data, size_t length)
{
    size_t at = 0;
    while (at < length) {
        while (length - at >= 8) {
            uint64_t eight;
            memcpy(&eight, data + at, sizeof eight);
            if (eight & UINT64_C(0x8080808080808080))
                break;
            at += 8;
        }
        if (at == length)
            break;
        size_t width = utf8_character_length(data + at, length - at);
        if (width == 0)
            return false;
        at += width;
    }
    return true;
}

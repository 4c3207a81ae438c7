#include "core/change/token.h"

int32_t token_hex4(const char *text, size_t length)
{
    if (length < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* One escape at `at`; returns its length. The text was checked before. */
static size_t unescape_one(const char *at, char *out, size_t *width)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (at[1] != 'u') {
        *out = values[strchr(names, at[1]) - names];
        *width = 1;
        return 2;
    }
    uint32_t point = (uint32_t)token_hex4(at + 2, 4);
    size_t length = 6;
    if (point >= 0xD800 && point <= 0xDBFF) {
        point = 0x10000 + ((point - 0xD800) << 10) + ((uint32_t)token_hex4(at + 8, 4) - 0xDC00);
        length = 12;
    }
    *width = utf8_encode(point, out);
    return length;
}

bool token_unescape(struct slice raw, struct buffer *out, struct error *error)
{
    TRY(buffer_reserve(out, raw.length, error)); /* an escape never grows */
    const char *at = raw.data, *end = raw.data + raw.length;
    char *to = out->data + out->length;
    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((backslash ? backslash : end) - at);
        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (at == end)
            break;
        size_t width;
        at += unescape_one(at, to, &width);
        to += width;
    }
    out->length = (size_t)(to - out->data);
    return true;
}

bool token_integer(struct slice raw, int64_t *out)
{
    const char *at = raw.data, *end = raw.data + raw.length;
    bool negative = raw.length && *at == '-';
    at += negative;
    if (at == end || end - at > 19)
        return false;
    uint64_t value = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9)
            return false;
        value = value * 10 + digit; /* 19 digits never overflow 64 bits */
    }
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

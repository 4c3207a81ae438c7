#include "core/change/token.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

int32_t token_hex4(const char *text, size_t length)
{
    if (length < 4)
        return -1;
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Whether the text from `at` on is the beginning of an escape that the end cuts off. */
static bool escape_is_cut(const char *at, const char *end)
{
    static const char pattern[] = "\\uXXXX\\uXXXX";
    for (const char *p = pattern; *p; p++, at++) {
        if (at == end)
            return true;
        if (*p == 'X' ? hex_digit(*at) < 0 : *at != *p)
            return false;
    }
    return false;
}

bool token_escape(struct cursor *j)
{
    size_t left = (size_t)(j->end - j->at);
    if (left < 6 && escape_is_cut(j->at, j->end))
        return token_cut(j, "the line ends in an escape");
    char c = j->at[1];
    if (c != 'u') {
        if (c != '"' && c != '\\' && c != 'n' && c != '/' && c != 't' && c != 'r' && c != 'b' &&
            c != 'f')
            return token_fail(j, "an escape that JSON does not have");
        j->at += 2;
        return true;
    }
    int32_t first = token_hex4(j->at + 2, left - 2);
    if (first < 0)
        return token_fail(j, "\\u without four hexadecimal digits");
    if (first < 0xD800 || first > 0xDFFF) {
        j->at += 6;
        return true;
    }
    if (first < 0xDC00 && escape_is_cut(j->at, j->end))
        return token_cut(j, "the line ends in an escape");
    int32_t second =
        left >= 12 && j->at[6] == '\\' && j->at[7] == 'u' ? token_hex4(j->at + 8, left - 8) : -1;
    if (first > 0xDBFF || second < 0xDC00 || second > 0xDFFF)
        return token_fail(j, "half a surrogate pair");
    j->at += 12;
    return true;
}

bool token_character(struct cursor *j)
{
    size_t left = (size_t)(j->end - j->at);
    size_t width = utf8_character_length(j->at, left);
    if (width) {
        j->at += width;
        return true;
    }
    /* The front of a character at the end: any continuation that makes it whole will do. */
    char whole[4];
    for (size_t missing = 1; left < 4 && left + missing <= 4; missing++) {
        for (int next = 0x80; next < 0xC0; next += 0x10) {
            memcpy(whole, j->at, left);
            memset(whole + left, next, missing);
            if (utf8_character_length(whole, left + missing) == left + missing)
                return token_cut(j, "the line ends in a character");
        }
    }
    return token_fail(j, "invalid UTF-8");
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

/* Eight digits at once; false when there is anything else among them. */
static inline bool eight_digits(const char *at, uint64_t *out)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t text;
    memcpy(&text, at, sizeof text);
    uint64_t digits = text ^ UINT64_C(0x3030303030303030);
    if ((digits | (digits + UINT64_C(0x0606060606060606))) & UINT64_C(0xF0F0F0F0F0F0F0F0))
        return false;
    digits = digits * 10 + (digits >> 8); /* pairs, then fours, then all */
    digits = ((digits & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
              (digits >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
             32;
    *out = digits;
    return true;
#else
    *out = 0;
    for (int i = 0; i < 8; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(at[i] - '0');
    }
    return true;
#endif
}

bool token_integer(struct slice raw, int64_t *out)
{
    const char *at = raw.data, *end = raw.data + raw.length;
    bool negative = raw.length && *at == '-';
    at += negative;
    if (at == end || end - at > 19)
        return false;
    uint64_t value = 0, eight;
    for (; end - at >= 8; at += 8) {
        if (!eight_digits(at, &eight))
            return false;
        value = value * 100000000 + eight;
    }
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

#include "core/base/decimal.h"

int128 decimal_power(int n)
{
    int128 power = 1;
    while (n-- > 0)
        power *= 10;
    return power;
}

bool decimal_fits(int128 value, int precision)
{
    int128 limit = decimal_power(precision);
    return value < limit && value > -limit;
}

enum decimal_result decimal_parse(struct slice text, int precision, int scale, int128 *out)
{
    const char *at = text.data;
    const char *end = text.data + text.length;
    bool negative = false;
    if (at < end && (*at == '-' || *at == '+'))
        negative = *at++ == '-';
    /* The exponent first: it moves the point. */
    const char *digits_end = at;
    size_t digits = 0;
    int points = 0;
    long point_at = -1; /* digits in front of the point */
    for (; digits_end < end && (*digits_end == '.' || (*digits_end >= '0' && *digits_end <= '9'));
         digits_end++) {
        if (*digits_end == '.') {
            points++;
            point_at = (long)digits;
        } else {
            digits++;
        }
    }
    if (digits == 0 || points > 1)
        return DECIMAL_NOT_A_NUMBER;
    if (point_at < 0)
        point_at = (long)digits;
    long exponent = 0;
    if (digits_end < end) {
        const char *e = digits_end;
        if (*e != 'e' && *e != 'E')
            return DECIMAL_NOT_A_NUMBER;
        e++;
        bool minus = false;
        if (e < end && (*e == '-' || *e == '+'))
            minus = *e++ == '-';
        if (e == end)
            return DECIMAL_NOT_A_NUMBER;
        for (; e < end; e++) {
            if (*e < '0' || *e > '9')
                return DECIMAL_NOT_A_NUMBER;
            if (exponent < 1000000)
                exponent = exponent * 10 + (*e - '0');
        }
        if (minus)
            exponent = -exponent;
    }
    /* Digit i (0-based) has weight 10^(point_at + exponent - 1 - i); keep those >= -scale. */
    long keep = point_at + exponent + scale; /* digits that count; may exceed `digits` */
    unsigned __int128 value = 0;
    unsigned __int128 limit = (unsigned __int128)decimal_power(precision);
    bool inexact = false;
    long index = 0;
    for (const char *c = at; c < digits_end; c++) {
        if (*c == '.')
            continue;
        unsigned digit = (unsigned)(*c - '0');
        if (index < keep) {
            if (value >= limit)
                return DECIMAL_TOO_LARGE;
            value = value * 10 + digit;
        } else if (digit) {
            inexact = true;
        }
        index++;
    }
    for (; index < keep && value != 0; index++) {
        if (value >= limit)
            return DECIMAL_TOO_LARGE;
        value *= 10;
    }
    if (value >= limit)
        return DECIMAL_TOO_LARGE;
    if (inexact)
        return DECIMAL_INEXACT;
    *out = negative ? -(int128)value : (int128)value;
    return DECIMAL_OK;
}

size_t decimal_format(int128 value, int scale, char out[DECIMAL_TEXT_SIZE])
{
    char digits[DECIMAL_TEXT_SIZE];
    size_t count = 0;
    unsigned __int128 rest = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    do {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest);
    while (count <= (size_t)scale)
        digits[count++] = '0';
    size_t length = 0;
    if (value < 0)
        out[length++] = '-';
    while (count > 0) {
        if (count == (size_t)scale)
            out[length++] = '.';
        out[length++] = digits[--count];
    }
    out[length] = '\0';
    return length;
}

bool decimal_from_bytes(struct slice bytes, int128 *out)
{
    if (bytes.length == 0)
        return false;
    const uint8_t *data = (const uint8_t *)bytes.data;
    size_t length = bytes.length;
    uint8_t sign = data[0] & 0x80 ? 0xFF : 0;
    while (length > 16) {
        if (*data != sign)
            return false;
        data++;
        length--;
    }
    if (bytes.length > 16 && (*data & 0x80) != (sign & 0x80))
        return false;
    unsigned __int128 value = sign ? ~(unsigned __int128)0 : 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | data[i];
    *out = (int128)value;
    return true;
}

void decimal_to_bytes_fixed(int128 value, uint8_t *out, size_t width)
{
    unsigned __int128 rest = (unsigned __int128)value;
    uint8_t sign = value < 0 ? 0xFF : 0;
    for (size_t i = width; i-- > 0;) {
        out[i] = width - 1 - i < 16 ? (uint8_t)rest : sign;
        rest >>= 8;
    }
}

size_t decimal_to_bytes_minimal(int128 value, uint8_t out[16])
{
    uint8_t full[16];
    decimal_to_bytes_fixed(value, full, sizeof full);
    uint8_t sign = value < 0 ? 0xFF : 0;
    size_t skip = 0;
    while (skip < 15 && full[skip] == sign && (full[skip + 1] & 0x80) == (sign & 0x80))
        skip++;
    memcpy(out, full + skip, 16 - skip);
    return 16 - skip;
}

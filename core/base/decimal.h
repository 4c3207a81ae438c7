/* decimal.h: exact decimals of up to 38 digits as 128-bit unscaled integers. */
#ifndef SURFBOARD_BASE_DECIMAL_H
#define SURFBOARD_BASE_DECIMAL_H

#include "core/base/column.h"

enum { DECIMAL_TEXT_SIZE = 48 }; /* sign, 39 digits, point, leading 0, NUL, and room */

enum decimal_result {
    DECIMAL_OK,
    DECIMAL_NOT_A_NUMBER, /* the text is not a plain or exponent decimal number */
    DECIMAL_TOO_LARGE,    /* does not fit the precision */
    DECIMAL_INEXACT       /* digits behind the scale that are not zero */
};

/* Parses "[-+]digits[.digits][e[-+]digits]" to the unscaled value at `scale`. Trailing zeros
 * beyond the scale are fine. */
enum decimal_result decimal_parse(struct slice text, int precision, int scale, int128 *out);

/* Plain notation with exactly `scale` digits behind the point; returns the length. */
size_t decimal_format(int128 value, int scale, char out[DECIMAL_TEXT_SIZE]);

/* Big-endian two's complement (Debezium precise mode, Parquet FLBA, Iceberg bounds). Reading takes
 * any length as long as the value fits 128 bits. Writing minimal form returns its length (1..16);
 * writing to a fixed width sign-extends. */
bool decimal_from_bytes(struct slice bytes, int128 *out);
size_t decimal_to_bytes_minimal(int128 value, uint8_t out[16]);
void decimal_to_bytes_fixed(int128 value, uint8_t *out, size_t width);

/* Whether |value| < 10^precision; precision up to 38. */
bool decimal_fits(int128 value, int precision);
/* 10^n, n in 0..38. */
int128 decimal_power(int n);

#endif

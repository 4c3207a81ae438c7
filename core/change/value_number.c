#include <math.h>
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/decimal.h"
#include "core/change/value.h"

enum { NUMERIC_BYTES = 64 * 1024 }; /* Postgres' numeric has at most 131072 + 16383 digits */

/* A checked JSON number as digits and a power of ten, when they fit 64 bits. */
static bool number_parts(struct slice raw, bool *negative, uint64_t *mantissa, int *exponent)
{
    const char *at = raw.data, *end = raw.data + raw.length;
    *negative = *at == '-';
    at += *negative;
    if (end - at > 18)
        return false;
    *mantissa = 0;
    *exponent = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
    if (at < end && *at == '.') {
        for (at++; at < end && *at >= '0' && *at <= '9'; at++) {
            *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
            --*exponent;
        }
    }
    return at == end; /* no exponent */
}

/* The number with a NUL behind it, for strtod. */
static const char *number_text(struct value_reader *reader, struct slice raw)
{
    buffer_clear(&reader->bytes);
    if (!buffer_append_slice(&reader->bytes, raw, reader->error))
        return NULL;
    return buffer_text(&reader->bytes, reader->error);
}

static bool special_float(const struct token *token, double *out)
{
    if (token->kind != TOKEN_STRING)
        return false;
    if (slice_is(token->raw, "NaN"))
        *out = NAN;
    else if (slice_is(token->raw, "Infinity"))
        *out = INFINITY;
    else if (slice_is(token->raw, "-Infinity"))
        *out = -INFINITY;
    else
        return false;
    return true;
}

enum value_status value_double(struct value_reader *reader, const struct token *token,
                               struct column *column)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    double value;
    bool negative;
    uint64_t mantissa;
    int exponent;
    if (value_is_number(token)) {
        /* Both exact, so one division rounds once. */
        if (number_parts(token->raw, &negative, &mantissa, &exponent) && mantissa <= UINT64_C(1)
                                                                                         << 53) {
            value = (double)mantissa / powers[-exponent];
            value = negative ? -value : value;
        } else {
            const char *text = number_text(reader, token->raw);
            if (text == NULL)
                return VALUE_FAILED;
            value = strtod_l(text, NULL, reader->c_locale);
            if (isinf(value))
                return value_bad(reader, "out of the range of double precision");
        }
    } else if (!special_float(token, &value)) {
        return value_bad(reader, "not a number");
    }
    return value_put_bytes(reader, column, slice_make(&value, sizeof value));
}

enum value_status value_float(struct value_reader *reader, const struct token *token,
                              struct column *column)
{
    static const float powers[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f,
                                   1e6f, 1e7f, 1e8f, 1e9f, 1e10f};
    float value;
    double special;
    bool negative;
    uint64_t mantissa;
    int exponent;
    if (value_is_number(token)) {
        if (number_parts(token->raw, &negative, &mantissa, &exponent) && mantissa <= 1u << 24 &&
            exponent >= -10) {
            value = (float)mantissa / powers[-exponent];
            value = negative ? -value : value;
        } else {
            const char *text = number_text(reader, token->raw);
            if (text == NULL)
                return VALUE_FAILED;
            value = strtof_l(text, NULL, reader->c_locale);
            if (isinf(value))
                return value_bad(reader, "out of the range of real");
        }
    } else if (special_float(token, &special)) {
        value = (float)special;
    } else {
        return value_bad(reader, "not a number");
    }
    return value_put_bytes(reader, column, slice_make(&value, sizeof value));
}

/* Postgres' spelling of what is no number; NULL for anything else. */
static const char *special_numeric(struct slice text)
{
    static const struct {
        const char *sent, *name;
    } names[] = {
        {"NAN", "NaN"},
        {"NaN", "NaN"},
        {"POSITIVE_INFINITY", "Infinity"},
        {"Infinity", "Infinity"},
        {"NEGATIVE_INFINITY", "-Infinity"},
        {"-Infinity", "-Infinity"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is(text, names[i].sent))
            return names[i].name;
    }
    return NULL;
}

/* The unscaled bytes and the scale of a precise decimal, into reader->bytes. */
static enum value_status precise_parts(struct value_reader *reader, const struct change_form *form,
                                       const struct token *token, int64_t *scale)
{
    struct token parts[2] = {{.kind = TOKEN_ABSENT}, {.kind = TOKEN_ABSENT}};
    const struct token *digits = token;
    *scale = form->scale;
    if (token->kind == TOKEN_OBJECT) {
        enum value_status status =
            value_members(reader, token, "scale", &parts[0], "value", &parts[1]);
        if (status != VALUE_FINE)
            return status;
        digits = &parts[1];
        if (parts[0].kind != TOKEN_INTEGER || !token_integer(parts[0].raw, scale) ||
            *scale < -200000 || *scale > 200000)
            return value_bad(reader, "not a decimal with its scale");
    }
    struct slice text;
    if (!value_is_text(digits))
        return value_bad(reader, "not the text of a precise decimal");
    if (!value_text(reader, digits, &text))
        return VALUE_FAILED;
    buffer_clear(&reader->bytes);
    if (!base64_decode(text, &reader->bytes, NULL) || reader->bytes.length == 0 ||
        reader->bytes.length > NUMERIC_BYTES)
        return value_bad(reader, "not base64 of a decimal's digits");
    return VALUE_FINE;
}

/* Bytes that only repeat the sign. */
static struct slice without_sign_bytes(struct slice bytes)
{
    while (bytes.length > 1 && ((bytes.data[0] == 0 && !(bytes.data[1] & 0x80)) ||
                                (bytes.data[0] == -1 && (bytes.data[1] & 0x80))))
        bytes = slice_make(bytes.data + 1, bytes.length - 1);
    return bytes;
}

static enum value_status put_decimal(struct value_reader *reader, int128 value,
                                     struct column *column)
{
    return value_put_bytes(reader, column, slice_make(&value, sizeof value));
}

static enum value_status precise_decimal(struct value_reader *reader,
                                         const struct change_form *form, const struct token *token,
                                         struct column *column)
{
    int64_t scale;
    int128 value;
    const struct type *type = column->type;
    enum value_status status = precise_parts(reader, form, token, &scale);
    if (status != VALUE_FINE)
        return status;
    struct slice bytes = without_sign_bytes(buffer_slice(&reader->bytes));
    if (bytes.length > 16 || !decimal_from_bytes(bytes, &value))
        return value_bad(reader, "a decimal with more digits than the column has");
    for (; value != 0 && scale > type->scale; scale--) {
        if (value % 10 != 0)
            return value_bad(reader, "a decimal with more digits behind the point than the column");
        value /= 10;
    }
    for (; value != 0 && scale < type->scale; scale++) {
        if (!decimal_fits(value, 37))
            return value_bad(reader, "a decimal with more digits than the column has");
        value *= 10;
    }
    if (!decimal_fits(value, type->precision))
        return value_bad(reader, "a decimal with more digits than the column has");
    return put_decimal(reader, value, column);
}

/* "1234.56" of at most 18 digits; false: take the long way. */
static bool short_decimal(struct slice text, const struct type *type, int128 *out)
{
    bool negative;
    uint64_t mantissa;
    int exponent;
    if (text.length < 1 || !number_parts(text, &negative, &mantissa, &exponent) ||
        exponent != -type->scale || text.length < (size_t)(negative + 1))
        return false;
    char last = text.data[text.length - 1], first = text.data[negative];
    if (last < '0' || last > '9' || first < '0' || first > '9')
        return false;
    *out = negative ? -(int128)mantissa : (int128)mantissa;
    return decimal_fits(*out, type->precision);
}

enum value_status value_decimal(struct value_reader *reader, const struct change_form *form,
                                const struct token *token, struct column *column)
{
    const struct type *type = column->type;
    struct slice text = token->raw;
    int128 value;
    if (token->kind == TOKEN_STRING && form->coding == CODING_PLAIN &&
        short_decimal(text, type, &value))
        return put_decimal(reader, value, column);
    if (value_is_text(token)) {
        if (!value_text(reader, token, &text))
            return VALUE_FAILED;
        if (special_numeric(text))
            return value_bent(reader, column);
    }
    if (token->kind == TOKEN_OBJECT || (value_is_text(token) && form->coding != CODING_PLAIN))
        return precise_decimal(reader, form, token, column);
    if (!value_is_text(token) && !value_is_number(token))
        return value_bad(reader, "not a decimal");
    switch (decimal_parse(text, type->precision, type->scale, &value)) {
    case DECIMAL_OK:
        return put_decimal(reader, value, column);
    case DECIMAL_TOO_LARGE:
        return value_bad(reader, "a decimal with more digits than the column has");
    case DECIMAL_INEXACT:
        return value_bad(reader, "a decimal with more digits behind the point than the column");
    case DECIMAL_NOT_A_NUMBER:
        break;
    }
    return value_bad(reader, "not a decimal");
}

/* Big-endian two's complement to decimal digits, most significant first, into `out`: divides by
 * 10^9 until nothing is left. `bytes` is used up. */
static bool digits_of_bytes(struct slice bytes, bool negative, struct buffer *out,
                            struct error *error)
{
    size_t words = (bytes.length + 3) / 4;
    uint32_t *number = calloc(words ? words : 1, sizeof *number); /* least significant first */
    if (number == NULL)
        return error_set_memory(error, words * sizeof *number);
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = (uint8_t)bytes.data[bytes.length - 1 - i];
        number[i / 4] |= (uint32_t)(negative ? (uint8_t)~byte : byte) << i % 4 * 8;
    }
    for (size_t i = 0, carry = negative; carry && i < words; i++)
        carry = ++number[i] == 0;
    bool good = true;
    size_t start = out->length;
    do {
        uint64_t rest = 0;
        for (size_t i = words; i-- > 0;) {
            uint64_t part = rest << 32 | number[i];
            number[i] = (uint32_t)(part / 1000000000);
            rest = part % 1000000000;
        }
        while (words && number[words - 1] == 0)
            words--;
        for (int i = 0; good && i < 9 && (words || rest || out->length == start); i++) {
            good = buffer_append_byte(out, (uint8_t)('0' + rest % 10), error);
            rest /= 10;
        }
    } while (good && words);
    free(number);
    for (size_t a = start, b = out->length; good && a + 1 < b; a++) {
        char digit = out->data[a];
        out->data[a] = out->data[--b];
        out->data[b] = digit;
    }
    return good;
}

/* "-12.50" from digits and a scale, into reader->nested. */
static bool place_point(struct buffer *out, bool negative, struct slice digits, int64_t scale,
                        struct error *error)
{
    buffer_clear(out);
    if (negative)
        TRY(buffer_append_byte(out, '-', error));
    int64_t before = (int64_t)digits.length - scale; /* digits in front of the point */
    bool zero = digits.length == 1 && digits.data[0] == '0';
    if (before <= 0)
        TRY(buffer_append_byte(out, '0', error));
    else
        TRY(buffer_append(out, digits.data,
                          before < (int64_t)digits.length ? (size_t)before : digits.length, error));
    for (int64_t i = (int64_t)digits.length; !zero && i < before; i++)
        TRY(buffer_append_byte(out, '0', error));
    if (scale <= 0)
        return true;
    TRY(buffer_append_byte(out, '.', error));
    for (int64_t i = before; i < 0; i++)
        TRY(buffer_append_byte(out, '0', error));
    size_t from = before > 0 ? (size_t)before : 0;
    return buffer_append(out, digits.data + from, digits.length - from, error);
}

static enum value_status precise_numeric(struct value_reader *reader,
                                         const struct change_form *form, const struct token *token,
                                         struct slice *out)
{
    int64_t scale;
    enum value_status status = precise_parts(reader, form, token, &scale);
    if (status != VALUE_FINE)
        return status;
    struct slice bytes = without_sign_bytes(buffer_slice(&reader->bytes));
    bool negative = bytes.data[0] & 0x80;
    buffer_clear(&reader->text);
    if (!digits_of_bytes(bytes, negative, &reader->text, reader->error) ||
        !place_point(&reader->nested, negative, buffer_slice(&reader->text), scale, reader->error))
        return VALUE_FAILED;
    *out = buffer_slice(&reader->nested);
    return VALUE_FINE;
}

/* [-+]digits[.digits][e[-+]digits] */
static bool is_numeric(struct slice text)
{
    struct cursor c = cursor_over(text);
    bool integer;
    if (text.length && *c.at == '+')
        c.at++;
    const char *start = c.at + (c.at < c.end && *c.at == '-');
    while (start < c.end - 1 && *start == '0' && start[1] >= '0' && start[1] <= '9')
        start++; /* leading zeros are Postgres' business */
    c.at = start;
    if (c.at < c.end && *c.at == '-')
        return false;
    /* Debezium writes a point without digits behind it for a negative scale. */
    if (c.end - c.at > 1 && c.end[-1] == '.')
        c.end--;
    return c.at < c.end && token_number(&c, &integer) && c.at == c.end;
}

/* "12300.000" -> "12300". */
static struct slice without_zero_fraction(struct slice text)
{
    const char *point = memchr(text.data, '.', text.length);
    if (point == NULL)
        return text;
    for (const char *at = point + 1; at < text.data + text.length; at++) {
        if (*at != '0')
            return text;
    }
    return slice_make(text.data, (size_t)(point - text.data));
}

enum value_status value_numeric(struct value_reader *reader, const struct change_form *form,
                                const struct token *token, struct column *column)
{
    struct slice text = token->raw;
    if (token->kind == TOKEN_OBJECT || (value_is_text(token) && form->coding == CODING_PRECISE)) {
        enum value_status status = precise_numeric(reader, form, token, &text);
        if (status != VALUE_FINE)
            return status;
    } else if (value_is_text(token)) {
        if (!value_text(reader, token, &text))
            return VALUE_FAILED;
        const char *special = special_numeric(text);
        if (special)
            text = slice_of(special);
        else if (!is_numeric(text))
            return value_bad(reader, "not a number");
    } else if (!value_is_number(token)) {
        return value_bad(reader, "not a number");
    }
    if (form->drop_fraction)
        text = without_zero_fraction(text);
    return value_put_bytes(reader, column, text);
}

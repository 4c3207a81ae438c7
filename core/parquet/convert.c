#include "core/parquet/convert.h"

#include <math.h>

#include "core/base/decimal.h"

/* ---- choosing ---- */

static bool is_text(const struct type *type)
{
    return type->kind == TYPE_STRING || type->kind == TYPE_BINARY;
}

static bool is_timestamp(const struct type *type)
{
    return type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMPTZ;
}

static bool is_raw16(const struct type *type)
{
    return type->kind == TYPE_UUID || (type->kind == TYPE_FIXED && type->length == 16);
}

/* The unit of a stored time or timestamp. */
static enum convert choose_time(const struct metadata_element *element)
{
    bool millis = element->logical ? element->unit == PARQUET_MILLIS
                                   : element->converted == PARQUET_TIME_MILLIS ||
                                         element->converted == PARQUET_TIMESTAMP_MILLIS;
    if (element->physical == PARQUET_INT96)
        return CONVERT_INT96;
    if (element->physical == PARQUET_INT32)
        return CONVERT_INT_MILLIS;
    if (millis)
        return CONVERT_LONG_MILLIS;
    return element->logical && element->unit == PARQUET_NANOS ? CONVERT_NANOS : CONVERT_NONE;
}

static bool choose_decimal(const struct metadata_element *element, const struct type *have,
                           const struct type *want, enum convert *out)
{
    bool annotated =
        element->logical == PARQUET_LOGICAL_DECIMAL || element->converted == PARQUET_DECIMAL;
    if (have->scale != want->scale || have->precision > want->precision)
        return false;
    switch (element->physical) {
    case PARQUET_INT32:
        *out = CONVERT_INT_TO_DECIMAL;
        return true;
    case PARQUET_INT64:
        *out = annotated ? CONVERT_LONG_TO_DECIMAL : CONVERT_ULONG_TO_DECIMAL;
        return true;
    case PARQUET_FIXED:
        *out = CONVERT_FIXED_TO_DECIMAL;
        return true;
    default:
        *out = CONVERT_BYTES_TO_DECIMAL;
        return element->physical == PARQUET_BYTE_ARRAY;
    }
}

static bool choose_equal(const struct metadata_element *element, const struct type *have,
                         const struct type *want, enum convert *out)
{
    switch (have->kind) {
    case TYPE_LONG:
        if (element->physical == PARQUET_INT32)
            *out = CONVERT_UINT_TO_LONG;
        return true;
    case TYPE_FLOAT:
        if (element->physical == PARQUET_FIXED)
            *out = CONVERT_HALF_TO_FLOAT;
        return true;
    case TYPE_DECIMAL:
        return choose_decimal(element, have, want, out);
    case TYPE_TIME:
        *out = choose_time(element);
        return true;
    case TYPE_FIXED:
        return have->length == want->length;
    default:
        return true;
    }
}

bool convert_choose(const struct metadata_element *element, const struct type *have,
                    const struct type *want, enum convert *out)
{
    *out = CONVERT_NONE;
    if (is_timestamp(have) && is_timestamp(want)) {
        *out = choose_time(element);
        return true;
    }
    if (have->kind == want->kind)
        return choose_equal(element, have, want, out);
    if (have->kind == TYPE_INT && want->kind == TYPE_LONG) {
        *out = CONVERT_INT_TO_LONG;
        return true;
    }
    if (have->kind == TYPE_FLOAT && want->kind == TYPE_DOUBLE) {
        *out =
            element->physical == PARQUET_FIXED ? CONVERT_HALF_TO_DOUBLE : CONVERT_FLOAT_TO_DOUBLE;
        return true;
    }
    return (is_text(have) && is_text(want)) || (is_raw16(have) && is_raw16(want));
}

/* ---- converting ---- */

static uint32_t load32(const char *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static uint64_t load64(const char *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static float half_to_float(uint16_t half)
{
    int exponent = half >> 10 & 0x1f;
    int fraction = half & 0x3ff;
    float value;
    if (exponent == 0)
        value = ldexpf((float)fraction, -24);
    else if (exponent == 31)
        value = fraction ? NAN : INFINITY;
    else
        value = ldexpf((float)(fraction + 1024), exponent - 25);
    return half & 0x8000 ? -value : value;
}

static int64_t floor_thousandth(int64_t value)
{
    return value / 1000 - (value % 1000 < 0);
}

/* Nanoseconds of the day and the Julian day number: what Impala and old Sparks wrote. */
static bool int96_to_micros(const char *from, int64_t *out)
{
    static const int64_t epoch_julian = 2440588;
    static const int64_t day_micros = 86400000000;
    int64_t days = (int64_t)load32(from + 8) - epoch_julian;
    int64_t nanos = (int64_t)load64(from);
    return !__builtin_mul_overflow(days, day_micros, out) &&
           !__builtin_add_overflow(*out, floor_thousandth(nanos), out);
}

static float half_at(const char *from)
{
    uint16_t half;
    memcpy(&half, from, sizeof half);
    return half_to_float(half);
}

static float float_at(const char *from)
{
    float value;
    memcpy(&value, from, sizeof value);
    return value;
}

static bool convert_longs(enum convert convert, const char *from, size_t count, int64_t *to)
{
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        switch (convert) {
        case CONVERT_INT_TO_LONG:
            to[i] = (int32_t)load32(from + 4 * i);
            break;
        case CONVERT_UINT_TO_LONG:
            to[i] = load32(from + 4 * i);
            break;
        case CONVERT_INT_MILLIS:
            to[i] = (int64_t)(int32_t)load32(from + 4 * i) * 1000;
            break;
        case CONVERT_LONG_MILLIS:
            fits = !__builtin_mul_overflow((int64_t)load64(from + 8 * i), 1000, &to[i]) && fits;
            break;
        case CONVERT_NANOS:
            to[i] = floor_thousandth((int64_t)load64(from + 8 * i));
            break;
        default:
            fits = int96_to_micros(from + 12 * i, &to[i]) && fits;
        }
    }
    return fits;
}

static bool convert_decimals(enum convert convert, const char *from, size_t width, size_t count,
                             int128 *to)
{
    bool fits = true;
    for (size_t i = 0; i < count; i++, from += width) {
        int128 value = 0;
        if (convert == CONVERT_INT_TO_DECIMAL)
            value = (int32_t)load32(from);
        else if (convert == CONVERT_LONG_TO_DECIMAL)
            value = (int64_t)load64(from);
        else if (convert == CONVERT_ULONG_TO_DECIMAL)
            value = (int128)load64(from);
        else
            fits = decimal_from_bytes(slice_make(from, width), &value) && fits;
        memcpy(&to[i], &value, sizeof value);
    }
    return fits;
}

bool convert_fixed(enum convert convert, const void *in, size_t width, size_t count, void *out)
{
    const char *from = in;
    switch (convert) {
    case CONVERT_INT_TO_DECIMAL:
    case CONVERT_LONG_TO_DECIMAL:
    case CONVERT_ULONG_TO_DECIMAL:
    case CONVERT_FIXED_TO_DECIMAL:
        return convert_decimals(convert, from, width, count, out);
    case CONVERT_HALF_TO_FLOAT:
        for (size_t i = 0; i < count; i++)
            ((float *)out)[i] = half_at(from + 2 * i);
        return true;
    case CONVERT_HALF_TO_DOUBLE:
        for (size_t i = 0; i < count; i++)
            ((double *)out)[i] = (double)half_at(from + 2 * i);
        return true;
    case CONVERT_FLOAT_TO_DOUBLE:
        for (size_t i = 0; i < count; i++)
            ((double *)out)[i] = (double)float_at(from + 4 * i);
        return true;
    default:
        return convert_longs(convert, from, count, out);
    }
}

bool convert_bytes(const struct column *in, size_t count, int128 *out)
{
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        int128 value = 0;
        struct slice bytes = column_bytes(in, i);
        /* No bytes at all is a zero of some writers. */
        fits = (bytes.length == 0 || decimal_from_bytes(bytes, &value)) && fits;
        out[i] = value;
    }
    return fits;
}

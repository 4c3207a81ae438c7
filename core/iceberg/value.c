/* value.c: Iceberg's single-value binary serialisation (spec, appendix D). */
#include <math.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/iceberg/schema.h"

static void value_put_le(uint64_t value, uint8_t *out, size_t width)
{
    for (size_t i = 0; i < width; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

/* Little-endian two's complement of `width` bytes, sign extended. */
static int64_t value_get_le(struct slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.length; i++)
        value |= (uint64_t)(uint8_t)bytes.data[i] << (8 * i);
    if (bytes.length < 8 && bytes.length > 0 && (bytes.data[bytes.length - 1] & 0x80))
        value |= ~UINT64_C(0) << (8 * bytes.length);
    return (int64_t)value;
}

bool iceberg_value_from_column(const struct column *column, size_t row, struct buffer *out,
                               struct error *error)
{
    uint8_t bytes[16];
    uint64_t bits = 0;
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return buffer_append_byte(out, ((const uint8_t *)column->values)[row], error);
    case TYPE_INT:
    case TYPE_DATE:
        value_put_le((uint64_t)column_int(column, row), bytes, 4);
        return buffer_append(out, bytes, 4, error);
    case TYPE_FLOAT:
        memcpy(&bits, (const float *)column->values + row, 4);
        value_put_le(bits, bytes, 4);
        return buffer_append(out, bytes, 4, error);
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        value_put_le((uint64_t)column_long(column, row), bytes, 8);
        return buffer_append(out, bytes, 8, error);
    case TYPE_DOUBLE:
        memcpy(&bits, (const double *)column->values + row, 8);
        value_put_le(bits, bytes, 8);
        return buffer_append(out, bytes, 8, error);
    case TYPE_DECIMAL:
        return buffer_append(out, bytes,
                             decimal_to_bytes_minimal(column_decimal(column, row), bytes), error);
    case TYPE_STRING:
    case TYPE_BINARY:
        return buffer_append_slice(out, column_bytes(column, row), error);
    case TYPE_UUID:
    case TYPE_FIXED:
        return buffer_append_slice(out, column_fixed(column, row), error);
    default:
        return error_set(error, ERROR_UNSUPPORTED, NULL, "nested values have no single-value form");
    }
}

static float value_float(struct slice bytes)
{
    uint32_t bits = (uint32_t)value_get_le(bytes);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static double value_double(struct slice bytes)
{
    if (bytes.length == 4) /* written before a promotion */
        return (double)value_float(bytes);
    uint64_t bits = (uint64_t)value_get_le(bytes);
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

/* Whether a value of this type can be of that many bytes. */
static bool value_length_fits(const struct type *type, size_t length)
{
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return length == 1;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_FLOAT:
        return length == 4;
    case TYPE_LONG:
    case TYPE_DOUBLE:
        return length == 8 || length == 4;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return length == 8;
    case TYPE_DECIMAL:
        return length >= 1 && length <= 16;
    case TYPE_UUID:
        return length == 16;
    case TYPE_FIXED:
        return length == (size_t)type->length;
    case TYPE_STRING:
    case TYPE_BINARY:
        return true;
    default:
        return false;
    }
}

bool iceberg_value_to_column(const struct type *type, struct slice value, struct column *out,
                             struct error *error)
{
    if (!value_length_fits(type, value.length))
        return error_set(error, ERROR_INPUT, NULL,
                         "a stored value of %zu bytes does not fit its type", value.length);
    int32_t narrow;
    int64_t wide;
    float single;
    double real;
    int128 decimal = 0;
    uint8_t truth;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        truth = value.data[0] != 0;
        return column_append_bytes(out, slice_make(&truth, 1), error);
    case TYPE_INT:
    case TYPE_DATE:
        narrow = (int32_t)value_get_le(value);
        return column_append_bytes(out, slice_make(&narrow, 4), error);
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        wide = value_get_le(value);
        return column_append_bytes(out, slice_make(&wide, 8), error);
    case TYPE_FLOAT:
        single = value_float(value);
        return column_append_bytes(out, slice_make(&single, 4), error);
    case TYPE_DOUBLE:
        real = value_double(value);
        return column_append_bytes(out, slice_make(&real, 8), error);
    case TYPE_DECIMAL:
        if (!decimal_from_bytes(value, &decimal))
            return error_set(error, ERROR_INPUT, NULL, "a stored decimal is out of range");
        return column_append_bytes(out, slice_make(&decimal, sizeof decimal), error);
    default:
        return column_append_bytes(out, value, error);
    }
}

bool iceberg_value_compare(const struct type *type, struct slice a, struct slice b, int *order)
{
    if (!value_length_fits(type, a.length) || !value_length_fits(type, b.length))
        return false;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        *order = (a.data[0] != 0) - (b.data[0] != 0);
        return true;
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ: {
        int64_t left = value_get_le(a), right = value_get_le(b);
        *order = (left > right) - (left < right);
        return true;
    }
    case TYPE_FLOAT:
    case TYPE_DOUBLE: {
        double left = value_double(a), right = value_double(b);
        if (isnan(left) || isnan(right))
            return false;
        *order = (left > right) - (left < right);
        return true;
    }
    case TYPE_DECIMAL: {
        int128 left = 0, right = 0;
        if (!decimal_from_bytes(a, &left) || !decimal_from_bytes(b, &right))
            return false;
        *order = (left > right) - (left < right);
        return true;
    }
    default:
        *order = slice_compare(a, b);
        return true;
    }
}

static bool value_print_hex(struct slice value, struct buffer *out, struct error *error)
{
    TRY(buffer_append_text(out, "0x", error));
    for (size_t i = 0; i < value.length; i++)
        TRY(buffer_append_format(out, error, "%02x", (unsigned)(uint8_t)value.data[i]));
    return true;
}

bool iceberg_value_print(const struct type *type, struct slice value, struct buffer *out,
                         struct error *error)
{
    char text[64]; /* DATETIME_TEXT_SIZE and DECIMAL_TEXT_SIZE are 48 */
    if (!value_length_fits(type, value.length))
        return value_print_hex(value, out, error);
    int128 decimal = 0;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return buffer_append_text(out, value.data[0] ? "true" : "false", error);
    case TYPE_INT:
    case TYPE_LONG:
        return buffer_append_format(out, error, "%lld", (long long)value_get_le(value));
    case TYPE_FLOAT:
        return buffer_append_format(out, error, "%.9g", (double)value_float(value));
    case TYPE_DOUBLE:
        return buffer_append_format(out, error, "%.17g", value_double(value));
    case TYPE_DATE:
        return buffer_append(out, text, datetime_format_date(value_get_le(value), text), error);
    case TYPE_TIME:
        return buffer_append(out, text, datetime_format_time(value_get_le(value), text), error);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return buffer_append(
            out, text,
            datetime_format_timestamp(value_get_le(value), type->kind == TYPE_TIMESTAMPTZ, text),
            error);
    case TYPE_DECIMAL:
        if (!decimal_from_bytes(value, &decimal))
            return value_print_hex(value, out, error);
        return buffer_append(out, text, decimal_format(decimal, type->scale, text), error);
    case TYPE_STRING:
        return buffer_append_slice(out, value, error);
    default:
        return value_print_hex(value, out, error);
    }
}

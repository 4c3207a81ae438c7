#include "core/query/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/random.h"

bool value_append_real(double value, bool single, struct buffer *out, struct error *error)
{
    char text[40];
    if (isnan(value))
        return buffer_append_text(out, "NaN", error);
    if (isinf(value))
        return buffer_append_text(out, value < 0 ? "-Infinity" : "Infinity", error);
    int most = single ? 9 : 17;
    for (int digits = single ? 6 : 15; digits <= most; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        bool same = single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
        if (same)
            break;
    }
    if (strpbrk(text, ".e") == NULL)
        strcat(text, ".0");
    return buffer_append_text(out, text, error);
}

/* Without printf: whole tables go through here. */
static bool append_integer(int64_t value, struct buffer *out, struct error *error)
{
    char text[20];
    size_t at = sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (value < 0)
        text[--at] = '-';
    return buffer_append(out, text + at, sizeof text - at, error);
}

static void put_digits(char *out, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

/* "12:34:56.789012" */
static bool append_clock(int64_t us, struct buffer *out, struct error *error)
{
    char text[] = "00:00:00.000000";
    put_digits(text, us / INT64_C(3600000000) % 100, 2);
    put_digits(text + 3, us / 60000000 % 60, 2);
    put_digits(text + 6, us / 1000000 % 60, 2);
    put_digits(text + 9, us % 1000000, 6);
    return buffer_append(out, text, sizeof text - 1, error);
}

static bool append_moment(int64_t us, bool zone, struct buffer *out, struct error *error)
{
    char day[DATETIME_TEXT_SIZE];
    int64_t days = us / DATETIME_US_PER_DAY, rest = us % DATETIME_US_PER_DAY;
    if (rest < 0) {
        rest += DATETIME_US_PER_DAY;
        days--;
    }
    return buffer_append(out, day, datetime_format_date(days, day), error) &&
           buffer_append_byte(out, ' ', error) && append_clock(rest, out, error) &&
           (!zone || buffer_append_text(out, " UTC", error));
}

static bool append_decimal(const struct column *column, size_t row, struct buffer *out,
                           struct error *error)
{
    char text[DECIMAL_TEXT_SIZE];
    size_t length = decimal_format(column_decimal(column, row), column->type->scale, text);
    return buffer_append(out, text, length, error);
}

static bool append_uuid(const struct column *column, size_t row, struct buffer *out,
                        struct error *error)
{
    char text[UUID_TEXT_SIZE];
    uuid_format((const uint8_t *)column_fixed(column, row).data, text);
    return buffer_append_text(out, text, error);
}

/* Text of a value that is neither nested nor a string. */
static bool append_plain(const struct column *column, size_t row, struct buffer *out,
                         struct error *error)
{
    char day[DATETIME_TEXT_SIZE];
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return buffer_append_text(out, ((const uint8_t *)column->values)[row] ? "true" : "false",
                                  error);
    case TYPE_INT:
        return append_integer(column_int(column, row), out, error);
    case TYPE_LONG:
        return append_integer(column_long(column, row), out, error);
    case TYPE_FLOAT:
        return value_append_real((double)column_float(column, row), true, out, error);
    case TYPE_DOUBLE:
        return value_append_real(column_double(column, row), false, out, error);
    case TYPE_DECIMAL:
        return append_decimal(column, row, out, error);
    case TYPE_DATE:
        return buffer_append(out, day, datetime_format_date(column_int(column, row), day), error);
    case TYPE_TIME:
        return append_clock(column_long(column, row), out, error);
    case TYPE_TIMESTAMP:
        return append_moment(column_long(column, row), false, out, error);
    case TYPE_TIMESTAMPTZ:
        return append_moment(column_long(column, row), true, out, error);
    case TYPE_UUID:
        return append_uuid(column, row, out, error);
    case TYPE_FIXED:
        return base64_encode(column_fixed(column, row), out, error);
    default:
        return base64_encode(column_bytes(column, row), out, error);
    }
}

static bool is_bare_in_json(const struct column *column, size_t row)
{
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
    case TYPE_INT:
    case TYPE_LONG:
        return true;
    case TYPE_FLOAT:
        return isfinite(column_float(column, row));
    case TYPE_DOUBLE:
        return isfinite(column_double(column, row));
    default:
        return false;
    }
}

static bool append_list(const struct column *column, size_t row, struct buffer *out,
                        struct error *error)
{
    TRY(buffer_append_byte(out, '[', error));
    for (uint64_t i = column->offsets[row]; i < column->offsets[row + 1]; i++)
        TRY((i == column->offsets[row] || buffer_append_text(out, ", ", error)) &&
            value_append_json(&column->children[0], i, out, error));
    return buffer_append_byte(out, ']', error);
}

static bool append_struct(const struct column *column, size_t row, struct buffer *out,
                          struct error *error)
{
    TRY(buffer_append_byte(out, '[', error));
    for (size_t i = 0; i < column->child_count; i++)
        TRY((i == 0 || buffer_append_text(out, ", ", error)) &&
            value_append_json(&column->children[i], row, out, error));
    return buffer_append_byte(out, ']', error);
}

/* An object's keys are strings: other keys by their text. */
static bool append_map(const struct column *column, size_t row, struct buffer *out,
                       struct error *error)
{
    struct buffer key = {0};
    bool ok = buffer_append_byte(out, '{', error);
    for (uint64_t i = column->offsets[row]; ok && i < column->offsets[row + 1]; i++) {
        buffer_clear(&key);
        ok = (i == column->offsets[row] || buffer_append_text(out, ", ", error)) &&
             value_append_text(&column->children[0], i, &key, error) &&
             buffer_append_json_text(out, buffer_slice(&key), error) &&
             buffer_append_text(out, ": ", error) &&
             value_append_json(&column->children[1], i, out, error);
    }
    buffer_destroy(&key);
    return ok && buffer_append_byte(out, '}', error);
}

bool value_append_json(const struct column *column, size_t row, struct buffer *out,
                       struct error *error)
{
    if (column_is_null(column, row))
        return buffer_append_text(out, "null", error);
    switch (column->type->kind) {
    case TYPE_LIST:
        return append_list(column, row, out, error);
    case TYPE_MAP:
        return append_map(column, row, out, error);
    case TYPE_STRUCT:
        return append_struct(column, row, out, error);
    case TYPE_STRING:
        return buffer_append_json_text(out, column_bytes(column, row), error);
    default:
        if (is_bare_in_json(column, row))
            return append_plain(column, row, out, error);
        return buffer_append_byte(out, '"', error) && append_plain(column, row, out, error) &&
               buffer_append_byte(out, '"', error);
    }
}

bool value_append_text(const struct column *column, size_t row, struct buffer *out,
                       struct error *error)
{
    if (column->type->kind == TYPE_STRING)
        return buffer_append_slice(out, column_bytes(column, row), error);
    if (type_is_nested(column->type))
        return value_append_json(column, row, out, error);
    return append_plain(column, row, out, error);
}

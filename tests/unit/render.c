#include "tests/unit/render.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"

json_t *render_text(struct slice text)
{
    return json_stringn_nocheck(text.data ? text.data : "", text.length);
}

static json_t *render_list(const struct column *column, size_t row)
{
    json_t *list = json_array();
    for (uint64_t i = column->offsets[row]; i < column->offsets[row + 1]; i++)
        json_array_append_new(list, render_value(&column->children[0], (size_t)i));
    return list;
}

static json_t *render_map(const struct column *column, size_t row)
{
    json_t *map = json_object();
    for (uint64_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) {
        struct slice key = column_bytes(&column->children[0], (size_t)i);
        json_object_setn_new(map, key.data, key.length,
                             render_value(&column->children[1], (size_t)i));
    }
    return map;
}

static json_t *render_bytes(struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(bytes.length * 2 + 3);
    if (text == NULL)
        return NULL;
    memcpy(text, "\\x", 3);
    for (size_t i = 0; i < bytes.length; i++) {
        text[i * 2 + 2] = digits[(unsigned char)bytes.data[i] >> 4];
        text[i * 2 + 3] = digits[(unsigned char)bytes.data[i] & 15];
    }
    json_t *json = json_stringn(text, bytes.length * 2 + 2);
    free(text);
    return json;
}

json_t *render_double(double value, bool single)
{
    char text[64];
    if (value != value)
        return json_string("NaN");
    if (value > 1.7976931348623157e308 || value < -1.7976931348623157e308)
        return json_string(value > 0 ? "Infinity" : "-Infinity");
    snprintf(text, sizeof text, single ? "%.9g" : "%.17g", value);
    return json_real(strtod(text, NULL));
}

json_t *render_value(const struct column *column, size_t row)
{
    char text[64];
    size_t length;
    if (column_is_null(column, row))
        return json_null();
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return json_boolean(((const uint8_t *)column->values)[row]);
    case TYPE_INT:
        return json_integer(column_int(column, row));
    case TYPE_LONG:
        return json_integer(column_long(column, row));
    case TYPE_FLOAT:
        return render_double((double)column_float(column, row), true);
    case TYPE_DOUBLE:
        return render_double(column_double(column, row), false);
    case TYPE_DECIMAL:
        length = decimal_format(column_decimal(column, row), column->type->scale, text);
        return render_text(slice_make(text, length));
    case TYPE_DATE:
        return render_text(slice_make(text, datetime_format_date(column_int(column, row), text)));
    case TYPE_TIME:
        return render_text(slice_make(text, datetime_format_time(column_long(column, row), text)));
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        length = datetime_format_timestamp(column_long(column, row),
                                           column->type->kind == TYPE_TIMESTAMPTZ, text);
        return render_text(slice_make(text, length));
    case TYPE_LIST:
        return render_list(column, row);
    case TYPE_MAP:
        return render_map(column, row);
    case TYPE_STRUCT:
        return json_pack("{s:o, s:o}", column->type->fields[0].name,
                         render_value(&column->children[0], row), column->type->fields[1].name,
                         render_value(&column->children[1], row));
    case TYPE_BINARY:
        return render_bytes(column_bytes(column, row));
    case TYPE_UUID:
        return render_bytes(column_fixed(column, row));
    default:
        return render_text(column_bytes(column, row));
    }
}

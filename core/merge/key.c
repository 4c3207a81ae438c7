#include "core/merge/key.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/memory.h"
#include "core/base/random.h"

static bool type_is_integer_key(const struct type *type)
{
    switch (type->kind) {
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return true;
    default:
        return false;
    }
}

bool key_shape_init(struct key_shape *shape, const struct schema *schema, const char *const *names,
                    size_t count, struct error *error)
{
    *shape = (struct key_shape){.count = count};
    shape->columns = memory_zero(count, sizeof *shape->columns, error);
    TRY(shape->columns != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct field *field = schema_field(schema, names[i]);
        if (field == NULL || type_is_nested(&field->type)) {
            key_shape_destroy(shape);
            return error_set(error, ERROR_CONFIG,
                             "name key columns of plain types in \"primary_key\"",
                             field ? "key column \"%s\" is of a nested type"
                                   : "key column \"%s\" is not among the columns",
                             names[i]);
        }
        shape->columns[i] = (size_t)(field - schema->fields);
    }
    shape->integer = count == 1 && type_is_integer_key(&schema->fields[shape->columns[0]].type);
    return true;
}

void key_shape_destroy(struct key_shape *shape)
{
    free(shape->columns);
    *shape = (struct key_shape){0};
}

static bool append_ordered(struct buffer *out, uint64_t value, int bytes, struct error *error)
{
    uint8_t text[8];
    for (int i = 0; i < bytes; i++)
        text[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    return buffer_append(out, text, (size_t)bytes, error);
}

/* Equal numbers get equal bits: one zero, one NaN; negative numbers sort before positive ones. */
static uint64_t double_order(double value)
{
    if (isnan(value))
        return UINT64_MAX;
    if (value == 0)
        value = 0;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static bool append_string(struct buffer *out, struct slice text, bool last, struct error *error)
{
    if (last)
        return buffer_append_slice(out, text, error);
    size_t from = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\0') {
            TRY(buffer_append(out, text.data + from, i + 1 - from, error));
            TRY(buffer_append_byte(out, 0xFF, error));
            from = i + 1;
        }
    }
    TRY(buffer_append(out, text.data + from, text.length - from, error));
    return buffer_append(out, "\0\0", 2, error);
}

static bool append_value(struct buffer *out, const struct column *column, size_t row, bool last,
                         struct error *error)
{
    switch (column->type->kind) {
    case TYPE_INT:
    case TYPE_DATE:
        return append_ordered(out, (uint32_t)column_int(column, row) ^ UINT32_C(0x80000000), 4,
                              error);
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return append_ordered(out, (uint64_t)column_long(column, row) ^ UINT64_C(1) << 63, 8,
                              error);
    case TYPE_FLOAT:
        return append_ordered(out, double_order((double)column_float(column, row)), 8, error);
    case TYPE_DOUBLE:
        return append_ordered(out, double_order(column_double(column, row)), 8, error);
    case TYPE_DECIMAL: {
        uint8_t bytes[16];
        decimal_to_bytes_fixed(column_decimal(column, row), bytes, sizeof bytes);
        bytes[0] ^= 0x80;
        return buffer_append(out, bytes, sizeof bytes, error);
    }
    case TYPE_STRING:
    case TYPE_BINARY:
        return append_string(out, column_bytes(column, row), last, error);
    default:
        return buffer_append_slice(out, column_fixed(column, row), error);
    }
}

bool key_read(const struct key_shape *shape, const struct batch *batch, size_t row,
              struct buffer *scratch, struct key *out, struct error *error)
{
    for (size_t i = 0; i < shape->count; i++) {
        size_t at = shape->columns[i];
        if (column_is_null(&batch->columns[at], row))
            return error_set(error, ERROR_INPUT, "a key column may never be null: see the event",
                             "null in key column \"%s\"", batch->schema->fields[at].name);
    }
    const struct column *first = &batch->columns[shape->columns[0]];
    if (shape->integer) {
        out->integer = key_column_integer(first, row);
        return true;
    }
    enum type_kind kind = first->type->kind;
    if (shape->count == 1 && (kind == TYPE_STRING || kind == TYPE_BINARY)) {
        out->bytes = column_bytes(first, row);
        return true;
    }
    buffer_clear(scratch);
    for (size_t i = 0; i < shape->count; i++)
        TRY(append_value(scratch, &batch->columns[shape->columns[i]], row, i + 1 == shape->count,
                         error));
    out->bytes = buffer_slice(scratch);
    return true;
}

struct key_hash key_hash_bytes(struct slice bytes, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data, bytes.length, seed);
    return (struct key_hash){hash.high64, hash.low64};
}

static bool print_value(const struct column *column, size_t row, struct buffer *out,
                        struct error *error)
{
    char text[DATETIME_TEXT_SIZE];
    size_t length = 0;
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return buffer_append_text(out, *column_fixed(column, row).data ? "true" : "false", error);
    case TYPE_INT:
        return buffer_append_format(out, error, "%" PRId32, column_int(column, row));
    case TYPE_LONG:
        return buffer_append_format(out, error, "%" PRId64, column_long(column, row));
    case TYPE_FLOAT:
        return buffer_append_format(out, error, "%.9g", (double)column_float(column, row));
    case TYPE_DOUBLE:
        return buffer_append_format(out, error, "%.17g", column_double(column, row));
    case TYPE_DECIMAL:
        length = decimal_format(column_decimal(column, row), column->type->scale, text);
        break;
    case TYPE_DATE:
        length = datetime_format_date(column_int(column, row), text);
        break;
    case TYPE_TIME:
        length = datetime_format_time(column_long(column, row), text);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        length = datetime_format_timestamp(column_long(column, row),
                                           column->type->kind == TYPE_TIMESTAMPTZ, text);
        break;
    case TYPE_STRING:
        return buffer_append_json_text(out, column_bytes(column, row), error);
    case TYPE_UUID: {
        char uuid[UUID_TEXT_SIZE];
        uint8_t bytes[16];
        memcpy(bytes, column_fixed(column, row).data, sizeof bytes);
        uuid_format(bytes, uuid);
        return buffer_append_json_text(out, slice_of(uuid), error);
    }
    default:
        return buffer_append_text(out, "\"...\"", error);
    }
    return buffer_append_json_text(out, slice_make(text, length), error);
}

bool key_print(const struct key_shape *shape, const struct batch *batch, size_t row,
               struct buffer *out, struct error *error)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct column *column = &batch->columns[shape->columns[i]];
        TRY(buffer_append_text(out, i ? "," : "{", error));
        TRY(buffer_append_json_text(out, slice_of(batch->schema->fields[shape->columns[i]].name),
                                    error));
        TRY(buffer_append_byte(out, ':', error));
        TRY(column_is_null(column, row) ? buffer_append_text(out, "null", error)
                                        : print_value(column, row, out, error));
    }
    return buffer_append_byte(out, '}', error);
}

/* value.c: the binary encoding of values (Avro specification, "Binary Encoding"), both ways. */
#include <inttypes.h>

#include "core/avro/reader.h"
#include "core/avro/writer.h"
#include "core/base/json.h"
#include "core/base/utf8.h"

enum { VALUE_DEPTH = 64 };

static bool value_damaged(const struct avro_cursor *cursor, const char *what, struct error *error)
{
    error_set(error, ERROR_INPUT, "the file is damaged: restore it, or roll the table back",
              "%s: %s", cursor->name ? cursor->name : "Avro file", what);
    return false;
}

bool avro_get_raw(struct avro_cursor *cursor, size_t length, struct slice *out, struct error *error)
{
    if (length > (size_t)(cursor->end - cursor->at))
        return value_damaged(cursor, "a value goes beyond its block", error);
    *out = slice_make(cursor->at, length);
    if (length)
        cursor->at += length;
    return true;
}

bool avro_get_boolean(struct avro_cursor *cursor, bool *out, struct error *error)
{
    if (cursor->at == cursor->end)
        return value_damaged(cursor, "a value goes beyond its block", error);
    *out = *cursor->at++ != 0;
    return true;
}

bool avro_get_long(struct avro_cursor *cursor, int64_t *out, struct error *error)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (cursor->at == cursor->end)
            return value_damaged(cursor, "a value goes beyond its block", error);
        uint8_t bits = *cursor->at++;
        if (shift < 64)
            value |= (uint64_t)(bits & 0x7F) << shift;
        if (!(bits & 0x80)) {
            *out = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return value_damaged(cursor, "a number is too long", error);
}

bool avro_get_int(struct avro_cursor *cursor, int32_t *out, struct error *error)
{
    int64_t wide = 0;
    TRY(avro_get_long(cursor, &wide, error));
    if (wide < INT32_MIN || wide > INT32_MAX)
        return value_damaged(cursor, "an int is out of range", error);
    *out = (int32_t)wide;
    return true;
}

bool avro_get_bytes(struct avro_cursor *cursor, struct slice *out, struct error *error)
{
    int64_t length = 0;
    TRY(avro_get_long(cursor, &length, error));
    if (length < 0)
        return value_damaged(cursor, "a length is negative", error);
    return avro_get_raw(cursor, (size_t)length, out, error);
}

bool avro_get_block(struct avro_cursor *cursor, int64_t *count, struct error *error)
{
    int64_t bytes = 0;
    TRY(avro_get_long(cursor, count, error));
    if (*count < 0) {
        if (*count == INT64_MIN)
            return value_damaged(cursor, "a count is out of range", error);
        *count = -*count;
        TRY(avro_get_long(cursor, &bytes, error));
    }
    if (*count > cursor->end - cursor->at)
        return value_damaged(cursor, "more items than bytes", error);
    return true;
}

static bool value_branch(struct avro_cursor *cursor, const struct avro_type *type,
                         const struct avro_type **out, struct error *error)
{
    int64_t branch = 0;
    TRY(avro_get_long(cursor, &branch, error));
    if (branch < 0 || (uint64_t)branch >= type->branch_count)
        return value_damaged(cursor, "a union has no such branch", error);
    *out = type->branches[branch];
    return true;
}

/* Items without a byte would let a few bytes stand for endless work. */
static bool value_took_bytes(const struct avro_cursor *cursor, const uint8_t *before,
                             struct error *error)
{
    return cursor->at != before || value_damaged(cursor, "array items without content", error);
}

static bool value_skip(struct avro_cursor *cursor, const struct avro_type *type, int depth,
                       struct error *error)
{
    struct slice bytes = {0};
    int64_t number = 0;
    if (depth > VALUE_DEPTH)
        return value_damaged(cursor, "values nest too deep", error);
    switch (type->kind) {
    case AVRO_NULL:
        return true;
    case AVRO_BOOLEAN:
        return avro_get_raw(cursor, 1, &bytes, error);
    case AVRO_INT:
    case AVRO_LONG:
    case AVRO_ENUM:
        return avro_get_long(cursor, &number, error);
    case AVRO_FLOAT:
        return avro_get_raw(cursor, 4, &bytes, error);
    case AVRO_DOUBLE:
        return avro_get_raw(cursor, 8, &bytes, error);
    case AVRO_BYTES:
    case AVRO_STRING:
        return avro_get_bytes(cursor, &bytes, error);
    case AVRO_FIXED:
        return avro_get_raw(cursor, type->size, &bytes, error);
    case AVRO_UNION:
        TRY(value_branch(cursor, type, &type, error));
        return value_skip(cursor, type, depth + 1, error);
    case AVRO_RECORD:
        for (size_t i = 0; i < type->field_count; i++)
            TRY(value_skip(cursor, type->fields[i].type, depth + 1, error));
        return true;
    case AVRO_ARRAY:
    case AVRO_MAP:
        do {
            TRY(avro_get_block(cursor, &number, error));
            for (int64_t i = 0; i < number; i++) {
                const uint8_t *before = cursor->at;
                if (type->kind == AVRO_MAP)
                    TRY(avro_get_bytes(cursor, &bytes, error));
                TRY(value_skip(cursor, type->branches[0], depth + 1, error));
                TRY(value_took_bytes(cursor, before, error));
            }
        } while (number != 0);
        return true;
    }
    return value_damaged(cursor, "unknown type", error);
}

bool avro_skip(struct avro_cursor *cursor, const struct avro_type *type, struct error *error)
{
    return value_skip(cursor, type, 0, error);
}

/* ---- as JSON ---- */

static json_t *value_hex(struct slice bytes, struct error *error)
{
    static const char digits[] = "0123456789abcdef";
    struct buffer text = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < bytes.length; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        const char pair[2] = {digits[byte >> 4], digits[byte & 15]};
        ok = buffer_append(&text, pair, 2, error);
    }
    json_t *json = ok ? json_stringn(text.data ? text.data : "", text.length) : NULL;
    buffer_destroy(&text);
    if (ok && json == NULL)
        error_set_memory(error, bytes.length * 2);
    return json;
}

static json_t *value_text(struct slice bytes, struct error *error)
{
    if (!utf8_valid(bytes.data ? bytes.data : "", bytes.length))
        return value_hex(bytes, error);
    json_t *json = json_stringn(bytes.data ? bytes.data : "", bytes.length);
    if (json == NULL)
        error_set_memory(error, bytes.length);
    return json;
}

static json_t *value_real(struct slice bytes)
{
    double value = 0;
    float narrow = 0;
    if (bytes.data && bytes.length == 4) {
        memcpy(&narrow, bytes.data, 4);
        value = (double)narrow;
    } else if (bytes.data) {
        memcpy(&value, bytes.data, 8);
    }
    json_t *json = json_real(value); /* NULL for NaN and infinities */
    return json ? json : json_string(value > 0 ? "Infinity" : value < 0 ? "-Infinity" : "NaN");
}

static bool value_json(struct avro_cursor *cursor, const struct avro_type *type, int depth,
                       json_t **out, struct error *error);

static bool value_json_items(struct avro_cursor *cursor, const struct avro_type *type, int depth,
                             json_t *into, struct error *error)
{
    int64_t count = 0;
    do {
        TRY(avro_get_block(cursor, &count, error));
        for (int64_t i = 0; i < count; i++) {
            const uint8_t *before = cursor->at;
            struct slice key = {0};
            json_t *item = NULL;
            if (type->kind == AVRO_MAP)
                TRY(avro_get_bytes(cursor, &key, error));
            TRY(value_json(cursor, type->branches[0], depth + 1, &item, error));
            bool ok = type->kind == AVRO_MAP
                          ? json_object_setn_new(into, key.data, key.length, item) == 0
                          : json_array_append_new(into, item) == 0;
            if (!ok)
                return value_damaged(cursor, "a map key is no text", error);
            TRY(value_took_bytes(cursor, before, error));
        }
    } while (count != 0);
    return true;
}

static bool value_json_record(struct avro_cursor *cursor, const struct avro_type *type, int depth,
                              json_t *into, struct error *error)
{
    for (size_t i = 0; i < type->field_count; i++) {
        json_t *value = NULL;
        TRY(value_json(cursor, type->fields[i].type, depth + 1, &value, error));
        TRY(json_put(into, type->fields[i].name, value, error));
    }
    return true;
}

static bool value_json_scalar(struct avro_cursor *cursor, const struct avro_type *type,
                              json_t **out, struct error *error)
{
    struct slice bytes = {0};
    int64_t number = 0;
    bool truth = false;
    switch (type->kind) {
    case AVRO_NULL:
        *out = json_null();
        break;
    case AVRO_BOOLEAN:
        TRY(avro_get_boolean(cursor, &truth, error));
        *out = json_boolean(truth);
        break;
    case AVRO_INT:
    case AVRO_LONG:
        TRY(avro_get_long(cursor, &number, error));
        *out = json_integer(number);
        break;
    case AVRO_ENUM:
        TRY(avro_get_long(cursor, &number, error));
        if (number < 0 || (uint64_t)number >= type->symbol_count)
            return value_damaged(cursor, "an enum has no such symbol", error);
        *out = json_string(type->symbols[number]);
        break;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        TRY(avro_get_raw(cursor, type->kind == AVRO_FLOAT ? 4 : 8, &bytes, error));
        *out = value_real(bytes);
        break;
    case AVRO_STRING:
        TRY(avro_get_bytes(cursor, &bytes, error));
        return (*out = value_text(bytes, error)) != NULL;
    case AVRO_BYTES:
        TRY(avro_get_bytes(cursor, &bytes, error));
        return (*out = value_hex(bytes, error)) != NULL;
    default:
        TRY(avro_get_raw(cursor, type->size, &bytes, error));
        return (*out = value_hex(bytes, error)) != NULL;
    }
    return *out != NULL || error_set_memory(error, 64);
}

static bool value_json(struct avro_cursor *cursor, const struct avro_type *type, int depth,
                       json_t **out, struct error *error)
{
    *out = NULL;
    if (depth > VALUE_DEPTH)
        return value_damaged(cursor, "values nest too deep", error);
    if (type->kind == AVRO_UNION) {
        TRY(value_branch(cursor, type, &type, error));
        return value_json(cursor, type, depth + 1, out, error);
    }
    if (type->kind != AVRO_RECORD && type->kind != AVRO_ARRAY && type->kind != AVRO_MAP)
        return value_json_scalar(cursor, type, out, error);
    json_t *into = type->kind == AVRO_ARRAY ? json_array() : json_object();
    if (into == NULL)
        return error_set_memory(error, 64);
    bool ok = type->kind == AVRO_RECORD ? value_json_record(cursor, type, depth, into, error)
                                        : value_json_items(cursor, type, depth, into, error);
    if (!ok) {
        json_decref(into);
        return false;
    }
    *out = into;
    return true;
}

bool avro_get_json(struct avro_cursor *cursor, const struct avro_type *type, json_t **out,
                   struct error *error)
{
    return value_json(cursor, type, 0, out, error);
}

/* ---- writing ---- */

bool avro_put_boolean(struct buffer *out, bool value, struct error *error)
{
    return buffer_append_byte(out, value ? 1 : 0, error);
}

bool avro_put_long(struct buffer *out, int64_t value, struct error *error)
{
    uint64_t bits = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    uint8_t bytes[10];
    size_t length = 0;
    do {
        bytes[length++] = (uint8_t)((bits & 0x7F) | (bits > 0x7F ? 0x80 : 0));
        bits >>= 7;
    } while (bits);
    return buffer_append(out, bytes, length, error);
}

bool avro_put_bytes(struct buffer *out, struct slice value, struct error *error)
{
    TRY(avro_put_long(out, (int64_t)value.length, error));
    return buffer_append_slice(out, value, error);
}

bool avro_put_text(struct buffer *out, const char *value, struct error *error)
{
    return avro_put_bytes(out, slice_of(value), error);
}

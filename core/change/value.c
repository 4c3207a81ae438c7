#include "core/change/value.h"

#include "core/base/base64.h"

bool value_reader_init(struct value_reader *reader, struct error *error)
{
    *reader = (struct value_reader){.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    return reader->c_locale != (locale_t)0 || error_set_memory(error, sizeof(locale_t));
}

void value_reader_destroy(struct value_reader *reader)
{
    buffer_destroy(&reader->text);
    buffer_destroy(&reader->bytes);
    buffer_destroy(&reader->nested);
    if (reader->c_locale != (locale_t)0)
        freelocale(reader->c_locale);
    *reader = (struct value_reader){0};
}

bool value_text(struct value_reader *reader, const struct token *token, struct slice *out)
{
    *out = token->raw;
    if (token->kind != TOKEN_ESCAPED)
        return true;
    buffer_clear(&reader->text);
    TRY(token_unescape(token->raw, &reader->text, reader->error));
    *out = buffer_slice(&reader->text);
    return true;
}

enum value_status value_bent(struct value_reader *reader, struct column *column)
{
    return column_append_null(column, reader->error) ? VALUE_BENT : VALUE_FAILED;
}

enum value_status value_put_long(struct value_reader *reader, struct column *column, int64_t value)
{
    if (column->length == column->capacity && !column_reserve(column, 1, reader->error))
        return VALUE_FAILED;
    ((int64_t *)column->values)[column->length] = value;
    column->valid[column->length++] = 1;
    return VALUE_FINE;
}

enum value_status value_put_int(struct value_reader *reader, struct column *column, int32_t value)
{
    if (column->length == column->capacity && !column_reserve(column, 1, reader->error))
        return VALUE_FAILED;
    ((int32_t *)column->values)[column->length] = value;
    column->valid[column->length++] = 1;
    return VALUE_FINE;
}

enum value_status value_put_bytes(struct value_reader *reader, struct column *column,
                                  struct slice value)
{
    return value_done(column_append_bytes(column, value, reader->error));
}

static enum value_status boolean(struct value_reader *reader, const struct token *token,
                                 struct column *column)
{
    if (token->kind != TOKEN_TRUE && token->kind != TOKEN_FALSE)
        return value_bad(reader, "not a boolean");
    const char byte = token->kind == TOKEN_TRUE;
    return value_put_bytes(reader, column, slice_make(&byte, 1));
}

static enum value_status integer(struct value_reader *reader, const struct token *token,
                                 struct column *column)
{
    int64_t value;
    if (token->kind != TOKEN_INTEGER)
        return value_bad(reader, "not an integer");
    if (!token_integer(token->raw, &value))
        return value_bad(reader, "out of the range of 64-bit integers");
    if (column->type->kind == TYPE_LONG)
        return value_put_long(reader, column, value);
    if (value != (int32_t)value)
        return value_bad(reader, "out of the range of 32-bit integers");
    return value_put_int(reader, column, (int32_t)value);
}

static enum value_status text(struct value_reader *reader, const struct change_form *form,
                              const struct token *token, struct column *column)
{
    struct slice value = token->raw;
    if (form->coding == CODING_PRECISE || form->coding == CODING_VARIABLE)
        return value_numeric(reader, form, token, column);
    if (value_is_text(token)) {
        if (!value_text(reader, token, &value))
            return VALUE_FAILED;
    } else if (!value_is_number(token)) {
        return value_bad(reader, "not a text");
    }
    return value_put_bytes(reader, column, value);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Two digits a byte, after an optional \x. */
static bool decode_hex(struct slice value, struct buffer *out, struct error *error)
{
    if (value.length >= 2 && value.data[0] == '\\' && value.data[1] == 'x')
        value = slice_make(value.data + 2, value.length - 2);
    if (value.length % 2)
        return false;
    TRY(buffer_reserve(out, value.length / 2, error));
    for (size_t i = 0; i < value.length; i += 2) {
        int high = hex_digit(value.data[i]), low = hex_digit(value.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->data[out->length++] = (char)(high << 4 | low);
    }
    return true;
}

/* The alphabet with - and _ instead of + and /. */
static bool decode_base64_url(struct slice value, struct buffer *plain, struct buffer *out,
                              struct error *error)
{
    buffer_clear(plain);
    TRY(buffer_append_slice(plain, value, error));
    for (size_t i = 0; i < plain->length; i++) {
        char c = plain->data[i];
        if (c == '+' || c == '/')
            return false;
        plain->data[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    return base64_decode(buffer_slice(plain), out, NULL);
}

static enum value_status bytes(struct value_reader *reader, const struct change_form *form,
                               const struct token *token, struct column *column)
{
    struct slice value;
    if (!value_is_text(token))
        return value_bad(reader, "not the text of bytes");
    if (!value_text(reader, token, &value))
        return VALUE_FAILED;
    buffer_clear(&reader->bytes);
    bool decoded = form->coding == CODING_HEX ? decode_hex(value, &reader->bytes, NULL)
                   : form->coding == CODING_BASE64_URL
                       ? decode_base64_url(value, &reader->nested, &reader->bytes, NULL)
                       : base64_decode(value, &reader->bytes, NULL);
    if (!decoded)
        return value_bad(reader, form->coding == CODING_HEX ? "not hexadecimal" : "not base64");
    return value_put_bytes(reader, column, buffer_slice(&reader->bytes));
}

static enum value_status uuid(struct value_reader *reader, const struct token *token,
                              struct column *column)
{
    struct slice value;
    char out[16];
    if (!value_is_text(token))
        return value_bad(reader, "not a UUID");
    if (!value_text(reader, token, &value))
        return VALUE_FAILED;
    if (value.length != 36)
        return value_bad(reader, "not a UUID");
    size_t filled = 0;
    for (size_t i = 0; i < 36;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (value.data[i++] != '-')
                return value_bad(reader, "not a UUID");
            continue;
        }
        int high = hex_digit(value.data[i]), low = hex_digit(value.data[i + 1]);
        if (high < 0 || low < 0)
            return value_bad(reader, "not a UUID");
        out[filled++] = (char)(high << 4 | low);
        i += 2;
    }
    return value_put_bytes(reader, column, slice_make(out, sizeof out));
}

/* Base64 of little-endian bytes without zero bytes at the end; bit(1) as a boolean. */
static enum value_status bits(struct value_reader *reader, const struct change_form *form,
                              const struct token *token, struct column *column)
{
    struct slice value;
    if (token->kind == TOKEN_TRUE || token->kind == TOKEN_FALSE)
        return value_put_bytes(reader, column,
                               slice_make(token->kind == TOKEN_TRUE ? "1" : "0", 1));
    if (!value_is_text(token))
        return value_bad(reader, "not the text of bits");
    if (!value_text(reader, token, &value))
        return VALUE_FAILED;
    buffer_clear(&reader->bytes);
    if (!base64_decode(value, &reader->bytes, NULL))
        return value_bad(reader, "not base64");
    const struct buffer *raw = &reader->bytes;
    size_t top = raw->length * 8; /* bits up to the highest that is set */
    while (top && !((unsigned char)raw->data[(top - 1) / 8] >> (top - 1) % 8 & 1))
        top--;
    size_t count = form->varying ? top : (size_t)form->bits;
    if (top > count || (form->varying && form->bits && top > (size_t)form->bits))
        return value_bad(reader, "more bits than the column has");
    buffer_clear(&reader->nested);
    if (!buffer_reserve(&reader->nested, count, reader->error))
        return VALUE_FAILED;
    for (size_t i = count; i-- > 0;) {
        bool set = i < top && ((unsigned char)raw->data[i / 8] >> i % 8 & 1);
        reader->nested.data[reader->nested.length++] = set ? '1' : '0';
    }
    return value_put_bytes(reader, column, buffer_slice(&reader->nested));
}

enum value_status value_append(struct value_reader *reader, const struct change_form *form,
                               const struct token *token, struct column *column)
{
    if (token->kind == TOKEN_NULL || token->kind == TOKEN_ABSENT)
        return value_done(column_append_null(column, reader->error));
    switch (form->kind) {
    case KIND_BOOLEAN:
        return boolean(reader, token, column);
    case KIND_INTEGER:
        return integer(reader, token, column);
    case KIND_FLOAT:
        return value_float(reader, token, column);
    case KIND_DOUBLE:
        return value_double(reader, token, column);
    case KIND_DECIMAL:
        return value_decimal(reader, form, token, column);
    case KIND_NUMERIC:
        return value_numeric(reader, form, token, column);
    case KIND_TEXT:
        return text(reader, form, token, column);
    case KIND_BYTES:
        return bytes(reader, form, token, column);
    case KIND_UUID:
        return uuid(reader, token, column);
    case KIND_DATE:
        return value_date(reader, form, token, column);
    case KIND_TIME:
        return value_time(reader, form, token, column);
    case KIND_TIMESTAMP:
        return value_timestamp(reader, form, token, column);
    case KIND_TIMESTAMPTZ:
        return value_timestamptz(reader, form, token, column);
    case KIND_INTERVAL:
        return value_interval(reader, form, token, column);
    case KIND_BITS:
        return bits(reader, form, token, column);
    case KIND_HSTORE:
        return value_hstore(reader, token, column);
    case KIND_POINT:
        return value_point(reader, token, column);
    case KIND_GEOMETRY:
        return value_geometry(reader, form, token, column);
    case KIND_SPARSE_VECTOR:
        return value_sparse(reader, token, column);
    case KIND_LIST:
        return value_list(reader, form, token, column);
    }
    return value_bad(reader, "of a kind that is not known");
}

#include <math.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/change/reader.h"

bool change_key_is_integer(const struct change_table *table)
{
    return table->key_count == 1 &&
           table->columns[table->key_columns[0]].form->kind == KIND_INTEGER;
}

bool reader_key_init(struct change_row_reader *reader, struct error *error)
{
    const struct change_table *table = reader->table;
    size_t count = table->key_count;
    reader->integer_key = change_key_is_integer(table);
    reader->key_slots = memory_zero(count + 16, sizeof *reader->key_slots, error);
    TRY(reader->key_slots != NULL);
    reader->key_cells = memory_zero(count, sizeof *reader->key_cells, error);
    TRY(reader->key_cells != NULL);
    reader->key_columns = memory_zero(count, sizeof *reader->key_columns, error);
    TRY(reader->key_columns != NULL);
    reader->key_views = memory_zero(count, sizeof *reader->key_views, error);
    TRY(reader->key_views != NULL);
    for (size_t i = 0; i < count; i++) {
        TRY(column_init(&reader->key_columns[i], &table->columns[table->key_columns[i]].type,
                        error));
        reader->key_views[i] = &reader->key_columns[i];
    }
    return true;
}

void reader_key_destroy(struct change_row_reader *reader)
{
    for (size_t i = 0; reader->key_columns && i < reader->table->key_count; i++)
        column_destroy(&reader->key_columns[i]);
    free(reader->key_columns);
    free(reader->key_views);
    free(reader->key_cells);
    free(reader->key_slots);
    buffer_destroy(&reader->key_text);
    buffer_destroy(&reader->key_bytes);
}

static bool bad_key(const struct cursor *j, struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL, "the key: %s",
                     j->problem ? j->problem : "not a JSON object");
}

/* {"schema", "payload"} around a header's key, as change_scan_line() takes it off `key`. */
static bool unwrap(struct slice *object, struct slice *schema, struct error *error)
{
    struct cursor j = cursor_over(*object);
    struct slice name, found[2] = {{0}, {0}};
    struct token value;
    bool escaped, more, seen[2] = {false, false};
    if (!token_enter(&j, '}', &more))
        return bad_key(&j, error);
    for (more = !more; more;) {
        if (!token_name(&j, &name, &escaped) || !token_value(&j, &value) ||
            !token_more(&j, '}', &more))
            return bad_key(&j, error);
        bool payload = slice_is(name, "payload");
        if ((!payload && !slice_is(name, "schema")) ||
            (value.kind != TOKEN_OBJECT && value.kind != TOKEN_NULL))
            return true;
        seen[payload] = true;
        found[payload] = value.kind == TOKEN_OBJECT ? value.raw : (struct slice){0};
    }
    if (seen[0] && seen[1] && found[1].data) {
        *schema = found[0];
        *object = found[1];
    }
    return true;
}

/* Down to the object with the key's members: out of a JSON text in a string, out of a wrapper. */
static bool key_object(struct change_row_reader *reader, struct slice key, struct slice *object,
                       struct slice *schema, struct error *error)
{
    struct cursor j = cursor_over(key);
    struct token token;
    token_space(&j);
    if (j.at < j.end && *j.at == '"') {
        if (!token_value(&j, &token) || !token_end(&j))
            return bad_key(&j, error);
        buffer_clear(&reader->key_text);
        TRY(token_unescape(token.raw, &reader->key_text, error));
        j = cursor_over(buffer_slice(&reader->key_text));
        token_space(&j);
    }
    if (j.at == j.end || *j.at != '{')
        return error_set(error, ERROR_INPUT,
                         "tables are merged by key: give the table a primary key, or name the "
                         "key in the connector's message.key.columns",
                         "the record has no key");
    *object = slice_make(j.at, (size_t)(j.end - j.at));
    const char *first = j.at + 1;
    while (first < j.end && *first != '"' && *first != '}')
        first++;
    if (j.end - first > 8 && (first[1] == 's' || first[1] == 'p'))
        return unwrap(object, schema, error);
    return true;
}

static bool key_id(struct change_row_reader *reader, size_t index, struct slice raw, bool escaped,
                   uint32_t *id, struct error *error)
{
    size_t column;
    TRY(reader_column(reader, raw, escaped, &column, error));
    int ordinal =
        column < reader->table->column_count ? reader->table->columns[column].key_ordinal : -1;
    *id = ordinal >= 0 ? (uint32_t)ordinal : READER_NOWHERE;
    token_learn(reader->key_slots, reader->table->key_count + 16, index, raw, *id);
    return true;
}

static bool find_key_cells(struct change_row_reader *reader, struct slice object,
                           struct error *error)
{
    size_t count = reader->table->key_count;
    struct cursor j = cursor_over(object);
    bool more;
    for (size_t i = 0; i < count; i++)
        reader->key_cells[i] = (struct token){.kind = TOKEN_ABSENT};
    if (!token_enter(&j, '}', &more))
        return bad_key(&j, error);
    more = !more;
    for (size_t index = 0; more; index++) {
        uint32_t id = READER_NOWHERE;
        struct slice raw;
        bool known, escaped;
        struct token value;
        if (!token_member(&j, reader->key_slots, count + 16, index, &known, &id, &raw, &escaped))
            return bad_key(&j, error);
        if (!known)
            TRY(key_id(reader, index, raw, escaped, &id, error));
        if (!token_value(&j, &value) || !token_more(&j, '}', &more))
            return bad_key(&j, error);
        if (id != READER_NOWHERE)
            reader->key_cells[id] = value;
    }
    return token_end(&j) || bad_key(&j, error);
}

static bool read_key_value(struct change_row_reader *reader, size_t ordinal, struct error *error)
{
    size_t index = reader->table->key_columns[ordinal];
    const struct token *cell = &reader->key_cells[ordinal];
    struct column *column = &reader->key_columns[ordinal];
    if (cell->kind == TOKEN_ABSENT || cell->kind == TOKEN_NULL)
        return reader_bad_value(reader, index, cell, "the key has no value for it", error);
    column_clear(column);
    switch (value_append(&reader->values, reader->key_schema.forms[index], cell, column)) {
    case VALUE_FINE:
        return true;
    case VALUE_BENT:
        return reader_bad_value(reader, index, cell, "no value of the lake, in a key", error);
    case VALUE_BAD:
        return reader_bad_value(reader, index, cell, reader->values.problem, error);
    case VALUE_FAILED:
        break;
    }
    return false;
}

bool change_key_read(struct change_row_reader *reader, struct slice key, struct slice schema,
                     struct change_key *out, struct error *error)
{
    struct slice object = {0};
    TRY(change_table_require_key(reader->table, error));
    TRY(key_object(reader, key, &object, &schema, error));
    TRY(find_key_cells(reader, object, error));
    const struct token *first = &reader->key_cells[0];
    *out = (struct change_key){.is_integer = reader->integer_key};
    if (reader->integer_key && first->kind == TOKEN_INTEGER &&
        token_integer(first->raw, &out->integer) &&
        (reader->key_columns[0].type->kind == TYPE_LONG || out->integer == (int32_t)out->integer))
        return true;
    TRY(embedded_use(&reader->key_schema, schema, error));
    reader->values.error = error;
    bool good = true;
    for (size_t i = 0; good && i < reader->table->key_count; i++)
        good = read_key_value(reader, i, error);
    reader->values.error = NULL;
    return good && change_key_of_columns(reader, reader->key_views, 0, out, error);
}

/* ---- order-preserving bytes ---- */

static bool append_big_endian(struct buffer *out, uint64_t value, int bytes, struct error *error)
{
    char text[8];
    for (int i = 0; i < bytes; i++)
        text[i] = (char)(value >> (bytes - 1 - i) * 8 & 0xFF);
    return buffer_append(out, text, (size_t)bytes, error);
}

/* IEEE order as unsigned order: negative numbers inverted, positive ones above them. Minus zero is
 * zero, as for Postgres. */
static uint64_t float_order(uint64_t bits, int width)
{
    uint64_t sign = UINT64_C(1) << (width - 1);
    uint64_t all = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
    if (bits == sign)
        bits = 0;
    return bits & sign ? ~bits & all : bits | sign;
}

/* Texts end with 00 00 and write a 00 inside as 00 FF, so that a prefix sorts first; the last one
 * of a key needs neither. */
static bool append_text(struct buffer *out, struct slice text, bool last, struct error *error)
{
    if (last)
        return buffer_append_slice(out, text, error);
    for (size_t i = 0; i < text.length; i++) {
        TRY(buffer_append_byte(out, (uint8_t)text.data[i], error));
        if (text.data[i] == 0)
            TRY(buffer_append_byte(out, 0xFF, error));
    }
    return buffer_append(out, "\0", 2, error);
}

static bool append_key_value(struct buffer *out, const struct column *column, size_t row, bool last,
                             struct error *error)
{
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return buffer_append_byte(out, ((const uint8_t *)column->values)[row], error);
    case TYPE_INT:
    case TYPE_DATE:
        return append_big_endian(out, (uint32_t)column_int(column, row) ^ 0x80000000u, 4, error);
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return append_big_endian(
            out, (uint64_t)column_long(column, row) ^ UINT64_C(0x8000000000000000), 8, error);
    case TYPE_FLOAT: {
        uint32_t bits;
        memcpy(&bits, &((const float *)column->values)[row], sizeof bits);
        return append_big_endian(out, float_order(bits, 32), 4, error);
    }
    case TYPE_DOUBLE: {
        uint64_t bits;
        memcpy(&bits, &((const double *)column->values)[row], sizeof bits);
        return append_big_endian(out, float_order(bits, 64), 8, error);
    }
    case TYPE_DECIMAL: {
        unsigned __int128 value = (unsigned __int128)column_decimal(column, row);
        TRY(append_big_endian(out, (uint64_t)(value >> 64) ^ UINT64_C(0x8000000000000000), 8,
                              error));
        return append_big_endian(out, (uint64_t)value, 8, error);
    }
    case TYPE_UUID:
    case TYPE_FIXED:
        return buffer_append_slice(out, column_fixed(column, row), error);
    case TYPE_STRING:
    case TYPE_BINARY:
        return append_text(out, column_bytes(column, row), last, error);
    default:
        return error_set(error, ERROR_INTERNAL, NULL, "a key of a nested type");
    }
}

static bool key_is_nan(const struct column *column, size_t row)
{
    return (column->type->kind == TYPE_DOUBLE && isnan(column_double(column, row))) ||
           (column->type->kind == TYPE_FLOAT && isnan(column_float(column, row)));
}

bool change_key_of_columns(struct change_row_reader *reader, const struct column *const *columns,
                           size_t row, struct change_key *out, struct error *error)
{
    size_t count = reader->table->key_count;
    *out = (struct change_key){.is_integer = reader->integer_key};
    buffer_clear(&reader->key_bytes);
    for (size_t i = 0; i < count; i++) {
        if (column_is_null(columns[i], row) || key_is_nan(columns[i], row))
            return error_set(error, ERROR_INPUT, NULL, "key column %s holds %s",
                             reader->table->columns[reader->table->key_columns[i]].name,
                             column_is_null(columns[i], row) ? "a null" : "not a number");
        if (!reader->integer_key)
            TRY(append_key_value(&reader->key_bytes, columns[i], row, i + 1 == count, error));
    }
    if (reader->integer_key)
        out->integer = columns[0]->type->kind == TYPE_INT ? column_int(columns[0], row)
                                                          : column_long(columns[0], row);
    out->bytes = buffer_slice(&reader->key_bytes);
    return true;
}

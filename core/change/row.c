#include "core/change/row.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/change/reader.h"

static bool reader_init(struct change_row_reader *reader, struct error *error)
{
    const struct change_table *table = reader->table;
    size_t count = table->column_count;
    TRY(value_reader_init(&reader->values, error));
    TRY(marker_init(&reader->marker, reader->options.placeholder, error));
    TRY(embedded_init(&reader->row_schema, table, true, error));
    TRY(embedded_init(&reader->key_schema, table, false, error));
    reader->slot_count = count + 16;
    reader->slots = memory_zero(reader->slot_count, sizeof *reader->slots, error);
    TRY(reader->slots != NULL);
    reader->cells = memory_zero(count, sizeof *reader->cells, error);
    TRY(reader->cells != NULL);
    reader->bent = memory_zero(count, sizeof *reader->bent, error);
    TRY(reader->bent != NULL);
    reader->bent_pending = memory_zero(count, sizeof *reader->bent_pending, error);
    TRY(reader->bent_pending != NULL);
    for (size_t i = 0; i < count; i++)
        TRY(map_put(&reader->names, slice_of(table->columns[i].name), (void *)(uintptr_t)(i + 1),
                    error));
    return reader_key_init(reader, error);
}

struct change_row_reader *change_row_reader_create(const struct change_table *table,
                                                   const struct change_row_options *options,
                                                   struct error *error)
{
    struct change_row_reader *reader = memory_zero(1, sizeof *reader, error);
    if (reader == NULL)
        return NULL;
    reader->table = table;
    if (options)
        reader->options = *options;
    if (reader_init(reader, error))
        return reader;
    change_row_reader_destroy(reader);
    return NULL;
}

void change_row_reader_destroy(struct change_row_reader *reader)
{
    if (reader == NULL)
        return;
    reader_key_destroy(reader);
    value_reader_destroy(&reader->values);
    marker_destroy(&reader->marker);
    embedded_destroy(&reader->row_schema);
    embedded_destroy(&reader->key_schema);
    map_destroy(&reader->names);
    free(reader->slots);
    free(reader->cells);
    free(reader->bent);
    free(reader->bent_pending);
    for (size_t i = 0; i < reader->unknown_count; i++)
        free(reader->unknown[i].name);
    free(reader->unknown);
    buffer_destroy(&reader->name);
    free(reader);
}

bool reader_column(struct change_row_reader *reader, struct slice raw, bool escaped, size_t *column,
                   struct error *error)
{
    struct slice name = raw;
    buffer_clear(&reader->name);
    if (escaped) {
        TRY(token_unescape(raw, &reader->name, error));
        name = buffer_slice(&reader->name);
    }
    uintptr_t found = (uintptr_t)map_get(&reader->names, name);
    *column = found ? found - 1 : reader->table->column_count;
    return true;
}

/* The place of an unknown member's name in reader->unknown, made when it is new. */
static bool unknown_place(struct change_row_reader *reader, struct slice name, size_t *place,
                          struct error *error)
{
    static const struct slice others = {"(others)", 8};
    if (reader->unknown_count >= READER_UNKNOWN_NAMES)
        name = others;
    for (*place = 0; *place < reader->unknown_count; ++*place) {
        if (slice_is(name, reader->unknown[*place].name))
            return true;
    }
    TRY(memory_grow(&reader->unknown, &reader->unknown_capacity, reader->unknown_count + 1,
                    sizeof *reader->unknown, error));
    char *copy = memory_copy_slice(name, error);
    TRY(copy != NULL);
    reader->unknown[reader->unknown_count++] = (struct unknown_member){.name = copy};
    return true;
}

/* A member whose name was not the expected one: its id is the column, or column_count + the place
 * among the unknown ones. */
static bool member_id(struct change_row_reader *reader, size_t index, struct slice raw,
                      bool escaped, uint32_t *id, struct error *error)
{
    size_t column, place;
    TRY(reader_column(reader, raw, escaped, &column, error));
    if (column == reader->table->column_count) {
        struct slice name = escaped ? buffer_slice(&reader->name) : raw;
        if (reader->options.refuse_unknown)
            return error_set(error, ERROR_INPUT,
                             "add the column to the schema file, or ignore unknown members with "
                             "--on-unknown ignore",
                             "the row has a member %.*s that the table does not name",
                             SLICE_ARG(name));
        TRY(unknown_place(reader, name, &place, error));
        column += place;
    }
    *id = (uint32_t)column;
    /* The name "(others)" stands for many, so that these are looked up each time. */
    if (column < reader->table->column_count + READER_UNKNOWN_NAMES)
        token_learn(reader->slots, reader->slot_count, index, raw, *id);
    return true;
}

static bool not_a_row(const struct cursor *j, struct slice object, struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL, "byte %zu of the row: %s",
                     (size_t)(j->at - object.data), j->problem);
}

/* Notes where the value of each column stands; of doubles the last. */
static bool find_cells(struct change_row_reader *reader, struct slice object, struct error *error)
{
    size_t count = reader->table->column_count;
    struct cursor j = cursor_over(object);
    memset(reader->cells, 0, count * sizeof *reader->cells); /* TOKEN_ABSENT */
    token_space(&j);
    if (j.at == j.end || *j.at != '{')
        return error_set(error, ERROR_INPUT, NULL, "the row is not a JSON object");
    bool more;
    if (!token_enter(&j, '}', &more))
        return not_a_row(&j, object, error);
    more = !more;
    for (size_t index = 0; more; index++) {
        uint32_t id = 0;
        struct slice raw;
        bool known, escaped;
        struct token value;
        if (!token_member(&j, reader->slots, reader->slot_count, index, &known, &id, &raw,
                          &escaped))
            return not_a_row(&j, object, error);
        if (!known)
            TRY(member_id(reader, index, raw, escaped, &id, error));
        if (!token_value(&j, &value) || !token_more(&j, '}', &more))
            return not_a_row(&j, object, error);
        if (id < count) {
            reader->cells[id] = value;
        } else {
            reader->unknown[id - count].pending++;
            reader->unknown_in_row = true;
        }
    }
    return token_end(&j) || not_a_row(&j, object, error);
}

bool reader_bad_value(const struct change_row_reader *reader, size_t column,
                      const struct token *token, const char *problem, struct error *error)
{
    const struct change_column *c = &reader->table->columns[column];
    size_t shown = token->raw.length;
    if (shown > 120) {
        for (shown = 120; shown && ((unsigned char)token->raw.data[shown] & 0xC0) == 0x80;)
            shown--;
    }
    const char *quote = value_is_text(token) ? "\"" : "";
    error_set(error, ERROR_INPUT, NULL, "column %s (%s): %s: %s%.*s%s%s", c->name, c->pg_type,
              problem, quote, (int)shown, token->raw.data ? token->raw.data : "", quote,
              shown < token->raw.length ? "..." : "");
    return error_remedy(
        error, "compare the schema file's type and encoding with the connector's settings; "
               "--on-bad-input quarantine sets such lines aside");
}

static bool is_nan(const struct column *column)
{
    size_t row = column->length - 1;
    return (column->type->kind == TYPE_DOUBLE && isnan(column_double(column, row))) ||
           (column->type->kind == TYPE_FLOAT && isnan(column_float(column, row)));
}

static bool append_cell(struct change_row_reader *reader, size_t i, struct column *out,
                        struct error *error)
{
    const struct token *cell = &reader->cells[i];
    bool key = reader->table->columns[i].key_ordinal >= 0;
    if (key && (cell->kind == TOKEN_NULL || cell->kind == TOKEN_ABSENT))
        return reader_bad_value(reader, i, cell, "a key column without a value", error);
    switch (value_append(&reader->values, reader->row_schema.forms[i], cell, out)) {
    case VALUE_FINE:
        return !key || !is_nan(out) ||
               reader_bad_value(reader, i, cell, "not a number, in a key column", error);
    case VALUE_BENT:
        if (key)
            return reader_bad_value(reader, i, cell, "no value of the lake, in a key column",
                                    error);
        if (reader->options.refuse_bent)
            return reader_bad_value(reader, i, cell, "the lake has no room for this value", error);
        reader->bent_pending[i]++;
        return true;
    case VALUE_BAD:
        return reader_bad_value(reader, i, cell, reader->values.problem, error);
    case VALUE_FAILED:
        break;
    }
    return false;
}

static bool append_cells(struct change_row_reader *reader, bool marks, struct batch *out,
                         uint8_t *unavailable, size_t *unavailable_count, struct error *error)
{
    for (size_t i = 0; i < reader->table->column_count; i++) {
        const struct token *cell = &reader->cells[i];
        bool gone =
            marks && cell->kind >= TOKEN_STRING &&
            marker_matches(&reader->marker, &reader->values, reader->row_schema.forms[i], cell);
        if (unavailable)
            unavailable[i] = gone;
        if (!gone) {
            TRY(append_cell(reader, i, &out->columns[i], error));
            continue;
        }
        if (unavailable == NULL)
            return reader_bad_value(reader, i, cell, "an unchanged value that is not sent", error);
        ++*unavailable_count;
        TRY(column_append_null(&out->columns[i], error));
    }
    return true;
}

/* Counts what the row brought, or forgets it. */
static void settle(struct change_row_reader *reader, bool kept)
{
    for (size_t i = 0; i < reader->table->column_count; i++) {
        reader->bent[i] += kept ? reader->bent_pending[i] : 0;
        reader->bent_pending[i] = 0;
    }
    for (size_t i = 0; reader->unknown_in_row && i < reader->unknown_count; i++) {
        reader->unknown[i].count += kept ? reader->unknown[i].pending : 0;
        reader->unknown[i].pending = 0;
    }
    reader->unknown_in_row = false;
}

bool change_row_read(struct change_row_reader *reader, struct slice object, struct slice schema,
                     bool marks, struct batch *out, uint8_t *unavailable, size_t *unavailable_count,
                     struct error *error)
{
    size_t marked = 0, rows = out->columns[0].length;
    reader->values.error = error;
    bool good = embedded_use(&reader->row_schema, schema, error) &&
                find_cells(reader, object, error) &&
                append_cells(reader, marks, out, unavailable, &marked, error);
    reader->values.error = NULL;
    settle(reader, good);
    if (!good) {
        for (size_t i = 0; i < reader->table->column_count; i++)
            column_truncate(&out->columns[i], rows);
        return false;
    }
    if (unavailable_count)
        *unavailable_count = marked;
    out->length = rows + 1;
    return true;
}

bool change_has_marks(const struct change_table *table, const struct change *change)
{
    return table->identity != CHANGE_IDENTITY_FULL &&
           (change->op == 'u' || (change->op == 'c' && change->old_key.data));
}

uint64_t change_row_bent(const struct change_row_reader *reader, size_t column)
{
    return reader->bent[column];
}

bool change_row_unknown(const struct change_row_reader *reader, size_t index, struct slice *name,
                        uint64_t *count)
{
    for (size_t i = 0; i < reader->unknown_count; i++) {
        if (reader->unknown[i].count && index-- == 0) {
            *name = slice_of(reader->unknown[i].name);
            *count = reader->unknown[i].count;
            return true;
        }
    }
    return false;
}

void change_row_counters_clear(struct change_row_reader *reader)
{
    memset(reader->bent, 0, reader->table->column_count * sizeof *reader->bent);
    for (size_t i = 0; i < reader->unknown_count; i++)
        reader->unknown[i].count = 0;
}

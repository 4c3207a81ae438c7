#include "plugins/postgres/row_digest.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#include "core/base/memory.h"

struct digest digest_of_bytes(struct slice bytes)
{
    XXH128_hash_t hash = XXH3_128bits(bytes.data ? bytes.data : "", bytes.length);
    return (struct digest){hash.high64, hash.low64};
}

struct digest digest_of_key(const struct change_key *key)
{
    if (!key->is_integer)
        return digest_of_bytes(key->bytes);
    return digest_of_bytes(slice_make(&key->integer, sizeof key->integer));
}

/* ---- values ---- */

static bool append_tagged(struct buffer *out, char tag, const void *data, size_t length,
                          struct error *error)
{
    TRY(buffer_append_byte(out, (uint8_t)tag, error));
    return buffer_append(out, data, length, error);
}

static bool append_length(struct buffer *out, char tag, uint64_t length, struct error *error)
{
    return append_tagged(out, tag, &length, sizeof length, error);
}

static bool append_integer(struct buffer *out, int64_t value, struct error *error)
{
    return append_tagged(out, 'i', &value, sizeof value, error);
}

static bool append_real(struct buffer *out, double value, struct error *error)
{
    if (isnan(value))
        return buffer_append_text(out, "NaN", error);
    return append_tagged(out, 'r', &value, sizeof value, error);
}

/* 1.10 and 1.1 are one value. */
static bool append_decimal(struct buffer *out, int128 value, int scale, struct error *error)
{
    while (scale > 0 && value % 10 == 0) {
        value /= 10;
        scale--;
    }
    int64_t digits = scale;
    TRY(append_tagged(out, 'd', &value, sizeof value, error));
    return buffer_append(out, &digits, sizeof digits, error);
}

static bool append_bytes(struct buffer *out, struct slice bytes, struct error *error)
{
    TRY(append_length(out, 'b', bytes.length, error));
    return buffer_append_slice(out, bytes, error);
}

static bool append_range(struct buffer *out, const struct column *column, size_t row,
                         struct error *error)
{
    uint64_t from = column->offsets[row];
    uint64_t to = column->offsets[row + 1];
    TRY(append_length(out, 'l', to - from, error));
    for (uint64_t i = from; i < to; i++) {
        for (size_t child = 0; child < column->child_count; child++)
            TRY(digest_append_value(out, &column->children[child], (size_t)i, error));
    }
    return true;
}

bool digest_append_value(struct buffer *out, const struct column *column, size_t row,
                         struct error *error)
{
    if (column == NULL || column_is_null(column, row))
        return buffer_append_byte(out, 'n', error);
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return append_tagged(out, 't', (const uint8_t *)column->values + row, 1, error);
    case TYPE_INT:
    case TYPE_DATE:
        return append_integer(out, column_int(column, row), error);
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return append_integer(out, column_long(column, row), error);
    case TYPE_FLOAT:
        return append_real(out, (double)column_float(column, row), error);
    case TYPE_DOUBLE:
        return append_real(out, column_double(column, row), error);
    case TYPE_DECIMAL:
        return append_decimal(out, column_decimal(column, row), column->type->scale, error);
    case TYPE_UUID:
    case TYPE_FIXED:
        return append_bytes(out, column_fixed(column, row), error);
    case TYPE_STRING:
    case TYPE_BINARY:
        return append_bytes(out, column_bytes(column, row), error);
    case TYPE_LIST:
    case TYPE_MAP:
        return append_range(out, column, row, error);
    case TYPE_STRUCT:
        TRY(append_length(out, 's', column->child_count, error));
        for (size_t child = 0; child < column->child_count; child++)
            TRY(digest_append_value(out, &column->children[child], row, error));
        return true;
    default:
        return error_set(error, ERROR_INTERNAL, NULL, "a column of an unknown type");
    }
}

/* ---- rows by key ---- */

static struct held_row *held_slot(const struct held_rows *rows, struct digest key)
{
    size_t mask = rows->slot_count - 1;
    size_t at = (size_t)key.low & mask;
    while (rows->slots[at].state != ROW_FREE && !digest_equal(rows->slots[at].key, key))
        at = (at + 1) & mask;
    return &rows->slots[at];
}

static bool held_rows_grow(struct held_rows *rows, struct error *error)
{
    struct held_rows larger = {.slot_count = rows->slot_count ? rows->slot_count * 2 : 1024,
                               .count = rows->count};
    larger.slots = memory_zero(larger.slot_count, sizeof *larger.slots, error);
    TRY(larger.slots != NULL);
    for (size_t i = 0; i < rows->slot_count; i++) {
        if (rows->slots[i].state != ROW_FREE)
            *held_slot(&larger, rows->slots[i].key) = rows->slots[i];
    }
    free(rows->slots);
    *rows = larger;
    return true;
}

bool held_rows_add(struct held_rows *rows, struct digest key, struct digest row, bool *twice,
                   struct error *error)
{
    if (rows->count * 4 >= rows->slot_count * 3)
        TRY(held_rows_grow(rows, error));
    struct held_row *slot = held_slot(rows, key);
    *twice = slot->state != ROW_FREE;
    if (*twice)
        return true;
    *slot = (struct held_row){key, row, ROW_HELD};
    rows->count++;
    return true;
}

struct held_row *held_rows_find(const struct held_rows *rows, struct digest key)
{
    if (rows->slot_count == 0)
        return NULL;
    struct held_row *slot = held_slot(rows, key);
    return slot->state == ROW_FREE ? NULL : slot;
}

void held_rows_destroy(struct held_rows *rows)
{
    free(rows->slots);
    *rows = (struct held_rows){0};
}

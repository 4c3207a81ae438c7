#include "core/iceberg/statistics.h"

#include <stdlib.h>

#include "core/base/utf8.h"

/* ---- cutting bounds ---- */

/* Bytes of the first ICEBERG_BOUND_LENGTH code points (or bytes). */
static size_t bound_prefix(const struct type *type, struct slice value)
{
    if (type->kind != TYPE_STRING)
        return value.length < ICEBERG_BOUND_LENGTH ? value.length : ICEBERG_BOUND_LENGTH;
    size_t end = 0;
    for (int i = 0; i < ICEBERG_BOUND_LENGTH && end < value.length; i++) {
        size_t width = utf8_character_length(value.data + end, value.length - end);
        end += width ? width : 1;
    }
    return end;
}

/* Raises the last character that can be raised and drops what is behind it; 0: there is none. */
static size_t bound_raise_text(char *text, size_t length)
{
    while (length > 0) {
        size_t at = length - 1;
        while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
            at--;
        size_t width = utf8_character_length(text + at, length - at);
        uint32_t point = width == length - at ? utf8_decode(text + at, width) : 0x10FFFF;
        if (point < 0x10FFFF) {
            point = point + 1 == 0xD800 ? 0xE000 : point + 1; /* surrogates are no characters */
            return at + utf8_encode(point, text + at);
        }
        length = at;
    }
    return 0;
}

static size_t bound_raise_bytes(char *bytes, size_t length)
{
    while (length > 0 && (unsigned char)bytes[length - 1] == 0xFF)
        length--;
    if (length > 0)
        bytes[length - 1] = (char)((unsigned char)bytes[length - 1] + 1);
    return length;
}

bool iceberg_bound_cut(const struct type *type, struct slice value, bool upper, struct arena *arena,
                       struct iceberg_value *out, struct error *error)
{
    bool cuts = type->kind == TYPE_STRING || type->kind == TYPE_BINARY;
    size_t length = cuts ? bound_prefix(type, value) : value.length;
    *out = (struct iceberg_value){0};
    /* A raised character may take a byte more than the one it replaces. */
    char *copy = arena_allocate(arena, length + 4, error);
    TRY(copy != NULL);
    if (length)
        memcpy(copy, value.data, length);
    if (upper && length < value.length) {
        length = type->kind == TYPE_STRING ? bound_raise_text(copy, length)
                                           : bound_raise_bytes(copy, length);
        if (length == 0)
            return true;
    }
    *out = (struct iceberg_value){true, slice_make(copy, length)};
    return true;
}

/* ---- a file ---- */

static bool facts_is_identifier(const struct schema *schema, int32_t id)
{
    for (size_t i = 0; i < schema->identifier_count; i++) {
        if (schema->identifier_ids[i] == id)
            return true;
    }
    return false;
}

static bool facts_metric(const struct parquet_column_facts *facts, const struct schema *schema,
                         size_t index, struct arena *arena, struct iceberg_metric *out,
                         struct error *error)
{
    *out = (struct iceberg_metric){.field_id = facts->field_id,
                                   .column_size = facts->compressed_bytes,
                                   .value_count = facts->value_count,
                                   .null_count = facts->null_count,
                                   .nan_count = facts->nan_count};
    const struct field *field = schema_find_id(schema, facts->field_id);
    bool wanted = index < ICEBERG_BOUND_COLUMNS || facts_is_identifier(schema, facts->field_id);
    if (!facts->has_bounds || field == NULL || !wanted)
        return true;
    if (facts->field_id == ICEBERG_DELETE_PATH_ID) { /* equal whole bounds tell the scope */
        struct type whole = {.kind = TYPE_FIXED};
        return iceberg_bound_cut(&whole, facts->lower, false, arena, &out->lower, error) &&
               iceberg_bound_cut(&whole, facts->upper, true, arena, &out->upper, error);
    }
    return iceberg_bound_cut(&field->type, facts->lower, false, arena, &out->lower, error) &&
           iceberg_bound_cut(&field->type, facts->upper, true, arena, &out->upper, error);
}

static int metric_order(const void *a, const void *b)
{
    int32_t left = ((const struct iceberg_metric *)a)->field_id;
    int32_t right = ((const struct iceberg_metric *)b)->field_id;
    return (left > right) - (left < right);
}

bool iceberg_file_from_facts(const struct parquet_file_facts *facts, const struct schema *schema,
                             const char *path, struct arena *arena, struct iceberg_file *out,
                             struct error *error)
{
    *out = (struct iceberg_file){.status = ICEBERG_ADDED,
                                 .format = "PARQUET",
                                 .record_count = facts->rows,
                                 .size = facts->bytes,
                                 .sort_order_id = -1,
                                 .content_offset = -1,
                                 .content_size = -1,
                                 .first_row_id = -1,
                                 .snapshot_id = -1,
                                 .sequence_number = -1,
                                 .file_sequence_number = -1};
    TRY((out->path = arena_copy_text(arena, path, error)) != NULL);
    out->metrics = arena_zero(arena, facts->column_count, sizeof *out->metrics, error);
    TRY(out->metrics != NULL);
    for (size_t i = 0; i < facts->column_count; i++) {
        if (facts->columns[i].field_id < 0)
            continue;
        TRY(facts_metric(&facts->columns[i], schema, i, arena, &out->metrics[out->metric_count],
                         error));
        out->metric_count++;
    }
    qsort(out->metrics, out->metric_count, sizeof *out->metrics, metric_order);
    out->split_offsets = arena_zero(arena, facts->split_count, sizeof *out->split_offsets, error);
    TRY(out->split_offsets != NULL);
    for (size_t i = 0; i < facts->split_count; i++)
        out->split_offsets[i] = facts->split_offsets[i];
    out->split_count = facts->split_count;
    return true;
}

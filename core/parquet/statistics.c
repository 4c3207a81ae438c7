#include "core/parquet/statistics.h"

#include <math.h>

#include "core/base/decimal.h"
#include "core/parquet/convert.h"
#include "core/parquet/reader_private.h"
#include "core/parquet/values.h"

static bool is_signed_number(const struct metadata_element *element, const struct type *type)
{
    switch (element->physical) {
    case PARQUET_BOOLEAN:
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE:
        return true;
    case PARQUET_INT32:
        return type->kind != TYPE_LONG; /* that would be unsigned */
    case PARQUET_INT64:
        return type->kind != TYPE_DECIMAL || element->logical == PARQUET_LOGICAL_DECIMAL ||
               element->converted == PARQUET_DECIMAL;
    default:
        return false;
    }
}

/* The pair to look at, if any. */
static bool choose_pair(const struct metadata_leaf *leaf, const struct metadata_statistics *from,
                        struct slice *low, struct slice *high)
{
    bool number = is_signed_number(leaf->element, &leaf->node->field->type);
    if (from->has_min && from->has_max && (leaf->ordered || number)) {
        *low = from->min;
        *high = from->max;
        return true;
    }
    *low = from->legacy_min;
    *high = from->legacy_max;
    return from->has_legacy && number;
}

static void load_whole(const struct type *type, const char *bytes, struct range_bound *out)
{
    int32_t narrow;
    switch (type_width(type)) {
    case 1:
        out->whole = bytes[0] != 0;
        break;
    case 4:
        memcpy(&narrow, bytes, sizeof narrow);
        out->whole = narrow;
        break;
    default:
        memcpy(&out->whole, bytes, sizeof out->whole);
    }
}

/* A bound in the column's own form. */
static bool load_value(const struct type *type, const char *bytes, struct range_bound *out)
{
    float narrow;
    switch (type->kind) {
    case TYPE_FLOAT:
        memcpy(&narrow, bytes, sizeof narrow);
        out->real = (double)narrow;
        return !isnan(out->real);
    case TYPE_DOUBLE:
        memcpy(&out->real, bytes, sizeof out->real);
        return !isnan(out->real);
    case TYPE_DECIMAL:
        memcpy(&out->wide, bytes, sizeof out->wide);
        out->whole = (int64_t)out->wide;
        return decimal_fits(out->wide, type->precision);
    default:
        load_whole(type, bytes, out);
        return true;
    }
}

/* False when the bytes are no bound of this leaf. *ok is false when memory ran out. */
static bool load_bound(const struct metadata_leaf *leaf, struct slice raw, struct range_bound *out,
                       bool *ok, struct error *error)
{
    const struct type *type = &leaf->node->field->type;
    const struct metadata_element *element = leaf->element;
    size_t stored = values_width((enum parquet_physical)element->physical, element->type_length);
    enum convert convert;
    int128 room[1] = {0}; /* of any fixed-width value but fixed and uuid */
    if (!convert_choose(element, type, type, &convert) || convert == CONVERT_INT96 ||
        (stored && raw.length != stored))
        return false;
    if (range_kind_of(type) == RANGE_BYTES) {
        *ok = buffer_append_slice(&out->bytes, raw, error);
        return *ok;
    }
    if (convert == CONVERT_BYTES_TO_DECIMAL) {
        if (!decimal_from_bytes(raw, room))
            return false;
    } else if (convert == CONVERT_NONE) {
        memcpy(room, raw.data, raw.length);
    } else if (!convert_fixed(convert, raw.data, stored, 1, room)) {
        return false;
    }
    return load_value(type, (const char *)room, out);
}

bool statistics_range(const struct metadata_leaf *leaf, const struct metadata_chunk *chunk,
                      struct range *out, struct error *error)
{
    struct slice low;
    struct slice high;
    bool ok = true;
    out->kind = range_kind_of(&leaf->node->field->type);
    out->set = choose_pair(leaf, &chunk->statistics, &low, &high) &&
               load_bound(leaf, low, &out->low, &ok, error) && ok &&
               load_bound(leaf, high, &out->high, &ok, error);
    if (!out->set)
        return ok;
    struct range swapped = *out; /* borrowed: to compare low with high */
    swapped.low = out->high;
    out->set = range_compare_low(out, &swapped) <= 0;
    return true;
}

static const struct metadata_leaf *find_leaf(const struct metadata *metadata, int32_t field_id,
                                             size_t *index)
{
    for (size_t i = 0; field_id >= 0 && i < metadata->leaf_count; i++) {
        if (metadata->leaves[i].node->field->id == field_id) {
            *index = i;
            return &metadata->leaves[i];
        }
    }
    return NULL;
}

bool parquet_reader_group_facts(const struct parquet_reader *reader, size_t group, int32_t field_id,
                                struct arena *arena, struct parquet_column_facts *out,
                                struct error *error)
{
    const struct metadata *metadata = &reader->metadata;
    size_t index = 0;
    const struct metadata_leaf *leaf = find_leaf(metadata, field_id, &index);
    if (leaf == NULL || group >= metadata->group_count)
        return error_set(error, ERROR_NOT_FOUND, NULL,
                         "%s: no column with field id %d in row group %zu",
                         reader->source.name ? reader->source.name : "input", (int)field_id, group);
    const struct metadata_chunk *chunk = &metadata->groups[group].chunks[index];
    bool texts = leaf->element->physical == PARQUET_BYTE_ARRAY;
    *out = (struct parquet_column_facts){
        .field_id = field_id,
        .compressed_bytes = chunk->compressed,
        .value_count = chunk->values,
        .null_count = chunk->statistics.has_null_count ? chunk->statistics.null_count : -1,
        .nan_count = -1,
        .lower_exact = !texts || chunk->statistics.min_exact,
        .upper_exact = !texts || chunk->statistics.max_exact,
    };
    struct range range = {0};
    const struct type *type = &leaf->node->field->type;
    bool ok = statistics_range(leaf, chunk, &range, error);
    out->has_bounds = ok && range.set && leaf->max_repetition == 0;
    if (out->has_bounds)
        ok = range_to_iceberg(&range, false, type, arena, &out->lower, error) &&
             range_to_iceberg(&range, true, type, arena, &out->upper, error);
    range_destroy(&range);
    return ok;
}

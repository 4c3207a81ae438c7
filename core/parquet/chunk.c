/* Rows into the open page: values in their physical form, bounds, dictionary or PLAIN. */
#include "core/parquet/chunk.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/decimal.h"
#include "core/base/memory.h"

/* While the dictionary is on trial it sees this many rows at a time; with more than 31 of 32
 * distinct in the first ones there is no point in going on. */
enum { TRIAL_ROWS = 4096 };

bool chunk_init(struct chunk *chunk, const struct parquet_leaf *leaf,
                const struct parquet_writer_options *options, struct error *error)
{
    bool dictionary = options->dictionary && leaf->physical != PARQUET_BOOLEAN;
    enum range_kind kind = range_kind_of(&leaf->field->type);
    *chunk = (struct chunk){
        .leaf = leaf,
        .options = options,
        .first_mode = dictionary ? CHUNK_TRIAL : CHUNK_PLAIN,
        .mode = dictionary ? CHUNK_TRIAL : CHUNK_PLAIN,
        .page_number = 1,
        .uniform = true,
        .page_range = {.kind = kind},
        .previous = {.kind = kind},
        .chunk_range = {.kind = kind},
        .file_range = {.kind = kind},
        .record = {.leaf = leaf, .ascending = true, .descending = true},
    };
    return !dictionary || dictionary_init(&chunk->dictionary, (size_t)leaf->width, error);
}

void chunk_record_destroy(struct chunk_record *record)
{
    free(record->pages);
    buffer_destroy(&record->index_bytes);
    *record = (struct chunk_record){0};
}

void chunk_destroy(struct chunk *chunk)
{
    dictionary_destroy(&chunk->dictionary);
    free(chunk->definition);
    free(chunk->repetition);
    free(chunk->indices);
    buffer_destroy(&chunk->plain);
    buffer_destroy(&chunk->bytes);
    range_destroy(&chunk->page_range);
    range_destroy(&chunk->previous);
    range_destroy(&chunk->chunk_range);
    range_destroy(&chunk->file_range);
    chunk_record_destroy(&chunk->record);
    *chunk = (struct chunk){0};
}

void chunk_scratch_destroy(struct chunk_scratch *scratch)
{
    codec_context_destroy(scratch->codec);
    parquet_shred_destroy(&scratch->shred);
    buffer_destroy(&scratch->dense);
    buffer_destroy(&scratch->page);
    buffer_destroy(&scratch->packed);
    free(scratch->words);
    *scratch = (struct chunk_scratch){0};
}

/* ---- values in their physical form, without gaps ---- */

static bool out_of_precision(const struct parquet_leaf *leaf, struct error *error)
{
    return error_set(error, ERROR_INPUT, "widen the column's precision, or correct the value",
                     "column %s: a value with more than %d digits", leaf->path[0]->name,
                     leaf->field->type.precision);
}

/* Decimals leave their 128 bits for the 4, 8 or n bytes that the precision needs. */
static bool dense_decimals(struct chunk *chunk, struct chunk_scratch *scratch, struct error *error)
{
    const struct parquet_shred *shred = &scratch->shred;
    const int128 *values = shred->column->values;
    size_t width = (size_t)chunk->leaf->width;
    TRY(buffer_reserve(&scratch->dense, shred->count * width, error));
    char *to = scratch->dense.data;
    int128 low = 0;
    int128 high = 0;
    int32_t precision = chunk->leaf->field->type.precision;
    for (size_t i = 0; i < shred->count; i++, to += width) {
        int128 value = values[shred->scattered ? shred->rows[i] : shred->first + i];
        low = i == 0 || value < low ? value : low;
        high = i == 0 || value > high ? value : high;
        if (chunk->leaf->physical == PARQUET_FIXED) {
            decimal_to_bytes_fixed(value, (uint8_t *)to, width);
        } else {
            int64_t word = (int64_t)value;
            memcpy(to, &word, width);
        }
    }
    scratch->low = low;
    scratch->high = high;
    return (decimal_fits(low, precision) && decimal_fits(high, precision)) ||
           out_of_precision(chunk->leaf, error);
}

/* The present values one behind the other: the column's own memory when there are no gaps. */
static bool dense_values(struct chunk *chunk, struct chunk_scratch *scratch, const char **out,
                         struct error *error)
{
    const struct parquet_shred *shred = &scratch->shred;
    const char *values = shred->column->values;
    size_t width = (size_t)chunk->leaf->width;
    buffer_clear(&scratch->dense);
    *out = NULL;
    if (shred->count == 0)
        return true;
    if (values == NULL)
        return error_set(error, ERROR_INTERNAL, NULL, "column %s has rows and no values",
                         chunk->leaf->path[0]->name);
    if (chunk->leaf->field->type.kind == TYPE_DECIMAL) {
        TRY(dense_decimals(chunk, scratch, error));
        *out = scratch->dense.data;
        return true;
    }
    if (!shred->scattered) {
        *out = values + shred->first * width;
        return true;
    }
    TRY(buffer_reserve(&scratch->dense, shred->count * width, error));
    char *to = scratch->dense.data;
    if (width == 8) {
        for (size_t i = 0; i < shred->count; i++)
            memcpy(to + i * 8, values + shred->rows[i] * 8, 8);
    } else if (width == 4) {
        for (size_t i = 0; i < shred->count; i++)
            memcpy(to + i * 4, values + shred->rows[i] * 4, 4);
    } else {
        for (size_t i = 0; i < shred->count; i++)
            memcpy(to + i * width, values + shred->rows[i] * width, width);
    }
    *out = to;
    return true;
}

/* ---- bounds of a slice ---- */

static void bound_ints(struct range *range, const int32_t *values, size_t count)
{
    int32_t low = values[0];
    int32_t high = values[0];
    for (size_t i = 1; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    range_add_whole(range, low, high);
}

static void bound_longs(struct range *range, const int64_t *values, size_t count)
{
    int64_t low = values[0];
    int64_t high = values[0];
    for (size_t i = 1; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    range_add_whole(range, low, high);
}

static void bound_booleans(struct range *range, const uint8_t *values, size_t count)
{
    uint8_t any = 0;
    uint8_t all = 1;
    for (size_t i = 0; i < count; i++) {
        any |= values[i];
        all &= values[i];
    }
    range_add_whole(range, all, any);
}

/* Comparisons with NaN are false, so it is never taken; the counts tell whether anything was. */
static void bound_reals(struct chunk *chunk, const void *values, size_t count)
{
    double low = INFINITY;
    double high = -INFINITY;
    size_t nans = 0;
    bool wide = chunk->leaf->physical == PARQUET_DOUBLE;
    for (size_t i = 0; i < count; i++) {
        double value = wide ? ((const double *)values)[i] : (double)((const float *)values)[i];
        low = value < low ? value : low;
        high = value > high ? value : high;
        nans += isnan(value) != 0;
    }
    chunk->record.nans += (int64_t)nans;
    if (nans < count)
        range_add_real(&chunk->page_range, low, high);
}

static bool bound_fixed(struct chunk *chunk, const struct chunk_scratch *scratch,
                        const char *values, size_t count, struct error *error)
{
    if (count == 0 || values == NULL)
        return true;
    if (chunk->leaf->field->type.kind == TYPE_DECIMAL) {
        if (chunk->page_range.kind == RANGE_WIDE)
            range_add_wide(&chunk->page_range, scratch->low, scratch->high);
        else
            range_add_whole(&chunk->page_range, (int64_t)scratch->low, (int64_t)scratch->high);
        return true;
    }
    switch (chunk->leaf->physical) {
    case PARQUET_BOOLEAN:
        bound_booleans(&chunk->page_range, (const uint8_t *)values, count);
        return true;
    case PARQUET_INT32:
        bound_ints(&chunk->page_range, (const int32_t *)(const void *)values, count);
        return true;
    case PARQUET_INT64:
        bound_longs(&chunk->page_range, (const int64_t *)(const void *)values, count);
        return true;
    case PARQUET_FLOAT:
    case PARQUET_DOUBLE:
        bound_reals(chunk, values, count);
        return true;
    default:
        break;
    }
    size_t width = (size_t)chunk->leaf->width;
    for (size_t i = 0; i < count; i++)
        TRY(range_add_bytes(&chunk->page_range, slice_make(values + i * width, width), error));
    return true;
}

/* ---- byte arrays ---- */

static struct slice text_at(const struct parquet_shred *shred, size_t i)
{
    return column_bytes(shred->column,
                        (size_t)(shred->scattered ? shred->rows[i] : shred->first + i));
}

static uint64_t text_bytes(const struct parquet_shred *shred)
{
    const uint64_t *offsets = shred->column->offsets;
    uint64_t bytes = 4 * shred->count;
    if (shred->count && !shred->scattered)
        return bytes + offsets[shred->first + shred->count] - offsets[shred->first];
    for (size_t i = 0; i < shred->count; i++)
        bytes += text_at(shred, i).length;
    return bytes;
}

static bool append_texts(struct chunk *chunk, const struct parquet_shred *shred, uint64_t bytes,
                         struct error *error)
{
    if (shred->count == 0)
        return true;
    TRY(buffer_reserve(&chunk->plain, bytes, error));
    char *to = chunk->plain.data + chunk->plain.length;
    for (size_t i = 0; i < shred->count; i++) {
        struct slice value = text_at(shred, i);
        uint32_t length = (uint32_t)value.length;
        memcpy(to, &length, sizeof length);
        memcpy(to + sizeof length, value.data ? value.data : "", value.length);
        to += sizeof length + value.length;
        TRY(range_add_bytes(&chunk->page_range, value, error));
    }
    chunk->plain.length += bytes;
    return true;
}

/* Only what a page has not seen yet can move its bounds. */
static bool bound_entries(struct chunk *chunk, size_t count, struct error *error)
{
    const uint32_t *indices = chunk->indices + chunk->page_values;
    for (size_t i = 0; i < count; i++) {
        if (dictionary_first_in_page(&chunk->dictionary, indices[i], chunk->page_number))
            TRY(range_add_bytes(&chunk->page_range,
                                dictionary_value(&chunk->dictionary, indices[i]), error));
    }
    return true;
}

/* ---- slices ---- */

static bool add_levels(struct chunk *chunk, const struct parquet_shred *shred, struct error *error)
{
    size_t total = chunk->page_levels + shred->levels;
    if (total > INT32_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "split the row",
                         "column %s: a row with too many elements", chunk->leaf->path[0]->name);
    if (chunk->leaf->max_repetition) {
        TRY(memory_grow(&chunk->repetition, &chunk->repetition_capacity, total, 1, error));
        memcpy(chunk->repetition + chunk->page_levels, shred->repetition, shred->levels);
    }
    if (chunk->leaf->max_definition && !(chunk->uniform && shred->uniform)) {
        TRY(memory_grow(&chunk->definition, &chunk->definition_capacity, total, 1, error));
        if (chunk->uniform)
            memset(chunk->definition, chunk->leaf->max_definition, chunk->page_levels);
        if (shred->uniform)
            memset(chunk->definition + chunk->page_levels, chunk->leaf->max_definition,
                   shred->levels);
        else
            memcpy(chunk->definition + chunk->page_levels, shred->definition, shred->levels);
        chunk->uniform = false;
    }
    chunk->page_levels = total;
    return true;
}

/* The slice's values by the dictionary; *fits false leaves the page as it was. */
static bool add_by_dictionary(struct chunk *chunk, struct chunk_scratch *scratch, const char *dense,
                              bool *fits, struct error *error)
{
    const struct parquet_shred *shred = &scratch->shred;
    TRY(memory_grow(&chunk->indices, &chunk->index_capacity, chunk->page_values + shred->count,
                    sizeof *chunk->indices, error));
    uint32_t *indices = chunk->indices + chunk->page_values;
    if (chunk->leaf->physical == PARQUET_BYTE_ARRAY) {
        TRY(dictionary_add_bytes(&chunk->dictionary, shred->column->bytes, shred->column->offsets,
                                 shred->scattered ? shred->rows : NULL, shred->first, shred->count,
                                 indices, fits, error));
        return !*fits || bound_entries(chunk, shred->count, error);
    }
    return dictionary_add_fixed(&chunk->dictionary, dense, shred->count, indices, fits, error);
}

/* Leaves the dictionary behind: the open page is closed with it, or turned back on trial. */
static bool leave_dictionary(struct chunk *chunk, struct chunk_scratch *scratch,
                             struct error *error)
{
    if (chunk->mode == CHUNK_TRIAL) {
        TRY(chunk_indices_to_plain(chunk, error));
        dictionary_clear(&chunk->dictionary);
    } else {
        /* Closing uses the scratch page only, so the shredded slice stays. */
        TRY(chunk_close_page(chunk, scratch, error));
    }
    chunk->mode = CHUNK_PLAIN;
    return true;
}

static bool trial_is_lost(const struct chunk *chunk)
{
    return chunk->mode == CHUNK_TRIAL && chunk->page_values >= TRIAL_ROWS &&
           chunk->dictionary.count >= chunk->page_values - chunk->page_values / 32;
}

/* `rows` rows, shredded in scratch, into the open page. */
static bool add_slice(struct chunk *chunk, struct chunk_scratch *scratch, size_t rows,
                      struct error *error)
{
    const struct parquet_shred *shred = &scratch->shred;
    bool texts = chunk->leaf->physical == PARQUET_BYTE_ARRAY;
    const char *dense = NULL;
    uint64_t bytes = texts ? text_bytes(shred) : shred->count * (uint64_t)chunk->leaf->width;
    if (chunk->mode != CHUNK_PLAIN && shred->count) {
        /* A slice that overflows goes to a page of its own, with bounds of its own. */
        bool fits = true;
        if (!texts)
            TRY(dense_values(chunk, scratch, &dense, error));
        TRY(add_by_dictionary(chunk, scratch, dense, &fits, error));
        if (!fits)
            TRY(leave_dictionary(chunk, scratch, error));
    }
    if (!texts && (dense == NULL || chunk->mode == CHUNK_PLAIN))
        TRY(dense_values(chunk, scratch, &dense, error));
    if (!texts)
        TRY(bound_fixed(chunk, scratch, dense, shred->count, error));
    if (chunk->mode == CHUNK_PLAIN && texts)
        TRY(append_texts(chunk, shred, bytes, error));
    else if (chunk->mode == CHUNK_PLAIN)
        TRY(buffer_append(&chunk->plain, dense, bytes, error));
    TRY(add_levels(chunk, shred, error));
    chunk->page_values += shred->count;
    chunk->page_rows += (int64_t)rows;
    chunk->plain_bytes += bytes;
    chunk->raw += (int64_t)bytes;
    return !trial_is_lost(chunk) || leave_dictionary(chunk, scratch, error);
}

/* How many of the rows fit into the open page; at least one. */
static size_t rows_that_fit(const struct chunk *chunk, const struct column *top, size_t from,
                            size_t count)
{
    size_t room = chunk->options->page_rows - (size_t)chunk->page_rows;
    count = count < room ? count : room;
    if (chunk->mode == CHUNK_TRIAL && count > TRIAL_ROWS)
        count = TRIAL_ROWS;
    uint64_t bytes = chunk->options->page_bytes - chunk->plain_bytes;
    size_t most = count;
    size_t least = 1;
    if (parquet_leaf_bytes(chunk->leaf, top, from, from + most) <= bytes)
        return most;
    while (least < most) {
        size_t middle = least + (most - least + 1) / 2;
        if (parquet_leaf_bytes(chunk->leaf, top, from, from + middle) <= bytes)
            least = middle;
        else
            most = middle - 1;
    }
    return least;
}

bool chunk_write(struct chunk *chunk, struct chunk_scratch *scratch, const struct column *top,
                 size_t from, size_t count, struct error *error)
{
    while (count > 0) {
        size_t rows = rows_that_fit(chunk, top, from, count);
        TRY(parquet_shred_rows(&scratch->shred, chunk->leaf, top, from, rows, error));
        TRY(add_slice(chunk, scratch, rows, error));
        if ((size_t)chunk->page_rows >= chunk->options->page_rows ||
            chunk->plain_bytes >= chunk->options->page_bytes)
            TRY(chunk_close_page(chunk, scratch, error));
        from += rows;
        count -= rows;
    }
    return true;
}

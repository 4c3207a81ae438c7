/* Closing pages: levels, encoding, compression, header, statistics. */
#include "core/parquet/chunk.h"

#include "core/base/memory.h"
#include "core/parquet/rle.h"
#include "core/parquet/thrift.h"

/* Bounds in the page index are for skipping, so they may be short; those of the chunk are worth
 * more. */
enum { INDEX_BOUND_BYTES = 64, CHUNK_BOUND_BYTES = 1024 };

/* ---- the body ---- */

static bool widen(struct chunk_scratch *scratch, const uint8_t *levels, size_t count,
                  struct error *error)
{
    TRY(memory_grow(&scratch->words, &scratch->words_capacity, count, sizeof *scratch->words,
                    error));
    for (size_t i = 0; i < count; i++)
        scratch->words[i] = levels[i];
    return true;
}

/* Levels of a v1 page: four bytes of length in front. `levels` NULL: all are `highest`. */
static bool append_levels(struct chunk_scratch *scratch, const uint8_t *levels, size_t count,
                          uint8_t highest, struct error *error)
{
    struct buffer *page = &scratch->page;
    size_t begin = page->length;
    unsigned width = rle_width(highest);
    TRY(buffer_append_u32_le(page, 0, error));
    if (levels == NULL) {
        TRY(rle_encode_run(highest, count, width, page, error));
    } else if (highest == 1) {
        TRY(rle_encode_bits(levels, count, page, error));
    } else {
        TRY(widen(scratch, levels, count, error));
        TRY(rle_encode(scratch->words, count, width, page, error));
    }
    uint32_t length = (uint32_t)(page->length - begin - 4);
    memcpy(page->data + begin, &length, sizeof length);
    return true;
}

static bool append_values(struct chunk *chunk, struct buffer *page, struct error *error)
{
    if (chunk->mode == CHUNK_DICTIONARY) {
        unsigned width = rle_width((uint32_t)(chunk->dictionary.count - 1));
        TRY(buffer_append_byte(page, (uint8_t)width, error));
        return rle_encode(chunk->indices, chunk->page_values, width, page, error);
    }
    if (chunk->leaf->physical != PARQUET_BOOLEAN)
        return buffer_append_slice(page, buffer_slice(&chunk->plain), error);
    size_t length = (chunk->page_values + 7) / 8;
    TRY(buffer_reserve(page, length, error));
    rle_pack_bits((const uint8_t *)chunk->plain.data, chunk->page_values,
                  (uint8_t *)page->data + page->length);
    page->length += length;
    return true;
}

bool chunk_indices_to_plain(struct chunk *chunk, struct error *error)
{
    buffer_clear(&chunk->plain);
    TRY(buffer_reserve(&chunk->plain, chunk->plain_bytes, error));
    for (size_t i = 0; i < chunk->page_values; i++) {
        struct slice value = dictionary_value(&chunk->dictionary, chunk->indices[i]);
        if (chunk->dictionary.width == 0)
            TRY(buffer_append_u32_le(&chunk->plain, (uint32_t)value.length, error));
        TRY(buffer_append_slice(&chunk->plain, value, error));
    }
    return true;
}

/* ---- header and storage ---- */

/* Compresses scratch->page and appends header and page to the chunk. `entries` >= 0 makes it a
 * dictionary page. */
static bool store_page(struct chunk *chunk, struct chunk_scratch *scratch, struct buffer *out,
                       int32_t entries, struct error *error)
{
    struct slice body = buffer_slice(&scratch->page);
    if (body.length > INT32_MAX / 2)
        return error_set(error, ERROR_UNSUPPORTED, "store such values outside of the table",
                         "column %s: a value of more than %d MiB", chunk->leaf->path[0]->name,
                         INT32_MAX / 2 >> 20);
    buffer_clear(&scratch->packed);
    TRY(codec_compress(scratch->codec, chunk->options->codec, chunk->options->level, body,
                       &scratch->packed, error));
    size_t begin = out->length;
    struct thrift_writer thrift;
    thrift_write_begin(&thrift, out, error);
    thrift_field_i32(&thrift, 1, entries >= 0 ? PARQUET_PAGE_DICTIONARY : PARQUET_PAGE_DATA);
    thrift_field_i32(&thrift, 2, (int32_t)body.length);
    thrift_field_i32(&thrift, 3, (int32_t)scratch->packed.length);
    thrift_field_i32(&thrift, 4, (int32_t)codec_crc32(0, buffer_slice(&scratch->packed)));
    if (entries >= 0) {
        thrift_field_struct(&thrift, 7);
        thrift_field_i32(&thrift, 1, entries);
        thrift_field_i32(&thrift, 2, PARQUET_PLAIN);
    } else {
        thrift_field_struct(&thrift, 5);
        thrift_field_i32(&thrift, 1, (int32_t)chunk->page_levels);
        thrift_field_i32(&thrift, 2,
                         chunk->mode == CHUNK_DICTIONARY ? PARQUET_RLE_DICTIONARY : PARQUET_PLAIN);
        thrift_field_i32(&thrift, 3, PARQUET_RLE);
        thrift_field_i32(&thrift, 4, PARQUET_RLE);
    }
    thrift_struct_end(&thrift);
    thrift_struct_end(&thrift);
    TRY(thrift.ok);
    chunk->record.uncompressed += (int64_t)(out->length - begin + body.length);
    TRY(buffer_append_slice(out, buffer_slice(&scratch->packed), error));
    chunk->record.compressed += (int64_t)(out->length - begin);
    return true;
}

/* ---- bounds ---- */

struct bound_place {
    size_t *at, *length;
    bool *exact; /* may be NULL */
};

/* One bound into the record's index bytes; *has becomes false when there is none. */
static bool keep_bound(struct chunk *chunk, const struct range *range, bool upper, size_t longest,
                       struct bound_place place, bool *has, struct error *error)
{
    struct buffer *bytes = &chunk->record.index_bytes;
    *place.at = bytes->length;
    enum range_result result = range_append_parquet(range, upper, &chunk->leaf->field->type,
                                                    chunk->leaf->width, longest, bytes, error);
    *place.length = bytes->length - *place.at;
    if (place.exact)
        *place.exact = result == RANGE_EXACT;
    if (result == RANGE_NONE)
        *has = false;
    return result != RANGE_FAILED;
}

static bool keep_page_bounds(struct chunk *chunk, struct chunk_page *page, struct error *error)
{
    struct range *range = &chunk->page_range;
    page->has_bounds = range->set;
    if (!range->set) {
        /* Fine for a page of nulls only; values without bounds (NaN) bar the column index. */
        chunk->record.unindexed = chunk->record.unindexed || chunk->page_values > 0;
        return true;
    }
    TRY(keep_bound(chunk, range, false, INDEX_BOUND_BYTES,
                   (struct bound_place){&page->low_at, &page->low_length, NULL}, &page->has_bounds,
                   error));
    TRY(keep_bound(chunk, range, true, INDEX_BOUND_BYTES,
                   (struct bound_place){&page->high_at, &page->high_length, NULL},
                   &page->has_bounds, error));
    chunk->record.unindexed = chunk->record.unindexed || !page->has_bounds;
    if (chunk->has_previous) {
        int low = range_compare_low(&chunk->previous, range);
        int high = range_compare_high(&chunk->previous, range);
        chunk->record.ascending = chunk->record.ascending && low <= 0 && high <= 0;
        chunk->record.descending = chunk->record.descending && low >= 0 && high >= 0;
    }
    range_clear(&chunk->previous);
    TRY(range_add_range(&chunk->previous, range, error));
    chunk->has_previous = true;
    return range_add_range(&chunk->chunk_range, range, error);
}

/* ---- closing ---- */

/* After the first page: whether the dictionary makes it smaller by enough to be worth a second
 * table in every reader. */
static bool dictionary_pays(const struct chunk *chunk)
{
    uint64_t width = rle_width((uint32_t)(chunk->dictionary.count - 1));
    uint64_t encoded = chunk->dictionary.plain.length + chunk->page_values * width / 8;
    return encoded * 5 <= chunk->plain_bytes * 4;
}

static bool store_open_page(struct chunk *chunk, struct chunk_scratch *scratch, struct error *error)
{
    struct chunk_record *record = &chunk->record;
    const struct parquet_leaf *leaf = chunk->leaf;
    buffer_clear(&scratch->page);
    if (leaf->max_repetition)
        TRY(append_levels(scratch, chunk->repetition, chunk->page_levels, leaf->max_repetition,
                          error));
    if (leaf->max_definition)
        TRY(append_levels(scratch, chunk->uniform ? NULL : chunk->definition, chunk->page_levels,
                          leaf->max_definition, error));
    TRY(append_values(chunk, &scratch->page, error));
    TRY(memory_grow(&record->pages, &record->page_capacity, record->page_count + 1,
                    sizeof *record->pages, error));
    struct chunk_page page = {.offset = (int64_t)chunk->bytes.length,
                              .first_row = chunk->rows,
                              .nulls = (int64_t)(chunk->page_levels - chunk->page_values)};
    TRY(store_page(chunk, scratch, &chunk->bytes, -1, error));
    page.size = (int32_t)((int64_t)chunk->bytes.length - page.offset);
    TRY(keep_page_bounds(chunk, &page, error));
    record->pages[record->page_count++] = page;
    record->values += (int64_t)chunk->page_levels;
    record->nulls += page.nulls;
    record->dictionary_pages += chunk->mode == CHUNK_DICTIONARY;
    record->plain_pages += chunk->mode == CHUNK_PLAIN;
    chunk->rows += chunk->page_rows;
    chunk->page_rows = 0;
    chunk->page_levels = 0;
    chunk->page_values = 0;
    chunk->plain_bytes = 0;
    chunk->uniform = true;
    chunk->page_number++;
    buffer_clear(&chunk->plain);
    range_clear(&chunk->page_range);
    return true;
}

bool chunk_close_page(struct chunk *chunk, struct chunk_scratch *scratch, struct error *error)
{
    if (chunk->page_levels == 0)
        return true;
    if (chunk->mode == CHUNK_TRIAL && chunk->dictionary.count == 0) {
        /* Nulls only tell nothing: the page is an empty PLAIN one and the trial goes on. */
        chunk->mode = CHUNK_PLAIN;
        TRY(store_open_page(chunk, scratch, error));
        chunk->mode = CHUNK_TRIAL;
        return true;
    }
    if (chunk->mode == CHUNK_TRIAL) {
        chunk->mode = dictionary_pays(chunk) ? CHUNK_DICTIONARY : CHUNK_PLAIN;
        if (chunk->mode == CHUNK_PLAIN) {
            TRY(chunk_indices_to_plain(chunk, error));
            dictionary_clear(&chunk->dictionary);
        }
    }
    return store_open_page(chunk, scratch, error);
}

/* The dictionary page goes first, so pages move behind it. */
static bool write_dictionary(struct chunk *chunk, struct chunk_scratch *scratch, struct sink *sink,
                             struct error *error)
{
    chunk->record.dictionary_offset = -1;
    if (chunk->record.dictionary_pages == 0)
        return true;
    chunk->record.dictionary_offset = (int64_t)sink->written;
    buffer_clear(&scratch->page);
    TRY(buffer_append_slice(&scratch->page, buffer_slice(&chunk->dictionary.plain), error));
    buffer_clear(&chunk->plain);
    TRY(store_page(chunk, scratch, &chunk->plain, (int32_t)chunk->dictionary.count, error));
    TRY(sink_write(sink, chunk->plain.data, chunk->plain.length, error));
    buffer_clear(&chunk->plain);
    return true;
}

static void chunk_restart(struct chunk *chunk)
{
    dictionary_clear(&chunk->dictionary);
    buffer_clear(&chunk->bytes);
    range_clear(&chunk->chunk_range);
    chunk->mode = chunk->first_mode;
    chunk->page_number = 1;
    chunk->rows = 0;
    chunk->raw = 0;
    chunk->has_previous = false;
    chunk->record =
        (struct chunk_record){.leaf = chunk->leaf, .ascending = true, .descending = true};
}

bool chunk_finish(struct chunk *chunk, struct chunk_scratch *scratch, struct sink *sink,
                  struct chunk_record *out, struct error *error)
{
    struct chunk_record *record = &chunk->record;
    TRY(chunk_close_page(chunk, scratch, error));
    /* A column whose dictionary did not pay goes without one in the next group too. */
    if (record->dictionary_pages == 0 && record->values > record->nulls)
        chunk->first_mode = CHUNK_PLAIN;
    TRY(write_dictionary(chunk, scratch, sink, error));
    record->data_offset = (int64_t)sink->written;
    for (size_t i = 0; i < record->page_count; i++)
        record->pages[i].offset += record->data_offset;
    TRY(sink_write(sink, chunk->bytes.data, chunk->bytes.length, error));
    const struct range *range = &chunk->chunk_range;
    record->has_bounds = range->set;
    if (range->set) {
        TRY(keep_bound(
            chunk, range, false, CHUNK_BOUND_BYTES,
            (struct bound_place){&record->low_at, &record->low_length, &record->low_exact},
            &record->has_bounds, error));
        TRY(keep_bound(
            chunk, range, true, CHUNK_BOUND_BYTES,
            (struct bound_place){&record->high_at, &record->high_length, &record->high_exact},
            &record->has_bounds, error));
        TRY(range_add_range(&chunk->file_range, range, error));
    }
    *out = *record;
    chunk_restart(chunk);
    return true;
}

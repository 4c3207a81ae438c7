/* Pages of a column chunk: headers, decompression, dictionary, levels. */
#include "core/parquet/leaf_reader.h"

#include <inttypes.h>

#include "core/base/memory.h"

/* What is fetched for a header at first, and read ahead from sources that are not mapped. */
enum { HEADER_BYTES = 16 << 10, WINDOW_BYTES = 256 << 10 };

static const char *leaf_name(const struct leaf_reader *reader)
{
    return reader->leaf->node->field->name;
}

static bool page_damaged(const struct leaf_reader *reader, const char *what, struct error *error)
{
    return metadata_damaged(reader->source, (uint64_t)reader->page_at, error,
                            "column %s, row group %zu: %s", leaf_name(reader), reader->group, what);
}

bool leaf_values_ok(struct leaf_reader *reader, enum values_result result, struct error *error)
{
    reader->too_large = result == VALUES_TOO_LARGE;
    switch (result) {
    case VALUES_OK:
        return true;
    case VALUES_DAMAGED:
        return page_damaged(reader, "the page's values are not readable", error);
    case VALUES_TOO_LARGE:
        return error_set(error, ERROR_UNSUPPORTED, "rewrite the file with smaller values",
                         "%s, at byte %" PRId64 ": column %s: too many bytes in few rows",
                         reader->source->name ? reader->source->name : "input", reader->page_at,
                         leaf_name(reader));
    case VALUES_UNSUPPORTED:
        return error_set(error, ERROR_UNSUPPORTED,
                         "rewrite the file with plain or dictionary "
                         "encoding",
                         "%s, at byte %" PRId64 ": column %s: unknown encoding",
                         reader->source->name ? reader->source->name : "input", reader->page_at,
                         leaf_name(reader));
    default:
        return false; /* the error is set */
    }
}

/* ---- bytes ---- */

/* `length` bytes at `at`, mapped or through the window; good until the next fetch. */
static bool fetch(struct leaf_reader *reader, int64_t at, size_t length, const char **out,
                  struct error *error)
{
    const struct source *source = reader->source;
    const char *map = source->map ? source->map(source->context) : NULL;
    if (map) {
        *out = map + at;
        return true;
    }
    int64_t window_end = reader->window_at + (int64_t)reader->window.length;
    if (at < reader->window_at || at + (int64_t)length > window_end) {
        size_t left = (size_t)(reader->end_at - at);
        size_t ahead = left < WINDOW_BYTES ? left : WINDOW_BYTES;
        size_t take = length > ahead ? length : ahead;
        reader->window.length = 0;
        TRY(buffer_reserve(&reader->window, take, error));
        TRY(source_read(source, (uint64_t)at, reader->window.data, take, error));
        reader->window_at = at;
        reader->window.length = take;
    }
    *out = reader->window.data + (at - reader->window_at);
    return true;
}

static bool read_header(struct leaf_reader *reader, int64_t at, struct page_header *out,
                        struct error *error)
{
    reader->page_at = at;
    size_t left = (size_t)(reader->end_at - at);
    size_t length = left < HEADER_BYTES ? left : HEADER_BYTES;
    const char *bytes;
    TRY(fetch(reader, at, length, &bytes, error));
    bool ok = page_header_parse(slice_make(bytes, length), out);
    if (!ok && length < left) { /* long statistics inside it */
        TRY(fetch(reader, at, left, &bytes, error));
        ok = page_header_parse(slice_make(bytes, left), out);
    }
    return (ok && (size_t)out->compressed <= left - out->length) ||
           page_damaged(reader, "the page header is not readable", error);
}

static bool choose_codec(const struct leaf_reader *reader, enum codec *out, struct error *error)
{
    static const struct {
        bool known;
        enum codec codec;
    } codecs[] = {
        [PARQUET_UNCOMPRESSED] = {true, CODEC_NONE}, [PARQUET_SNAPPY] = {true, CODEC_SNAPPY},
        [PARQUET_GZIP] = {true, CODEC_GZIP},         [PARQUET_ZSTD] = {true, CODEC_ZSTD},
        [PARQUET_LZ4_RAW] = {true, CODEC_LZ4_RAW},
    };
    int32_t codec = reader->chunk->codec;
    if (codec < 0 || codec > PARQUET_LZ4_RAW || !codecs[codec].known)
        return error_set(error, ERROR_UNSUPPORTED, "rewrite the file with zstd or snappy",
                         "%s: column %s: compression codec %" PRId32 " is not read",
                         reader->source->name ? reader->source->name : "input", leaf_name(reader),
                         codec);
    *out = codecs[codec].codec;
    return true;
}

/* Decompresses `in` into reader->page behind `keep` bytes, to the declared size. */
static bool decompress(struct leaf_reader *reader, struct slice in, size_t keep, size_t length,
                       struct error *error)
{
    enum codec codec = CODEC_NONE;
    TRY(choose_codec(reader, &codec, error));
    if (length > reader->limits->page_bytes)
        return error_set(error, ERROR_UNSUPPORTED, "rewrite the file with smaller pages",
                         "%s, at byte %" PRId64 ": column %s: a page of %zu bytes; at most %zu "
                         "are read",
                         reader->source->name ? reader->source->name : "input", reader->page_at,
                         leaf_name(reader), length, reader->limits->page_bytes);
    if (codec_least_size(codec, length) > in.length + 64)
        return page_damaged(reader, "the page can't be as large as it says", error);
    reader->page.length = keep;
    TRY(buffer_reserve(&reader->page, length + 1, error));
    struct error inner = {0};
    if (!codec_decompress(reader->codec, codec, in, reader->page.data + keep, length, &inner)) {
        if (inner.kind != ERROR_INPUT) {
            if (error)
                *error = inner;
            return false;
        }
        return page_damaged(reader, inner.message, error);
    }
    reader->page.length = keep + length;
    return true;
}

/* The page's stored bytes, checked against its checksum. */
static bool fetch_body(struct leaf_reader *reader, const struct page_header *header, int64_t at,
                       struct slice *out, struct error *error)
{
    const char *bytes;
    TRY(fetch(reader, at + (int64_t)header->length, (size_t)header->compressed, &bytes, error));
    *out = slice_make(bytes, (size_t)header->compressed);
    return !header->has_crc || codec_crc32(0, *out) == header->crc ||
           page_damaged(reader, "the page's checksum does not match", error);
}

/* ---- dictionary ---- */

static bool convert_dictionary(struct leaf_reader *reader, const char *stored, size_t count,
                               struct error *error)
{
    struct buffer *to = &reader->dictionary_values;
    buffer_clear(to);
    TRY(buffer_reserve(to, count * reader->column_width + 1, error));
    bool ok = true;
    if (reader->convert == CONVERT_BYTES_TO_DECIMAL)
        ok = convert_bytes(&reader->dictionary_texts, count, (int128 *)(void *)to->data);
    else if (reader->convert != CONVERT_NONE)
        ok = convert_fixed(reader->convert, stored, reader->stored_width, count, to->data);
    else if (count)
        memcpy(to->data, stored, count * reader->column_width);
    return ok || page_damaged(reader, "a value has no room in the column's type", error);
}

static bool take_dictionary(struct leaf_reader *reader, const struct page_header *header,
                            int64_t at, struct error *error)
{
    struct slice body;
    bool plain = header->encoding == PARQUET_PLAIN || header->encoding == PARQUET_PLAIN_DICTIONARY;
    if (header->values < 0 || !plain || reader->dictionary_loaded)
        return page_damaged(reader, "the dictionary page is not readable", error);
    TRY(fetch_body(reader, header, at, &body, error));
    TRY(decompress(reader, body, 0, (size_t)header->uncompressed, error));
    struct values_decoder decoder = {.limit = reader->limits->page_bytes};
    size_t count = (size_t)header->values;
    size_t least = reader->stored_width ? reader->stored_width : 4;
    if (reader->leaf->element->physical == PARQUET_BOOLEAN || count > reader->page.length / least)
        return page_damaged(reader, "the dictionary page is not readable", error);
    TRY(leaf_values_ok(reader,
                       values_begin(&decoder, PARQUET_PLAIN,
                                    (enum parquet_physical)reader->leaf->element->physical,
                                    reader->stored_width, buffer_slice(&reader->page)),
                       error));
    if (reader->stored_width == 0) {
        struct column *texts = &reader->dictionary_texts;
        column_clear(texts);
        TRY(column_reserve(texts, count, error));
        TRY(leaf_values_ok(reader, values_read_bytes(&decoder, texts, 0, count, error), error));
        texts->length = count;
    }
    if (reader->column_width)
        TRY(convert_dictionary(reader, reader->page.data, count, error));
    reader->dictionary_count = count;
    reader->dictionary_loaded = true;
    return true;
}

/* A reader that jumped behind the dictionary page fetches it when a page needs it. */
static bool need_dictionary(struct leaf_reader *reader, struct error *error)
{
    if (reader->dictionary_loaded)
        return true;
    struct page_header header;
    int64_t page_at = reader->page_at;
    TRY(read_header(reader, reader->chunk->begin, &header, error));
    if (header.type != PARQUET_PAGE_DICTIONARY)
        return page_damaged(reader, "a page needs a dictionary and there is none", error);
    TRY(take_dictionary(reader, &header, reader->chunk->begin, error));
    reader->page_at = page_at;
    return true;
}

/* ---- data pages ---- */

static unsigned level_width(uint8_t highest)
{
    return rle_width(highest);
}

/* Levels of a v1 page at the front of *body, which moves behind them. */
static bool begin_levels(struct leaf_reader *reader, struct rle_decoder *decoder, uint8_t highest,
                         int32_t encoding, size_t count, struct slice *body, struct error *error)
{
    if (highest == 0)
        return true;
    unsigned width = level_width(highest);
    size_t length = (count * width + 7) / 8;
    if (encoding == PARQUET_BIT_PACKED && length <= body->length) {
        rle_decoder_init_legacy(decoder, slice_make(body->data, length), width, count);
    } else if (encoding == PARQUET_RLE && body->length >= 4) {
        uint32_t said;
        memcpy(&said, body->data, sizeof said);
        if (said > body->length - 4)
            return page_damaged(reader, "the page's levels are longer than it", error);
        rle_decoder_init(decoder, slice_make(body->data + 4, said), width);
        length = said + 4u;
    } else {
        return page_damaged(reader, "the page's levels are not readable", error);
    }
    body->data += length;
    body->length -= length;
    return true;
}

static bool open_v1(struct leaf_reader *reader, const struct page_header *header,
                    struct slice stored, struct slice *values, struct error *error)
{
    size_t count = (size_t)header->values;
    TRY(decompress(reader, stored, 0, (size_t)header->uncompressed, error));
    *values = buffer_slice(&reader->page);
    return begin_levels(reader, &reader->repetitions, reader->leaf->max_repetition,
                        header->repetition_encoding, count, values, error) &&
           begin_levels(reader, &reader->definitions, reader->leaf->max_definition,
                        header->definition_encoding, count, values, error);
}

/* Levels of a v2 page are stored as they are, in front of the values. */
static bool open_v2(struct leaf_reader *reader, const struct page_header *header,
                    struct slice stored, struct slice *values, struct error *error)
{
    int64_t levels = (int64_t)header->definition_length + header->repetition_length;
    if (header->definition_length < 0 || header->repetition_length < 0 ||
        levels > header->compressed || levels > header->uncompressed)
        return page_damaged(reader, "the page's levels are longer than it", error);
    size_t keep = (size_t)levels;
    reader->page.length = 0;
    TRY(buffer_append(&reader->page, stored.data, keep, error));
    struct slice rest = {stored.data + keep, stored.length - keep};
    if (!header->compressed_values)
        TRY(buffer_append_slice(&reader->page, rest, error));
    else if (rest.length)
        TRY(decompress(reader, rest, keep, (size_t)header->uncompressed - keep, error));
    TRY(buffer_reserve(&reader->page, 1, error));
    const char *data = reader->page.data;
    size_t repetition = (size_t)header->repetition_length;
    rle_decoder_init(&reader->repetitions, slice_make(data, repetition),
                     level_width(reader->leaf->max_repetition));
    rle_decoder_init(&reader->definitions, slice_make(data + repetition, keep - repetition),
                     level_width(reader->leaf->max_definition));
    *values = slice_make(data + keep, reader->page.length - keep);
    return true;
}

static bool open_data(struct leaf_reader *reader, const struct page_header *header, int64_t at,
                      struct error *error)
{
    bool dictionary =
        header->encoding == PARQUET_PLAIN_DICTIONARY || header->encoding == PARQUET_RLE_DICTIONARY;
    if (dictionary && !reader->levels_only)
        TRY(need_dictionary(reader, error));
    struct slice stored;
    struct slice values;
    TRY(fetch_body(reader, header, at, &stored, error));
    TRY((header->type == PARQUET_PAGE_DATA ? open_v1 : open_v2)(reader, header, stored, &values,
                                                                error));
    reader->levels_left = (size_t)header->values;
    if (reader->levels_only)
        return true;
    return leaf_values_ok(reader,
                          values_begin(&reader->values, header->encoding,
                                       (enum parquet_physical)reader->leaf->element->physical,
                                       reader->stored_width, values),
                          error);
}

/* Where there is an index, the page has to be the one that it promises. */
static bool check_located(struct leaf_reader *reader, const struct page_header *header, int64_t at,
                          struct error *error)
{
    const struct page_locations *locations = &reader->locations;
    bool flat = reader->leaf->max_repetition == 0;
    if (locations->count == 0)
        return true;
    if (reader->next_page == locations->count || reader->rows_left > 0)
        return page_damaged(reader, "the pages are not those of the offset index", error);
    const struct page_location *here = &locations->pages[reader->next_page++];
    int64_t end = reader->next_page < locations->count
                      ? here[1].first_row
                      : reader->metadata->groups[reader->group].rows;
    if (!flat)
        reader->rows_left = end - here->first_row;
    return (at == here->offset && (int64_t)header->length + header->compressed == here->size &&
            (!flat || header->values == end - here->first_row)) ||
           page_damaged(reader, "the page is not the one of the offset index", error);
}

bool leaf_open_page(struct leaf_reader *reader, int64_t *skip_rows, struct error *error)
{
    for (;;) {
        struct page_header header;
        int64_t at = reader->next_at;
        reader->page_at = at;
        if (at >= reader->end_at)
            return page_damaged(reader, "the column ends before its rows do", error);
        TRY(read_header(reader, at, &header, error));
        reader->next_at = at + (int64_t)header.length + header.compressed;
        if (header.type == PARQUET_PAGE_DICTIONARY) {
            if (!reader->levels_only && !(reader->dictionary_loaded && at == reader->chunk->begin))
                TRY(take_dictionary(reader, &header, at, error));
            continue;
        }
        if (header.type != PARQUET_PAGE_DATA && header.type != PARQUET_PAGE_DATA_V2)
            continue;
        TRY(check_located(reader, &header, at, error));
        if (header.values < 0 || header.values > reader->chunk->values)
            return page_damaged(reader, "the page has an impossible number of values", error);
        int64_t rows = reader->leaf->max_repetition == 0 ? header.values : header.rows;
        if (skip_rows && rows >= 0 && rows <= *skip_rows) {
            *skip_rows -= rows;
            reader->rows_left = -1;
            continue;
        }
        return open_data(reader, &header, at, error);
    }
}

bool leaf_load_locations(struct leaf_reader *reader, struct error *error)
{
    const struct metadata_group *group = &reader->metadata->groups[reader->group];
    return reader->locations.count > 0 ||
           metadata_read_locations(reader->chunk, group->rows, reader->source, &reader->arena,
                                   &reader->locations, error);
}

void leaf_locate(struct leaf_reader *reader, int64_t *row)
{
    const struct page_locations *locations = &reader->locations;
    if (locations->count == 0)
        return;
    size_t low = 0;
    size_t high = locations->count; /* the page is in [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (locations->pages[middle].first_row <= *row)
            low = middle;
        else
            high = middle;
    }
    reader->next_page = low;
    reader->next_at = locations->pages[low].offset;
    *row -= locations->pages[low].first_row;
}

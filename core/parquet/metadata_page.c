/* Page headers and the offset index. */
#include "core/parquet/metadata.h"

#include "core/parquet/thrift.h"

/* ---- page headers ---- */

/* A data page header has four numbers in front, a dictionary page header two. */
static void parse_data_page(struct thrift_reader *thrift, uint8_t type, int numbers_in_front,
                            struct page_header *out)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        int32_t *numbers[] = {&out->values, &out->encoding, &out->definition_encoding,
                              &out->repetition_encoding};
        if (field.id >= 1 && field.id <= numbers_in_front)
            *numbers[field.id - 1] = thrift_read_i32(thrift, field.type);
        else
            thrift_skip(thrift, field.type);
    }
    thrift_read_leave(thrift);
}

static void parse_data_page_v2(struct thrift_reader *thrift, uint8_t type, struct page_header *out)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        int32_t *numbers[] = {&out->values,
                              &out->nulls,
                              &out->rows,
                              &out->encoding,
                              &out->definition_length,
                              &out->repetition_length};
        if (field.id >= 1 && field.id <= 6)
            *numbers[field.id - 1] = thrift_read_i32(thrift, field.type);
        else if (field.id == 7)
            out->compressed_values = thrift_read_bool(thrift, field.type);
        else
            thrift_skip(thrift, field.type);
    }
    thrift_read_leave(thrift);
}

bool page_header_parse(struct slice bytes, struct page_header *out)
{
    struct thrift_reader thrift;
    struct thrift_field field = {0};
    *out = (struct page_header){.type = -1,
                                .uncompressed = -1,
                                .compressed = -1,
                                .values = -1,
                                .encoding = -1,
                                .definition_encoding = PARQUET_RLE,
                                .repetition_encoding = PARQUET_RLE,
                                .rows = -1,
                                .compressed_values = true};
    thrift_read_begin(&thrift, bytes);
    while (thrift_read_field(&thrift, &field)) {
        switch (field.id) {
        case 1:
            out->type = thrift_read_i32(&thrift, field.type);
            break;
        case 2:
            out->uncompressed = thrift_read_i32(&thrift, field.type);
            break;
        case 3:
            out->compressed = thrift_read_i32(&thrift, field.type);
            break;
        case 4:
            out->crc = (uint32_t)thrift_read_i32(&thrift, field.type);
            out->has_crc = true;
            break;
        case 5:
            parse_data_page(&thrift, field.type, 4, out);
            break;
        case 7:
            parse_data_page(&thrift, field.type, 2, out);
            break;
        case 8:
            parse_data_page_v2(&thrift, field.type, out);
            break;
        default:
            thrift_skip(&thrift, field.type);
        }
    }
    out->length = (size_t)(thrift.at - thrift.begin);
    return !thrift.failed && out->type >= 0 && out->uncompressed >= 0 && out->compressed >= 0;
}

/* ---- offset index ---- */

static void parse_location(struct thrift_reader *thrift, uint8_t type, struct page_location *out)
{
    struct thrift_field field = {0};
    *out = (struct page_location){-1, -1, -1};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        if (field.id == 1)
            out->offset = thrift_read_int(thrift, field.type);
        else if (field.id == 2)
            out->size = thrift_read_i32(thrift, field.type);
        else if (field.id == 3)
            out->first_row = thrift_read_int(thrift, field.type);
        else
            thrift_skip(thrift, field.type);
    }
    thrift_read_leave(thrift);
}

static bool check_locations(const struct page_locations *locations,
                            const struct metadata_chunk *chunk, int64_t group_rows)
{
    int64_t end = chunk->begin + chunk->compressed;
    for (size_t i = 0; i < locations->count; i++) {
        const struct page_location *page = &locations->pages[i];
        int64_t least_row = i ? locations->pages[i - 1].first_row : 0;
        int64_t least_at = i ? page[-1].offset + page[-1].size : chunk->begin;
        if (page->offset < least_at || page->size <= 0 || page->offset > end - page->size ||
            page->first_row < least_row || page->first_row >= group_rows)
            return false;
    }
    return locations->count == 0 || locations->pages[0].first_row == 0;
}

bool metadata_read_locations(const struct metadata_chunk *chunk, int64_t group_rows,
                             const struct source *source, struct arena *arena,
                             struct page_locations *out, struct error *error)
{
    *out = (struct page_locations){0};
    if (chunk->offset_index_at < 0 || chunk->offset_index_length <= 0)
        return true;
    size_t length = (size_t)chunk->offset_index_length;
    uint64_t at = (uint64_t)chunk->offset_index_at;
    if (at > source->size || length > source->size - at)
        return metadata_damaged(source, at, error, "an offset index beyond the end");
    char *bytes = arena_allocate(arena, length, error);
    TRY(bytes != NULL);
    TRY(source_read(source, at, bytes, length, error));
    struct thrift_reader thrift;
    struct thrift_field field = {0};
    thrift_read_begin(&thrift, slice_make(bytes, length));
    while (thrift_read_field(&thrift, &field)) {
        if (field.id != 1 || out->pages) {
            thrift_skip(&thrift, field.type);
            continue;
        }
        uint8_t element;
        out->count = thrift_read_list(&thrift, field.type, &element);
        out->pages = arena_zero(arena, out->count, sizeof *out->pages, error);
        TRY(out->pages != NULL);
        for (size_t i = 0; i < out->count && !thrift.failed; i++)
            parse_location(&thrift, element, &out->pages[i]);
    }
    return (!thrift.failed && check_locations(out, chunk, group_rows)) ||
           metadata_damaged(source, at, error, "the offset index is not readable");
}

#include "core/parquet/leaf_reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/memory.h"

enum { AHEAD = 1024, PIECE = 1024 };

static const struct type binary_type = {.kind = TYPE_BINARY};

/* ---- life ---- */

static bool refuse_type(const struct leaf_reader *reader, const struct type *want,
                        struct error *error)
{
    struct buffer have_text = {0};
    struct buffer want_text = {0};
    bool ok = type_print(&reader->leaf->node->field->type, &have_text, error) &&
              type_print(want, &want_text, error) && buffer_text(&have_text, error) &&
              buffer_text(&want_text, error);
    if (ok)
        ok = error_set(error, ERROR_UNSUPPORTED, "read the column as the type it was written with",
                       "%s: column %s is %s in the file and can't be read as %s",
                       reader->source->name ? reader->source->name : "input",
                       reader->leaf->node->field->name, have_text.data, want_text.data);
    buffer_destroy(&have_text);
    buffer_destroy(&want_text);
    return ok;
}

bool leaf_reader_init(struct leaf_reader *reader, const struct metadata *metadata,
                      const struct source *source, const struct parquet_limits *limits,
                      struct codec_context *codec, size_t leaf, const struct type *want,
                      struct error *error)
{
    *reader = (struct leaf_reader){.metadata = metadata,
                                   .source = source,
                                   .limits = limits,
                                   .codec = codec,
                                   .index = leaf,
                                   .leaf = &metadata->leaves[leaf],
                                   .levels_only = want == NULL};
    const struct metadata_element *element = reader->leaf->element;
    reader->stored_width =
        values_width((enum parquet_physical)element->physical, element->type_length);
    TRY(column_init(&reader->dictionary_texts, &binary_type, error));
    TRY(column_init(&reader->texts, &binary_type, error));
    if (want == NULL)
        return true;
    if (!convert_choose(element, &reader->leaf->node->field->type, want, &reader->convert))
        return refuse_type(reader, want, error);
    reader->column_width = type_width(want);
    return true;
}

void leaf_reader_destroy(struct leaf_reader *reader)
{
    arena_destroy(&reader->arena);
    buffer_destroy(&reader->dictionary_values);
    column_destroy(&reader->dictionary_texts);
    column_destroy(&reader->texts);
    buffer_destroy(&reader->page);
    buffer_destroy(&reader->window);
    buffer_destroy(&reader->stored);
    buffer_destroy(&reader->values.previous);
    free(reader->ahead_definition);
    free(reader->ahead_repetition);
    free(reader->definition);
    free(reader->repetition);
    free(reader->indices);
    *reader = (struct leaf_reader){0};
}

/* ---- values ---- */

static bool too_large(struct leaf_reader *reader, struct error *error)
{
    return leaf_values_ok(reader, VALUES_TOO_LARGE, error);
}

static uint64_t step_limit(const struct leaf_reader *reader)
{
    return (uint64_t)reader->limits->batch_bytes * 4;
}

static void gather(char *to, const char *from, const uint32_t *indices, size_t count, size_t width)
{
    switch (width) {
    case 4:
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * 4, from + (size_t)indices[i] * 4, 4);
        break;
    case 8:
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * 8, from + (size_t)indices[i] * 8, 8);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            memcpy(to + i * width, from + indices[i] * width, width);
    }
}

static bool gather_texts(struct leaf_reader *reader, struct column *out, size_t at, size_t count,
                         struct error *error)
{
    const struct column *texts = &reader->dictionary_texts;
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += column_bytes(texts, reader->indices[i]).length;
    if (out->bytes_length - reader->bytes_begin + bytes > step_limit(reader))
        return too_large(reader, error);
    TRY(memory_grow(&out->bytes, &out->bytes_capacity, out->bytes_length + (size_t)bytes, 1,
                    error));
    for (size_t i = 0; i < count; i++) {
        struct slice text = column_bytes(texts, reader->indices[i]);
        if (text.length)
            memcpy(out->bytes + out->bytes_length, text.data, text.length);
        out->bytes_length += text.length;
        out->offsets[at + i + 1] = out->bytes_length;
    }
    return true;
}

static bool read_by_dictionary(struct leaf_reader *reader, struct column *out, size_t at,
                               size_t count, struct error *error)
{
    if (reader->indices == NULL)
        reader->indices = memory_zero(PIECE, sizeof *reader->indices, error);
    TRY(reader->indices != NULL);
    while (count > 0) {
        size_t take = count < PIECE ? count : PIECE;
        TRY(leaf_values_ok(
            reader,
            values_read_indices(&reader->values, reader->indices, take, reader->dictionary_count),
            error));
        if (reader->column_width)
            gather((char *)out->values + at * reader->column_width, reader->dictionary_values.data,
                   reader->indices, take, reader->column_width);
        else
            TRY(gather_texts(reader, out, at, take, error));
        at += take;
        count -= take;
    }
    return true;
}

/* Byte arrays into reader->texts; for FIXED all must have the type's length. */
static bool read_texts(struct leaf_reader *reader, size_t count, struct error *error)
{
    struct column *texts = &reader->texts;
    column_clear(texts);
    TRY(column_reserve(texts, count, error));
    reader->values.limit = step_limit(reader);
    TRY(leaf_values_ok(reader, values_read_bytes(&reader->values, texts, 0, count, error), error));
    for (size_t i = 0; reader->stored_width && i < count; i++) {
        if (column_bytes(texts, i).length != reader->stored_width)
            return leaf_values_ok(reader, VALUES_DAMAGED, error);
    }
    return true;
}

/* Values of fixed width in the column, however they are stored. */
static bool read_converted(struct leaf_reader *reader, char *to, size_t count, struct error *error)
{
    bool texts = reader->stored_width == 0 || reader->values.encoding == PARQUET_DELTA_BYTE_ARRAY;
    const char *stored;
    if (texts) {
        TRY(read_texts(reader, count, error));
        stored = reader->texts.bytes;
    } else {
        buffer_clear(&reader->stored);
        TRY(buffer_reserve(&reader->stored, count * reader->stored_width + 1, error));
        TRY(leaf_values_ok(reader, values_read_fixed(&reader->values, reader->stored.data, count),
                           error));
        stored = reader->stored.data;
    }
    bool fits = true;
    if (reader->convert == CONVERT_BYTES_TO_DECIMAL)
        fits = convert_bytes(&reader->texts, count, (int128 *)(void *)to);
    else if (reader->convert != CONVERT_NONE)
        fits = convert_fixed(reader->convert, stored, reader->stored_width, count, to);
    else if (count)
        memcpy(to, stored, count * reader->stored_width);
    return fits || metadata_damaged(reader->source, (uint64_t)reader->page_at, error,
                                    "column %s: a value has no room in the column's type",
                                    reader->leaf->node->field->name);
}

/* The next `count` present values of the page behind what is there. */
static bool read_values(struct leaf_reader *reader, size_t count, struct error *error)
{
    struct column *out = reader->out;
    if (count == 0 || out == NULL)
        return true;
    size_t at = out->length + reader->filled;
    uint64_t wide = reader->column_width ? reader->column_width : 8;
    if ((reader->filled + count) * wide > step_limit(reader))
        return too_large(reader, error);
    TRY(column_reserve(out, reader->filled + count, error));
    reader->filled += count;
    if (reader->values.encoding == PARQUET_RLE_DICTIONARY)
        return read_by_dictionary(reader, out, at, count, error);
    if (reader->column_width == 0) {
        reader->values.limit =
            (size_t)(step_limit(reader) - (out->bytes_length - reader->bytes_begin));
        return leaf_values_ok(reader, values_read_bytes(&reader->values, out, at, count, error),
                              error);
    }
    char *to = (char *)out->values + at * reader->column_width;
    bool direct = reader->convert == CONVERT_NONE && reader->stored_width &&
                  reader->values.encoding != PARQUET_DELTA_BYTE_ARRAY;
    if (direct)
        return leaf_values_ok(reader, values_read_fixed(&reader->values, to, count), error);
    return read_converted(reader, to, count, error);
}

static bool skip_values(struct leaf_reader *reader, size_t count, struct error *error)
{
    if (reader->levels_only)
        return true;
    if (reader->values.encoding != PARQUET_DELTA_BYTE_ARRAY)
        return leaf_values_ok(reader, values_skip(&reader->values, count), error);
    while (count > 0) {
        size_t take = count < PIECE ? count : PIECE;
        TRY(read_texts(reader, take, error));
        count -= take;
    }
    return true;
}

/* ---- levels ---- */

static bool levels_damaged(const struct leaf_reader *reader, struct error *error)
{
    return metadata_damaged(reader->source, (uint64_t)reader->page_at, error,
                            "column %s: the page's levels are not readable",
                            reader->leaf->node->field->name);
}

/* How many of the levels are the highest; SIZE_MAX when one is beyond it. */
static size_t count_present(const uint8_t *levels, size_t count, uint8_t highest)
{
    size_t present = 0;
    uint8_t most = 0;
    for (size_t i = 0; i < count; i++) {
        present += levels[i] == highest;
        most = levels[i] > most ? levels[i] : most;
    }
    return most > highest ? SIZE_MAX : present;
}

static bool grow_levels(struct leaf_reader *reader, size_t more, struct error *error)
{
    size_t total = reader->levels + more;
    if (total > step_limit(reader) / 16)
        return too_large(reader, error);
    TRY(memory_grow(&reader->definition, &reader->definition_capacity, total, 1, error));
    return reader->leaf->max_repetition == 0 ||
           memory_grow(&reader->repetition, &reader->repetition_capacity, total, 1, error);
}

/* Rows of a leaf that is not repeated: a level is a row. `keep` false passes over them. */
static bool read_flat(struct leaf_reader *reader, size_t rows, bool keep, struct error *error)
{
    uint8_t highest = reader->leaf->max_definition;
    while (rows > 0) {
        if (reader->levels_left == 0) {
            TRY(leaf_open_page(reader, NULL, error));
            continue;
        }
        size_t take = rows < reader->levels_left ? rows : reader->levels_left;
        size_t present = take;
        if (!keep && take > PIECE)
            take = present = PIECE;
        TRY(grow_levels(reader, take, error));
        if (highest) {
            uint8_t *levels = reader->definition + reader->levels;
            if (!rle_decode_bytes(&reader->definitions, levels, take))
                return levels_damaged(reader, error);
            present = count_present(levels, take, highest);
            if (present == SIZE_MAX)
                return levels_damaged(reader, error);
        }
        TRY(keep ? read_values(reader, present, error) : skip_values(reader, present, error));
        reader->levels += keep ? take : 0;
        reader->levels_left -= take;
        rows -= take;
    }
    return true;
}

static bool fill_ahead(struct leaf_reader *reader, struct error *error)
{
    size_t take = reader->levels_left < AHEAD ? reader->levels_left : AHEAD;
    if (reader->ahead_definition == NULL) {
        reader->ahead_definition = memory_zero(AHEAD, 1, error);
        reader->ahead_repetition = memory_zero(AHEAD, 1, error);
        TRY(reader->ahead_definition && reader->ahead_repetition);
    }
    if (!rle_decode_bytes(&reader->repetitions, reader->ahead_repetition, take) ||
        !rle_decode_bytes(&reader->definitions, reader->ahead_definition, take) ||
        count_present(reader->ahead_repetition, take, reader->leaf->max_repetition) == SIZE_MAX ||
        count_present(reader->ahead_definition, take, reader->leaf->max_definition) == SIZE_MAX)
        return levels_damaged(reader, error);
    reader->ahead_at = 0;
    reader->ahead_count = take;
    reader->levels_left -= take;
    if (reader->rows_left < 0)
        return true;
    for (size_t i = 0; i < take; i++)
        reader->rows_left -= reader->ahead_repetition[i] == 0;
    return reader->rows_left >= 0 || levels_damaged(reader, error);
}

/* Takes `count` levels from those decoded ahead, and their values. */
static bool take_ahead(struct leaf_reader *reader, size_t count, bool keep, struct error *error)
{
    const uint8_t *definition = reader->ahead_definition + reader->ahead_at;
    size_t present = count_present(definition, count, reader->leaf->max_definition);
    if (keep) {
        TRY(grow_levels(reader, count, error));
        memcpy(reader->definition + reader->levels, definition, count);
        memcpy(reader->repetition + reader->levels, reader->ahead_repetition + reader->ahead_at,
               count);
        reader->levels += count;
    }
    reader->ahead_at += count;
    return keep ? read_values(reader, present, error) : skip_values(reader, present, error);
}

/* Rows of a repeated leaf: each begins with repetition 0 and ends in front of the next one, which
 * may be pages away. */
static bool read_repeated(struct leaf_reader *reader, size_t rows, bool keep, struct error *error)
{
    size_t begun = 0;
    for (;;) {
        if (reader->ahead_at == reader->ahead_count) {
            if (reader->levels_left > 0) {
                TRY(fill_ahead(reader, error));
                continue;
            }
            /* With an offset index rows end with their page. */
            bool ended = reader->next_at >= reader->end_at || reader->locations.count > 0;
            if (begun == rows && (ended || rows == 0))
                return true;
            TRY(leaf_open_page(reader, NULL, error));
            continue;
        }
        size_t at = reader->ahead_at;
        const uint8_t *repetition = reader->ahead_repetition;
        while (at < reader->ahead_count && (repetition[at] != 0 || begun < rows))
            begun += repetition[at++] == 0;
        if (begun == 0 && at > reader->ahead_at)
            return levels_damaged(reader, error);
        bool ended = at < reader->ahead_count;
        TRY(take_ahead(reader, at - reader->ahead_at, keep, error));
        if (ended)
            return true;
    }
}

/* ---- rows ---- */

static bool discard(struct leaf_reader *reader, int64_t rows, struct error *error)
{
    reader->levels = 0;
    return (reader->leaf->max_repetition ? read_repeated : read_flat)(reader, (size_t)rows, false,
                                                                      error);
}

static bool skip_from_page_start(struct leaf_reader *reader, int64_t rows, struct error *error)
{
    return rows == 0 || (leaf_open_page(reader, &rows, error) && discard(reader, rows, error));
}

/* Begins a group: nothing of another one is kept. */
static bool open_chunk(struct leaf_reader *reader, size_t group, struct error *error)
{
    reader->group = group;
    reader->chunk = &reader->metadata->groups[group].chunks[reader->index];
    if (reader->chunk->elsewhere || reader->chunk->encrypted)
        return error_set(error, ERROR_UNSUPPORTED, "rewrite it as one plain Parquet file",
                         "%s: column %s is %s", reader->source->name ? reader->source->name : "",
                         reader->leaf->node->field->name,
                         reader->chunk->encrypted ? "encrypted" : "in another file");
    arena_reset(&reader->arena);
    reader->locations = (struct page_locations){0};
    reader->dictionary_loaded = false;
    reader->window.length = 0;
    return !reader->metadata->ours || leaf_load_locations(reader, error);
}

/* Whether `row` is not before the present row and still in the open page. */
static bool is_ahead_in_page(const struct leaf_reader *reader, int64_t row)
{
    if (row < reader->row || reader->page_at < 0)
        return false;
    if (reader->leaf->max_repetition == 0)
        return (uint64_t)(row - reader->row) < reader->levels_left;
    const struct page_locations *locations = &reader->locations;
    return locations->count > 0 && reader->next_page > 0 &&
           row >= locations->pages[reader->next_page - 1].first_row &&
           (reader->next_page == locations->count ||
            row < locations->pages[reader->next_page].first_row);
}

bool leaf_reader_seek(struct leaf_reader *reader, size_t group, int64_t row, struct error *error)
{
    bool same = reader->chunk && reader->group == group;
    if (same && is_ahead_in_page(reader, row)) {
        int64_t rows = row - reader->row;
        reader->row = row;
        return rows == 0 || discard(reader, rows, error);
    }
    if (!same)
        TRY(open_chunk(reader, group, error));
    if (row > 0)
        TRY(leaf_load_locations(reader, error));
    reader->row = row;
    reader->next_page = 0;
    reader->rows_left = -1;
    reader->page_at = -1;
    reader->next_at = reader->chunk->begin;
    reader->end_at = reader->chunk->begin + reader->chunk->compressed;
    reader->levels_left = 0;
    reader->ahead_at = 0;
    reader->ahead_count = 0;
    if (row > 0)
        leaf_locate(reader, &row);
    return skip_from_page_start(reader, row, error);
}

bool leaf_reader_read(struct leaf_reader *reader, struct column *out, size_t rows,
                      struct error *error)
{
    reader->out = out;
    reader->filled = 0;
    reader->levels = 0;
    reader->bytes_begin = out ? out->bytes_length : 0;
    reader->row += (int64_t)rows;
    return (reader->leaf->max_repetition ? read_repeated : read_flat)(reader, rows, true, error);
}

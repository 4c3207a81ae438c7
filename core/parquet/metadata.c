#include "core/parquet/metadata.h"

#include <inttypes.h>

#include "core/parquet/thrift.h"

enum { MOST_ELEMENTS = 1 << 16 };

bool metadata_damaged(const struct source *source, uint64_t offset, struct error *error,
                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set_va(error, ERROR_INPUT, "the Parquet file is damaged: fetch or write it again", format,
                 arguments);
    va_end(arguments);
    return error_prefix(error, "%s, at byte %" PRIu64, source->name ? source->name : "input",
                        offset);
}

void metadata_destroy(struct metadata *metadata)
{
    arena_destroy(&metadata->arena);
    *metadata = (struct metadata){0};
}

/* ---- schema elements ---- */

static void parse_unit(struct thrift_reader *thrift, uint8_t type, int32_t *unit)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        *unit = field.id;
        thrift_skip(thrift, field.type);
    }
    thrift_read_leave(thrift);
}

/* The member struct of the LogicalType union that was found. */
static void parse_logical_member(struct thrift_reader *thrift, uint8_t type,
                                 struct metadata_element *out)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        bool temporal =
            out->logical == PARQUET_LOGICAL_TIME || out->logical == PARQUET_LOGICAL_TIMESTAMP;
        if (out->logical == PARQUET_LOGICAL_DECIMAL && field.id == 1)
            out->scale = thrift_read_i32(thrift, field.type);
        else if (out->logical == PARQUET_LOGICAL_DECIMAL && field.id == 2)
            out->precision = thrift_read_i32(thrift, field.type);
        else if (temporal && field.id == 1)
            out->utc = thrift_read_bool(thrift, field.type);
        else if (temporal && field.id == 2)
            parse_unit(thrift, field.type, &out->unit);
        else if (out->logical == PARQUET_LOGICAL_INTEGER && field.id == 1)
            out->int_width = thrift_read_i32(thrift, field.type);
        else if (out->logical == PARQUET_LOGICAL_INTEGER && field.id == 2)
            out->int_signed = thrift_read_bool(thrift, field.type);
        else
            thrift_skip(thrift, field.type);
    }
    thrift_read_leave(thrift);
}

static void parse_logical(struct thrift_reader *thrift, uint8_t type, struct metadata_element *out)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        out->logical = field.id;
        parse_logical_member(thrift, field.type, out);
    }
    thrift_read_leave(thrift);
}

static void parse_element(struct thrift_reader *thrift, uint8_t type, struct metadata_element *out)
{
    struct thrift_field field = {0};
    *out = (struct metadata_element){
        .physical = -1, .repetition = -1, .converted = -1, .field_id = -1};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        int32_t *number = NULL;
        switch (field.id) {
        case 1:
            number = &out->physical;
            break;
        case 2:
            number = &out->type_length;
            break;
        case 3:
            number = &out->repetition;
            break;
        case 4:
            out->name = thrift_read_binary(thrift, field.type);
            break;
        case 5:
            number = &out->children;
            break;
        case 6:
            number = &out->converted;
            break;
        case 7:
            number = &out->scale;
            break;
        case 8:
            number = &out->precision;
            break;
        case 9:
            number = &out->field_id;
            break;
        case 10:
            parse_logical(thrift, field.type, out);
            break;
        default:
            thrift_skip(thrift, field.type);
        }
        if (number)
            *number = thrift_read_i32(thrift, field.type);
    }
    thrift_read_leave(thrift);
}

static bool parse_elements(struct thrift_reader *thrift, uint8_t type, struct metadata *metadata,
                           struct error *error)
{
    uint8_t element;
    size_t count = thrift_read_list(thrift, type, &element);
    if (count > MOST_ELEMENTS)
        return error_set(error, ERROR_UNSUPPORTED, "split the table",
                         "a Parquet schema of %zu elements", count);
    metadata->elements = arena_zero(&metadata->arena, count, sizeof *metadata->elements, error);
    TRY(metadata->elements != NULL);
    metadata->element_count = count;
    for (size_t i = 0; i < count && !thrift->failed; i++)
        parse_element(thrift, element, &metadata->elements[i]);
    return true;
}

/* ---- row groups ---- */

static void parse_statistics(struct thrift_reader *thrift, uint8_t type,
                             struct metadata_statistics *out)
{
    struct thrift_field field = {0};
    bool legacy_min = false;
    bool legacy_max = false;
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        switch (field.id) {
        case 1:
            out->legacy_max = thrift_read_binary(thrift, field.type);
            legacy_max = true;
            break;
        case 2:
            out->legacy_min = thrift_read_binary(thrift, field.type);
            legacy_min = true;
            break;
        case 3:
            out->null_count = thrift_read_int(thrift, field.type);
            out->has_null_count = out->null_count >= 0;
            break;
        case 4:
            out->distinct_count = thrift_read_int(thrift, field.type);
            out->has_distinct_count = true;
            break;
        case 5:
            out->max = thrift_read_binary(thrift, field.type);
            out->has_max = true;
            break;
        case 6:
            out->min = thrift_read_binary(thrift, field.type);
            out->has_min = true;
            break;
        case 7:
            out->max_exact = thrift_read_bool(thrift, field.type);
            break;
        case 8:
            out->min_exact = thrift_read_bool(thrift, field.type);
            break;
        default:
            thrift_skip(thrift, field.type);
        }
    }
    out->has_legacy = legacy_min && legacy_max;
    thrift_read_leave(thrift);
}

static void parse_encodings(struct thrift_reader *thrift, uint8_t type, uint32_t *out)
{
    uint8_t element;
    size_t count = thrift_read_list(thrift, type, &element);
    for (; count > 0 && !thrift->failed; count--) {
        int32_t encoding = thrift_read_i32(thrift, element);
        if (encoding >= 0 && encoding < 32)
            *out |= 1u << encoding;
    }
}

static void parse_chunk_metadata(struct thrift_reader *thrift, uint8_t type,
                                 struct metadata_chunk *out)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        switch (field.id) {
        case 1:
            out->physical = thrift_read_i32(thrift, field.type);
            break;
        case 2:
            parse_encodings(thrift, field.type, &out->encodings);
            break;
        case 4:
            out->codec = thrift_read_i32(thrift, field.type);
            break;
        case 5:
            out->values = thrift_read_int(thrift, field.type);
            break;
        case 6:
            out->uncompressed = thrift_read_int(thrift, field.type);
            break;
        case 7:
            out->compressed = thrift_read_int(thrift, field.type);
            break;
        case 9:
            out->data_offset = thrift_read_int(thrift, field.type);
            break;
        case 11:
            out->dictionary_offset = thrift_read_int(thrift, field.type);
            break;
        case 12:
            parse_statistics(thrift, field.type, &out->statistics);
            break;
        default:
            thrift_skip(thrift, field.type);
        }
    }
    thrift_read_leave(thrift);
}

static void parse_chunk(struct thrift_reader *thrift, uint8_t type, struct metadata_chunk *out)
{
    struct thrift_field field = {0};
    *out = (struct metadata_chunk){.physical = -1,
                                   .codec = -1,
                                   .values = -1,
                                   .compressed = -1,
                                   .data_offset = -1,
                                   .dictionary_offset = -1,
                                   .offset_index_at = -1,
                                   .column_index_at = -1};
    if (!thrift_read_enter(thrift, type))
        return;
    while (thrift_read_field(thrift, &field)) {
        switch (field.id) {
        case 1:
            out->elsewhere = thrift_read_binary(thrift, field.type).length > 0;
            break;
        case 3:
            parse_chunk_metadata(thrift, field.type, out);
            break;
        case 4:
            out->offset_index_at = thrift_read_int(thrift, field.type);
            break;
        case 5:
            out->offset_index_length = thrift_read_i32(thrift, field.type);
            break;
        case 6:
            out->column_index_at = thrift_read_int(thrift, field.type);
            break;
        case 7:
            out->column_index_length = thrift_read_i32(thrift, field.type);
            break;
        case 8:
        case 9:
            out->encrypted = true;
            thrift_skip(thrift, field.type);
            break;
        default:
            thrift_skip(thrift, field.type);
        }
    }
    thrift_read_leave(thrift);
}

static bool parse_group(struct thrift_reader *thrift, uint8_t type, struct metadata *metadata,
                        struct metadata_group *out, struct error *error)
{
    struct thrift_field field = {0};
    uint8_t element;
    size_t count = 0;
    out->rows = -1;
    if (!thrift_read_enter(thrift, type))
        return true;
    while (thrift_read_field(thrift, &field)) {
        if (field.id == 1 && out->chunks == NULL) {
            count = thrift_read_list(thrift, field.type, &element);
            /* The schema comes first in every file we know, so the count can be checked before
             * memory is set aside for it. */
            if (count != metadata->leaf_count) {
                thrift->failed = true;
                break;
            }
            out->chunks = arena_zero(&metadata->arena, count, sizeof *out->chunks, error);
            TRY(out->chunks != NULL);
            for (size_t i = 0; i < count && !thrift->failed; i++)
                parse_chunk(thrift, element, &out->chunks[i]);
        } else if (field.id == 2) {
            out->uncompressed = thrift_read_int(thrift, field.type);
        } else if (field.id == 3) {
            out->rows = thrift_read_int(thrift, field.type);
        } else {
            thrift_skip(thrift, field.type);
        }
    }
    if (out->chunks == NULL || out->rows < 0)
        thrift->failed = true;
    thrift_read_leave(thrift);
    return true;
}

static bool parse_groups(struct thrift_reader *thrift, uint8_t type, struct metadata *metadata,
                         struct error *error)
{
    uint8_t element;
    size_t count = thrift_read_list(thrift, type, &element);
    metadata->groups = arena_zero(&metadata->arena, count, sizeof *metadata->groups, error);
    TRY(metadata->groups != NULL);
    metadata->group_count = count;
    for (size_t i = 0; i < count && !thrift->failed; i++)
        TRY(parse_group(thrift, element, metadata, &metadata->groups[i], error));
    return true;
}

/* ---- the rest ---- */

static bool parse_pair(struct thrift_reader *thrift, uint8_t type, struct metadata *metadata,
                       struct metadata_pair *out, struct error *error)
{
    struct thrift_field field = {0};
    if (!thrift_read_enter(thrift, type))
        return true;
    while (thrift_read_field(thrift, &field)) {
        if (field.id != 1 && field.id != 2) {
            thrift_skip(thrift, field.type);
            continue;
        }
        struct slice text = thrift_read_binary(thrift, field.type);
        const char *copy = arena_copy_slice(&metadata->arena, text, error);
        TRY(copy != NULL);
        *(field.id == 1 ? &out->key : &out->value) = copy;
    }
    thrift_read_leave(thrift);
    return true;
}

static bool parse_pairs(struct thrift_reader *thrift, uint8_t type, struct metadata *metadata,
                        struct error *error)
{
    uint8_t element;
    size_t count = thrift_read_list(thrift, type, &element);
    metadata->pairs = arena_zero(&metadata->arena, count, sizeof *metadata->pairs, error);
    TRY(metadata->pairs != NULL);
    for (size_t i = 0; i < count && !thrift->failed; i++) {
        struct metadata_pair *pair = &metadata->pairs[metadata->pair_count];
        TRY(parse_pair(thrift, element, metadata, pair, error));
        metadata->pair_count += pair->key != NULL;
    }
    return true;
}

static void parse_orders(struct thrift_reader *thrift, uint8_t type, struct metadata *metadata)
{
    uint8_t element;
    size_t count = thrift_read_list(thrift, type, &element);
    for (size_t i = 0; i < count && !thrift->failed; i++) {
        struct thrift_field field = {0};
        if (!thrift_read_enter(thrift, element))
            return;
        while (thrift_read_field(thrift, &field)) {
            if (field.id == 1 && i < metadata->leaf_count)
                metadata->leaves[i].ordered = true;
            thrift_skip(thrift, field.type);
        }
        thrift_read_leave(thrift);
    }
}

static bool parse_footer(struct thrift_reader *thrift, struct metadata *metadata,
                         const struct source *source, struct error *error)
{
    struct thrift_field field = {0};
    metadata->rows = -1;
    while (thrift_read_field(thrift, &field)) {
        switch (field.id) {
        case 1:
            metadata->version = thrift_read_i32(thrift, field.type);
            break;
        case 2:
            if (metadata->elements)
                thrift->failed = true;
            TRY(parse_elements(thrift, field.type, metadata, error));
            if (!thrift->failed)
                TRY(metadata_build_tree(metadata, source, error));
            break;
        case 3:
            metadata->rows = thrift_read_int(thrift, field.type);
            break;
        case 4:
            TRY(parse_groups(thrift, field.type, metadata, error));
            break;
        case 5:
            TRY(parse_pairs(thrift, field.type, metadata, error));
            break;
        case 6: {
            struct slice text = thrift_read_binary(thrift, field.type);
            metadata->created_by = arena_copy_slice(&metadata->arena, text, error);
            TRY(metadata->created_by != NULL);
            metadata->ours = slice_starts_with(text, slice_of("surfboard version "));
            break;
        }
        case 7:
            parse_orders(thrift, field.type, metadata);
            break;
        default:
            thrift_skip(thrift, field.type);
        }
    }
    return true;
}

/* ---- checks ---- */

static bool check_chunk(const struct metadata *metadata, size_t leaf, struct metadata_chunk *chunk,
                        int64_t rows, int64_t data_end)
{
    /* Encrypted and foreign chunks are refused when they are projected; those of groups without
     * rows are never read, and some writers give them no offsets. */
    if (chunk->elsewhere || chunk->encrypted || (rows == 0 && chunk->values == 0)) {
        chunk->begin = 0;
        chunk->compressed = 0;
        return true;
    }
    if (chunk->physical != metadata->leaves[leaf].element->physical || chunk->values < 0 ||
        chunk->compressed < 0 || chunk->data_offset < PARQUET_MAGIC_LENGTH)
        return false;
    if (metadata->leaves[leaf].max_repetition == 0 && chunk->values != rows)
        return false;
    chunk->begin = chunk->data_offset;
    if (chunk->dictionary_offset >= PARQUET_MAGIC_LENGTH &&
        chunk->dictionary_offset < chunk->data_offset)
        chunk->begin = chunk->dictionary_offset;
    return chunk->begin <= data_end && chunk->compressed <= data_end - chunk->begin;
}

static bool check_groups(struct metadata *metadata, const struct source *source, uint64_t footer_at,
                         struct error *error)
{
    int64_t first = 0;
    for (size_t i = 0; i < metadata->group_count; i++) {
        struct metadata_group *group = &metadata->groups[i];
        group->first_row = first;
        if (__builtin_add_overflow(first, group->rows, &first))
            return metadata_damaged(source, footer_at, error, "row group %zu has %" PRId64 " rows",
                                    i, group->rows);
        for (size_t leaf = 0; leaf < metadata->leaf_count; leaf++) {
            if (!check_chunk(metadata, leaf, &group->chunks[leaf], group->rows, (int64_t)footer_at))
                return metadata_damaged(source, footer_at, error,
                                        "row group %zu: column %zu has an impossible place, type "
                                        "or count",
                                        i, leaf);
        }
    }
    return first == metadata->rows ||
           metadata_damaged(source, footer_at, error,
                            "the row groups have %" PRId64 " rows, the file %" PRId64, first,
                            metadata->rows);
}

static bool read_tail(const struct source *source, const struct parquet_limits *limits,
                      uint64_t *footer_at, uint32_t *length, struct error *error)
{
    char tail[PARQUET_TAIL_LENGTH];
    if (source->size < PARQUET_MAGIC_LENGTH + PARQUET_TAIL_LENGTH)
        return metadata_damaged(source, 0, error, "%" PRIu64 " bytes are no Parquet file",
                                source->size);
    uint64_t at = source->size - PARQUET_TAIL_LENGTH;
    TRY(source_read(source, at, tail, sizeof tail, error));
    if (memcmp(tail + 4, "PARE", 4) == 0)
        return error_set(error, ERROR_UNSUPPORTED, "write it without encryption",
                         "%s: an encrypted Parquet file", source->name ? source->name : "input");
    if (memcmp(tail + 4, PARQUET_MAGIC, PARQUET_MAGIC_LENGTH) != 0)
        return metadata_damaged(source, at + 4, error,
                                "no Parquet file: its last bytes are not "
                                "\"PAR1\"");
    memcpy(length, tail, sizeof *length);
    if (*length > at - PARQUET_MAGIC_LENGTH)
        return metadata_damaged(source, at, error, "a footer of %" PRIu32 " bytes", *length);
    if (*length > limits->footer_bytes)
        return error_set(error, ERROR_UNSUPPORTED, "rewrite the file with larger row groups",
                         "%s: a footer of %" PRIu32 " bytes; at most %zu are read",
                         source->name ? source->name : "input", *length, limits->footer_bytes);
    *footer_at = at - *length;
    return true;
}

bool metadata_read(struct metadata *metadata, const struct source *source,
                   const struct parquet_limits *limits, struct error *error)
{
    uint64_t footer_at = 0;
    uint32_t length = 0;
    TRY(read_tail(source, limits, &footer_at, &length, error));
    char *bytes = arena_allocate(&metadata->arena, length + 1, error);
    TRY(bytes != NULL);
    TRY(source_read(source, footer_at, bytes, length, error));
    metadata->footer = slice_make(bytes, length);
    struct thrift_reader thrift;
    thrift_read_begin(&thrift, metadata->footer);
    TRY(parse_footer(&thrift, metadata, source, error));
    if (thrift.failed || metadata->elements == NULL || metadata->rows < 0)
        return metadata_damaged(source, footer_at + (uint64_t)(thrift.at - thrift.begin), error,
                                "the footer is not readable");
    return check_groups(metadata, source, footer_at, error);
}

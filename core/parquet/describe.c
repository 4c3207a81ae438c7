#include "core/parquet/describe.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/parquet/reader_private.h"
#include "core/parquet/statistics.h"

struct describer {
    const struct parquet_reader *reader;
    const struct parquet_describe_options *options;
    struct buffer *out;
    struct error *error;
};

static const char *const physical_names[PARQUET_PHYSICALS] = {
    "BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};

static const char *const encoding_names[PARQUET_ENCODINGS] = {
    [PARQUET_PLAIN] = "PLAIN",
    [PARQUET_PLAIN_DICTIONARY] = "PLAIN_DICTIONARY",
    [PARQUET_RLE] = "RLE",
    [PARQUET_BIT_PACKED] = "BIT_PACKED",
    [PARQUET_DELTA_BINARY_PACKED] = "DELTA_BINARY_PACKED",
    [PARQUET_DELTA_LENGTH_BYTE_ARRAY] = "DELTA_LENGTH_BYTE_ARRAY",
    [PARQUET_DELTA_BYTE_ARRAY] = "DELTA_BYTE_ARRAY",
    [PARQUET_RLE_DICTIONARY] = "RLE_DICTIONARY",
    [PARQUET_BYTE_STREAM_SPLIT] = "BYTE_STREAM_SPLIT",
};

static const char *const codec_names[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
                                          "BROTLI",       "LZ4",    "ZSTD", "LZ4_RAW"};

static const char *const page_names[] = {"data", "index", "dictionary", "data v2"};

static const char *name_of(const char *const *names, size_t count, int64_t number)
{
    return number >= 0 && (uint64_t)number < count && names[number] ? names[number] : "unknown";
}
#define NAME_OF(names, number) name_of(names, sizeof(names) / sizeof *(names), number)

/* ---- pieces shared by text and JSON ---- */

static bool text(struct describer *d, const char *plain)
{
    return buffer_append_text(d->out, plain, d->error);
}

/* Printed texts are cut here; bounds are long only by accident. */
enum { LONGEST_TEXT = 80 };

static bool append_hex(struct describer *d, struct slice bytes)
{
    size_t count = bytes.length < LONGEST_TEXT / 2 ? bytes.length : LONGEST_TEXT / 2;
    TRY(text(d, "\"0x"));
    for (size_t i = 0; i < count; i++)
        TRY(buffer_append_format(d->out, d->error, "%02x", (uint8_t)bytes.data[i]));
    return text(d, count < bytes.length ? "...\"" : "\"");
}

static bool append_text_bound(struct describer *d, struct slice bytes)
{
    if (bytes.length <= LONGEST_TEXT)
        return buffer_append_json_text(d->out, bytes, d->error);
    struct slice cut = {bytes.data, LONGEST_TEXT};
    while (cut.length > 0 && ((uint8_t)cut.data[cut.length] & 0xC0) == 0x80)
        cut.length--;
    TRY(buffer_append_json_text(d->out, cut, d->error));
    d->out->length--; /* the quote goes behind the dots */
    return text(d, "...\"");
}

/* A bound as a JSON value, which is also good to read. */
static bool append_bound(struct describer *d, const struct range_bound *bound,
                         const struct type *type)
{
    char digits[DECIMAL_TEXT_SIZE];
    char when[DATETIME_TEXT_SIZE];
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return text(d, bound->whole ? "true" : "false");
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        TRY(buffer_append_format(d->out, d->error,
                                 type->kind == TYPE_FLOAT ? "\"%.9g\"" : "\"%.17g\"", bound->real));
        return true;
    case TYPE_DECIMAL:
        decimal_format(type->precision > 18 ? bound->wide : bound->whole, type->scale, digits);
        TRY(buffer_append_format(d->out, d->error, "\"%s\"", digits));
        return true;
    case TYPE_DATE:
        datetime_format_date(bound->whole, when);
        break;
    case TYPE_TIME:
        datetime_format_time(bound->whole, when);
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        datetime_format_timestamp(bound->whole, type->kind == TYPE_TIMESTAMPTZ, when);
        break;
    case TYPE_STRING:
        return append_text_bound(d, buffer_slice(&bound->bytes));
    case TYPE_UUID:
    case TYPE_FIXED:
    case TYPE_BINARY:
        return append_hex(d, buffer_slice(&bound->bytes));
    default:
        return buffer_append_format(d->out, d->error, "%" PRId64, bound->whole);
    }
    return buffer_append_format(d->out, d->error, "\"%s\"", when);
}

static void path_of(const struct metadata *metadata, const struct metadata_node *node,
                    const struct metadata_node *leaf, char *out, size_t size)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const struct metadata_node *child = &node->children[i];
        /* The leaves of a subtree are neighbours, so the child is the last that begins before. */
        bool last = i + 1 == node->child_count || node->children[i + 1].leaf > leaf->leaf;
        if (!last)
            continue;
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", used ? "." : "", child->field->name);
        if (child != leaf && child->child_count)
            path_of(metadata, child, leaf, out, size);
        return;
    }
}

static bool append_encodings(struct describer *d, uint32_t encodings, const char *between)
{
    bool any = false;
    for (int i = 0; i < 32; i++) {
        if (!(encodings & 1u << i))
            continue;
        TRY(buffer_append_format(d->out, d->error, "%s%s", any ? between : "",
                                 NAME_OF(encoding_names, i)));
        any = true;
    }
    return true;
}

/* ---- pages ---- */

/* The first read for a header, and the longest one looked at: some carry statistics. */
enum { HEADER_BYTES = 4 << 10, LONGEST_HEADER = 1 << 20 };

struct page_walk {
    struct page_header header;
    struct buffer bytes;
    int64_t at;
    int64_t end;
};

static bool read_header(const struct parquet_reader *reader, struct page_walk *walk, size_t length)
{
    buffer_clear(&walk->bytes);
    return buffer_reserve(&walk->bytes, length, NULL) &&
           source_read(&reader->source, (uint64_t)walk->at, walk->bytes.data, length, NULL) &&
           page_header_parse(slice_make(walk->bytes.data, length), &walk->header);
}

/* The next page header; false behind the last one and when there is no reading on. */
static bool next_page(const struct parquet_reader *reader, struct page_walk *walk)
{
    if (walk->at >= walk->end)
        return false;
    size_t left = (size_t)(walk->end - walk->at);
    bool ok = read_header(reader, walk, left < HEADER_BYTES ? left : HEADER_BYTES);
    if (!ok && left > HEADER_BYTES)
        ok = read_header(reader, walk, left < LONGEST_HEADER ? left : LONGEST_HEADER);
    return ok && (size_t)walk->header.compressed <= left - walk->header.length;
}

static int64_t page_size(const struct page_walk *walk)
{
    return (int64_t)walk->header.length + walk->header.compressed;
}

static bool describe_pages_text(struct describer *d, struct page_walk *walk)
{
    while (next_page(d->reader, walk)) {
        TRY(buffer_append_format(
            d->out, d->error,
            "      page at %" PRId64 ": %s, %" PRId32 " values, %s, %" PRId64 " bytes (%" PRId32
            " unpacked)%s\n",
            walk->at, NAME_OF(page_names, walk->header.type), walk->header.values,
            NAME_OF(encoding_names, walk->header.encoding), page_size(walk),
            walk->header.uncompressed, walk->header.has_crc ? ", checksum" : ""));
        walk->at += page_size(walk);
    }
    if (walk->at < walk->end)
        TRY(buffer_append_format(
            d->out, d->error, "      at %" PRId64 ": the page header is not readable\n", walk->at));
    return true;
}

static bool describe_pages_json(struct describer *d, struct page_walk *walk)
{
    TRY(text(d, ",\"pages\":["));
    for (bool any = false; next_page(d->reader, walk); any = true) {
        TRY(buffer_append_format(
            d->out, d->error,
            "%s{\"offset\":%" PRId64 ",\"type\":\"%s\",\"values\":%" PRId32
            ",\"encoding\":\"%s\",\"bytes\":%" PRId64 ",\"uncompressed_bytes\":%" PRId32
            ",\"checksum\":%s}",
            any ? "," : "", walk->at, NAME_OF(page_names, walk->header.type), walk->header.values,
            NAME_OF(encoding_names, walk->header.encoding), page_size(walk),
            walk->header.uncompressed, walk->header.has_crc ? "true" : "false"));
        walk->at += page_size(walk);
    }
    TRY(buffer_append_format(d->out, d->error, "],\"pages_readable\":%s",
                             walk->at < walk->end ? "false" : "true"));
    return true;
}

static bool describe_pages(struct describer *d, const struct metadata_chunk *chunk)
{
    struct page_walk walk = {.at = chunk->begin, .end = chunk->begin + chunk->compressed};
    if (!d->options->pages)
        return true;
    bool ok = d->options->json ? describe_pages_json(d, &walk) : describe_pages_text(d, &walk);
    buffer_destroy(&walk.bytes);
    return ok;
}

/* ---- text ---- */

static bool describe_schema_text(struct describer *d, const struct field *fields, size_t count,
                                 int indent)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        TRY(buffer_append_format(d->out, d->error, "%*s%s", indent, "", field->name));
        if (field->id >= 0)
            TRY(buffer_append_format(d->out, d->error, " (id %" PRId32 ")", field->id));
        TRY(text(d, ": "));
        if (type_is_nested(&field->type))
            TRY(text(d, field->type.kind == TYPE_LIST  ? "list"
                        : field->type.kind == TYPE_MAP ? "map"
                                                       : "struct"));
        else
            TRY(type_print(&field->type, d->out, d->error));
        TRY(text(d, field->required ? ", required\n" : "\n"));
        TRY(describe_schema_text(d, field->type.fields, field->type.field_count, indent + 2));
    }
    return true;
}

static bool describe_bounds(struct describer *d, const struct metadata_leaf *leaf,
                            const struct metadata_chunk *chunk, const char *before,
                            const char *between)
{
    struct range range = {0};
    const struct type *type = &leaf->node->field->type;
    bool ok = statistics_range(leaf, chunk, &range, d->error);
    if (ok && range.set)
        ok = text(d, before) && append_bound(d, &range.low, type) && text(d, between) &&
             append_bound(d, &range.high, type);
    range_destroy(&range);
    return ok;
}

static bool describe_chunk_text(struct describer *d, size_t index,
                                const struct metadata_chunk *chunk)
{
    const struct metadata *metadata = &d->reader->metadata;
    const struct metadata_leaf *leaf = &metadata->leaves[index];
    char path[256] = "";
    path_of(metadata, &metadata->root, leaf->node, path, sizeof path);
    TRY(buffer_append_format(d->out, d->error, "    %s: %s, %s, ", path,
                             NAME_OF(physical_names, chunk->physical),
                             NAME_OF(codec_names, chunk->codec)));
    TRY(append_encodings(d, chunk->encodings, "+"));
    TRY(buffer_append_format(d->out, d->error,
                             ", %" PRId64 " bytes of %" PRId64 ", %" PRId64 " values",
                             chunk->compressed, chunk->uncompressed, chunk->values));
    if (chunk->statistics.has_null_count)
        TRY(buffer_append_format(d->out, d->error, ", %" PRId64 " null",
                                 chunk->statistics.null_count));
    TRY(describe_bounds(d, leaf, chunk, ", ", " .. "));
    TRY(text(d, chunk->offset_index_at >= 0 ? ", page index\n" : "\n"));
    return describe_pages(d, chunk);
}

static bool describe_text(struct describer *d)
{
    const struct parquet_reader *reader = d->reader;
    const struct metadata *metadata = &reader->metadata;
    TRY(buffer_append_format(
        d->out, d->error, "Parquet, version %" PRId32 ", %" PRIu64 " bytes, written by %s\n",
        metadata->version, reader->source.size, parquet_reader_created_by(reader)));
    TRY(buffer_append_format(d->out, d->error,
                             "%" PRId64
                             " rows, %zu columns (%zu leaves), %zu row groups, footer %zu bytes\n",
                             metadata->rows, metadata->schema.field_count, metadata->leaf_count,
                             metadata->group_count, metadata->footer.length));
    for (size_t i = 0; i < metadata->pair_count; i++) {
        TRY(buffer_append_format(d->out, d->error, "%s%s = ", i ? "" : "metadata\n  ",
                                 metadata->pairs[i].key));
        TRY(append_text_bound(d,
                              slice_of(metadata->pairs[i].value ? metadata->pairs[i].value : "")));
        TRY(text(d, i + 1 < metadata->pair_count ? "\n  " : "\n"));
    }
    TRY(text(d, "schema\n"));
    TRY(describe_schema_text(d, metadata->schema.fields, metadata->schema.field_count, 2));
    for (size_t g = 0; g < metadata->group_count; g++) {
        struct parquet_group group;
        parquet_reader_group(reader, g, &group);
        TRY(buffer_append_format(
            d->out, d->error,
            "row group %zu: rows %" PRId64 " to %" PRId64 ", %" PRId64 " bytes at %" PRId64 "\n", g,
            group.first_row, group.first_row + group.rows, group.bytes, group.offset));
        for (size_t i = 0; i < metadata->leaf_count; i++)
            TRY(describe_chunk_text(d, i, &metadata->groups[g].chunks[i]));
    }
    return true;
}

/* ---- JSON ---- */

static bool describe_schema_json(struct describer *d, const struct field *fields, size_t count)
{
    TRY(text(d, "["));
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        TRY(text(d, i ? ",{\"name\":" : "{\"name\":"));
        TRY(buffer_append_json_text(d->out, slice_of(field->name), d->error));
        if (field->id >= 0)
            TRY(buffer_append_format(d->out, d->error, ",\"id\":%" PRId32, field->id));
        struct type plain = field->type;
        plain.field_count = 0;
        TRY(text(d, ",\"type\":\""));
        if (type_is_nested(&plain))
            TRY(text(d, plain.kind == TYPE_LIST  ? "list"
                        : plain.kind == TYPE_MAP ? "map"
                                                 : "struct"));
        else
            TRY(type_print(&plain, d->out, d->error));
        TRY(buffer_append_format(d->out, d->error, "\",\"required\":%s",
                                 field->required ? "true" : "false"));
        if (field->type.field_count) {
            TRY(text(d, ",\"fields\":"));
            TRY(describe_schema_json(d, field->type.fields, field->type.field_count));
        }
        TRY(text(d, "}"));
    }
    return text(d, "]");
}

static bool describe_chunk_json(struct describer *d, size_t index,
                                const struct metadata_chunk *chunk)
{
    const struct metadata *metadata = &d->reader->metadata;
    const struct metadata_leaf *leaf = &metadata->leaves[index];
    char path[256] = "";
    path_of(metadata, &metadata->root, leaf->node, path, sizeof path);
    TRY(text(d, index ? ",{\"column\":" : "{\"column\":"));
    TRY(buffer_append_json_text(d->out, slice_of(path), d->error));
    TRY(buffer_append_format(d->out, d->error,
                             ",\"id\":%" PRId32 ",\"type\":\"%s\",\"codec\":\"%s\",\"encodings\":[",
                             leaf->node->field->id, NAME_OF(physical_names, chunk->physical),
                             NAME_OF(codec_names, chunk->codec)));
    if (chunk->encodings) {
        TRY(text(d, "\""));
        TRY(append_encodings(d, chunk->encodings, "\",\""));
        TRY(text(d, "\""));
    }
    TRY(buffer_append_format(d->out, d->error,
                             "],\"offset\":%" PRId64 ",\"bytes\":%" PRId64
                             ",\"uncompressed_bytes\":%" PRId64 ",\"values\":%" PRId64,
                             chunk->begin, chunk->compressed, chunk->uncompressed, chunk->values));
    if (chunk->statistics.has_null_count)
        TRY(buffer_append_format(d->out, d->error, ",\"nulls\":%" PRId64,
                                 chunk->statistics.null_count));
    TRY(describe_bounds(d, leaf, chunk, ",\"lower\":", ",\"upper\":"));
    TRY(buffer_append_format(d->out, d->error, ",\"page_index\":%s",
                             chunk->offset_index_at >= 0 ? "true" : "false"));
    TRY(describe_pages(d, chunk));
    return text(d, "}");
}

static bool describe_pairs_json(struct describer *d)
{
    const struct metadata *metadata = &d->reader->metadata;
    TRY(text(d, ",\"metadata\":{"));
    for (size_t i = 0; i < metadata->pair_count; i++) {
        const struct metadata_pair *pair = &metadata->pairs[i];
        TRY(text(d, i ? "," : ""));
        TRY(buffer_append_json_text(d->out, slice_of(pair->key), d->error));
        TRY(text(d, ":"));
        TRY(pair->value ? buffer_append_json_text(d->out, slice_of(pair->value), d->error)
                        : text(d, "null"));
    }
    return text(d, "}");
}

static bool describe_json(struct describer *d)
{
    const struct parquet_reader *reader = d->reader;
    const struct metadata *metadata = &reader->metadata;
    TRY(buffer_append_format(d->out, d->error,
                             "{\"format\":\"parquet\",\"version\":%" PRId32 ",\"bytes\":%" PRIu64
                             ",\"created_by\":",
                             metadata->version, reader->source.size));
    TRY(buffer_append_json_text(d->out, slice_of(parquet_reader_created_by(reader)), d->error));
    TRY(buffer_append_format(d->out, d->error, ",\"rows\":%" PRId64, metadata->rows));
    TRY(describe_pairs_json(d));
    TRY(text(d, ",\"schema\":"));
    TRY(describe_schema_json(d, metadata->schema.fields, metadata->schema.field_count));
    TRY(text(d, ",\"row_groups\":["));
    for (size_t g = 0; g < metadata->group_count; g++) {
        struct parquet_group group;
        parquet_reader_group(reader, g, &group);
        TRY(buffer_append_format(d->out, d->error,
                                 "%s{\"first_row\":%" PRId64 ",\"rows\":%" PRId64
                                 ",\"offset\":%" PRId64 ",\"bytes\":%" PRId64 ",\"columns\":[",
                                 g ? "," : "", group.first_row, group.rows, group.offset,
                                 group.bytes));
        for (size_t i = 0; i < metadata->leaf_count; i++)
            TRY(describe_chunk_json(d, i, &metadata->groups[g].chunks[i]));
        TRY(text(d, "]}"));
    }
    return text(d, "]}\n");
}

bool parquet_describe(const struct source *source, const struct parquet_describe_options *options,
                      struct buffer *out, struct error *error)
{
    struct parquet_reader *reader = parquet_reader_open(source, NULL, error);
    TRY(reader != NULL);
    struct describer d = {.reader = reader, .options = options, .out = out, .error = error};
    bool ok = options->json ? describe_json(&d) : describe_text(&d);
    parquet_reader_close(reader);
    return ok;
}

#include "core/parquet/footer.h"

#include "core/parquet/thrift.h"

/* ---- schema elements ---- */

static const struct {
    int8_t converted;
    int8_t logical;
} annotations[TYPE_KINDS] = {
    [TYPE_BOOLEAN] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_INT] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_LONG] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_FLOAT] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_DOUBLE] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_DECIMAL] = {PARQUET_DECIMAL, PARQUET_LOGICAL_DECIMAL},
    [TYPE_DATE] = {PARQUET_DATE, PARQUET_LOGICAL_DATE},
    /* The converted types of time and timestamp say "UTC", so those without a zone have none. */
    [TYPE_TIME] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_TIME},
    [TYPE_TIMESTAMP] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_TIMESTAMP},
    [TYPE_TIMESTAMPTZ] = {PARQUET_TIMESTAMP_MICROS, PARQUET_LOGICAL_TIMESTAMP},
    [TYPE_STRING] = {PARQUET_UTF8, PARQUET_LOGICAL_STRING},
    [TYPE_UUID] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_UUID},
    [TYPE_FIXED] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_BINARY] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
    [TYPE_LIST] = {PARQUET_LIST, PARQUET_LOGICAL_LIST},
    [TYPE_MAP] = {PARQUET_MAP, PARQUET_LOGICAL_MAP},
    [TYPE_STRUCT] = {PARQUET_CONVERTED_NONE, PARQUET_LOGICAL_NONE},
};

static void write_logical(struct thrift_writer *thrift, const struct type *type)
{
    enum parquet_logical logical = (enum parquet_logical)annotations[type->kind].logical;
    if (logical == PARQUET_LOGICAL_NONE)
        return;
    thrift_field_struct(thrift, 10);
    thrift_field_struct(thrift, (int16_t)logical);
    if (logical == PARQUET_LOGICAL_DECIMAL) {
        thrift_field_i32(thrift, 1, type->scale);
        thrift_field_i32(thrift, 2, type->precision);
    } else if (logical == PARQUET_LOGICAL_TIME || logical == PARQUET_LOGICAL_TIMESTAMP) {
        thrift_field_bool(thrift, 1, type->kind == TYPE_TIMESTAMPTZ);
        thrift_field_struct(thrift, 2);
        thrift_field_struct(thrift, PARQUET_MICROS);
        thrift_struct_end(thrift);
        thrift_struct_end(thrift);
    }
    thrift_struct_end(thrift);
    thrift_struct_end(thrift);
}

/* The group in the middle of a list or map. */
static void write_repeated_group(struct thrift_writer *thrift, const struct type *type)
{
    thrift_struct_begin(thrift);
    thrift_field_i32(thrift, 3, PARQUET_REPEATED);
    thrift_field_binary(thrift, 4, slice_of(type->kind == TYPE_LIST ? "list" : "key_value"));
    thrift_field_i32(thrift, 5, (int32_t)type->field_count);
    thrift_struct_end(thrift);
}

/* Readers that match by position still expect the names of the format's own examples. */
static const char *element_name(const struct type *parent, size_t child, const char *name)
{
    if (parent && parent->kind == TYPE_LIST)
        return "element";
    if (parent && parent->kind == TYPE_MAP)
        return child ? "value" : "key";
    return name;
}

static size_t count_elements(const struct field *field)
{
    bool repeated = field->type.kind == TYPE_LIST || field->type.kind == TYPE_MAP;
    size_t count = 1 + (size_t)repeated;
    for (size_t i = 0; i < field->type.field_count; i++)
        count += count_elements(&field->type.fields[i]);
    return count;
}

static void write_element(struct thrift_writer *thrift, const struct field *field, const char *name)
{
    const struct type *type = &field->type;
    bool nested = type_is_nested(type);
    int32_t width = 0;
    thrift_struct_begin(thrift);
    if (!nested) {
        enum parquet_physical physical = parquet_physical_of(type, &width);
        thrift_field_i32(thrift, 1, (int32_t)physical);
        if (physical == PARQUET_FIXED)
            thrift_field_i32(thrift, 2, width);
    }
    thrift_field_i32(thrift, 3, field->required ? PARQUET_REQUIRED : PARQUET_OPTIONAL);
    thrift_field_binary(thrift, 4, slice_of(name));
    if (nested)
        thrift_field_i32(thrift, 5, type->kind == TYPE_STRUCT ? (int32_t)type->field_count : 1);
    if (annotations[type->kind].converted != PARQUET_CONVERTED_NONE)
        thrift_field_i32(thrift, 6, annotations[type->kind].converted);
    if (type->kind == TYPE_DECIMAL) {
        thrift_field_i32(thrift, 7, type->scale);
        thrift_field_i32(thrift, 8, type->precision);
    }
    if (field->id >= 0)
        thrift_field_i32(thrift, 9, field->id);
    write_logical(thrift, type);
    thrift_struct_end(thrift);
    if (type->kind == TYPE_LIST || type->kind == TYPE_MAP)
        write_repeated_group(thrift, type);
    for (size_t i = 0; i < type->field_count; i++)
        write_element(thrift, &type->fields[i], element_name(type, i, type->fields[i].name));
}

static void write_schema(struct thrift_writer *thrift, const struct schema *schema)
{
    size_t count = 1;
    for (size_t i = 0; i < schema->field_count; i++)
        count += count_elements(&schema->fields[i]);
    thrift_field_list(thrift, 2, THRIFT_STRUCT, count);
    thrift_struct_begin(thrift);
    thrift_field_binary(thrift, 4, slice_of("table"));
    thrift_field_i32(thrift, 5, (int32_t)schema->field_count);
    thrift_struct_end(thrift);
    for (size_t i = 0; i < schema->field_count; i++)
        write_element(thrift, &schema->fields[i], schema->fields[i].name);
}

/* ---- row groups ---- */

static void write_path(struct thrift_writer *thrift, const struct parquet_leaf *leaf)
{
    size_t count = leaf->depth;
    for (size_t i = 0; i + 1 < leaf->depth; i++)
        count += leaf->path[i]->type.kind != TYPE_STRUCT;
    thrift_field_list(thrift, 3, THRIFT_BINARY, count);
    const struct type *parent = NULL;
    for (size_t i = 0; i < leaf->depth; i++) {
        if (parent && parent->kind != TYPE_STRUCT)
            thrift_element_binary(thrift,
                                  slice_of(parent->kind == TYPE_LIST ? "list" : "key_value"));
        thrift_element_binary(thrift,
                              slice_of(element_name(parent, leaf->child[i], leaf->path[i]->name)));
        parent = &leaf->path[i]->type;
    }
}

static void write_encodings(struct thrift_writer *thrift, const struct chunk_record *chunk)
{
    bool plain = chunk->plain_pages > 0 || chunk->dictionary_pages > 0;
    thrift_field_list(thrift, 2, THRIFT_I32,
                      1u + (unsigned)plain + (unsigned)(chunk->dictionary_pages > 0));
    thrift_element_int(thrift, PARQUET_RLE);
    if (plain)
        thrift_element_int(thrift, PARQUET_PLAIN);
    if (chunk->dictionary_pages)
        thrift_element_int(thrift, PARQUET_RLE_DICTIONARY);
}

static void write_encoding_count(struct thrift_writer *thrift, enum parquet_page page,
                                 enum parquet_encoding encoding, int32_t count)
{
    if (count == 0)
        return;
    thrift_struct_begin(thrift);
    thrift_field_i32(thrift, 1, (int32_t)page);
    thrift_field_i32(thrift, 2, (int32_t)encoding);
    thrift_field_i32(thrift, 3, count);
    thrift_struct_end(thrift);
}

static struct slice record_bytes(const struct chunk_record *chunk, size_t at, size_t length)
{
    return slice_make(length ? chunk->index_bytes.data + at : "", length);
}

static void write_statistics(struct thrift_writer *thrift, const struct chunk_record *chunk)
{
    thrift_field_struct(thrift, 12);
    thrift_field_i64(thrift, 3, chunk->nulls);
    if (chunk->has_bounds) {
        thrift_field_binary(thrift, 5, record_bytes(chunk, chunk->high_at, chunk->high_length));
        thrift_field_binary(thrift, 6, record_bytes(chunk, chunk->low_at, chunk->low_length));
        thrift_field_bool(thrift, 7, chunk->high_exact);
        thrift_field_bool(thrift, 8, chunk->low_exact);
    }
    thrift_struct_end(thrift);
}

static void write_chunk(struct thrift_writer *thrift, const struct chunk_record *chunk,
                        enum codec codec)
{
    static const int32_t numbers[CODEC_KINDS] = {
        [CODEC_NONE] = PARQUET_UNCOMPRESSED,
        [CODEC_SNAPPY] = PARQUET_SNAPPY,
        [CODEC_GZIP] = PARQUET_GZIP,
        [CODEC_ZSTD] = PARQUET_ZSTD,
    };
    bool dictionary = chunk->dictionary_offset >= 0;
    thrift_struct_begin(thrift);
    thrift_field_i64(thrift, 2, 0);
    thrift_field_struct(thrift, 3);
    thrift_field_i32(thrift, 1, (int32_t)chunk->leaf->physical);
    write_encodings(thrift, chunk);
    write_path(thrift, chunk->leaf);
    thrift_field_i32(thrift, 4, numbers[codec]);
    thrift_field_i64(thrift, 5, chunk->values);
    thrift_field_i64(thrift, 6, chunk->uncompressed);
    thrift_field_i64(thrift, 7, chunk->compressed);
    thrift_field_i64(thrift, 9, chunk->data_offset);
    if (dictionary)
        thrift_field_i64(thrift, 11, chunk->dictionary_offset);
    write_statistics(thrift, chunk);
    thrift_field_list(thrift, 13, THRIFT_STRUCT,
                      (unsigned)dictionary + (unsigned)(chunk->dictionary_pages > 0) +
                          (unsigned)(chunk->plain_pages > 0));
    write_encoding_count(thrift, PARQUET_PAGE_DICTIONARY, PARQUET_PLAIN, dictionary);
    write_encoding_count(thrift, PARQUET_PAGE_DATA, PARQUET_RLE_DICTIONARY,
                         chunk->dictionary_pages);
    write_encoding_count(thrift, PARQUET_PAGE_DATA, PARQUET_PLAIN, chunk->plain_pages);
    thrift_struct_end(thrift);
    thrift_field_i64(thrift, 4, chunk->offset_index_at);
    thrift_field_i32(thrift, 5, chunk->offset_index_length);
    if (chunk->column_index_length) {
        thrift_field_i64(thrift, 6, chunk->column_index_at);
        thrift_field_i32(thrift, 7, chunk->column_index_length);
    }
    thrift_struct_end(thrift);
}

static int64_t chunk_begin(const struct chunk_record *chunk)
{
    return chunk->dictionary_offset >= 0 ? chunk->dictionary_offset : chunk->data_offset;
}

static void write_group(struct thrift_writer *thrift, const struct footer *footer, size_t index)
{
    const struct group_record *group = &footer->groups[index];
    int64_t compressed = 0;
    int64_t uncompressed = 0;
    thrift_struct_begin(thrift);
    thrift_field_list(thrift, 1, THRIFT_STRUCT, footer->leaf_count);
    for (size_t i = 0; i < footer->leaf_count; i++) {
        write_chunk(thrift, &group->chunks[i], footer->options->codec);
        compressed += group->chunks[i].compressed;
        uncompressed += group->chunks[i].uncompressed;
    }
    thrift_field_i64(thrift, 2, uncompressed);
    thrift_field_i64(thrift, 3, group->rows);
    thrift_field_i64(thrift, 5, chunk_begin(&group->chunks[0]));
    thrift_field_i64(thrift, 6, compressed);
    if (index <= INT16_MAX)
        thrift_field_i16(thrift, 7, (int16_t)index);
    thrift_struct_end(thrift);
}

/* ---- page index ---- */

static void write_column_index(struct thrift_writer *thrift, const struct chunk_record *chunk)
{
    size_t count = chunk->page_count;
    thrift_field_list(thrift, 1, THRIFT_TRUE, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_bool(thrift, !chunk->pages[i].has_bounds);
    thrift_field_list(thrift, 2, THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++) {
        const struct chunk_page *page = &chunk->pages[i];
        thrift_element_binary(thrift, record_bytes(chunk, page->low_at, page->low_length));
    }
    thrift_field_list(thrift, 3, THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++) {
        const struct chunk_page *page = &chunk->pages[i];
        thrift_element_binary(thrift, record_bytes(chunk, page->high_at, page->high_length));
    }
    thrift_field_i32(thrift, 4, chunk->ascending ? 1 : chunk->descending ? 2 : 0);
    thrift_field_list(thrift, 5, THRIFT_I64, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_int(thrift, chunk->pages[i].nulls);
    thrift_struct_end(thrift);
}

static void write_offset_index(struct thrift_writer *thrift, const struct chunk_record *chunk)
{
    thrift_field_list(thrift, 1, THRIFT_STRUCT, chunk->page_count);
    for (size_t i = 0; i < chunk->page_count; i++) {
        thrift_struct_begin(thrift);
        thrift_field_i64(thrift, 1, chunk->pages[i].offset);
        thrift_field_i32(thrift, 2, chunk->pages[i].size);
        thrift_field_i64(thrift, 3, chunk->pages[i].first_row);
        thrift_struct_end(thrift);
    }
    thrift_struct_end(thrift);
}

/* One kind of index for all chunks of the file. */
static bool write_indexes(struct footer *footer, bool columns, struct buffer *buffer,
                          struct sink *sink, struct error *error)
{
    for (size_t i = 0; i < footer->group_count * footer->leaf_count; i++) {
        struct chunk_record *chunk =
            &footer->groups[i / footer->leaf_count].chunks[i % footer->leaf_count];
        if (columns && chunk->unindexed)
            continue;
        struct thrift_writer thrift;
        buffer_clear(buffer);
        thrift_write_begin(&thrift, buffer, error);
        (columns ? write_column_index : write_offset_index)(&thrift, chunk);
        TRY(thrift.ok);
        int64_t *at = columns ? &chunk->column_index_at : &chunk->offset_index_at;
        int32_t *length = columns ? &chunk->column_index_length : &chunk->offset_index_length;
        *at = (int64_t)sink->written;
        *length = (int32_t)buffer->length;
        TRY(sink_write(sink, buffer->data, buffer->length, error));
    }
    return true;
}

bool footer_write_indexes(struct footer *footer, struct sink *sink, struct error *error)
{
    struct buffer buffer = {0};
    bool ok = write_indexes(footer, true, &buffer, sink, error) &&
              write_indexes(footer, false, &buffer, sink, error);
    buffer_destroy(&buffer);
    return ok;
}

/* ---- the whole ---- */

static void write_key_values(struct thrift_writer *thrift,
                             const struct parquet_writer_options *options)
{
    if (options->key_value_count == 0)
        return;
    thrift_field_list(thrift, 5, THRIFT_STRUCT, options->key_value_count);
    for (size_t i = 0; i < options->key_value_count; i++) {
        const struct parquet_key_value *pair = &options->key_values[i];
        thrift_struct_begin(thrift);
        thrift_field_binary(thrift, 1, slice_of(pair->key));
        if (pair->value)
            thrift_field_binary(thrift, 2, slice_of(pair->value));
        thrift_struct_end(thrift);
    }
}

static bool write_metadata(const struct footer *footer, struct buffer *out, struct error *error)
{
    struct thrift_writer thrift;
    thrift_write_begin(&thrift, out, error);
    thrift_field_i32(&thrift, 1, 1);
    write_schema(&thrift, footer->schema);
    thrift_field_i64(&thrift, 3, footer->rows);
    thrift_field_list(&thrift, 4, THRIFT_STRUCT, footer->group_count);
    for (size_t i = 0; i < footer->group_count; i++)
        write_group(&thrift, footer, i);
    write_key_values(&thrift, footer->options);
    thrift_field_binary(&thrift, 6, slice_of(PARQUET_CREATED_BY));
    /* TypeDefinedOrder for every leaf: without it min_value and max_value do not count. */
    thrift_field_list(&thrift, 7, THRIFT_STRUCT, footer->leaf_count);
    for (size_t i = 0; i < footer->leaf_count; i++) {
        thrift_struct_begin(&thrift);
        thrift_field_struct(&thrift, 1);
        thrift_struct_end(&thrift);
        thrift_struct_end(&thrift);
    }
    thrift_struct_end(&thrift);
    return thrift.ok;
}

bool footer_write(const struct footer *footer, struct sink *sink, struct error *error)
{
    struct buffer out = {0};
    bool ok = write_metadata(footer, &out, error);
    size_t length = out.length;
    if (ok && length > INT32_MAX)
        ok = error_set(error, ERROR_UNSUPPORTED, "write fewer columns or larger row groups",
                       "a footer of %zu bytes", length);
    ok = ok && buffer_append_u32_le(&out, (uint32_t)length, error) &&
         buffer_append(&out, PARQUET_MAGIC, PARQUET_MAGIC_LENGTH, error) &&
         sink_write(sink, out.data, out.length, error);
    buffer_destroy(&out);
    return ok;
}

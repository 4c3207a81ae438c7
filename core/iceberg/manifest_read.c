/* manifest_read.c: manifests (spec, "Manifests"; "Sequence Number Inheritance"). */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/decimal.h"
#include "core/base/memory.h"
#include "core/iceberg/decode.h"
#include "core/iceberg/manifest.h"

enum { COLUMN_LIMIT = 32768, LIST_LIMIT = 1 << 24 };

static const struct decode_name entry_names[] = {
    {0, "status"},
    {1, "snapshot_id"},
    {3, "sequence_number"},
    {4, "file_sequence_number"},
    {2, "data_file"},
    {134, "content"},
    {100, "file_path"},
    {101, "file_format"},
    {102, "partition"},
    {103, "record_count"},
    {104, "file_size_in_bytes"},
    {108, "column_sizes"},
    {109, "value_counts"},
    {110, "null_value_counts"},
    {137, "nan_value_counts"},
    {125, "lower_bounds"},
    {128, "upper_bounds"},
    {131, "key_metadata"},
    {132, "split_offsets"},
    {135, "equality_ids"},
    {140, "sort_order_id"},
    {142, "first_row_id"},
    {143, "referenced_data_file"},
    {144, "content_offset"},
    {145, "content_size_in_bytes"},
};

struct entry_reader {
    struct avro_cursor *cursor;
    const struct iceberg_spec *spec;
    struct arena *arena;
    struct iceberg_metric *metrics; /* of the file being read */
    size_t metric_count, metric_capacity;
    struct error *error;
};

static int32_t entry_field_id(const struct avro_field *field)
{
    return decode_field_id(field, entry_names, sizeof entry_names / sizeof *entry_names);
}

/* ---- partition values ---- */

/* One value in single-value form, from whatever Avro type it has. */
static bool entry_read_value(struct entry_reader *reader, const struct avro_type *type,
                             struct iceberg_value *out)
{
    struct avro_cursor *cursor = reader->cursor;
    struct error *error = reader->error;
    bool present = false;
    struct slice bytes = {0};
    uint8_t raw[16];
    int64_t number = 0;
    TRY(decode_present(cursor, &type, &present, error));
    if (!present)
        return true;
    if (type->kind == AVRO_INT || type->kind == AVRO_LONG) {
        TRY(avro_get_long(cursor, &number, error));
        for (size_t i = 0; i < 8; i++)
            raw[i] = (uint8_t)((uint64_t)number >> (8 * i));
        bytes = slice_make(raw, type->kind == AVRO_INT ? 4 : 8);
    } else if (type->kind == AVRO_BOOLEAN) {
        TRY(avro_get_raw(cursor, 1, &bytes, error));
    } else if (type->kind == AVRO_FLOAT || type->kind == AVRO_DOUBLE) {
        TRY(avro_get_raw(cursor, type->kind == AVRO_FLOAT ? 4 : 8, &bytes, error));
    } else {
        TRY(decode_bytes(cursor, type, &bytes, &present, error));
        int128 decimal = 0;
        if (type->logical && strcmp(type->logical, "decimal") == 0) {
            if (!decimal_from_bytes(bytes, &decimal))
                return decode_mismatch(cursor, "a decimal is out of range", error);
            bytes = slice_make(raw, decimal_to_bytes_minimal(decimal, raw));
        }
    }
    const char *copy = arena_copy_slice(reader->arena, bytes, error);
    *out = (struct iceberg_value){true, slice_make(copy, bytes.length)};
    return copy != NULL;
}

static bool entry_read_partition(struct entry_reader *reader, const struct avro_type *type,
                                 struct iceberg_file *file)
{
    const struct iceberg_spec *spec = reader->spec;
    if (type->kind != AVRO_RECORD)
        return decode_mismatch(reader->cursor, "the partition is no record", reader->error);
    file->partition_count = spec->field_count;
    file->partition =
        arena_zero(reader->arena, spec->field_count, sizeof *file->partition, reader->error);
    TRY(file->partition != NULL);
    for (size_t i = 0; i < type->field_count; i++) {
        size_t at = 0;
        while (
            at < spec->field_count && spec->fields[at].field_id != type->fields[i].id &&
            !(type->fields[i].id == -1 && strcmp(spec->fields[at].name, type->fields[i].name) == 0))
            at++;
        if (at < spec->field_count)
            TRY(entry_read_value(reader, type->fields[i].type, &file->partition[at]));
        else
            TRY(avro_skip(reader->cursor, type->fields[i].type, reader->error));
    }
    return true;
}

/* ---- statistics ---- */

static struct iceberg_metric *entry_metric(struct entry_reader *reader, int32_t id, size_t hint)
{
    if (hint < reader->metric_count && reader->metrics[hint].field_id == id)
        return &reader->metrics[hint];
    for (size_t i = 0; i < reader->metric_count; i++) {
        if (reader->metrics[i].field_id == id)
            return &reader->metrics[i];
    }
    if (reader->metric_count >= COLUMN_LIMIT) {
        decode_mismatch(reader->cursor, "statistics of too many columns", reader->error);
        return NULL;
    }
    if (!memory_grow(&reader->metrics, &reader->metric_capacity, reader->metric_count + 1,
                     sizeof *reader->metrics, reader->error))
        return NULL;
    struct iceberg_metric *metric = &reader->metrics[reader->metric_count++];
    *metric = (struct iceberg_metric){
        .field_id = id, .column_size = -1, .value_count = -1, .null_count = -1, .nan_count = -1};
    return metric;
}

static bool entry_read_metric(struct entry_reader *reader, int32_t map_id, int32_t field_id,
                              const struct avro_type *value, size_t hint)
{
    struct error *error = reader->error;
    struct iceberg_metric *metric = entry_metric(reader, field_id, hint);
    TRY(metric != NULL);
    switch (map_id) {
    case 108:
        return decode_long(reader->cursor, value, &metric->column_size, error);
    case 109:
        return decode_long(reader->cursor, value, &metric->value_count, error);
    case 110:
        return decode_long(reader->cursor, value, &metric->null_count, error);
    case 137:
        return decode_long(reader->cursor, value, &metric->nan_count, error);
    case 125:
        return decode_blob(reader->cursor, value, &metric->lower.bytes, &metric->lower.present,
                           reader->arena, error);
    default:
        return decode_blob(reader->cursor, value, &metric->upper.bytes, &metric->upper.present,
                           reader->arena, error);
    }
}

/* A map by int: an array of records {key, value}. */
static bool entry_read_map(struct entry_reader *reader, int32_t map_id,
                           const struct avro_type *type)
{
    bool present = false;
    int64_t count = 0;
    size_t hint = 0;
    TRY(decode_present(reader->cursor, &type, &present, reader->error));
    if (!present)
        return true;
    const struct avro_type *item = type->kind == AVRO_ARRAY ? type->branches[0] : NULL;
    if (item == NULL || item->kind != AVRO_RECORD || item->field_count != 2)
        return decode_mismatch(reader->cursor, "statistics are of another type", reader->error);
    do {
        TRY(avro_get_block(reader->cursor, &count, reader->error));
        for (int64_t i = 0; i < count; i++) {
            int32_t key = -1;
            TRY(decode_int(reader->cursor, item->fields[0].type, &key, reader->error));
            TRY(entry_read_metric(reader, map_id, key, item->fields[1].type, hint++));
        }
    } while (count != 0);
    return true;
}

static int metric_order(const void *a, const void *b)
{
    int32_t left = ((const struct iceberg_metric *)a)->field_id;
    int32_t right = ((const struct iceberg_metric *)b)->field_id;
    return (left > right) - (left < right);
}

static bool entry_keep_metrics(struct entry_reader *reader, struct iceberg_file *file)
{
    file->metric_count = reader->metric_count;
    file->metrics =
        arena_zero(reader->arena, reader->metric_count, sizeof *file->metrics, reader->error);
    TRY(file->metrics != NULL);
    if (reader->metric_count == 0)
        return true;
    memcpy(file->metrics, reader->metrics, reader->metric_count * sizeof *file->metrics);
    qsort(file->metrics, file->metric_count, sizeof *file->metrics, metric_order);
    return true;
}

/* A list of numbers as int64_t. */
static bool entry_read_numbers(struct entry_reader *reader, const struct avro_type *type,
                               int64_t **out, size_t *out_count)
{
    bool present = false;
    int64_t count = 0;
    TRY(decode_present(reader->cursor, &type, &present, reader->error));
    if (!present)
        return true;
    if (type->kind != AVRO_ARRAY)
        return decode_mismatch(reader->cursor, "a list is of another type", reader->error);
    do {
        TRY(avro_get_block(reader->cursor, &count, reader->error));
        if (count == 0)
            break;
        size_t total = *out_count + (size_t)count;
        int64_t *grown = total > LIST_LIMIT
                             ? NULL
                             : arena_zero(reader->arena, total, sizeof *grown, reader->error);
        if (grown == NULL)
            return total > LIST_LIMIT
                       ? decode_mismatch(reader->cursor, "a list is too long", reader->error)
                       : false;
        if (*out_count)
            memcpy(grown, *out, *out_count * sizeof *grown);
        *out = grown;
        for (; *out_count < total; (*out_count)++)
            TRY(decode_long(reader->cursor, type->branches[0], &grown[*out_count], reader->error));
    } while (count != 0);
    return true;
}

static bool entry_read_equality(struct entry_reader *reader, const struct avro_type *type,
                                struct iceberg_file *file)
{
    int64_t *wide = NULL;
    size_t count = 0;
    TRY(entry_read_numbers(reader, type, &wide, &count));
    file->equality_ids =
        arena_zero(reader->arena, count, sizeof *file->equality_ids, reader->error);
    TRY(file->equality_ids != NULL);
    for (size_t i = 0; i < count; i++)
        file->equality_ids[i] = (int32_t)wide[i];
    file->equality_count = count;
    return true;
}

/* ---- entries ---- */

static bool entry_read_file_field(struct entry_reader *reader, const struct avro_field *field,
                                  struct iceberg_file *file)
{
    struct avro_cursor *cursor = reader->cursor;
    struct error *error = reader->error;
    const struct avro_type *type = field->type;
    int32_t content = 0, id = entry_field_id(field);
    bool present = false;
    switch (id) {
    case 134:
        TRY(decode_int(cursor, type, &content, error));
        if (content < 0 || content > ICEBERG_EQUALITY_DELETES)
            return error_set(error, ERROR_UNSUPPORTED, "read this table with a newer surfboard",
                             "%s: file content %" PRId32 " is not known", cursor->name, content);
        file->content = (enum iceberg_content)content;
        return true;
    case 100:
        return decode_text(cursor, type, &file->path, reader->arena, error);
    case 101:
        return decode_text(cursor, type, &file->format, reader->arena, error);
    case 102:
        return entry_read_partition(reader, type, file);
    case 103:
        return decode_long(cursor, type, &file->record_count, error);
    case 104:
        return decode_long(cursor, type, &file->size, error);
    case 108:
    case 109:
    case 110:
    case 137:
    case 125:
    case 128:
        return entry_read_map(reader, id, type);
    case 131:
        return decode_blob(cursor, type, &file->key_metadata, &present, reader->arena, error);
    case 132:
        return entry_read_numbers(reader, type, &file->split_offsets, &file->split_count);
    case 135:
        return entry_read_equality(reader, type, file);
    case 140:
        return decode_int(cursor, type, &file->sort_order_id, error);
    case 142:
        return decode_long(cursor, type, &file->first_row_id, error);
    case 143:
        return decode_text(cursor, type, &file->referenced_data_file, reader->arena, error);
    case 144:
        return decode_long(cursor, type, &file->content_offset, error);
    case 145:
        return decode_long(cursor, type, &file->content_size, error);
    default:
        return avro_skip(cursor, type, error);
    }
}

static bool entry_read_file(struct entry_reader *reader, const struct avro_type *type,
                            struct iceberg_file *file)
{
    reader->metric_count = 0;
    if (type->kind != AVRO_RECORD)
        return decode_mismatch(reader->cursor, "no manifest", reader->error);
    for (size_t i = 0; i < type->field_count; i++)
        TRY(entry_read_file_field(reader, &type->fields[i], file));
    return entry_keep_metrics(reader, file);
}

static bool entry_read(struct entry_reader *reader, const struct avro_type *type,
                       struct iceberg_file *file)
{
    int32_t status = -1;
    *file = (struct iceberg_file){.sort_order_id = -1,
                                  .content_offset = -1,
                                  .content_size = -1,
                                  .first_row_id = -1,
                                  .snapshot_id = -1,
                                  .sequence_number = -1,
                                  .file_sequence_number = -1,
                                  .record_count = -1,
                                  .size = -1};
    for (size_t i = 0; i < type->field_count; i++) {
        const struct avro_type *inner = type->fields[i].type;
        switch (entry_field_id(&type->fields[i])) {
        case 0:
            TRY(decode_int(reader->cursor, inner, &status, reader->error));
            break;
        case 1:
            TRY(decode_long(reader->cursor, inner, &file->snapshot_id, reader->error));
            break;
        case 3:
            TRY(decode_long(reader->cursor, inner, &file->sequence_number, reader->error));
            break;
        case 4:
            TRY(decode_long(reader->cursor, inner, &file->file_sequence_number, reader->error));
            break;
        case 2:
            TRY(entry_read_file(reader, inner, file));
            break;
        default:
            TRY(avro_skip(reader->cursor, inner, reader->error));
            break;
        }
    }
    if (status < 0 || status > ICEBERG_DELETED || file->path == NULL || file->format == NULL ||
        file->record_count < 0 || file->size < 0)
        return decode_mismatch(reader->cursor, "an entry lacks status, path, format or counts",
                               reader->error);
    file->status = (enum iceberg_status)status;
    return true;
}

/* What an entry leaves open is its manifest's. */
static bool entry_inherit(struct iceberg_file *file, const struct iceberg_manifest *manifest,
                          const struct avro_cursor *cursor, struct error *error)
{
    bool may = file->status == ICEBERG_ADDED || manifest->sequence_number == 0; /* v1: all are 0 */
    if (!may && (file->sequence_number == -1 || file->file_sequence_number == -1))
        return decode_mismatch(cursor, "an existing entry has no sequence number", error);
    if (file->sequence_number == -1)
        file->sequence_number = manifest->sequence_number;
    if (file->file_sequence_number == -1)
        file->file_sequence_number = manifest->sequence_number;
    if (file->snapshot_id == -1)
        file->snapshot_id = manifest->added_snapshot_id;
    file->spec_id = manifest->spec_id;
    file->manifest_path = manifest->path;
    return true;
}

static bool manifest_read_entries(struct avro_reader *avro, struct entry_reader *reader,
                                  const struct iceberg_manifest *manifest, bool live_only,
                                  struct iceberg_file_list *out)
{
    const struct avro_type *type = avro_reader_schema(avro)->root;
    bool end = false;
    for (;;) {
        TRY(avro_reader_next(avro, &reader->cursor, &end, reader->error));
        if (end)
            return true;
        if (type->kind != AVRO_RECORD)
            return decode_mismatch(reader->cursor, "no manifest", reader->error);
        TRY(memory_grow(&out->items, &out->capacity, out->count + 1, sizeof *out->items,
                        reader->error));
        struct iceberg_file *file = &out->items[out->count];
        TRY(entry_read(reader, type, file));
        TRY(entry_inherit(file, manifest, reader->cursor, reader->error));
        if (!live_only || file->status != ICEBERG_DELETED)
            out->count++;
    }
}

bool manifest_read(const struct source *source, const struct iceberg_manifest *manifest,
                   const struct iceberg_spec *spec, bool live_only, struct iceberg_file_list *out,
                   struct error *error)
{
    struct avro_reader *avro = avro_reader_open(source, error);
    TRY(avro != NULL);
    struct entry_reader reader = {.spec = spec, .arena = &out->arena, .error = error};
    struct iceberg_manifest kept = *manifest;
    kept.path = arena_copy_text(&out->arena, manifest->path ? manifest->path : "", error);
    bool ok = kept.path != NULL && manifest_read_entries(avro, &reader, &kept, live_only, out);
    free(reader.metrics);
    avro_reader_close(avro);
    return ok;
}

void iceberg_file_list_destroy(struct iceberg_file_list *list)
{
    free(list->items);
    arena_destroy(&list->arena);
    *list = (struct iceberg_file_list){0};
}

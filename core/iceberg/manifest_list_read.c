/* manifest_list_read.c: manifest lists (spec, "Manifest Lists"). */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/decode.h"
#include "core/iceberg/manifest.h"

static const struct decode_name list_names[] = {
    {500, "manifest_path"},
    {501, "manifest_length"},
    {502, "partition_spec_id"},
    {517, "content"},
    {515, "sequence_number"},
    {516, "min_sequence_number"},
    {503, "added_snapshot_id"},
    {504, "added_files_count"},
    {505, "existing_files_count"},
    {506, "deleted_files_count"},
    {512, "added_rows_count"},
    {513, "existing_rows_count"},
    {514, "deleted_rows_count"},
    {507, "partitions"},
    {519, "key_metadata"},
    {520, "first_row_id"},
    {504, "added_data_files_count"},
    {505, "existing_data_files_count"},
    {506, "deleted_data_files_count"},
    {509, "contains_null"},
    {518, "contains_nan"},
    {510, "lower_bound"},
    {511, "upper_bound"},
};

static int32_t list_field_id(const struct avro_field *field)
{
    return decode_field_id(field, list_names, sizeof list_names / sizeof *list_names);
}

static bool list_read_summary(struct avro_cursor *cursor, const struct avro_type *type,
                              struct iceberg_partition_summary *out, struct arena *arena,
                              struct error *error)
{
    bool nan = false;
    *out = (struct iceberg_partition_summary){.contains_nan = -1};
    for (size_t i = 0; i < type->field_count; i++) {
        const struct avro_type *inner = type->fields[i].type;
        switch (list_field_id(&type->fields[i])) {
        case 509:
            TRY(decode_boolean(cursor, inner, &out->contains_null, error));
            break;
        case 518: {
            bool present = false;
            TRY(decode_present(cursor, &inner, &present, error));
            if (present) {
                TRY(decode_boolean(cursor, inner, &nan, error));
                out->contains_nan = nan;
            }
            break;
        }
        case 510:
            TRY(decode_blob(cursor, inner, &out->lower.bytes, &out->lower.present, arena, error));
            break;
        case 511:
            TRY(decode_blob(cursor, inner, &out->upper.bytes, &out->upper.present, arena, error));
            break;
        default:
            TRY(avro_skip(cursor, inner, error));
            break;
        }
    }
    return true;
}

static bool list_read_summaries(struct avro_cursor *cursor, const struct avro_type *type,
                                struct iceberg_manifest *out, struct arena *arena,
                                struct error *error)
{
    bool present = false;
    int64_t count = 0;
    TRY(decode_present(cursor, &type, &present, error));
    if (!present)
        return true;
    if (type->kind != AVRO_ARRAY || type->branches[0]->kind != AVRO_RECORD)
        return decode_mismatch(cursor, "partition summaries are of another type", error);
    do {
        TRY(avro_get_block(cursor, &count, error));
        if (count == 0)
            break;
        size_t total = out->partition_count + (size_t)count;
        struct iceberg_partition_summary *grown = arena_zero(arena, total, sizeof *grown, error);
        TRY(grown != NULL);
        if (out->partition_count)
            memcpy(grown, out->partitions, out->partition_count * sizeof *grown);
        out->partitions = grown;
        for (; out->partition_count < total; out->partition_count++)
            TRY(list_read_summary(cursor, type->branches[0], &grown[out->partition_count], arena,
                                  error));
    } while (count != 0);
    return true;
}

static bool list_read_field(struct avro_cursor *cursor, const struct avro_field *field,
                            struct iceberg_manifest *out, struct arena *arena, struct error *error)
{
    const struct avro_type *type = field->type;
    bool present = false;
    int32_t content = out->deletes ? 1 : 0;
    switch (list_field_id(field)) {
    case 500:
        return decode_text(cursor, type, &out->path, arena, error);
    case 501:
        return decode_long(cursor, type, &out->length, error);
    case 502:
        return decode_int(cursor, type, &out->spec_id, error);
    case 517:
        TRY(decode_int(cursor, type, &content, error));
        if (content != 0 && content != 1)
            return error_set(error, ERROR_UNSUPPORTED, "read this table with a newer surfboard",
                             "%s: manifest content %" PRId32 " is not known", cursor->name,
                             content);
        out->deletes = content == 1;
        return true;
    case 515:
        return decode_long(cursor, type, &out->sequence_number, error);
    case 516:
        return decode_long(cursor, type, &out->min_sequence_number, error);
    case 503:
        return decode_long(cursor, type, &out->added_snapshot_id, error);
    case 504:
        return decode_long(cursor, type, &out->added_files, error);
    case 505:
        return decode_long(cursor, type, &out->existing_files, error);
    case 506:
        return decode_long(cursor, type, &out->deleted_files, error);
    case 512:
        return decode_long(cursor, type, &out->added_rows, error);
    case 513:
        return decode_long(cursor, type, &out->existing_rows, error);
    case 514:
        return decode_long(cursor, type, &out->deleted_rows, error);
    case 507:
        return list_read_summaries(cursor, type, out, arena, error);
    case 519:
        return decode_blob(cursor, type, &out->key_metadata, &present, arena, error);
    case 520:
        return decode_long(cursor, type, &out->first_row_id, error);
    default:
        return avro_skip(cursor, type, error);
    }
}

static bool list_read_records(struct avro_reader *reader, struct iceberg_manifest_list *out,
                              size_t *capacity, struct error *error)
{
    const struct avro_type *type = avro_reader_schema(reader)->root;
    struct avro_cursor *cursor = NULL;
    bool end = false;
    for (;;) {
        TRY(avro_reader_next(reader, &cursor, &end, error));
        if (end)
            return true;
        if (type->kind != AVRO_RECORD)
            return decode_mismatch(cursor, "no manifest list", error);
        TRY(memory_grow(&out->items, capacity, out->count + 1, sizeof *out->items, error));
        struct iceberg_manifest *item = &out->items[out->count];
        *item = (struct iceberg_manifest){.added_files = -1,
                                          .existing_files = -1,
                                          .deleted_files = -1,
                                          .added_rows = -1,
                                          .existing_rows = -1,
                                          .deleted_rows = -1,
                                          .first_row_id = -1};
        for (size_t i = 0; i < type->field_count; i++)
            TRY(list_read_field(cursor, &type->fields[i], item, &out->arena, error));
        if (item->path == NULL)
            return decode_mismatch(cursor, "no manifest list: an entry has no manifest_path",
                                   error);
        out->count++;
    }
}

bool manifest_list_read(const struct source *source, struct iceberg_manifest_list *out,
                        size_t *capacity, struct error *error)
{
    struct avro_reader *reader = avro_reader_open(source, error);
    TRY(reader != NULL);
    bool ok = list_read_records(reader, out, capacity, error);
    avro_reader_close(reader);
    return ok;
}

void iceberg_manifest_list_destroy(struct iceberg_manifest_list *list)
{
    free(list->items);
    arena_destroy(&list->arena);
    *list = (struct iceberg_manifest_list){0};
}

/* manifest_write.c: manifests and manifest lists of format version 2. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/manifest.h"
#include "core/iceberg/manifest_schema.h"

struct manifest_writer {
    struct avro_writer *avro;
    const struct iceberg_spec *spec;
    struct iceberg_manifest facts;
    struct iceberg_partition_summary *summaries;
    struct buffer *bounds; /* two for each partition field: lowest, highest */
};

struct manifest_writer *manifest_writer_open(struct sink *sink, const struct manifest_facts *facts,
                                             struct error *error)
{
    struct manifest_writer *writer = memory_zero(1, sizeof *writer, error);
    if (writer == NULL)
        return NULL;
    char schema_id[16], spec_id[16];
    snprintf(schema_id, sizeof schema_id, "%" PRId32, facts->schema_id);
    snprintf(spec_id, sizeof spec_id, "%" PRId32, facts->spec->id);
    const struct avro_metadata metadata[] = {
        {"schema", slice_of(facts->schema_json)},
        {"schema-id", slice_of(schema_id)},
        {"partition-spec", slice_of(facts->spec_json)},
        {"partition-spec-id", slice_of(spec_id)},
        {"format-version", SLICE_LITERAL("2")},
        {"content", facts->deletes ? SLICE_LITERAL("deletes") : SLICE_LITERAL("data")},
    };
    struct buffer schema = {0};
    size_t fields = facts->spec->field_count;
    writer->spec = facts->spec;
    writer->facts = (struct iceberg_manifest){.spec_id = facts->spec->id,
                                              .deletes = facts->deletes,
                                              .sequence_number = -1,
                                              .min_sequence_number = -1,
                                              .added_snapshot_id = facts->snapshot_id,
                                              .first_row_id = -1};
    bool ok = manifest_schema_text(facts->spec, &schema, error) &&
              buffer_text(&schema, error) != NULL &&
              (writer->summaries = memory_zero(fields, sizeof *writer->summaries, error)) &&
              (writer->bounds = memory_zero(fields * 2, sizeof *writer->bounds, error));
    if (ok)
        writer->avro = avro_writer_open(sink, schema.data, AVRO_CODEC_DEFLATE, metadata,
                                        sizeof metadata / sizeof *metadata, error);
    buffer_destroy(&schema);
    if (writer->avro)
        return writer;
    manifest_writer_destroy(writer);
    return NULL;
}

void manifest_writer_destroy(struct manifest_writer *writer)
{
    if (writer == NULL)
        return;
    avro_writer_destroy(writer->avro);
    for (size_t i = 0; writer->bounds && i < writer->spec->field_count * 2; i++)
        buffer_destroy(&writer->bounds[i]);
    free(writer->bounds);
    free(writer->summaries);
    free(writer);
}

/* ---- entries ---- */

static bool put_optional_long(struct buffer *out, bool present, int64_t value, struct error *error)
{
    return avro_put_long(out, present, error) && (!present || avro_put_long(out, value, error));
}

static bool put_optional_bytes(struct buffer *out, bool present, struct slice value,
                               struct error *error)
{
    return avro_put_long(out, present, error) && (!present || avro_put_bytes(out, value, error));
}

enum metric_map { COLUMN_SIZES, VALUE_COUNTS, NULL_COUNTS, NAN_COUNTS, LOWER_BOUNDS, UPPER_BOUNDS };

static bool metric_has(const struct iceberg_metric *metric, enum metric_map map)
{
    switch (map) {
    case COLUMN_SIZES:
        return metric->column_size >= 0;
    case VALUE_COUNTS:
        return metric->value_count >= 0;
    case NULL_COUNTS:
        return metric->null_count >= 0;
    case NAN_COUNTS:
        return metric->nan_count >= 0;
    case LOWER_BOUNDS:
        return metric->lower.present;
    default:
        return metric->upper.present;
    }
}

static bool put_metric(struct buffer *out, const struct iceberg_metric *metric, enum metric_map map,
                       struct error *error)
{
    TRY(avro_put_long(out, metric->field_id, error));
    switch (map) {
    case COLUMN_SIZES:
        return avro_put_long(out, metric->column_size, error);
    case VALUE_COUNTS:
        return avro_put_long(out, metric->value_count, error);
    case NULL_COUNTS:
        return avro_put_long(out, metric->null_count, error);
    case NAN_COUNTS:
        return avro_put_long(out, metric->nan_count, error);
    case LOWER_BOUNDS:
        return avro_put_bytes(out, metric->lower.bytes, error);
    default:
        return avro_put_bytes(out, metric->upper.bytes, error);
    }
}

static bool put_metric_map(struct buffer *out, const struct iceberg_file *file, enum metric_map map,
                           struct error *error)
{
    int64_t count = 0;
    for (size_t i = 0; i < file->metric_count; i++)
        count += metric_has(&file->metrics[i], map);
    if (count == 0)
        return avro_put_long(out, 0, error); /* null */
    TRY(avro_put_long(out, 1, error));
    TRY(avro_put_long(out, count, error));
    for (size_t i = 0; i < file->metric_count; i++) {
        if (metric_has(&file->metrics[i], map))
            TRY(put_metric(out, &file->metrics[i], map, error));
    }
    return avro_put_long(out, 0, error);
}

static bool put_lists(struct buffer *out, const struct iceberg_file *file, struct error *error)
{
    TRY(avro_put_long(out, file->split_count != 0, error));
    if (file->split_count) {
        TRY(avro_put_long(out, (int64_t)file->split_count, error));
        for (size_t i = 0; i < file->split_count; i++)
            TRY(avro_put_long(out, file->split_offsets[i], error));
        TRY(avro_put_long(out, 0, error));
    }
    TRY(avro_put_long(out, file->equality_count != 0, error));
    if (file->equality_count) {
        TRY(avro_put_long(out, (int64_t)file->equality_count, error));
        for (size_t i = 0; i < file->equality_count; i++)
            TRY(avro_put_long(out, file->equality_ids[i], error));
        TRY(avro_put_long(out, 0, error));
    }
    return true;
}

static bool put_file(const struct manifest_writer *writer, struct buffer *out,
                     const struct iceberg_file *file, struct error *error)
{
    TRY(avro_put_long(out, (int64_t)file->content, error));
    TRY(avro_put_text(out, file->path, error));
    TRY(avro_put_text(out, file->format, error));
    for (size_t i = 0; i < writer->spec->field_count; i++)
        TRY(manifest_put_partition(&writer->spec->fields[i].type, &file->partition[i], out, error));
    TRY(avro_put_long(out, file->record_count, error));
    TRY(avro_put_long(out, file->size, error));
    for (enum metric_map map = COLUMN_SIZES; map <= UPPER_BOUNDS; map++)
        TRY(put_metric_map(out, file, map, error));
    TRY(put_optional_bytes(out, file->key_metadata.length != 0, file->key_metadata, error));
    TRY(put_lists(out, file, error));
    bool sorted = file->sort_order_id >= 0 && file->content != ICEBERG_POSITION_DELETES;
    TRY(put_optional_long(out, sorted, file->sort_order_id, error));
    return put_optional_bytes(out, file->referenced_data_file != NULL,
                              slice_of(file->referenced_data_file), error);
}

/* ---- what the manifest list will say ---- */

static bool value_is_nan(const struct type *type, struct slice bytes)
{
    float narrow = 0;
    double wide = 0;
    if (bytes.length == 4 && (type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE)) {
        memcpy(&narrow, bytes.data, 4);
        return isnan(narrow);
    }
    if (bytes.length != 8 || type->kind != TYPE_DOUBLE)
        return false;
    memcpy(&wide, bytes.data, 8);
    return isnan(wide);
}

static bool bound_widen(struct buffer *bound, struct iceberg_value *out, const struct type *type,
                        struct slice value, int sign, struct error *error)
{
    int order = 0;
    if (out->present) {
        if (!iceberg_value_compare(type, value, buffer_slice(bound), &order) || order * sign <= 0)
            return true;
    }
    buffer_clear(bound);
    out->present = true;
    return buffer_append_slice(bound, value, error);
}

static bool manifest_count(struct manifest_writer *writer, const struct iceberg_file *file,
                           struct error *error)
{
    struct iceberg_manifest *facts = &writer->facts;
    int64_t *files[] = {&facts->existing_files, &facts->added_files, &facts->deleted_files};
    int64_t *rows[] = {&facts->existing_rows, &facts->added_rows, &facts->deleted_rows};
    ++*files[file->status];
    *rows[file->status] += file->record_count;
    int64_t least = facts->min_sequence_number;
    if (file->status != ICEBERG_DELETED && file->sequence_number >= 0 &&
        (least == -1 || file->sequence_number < least))
        facts->min_sequence_number = file->sequence_number;
    for (size_t i = 0; i < writer->spec->field_count; i++) {
        struct iceberg_partition_summary *summary = &writer->summaries[i];
        const struct type *type = &writer->spec->fields[i].type;
        const struct iceberg_value *value = &file->partition[i];
        if (!value->present) {
            summary->contains_null = true;
        } else if (value_is_nan(type, value->bytes)) {
            summary->contains_nan = 1;
        } else {
            TRY(bound_widen(&writer->bounds[2 * i], &summary->lower, type, value->bytes, -1,
                            error));
            TRY(bound_widen(&writer->bounds[2 * i + 1], &summary->upper, type, value->bytes, 1,
                            error));
        }
    }
    return true;
}

bool manifest_writer_add(struct manifest_writer *writer, const struct iceberg_file *file,
                         struct error *error)
{
    struct buffer *out = avro_writer_record(writer->avro);
    if (file->partition_count != writer->spec->field_count)
        return error_set(error, ERROR_INTERNAL, NULL,
                         "%s: %zu partition values for a spec of %zu fields", file->path,
                         file->partition_count, writer->spec->field_count);
    bool inherits = file->status == ICEBERG_ADDED;
    if (!inherits && (file->sequence_number < 0 || file->file_sequence_number < 0))
        return error_set(error, ERROR_INTERNAL, NULL, "%s: no sequence number", file->path);
    TRY(avro_put_long(out, (int64_t)file->status, error));
    TRY(put_optional_long(out, true, file->snapshot_id, error));
    TRY(put_optional_long(out, file->sequence_number >= 0, file->sequence_number, error));
    TRY(put_optional_long(out, !inherits, file->file_sequence_number, error));
    TRY(put_file(writer, out, file, error));
    TRY(manifest_count(writer, file, error));
    return avro_writer_end_record(writer->avro, error);
}

bool manifest_writer_finish(struct manifest_writer *writer, struct arena *arena,
                            struct iceberg_manifest *out, struct error *error)
{
    size_t fields = writer->spec->field_count;
    TRY(avro_writer_finish(writer->avro, error));
    *out = writer->facts;
    out->partition_count = fields;
    out->partitions = arena_zero(arena, fields, sizeof *out->partitions, error);
    TRY(out->partitions != NULL);
    for (size_t i = 0; i < fields; i++) {
        struct iceberg_partition_summary *summary = &out->partitions[i];
        *summary = writer->summaries[i];
        struct iceberg_value *bounds[] = {&summary->lower, &summary->upper};
        for (size_t b = 0; b < 2; b++) {
            struct slice bytes = buffer_slice(&writer->bounds[2 * i + b]);
            if (!bounds[b]->present)
                continue;
            bounds[b]->bytes = slice_make(arena_copy_slice(arena, bytes, error), bytes.length);
            TRY(bounds[b]->bytes.data != NULL);
        }
    }
    return true;
}

/* ---- manifest lists ---- */

static bool put_summaries(struct buffer *out, const struct iceberg_manifest *manifest,
                          struct error *error)
{
    TRY(avro_put_long(out, 1, error));
    if (manifest->partition_count)
        TRY(avro_put_long(out, (int64_t)manifest->partition_count, error));
    for (size_t i = 0; i < manifest->partition_count; i++) {
        const struct iceberg_partition_summary *summary = &manifest->partitions[i];
        TRY(avro_put_boolean(out, summary->contains_null, error));
        TRY(avro_put_long(out, summary->contains_nan >= 0, error));
        if (summary->contains_nan >= 0)
            TRY(avro_put_boolean(out, summary->contains_nan > 0, error));
        TRY(put_optional_bytes(out, summary->lower.present, summary->lower.bytes, error));
        TRY(put_optional_bytes(out, summary->upper.present, summary->upper.bytes, error));
    }
    return avro_put_long(out, 0, error);
}

static bool put_manifest(struct avro_writer *avro, const struct iceberg_manifest *manifest,
                         int64_t sequence_number, struct error *error)
{
    struct buffer *out = avro_writer_record(avro);
    bool ours = manifest->sequence_number == -1;
    bool open = ours && manifest->min_sequence_number == -1;
    const int64_t numbers[] = {
        manifest->length,
        manifest->spec_id,
        manifest->deletes,
        ours ? sequence_number : manifest->sequence_number,
        open ? sequence_number : manifest->min_sequence_number,
        manifest->added_snapshot_id,
        manifest->added_files,
        manifest->existing_files,
        manifest->deleted_files,
        manifest->added_rows,
        manifest->existing_rows,
        manifest->deleted_rows,
    };
    TRY(avro_put_text(out, manifest->path, error));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        TRY(avro_put_long(out, numbers[i], error));
    TRY(put_summaries(out, manifest, error));
    TRY(put_optional_bytes(out, manifest->key_metadata.length != 0, manifest->key_metadata, error));
    return avro_writer_end_record(avro, error);
}

bool manifest_list_write(struct sink *sink, const struct iceberg_manifest *manifests, size_t count,
                         int64_t snapshot_id, int64_t parent_id, int64_t sequence_number,
                         struct error *error)
{
    char snapshot[24], parent[24] = "null", sequence[24];
    snprintf(snapshot, sizeof snapshot, "%" PRId64, snapshot_id);
    snprintf(sequence, sizeof sequence, "%" PRId64, sequence_number);
    if (parent_id != -1)
        snprintf(parent, sizeof parent, "%" PRId64, parent_id);
    const struct avro_metadata metadata[] = {
        {"format-version", SLICE_LITERAL("2")},
        {"snapshot-id", slice_of(snapshot)},
        {"parent-snapshot-id", slice_of(parent)},
        {"sequence-number", slice_of(sequence)},
    };
    struct avro_writer *avro =
        avro_writer_open(sink, manifest_list_schema, AVRO_CODEC_DEFLATE, metadata,
                         sizeof metadata / sizeof *metadata, error);
    TRY(avro != NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = put_manifest(avro, &manifests[i], sequence_number, error);
    ok = ok && avro_writer_finish(avro, error);
    avro_writer_destroy(avro);
    return ok;
}

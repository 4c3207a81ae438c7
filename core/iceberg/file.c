#include "core/iceberg/file.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/manifest.h"
#include "core/iceberg/statistics.h"

/* ---- lists ---- */

/* v1 snapshots may name their manifests inline; what a list would say is in the manifests. */
static bool files_inline_manifest(const struct iceberg_table *table, const char *path,
                                  int64_t snapshot_id, struct iceberg_manifest_list *out,
                                  size_t *capacity, struct error *error)
{
    struct source source = {0};
    TRY(memory_grow(&out->items, capacity, out->count + 1, sizeof *out->items, error));
    TRY(iceberg_table_source(table, path, &source, error));
    struct avro_reader *reader = avro_reader_open(&source, error);
    int32_t spec_id = 0;
    if (reader) {
        char text[16] = "";
        struct slice id = avro_reader_metadata(reader, "partition-spec-id");
        if (id.length < sizeof text)
            memcpy(text, id.data ? id.data : "", id.length);
        spec_id = (int32_t)strtol(text, NULL, 10);
        avro_reader_close(reader);
    }
    struct iceberg_manifest *item = &out->items[out->count];
    *item = (struct iceberg_manifest){.length = (int64_t)source.size,
                                      .spec_id = spec_id,
                                      .added_snapshot_id = snapshot_id,
                                      .added_files = -1,
                                      .existing_files = -1,
                                      .deleted_files = -1,
                                      .added_rows = -1,
                                      .existing_rows = -1,
                                      .deleted_rows = -1,
                                      .first_row_id = -1};
    store_source_close(&source);
    TRY(reader != NULL);
    TRY((item->path = arena_copy_text(&out->arena, path, error)) != NULL);
    out->count++;
    return true;
}

static bool files_list_manifests(const struct iceberg_table *table,
                                 const struct iceberg_snapshot *snapshot,
                                 struct iceberg_manifest_list *out, struct error *error)
{
    size_t capacity = 0, i;
    json_t *path;
    if (snapshot->manifest_list) {
        struct source source = {0};
        TRY(iceberg_table_source(table, snapshot->manifest_list, &source, error));
        bool ok = manifest_list_read(&source, out, &capacity, error);
        store_source_close(&source);
        return ok;
    }
    json_array_foreach(json_object_get(snapshot->json, "manifests"), i, path)
    {
        if (!json_is_string(path))
            return error_set(error, ERROR_INPUT, NULL, "snapshot %" PRId64 ": bad manifest name",
                             snapshot->id);
        TRY(files_inline_manifest(table, json_string_value(path), snapshot->id, out, &capacity,
                                  error));
    }
    return true;
}

bool iceberg_snapshot_manifests(const struct iceberg_table *table, int64_t snapshot_id,
                                struct iceberg_manifest_list *out, struct error *error)
{
    struct iceberg_snapshot snapshot;
    *out = (struct iceberg_manifest_list){0};
    if (snapshot_id == -1)
        snapshot_id = table->snapshot_id;
    if (snapshot_id == -1)
        return true;
    if (!iceberg_snapshot_find(table, snapshot_id, &snapshot))
        return error_set(error, ERROR_NOT_FOUND,
                         "choose one that the table still has: it may be expired",
                         "%s: no snapshot %" PRId64, table->location, snapshot_id);
    if (files_list_manifests(table, &snapshot, out, error))
        return true;
    iceberg_manifest_list_destroy(out);
    return error_prefix(error, "snapshot %" PRId64, snapshot_id);
}

bool iceberg_manifest_files(const struct iceberg_table *table,
                            const struct iceberg_manifest *manifest, bool live_only,
                            struct iceberg_file_list *out, struct error *error)
{
    const struct iceberg_spec *spec = iceberg_table_spec(table, manifest->spec_id);
    struct source source = {0};
    if (spec == NULL)
        return error_set(error, ERROR_INPUT, NULL,
                         "%s: its partition spec %" PRId32 " is not in the table's metadata",
                         manifest->path, manifest->spec_id);
    TRY(iceberg_table_source(table, manifest->path, &source, error));
    bool ok = manifest_read(&source, manifest, spec, live_only, out, error);
    store_source_close(&source);
    return ok;
}

bool iceberg_snapshot_files(const struct iceberg_table *table, int64_t snapshot_id,
                            struct iceberg_file_list *out, struct error *error)
{
    struct iceberg_manifest_list manifests;
    *out = (struct iceberg_file_list){0};
    TRY(iceberg_snapshot_manifests(table, snapshot_id, &manifests, error));
    bool ok = true;
    for (size_t i = 0; ok && i < manifests.count; i++) {
        const struct iceberg_manifest *manifest = &manifests.items[i];
        if (manifest->added_files == 0 && manifest->existing_files == 0)
            continue; /* only DELETED entries */
        ok = iceberg_manifest_files(table, manifest, true, out, error);
    }
    iceberg_manifest_list_destroy(&manifests);
    if (!ok)
        iceberg_file_list_destroy(out);
    return ok;
}

/* ---- one file ---- */

const struct iceberg_metric *iceberg_file_metric(const struct iceberg_file *file, int32_t field_id)
{
    size_t low = 0, high = file->metric_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->metrics[middle].field_id < field_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < file->metric_count && file->metrics[low].field_id == field_id ? &file->metrics[low]
                                                                               : NULL;
}

struct slice iceberg_file_scope(const struct iceberg_file *file)
{
    if (file->referenced_data_file)
        return slice_of(file->referenced_data_file);
    const struct iceberg_metric *path = iceberg_file_metric(file, ICEBERG_DELETE_PATH_ID);
    if (file->content == ICEBERG_POSITION_DELETES && path && path->lower.present &&
        path->upper.present && slice_equal(path->lower.bytes, path->upper.bytes))
        return path->lower.bytes;
    return (struct slice){0};
}

static bool files_same_partition(const struct iceberg_table *table, const struct iceberg_file *a,
                                 const struct iceberg_file *b)
{
    if (a->spec_id != b->spec_id || a->partition_count != b->partition_count)
        return false;
    const struct iceberg_spec *spec = iceberg_table_spec(table, a->spec_id);
    for (size_t i = 0; i < a->partition_count; i++) {
        const struct iceberg_value *left = &a->partition[i], *right = &b->partition[i];
        int order = 0;
        if (left->present != right->present)
            return false;
        if (!left->present || slice_equal(left->bytes, right->bytes))
            continue;
        if (spec == NULL || i >= spec->field_count ||
            !iceberg_value_compare(&spec->fields[i].type, left->bytes, right->bytes, &order) ||
            order != 0)
            return false;
    }
    return true;
}

bool iceberg_delete_applies(const struct iceberg_table *table, const struct iceberg_file *deletes,
                            const struct iceberg_file *data)
{
    if (deletes->content == ICEBERG_EQUALITY_DELETES) {
        if (data->sequence_number >= deletes->sequence_number)
            return false;
        return deletes->partition_count == 0 || files_same_partition(table, deletes, data);
    }
    if (data->sequence_number > deletes->sequence_number)
        return false;
    struct slice scope = iceberg_file_scope(deletes);
    if (scope.data && !slice_is(scope, data->path))
        return false;
    return files_same_partition(table, deletes, data);
}

/* ---- copying ---- */

static bool file_copy_blob(struct slice *blob, struct arena *arena, struct error *error)
{
    if (blob->data == NULL)
        return true;
    blob->data = arena_copy_slice(arena, *blob, error);
    return blob->data != NULL;
}

static bool file_copy_text(const char **text, struct arena *arena, struct error *error)
{
    return *text == NULL || (*text = arena_copy_text(arena, *text, error)) != NULL;
}

static bool file_copy_array(void *pointer, size_t count, size_t size, struct arena *arena,
                            struct error *error)
{
    void *from, *to = arena_zero(arena, count, size, error);
    TRY(to != NULL);
    memcpy(&from, pointer, sizeof from);
    if (count)
        memcpy(to, from, count * size);
    memcpy(pointer, &to, sizeof to);
    return true;
}

bool iceberg_file_copy(struct iceberg_file *out, const struct iceberg_file *file,
                       struct arena *arena, struct error *error)
{
    *out = *file;
    TRY(file_copy_text(&out->path, arena, error));
    TRY(file_copy_text(&out->format, arena, error));
    TRY(file_copy_text(&out->referenced_data_file, arena, error));
    TRY(file_copy_text(&out->manifest_path, arena, error));
    TRY(file_copy_blob(&out->key_metadata, arena, error));
    TRY(file_copy_array(&out->partition, out->partition_count, sizeof *out->partition, arena,
                        error));
    TRY(file_copy_array(&out->metrics, out->metric_count, sizeof *out->metrics, arena, error));
    TRY(file_copy_array(&out->split_offsets, out->split_count, sizeof *out->split_offsets, arena,
                        error));
    TRY(file_copy_array(&out->equality_ids, out->equality_count, sizeof *out->equality_ids, arena,
                        error));
    for (size_t i = 0; i < out->partition_count; i++)
        TRY(file_copy_blob(&out->partition[i].bytes, arena, error));
    for (size_t i = 0; i < out->metric_count; i++) {
        TRY(file_copy_blob(&out->metrics[i].lower.bytes, arena, error));
        TRY(file_copy_blob(&out->metrics[i].upper.bytes, arena, error));
    }
    return true;
}

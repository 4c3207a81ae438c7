/* Any bytes as an Avro file, a manifest list and a manifest: read or refused, never a crash, a leak
 * or a hang; records read twice are the same; what a manifest says is written and read back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/iceberg/describe.h"
#include "core/iceberg/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct iceberg_partition_field fields[] = {
    {.field_id = 1000,
     .name = "region",
     .transform = ICEBERG_IDENTITY,
     .source_type = {.kind = TYPE_STRING},
     .type = {.kind = TYPE_STRING}},
    {.field_id = 1001,
     .name = "id_bucket",
     .transform = ICEBERG_BUCKET,
     .argument = 4,
     .source_type = {.kind = TYPE_LONG},
     .type = {.kind = TYPE_INT}},
    {.field_id = 1002,
     .name = "ts_day",
     .transform = ICEBERG_DAY,
     .source_type = {.kind = TYPE_TIMESTAMP},
     .type = {.kind = TYPE_DATE}},
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Entries as read, written as EXISTING ones, must come back. */
static void write_back(const struct iceberg_file_list *files, const struct iceberg_spec *spec)
{
    struct buffer bytes = {0};
    struct sink sink = sink_to_buffer(&bytes);
    struct arena arena = {0};
    struct iceberg_manifest manifest;
    struct iceberg_file_list again = {0};
    struct error error = {0};
    const struct manifest_facts facts = {
        .schema_json = "{}", .spec_json = "[]", .spec = spec, .snapshot_id = 1};
    struct manifest_writer *writer = manifest_writer_open(&sink, &facts, &error);
    must(writer != NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < files->count; i++) {
        struct iceberg_file file = files->items[i];
        file.status = ICEBERG_EXISTING;
        ok = file.sequence_number >= 0 && file.file_sequence_number >= 0 &&
             manifest_writer_add(writer, &file, &error);
    }
    if (ok) {
        must(manifest_writer_finish(writer, &arena, &manifest, &error));
        struct slice whole = buffer_slice(&bytes);
        struct source source = source_from_memory(&whole, "again");
        manifest.path = "again";
        must(manifest_read(&source, &manifest, spec, true, &again, &error));
        must(again.count == files->count);
        for (size_t i = 0; i < again.count; i++) {
            const struct iceberg_file *a = &files->items[i], *b = &again.items[i];
            must(strcmp(a->path, b->path) == 0 && a->record_count == b->record_count);
            must(a->sequence_number == b->sequence_number && a->size == b->size);
            must(a->split_count == b->split_count && a->equality_count == b->equality_count);
        }
    }
    iceberg_file_list_destroy(&again);
    manifest_writer_destroy(writer);
    arena_destroy(&arena);
    buffer_destroy(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct iceberg_spec spec = {.fields = fields, .field_count = 3};
    const struct iceberg_manifest manifest = {
        .path = "m", .sequence_number = 5, .added_snapshot_id = 7};
    struct slice bytes = slice_make(data, size);
    struct source source = source_from_memory(&bytes, "fuzz");
    struct iceberg_manifest_list list = {0};
    struct iceberg_file_list files = {0};
    struct error error = {0};
    size_t capacity = 0;
    json_t *json = NULL, *again = NULL;
    if (iceberg_describe_avro(&source, 1000, &json, &error)) {
        must(iceberg_describe_avro(&source, 1000, &again, &error));
        must(json_equal(json, again));
        json_decref(json);
        json_decref(again);
    } else {
        must(error.kind != ERROR_NONE && error.message[0] != '\0');
    }
    manifest_list_read(&source, &list, &capacity, NULL);
    iceberg_manifest_list_destroy(&list);
    if (manifest_read(&source, &manifest, &spec, false, &files, NULL))
        write_back(&files, &spec);
    iceberg_file_list_destroy(&files);
    return 0;
}

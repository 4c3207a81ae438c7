#include "core/iceberg/reach.h"

void reach_destroy(struct reach *reach)
{
    map_destroy(&reach->files);
    map_destroy(&reach->manifests);
    arena_destroy(&reach->arena);
    *reach = (struct reach){0};
}

bool reach_add(struct reach *reach, const struct iceberg_table *table, const char *path,
               int64_t size, bool metadata, struct error *error)
{
    struct store *store = NULL;
    struct buffer key = {0};
    struct error problem = {0};
    bool ok = iceberg_table_resolve(table, path, &store, &key, &problem);
    if (!ok && problem.kind == ERROR_NOT_FOUND) { /* elsewhere: not ours to keep or to delete */
        buffer_destroy(&key);
        return true;
    }
    if (!ok && error)
        *error = problem;
    if (ok && store == table->store && map_get(&reach->files, buffer_slice(&key)) == NULL) {
        struct reach_file *file = arena_zero(&reach->arena, 1, sizeof *file, error);
        if (file) {
            *file = (struct reach_file){.size = size, .metadata = metadata};
            file->key = arena_copy_text(&reach->arena, key.data, error);
        }
        ok = file && file->key && map_put(&reach->files, slice_of(file->key), file, error);
    }
    buffer_destroy(&key);
    return ok;
}

bool reach_has(const struct reach *reach, const char *key)
{
    return map_get_text(&reach->files, key) != NULL;
}

static bool reach_add_manifest(struct reach *reach, const struct iceberg_table *table,
                               const struct iceberg_manifest *manifest, const struct reach *known,
                               struct error *error)
{
    if (map_get_text(&reach->manifests, manifest->path) ||
        (known && map_get_text(&known->manifests, manifest->path)))
        return true;
    struct iceberg_manifest *kept = arena_zero(&reach->arena, 1, sizeof *kept, error);
    TRY(kept != NULL);
    *kept = *manifest;
    kept->partitions = NULL;
    kept->partition_count = 0;
    kept->key_metadata = (struct slice){0};
    TRY((kept->path = arena_copy_text(&reach->arena, manifest->path, error)) != NULL);
    TRY(map_put(&reach->manifests, slice_of(kept->path), kept, error));
    return reach_add(reach, table, kept->path, kept->length, true, error);
}

bool reach_add_lists(struct reach *reach, const struct iceberg_table *table,
                     const struct iceberg_snapshot *snapshot, const struct reach *known,
                     struct error *error)
{
    struct iceberg_manifest_list manifests;
    if (snapshot->manifest_list)
        TRY(reach_add(reach, table, snapshot->manifest_list, -1, true, error));
    TRY(iceberg_snapshot_manifests(table, snapshot->id, &manifests, error));
    bool ok = true;
    for (size_t i = 0; ok && i < manifests.count; i++)
        ok = reach_add_manifest(reach, table, &manifests.items[i], known, error);
    iceberg_manifest_list_destroy(&manifests);
    return ok;
}

bool reach_add_files(struct reach *reach, const struct iceberg_table *table, bool gone,
                     struct error *error)
{
    for (size_t m = 0; m < reach->manifests.count; m++) {
        const struct iceberg_manifest *manifest = reach->manifests.entries[m].value;
        struct iceberg_file_list files = {0};
        bool ok = iceberg_manifest_files(table, manifest, !gone, &files, error);
        for (size_t i = 0; ok && i < files.count; i++)
            ok = reach_add(reach, table, files.items[i].path, files.items[i].size, false, error);
        iceberg_file_list_destroy(&files);
        TRY(ok);
    }
    return true;
}

/* Which data files a scan reads, and which deletes hit each (Iceberg spec, "Scan Planning"). */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/scan_internal.h"

const struct schema *iceberg_scan_row_schema(const struct iceberg_table *table, int64_t snapshot_id,
                                             struct error *error)
{
    struct iceberg_snapshot snapshot;
    if (snapshot_id < 0)
        return table->schema;
    if (!iceberg_snapshot_find(table, snapshot_id, &snapshot)) {
        error_set(error, ERROR_NOT_FOUND, "see the table's snapshots with: surfboard peek",
                  "%s has no snapshot %lld: it never had, or it has expired", table->location,
                  (long long)snapshot_id);
        return NULL;
    }
    return iceberg_snapshot_schema(table, &snapshot);
}

bool scan_check_format(const struct iceberg_file *file, struct error *error)
{
    const char *what = file->content == ICEBERG_DATA ? "data" : "delete";
    bool vector = file->content == ICEBERG_POSITION_DELETES && strcmp(file->format, "PUFFIN") == 0;
    if (file->key_metadata.length)
        return error_set(error, ERROR_UNSUPPORTED,
                         "read the table with the engine that holds the "
                         "key",
                         "%s: an encrypted %s file", file->path, what);
    if (vector || strcasecmp(file->format, "PARQUET") == 0)
        return true;
    return error_set(error, ERROR_UNSUPPORTED,
                     "rewrite the table's files as Parquet: in Trino, ALTER TABLE ... SET "
                     "PROPERTIES format = 'PARQUET', then ALTER TABLE ... EXECUTE optimize",
                     "%s: a %s file in %s format; only Parquet is read", file->path, what,
                     file->format);
}

void iceberg_plan_destroy(struct iceberg_plan *plan)
{
    iceberg_file_list_destroy(&plan->files);
    arena_destroy(&plan->arena);
    *plan = (struct iceberg_plan){0};
}

/* The delete files of a snapshot: those about one data file sorted by its path, and the others. */
struct delete_index {
    const struct iceberg_file **scoped, **wide;
    size_t scoped_count, wide_count;
};

static int compare_scopes(const void *a, const void *b)
{
    const struct iceberg_file *x = *(const struct iceberg_file *const *)a;
    const struct iceberg_file *y = *(const struct iceberg_file *const *)b;
    int order = slice_compare(iceberg_file_scope(x), iceberg_file_scope(y));
    return order ? order : (x > y) - (x < y);
}

static bool index_deletes(struct iceberg_plan *plan, struct delete_index *index,
                          struct error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->files.count; i++)
        count += plan->files.items[i].content != ICEBERG_DATA;
    index->scoped = arena_zero(&plan->arena, count, sizeof *index->scoped, error);
    index->wide = arena_zero(&plan->arena, count, sizeof *index->wide, error);
    if (index->scoped == NULL || index->wide == NULL)
        return false;
    for (size_t i = 0; i < plan->files.count; i++) {
        const struct iceberg_file *file = &plan->files.items[i];
        if (file->content == ICEBERG_DATA)
            continue;
        if (iceberg_file_scope(file).data)
            index->scoped[index->scoped_count++] = file;
        else
            index->wide[index->wide_count++] = file;
    }
    if (index->scoped_count)
        qsort(index->scoped, index->scoped_count, sizeof *index->scoped, compare_scopes);
    return true;
}

/* The first scoped delete file of a path. */
static size_t find_scope(const struct delete_index *index, struct slice path)
{
    size_t low = 0, high = index->scoped_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice_compare(iceberg_file_scope(index->scoped[middle]), path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A deletion vector holds all older position deletes of its file, so they are left out. */
static void prefer_vector(struct iceberg_scan_task *task)
{
    bool vector = false;
    for (size_t i = 0; i < task->delete_count; i++)
        vector = vector || strcmp(task->deletes[i]->format, "PUFFIN") == 0;
    if (!vector)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < task->delete_count; i++) {
        if (task->deletes[i]->content != ICEBERG_POSITION_DELETES ||
            strcmp(task->deletes[i]->format, "PUFFIN") == 0)
            task->deletes[kept++] = task->deletes[i];
    }
    task->delete_count = kept;
}

static bool make_task(const struct iceberg_table *table, const struct delete_index *index,
                      const struct iceberg_file *data, struct iceberg_plan *plan,
                      struct error *error)
{
    struct slice path = slice_of(data->path);
    size_t first = find_scope(index, path), last = first, count = 0;
    while (last < index->scoped_count && slice_equal(iceberg_file_scope(index->scoped[last]), path))
        last++;
    struct iceberg_scan_task *task = &plan->tasks[plan->task_count];
    *task = (struct iceberg_scan_task){.data = data};
    for (size_t i = first; i < last; i++)
        count += iceberg_delete_applies(table, index->scoped[i], data);
    for (size_t i = 0; i < index->wide_count; i++)
        count += iceberg_delete_applies(table, index->wide[i], data);
    if (count) {
        task->deletes = arena_zero(&plan->arena, count, sizeof *task->deletes, error);
        TRY(task->deletes != NULL);
        for (size_t i = first; i < last; i++) {
            if (iceberg_delete_applies(table, index->scoped[i], data))
                task->deletes[task->delete_count++] = index->scoped[i];
        }
        for (size_t i = 0; i < index->wide_count; i++) {
            if (iceberg_delete_applies(table, index->wide[i], data))
                task->deletes[task->delete_count++] = index->wide[i];
        }
        prefer_vector(task);
    }
    plan->task_count++;
    return true;
}

static bool read_manifests(const struct iceberg_table *table, int64_t snapshot_id,
                           const struct expression *where, struct iceberg_plan *plan,
                           struct error *error)
{
    struct iceberg_manifest_list manifests;
    TRY(iceberg_snapshot_manifests(table, snapshot_id, &manifests, error));
    bool ok = true;
    for (size_t i = 0; ok && i < manifests.count; i++) {
        const struct iceberg_manifest *manifest = &manifests.items[i];
        const struct iceberg_spec *spec = iceberg_table_spec(table, manifest->spec_id);
        if (manifest->added_files == 0 && manifest->existing_files == 0)
            continue;
        if (where && !manifest->deletes && manifest->added_files >= 0 &&
            manifest->existing_files >= 0 &&
            !expression_may_match_manifest(where, manifest, spec)) {
            plan->data_files += (size_t)(manifest->added_files + manifest->existing_files);
            continue;
        }
        size_t before = plan->files.count;
        ok = iceberg_manifest_files(table, manifest, true, &plan->files, error);
        if (ok && !manifest->deletes)
            plan->data_files += plan->files.count - before;
    }
    iceberg_manifest_list_destroy(&manifests);
    return ok;
}

bool iceberg_plan_make(const struct iceberg_table *table, int64_t snapshot_id,
                       const struct expression *where, struct iceberg_plan *out,
                       struct error *error)
{
    struct delete_index index = {0};
    *out = (struct iceberg_plan){0};
    bool ok =
        read_manifests(table, snapshot_id, where, out, error) && index_deletes(out, &index, error);
    out->tasks = ok ? arena_zero(&out->arena, out->files.count, sizeof *out->tasks, error) : NULL;
    ok = ok && out->tasks;
    for (size_t i = 0; ok && i < out->files.count; i++) {
        const struct iceberg_file *file = &out->files.items[i];
        if (file->content == ICEBERG_DATA &&
            (where == NULL ||
             expression_may_match_file(where, file, iceberg_table_spec(table, file->spec_id))))
            ok = make_task(table, &index, file, out, error);
    }
    if (!ok)
        iceberg_plan_destroy(out);
    return ok;
}

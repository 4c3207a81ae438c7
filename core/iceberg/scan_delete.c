/* Position deletes: which rows of a data file are gone. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/scan_internal.h"
#include "core/iceberg/statistics.h"

enum { BATCH_ROWS = 16384, CACHED_POSITIONS = 16 << 20 };

static struct field delete_fields[] = {
    {.id = ICEBERG_DELETE_PATH_ID,
     .required = true,
     .name = "file_path",
     .type = {.kind = TYPE_STRING}},
    {.id = ICEBERG_DELETE_POSITION_ID,
     .required = true,
     .name = "pos",
     .type = {.kind = TYPE_LONG}},
};
static const struct schema delete_schema = {.fields = delete_fields, .field_count = 2};

void iceberg_positions_destroy(struct iceberg_positions *positions)
{
    free(positions->rows);
    *positions = (struct iceberg_positions){0};
}

static int compare_rows(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

bool iceberg_positions_settle(struct iceberg_positions *positions, const struct iceberg_file *data,
                              struct error *error)
{
    bool sorted = true;
    for (size_t i = 1; i < positions->count && sorted; i++)
        sorted = positions->rows[i - 1] < positions->rows[i];
    if (!sorted) {
        qsort(positions->rows, positions->count, sizeof *positions->rows, compare_rows);
        size_t kept = 1;
        for (size_t i = 1; i < positions->count; i++) {
            if (positions->rows[i] != positions->rows[kept - 1])
                positions->rows[kept++] = positions->rows[i];
        }
        positions->count = kept;
    }
    if (positions->count &&
        (positions->rows[0] < 0 || positions->rows[positions->count - 1] >= data->record_count))
        return error_set(error, ERROR_INPUT,
                         "the delete files belong to another version of it: "
                         "restore them, or roll the table back",
                         "%s: deletes name row %lld, the file has %lld rows", data->path,
                         (long long)(positions->rows[0] < 0
                                         ? positions->rows[0]
                                         : positions->rows[positions->count - 1]),
                         (long long)data->record_count);
    return true;
}

static bool add_row(struct iceberg_positions *positions, int64_t row, struct error *error)
{
    TRY(memory_grow(&positions->rows, &positions->capacity, positions->count + 1,
                    sizeof *positions->rows, error));
    positions->rows[positions->count++] = row;
    return true;
}

static bool add_vector(const struct iceberg_table *table, const struct iceberg_file *deletes,
                       const struct iceberg_file *data, struct iceberg_positions *positions,
                       struct error *error)
{
    struct source source = {0};
    struct buffer blob = {0};
    if (deletes->content_offset < 0 || deletes->content_size < 0 ||
        deletes->content_size > deletes->size)
        return error_set(error, ERROR_INPUT, "roll the table back",
                         "%s: its manifest does not say where the deletion vector is",
                         deletes->path);
    TRY(iceberg_table_source(table, deletes->path, &source, error));
    size_t length = (size_t)deletes->content_size;
    size_t before = positions->count;
    bool ok = buffer_reserve(&blob, length, error) &&
              source_read(&source, (uint64_t)deletes->content_offset, blob.data, length, error) &&
              scan_read_vector(slice_make(blob.data, length), deletes->path,
                               (size_t)data->record_count, positions, error);
    if (ok && (int64_t)(positions->count - before) != deletes->record_count)
        ok = error_set(error, ERROR_INPUT, "restore the file, or roll the table back",
                       "%s: the deletion vector names %zu rows, its manifest says %lld",
                       deletes->path, positions->count - before, (long long)deletes->record_count);
    buffer_destroy(&blob);
    store_source_close(&source);
    return ok;
}

/* Calls `take` for every batch of (file_path, pos). */
static bool walk_deletes(const struct iceberg_table *table, const struct iceberg_file *deletes,
                         bool (*take)(void *context, const struct batch *batch,
                                      struct error *error),
                         void *context, struct error *error)
{
    struct source source = {0};
    struct parquet_reader *reader = NULL;
    TRY(scan_open_parquet(table, deletes, &source, &reader, error));
    struct batch batch = {0};
    bool ok = batch_init(&batch, &delete_schema, error);
    struct parquet_cursor *cursor =
        ok ? parquet_cursor_open(reader, &delete_schema, 0, -1, error) : NULL;
    ok = cursor != NULL;
    while (ok) {
        ok = parquet_cursor_next(cursor, &batch, BATCH_ROWS, error);
        if (!ok || batch.length == 0)
            break;
        ok = take(context, &batch, error);
    }
    if (!ok)
        error_prefix(error, "delete file %s", deletes->path);
    parquet_cursor_close(cursor);
    batch_destroy(&batch);
    parquet_reader_close(reader);
    store_source_close(&source);
    return ok;
}

static bool is_path(struct slice value, struct slice path)
{
    return value.data && path.data && slice_equal(value, path);
}

struct one_file {
    struct slice path;
    struct iceberg_positions *positions;
};

static bool take_for_one(void *context, const struct batch *batch, struct error *error)
{
    const struct one_file *one = context;
    for (size_t row = 0; row < batch->length; row++) {
        if (is_path(column_bytes(&batch->columns[0], row), one->path))
            TRY(add_row(one->positions, column_long(&batch->columns[1], row), error));
    }
    return true;
}

bool iceberg_positions_add(const struct iceberg_table *table, const struct iceberg_file *deletes,
                           const struct iceberg_file *data, struct iceberg_positions *positions,
                           struct error *error)
{
    TRY(scan_check_format(deletes, error));
    if (strcmp(deletes->format, "PUFFIN") == 0)
        return add_vector(table, deletes, data, positions, error);
    struct one_file one = {slice_of(data->path), positions};
    return walk_deletes(table, deletes, take_for_one, &one, error);
}

/* ---- delete files about several data files ---- */

/* Rows in the order of the file; runs of one path (the file is sorted by path, but need not be
 * trusted to be). */
struct position_run {
    struct slice path;
    size_t first, count;
};

struct position_file {
    struct iceberg_positions rows;
    struct position_run *runs;
    size_t run_count, run_capacity;
    struct arena arena;
};

static void position_file_destroy(struct position_file *file)
{
    if (file == NULL)
        return;
    iceberg_positions_destroy(&file->rows);
    free(file->runs);
    arena_destroy(&file->arena);
    free(file);
}

void position_cache_destroy(struct position_cache *cache)
{
    for (size_t i = 0; i < cache->files.count; i++)
        position_file_destroy(cache->files.entries[i].value);
    map_destroy(&cache->files);
    *cache = (struct position_cache){0};
}

static bool take_runs(void *context, const struct batch *batch, struct error *error)
{
    struct position_file *file = context;
    for (size_t row = 0; row < batch->length; row++) {
        struct slice path = column_bytes(&batch->columns[0], row);
        struct position_run *run = file->run_count ? &file->runs[file->run_count - 1] : NULL;
        if (run == NULL || !is_path(run->path, path)) {
            TRY(memory_grow(&file->runs, &file->run_capacity, file->run_count + 1,
                            sizeof *file->runs, error));
            const char *copy = arena_copy_slice(&file->arena, path, error);
            TRY(copy != NULL);
            run = &file->runs[file->run_count++];
            *run = (struct position_run){slice_make(copy, path.length), file->rows.count, 0};
        }
        TRY(add_row(&file->rows, column_long(&batch->columns[1], row), error));
        run->count++;
    }
    return true;
}

bool position_cache_add(struct position_cache *cache, const struct iceberg_table *table,
                        const struct iceberg_file *deletes, const struct iceberg_file *data,
                        struct iceberg_positions *positions, struct error *error)
{
    struct position_file *file = map_get_text(&cache->files, deletes->path);
    if (cache->limit == 0)
        cache->limit = CACHED_POSITIONS;
    bool wide = iceberg_file_scope(deletes).data == NULL;
    if (file == NULL && (!wide || cache->held + (size_t)deletes->record_count > cache->limit ||
                         strcmp(deletes->format, "PUFFIN") == 0))
        return iceberg_positions_add(table, deletes, data, positions, error);
    if (file == NULL) {
        TRY(scan_check_format(deletes, error));
        file = memory_zero(1, sizeof *file, error);
        if (file == NULL || !walk_deletes(table, deletes, take_runs, file, error) ||
            !map_put(&cache->files, slice_of(deletes->path), file, error)) {
            position_file_destroy(file);
            return false;
        }
        cache->held += file->rows.count;
    }
    struct slice path = slice_of(data->path);
    for (size_t i = 0; i < file->run_count; i++) {
        const struct position_run *run = &file->runs[i];
        for (size_t k = 0; is_path(run->path, path) && k < run->count; k++)
            TRY(add_row(positions, file->rows.rows[run->first + k], error));
    }
    return true;
}

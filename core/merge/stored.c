/* Rows as the table has them now, for values that an event did not carry and for comparisons. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/merge/target.h"

bool stored_rows_init(struct stored_rows *stored, struct target *target, struct error *error)
{
    *stored = (struct stored_rows){.reader_count = target->file_count};
    stored->readers = memory_zero(target->file_count, sizeof *stored->readers, error);
    return stored->readers && batch_init(&stored->batch, &target->write_schema, error);
}

void stored_rows_destroy(struct stored_rows *stored)
{
    for (size_t i = 0; i < stored->reader_count && stored->readers; i++) {
        if (stored->readers[i])
            iceberg_file_close(stored->readers[i]);
    }
    free(stored->readers);
    free(stored->places);
    batch_destroy(&stored->batch);
    *stored = (struct stored_rows){0};
}

struct wanted_row {
    uint32_t file, row, entry;
};

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted_row *left = a, *right = b;
    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

static bool fetch_file(struct stored_rows *stored, struct target *target,
                       const struct wanted_row *wanted, size_t count, struct error *error)
{
    uint32_t file = wanted[0].file;
    const struct iceberg_file *data = target->files[file].task->data;
    if (stored->readers[file] == NULL) {
        stored->readers[file] =
            iceberg_file_open(&target->table, data, &target->write_schema, error);
        TRY(stored->readers[file] != NULL);
    }
    int64_t *rows = memory_zero(count, sizeof *rows, error);
    TRY(rows != NULL);
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++)
        rows[distinct++] = wanted[i].row;
    bool ok = iceberg_file_rows(stored->readers[file], rows, distinct, &stored->batch, error);
    free(rows);
    return ok || error_prefix(error, "%s", data->path);
}

static int compare_places(const void *a, const void *b)
{
    const struct stored_place *left = a, *right = b;
    return (left->entry > right->entry) - (left->entry < right->entry);
}

bool stored_rows_fetch(struct stored_rows *stored, struct target *target, const uint32_t *entries,
                       size_t count, struct error *error)
{
    batch_clear(&stored->batch);
    stored->count = 0;
    struct wanted_row *wanted = memory_zero(count, sizeof *wanted, error);
    TRY(wanted != NULL);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct key_entry *entry = &target->conflate.keys.entries[entries[i]];
        if (entry->flags & KEY_EXISTED)
            wanted[used++] = (struct wanted_row){entry->file, entry->row, entries[i]};
    }
    if (used)
        qsort(wanted, used, sizeof *wanted, compare_wanted);
    size_t distinct = 0;
    for (size_t i = 0; i < used; i++) {
        if (distinct == 0 || wanted[i].entry != wanted[distinct - 1].entry)
            wanted[distinct++] = wanted[i];
    }
    bool ok = memory_grow(&stored->places, &stored->capacity, distinct + 1, sizeof *stored->places,
                          error);
    for (size_t from = 0, end; ok && from < distinct; from = end) {
        for (end = from; end < distinct && wanted[end].file == wanted[from].file; end++) {
            uint32_t row = (uint32_t)stored->count;
            stored->places[stored->count++] = (struct stored_place){wanted[end].entry, row};
        }
        ok = fetch_file(stored, target, wanted + from, end - from, error);
    }
    free(wanted);
    if (ok && stored->count)
        qsort(stored->places, stored->count, sizeof *stored->places, compare_places);
    return ok;
}

size_t stored_rows_find(const struct stored_rows *stored, uint32_t entry)
{
    struct stored_place wanted = {.entry = entry};
    const struct stored_place *place =
        stored->count
            ? bsearch(&wanted, stored->places, stored->count, sizeof wanted, compare_places)
            : NULL;
    return place ? place->row : SIZE_MAX;
}

/* Which data file and row holds each key of the batch now. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/merge/sort.h"
#include "core/merge/target.h"

enum { WALK_ROWS = 16384 };

/* -- rows that are deleted already ------------------------------------------------------------- */

static bool memory_applied(const struct file_memory *memory, const char *path)
{
    for (size_t i = 0; i < memory->applied_count; i++) {
        if (strcmp(memory->applied[i], path) == 0)
            return true;
    }
    return false;
}

/* A bit for each: no need to sort them first. */
static bool apply_positions(struct file_memory *memory, const struct iceberg_positions *positions,
                            struct error *error)
{
    for (size_t i = 0; i < positions->count; i++) {
        uint64_t row = (uint64_t)positions->rows[i];
        if (row >= (uint64_t)memory->rows)
            return error_set(error, ERROR_INPUT, "the delete file is damaged: restore the table",
                             "a delete names row %" PRIu64 " of %s, which has %" PRId64, row,
                             memory->path, memory->rows);
        uint64_t bit = UINT64_C(1) << row % 64;
        memory->deleted_count += (memory->deleted[row / 64] & bit) == 0;
        memory->deleted[row / 64] |= bit;
    }
    return true;
}

bool data_file_deleted(struct target *target, struct data_file *file, struct error *error)
{
    struct file_memory *memory = file->memory;
    const struct iceberg_scan_task *task = file->task;
    struct iceberg_positions positions = {0};
    size_t fresh = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < task->delete_count; i++) {
        if (memory_applied(memory, task->deletes[i]->path))
            continue;
        fresh++;
        ok = iceberg_positions_add(&target->table, task->deletes[i], task->data, &positions,
                                   error) &&
             state_name_add(&memory->applied, &memory->applied_count, &memory->applied_capacity,
                            task->deletes[i]->path, error);
    }
    if (ok && fresh && memory->deleted == NULL) {
        memory->deleted =
            memory_zero((size_t)memory->rows / 64 + 1, sizeof *memory->deleted, error);
        ok = memory->deleted != NULL;
    }
    if (ok && fresh)
        ok = apply_positions(memory, &positions, error);
    iceberg_positions_destroy(&positions);
    return ok;
}

/* -- the index of one data file ---------------------------------------------------------------- */

bool data_file_walk_keys(struct target *target, const struct data_file *file,
                         bool (*each)(void *context, const struct change_key *key, int64_t row,
                                      struct error *error),
                         void *context, struct error *error)
{
    const struct column *columns[64];
    size_t count = target->key_schema.field_count;
    if (count > sizeof columns / sizeof *columns)
        return error_set(error, ERROR_UNSUPPORTED, NULL, "a key of %zu columns", count);
    struct batch batch;
    TRY(batch_init(&batch, &target->key_schema, error));
    struct iceberg_file_reader *reader =
        iceberg_file_open(&target->table, file->task->data, &target->key_schema, error);
    bool ok = reader != NULL;
    for (size_t i = 0; i < count; i++)
        columns[i] = &batch.columns[i];
    int64_t first = 0;
    while (ok) {
        ok = iceberg_file_next(reader, &batch, WALK_ROWS, &first, error);
        if (!ok || batch.length == 0)
            break;
        for (size_t row = 0; ok && row < batch.length; row++) {
            struct change_key key;
            ok = change_key_of_columns(target->keys, columns, row, &key, error) &&
                 each(context, &key, first + (int64_t)row, error);
        }
    }
    if (reader)
        iceberg_file_close(reader);
    batch_destroy(&batch);
    return ok || error_prefix(error, "%s", file->task->data->path);
}

struct build_context {
    struct key_index_entry *entries;
    size_t count, capacity;
    uint64_t seed;
};

static bool build_each(void *context, const struct change_key *key, int64_t row,
                       struct error *error)
{
    struct build_context *build = context;
    if (build->count == build->capacity)
        TRY(memory_grow(&build->entries, &build->capacity, build->count + 1, sizeof *build->entries,
                        error));
    struct key_index_entry *entry = &build->entries[build->count++];
    if (key->is_integer) {
        *entry = (struct key_index_entry){sort_bias(key->integer), 0, (uint32_t)row};
    } else {
        struct key_hash hash = key_hash_bytes(key->bytes, build->seed);
        *entry = (struct key_index_entry){hash.low, (uint32_t)hash.high, (uint32_t)row};
    }
    return true;
}

static struct key_index_binding binding_of(const struct target *target,
                                           const struct data_file *file)
{
    const struct iceberg_file *data = file->task->data;
    return (struct key_index_binding){
        .table_uuid = target->table.uuid,
        .path = data->path,
        .length = data->size,
        .sequence = data->sequence_number,
        .rows = data->record_count,
        .integer = target->conflate.keys.integer,
    };
}

/* By scanning the file's key columns; saved for the next time where that works. */
static bool rebuild_index(struct target *target, struct data_file *file, struct error *error)
{
    struct key_index_binding binding = binding_of(target, file);
    struct build_context build = {.seed = target->folder->seed};
    struct buffer bytes = {0};
    bool ok = data_file_walk_keys(target, file, build_each, &build, error) &&
              key_index_build(build.entries, build.count, &binding, build.seed, &bytes, error);
    if (ok)
        key_index_save(target->folder, &binding, buffer_slice(&bytes), NULL);
    if (ok) {
        file->memory->index = key_index_take(&bytes, &binding, build.seed, error);
        ok = file->memory->index != NULL;
    }
    buffer_destroy(&bytes);
    free(build.entries);
    return ok;
}

static bool search_index(struct target *target, struct data_file *file,
                         const struct key_probe *probes, size_t count, struct key_hits *hits,
                         struct error *error)
{
    struct key_index_binding binding = binding_of(target, file);
    struct file_memory *memory = file->memory;
    if (memory->index == NULL)
        TRY(key_index_open(target->folder, &binding, &memory->index, error));
    if (memory->index) {
        struct error damage = {0};
        if (key_index_search(memory->index, probes, count, hits, &damage))
            return true;
        if (damage.kind != ERROR_INPUT) {
            *error = damage;
            return false;
        }
        key_index_close(memory->index);
        memory->index = NULL;
        key_index_drop(target->folder, &binding);
        hits->count = 0;
    }
    TRY(rebuild_index(target, file, error));
    return key_index_search(memory->index, probes, count, hits, error);
}

/* Without an index: every row's key is looked up in the batch. */
struct cold_context {
    const struct key_table *keys;
    struct key_hits *hits;
};

static bool cold_each(void *context, const struct change_key *key, int64_t row, struct error *error)
{
    struct cold_context *cold = context;
    const struct key_entry *entry = key_table_find(cold->keys, key);
    if (entry == NULL)
        return true;
    struct key_hits *hits = cold->hits;
    TRY(memory_grow(&hits->items, &hits->capacity, hits->count + 1, sizeof *hits->items, error));
    hits->items[hits->count++] =
        (struct key_hit){(uint32_t)(entry - cold->keys->entries), (uint32_t)row};
    return true;
}

/* -- pruning ----------------------------------------------------------------------------------- */

static bool bound_number(struct iceberg_value bound, int64_t *out)
{
    if (!bound.present || (bound.bytes.length != 4 && bound.bytes.length != 8))
        return false;
    if (bound.bytes.length == 4) {
        int32_t narrow;
        memcpy(&narrow, bound.bytes.data, sizeof narrow);
        *out = narrow;
    } else {
        memcpy(out, bound.bytes.data, sizeof *out);
    }
    return true;
}

static size_t first_not_below(const struct key_probe *probes, size_t count, uint64_t key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (probes[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The probes that may be in the file, by the bounds of its key column. */
static void prune(const struct target *target, const struct data_file *file,
                  const struct key_probe **probes, size_t *count)
{
    if (!target->conflate.keys.integer)
        return;
    const struct iceberg_metric *metric =
        iceberg_file_metric(file->task->data, target->key_schema.fields[0].id);
    int64_t lower, upper;
    if (metric == NULL)
        return;
    if (bound_number(metric->upper, &upper)) {
        while (*count && (*probes)[*count - 1].key > sort_bias(upper))
            *count = upper == INT64_MAX ? *count
                                        : first_not_below(*probes, *count, sort_bias(upper) + 1);
    }
    if (bound_number(metric->lower, &lower)) {
        size_t skip = first_not_below(*probes, *count, sort_bias(lower));
        *probes += skip;
        *count -= skip;
    }
}

/* -- all files --------------------------------------------------------------------------------- */

static bool make_probes(struct target *target, struct key_probe **out, struct error *error)
{
    const struct key_table *keys = &target->conflate.keys;
    TRY(key_table_sort(keys, true, &target->order, error));
    struct key_probe *probes = memory_zero(keys->count, sizeof *probes, error);
    TRY(probes != NULL);
    for (size_t i = 0; i < keys->count; i++) {
        const struct key_entry *entry = &keys->entries[target->order.at[i]];
        probes[i] =
            (struct key_probe){entry_index_key(&target->conflate, entry),
                               keys->integer ? 0 : (uint32_t)entry->hash_high, target->order.at[i]};
    }
    *out = probes;
    return true;
}

/* Hits in rows that are deleted are none; the others say where their keys are. */
static bool keep_live_hits(struct target *target, struct data_file *file, struct key_hits *hits,
                           struct error *error)
{
    if (hits->count == 0)
        return true;
    TRY(data_file_deleted(target, file, error));
    file->hits = arena_zero(&target->arena, hits->count, sizeof *file->hits, error);
    TRY(file->hits != NULL);
    for (size_t i = 0; i < hits->count; i++) {
        struct key_hit hit = hits->items[i];
        if (data_file_is_deleted(file, hit.row))
            continue;
        file->hits[file->hit_count++] = hit;
        struct key_entry *entry = &target->conflate.keys.entries[hit.tag];
        entry->flags |= KEY_EXISTED;
        entry->file = (uint32_t)(file - target->files);
        entry->row = hit.row;
    }
    return true;
}

static bool resolve_file(struct target *target, struct data_file *file,
                         const struct key_probe *probes, size_t count, struct key_hits *hits,
                         struct error *error)
{
    hits->count = 0;
    prune(target, file, &probes, &count);
    if (count == 0)
        return true;
    if (target->options->cold) {
        struct cold_context cold = {&target->conflate.keys, hits};
        TRY(data_file_walk_keys(target, file, cold_each, &cold, error));
    } else {
        TRY(search_index(target, file, probes, count, hits, error));
    }
    return keep_live_hits(target, file, hits, error);
}

bool target_resolve(struct target *target, struct error *error)
{
    struct key_table *keys = &target->conflate.keys;
    for (size_t i = 0; i < keys->count; i++) {
        keys->entries[i].flags &= (uint16_t) ~(KEY_EXISTED | KEY_KEPT);
        keys->entries[i].file = KEY_NONE;
    }
    if (target->file_count == 0 || keys->count == 0)
        return true;
    TRY(FAULT("merge.resolve.before-search", error));
    struct key_probe *probes = NULL;
    TRY(make_probes(target, &probes, error));
    struct key_hits hits = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < target->file_count; i++)
        ok = resolve_file(target, &target->files[i], probes, keys->count, &hits, error);
    free(hits.items);
    free(probes);
    return ok;
}

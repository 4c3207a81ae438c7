#include "core/merge/target.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/map.h"
#include "core/base/memory.h"

bool target_error(const struct target *target, struct error *error)
{
    return error_prefix(error, "%s", target->in->name);
}

bool target_event_error(struct target *target, const struct key_entry *entry, struct error *error)
{
    target->bad = (struct bad_row){true, (int32_t)entry->partition, entry->offset};
    return error_prefix(error, "%s partition %" PRIu32 " offset %" PRId64, target->topic,
                        entry->partition, entry->offset);
}

/* -- set-up ------------------------------------------------------------------------------------ */

static bool make_readers(struct target *target, struct error *error)
{
    struct change_row_options options = {.refuse_unknown =
                                             target->options->on_unknown == MERGE_UNKNOWN_STOP,
                                         .refuse_bent = target->options->refuse_bent};
    const struct change_table *table = target->in->table;
    target->keys = change_row_reader_create(table, &options, error);
    TRY(target->keys != NULL);
    target->rows = change_row_reader_create(table, &options, error);
    TRY(target->rows != NULL);
    target->compare = change_row_reader_create(table, NULL, error);
    return target->compare != NULL;
}

static char *last_part(const char *uri, struct error *error)
{
    size_t end = strlen(uri);
    while (end > 0 && uri[end - 1] == '/')
        end--;
    size_t from = end;
    while (from > 0 && uri[from - 1] != '/' && uri[from - 1] != ':')
        from--;
    return memory_copy_slice(slice_make(uri + from, end - from), error);
}

bool target_init(struct target *target, const struct merge_table *in,
                 const struct merge_options *options, const struct key_index_folder *folder,
                 struct error *error)
{
    *target =
        (struct target){.in = in, .options = options, .folder = folder, .memory_snapshot = -2};
    TRY(change_table_require_key(in->table, error) || error_prefix(error, "%s", in->name));
    target->topic = last_part(in->deltas, error);
    target->store = store_open(in->deltas, NULL, error);
    return target->topic && target->store && make_readers(target, error) &&
           conflate_init(&target->conflate, in->table, target->topic, target->keys, folder->seed,
                         error);
}

static void memory_free(struct file_memory *memory)
{
    key_index_close(memory->index);
    for (size_t i = 0; i < memory->applied_count; i++)
        free(memory->applied[i]);
    free(memory->applied);
    free(memory->deleted);
    free(memory->path);
    free(memory);
}

void target_destroy(struct target *target)
{
    target_end(target);
    conflate_destroy(&target->conflate);
    change_row_reader_destroy(target->keys);
    change_row_reader_destroy(target->rows);
    change_row_reader_destroy(target->compare);
    store_close(target->store);
    free(target->topic);
    for (size_t i = 0; i < target->memory_count; i++)
        memory_free(target->memory[i]);
    free(target->memory);
    free(target->indexes);
    key_order_destroy(&target->order);
    arena_destroy(&target->arena);
    *target = (struct target){0};
}

void target_end(struct target *target)
{
    for (size_t i = 0; i < target->file_count; i++)
        free(target->files[i].gone);
    for (size_t i = 0; i < target->index_count; i++)
        buffer_destroy(&target->indexes[i].file);
    target->files = NULL;
    target->file_count = target->index_count = 0;
    if (target->commit)
        iceberg_commit_destroy(target->commit);
    target->commit = NULL;
    schema_destroy(&target->write_schema);
    schema_destroy(&target->key_schema);
    iceberg_plan_destroy(&target->plan);
    target->plan = (struct iceberg_plan){0};
    table_state_destroy(&target->before);
    iceberg_table_destroy(&target->table);
    target->table = (struct iceberg_table){0};
    target->loaded = target->schema_changed = false;
    target->inserted = target->updated = target->deleted = target->unchanged = 0;
    target->rows_written = target->files_added = target->files_removed = 0;
    target->bytes_written = 0;
    target->bad.set = false;
    arena_reset(&target->arena);
}

/* -- what stays true from one batch to the next ------------------------------------------------ */

static void forget_deletes(struct target *target)
{
    for (size_t i = 0; i < target->memory_count; i++) {
        struct file_memory *memory = target->memory[i];
        for (size_t k = 0; k < memory->applied_count; k++)
            free(memory->applied[k]);
        memory->applied_count = 0;
        free(memory->deleted);
        memory->deleted = NULL;
        memory->deleted_count = 0;
    }
}

static struct file_memory *memory_add(struct target *target, const struct iceberg_file *file,
                                      struct error *error)
{
    if (!memory_grow(&target->memory, &target->memory_capacity, target->memory_count + 1,
                     sizeof *target->memory, error))
        return NULL;
    struct file_memory *memory = memory_zero(1, sizeof *memory, error);
    if (memory == NULL)
        return NULL;
    memory->path = memory_copy_text(file->path, error);
    memory->rows = file->record_count;
    if (memory->path == NULL) {
        free(memory);
        return NULL;
    }
    target->memory[target->memory_count++] = memory;
    return memory;
}

static void drop_dead_memory(struct target *target)
{
    size_t kept = 0;
    for (size_t i = 0; i < target->memory_count; i++) {
        if (target->memory[i]->live)
            target->memory[kept++] = target->memory[i];
        else
            memory_free(target->memory[i]);
    }
    target->memory_count = kept;
}

static bool attach_files(struct target *target, struct error *error)
{
    if (target->memory_snapshot != target->table.snapshot_id)
        forget_deletes(target);
    target->memory_snapshot = target->table.snapshot_id;
    struct map known = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < target->memory_count; i++) {
        target->memory[i]->live = false;
        ok = map_put(&known, slice_of(target->memory[i]->path), target->memory[i], error);
    }
    target->file_count = 0;
    target->files =
        arena_zero(&target->arena, target->plan.task_count, sizeof *target->files, error);
    ok = ok && target->files;
    for (size_t i = 0; ok && i < target->plan.task_count; i++) {
        struct data_file *file = &target->files[target->file_count];
        file->task = &target->plan.tasks[i];
        file->memory = map_get_text(&known, file->task->data->path);
        if (file->memory == NULL)
            file->memory = memory_add(target, file->task->data, error);
        ok = file->memory != NULL;
        if (!ok)
            break;
        file->memory->live = true;
        target->file_count++;
    }
    map_destroy(&known);
    if (ok)
        drop_dead_memory(target);
    return ok;
}

/* -- loading ----------------------------------------------------------------------------------- */

bool target_create(struct target *target, struct catalog *catalog, struct error *error)
{
    struct table_state empty = {0};
    struct schema schema = {0};
    struct error own = {0};
    char *state = table_state_print(&empty, target->topic, "-1", &own);
    const struct iceberg_property properties[] = {
        {STATE_PROPERTY, state},
        {"write.delete.mode", "merge-on-read"},
        {"write.update.mode", "merge-on-read"},
        {"write.merge.mode", "merge-on-read"},
        {"write.parquet.compression-codec", "zstd"},
    };
    bool ok = state && change_table_lake_schema(target->in->table, &schema, &own) &&
              catalog_create(catalog, target->in->ident, &schema, properties,
                             sizeof properties / sizeof *properties, target->in->location,
                             &target->table, &own);
    schema_destroy(&schema);
    free(state);
    target->loaded = ok;
    if (own.kind == ERROR_EXISTS) /* another merge was faster: begin again with what it did */
        own.kind = ERROR_CONFLICT;
    ok = ok && FAULT("merge.table.after-create", &own);
    if (!ok && error)
        *error = own;
    return ok;
}

static bool refuse_foreign_deletes(const struct target *target, struct error *error)
{
    for (size_t i = 0; i < target->plan.files.count; i++) {
        const struct iceberg_file *file = &target->plan.files.items[i];
        if (file->content == ICEBERG_EQUALITY_DELETES)
            return error_set(error, ERROR_UNSUPPORTED,
                             "have their writer compact them away (rewrite the data files), then "
                             "merge again",
                             "the table holds equality deletes of another writer: %s", file->path);
    }
    return true;
}

bool target_load(struct target *target, struct catalog *catalog, struct error *error)
{
    struct error own = {0};
    bool ok = catalog_load(catalog, target->in->ident, &target->table, &own);
    if (!ok && own.kind == ERROR_NOT_FOUND)
        return true; /* target_create(), once its input was read */
    target->loaded = ok;
    ok = ok && table_state_load(&target->table, target->topic, &target->before, &own) &&
         iceberg_plan_make(&target->table, -1, NULL, &target->plan, &own) &&
         refuse_foreign_deletes(target, &own) && attach_files(target, &own);
    if (!ok && error)
        *error = own;
    return ok;
}

/* -- after the commit -------------------------------------------------------------------------- */

static void save_indexes(struct target *target)
{
    int64_t sequence = iceberg_commit_base(target->commit)->last_sequence_number + 1;
    for (size_t i = 0; i < target->index_count; i++) {
        struct new_index *index = &target->indexes[i];
        struct key_index_binding binding = {
            .table_uuid = target->table.uuid,
            .path = index->path,
            .length = index->length,
            .sequence = index->sequence ? index->sequence : sequence,
            .rows = index->rows,
            .integer = target->conflate.keys.integer,
        };
        struct error ignored = {0}; /* the index is rebuilt when it is missing */
        if (key_index_rebind(&index->file, &binding) && FAULT("merge.index.before-save", &ignored))
            key_index_save(target->folder, &binding, buffer_slice(&index->file), &ignored);
    }
}

static void remember_deletes(struct target *target)
{
    for (size_t i = 0; i < target->file_count; i++) {
        struct data_file *file = &target->files[i];
        struct file_memory *memory = file->memory;
        if (file->dropped || file->gone_count == 0)
            continue;
        bool ok = true;
        if (memory->deleted == NULL) {
            memory->deleted =
                memory_zero((size_t)memory->rows / 64 + 1, sizeof *memory->deleted, NULL);
            ok = memory->deleted != NULL;
        }
        ok = ok && state_name_add(&memory->applied, &memory->applied_count,
                                  &memory->applied_capacity, file->new_delete, NULL);
        if (!ok) { /* read them again next time */
            target->memory_snapshot = -2;
            return;
        }
        for (size_t k = 0; k < file->gone_count; k++)
            memory->deleted[file->gone[k] / 64] |= UINT64_C(1) << file->gone[k] % 64;
        memory->deleted_count += (int64_t)file->gone_count;
    }
}

void target_remember(struct target *target)
{
    save_indexes(target);
    int64_t snapshot = iceberg_commit_snapshot_id(target->commit);
    bool alone = iceberg_commit_base(target->commit) == &target->table;
    target->memory_snapshot = !alone ? -2 : snapshot >= 0 ? snapshot : target->table.snapshot_id;
    remember_deletes(target);
    for (size_t i = 0; i < target->file_count; i++) {
        if (!target->files[i].dropped)
            continue;
        const struct iceberg_file *data = target->files[i].task->data;
        struct key_index_binding binding = {.table_uuid = target->table.uuid, .path = data->path};
        key_index_drop(target->folder, &binding);
    }
    for (size_t i = 0; i < target->before.reload_count; i++) {
        const char *name = target->before.reload_files[i];
        bool still = false;
        for (size_t k = 0; k < target->conflate.state.reload_count; k++)
            still |= strcmp(target->conflate.state.reload_files[k], name) == 0;
        if (!still) /* maintenance finds what can't be deleted now */
            store_delete(target->table.store, name, NULL);
    }
}

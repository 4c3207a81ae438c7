/* Reloads (design.md section 5, "a second snapshot"): when the last row of a snapshot was read,
 * keys that it did not hold are deleted. A reload of several batches leaves the keys that each has
 * seen in <table>/reload/, in the form of a key index, named by the state until it ends. */
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/merge/sort.h"
#include "core/merge/target.h"

static uint64_t reload_seed(const struct target *target)
{
    return hash_bytes(target->table.uuid, strlen(target->table.uuid), 0);
}

static struct key_index_binding reload_binding(const struct target *target, const char *name)
{
    return (struct key_index_binding){
        .table_uuid = target->table.uuid, .path = name, .integer = target->conflate.keys.integer};
}

static struct key_index_entry seen_entry(const struct target *target, const struct change_key *key)
{
    if (key->is_integer)
        return (struct key_index_entry){.key = sort_bias(key->integer)};
    struct key_hash hash = key_hash_bytes(key->bytes, reload_seed(target));
    return (struct key_index_entry){.key = hash.low, .high = (uint32_t)hash.high};
}

bool target_reload_save(struct target *target, struct error *error)
{
    struct conflate *conflate = &target->conflate;
    if (!conflate->state.reloading || conflate->reload_ended)
        return true;
    struct key_index_entry *entries = memory_zero(conflate->keys.count, sizeof *entries, error);
    TRY(entries != NULL);
    size_t count = 0;
    for (size_t i = 0; i < conflate->keys.count; i++) {
        const struct key_entry *entry = &conflate->keys.entries[i];
        struct change_key key = {.is_integer = conflate->keys.integer,
                                 .integer = entry->integer,
                                 .bytes = slice_make(entry->bytes, entry->length)};
        if (entry_has_row(entry) && (entry->flags & KEY_SEEN))
            entries[count++] = seen_entry(target, &key);
    }
    char *name = memory_format(error, "reload/%s.keys", iceberg_commit_id(target->commit));
    struct key_index_binding binding = reload_binding(target, name ? name : "");
    struct buffer file = {0};
    bool ok =
        name && (count == 0 ||
                 (key_index_build(entries, count, &binding, reload_seed(target), &file, error) &&
                  store_put(target->table.store, name, buffer_slice(&file), error) &&
                  FAULT("merge.reload.after-keys", error) &&
                  state_name_add(&conflate->state.reload_files, &conflate->state.reload_count,
                                 &conflate->state.reload_capacity, name, error)));
    buffer_destroy(&file);
    free(name);
    free(entries);
    return ok;
}

struct unseen_context {
    struct target *target;
    struct data_file *file;
    struct key_index **seen; /* of earlier batches of this reload */
    size_t seen_count;
    struct key_hits hits;
};

static bool unseen_each(void *context, const struct change_key *key, int64_t row,
                        struct error *error)
{
    struct unseen_context *unseen = context;
    struct target *target = unseen->target;
    if (data_file_is_deleted(unseen->file, row))
        return true;
    const struct key_entry *entry = key_table_find(&target->conflate.keys, key);
    if (entry && (entry->flags & KEY_DECIDED))
        return true;
    struct key_index_entry wanted = seen_entry(target, key);
    struct key_probe probe = {.key = wanted.key, .high = wanted.high};
    unseen->hits.count = 0;
    for (size_t i = 0; i < unseen->seen_count && unseen->hits.count == 0; i++)
        TRY(key_index_search(unseen->seen[i], &probe, 1, &unseen->hits, error));
    if (unseen->hits.count)
        return true;
    target->deleted++;
    return data_file_gone(unseen->file, row, error);
}

static bool open_seen(struct unseen_context *unseen, struct error *error)
{
    struct target *target = unseen->target;
    const struct table_state *state = &target->conflate.state;
    unseen->seen = memory_zero(state->reload_count, sizeof *unseen->seen, error);
    TRY(unseen->seen != NULL);
    for (size_t i = 0; i < state->reload_count; i++) {
        const char *name = state->reload_files[i];
        struct key_index_binding binding = reload_binding(target, name);
        struct buffer file = {0};
        bool ok = store_read(target->table.store, name, &file, error);
        if (ok) {
            unseen->seen[i] = key_index_take(&file, &binding, reload_seed(target), error);
            ok = unseen->seen[i] != NULL;
        }
        buffer_destroy(&file);
        if (!ok) {
            error_remedy(error, "start the reload again (a new snapshot of the table)");
            return error_prefix(error, "the keys that a reload has seen so far");
        }
        unseen->seen_count++;
    }
    return true;
}

bool target_reload_unseen(struct target *target, struct error *error)
{
    struct unseen_context unseen = {.target = target};
    bool ok = open_seen(&unseen, error);
    for (size_t i = 0; ok && i < target->file_count; i++) {
        unseen.file = &target->files[i];
        ok = data_file_deleted(target, unseen.file, error) &&
             data_file_walk_keys(target, unseen.file, unseen_each, &unseen, error);
    }
    for (size_t i = 0; i < unseen.seen_count; i++)
        key_index_close(unseen.seen[i]);
    free(unseen.seen);
    free(unseen.hits.items);
    return ok;
}

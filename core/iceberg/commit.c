#include "core/iceberg/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/iceberg/commit_parts.h"

/* Files written longer ago are looked at before anything points to them: a sweep of orphans on
 * another host may have taken a slow commit for a dead one. */
enum { SLOW_COMMIT_MS = 10 * 60 * 1000 };

/* ---- life ---- */

static int64_t commit_snapshot_id(const uint8_t uuid[16], const struct iceberg_table *table)
{
    uint64_t high = 0, low = 0;
    struct iceberg_snapshot taken;
    for (size_t i = 0; i < 8; i++) {
        high = high << 8 | uuid[i];
        low = low << 8 | uuid[8 + i];
    }
    int64_t id = (int64_t)((high ^ low) & INT64_MAX);
    while (id == 0 || iceberg_snapshot_find(table, id, &taken))
        id = (id + 1) & INT64_MAX;
    return id;
}

static bool commit_check_version(const struct iceberg_table *table, struct error *error)
{
    if (table->format_version == 2)
        return true;
    return error_set(error, ERROR_UNSUPPORTED,
                     table->format_version == 1
                         ? "upgrade it first: in Trino ALTER TABLE … SET PROPERTIES "
                           "format_version = 2"
                         : "write it with Trino or Spark, or merge into a new table of version 2",
                     "%s: a table of format version %d can be read, not written", table->location,
                     table->format_version);
}

struct iceberg_commit *iceberg_commit_begin(const struct iceberg_table *table, struct error *error)
{
    uint8_t uuid[16];
    if (!commit_check_version(table, error) || !uuid_make(uuid, error))
        return NULL;
    struct iceberg_commit *commit = memory_zero(1, sizeof *commit, error);
    if (commit == NULL)
        return NULL;
    pthread_mutex_init(&commit->lock, NULL);
    uuid_format(uuid, commit->id);
    commit->base = table;
    commit->snapshot_id = commit_snapshot_id(uuid, table);
    commit->begun_ms = clock_now_ms();
    return commit;
}

void iceberg_commit_destroy(struct iceberg_commit *commit)
{
    if (commit == NULL)
        return;
    if (commit->base == &commit->newer)
        iceberg_table_destroy(&commit->newer);
    if (commit->has_schema)
        schema_destroy(&commit->schema);
    for (size_t i = 0; i < commit->replacement_count; i++)
        free(commit->replacements[i].sources);
    free(commit->replacements);
    free(commit->manifests);
    free(commit->added.items);
    free(commit->removed.items);
    free(commit->properties.items);
    free(commit->summary.items);
    free(commit->guards.items);
    free(commit->dropped);
    free(commit->keys);
    buffer_destroy(&commit->metadata);
    arena_destroy(&commit->arena);
    pthread_mutex_destroy(&commit->lock);
    free(commit);
}

void iceberg_commit_discard(struct iceberg_commit *commit)
{
    if (commit->outcome == ICEBERG_OUTCOME_WON || commit->outcome == ICEBERG_OUTCOME_UNKNOWN)
        return;
    for (size_t i = 0; i < commit->key_count; i++)
        store_delete(commit->base->store, commit->keys[i], NULL);
    commit->key_count = 0;
}

const char *iceberg_commit_id(const struct iceberg_commit *commit)
{
    return commit->id;
}

const struct iceberg_table *iceberg_commit_base(const struct iceberg_commit *commit)
{
    return commit->base;
}

void iceberg_commit_set_outcome(struct iceberg_commit *commit, enum iceberg_outcome outcome)
{
    commit->outcome = outcome;
}

enum iceberg_outcome iceberg_commit_outcome(const struct iceberg_commit *commit)
{
    return commit->outcome;
}

bool iceberg_commit_set_published(struct iceberg_commit *commit, const char *metadata_file,
                                  struct error *error)
{
    commit->published = arena_copy_text(&commit->arena, metadata_file, error);
    return commit->published != NULL;
}

const char *iceberg_commit_published(const struct iceberg_commit *commit)
{
    return commit->published;
}

bool commit_makes_snapshot(const struct iceberg_commit *commit)
{
    return commit->added.count || commit->removed.count || commit->force_snapshot ||
           commit->merge_manifests;
}

int64_t iceberg_commit_snapshot_id(const struct iceberg_commit *commit)
{
    return commit_makes_snapshot(commit) ? commit->snapshot_id : -1;
}

bool iceberg_commit_is_empty(const struct iceberg_commit *commit)
{
    return !commit_makes_snapshot(commit) && commit->properties.count == 0 && !commit->has_schema &&
           commit->dropped_count == 0;
}

/* ---- names ---- */

static const char *commit_register(struct iceberg_commit *commit, char *key, struct error *error)
{
    if (key == NULL || !memory_grow(&commit->keys, &commit->key_capacity, commit->key_count + 1,
                                    sizeof *commit->keys, error))
        return NULL;
    return commit->keys[commit->key_count++] = key;
}

const char *iceberg_commit_new_key(struct iceberg_commit *commit, const char *folder,
                                   const char *suffix, struct error *error)
{
    pthread_mutex_lock(&commit->lock);
    char *key = arena_format(&commit->arena, error, "%s/%s-surfboard-%05u.%s", folder, commit->id,
                             commit->next++, suffix);
    const char *kept = commit_register(commit, key, error);
    pthread_mutex_unlock(&commit->lock);
    return kept;
}

const char *commit_metadata_key(struct iceberg_commit *commit, struct error *error,
                                const char *format, ...)
{
    char name[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return commit_register(
        commit, arena_format(&commit->arena, error, "metadata/%s-surfboard-%s", commit->id, name),
        error);
}

const char *iceberg_commit_uri(struct iceberg_commit *commit, const char *key, struct error *error)
{
    pthread_mutex_lock(&commit->lock);
    const char *uri = iceberg_table_uri(commit->base, key, &commit->arena, error);
    pthread_mutex_unlock(&commit->lock);
    return uri;
}

void commit_delete_own(struct iceberg_commit *commit, const char *key)
{
    store_delete(commit->base->store, key, NULL);
    for (size_t i = 0; i < commit->key_count; i++) {
        if (strcmp(commit->keys[i], key) == 0)
            commit->keys[i] = commit->keys[--commit->key_count];
    }
}

const char *commit_key_of(struct iceberg_commit *commit, const char *path, struct error *error)
{
    struct buffer key = {0};
    struct store *store = NULL;
    const char *copy = NULL;
    if (iceberg_table_resolve(commit->base, path, &store, &key, error)) {
        if (store == commit->base->store)
            copy = arena_copy_text(&commit->arena, key.data, error);
        else
            error_set(error, ERROR_INTERNAL, NULL, "%s: not below the table %s", path,
                      commit->base->location);
    }
    buffer_destroy(&key);
    return copy;
}

/* ---- what changes ---- */

/* Files may come from one thread while others ask for keys: the arena is theirs too. */
static struct iceberg_file *commit_keep_file(struct iceberg_commit *commit,
                                             struct commit_files *files,
                                             const struct iceberg_file *file, struct error *error)
{
    pthread_mutex_lock(&commit->lock);
    struct iceberg_file *kept = NULL;
    if (memory_grow(&files->items, &files->capacity, files->count + 1, sizeof *files->items,
                    error) &&
        iceberg_file_copy(&files->items[files->count], file, &commit->arena, error))
        kept = &files->items[files->count++];
    pthread_mutex_unlock(&commit->lock);
    return kept;
}

bool iceberg_commit_add_file_at(struct iceberg_commit *commit, const struct iceberg_file *file,
                                int64_t sequence_number, struct error *error)
{
    const struct iceberg_spec *spec = iceberg_table_spec(commit->base, file->spec_id);
    if (commit->manifests_written)
        return error_set(error, ERROR_INTERNAL, NULL, "%s: added to a prepared commit", file->path);
    if (spec == NULL || spec->field_count != file->partition_count)
        return error_set(error, ERROR_INTERNAL, NULL,
                         "%s: its partition values do not fit partition spec %" PRId32, file->path,
                         file->spec_id);
    struct iceberg_file *kept = commit_keep_file(commit, &commit->added, file, error);
    TRY(kept != NULL);
    kept->status = ICEBERG_ADDED;
    kept->snapshot_id = commit->snapshot_id;
    kept->sequence_number = sequence_number;
    kept->file_sequence_number = -1;
    kept->manifest_path = NULL;
    return true;
}

bool iceberg_commit_add_file(struct iceberg_commit *commit, const struct iceberg_file *file,
                             struct error *error)
{
    return iceberg_commit_add_file_at(commit, file, -1, error);
}

bool iceberg_commit_remove_file(struct iceberg_commit *commit, const struct iceberg_file *file,
                                struct error *error)
{
    if (file->manifest_path == NULL)
        return error_set(error, ERROR_INTERNAL, NULL, "%s: not a file of a snapshot", file->path);
    for (size_t i = 0; i < commit->removed.count; i++) {
        if (strcmp(commit->removed.items[i].path, file->path) == 0)
            return true;
    }
    return commit_keep_file(commit, &commit->removed, file, error) != NULL;
}

static bool commit_put_pair(struct iceberg_commit *commit, struct commit_pairs *pairs,
                            const char *key, const char *value, struct error *error)
{
    const char *copy = value ? arena_copy_text(&commit->arena, value, error) : NULL;
    TRY(value == NULL || copy != NULL);
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->items[i].key, key) == 0) {
            pairs->items[i].value = copy;
            return true;
        }
    }
    TRY(memory_grow(&pairs->items, &pairs->capacity, pairs->count + 1, sizeof *pairs->items,
                    error));
    const char *name = arena_copy_text(&commit->arena, key, error);
    TRY(name != NULL);
    pairs->items[pairs->count++] = (struct commit_pair){name, copy};
    return true;
}

static bool commit_set_pair(struct iceberg_commit *commit, struct commit_pairs *pairs,
                            const char *key, const char *value, struct error *error)
{
    pthread_mutex_lock(&commit->lock);
    bool ok = commit_put_pair(commit, pairs, key, value, error);
    pthread_mutex_unlock(&commit->lock);
    return ok;
}

bool iceberg_commit_set_property(struct iceberg_commit *commit, const char *key, const char *value,
                                 struct error *error)
{
    return commit_set_pair(commit, &commit->properties, key, value, error);
}

bool iceberg_commit_set_summary(struct iceberg_commit *commit, const char *key, const char *value,
                                struct error *error)
{
    return commit_set_pair(commit, &commit->summary, key, value, error);
}

bool iceberg_commit_guard_property(struct iceberg_commit *commit, const char *key,
                                   struct error *error)
{
    return commit_set_pair(commit, &commit->guards, key, iceberg_table_property(commit->base, key),
                           error);
}

bool iceberg_commit_set_operation(struct iceberg_commit *commit, const char *operation,
                                  struct error *error)
{
    commit->operation = arena_copy_text(&commit->arena, operation, error);
    return commit->operation != NULL;
}

void iceberg_commit_force_snapshot(struct iceberg_commit *commit)
{
    commit->force_snapshot = true;
}

void iceberg_commit_merge_manifests(struct iceberg_commit *commit)
{
    commit->merge_manifests = true;
}

static bool commit_is_referenced(const struct iceberg_table *table, int64_t snapshot_id)
{
    const char *name;
    json_t *ref;
    json_object_foreach(json_object_get(table->metadata, "refs"), name, ref)
    {
        if (json_integer_value(json_object_get(ref, "snapshot-id")) == snapshot_id)
            return true;
    }
    return table->snapshot_id == snapshot_id;
}

bool iceberg_commit_drop_snapshot(struct iceberg_commit *commit, int64_t snapshot_id,
                                  struct error *error)
{
    if (commit_is_referenced(commit->base, snapshot_id))
        return error_set(error, ERROR_REFUSED, "drop the branch or tag first",
                         "snapshot %" PRId64 " is in use by a branch or tag", snapshot_id);
    TRY(memory_grow(&commit->dropped, &commit->dropped_capacity, commit->dropped_count + 1,
                    sizeof *commit->dropped, error));
    commit->dropped[commit->dropped_count++] = snapshot_id;
    return true;
}

/* ---- schema ---- */

/* Columns that partition or sort the table must stay. */
static bool commit_check_columns_in_use(const struct iceberg_table *table,
                                        const struct schema *schema, struct error *error)
{
    for (size_t i = 0; i < table->spec->field_count; i++) {
        const struct iceberg_partition_field *field = &table->spec->fields[i];
        if (field->transform != ICEBERG_VOID && !schema_find_id(schema, field->source_id))
            return error_set(error, ERROR_UNSUPPORTED, "change the partition spec first",
                             "the column of partition field %s can't be dropped", field->name);
    }
    const json_t *current = json_object_get(table->metadata, "default-sort-order-id");
    size_t o, f;
    json_t *order, *field;
    json_array_foreach(json_object_get(table->metadata, "sort-orders"), o, order)
    {
        if (!json_equal(json_object_get(order, "order-id"), (json_t *)(uintptr_t)current))
            continue;
        json_array_foreach(json_object_get(order, "fields"), f, field)
        {
            json_int_t id = json_integer_value(json_object_get(field, "source-id"));
            if (!schema_find_id(schema, (int32_t)id))
                return error_set(error, ERROR_UNSUPPORTED, "change the sort order first",
                                 "column %lld sorts the table and can't be dropped", (long long)id);
        }
    }
    return true;
}

const struct schema *iceberg_commit_set_schema(struct iceberg_commit *commit,
                                               const struct schema *schema, struct error *error)
{
    const struct iceberg_table *table = commit->base;
    int32_t last_id = table->last_column_id;
    struct schema copy;
    if (!schema_copy(&copy, schema, error))
        return NULL;
    if (copy.identifier_count == 0 && table->schema->identifier_count) {
        copy.identifier_count = table->schema->identifier_count;
        copy.identifier_ids =
            arena_zero(&copy.arena, copy.identifier_count, sizeof(int32_t), error);
        if (copy.identifier_ids)
            memcpy(copy.identifier_ids, table->schema->identifier_ids,
                   copy.identifier_count * sizeof(int32_t));
    }
    if ((copy.identifier_count && copy.identifier_ids == NULL) ||
        !iceberg_schema_check_evolution(table->schema, &copy, last_id, error) ||
        !commit_check_columns_in_use(table, &copy, error) ||
        !iceberg_schema_assign_ids(&copy, &last_id, error)) {
        schema_destroy(&copy);
        return NULL;
    }
    if (commit->has_schema)
        schema_destroy(&commit->schema);
    commit->schema = copy;
    commit->has_schema = true;
    return &commit->schema;
}

/* ---- publishing ---- */

/* See SLOW_COMMIT_MS. */
static bool commit_check_files_there(struct iceberg_commit *commit, struct error *error)
{
    if (clock_now_ms() - commit->begun_ms < SLOW_COMMIT_MS)
        return true;
    for (size_t i = 0; i < commit->added.count; i++) {
        const char *key = commit_key_of(commit, commit->added.items[i].path, error);
        bool exists = false;
        TRY(key != NULL);
        TRY(store_exists(commit->base->store, key, &exists, error));
        if (!exists)
            return error_set(error, ERROR_CONFLICT, "run the same command again",
                             "%s: a file of this slow commit was removed before it was published",
                             commit->added.items[i].path);
    }
    return true;
}

bool iceberg_commit_prepare(struct iceberg_commit *commit, struct error *error)
{
    TRY(FAULT("iceberg.commit.after-data", error));
    TRY(commit_check_files_there(commit, error));
    commit->attempt++;
    if (commit_makes_snapshot(commit))
        TRY(commit_write_manifests(commit, error));
    TRY(FAULT("iceberg.commit.after-manifests", error));
    return commit_make_metadata(commit, error);
}

struct slice iceberg_commit_metadata(const struct iceberg_commit *commit)
{
    return buffer_slice(&commit->metadata);
}

bool iceberg_commit_flush(struct iceberg_commit *commit, const char *extra, struct pool *pool,
                          struct error *error)
{
    size_t count = 0,
           most = commit->added.count + commit->manifest_count + commit->replacement_count + 2;
    const char **keys = memory_zero(most, sizeof *keys, error);
    TRY(keys != NULL);
    bool ok = FAULT("iceberg.commit.before-flush", error);
    for (size_t i = 0; ok && i < commit->added.count; i++)
        ok = (keys[count++] = commit_key_of(commit, commit->added.items[i].path, error)) != NULL;
    for (size_t i = 0; ok && i < commit->manifest_count; i++)
        ok = (keys[count++] = commit_key_of(commit, commit->manifests[i].path, error)) != NULL;
    for (size_t i = 0; ok && i < commit->replacement_count; i++)
        ok = (keys[count++] =
                  commit_key_of(commit, commit->replacements[i].manifest.path, error)) != NULL;
    if (commit->list_key)
        keys[count++] = commit->list_key;
    if (extra)
        keys[count++] = extra;
    ok = ok && (count == 0 || store_sync(commit->base->store, keys, count, pool, error)) &&
         FAULT("iceberg.commit.after-flush", error);
    free(keys);
    return ok;
}

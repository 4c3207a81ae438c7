/* commit_rebase.c: whether a commit still makes sense on newer metadata (reference: spec,
 * "Commit Conflict Resolution and Retry"). */
#include <inttypes.h>

#include "core/iceberg/commit_parts.h"

static const char again[] = "run the same command again: it starts from the new state";

static bool rebase_conflict(const struct iceberg_table *table, struct error *error,
                            const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool rebase_conflict(const struct iceberg_table *table, struct error *error,
                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_set_va(error, ERROR_CONFLICT, again, format, arguments);
    va_end(arguments);
    return error_prefix(error, "%s: somebody else committed, and", table->location);
}

static bool rebase_check_table(const struct iceberg_commit *commit,
                               const struct iceberg_table *newer, struct error *error)
{
    const struct iceberg_table *base = commit->base;
    if (strcmp(base->uuid, newer->uuid) != 0)
        return rebase_conflict(newer, error, "it is another table now (uuid %s, was %s)",
                               newer->uuid, base->uuid);
    if (newer->format_version != 2)
        return rebase_conflict(newer, error, "the table has format version %d now",
                               newer->format_version);
    if (base->snapshot_id != -1 &&
        !iceberg_snapshot_descends(newer, newer->snapshot_id, base->snapshot_id))
        return rebase_conflict(newer, error,
                               "its current snapshot does not descend from ours (rolled back?)");
    if (commit->has_schema &&
        (base->schema->id != newer->schema->id || base->last_column_id != newer->last_column_id))
        return rebase_conflict(newer, error, "the schema changed");
    for (size_t i = 0; i < commit->guards.count; i++) {
        const struct commit_pair *guard = &commit->guards.items[i];
        const char *now = iceberg_table_property(newer, guard->key);
        bool same = now && guard->value ? strcmp(now, guard->value) == 0 : now == guard->value;
        if (!same)
            return rebase_conflict(newer, error, "the table property %s changed", guard->key);
    }
    return true;
}

static bool rebase_is_pinned(const struct iceberg_commit *commit)
{
    for (size_t i = 0; i < commit->added.count; i++) {
        if (commit->added.items[i].content == ICEBERG_DATA &&
            commit->added.items[i].sequence_number < 0)
            return false;
    }
    return commit->added.count != 0;
}

/* New deletes that hit a data file whose rows we have written anew would be lost. */
static bool rebase_check_new_delete(const struct iceberg_commit *commit,
                                    const struct iceberg_table *newer,
                                    const struct iceberg_file *file, struct error *error)
{
    if (file->content == ICEBERG_DATA ||
        file->file_sequence_number <= commit->base->last_sequence_number)
        return true;
    if (file->content == ICEBERG_EQUALITY_DELETES && rebase_is_pinned(commit))
        return true; /* they go on applying to the pinned files */
    for (size_t i = 0; i < commit->removed.count; i++) {
        const struct iceberg_file *removed = &commit->removed.items[i];
        if (removed->content == ICEBERG_DATA && iceberg_delete_applies(newer, file, removed))
            return rebase_conflict(newer, error, "deleted rows of %s, which this commit rewrites",
                                   removed->path);
    }
    return true;
}

/* Removed files must still be there; where their entries stand may have changed. */
static bool rebase_check_removed(struct iceberg_commit *commit, const struct iceberg_table *newer,
                                 const struct map *live, struct error *error)
{
    for (size_t i = 0; i < commit->removed.count; i++) {
        struct iceberg_file *file = &commit->removed.items[i];
        const struct iceberg_file *now = map_get_text(live, file->path);
        if (now == NULL)
            return rebase_conflict(newer, error, "removed %s, which this commit replaces",
                                   file->path);
        file->manifest_path = arena_copy_text(&commit->arena, now->manifest_path, error);
        TRY(file->manifest_path != NULL);
    }
    return true;
}

/* What our deletes are about must still be there. */
static bool rebase_check_targets(const struct iceberg_commit *commit,
                                 const struct iceberg_table *newer, const struct map *live,
                                 struct error *error)
{
    for (size_t i = 0; i < commit->added.count; i++) {
        const struct iceberg_file *file = &commit->added.items[i];
        if (file->content != ICEBERG_POSITION_DELETES)
            continue;
        struct slice target = iceberg_file_scope(file);
        bool found = target.data == NULL || map_get(live, target) != NULL;
        for (size_t j = 0; !found && j < commit->added.count; j++)
            found = slice_is(target, commit->added.items[j].path);
        if (!found)
            return rebase_conflict(newer, error, "removed %.*s, whose rows this commit deletes",
                                   SLICE_ARG(target));
    }
    return true;
}

static bool rebase_needs_files(const struct iceberg_commit *commit)
{
    if (commit->removed.count)
        return true;
    for (size_t i = 0; i < commit->added.count; i++) {
        if (commit->added.items[i].content != ICEBERG_DATA)
            return true;
    }
    return false;
}

static bool rebase_check_files(struct iceberg_commit *commit, const struct iceberg_table *newer,
                               struct error *error)
{
    struct iceberg_file_list files;
    struct map live = {0};
    if (!rebase_needs_files(commit) || newer->snapshot_id == commit->base->snapshot_id)
        return true;
    TRY(iceberg_snapshot_files(newer, -1, &files, error));
    bool ok = true;
    for (size_t i = 0; ok && i < files.count; i++)
        ok = map_put(&live, slice_of(files.items[i].path), &files.items[i], error) &&
             rebase_check_new_delete(commit, newer, &files.items[i], error);
    ok = ok && rebase_check_removed(commit, newer, &live, error) &&
         rebase_check_targets(commit, newer, &live, error);
    map_destroy(&live);
    iceberg_file_list_destroy(&files);
    return ok;
}

/* A snapshot that became current or referenced meanwhile stays; one that went is done. */
static void rebase_dropped(struct iceberg_commit *commit, const struct iceberg_table *newer)
{
    size_t kept = 0;
    struct iceberg_snapshot found;
    for (size_t i = 0; i < commit->dropped_count; i++) {
        if (!iceberg_snapshot_find(newer, commit->dropped[i], &found))
            continue;
        const char *name;
        json_t *ref;
        bool used = newer->snapshot_id == found.id;
        json_object_foreach(json_object_get(newer->metadata, "refs"), name, ref)
        {
            used = used || json_integer_value(json_object_get(ref, "snapshot-id")) == found.id;
        }
        if (!used)
            commit->dropped[kept++] = commit->dropped[i];
    }
    commit->dropped_count = kept;
}

bool iceberg_commit_rebase(struct iceberg_commit *commit, struct iceberg_table *newer,
                           struct error *error)
{
    if (!rebase_check_table(commit, newer, error) || !rebase_check_files(commit, newer, error)) {
        iceberg_table_destroy(newer);
        return false;
    }
    rebase_dropped(commit, newer);
    if (commit->base == &commit->newer)
        iceberg_table_destroy(&commit->newer);
    commit->newer = *newer;
    *newer = (struct iceberg_table){0};
    commit->base = &commit->newer;
    commit->outcome = ICEBERG_OUTCOME_OPEN;
    return true;
}

/* Whether that metadata file holds what this commit meant to put. */
static bool rebase_is_our_text(const struct iceberg_commit *commit,
                               const struct iceberg_table *table, const char *file)
{
    struct store *store = NULL;
    struct buffer key = {0}, text = {0};
    bool same = iceberg_table_resolve(table, file, &store, &key, NULL) &&
                store_read(store, key.data, &text, NULL) &&
                slice_equal(buffer_slice(&text), iceberg_commit_metadata(commit));
    buffer_destroy(&key);
    buffer_destroy(&text);
    return same;
}

bool iceberg_commit_is_in(const struct iceberg_commit *commit, const struct iceberg_table *table,
                          const char *metadata_file)
{
    const char *id = iceberg_table_property(table, ICEBERG_COMMIT_ID);
    struct iceberg_snapshot found;
    if (id && strcmp(id, commit->id) == 0)
        return true;
    if (commit_makes_snapshot(commit) && iceberg_snapshot_find(table, commit->snapshot_id, &found))
        return true;
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(table->metadata, "metadata-log"), i, entry)
    {
        const char *file = json_string_value(json_object_get(entry, "metadata-file"));
        int64_t at = json_integer_value(json_object_get(entry, "timestamp-ms"));
        if (file && strstr(file, commit->id)) /* a catalog's name */
            return true;
        /* v<N> may be anybody's: time and contents tell. */
        if (file && metadata_file && strcmp(file, metadata_file) == 0 && at == commit->updated_ms &&
            rebase_is_our_text(commit, table, file))
            return true;
    }
    return false;
}

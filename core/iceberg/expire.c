/* expire.c: old snapshots go, and then the files that only they needed. */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/iceberg/maintain.h"
#include "core/iceberg/reach.h"

enum { DEFAULT_MOST = 500 };

/* ---- which ---- */

struct expire_choice {
    bool *keep;             /* by index in table->snapshots */
    int64_t *superseded_ms; /* when another became current in its place; INT64_MAX: never */
    int64_t *chosen;
    size_t count, left;
};

static size_t expire_index(const struct iceberg_table *table, int64_t id)
{
    struct iceberg_snapshot *found = map_get(&table->snapshot_index, slice_make(&id, sizeof id));
    return found ? (size_t)(found - table->snapshots) : table->snapshot_count;
}

/* Marks a snapshot and, with `history`, all it descends from. */
static void expire_keep(const struct iceberg_table *table, struct expire_choice *choice, int64_t id,
                        bool history)
{
    for (size_t steps = 0; steps <= table->snapshot_count; steps++) {
        size_t index = expire_index(table, id);
        if (index == table->snapshot_count)
            return;
        choice->keep[index] = true;
        if (!history)
            return;
        id = table->snapshots[index].parent_id;
    }
}

/* Branches other than main keep their history, tags their snapshot. */
static void expire_keep_refs(const struct iceberg_table *table, struct expire_choice *choice)
{
    const char *name;
    json_t *ref;
    json_object_foreach(json_object_get(table->metadata, "refs"), name, ref)
    {
        const char *type = json_string_value(json_object_get(ref, "type"));
        bool branch = strcmp(name, "main") != 0 && type && strcmp(type, "branch") == 0;
        expire_keep(table, choice, json_integer_value(json_object_get(ref, "snapshot-id")), branch);
    }
}

/* Main's own newest ones, those young enough, and the way back to the last batch: a merge finds its
 * state by walking it. */
static void expire_keep_main(const struct iceberg_table *table,
                             const struct iceberg_expiry *options, int64_t now_ms,
                             struct expire_choice *choice)
{
    const json_t *ref = json_object_get(json_object_get(table->metadata, "refs"), "main");
    int64_t least = (int64_t)options->min_snapshots, age = options->snapshot_age_ms;
    json_optional_long(ref, "min-snapshots-to-keep", "refs", &least, NULL);
    json_optional_long(ref, "max-snapshot-age-ms", "refs", &age, NULL);
    struct iceberg_snapshot batch;
    bool waiting = iceberg_snapshot_nearest(table, -1, "surfboard.watermark", &batch);
    int64_t id = table->snapshot_id, superseded = INT64_MAX, position = 0;
    for (size_t steps = 0; steps <= table->snapshot_count; steps++) {
        size_t index = expire_index(table, id);
        if (index == table->snapshot_count)
            return;
        const struct iceberg_snapshot *snapshot = &table->snapshots[index];
        choice->superseded_ms[index] = superseded;
        if (position++ < least || position == 1 || waiting || now_ms - snapshot->timestamp_ms < age)
            choice->keep[index] = true;
        if (waiting && snapshot->id == batch.id)
            waiting = false;
        superseded = snapshot->timestamp_ms;
        id = snapshot->parent_id;
    }
}

static int expire_oldest_first(const void *a, const void *b)
{
    int64_t left = ((const struct iceberg_snapshot *)a)->timestamp_ms;
    int64_t right = ((const struct iceberg_snapshot *)b)->timestamp_ms;
    return (left > right) - (left < right);
}

static bool expire_choose(const struct iceberg_table *table, const struct iceberg_expiry *options,
                          struct expire_choice *choice, struct error *error)
{
    size_t total = table->snapshot_count;
    size_t most = options->max_snapshots ? options->max_snapshots : DEFAULT_MOST;
    int64_t now_ms = clock_now_ms();
    choice->keep = memory_zero(total, sizeof *choice->keep, error);
    choice->superseded_ms = memory_zero(total, sizeof *choice->superseded_ms, error);
    choice->chosen = memory_zero(total, sizeof *choice->chosen, error);
    struct iceberg_snapshot *old = memory_zero(total, sizeof *old, error);
    if (!choice->keep || !choice->superseded_ms || !choice->chosen || !old) {
        free(old);
        return false;
    }
    expire_keep_refs(table, choice);
    expire_keep_main(table, options, now_ms, choice);
    size_t count = 0;
    for (size_t i = 0; i < total; i++) {
        const struct iceberg_snapshot *snapshot = &table->snapshots[i];
        int64_t since = choice->superseded_ms[i] ? choice->superseded_ms[i]
                                                 : snapshot->timestamp_ms; /* not of main */
        if (!choice->keep[i] && now_ms - snapshot->timestamp_ms >= options->snapshot_age_ms &&
            since != INT64_MAX && now_ms - since >= options->delete_grace_ms)
            old[count++] = *snapshot;
    }
    qsort(old, count, sizeof *old, expire_oldest_first);
    choice->count = count < most ? count : most;
    choice->left = count - choice->count;
    for (size_t i = 0; i < choice->count; i++)
        choice->chosen[i] = old[i].id;
    free(old);
    return true;
}

static void expire_choice_destroy(struct expire_choice *choice)
{
    free(choice->keep);
    free(choice->superseded_ms);
    free(choice->chosen);
}

/* ---- then ---- */

static bool expire_commit(struct catalog *catalog, const struct iceberg_table *table,
                          const struct expire_choice *choice, struct error *error)
{
    struct iceberg_commit *commit = iceberg_commit_begin(table, error);
    bool ok = commit != NULL;
    for (size_t i = 0; ok && i < choice->count; i++)
        ok = iceberg_commit_drop_snapshot(commit, choice->chosen[i], error);
    ok = ok && catalog_commit(catalog, &commit, 1, NULL, error);
    iceberg_commit_destroy(commit);
    return ok;
}

/* What the expired snapshots of `before` needed and nothing in `now` needs. */
static bool expire_delete(const struct iceberg_table *before, const struct iceberg_table *now,
                          const struct expire_choice *choice, struct iceberg_maintained *done,
                          struct error *error)
{
    struct reach needed = {0}, old = {0};
    struct iceberg_snapshot snapshot;
    bool ok = true;
    for (size_t i = 0; ok && i < now->snapshot_count; i++)
        ok = reach_add_lists(&needed, now, &now->snapshots[i], NULL, error);
    for (size_t i = 0; ok && i < choice->count; i++) {
        if (iceberg_snapshot_find(now, choice->chosen[i], &snapshot))
            continue; /* somebody made it current or named it meanwhile */
        iceberg_snapshot_find(before, choice->chosen[i], &snapshot);
        ok = reach_add_lists(&old, before, &snapshot, &needed, error);
        done->snapshots_expired++;
    }
    ok = ok && reach_add_files(&old, before, true, error) &&
         reach_add_files(&needed, now, false, error);
    for (size_t i = 0; ok && i < old.files.count; i++) {
        const struct reach_file *file = old.files.entries[i].value;
        uint64_t size = 0;
        int64_t modified_ms = 0;
        if (reach_has(&needed, file->key))
            continue;
        if (!store_stat(now->store, file->key, &size, &modified_ms, NULL))
            continue; /* gone already */
        ok = FAULT("iceberg.expire.before-delete", error) &&
             store_delete(now->store, file->key, error);
        *(file->metadata ? &done->metadata_deleted : &done->files_deleted) += ok;
        done->bytes_deleted += ok ? (int64_t)size : 0;
    }
    reach_destroy(&needed);
    reach_destroy(&old);
    return ok;
}

static bool expire_run(struct catalog *catalog, struct catalog_ident ident,
                       const struct iceberg_table *table, const struct iceberg_expiry *options,
                       const struct expire_choice *choice, struct iceberg_maintained *done,
                       struct error *error)
{
    const char *collects = iceberg_table_property(table, "gc.enabled");
    struct iceberg_table now;
    done->left += choice->left;
    if (options->dry_run || choice->count == 0) {
        done->snapshots_expired += choice->count;
        return true;
    }
    TRY(expire_commit(catalog, table, choice, error));
    TRY(FAULT("iceberg.expire.after-commit", error));
    if (collects && strcmp(collects, "false") == 0) {
        done->snapshots_expired += choice->count;
        return true;
    }
    TRY(catalog_load(catalog, ident, &now, error));
    bool ok = expire_delete(table, &now, choice, done, error);
    iceberg_table_destroy(&now);
    return ok;
}

bool iceberg_expire(struct catalog *catalog, struct catalog_ident ident,
                    const struct iceberg_expiry *options, struct iceberg_maintained *done,
                    struct error *error)
{
    struct iceberg_table table;
    struct expire_choice choice = {0};
    TRY(catalog_load(catalog, ident, &table, error));
    bool ok = expire_choose(&table, options, &choice, error) &&
              expire_run(catalog, ident, &table, options, &choice, done, error);
    expire_choice_destroy(&choice);
    iceberg_table_destroy(&table);
    return ok;
}

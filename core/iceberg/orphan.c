/* orphan.c: what commits that crashed, or lost and could not clean up, left behind. The names tell
 * whose a file is; only reachability tells whether it is needed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/iceberg/maintain.h"
#include "core/iceberg/reach.h"
#include "core/iceberg/storage.h"

enum { DEFAULT_LIMIT = 10000, UUID_LENGTH = UUID_TEXT_SIZE - 1 };

/* No metadata file goes earlier: a stalled writer, or a reader with an old hint, may stand there.
 */
#define METADATA_AGE_MS (INT64_C(24) * 60 * 60 * 1000)

struct sweep {
    struct iceberg_table table;
    struct store_listing data, metadata; /* listed before the table was loaded */
    struct reach needed;
    struct map young; /* commit ids that have a file younger than the grace */
    int64_t now_ms, grace_ms;
    size_t limit;
    bool dry_run;
    struct iceberg_maintained *done;
};

/* The commit id in "<uuid>-surfboard-…"; an empty slice for files of others. */
static struct slice orphan_commit_id(const char *key)
{
    static const char mark[] = "-surfboard-";
    const char *name = strrchr(key, '/');
    uint8_t uuid[16];
    name = name ? name + 1 : key;
    if (strlen(name) < UUID_LENGTH + sizeof mark || !uuid_parse(name, UUID_LENGTH, uuid) ||
        strncmp(name + UUID_LENGTH, mark, sizeof mark - 1) != 0)
        return (struct slice){0};
    return slice_make(name, UUID_LENGTH);
}

/* ---- what is needed ---- */

static bool orphan_reach(struct sweep *sweep, struct error *error)
{
    const struct iceberg_table *table = &sweep->table;
    for (size_t i = 0; i < table->snapshot_count; i++)
        TRY(reach_add_lists(&sweep->needed, table, &table->snapshots[i], NULL, error));
    TRY(reach_add_files(&sweep->needed, table, false, error));
    TRY(reach_add(&sweep->needed, table, table->metadata_location, -1, true, error));
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(table->metadata, "metadata-log"), i, entry)
    {
        const char *file = json_string_value(json_object_get(entry, "metadata-file"));
        if (file)
            TRY(reach_add(&sweep->needed, table, file, -1, true, error));
    }
    return true;
}

/* A commit that still writes keeps all of its files. */
static bool orphan_mark_young(struct sweep *sweep, const struct store_listing *listing,
                              struct error *error)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct store_entry *entry = &listing->entries[i];
        struct slice id = orphan_commit_id(entry->key);
        if (id.length && sweep->now_ms - entry->modified_ms < sweep->grace_ms)
            TRY(map_put(&sweep->young, id, sweep, error));
    }
    return true;
}

/* ---- going ---- */

static bool orphan_delete(struct sweep *sweep, const struct store_entry *entry, bool metadata,
                          struct error *error)
{
    struct iceberg_maintained *done = sweep->done;
    if (sweep->limit == 0) {
        done->left++;
        return true;
    }
    sweep->limit--;
    if (!sweep->dry_run) {
        TRY(FAULT("iceberg.orphans.before-delete", error));
        TRY(store_delete(sweep->table.store, entry->key, error));
    }
    *(metadata ? &done->metadata_deleted : &done->files_deleted) += 1;
    done->bytes_deleted += (int64_t)entry->size;
    return true;
}

static bool orphan_sweep_own(struct sweep *sweep, const struct store_listing *listing,
                             bool metadata, struct error *error)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct store_entry *entry = &listing->entries[i];
        struct slice id = orphan_commit_id(entry->key);
        if (id.length && map_get(&sweep->young, id) == NULL &&
            !reach_has(&sweep->needed, entry->key))
            TRY(orphan_delete(sweep, entry, metadata, error));
    }
    return true;
}

/* Whether the metadata file "<digits>-<uuid>.metadata.json" was written by the commit <uuid>: its
 * own text says so. */
static bool orphan_is_our_metadata(const struct sweep *sweep, const char *key, const char *name)
{
    const char *dash = strchr(name, '-');
    struct buffer text = {0};
    char mark[96];
    if (dash == NULL)
        return false;
    snprintf(mark, sizeof mark, "\"" ICEBERG_COMMIT_ID "\":\"%.*s\"", UUID_LENGTH, dash + 1);
    bool ours = store_read(sweep->table.store, key, &text, NULL) && text.length &&
                memmem(text.data, text.length, mark, strlen(mark)) != NULL;
    buffer_destroy(&text);
    return ours;
}

static int orphan_by_version(const void *a, const void *b)
{
    const struct store_entry *const *left = a, *const *right = b;
    int64_t l = storage_name_version((*left)->key + strlen("metadata/"));
    int64_t r = storage_name_version((*right)->key + strlen("metadata/"));
    return (l > r) - (l < r);
}

/* v<N> in ascending order, so that what stays has no gap: readers probe upwards. */
static bool orphan_sweep_versions(struct sweep *sweep, const struct store_entry **versions,
                                  size_t count, struct error *error)
{
    struct storage_head head;
    char key[STORAGE_NAME_SIZE];
    TRY(storage_find_head(sweep->table.store, &head, error));
    qsort(versions, count, sizeof *versions, orphan_by_version);
    for (size_t i = 0; i < count; i++) {
        const struct store_entry *entry = versions[i];
        int64_t version = storage_name_version(entry->key + strlen("metadata/"));
        storage_version_key(version, key);
        if (version >= head.version || sweep->now_ms - entry->modified_ms < METADATA_AGE_MS ||
            reach_has(&sweep->needed, entry->key) || reach_has(&sweep->needed, key))
            return true;
        TRY(orphan_delete(sweep, entry, true, error));
    }
    return true;
}

static bool orphan_sweep_metadata(struct sweep *sweep, struct error *error)
{
    const struct store_entry **versions =
        memory_zero(sweep->metadata.count, sizeof *versions, error);
    TRY(versions != NULL);
    size_t count = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < sweep->metadata.count; i++) {
        const struct store_entry *entry = &sweep->metadata.entries[i];
        const char *name = entry->key + strlen("metadata/");
        if (storage_name_version(name) >= 0)
            versions[count++] = entry;
        else if (storage_name_number(name) >= 0 && sweep->limit &&
                 sweep->now_ms - entry->modified_ms >= sweep->grace_ms &&
                 !reach_has(&sweep->needed, entry->key) &&
                 orphan_is_our_metadata(sweep, entry->key, name))
            ok = orphan_delete(sweep, entry, true, error);
    }
    ok = ok && orphan_sweep_versions(sweep, versions, count, error);
    free(versions);
    return ok;
}

/* ---- all ---- */

static bool orphan_list(struct store *store, const char *prefix, struct store_listing *out,
                        struct error *error)
{
    struct error problem = {0};
    if (store_list(store, prefix, out, &problem))
        return true;
    *out = (struct store_listing){0};
    if (problem.kind == ERROR_NOT_FOUND)
        return true;
    if (error)
        *error = problem;
    return false;
}

static bool orphan_run(struct sweep *sweep, struct catalog *catalog, struct catalog_ident ident,
                       struct error *error)
{
    /* Files first, then the table: what is committed between the two is needed, and seen. */
    struct iceberg_table first;
    size_t removed = 0;
    TRY(catalog_load(catalog, ident, &first, error));
    bool ok = orphan_list(first.store, "data/", &sweep->data, error) &&
              orphan_list(first.store, "metadata/", &sweep->metadata, error);
    iceberg_table_destroy(&first);
    TRY(ok);
    TRY(FAULT("iceberg.orphans.after-list", error));
    TRY(catalog_load(catalog, ident, &sweep->table, error));
    TRY(orphan_mark_young(sweep, &sweep->data, error));
    TRY(orphan_mark_young(sweep, &sweep->metadata, error));
    TRY(orphan_reach(sweep, error));
    TRY(orphan_sweep_own(sweep, &sweep->data, false, error));
    TRY(orphan_sweep_own(sweep, &sweep->metadata, true, error));
    TRY(orphan_sweep_metadata(sweep, error));
    return sweep->dry_run || store_sweep(sweep->table.store, "", &removed, error);
}

bool iceberg_orphans(struct catalog *catalog, struct catalog_ident ident, int64_t grace_ms,
                     size_t limit, bool dry_run, struct iceberg_maintained *done,
                     struct error *error)
{
    struct sweep sweep = {.now_ms = clock_now_ms(),
                          .grace_ms = grace_ms,
                          .limit = limit ? limit : DEFAULT_LIMIT,
                          .dry_run = dry_run,
                          .done = done};
    bool ok = orphan_run(&sweep, catalog, ident, error);
    store_listing_destroy(&sweep.data);
    store_listing_destroy(&sweep.metadata);
    reach_destroy(&sweep.needed);
    map_destroy(&sweep.young);
    iceberg_table_destroy(&sweep.table);
    return ok;
}

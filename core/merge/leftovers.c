#include "core/merge/leftovers.h"

#include "core/base/clock.h"
#include "core/merge/state.h"

/* Whether the table's state still names the file. */
static bool is_named(const struct iceberg_table *table, const char *key)
{
    const char *state = iceberg_table_property(table, STATE_PROPERTY);
    return state && strstr(state, key) != NULL;
}

static bool remove_reload_files(const struct iceberg_table *table, int64_t grace_ms, bool dry_run,
                                struct iceberg_maintained *done, struct error *error)
{
    struct store_listing listing;
    TRY(store_list(table->store, "reload/", &listing, error));
    int64_t now = clock_now_ms();
    bool ok = true;
    for (size_t i = 0; ok && i < listing.count; i++) {
        const struct store_entry *entry = &listing.entries[i];
        if (now - entry->modified_ms < grace_ms || is_named(table, entry->key))
            continue;
        ok = dry_run || store_delete(table->store, entry->key, error);
        done->files_deleted++;
        done->bytes_deleted += (int64_t)entry->size;
    }
    store_listing_destroy(&listing);
    return ok;
}

bool leftovers_remove(struct catalog *catalog, struct catalog_ident ident, int64_t grace_ms,
                      bool dry_run, struct iceberg_maintained *done, struct error *error)
{
    struct iceberg_table table;
    TRY(catalog_load(catalog, ident, &table, error));
    size_t swept = 0;
    bool ok = remove_reload_files(&table, grace_ms, dry_run, done, error) &&
              (dry_run || store_sweep(table.store, "", &swept, error));
    done->files_deleted += swept;
    iceberg_table_destroy(&table);
    return ok;
}

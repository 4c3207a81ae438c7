/* catalog_storage.c: the folder is the catalog (spec, "File System Tables"; design section 5,
 * "Storage catalog"): metadata/v<N>.metadata.json put if absent, version-hint.text as a hint.
 *
 * A writer may be stopped between any two lines for any time, while others commit and old metadata
 * files (older than a day) are deleted. So a base older than an hour is loaded anew first, and
 * after a won put whoever is above us must descend from us; else the put was into a gap, and lost.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/iceberg/catalog.h"
#include "core/iceberg/storage.h"

enum { STALE_BASE_MS = 60 * 60 * 1000 };

struct catalog_storage {
    struct catalog catalog;
    struct store *warehouse; /* NULL: tables are named by their own URI */
    bool durable;
};

/* ---- where tables are ---- */

static bool storage_check_name(const char *name, struct error *error)
{
    if (*name == '\0' || *name == '.' || strchr(name, '/'))
        return error_set(error, ERROR_USAGE, "use a plain name without slashes",
                         "\"%s\" is no table or namespace name", name);
    return true;
}

/* The table's folder as a path or URI. */
static bool storage_place(const struct catalog_storage *storage, struct catalog_ident ident,
                          struct buffer *out, struct error *error)
{
    if (ident.namespace_name == NULL)
        return buffer_append_text(out, ident.name, error) && buffer_text(out, error);
    if (storage->warehouse == NULL)
        return error_set(error, ERROR_CONFIG, "set lake.warehouse in the profile",
                         "table %s.%s: there is no warehouse", ident.namespace_name, ident.name);
    TRY(storage_check_name(ident.namespace_name, error) && storage_check_name(ident.name, error));
    TRY(buffer_append_format(out, error, "%s/", store_uri(storage->warehouse)));
    size_t levels = out->length;
    TRY(buffer_append_format(out, error, "%s/%s", ident.namespace_name, ident.name));
    for (size_t i = levels; i < levels + strlen(ident.namespace_name); i++) {
        if (out->data[i] == '.')
            out->data[i] = '/';
    }
    return buffer_text(out, error) != NULL;
}

static struct store *storage_open_place(const struct catalog_storage *storage,
                                        struct catalog_ident ident, bool durable,
                                        struct error *error)
{
    const struct store_options options = {.durable = durable};
    struct buffer place = {0};
    struct store *store = storage_place(storage, ident, &place, error)
                              ? store_open(place.data, &options, error)
                              : NULL;
    buffer_destroy(&place);
    return store;
}

static bool storage_location(struct catalog *catalog, struct catalog_ident ident,
                             struct buffer *out, struct error *error)
{
    struct store *store =
        storage_open_place((struct catalog_storage *)catalog, ident, false, error);
    TRY(store != NULL);
    bool ok = buffer_append_text(out, store_uri(store), error);
    store_close(store);
    return ok;
}

/* ---- load ---- */

static bool storage_load_version(struct store *store, const char *key, bool durable,
                                 struct iceberg_table *out, struct error *error)
{
    struct buffer text = {0}, name = {0};
    bool ok = store_read(store, key, &text, error) &&
              buffer_append_format(&name, error, "%s/%s", store_uri(store), key) &&
              buffer_text(&name, error) &&
              iceberg_table_parse(buffer_slice(&text), name.data, out, error);
    if (ok && !iceberg_table_set_durable(out, durable, error)) {
        iceberg_table_destroy(out);
        ok = false;
    }
    buffer_destroy(&text);
    buffer_destroy(&name);
    return ok;
}

static bool storage_not_found(const struct store *store, struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, "create it first, or check the path",
                     "%s: no Iceberg table there", store_root(store));
}

static bool storage_pointer(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                            struct error *error)
{
    struct storage_head head;
    struct store *store =
        storage_open_place((struct catalog_storage *)catalog, ident, false, error);
    TRY(store != NULL);
    bool ok = storage_find_head(store, &head, error) &&
              (head.version >= 0 || storage_not_found(store, error)) &&
              buffer_append_format(out, error, "%s/%s", store_uri(store), head.key);
    store_close(store);
    return ok;
}

static bool storage_load(struct catalog *catalog, struct catalog_ident ident,
                         struct iceberg_table *out, struct error *error)
{
    struct catalog_storage *storage = (struct catalog_storage *)catalog;
    struct storage_head head;
    struct store *store = storage_open_place(storage, ident, storage->durable, error);
    TRY(store != NULL);
    bool ok = storage_find_head(store, &head, error);
    if (ok && head.version < 0)
        ok = storage_not_found(store, error);
    ok = ok && storage_load_version(store, head.key, storage->durable, out, error);
    store_close(store);
    return ok;
}

/* ---- create ---- */

/* Only a hint: written without a flush, and its failure is nobody's. */
static void storage_write_hint(struct store *store, int64_t version)
{
    const struct store_options options = {.durable = false};
    struct store *quick = store_open(store_uri(store), &options, NULL);
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, version);
    if (quick)
        store_put(quick, "metadata/version-hint.text", slice_make(text, (size_t)length), NULL);
    store_close(quick);
}

static bool storage_create(struct catalog *catalog, struct catalog_ident ident,
                           const char *location, struct slice metadata, struct error *error)
{
    struct catalog_storage *storage = (struct catalog_storage *)catalog;
    struct storage_head head;
    char key[STORAGE_NAME_SIZE];
    const char *rest = NULL;
    struct store *store = storage_open_place(storage, ident, storage->durable, error);
    TRY(store != NULL);
    bool ok = true;
    if (strcmp(location, store_uri(store)) != 0 &&
        !(store_key(store, location, &rest) && *rest == '\0'))
        ok = error_set(error, ERROR_UNSUPPORTED, "leave the location out",
                       "%s: in a storage catalog a table lives where its name says, not at %s",
                       store_root(store), location);
    ok = ok && storage_find_head(store, &head, error);
    if (ok && head.version >= 0)
        ok = error_set(error, ERROR_EXISTS,
                       "choose another name, or write to the table that is "
                       "there",
                       "%s: there is a table already", store_root(store));
    storage_version_key(1, key);
    ok = ok && FAULT("iceberg.create.before-pointer", error) &&
         store_put_if_absent(store, key, metadata, error);
    if (ok)
        storage_write_hint(store, 1);
    store_close(store);
    return ok;
}

/* ---- publish ---- */

static bool storage_lost(struct iceberg_commit *commit, const char *why, struct error *error)
{
    iceberg_commit_set_outcome(commit, ICEBERG_OUTCOME_LOST);
    return error_set(error, ERROR_CONFLICT, "run the same command again",
                     "%s: another writer committed first (%s)",
                     iceberg_commit_base(commit)->location, why);
}

/* Whether the object holds exactly what we meant to put. */
static bool storage_is_ours(struct store *store, const char *key,
                            const struct iceberg_commit *commit, bool *ours, bool *exists)
{
    struct buffer text = {0};
    struct error problem = {0};
    bool read = store_read(store, key, &text, &problem);
    *exists = read;
    *ours = read && slice_equal(buffer_slice(&text), iceberg_commit_metadata(commit));
    buffer_destroy(&text);
    return read || problem.kind == ERROR_NOT_FOUND;
}

/* Puts the pointer. An error or a lost race may still be our own success: the contents tell. */
static bool storage_put_pointer(struct iceberg_commit *commit, struct store *store, const char *key,
                                struct error *error)
{
    struct error problem = {0};
    bool ours = false, exists = false;
    iceberg_commit_set_outcome(commit, ICEBERG_OUTCOME_UNKNOWN); /* until it is known */
    if (store_put_if_absent(store, key, iceberg_commit_metadata(commit), &problem))
        return true;
    /* Not there, after an answer that was lost: it may yet get there. */
    if (!storage_is_ours(store, key, commit, &ours, &exists) ||
        (!exists && problem.kind == ERROR_UNKNOWN))
        return error_set(error, ERROR_UNKNOWN, "look at the store, then run the same command again",
                         "%s/%s: the outcome of the commit is not known: %s", store_root(store),
                         key, problem.message);
    if (ours)
        return true;
    if (exists)
        return storage_lost(commit, key, error);
    iceberg_commit_set_outcome(commit, ICEBERG_OUTCOME_OPEN);
    if (error) /* not there: plainly failed */
        *error = problem;
    return false;
}

/* After a won put: is there anything above that does not descend from us? */
static bool storage_check_above(struct catalog_storage *storage, struct iceberg_commit *commit,
                                struct store *store, int64_t version, const char *key,
                                struct error *error)
{
    struct storage_head head = {.version = version};
    struct iceberg_table above;
    char next[STORAGE_NAME_SIZE];
    bool exists = false;
    int64_t age = clock_now_ms() - iceberg_commit_base(commit)->loaded_ms;
    storage_version_key(version + 1, next);
    bool ok = store_exists(store, next, &exists, error);
    if (ok && exists) {
        head.version = version + 1;
        memcpy(head.key, next, sizeof next);
    } else if (ok && (age > STALE_BASE_MS || age < 0 || storage_read_hint(store) > version)) {
        ok = storage_list_head(store, &head, error);
    }
    if (ok && head.version <= version)
        return true;
    ok = ok && storage_load_version(store, head.key, storage->durable, &above, error);
    if (!ok) { /* ours is there, but whether it counts can't be told now */
        if (error)
            error->kind = ERROR_UNKNOWN;
        return error_prefix(error, "the outcome of the commit is not known");
    }
    bool ours = iceberg_commit_is_in(commit, &above, iceberg_commit_published(commit));
    iceberg_table_destroy(&above);
    if (ours)
        return true;
    store_delete(store, key, NULL); /* put into a gap: nobody builds on it */
    return storage_lost(commit, head.key, error);
}

static bool storage_next_version(const struct iceberg_commit *commit, int64_t *version,
                                 struct error *error)
{
    const char *file = iceberg_commit_base(commit)->metadata_location;
    const char *slash = strrchr(file, '/');
    int64_t base = storage_name_version(slash ? slash + 1 : file);
    if (base < 0)
        return error_set(error, ERROR_REFUSED,
                         "write through its catalog: --catalog-dsn, --catalog-name, --ident",
                         "%s: this table belongs to a catalog (its metadata files are not named "
                         "v<N>)",
                         file);
    *version = base + 1;
    return true;
}

static bool storage_publish_one(struct catalog_storage *storage, struct iceberg_commit *commit,
                                struct pool *pool, struct error *error)
{
    const struct iceberg_table *base = iceberg_commit_base(commit);
    int64_t version = 0;
    char key[STORAGE_NAME_SIZE], uri[STORAGE_NAME_SIZE * 8];
    TRY(storage_next_version(commit, &version, error));
    storage_version_key(version, key);
    snprintf(uri, sizeof uri, "%s/%s", base->location, key);
    int64_t age = clock_now_ms() - base->loaded_ms;
    if (age > STALE_BASE_MS || age < 0)
        return storage_lost(commit, "the table was loaded more than an hour ago", error);
    TRY(iceberg_commit_set_published(commit, uri, error));
    TRY(iceberg_commit_flush(commit, NULL, pool, error));
    TRY(FAULT("iceberg.commit.before-pointer", error));
    TRY(storage_put_pointer(commit, base->store, key, error));
    TRY(FAULT("iceberg.commit.after-pointer", error));
    TRY(storage_check_above(storage, commit, base->store, version, key, error));
    iceberg_commit_set_outcome(commit, ICEBERG_OUTCOME_WON);
    storage_write_hint(base->store, version);
    return true;
}

static bool storage_publish(struct catalog *catalog, struct iceberg_commit *const *commits,
                            size_t count, const struct catalog_commit_options *options,
                            struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (iceberg_commit_outcome(commits[i]) != ICEBERG_OUTCOME_WON)
            TRY(storage_publish_one((struct catalog_storage *)catalog, commits[i],
                                    options ? options->pool : NULL, error));
    }
    return true;
}

/* ---- the rest ---- */

/* "shop/eu/orders" below the warehouse: namespace "shop.eu", table "orders". */
static bool storage_list_place(struct catalog_listing *out, struct slice place,
                               struct catalog_ident *ident, struct error *error)
{
    char *copy = arena_copy_slice(&out->arena, place, error);
    TRY(copy != NULL);
    char *slash = strrchr(copy, '/');
    *slash = '\0';
    for (char *at = copy; *at; at++)
        *at = *at == '/' ? '.' : *at;
    *ident = (struct catalog_ident){copy, slash + 1};
    return true;
}

/* `space`: "shop/", whose tables are wanted; "": of any namespace. */
static bool storage_list_entry(struct catalog_listing *out, size_t *capacity, const char *key,
                               const char *space, struct slice *last, struct error *error)
{
    const char *end = strstr(key, "/metadata/");
    if (end == NULL || storage_name_version(end + strlen("/metadata/")) < 0)
        return true;
    struct slice place = slice_make(key, (size_t)(end - key));
    size_t below = strlen(space);
    if (memchr(key, '/', place.length) == NULL || slice_equal(place, *last) ||
        (below && memchr(key + below, '/', place.length - below)))
        return true;
    *last = place; /* keys are sorted: the files of a table stand together */
    if (out->count == *capacity) {
        size_t grown = *capacity ? *capacity * 2 : 16;
        struct catalog_ident *items = arena_zero(&out->arena, grown, sizeof *items, error);
        TRY(items != NULL);
        if (out->count)
            memcpy(items, out->items, out->count * sizeof *items);
        out->items = items;
        *capacity = grown;
    }
    return storage_list_place(out, place, &out->items[out->count++], error);
}

static bool storage_list_tables(struct catalog *catalog, const char *namespace_name,
                                struct catalog_listing *out, struct error *error)
{
    struct catalog_storage *storage = (struct catalog_storage *)catalog;
    struct store_listing listing;
    struct error problem = {0};
    struct slice last = {0};
    size_t capacity = 0;
    if (storage->warehouse == NULL)
        return error_set(error, ERROR_CONFIG, "set lake.warehouse in the profile",
                         "there is no warehouse to list");
    TRY(namespace_name == NULL || storage_check_name(namespace_name, error));
    char *space = arena_format(&out->arena, error, namespace_name ? "%s/" : "%s",
                               namespace_name ? namespace_name : "");
    if (space == NULL)
        goto failed;
    for (char *at = space; *at; at++)
        *at = *at == '.' ? '/' : *at;
    if (!store_list(storage->warehouse, space, &listing, &problem)) {
        if (problem.kind == ERROR_NOT_FOUND)
            return true;
        if (error)
            *error = problem;
        goto failed;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < listing.count; i++)
        ok = storage_list_entry(out, &capacity, listing.entries[i].key, space, &last, error);
    store_listing_destroy(&listing);
    if (ok)
        return true;
failed:
    catalog_listing_destroy(out);
    return false;
}

static bool storage_drop(struct catalog *catalog, struct catalog_ident ident, struct error *error)
{
    (void)catalog;
    return error_set(error, ERROR_UNSUPPORTED, "remove the table's folder when nobody uses it",
                     "%s: a storage catalog has no pointer to drop: the files are the table",
                     ident.name);
}

static void storage_close(struct catalog *catalog)
{
    struct catalog_storage *storage = (struct catalog_storage *)catalog;
    store_close(storage->warehouse);
    free(storage);
}

static const struct catalog_ops storage_ops = {
    .kind = "storage",
    .atomic = false,
    .load = storage_load,
    .create = storage_create,
    .location = storage_location,
    .pointer = storage_pointer,
    .publish = storage_publish,
    .list = storage_list_tables,
    .drop = storage_drop,
    .close = storage_close,
};

struct catalog *catalog_storage_open(const char *warehouse, bool durable, struct error *error)
{
    struct catalog_storage *storage = memory_zero(1, sizeof *storage, error);
    if (storage == NULL)
        return NULL;
    storage->catalog.ops = &storage_ops;
    storage->durable = durable;
    const struct store_options options = {.durable = durable};
    if (warehouse) {
        storage->warehouse = store_open(warehouse, &options, error);
        if (storage->warehouse == NULL) {
            free(storage);
            return NULL;
        }
    }
    return &storage->catalog;
}

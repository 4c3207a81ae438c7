#include "core/iceberg/catalog.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/random.h"

enum { DEFAULT_RETRIES = 4, WAIT_MS = 20, LONGEST_WAIT_MS = 2000, PROBES = 3 };

void catalog_close(struct catalog *catalog)
{
    if (catalog)
        catalog->ops->close(catalog);
}

bool catalog_is_atomic(const struct catalog *catalog)
{
    return catalog->ops->atomic;
}

bool catalog_load(struct catalog *catalog, struct catalog_ident ident, struct iceberg_table *out,
                  struct error *error)
{
    *out = (struct iceberg_table){0};
    TRY(catalog->ops->load(catalog, ident, out, error));
    free(out->namespace_name);
    free(out->name);
    out->namespace_name =
        ident.namespace_name ? memory_copy_text(ident.namespace_name, error) : NULL;
    out->name = memory_copy_text(ident.name, error);
    if (out->name && (out->namespace_name || ident.namespace_name == NULL))
        return true;
    iceberg_table_destroy(out);
    return false;
}

bool catalog_pointer(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                     struct error *error)
{
    return catalog->ops->pointer(catalog, ident, out, error) && buffer_text(out, error);
}

/* A path as the caller wrote it becomes a URI: every engine that reads the catalog must understand
 * it, wherever it stands. */
static bool catalog_full_location(const char *location, struct buffer *out, struct error *error)
{
    struct store *store = store_open(location, NULL, error);
    bool ok = store && buffer_append_text(out, store_uri(store), error);
    store_close(store);
    return ok;
}

bool catalog_create(struct catalog *catalog, struct catalog_ident ident,
                    const struct schema *schema, const struct iceberg_property *properties,
                    size_t property_count, const char *location, struct iceberg_table *out,
                    struct error *error)
{
    struct schema numbered;
    struct buffer metadata = {0}, place = {0};
    int32_t last_id = 0;
    *out = (struct iceberg_table){0};
    TRY(schema_copy(&numbered, schema, error));
    bool ok = iceberg_schema_assign_ids(&numbered, &last_id, error);
    if (location)
        ok = ok && catalog_full_location(location, &place, error);
    else
        ok = ok && catalog->ops->location(catalog, ident, &place, error);
    ok = ok && buffer_text(&place, error) &&
         iceberg_table_make_metadata(&numbered, place.data, properties, property_count, &metadata,
                                     error) &&
         catalog->ops->create(catalog, ident, place.data, buffer_slice(&metadata), error) &&
         catalog_load(catalog, ident, out, error);
    schema_destroy(&numbered);
    buffer_destroy(&metadata);
    buffer_destroy(&place);
    return ok;
}

bool catalog_list(struct catalog *catalog, const char *namespace_name, struct catalog_listing *out,
                  struct error *error)
{
    *out = (struct catalog_listing){0};
    return catalog->ops->list(catalog, namespace_name, out, error);
}

void catalog_listing_destroy(struct catalog_listing *listing)
{
    arena_destroy(&listing->arena);
    *listing = (struct catalog_listing){0};
}

bool catalog_drop(struct catalog *catalog, struct catalog_ident ident, struct error *error)
{
    return catalog->ops->drop(catalog, ident, error);
}

/* ---- commit ---- */

static bool commit_reload(struct catalog *catalog, const struct iceberg_commit *commit,
                          struct iceberg_table *out, struct error *error)
{
    const struct iceberg_table *base = iceberg_commit_base(commit);
    if (base->name == NULL)
        return error_set(error, ERROR_INTERNAL, NULL, "%s: not loaded by a catalog",
                         base->location);
    return catalog_load(catalog, (struct catalog_ident){base->namespace_name, base->name}, out,
                        error);
}

bool catalog_probe(struct catalog *catalog, struct iceberg_commit *commit, bool *won,
                   struct error *error)
{
    struct iceberg_table table;
    TRY(commit_reload(catalog, commit, &table, error));
    *won = iceberg_commit_is_in(commit, &table, iceberg_commit_published(commit));
    iceberg_commit_set_outcome(commit, *won ? ICEBERG_OUTCOME_WON : ICEBERG_OUTCOME_LOST);
    iceberg_table_destroy(&table);
    return true;
}

/* Grows from try to try, with chance in it so that rivals part. */
static void commit_wait(int attempt)
{
    uint8_t chance = 128;
    int64_t wait = WAIT_MS;
    for (int i = 0; i < attempt && wait < LONGEST_WAIT_MS; i++)
        wait *= 2;
    random_bytes(&chance, 1, NULL);
    clock_sleep_ms(wait / 2 + wait * chance / 255);
}

static int commit_retries(const struct iceberg_commit *commit,
                          const struct catalog_commit_options *options)
{
    const char *text =
        iceberg_table_property(iceberg_commit_base(commit), "commit.retry.num-retries");
    if (options && options->retries >= 0)
        return options->retries;
    return text ? atoi(text) : DEFAULT_RETRIES;
}

/* Stands the commits that are still open on the newest metadata. */
static bool commits_rebase(struct catalog *catalog, struct iceberg_commit *const *commits,
                           size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        struct iceberg_table newer;
        if (iceberg_commit_outcome(commits[i]) == ICEBERG_OUTCOME_WON)
            continue;
        TRY(commit_reload(catalog, commits[i], &newer, error));
        if (iceberg_commit_is_in(commits[i], &newer, iceberg_commit_published(commits[i]))) {
            iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_WON);
            iceberg_table_destroy(&newer);
            continue;
        }
        TRY(iceberg_commit_rebase(commits[i], &newer, error));
    }
    return true;
}

static bool commits_unknown(struct iceberg_commit *const *commits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (iceberg_commit_outcome(commits[i]) == ICEBERG_OUTCOME_UNKNOWN)
            return true;
    }
    return false;
}

/* Settles an unknown outcome: true when all are known, *won when all were won. */
static bool commits_settle(struct catalog *catalog, struct iceberg_commit *const *commits,
                           size_t count, bool *won)
{
    for (int attempt = 0; attempt < PROBES; attempt++) {
        size_t settled = 0, found = 0;
        for (size_t i = 0; i < count; i++) {
            bool its = iceberg_commit_outcome(commits[i]) == ICEBERG_OUTCOME_WON;
            if (its || catalog_probe(catalog, commits[i], &its, NULL))
                settled++;
            found += its;
        }
        *won = found == count;
        if (settled == count)
            return true;
        for (size_t i = 0; i < count; i++) {
            if (iceberg_commit_outcome(commits[i]) != ICEBERG_OUTCOME_WON)
                iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_UNKNOWN);
        }
        commit_wait(attempt + 2);
    }
    return false;
}

static bool commits_publish_once(struct catalog *catalog, struct iceberg_commit *const *commits,
                                 size_t count, const struct catalog_commit_options *options,
                                 struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (iceberg_commit_outcome(commits[i]) != ICEBERG_OUTCOME_WON)
            TRY(iceberg_commit_prepare(commits[i], error));
    }
    return catalog->ops->publish(catalog, commits, count, options, error);
}

static bool commits_publish(struct catalog *catalog, struct iceberg_commit *const *commits,
                            size_t count, const struct catalog_commit_options *options,
                            struct error *error)
{
    int retries = commit_retries(commits[0], options);
    for (int attempt = 0;; attempt++) {
        struct error problem = {0};
        bool won = false;
        if (commits_publish_once(catalog, commits, count, options, &problem))
            return true;
        if (problem.kind == ERROR_UNKNOWN || commits_unknown(commits, count)) {
            bool settled = commits_settle(catalog, commits, count, &won);
            if (settled && won)
                return true;
            problem.kind = settled ? ERROR_CONFLICT : ERROR_UNKNOWN;
        }
        if (problem.kind != ERROR_CONFLICT || attempt >= retries) {
            if (error)
                *error = problem;
            return false;
        }
        commit_wait(attempt);
        TRY(commits_rebase(catalog, commits, count, error));
    }
}

bool catalog_commit(struct catalog *catalog, struct iceberg_commit *const *commits, size_t count,
                    const struct catalog_commit_options *options, struct error *error)
{
    struct iceberg_commit **open = memory_zero(count, sizeof *open, error);
    size_t left = 0;
    TRY(open != NULL);
    for (size_t i = 0; i < count; i++) {
        if (iceberg_commit_is_empty(commits[i]))
            iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_WON);
        if (iceberg_commit_outcome(commits[i]) != ICEBERG_OUTCOME_WON)
            open[left++] = commits[i];
    }
    bool ok = true;
    if (catalog->ops->atomic) {
        ok = left == 0 || commits_publish(catalog, open, left, options, error);
    } else {
        for (size_t i = 0; ok && i < left; i++)
            ok = commits_publish(catalog, &open[i], 1, options, error);
    }
    free(open);
    return ok;
}

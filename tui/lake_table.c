#include "tui/lake_table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/iceberg/catalog.h"
#include "core/pipeline/lag.h"

static bool ident_matches(const struct catalog_ident *ident, const char *name, bool whole)
{
    if (!whole)
        return strcasecmp(ident->name, name) == 0;
    size_t length = strlen(ident->namespace_name);
    return strncasecmp(ident->namespace_name, name, length) == 0 && name[length] == '.' &&
           strcasecmp(ident->name, name + length + 1) == 0;
}

static bool no_table(const struct catalog_listing *listing, const char *name, struct error *error)
{
    const char **names = memory_zero(listing->count, sizeof *names, error);
    TRY(names != NULL);
    for (size_t i = 0; i < listing->count; i++)
        names[i] = listing->items[i].name;
    const char *near = nearest_word(name, names, listing->count);
    error_set(error, ERROR_NOT_FOUND, "surfboard streams --json names the tables of the lake",
              "no table %s in the catalog", name);
    if (near)
        error_remedy(error, "did you mean %s?", near);
    free(names);
    return false;
}

static bool find_table(struct catalog *catalog, const char *name, struct iceberg_table *out,
                       struct error *error)
{
    struct catalog_listing listing;
    const struct catalog_ident *found = NULL;
    size_t count = 0;
    TRY(catalog_list(catalog, NULL, &listing, error));
    for (int whole = 1; whole >= 0 && count == 0; whole--) {
        for (size_t i = 0; i < listing.count; i++) {
            if (ident_matches(&listing.items[i], name, whole)) {
                found = &listing.items[i];
                count++;
            }
        }
    }
    bool ok = count > 0 || no_table(&listing, name, error);
    if (count > 1)
        ok = error_set(error, ERROR_USAGE, "write it as NAMESPACE.TABLE",
                       "%s: %zu tables of the catalog have that name", name, count);
    ok = ok && catalog_load(catalog, *found, out, error);
    catalog_listing_destroy(&listing);
    return ok;
}

bool lake_table_open(const struct profile *profile, const char *name, struct iceberg_table *out,
                     struct error *error)
{
    if (strchr(name, '/'))
        return iceberg_table_open(name, out, error);
    struct pipeline pipeline = {.profile = profile}; /* a catalog needs no model */
    struct catalog *catalog = pipeline_catalog_open(&pipeline, false, error);
    bool ok = catalog && find_table(catalog, name, out, error);
    catalog_close(catalog);
    return ok;
}

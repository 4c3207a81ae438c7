#include "tui/screen/query_names.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/config/credential.h"
#include "core/iceberg/catalog.h"
#include "core/pipeline/lag.h"
#include "core/query/engine.h"

static const char columns_sql[] =
    "SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p', 'f') "
    "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' "
    "ORDER BY n.nspname, c.relname, a.attnum LIMIT 20000";

void query_names_destroy(struct query_names *names)
{
    free(names->items);
    arena_destroy(&names->arena);
    *names = (struct query_names){0};
}

static bool add_name(struct query_names *names, const char *text, const char *table,
                     struct error *error)
{
    TRY(text && memory_grow(&names->items, &names->capacity, names->count + 1, sizeof *names->items,
                            error));
    names->items[names->count++] = (struct query_name){text, table};
    return true;
}

/* ---- the lake ---- */

static bool add_lake_table(struct query_names *names, const struct catalog_ident *ident,
                           const char **name, struct error *error)
{
    *name = arena_copy_text(&names->arena, ident->name, error);
    TRY(add_name(names, *name, NULL, error));
    return ident->namespace_name == NULL ||
           add_name(names,
                    arena_format(&names->arena, error, "%s.%s", ident->namespace_name, ident->name),
                    NULL, error);
}

/* A table that can't be read now has no columns to offer; that is no reason to fail. */
static bool add_lake_columns(struct query_names *names, struct catalog *catalog,
                             const struct catalog_ident *ident, const char *table,
                             struct error *error)
{
    struct iceberg_table lake = {0};
    struct error ignored = {0};
    if (!catalog_load(catalog, *ident, &lake, &ignored))
        return true;
    bool ok = true;
    for (size_t i = 0; ok && i < lake.schema->field_count; i++)
        ok = add_name(names, arena_copy_text(&names->arena, lake.schema->fields[i].name, error),
                      table, error);
    iceberg_table_destroy(&lake);
    return ok;
}

static bool read_lake(const struct profile *profile, const atomic_bool *stop,
                      struct query_names *names, struct error *error)
{
    struct pipeline pipeline = {.profile = profile}; /* a catalog needs no model */
    struct catalog_listing listing = {0};
    struct catalog *catalog = pipeline_catalog_open(&pipeline, false, error);
    bool ok = catalog && catalog_list(catalog, NULL, &listing, error);
    for (size_t i = 0; ok && i < listing.count && !atomic_load(stop); i++) {
        const char *name;
        ok = add_lake_table(names, &listing.items[i], &name, error);
        if (ok && i < QUERY_TABLES_MOST)
            ok = add_lake_columns(names, catalog, &listing.items[i], name, error);
    }
    catalog_listing_destroy(&listing);
    catalog_close(catalog);
    return ok;
}

/* ---- a source ---- */

/* As Postgres reads it back: quoted when it is not plain and lower case. */
static const char *source_name(struct query_names *names, struct slice name, struct error *error)
{
    bool plain =
        name.length > 0 && (name.data[0] == '_' || (name.data[0] >= 'a' && name.data[0] <= 'z'));
    for (size_t i = 0; i < name.length && plain; i++)
        plain =
            strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.data[i]) != NULL && name.data[i];
    if (plain)
        return arena_copy_slice(&names->arena, name, error);
    return arena_format(&names->arena, error, "\"%.*s\"", SLICE_ARG(name));
}

static bool add_source_row(struct query_names *names, const struct batch *batch, size_t row,
                           const char **table, struct error *error)
{
    const char *name = source_name(names, column_bytes(&batch->columns[1], row), error);
    TRY(name != NULL);
    if (*table == NULL || strcmp(*table, name) != 0) {
        const char *schema = source_name(names, column_bytes(&batch->columns[0], row), error);
        TRY(schema && add_name(names, name, NULL, error) &&
            add_name(names, arena_format(&names->arena, error, "%s.%s", schema, name), NULL,
                     error));
        *table = name;
    }
    return add_name(names, source_name(names, column_bytes(&batch->columns[2], row), error), *table,
                    error);
}

static bool read_source(const struct profile *profile, const struct profile_source *source,
                        const atomic_bool *stop, struct query_names *names, struct error *error)
{
    struct buffer dsn = {0};
    const char *credential = source->query_user ? NULL : source->credential;
    bool ok = credential_conninfo(profile, source->dsn, credential, &dsn, error);
    struct query_postgres_options options = {
        .dsn = dsn.data, .user = source->query_user, .statement_timeout_ms = 5000, .stop = stop};
    struct result *result = ok ? query_postgres_open(&options, columns_sql, error) : NULL;
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.capacity);
    buffer_destroy(&dsn);
    const char *table = NULL;
    const struct batch *batch = NULL;
    ok = result != NULL;
    while (ok && (ok = result_next(result, &batch, error)) && batch)
        for (size_t row = 0; ok && row < batch->length; row++)
            ok = add_source_row(names, batch, row, &table, error);
    result_close(result);
    return ok;
}

bool query_names_read(const struct profile *profile, const struct query_engine *engine,
                      const atomic_bool *stop, struct query_names *out, struct error *error)
{
    *out = (struct query_names){0};
    bool ok = engine->scan ? read_lake(profile, stop, out, error)
                           : read_source(profile, engine->source, stop, out, error);
    if (!ok)
        query_names_destroy(out);
    return ok;
}

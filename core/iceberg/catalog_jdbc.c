#include "core/iceberg/catalog_jdbc.h"

#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/base/random.h"

enum { ANSWER_MS = 60000 };

/* As Iceberg's JdbcUtil makes them, with room for long locations as Trino's tests widen them. */
static const char *const create_tables[] = {
    "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "
    "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, "
    "metadata_location VARCHAR(5500), previous_metadata_location VARCHAR(5500), "
    "iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name))",
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, "
    "namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL, "
    "property_value VARCHAR(5500), PRIMARY KEY (catalog_name, namespace, property_key))",
};

static const char has_tables[] =
    "SELECT (to_regclass('iceberg_tables') IS NOT NULL AND "
    "to_regclass('iceberg_namespace_properties') IS NOT NULL)::int::text || "
    "(SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('iceberg_tables') AND "
    "attname = 'iceberg_type' AND NOT attisdropped)::text";

#define TABLE_KEY "catalog_name = $1 AND table_namespace = $2 AND table_name = $3"
#define TABLE_TYPE "(iceberg_type = 'TABLE' OR iceberg_type IS NULL)"

static struct catalog_jdbc *jdbc_of(struct catalog *catalog)
{
    return (struct catalog_jdbc *)catalog;
}

/* Two programs that make the tables at once: one of them fails on the system catalogs' unique
 * indexes in spite of IF NOT EXISTS; looking again settles it. */
static bool make_tables(struct catalog_jdbc *jdbc, struct error *error)
{
    struct buffer answer = {0};
    bool found = false, ok = true;
    struct error first = {0};
    for (int attempt = 0; ok && attempt < 2; attempt++) {
        ok = pg_query_text(jdbc->pg, has_tables, NULL, 0, &answer, &found, error);
        if (!ok || slice_is(buffer_slice(&answer), "11"))
            break;
        if (slice_is(buffer_slice(&answer), "10"))
            ok = error_set(error, ERROR_UNSUPPORTED,
                           "upgrade it: ALTER TABLE iceberg_tables ADD COLUMN iceberg_type "
                           "VARCHAR(5)",
                           "%s: iceberg_tables is of the JDBC catalog's old layout V0",
                           pg_name(jdbc->pg));
        for (size_t i = 0; ok && i < sizeof create_tables / sizeof *create_tables; i++) {
            error_clear(&first);
            if (!pg_exec(jdbc->pg, create_tables[i], &first) && attempt == 1) {
                error_prefix(&first, "making the catalog's tables");
                if (error)
                    *error = first;
                ok = false;
            }
        }
    }
    buffer_destroy(&answer);
    return ok;
}

bool catalog_jdbc_connect(struct catalog_jdbc *jdbc, struct error *error)
{
    if (jdbc->pg && pg_is_alive(jdbc->pg))
        return true;
    pg_close(jdbc->pg);
    jdbc->pg = pg_open(&(struct pg_options){.dsn = jdbc->dsn, .answer_ms = ANSWER_MS}, error);
    return jdbc->pg && make_tables(jdbc, error);
}

bool catalog_jdbc_begin(struct catalog_jdbc *jdbc, struct error *error)
{
    return catalog_jdbc_connect(jdbc, error) &&
           pg_exec(jdbc->pg, "BEGIN; SET LOCAL lock_timeout = '5s'", error);
}

static void jdbc_close(struct catalog *catalog)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    pg_close(jdbc->pg);
    free(jdbc->dsn);
    free(jdbc->name);
    free(jdbc->warehouse);
    free(jdbc);
}

static bool check_ident(struct catalog_ident ident, struct error *error)
{
    if (ident.namespace_name && ident.namespace_name[0] && ident.name && ident.name[0])
        return true;
    return error_set(error, ERROR_USAGE, "name it as NAMESPACE.TABLE",
                     "\"%s\": a table of a JDBC catalog has a namespace and a name",
                     ident.name ? ident.name : "");
}

bool catalog_jdbc_pointer(struct catalog_jdbc *jdbc, struct catalog_ident ident, bool lock,
                          struct buffer *out, bool *found, struct error *error)
{
    const char *values[] = {jdbc->name, ident.namespace_name, ident.name};
    return pg_query_text(jdbc->pg,
                         lock ? "SELECT metadata_location FROM iceberg_tables WHERE " TABLE_KEY
                                " AND " TABLE_TYPE " FOR UPDATE"
                              : "SELECT metadata_location FROM iceberg_tables WHERE " TABLE_KEY
                                " AND " TABLE_TYPE,
                         values, 3, out, found, error);
}

static bool not_found(const struct catalog_jdbc *jdbc, struct catalog_ident ident,
                      struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND,
                     "check namespace and name; a merge creates the table with its first batch",
                     "catalog %s has no table %s.%s", jdbc->name, ident.namespace_name, ident.name);
}

/* After a commit whose outcome could not be read, reads wait behind the row's lock: an old pointer
 * seen beside a COMMIT under way would pass for a lost one. */
static bool read_pointer(struct catalog_jdbc *jdbc, struct catalog_ident ident,
                         struct buffer *location, bool *found, struct error *error)
{
    if (!jdbc->unsettled)
        return catalog_jdbc_connect(jdbc, error) &&
               catalog_jdbc_pointer(jdbc, ident, false, location, found, error);
    bool ok = catalog_jdbc_begin(jdbc, error) &&
              catalog_jdbc_pointer(jdbc, ident, true, location, found, error);
    if (jdbc->pg)
        pg_rollback(jdbc->pg);
    return ok;
}

static bool jdbc_load(struct catalog *catalog, struct catalog_ident ident,
                      struct iceberg_table *out, struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    struct buffer location = {0};
    bool found = false;
    *out = (struct iceberg_table){0};
    bool ok = check_ident(ident, error) && read_pointer(jdbc, ident, &location, &found, error) &&
              (found || not_found(jdbc, ident, error));
    if (ok && !iceberg_table_open(location.data, out, error))
        ok = error_prefix(error, "table %s.%s", ident.namespace_name, ident.name);
    if (ok && !jdbc->durable) {
        struct store *store =
            store_open(store_root(out->store), &(struct store_options){.durable = false}, error);
        ok = store != NULL;
        if (ok) {
            store_close(out->store);
            out->store = store;
        }
    }
    if (!ok)
        iceberg_table_destroy(out);
    buffer_destroy(&location);
    return ok;
}

static bool jdbc_pointer(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                         struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    bool found = false;
    return check_ident(ident, error) && read_pointer(jdbc, ident, out, &found, error) &&
           (found || not_found(jdbc, ident, error));
}

static bool jdbc_location(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                          struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    const char *values[] = {jdbc->name, ident.namespace_name};
    struct buffer place = {0};
    bool found = false;
    bool ok = check_ident(ident, error) && catalog_jdbc_connect(jdbc, error) &&
              pg_query_text(jdbc->pg,
                            "SELECT rtrim(property_value, '/') FROM iceberg_namespace_properties "
                            "WHERE catalog_name = $1 AND namespace = $2 AND "
                            "property_key = 'location'",
                            values, 2, &place, &found, error);
    if (ok && !found && jdbc->warehouse == NULL)
        ok = error_set(error, ERROR_CONFIG, "name the table's location, or the lake's warehouse",
                       "table %s.%s: no place for a new table", ident.namespace_name, ident.name);
    struct store *warehouse = ok && !found ? store_open(jdbc->warehouse, NULL, error) : NULL;
    ok = ok && (found || warehouse);
    uint8_t uuid[16];
    char unique[UUID_TEXT_SIZE];
    ok = ok && uuid_make(uuid, error);
    if (ok) {
        uuid_format(uuid, unique);
        if (!found)
            ok = buffer_append_format(&place, error, "%s/%s", store_uri(warehouse),
                                      ident.namespace_name) &&
                 buffer_text(&place, error);
    }
    ok = ok && buffer_append_format(out, error, "%s/%s-%s", place.data, ident.name, unique);
    store_close(warehouse);
    buffer_destroy(&place);
    return ok;
}

static bool insert_table(struct catalog_jdbc *jdbc, struct catalog_ident ident,
                         const char *metadata, struct error *error)
{
    const char *namespace[] = {jdbc->name, ident.namespace_name};
    const char *values[] = {jdbc->name, ident.namespace_name, ident.name, metadata};
    struct pg_rows rows = {0};
    bool ok = catalog_jdbc_begin(jdbc, error) &&
              pg_query(jdbc->pg,
                       "INSERT INTO iceberg_namespace_properties SELECT $1::varchar, $2::varchar, "
                       "'exists', 'true' "
                       "WHERE NOT EXISTS (SELECT FROM iceberg_namespace_properties WHERE "
                       "catalog_name = $1 AND namespace = $2) ON CONFLICT DO NOTHING",
                       namespace, 2, &rows, error);
    pg_rows_destroy(&rows);
    ok = ok && pg_query(jdbc->pg,
                        "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
                        "metadata_location, previous_metadata_location, iceberg_type) VALUES "
                        "($1, $2, $3, $4, NULL, 'TABLE')",
                        values, 4, &rows, error);
    pg_rows_destroy(&rows);
    ok = ok && FAULT("jdbc.create.before-commit", error) && pg_commit(jdbc->pg, error);
    if (ok && !FAULT("jdbc.create.after-commit", NULL))
        ok = error_set(error, ERROR_UNKNOWN, NULL, "as if the answer had been lost");
    if (!ok && jdbc->pg)
        pg_rollback(jdbc->pg);
    return ok;
}

/* After a lost reply: is the row there, and is it ours? */
static bool create_settle(struct catalog_jdbc *jdbc, struct catalog_ident ident,
                          const char *metadata, struct error *error)
{
    struct buffer there = {0};
    bool found = false;
    struct error own = {0};
    bool known = catalog_jdbc_begin(jdbc, &own) &&
                 catalog_jdbc_pointer(jdbc, ident, true, &there, &found, &own);
    if (jdbc->pg)
        pg_rollback(jdbc->pg);
    bool ours = known && found && strcmp(there.data, metadata) == 0;
    buffer_destroy(&there);
    if (!known)
        return error_set(error, ERROR_UNKNOWN, "run again when the catalog answers",
                         "creating table %s.%s: whether it was created is not known: %s",
                         ident.namespace_name, ident.name, own.message);
    return ours || error_set(error, found ? ERROR_EXISTS : ERROR_UNREACHABLE, "run again",
                             "creating table %s.%s: the connection broke and it was not created",
                             ident.namespace_name, ident.name);
}

static bool jdbc_create(struct catalog *catalog, struct catalog_ident ident, const char *location,
                        struct slice metadata, struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    uint8_t uuid[16];
    char unique[UUID_TEXT_SIZE], key[96];
    TRY(check_ident(ident, error) && catalog_jdbc_connect(jdbc, error) && uuid_make(uuid, error));
    uuid_format(uuid, unique);
    snprintf(key, sizeof key, "metadata/00000-%s.metadata.json", unique);
    struct store *store =
        store_open(location, &(struct store_options){.durable = jdbc->durable}, error);
    char *uri = store ? memory_format(error, "%s/%s", location, key) : NULL;
    bool written = uri && store_put_if_absent(store, key, metadata, error);
    struct error own = {0};
    bool ok = written && insert_table(jdbc, ident, uri, &own);
    if (written && !ok) {
        if (own.kind == ERROR_UNKNOWN) {
            error_clear(&own);
            ok = create_settle(jdbc, ident, uri, &own);
        } else if (own.kind == ERROR_EXISTS) {
            error_set(&own, ERROR_EXISTS, "load it", "catalog %s has a table %s.%s already",
                      jdbc->name, ident.namespace_name, ident.name);
        }
        if (!ok && own.kind != ERROR_UNKNOWN)
            (void)store_delete(store, key, NULL); /* nothing refers to it */
        if (!ok && error)
            *error = own;
    }
    free(uri);
    store_close(store);
    return ok;
}

static bool jdbc_list(struct catalog *catalog, const char *namespace_name,
                      struct catalog_listing *out, struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    const char *values[] = {jdbc->name, namespace_name};
    struct pg_rows rows = {0};
    *out = (struct catalog_listing){0};
    bool ok =
        catalog_jdbc_connect(jdbc, error) &&
        pg_query(jdbc->pg,
                 "SELECT table_namespace, table_name FROM iceberg_tables WHERE "
                 "catalog_name = $1 AND ($2::text IS NULL OR table_namespace = $2) AND " TABLE_TYPE
                 " ORDER BY table_namespace COLLATE \"C\", "
                 "table_name COLLATE \"C\"",
                 values, 2, &rows, error);
    size_t count = ok ? pg_rows_count(&rows) : 0;
    out->items = ok ? arena_zero(&out->arena, count, sizeof *out->items, error) : NULL;
    ok = ok && out->items;
    for (size_t i = 0; ok && i < count; i++) {
        out->items[i].namespace_name =
            arena_copy_text(&out->arena, pg_rows_value(&rows, i, 0), error);
        out->items[i].name = arena_copy_text(&out->arena, pg_rows_value(&rows, i, 1), error);
        ok = out->items[i].namespace_name && out->items[i].name;
        out->count += ok;
    }
    pg_rows_destroy(&rows);
    if (!ok)
        catalog_listing_destroy(out);
    return ok;
}

static bool jdbc_drop(struct catalog *catalog, struct catalog_ident ident, struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    const char *values[] = {jdbc->name, ident.namespace_name, ident.name};
    struct pg_rows rows = {0};
    bool ok = check_ident(ident, error) && catalog_jdbc_connect(jdbc, error) &&
              pg_query(jdbc->pg, "DELETE FROM iceberg_tables WHERE " TABLE_KEY " AND " TABLE_TYPE,
                       values, 3, &rows, error) &&
              (pg_rows_affected(&rows) == 1 || not_found(jdbc, ident, error));
    pg_rows_destroy(&rows);
    return ok;
}

bool catalog_jdbc_rename(struct catalog *catalog, struct catalog_ident from,
                         struct catalog_ident to, struct error *error)
{
    struct catalog_jdbc *jdbc = jdbc_of(catalog);
    if (strcmp(catalog->ops->kind, "jdbc") != 0)
        return error_set(error, ERROR_UNSUPPORTED, "move the table's folder instead",
                         "a %s catalog has no names to change", catalog->ops->kind);
    const char *values[] = {jdbc->name, from.namespace_name, from.name, to.namespace_name, to.name};
    struct pg_rows rows = {0};
    struct error own = {0};
    bool ok =
        check_ident(from, error) && check_ident(to, error) && catalog_jdbc_connect(jdbc, error);
    if (!ok)
        return false;
    ok = pg_query(jdbc->pg,
                  "WITH made AS (INSERT INTO iceberg_namespace_properties SELECT $1::varchar, "
                  "$4::varchar, 'exists', "
                  "'true' WHERE NOT EXISTS (SELECT FROM iceberg_namespace_properties WHERE "
                  "catalog_name = $1 AND namespace = $4) ON CONFLICT DO NOTHING) "
                  "UPDATE iceberg_tables SET table_namespace = $4, table_name = $5 WHERE " TABLE_KEY
                  " AND " TABLE_TYPE,
                  values, 5, &rows, &own);
    if (ok && pg_rows_affected(&rows) != 1)
        ok = not_found(jdbc, from, &own);
    else if (!ok && own.kind == ERROR_EXISTS)
        error_set(&own, ERROR_EXISTS, "choose another name", "catalog %s has a table %s.%s already",
                  jdbc->name, to.namespace_name, to.name);
    pg_rows_destroy(&rows);
    if (!ok && error)
        *error = own;
    return ok;
}

static const struct catalog_ops jdbc_ops = {
    .kind = "jdbc",
    .atomic = true,
    .load = jdbc_load,
    .create = jdbc_create,
    .location = jdbc_location,
    .pointer = jdbc_pointer,
    .publish = catalog_jdbc_publish,
    .list = jdbc_list,
    .drop = jdbc_drop,
    .close = jdbc_close,
};

struct catalog *catalog_jdbc_open(const char *dsn, const char *catalog_name, const char *warehouse,
                                  bool durable, struct error *error)
{
    struct catalog_jdbc *jdbc = memory_zero(1, sizeof *jdbc, error);
    if (jdbc == NULL)
        return NULL;
    jdbc->base.ops = &jdbc_ops;
    jdbc->durable = durable;
    jdbc->dsn = memory_copy_text(dsn, error);
    jdbc->name = jdbc->dsn ? memory_copy_text(catalog_name, error) : NULL;
    bool ok = jdbc->name != NULL;
    if (ok && warehouse)
        ok = (jdbc->warehouse = memory_copy_text(warehouse, error)) != NULL;
    if (!ok || !catalog_jdbc_connect(jdbc, error)) {
        jdbc_close(&jdbc->base);
        return NULL;
    }
    return &jdbc->base;
}

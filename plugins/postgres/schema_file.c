#include "core/base/json.h"
#include "plugins/postgres/schema_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/change/table.h"
#include "core/store/store.h"
#include "plugins/postgres/relation.h"

/* Domains become their base types, enums `enum`, types of extensions their bare names; the rest is
 * format_type()'s. %s: generated columns are not published before version 18. */
static const char schema_columns_sql[] =
    "WITH RECURSIVE chain AS ("
    " SELECT a.attnum, a.attname, a.attnotnull, a.attndims, t.oid AS type, a.atttypmod AS modifier,"
    "  t.typtype, t.typbasetype, t.typtypmod"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped%s"
    " UNION ALL"
    " SELECT c.attnum, c.attname, c.attnotnull, c.attndims, t.oid, c.typtypmod, t.typtype,"
    "  t.typbasetype, t.typtypmod"
    " FROM chain c JOIN pg_catalog.pg_type t ON t.oid = c.typbasetype WHERE c.typtype = 'd')"
    " SELECT c.attname, c.attnotnull, c.attndims,"
    "  CASE WHEN c.typtype = 'e' THEN 'enum' WHEN e.typtype = 'e' THEN 'enum[]'"
    "  WHEN n.nspname <> 'pg_catalog' AND e.oid IS NOT NULL THEN e.typname || '[]'"
    "  WHEN n.nspname <> 'pg_catalog' THEN t.typname"
    "  ELSE pg_catalog.format_type(c.type, c.modifier) END"
    " FROM chain c JOIN pg_catalog.pg_type t ON t.oid = c.type"
    " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
    " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'"
    " WHERE c.typtype <> 'd' ORDER BY c.attnum";

static bool schema_find(struct pg *pg, const char *schema, const char *table, char oid[16],
                        char identity[4], struct error *error)
{
    const char *parameters[] = {schema, table};
    struct pg_rows rows = {0};
    TRY(pg_query(pg,
                 "SELECT c.oid, c.relreplident FROM pg_catalog.pg_class c"
                 " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                 " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')",
                 parameters, 2, &rows, error));
    bool found = pg_rows_count(&rows) > 0;
    if (found) {
        snprintf(oid, 16, "%s", pg_rows_value(&rows, 0, 0));
        snprintf(identity, 4, "%s", pg_rows_value(&rows, 0, 1));
    }
    pg_rows_destroy(&rows);
    return found || error_set(error, ERROR_NOT_FOUND, "check schema and name, and upper case",
                              "%s has no table %s.%s", pg_name(pg), schema, table);
}

static bool schema_column(json_t *columns, json_t *left_out, const struct pg_rows *rows, size_t row,
                          struct error *error)
{
    const char *name = pg_rows_value(rows, row, 0);
    const char *type = pg_rows_value(rows, row, 3);
    long dimensions = strtol(pg_rows_value(rows, row, 2), NULL, 10);
    struct arena arena = {0};
    struct type lake;
    struct error why = {0};
    bool fits = dimensions <= 1
                    ? change_type_of(type, &lake, &arena, &why)
                    : error_set(&why, ERROR_CONFIG, NULL,
                                "arrays of %ld dimensions have no room in the lake", dimensions);
    arena_destroy(&arena);
    json_t *entry = NULL;
    if (!fits && left_out)
        entry = json_pack("{s:s, s:s, s:s}", "column", name, "type", type, "reason", why.message);
    if (fits)
        entry = json_pack("{s:s, s:s, s:b}", "name", name, "type", type, "nullable",
                          pg_rows_value(rows, row, 1)[0] != 't');
    if (!fits && left_out == NULL)
        return true;
    return json_array_append_new(fits ? columns : left_out, entry) == 0 ||
           error_set_memory(error, 128);
}

static bool schema_columns(struct pg *pg, const char *oid, json_t *columns, json_t *left_out,
                           struct error *error)
{
    char sql[sizeof schema_columns_sql + 64];
    int version = PQserverVersion(pg_connection(pg));
    struct pg_rows rows = {0};
    snprintf(sql, sizeof sql, schema_columns_sql,
             version >= 120000 && version < 180000 ? " AND a.attgenerated = ''" : "");
    TRY(pg_query(pg, sql, &oid, 1, &rows, error));
    bool ok = true;
    for (size_t i = 0; ok && i < pg_rows_count(&rows); i++)
        ok = schema_column(columns, left_out, &rows, i, error);
    pg_rows_destroy(&rows);
    return ok;
}

static bool schema_key(struct pg *pg, const char *oid, json_t *key, struct error *error)
{
    struct pg_rows rows = {0};
    TRY(relation_key_columns(pg, (uint32_t)strtoul(oid, NULL, 10), &rows, error));
    bool ok = true;
    for (size_t i = 0; ok && i < pg_rows_count(&rows); i++)
        ok = json_array_append_new(key, json_string(pg_rows_value(&rows, i, 0))) == 0;
    pg_rows_destroy(&rows);
    return ok || error_set_memory(error, 128);
}

static const char *schema_identity(char letter)
{
    switch (letter) {
    case 'f':
        return "full";
    case 'i':
        return "index";
    case 'n':
        return "nothing";
    default:
        return "default";
    }
}

json_t *schema_file_make(struct pg *pg, const char *schema, const char *table, json_t *left_out,
                         struct error *error)
{
    char oid[16];
    char identity[4];
    if (!schema_find(pg, schema, table, oid, identity, error))
        return NULL;
    json_t *columns = json_array();
    json_t *key = json_array();
    json_t *file = NULL;
    if (columns && key && schema_columns(pg, oid, columns, left_out, error) &&
        schema_key(pg, oid, key, error)) {
        file =
            json_pack("{s:i, s:s, s:s, s:O, s:O, s:s, s:{s:s, s:s, s:s, s:s}}", "format", 1, "name",
                      table, "source_schema", schema, "columns", columns, "primary_key", key,
                      "replica_identity", schema_identity(identity[0]), "encoding", "decimal",
                      "string", "time", "microseconds", "binary", "base64", "interval", "string");
        if (file == NULL)
            error_set_memory(error, 256);
    }
    json_decref(columns);
    json_decref(key);
    return file;
}

bool schema_file_write(struct store *store, const char *topic, const json_t *file,
                       struct error *error)
{
    char key[512];
    struct buffer old = {0};
    snprintf(key, sizeof key, "_schema/%s.json", topic);
    char *text = json_text(file, JSON_INDENT(1) | JSON_PRESERVE_ORDER, error);
    if (text == NULL)
        return error_set_memory(error, 1024);
    bool same = store_read(store, key, &old, NULL) && slice_is(buffer_slice(&old), text);
    bool ok = same || store_put(store, key, slice_of(text), error);
    buffer_destroy(&old);
    free(text);
    return ok;
}

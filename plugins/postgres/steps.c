#include "plugins/postgres/steps.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugins/postgres/relation.h"
#include "plugins/postgres/session.h"

enum { CONNECT_MS = 5000, ANSWER_MS = 30000 };

struct pg *steps_connect(const struct step_target *target, struct error *error)
{
    struct buffer dsn = {0};
    struct pg *pg = NULL;
    if (pipeline_source_conninfo(target->pipeline, target->capture, &dsn, error))
        pg = session_open(&(struct pg_options){.dsn = dsn.data,
                                               .connect_ms = CONNECT_MS,
                                               .answer_ms = ANSWER_MS,
                                               .stop = target->stop},
                          error);
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return pg;
}

bool steps_system_id(struct pg *pg, char out[32], struct error *error)
{
    return session_text(pg, "SELECT system_identifier FROM pg_catalog.pg_control_system()", NULL, 0,
                        out, 32, error);
}

bool steps_apply(const struct step_target *target)
{
    return target->capture != NULL;
}

bool steps_table_name(struct buffer *out, const struct stream_table *table, struct error *error)
{
    return pg_quote_name(out, table->schema, error) && buffer_append_byte(out, '.', error) &&
           pg_quote_name(out, table->table, error);
}

/* The key as relation_key_columns() finds it must be inside the replica identity, else deletes and
 * key changes come without it. */
static bool table_key(struct pg *pg, struct source_table *table, struct error *error)
{
    struct pg_rows key = {0};
    TRY(relation_key_columns(pg, (uint32_t)strtoul(table->oid, NULL, 10), &key, error));
    table->has_key = pg_rows_count(&key) > 0;
    table->key_covered = table->identity == 'f' || table->identity == 'd';
    bool ok = true;
    if (table->identity == 'i') {
        table->key_covered = true;
        for (size_t i = 0; ok && i < pg_rows_count(&key); i++) {
            const char *parameters[] = {table->oid, pg_rows_value(&key, i, 0)};
            bool inside;
            ok = session_flag(pg,
                              "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_index i"
                              " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid"
                              " AND a.attnum = ANY (i.indkey::int2[])"
                              " WHERE i.indrelid = $1::oid AND i.indisreplident"
                              " AND a.attname = $2)",
                              parameters, 2, &inside, error);
            table->key_covered = table->key_covered && ok && inside;
        }
    }
    /* A key that is no primary key counts under the default identity for nothing. */
    if (ok && table->identity == 'd' && table->has_key) {
        const char *parameters[] = {table->oid};
        ok = session_flag(pg,
                          "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_index"
                          " WHERE indrelid = $1::oid AND indisprimary)",
                          parameters, 1, &table->key_covered, error);
    }
    pg_rows_destroy(&key);
    return ok;
}

static bool table_look(struct pg *pg, struct source_table *table, struct error *error)
{
    const char *parameters[] = {table->stream->schema, table->stream->table};
    struct pg_rows rows = {0};
    TRY(pg_query(pg,
                 "SELECT c.oid, c.relkind, c.relpersistence, c.relreplident,"
                 " pg_has_role(current_user, c.relowner, 'USAGE'),"
                 " has_table_privilege(c.oid, 'SELECT'), has_schema_privilege(n.oid, 'USAGE'),"
                 " c.reltuples"
                 " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                 " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
                 parameters, 2, &rows, error));
    table->found = pg_rows_count(&rows) > 0;
    if (table->found) {
        snprintf(table->oid, sizeof table->oid, "%s", pg_rows_value(&rows, 0, 0));
        table->kind = pg_rows_value(&rows, 0, 1)[0];
        table->persistence = pg_rows_value(&rows, 0, 2)[0];
        table->identity = pg_rows_value(&rows, 0, 3)[0];
        table->owned = pg_rows_value(&rows, 0, 4)[0] == 't';
        table->may_select = pg_rows_value(&rows, 0, 5)[0] == 't';
        table->may_use_schema = pg_rows_value(&rows, 0, 6)[0] == 't';
        table->estimate = strtod(pg_rows_value(&rows, 0, 7), NULL);
    }
    pg_rows_destroy(&rows);
    return !table->found || table_key(pg, table, error);
}

bool steps_tables(struct pg *pg, const struct step_target *target, struct arena *arena,
                  struct source_table **out, size_t *count, struct error *error)
{
    const struct stream *stream = target->stream;
    *count = stream ? stream->table_count : target->capture->table_count;
    *out = arena_zero(arena, *count, sizeof **out, error);
    TRY(*out != NULL);
    for (size_t i = 0; i < *count; i++) {
        (*out)[i].stream = stream ? &stream->tables[i] : target->capture->tables[i];
        TRY(table_look(pg, &(*out)[i], error));
    }
    return true;
}

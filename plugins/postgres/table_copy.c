#include "plugins/postgres/table_copy.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

enum { COPY_WAIT_MS = 200 };

bool table_describe(struct pg *pg, uint32_t oid, const char *schema, const char *table,
                    const char *publication, struct pgoutput_message *message, struct pg_rows *rows,
                    struct error *error)
{
    int version = PQserverVersion(pg_connection(pg));
    char sql[1200];
    char number[16];
    const char *parameters[] = {number, publication, schema, table};
    snprintf(sql, sizeof sql,
             "SELECT a.attname, a.atttypid, a.atttypmod, c.relreplident,"
             " EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid"
             "  AND a.attnum = ANY (i.indkey::int2[]) AND CASE c.relreplident"
             "  WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE true END)"
             " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
             " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped%s"
             " AND ($2::text IS NULL OR $3::text IS NULL OR $4::text IS NULL OR %s)"
             " ORDER BY a.attnum",
             version >= 120000 && version < 180000 ? " AND a.attgenerated = ''" : "",
             version >= 150000 ? "EXISTS (SELECT 1 FROM pg_catalog.pg_publication_tables p"
                                 " WHERE p.pubname = $2 AND p.schemaname = $3 AND p.tablename = $4"
                                 " AND a.attname = ANY (p.attnames))"
                               : "true");
    snprintf(number, sizeof number, "%u", oid);
    TRY(pg_query(pg, sql, parameters, 4, rows, error));
    size_t count = pg_rows_count(rows);
    TRY(memory_grow(&message->columns, &message->column_capacity, count, sizeof *message->columns,
                    error));
    for (size_t i = 0; i < count; i++)
        message->columns[i] = (struct pgoutput_column){
            .in_key = pg_rows_value(rows, i, 4)[0] == 't',
            .name = slice_of(pg_rows_value(rows, i, 0)),
            .type = (uint32_t)strtoul(pg_rows_value(rows, i, 1), NULL, 10),
            .modifier = (int32_t)strtol(pg_rows_value(rows, i, 2), NULL, 10)};
    message->column_count = count;
    message->identity = count ? pg_rows_value(rows, 0, 3)[0] : 'd';
    message->relation = oid;
    message->schema = slice_of(schema);
    message->name = slice_of(table);
    return true;
}

bool table_copy_sql(const struct relation *relation, char kind, const char *sample,
                    const char *filter, struct buffer *sql, struct error *error)
{
    TRY(buffer_append_text(sql, "COPY (SELECT ", error));
    for (size_t i = 0; i < relation->column_count; i++) {
        TRY(buffer_append_text(sql, i ? ", " : "", error));
        TRY(pg_quote_name(sql, relation->columns[i].name, error));
    }
    /* Rows of inheriting tables are not the parent's; those of partitions are. */
    TRY(buffer_append_text(sql, kind == 'p' ? " FROM " : " FROM ONLY ", error));
    TRY(pg_quote_name(sql, relation->schema, error));
    TRY(buffer_append_byte(sql, '.', error));
    TRY(pg_quote_name(sql, relation->name, error));
    if (sample)
        TRY(buffer_append_format(sql, error, " %s", sample));
    if (filter)
        TRY(buffer_append_format(sql, error, " WHERE %s", filter));
    TRY(buffer_append_text(sql, ") TO STDOUT", error));
    return buffer_text(sql, error) != NULL;
}

bool table_copy_start(struct pg *pg, const char *sql, struct error *error)
{
    PGresult *result = NULL;
    TRY(pg_send(pg, sql, NULL, 0, false, error));
    TRY(pg_next_result(pg, &result, error));
    bool started = PQresultStatus(result) == PGRES_COPY_OUT;
    PQclear(result);
    return started || error_set(error, ERROR_INTERNAL, NULL, "COPY did not start");
}

bool table_copy_next(struct pg *pg, char **line, size_t *length, struct error *error)
{
    PGconn *connection = pg_connection(pg);
    for (;;) {
        int got = PQgetCopyData(connection, line, 1);
        if (got > 0) {
            *length = (size_t)got;
            return true;
        }
        *line = NULL;
        if (got == -1)
            return true;
        if (got < 0)
            return pg_error(pg, NULL, "copying", error);
        struct pollfd socket = {PQsocket(connection), POLLIN, 0};
        if (poll(&socket, 1, COPY_WAIT_MS) < 0 && errno != EINTR)
            return error_set_system(error, errno, "waiting for Postgres");
        if (!PQconsumeInput(connection))
            return pg_error(pg, NULL, "copying", error);
    }
}

bool table_copy_finish(struct pg *pg, struct error *error)
{
    for (;;) {
        PGresult *result = NULL;
        TRY(pg_next_result(pg, &result, error));
        if (result == NULL)
            return true;
        PQclear(result);
    }
}

/* The character behind a backslash of COPY's text format. */
static char copy_unescape(char letter)
{
    static const char letters[] = "bfnrtv";
    static const char meant[] = "\b\f\n\r\t\v";
    const char *at = strchr(letters, letter);
    return letter && at ? meant[at - letters] : letter;
}

bool table_copy_split(char *line, size_t length, struct pgoutput_value *values, size_t count)
{
    size_t field = 0;
    char *at = line;
    char *end = line + length;
    if (end > line && end[-1] == '\n')
        end--;
    if (count == 0)
        return at == end;
    for (;;) {
        char *start = at;
        char *to = at;
        bool null = end - at >= 2 && at[0] == '\\' && at[1] == 'N';
        while (at < end && *at != '\t') {
            if (*at == '\\' && at + 1 < end) {
                *to++ = copy_unescape(at[1]);
                at += 2;
            } else {
                *to++ = *at++;
            }
        }
        values[field++] =
            (struct pgoutput_value){null ? 'n' : 't', slice_make(start, (size_t)(to - start))};
        if (at == end || field == count)
            return at == end && field == count;
        at++;
    }
}

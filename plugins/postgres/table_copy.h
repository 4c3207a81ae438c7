/* table_copy.h: reading a whole table by COPY, for snapshots and for verify. */
#ifndef SURFBOARD_POSTGRES_TABLE_COPY_H
#define SURFBOARD_POSTGRES_TABLE_COPY_H

#include "plugins/postgres/relation.h"

/* What a Relation message would say of the table, from the catalog as `pg` sees it. Only the
 * columns that `publication` sends (NULL: all that are stored). The slices borrow from `rows`,
 * which the caller destroys behind its last use of `message`. */
bool table_describe(struct pg *pg, uint32_t oid, const char *schema, const char *table,
                    const char *publication, struct pgoutput_message *message, struct pg_rows *rows,
                    struct error *error);

/* "COPY (SELECT columns FROM table ...) TO STDOUT". `kind` 'p': with its partitions' rows; `sample`
 * is put behind the table ("TABLESAMPLE ..."), `filter` behind WHERE; both may be NULL. */
bool table_copy_sql(const struct relation *relation, char kind, const char *sample,
                    const char *filter, struct buffer *sql, struct error *error);

bool table_copy_start(struct pg *pg, const char *sql, struct error *error);
/* The next row, as libpq hands it out (PQfreemem() it); NULL at the end. */
bool table_copy_next(struct pg *pg, char **line, size_t *length, struct error *error);
/* Behind the last row: what COPY itself says. */
bool table_copy_finish(struct pg *pg, struct error *error);

/* Takes a row apart in place: texts without their escapes, nulls. False when it does not have
 * `count` fields. */
bool table_copy_split(char *line, size_t length, struct pgoutput_value *values, size_t count);

#endif

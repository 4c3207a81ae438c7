/* relation.h: a captured table as its rows arrive: columns with the form of their values, the key,
 * the replica identity. Made from a Relation message or, for a snapshot, from the catalog. */
#ifndef SURFBOARD_POSTGRES_RELATION_H
#define SURFBOARD_POSTGRES_RELATION_H

#include "core/base/arena.h"
#include "core/change/line_writer.h"
#include "plugins/postgres/pgoutput.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/captured_value.h"

struct topic;

struct relation_column {
    const char *name;
    struct buffer label; /* `"name":` as it stands in a row */
    struct captured_type type;
    bool in_key;
};

struct relation {
    uint32_t oid;
    const char *schema, *name;
    char identity; /* 'd' default, 'n' nothing, 'f' full, 'i' index */
    struct relation_column *columns;
    size_t column_count;
    size_t *key; /* indices into columns, in key order */
    size_t key_count;
    struct line_table line;
    struct topic *topic; /* borrowed */
    uint64_t since;      /* transactions that committed before this are in its snapshot */
    struct arena arena;
};

/* What a connector calls itself in source.version. */
#define RELATION_VERSION "surfboard-" SURFBOARD_VERSION

/* From a Relation message; types and key are looked up with `pg`. `name` is the topic prefix.
 * ERROR_CONFIG when the key can't be followed (a replica identity without the primary key). */
struct relation *relation_create(struct pg *pg, const struct pgoutput_message *message,
                                 const char *name, const char *database, struct error *error);
void relation_destroy(struct relation *relation); /* NULL is fine */

/* The form of a type's values: of domains the base type's, of arrays the elements'. */
bool relation_type(struct pg *pg, uint32_t oid, int32_t modifier, struct captured_type *out,
                   struct error *error);

/* The columns of the key, in order, one name a row: the primary key, else the replica identity's
 * index, else (under FULL) the first unique index without nulls. No rows: no key. */
bool relation_key_columns(struct pg *pg, uint32_t oid, struct pg_rows *out, struct error *error);

/* ---- rows as JSON objects, appended to `out` ---- */

/* What a row of JSON takes from its tuples. */
enum relation_part {
    RELATION_ROW, /* all columns; unchanged out-of-line values from `other` when it has them, else
                     their marker */
    RELATION_KEY /* the key's columns only; an unchanged one from `other` */,
    RELATION_OLD /* all columns, but only the key's have values */
};

/* `values` has column_count entries; `other` may be NULL. ERROR_INPUT names table and column. */
bool relation_append(const struct relation *relation, struct captured_writer *writer,
                     struct buffer *out, enum relation_part part,
                     const struct pgoutput_value *values, const struct pgoutput_value *other,
                     struct error *error);

/* Whether the key differs between two rows (an unchanged out-of-line value does not). */
bool relation_key_changed(const struct relation *relation, const struct pgoutput_value *before,
                          const struct pgoutput_value *after);

#endif

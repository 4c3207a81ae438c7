/* table.h: what a captured table looks like: the schema file (cli.md "Schema file") and the lake
 * type of each column (design.md section 5, "forms without a standard").
 *
 * | Postgres                                   | lake                                        |
 * |--------------------------------------------|---------------------------------------------|
 * | boolean                                    | boolean                                     |
 * | smallint, integer, serial / bigint, oid    | int / long                                  |
 * | real / double precision                    | float / double                              |
 * | numeric(p,s), 0 <= s <= p <= 38            | decimal(p,s)                                |
 * | numeric, other numeric(p,s)                | string, plain notation                      |
 * | money                                      | decimal(19,2)                               |
 * | text, varchar, char, citext, enum, json,   | string                                      |
 * | jsonb, xml, inet, cidr, macaddr, ranges,   |                                             |
 * | ltree, tsvector, isbn, timetz              |                                             |
 * | interval                                   | string, ISO 8601 as Postgres prints it      |
 * | bytea                                      | binary                                      |
 * | uuid                                       | uuid                                        |
 * | date, time, timestamp, timestamptz         | the same                                    |
 * | bit, bit(n), bit varying(n)                | string of 0 and 1                           |
 * | hstore                                     | map<string, string>                         |
 * | point                                      | struct<x: double, y: double>                |
 * | geometry, geography                        | struct<wkb: binary, srid: int>              |
 * | vector, halfvec, sparsevec                 | list<double>, list<float>, string           |
 * | T[]                                        | list<T>                                     |
 *
 * Arrays of more than one dimension and types that Debezium leaves out of its events are refused
 * (ERROR_CONFIG naming file, column and remedy). A column of type `name` is a string; Debezium
 * sends null for it, which onboarding warns of.
 */
#ifndef SURFBOARD_CHANGE_TABLE_H
#define SURFBOARD_CHANGE_TABLE_H

#include "core/base/type.h"

enum change_identity {
    CHANGE_IDENTITY_DEFAULT, /* `before` is good for its key members only */
    CHANGE_IDENTITY_FULL,    /* `before` is complete */
    CHANGE_IDENTITY_INDEX,   /* `before` is good for the members of `key` */
    CHANGE_IDENTITY_NOTHING  /* no `before`; updates and deletes can't be captured */
};

/* How the connector was told to write values; events with a schema of their own win over it. */
struct change_encoding {
    enum { CHANGE_DECIMAL_STRING, CHANGE_DECIMAL_PRECISE, CHANGE_DECIMAL_DOUBLE } decimal;
    enum {
        CHANGE_TIME_MICROSECONDS,
        CHANGE_TIME_ADAPTIVE,              /* milliseconds up to precision 3 */
        CHANGE_TIME_ADAPTIVE_MICROSECONDS, /* as adaptive; time always microseconds */
        CHANGE_TIME_CONNECT,               /* always milliseconds */
        CHANGE_TIME_ISOSTRING,
        CHANGE_TIME_NANOSECONDS
    } time;
    enum { CHANGE_BINARY_BASE64, CHANGE_BINARY_BASE64_URL, CHANGE_BINARY_HEX } binary;
    enum { CHANGE_INTERVAL_STRING, CHANGE_INTERVAL_NUMERIC } interval;
};

/* How a value of a column is written in an event; private to core/change. */
struct change_form;

struct change_column {
    const char *name;
    const char *pg_type; /* as the schema file has it */
    struct type type;    /* in the lake; nested field ids are 0 until change_table_lake_schema() */
    bool nullable;       /* in the source; in the lake only key columns are required */
    int key_ordinal;     /* place in the primary key from 0; -1: not part of it */
    const struct change_form *form;
};

struct change_table {
    const char *name;          /* "orders" */
    const char *source_schema; /* "public"; NULL when the file does not say */
    struct change_column *columns;
    size_t column_count;
    size_t *key_columns; /* indices into columns, in key order */
    size_t key_count;    /* 0: a table without key, see change_table_require_key() */
    enum change_identity identity;
    struct change_encoding encoding;
    struct arena arena;
};

/* Reads a schema file. `file` names it in messages. ERROR_CONFIG names file and column or key:
 * not JSON, missing or double names, unknown type, unknown encoding or identity, key column that is
 * missing or of a type that can't be a key (lists, maps, structs). Unknown members of the file are
 * ignored. Destroy with change_table_destroy(), after failures too. */
bool change_table_parse(struct slice json, const char *file, struct change_table *out,
                        struct error *error);
void change_table_destroy(struct change_table *table);

/* ERROR_UNSUPPORTED with a remedy when the table has no primary key. */
bool change_table_require_key(const struct change_table *table, struct error *error);

/* Makes the members of an event's key object the primary key of a table that has none in its schema
 * file: Debezium takes a unique index where there is no primary key (REPLICA IDENTITY USING INDEX).
 * Members come in no order of their own, so the order in which columns stand in the table counts.
 * ERROR_CONFIG when a member is no column or can't be part of a key. */
bool change_table_adopt_key(struct change_table *table, struct slice key, struct error *error);

/* Index of a column by its exact name; column_count when there is none. */
size_t change_table_column(const struct change_table *table, struct slice name);

/* The live table's schema: the columns in file order with ids from 1 (all top-level ids first, then
 * nested ones, as Iceberg's libraries number a new table), then `ds_surf_batch_id int`. Key columns
 * are required, all others optional; the identifier ids are the key's, unless it holds float or
 * double (Iceberg forbids those). A column of the source named like ours is ERROR_CONFIG. */
bool change_table_lake_schema(const struct change_table *table, struct schema *out,
                              struct error *error);

/* The lake type of one Postgres type name ("numeric(12,2)", "text[]"); nested field ids 0. For
 * checks before a table is onboarded. ERROR_CONFIG says why a type can't be taken. */
bool change_type_of(const char *pg_type, struct type *out, struct arena *arena,
                    struct error *error);

#endif

/* schema_file.h: the schema file of a table (cli.md, "Schema file") out of the database's catalog:
 * what the merge reads a topic's types from, <deltas>/_schema/<topic>.json. */
#ifndef SURFBOARD_POSTGRES_SCHEMA_FILE_H
#define SURFBOARD_POSTGRES_SCHEMA_FILE_H

#include <jansson.h>

#include "core/net/pg.h"

struct store;

/* Columns whose type the lake has no room for (change_type_of() refuses it) are left out and named
 * with the reason in `left_out`, an array of {"column", "type", "reason"} (may be NULL). The key is
 * relation_key_columns(). NULL with an error; ERROR_NOT_FOUND when there is no such table. */
json_t *schema_file_make(struct pg *pg, const char *schema, const char *table, json_t *left_out,
                         struct error *error);

/* Writes it below the delta store unless the same is there already. */
bool schema_file_write(struct store *store, const char *topic, const json_t *file,
                       struct error *error);

#endif

/* infer_key.h: the key of a table without a primary key whose replica identity is a unique index:
 * the schema file can't tell it, but every event does. */
#ifndef SURFBOARD_MERGE_INFER_KEY_H
#define SURFBOARD_MERGE_INFER_KEY_H

#include "core/change/table.h"

/* Leaves tables with a key, and those of another replica identity, as they are. Otherwise takes the
 * members of the first key found in the topic's folder, in the order of the table's columns. No key
 * found: left as it is, too (change_table_require_key() then says what is missing). */
bool infer_key(struct change_table *table, const char *deltas, struct error *error);

#endif

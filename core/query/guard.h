/* guard.h: lets reading statements through and no others (screen.md, "Query reads only"). It stands
 * before Postgres' own READ ONLY, which does not hold back functions with effects: one of them
 * dropped a slot in a read-only transaction. A role without rights is the other half. */
#ifndef SURFBOARD_QUERY_GUARD_H
#define SURFBOARD_QUERY_GUARD_H

#include "core/base/error.h"
#include "core/base/slice.h"

/* ERROR_REFUSED for a second statement, a first keyword other than SELECT, WITH, VALUES, TABLE,
 * SHOW, DESCRIBE, EXPLAIN (ANALYZE only of a reading statement), and calls of functions with
 * effects; ERROR_USAGE for text that is no SQL. */
bool guard_check_reading(struct slice sql, struct error *error);
/* One statement, whatever it does; no transaction control. For --write. */
bool guard_check_single(struct slice sql, struct error *error);

#endif

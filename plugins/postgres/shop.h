/* shop.h: the demo shop: six tables with every common type, a composite key, a text key, a uuid
 * key, a table with REPLICA IDENTITY FULL and one with large out-of-line values under the default
 * identity (so that unchanged TOAST values occur).
 *
 * The marker table surfboard_generator_marker is made here and only here: `simulate` refuses a
 * database without it, so no generator ever writes into somebody's data by a wrong dsn. */
#ifndef SURFBOARD_POSTGRES_SHOP_H
#define SURFBOARD_POSTGRES_SHOP_H

#include "core/net/pg.h"

#define SHOP_MARKER "surfboard_generator_marker"

/* The shop's tables, in schema public; NULL-ended. */
extern const char *const shop_tables[];

/* Creates tables, rows (`rows` customers, the others in proportion; the same rows each time) and
 * the marker, in one transaction. A database that has the marker is left alone. Refuses
 * (ERROR_EXISTS) one that has tables of these names without it. */
bool shop_create(struct pg *pg, int64_t rows, struct error *error);
/* Whether the database carries the marker. */
bool shop_is_marked(struct pg *pg, bool *marked, struct error *error);

#endif

/* lake_table.h: a table of the lake by the name that a person types. */
#ifndef SURFBOARD_TUI_LAKE_TABLE_H
#define SURFBOARD_TUI_LAKE_TABLE_H

#include "core/config/profile.h"
#include "core/iceberg/table.h"

/* "namespace.table", or the table's name alone where that is enough, without regard to case; with a
 * slash in it: the table's own URI, and the profile may then be NULL. ERROR_NOT_FOUND names the
 * nearest one. */
bool lake_table_open(const struct profile *profile, const char *name, struct iceberg_table *out,
                     struct error *error);

#endif

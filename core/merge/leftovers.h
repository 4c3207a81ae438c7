/* leftovers.h: what merges leave beside a table that no commit knows: the keys seen by reloads that
 * ended or were replaced, and half-written files of killed writers. */
#ifndef SURFBOARD_MERGE_LEFTOVERS_H
#define SURFBOARD_MERGE_LEFTOVERS_H

#include "core/iceberg/maintain.h"

/* Removes (or with dry_run counts) those older than the grace. Adds to *done. */
bool leftovers_remove(struct catalog *catalog, struct catalog_ident ident, int64_t grace_ms,
                      bool dry_run, struct iceberg_maintained *done, struct error *error);

#endif

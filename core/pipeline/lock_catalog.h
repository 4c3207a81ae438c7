/* lock_catalog.h: the half of a named lock that lives in the catalog's database. Private to lock.c.
 */
#ifndef SURFBOARD_PIPELINE_LOCK_CATALOG_H
#define SURFBOARD_PIPELINE_LOCK_CATALOG_H

#include "core/base/error.h"
#include "core/config/profile.h"

struct pg;

enum lock_catalog { LOCK_CATALOG_HELD, LOCK_CATALOG_LOST, LOCK_CATALOG_ABSENT };

/* HELD: *out is the session that holds it; pg_close() releases. LOST: somebody else has it, *error
 * says who (ERROR_CONFLICT). ABSENT: the profile names no database (error untouched), or it did not
 * answer in time or refused (*error says why). */
enum lock_catalog lock_catalog_take(const struct profile *profile, const char *name,
                                    const char *what, struct pg **out, struct error *error);

#endif

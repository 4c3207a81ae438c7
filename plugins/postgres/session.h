/* session.h: a connection (core/net/pg.h) set up as this plugin reads values: ISO dates, UTC, hex
 * bytea, ISO 8601 intervals, UTF-8, no time limits of the role's. Also log positions. */
#ifndef SURFBOARD_POSTGRES_SESSION_H
#define SURFBOARD_POSTGRES_SESSION_H

#include "core/net/pg.h"

/* pg_open(), then our settings. Close with pg_close(). */
struct pg *session_open(const struct pg_options *options, struct error *error);

/* The first value of the first row as text; "" when there is no row or it is null. Cuts at
 * `size`. */
bool session_text(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
                  char *out, size_t size, struct error *error);
/* Whether the first value of the first row is true. */
bool session_flag(struct pg *pg, const char *sql, const char *const *parameters, size_t count,
                  bool *out, struct error *error);

/* "1A/2B" to a number (false when it is not of that form) and back. */
bool lsn_parse(const char *text, uint64_t *lsn);
enum { LSN_TEXT_SIZE = 24 };
const char *lsn_format(uint64_t lsn, char out[LSN_TEXT_SIZE]);

#endif

/* credential.h: secrets by name (cli.md, "Profile"). NAME_USER, NAME_PASSWORD, NAME_TOKEN are
 * looked for in the environment, then in the files that NAME_USER_FILE etc. name there, then in the
 * credentials folder. Nothing here is ever logged; messages name the credential only. */
#ifndef SURFBOARD_CONFIG_CREDENTIAL_H
#define SURFBOARD_CONFIG_CREDENTIAL_H

#include "core/base/buffer.h"
#include "core/config/profile.h"

struct credential {
    char *user, *password, *token; /* NULL where absent */
    char source[64];               /* "environment", "file", "credentials folder": for doctor */
};

/* ERROR_CONFIG when none of the three is found (the remedy names the places), ERROR_REFUSED when
 * the folder or a file in it has another mode than 0700 / 0600 or another owner. */
bool credential_load(const struct profile *profile, const char *name, struct credential *out,
                     struct error *error);
/* Wipes and frees. */
void credential_destroy(struct credential *credential);

/* Appends `dsn` with user and password of the credential (NULL: none) as a libpq connection string,
 * NUL-terminated. A user that the dsn names itself stays. Keep it in memory only. */
bool credential_conninfo(const struct profile *profile, const char *dsn, const char *name,
                         struct buffer *out, struct error *error);

#endif

/* boot.h: what of this machine starts work at boot, and what ends it at a logout: systemd's units,
 * logind's settings, lingering. Reads files only. `root` is "" for this machine; a test gives a
 * folder that stands for "/". */
#ifndef SURFBOARD_PIPELINE_BOOT_H
#define SURFBOARD_PIPELINE_BOOT_H

#include "core/base/error.h"
#include "core/config/profile.h"

enum { BOOT_PATH_SIZE = 512 };

struct boot_facts {
    bool systemd; /* it runs here (/run/systemd/system) */
    /* A unit that calls `surfboard … resume` with this profile; "" when there is none. */
    char unit[BOOT_PATH_SIZE];
    bool unit_enabled;                /* it is started at boot, or at the user's first login */
    bool unit_of_user;                /* it lies among the user's units: it needs lingering */
    bool lingers;                     /* /var/lib/systemd/linger/USER */
    bool kills;                       /* KillUserProcesses=yes, and this user is not excluded */
    char kills_where[BOOT_PATH_SIZE]; /* "/etc/systemd/logind.conf:12: KillUserProcesses=yes" */
};

bool boot_look(const char *root, const char *user, const char *user_units,
               const struct profile *profile, struct boot_facts *out, struct error *error);
/* $XDG_CONFIG_HOME/systemd/user, with its default; fresh memory. */
char *boot_user_units(struct error *error);

/* The unit's text for this profile, appended to `out`; `binary` is the program's path. */
struct buffer;
bool boot_print_unit(const struct profile *profile, const char *binary, bool of_user,
                     struct buffer *out, struct error *error);
/* "surfboard-dell.service", with what systemd can't have in a name escaped; fresh memory. */
char *boot_unit_name(const struct profile *profile, struct error *error);

#endif

/* programs.h: Postgres' own programs (initdb, postgres): where they are, and running them as a user
 * who is not root. Root may not run a server: as root they run as `postgres`, else `nobody`, with
 * user and groups set in the child. */
#ifndef SURFBOARD_POSTGRES_PROGRAMS_H
#define SURFBOARD_POSTGRES_PROGRAMS_H

#include <sys/types.h>

#include "core/base/error.h"

enum { PROGRAMS_PATH_SIZE = 512, PROGRAMS_GROUPS = 32 };

/* Who runs the server. */
struct program_user {
    bool change; /* false: the present user, nothing to set */
    uid_t uid;
    gid_t gid;
    char name[64];
    gid_t groups[PROGRAMS_GROUPS];
    int group_count;
};

/* The folder that holds both initdb and postgres: from PATH, `pg_config --bindir`, then the newest
 * of /usr/lib/postgresql/N/bin (and the places other systems use). ERROR_UNREACHABLE with the line
 * that installs them when there is none. */
bool programs_find(char folder[PROGRAMS_PATH_SIZE], struct error *error);

bool program_user_find(struct program_user *out, struct error *error);
/* Whether that user can enter every folder on the way to `path`, which must be absolute. The parts
 * that don't exist yet would be ours. */
bool program_user_reaches(const struct program_user *user, const char *path);

/* Starts `arguments[0]` (NULL-ended list) in its own session as `user` with stdin from /dev/null
 * and stdout and stderr appended to `log_path`, working in `folder`. Returns the pid, or -1. */
pid_t program_start(const struct program_user *user, char *const arguments[], const char *folder,
                    const char *log_path, struct error *error);
/* The same, and waits for its end; a status other than 0 is ERROR_IO with the log's last line. */
bool program_run(const struct program_user *user, char *const arguments[], const char *folder,
                 const char *log_path, struct error *error);
/* Puts the last line of the log that is not blank into `out`; "" when there is none. */
void program_last_line(const char *log_path, char *out, size_t size);

#endif

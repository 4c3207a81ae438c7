#include "core/pipeline/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/host.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/net/pg.h"
#include "core/pipeline/lock_catalog.h"

struct lock {
    int fd;
    struct pg *session; /* holds the catalog's half; NULL: there is none */
    char *alone;        /* why there is none */
};

static bool lock_report(int fd, const char *name, struct error *error)
{
    char text[1024];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    json_t *holder = json_loads(text, 0, NULL);
    const char *user = json_string_value(json_object_get(holder, "user"));
    const char *host = json_string_value(json_object_get(holder, "host"));
    const char *since = json_string_value(json_object_get(holder, "since"));
    const char *what = json_string_value(json_object_get(holder, "what"));
    error_set(error, ERROR_CONFLICT, "wait until it has ended and run the same command again",
              "%s is locked: %s@%s (process %lld) has been busy with %s since %s", name,
              user ? user : "somebody", host ? host : "?",
              (long long)json_integer_value(json_object_get(holder, "pid")), what ? what : "it",
              since ? since : "a moment ago");
    json_decref(holder);
    return false;
}

static bool lock_sign(int fd, const char *path, const char *what, struct error *error)
{
    char user[64], host[128], since[40];
    host_user(user, sizeof user);
    host_name(host, sizeof host);
    host_time_text(clock_now_us(), since, sizeof since);
    json_t *holder = json_pack("{s:s, s:s, s:i, s:s, s:s}", "user", user, "host", host, "pid",
                               (int)getpid(), "since", since, "what", what);
    char *text = holder ? json_text(holder, JSON_COMPACT, error) : NULL;
    json_decref(holder);
    bool ok = text ? true : error_set_memory(error, 0);
    if (ok && ftruncate(fd, 0) != 0)
        ok = error_set_system(error, errno, "%s", path);
    ok = ok && file_write_all(fd, text, strlen(text), path, error);
    free(text);
    return ok;
}

struct lock *lock_take_here(const struct profile *profile, const char *name, const char *what,
                            struct error *error)
{
    char *folder = profile_state_folder(profile, "locks", error);
    char *path = folder ? memory_format(error, "%s/%s.lock", folder, name) : NULL;
    free(folder);
    if (path == NULL)
        return NULL;
    for (char *at = strrchr(path, '/') + 1; *at; at++)
        if (*at == '#' || *at == ' ')
            *at = '.';
    struct lock *lock = memory_zero(1, sizeof *lock, error);
    bool ok = lock != NULL;
    if (ok) {
        lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ok = lock->fd >= 0 || error_set_system(error, errno, "lock %s", path);
    }
    if (ok) {
        fchmod(lock->fd, profile_state_file_mode(profile)); /* not ours: it has its mode already */
        if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
            ok = errno == EWOULDBLOCK ? lock_report(lock->fd, name, error)
                                      : error_set_system(error, errno, "lock %s", path);
    }
    ok = ok && lock_sign(lock->fd, path, what, error);
    if (!ok && lock) {
        if (lock->fd >= 0)
            close(lock->fd);
        free(lock);
        lock = NULL;
    }
    free(path);
    return lock;
}

struct lock *lock_take(const struct profile *profile, const char *name, const char *what,
                       struct error *error)
{
    struct lock *lock = lock_take_here(profile, name, what, error);
    if (lock == NULL)
        return NULL;
    struct error why = {0};
    switch (lock_catalog_take(profile, name, what, &lock->session, &why)) {
    case LOCK_CATALOG_HELD:
        return lock;
    case LOCK_CATALOG_LOST:
        lock_release(lock);
        if (error)
            *error = why;
        return NULL;
    case LOCK_CATALOG_ABSENT:
        break;
    }
    if (why.kind) {
        log_line("lock", "%s: held in the state %s only, not in the catalog's database: %s", name,
                 profile->state, why.message);
        lock->alone = memory_copy_text(why.message, NULL);
    }
    return lock;
}

const char *lock_stands_alone(const struct lock *lock)
{
    return lock->alone;
}

void lock_release(struct lock *lock)
{
    if (lock == NULL)
        return;
    pg_close(lock->session);
    if (ftruncate(lock->fd, 0) != 0)
        errno = 0; /* a stale name in it misleads nobody: without the flock nobody reads it */
    close(lock->fd);
    free(lock->alone);
    free(lock);
}

/* lock.h: named locks, so that two operators do not change one object at once (design 2).
 *
 * Two locks make one. The first is an flock on <state>/locks/<name>.lock: it excludes all who share
 * the state. The second, when the profile's catalog is a database that answers within
 * three seconds, is a session-level advisory lock there: it excludes hosts that share the catalog
 * and not the state. Its session's application_name says who holds it. Both go with their process,
 * however that ends. When the database does not answer, the first stands alone, and the log and
 * lock_stands_alone() say so.
 *
 * The advisory key is made of the catalog's name and the lock's. Should the session be lost (the
 * server restarts), the second lock is lost with it: what must never be done twice is still proved
 * by its own commit. */
#ifndef SURFBOARD_PIPELINE_LOCK_H
#define SURFBOARD_PIPELINE_LOCK_H

#include "core/base/error.h"
#include "core/config/profile.h"

/* For connecting, and for an answer: three seconds together at most. */
enum { LOCK_CONNECT_MS = 2000, LOCK_ANSWER_MS = 900 };

struct lock;

/* NULL with ERROR_CONFLICT naming who holds it, on which host, for what and since when. Never waits
 * for the holder. */
struct lock *lock_take(const struct profile *profile, const char *name, const char *what,
                       struct error *error);
/* For what lies in the state folder alone (wanted.yaml): the first lock only. */
struct lock *lock_take_here(const struct profile *profile, const char *name, const char *what,
                            struct error *error);
/* Why the catalog's half is missing though the profile names a database; NULL when it is held or
 * there is none to hold. */
const char *lock_stands_alone(const struct lock *lock);
void lock_release(struct lock *lock);

#endif

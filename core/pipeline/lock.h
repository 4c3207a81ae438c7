/* lock.h: named locks, so that two operators who share a state do not change one object at once
 * (design 2). An flock on <state>/locks/<name>.lock: it goes with its process, however that ends.
 */
#ifndef SURFBOARD_PIPELINE_LOCK_H
#define SURFBOARD_PIPELINE_LOCK_H

#include "core/base/error.h"
#include "core/config/profile.h"

struct lock;

/* NULL with ERROR_CONFLICT naming who holds it, on which host, for what and since when. */
struct lock *lock_take(const struct profile *profile, const char *name, const char *what,
                       struct error *error);
void lock_release(struct lock *lock);

#endif

/* pool.h: a fixed set of worker threads for CPU work and parallel I/O inside one operation. */
#ifndef SURFBOARD_BASE_POOL_H
#define SURFBOARD_BASE_POOL_H

#include "core/base/error.h"

struct pool;

/* threads = 0: as many as the process may use cores. With 1 all work runs on the calling thread. */
struct pool *pool_create(unsigned threads, struct error *error);
void pool_destroy(struct pool *pool);
unsigned pool_threads(const struct pool *pool);

/* Calls run(context, i, error) for i in 0 .. count-1, spread over the workers and the calling
 * thread, and returns when all have ended. After a failure no new index is started; the error of
 * the lowest failed index is returned. A NULL pool runs everything here. */
bool pool_run(struct pool *pool, size_t count,
              bool (*run)(void *context, size_t index, struct error *error), void *context,
              struct error *error);

#endif

/* job.h: reads that may take long (probes, listings, previews) on a small pool of threads, with a
 * deadline and a stop flag; the result comes back as a message on the loop's thread. The screen's
 * thread does no I/O but the terminal's. Threads start with the first job that needs one. */
#ifndef SURFBOARD_TUI_SCREEN_JOB_H
#define SURFBOARD_TUI_SCREEN_JOB_H

#include <stdatomic.h>

#include "tui/screen/loop.h"

enum { JOB_THREADS_MOST = 6 };

struct jobs;
struct job;

struct job_kind {
    const char *name; /* "lag", for the log and the busy line */
    int64_t limit_ms; /* after it the stop flag is set and done() gets ERROR_UNREACHABLE; 0: none */
    /* On a worker. Polls job_stop(); false fills the error. May post progress by job_tell(). */
    bool (*run)(struct job *job, void *context, struct error *error);
    /* On the loop's thread, once, whatever happened (stopped: ERROR_INTERRUPTED). Frees context. */
    void (*done)(void *context, bool ok, const struct error *error);
};

struct jobs *jobs_create(struct loop *loop, struct error *error);
/* Sets every stop flag and waits up to `wait_ms` for the threads; false when some are still held up
 * by a service (the program then ends without them). */
bool jobs_destroy(struct jobs *jobs, int64_t wait_ms);

/* Queues it. NULL: no memory, or the jobs are being destroyed (ERROR_INTERRUPTED); `context` is
 * then still the caller's. The handle is good until done() was called. */
struct job *job_start(struct jobs *jobs, const struct job_kind *kind, void *context,
                      struct error *error);
/* Its stop flag is set; done() comes all the same, soon. */
void job_stop(struct job *job);
const atomic_bool *job_stop_flag(const struct job *job);
/* From run(): calls tell(context) on the loop's thread before any later tell and before done();
 * waits while more than `most` (8) tells are unheard, so that a fast producer can't fill memory. */
bool job_tell(struct job *job, loop_function *tell, void *context);

#endif

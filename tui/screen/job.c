#include "tui/screen/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "tui/screen/terminal.h"

enum { TELLS_MOST = 8 };

struct job {
    const struct job_kind *kind;
    void *context;
    struct jobs *jobs;
    struct job *next;
    struct loop_message ended;
    atomic_bool stop;
    bool late; /* the deadline passed */
    bool ok;
    int64_t due_ns;
    int tells; /* posted and not yet heard; under jobs->mutex */
    struct error error;
};

struct tell {
    struct loop_message message;
    struct job *job;
    loop_function *run;
    void *context;
};

struct jobs {
    struct loop *loop;
    pthread_mutex_t mutex;
    pthread_cond_t queued, heard, gone;
    struct job *first, **last;  /* waiting for a thread */
    struct job *alive;          /* running; linked by next */
    int threads, idle, waiting; /* threads: all, without work; jobs that wait for one */
    bool ending;
};

struct jobs *jobs_create(struct loop *loop, struct error *error)
{
    struct jobs *jobs = memory_zero(1, sizeof *jobs, error);
    if (jobs == NULL)
        return NULL;
    jobs->loop = loop;
    jobs->last = &jobs->first;
    pthread_mutex_init(&jobs->mutex, NULL);
    pthread_cond_init(&jobs->queued, NULL);
    pthread_cond_init(&jobs->heard, NULL);
    pthread_cond_init(&jobs->gone, NULL);
    return jobs;
}

/* ---- the deadline, kept by one timer for all ---- */

static void jobs_watch_deadlines(void *context);

static int64_t jobs_first_due(const struct job *job, int64_t first)
{
    for (; job; job = job->next)
        if (job->due_ns && !job->late && (first == 0 || job->due_ns < first))
            first = job->due_ns;
    return first;
}

/* Under the mutex. */
static void jobs_arm(struct jobs *jobs)
{
    int64_t first = jobs_first_due(jobs->first, jobs_first_due(jobs->alive, 0));
    if (first == 0)
        loop_cancel(jobs->loop, jobs_watch_deadlines, jobs);
    else
        loop_after(jobs->loop, (first - clock_monotonic_ns()) / 1000000 + 1, jobs_watch_deadlines,
                   jobs);
}

static void job_ended(void *context);

/* What no thread had time for ends without one: every thread may be held up by a service. */
static struct job *jobs_take_late(struct jobs *jobs, int64_t now)
{
    struct job *late = NULL;
    struct job **at = &jobs->first;
    while (*at) {
        struct job *job = *at;
        if (job->due_ns == 0 || job->due_ns > now) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        jobs->waiting--;
        job->late = true;
        job->next = late;
        late = job;
    }
    jobs->last = at;
    return late;
}

static void jobs_watch_deadlines(void *context)
{
    struct jobs *jobs = context;
    int64_t now = clock_monotonic_ns();
    pthread_mutex_lock(&jobs->mutex);
    struct job *late = jobs_take_late(jobs, now);
    for (struct job *job = jobs->alive; job; job = job->next)
        if (job->due_ns && job->due_ns <= now && !job->late) {
            job->late = true;
            atomic_store(&job->stop, true);
            pthread_cond_broadcast(&jobs->heard);
        }
    jobs_arm(jobs);
    pthread_mutex_unlock(&jobs->mutex);
    while (late) {
        struct job *next = late->next;
        job_ended(late);
        late = next;
    }
}

/* ---- on the loop's thread ---- */

static void job_ended(void *context)
{
    struct job *job = context;
    struct jobs *jobs = job->jobs;
    pthread_mutex_lock(&jobs->mutex);
    for (struct job **at = &jobs->alive; *at; at = &(*at)->next)
        if (*at == job) {
            *at = job->next;
            break;
        }
    jobs_arm(jobs);
    pthread_mutex_unlock(&jobs->mutex);
    jobs->loop->busy--;
    if (!job->ok && job->late)
        error_set(&job->error, ERROR_UNREACHABLE, "r asks again; doctor tells more",
                  "%s: no answer in %lld s", job->kind->name,
                  (long long)(job->kind->limit_ms / 1000));
    job->kind->done(job->context, job->ok, &job->error);
    free(job);
}

static void job_hear(void *context)
{
    struct tell *tell = context;
    struct jobs *jobs = tell->job->jobs;
    tell->run(tell->context);
    pthread_mutex_lock(&jobs->mutex);
    tell->job->tells--;
    pthread_cond_broadcast(&jobs->heard);
    pthread_mutex_unlock(&jobs->mutex);
    free(tell);
}

/* ---- on a worker ---- */

bool job_tell(struct job *job, loop_function *run, void *context)
{
    struct tell *tell = memory_zero(1, sizeof *tell, NULL);
    if (tell == NULL)
        return false;
    *tell = (struct tell){
        .message = {.run = job_hear, .context = tell}, .job = job, .run = run, .context = context};
    pthread_mutex_lock(&job->jobs->mutex);
    while (job->tells >= TELLS_MOST && !atomic_load(&job->stop))
        pthread_cond_wait(&job->jobs->heard, &job->jobs->mutex);
    job->tells++;
    pthread_mutex_unlock(&job->jobs->mutex);
    loop_post(job->jobs->loop, &tell->message);
    return true;
}

static void job_run(struct job *job)
{
    job->ok = !atomic_load(&job->stop) && job->kind->run(job, job->context, &job->error);
    if (!job->ok && job->error.kind == ERROR_NONE)
        error_set(&job->error, ERROR_INTERRUPTED, NULL, "%s: stopped", job->kind->name);
    if (!job->ok)
        log_line("job", "%s: %s", job->kind->name, job->error.message);
    job->ended = (struct loop_message){.run = job_ended, .context = job};
    loop_post(job->jobs->loop, &job->ended);
}

static void *jobs_work(void *context)
{
    struct jobs *jobs = context;
    terminal_guard_thread();
    pthread_mutex_lock(&jobs->mutex);
    while (!jobs->ending) {
        struct job *job = jobs->first;
        if (job == NULL) {
            jobs->idle++;
            pthread_cond_wait(&jobs->queued, &jobs->mutex);
            jobs->idle--;
            continue;
        }
        jobs->first = job->next;
        if (jobs->first == NULL)
            jobs->last = &jobs->first;
        jobs->waiting--;
        job->next = jobs->alive;
        jobs->alive = job;
        pthread_mutex_unlock(&jobs->mutex);
        job_run(job);
        pthread_mutex_lock(&jobs->mutex);
    }
    jobs->threads--;
    pthread_cond_broadcast(&jobs->gone);
    pthread_mutex_unlock(&jobs->mutex);
    return NULL;
}

/* Signals are the loop's: a worker has them all blocked. */
static bool jobs_add_thread(struct jobs *jobs, struct error *error)
{
    sigset_t all, before;
    pthread_t thread;
    pthread_attr_t attributes;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&thread, &attributes, jobs_work, jobs);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (number)
        return error_set_system(error, number, "a thread for %s", "jobs");
    jobs->threads++;
    return true;
}

struct job *job_start(struct jobs *jobs, const struct job_kind *kind, void *context,
                      struct error *error)
{
    struct job *job = memory_zero(1, sizeof *job, error);
    if (job == NULL)
        return NULL;
    job->kind = kind;
    job->context = context;
    job->jobs = jobs;
    /* From here, not from when a thread takes it: what the user waits for is this. */
    job->due_ns = kind->limit_ms ? clock_monotonic_ns() + kind->limit_ms * INT64_C(1000000) : 0;
    pthread_mutex_lock(&jobs->mutex);
    /* What ends may ask for more: nobody would wait for that. */
    bool ok = !jobs->ending || error_set(error, ERROR_INTERRUPTED, NULL, "the program ends");
    ok = ok && (jobs->idle > jobs->waiting || jobs->threads == JOB_THREADS_MOST ||
                jobs_add_thread(jobs, error) || jobs->threads > 0);
    if (ok) {
        *jobs->last = job;
        jobs->last = &job->next;
        jobs->waiting++;
        pthread_cond_signal(&jobs->queued);
        jobs_arm(jobs);
    }
    pthread_mutex_unlock(&jobs->mutex);
    if (!ok) {
        free(job);
        return NULL;
    }
    jobs->loop->busy++;
    return job;
}

void job_stop(struct job *job)
{
    atomic_store(&job->stop, true);
    pthread_mutex_lock(&job->jobs->mutex);
    pthread_cond_broadcast(&job->jobs->heard);
    pthread_mutex_unlock(&job->jobs->mutex);
}

const atomic_bool *job_stop_flag(const struct job *job)
{
    return &job->stop;
}

bool jobs_destroy(struct jobs *jobs, int64_t wait_ms)
{
    if (jobs == NULL)
        return true;
    pthread_mutex_lock(&jobs->mutex);
    jobs->ending = true;
    for (struct job *job = jobs->alive; job; job = job->next)
        atomic_store(&job->stop, true);
    pthread_cond_broadcast(&jobs->queued);
    pthread_cond_broadcast(&jobs->heard);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int waited = 0;
    while (jobs->threads && waited == 0)
        waited = pthread_cond_timedwait(&jobs->gone, &jobs->mutex, &until);
    bool all = jobs->threads == 0;
    struct job *waiting = jobs->first;
    pthread_mutex_unlock(&jobs->mutex);
    if (!all)
        return false;
    /* What had ended but was not told, and what never ran: their contexts are freed by done(). */
    loop_drain(jobs->loop);
    loop_cancel(jobs->loop, jobs_watch_deadlines, jobs);
    while (waiting) {
        struct job *next = waiting->next;
        error_set(&waiting->error, ERROR_INTERRUPTED, NULL, "stopped");
        waiting->kind->done(waiting->context, false, &waiting->error);
        jobs->loop->busy--;
        free(waiting);
        waiting = next;
    }
    pthread_mutex_destroy(&jobs->mutex);
    pthread_cond_destroy(&jobs->queued);
    pthread_cond_destroy(&jobs->heard);
    pthread_cond_destroy(&jobs->gone);
    free(jobs);
    return true;
}

#include "core/base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "core/base/memory.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work_arrived;
    pthread_cond_t work_done;
    pthread_mutex_t one_job; /* held by the caller whose job is running */
    pthread_t *threads;
    unsigned thread_count; /* workers; the caller is one more */
    bool stopping;
    /* The present job. */
    bool (*run)(void *context, size_t index, struct error *error);
    void *context;
    size_t count;
    size_t next;
    size_t running;
    size_t failed_index;
    bool failed;
    struct error error;
};

/* Takes indexes of the present job until there are no more. Called with the lock held. */
static void pool_work(struct pool *pool)
{
    struct error error = {0};
    while (pool->next < pool->count && !pool->failed) {
        size_t index = pool->next++;
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        error_clear(&error);
        bool ok = pool->run(pool->context, index, &error);
        pthread_mutex_lock(&pool->lock);
        pool->running--;
        if (!ok && (!pool->failed || index < pool->failed_index)) {
            pool->failed = true;
            pool->failed_index = index;
            pool->error = error;
        }
    }
    if (pool->running == 0)
        pthread_cond_broadcast(&pool->work_done);
}

static void *pool_thread(void *argument)
{
    struct pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        if (pool->next < pool->count && !pool->failed)
            pool_work(pool);
        else
            pthread_cond_wait(&pool->work_arrived, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static unsigned pool_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int cores = CPU_COUNT(&set);
    return cores < 1 ? 1 : (unsigned)cores;
}

struct pool *pool_create(unsigned threads, struct error *error)
{
    if (threads == 0)
        threads = pool_cores();
    struct pool *pool = memory_zero(1, sizeof *pool, error);
    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_mutex_init(&pool->one_job, NULL);
    pthread_cond_init(&pool->work_arrived, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    pool->threads = memory_zero(threads, sizeof *pool->threads, error);
    if (pool->threads == NULL) {
        pool_destroy(pool);
        return NULL;
    }
    while (pool->thread_count + 1 < threads) {
        int number = pthread_create(&pool->threads[pool->thread_count], NULL, pool_thread, pool);
        if (number != 0) {
            error_set_system(error, number, "starting a worker thread");
            pool_destroy(pool);
            return NULL;
        }
        pool->thread_count++;
    }
    return pool;
}

void pool_destroy(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work_arrived);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    free(pool->threads);
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_arrived);
    pthread_mutex_destroy(&pool->one_job);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

unsigned pool_threads(const struct pool *pool)
{
    return pool ? pool->thread_count + 1 : 1;
}

bool pool_run(struct pool *pool, size_t count,
              bool (*run)(void *context, size_t index, struct error *error), void *context,
              struct error *error)
{
    if (pool == NULL || pool->thread_count == 0 || count <= 1) {
        for (size_t i = 0; i < count; i++)
            TRY(run(context, i, error));
        return true;
    }
    pthread_mutex_lock(&pool->one_job);
    pthread_mutex_lock(&pool->lock);
    pool->run = run;
    pool->context = context;
    pool->count = count;
    pool->next = 0;
    pool->failed = false;
    pthread_cond_broadcast(&pool->work_arrived);
    pool_work(pool);
    while (pool->running)
        pthread_cond_wait(&pool->work_done, &pool->lock);
    bool ok = !pool->failed;
    if (!ok && error)
        *error = pool->error;
    pool->count = 0;
    pool->next = 0;
    pthread_mutex_unlock(&pool->lock);
    pthread_mutex_unlock(&pool->one_job);
    return ok;
}

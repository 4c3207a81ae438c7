#include "tui/screen/loop.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { NS_PER_MS = 1000000 };

bool loop_init(struct loop *loop, struct error *error)
{
    *loop = (struct loop){.last = &loop->first};
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake < 0)
        return error_set_system(error, errno, "eventfd");
    pthread_mutex_init(&loop->mutex, NULL);
    return true;
}

void loop_destroy(struct loop *loop)
{
    close(loop->wake);
    pthread_mutex_destroy(&loop->mutex);
}

static struct loop_source *loop_source(struct loop *loop, int fd)
{
    for (size_t i = 0; i < loop->source_count; i++)
        if (loop->sources[i].fd == fd)
            return &loop->sources[i];
    return NULL;
}

bool loop_watch(struct loop *loop, int fd, short events, void (*ready)(void *context, short events),
                void *context, struct error *error)
{
    if (loop->source_count == LOOP_SOURCES_MOST)
        return error_set(error, ERROR_INTERNAL, NULL, "the loop watches %d descriptors already",
                         LOOP_SOURCES_MOST);
    loop->sources[loop->source_count++] = (struct loop_source){fd, events, ready, context};
    return true;
}

void loop_events(struct loop *loop, int fd, short events)
{
    struct loop_source *source = loop_source(loop, fd);
    if (source)
        source->events = events;
}

void loop_forget(struct loop *loop, int fd)
{
    struct loop_source *source = loop_source(loop, fd);
    if (source)
        *source = loop->sources[--loop->source_count];
}

void loop_after(struct loop *loop, int64_t ms, loop_function *run, void *context)
{
    struct loop_timer *free_one = NULL;
    for (size_t i = 0; i < LOOP_TIMERS_MOST; i++) {
        struct loop_timer *timer = &loop->timers[i];
        if (timer->due_ns == 0 && free_one == NULL)
            free_one = timer;
        if (timer->due_ns && timer->run == run && timer->context == context) {
            free_one = timer;
            break;
        }
    }
    if (free_one)
        *free_one = (struct loop_timer){clock_monotonic_ns() + ms * NS_PER_MS + 1, run, context};
}

void loop_cancel(struct loop *loop, loop_function *run, void *context)
{
    for (size_t i = 0; i < LOOP_TIMERS_MOST; i++)
        if (loop->timers[i].run == run && loop->timers[i].context == context)
            loop->timers[i].due_ns = 0;
}

void loop_post(struct loop *loop, struct loop_message *message)
{
    uint64_t one = 1;
    message->next = NULL;
    pthread_mutex_lock(&loop->mutex);
    *loop->last = message;
    loop->last = &message->next;
    pthread_mutex_unlock(&loop->mutex);
    /* Fails only when the counter is full: then it is readable anyhow. */
    ssize_t put = write(loop->wake, &one, sizeof one);
    (void)put;
}

/* Those that are posted meanwhile wait for the next turn, so that the terminal gets its turn too.
 */
static void loop_run_messages(struct loop *loop)
{
    uint64_t count;
    ssize_t got = read(loop->wake, &count, sizeof count);
    (void)got;
    pthread_mutex_lock(&loop->mutex);
    struct loop_message *message = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->mutex);
    while (message) {
        struct loop_message *next = message->next;
        message->run(message->context);
        message = next;
    }
}

static void loop_run_timers(struct loop *loop)
{
    int64_t now = clock_monotonic_ns();
    for (size_t i = 0; i < LOOP_TIMERS_MOST; i++) {
        struct loop_timer timer = loop->timers[i];
        if (timer.due_ns == 0 || timer.due_ns > now)
            continue;
        loop->timers[i].due_ns = 0;
        timer.run(timer.context);
    }
}

/* Milliseconds until the first timer, rounded up; -1 when there is none. */
static int64_t loop_next_timer(const struct loop *loop)
{
    int64_t first = 0, now = clock_monotonic_ns();
    for (size_t i = 0; i < LOOP_TIMERS_MOST; i++) {
        int64_t due = loop->timers[i].due_ns;
        if (due && (first == 0 || due < first))
            first = due;
    }
    if (first == 0)
        return -1;
    return first <= now ? 0 : (first - now + NS_PER_MS - 1) / NS_PER_MS;
}

static bool loop_has_messages(struct loop *loop)
{
    pthread_mutex_lock(&loop->mutex);
    bool some = loop->first != NULL;
    pthread_mutex_unlock(&loop->mutex);
    return some;
}

bool loop_turn(struct loop *loop, int64_t wait_ms, struct error *error)
{
    struct pollfd fds[LOOP_SOURCES_MOST + 1];
    size_t count = loop->source_count;
    for (size_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = loop->sources[i].fd, .events = loop->sources[i].events};
    fds[count] = (struct pollfd){.fd = loop->wake, .events = POLLIN};
    int64_t timer = loop_next_timer(loop);
    if (timer >= 0 && (wait_ms < 0 || timer < wait_ms))
        wait_ms = timer;
    if (poll(fds, count + 1, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms) < 0) {
        if (errno != EINTR)
            return error_set_system(error, errno, "poll");
        return true;
    }
    /* Keys first: what the user does must not queue behind what services say. A source may forget
     * itself or others while it runs, hence the look-up. */
    for (size_t i = 0; i < count; i++) {
        struct loop_source *source = fds[i].revents ? loop_source(loop, fds[i].fd) : NULL;
        if (source)
            source->ready(source->context, fds[i].revents);
    }
    if (fds[count].revents || loop_has_messages(loop))
        loop_run_messages(loop);
    loop_run_timers(loop);
    return true;
}

void loop_drain(struct loop *loop)
{
    while (loop_has_messages(loop))
        loop_run_messages(loop);
}

bool loop_is_idle(struct loop *loop)
{
    return loop->busy == 0 && !loop_has_messages(loop) && loop_next_timer(loop) != 0;
}

/* loop.h: one thread, one poll(). Descriptors, timers and messages from worker threads; asleep, and
 * not waking at all, when none of them has anything. */
#ifndef SURFBOARD_TUI_SCREEN_LOOP_H
#define SURFBOARD_TUI_SCREEN_LOOP_H

#include <pthread.h>

#include "core/base/error.h"

#include <stdint.h>

enum { LOOP_SOURCES_MOST = 16, LOOP_TIMERS_MOST = 32 };

typedef void loop_function(void *context);

struct loop_message {
    struct loop_message *next;
    loop_function *run; /* on the loop's thread; owns and frees what it needs */
    void *context;
};

struct loop {
    struct loop_source {
        int fd;
        short events; /* POLLIN, POLLOUT */
        void (*ready)(void *context, short events);
        void *context;
    } sources[LOOP_SOURCES_MOST];
    size_t source_count;
    struct loop_timer {
        int64_t due_ns;     /* monotonic; 0: unused */
        loop_function *run; /* called once; may set itself again */
        void *context;
    } timers[LOOP_TIMERS_MOST];
    int wake; /* eventfd */
    pthread_mutex_t mutex;
    struct loop_message *first, **last; /* posted and not yet run */
    int busy; /* work under way that will post a message: tests wait for 0 */
    bool ended;
};

bool loop_init(struct loop *loop, struct error *error);
void loop_destroy(struct loop *loop);

bool loop_watch(struct loop *loop, int fd, short events, void (*ready)(void *context, short events),
                void *context, struct error *error);
void loop_events(struct loop *loop, int fd, short events); /* what to wait for from now on */
void loop_forget(struct loop *loop, int fd);

/* One timer for each pair of run and context: setting it again moves it. */
void loop_after(struct loop *loop, int64_t ms, loop_function *run, void *context);
void loop_cancel(struct loop *loop, loop_function *run, void *context);

/* From any thread. The message is the caller's memory until it runs. */
void loop_post(struct loop *loop, struct loop_message *message);

/* Waits for at most `wait_ms` (-1: as long as it takes), then runs what is ready: messages, due
 * timers, descriptors. False when poll() failed. */
bool loop_turn(struct loop *loop, int64_t wait_ms, struct error *error);
/* Runs what was posted, and what that posts, without looking at anything else. */
void loop_drain(struct loop *loop);
/* Nothing posted, nothing due, nothing under way. */
bool loop_is_idle(struct loop *loop);

#endif

/* Nothing outlives the demo: a process waits at the end of a pipe that only we hold open. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tui/demo/demo.h"

enum { GUARD_WAIT_MS = 30000, GUARD_POLL_MS = 50 };

static int guard_open(const struct demo *demo)
{
    char path[DEMO_PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/guard", demo->folder);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Its own session: a signal to our terminal or group does not reach it. Its lock tells the next
 * demo that a server is still being stopped. */
static void guard_wait(const struct demo *demo, const struct cluster *cluster, int fd)
{
    char byte;
    struct cluster copy = *cluster;
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    setsid();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_IGN);
    for (int i = 0; i < 1024; i++)
        if (i != fd)
            close(i); /* locks and pipes are not ours to hold */
    int lock = guard_open(demo);
    if (lock >= 0)
        flock(lock, LOCK_EX | LOCK_NB);
    ssize_t got;
    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got <= 0 && cluster_running(&copy))
        cluster_stop(&copy, NULL);
    _exit(0);
}

bool demo_guard_await(const struct demo *demo, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + GUARD_WAIT_MS * INT64_C(1000000);
    int lock = guard_open(demo);
    if (lock < 0)
        return error_set_system(error, errno, "%s/guard", demo->folder);
    bool ended;
    while (!(ended = flock(lock, LOCK_EX | LOCK_NB) == 0) && clock_monotonic_ns() < deadline)
        clock_sleep_ms(GUARD_POLL_MS);
    close(lock);
    return ended || error_set(error, ERROR_CONFLICT, "try again in a moment",
                              "the Postgres of the demo before is still being stopped");
}

bool demo_guard_start(struct demo *demo, struct error *error)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return error_set_system(error, errno, "pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(pipes[1]);
        guard_wait(demo, &demo->cluster, pipes[0]);
    }
    int number = errno;
    close(pipes[0]);
    if (pid < 0) {
        close(pipes[1]);
        return error_set_system(error, number, "starting the guard");
    }
    demo->guard = pid;
    demo->guard_fd = pipes[1];
    return true;
}

void demo_guard_dismiss(struct demo *demo)
{
    if (demo->guard == 0)
        return;
    ssize_t put = write(demo->guard_fd, "", 1);
    close(demo->guard_fd);
    if (put == 1)
        while (waitpid(demo->guard, NULL, 0) < 0 && errno == EINTR)
            continue;
    demo->guard = 0;
}

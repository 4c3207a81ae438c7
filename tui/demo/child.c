/* Child processes of this binary, and their lines. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tui/demo/demo.h"

extern char **environ;

/* In the child: nothing here may allocate. Signals are blocked: one that waits meets the default
 * action, never a handler of ours that would take it before exec forgets it. */
static void child_become(pid_t parent, int out, int err, const sigset_t *mask,
                         char *const *arguments)
{
    int null = open("/dev/null", O_RDONLY);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || null < 0)
        _exit(126); /* the parent died before the line above */
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

bool demo_child_start(struct demo_child *child, const char *const *arguments, const char *log,
                      struct error *error)
{
    const char *all[DEMO_ARGUMENTS_MOST + 2] = {"surfboard"};
    size_t count = 1;
    for (size_t i = 0; arguments[i] && count < DEMO_ARGUMENTS_MOST; i++)
        all[count++] = arguments[i];
    int pipes[2];
    int err = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (err < 0)
        return error_set_system(error, errno, "%s", log);
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        close(err);
        return error_set_system(error, errno, "pipe");
    }
    pid_t parent = getpid();
    sigset_t every, mask;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &mask);
    pid_t pid = fork();
    if (pid == 0)
        child_become(parent, pipes[1], err, &mask, (char *const *)(void *)all);
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    close(err);
    close(pipes[1]);
    if (pid < 0) {
        close(pipes[0]);
        return error_set_system(error, number, "starting %s", child->name);
    }
    setpgid(pid, pid);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    child->pid = pid;
    child->fd = pipes[0];
    child->exit_code = -1;
    buffer_clear(&child->partial);
    return true;
}

static void child_lines(struct demo_child *child)
{
    size_t start = 0;
    for (size_t i = 0; i < child->partial.length; i++) {
        if (child->partial.data[i] != '\n')
            continue;
        json_t *line = json_loadb(child->partial.data + start, i - start, 0, NULL);
        if (line && child->line)
            child->line(child->context, line);
        json_decref(line);
        start = i + 1;
    }
    memmove(child->partial.data, child->partial.data + start, child->partial.length - start);
    child->partial.length -= start;
}

static void child_reap(struct demo_child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    child->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    close(child->fd);
    child->fd = -1;
    child->pid = 0;
}

/* Reads until nothing waits; at the end of the stream the child has ended, or is about to. */
static bool child_read(struct demo_child *child, struct error *error)
{
    for (;;) {
        TRY(buffer_reserve(&child->partial, 16384, error));
        ssize_t got = read(child->fd, child->partial.data + child->partial.length, 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return true;
        child->partial.length += (size_t)got;
        if (got > 0) {
            child_lines(child);
            continue;
        }
        child_reap(child);
        return true;
    }
}

bool demo_children_poll(struct demo_child *const *children, size_t count, int64_t wait_ms,
                        struct error *error)
{
    struct pollfd fds[8];
    struct demo_child *waiting[8];
    nfds_t n = 0;
    for (size_t i = 0; i < count && n < 8; i++)
        if (children[i]->pid) {
            waiting[n] = children[i];
            fds[n++] = (struct pollfd){.fd = children[i]->fd, .events = POLLIN};
        }
    if (poll(fds, n, (int)wait_ms) <= 0)
        return true;
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].revents)
            TRY(child_read(waiting[i], error));
    return true;
}

bool demo_child_stop(struct demo_child *child, int64_t wait_ms, struct error *error)
{
    if (child->pid == 0)
        return true;
    kill(child->pid, SIGTERM);
    int64_t deadline = clock_monotonic_ns() + wait_ms * 1000000;
    while (child->pid && clock_monotonic_ns() < deadline)
        TRY(demo_children_poll(&child, 1, 100, error));
    if (child->pid) {
        kill(child->pid, SIGKILL);
        while (child->pid)
            TRY(demo_children_poll(&child, 1, 1000, error));
        return error_set(error, ERROR_INTERNAL, NULL, "%s did not end when asked, and was killed",
                         child->name);
    }
    return true;
}

bool demo_child_wait(struct demo_child *child, const atomic_bool *stop, struct error *error)
{
    while (child->pid) {
        if (atomic_load(stop))
            return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted");
        TRY(demo_children_poll(&child, 1, 200, error));
    }
    return true;
}

void demo_child_destroy(struct demo_child *child)
{
    if (child->pid) {
        kill(child->pid, SIGTERM);
        child_reap(child);
    }
    buffer_destroy(&child->partial);
}

/* Nothing outlives the demo: a process waits at the end of a pipe that only we hold open. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tui/demo/demo.h"

/* Its own session: a signal to our terminal or group does not reach it. */
static void guard_wait(const struct cluster *cluster, int fd)
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
    ssize_t got;
    do
        got = read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got <= 0 && cluster_running(&copy))
        cluster_stop(&copy, NULL);
    _exit(0);
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
        guard_wait(&demo->cluster, pipes[0]);
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

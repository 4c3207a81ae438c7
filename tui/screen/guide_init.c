#include "tui/screen/guide_init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MOST = 40, POLL_MS = 100 };

extern char **environ;

static bool start(const char *program, const char *const *arguments, const int *out, const int *err,
                  pid_t *pid, struct error *error)
{
    const char *all[ARGUMENTS_MOST + 2] = {"surfboard"};
    for (size_t i = 0; arguments[i] && i < ARGUMENTS_MOST; i++)
        all[i + 1] = arguments[i];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err[1], STDERR_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int number =
        posix_spawn(pid, program, &files, &attributes, (char *const *)(void *)all, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return number == 0 || error_set_system(error, number, "starting surfboard init");
}

/* False at the end of the stream. */
static bool take(int fd, struct buffer *out)
{
    if (!buffer_reserve(out, 4096, NULL))
        return false;
    ssize_t got = read(fd, out->data + out->length, 4096);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    out->length += (size_t)got;
    return got > 0;
}

static bool collect(int out_fd, int err_fd, struct buffer *out, struct buffer *err,
                    const atomic_bool *stop)
{
    struct pollfd fds[] = {{.fd = out_fd, .events = POLLIN}, {.fd = err_fd, .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        if (atomic_load(stop))
            return false;
        if (poll(fds, 2, POLL_MS) <= 0)
            continue;
        if (fds[0].revents && !take(out_fd, out))
            fds[0].fd = -1;
        if (fds[1].revents && !take(err_fd, err))
            fds[1].fd = -1;
    }
    return true;
}

bool guide_init_run(const char *program, const char *const *arguments, struct buffer *out,
                    struct buffer *err, int *exit_code, const atomic_bool *stop,
                    struct error *error)
{
    int outs[2] = {-1, -1}, errs[2] = {-1, -1}, status = 0;
    pid_t pid = -1;
    bool ok = (pipe2(outs, O_CLOEXEC) == 0 && pipe2(errs, O_CLOEXEC) == 0) ||
              error_set_system(error, errno, "pipe");
    ok = ok && start(program, arguments, outs, errs, &pid, error);
    close(outs[1]);
    close(errs[1]);
    if (ok && !collect(outs[0], errs[0], out, err, stop)) {
        kill(pid, SIGTERM);
        ok = error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
    }
    close(outs[0]);
    close(errs[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ok;
}

#include "tui/screen/editor_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"

static const char *program_name(void)
{
    const char *name = getenv("VISUAL");
    if (name == NULL || *name == '\0')
        name = getenv("EDITOR");
    return name && *name ? name : "vi";
}

/* In the child, between fork and exec: nothing but what a signal handler may do. */
static void program_become(int fd, const char *name, const char *path)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    setpgid(0, 0);
    /* Still in the background: SIGTTOU is blocked here, as everything was in our parent. */
    tcsetpgrp(fd, getpid());
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* Opened anew: ours does not block, which no other program expects. */
    int own = open("/dev/tty", O_RDWR);
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        dup2(own >= 0 ? own : fd, i);
    execl("/bin/sh", "sh", "-c", "eval exec \"$0\" '\"$1\"'", name, path, (char *)NULL);
    _exit(127);
}

/* It may be stopped by its own Ctrl-Z: there is no shell that would wake it, so we do. */
static int program_wait(pid_t child)
{
    int status = 0;
    for (;;) {
        if (waitpid(child, &status, WUNTRACED) < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (!WIFSTOPPED(status))
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        kill(-child, SIGCONT);
    }
}

static bool program_run(int fd, const char *path, struct error *error)
{
    const char *name = program_name();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0)
        program_become(fd, name, path);
    int number = errno, code = -1;
    if (child > 0) {
        setpgid(child, child);
        tcsetpgrp(fd, child);
        code = program_wait(child);
        tcsetpgrp(fd, getpgrp());
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child < 0)
        return error_set_system(error, number, "starting %s", name);
    if (code)
        return error_set(error, ERROR_CHECK, "set VISUAL or EDITOR to a program that can be run",
                         "%s ended with %d; the statement is as it was", name, code);
    return true;
}

bool editor_program_run(int fd, struct slice text, struct buffer *out, struct error *error)
{
    char path[512];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%.400s/surfboard.XXXXXX.sql",
             folder && *folder == '/' ? folder : "/tmp");
    int file = mkostemps(path, 4, O_CLOEXEC);
    if (file < 0)
        return error_set_system(error, errno, "%s", path);
    bool ok = file_write_all(file, text.data, text.length, path, error) &&
              file_write_all(file, "\n", 1, path, error);
    close(file);
    ok = ok && program_run(fd, path, error) && file_read(path, out, error);
    unlink(path);
    while (ok && out->length && strchr(" \t\n", out->data[out->length - 1]))
        out->length--;
    return ok;
}

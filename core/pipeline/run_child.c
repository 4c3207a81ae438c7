#include "core/pipeline/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/run_file.h"

enum { CHILD_POLL_MS = 20, CHILD_WORDS = 4096 };

extern char **environ;

struct run_child {
    pid_t pid;
    uint64_t started;   /* clock ticks since boot: with the pid, who it is */
    int words;          /* what it prints: a file in memory that ends with us and it */
    char *folder;       /* of the runs */
    unsigned long seen; /* runs up to this number are not its own */
    char run[RUN_ID_SIZE];
    int exit_code;
    bool ended;
};

/* ---- start ---- */

/* In the child: between fork and exec nothing may allocate or lock. */
static void child_become(const char *path, char *const *arguments, int words, int null)
{
    setsid();
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL); /* KILL, STOP and libc's own refuse: that is fine */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(words, STDOUT_FILENO) < 0 ||
        dup2(words, STDERR_FILENO) < 0)
        _exit(126);
    /* What a library opened without CLOEXEC must not keep a port or a lock alive in a run. */
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(path, arguments, environ);
    static const char message[] = "surfboard: the program could not be started again\n"
                                  "  look whether the file is still there and may be run\n";
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit(127);
    _exit(127);
}

/* All signals are held back around fork(), so that none runs a handler of ours in the child or is
 * lost there: one that comes before exec is delivered with its default action. */
static pid_t child_fork(const char *path, char *const *arguments, int words, int null)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child_become(path, arguments, words, null);
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

static char **child_arguments(const struct profile *profile, const struct run_binary *binary,
                              const char *const *arguments, struct error *error)
{
    size_t count = 0;
    while (arguments[count])
        count++;
    const char **all = memory_zero(count + 4, sizeof *all, error);
    if (all == NULL)
        return NULL;
    all[0] = binary->path;
    all[1] = "--profile";
    all[2] = profile->path;
    memcpy(all + 3, arguments, count * sizeof *all);
    return (char **)(void *)all;
}

static bool child_launch(struct run_child *child, const struct profile *profile,
                         const struct run_binary *binary, const char *const *arguments,
                         struct error *error)
{
    char **all = child_arguments(profile, binary, arguments, error);
    TRY(all != NULL);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    child->words = memfd_create("surfboard-words", MFD_CLOEXEC);
    bool ok = null >= 0 && child->words >= 0;
    if (ok) {
        child->pid = child_fork(binary->path, all, child->words, null);
        ok = child->pid > 0;
    }
    if (!ok)
        error_set_system(error, errno, "starting %s %s", binary->path, arguments[0]);
    if (null >= 0)
        close(null);
    free(all);
    if (ok)
        child->started = host_process_start(child->pid);
    return ok;
}

struct run_child *run_child_start(const struct profile *profile, const struct run_binary *binary,
                                  const char *const *arguments, struct error *error)
{
    if (run_binary_changed(binary, error))
        return NULL;
    struct run_child *child = memory_zero(1, sizeof *child, error);
    if (child == NULL)
        return NULL;
    child->words = -1;
    child->exit_code = -1;
    child->folder = memory_format(error, "%s/runs", profile->state);
    unsigned long *numbers = NULL;
    size_t count = 0;
    bool ok = child->folder && run_file_numbers(child->folder, &numbers, &count, error);
    child->seen = ok && count ? numbers[0] : 0;
    free(numbers);
    if (ok && child_launch(child, profile, binary, arguments, error))
        return child;
    run_child_close(child);
    return NULL;
}

/* ---- what became of it ---- */

static bool child_owns(const struct run_child *child, unsigned long number)
{
    char *path = memory_format(NULL, "%s/%04lu.jsonl", child->folder, number);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct run_ends ends = {0};
    bool own =
        fd >= 0 && run_file_ends(fd, path, &ends, NULL) &&
        json_integer_value(json_object_get(ends.start, "pid")) == child->pid &&
        (uint64_t)json_integer_value(json_object_get(ends.start, "started")) == child->started;
    char boot[64];
    const char *then = json_string_value(json_object_get(ends.start, "boot"));
    host_boot_id(boot, sizeof boot);
    own = own && then && strcmp(then, boot) == 0;
    run_ends_destroy(&ends);
    if (fd >= 0)
        close(fd);
    free(path);
    return own;
}

static bool child_find_run(struct run_child *child, struct error *error)
{
    unsigned long *numbers = NULL;
    size_t count = 0;
    TRY(run_file_numbers(child->folder, &numbers, &count, error));
    for (size_t i = count; i > 0 && child->run[0] == '\0'; i--)
        if (numbers[i - 1] > child->seen && child_owns(child, numbers[i - 1]))
            snprintf(child->run, sizeof child->run, "%04lu", numbers[i - 1]);
    free(numbers);
    return true;
}

static void child_reap(struct run_child *child)
{
    int status = 0;
    pid_t got;
    do
        got = waitpid(child->pid, &status, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return;
    child->ended = true;
    child->exit_code = got < 0             ? 8 /* somebody else reaped it: how it ended is lost */
                       : WIFEXITED(status) ? WEXITSTATUS(status)
                                           : 128 + WTERMSIG(status);
}

void run_child_words(const struct run_child *child, char *out, size_t size)
{
    if (size == 0)
        return;
    off_t end = lseek(child->words, 0, SEEK_END);
    off_t most = (off_t)(size - 1 < CHILD_WORDS ? size - 1 : CHILD_WORDS);
    off_t from = end > most ? end - most : 0;
    ssize_t got = pread(child->words, out, (size_t)most, from);
    out[got > 0 ? got : 0] = '\0';
}

static enum error_kind child_kind(int exit_code)
{
    static const enum error_kind kinds[] = {
        [1] = ERROR_CHECK,   [2] = ERROR_USAGE,    [3] = ERROR_CONFIG, [4] = ERROR_UNREACHABLE,
        [5] = ERROR_REFUSED, [6] = ERROR_CONFLICT, [7] = ERROR_INPUT,  [8] = ERROR_INTERNAL};
    if (exit_code == 130)
        return ERROR_INTERRUPTED;
    return exit_code > 0 && exit_code <= 8 ? kinds[exit_code] : ERROR_INTERNAL;
}

/* The error as command_fail() prints it: "surfboard: message", then indented lines of remedy. The
 * last one counts; without one the last line that it printed does. */
static void child_failure(const struct run_child *child, struct error *out)
{
    char words[CHILD_WORDS + 1];
    static const char mark[] = "surfboard: ";
    run_child_words(child, words, sizeof words);
    char *message = NULL, *last = NULL, *remedy = NULL;
    for (char *line = words, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        next += *next ? (*next = '\0', 1) : 0;
        if (strncmp(line, mark, sizeof mark - 1) == 0) {
            message = line + sizeof mark - 1;
            remedy = NULL;
        } else if (message && remedy == NULL && strncmp(line, "  ", 2) == 0) {
            remedy = line + strspn(line, " ");
        }
        last = *line ? line : last;
    }
    if (message == NULL && child->exit_code > 128 && child->exit_code != 130)
        error_set(out, ERROR_INTERNAL, "surfboard doctor lists what died; begin it again",
                  "signal %d (%s) ended it%s%s", child->exit_code - 128,
                  strsignal(child->exit_code - 128), last ? ": " : "", last ? last : "");
    else
        error_set(out, child_kind(child->exit_code), remedy, "%s",
                  message ? message
                  : last  ? last
                          : "it ended without a word");
}

bool run_child_poll(struct run_child *child, struct run_child_report *out, struct error *error)
{
    *out = (struct run_child_report){.pid = child->pid, .exit_code = -1};
    if (!child->ended)
        child_reap(child);
    if (child->run[0] == '\0')
        TRY(child_find_run(child, error));
    memcpy(out->run, child->run, sizeof out->run);
    out->state = child->ended            ? RUN_CHILD_ENDED
                 : child->run[0] != '\0' ? RUN_CHILD_RUNNING
                                         : RUN_CHILD_STARTING;
    out->exit_code = child->exit_code;
    if (child->ended && child->exit_code != 0)
        child_failure(child, &out->failure);
    return true;
}

bool run_child_wait(struct run_child *child, int64_t wait_ms, struct run_child_report *out,
                    struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + wait_ms * 1000000;
    for (;;) {
        TRY(run_child_poll(child, out, error));
        if (out->state != RUN_CHILD_STARTING || clock_monotonic_ns() >= deadline)
            return true;
        clock_sleep_ms(CHILD_POLL_MS);
    }
}

void run_child_close(struct run_child *child)
{
    if (child == NULL)
        return;
    if (child->pid > 0 && !child->ended)
        child_reap(child);
    if (child->words >= 0)
        close(child->words);
    free(child->folder);
    free(child);
}

#include "tui/screen/signal.h"

#include <errno.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_ignored(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
           now.sa_handler == SIG_IGN;
}

bool signals_open(struct signals *signals, struct error *error)
{
    static const int numbers[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP};
    sigemptyset(&signals->taken);
    /* The kernel hands blocked signals over even when they are ignored: those must stay out. */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!is_ignored(numbers[i]))
            sigaddset(&signals->taken, numbers[i]);
    signals->fd = signalfd(-1, &signals->taken, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals->fd < 0)
        return error_set_system(error, errno, "can't wait for signals");
    pthread_sigmask(SIG_BLOCK, &signals->taken, &signals->before);
    signal(SIGPIPE, SIG_IGN);
    return true;
}

void signals_close(struct signals *signals)
{
    if (signals->fd < 0)
        return;
    close(signals->fd);
    signals->fd = -1;
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}

int signals_next(struct signals *signals)
{
    struct signalfd_siginfo info;
    ssize_t count;
    do
        count = read(signals->fd, &info, sizeof info);
    while (count < 0 && errno == EINTR);
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static bool end_waits(void)
{
    sigset_t waiting;
    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGHUP) ||
            sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGQUIT));
}

bool signals_raise(struct signals *signals, int number)
{
    sigset_t one, woken;
    struct timespec at_once = {0, 0};
    sigemptyset(&one);
    sigaddset(&one, number);
    sigemptyset(&woken);
    sigaddset(&woken, SIGCONT);
    if ((number == SIGTSTP || number == SIGTTIN) && end_waits())
        return false;
    signal(number, SIG_DFL);
    kill(number == SIGTSTP ? 0 : getpid(), number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL); /* here it strikes */
    if (sigismember(&signals->taken, number))
        pthread_sigmask(SIG_BLOCK, &one, NULL);
    return sigtimedwait(&woken, NULL, &at_once) == SIGCONT;
}

void signals_child(const struct signals *signals)
{
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &signals->before, NULL);
}

/* The program: signals around command_main(). */
#include <locale.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "tui/command.h"

static atomic_bool stop;

/* The first signal asks a graceful verb to stop, the second ends it where it stands. */
static void on_stop_signal(int number)
{
    (void)number;
    if (atomic_exchange(&stop, true))
        _exit(130);
}

static void on_end_signal(int number)
{
    (void)number;
    _exit(130);
}

int main(int count, char **arguments)
{
    setlocale(LC_CTYPE, "");
    const struct verb *verb = command_find(count, arguments);
    bool graceful = verb && (verb->flags & VERB_GRACEFUL);
    /* A reader's verb ends quietly when its pipe closes (| head); one that changes the world must
     * not die between two steps because nobody reads its report. */
    if (verb && (verb->flags & (VERB_CHANGES | VERB_GRACEFUL)))
        signal(SIGPIPE, SIG_IGN);
    struct sigaction action = {.sa_handler = graceful ? on_stop_signal : on_end_signal};
    sigemptyset(&action.sa_mask);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        /* nohup and background jobs: what is ignored at the start stays ignored. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    return command_main(count, arguments, stdout, stderr, &stop);
}

/* signal.h: signals as something that poll() can wait for: TERM HUP INT QUIT WINCH CONT TSTP.
 *
 * They are blocked in the calling thread and in all threads that it starts later, so open this
 * first. A signal that was ignored when we were started (HUP under nohup, INT and QUIT of a
 * background job) stays ignored. Children inherit a blocked set: call signals_child() between
 * fork() and exec(). Crashes are terminal_guard_crashes()' business. */
#ifndef SURFBOARD_TUI_SCREEN_SIGNAL_H
#define SURFBOARD_TUI_SCREEN_SIGNAL_H

#include <signal.h>

#include "core/base/error.h"

struct signals {
    int fd; /* readable when one came */
    sigset_t taken, before;
};

/* Also makes SIGPIPE ignored: a reader that went away is an error of the write, not our death. */
bool signals_open(struct signals *signals, struct error *error);
/* The mask as it was; what is pending then has its default effect. */
void signals_close(struct signals *signals);
/* The next signal that came, 0 when there is none. Several of one kind may be one. */
int signals_next(struct signals *signals);
/* Lets the signal have its default effect, after the terminal was given back: TERM, HUP, INT and
 * QUIT end the process so that the shell sees by what. TSTP stops the whole group (a `sudo` or `sh
 * -c` in front of us too), TTIN this process; both return once it goes on, with the CONT that woke
 * it taken: the caller takes the terminal again at once. False: it did not stop us, since our
 * process group is orphaned (nobody could continue it), or since one that ends us waits already
 * (`kill %1` sends TERM, then CONT): the caller goes on with its loop. */
bool signals_raise(struct signals *signals, int number);
/* In a forked child, before exec: the mask from before us, SIGPIPE's default. Async-signal-safe. */
void signals_child(const struct signals *signals);

#endif

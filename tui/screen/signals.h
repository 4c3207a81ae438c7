/* signals.h: the signals that the screen handles, as a descriptor of its loop: TERM, HUP, INT,
 * QUIT, WINCH, CONT, TSTP. Blocked in the thread that calls (threads started later inherit that),
 * so that none interrupts anything; a child process sets its mask back before exec. */
#ifndef SURFBOARD_TUI_SCREEN_SIGNALS_H
#define SURFBOARD_TUI_SCREEN_SIGNALS_H

#include <signal.h>

#include "core/base/error.h"

struct signals {
    int fd;
    sigset_t before; /* the mask to go back to */
};

bool signals_open(struct signals *signals, struct error *error);
void signals_close(struct signals *signals);
/* Calls each(context, number) for what came. */
void signals_read(struct signals *signals, void (*each)(void *context, int number), void *context);

#endif

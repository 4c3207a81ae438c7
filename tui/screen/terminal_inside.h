/* terminal_inside.h: between terminal.c and its helpers; nobody else includes it. */
#ifndef SURFBOARD_TUI_SCREEN_TERMINAL_INSIDE_H
#define SURFBOARD_TUI_SCREEN_TERMINAL_INSIDE_H

#include "tui/screen/terminal.h"

/* terminal_modes.c: abilities and the on and off sequences, from TERM, terminfo and environment. */
bool terminal_modes_find(struct terminal *terminal, const struct terminal_options *options,
                         struct error *error);
/* The off sequence again: on a terminal without an alternate screen it depends on the size. */
void terminal_modes_leave(struct terminal *terminal);
void terminal_modes_title(struct terminal *terminal, const char *title);

/* terminal_restore.c: giving the tty back from anywhere, a signal handler included. Holds a copy of
 * what that takes. */
void restore_arm(int fd, const struct termios *before);
void restore_bytes(const char *off, size_t length);
enum restore_owed {
    RESTORE_TERMIOS = 1, /* the tty is raw */
    RESTORE_MODES = 2,   /* the modes are on */
    RESTORE_HALF = 4     /* the last write was cut off somewhere in a sequence */
};
/* What restore_now() has to do from now on: a set of enum restore_owed. */
void restore_owes(unsigned owed);
unsigned restore_owed(void);
/* Does it, at once, and owes nothing afterwards. `leave`: what the tty refuses is left to a child
 * process; else it is dropped. Async-signal-safe. */
void restore_now(bool leave);
void restore_disarm(void);
/* Where a crash is told: our own descriptor of the tty when stderr is that tty, since the shell's
 * one would block us for as long as nobody reads. */
int restore_report_fd(void);

#endif

/* terminal.h: the tty. Owns termios and modes, hands bytes in and out, never blocks, and gives the
 * terminal back as it was after every way to die.
 *
 * One terminal a process: the crash handler has to find it. The descriptor is a fresh open of the
 * tty, non-blocking, so that the shell's own is left alone. */
#ifndef SURFBOARD_TUI_SCREEN_TERMINAL_H
#define SURFBOARD_TUI_SCREEN_TERMINAL_H

#include <sys/types.h>

#include "core/base/buffer.h"
#include "tui/screen/painter.h"

struct terminal {
    int fd;
    int rows, columns;
    struct painter_abilities abilities;
    bool utf8;             /* the locale's charset */
    bool synchronised;     /* frames go between the marks of mode 2026 */
    bool known_type;       /* false: TERM is not in terminfo, drawn as a vt100 */
    struct buffer pending; /* what the tty did not take yet */
    size_t sent;
};

struct terminal_options {
    bool no_color; /* --no-color; NO_COLOR is looked at here */
    bool ascii;    /* also set by a locale without UTF-8 */
    bool mouse;
    const char *title; /* "surfboard DELL" */
};

/* Looks at TERM, COLORTERM, locale and size; opens the tty and switches it over. ERROR_REFUSED with
 * a remedy (the command line does all of it) when there is no terminal, or one that cannot address
 * its cursor (TERM=dumb). */
bool terminal_open(struct terminal *terminal, const struct terminal_options *options,
                   struct error *error);
/* Gives everything back. What the tty does not take at once is left to a small process that waits
 * for its reader (60 s at most); we are not held up. */
void terminal_close(struct terminal *terminal);
/* The line is gone: closes without writing. */
void terminal_abandon(struct terminal *terminal);

/* Asks the kernel for the size (0 is taken as 24x80); true when it changed. */
bool terminal_measure(struct terminal *terminal);
/* Modes on again (after SIGCONT), if we are in the foreground; the caller repaints all. */
bool terminal_resume(struct terminal *terminal);
/* Gives the terminal back for a while ($EDITOR, Ctrl-Z); terminal_resume() takes it again. */
void terminal_suspend(struct terminal *terminal);

/* Sends a frame: marks around it, one write. What did not fit stays pending; false only when the
 * line is gone. */
bool terminal_send(struct terminal *terminal, struct slice frame);
/* Bytes that copy `text` to the clipboard of the user's terminal (OSC 52), or set its title. */
bool terminal_copy(struct terminal *terminal, struct slice text);
bool terminal_flush(struct terminal *terminal);      /* the tty is writable again */
bool terminal_busy(const struct terminal *terminal); /* something is pending: don't draw */
/* Reads what waits: bytes, 0 nothing now, -1 the line is gone. */
ssize_t terminal_read(struct terminal *terminal, char *bytes, size_t size);

/* From now on a crash (SEGV, BUS, ABRT, FPE, ILL) restores the terminal, tells version, signal,
 * `what` and a backtrace on stderr, and hands over to the handler before (ASan, a core). */
void terminal_guard_crashes(void);
/* What the program is doing, for that report: "streams: merge"; a static text or one that lives. */
void terminal_doing(const char *what);

#endif

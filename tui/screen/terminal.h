/* terminal.h: the tty. Owns termios and modes, hands bytes in and out, never blocks, and gives the
 * terminal back as it was after every way to die.
 *
 * One terminal a process: the crash handler has to find it. The descriptor is a fresh open of the
 * tty, non-blocking, so that the shell's own is left alone. */
#ifndef SURFBOARD_TUI_SCREEN_TERMINAL_H
#define SURFBOARD_TUI_SCREEN_TERMINAL_H

#include <sys/types.h>
#include <termios.h>

#include "core/base/buffer.h"
#include "tui/screen/painter.h"

enum { TERMINAL_MODE_BYTES = 512, TERMINAL_COPY_MOST = 56244 };

struct terminal {
    int fd;
    int rows, columns;
    struct painter_abilities abilities;
    bool utf8;             /* the locale's charset */
    bool synchronised;     /* frames go between the marks of mode 2026 */
    bool known_type;       /* false: TERM is not in terminfo, drawn as a vt100 */
    bool modern;           /* knows xterm's private modes: title, paste, mouse, OSC 52 */
    bool paused;           /* given back for a while: nothing is written */
    bool entering;         /* the next frame switches the modes on */
    struct buffer pending; /* what the tty did not take yet */
    size_t sent;
    struct termios before;        /* the shell's */
    char on[TERMINAL_MODE_BYTES]; /* alternate screen, keypad, paste, mouse */
    size_t on_length;
    char off[TERMINAL_MODE_BYTES];
    size_t off_length;
    char title[TERMINAL_MODE_BYTES]; /* the sequence that sets it */
    size_t title_length;
};

struct terminal_options {
    bool no_color; /* --no-color; NO_COLOR is looked at here */
    bool ascii;    /* also set by a locale without UTF-8 */
    bool mouse;
    const char *title; /* "surfboard DELL" */
};

/* Looks at TERM, COLORTERM, locale (setlocale() must have been called) and size; opens the tty and
 * makes it raw. Writes nothing yet: the modes go out with the first frame. Asks the terminal no
 * question. ERROR_REFUSED with a remedy (the command line does all of it) when there is no
 * terminal, or one that cannot address its cursor (TERM=dumb). */
bool terminal_open(struct terminal *terminal, const struct terminal_options *options,
                   struct error *error);
/* Gives everything back, never held up: what a stuck tty has queued of our frames is dropped, and
 * if even that makes no room a small process waits for its reader (60 s at most). Also right after
 * SIGHUP, and when the line is gone. */
void terminal_close(struct terminal *terminal);
/* The line is gone (a call below said so, or POLLHUP): closes without writing. */
void terminal_abandon(struct terminal *terminal);

/* Asks the kernel for the size (0 is taken as 24x80); true when it changed. */
bool terminal_measure(struct terminal *terminal);
/* Raw again, modes on with the next frame (after SIGCONT, after $EDITOR); the caller repaints all
 * at once. False, and nothing done, when another process group is in the foreground: the caller
 * then stops again with SIGTTIN, as the shell expects. (A hang-up sends CONT too: true then, and
 * the next read says -1.) */
bool terminal_resume(struct terminal *terminal);
/* Gives the terminal back for a while ($EDITOR, Ctrl-Z); terminal_resume() takes it again. */
void terminal_suspend(struct terminal *terminal);

/* Sends a frame: marks around it, one write. What did not fit stays pending; false only when the
 * line is gone. An empty frame sends nothing, unless modes wait to be switched on. */
bool terminal_send(struct terminal *terminal, struct slice frame);
/* Copies `text` to the clipboard of the user's terminal (OSC 52). ERROR_UNSUPPORTED when it has
 * more than TERMINAL_COPY_MOST bytes, which terminals drop without a word, or on one that knows no
 * such thing; ERROR_IO when the line is gone. */
bool terminal_copy(struct terminal *terminal, struct slice text, struct error *error);
/* "surfboard DELL": control characters are left out. False only when the line is gone. */
bool terminal_title(struct terminal *terminal, const char *title);
bool terminal_flush(struct terminal *terminal);      /* the tty is writable again */
bool terminal_busy(const struct terminal *terminal); /* something is pending: don't draw */
/* Reads what waits: bytes, 0 nothing now, -1 the line is gone. */
ssize_t terminal_read(struct terminal *terminal, char *bytes, size_t size);

/* From now on a crash (SEGV, BUS, ABRT, FPE, ILL), on whatever thread, restores the terminal, tells
 * version, signal, `what` and a backtrace on stderr, and hands over to the handler before (ASan, a
 * core). exit() without terminal_close() restores as well. */
void terminal_guard_crashes(void);
/* On a worker thread: lets the handler run even when the thread's stack is used up. */
void terminal_guard_thread(void);
/* What the program is doing, for that report: "streams: merge"; a static text or one that lives. */
void terminal_doing(const char *what);

#endif

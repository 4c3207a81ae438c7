#include "tui/screen/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/base64.h"
#include "tui/screen/terminal_inside.h"
#include "tui/screen/terminfo.h"

enum { ROWS_MOST = 500, COLUMNS_MOST = 1000 };

static const char frame_begin[] = "\x1b[?2026h", frame_end[] = "\x1b[?2026l";

/* -- opening */

static bool same_tty(int one, int other)
{
    unsigned first = 0, second = 0;
    return ioctl(one, TIOCGDEV, &first) == 0 && ioctl(other, TIOCGDEV, &second) == 0 &&
           first == second;
}

static int open_tty(const char *path)
{
    int fd = path ? open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    if (fd >= 0 && isatty(fd) && same_tty(fd, STDIN_FILENO))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* By name first; in a container the name may mean nothing, and after su only /dev/tty may be
 * opened. */
static int reopen_tty(void)
{
    char name[128];
    int fd = open_tty(ttyname_r(STDIN_FILENO, name, sizeof name) == 0 ? name : NULL);
    fd = fd >= 0 ? fd : open_tty("/proc/self/fd/0");
    fd = fd >= 0 ? fd : open_tty("/proc/self/fd/1");
    return fd >= 0 ? fd : open_tty("/dev/tty");
}

static bool make_raw(struct terminal *terminal)
{
    struct termios raw = terminal->before;
    cfmakeraw(&raw); /* signals by keys off: Ctrl-C cancels a query, not us */
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    while (tcsetattr(terminal->fd, TCSANOW, &raw) < 0)
        if (errno != EINTR)
            return false;
    restore_owes(restore_owed() | RESTORE_TERMIOS);
    return true;
}

static void give_back_at_exit(void)
{
    restore_now(true);
}

static bool open_and_look(struct terminal *terminal, const struct terminal_options *options,
                          struct error *error)
{
    static bool registered;
    terminal->fd = reopen_tty();
    if (terminal->fd < 0 || tcgetattr(terminal->fd, &terminal->before) < 0)
        return error_set_system(error, errno, "can't open the terminal");
    TRY(terminal_modes_find(terminal, options, error));
    terminal_measure(terminal);
    restore_arm(terminal->fd, &terminal->before);
    restore_bytes(terminal->off, terminal->off_length);
    if (!registered)
        atexit(give_back_at_exit);
    registered = true;
    if (!make_raw(terminal))
        return error_set_system(error, errno, "can't switch the terminal over");
    terminal->entering = true;
    return true;
}

static void release(struct terminal *terminal)
{
    restore_disarm();
    if (terminal->fd >= 0)
        close(terminal->fd);
    terminfo_close();
    buffer_destroy(&terminal->pending);
    memset(terminal, 0, sizeof *terminal);
    terminal->fd = -1;
}

bool terminal_open(struct terminal *terminal, const struct terminal_options *options,
                   struct error *error)
{
    memset(terminal, 0, sizeof *terminal);
    terminal->fd = -1;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(error, ERROR_REFUSED,
                         "use the command line, which does all that the screen does: surfboard "
                         "--help, surfboard status; over ssh, ask for a terminal with ssh -t",
                         "%s is not a terminal, and the screen needs one",
                         isatty(STDIN_FILENO) ? "the output" : "the input");
    if (open_and_look(terminal, options, error))
        return true;
    release(terminal);
    return false;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal->fd < 0)
        return;
    restore_now(true);
    release(terminal);
}

void terminal_abandon(struct terminal *terminal)
{
    if (terminal->fd >= 0)
        release(terminal);
}

/* -- size */

bool terminal_measure(struct terminal *terminal)
{
    struct winsize size = {0};
    int rows = 24, columns = 80;
    if (ioctl(terminal->fd, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col) {
        rows = size.ws_row < ROWS_MOST ? size.ws_row : ROWS_MOST;
        columns = size.ws_col < COLUMNS_MOST ? size.ws_col : COLUMNS_MOST;
    }
    if (rows == terminal->rows && columns == terminal->columns)
        return false;
    terminal->rows = rows;
    terminal->columns = columns;
    terminal_modes_leave(terminal);
    restore_bytes(terminal->off, terminal->off_length);
    return true;
}

/* -- output */

/* One write; what the tty does not take stays. */
static bool write_pending(struct terminal *terminal)
{
    struct buffer *pending = &terminal->pending;
    ssize_t count;
    if (!(restore_owed() & RESTORE_TERMIOS)) { /* given back: a crash on another thread */
        buffer_clear(pending);
        return true;
    }
    do
        count =
            write(terminal->fd, pending->data + terminal->sent, pending->length - terminal->sent);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno != EAGAIN)
        return false;
    terminal->sent += count > 0 ? (size_t)count : 0;
    unsigned owed = restore_owed() & ~(unsigned)RESTORE_HALF;
    bool half = terminal->sent < pending->length;
    restore_owes(owed | (half && terminal->sent > 0 ? RESTORE_HALF : 0));
    if (!half) {
        buffer_clear(pending);
        terminal->sent = 0;
    }
    return true;
}

static bool append(struct terminal *terminal, const char *bytes, size_t length)
{
    return buffer_append(&terminal->pending, bytes, length, NULL);
}

bool terminal_send(struct terminal *terminal, struct slice frame)
{
    if (terminal->paused || (frame.length == 0 && !terminal->entering))
        return true;
    size_t begun = terminal->pending.length;
    bool ok = !terminal->synchronised || append(terminal, frame_begin, sizeof frame_begin - 1);
    if (terminal->entering)
        ok = ok && append(terminal, terminal->on, terminal->on_length) &&
             append(terminal, terminal->title, terminal->title_length);
    ok = ok && append(terminal, frame.data, frame.length);
    if (terminal->synchronised)
        ok = ok && append(terminal, frame_end, sizeof frame_end - 1);
    if (!ok) { /* no memory: the frame is lost, the line is not */
        terminal->pending.length = begun;
        return true;
    }
    if (terminal->entering)
        restore_owes(restore_owed() | RESTORE_MODES);
    terminal->entering = false;
    return write_pending(terminal);
}

bool terminal_flush(struct terminal *terminal)
{
    return !terminal_busy(terminal) || write_pending(terminal);
}

bool terminal_busy(const struct terminal *terminal)
{
    return terminal->pending.length > 0;
}

bool terminal_title(struct terminal *terminal, const char *title)
{
    terminal_modes_title(terminal, title);
    if (terminal->title_length == 0 || terminal->entering || terminal->paused ||
        !append(terminal, terminal->title, terminal->title_length))
        return true; /* or it goes out with the modes */
    return write_pending(terminal);
}

bool terminal_copy(struct terminal *terminal, struct slice text, struct error *error)
{
    if (!terminal->modern)
        return error_set(error, ERROR_UNSUPPORTED,
                         "select the text with the terminal's own means, or export it to a file",
                         "this terminal has no clipboard that a program can reach");
    if (text.length > TERMINAL_COPY_MOST)
        return error_set(error, ERROR_UNSUPPORTED, "export it to a file instead",
                         "%zu bytes are too many for the clipboard of a terminal, which takes "
                         "%d",
                         text.length, TERMINAL_COPY_MOST);
    struct buffer *pending = &terminal->pending;
    size_t begun = pending->length;
    if (!buffer_append_text(pending, "\x1b]52;c;", error) || !base64_encode(text, pending, error) ||
        !buffer_append_text(pending, "\x1b\\", error)) {
        pending->length = begun;
        return false;
    }
    if (write_pending(terminal))
        return true;
    return error_set_system(error, errno, "the terminal's line is gone");
}

/* -- input */

ssize_t terminal_read(struct terminal *terminal, char *bytes, size_t size)
{
    ssize_t count = read(terminal->fd, bytes, size);
    if (count > 0)
        return count;
    /* 0 is a tty that was hung up: a raw one knows no end of file. */
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* -- giving it away and taking it again */

void terminal_suspend(struct terminal *terminal)
{
    if (terminal->fd < 0 || terminal->paused)
        return;
    restore_now(false);
    buffer_clear(&terminal->pending);
    terminal->sent = 0;
    terminal->paused = true;
}

bool terminal_resume(struct terminal *terminal)
{
    pid_t foreground = terminal->fd < 0 ? -1 : tcgetpgrp(terminal->fd);
    if (foreground < 0)
        return true; /* the line is gone: the next read says so */
    if (foreground != getpgrp())
        return false;
    if (terminal->sent > 0) { /* stopped without a word to us while a frame was on its way */
        restore_now(false);
        buffer_clear(&terminal->pending);
        terminal->sent = 0;
    }
    /* The shell may have changed its settings meanwhile; they are what is given back in the end. */
    if (terminal->paused && tcgetattr(terminal->fd, &terminal->before) == 0)
        restore_arm(terminal->fd, &terminal->before);
    make_raw(terminal); /* fails only without a line */
    terminal->paused = false;
    terminal->entering = true;
    terminal_measure(terminal);
    return true;
}

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tui/screen/terminal_inside.h"

/* All that runs here may run in a signal handler, on any thread, with the heap in ruins. */

enum { READER_WAIT_SECONDS = 60 };

/* CAN and ST end whatever sequence or string a cut-off write left open. */
static const char abort_sequence[] = "\x18\x1b\\";
enum { ABORT_LENGTH = sizeof abort_sequence - 1 };

static struct termios before;
static atomic_int tty = -1;
static atomic_uint owed;
static int report = STDERR_FILENO;
static pid_t owner; /* a forked child must not give its parent's terminal away */

/* Two slots, so that a handler never reads one that is being written. */
static struct {
    char bytes[ABORT_LENGTH + TERMINAL_MODE_BYTES]; /* room for the abort in front */
    size_t length;
} slots[2];
static atomic_int slot;

void restore_arm(int fd, const struct termios *termios)
{
    before = *termios;
    owner = getpid();
    unsigned ours = 0, other = 1;
    bool same = ioctl(fd, TIOCGDEV, &ours) == 0 && ioctl(STDERR_FILENO, TIOCGDEV, &other) == 0 &&
                ours == other;
    report = same ? fd : STDERR_FILENO;
    atomic_store(&owed, 0);
    atomic_store(&tty, fd);
}

void restore_bytes(const char *off, size_t length)
{
    int next = !atomic_load(&slot);
    memcpy(slots[next].bytes, abort_sequence, ABORT_LENGTH);
    memcpy(slots[next].bytes + ABORT_LENGTH, off, length);
    slots[next].length = ABORT_LENGTH + length;
    atomic_store(&slot, next);
}

void restore_owes(unsigned what)
{
    atomic_store(&owed, what);
}

unsigned restore_owed(void)
{
    return atomic_load(&owed);
}

void restore_disarm(void)
{
    atomic_store(&owed, 0);
    atomic_store(&tty, -1);
    report = STDERR_FILENO;
}

int restore_report_fd(void)
{
    return report;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t count = write(fd, bytes + done, length - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 && errno == EIO; /* the line is gone: nothing is left to restore */
        done += (size_t)count;
    }
    return true;
}

static time_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* The child's whole life: wait until somebody reads the terminal again, write, end. A hang-up ends
 * it too. It holds nothing open but the tty. */
static _Noreturn void wait_for_reader(int fd, const char *bytes, size_t length)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (fd > 0)
        close_range(0, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0u, 0);
    time_t end = seconds_now() + READER_WAIT_SECONDS;
    for (time_t now = seconds_now(); length > 0 && now < end; now = seconds_now()) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        if (poll(&wait, 1, (int)(end - now) * 1000) < 0 || wait.revents & (POLLHUP | POLLERR))
            break;
        ssize_t count = write(fd, bytes, length);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            break;
        bytes += count > 0 ? count : 0;
        length -= count > 0 ? (size_t)count : 0;
    }
    _exit(0);
}

static void give_back(int fd, bool half, bool leave)
{
    const char *bytes = slots[atomic_load(&slot)].bytes;
    size_t length = slots[atomic_load(&slot)].length;
    size_t skip = half ? 0 : ABORT_LENGTH;
    if (write_all(fd, bytes + skip, length - skip))
        return;
    /* The reader sleeps. What waits in the queue are frames of a screen that goes away: dropping
     * them makes room, and works even when we lead the session and a child would be hung up. */
    tcflush(fd, TCOFLUSH);
    if (write_all(fd, bytes, length) || !leave)
        return;
    if (_Fork() == 0) /* not fork(): its handlers take locks */
        wait_for_reader(fd, bytes, length);
}

void restore_now(bool leave)
{
    int fd = atomic_load(&tty);
    unsigned what = atomic_exchange(&owed, 0);
    if (fd < 0 || what == 0 || getpid() != owner)
        return;
    int saved_errno = errno;
    sigset_t block, mask;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU); /* from the background a tcsetattr() would stop us here */
    sigprocmask(SIG_BLOCK, &block, &mask);
    if (what & RESTORE_TERMIOS)
        while (tcsetattr(fd, TCSANOW, &before) < 0 && errno == EINTR)
            continue;
    if (what & RESTORE_MODES)
        give_back(fd, what & RESTORE_HALF, leave);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = saved_errno;
}

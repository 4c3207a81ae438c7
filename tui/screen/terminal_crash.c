#include <execinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "tui/screen/terminal_inside.h"

enum { FRAMES_MOST = 64, HANDLER_STACK = 64 * 1024 };

static const struct {
    int number;
    const char *name;
} crashes[] = {
    {SIGSEGV, "SIGSEGV, a bad address"},    {SIGBUS, "SIGBUS, memory that is gone"},
    {SIGABRT, "SIGABRT, a broken promise"}, {SIGFPE, "SIGFPE, a bad calculation"},
    {SIGILL, "SIGILL, a bad instruction"},
};
enum { CRASH_COUNT = sizeof crashes / sizeof *crashes };

static struct sigaction handlers_before[CRASH_COUNT];
static _Atomic(const char *) doing;
static atomic_int crashing; /* the thread that crashed first */
static _Thread_local char handler_stack[HANDLER_STACK];

void terminal_doing(const char *what)
{
    atomic_store(&doing, what);
}

/* -- the report: no stdio, no heap */

struct report {
    char text[512];
    size_t length;
};

static void say(struct report *report, const char *text)
{
    size_t more = strlen(text), room = sizeof report->text - report->length;
    more = more < room ? more : room;
    memcpy(report->text + report->length, text, more);
    report->length += more;
}

static void say_address(struct report *report, size_t address)
{
    char digits[2 * sizeof address + 3], *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = "0123456789abcdef"[address & 15];
    while (address >>= 4);
    *--at = 'x';
    *--at = '0';
    say(report, at);
}

/* A terminal whose reader sleeps must not keep a dead program alive. */
static bool report_takes(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    return poll(&wait, 1, 100) == 1 && (wait.revents & POLLOUT);
}

static void tell(struct report *report, int fd)
{
    ssize_t told = report_takes(fd) ? write(fd, report->text, report->length) : 0;
    (void)told; /* who does not take it can't be told */
    report->length = 0;
}

static void tell_crash(size_t which, const siginfo_t *info)
{
    struct report report = {.length = 0};
    const char *what = atomic_load(&doing);
    void *frames[FRAMES_MOST];
    int fd = restore_report_fd();
    say(&report, "\nsurfboard " SURFBOARD_VERSION " crashed: ");
    say(&report, crashes[which].name);
    if (info->si_code > 0 && crashes[which].number != SIGABRT) {
        say(&report, " ");
        say_address(&report, (size_t)info->si_addr);
    }
    say(&report, "\nIt was doing: ");
    say(&report, what ? what : "nothing in particular");
    say(&report, "\nRuns go on by themselves; `surfboard runs` lists them. Backtrace:\n");
    tell(&report, fd);
    int count = backtrace(frames, FRAMES_MOST);
    if (report_takes(fd))
        backtrace_symbols_fd(frames, count, fd);
    say(&report, "Please report it: these lines, what you pressed last, and TERM. They hold none "
                 "of your data.\n");
    tell(&report, fd);
}

/* -- the handler */

/* To the handler before us: a fault of our own repeats by itself once we return, a signal that was
 * sent has to be sent again. */
static void hand_over(size_t which, const siginfo_t *info)
{
    struct sigaction next = handlers_before[which];
    if (!(next.sa_flags & SA_SIGINFO) && next.sa_handler == SIG_IGN)
        next.sa_handler = SIG_DFL;
    sigaction(crashes[which].number, &next, NULL);
    if (info->si_code <= 0 || crashes[which].number == SIGABRT)
        raise(crashes[which].number);
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    (void)context;
    size_t which = 0;
    while (which + 1 < CRASH_COUNT && crashes[which].number != number)
        which++;
    int nobody = 0, self = gettid();
    if (atomic_compare_exchange_strong(&crashing, &nobody, self)) {
        restore_now(true);
        tell_crash(which, info);
    } else if (nobody != self) {
        for (;;) /* the first one ends the process */
            pause();
    }
    hand_over(which, info);
}

void terminal_guard_thread(void)
{
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE))
        return; /* ASan gives each thread one */
    stack_t own = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    sigaltstack(&own, NULL);
}

/* In builds with sanitizers, which end the process themselves: NULL elsewhere. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void restore_before_death(void)
{
    restore_now(true);
}

void terminal_guard_crashes(void)
{
    static bool guarded;
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    void *frames[2];
    if (guarded)
        return;
    guarded = true;
    backtrace(frames, 2); /* loads its library now: it could not do so with the heap in ruins */
    terminal_guard_thread();
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CRASH_COUNT; i++)
        sigaction(crashes[i].number, &action, &handlers_before[i]);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(restore_before_death);
}

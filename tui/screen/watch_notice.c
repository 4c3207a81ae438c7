/* Runs that others begin while nothing ticks: the kernel tells, so that nobody has to look. */
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "tui/screen/watch_private.h"

static void notice_ready(void *context, short events)
{
    (void)events;
    struct app *app = context;
    char bytes[4096];
    /* What exactly came is of no interest: the look finds it. */
    while (read(app->watch.notice, bytes, sizeof bytes) > 0)
        continue;
    watch_runs_came(app);
}

/* The folder comes with the first run; until then each look tries again. */
void watch_notice_open(struct app *app)
{
    struct watch *watch = &app->watch;
    char folder[4096];
    struct error ignored = {0};
    if (watch->notice > 0)
        return;
    snprintf(folder, sizeof folder, "%s/runs", app->profile.state);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd <= 0)
        return;
    if (inotify_add_watch(fd, folder, IN_CREATE | IN_ONLYDIR) < 0 ||
        !loop_watch(&app->loop, fd, POLLIN, notice_ready, app, &ignored)) {
        close(fd);
        return;
    }
    watch->notice = fd;
}

void watch_notice_close(struct app *app)
{
    struct watch *watch = &app->watch;
    if (watch->notice <= 0)
        return;
    loop_forget(&app->loop, watch->notice);
    close(watch->notice);
    watch->notice = 0;
}

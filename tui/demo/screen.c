/* The screen over the running demo: its children are read beside the keys. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "tui/demo/demo.h"
#include "tui/screen/app.h"

struct demo_watch {
    struct demo *demo;
    struct app *app;
    struct demo_child *child;
    int fd; /* of the child as it was started */
};

static void demo_child_ready(void *context, short events)
{
    (void)events;
    struct demo_watch *watch = context;
    struct error error = {0};
    if (!demo_children_poll(&watch->child, 1, 0, &error))
        app_fail(watch->app, &error);
    if (watch->child->pid)
        return;
    loop_forget(&watch->app->loop, watch->fd);
    app_say(watch->app, STYLE_FAIL, "the demo's %s ended with exit code %d; its log lies in %s",
            watch->child->name, watch->child->exit_code, watch->demo->logs);
}

static void demo_time_over(void *context)
{
    struct app *app = context;
    app->ended = true;
}

static bool demo_screen_main(struct demo *demo, struct app *app, struct error *error)
{
    struct demo_child *children[] = {&demo->simulate, &demo->capture, &demo->merge};
    struct demo_watch watches[3];
    for (size_t i = 0; i < 3; i++) {
        watches[i] = (struct demo_watch){demo, app, children[i], children[i]->fd};
        TRY(loop_watch(&app->loop, watches[i].fd, POLLIN, demo_child_ready, &watches[i], error));
    }
    if (command_option(demo->command, "seconds"))
        loop_after(&app->loop, demo->run_ms, demo_time_over, app);
    return app_main(app) == 0 || error_set(error, ERROR_INTERRUPTED, NULL, "the terminal is gone");
}

bool demo_has_screen(const struct demo *demo)
{
    return demo->command->out_is_terminal && !demo->command->json && isatty(STDIN_FILENO) == 1 &&
           !command_flag(demo->command, "no-screen");
}

bool demo_screen(struct demo *demo, struct error *error)
{
    struct app_options options = {.profile_path = demo->profile_path,
                                  .profile_from = "the demo",
                                  .read_only = demo->command->read_only,
                                  .ascii = demo->command->ascii,
                                  .no_color = command_flag(demo->command, "no-color"),
                                  .first = ACTION_VIEW_STREAMS};
    struct app *app = memory_zero(1, sizeof *app, error);
    TRY(app);
    bool ok = app_open(app, &options, error);
    if (ok) {
        ok = demo_screen_main(demo, app, error);
        if (!app_close(app))
            app = NULL; /* a thread of it is still held up */
    }
    free(app);
    return ok;
}

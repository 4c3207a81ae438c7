#include "tui/screen/runner.h"

#include <stdio.h>
#include <string.h>

#include "tui/screen/app.h"

enum { POLL_STARTING_MS = 50, POLL_RUNNING_MS = 500 };

bool runner_init(struct runner *runner, struct error *error)
{
    return run_binary_fix(&runner->binary, error);
}

void runner_destroy(struct runner *runner)
{
    while (runner->count)
        run_child_close(runner->children[--runner->count].child);
}

static void child_tell_end(struct app *app, const struct runner_child *child,
                           const struct run_child_report *report)
{
    const struct error *failure = &report->failure;
    if (report->exit_code == 0)
        app_say(app, STYLE_OK, "%s is done%s%s", child->what, report->run[0] ? ": run " : "",
                report->run);
    else
        app_say(app, STYLE_FAIL, "%s%s%s: %s%s%s", child->what, report->run[0] ? ", run " : "",
                report->run, failure->message[0] ? failure->message : "ended without a word",
                failure->remedy[0] ? "; " : "", failure->remedy);
}

/* False when it has ended. */
static bool child_look(struct app *app, struct runner_child *child, bool *starting)
{
    struct run_child_report report;
    struct error error = {0};
    if (!run_child_poll(child->child, &report, &error)) {
        app_fail(app, &error);
        return true;
    }
    *starting = *starting || report.state == RUN_CHILD_STARTING;
    if (report.state == RUN_CHILD_RUNNING && !child->told) {
        child->told = true;
        app_say(app, STYLE_MESSAGE, "%s runs as run %s; it goes on without this screen",
                child->what, report.run);
        watch_look(app);
    }
    if (report.state != RUN_CHILD_ENDED)
        return true;
    child_tell_end(app, child, &report);
    run_child_close(child->child);
    watch_look(app);
    if (child->ended)
        child->ended(app, report.run, report.exit_code);
    return false;
}

static void runner_timer(void *context)
{
    struct app *app = context;
    struct runner *runner = &app->runner;
    bool starting = false;
    app->loop.busy--;
    for (size_t i = 0; i < runner->count;) {
        struct runner_child child = runner->children[i];
        bool alive = child_look(app, &child, &starting);
        if (alive)
            runner->children[i++] = child;
        else
            runner->children[i] = runner->children[--runner->count];
    }
    if (runner->count == 0)
        return;
    app->loop.busy++;
    loop_after(&app->loop, starting ? POLL_STARTING_MS : POLL_RUNNING_MS, runner_timer, app);
}

bool app_run(struct app *app, const char *const *words, runner_ended *ended)
{
    struct runner *runner = &app->runner;
    struct error error = {0};
    struct runner_child child = {.ended = ended};
    if (app->read_only)
        error_set(&error, ERROR_REFUSED, "use a context that is not read-only",
                  "this context is read-only");
    else if (runner->count == RUNNER_MOST)
        error_set(&error, ERROR_CONFLICT, "wait for one of them",
                  "this screen has %d runs under way", RUNNER_MOST);
    else
        child.child = run_child_start(&app->profile, &runner->binary, words, &error);
    if (child.child == NULL) {
        app_fail(app, &error);
        return false;
    }
    size_t length = 0;
    for (size_t i = 0; words[i] && length < sizeof child.what; i++)
        length += (size_t)snprintf(child.what + length, sizeof child.what - length, "%s%s",
                                   i ? " " : "", words[i]);
    app_say(app, STYLE_MESSAGE, "%s starts", child.what);
    if (runner->count == 0)
        app->loop.busy++;
    runner->children[runner->count++] = child;
    loop_after(&app->loop, POLL_STARTING_MS, runner_timer, app);
    return true;
}

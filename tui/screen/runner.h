/* runner.h: starts runs (core/pipeline/run_child.h) for the screen and tells how they end. They
 * outlive the screen: leaving it stops none of them. */
#ifndef SURFBOARD_TUI_SCREEN_RUNNER_H
#define SURFBOARD_TUI_SCREEN_RUNNER_H

#include "core/pipeline/run_child.h"

enum { RUNNER_MOST = 16 };

struct app;

/* The run's id ("" when it failed before there was one) and how it ended. */
typedef void runner_ended(struct app *app, const char *run, int exit_code);

struct runner {
    struct run_binary binary; /* as it was when the screen began */
    struct runner_child {
        struct run_child *child;
        char what[96]; /* "merge orders" */
        bool told;     /* that it runs, with its number */
        runner_ended *ended;
    } children[RUNNER_MOST];
    size_t count;
};

bool runner_init(struct runner *runner, struct error *error);
/* Lets go of those that still run. */
void runner_destroy(struct runner *runner);

/* Runs `surfboard --profile P WORDS…` (NULL-ended) in a session of its own. Says that it started,
 * under which number, and how it ended; `ended` (NULL: nobody asks) is called then. Told and not
 * done in a read-only context, and when the program was replaced under us. */
bool app_run(struct app *app, const char *const *words, runner_ended *ended);

#endif

/* step_print.h: how plan, up, down and doctor show steps, as text and as events. */
#ifndef SURFBOARD_TUI_STEP_PRINT_H
#define SURFBOARD_TUI_STEP_PRINT_H

#include "core/pipeline/bring_up.h"
#include "tui/command.h"

/* A bring_up event function; `context` is the struct command. Prints the event as text, or passes
 * it on as a JSON line; writes it into the run's file. */
bool step_print_event(void *context, json_t *event, struct error *error);

/* Opens the command's pipeline; an exit code when that failed, else -1. */
int step_open_pipeline(struct command *command, struct pipeline *out);

/* Runs `work` on each captured stream, or on the one that the first positional names. Fills in
 * everything but the options. */
int step_run_streams(struct command *command, struct pipeline *pipeline, struct bring_up *work,
                     bool (*run)(const struct bring_up *, struct error *));

/* ok, warn, fail, unknown, not built: one column wide (screen.md, "States"). */
const char *step_mark(const struct command *command, enum step_verdict verdict);

#endif

/* The screen: what the program does when no verb is given. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/config/context.h"
#include "tui/screen/app.h"
#include "tui/verbs.h"

static int screen_open(struct command *command, struct app *app,
                       const struct context_choice *choice)
{
    struct error error = {0};
    struct app_options options = {.profile_path = choice->path,
                                  .profile_from = choice->from,
                                  .read_only = command->read_only,
                                  .ascii = command->ascii,
                                  .no_color = command_flag(command, "no-color")};
    if (!app_open(app, &options, &error))
        return command_fail(command, &error);
    int code = app_main(app);
    app_close(app);
    return code;
}

static int screen_verb_run(struct command *command)
{
    struct error error = {0};
    struct context_choice choice;
    if (!context_choose(command_option(command, "profile"), command_option(command, "context"),
                        &choice, &error))
        return command_fail(command, &error);
    struct app *app = memory_zero(1, sizeof *app, &error);
    int code = app ? screen_open(command, app, &choice) : command_fail(command, &error);
    free(app);
    context_choice_destroy(&choice);
    return code;
}

const struct verb verb_screen = {
    .name = "screen",
    .synopsis = "",
    .summary = "Opens the screen, as `surfboard` alone does",
    .flags = VERB_HIDDEN,
    .run = screen_verb_run,
};

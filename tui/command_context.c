/* The profile a command works with, and the run that records what a changing one does. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/config/context.h"
#include "core/config/profile.h"
#include "core/pipeline/run.h"
#include "tui/command_private.h"

static bool context_pick(const struct command *command, struct context_choice *choice,
                         struct error *error)
{
    return context_choose(command_option(command, "profile"), command_option(command, "context"),
                          choice, error);
}

bool command_has_profile(struct command *command)
{
    struct context_choice choice;
    if (!context_pick(command, &choice, NULL))
        return true; /* one is named, and wrong: command_profile() says how */
    bool found = choice.path != NULL;
    context_choice_destroy(&choice);
    return found;
}

static bool context_load(struct command *command, struct error *error)
{
    struct command_private *hidden = command->hidden;
    struct context_choice choice;
    TRY(context_pick(command, &choice, error));
    bool ok = choice.path != NULL;
    if (!ok)
        error_set(error, ERROR_CONFIG,
                  "surfboard init writes one; --profile FILE or --context NAME names one; "
                  "surfboard demo needs none",
                  "no profile: none is named, there is no default context and no ./surfboard.yaml");
    struct profile *profile = ok ? memory_zero(1, sizeof *profile, error) : NULL;
    ok = profile && profile_load(choice.path, profile, error);
    if (ok) {
        memcpy(hidden->from, choice.from, sizeof hidden->from);
        hidden->profile = profile;
    } else {
        free(profile);
    }
    context_choice_destroy(&choice);
    return ok;
}

bool command_begin_change(struct command *command, struct error *error)
{
    struct command_private *hidden = command->hidden;
    if (hidden->profile == NULL)
        TRY(context_load(command, error));
    if (hidden->changing)
        return true;
    struct profile *profile = hidden->profile;
    command_say(command, "context %s (from %s)", profile->context, hidden->from);
    if (profile->read_only || command->read_only)
        return error_set(error, ERROR_REFUSED,
                         profile->read_only ? "use a context that is not read_only"
                                            : "run it again without --read-only",
                         "%s changes the world, and context %s is read-only", command->verb->name,
                         profile->context);
    hidden->changing = true;
    if (command->verb->flags & VERB_OWN_RUNS)
        return true;
    hidden->run = run_begin(profile, command->verb->name, command_argument(command, 0), error);
    return hidden->run != NULL;
}

const struct profile *command_profile(struct command *command, struct error *error)
{
    struct command_private *hidden = command->hidden;
    bool changes = (command->verb->flags & VERB_CHANGES) && !command_flag(command, "dry-run");
    if (hidden->profile == NULL && !context_load(command, error))
        return NULL;
    if (changes && !command_begin_change(command, error))
        return NULL;
    return hidden->profile;
}

struct run *command_run_record(struct command *command)
{
    return command->hidden->run;
}

bool command_event(struct command *command, json_t *event, struct error *error)
{
    if (event == NULL)
        return error_set_memory(error, 0);
    struct run *run = command->hidden->run;
    if (run && !run_event(run, json_deep_copy(event), false, error)) {
        json_decref(event);
        return false;
    }
    if (command->json)
        return command_print_json(command, event, error);
    json_decref(event);
    return true;
}

bool command_context_finish(struct command *command, int exit_code, struct error *error)
{
    struct command_private *hidden = command->hidden;
    struct run *run = hidden->run;
    hidden->run = NULL;
    return run_end(run, exit_code, &hidden->failure, error);
}

void command_context_destroy(struct command *command)
{
    struct command_private *hidden = command->hidden;
    if (hidden->profile)
        profile_destroy(hidden->profile);
    free(hidden->profile);
    hidden->profile = NULL;
}

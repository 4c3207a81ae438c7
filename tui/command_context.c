/* The profile a command works with, and the run that records what a changing one does. */
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/config/context.h"
#include "core/config/profile.h"
#include "core/pipeline/lake_store.h"
#include "core/pipeline/lock.h"
#include "core/pipeline/run.h"
#include "core/store/s3.h"
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
        lake_store_use(profile);
    } else {
        free(profile);
    }
    context_choice_destroy(&choice);
    return ok;
}

bool command_context_find_s3(struct command *command, struct error *error)
{
    struct command_private *hidden = command->hidden;
    bool named = false;
    if (strcmp(command->verb->name, "init") == 0) /* it writes the profile */
        return true;
    for (int i = 0; i < command->count; i++)
        named |= s3_is_uri(command->arguments[i]);
    for (size_t i = 0; i < hidden->value_count; i++)
        named |= hidden->values[i].text && s3_is_uri(hidden->values[i].text);
    return !named || hidden->profile || !command_has_profile(command) ||
           context_load(command, error);
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
    hidden->run = command_begin_run(command, command_argument(command, 0), error);
    return hidden->run != NULL;
}

/* ---- the run ---- */

/* What says how to print and which context is meant is not the work itself. */
static bool context_is_global(const struct option_spec *spec)
{
    for (const struct option_spec *global = command_global_options; global->name; global++)
        if (global == spec)
            return true;
    return false;
}

static bool context_may_be_secret(const char *name)
{
    static const char end[] = "dsn";
    size_t length = strlen(name);
    return length >= sizeof end - 1 && strcmp(name + length - (sizeof end - 1), end) == 0;
}

static size_t context_words(const struct command *command, const char *object, char *verb,
                            const char **out)
{
    size_t count = 0;
    char *space = strchr(verb, ' ');
    out[count++] = verb;
    if (space) {
        *space = '\0';
        out[count++] = space + 1;
    }
    if (command->verb->flags & VERB_OWN_RUNS)
        out[count] = object;
    else
        for (int i = 0; i < command->count; i++)
            out[count++] = command->arguments[i];
    return count + (command->verb->flags & VERB_OWN_RUNS && object);
}

/* The words that begin the same work again; the texts are borrowed but for those in `arena`. NULL
 * with no error when there is something among them that must not be written down. */
static const char **context_arguments(const struct command *command, const char *object,
                                      struct arena *arena, struct error *error)
{
    const struct command_private *hidden = command->hidden;
    size_t most = (size_t)command->count + 2 * hidden->value_count + 4;
    const char **out = arena_zero(arena, most, sizeof *out, error);
    char *verb = arena_copy_text(arena, command->verb->name, error);
    if (out == NULL || verb == NULL || !(command->verb->flags & (VERB_CHANGES | VERB_RECORDED)))
        return NULL; /* query --write: a statement may hold anything */
    size_t count = context_words(command, object, verb, out);
    for (size_t i = 0; i < hidden->value_count; i++) {
        const struct command_value *value = &hidden->values[i];
        if (context_is_global(value->spec) ||
            ((command->verb->flags & VERB_OWN_RUNS) && strcmp(value->spec->name, "all") == 0))
            continue;
        if (context_may_be_secret(value->spec->name))
            return NULL;
        out[count] = arena_format(arena, error, "--%s", value->spec->name);
        if (out[count++] == NULL)
            return NULL;
        if (value->spec->kind != OPTION_FLAG)
            out[count++] = value->text;
    }
    return out;
}

struct run *command_begin_run(struct command *command, const char *object, struct error *error)
{
    struct arena arena = {0};
    struct run_intent intent = {
        .verb = command->verb->name,
        .object = object,
        .resumes = command->verb->flags & VERB_RESUMES,
    };
    struct error local = {0};
    intent.arguments = context_arguments(command, object, &arena, &local);
    struct run *run = NULL;
    if (local.kind == ERROR_NONE)
        run = run_begin_intent(command->hidden->profile, &intent, error);
    else if (error)
        *error = local;
    arena_destroy(&arena);
    return run;
}

void command_record_reading(struct command *command, const char *object)
{
    struct command_private *hidden = command->hidden;
    struct error why = {0};
    if (hidden->run || hidden->profile == NULL)
        return;
    hidden->run = command_begin_run(command, object, &why);
    if (hidden->run == NULL)
        log_line("run", "not recorded: %s", why.message);
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

void command_say_lock(struct command *command, const struct lock *lock)
{
    const char *why = lock ? lock_stands_alone(lock) : NULL;
    if (why)
        command_say(command,
                    "no lock in the catalog's database, so only users of this state keep "
                    "out of each other's way: %s",
                    why);
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

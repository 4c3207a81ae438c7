/* down: undoes what receipts say was made for a stream, in the safe order. */
#include <string.h>

#include "tui/step_print.h"
#include "tui/verbs.h"
#include "tui/work.h"

static const struct option_spec down_options[] = {
    {"confirm", OPTION_TEXT, "STREAM", "the stream's name once more; without it nothing is done"},
    {"from", OPTION_TEXT, "ID", "only this step and those behind it, which need it"},
    {"keep-data", OPTION_FLAG, NULL, "leave the delta files (tables of the lake always stay)"},
    {"shared", OPTION_FLAG, NULL, "also undo what no other stream uses of source and platform"},
    {"dry-run", OPTION_FLAG, NULL, "only show what would be undone"},
    {0},
};

/* What is taken down must not be started again. A capture that other streams need stays wanted. */
static bool down_unwant(struct command *command, const struct pipeline *pipeline, const char *name,
                        struct error *error)
{
    struct work works[WORK_MOST];
    struct wanted wanted;
    const struct profile *profile = command_profile(command, error);
    const struct stream *stream = pipeline_captured_stream(pipeline, name, error);
    TRY(profile && stream && wanted_load(profile, &wanted, error));
    bool shared = work_is_shared(pipeline, &wanted, stream), ok = true;
    size_t count = work_of_stream(pipeline, stream, works);
    for (size_t i = 0; ok && i < count; i++)
        if (wanted_find(&wanted, works[i].verb, works[i].object) &&
            !(shared && strcmp(works[i].verb, "capture") == 0))
            ok = wanted_drop(profile, works[i].verb, works[i].object, error);
    wanted_destroy(&wanted);
    return ok;
}

static int down_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    const char *name = command_argument(command, 0);
    const char *confirm = command_option(command, "confirm");
    bool dry_run = command_flag(command, "dry-run");
    if (!dry_run && (confirm == NULL || strcmp(confirm, name) != 0)) {
        error_set(&error, ERROR_REFUSED, NULL, "down %s takes things away that may not come back",
                  name);
        error_remedy(&error, "look with --dry-run, then add --confirm %s", name);
        return command_fail(command, &error);
    }
    int code = step_open_pipeline(command, &pipeline);
    if (code >= 0)
        return code;
    struct bring_up work = {
        .until = command_option(command, "from"),
        .keep_data = command_flag(command, "keep-data"),
        .shared = command_flag(command, "shared"),
        .dry_run = dry_run,
    };
    code = dry_run || down_unwant(command, &pipeline, name, &error)
               ? step_run_streams(command, &pipeline, &work, bring_up_undo)
               : command_fail(command, &error);
    pipeline_close(&pipeline);
    return code;
}

const struct verb verb_down = {
    .name = "down",
    .synopsis = "STREAM --confirm STREAM [--from ID] [--keep-data] [--shared] [--dry-run]",
    .summary = "Takes a stream down: undoes what receipts say was made, releases what was adopted",
    .details = "Objects that other streams use stay, and so does everything that was there before "
               "us. An object that changed since our receipt is not touched.",
    .options = down_options,
    .flags = VERB_CHANGES | VERB_JSON_LINES | VERB_GRACEFUL,
    .least = 1,
    .most = 1,
    .run = down_run,
};

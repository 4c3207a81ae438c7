/* up: applies the steps of a stream, proves each, stops at the first that needs a person. */
#include "tui/step_print.h"
#include "tui/verbs.h"

static const struct option_spec up_options[] = {
    {"step", OPTION_TEXT, "ID", "only this step"},
    {"until", OPTION_TEXT, "ID", "this step is the last one"},
    {"dry-run", OPTION_FLAG, NULL, "only show what would be sent"},
    {0},
};

static int up_run(struct command *command)
{
    struct pipeline pipeline;
    if (command_flag(command, "step") && command_flag(command, "until"))
        return command_fail_usage(command, "--step and --until exclude each other");
    int code = step_open_pipeline(command, &pipeline);
    if (code >= 0)
        return code;
    struct bring_up work = {
        .only = command_option(command, "step"),
        .until = command_option(command, "until"),
        .dry_run = command_flag(command, "dry-run"),
    };
    code = step_run_streams(command, &pipeline, &work, bring_up_apply);
    pipeline_close(&pipeline);
    return code;
}

const struct verb verb_up = {
    .name = "up",
    .synopsis = "[STREAM] [--step ID] [--until ID] [--dry-run]",
    .summary = "Brings a stream up step by step, proving each; stops where a person is needed",
    .details = "Steps that stand already are only proved again. What is made leaves a receipt in "
               "the state, and only that is ever undone. Running it again goes on where it "
               "stopped.",
    .options = up_options,
    .flags = VERB_CHANGES | VERB_JSON_LINES | VERB_GRACEFUL | VERB_RESUMES,
    .most = 1,
    .run = up_run,
};

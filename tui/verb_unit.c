/* unit: a systemd unit that calls resume at boot. */
#include "core/base/buffer.h"
#include "core/pipeline/boot.h"
#include "core/pipeline/run_child.h"
#include "tui/verbs.h"

static const struct option_spec unit_options[] = {
    {"user", OPTION_FLAG, NULL, "one for systemctl --user"},
    {0},
};

static int unit_run(struct command *command)
{
    struct error error = {0};
    struct buffer text = {0};
    struct run_binary binary;
    const struct profile *profile = command_profile(command, &error);
    bool ok = profile && run_binary_fix(&binary, &error) &&
              boot_print_unit(profile, binary.path, command_flag(command, "user"), &text, &error) &&
              buffer_text(&text, &error);
    if (ok && command->json)
        ok = command_print_json(command, json_pack("{s:s}", "unit", text.data), &error);
    else if (ok)
        ok = command_print_data(command, slice_of(text.data), &error);
    buffer_destroy(&text);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_unit = {
    .name = "unit",
    .synopsis = "[--user]",
    .summary = "Prints a systemd unit that calls surfboard resume at boot",
    .details = "Nothing is installed: its first lines say where it goes and what to run then.",
    .options = unit_options,
    .run = unit_run,
};

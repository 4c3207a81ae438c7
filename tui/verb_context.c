/* context: which profiles there are, which one counts, which is the default. */
#include <stdlib.h>
#include <string.h>

#include "core/config/context.h"
#include "core/config/profile.h"
#include "tui/verbs.h"

static const struct option_spec context_options[] = {
    {"default", OPTION_TEXT, "NAME", "make this context the default one"},
    {0},
};

static json_t *context_json(const struct profile *profile, const char *from)
{
    json_t *sources = json_array();
    for (size_t i = 0; i < profile->source_count; i++)
        json_array_append_new(sources, json_string(profile->sources[i].name));
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s?, s:s?, s:s, s:o, s:s?, s:s?}", "context",
                     profile->context, "profile", profile->path, "from", from, "read_only",
                     (int)profile->read_only, "state", profile->state, "model", profile->model,
                     "platform", profile->platform, "capture",
                     profile->capture.kind == CAPTURE_NATIVE ? "native" : "debezium", "sources",
                     sources, "deltas", profile->lake.deltas, "warehouse", profile->lake.warehouse);
}

static int context_show(struct command *command, const char *path, const char *from)
{
    struct error error = {0};
    struct profile profile;
    if (!profile_load(path, &profile, &error))
        return command_fail(command, &error);
    json_t *shown = context_json(&profile, from);
    bool ok = shown != NULL;
    if (ok && command->json) {
        ok = command_print_json(command, shown, &error);
    } else if (ok) {
        const char *key;
        json_t *value;
        json_object_foreach(shown, key, value)
        {
            char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
            fprintf(command->out, "%-10s ", key);
            ok = ok && command_print_data(command, slice_of(text ? text : json_string_value(value)),
                                          &error);
            fputc('\n', command->out);
            free(text);
        }
        json_decref(shown);
    }
    profile_destroy(&profile);
    return ok ? 0 : command_fail(command, &error);
}

static int context_list_all(struct command *command)
{
    struct error error = {0};
    struct context_list list;
    if (!context_list(&list, &error))
        return command_fail(command, &error);
    json_t *names = json_array();
    for (size_t i = 0; i < list.count; i++) {
        bool standard = list.standard && strcmp(list.standard, list.names[i]) == 0;
        json_array_append_new(
            names, json_pack("{s:s, s:b}", "context", list.names[i], "default", (int)standard));
        if (!command->json)
            fprintf(command->out, "%s %s\n", standard ? "*" : " ", list.names[i]);
    }
    bool ok = true;
    if (command->json)
        ok = command_print_json(command, json_pack("{s:O}", "contexts", names), &error);
    else if (list.count == 0)
        command_say(command, "no contexts yet: surfboard init writes one");
    json_decref(names);
    context_list_destroy(&list);
    return ok ? 0 : command_fail(command, &error);
}

static int context_run(struct command *command)
{
    struct error error = {0};
    const char *standard = command_option(command, "default");
    const char *name = command_argument(command, 0);
    if (standard && name)
        return command_fail_usage(command, "give --default NAME or a NAME to show, not both");
    if (standard && !context_set_default(standard, &error))
        return command_fail(command, &error);
    if (!standard && !name && !command_option(command, "profile") &&
        !command_option(command, "context"))
        return context_list_all(command);
    struct context_choice choice;
    const char *shown = standard ? standard : name;
    const char *profile = shown ? NULL : command_option(command, "profile");
    if (!context_choose(profile, shown ? shown : command_option(command, "context"), &choice,
                        &error))
        return command_fail(command, &error);
    int code = context_show(command, choice.path, standard ? "default context" : choice.from);
    context_choice_destroy(&choice);
    return code;
}

const struct verb verb_context = {
    .name = "context",
    .synopsis = "[NAME | --default NAME]",
    .summary = "Lists the contexts, shows one, or makes one the default",
    .details = "A context is a profile in $XDG_CONFIG_HOME/surfboard/contexts/NAME.yaml. Which one "
               "a command works with is said by --profile, --context, $SURFBOARD_PROFILE, "
               "$SURFBOARD_CONTEXT, the default one, or ./surfboard.yaml when no default is set, "
               "in this order.",
    .options = context_options,
    .most = 1,
    .run = context_run,
};

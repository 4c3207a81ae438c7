#include "tui/step_print.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "tui/steps.h"

static bool print_utf8(const struct command *command)
{
    return !command->ascii && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

const char *step_mark(const struct command *command, enum step_verdict verdict)
{
    static const char *const marks[][2] = {{"*", "●"}, {"!", "▲"}, {"x", "✗"}, {"?", "?"}};
    return marks[verdict][print_utf8(command)];
}

static bool print_line(struct command *command, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool print_line(struct command *command, struct error *error, const char *format, ...)
{
    struct buffer text = {0};
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bool ok = command_print_data(command, slice_of(line), error);
    fputc('\n', command->out);
    buffer_destroy(&text);
    return ok;
}

/* A text of several lines, each indented. */
static bool print_block(struct command *command, const char *label, const char *text,
                        struct error *error)
{
    bool ok = true;
    while (ok && text && *text) {
        size_t length = strcspn(text, "\n");
        ok = print_line(command, error, "      %-8s%.*s", label, (int)length, text);
        text += length + (text[length] == '\n');
        label = "";
    }
    return ok;
}

static enum step_verdict event_verdict(const char *state, const char *action)
{
    if (strcmp(action, "stopped") == 0)
        return VERDICT_FAIL;
    if (strcmp(action, "checked") != 0)
        return VERDICT_OK;
    if (strcmp(state, "differs") == 0)
        return VERDICT_FAIL;
    return strcmp(state, "unknown") == 0 ? VERDICT_UNKNOWN : VERDICT_OK;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* Findings that are well are one short line; others say cause and remedy. */
static bool print_findings(struct command *command, const json_t *findings, struct error *error)
{
    size_t index;
    json_t *finding;
    json_array_foreach((json_t *)findings, index, finding)
    {
        const char *state = text_of(finding, "state");
        enum step_verdict verdict = strcmp(state, "ok") == 0     ? VERDICT_OK
                                    : strcmp(state, "warn") == 0 ? VERDICT_WARN
                                    : strcmp(state, "fail") == 0 ? VERDICT_FAIL
                                                                 : VERDICT_UNKNOWN;
        TRY(print_line(command, error, "    %s %s: %s", step_mark(command, verdict),
                       text_of(finding, "check"), text_of(finding, "evidence")));
        TRY(print_block(command, "cause", text_of(finding, "cause"), error));
        TRY(print_block(command, "remedy", text_of(finding, "remedy"), error));
    }
    return true;
}

static bool print_step(struct command *command, const json_t *event, struct error *error)
{
    const char *state = text_of(event, "state"), *action = text_of(event, "action");
    bool plain = strcmp(action, "checked") == 0;
    bool to_do = strcmp(state, "absent") == 0 && plain;
    const char *id = text_of(event, "step"), *title = text_of(event, "title");
    if (strncmp(title, id, strlen(id)) == 0 && title[strlen(id)] == ':')
        title += strlen(id) + 1 + strspn(title + strlen(id) + 1, " ");
    TRY(print_line(command, error, "%s %-12s %-11s %s",
                   to_do ? (print_utf8(command) ? "·" : "-")
                         : step_mark(command, event_verdict(state, action)),
                   id, plain ? (to_do ? "to do" : state) : action, title));
    bool quiet = strcmp(action, "kept") == 0 || (plain && !to_do && strcmp(state, "differs") != 0);
    json_t *findings = json_object_get(event, "findings");
    bool all_well = true;
    size_t index;
    json_t *item;
    json_array_foreach(findings, index, item) all_well &= strcmp(text_of(item, "state"), "ok") == 0;
    if (!quiet || !all_well)
        TRY(print_findings(command, findings, error));
    json_array_foreach(json_object_get(event, "differences"), index, item)
        TRY(print_line(command, error, "    %s: wanted %s, found %s", text_of(item, "field"),
                       text_of(item, "wanted"), text_of(item, "found")));
    json_array_foreach(json_object_get(event, "plan"), index, item)
        TRY(print_line(command, error, "    > %s", json_string_value(item)));
    TRY(print_block(command, "reason", text_of(event, "reason"), error));
    return print_block(command, "do", text_of(event, "remedy"), error);
}

bool step_print_event(void *context, json_t *event, struct error *error)
{
    struct command *command = context;
    bool ok = true;
    if (event && !command->json) {
        const char *kind = text_of(event, "event");
        if (strcmp(kind, "step") == 0)
            ok = print_step(command, event, error);
        else if (strcmp(kind, "note") == 0 || strcmp(kind, "waiting") == 0)
            command_say(command, "%s", text_of(event, "text"));
        fflush(command->out);
    }
    return command_event(command, event, error) && ok;
}

int step_open_pipeline(struct command *command, struct pipeline *out)
{
    struct error error = {0};
    const struct profile *profile = command_profile(command, &error);
    if (profile == NULL || !pipeline_open(profile, out, &error))
        return command_fail(command, &error);
    return -1;
}

int step_run_streams(struct command *command, struct pipeline *pipeline, struct bring_up *work,
                     bool (*run)(const struct bring_up *, struct error *))
{
    struct error error = {0};
    const char *name = command_argument(command, 0);
    work->pipeline = pipeline;
    work->steps = all_steps;
    work->run = command_run_record(command);
    work->stop = command->stop;
    work->event = step_print_event;
    work->context = command;
    if (name) {
        work->stream = pipeline_captured_stream(pipeline, name, &error);
        bool ok = work->stream && run(work, &error);
        return ok ? 0 : command_fail(command, &error);
    }
    size_t done = 0;
    for (size_t i = 0; i < pipeline->stream_count; i++) {
        if (pipeline->streams[i].no_capture)
            continue;
        work->stream = &pipeline->streams[i];
        if (!command->json)
            print_line(command, NULL, "%s%s", done ? "\n" : "", work->stream->name);
        done++;
        if (!run(work, &error))
            return command_fail(command, &error);
    }
    if (done)
        return 0;
    error_set(&error, ERROR_CONFIG, "surfboard streams says why for each",
              "no stream of platform %s is captured here", pipeline->platform);
    return command_fail(command, &error);
}

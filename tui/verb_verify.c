/* verify: are the rows of source and lake the same? */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/quantity.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/run.h"
#include "plugins/postgres/verify.h"
#include "tui/verbs.h"

static void verify_event(void *context, json_t *event)
{
    struct command *command = context;
    const char *name = json_string_value(json_object_get(event, "event"));
    struct run *run = command_run_record(command);
    if (run)
        run_event(run, json_incref(event), false, NULL);
    if (strcmp(name, "plan") == 0) {
        char read[QUANTITY_TEXT_SIZE];
        char held[QUANTITY_TEXT_SIZE];
        quantity_format_bytes((uint64_t)json_integer_value(json_object_get(event, "source_bytes")),
                              read);
        quantity_format_bytes((uint64_t)json_integer_value(json_object_get(event, "held_bytes")),
                              held);
        command_say(command,
                    "reads about %lld rows of the source (its tables have %s), and the lake's "
                    "tables; holds about %s; a snapshot of the source is open until the end",
                    (long long)json_integer_value(json_object_get(event, "source_rows")), read,
                    held);
    } else if (strcmp(name, "waiting") == 0) {
        command_progress(command, "waiting: %s", json_string_value(json_object_get(event, "for")));
    } else if (strcmp(name, "progress") == 0) {
        command_progress(command, "%s: %lld rows of the %s",
                         json_string_value(json_object_get(event, "table")),
                         (long long)json_integer_value(json_object_get(event, "done")),
                         json_string_value(json_object_get(event, "phase")));
    }
    json_decref(event);
}

static long long verify_count(const json_t *table, const char *name)
{
    return (long long)json_integer_value(json_object_get(table, name));
}

static bool verify_print(struct command *command, const json_t *document, struct error *error)
{
    static const char *const classes[] = {"exact", "lag", "differs", "source_only", "lake_only"};
    json_t *tables = json_object_get(document, "tables");
    command_progress(command, "%s", "");
    fprintf(command->out, "%-28s %10s %8s %8s %11s %9s\n", "TABLE", "EXACT", "LAG", "DIFFERS",
            "SOURCE ONLY", "LAKE ONLY");
    for (size_t i = 0; i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);
        fprintf(command->out, "%-28s %10lld %8lld %8lld %11lld %9lld\n",
                json_string_value(json_object_get(table, "table")), verify_count(table, classes[0]),
                verify_count(table, classes[1]), verify_count(table, classes[2]),
                verify_count(table, classes[3]), verify_count(table, classes[4]));
        const json_t *examples = json_object_get(table, "examples");
        for (size_t j = 0; j < json_array_size(examples); j++) {
            const json_t *example = json_array_get(examples, j);
            char *key = json_dumps(json_object_get(example, "key"), JSON_ENCODE_ANY);
            fprintf(command->out, "    %-11s ",
                    json_string_value(json_object_get(example, "class")));
            bool ok = key && command_print_data(command, slice_of(key), error);
            free(key);
            fputc('\n', command->out);
            TRY(ok);
        }
    }
    bool equal = json_is_true(json_object_get(document, "equal"));
    fprintf(command->out, "%s at %s%s\n", equal ? "equal" : "NOT equal",
            json_string_value(json_object_get(document, "position")),
            json_is_true(json_object_get(document, "sampled")) ? " (a sample; rows that only the "
                                                                 "lake has are not looked for)"
                                                               : "");
    return true;
}

static int verify_stream(struct command *command, const struct pipeline *pipeline)
{
    struct error error = {0};
    json_t *document = NULL;
    const struct stream *stream =
        pipeline_captured_stream(pipeline, command_argument(command, 0), &error);
    struct verify_options options = {.pipeline = pipeline,
                                     .stream = stream,
                                     .table = command_option(command, "table"),
                                     .sample = command_count(command, "sample", 0),
                                     .rate = command_real(command, "rate", 0),
                                     .wait_ms = command_duration_ms(command, "wait", 0),
                                     .stop = command->stop,
                                     .event = verify_event,
                                     .context = command};
    if (stream)
        command_record_reading(command, stream->name);
    if (stream == NULL || !verify_run(&options, &document, &error))
        return command_fail(command, &error);
    struct run *run = command_run_record(command);
    if (run)
        run_event(run, json_deep_copy(document), true, NULL);
    bool equal = json_is_true(json_object_get(document, "equal"));
    bool ok = command->json ? command_print_json(command, json_incref(document), &error)
                            : verify_print(command, document, &error);
    json_decref(document);
    return !ok ? command_fail(command, &error) : equal ? 0 : 1;
}

static int verify_verb_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    if (command_flag(command, "full") && command_option(command, "sample"))
        return command_fail_usage(command, "--full and --sample exclude each other");
    if (command_option(command, "sample") && command_count(command, "sample", 0) == 0)
        return command_fail_usage(command, "--sample 0 would compare nothing");
    const struct profile *profile = command_profile(command, &error);
    if (profile == NULL || !pipeline_open(profile, &pipeline, &error))
        return command_fail(command, &error);
    int code = verify_stream(command, &pipeline);
    pipeline_close(&pipeline);
    return code;
}

static const struct option_spec verify_options_table[] = {
    {"table", OPTION_TEXT, "T", "only this dataset"},
    {"sample", OPTION_COUNT, "N", "about N rows of each table, taken at random from the source"},
    {"full", OPTION_FLAG, NULL, "all rows (the default)"},
    {"rate", OPTION_REAL, "N", "read at most N rows a second from the source"},
    {"wait", OPTION_DURATION, "TIME", "for the lake to pass the compared position (60s)"},
    {0},
};

const struct verb verb_verify = {
    .name = "verify",
    .synopsis = "STREAM [--table T] [--sample N | --full] [--rate N]",
    .summary = "Compares source and lake by key and value, at one position",
    .details =
        "The source is read in one exported snapshot, once the lake has passed its position. Each "
        "row is exact, lag (changed again behind that position), differs, source-only or "
        "lake-only. "
        "Values are compared as they are stored: what the lake has no room for counts as null. "
        "Exit 1 when any row differs or is on one side only.",
    .options = verify_options_table,
    .flags = VERB_GRACEFUL | VERB_RECORDED,
    .least = 1,
    .most = 1,
    .run = verify_verb_run,
};

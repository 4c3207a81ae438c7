/* simulate: keeps writing realistic changes into a source that was made for it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/pipeline/lock.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/run.h"
#include "plugins/postgres/simulate.h"
#include "tui/verbs.h"

struct simulating {
    struct command *command;
    struct run *run;
};

static void simulate_event(void *context, json_t *event)
{
    struct simulating *simulating = context;
    struct command *command = simulating->command;
    run_event(simulating->run, json_incref(event), false, NULL);
    if (command->json) {
        command_print_json(command, event, NULL);
        return;
    }
    command_progress(command, "%lld rows, %.0f a second",
                     (long long)json_integer_value(json_object_get(event, "done")),
                     json_real_value(json_object_get(event, "rate")));
    json_decref(event);
}

static void simulate_print(struct command *command, const struct simulate_summary *summary)
{
    command_progress(command, "%s", "");
    fprintf(command->out,
            "%llu inserts, %llu updates (%llu changed keys), %llu deletes in %llu transactions; "
            "%llu rolled back; %.1f s\n",
            (unsigned long long)summary->inserts, (unsigned long long)summary->updates,
            (unsigned long long)summary->key_changes, (unsigned long long)summary->deletes,
            (unsigned long long)summary->transactions, (unsigned long long)summary->rollbacks,
            summary->seconds);
}

static int simulate_perform(struct command *command, const struct stream *stream, const char *dsn)
{
    struct error error = {0};
    struct simulate_summary summary;
    struct simulating simulating = {.command = command};
    struct simulate_options options = {.dsn = dsn,
                                       .rate = command_real(command, "rate", 50),
                                       .run_ms = command_duration_ms(command, "seconds", 0),
                                       .rows = command_count(command, "rows", 0),
                                       .seed = (uint64_t)command_count(command, "seed", 1),
                                       .stop = command->stop,
                                       .event = simulate_event,
                                       .context = &simulating};
    const char *mix = command_option(command, "mix");
    if (mix && !simulate_parse_mix(mix, options.mix, &error))
        return command_fail(command, &error);
    simulating.run = command_begin_run(command, stream->name, &error);
    if (simulating.run == NULL)
        return command_fail(command, &error);
    bool ok = simulate_run(&options, &summary, &error);
    json_t *document = simulate_summary_json(&summary, "summary", options.seed);
    run_event(simulating.run, json_incref(document), true, NULL);
    if (ok && command->json)
        ok = command_print_json(command, json_incref(document), &error);
    else if (ok)
        simulate_print(command, &summary);
    json_decref(document);
    /* Without a limit, being stopped is how it ends. */
    int code = !ok                                                   ? command_fail(command, &error)
               : summary.stopped && (options.run_ms || options.rows) ? command_interrupted(command)
                                                                     : 0;
    run_end(simulating.run, code, ok ? NULL : &error, NULL);
    return code;
}

static int simulate_stream(struct command *command, const struct profile *profile,
                           const struct pipeline *pipeline)
{
    struct error error = {0};
    const struct stream *stream =
        pipeline_captured_stream(pipeline, command_argument(command, 0), &error);
    if (stream == NULL)
        return command_fail(command, &error);
    const struct profile_source *source = stream->capture->source;
    if (!source->generator) {
        error_set(&error, ERROR_REFUSED,
                  "only for databases made to be written to: `surfboard demo` makes one",
                  "%s: source %s does not say generator: true", profile->path, source->name);
        return command_fail(command, &error);
    }
    struct buffer conninfo = {0};
    int code = pipeline_source_conninfo(pipeline, stream->capture, &conninfo, &error)
                   ? simulate_perform(command, stream, conninfo.data)
                   : command_fail(command, &error);
    buffer_destroy(&conninfo);
    return code;
}

static int simulate_verb_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    const struct profile *profile = command_profile(command, &error);
    if (profile == NULL || !pipeline_open(profile, &pipeline, &error))
        return command_fail(command, &error);
    int code = simulate_stream(command, profile, &pipeline);
    pipeline_close(&pipeline);
    return code;
}

static const struct option_spec simulate_options_table[] = {
    {"rate", OPTION_REAL, "N", "changed rows a second; 0: as fast as the server can (50)"},
    {"seconds", OPTION_DURATION, "S", "end after this time; else it runs until stopped"},
    {"rows", OPTION_COUNT, "N", "end after about so many changed rows"},
    {"seed", OPTION_COUNT, "N", "the same seed on the same rows makes the same changes (1)"},
    {"mix", OPTION_TEXT, "I:U:D", "weights of inserts, updates and deletes (40:45:15)"},
    {0},
};

const struct verb verb_simulate = {
    .name = "simulate",
    .synopsis = "STREAM [--rate N] [--seconds S] [--seed N] [--mix I:U:D]",
    .summary = "Keeps writing realistic changes into a source that was made for it",
    .details = "Refused unless the profile's source says generator: true and the database carries "
               "the table surfboard_generator_marker, which only the demo and the stack make.",
    .options = simulate_options_table,
    .flags = VERB_CHANGES | VERB_JSON_LINES | VERB_GRACEFUL | VERB_OWN_RUNS,
    .least = 1,
    .most = 1,
    .run = simulate_verb_run,
};

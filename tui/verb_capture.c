/* capture: native capture of a source's changes into delta files; by the profile for a stream, or,
 * with --dsn and its companions, without one. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "core/pipeline/lock.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/run.h"
#include "plugins/postgres/capture.h"
#include "tui/verbs.h"

struct capturing {
    struct command *command;
    struct run *run; /* NULL without a profile */
};

static void capture_event(void *context, json_t *event)
{
    struct capturing *capturing = context;
    struct command *command = capturing->command;
    const char *name = json_string_value(json_object_get(event, "event"));
    if (capturing->run)
        run_event(capturing->run, json_incref(event), false, NULL);
    if (strcmp(name, "start") == 0)
        run_phase(capturing->run, "changes");
    if (command->json) {
        command_print_json(command, event, NULL);
        return;
    }
    if (strcmp(name, "snapshot") == 0)
        command_say(command, "snapshot of %s.%s: %lld rows",
                    json_string_value(json_object_get(event, "schema")),
                    json_string_value(json_object_get(event, "table")),
                    (long long)json_integer_value(json_object_get(event, "rows")));
    else if (json_object_get(event, "message"))
        command_say(command, "%s: %s", name, json_string_value(json_object_get(event, "message")));
    else if (json_object_get(event, "done"))
        command_progress(command, "%lld %s",
                         (long long)json_integer_value(json_object_get(event, "done")),
                         json_string_value(json_object_get(event, "unit")));
    json_decref(event);
}

static void capture_print(struct command *command, const struct capture_summary *summary, bool ok)
{
    command_progress(command, "%s", "");
    fprintf(command->out,
            "%s: %llu snapshot rows, %llu events in %llu transactions, %llu files, %llu bytes\n",
            ok ? summary->stopped ? "stopped" : "caught up" : "failed",
            (unsigned long long)summary->snapshot_rows, (unsigned long long)summary->events,
            (unsigned long long)summary->transactions, (unsigned long long)summary->files,
            (unsigned long long)summary->bytes);
}

/* Runs it, and reports in all three forms: lines, text, run file. */
static int capture_perform(struct capturing *capturing, struct capture_options *options)
{
    struct command *command = capturing->command;
    struct capture_summary summary;
    struct error error = {0};
    options->once = !command_flag(command, "follow");
    options->reload = command_flag(command, "reload");
    options->rotate_bytes = command_bytes(command, "file-size", 0);
    options->rotate_ms = command_duration_ms(command, "file-age", 0);
    options->reconnect_ms = command_duration_ms(command, "reconnect", 0);
    options->stop = command->stop;
    options->event = capture_event;
    options->context = capturing;
    bool ok = capture_run(options, &summary, &error);
    json_t *document = capture_summary_json(&summary, ok ? NULL : &error);
    if (capturing->run)
        run_event(capturing->run, json_incref(document), true, NULL);
    if (command->json)
        command_print_json(command, document, NULL);
    else {
        json_decref(document);
        capture_print(command, &summary, ok);
    }
    int code = !ok                                ? command_fail(command, &error)
               : summary.stopped && options->once ? command_interrupted(command)
                                                  : 0;
    run_end(capturing->run, code, ok ? NULL : &error, NULL);
    return code;
}

/* ---- without a profile ---- */

static int capture_run_bare(struct command *command)
{
    static const char *const needed[] = {"slot", "publication", "prefix", "deltas"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (command_option(command, needed[i]) == NULL)
            return command_fail_usage(command, "--dsn needs --%s too", needed[i]);
    }
    if (command_argument(command, 0))
        return command_fail_usage(command, "--dsn stands in place of STREAM");
    struct error error = {0};
    if (command->read_only) {
        error_set(&error, ERROR_REFUSED, "leave out --read-only", "capture writes delta files");
        return command_fail(command, &error);
    }
    struct capture_options options = {.dsn = command_option(command, "dsn"),
                                      .slot = command_option(command, "slot"),
                                      .publication = command_option(command, "publication"),
                                      .prefix = command_option(command, "prefix"),
                                      .deltas = command_option(command, "deltas")};
    return capture_perform(&(struct capturing){.command = command}, &options);
}

/* ---- a stream of the profile ---- */

/* "schema.table" of each table, NULL-ended. */
static const char **capture_tables(const struct stream *stream, struct arena *arena,
                                   struct error *error)
{
    const char **tables = arena_zero(arena, stream->table_count + 1, sizeof *tables, error);
    for (size_t i = 0; tables && i < stream->table_count; i++) {
        tables[i] =
            arena_format(arena, error, "%s.%s", stream->tables[i].schema, stream->tables[i].table);
        if (tables[i] == NULL)
            return NULL;
    }
    return tables;
}

static int capture_locked(struct command *command, const struct pipeline *pipeline,
                          const struct stream *stream)
{
    struct error error = {0};
    struct arena arena = {0};
    struct buffer conninfo = {0};
    const struct capture *capture = stream->capture;
    struct capturing capturing = {.command = command};
    int code;
    struct capture_options options = {.slot = capture->slot,
                                      .publication = capture->publication,
                                      .prefix = capture->prefix,
                                      .deltas = pipeline->profile->lake.deltas};
    options.tables = capture_tables(stream, &arena, &error);
    if (options.tables && pipeline_source_conninfo(pipeline, capture, &conninfo, &error) &&
        (capturing.run = command_begin_run(command, stream->name, &error)) != NULL) {
        options.dsn = conninfo.data;
        code = capture_perform(&capturing, &options);
    } else {
        code = command_fail(command, &error);
    }
    buffer_destroy(&conninfo);
    arena_destroy(&arena);
    return code;
}

static int capture_run_stream(struct command *command, const struct profile *profile)
{
    struct error error = {0};
    struct pipeline pipeline;
    char name[256];
    if (profile->capture.kind != CAPTURE_NATIVE) {
        error_set(&error, ERROR_CONFIG, "set capture: {kind: native} to capture without Debezium",
                  "%s: this context captures with Debezium", profile->path);
        return command_fail(command, &error);
    }
    if (profile->lake.deltas == NULL) {
        error_set(&error, ERROR_CONFIG, "set lake: {deltas: FOLDER}", "%s: lake.deltas is not set",
                  profile->path);
        return command_fail(command, &error);
    }
    if (!pipeline_open(profile, &pipeline, &error))
        return command_fail(command, &error);
    const struct stream *stream =
        pipeline_captured_stream(&pipeline, command_argument(command, 0), &error);
    struct lock *lock = NULL;
    if (stream) {
        snprintf(name, sizeof name, "capture.%s", stream->capture->prefix);
        lock = lock_take(profile, name, "capture", &error);
        command_say_lock(command, lock);
    }
    int code = lock ? capture_locked(command, &pipeline, stream) : command_fail(command, &error);
    lock_release(lock);
    pipeline_close(&pipeline);
    return code;
}

static int capture_verb_run(struct command *command)
{
    struct error error = {0};
    if (command_flag(command, "once") && command_flag(command, "follow"))
        return command_fail_usage(command, "--once and --follow exclude each other");
    if (command_option(command, "dsn"))
        return capture_run_bare(command);
    if (command_argument(command, 0) == NULL)
        return command_fail_usage(command, "which stream?");
    const struct profile *profile = command_profile(command, &error);
    return profile ? capture_run_stream(command, profile) : command_fail(command, &error);
}

static const struct option_spec capture_options_table[] = {
    {"once", OPTION_FLAG, NULL, "end when caught up with the source's position at the start"},
    {"follow", OPTION_FLAG, NULL, "go on until stopped"},
    {"reload", OPTION_FLAG, NULL, "drop the slot and take a new snapshot of all tables"},
    {"dsn", OPTION_TEXT, "DSN", "capture this database, without a profile"},
    {"slot", OPTION_TEXT, "NAME", "with --dsn: the replication slot, made at the first start"},
    {"publication", OPTION_TEXT, "NAME", "with --dsn: the publication, which must exist"},
    {"prefix", OPTION_TEXT, "NAME", "with --dsn: the topics' prefix"},
    {"deltas", OPTION_TEXT, "URI", "with --dsn: the store for the delta files"},
    {"file-size", OPTION_BYTES, "BYTES", "write files when so much waits (16MiB)"},
    {"file-age", OPTION_DURATION, "TIME", "write files at the latest after this time (1s)"},
    {"reconnect", OPTION_DURATION, "TIME", "wait so long for a server that went away (60s)"},
    {0},
};

const struct verb verb_capture = {
    .name = "capture",
    .synopsis = "[STREAM] [--once | --follow] [--reload]",
    .summary = "Captures changes of Postgres into delta files, without Debezium",
    .details =
        "One capture serves all streams of a source: one slot, one publication. The first start "
        "creates the slot and copies every table at the slot's point; later ones go on where the "
        "durable files end. It stops rather than lose changes (slot gone, lost, or read by "
        "somebody "
        "else; another server; publication made anew): --reload then takes a new snapshot.\n\n"
        "With --dsn, --slot, --publication, --prefix and --deltas it needs no profile.",
    .options = capture_options_table,
    .flags = VERB_CHANGES | VERB_JSON_LINES | VERB_GRACEFUL | VERB_OWN_RUNS | VERB_RESUMES,
    .least = 0,
    .most = 1,
    .run = capture_verb_run,
};

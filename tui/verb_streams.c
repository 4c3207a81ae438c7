/* streams: what the model wants to flow on this platform, and what of it can be captured here. */
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/quantity.h"
#include "core/pipeline/lag.h"
#include "tui/verbs.h"

static const char *const stream_modes[] = {"live", "history", "both"};

/* `lag` is NULL for a stream that is not captured here. */
static json_t *stream_json(const struct stream *stream, const struct lag *lag)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < stream->table_count; i++) {
        const struct stream_table *table = &stream->tables[i];
        json_array_append_new(tables,
                              json_pack("{s:s, s:s, s:s, s:s, s:s?}", "dataset", table->dataset,
                                        "schema", table->schema, "table", table->table, "lake",
                                        table->ident, "topic", table->topic));
    }
    const char *reason = lag == NULL ? stream->no_capture : lag->reason[0] ? lag->reason : NULL;
    return json_pack("{s:s, s:s, s:o, s:s, s:I, s:s, s:s?, s:s?, s:s?, s:I, s:s}", "stream",
                     stream->name, "kind", stream->kind, "tables", tables, "mode",
                     stream_modes[stream->mode], "batch", (json_int_t)(lag ? lag->batch : 0),
                     "state", lag ? lag->state : "not captured", "reason", reason, "source",
                     stream->capture ? stream->capture->source->name : NULL, "priority",
                     stream->priority, "goal_s", (json_int_t)(stream->freshness_ms / 1000),
                     "goal_from", stream->freshness_from_model ? "model" : "profile");
}

static bool streams_line(struct command *command, const struct stream *stream,
                         const struct lag *lag, struct error *error)
{
    char line[1024], goal[QUANTITY_TEXT_SIZE];
    quantity_format_age(stream->freshness_ms, goal);
    snprintf(line, sizeof line, "%-28s %-8s %6zu %7s %7lld  %-12s %s%s", stream->name,
             stream_modes[stream->mode], stream->table_count, goal,
             (long long)(lag ? lag->batch : 0), lag ? lag->state : "not captured",
             lag ? "from " : "", lag ? stream->capture->source->name : stream->no_capture);
    TRY(command_print_data(command, slice_of(line), error));
    fputc('\n', command->out);
    return true;
}

static bool streams_print(struct command *command, const struct pipeline *pipeline,
                          struct error *error)
{
    struct lag_session session = {0};
    json_t *streams = json_array();
    bool ok = true;
    if (!command->json)
        fprintf(command->out, "%-28s %-8s %6s %7s %7s  %-12s %s\n", "STREAM", "MODE", "TABLES",
                "GOAL", "BATCH", "STATE", "CAPTURE");
    for (size_t i = 0; ok && i < pipeline->stream_count; i++) {
        const struct stream *stream = &pipeline->streams[i];
        struct lag measured, *lag = NULL;
        if (stream->no_capture == NULL) {
            ok = lag_measure(pipeline, stream, &session, &measured, error);
            lag = &measured;
        }
        if (ok && command->json)
            ok = json_array_append_new(streams, stream_json(stream, lag)) == 0 ||
                 error_set_memory(error, 0);
        else if (ok)
            ok = streams_line(command, stream, lag, error);
    }
    if (ok && command->json)
        ok = command_print_json(
            command, json_pack("{s:s, s:O}", "platform", pipeline->platform, "streams", streams),
            error);
    json_decref(streams);
    lag_session_close(&session);
    return ok;
}

static int streams_run(struct command *command)
{
    struct error error = {0};
    struct pipeline pipeline;
    const struct profile *profile = command_profile(command, &error);
    if (profile == NULL || !pipeline_open(profile, &pipeline, &error))
        return command_fail(command, &error);
    bool ok = streams_print(command, &pipeline, &error);
    pipeline_close(&pipeline);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_streams = {
    .name = "streams",
    .synopsis = "",
    .summary = "Lists the streams of the platform with kind, tables, mode and state",
    .details = "A stream is what is captured and merged together: a store, or one dataset of a "
               "store (store#dataset) when the model says that its datasets move on their own.",
    .run = streams_run,
};

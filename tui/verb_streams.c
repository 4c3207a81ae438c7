/* streams: what the model wants to flow on this platform, and what of it can be captured here. */
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/quantity.h"
#include "core/pipeline/pipeline.h"
#include "tui/verbs.h"

static const char *const stream_modes[] = {"live", "history", "both"};

static json_t *stream_json(const struct stream *stream)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < stream->table_count; i++) {
        const struct stream_table *table = &stream->tables[i];
        json_array_append_new(tables,
                              json_pack("{s:s, s:s, s:s, s:s, s:s?}", "dataset", table->dataset,
                                        "schema", table->schema, "table", table->table, "lake",
                                        table->ident, "topic", table->topic));
    }
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:s}", "stream",
                     stream->name, "kind", stream->kind, "tables", tables, "mode",
                     stream_modes[stream->mode], "state",
                     stream->no_capture ? "not-captured" : "captured", "reason", stream->no_capture,
                     "source", stream->capture ? stream->capture->source->name : NULL, "priority",
                     stream->priority, "goal_s", (json_int_t)(stream->freshness_ms / 1000),
                     "goal_from", stream->freshness_from_model ? "model" : "profile");
}

static bool streams_print(struct command *command, const struct pipeline *pipeline,
                          struct error *error)
{
    bool ok = true;
    if (command->json) {
        json_t *streams = json_array();
        for (size_t i = 0; i < pipeline->stream_count; i++)
            ok = ok && json_array_append_new(streams, stream_json(&pipeline->streams[i])) == 0;
        json_t *all =
            ok ? json_pack("{s:s, s:O}", "platform", pipeline->platform, "streams", streams) : NULL;
        json_decref(streams);
        return command_print_json(command, all, error);
    }
    char line[1024];
    snprintf(line, sizeof line, "%-28s %-8s %7s %-8s %s", "STREAM", "MODE", "TABLES", "GOAL",
             "CAPTURE");
    ok = command_print_data(command, slice_of(line), error);
    for (size_t i = 0; ok && i < pipeline->stream_count; i++) {
        const struct stream *stream = &pipeline->streams[i];
        char goal[QUANTITY_TEXT_SIZE];
        quantity_format_age(stream->freshness_ms, goal);
        snprintf(line, sizeof line, "%-28s %-8s %7zu %-8s %s%s", stream->name,
                 stream_modes[stream->mode], stream->table_count, goal,
                 stream->no_capture ? "no: " : "from ",
                 stream->no_capture ? stream->no_capture : stream->capture->source->name);
        fputc('\n', command->out);
        ok = command_print_data(command, slice_of(line), error);
    }
    fputc('\n', command->out);
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

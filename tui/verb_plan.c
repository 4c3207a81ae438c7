/* plan: what is still to do, and exactly what it would send. */
#include "tui/step_print.h"
#include "tui/verbs.h"

static bool plan_collect(void *context, json_t *event, struct error *error)
{
    json_t *streams = context;
    json_t *last = json_array_get(streams, json_array_size(streams) - 1);
    if (event == NULL || json_array_append_new(json_object_get(last, "steps"), event) != 0)
        return error_set_memory(error, 0);
    return true;
}

/* One JSON document: {"streams": [{"stream", "steps": [...]}]}. */
static bool plan_stream(const struct bring_up *work, struct error *error)
{
    struct command *command = work->context;
    if (!command->json)
        return bring_up_plan(work, error);
    json_t *streams = json_array();
    json_array_append_new(streams, json_pack("{s:s, s:[]}", "stream", work->stream->name, "steps"));
    struct bring_up quiet = *work;
    quiet.event = plan_collect;
    quiet.context = streams;
    bool ok = bring_up_plan(&quiet, error) &&
              command_print_json(command, json_incref(json_array_get(streams, 0)), error);
    json_decref(streams);
    return ok;
}

static int plan_run(struct command *command)
{
    struct pipeline pipeline;
    int code = step_open_pipeline(command, &pipeline);
    if (code >= 0)
        return code;
    struct bring_up work = {0};
    code = step_run_streams(command, &pipeline, &work, plan_stream);
    pipeline_close(&pipeline);
    return code;
}

const struct verb verb_plan = {
    .name = "plan",
    .synopsis = "[STREAM]",
    .summary = "Shows the steps of a stream, how they stand, and exactly what each would send",
    .details = "Nothing is changed. Steps that are to do list the SQL, files and calls that `up` "
               "would send, line by line. With --json one document a stream: {\"stream\", "
               "\"steps\"}.",
    .flags = VERB_JSON_LINES,
    .most = 1,
    .run = plan_run,
};

/* model: the bundle is read, and this stream is in its graph. */
#include <string.h>

#include "core/model/model.h"
#include "core/pipeline/step.h"

static bool model_check(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    const struct pipeline *pipeline = target->pipeline;
    const struct model *model = pipeline->model;
    report->state = STEP_FITS;
    TRY(step_report_finding(report, "bundle", VERDICT_OK, NULL, NULL, error,
                            "%s: %zu stores, %zu workspaces", model->name, model->store_count,
                            model->workspace_count));
    for (size_t i = 0; i < model->warning_count && i < 20; i++)
        TRY(step_report_finding(report, "bundle", VERDICT_WARN, "the bundle is not quite clean",
                                "correct it in the model and export it again", error, "%s",
                                model->warnings[i].text));
    if (model->warning_count > 20)
        TRY(step_report_finding(report, "bundle", VERDICT_WARN, "the bundle is not quite clean",
                                "correct it in the model and export it again", error,
                                "%zu more warnings", model->warning_count - 20));
    TRY(step_report_finding(report, "platform", VERDICT_OK, NULL, NULL, error,
                            "%s has %zu streams, %zu sources are captured", pipeline->platform,
                            pipeline->stream_count, pipeline->capture_count));
    const struct stream *stream = target->stream;
    if (stream == NULL)
        return true;
    if (stream->no_capture) {
        report->state = STEP_DIFFERS;
        return step_report_finding(report, "stream", VERDICT_FAIL, stream->no_capture,
                                   "surfboard streams shows which can be captured", error,
                                   "%s is not captured here", stream->name);
    }
    return step_report_finding(report, "stream", VERDICT_OK, NULL, NULL, error,
                               "%s: %zu tables from %s", stream->name, stream->table_count,
                               stream->capture->source->name);
}

const struct step step_model = {
    .service = "model",
    .id = "model",
    .title = "model: says which data is wanted, where and how fresh",
    .why = "Streams come from the intention graph of the model: what nobody asks for is not moved.",
    .scope = STEP_PLATFORM,
    .requirement = true,
    .check = model_check,
};

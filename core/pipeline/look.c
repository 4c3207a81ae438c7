/* What a step works on, and how it stands. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/pipeline/bring_up.h"

struct step_target step_target_of(const struct bring_up *work, const struct step *step)
{
    struct step_target target = {
        .pipeline = work->pipeline,
        .stream = work->stream,
        .stop = work->stop,
        .keep_data = work->keep_data,
    };
    if (step->scope >= STEP_SOURCE && work->stream && work->stream->capture) {
        target.source = work->stream->capture->source;
        target.capture = work->stream->capture;
    }
    return target;
}

char *step_object(const struct step *step, const struct step_target *target, struct error *error)
{
    switch (step->scope) {
    case STEP_SOURCE:
        return memory_format(error, "source.%s", target->source ? target->source->name : "?");
    case STEP_CAPTURE:
        return memory_format(error, "capture.%s", target->capture ? target->capture->prefix : "?");
    case STEP_STREAM:
        return memory_format(error, "stream.%s", target->stream ? target->stream->name : "?");
    default:
        return memory_copy_text("platform", error);
    }
}

static bool identity_differs(struct step_report *report, const json_t *wanted, struct error *error)
{
    const char *key;
    json_t *value;
    report->state = STEP_DIFFERS;
    report->repairable = false;
    json_object_foreach((json_t *)wanted, key, value)
    {
        json_t *now = json_object_get(report->identity, key);
        if (json_equal(now, value))
            continue;
        char *a = json_dumps(value, JSON_ENCODE_ANY);
        char *b = now ? json_dumps(now, JSON_ENCODE_ANY) : NULL;
        bool ok = step_report_difference(report, key, a ? a : "?", b ? b : "nothing", error);
        free(a);
        free(b);
        TRY(ok);
    }
    return step_report_finding(
        report, "identity", VERDICT_FAIL,
        "our receipt is for another object: the server was restored or replaced, or somebody made "
        "this one anew",
        "look at both; then take the stream down and up again, or adopt what is there", error,
        "not the object that the receipt names");
}

bool step_look(const struct step *step, const struct step_target *target,
               struct step_report *report, struct error *error)
{
    const struct receipt *receipt = target->receipt;
    TRY(step_call(step->check, target, report, error));
    bool there = report->state == STEP_FITS || report->state == STEP_DIFFERS;
    if (receipt == NULL || !there)
        return true;
    /* Died between apply() and its receipt: what has our name and was absent before is ours. */
    bool applying = receipt->how == RECEIPT_APPLYING;
    if (!applying && receipt->identity && !json_equal(receipt->identity, report->identity))
        return identity_differs(report, receipt->identity, error);
    if (report->state == STEP_DIFFERS) {
        report->repairable |= receipt->how != RECEIPT_ADOPTED;
        return true;
    }
    size_t users = json_array_size(receipt->users);
    bool mine = target->stream && receipt_has_user(receipt, target->stream->name);
    report->state = users > (mine ? 1U : 0U) ? STEP_SHARED : STEP_OURS;
    return true;
}

json_t *step_findings_json(const struct step_report *report)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct step_finding *finding = &report->findings[i];
        json_array_append_new(
            findings, json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", finding->check, "state",
                                step_verdict_name(finding->verdict), "evidence", finding->evidence,
                                "cause", finding->cause, "remedy", finding->remedy));
    }
    return findings;
}

#include "core/pipeline/bring_up.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/pipeline/lock.h"

/* One step on its way. */
struct stage {
    const struct bring_up *work;
    const struct step *step;
    struct step_target target;
    char *object;
    struct receipt *receipt;
    struct step_report report;
    struct lock *lock;
};

static void stage_close(struct stage *stage)
{
    step_report_destroy(&stage->report);
    receipt_destroy(stage->receipt);
    lock_release(stage->lock);
    free(stage->object);
}

static void stage_event(void *context, json_t *event)
{
    struct stage *stage = context;
    if (event && json_object_get(event, "step") == NULL)
        json_object_set_new(event, "step", json_string(stage->step->id));
    if (event)
        stage->work->event(stage->work->context, event, NULL);
}

/* What the run's pulse says while one call takes long. */
static void stage_enter(const struct stage *stage, const char *what)
{
    char phase[96];
    snprintf(phase, sizeof phase, "%s: %s", stage->step->id, what);
    run_phase(stage->work->run, phase);
}

/* `change`: takes the lock on the object first. */
static bool stage_open(struct stage *stage, const struct bring_up *work, const struct step *step,
                       bool change, struct error *error)
{
    *stage = (struct stage){.work = work, .step = step, .target = step_target_of(work, step)};
    step_report_init(&stage->report);
    stage_enter(stage, "check");
    stage->target.event = stage_event;
    stage->target.event_context = stage;
    stage->object = step_object(step, &stage->target, error);
    TRY(stage->object);
    if (change) {
        char *name = memory_format(error, "%s.%s", step->id, stage->object);
        TRY(name);
        stage->lock = lock_take(work->pipeline->profile, name, step->id, error);
        free(name);
        TRY(stage->lock);
    }
    struct error local = {0};
    stage->receipt = receipt_load(work->pipeline->profile, step->id, stage->object, &local);
    if (local.kind && error)
        *error = local;
    stage->target.receipt = stage->receipt;
    return local.kind == ERROR_NONE;
}

static json_t *texts_json(const char *const *lines, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(lines[i]));
    return array;
}

static bool stage_tell(struct stage *stage, const char *action, const char *reason,
                       const char *remedy, struct error *error)
{
    const struct step_report *report = &stage->report;
    const struct bring_up *work = stage->work;
    json_t *event =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:o}", "event", "step", "step",
                  stage->step->id, "title", stage->step->title, "object", stage->object, "stream",
                  work->stream ? work->stream->name : NULL, "state", step_state_name(report->state),
                  "action", action, "findings", step_findings_json(report));
    if (event == NULL)
        return error_set_memory(error, 0);
    if (report->line_count)
        json_object_set_new(event, "plan", texts_json(report->lines, report->line_count));
    json_t *differences = json_array();
    for (size_t i = 0; i < report->difference_count; i++)
        json_array_append_new(differences,
                              json_pack("{s:s, s:s, s:s}", "field", report->differences[i].field,
                                        "wanted", report->differences[i].wanted, "found",
                                        report->differences[i].found));
    if (json_array_size(differences))
        json_object_set(event, "differences", differences);
    json_decref(differences);
    if (reason)
        json_object_set_new(event, "reason", json_string(reason));
    if (remedy && *remedy)
        json_object_set_new(event, "remedy", json_string(remedy));
    return work->event(work->context, event, error);
}

static bool stage_stop(struct stage *stage, const char *reason, const char *remedy,
                       struct error *error)
{
    TRY(stage_tell(stage, "stopped", reason, remedy, error));
    return error_set(error, ERROR_CHECK, remedy, "step %s (%s): %s", stage->step->id, stage->object,
                     reason);
}

/* The first finding that failed, or could not be answered, stops. */
static bool stage_stop_by_finding(struct stage *stage, struct error *error)
{
    const struct step_finding *worst = NULL;
    for (size_t i = 0; i < stage->report.finding_count; i++) {
        const struct step_finding *finding = &stage->report.findings[i];
        if (finding->verdict == VERDICT_FAIL && (!worst || worst->verdict != VERDICT_FAIL))
            worst = finding;
        else if (finding->verdict == VERDICT_UNKNOWN && !worst)
            worst = finding;
    }
    if (worst == NULL)
        return stage_stop(stage, "cannot be checked", "surfboard doctor says more", error);
    char reason[768];
    snprintf(reason, sizeof reason, "%s: %s%s%s", worst->check, worst->evidence,
             *worst->cause ? ": " : "", worst->cause);
    return stage_stop(stage, reason, worst->remedy, error);
}

static bool stage_save_receipt(struct stage *stage, enum receipt_how how, struct error *error)
{
    const struct bring_up *work = stage->work;
    if (stage->receipt == NULL) {
        const char *run = work->run ? run_id(work->run) : NULL;
        stage->receipt = receipt_make(stage->step->id, stage->object, how, run, error);
        TRY(stage->receipt);
    }
    stage->receipt->how = how;
    if (how == RECEIPT_CREATED && stage->report.identity) {
        json_decref(stage->receipt->identity);
        stage->receipt->identity = json_incref(stage->report.identity);
    }
    /* The first apply saw what was there before us; a later repair sees only our own work. */
    if (stage->report.restore && stage->receipt->restore == NULL)
        stage->receipt->restore = json_incref(stage->report.restore);
    TRY(receipt_add_user(stage->receipt, work->stream->name, error));
    return receipt_save(work->pipeline->profile, stage->receipt, error);
}

static bool stage_prove(struct stage *stage, const char *action, struct error *error)
{
    stage_enter(stage, "prove");
    TRY(step_call(stage->step->prove, &stage->target, &stage->report, error));
    enum step_verdict verdict = step_report_verdict(&stage->report);
    if (verdict == VERDICT_FAIL || verdict == VERDICT_UNKNOWN)
        return stage_stop_by_finding(stage, error);
    return stage_tell(stage, action, NULL, NULL, error);
}

static bool stage_apply_now(struct stage *stage, struct error *error)
{
    if (stage->step->apply == NULL)
        return stage_stop_by_finding(stage, error);
    if (stage->receipt == NULL || stage->receipt->how == RECEIPT_APPLYING)
        TRY(stage_save_receipt(stage, RECEIPT_APPLYING, error));
    stage->target.receipt = stage->receipt;
    TRY(FAULT("pipeline.step.before-apply", error));
    stage_enter(stage, "apply");
    if (!stage->step->apply(&stage->target, &stage->report, error)) {
        error_prefix(error, "step %s (%s)", stage->step->id, stage->object);
        return false;
    }
    TRY(FAULT("pipeline.step.after-apply", error));
    TRY(stage_save_receipt(stage, RECEIPT_CREATED, error));
    stage->target.receipt = stage->receipt;
    stage->report.state = STEP_OURS;
    stage->report.finding_count = 0; /* they told of the time before */
    return stage_prove(stage, "applied", error);
}

static bool stage_change(struct stage *stage, struct error *error)
{
    struct step_report *report = &stage->report;
    TRY(step_call(stage->step->plan, &stage->target, report, error));
    if (report->needs_person)
        return stage_stop(stage, report->needs_person, report->needs_person_remedy, error);
    if (stage->work->dry_run)
        return stage_tell(stage, "would-apply", NULL, NULL, error);
    return stage_apply_now(stage, error);
}

static bool stage_up(struct stage *stage, struct error *error)
{
    struct step_report *report = &stage->report;
    TRY(step_look(stage->step, &stage->target, report, error));
    if (report->needs_person)
        return stage_stop(stage, report->needs_person, report->needs_person_remedy, error);
    switch (report->state) {
    case STEP_OURS:
    case STEP_SHARED:
        if (!stage->work->dry_run && !receipt_has_user(stage->receipt, stage->work->stream->name))
            TRY(stage_save_receipt(stage, stage->receipt->how, error));
        if (!stage->work->dry_run && stage->receipt->how == RECEIPT_APPLYING)
            TRY(stage_save_receipt(stage, RECEIPT_CREATED, error));
        return stage_prove(stage, "kept", error);
    case STEP_FITS:
        if (stage->step->requirement)
            return stage_prove(stage, "kept", error);
        return stage_stop(stage, "it is there already, and not made by us",
                          "take it away, or give our own another name in the profile", error);
    case STEP_DIFFERS:
        if (report->repairable)
            return stage_change(stage, error);
        return report->finding_count && step_report_verdict(report) >= VERDICT_FAIL
                   ? stage_stop_by_finding(stage, error)
                   : stage_stop(stage, "it is there, but not as it has to be",
                                "surfboard plan shows each difference", error);
    case STEP_ABSENT:
        return stage_change(stage, error);
    default:
        return stage_stop_by_finding(stage, error);
    }
}

/* Steps passed by are of the whole, whatever --step and --until leave of it. */
static void each_step_tell(const struct bring_up *work, const struct step *step, size_t done,
                           size_t total)
{
    if (work->run == NULL || work->dry_run)
        return;
    json_t *event =
        json_pack("{s:s, s:s, s:I, s:I, s:s}", "event", "progress", "phase", step->id, "done",
                  (json_int_t)done, "total", (json_int_t)total, "unit", "steps");
    run_event(work->run, event, false, NULL);
}

/* Calls `run` for each step that applies and is asked for, in order or in reverse. */
static bool each_step(const struct bring_up *work, bool change, bool reverse,
                      bool (*run)(struct stage *, struct error *), struct error *error)
{
    size_t count = 0;
    bool known = work->only == NULL && work->until == NULL;
    for (; work->steps[count]; count++) {
        known |= work->only && strcmp(work->only, work->steps[count]->id) == 0;
        known |= work->until && strcmp(work->until, work->steps[count]->id) == 0;
    }
    if (!known)
        return error_set(error, ERROR_USAGE, "surfboard plan lists the steps",
                         "no step is called %s", work->only ? work->only : work->until);
    for (size_t i = 0; i < count; i++) {
        const struct step *step = work->steps[reverse ? count - 1 - i : i];
        struct step_target target = step_target_of(work, step);
        bool applies = step->applies == NULL || step->applies(&target);
        if (work->stop && atomic_load(work->stop))
            return error_set(error, ERROR_INTERRUPTED, "run the same command to go on",
                             "interrupted before step %s", step->id);
        if (applies && (work->only == NULL || strcmp(work->only, step->id) == 0)) {
            struct stage stage;
            each_step_tell(work, step, i, count);
            bool ok = stage_open(&stage, work, step, change, error) && run(&stage, error);
            stage_close(&stage);
            TRY(ok);
        }
        if (work->until && strcmp(work->until, step->id) == 0)
            break;
    }
    return true;
}

bool bring_up_apply(const struct bring_up *work, struct error *error)
{
    return each_step(work, !work->dry_run, false, stage_up, error);
}

/* Plans go on behind a step that can't be reached: what is known of the others is still useful. */
static bool stage_plan(struct stage *stage, struct error *error)
{
    struct error local = {0};
    struct step_report *report = &stage->report;
    bool ok = step_look(stage->step, &stage->target, report, &local);
    if (ok &&
        (report->state == STEP_ABSENT || (report->state == STEP_DIFFERS && report->repairable)))
        ok = step_call(stage->step->plan, &stage->target, report, &local);
    if (!ok)
        TRY(step_report_finding(report, stage->step->id, VERDICT_UNKNOWN, local.message,
                                local.remedy, error, "cannot be asked"));
    return stage_tell(stage, "checked", report->needs_person, report->needs_person_remedy, error);
}

bool bring_up_plan(const struct bring_up *work, struct error *error)
{
    return each_step(work, false, false, stage_plan, error);
}

static bool stage_undo_now(struct stage *stage, struct error *error)
{
    const struct profile *profile = stage->work->pipeline->profile;
    struct step_report *report = &stage->report;
    TRY(step_look(stage->step, &stage->target, report, error));
    if (report->state == STEP_UNKNOWN)
        return stage_stop_by_finding(stage, error);
    if (report->state == STEP_DIFFERS && stage->receipt->identity && report->identity &&
        !json_equal(stage->receipt->identity, report->identity))
        return error_set(error, ERROR_CONFLICT,
                         "look at it; when it is not ours, remove our receipt's file by hand",
                         "step %s (%s): the object is not the one that our receipt names",
                         stage->step->id, stage->object);
    if (report->state != STEP_ABSENT) {
        TRY(step_call(stage->step->undo_plan, &stage->target, report, error));
        if (stage->work->dry_run)
            return stage_tell(stage, "would-undo", NULL, NULL, error);
        TRY(FAULT("pipeline.step.before-undo", error));
        stage_enter(stage, "undo");
        if (!step_call(stage->step->undo, &stage->target, report, error)) {
            error_prefix(error, "step %s (%s)", stage->step->id, stage->object);
            return false;
        }
    }
    if (!stage->work->dry_run)
        TRY(receipt_remove(profile, stage->step->id, stage->object, error));
    return stage_tell(stage, stage->work->dry_run ? "would-undo" : "undone", NULL, NULL, error);
}

static bool stage_down(struct stage *stage, struct error *error)
{
    const struct bring_up *work = stage->work;
    const struct profile *profile = work->pipeline->profile;
    struct receipt *receipt = stage->receipt;
    if (receipt == NULL ||
        (!receipt_has_user(receipt, work->stream->name) && json_array_size(receipt->users) > 0))
        return true;
    bool others = json_array_size(receipt->users) > 1;
    bool wide = stage->step->scope == STEP_PLATFORM || stage->step->scope == STEP_SOURCE;
    if (!others && receipt->how != RECEIPT_ADOPTED && (!wide || work->shared))
        return stage_undo_now(stage, error);
    const char *action = others || receipt->how == RECEIPT_ADOPTED ? "released" : "kept-shared";
    if (work->dry_run)
        return stage_tell(stage, action, NULL, NULL, error);
    if (others)
        TRY(step_call(stage->step->release, &stage->target, &stage->report, error));
    receipt_drop_user(receipt, work->stream->name);
    if (receipt->how == RECEIPT_ADOPTED && !others)
        TRY(receipt_remove(profile, stage->step->id, stage->object, error));
    else
        TRY(receipt_save(profile, receipt, error));
    return stage_tell(stage, action, NULL, NULL, error);
}

bool bring_up_undo(const struct bring_up *work, struct error *error)
{
    return each_step(work, !work->dry_run, true, stage_down, error);
}

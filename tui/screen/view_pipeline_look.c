/* Asking the steps of a stream how they stand: one job for each service, so that one who does not
 * answer holds up nobody else; each answer is told as it comes. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "tui/screen/view_pipeline.h"

enum { LANE_LIMIT_MS = 60000 };

struct pipe_lane {
    struct pipe_look *look;
    const char *service;
    struct job *job; /* NULL: it has ended */
};

/* Outlives the view when that is closed: nothing here points into it but `view`. */
struct pipe_look {
    struct pipeline_view *view; /* NULL: nobody waits for the answers any more */
    struct pipeline *pipeline;
    size_t stream; /* index */
    const struct stream *of;
    const struct step **steps;
    size_t count;
    struct pipe_lane lanes[PIPE_LANES_MOST];
    size_t lane_count, left; /* left: lanes under way, and who starts them */
    bool stopped;
};

/* What a lane tells in its second round. */
struct pipe_undo {
    struct pipe_look *look;
    size_t step;
    struct step_report report;
    struct error failure;
};

void pipe_answer_free(struct pipe_answer *answer)
{
    if (answer == NULL)
        return;
    step_report_destroy(&answer->found);
    step_report_destroy(&answer->proof);
    step_report_destroy(&answer->undo);
    free(answer);
}

void pipe_step_forget(struct pipe_step *step)
{
    pipe_answer_free(step->answer);
    free(step->stopped_why);
    free(step->stopped_remedy);
}

/* Nothing else may draw a page at rest: what has become stale has to be greyed once. */
static void look_stale(void *context)
{
    pipe_changed(context);
}

void pipe_look_forget(struct pipeline_view *view)
{
    loop_cancel(&view->view.app->loop, look_stale, view);
}

static void look_release(struct pipe_look *look)
{
    if (--look->left)
        return;
    struct pipeline_view *view = look->view;
    if (view) {
        view->look = NULL;
        if (!look->stopped)
            view->streams[look->stream].looked_us = clock_now_us();
        loop_after(&view->view.app->loop, PIPE_STALE_MS + 1000, look_stale, view);
        pipe_changed(view);
        pipe_tick_soon(view);
    }
    free(look->steps);
    free(look);
}

/* ---- on a worker ---- */

static void answer_receipt(struct pipe_answer *answer, const struct receipt *receipt,
                           const char *stream)
{
    answer->has_receipt = receipt != NULL;
    if (receipt == NULL)
        return;
    answer->joined = receipt_has_user(receipt, stream);
    answer->how = receipt->how;
    answer->users = json_array_size(receipt->users);
    snprintf(answer->made_at, sizeof answer->made_at, "%s", receipt->at ? receipt->at : "");
    snprintf(answer->made_by, sizeof answer->made_by, "%s", receipt->by ? receipt->by : "");
    snprintf(answer->made_run, sizeof answer->made_run, "%s", receipt->run ? receipt->run : "");
}

static struct receipt *target_receipt(const struct step *step, struct step_target *target,
                                      struct error *error)
{
    char *object = step_object(step, target, error);
    struct receipt *receipt =
        object ? receipt_load(target->pipeline->profile, step->id, object, error) : NULL;
    free(object);
    target->receipt = receipt;
    return receipt;
}

/* Looks; says what `up` would send when it is not there; proves it when it is. */
static bool answer_fill(struct pipe_answer *answer, const struct step *step,
                        const struct step_target *target, struct error *error)
{
    struct step_report *found = &answer->found;
    TRY(step_look(step, target, found, error));
    if (found->state == STEP_ABSENT || (found->state == STEP_DIFFERS && found->repairable))
        return step_call(step->plan, target, found, error);
    bool stands = found->state == STEP_OURS || found->state == STEP_SHARED ||
                  (found->state == STEP_FITS && step->requirement);
    if (!stands || found->needs_person)
        return true;
    answer->proved = true;
    return step_call(step->prove, target, &answer->proof, error);
}

static struct pipe_answer *lane_ask(struct pipe_lane *lane, const struct bring_up *work,
                                    size_t index, struct error *down, struct error *error)
{
    const struct step *step = lane->look->steps[index];
    struct pipe_answer *answer = memory_zero(1, sizeof *answer, error);
    if (answer == NULL)
        return NULL;
    step_report_init(&answer->found);
    step_report_init(&answer->proof);
    step_report_init(&answer->undo);
    answer->look = lane->look;
    answer->step = index;
    struct step_target target = step_target_of(work, step);
    target.only_looks = true;
    struct receipt *receipt = target_receipt(step, &target, &answer->failure);
    /* Who did not answer once is not waited for again in this look. */
    if (answer->failure.kind == ERROR_NONE && down->kind)
        answer->failure = *down;
    else if (answer->failure.kind == ERROR_NONE &&
             !answer_fill(answer, step, &target, &answer->failure) &&
             answer->failure.kind == ERROR_UNREACHABLE)
        *down = answer->failure;
    answer_receipt(answer, receipt, work->stream->name);
    receipt_destroy(receipt);
    answer->at_us = clock_now_us();
    return answer;
}

static struct pipe_undo *lane_ask_undo(struct pipe_lane *lane, const struct bring_up *work,
                                       size_t index, struct error *down, struct error *error)
{
    const struct step *step = lane->look->steps[index];
    struct pipe_undo *undo = memory_zero(1, sizeof *undo, error);
    if (undo == NULL)
        return NULL;
    undo->look = lane->look;
    undo->step = index;
    step_report_init(&undo->report);
    if (down->kind) {
        undo->failure = *down;
        return undo;
    }
    struct step_target target = step_target_of(work, step);
    struct receipt *receipt = target_receipt(step, &target, &undo->failure);
    if (undo->failure.kind == ERROR_NONE)
        step_call(step->undo_plan, &target, &undo->report, &undo->failure);
    receipt_destroy(receipt);
    if (undo->failure.kind == ERROR_UNREACHABLE)
        *down = undo->failure;
    return undo;
}

static void answer_heard(void *context);
static void undo_heard(void *context);

static bool lane_round(struct pipe_lane *lane, struct job *job, struct error *down, bool undo,
                       struct error *error)
{
    struct pipe_look *look = lane->look;
    struct bring_up work = {.pipeline = look->pipeline,
                            .steps = look->steps,
                            .stream = look->of,
                            .stop = job_stop_flag(job)};
    for (size_t i = 0; i < look->count; i++) {
        if (strcmp(look->steps[i]->service, lane->service) != 0)
            continue;
        if (atomic_load(work.stop))
            return false;
        void *told = undo ? (void *)lane_ask_undo(lane, &work, i, down, error)
                          : (void *)lane_ask(lane, &work, i, down, error);
        TRY(told);
        /* What was cut short by the stop flag is no answer. */
        bool cut = atomic_load(work.stop);
        if (!cut && job_tell(job, undo ? undo_heard : answer_heard, told))
            continue;
        if (undo)
            step_report_destroy(&((struct pipe_undo *)told)->report);
        if (undo)
            free(told);
        else
            pipe_answer_free(told);
        return cut ? false : error_set_memory(error, 0);
    }
    return true;
}

/* How steps stand comes first; what `down` would send may need another service. */
static bool lane_run(struct job *job, void *context, struct error *error)
{
    struct error down = {0};
    return lane_round(context, job, &down, false, error) &&
           lane_round(context, job, &down, true, error);
}

/* ---- on the screen's thread ---- */

static struct pipe_step *heard_step(const struct pipe_look *look, size_t index)
{
    return look->view ? &look->view->streams[look->stream].steps[index] : NULL;
}

static void step_take(struct pipe_step *step, struct pipe_answer *answer)
{
    pipe_answer_free(step->answer);
    step->answer = answer;
    step->asked_us = 0;
    step->stale = false;
    step->did[0] = '\0';
    if (pipe_stands(step))
        step->stopped_run[0] = '\0';
}

static void answer_heard(void *context)
{
    struct pipe_answer *answer = context;
    struct pipe_step *step = heard_step(answer->look, answer->step);
    if (step == NULL) {
        pipe_answer_free(answer);
        return;
    }
    step_take(step, answer);
    pipe_changed(answer->look->view);
}

static void undo_heard(void *context)
{
    struct pipe_undo *undo = context;
    struct pipe_step *step = heard_step(undo->look, undo->step);
    if (step && step->answer) {
        struct pipe_answer *answer = step->answer;
        step_report_destroy(&answer->undo);
        answer->undo = undo->report;
        answer->undo_failure = undo->failure;
        answer->undo_known = undo->failure.kind == ERROR_NONE;
        pipe_changed(undo->look->view);
    } else {
        step_report_destroy(&undo->report);
    }
    free(undo);
}

/* Steps that the lane left without an answer: cancelled ones stay as they were. */
static void lane_give_up(const struct pipe_lane *lane, const struct error *error)
{
    struct pipe_look *look = lane->look;
    for (size_t i = 0; i < look->count; i++) {
        struct pipe_step *step = heard_step(look, i);
        if (step->asked_us == 0 || strcmp(look->steps[i]->service, lane->service) != 0)
            continue;
        step->asked_us = 0;
        step->stale = true;
        step->did[0] = '\0';
        struct pipe_answer *answer =
            error->kind == ERROR_INTERRUPTED ? NULL : memory_zero(1, sizeof *answer, NULL);
        if (answer == NULL)
            continue;
        step_report_init(&answer->found);
        step_report_init(&answer->proof);
        step_report_init(&answer->undo);
        answer->failure = *error;
        answer->at_us = clock_now_us();
        step_take(step, answer);
    }
    pipe_changed(look->view);
}

static void lane_done(void *context, bool ok, const struct error *error)
{
    struct pipe_lane *lane = context;
    lane->job = NULL;
    lane->look->stopped |= !ok;
    if (!ok && lane->look->view)
        lane_give_up(lane, error);
    look_release(lane->look);
}

static const struct job_kind lane_kind = {"steps", LANE_LIMIT_MS, lane_run, lane_done};

static void look_add_lane(struct pipe_look *look, const char *service)
{
    for (size_t i = 0; i < look->lane_count; i++)
        if (strcmp(look->lanes[i].service, service) == 0)
            return;
    if (look->lane_count < PIPE_LANES_MOST)
        look->lanes[look->lane_count++] = (struct pipe_lane){.look = look, .service = service};
}

static struct pipe_look *look_make(struct pipeline_view *view, struct error *error)
{
    struct pipe_stream *stream = pipe_stream_now(view);
    struct pipe_look *look = memory_zero(1, sizeof *look, error);
    if (look == NULL)
        return NULL;
    *look = (struct pipe_look){.view = view,
                               .pipeline = &view->view.app->pipeline,
                               .stream = view->current,
                               .of = stream->stream,
                               .count = stream->count};
    look->steps = memory_zero(stream->count + 1, sizeof *look->steps, error);
    if (look->steps == NULL) {
        free(look);
        return NULL;
    }
    int64_t now = clock_now_us();
    for (size_t i = 0; i < stream->count; i++) {
        look->steps[i] = stream->steps[i].step;
        stream->steps[i].asked_us = now;
        look_add_lane(look, look->steps[i]->service);
    }
    return look;
}

void pipe_look(struct pipeline_view *view)
{
    struct error error = {0};
    struct pipe_stream *stream = pipe_stream_now(view);
    if (stream == NULL || stream->count == 0)
        return;
    view->look_again = view->look != NULL;
    if (view->look)
        return;
    struct pipe_look *look = look_make(view, &error);
    if (look == NULL) {
        app_fail(view->view.app, &error);
        return;
    }
    view->look = look;
    look->left = look->lane_count + 1;
    for (size_t i = 0; i < look->lane_count; i++)
        look->lanes[i].job = app_job(view->view.app, &lane_kind, &look->lanes[i]);
    pipe_changed(view);
    look_release(look);
    pipe_tick_soon(view);
}

void pipe_look_stop(struct pipeline_view *view)
{
    struct pipe_look *look = view->look;
    if (look == NULL)
        return;
    view->look_again = false;
    look->stopped = true;
    for (size_t i = 0; i < look->lane_count; i++)
        if (look->lanes[i].job)
            job_stop(look->lanes[i].job);
}

void pipe_look_leave(struct pipeline_view *view)
{
    struct pipe_look *look = view->look;
    if (look == NULL)
        return;
    pipe_look_stop(view);
    for (size_t i = 0; i < look->count; i++)
        view->streams[look->stream].steps[i].asked_us = 0;
    look->view = NULL;
    view->look = NULL;
}

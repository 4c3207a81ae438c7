/* bring_up.h: runs the steps of a stream: looks, plans, applies and proves one after the other, and
 * takes down what receipts say was made (design 4). What happens is told as events, one JSON object
 * each: {"event":"step","step","object","stream","state","action", …}. Actions:
 *   checked     only looked at (plan, doctor)
 *   kept        was there already; proved
 *   would-apply --dry-run
 *   applied     done now, and proved
 *   stopped     needs a person, is not ours, differs, or its proof failed: "reason", "remedy"
 *   undone      taken away (down)
 *   released    adopted or used by others: left as it is, without us
 *   kept-shared nobody of ours uses it any more; --shared takes it down */
#ifndef SURFBOARD_PIPELINE_BRING_UP_H
#define SURFBOARD_PIPELINE_BRING_UP_H

#include "core/pipeline/receipt.h"
#include "core/pipeline/run.h"
#include "core/pipeline/step.h"

struct bring_up {
    struct pipeline *pipeline;
    const struct step *const *steps; /* in the order of bring-up; NULL-ended */
    const struct stream *stream;
    struct run *run; /* named in receipts; NULL for plan and doctor */
    const atomic_bool *stop;
    /* Gets every event; takes over the reference. False with an error ends the work. */
    bool (*event)(void *context, json_t *event, struct error *error);
    void *context;
    const char *only;  /* just this step; NULL: all */
    const char *until; /* the last one, in the order of the work: down ends with it; NULL: all */
    bool dry_run;
    bool keep_data, shared; /* down */
};

/* The steps still to do with exactly what each would send. */
bool bring_up_plan(const struct bring_up *work, struct error *error);
/* Applies and proves. False with ERROR_CHECK when it stopped at a step that needs a person or whose
 * proof failed. */
bool bring_up_apply(const struct bring_up *work, struct error *error);
/* Undoes in the reverse order. */
bool bring_up_undo(const struct bring_up *work, struct error *error);

/* What a step works on by its scope, and that object's name in receipts and locks: "platform",
 * "source.shop", "capture.dell", "stream.orders". */
struct step_target step_target_of(const struct bring_up *work, const struct step *step);
char *step_object(const struct step *step, const struct step_target *target, struct error *error);
/* check(), with the receipt weighed in: OURS, SHARED, DIFFERS by identity. `receipt` may be NULL.
 */
bool step_look(const struct step *step, const struct step_target *target,
               struct step_report *report, struct error *error);

/* {"check","state","evidence","cause","remedy"} each. */
json_t *step_findings_json(const struct step_report *report);

#endif

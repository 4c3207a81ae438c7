/* doctor_work.h: what doctor says of wanted work: whether it is alive, whether the next boot starts
 * it, whether a logout ends it. */
#ifndef SURFBOARD_TUI_DOCTOR_WORK_H
#define SURFBOARD_TUI_DOCTOR_WORK_H

#include "core/config/profile.h"
#include "core/pipeline/step.h"

struct doctor_finding {
    const char *service, *check;
    enum step_verdict verdict;
    const char *evidence, *cause, *remedy; /* the last two: NULL for none */
};

typedef bool (*doctor_taker)(void *context, const struct doctor_finding *finding,
                             struct error *error);

bool doctor_work(const struct profile *profile, doctor_taker take, void *context,
                 struct error *error);

#endif

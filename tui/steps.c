#include "tui/steps.h"

#include "plugins/postgres/steps.h"

const struct step *const all_steps[] = {
    &step_model, &step_server,  &step_role,    &step_identity, &step_publication,
    &step_slot,  &step_buckets, &step_catalog, NULL,
};

#include "tui/steps.h"

const struct step *const all_steps[] = {
    &step_model,
    /* plugins/postgres: server, role, identity, publication, slot */
    &step_buckets,
    &step_catalog,
    NULL,
};

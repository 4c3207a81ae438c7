#include "tui/steps.h"

#include "plugins/postgres/steps.h"

/* The buckets stand before the first step that writes into them (identity leaves schema files), the
 * catalog before the tables that `down` drops with the files. */
/* clang-format off */
const struct step *const all_steps[] = {
    &step_model,
    &step_server,
    &step_role,
    &step_buckets,
    &step_identity,
    &step_publication,
    &step_slot,
    &step_catalog,
    &step_files,
    NULL,
};
/* clang-format on */

#include "tui/verbs.h"

#include <stddef.h>

/* One a line, so that two branches seldom touch the same one. */
/* clang-format off */
const struct verb *const verbs[] = {
    &verb_demo,
    &verb_init,
    &verb_context,
    &verb_model_show,
    &verb_model_search,
    &verb_model_graph,
    &verb_doctor,
    &verb_plan,
    &verb_up,
    &verb_down,
    &verb_status,
    &verb_streams,
    &verb_capture,
    &verb_simulate,
    &verb_merge,
    &verb_maintain,
    &verb_query,
    &verb_scan,
    &verb_peek,
    &verb_verify,
    &verb_runs,
    &verb_attach,
    &verb_cancel,
    &verb_pause,
    &verb_resume,
    &verb_unit,
    &verb_history,
    &verb_screen,
    NULL,
};
/* clang-format on */

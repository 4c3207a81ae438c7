#include "tui/verbs.h"

#include <stddef.h>

/* clang-format off: one a line, so that two branches seldom touch the same one */
const struct verb *const verbs[] = {
    &verb_context,
    &verb_model_graph,
    &verb_plan,
    &verb_up,
    &verb_down,
    &verb_streams,
    &verb_capture,
    NULL,
};
/* clang-format on */

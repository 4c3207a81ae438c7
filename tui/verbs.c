#include "tui/verbs.h"

#include <stddef.h>

/* clang-format off: one a line, so that new verbs do not collide */
const struct verb *const verbs[] = {
    &verb_context, &verb_doctor, &verb_model_graph, &verb_streams,
    &verb_plan,    &verb_up,     &verb_down,        NULL,
};

#include "tui/verbs.h"

#include <stddef.h>

const struct verb *const verbs[] = {
    &verb_context, &verb_model_graph, &verb_streams, &verb_plan, &verb_up, &verb_down, NULL,
};

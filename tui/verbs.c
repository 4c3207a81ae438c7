#include "tui/verbs.h"

#include <stddef.h>

const struct verb *const verbs[] = {
    &verb_context,
    &verb_model_graph,
    &verb_streams,
    NULL,
};

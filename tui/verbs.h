/* verbs.h: every verb's table entry. A new verb: its file verb_NAME.c, a line here, a line in
 * verbs.c at the place where --help shall show it. */
#ifndef SURFBOARD_TUI_VERBS_H
#define SURFBOARD_TUI_VERBS_H

#include "tui/command.h"

extern const struct verb verb_context, verb_model_graph, verb_streams, verb_plan, verb_up,
    verb_down;

#endif

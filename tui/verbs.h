/* verbs.h: every verb's table entry. A new verb: its file verb_NAME.c, a line here, a line in
 * verbs.c at the place where --help shall show it. */
#ifndef SURFBOARD_TUI_VERBS_H
#define SURFBOARD_TUI_VERBS_H

#include "tui/command.h"

extern const struct verb verb_capture;
extern const struct verb verb_context;
extern const struct verb verb_doctor;
extern const struct verb verb_demo;
extern const struct verb verb_init;
extern const struct verb verb_context;
extern const struct verb verb_doctor;
extern const struct verb verb_maintain;
extern const struct verb verb_merge;
extern const struct verb verb_model_graph;
extern const struct verb verb_model_search;
extern const struct verb verb_model_show;
extern const struct verb verb_streams;
extern const struct verb verb_status;
extern const struct verb verb_runs;
extern const struct verb verb_attach;
extern const struct verb verb_cancel;
extern const struct verb verb_pause;
extern const struct verb verb_resume;
extern const struct verb verb_unit;
extern const struct verb verb_history;
extern const struct verb verb_plan;
extern const struct verb verb_up;
extern const struct verb verb_verify;
extern const struct verb verb_down;
extern const struct verb verb_model_graph;
extern const struct verb verb_plan;
extern const struct verb verb_peek;
extern const struct verb verb_query;
extern const struct verb verb_scan;
extern const struct verb verb_screen;
extern const struct verb verb_simulate;
extern const struct verb verb_streams;
extern const struct verb verb_up;
extern const struct verb verb_verify;

#endif

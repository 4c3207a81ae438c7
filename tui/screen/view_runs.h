/* view_runs.h: between the parts of the Runs view only. */
#ifndef SURFBOARD_TUI_SCREEN_VIEW_RUNS_H
#define SURFBOARD_TUI_SCREEN_VIEW_RUNS_H

#include "tui/screen/app.h"
#include "tui/screen/filter.h"
#include "tui/screen/list.h"

enum runs_sort { RUNS_NEWEST, RUNS_BY_STATE, RUNS_BY_WHAT, RUNS_SORTS };

struct runs_view {
    struct view view;
    struct list list;
    struct filter filter;
    size_t *rows; /* indexes into the watch's runs */
    size_t row_capacity;
    char selected[RUN_ID_SIZE]; /* the run that the cursor sticks to; "": the newest */
    enum runs_sort sort;
    bool turned;
    size_t alive, failed, died; /* of all, whatever the filter hides */
    char why[256];              /* of the last refusal */
};

/* ---- view_runs.c ---- */

/* The run under the cursor; NULL: none. Good until the next look. */
const struct run_summary *runs_selected(const struct runs_view *view);
void runs_fill(struct runs_view *view);
/* The view that is open; NULL. */
struct runs_view *runs_of(const struct app *app);

/* ---- view_runs_draw.c ---- */

void runs_draw(struct view *view, struct canvas *canvas, struct rect rect);

/* ---- view_runs_act.c: also for the box of events ---- */

/* `run` may be NULL. *why lies in `room`. */
enum answer runs_can_run(const struct app *app, const struct run_summary *run,
                         enum action_id action, char *room, size_t size, const char **why);
void runs_ask(struct app *app, const struct run_summary *run, enum action_id action);

/* ---- view_runs_events.c, view_runs_read.c ---- */

/* The box with a run's events, as they come. */
void runs_events(struct app *app, const char *run);

#endif

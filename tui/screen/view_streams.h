/* view_streams.h: between the parts of the Streams view only. */
#ifndef SURFBOARD_TUI_SCREEN_VIEW_STREAMS_H
#define SURFBOARD_TUI_SCREEN_VIEW_STREAMS_H

#include "tui/screen/app.h"
#include "tui/screen/filter.h"
#include "tui/screen/list.h"

enum streams_sort { SORT_WORST, SORT_NAME, SORT_FRESH, SORT_BATCH, SORT_ROWS, SORTS };
enum { STREAMS_STATES = 8, STREAMS_WORST_MOST = 2, STREAMS_WHY_SIZE = 256 };

/* A line: a stream, or a slot that no stream reads. */
struct streams_row {
    bool orphan;
    size_t index; /* in the watch's streams or orphans */
    int rank;     /* of its state: the worst first */
};

struct streams_view {
    struct view view;
    struct list list;
    struct filter filter;
    struct streams_row *rows;
    size_t row_capacity;
    char selected[OBJECT_TEXT_SIZE]; /* the name that the cursor sticks to; "": the first line */
    enum streams_sort sort;
    bool turned;
    /* Of all lines, whatever the filter hides. */
    size_t counts[STREAMS_STATES]; /* by rank */
    size_t looking;                /* not known yet */
    size_t total;
    size_t readers_stale;
    struct streams_row worst[STREAMS_WORST_MOST];
    size_t worst_count;
    char why[STREAMS_WHY_SIZE]; /* of the last refusal */
};

/* ---- view_streams_rows.c ---- */

/* Lines, order and summary anew; the cursor stays on its stream. */
void streams_fill(struct streams_view *view);
extern const char *const streams_states[STREAMS_STATES]; /* the worst first */
const char *streams_row_name(const struct streams_view *view, const struct streams_row *row,
                             char out[OBJECT_TEXT_SIZE]);
/* The line under the cursor; NULL: none. */
const struct streams_row *streams_row(const struct streams_view *view);
/* The stream under the cursor; NULL: none, or a slot. */
const struct watch_stream *streams_selected(const struct streams_view *view);
/* The cursor was moved: it sticks to what it stands on now. */
void streams_stick(struct streams_view *view);
bool streams_object(struct view *view, struct object *out);

/* ---- view_streams_draw.c, view_streams_detail.c ---- */

void streams_draw(struct view *view, struct canvas *canvas, struct rect rect);
/* Why it is not ok and what is done about it, in one line; "" when it is ok. */
void streams_reason(const struct app *app, const struct watch_stream *stream, char *out,
                    size_t size);
/* How long until it gets worse; "" when nothing does. */
void streams_if_left(const struct watch_stream *stream, char *out, size_t size);
/* What to do, and the key for it. */
void streams_remedy(const struct app *app, const struct watch_stream *stream, char *out,
                    size_t size);
void streams_checked(const struct app *app, const struct watch_stream *stream, char *out,
                     size_t size);
void streams_draw_detail(struct streams_view *view, struct canvas *canvas, struct rect rect);
/* The rows that the detail's frame wants at this width. */
int streams_detail_rows(const struct streams_view *view, int rows, int columns);
const char *streams_dash(const struct app *app); /* "─", "-" */

/* ---- view_streams_act.c ---- */

enum answer streams_can_stream(struct streams_view *view, enum action_id action, const char **why);
void streams_act_stream(struct streams_view *view, enum action_id action);

/* ---- boxes ---- */

void streams_batches(struct app *app, const struct stream *stream);
void streams_history(struct app *app, const struct stream *stream);
void streams_graph(struct app *app, const struct stream *stream);
void streams_preview(struct app *app, const struct stream *stream);

#endif

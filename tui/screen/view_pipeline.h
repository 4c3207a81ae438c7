/* view_pipeline.h: the parts of the Pipeline view share this. Of view_pipeline*.c only.
 *
 * What is known of a step is the answer of the last look (view_pipeline_look.c); while a run of
 * `up` or `down` works on the stream, its events are followed (view_pipeline_run.c) and count more.
 */
#ifndef SURFBOARD_TUI_SCREEN_VIEW_PIPELINE_H
#define SURFBOARD_TUI_SCREEN_VIEW_PIPELINE_H

#include "core/pipeline/bring_up.h"
#include "tui/screen/app.h"
#include "tui/screen/list.h"

enum { PIPE_STALE_MS = 300000, PIPE_LANES_MOST = 16, PIPE_NONE = -1 };

struct pipe_look;
struct pipe_follow;

/* What a look found out about one step; made by a job, then the view's. */
struct pipe_answer {
    struct pipe_look *look;
    size_t step;              /* index among the stream's steps */
    struct step_report found; /* check; lines: what `up` would send */
    struct step_report proof; /* prove, when the step stands */
    struct step_report undo;  /* lines: what `down` would send */
    bool proved, undo_known;
    struct error failure; /* it could not be asked; its kind is ERROR_NONE when it could */
    struct error undo_failure;
    bool has_receipt, joined; /* a receipt is there; this stream is among its users */
    enum receipt_how how;
    size_t users;
    char made_at[40], made_by[96], made_run[RUN_ID_SIZE];
    int64_t at_us;
};

struct pipe_step {
    const struct step *step;
    struct pipe_answer *answer; /* the last one; NULL: never asked */
    int64_t asked_us;           /* it is being asked since; 0: not now */
    bool stale;                 /* something happened since the answer */
    char did[16];               /* what the followed run has told of it: "applied"; "" */
    /* The last run that stopped here, until the step stands. */
    char stopped_run[RUN_ID_SIZE];
    char *stopped_why, *stopped_remedy;
    int64_t stopped_us;
};

struct pipe_stream {
    const struct stream *stream;
    struct pipe_step *steps; /* NULL: not looked at yet, or it cannot be captured */
    size_t count;
    struct list list;
    int64_t looked_us; /* when a whole look ended; 0: none did */
};

struct detail_line {
    size_t label, start, length; /* in the bytes; label: 0 is none */
    size_t label_length;
    enum style label_style, style;
    int indent; /* PIPE_NONE: a rule across */
};

struct detail {
    struct buffer bytes;
    struct detail_line *lines;
    size_t count, capacity, top;
    int page, columns;
    uint64_t made_of; /* what it was composed for */
};

struct pipeline_view {
    struct view view;
    struct pipe_stream *streams;
    size_t count, current;
    struct pipe_look *look; /* under way */
    bool look_again;        /* once more after it */
    struct pipe_follow *follow;
    char over[RUN_ID_SIZE]; /* the run that was followed to its end last */
    bool ticking;
    bool on_detail; /* the keys go there; alone in sight where two panes don't fit */
    bool zoomed, narrow;
    struct detail detail;
    uint64_t generation;  /* goes up with everything that the detail shows */
    struct object wanted; /* asked for before there was a pipeline */
    bool wants;
};

/* ---- what is known (view_pipeline_state.c) ---- */

/* Where a step is, for the list and for what a key may do. */
enum pipe_mark {
    PIPE_DONE,    /* stands and is proved */
    PIPE_FAILED,  /* its proof failed, or a run stopped here */
    PIPE_DIFFERS, /* there, but not as wanted or not ours, or it needs a person */
    PIPE_UNKNOWN, /* asked, and no answer */
    PIPE_TO_DO,
    PIPE_RUNNING
};

struct pipe_look_of { /* how a step looks in the list */
    enum pipe_mark mark;
    char word[48];
    bool grey;  /* what is shown may not be so any more */
    bool warns; /* it stands, with a warning */
};

struct pipe_stream *pipe_stream_now(const struct pipeline_view *view); /* NULL: none */
struct pipe_step *pipe_step_now(const struct pipeline_view *view);
struct pipe_look_of pipe_step_look(const struct pipeline_view *view,
                                   const struct pipe_stream *stream, size_t index);
bool pipe_stands(const struct pipe_step *step);
/* Whether `up` would do it: absent, or differs in what is ours. */
bool pipe_to_do(const struct pipe_step *step);
enum step_verdict pipe_verdict(const struct pipe_answer *answer);
size_t pipe_done(const struct pipeline_view *view, const struct pipe_stream *stream);
const char *pipe_style(const struct canvas *canvas, enum pipe_mark mark, enum style *style);
/* What `down` would do with it: "undone", "released", "kept-shared"; NULL: nothing. */
const char *pipe_undo_action(const struct pipe_step *step, bool shared);
/* A title without the id in front of it. */
const char *pipe_title(const struct step *step);

/* ---- looking (view_pipeline_look.c) ---- */

void pipe_look(struct pipeline_view *view);
/* Stops the look; what is not known by then stays unknown. */
void pipe_look_stop(struct pipeline_view *view);
void pipe_look_leave(struct pipeline_view *view);  /* the same, and its answers are not wanted */
void pipe_look_forget(struct pipeline_view *view); /* the view is closed */
void pipe_answer_free(struct pipe_answer *answer);
void pipe_step_forget(struct pipe_step *step);

/* ---- runs (view_pipeline_run.c) ---- */

/* The run of `up` or `down` that works on the stream in sight; NULL: none that one knows of. */
const char *pipe_run(const struct pipeline_view *view);
/* Whether one was started here and has no number yet. */
bool pipe_run_starts(const struct pipeline_view *view);
/* Looks soon whether there is a run to follow, and reads what it has told; again each second while
 * it goes on, or while steps are asked. */
void pipe_tick_soon(struct pipeline_view *view);
void pipe_tick_stop(struct pipeline_view *view);
void pipe_follow_leave(struct pipeline_view *view);
/* The step it is at, PIPE_NONE; and since when. */
int pipe_follow_step(const struct pipeline_view *view, int64_t *since_us);
/* What it says it is at: "waits for …", "500 of 2000 rows"; "" when nothing. */
const char *pipe_follow_says(const struct pipeline_view *view);
void pipe_run_ended(struct app *app, const char *run, int exit_code);

/* ---- asking (view_pipeline_ask.c) ---- */

enum answer pipe_ask_can(const struct pipeline_view *view, enum action_id action, const char **why);
void pipe_ask(struct pipeline_view *view, enum action_id action);

/* ---- drawing (view_pipeline_draw.c, view_pipeline_detail.c) ---- */

void pipe_draw(struct view *view, struct canvas *canvas, struct rect rect);
void pipe_detail_draw(struct pipeline_view *view, struct canvas *canvas, struct rect rect,
                      bool focused);
enum answer pipe_detail_can(const struct pipeline_view *view, enum action_id action);
void pipe_detail_act(struct pipeline_view *view, enum action_id action);
void pipe_detail_destroy(struct detail *detail);

void pipe_changed(struct pipeline_view *view); /* generation up, and drawn again */

#endif

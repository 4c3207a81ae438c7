/* view.h: what the program asks of a view. One file a view; boxes (help, a question, a text) are
 * views too, on top of the others. All of it runs on the screen's thread and never waits: reading
 * is a job (job.h), changing is a run (app_run). */
#ifndef SURFBOARD_TUI_SCREEN_VIEW_H
#define SURFBOARD_TUI_SCREEN_VIEW_H

#include "tui/screen/action.h"
#include "tui/screen/canvas.h"

struct app;
struct view;

/* What the cursor stands on, fixed by its names: for the actions of SCOPE_OBJECT, for the command
 * twin and the box that asks. Texts are copies. */
enum { OBJECT_TEXT_SIZE = 160 };
struct object {
    const char *kind; /* "stream", "dataset", "step", "run", "row", …; NULL: nothing */
    char stream[OBJECT_TEXT_SIZE];  /* of the profile's platform; "" when it has none */
    char dataset[OBJECT_TEXT_SIZE]; /* "Store#dataset" */
    char table[OBJECT_TEXT_SIZE];   /* in the lake: "yellowlive.store1_orders" */
    char step[OBJECT_TEXT_SIZE];
    char run[OBJECT_TEXT_SIZE];
    char text[OBJECT_TEXT_SIZE * 2]; /* the line, for copy */
};

enum answer {
    ANSWER_ABSENT, /* means nothing here: not listed in `?` */
    ANSWER_WORKS,
    ANSWER_REFUSED /* listed, dimmed, with the reason */
};

struct view_kind {
    const char *name;      /* "streams" */
    const char *title;     /* "Streams" */
    enum action_id action; /* that shows it; ACTION_NONE: a box */
    const enum scope
        *scopes; /* innermost first; ended by SCOPE_COUNT. SCOPE_GLOBAL is understood */
    bool ticks;  /* tick() once a second while it is in sight */
    /* Builds its state; `argument` is what app_push() was given. NULL with an error. */
    struct view *(*open)(struct app *app, void *argument, struct error *error);
    void (*close)(struct view *view);
    void (*draw)(struct view *view, struct canvas *canvas, struct rect rect);
    /* Whether an action of its scopes works now. *why: the reason for ANSWER_REFUSED. */
    enum answer (*can)(struct view *view, enum action_id action, const char **why);
    /* Only called after can() said that it works. */
    void (*act)(struct view *view, enum action_id action);
    /* Text entry: a key before it is looked up; true when it was taken. NULL: no text here. */
    bool (*key)(struct view *view, key_code key);
    /* Whether characters are text now: they then stand for no action. NULL: never. */
    bool (*types)(const struct view *view);
    bool (*object)(struct view *view, struct object *out); /* NULL: none */
    void (*tick)(struct view *view);
    void (*shown)(struct view *view); /* came into sight: look again if what is known is old */
    /* It is asked to show this (from another view: "the steps of stream X"); NULL: can't. */
    void (*find)(struct view *view, const struct object *object);
    /* How many rows and columns a box wants; NULL: the whole screen. */
    void (*size)(struct view *view, int rows, int columns, int *wanted_rows, int *wanted_columns);
};

/* First member of every view's state. */
struct view {
    const struct view_kind *kind;
    struct app *app;
};

extern const struct view_kind view_model, view_pipeline, view_streams, view_query, view_runs,
    view_guide;

#endif

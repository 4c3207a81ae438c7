/* box.h: the boxes that any view may open: a question before the world changes, a text to read, a
 * line to type. Only a key of the user opens them. */
#ifndef SURFBOARD_TUI_SCREEN_BOX_H
#define SURFBOARD_TUI_SCREEN_BOX_H

#include "core/base/buffer.h"
#include "tui/screen/style.h"

struct app;

/* A question. Texts are copied. */
struct ask {
    const char *title;  /* "Merge orders now" */
    const char *target; /* what exactly, by identity: "stream orders of context dell" */
    const char *plan;   /* lines: what will be sent or run; NULL */
    const char *undo;   /* how it is taken back, or what can't be */
    const char *cost;   /* what it takes; NULL */
    const char *typed;  /* the name to type before Enter counts; NULL: Enter suffices */
    const char *button; /* "merge": what Enter does */
    void (*yes)(struct app *app, void *context);
    void (*forget)(void *context); /* frees it, after yes() or without; NULL: nothing to free */
    void *context;
};
void app_ask(struct app *app, const struct ask *ask);

/* A text to read: lines parted by newlines, copied. */
void app_text(struct app *app, const char *title, struct slice text);

/* One line to type. `done` gets it (without ending newline); Esc leaves it. */
struct prompt {
    const char *title, *label, *initial;
    bool secret; /* shown as dots, never kept */
    /* Takes the context over. */
    void (*done)(struct app *app, void *context, struct slice text);
    void (*forget)(void *context); /* frees it when the line was left; NULL: nothing to free */
    void *context;
};
void app_prompt(struct app *app, const struct prompt *prompt);

/* The keys that work in the view below; the palette; the messages. */
void app_help(struct app *app);
void app_palette(struct app *app);
void app_messages(struct app *app);

#endif

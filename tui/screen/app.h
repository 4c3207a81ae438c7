/* app.h: the screen as a whole: what it knows, which view is in sight, which boxes stand on it. */
#ifndef SURFBOARD_TUI_SCREEN_APP_H
#define SURFBOARD_TUI_SCREEN_APP_H

#include "core/pipeline/pipeline.h"
#include "tui/command.h"
#include "tui/screen/box.h"
#include "tui/screen/job.h"
#include "tui/screen/painter.h"
#include "tui/screen/runner.h"
#include "tui/screen/signal.h"
#include "tui/screen/view.h"
#include "tui/screen/watch.h"

enum { APP_BOXES_MOST = 8, APP_VIEWS_MOST = 8, APP_MESSAGES_MOST = 100, APP_PLACES_MOST = 32 };

struct input;
struct terminal;

struct app_message {
    int64_t at_us;
    enum style style;
    char *text;
};

struct app_options {
    const char *profile_path; /* NULL: no profile; the guide opens */
    const char *profile_from; /* "--profile", "default context dell": shown by `?` */
    bool read_only, ascii, no_color;
    enum action_id first; /* the view to open; ACTION_NONE: as screen.md says */
    /* Without a terminal, for tests: a canvas of this size. */
    int rows, columns; /* 0: the terminal's */
    enum color_depth depth;
    const char *theme; /* NULL: the profile's */
    const char *who;   /* NULL: user@host */
};

struct app {
    struct loop loop;
    struct jobs *jobs;
    struct terminal *terminal; /* NULL: a test drives it */
    struct signals signals;    /* with a terminal */
    const struct input *input; /* what was pasted or clicked, while its key is handled; or NULL */
    struct theme theme;
    struct canvas canvas;
    struct painter painter;
    struct buffer frame;
    struct keymap keymap;
    bool ascii, read_only;
    struct app_options options;

    struct profile profile;
    bool has_profile;
    struct pipeline pipeline; /* of the profile's model; see app_pipeline() */
    enum { PIPELINE_NONE, PIPELINE_LOADING, PIPELINE_OPEN, PIPELINE_FAILED } pipeline_state;
    struct error pipeline_error;
    struct watch watch;
    struct runner runner;

    struct view *views[APP_VIEWS_MOST]; /* open ones, in the order of view_kinds */
    size_t current;
    struct view *boxes[APP_BOXES_MOST];
    size_t box_count;
    int64_t deaf_until_ns; /* a box just opened: type-ahead is not meant for it */
    size_t places[APP_PLACES_MOST], place_count, place; /* for back and forward */

    struct app_message messages[APP_MESSAGES_MOST]; /* a ring */
    size_t message_count;
    bool message_shown; /* the last one stands in the foot line, until a key */

    struct {
        int column, columns;
        enum action_id action;
    } tabs[APP_VIEWS_MOST]; /* as they were drawn; for the mouse */
    size_t tab_count;

    const struct view *laid_out; /* the layer of the frame before, and that frame's size */
    int laid_rows, laid_columns;
    bool dirty, ended;
    bool wants_demo;   /* left for `surfboard demo` */
    char reopen[4096]; /* left for this profile; "" */
    bool suspends;     /* the terminal goes back to the shell before the next frame */
    int killed_by;     /* the signal that ended it; 0 */
    int exit_code;
    uint64_t frames; /* painted */
};

extern const struct view_kind *const view_kinds[]; /* NULL-ended, in the order of the tabs */

/* Everything up to the first frame; without a terminal when options->rows is set. */
bool app_open(struct app *app, const struct app_options *options, struct error *error);
/* False when a read is still held up by a service: its thread uses `app`, which then must stay as
 * it is until the process ends. */
bool app_close(struct app *app);
/* Until somebody quits, the line is gone, or a signal says so. Returns the exit code. */
int app_main(struct app *app);

/* ---- for views ---- */

void app_dirty(struct app *app); /* what is shown has changed */
/* The news: stands in the foot line until the next key, and in `!`. */
void app_say(struct app *app, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void app_fail(struct app *app, const struct error *error); /* message and remedy */

/* Shows a view; `find` (NULL: as it was left) is what it shall put the cursor on. */
void app_show(struct app *app, enum action_id view, const struct object *find);
/* Puts a box on top, or takes the top one away. */
bool app_push(struct app *app, const struct view_kind *kind, void *argument);
void app_pop(struct app *app);
struct view *app_top(const struct app *app); /* who gets the keys */

/* The pipeline, NULL while it is loading or when it can't be had: *why says so (a text that
 * lives). */
const struct pipeline *app_pipeline(const struct app *app, const char **why);

/* Starts a read; a failure to start is told. `busy` work is waited for by scripted tests. */
struct job *app_job(struct app *app, const struct job_kind *kind, void *context);

/* Copies to the user's clipboard by OSC 52, and says so. */
void app_copy(struct app *app, struct slice text);
/* The command line twin of an action for an object: "surfboard --context dell merge orders". */
bool app_twin(const struct app *app, enum action_id action, const struct object *object,
              struct buffer *out);

/* Ends, and begins again with this profile. */
void app_reopen(struct app *app, const char *profile_path);
/* The text of the KEY_PASTE being handled. */
struct slice app_paste(const struct app *app);

/* ---- for the loop and for tests ---- */

void app_key(struct app *app, key_code key);
void app_mouse(struct app *app); /* of the KEY_MOUSE being handled */
/* What a key would do now: the action, and whether it works; ACTION_NONE: nothing. */
enum action_id app_look_up(const struct app *app, key_code key, enum answer *answer,
                           const char **why);
/* Whether an action works now, read-only mode weighed in. */
enum answer app_can(const struct app *app, struct view *view, enum action_id action,
                    const char **why);
void app_act(struct app *app, enum action_id action); /* as if its key was pressed */
/* Whether the view lists this action's scope (or hides it behind an inner one of the same key). */
bool app_has_scope(const struct view *view, enum scope scope);
void app_resize(struct app *app, int rows, int columns);
void app_draw(struct app *app);  /* onto app->canvas */
bool app_paint(struct app *app); /* draws and sends if something changed; false: the line is gone */

#endif

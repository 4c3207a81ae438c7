#include "tui/screen/app.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/pipeline/lake_store.h"
#include "tui/screen/input.h"
#include "tui/screen/terminal.h"

enum {
    ESCAPE_MS = 50,
    FIRST_FRAME_WAIT_MS = 15,
    LEAVE_MS = 50,
    READ_SIZE = 4096,
    RESIZE_REST_MS = 30,
    RESIZE_MOST_MS = 250
};

const struct view_kind *const view_kinds[] = {
    &view_model, &view_pipeline, &view_streams, &view_query, &view_runs, &view_guide, NULL,
};

/* ---- the pipeline, off the screen's thread: a model may be large ---- */

static bool pipeline_job_run(struct job *job, void *context, struct error *error)
{
    (void)job;
    struct app *app = context;
    return pipeline_open(&app->profile, &app->pipeline, error);
}

static void pipeline_job_done(void *context, bool ok, const struct error *error)
{
    struct app *app = context;
    struct error own = {0};
    app->dirty = true;
    app->pipeline_state = ok ? PIPELINE_OPEN : PIPELINE_FAILED;
    app->pipeline_error = *error;
    if (!ok)
        app_fail(app, error);
    if (!watch_open(app, &own))
        app_fail(app, &own);
    for (size_t i = 0; view_kinds[i]; i++)
        if (app->views[i] && view_kinds[i]->shown)
            view_kinds[i]->shown(app->views[i]);
}

static const struct job_kind pipeline_job = {"model", 0, pipeline_job_run, pipeline_job_done};

const struct pipeline *app_pipeline(const struct app *app, const char **why)
{
    static const char *const reasons[] = {
        [PIPELINE_NONE] = "there is no profile", [PIPELINE_LOADING] = "the model is being read"};
    *why = app->pipeline_state == PIPELINE_OPEN     ? ""
           : app->pipeline_state == PIPELINE_FAILED ? app->pipeline_error.message
                                                    : reasons[app->pipeline_state];
    return app->pipeline_state == PIPELINE_OPEN ? &app->pipeline : NULL;
}

struct job *app_job(struct app *app, const struct job_kind *kind, void *context)
{
    struct error error = {0};
    struct job *job = job_start(app->jobs, kind, context, &error);
    if (job == NULL) {
        if (error.kind != ERROR_INTERRUPTED)
            app_fail(app, &error);
        kind->done(context, false, &error);
    }
    return job;
}

/* ---- opening ---- */

static bool open_profile(struct app *app, struct error *error)
{
    const struct app_options *options = &app->options;
    if (options->profile_path == NULL)
        return true;
    TRY(profile_load(options->profile_path, &app->profile, error));
    app->has_profile = true;
    lake_store_use(&app->profile);
    app->read_only = options->read_only || app->profile.read_only;
    for (size_t i = 0; i < app->profile.screen.key_count; i++)
        TRY(keymap_set(&app->keymap, app->profile.screen.keys[i].name,
                       app->profile.screen.keys[i].value, error) ||
            error_prefix(error, "%s", options->profile_path));
    app->pipeline_state = PIPELINE_LOADING;
    return true;
}

static bool open_terminal(struct app *app, struct painter_abilities *abilities, struct error *error)
{
    const struct app_options *options = &app->options;
    bool profile_ascii = app->has_profile && app->profile.screen.ascii == TRISTATE_TRUE;
    if (options->rows) {
        *abilities = (struct painter_abilities){options->depth, true, true, true, true};
        app->ascii = options->ascii || profile_ascii;
        return canvas_init(&app->canvas, options->rows, options->columns, error);
    }
    char title[128] = "surfboard";
    if (app->has_profile)
        snprintf(title, sizeof title, "surfboard %s", app->profile.context);
    /* First, so that no signal finds the terminal switched over and nobody to switch it back. */
    app->terminal = memory_zero(1, sizeof *app->terminal, error);
    TRY(app->terminal && signals_open(&app->signals, error));
    struct terminal_options terminal = {.no_color = options->no_color,
                                        .ascii = options->ascii || profile_ascii,
                                        .mouse = app->has_profile && app->profile.screen.mouse,
                                        .title = title};
    if (!terminal_open(app->terminal, &terminal, error)) {
        signals_close(&app->signals);
        free(app->terminal);
        app->terminal = NULL;
        return false;
    }
    terminal_guard_crashes();
    *abilities = app->terminal->abilities;
    bool utf8 =
        app->terminal->utf8 || (app->has_profile && app->profile.screen.ascii == TRISTATE_FALSE);
    app->ascii = terminal.ascii || !utf8;
    return canvas_init(&app->canvas, app->terminal->rows, app->terminal->columns, error);
}

static bool open_drawing(struct app *app, struct error *error)
{
    struct painter_abilities abilities;
    const char *name = app->options.theme ? app->options.theme
                       : app->has_profile ? app->profile.screen.theme
                                          : "dark";
    const char *accent = app->has_profile ? app->profile.screen.accent : NULL;
    /* The theme first: an error in it is read better on a terminal that is still the shell's. */
    return theme_load(name, accent, &app->theme, error) && open_terminal(app, &abilities, error) &&
           painter_init(&app->painter, &abilities, &app->theme, error);
}

/* Whether a folder holds entries beginning with `start` (none: any) whose own folders, down to
 * `depth`, hold something too. What is hidden or ours alone ('.', '_') does not count. */
static bool folder_holds(const char *path, const char *start, int depth)
{
    DIR *folder = opendir(path);
    bool any = false;
    for (struct dirent *entry; folder && !any && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_' ||
            strncmp(entry->d_name, start, strlen(start)) != 0)
            continue;
        char *below = depth ? file_join(path, entry->d_name, NULL) : NULL;
        any = depth == 0 || (below && folder_holds(below, "", depth - 1));
        free(below);
    }
    if (folder)
        closedir(folder);
    return any;
}

/* Of a local lake its folders tell: topic/partition/file, namespace/table/metadata. Else the
 * receipt of the step that brings files. */
static bool any_stream_has_data(const struct app *app)
{
    const struct profile *profile = &app->profile;
    char *receipts = memory_format(NULL, "%s/receipts", profile->state);
    bool any = receipts && folder_holds(receipts, "files.", 0);
    free(receipts);
    const char *const lakes[] = {profile->lake.deltas, profile->lake.warehouse};
    for (size_t i = 0; i < 2 && !any; i++)
        any = lakes[i] && lakes[i][0] == '/' && folder_holds(lakes[i], "", 2);
    return any;
}

static enum action_id first_view(const struct app *app)
{
    if (app->options.first)
        return app->options.first;
    if (!app->has_profile)
        return ACTION_NONE;
    if (any_stream_has_data(app))
        return ACTION_VIEW_STREAMS;
    bool only_model = app->profile.source_count == 0 && app->profile.lake.deltas == NULL &&
                      app->profile.lake.warehouse == NULL;
    return only_model ? ACTION_VIEW_MODEL : ACTION_VIEW_PIPELINE;
}

static bool open_views(struct app *app, struct error *error)
{
    enum action_id first = first_view(app);
    size_t index = 0;
    while (view_kinds[index]->action != first)
        index++;
    app->views[index] = view_kinds[index]->open(app, NULL, error);
    TRY(app->views[index]);
    app->current = index;
    app->places[0] = index;
    app->place = app->place_count = 1;
    if (view_kinds[index]->shown)
        view_kinds[index]->shown(app->views[index]);
    return true;
}

static void app_open_undo(struct app *app)
{
    if (app->terminal) {
        terminal_close(app->terminal);
        signals_close(&app->signals);
    }
    app_close(app);
}

bool app_open(struct app *app, const struct app_options *options, struct error *error)
{
    *app = (struct app){.options = *options, .read_only = options->read_only, .dirty = true};
    keymap_init(&app->keymap);
    TRY(loop_init(&app->loop, error));
    bool ok =
        runner_init(&app->runner, error) && open_profile(app, error) && open_drawing(app, error);
    app->canvas.ascii = app->ascii;
    app->jobs = ok ? jobs_create(&app->loop, error) : NULL;
    ok = app->jobs != NULL;
    if (ok && app->pipeline_state == PIPELINE_LOADING)
        app_job(app, &pipeline_job, app);
    /* A small model is read before the first frame, so that nobody sees a screen that fills. */
    int64_t until = clock_monotonic_ns() + FIRST_FRAME_WAIT_MS * INT64_C(1000000);
    while (ok && app->pipeline_state == PIPELINE_LOADING && clock_monotonic_ns() < until)
        ok = loop_turn(&app->loop, 1, error);
    ok = ok && open_views(app, error);
    if (ok)
        watch_pace(app);
    else
        app_open_undo(app);
    return ok;
}

bool app_close(struct app *app)
{
    /* Who is held up by a service is not waited for. */
    if (!jobs_destroy(app->jobs, app->terminal ? LEAVE_MS : 10000)) {
        log_line("screen", "left while a read was still held up");
        return false;
    }
    while (app->box_count)
        app_pop(app);
    for (size_t i = 0; view_kinds[i]; i++)
        if (app->views[i])
            view_kinds[i]->close(app->views[i]);
    watch_close(app);
    runner_destroy(&app->runner);
    if (app->pipeline_state == PIPELINE_OPEN)
        pipeline_close(&app->pipeline);
    if (app->has_profile)
        profile_destroy(&app->profile);
    for (size_t i = 0; i < APP_MESSAGES_MOST; i++)
        free(app->messages[i].text);
    painter_destroy(&app->painter);
    canvas_destroy(&app->canvas);
    buffer_destroy(&app->frame);
    loop_destroy(&app->loop);
    free(app->terminal);
    return true;
}

/* ---- running ---- */

void app_resize(struct app *app, int rows, int columns)
{
    struct error error = {0};
    struct canvas canvas;
    if (!canvas_init(&canvas, rows, columns, &error)) {
        app_fail(app, &error);
        return;
    }
    canvas_destroy(&app->canvas);
    app->canvas = canvas;
    app->canvas.ascii = app->ascii;
    painter_forget(&app->painter);
    app->dirty = true;
}

/* The terminal's side of the loop. */
struct front {
    struct app *app;
    struct input input;
    bool gone;     /* the line is */
    bool resizing; /* a size change waits: what is drawn now would not fit */
    int64_t resized_ns;
};

static void front_key(void *context, key_code key)
{
    struct front *front = context;
    if (!front->app->ended)
        app_key(front->app, key);
}

static void front_escape(void *context)
{
    struct front *front = context;
    input_flush(&front->input, front_key, front);
}

static void front_terminal(void *context, short events)
{
    struct front *front = context;
    struct terminal *terminal = front->app->terminal;
    char bytes[READ_SIZE];
    if (events & POLLOUT && !terminal_flush(terminal))
        front->gone = true;
    ssize_t got = 0;
    /* Everything that waits is taken before a frame is drawn: held keys cost one frame. */
    while (!front->gone && (got = terminal_read(terminal, bytes, sizeof bytes)) > 0)
        input_feed(&front->input, bytes, (size_t)got, front_key, front);
    if (got < 0 || events & (POLLERR | POLLNVAL) || (events & POLLHUP && got == 0))
        front->gone = true;
    if (front->gone)
        return;
    if (input_waits(&front->input))
        loop_after(&front->app->loop, ESCAPE_MS, front_escape, front);
    else
        loop_cancel(&front->app->loop, front_escape, front);
}

static void front_resized(void *context)
{
    struct front *front = context;
    struct terminal *terminal = front->app->terminal;
    front->resized_ns = clock_monotonic_ns();
    front->resizing = false;
    loop_cancel(&front->app->loop, front_resized, front);
    if (terminal_measure(terminal))
        app_resize(front->app, terminal->rows, terminal->columns);
}

/* A window being dragged sends many: drawn once it rests, and now and then on the way. */
static void front_resize(struct front *front)
{
    int64_t since_ms = (clock_monotonic_ns() - front->resized_ns) / 1000000;
    front->resizing = true;
    if (since_ms >= RESIZE_MOST_MS)
        front_resized(front);
    else
        loop_after(&front->app->loop,
                   since_ms + RESIZE_REST_MS > RESIZE_MOST_MS ? RESIZE_MOST_MS - since_ms
                                                              : RESIZE_REST_MS,
                   front_resized, front);
}

static void front_continue(struct front *front)
{
    /* Woken in the background (bg): stop again, as the shell expects of who wants the terminal. */
    while (!terminal_resume(front->app->terminal))
        if (!signals_raise(&front->app->signals, SIGTTIN))
            return;
    front_resized(front);
    painter_forget(&front->app->painter);
    front->app->dirty = true;
}

/* Ctrl-Z, or somebody's kill -TSTP: stopped here, and on again with the CONT that wakes us. */
static void front_suspend(struct front *front)
{
    struct app *app = front->app;
    terminal_suspend(app->terminal);
    signals_raise(&front->app->signals, SIGTSTP);
    front_continue(front);
}

static void front_signal(struct front *front, int number)
{
    struct app *app = front->app;
    switch (number) {
    case SIGWINCH:
        front_resize(front);
        break;
    case SIGTSTP:
        front_suspend(front);
        break;
    case SIGCONT:
        front_continue(front);
        break;
    default:
        app->killed_by = number;
        app->ended = true;
    }
}

static void front_signals(void *context, short events)
{
    (void)events;
    struct front *front = context;
    for (int number; (number = signals_next(&front->app->signals));)
        front_signal(front, number);
}

/* When the tty takes nothing, nothing is drawn, and being writable is waited for. */
static bool front_turn(struct front *front, struct error *error)
{
    struct app *app = front->app;
    if (app->suspends) {
        app->suspends = false;
        front_suspend(front);
    }
    if (!front->resizing && !app_paint(app)) {
        front->gone = true;
        return true;
    }
    loop_events(&app->loop, app->terminal->fd,
                (short)(POLLIN | (terminal_busy(app->terminal) ? POLLOUT : 0)));
    return loop_turn(&app->loop, -1, error);
}

int app_main(struct app *app)
{
    struct error error = {0};
    struct front front = {.app = app};
    app->input = &front.input;
    input_init(&front.input, app->terminal->known_type);
    bool ok = loop_watch(&app->loop, app->signals.fd, POLLIN, front_signals, &front, &error) &&
              loop_watch(&app->loop, app->terminal->fd, POLLIN, front_terminal, &front, &error);
    while (ok && !app->ended && !front.gone)
        ok = front_turn(&front, &error);
    if (front.gone)
        terminal_abandon(app->terminal);
    else
        terminal_close(app->terminal);
    input_destroy(&front.input);
    app->input = NULL;
    if (!ok) {
        fprintf(stderr, "surfboard: %s\n", error.message);
        app->exit_code = error_exit_code(error.kind);
    }
    if (app->killed_by)
        signals_raise(&app->signals, app->killed_by);
    signals_close(&app->signals);
    return front.gone ? 130 : app->exit_code;
}

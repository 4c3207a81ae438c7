/* What the editor needs from outside: readline, the statements of earlier sessions, $EDITOR. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "tui/screen/editor_program.h"
#include "tui/screen/terminal.h"
#include "tui/screen/view_query.h"

/* ---- readline and its history ---- */

struct query_boot {
    struct query_view *query; /* NULL: the view went away */
    struct app *app;
    struct job *job;
    char path[QUERY_PATH_SIZE];
    struct editor_history history;
    struct error history_why;
};

static bool boot_run(struct job *job, void *context, struct error *error)
{
    (void)job;
    struct query_boot *boot = context;
    TRY(editor_load(error));
    if (boot->path[0])
        editor_history_load(boot->path, &boot->history, &boot->history_why);
    return true;
}

/* What was typed meanwhile. */
static void boot_replay(struct query_view *query)
{
    struct view *view = &query->view;
    size_t count = query->editor.early_count;
    query->editor.early_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *why = "";
        key_code key = query->editor.early[i];
        if (!view->kind->key(view, key) && key == KEY_ENTER &&
            view->kind->can(view, ACTION_EDITOR_RUN, &why) == ANSWER_WORKS)
            view->kind->act(view, ACTION_EDITOR_RUN);
    }
}

static void boot_done(void *context, bool ok, const struct error *error)
{
    struct query_boot *boot = context;
    struct query_view *query = boot->query;
    if (query) {
        query->boot = NULL;
        app_dirty(boot->app);
    }
    if (query && ok) {
        editor_open(&query->editor);
        for (size_t i = 0; i < boot->history.count; i++)
            editor_remember(boot->history.statements[i]);
        if (boot->history_why.kind)
            app_fail(boot->app, &boot->history_why);
        boot_replay(query);
    } else if (query) {
        query->editor.why = *error;
    }
    editor_history_destroy(&boot->history);
    free(boot);
}

static const struct job_kind boot_job = {"editor", 0, boot_run, boot_done};

void query_boot(struct query_view *query)
{
    struct app *app = query->view.app;
    struct query_boot *boot = memory_zero(1, sizeof *boot, &query->editor.why);
    if (boot == NULL)
        return;
    if (app->has_profile)
        snprintf(query->history_path, sizeof query->history_path, "%s/query_history",
                 app->profile.state);
    snprintf(boot->path, sizeof boot->path, "%s", query->history_path);
    boot->query = query;
    boot->app = app;
    query->boot = boot;
    app_job(app, &boot_job, boot);
}

void query_boot_leave(struct query_view *query)
{
    if (query->boot)
        query->boot->query = NULL;
    query->boot = NULL;
}

/* ---- keeping what was sent ---- */

struct query_keeping {
    struct app *app;
    char path[QUERY_PATH_SIZE];
    char *statement;
};

static bool keep_run(struct job *job, void *context, struct error *error)
{
    (void)job;
    struct query_keeping *work = context;
    char *folder = profile_state_folder(&work->app->profile, "", error);
    bool ok = folder && editor_history_append(work->path, slice_of(work->statement), error);
    free(folder);
    return ok;
}

/* A history that can't be kept keeps nobody from asking: told once, it stands in `!`. */
static void keep_done(void *context, bool ok, const struct error *error)
{
    static bool told;
    struct query_keeping *work = context;
    if (!ok && !told) {
        told = true;
        app_say(work->app, STYLE_WARN, "the statement is not kept: %s", error->message);
    }
    free(work->statement);
    free(work);
}

static const struct job_kind keep_job = {"history", 0, keep_run, keep_done};

void query_remember(struct query_view *query, struct slice statement)
{
    struct error error = {0};
    if (query->history_path[0] == '\0' || !editor_history_may(statement))
        return;
    struct query_keeping *work = memory_zero(1, sizeof *work, &error);
    char *copy = memory_copy_slice(statement, &error);
    if (work == NULL || copy == NULL) {
        free(work);
        free(copy);
        app_fail(query->view.app, &error);
        return;
    }
    work->app = query->view.app;
    work->statement = copy;
    snprintf(work->path, sizeof work->path, "%s", query->history_path);
    app_job(query->view.app, &keep_job, work);
}

/* ---- $EDITOR ---- */

void query_edit_outside(struct query_view *query)
{
    struct app *app = query->view.app;
    struct buffer text = {0};
    struct error error = {0};
    if (app->terminal == NULL) {
        app_say(app, STYLE_WARN, "$EDITOR needs a terminal");
        return;
    }
    /* The one place where the screen waits: the terminal is another program's meanwhile. */
    terminal_suspend(app->terminal);
    bool ok = editor_program_run(app->terminal->fd, editor_text(&query->editor), &text, &error);
    if (!terminal_resume(app->terminal))
        app->suspends = true;
    painter_forget(&app->painter);
    if (terminal_measure(app->terminal))
        app_resize(app, app->terminal->rows, app->terminal->columns);
    if (text.length > EDITOR_BYTES_MOST)
        app_say(app, STYLE_WARN, "a statement may have %d bytes; it is as it was",
                EDITOR_BYTES_MOST);
    else if (ok)
        editor_set(&query->editor, buffer_slice(&text), text.length);
    else
        app_fail(app, &error);
    buffer_destroy(&text);
}

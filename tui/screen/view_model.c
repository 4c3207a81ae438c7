/* The Model view: the tree of a bundle beside the detail of what the cursor stands on. */
#include "tui/screen/view_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/view_streams.h"

enum { STACKED_BELOW = 70, TREE_LEAST = 34, TREE_MOST = 60 };

/* ---- reading ---- */

static void work_destroy(struct model_work *work)
{
    if (work == NULL)
        return;
    if (work->has_survey)
        survey_destroy(&work->survey);
    if (work->has_own)
        model_destroy(&work->own);
    free(work);
}

static bool work_run(struct job *job, void *context, struct error *error)
{
    (void)job;
    struct model_work *work = context;
    if (work->model == NULL) {
        TRY(model_load(work->app->profile.model, &work->own, error));
        work->has_own = true;
        work->model = &work->own;
    }
    return work->has_survey = survey_build(work->model, &work->survey, error);
}

static void work_done(void *context, bool ok, const struct error *error)
{
    struct model_work *work = context;
    struct model_view *view = work->view;
    app_dirty(work->app);
    if (view == NULL) {
        work_destroy(work);
        return;
    }
    view->work = NULL;
    if (!ok) {
        view->error = *error;
        work_destroy(work);
        return;
    }
    view->read = work;
    if (!model_tree_fill(view))
        error_set_memory(&view->error, 0);
    else if (view->wanted_path[0])
        model_tree_find(view, view->wanted_path);
}

static const struct job_kind model_job = {"model", 0, work_run, work_done};

/* As soon as the pipeline has its model; where there is none to be had, the bundle alone is read,
 * so that a model can be looked at before anything else fits. */
static void model_read(struct model_view *view)
{
    struct app *app = view->view.app;
    const char *why;
    const struct pipeline *pipeline = app_pipeline(app, &why);
    bool alone = app->pipeline_state == PIPELINE_FAILED && app->profile.model;
    if (view->asked || (pipeline == NULL && !alone))
        return;
    struct model_work *work = memory_zero(1, sizeof *work, &view->error);
    if (work == NULL)
        return;
    work->view = view;
    work->app = app;
    work->model = pipeline ? pipeline->model : NULL;
    view->asked = true;
    view->work = work;
    app_job(app, &model_job, work);
}

/* ---- the view ---- */

static struct view *model_view_open(struct app *app, void *argument, struct error *error)
{
    (void)argument;
    struct model_view *view = memory_zero(1, sizeof *view, error);
    if (view == NULL)
        return NULL;
    view->view = (struct view){&view_model, app};
    view->detail.wrap = true;
    view->detail.indent = MODEL_LABEL_WIDTH + 1;
    return &view->view;
}

static void model_view_close(struct view *base)
{
    struct model_view *view = (struct model_view *)base;
    if (view->work)
        view->work->view = NULL;
    work_destroy(view->read);
    tree_destroy(&view->tree);
    text_destroy(&view->detail);
    arena_destroy(&view->arena);
    free(view);
}

static void model_view_shown(struct view *base)
{
    model_read((struct model_view *)base);
}

static bool stacked(const struct model_view *view)
{
    return view->columns < STACKED_BELOW || view->zoomed;
}

/* ---- drawing ---- */

static void draw_nothing(struct model_view *view, struct canvas *canvas, struct rect rect)
{
    const struct app *app = view->view.app;
    const char *why;
    struct rect inside = canvas_box(canvas, rect, "Model", NULL, true);
    app_pipeline(app, &why);
    bool failed = view->error.kind != ERROR_NONE;
    if (app->has_profile && app->profile.model == NULL)
        why = "the profile names no model: add `model: FILE`, the bundle exported from DataSurface";
    canvas_print(canvas, inside.row, inside.column + 1, inside.columns - 2,
                 failed ? STYLE_FAIL : STYLE_DIM,
                 failed       ? view->error.message
                 : view->work ? "the model is being read"
                              : why);
    if (failed)
        canvas_print(canvas, inside.row + 1, inside.column + 1, inside.columns - 2, STYLE_TEXT,
                     view->error.remedy);
}

static void draw_tree(struct model_view *view, struct canvas *canvas, struct rect rect)
{
    const struct lint *lint = &view->read->survey.lint;
    char title[96], note[48];
    if (lint->errors + lint->warnings)
        snprintf(title, sizeof title, "Model %s %zu error%s, %zu warning%s",
                 canvas->ascii ? "-" : "─", lint->errors, lint->errors == 1 ? "" : "s",
                 lint->warnings, lint->warnings == 1 ? "" : "s");
    else
        snprintf(title, sizeof title, "Model");
    list_note(&view->tree.list, note, sizeof note);
    struct rect inside = canvas_box(canvas, rect, title, note, !view->on_detail);
    tree_draw(&view->tree, canvas, inside, !view->on_detail, model_tree_note);
}

static void draw_detail(struct model_view *view, struct canvas *canvas, struct rect rect)
{
    const struct model_node *own = model_tree_object(view);
    char title[256], note[48];
    if (own)
        snprintf(title, sizeof title, "%s %s", model_object_kind_name(own->object.kind), own->path);
    else
        snprintf(title, sizeof title, "%s", view->read->model->name ? view->read->model->name : "");
    struct rect inside = canvas_box(canvas, rect, title, NULL, view->on_detail);
    model_detail_fill(view);
    inside.column++;
    inside.columns -= 2;
    text_draw(&view->detail, canvas, inside, view->on_detail);
    text_note(&view->detail, note, sizeof note);
    if (note[0])
        canvas_box(canvas, rect, title, note, view->on_detail);
}

static void model_view_draw(struct view *base, struct canvas *canvas, struct rect rect)
{
    struct model_view *view = (struct model_view *)base;
    view->columns = rect.columns;
    if (view->read == NULL) {
        draw_nothing(view, canvas, rect);
        return;
    }
    if (stacked(view)) {
        if (view->on_detail)
            draw_detail(view, canvas, rect);
        else
            draw_tree(view, canvas, rect);
        return;
    }
    struct rect tree = rect, detail = rect;
    tree.columns = rect.columns * 45 / 100;
    tree.columns = tree.columns < TREE_LEAST ? TREE_LEAST : tree.columns;
    tree.columns = tree.columns > TREE_MOST ? TREE_MOST : tree.columns;
    detail.column += tree.columns;
    detail.columns -= tree.columns;
    draw_tree(view, canvas, tree);
    draw_detail(view, canvas, detail);
}

/* ---- keys ---- */

static bool model_view_object(struct view *base, struct object *out)
{
    struct model_view *view = (struct model_view *)base;
    const struct model_node *own = view->read ? model_tree_object(view) : NULL;
    if (own == NULL)
        return false;
    const struct stream *stream = model_stream(view, &own->object);
    *out = (struct object){.kind = model_object_kind_name(own->object.kind)};
    snprintf(out->text, sizeof out->text, "%s", own->path);
    if (stream)
        snprintf(out->stream, sizeof out->stream, "%s", stream->name);
    if (own->object.dataset) {
        snprintf(out->dataset, sizeof out->dataset, "%s#%s", own->object.store->name,
                 own->object.dataset->name);
        const struct stream_table *table =
            stream ? stream_table_find(stream, own->object.dataset->name) : NULL;
        if (table)
            snprintf(out->table, sizeof out->table, "%s", table->ident);
    }
    return true;
}

static enum answer can_object(struct model_view *view, enum action_id action, const char **why)
{
    struct object object;
    if (!model_view_object(&view->view, &object))
        return ANSWER_ABSENT;
    if (object.stream[0] == '\0') {
        *why = "no stream carries it";
        return ANSWER_REFUSED;
    }
    if (action == ACTION_PREVIEW && object.table[0] == '\0') {
        *why = "stand on a dataset: it has a table in the lake";
        return ANSWER_REFUSED;
    }
    return ANSWER_WORKS;
}

static enum answer model_view_can(struct view *base, enum action_id action, const char **why)
{
    struct model_view *view = (struct model_view *)base;
    if (view->read == NULL)
        return ANSWER_ABSENT;
    switch (action) {
    case ACTION_HISTORY:
    case ACTION_GRAPH:
    case ACTION_PREVIEW:
    case ACTION_STEPS:
        return can_object(view, action, why);
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
    case ACTION_ZOOM:
        return ANSWER_WORKS;
    case ACTION_OPEN:
        return view->on_detail ? ANSWER_ABSENT : ANSWER_WORKS;
    case ACTION_BACK:
        return view->on_detail ? ANSWER_WORKS : tree_can(&view->tree, action);
    default:
        return view->on_detail ? text_can(&view->detail, action) : tree_can(&view->tree, action);
    }
}

/* Enter: folds and opens; on a leaf, and where there is one pane only, goes to the detail. */
static void open_selected(struct model_view *view)
{
    struct tree_node *node = tree_selected(&view->tree);
    if (node && (node->first || node->grows) && !(stacked(view) && node->open))
        tree_open(&view->tree, node, !node->open);
    else
        view->on_detail = true;
}

static void act_object(struct model_view *view, enum action_id action)
{
    struct app *app = view->view.app;
    struct object object;
    const char *why;
    model_view_object(&view->view, &object);
    if (action == ACTION_PREVIEW || action == ACTION_STEPS) {
        app_show(app, action == ACTION_PREVIEW ? ACTION_VIEW_QUERY : ACTION_VIEW_PIPELINE, &object);
        return;
    }
    const struct pipeline *pipeline = app_pipeline(app, &why);
    const struct stream *stream = pipeline ? pipeline_stream(pipeline, object.stream, NULL) : NULL;
    if (stream && action == ACTION_HISTORY)
        streams_history(app, stream);
    else if (stream)
        streams_graph(app, stream);
}

static void model_view_act(struct view *base, enum action_id action)
{
    struct model_view *view = (struct model_view *)base;
    switch (action) {
    case ACTION_HISTORY:
    case ACTION_GRAPH:
    case ACTION_PREVIEW:
    case ACTION_STEPS:
        act_object(view, action);
        break;
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        view->on_detail = !view->on_detail;
        break;
    case ACTION_ZOOM:
        view->zoomed = !view->zoomed;
        break;
    case ACTION_OPEN:
        open_selected(view);
        break;
    case ACTION_BACK:
        if (view->on_detail)
            view->on_detail = false;
        else
            tree_act(&view->tree, action);
        break;
    case ACTION_FILTER:
        model_tree_grow_all(view, &view->tree.root);
        tree_act(&view->tree, action);
        break;
    default:
        if (view->on_detail)
            text_act(&view->detail, action);
        else
            tree_act(&view->tree, action);
    }
}

static bool model_view_key(struct view *base, key_code key)
{
    struct model_view *view = (struct model_view *)base;
    return view->on_detail ? text_key(&view->detail, key) : tree_key(&view->tree, key);
}

static void model_view_find(struct view *base, const struct object *object)
{
    struct model_view *view = (struct model_view *)base;
    const char *path = object->dataset[0] ? object->dataset : object->stream;
    snprintf(view->wanted_path, sizeof view->wanted_path, "%s", path);
    if (view->read && path[0])
        model_tree_find(view, path);
}

static const enum scope model_scopes[] = {SCOPE_MODEL, SCOPE_OBJECT, SCOPE_LIST,
                                          SCOPE_TEXT,  SCOPE_MOVE,   SCOPE_COUNT};

const struct view_kind view_model = {
    .name = "model",
    .title = "Model",
    .action = ACTION_VIEW_MODEL,
    .scopes = model_scopes,
    .open = model_view_open,
    .close = model_view_close,
    .draw = model_view_draw,
    .can = model_view_can,
    .act = model_view_act,
    .key = model_view_key,
    .object = model_view_object,
    .shown = model_view_shown,
    .find = model_view_find,
};

/* The tree of a model: made as it is opened. */
#include <stdio.h>
#include <string.h>

#include "tui/screen/view_model.h"

/* Headings between a parent and its children of one kind. */
static const char *heading_of(enum model_object_kind kind)
{
    switch (kind) {
    case OBJECT_STORE:
        return "stores";
    case OBJECT_WORKSPACE:
        return "workspaces";
    case OBJECT_PLATFORM:
        return "platforms";
    default:
        return NULL;
    }
}

static void count_problems(const struct survey *survey, struct model_node *node)
{
    size_t first, count = lint_below(&survey->lint, node->path, &first);
    for (size_t i = first; i < first + count; i++) {
        node->errors += survey->lint.problems[i].severity == LINT_ERROR;
        node->warnings += survey->lint.problems[i].severity == LINT_WARNING;
    }
}

static struct tree_node *add_object(struct model_view *view, struct tree_node *parent,
                                    const struct model_object *object)
{
    const struct model *model = view->read->model;
    struct buffer path = {0};
    struct model_node *own = arena_zero(&view->arena, 1, sizeof *own, NULL);
    struct tree_node *node =
        own ? tree_add(&view->arena, parent, object_name(model, object)) : NULL;
    bool ok = node && object_path(object, &path, NULL);
    if (ok) {
        own->object = *object;
        own->path = arena_copy_slice(&view->arena, buffer_slice(&path), NULL);
        ok = own->path != NULL;
    }
    buffer_destroy(&path);
    if (!ok)
        return NULL;
    count_problems(&view->read->survey, own);
    node->object = own;
    node->grows = object_child_count(model, object) > 0;
    return node;
}

static struct tree_node *add_heading(struct model_view *view, struct tree_node *parent,
                                     const char *text)
{
    struct tree_node *node = tree_add(&view->arena, parent, text);
    if (node) {
        node->kind = NODE_HEADING;
        node->style = STYLE_LABEL;
        node->open = true;
    }
    return node;
}

static bool add_children(struct model_view *view, struct tree_node *parent,
                         const struct model_object *object)
{
    const struct model *model = view->read->model;
    size_t count = object_child_count(model, object);
    struct tree_node *below = parent;
    const char *heading = NULL;
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(model, object, i);
        const char *wanted = heading_of(child.kind);
        if (wanted != heading) {
            heading = wanted;
            below = wanted ? add_heading(view, parent, wanted) : parent;
        }
        if (below == NULL || add_object(view, below, &child) == NULL)
            return false;
    }
    return true;
}

bool model_tree_grow(void *context, struct tree_node *node)
{
    const struct model_node *own = node->object;
    return own == NULL || add_children(context, node, &own->object);
}

void model_tree_grow_all(struct model_view *view, struct tree_node *parent)
{
    for (struct tree_node *node = parent->first; node; node = node->next) {
        const struct model_node *own = node->object;
        if (own && own->object.kind == OBJECT_DATASET)
            continue;
        if (node->grows)
            node->grows = !model_tree_grow(view, node);
        model_tree_grow_all(view, node);
    }
}

/* Zones and teams stand open at the start, as far as that is a page or two. */
static void open_first(struct model_view *view, struct tree_node *parent, int levels)
{
    for (struct tree_node *node = parent->first; node && levels && view->tree.list.count < 60;
         node = node->next) {
        if (node->grows || node->kind == NODE_HEADING)
            tree_open(&view->tree, node, node->kind != NODE_HEADING || levels > 1);
        open_first(view, node, levels - 1);
    }
}

bool model_tree_fill(struct model_view *view)
{
    struct model_object all = {.kind = OBJECT_MODEL};
    view->tree.grow = model_tree_grow;
    view->tree.context = view;
    struct tree_node *first = add_object(view, &view->tree.root, &all);
    if (first == NULL || !add_children(view, &view->tree.root, &all))
        return false;
    first->grows = false; /* its children stand beside it */
    first->style = STYLE_STRONG;
    tree_update(&view->tree);
    open_first(view, &view->tree.root, 4);
    tree_update(&view->tree);
    return true;
}

const struct model_node *model_tree_object(const struct model_view *view)
{
    const struct tree_node *node = tree_selected(&view->tree);
    return node ? node->object : NULL;
}

/* ---- finding ---- */

/* The child that the path leads through: its own path is the path, or a beginning of it. */
static struct tree_node *child_on_path(struct model_view *view, struct tree_node *parent,
                                       const char *path)
{
    if (parent->grows)
        tree_open(&view->tree, parent, true);
    for (struct tree_node *node = parent->first; node; node = node->next) {
        const struct model_node *own = node->object;
        if (own == NULL) {
            struct tree_node *below = child_on_path(view, node, path);
            if (below)
                return below;
            continue;
        }
        size_t length = strlen(own->path);
        if (strncmp(own->path, path, length) == 0 && (path[length] == '/' || path[length] == '\0'))
            return node;
    }
    return NULL;
}

void model_tree_find(struct model_view *view, const char *text)
{
    struct model_object object;
    struct buffer path = {0};
    struct error error = {0};
    if (!object_find(view->read->model, text, &object, &error)) {
        app_fail(view->view.app, &error);
        return;
    }
    struct tree_node *at = &view->tree.root, *last = NULL;
    if (object_path(&object, &path, NULL) && buffer_text(&path, NULL))
        while ((at = child_on_path(view, at, path.data)))
            last = at;
    if (last)
        tree_select(&view->tree, last);
    buffer_destroy(&path);
}

/* ---- what stands at the right of a line ---- */

static enum style note_stream(const struct model_view *view, const struct stream *stream, char *out,
                              size_t size)
{
    const struct app *app = view->view.app;
    const struct watch_stream *watched = watch_stream(app, stream->name);
    enum style style = STYLE_UNKNOWN;
    char age[32] = "";
    if (watched == NULL || !watched->known) {
        snprintf(out, size, "%s", canvas_glyph(&app->canvas, GLYPH_UNKNOWN));
        return style;
    }
    const char *state = watched->lag.state;
    enum glyph glyph = watch_glyph(state, &style);
    if (strcmp(state, "ok") == 0 && watched->lag.freshness_s >= 0)
        watch_age(watched->lag.freshness_s, age, sizeof age);
    snprintf(out, size, "%s %s%s%s", canvas_glyph(&app->canvas, glyph), state, *age ? " " : "",
             age);
    return watch_is_stale(app, watched) ? STYLE_DIM : style;
}

enum style model_tree_note(void *context, const struct tree_node *node, char *out, size_t size)
{
    const struct model_view *view = context;
    const struct model_node *own = node->object;
    if (own == NULL)
        return STYLE_DIM;
    if (own->errors + own->warnings) {
        snprintf(out, size, "%s %zu",
                 canvas_glyph(&view->view.app->canvas, own->errors ? GLYPH_FAIL : GLYPH_WARN),
                 own->errors ? own->errors : own->warnings);
        return own->errors ? STYLE_FAIL : STYLE_WARN;
    }
    const struct model_object *object = &own->object;
    const struct stream *stream = model_stream(view, object);
    switch (object->kind) {
    case OBJECT_STORE:
        if (stream)
            return note_stream(view, stream, out, size);
        snprintf(out, size, "%s", object->store->kind ? "not moved" : "no capture");
        break;
    case OBJECT_DATASET:
        if (stream && stream->dataset)
            return note_stream(view, stream, out, size);
        snprintf(out, size, "%zu col", object->dataset->column_count);
        break;
    case OBJECT_COLUMN:
        snprintf(out, size, "%s", object->column->type);
        break;
    case OBJECT_GROUP:
        snprintf(out, size, "%s",
                 object->group->assigned ? object->group->assigned->platform : "no platform");
        break;
    default:
        break;
    }
    return STYLE_DIM;
}

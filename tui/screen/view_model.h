/* view_model.h: between the parts of the Model view only. */
#ifndef SURFBOARD_TUI_SCREEN_VIEW_MODEL_H
#define SURFBOARD_TUI_SCREEN_VIEW_MODEL_H

#include "core/model/survey.h"
#include "tui/screen/app.h"
#include "tui/screen/text.h"
#include "tui/screen/tree.h"

enum { MODEL_LABEL_WIDTH = 10 };

/* What a job reads: the indexes over a model, and the model itself where the pipeline has none. */
struct model_work {
    struct model_view *view; /* NULL: it went away */
    struct app *app;
    const struct model *model; /* the pipeline's, or `own` */
    struct model own;
    bool has_own;
    struct survey survey;
    bool has_survey;
};

enum model_node_kind { NODE_OBJECT, NODE_HEADING };

/* Behind a tree node of NODE_OBJECT. */
struct model_node {
    struct model_object object;
    const char *path;
    size_t errors, warnings; /* of it and of what lies below */
};

struct model_view {
    struct view view;
    struct model_work *work; /* being read; NULL: not now */
    struct model_work *read; /* what is shown; NULL: nothing yet */
    struct error error;      /* why it could not be read */
    bool asked;
    struct tree tree;
    struct arena arena; /* of the tree */
    struct text detail;
    const struct tree_node *detailed; /* whose detail it is */
    int64_t detailed_us;              /* by which look at the streams */
    bool on_detail;                   /* the keys move in the detail pane */
    bool zoomed;
    int columns; /* as drawn last */
    char wanted_path[OBJECT_TEXT_SIZE];
};

/* ---- view_model_tree.c ---- */

bool model_tree_fill(struct model_view *view);
bool model_tree_grow(void *context, struct tree_node *node);
/* All but columns, so that a filter finds what was never opened. */
void model_tree_grow_all(struct model_view *view, struct tree_node *parent);
/* Opens the tree to the object of this path ("Store#dataset" too) and selects it. */
void model_tree_find(struct model_view *view, const char *path);
enum style model_tree_note(void *context, const struct tree_node *node, char *out, size_t size);
/* What the cursor stands on; NULL: nothing, or a heading. */
const struct model_node *model_tree_object(const struct model_view *view);

/* ---- view_model_detail.c ---- */

/* The stream that carries a store's dataset (NULL: the first of the store); NULL: none. */
const struct stream *model_stream(const struct model_view *view, const struct model_object *object);
/* Makes the detail of what the cursor stands on, unless it is there already. */
void model_detail_fill(struct model_view *view);

#endif

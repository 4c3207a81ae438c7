/* tree.h: nodes that open and fold, as lines of a list. The nodes live in the caller's arena; the
 * children of one that was never opened may be made when it is (`grow`), so that a large model
 * costs what is looked at. */
#ifndef SURFBOARD_TUI_SCREEN_TREE_H
#define SURFBOARD_TUI_SCREEN_TREE_H

#include "core/base/arena.h"
#include "tui/screen/filter.h"
#include "tui/screen/list.h"

struct tree_node {
    struct tree_node *parent, *first, *last, *next;
    const char *text;
    const char *note; /* at the right: "8 col"; NULL */
    enum style style;
    bool open;
    bool grows;         /* has children that are not made yet */
    bool shown;         /* by the filter: it matches, or something below does */
    int kind;           /* the caller's */
    const void *object; /* the caller's */
};

struct tree {
    struct tree_node root; /* not shown */
    /* Makes the children of a node that `grows`; false: no memory. */
    bool (*grow)(void *context, struct tree_node *node);
    void *context;
    struct tree_node **lines; /* what is in sight by the folds and the filter */
    size_t line_capacity;
    struct list list;
    struct filter filter;
};

void tree_destroy(struct tree *tree);
/* A child behind the others, in `arena`; text and note must live as long. NULL: no memory. */
struct tree_node *tree_add(struct arena *arena, struct tree_node *parent, const char *text);
/* Chooses the lines anew, after nodes were added, opened or filtered; the selection stays on its
 * node, or goes to the nearest above. */
void tree_update(struct tree *tree);
struct tree_node *tree_selected(const struct tree *tree); /* NULL when it is empty */
/* Opens what leads to the node and selects it. */
void tree_select(struct tree *tree, struct tree_node *node);
/* Opens or folds; growing first where needed. */
void tree_open(struct tree *tree, struct tree_node *node, bool open);

/* Moves of a list, and right/left: open, go in, fold, go out; Enter opens and folds; filter. */
enum answer tree_can(const struct tree *tree, enum action_id action);
bool tree_act(struct tree *tree, enum action_id action);
bool tree_key(struct tree *tree, key_code key); /* while filtering */
/* note() (NULL: node->note) writes what stands at the right of a line, with its style. */
void tree_draw(struct tree *tree, struct canvas *canvas, struct rect rect, bool focused,
               enum style (*note)(void *context, const struct tree_node *node, char *out,
                                  size_t size));

#endif

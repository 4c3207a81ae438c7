#include "tui/screen/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

void tree_destroy(struct tree *tree)
{
    filter_destroy(&tree->filter);
    free(tree->lines);
    tree->lines = NULL;
    tree->line_capacity = 0;
}

struct tree_node *tree_add(struct arena *arena, struct tree_node *parent, const char *text)
{
    struct tree_node *node = arena_zero(arena, 1, sizeof *node, NULL);
    if (node == NULL)
        return NULL;
    node->parent = parent;
    node->text = text;
    node->style = STYLE_TEXT;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

struct tree_node *tree_selected(const struct tree *tree)
{
    return tree->list.count ? tree->lines[tree->list.selected] : NULL;
}

/* ---- which lines ---- */

/* Only what was made is searched: growing a whole model for a filter would take its time. */
static bool tree_mark(struct tree *tree, struct tree_node *node, bool above)
{
    bool matches = above || filter_match(&tree->filter, node->text);
    bool any = matches;
    for (struct tree_node *child = node->first; child; child = child->next)
        any = tree_mark(tree, child, matches) || any;
    node->shown = any;
    return any;
}

static bool tree_has_children(const struct tree_node *node)
{
    return node->first || node->grows;
}

static size_t tree_collect(struct tree *tree, struct tree_node *node, size_t count)
{
    bool filtered = filter_active(&tree->filter);
    for (struct tree_node *child = node->first; child; child = child->next) {
        if (filtered && !child->shown)
            continue;
        if (!memory_grow(&tree->lines, &tree->line_capacity, count + 1, sizeof(struct tree_node *),
                         NULL))
            return count;
        tree->lines[count++] = child;
        if (child->open || filtered)
            count = tree_collect(tree, child, count);
    }
    return count;
}

void tree_update(struct tree *tree)
{
    struct tree_node *selected = tree_selected(tree);
    if (filter_active(&tree->filter))
        for (struct tree_node *child = tree->root.first; child; child = child->next)
            tree_mark(tree, child, false);
    size_t count = tree_collect(tree, &tree->root, 0);
    list_set_count(&tree->list, count);
    for (; selected && selected != &tree->root; selected = selected->parent)
        for (size_t i = 0; i < count; i++)
            if (tree->lines[i] == selected) {
                tree->list.selected = i;
                return;
            }
}

void tree_open(struct tree *tree, struct tree_node *node, bool open)
{
    if (open && node->grows) {
        node->grows = false;
        if (!tree->grow(tree->context, node))
            node->grows = true;
    }
    node->open = open && node->first;
    tree_update(tree);
}

void tree_select(struct tree *tree, struct tree_node *node)
{
    for (struct tree_node *above = node->parent; above && above != &tree->root;
         above = above->parent)
        above->open = true;
    filter_clear(&tree->filter);
    tree_update(tree);
    for (size_t i = 0; i < tree->list.count; i++)
        if (tree->lines[i] == node)
            tree->list.selected = i;
}

/* ---- keys ---- */

enum answer tree_can(const struct tree *tree, enum action_id action)
{
    const struct tree_node *node = tree_selected(tree);
    switch (action) {
    case ACTION_RIGHT:
        return node && tree_has_children(node) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_LEFT:
        return node && (node->open || node->parent != &tree->root) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_FILTER:
        return ANSWER_WORKS;
    case ACTION_BACK:
        return filter_active(&tree->filter) ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return list_can(&tree->list, action);
    }
}

static void tree_select_line(struct tree *tree, const struct tree_node *node)
{
    for (size_t i = 0; i < tree->list.count; i++)
        if (tree->lines[i] == node)
            tree->list.selected = i;
}

bool tree_act(struct tree *tree, enum action_id action)
{
    struct tree_node *node = tree_selected(tree);
    switch (action) {
    case ACTION_RIGHT:
        if (node->open)
            tree_select_line(tree, node->first);
        else
            tree_open(tree, node, true);
        return true;
    case ACTION_LEFT:
        if (node->open)
            tree_open(tree, node, false);
        else
            tree_select_line(tree, node->parent);
        return true;
    case ACTION_FILTER:
        tree->filter.editing = true;
        return true;
    case ACTION_BACK:
        filter_clear(&tree->filter);
        tree_update(tree);
        return true;
    default:
        return list_act(&tree->list, action);
    }
}

bool tree_key(struct tree *tree, key_code key)
{
    bool changed;
    if (!filter_key(&tree->filter, key, &changed))
        return false;
    if (changed)
        tree_update(tree);
    return true;
}

/* ---- drawing ---- */

struct tree_drawing {
    struct tree *tree;
    enum style (*note)(void *context, const struct tree_node *node, char *out, size_t size);
};

static void tree_row(void *context, size_t index, struct canvas *canvas, struct rect rect,
                     bool selected)
{
    const struct tree_drawing *drawing = context;
    const struct tree_node *node = drawing->tree->lines[index];
    char note[96] = "";
    int indent = 0;
    for (const struct tree_node *above = node->parent; above && above->parent;
         above = above->parent)
        indent += 2;
    enum style style = STYLE_DIM;
    if (drawing->note)
        style = drawing->note(drawing->tree->context, node, note, sizeof note);
    else if (node->note)
        snprintf(note, sizeof note, "%s", node->note);
    int noted = note[0] ? text_width(slice_of(note), rect.columns) + 1 : 0;
    int column = rect.column + indent;
    if (tree_has_children(node))
        canvas_print(canvas, rect.row, column, 1, STYLE_DIM,
                     canvas_glyph(canvas, node->open || filter_active(&drawing->tree->filter)
                                              ? GLYPH_OPEN
                                              : GLYPH_CLOSED));
    canvas_print(canvas, rect.row, column + 2, rect.columns - indent - 2 - noted,
                 selected ? STYLE_STRONG : node->style, node->text);
    if (noted)
        canvas_print_right(canvas, rect.row, rect.column + rect.columns - noted, noted - 1, style,
                           note);
}

void tree_draw(struct tree *tree, struct canvas *canvas, struct rect rect, bool focused,
               enum style (*note)(void *context, const struct tree_node *node, char *out,
                                  size_t size))
{
    struct tree_drawing drawing = {tree, note};
    if (rect.rows > 1 &&
        filter_draw(&tree->filter, canvas, rect.row + rect.rows - 1, rect.column, rect.columns))
        rect.rows--;
    list_draw(&tree->list, canvas, rect, focused && !tree->filter.editing, tree_row, &drawing);
}

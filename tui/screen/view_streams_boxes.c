/* A stream's graph, and which of its tables to look into. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/model/graph.h"
#include "tui/screen/view_streams.h"

enum { GRAPH_DEPTH_MOST = 12 };

/* ---- graph ---- */

struct graph_walk {
    const struct graph *graph;
    struct buffer *out;
    bool *seen;
    const char *arrow;
};

static void node_label(const struct graph_node *node, char *out, size_t size)
{
    if (node->kind == GRAPH_EXPORT)
        snprintf(out, size, "export of %s#%s into %s", node->store, node->dataset, node->container);
    else if (node->kind == GRAPH_TRIGGER)
        snprintf(out, size, "trigger of workspace %s", node->workspace);
    else if (node->kind == GRAPH_TRANSFORMER)
        snprintf(out, size, "transformer of workspace %s", node->workspace);
    else
        snprintf(out, size, "ingestion of %s%s%s", node->store, node->dataset ? "#" : "",
                 node->dataset ? node->dataset : "");
}

static void walk_right(struct graph_walk *walk, size_t index, int depth)
{
    const struct graph_node *node = &walk->graph->nodes[index];
    char label[OBJECT_TEXT_SIZE * 2];
    node_label(node, label, sizeof label);
    buffer_append_format(walk->out, NULL, "%*s%s%s%s\n", depth * 2, "", depth ? walk->arrow : "",
                         label, walk->seen[index] && node->right_count ? " (above)" : "");
    if (walk->seen[index] || depth == GRAPH_DEPTH_MOST)
        return;
    walk->seen[index] = true;
    for (size_t i = 0; i < node->right_count; i++)
        walk_right(walk, node->right[i], depth + 1);
}

/* What feeds it: the nodes that have it on their right. */
static void list_left(struct graph_walk *walk, size_t index)
{
    char label[OBJECT_TEXT_SIZE * 2];
    for (size_t i = 0; i < walk->graph->node_count; i++)
        for (size_t k = 0; k < walk->graph->nodes[i].right_count; k++)
            if (walk->graph->nodes[i].right[k] == index) {
                node_label(&walk->graph->nodes[i], label, sizeof label);
                buffer_append_format(walk->out, NULL, "fed by %s\n", label);
            }
}

static bool node_is_stream(const struct graph_node *node, const struct stream *stream)
{
    return (node->kind == GRAPH_INGESTION_MULTI || node->kind == GRAPH_INGESTION_SINGLE) &&
           strcmp(node->store, stream->store) == 0 &&
           (stream->dataset == NULL ||
            (node->dataset && strcmp(node->dataset, stream->dataset) == 0));
}

void streams_graph(struct app *app, const struct stream *stream)
{
    struct graph graph = {0};
    struct error error = {0};
    struct buffer text = {0};
    char title[OBJECT_TEXT_SIZE + 32];
    if (!graph_build(app->pipeline.model, app->pipeline.platform, false, &graph, &error)) {
        app_fail(app, &error);
        return;
    }
    struct graph_walk walk = {&graph, &text, memory_zero(graph.node_count + 1, 1, &error),
                              app->ascii ? "-> " : "▸ "};
    for (size_t i = 0; walk.seen && i < graph.node_count; i++)
        if (node_is_stream(&graph.nodes[i], stream)) {
            list_left(&walk, i);
            walk_right(&walk, i, 0);
        }
    snprintf(title, sizeof title, "%s: what flows in and out", stream->name);
    app_text(app, title,
             text.length ? slice_make(text.data, text.length - 1)
                         : slice_of("the graph has no node for it"));
    free(walk.seen);
    buffer_destroy(&text);
    graph_destroy(&graph);
}

/* ---- which table ---- */

struct tables_box {
    struct view view;
    const struct stream *stream;
    struct list list;
};

static const struct view_kind tables_kind;

static void show_table(struct app *app, const struct stream *stream,
                       const struct stream_table *table)
{
    struct object object = {.kind = "table"};
    snprintf(object.stream, sizeof object.stream, "%s", stream->name);
    snprintf(object.dataset, sizeof object.dataset, "%s#%s", table->store, table->dataset);
    snprintf(object.table, sizeof object.table, "%s",
             stream->mode == MODE_HISTORY ? table->history_ident : table->ident);
    app_show(app, ACTION_VIEW_QUERY, &object);
}

static struct view *tables_open(struct app *app, void *argument, struct error *error)
{
    struct tables_box *box = memory_zero(1, sizeof *box, error);
    if (box == NULL)
        return NULL;
    box->view = (struct view){&tables_kind, app};
    box->stream = argument;
    list_set_count(&box->list, box->stream->table_count);
    return &box->view;
}

static void tables_close(struct view *view)
{
    free(view);
}

static void tables_row(void *context, size_t index, struct canvas *canvas, struct rect rect,
                       bool selected)
{
    const struct tables_box *box = context;
    canvas_print(canvas, rect.row, rect.column, rect.columns, selected ? STYLE_STRONG : STYLE_TEXT,
                 box->stream->tables[index].ident);
}

static void tables_draw(struct view *view, struct canvas *canvas, struct rect rect)
{
    struct tables_box *box = (struct tables_box *)view;
    char note[48];
    list_note(&box->list, note, sizeof note);
    struct rect inside = canvas_box(canvas, rect, "Rows of which table", note, true);
    list_draw(&box->list, canvas, inside, true, tables_row, box);
}

static enum answer tables_can(struct view *view, enum action_id action, const char **why)
{
    (void)why;
    return action == ACTION_ACCEPT ? ANSWER_WORKS
                                   : list_can(&((struct tables_box *)view)->list, action);
}

static void tables_act(struct view *view, enum action_id action)
{
    struct tables_box *box = (struct tables_box *)view;
    if (action != ACTION_ACCEPT) {
        list_act(&box->list, action);
        return;
    }
    struct app *app = view->app;
    const struct stream *stream = box->stream;
    size_t selected = box->list.selected;
    app_pop(app);
    show_table(app, stream, &stream->tables[selected]);
}

static void tables_size(struct view *view, int rows, int columns, int *wanted_rows,
                        int *wanted_columns)
{
    const struct tables_box *box = (struct tables_box *)view;
    *wanted_columns = columns > 60 ? 56 : columns;
    *wanted_rows = box->list.count + 2 > (size_t)rows ? rows : (int)box->list.count + 2;
}

static const enum scope tables_scopes[] = {SCOPE_BOX, SCOPE_MOVE, SCOPE_COUNT};

static const struct view_kind tables_kind = {
    .name = "tables",
    .title = "Tables",
    .scopes = tables_scopes,
    .open = tables_open,
    .close = tables_close,
    .draw = tables_draw,
    .can = tables_can,
    .act = tables_act,
    .size = tables_size,
};

void streams_preview(struct app *app, const struct stream *stream)
{
    if (stream->table_count == 1)
        show_table(app, stream, &stream->tables[0]);
    else
        app_push(app, &tables_kind, (void *)(uintptr_t)stream);
}

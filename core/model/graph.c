#include "core/model/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

struct graph_root {
    const struct model_workspace *workspace;
    const struct model_group *group;
};

/* While it grows: nodes are found by key and linked by pointer, later sorted. */
struct build_node {
    struct graph_node node;
    struct build_node **right;
    size_t right_count, right_capacity;
    struct build_node **left;
    size_t left_count, left_capacity;
    size_t place; /* in the sorted array */
};

struct build {
    const struct model *model;
    struct graph *graph;
    struct graph_root *roots;
    size_t root_count, root_capacity;
    struct build_node **nodes;
    size_t node_count, node_capacity;
    struct map index;   /* key -> build_node */
    struct map in_work; /* "workspace:store" of transformers on the way */
};

const char *graph_kind_name(enum graph_kind kind)
{
    static const char *const names[] = {"IngestionMultiNode", "IngestionSingleNode", "ExportNode",
                                        "TriggerNode", "DataTransformerNode"};
    return names[kind];
}

static bool build_grow(struct build *build, void *pointer, size_t count, size_t *capacity,
                       size_t size, struct error *error)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 4;
    void *fresh = arena_zero(&build->graph->arena, wanted, size, error);
    TRY(fresh);
    if (count)
        memcpy(fresh, *(void **)pointer, count * size);
    *(void **)pointer = fresh;
    *capacity = wanted;
    return true;
}

static bool build_node_find(struct build *build, enum graph_kind kind, const char *key,
                            struct build_node **out, struct error *error)
{
    TRY(key);
    *out = map_get_text(&build->index, key);
    if (*out)
        return true;
    struct build_node *node = arena_zero(&build->graph->arena, 1, sizeof *node, error);
    TRY(node);
    node->node.kind = kind;
    node->node.key = key;
    node->node.priority = PRIORITY_NONE;
    TRY(build_grow(build, &build->nodes, build->node_count, &build->node_capacity, sizeof node,
                   error));
    build->nodes[build->node_count++] = node;
    TRY(map_put(&build->index, slice_of(key), node, error));
    *out = node;
    return true;
}

static bool build_link(struct build *build, struct build_node *from, struct build_node *to,
                       struct error *error)
{
    for (size_t i = 0; i < from->right_count; i++)
        if (from->right[i] == to)
            return true;
    TRY(build_grow(build, &from->right, from->right_count, &from->right_capacity, sizeof to,
                   error));
    TRY(build_grow(build, &to->left, to->left_count, &to->left_capacity, sizeof from, error));
    from->right[from->right_count++] = to;
    to->left[to->left_count++] = from;
    return true;
}

/* The ingestion node that a dataset of a store comes from; NULL in *out when the store is not in
 * the model. */
static bool build_ingestion(struct build *build, const char *store_name, const char *dataset,
                            struct build_node **out, struct error *error)
{
    *out = NULL;
    const struct model_store *store = model_store(build->model, store_name);
    if (store == NULL)
        return true;
    struct arena *arena = &build->graph->arena;
    const char *platform = build->graph->platform;
    const char *key =
        store->single
            ? arena_format(arena, error, "IngestionSingleNode/Ingest/%s/%s/%s", platform,
                           store->name, dataset)
            : arena_format(arena, error, "IngestionMultiNode/Ingest/%s/%s", platform, store->name);
    TRY(build_node_find(build, store->single ? GRAPH_INGESTION_SINGLE : GRAPH_INGESTION_MULTI, key,
                        out, error));
    (*out)->node.store = store->name;
    (*out)->node.dataset = store->single ? dataset : NULL;
    return true;
}

static bool build_export(struct build *build, const char *container, const struct model_sink *sink,
                         struct build_node **out, struct error *error)
{
    const char *key = arena_format(&build->graph->arena, error, "ExportNode/Export/%s/%s/%s/%s",
                                   build->graph->platform, container, sink->store, sink->dataset);
    TRY(build_node_find(build, GRAPH_EXPORT, key, out, error));
    (*out)->node.store = sink->store;
    (*out)->node.dataset = sink->dataset;
    (*out)->node.container = container;
    return true;
}

static bool build_workspace_node(struct build *build, enum graph_kind kind, const char *workspace,
                                 struct build_node **out, struct error *error)
{
    bool trigger = kind == GRAPH_TRIGGER;
    const char *key =
        arena_format(&build->graph->arena, error, "%s/%s/%s/%s", graph_kind_name(kind),
                     trigger ? "Trigger" : "DataTransformer", build->graph->platform, workspace);
    TRY(build_node_find(build, kind, key, out, error));
    (*out)->node.workspace = workspace;
    return true;
}

static bool build_sink(struct build *build, const struct model_workspace *workspace,
                       const struct model_sink *sink, struct build_node **export,
                       struct error *error);

/* The transformer that fills a store, its trigger, and everything that feeds it. */
static bool build_transformer(struct build *build, const struct model_workspace *maker,
                              const char *store, struct build_node *ingestion, struct error *error)
{
    struct build_node *trigger, *transformer;
    TRY(build_workspace_node(build, GRAPH_TRANSFORMER, maker->name, &transformer, error));
    TRY(build_workspace_node(build, GRAPH_TRIGGER, maker->name, &trigger, error));
    TRY(build_link(build, trigger, transformer, error));
    TRY(build_link(build, transformer, ingestion, error));
    const char *work = arena_format(&build->graph->arena, error, "%s:%s", maker->name, store);
    TRY(work);
    if (map_get_text(&build->in_work, work))
        return true; /* a ring of transformers, or done before */
    TRY(map_put(&build->in_work, slice_of(work), ingestion, error));
    for (size_t i = 0; i < build->root_count; i++) {
        const struct graph_root root = build->roots[i];
        for (size_t j = 0; root.workspace == maker && j < root.group->sink_count; j++) {
            struct build_node *export = NULL;
            TRY(build_sink(build, maker, &root.group->sinks[j], &export, error));
            if (export)
                TRY(build_link(build, export, trigger, error));
        }
    }
    return true;
}

/* A dataset into a workspace's container, and how it gets there. */
static bool build_sink(struct build *build, const struct model_workspace *workspace,
                       const struct model_sink *sink, struct build_node **export,
                       struct error *error)
{
    struct build_node *ingestion;
    TRY(build_ingestion(build, sink->store, sink->dataset, &ingestion, error));
    if (ingestion == NULL)
        return true;
    TRY(build_export(build, workspace->container.name, sink, export, error));
    TRY(build_link(build, ingestion, *export, error));
    if (workspace->priority > (*export)->node.priority)
        (*export)->node.priority = workspace->priority;
    const struct model_store *store = model_store(build->model, sink->store);
    if (!model_is_primary(build->model, sink->store, build->graph->platform) ||
        store->workspace == NULL)
        return true;
    const struct model_workspace *maker = model_workspace(build->model, store->workspace);
    if (maker == NULL || maker->container.name == NULL)
        return true;
    return build_transformer(build, maker, store->name, ingestion, error);
}

static bool build_add_root(struct build *build, const struct model_workspace *workspace,
                           const struct model_group *group, struct error *error)
{
    for (size_t i = 0; i < build->root_count; i++)
        if (build->roots[i].group == group)
            return true;
    TRY(build_grow(build, &build->roots, build->root_count, &build->root_capacity,
                   sizeof *build->roots, error));
    build->roots[build->root_count++] = (struct graph_root){workspace, group};
    return true;
}

static bool assignment_counts(const struct model_assignment *assignment, bool decommissioned)
{
    return decommissioned || model_assignment_counts(assignment);
}

/* All groups of the workspaces whose transformers fill what this one reads, in any of its groups,
 * mapped or not. */
static bool build_makers(struct build *build, const struct model_workspace *workspace,
                         struct error *error)
{
    for (size_t i = 0; i < workspace->group_count; i++) {
        const struct model_group *group = &workspace->groups[i];
        for (size_t j = 0; j < group->sink_count; j++) {
            const struct model_store *store = model_store(build->model, group->sinks[j].store);
            const struct model_workspace *maker =
                store && store->workspace ? model_workspace(build->model, store->workspace) : NULL;
            for (size_t k = 0; maker && k < maker->group_count; k++)
                TRY(build_add_root(build, maker, &maker->groups[k], error));
        }
    }
    return true;
}

/* The mapped groups, and all groups of the workspaces whose transformers fill what they read. */
static bool build_roots(struct build *build, bool decommissioned, struct error *error)
{
    const struct model *model = build->model;
    for (size_t i = 0; i < model->assignment_count; i++) {
        const struct model_assignment *assignment = &model->assignments[i];
        if (strcmp(assignment->platform, build->graph->platform) != 0 ||
            !assignment_counts(assignment, decommissioned))
            continue;
        const struct model_workspace *workspace = model_workspace(model, assignment->workspace);
        const struct model_group *group =
            workspace ? model_group(workspace, assignment->group) : NULL;
        if (group)
            TRY(build_add_root(build, workspace, group, error));
    }
    for (size_t i = 0; i < build->root_count; i++)
        TRY(build_makers(build, build->roots[i].workspace, error));
    return true;
}

static bool build_nodes(struct build *build, struct error *error)
{
    for (size_t i = 0; i < build->root_count; i++) {
        const struct graph_root root = build->roots[i];
        for (size_t j = 0; root.workspace->container.name && j < root.group->sink_count; j++) {
            const struct model_store *store = model_store(build->model, root.group->sinks[j].store);
            struct build_node *node;
            for (size_t k = 0; store && k < (store->single ? store->dataset_count : 1); k++)
                TRY(build_ingestion(build, store->name,
                                    store->single ? store->datasets[k].name : NULL, &node, error));
        }
    }
    for (size_t i = 0; i < build->root_count; i++) {
        const struct graph_root root = build->roots[i];
        struct build_node *export;
        for (size_t j = 0; root.workspace->container.name && j < root.group->sink_count; j++)
            TRY(build_sink(build, root.workspace, &root.group->sinks[j], &export, error));
    }
    return true;
}

/* Whoever feeds an urgent node is as urgent: from right to left until nothing rises; five levels
 * bound the rounds, rings included. */
static bool build_priorities(struct build *build, struct error *error)
{
    struct build_node **work = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < build->node_count; i++) {
        TRY(build_grow(build, &work, count, &capacity, sizeof *work, error));
        work[count++] = build->nodes[i];
    }
    while (count) {
        struct build_node *node = work[--count];
        for (size_t i = 0; i < node->left_count; i++) {
            struct build_node *left = node->left[i];
            if (left->node.priority >= node->node.priority)
                continue;
            left->node.priority = node->node.priority;
            TRY(build_grow(build, &work, count, &capacity, sizeof *work, error));
            work[count++] = left;
        }
    }
    return true;
}

static int compare_nodes(const void *a, const void *b)
{
    return strcmp((*(struct build_node *const *)a)->node.key,
                  (*(struct build_node *const *)b)->node.key);
}

static int compare_places(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static bool build_finish(struct build *build, struct error *error)
{
    struct graph *graph = build->graph;
    size_t count = build->node_count;
    if (count)
        qsort(build->nodes, count, sizeof *build->nodes, compare_nodes);
    graph->nodes = arena_zero(&graph->arena, count ? count : 1, sizeof *graph->nodes, error);
    TRY(graph->nodes);
    for (size_t i = 0; i < count; i++)
        build->nodes[i]->place = i;
    for (size_t i = 0; i < count; i++) {
        struct build_node *from = build->nodes[i];
        struct graph_node *node = &graph->nodes[i];
        *node = from->node;
        node->right_count = from->right_count;
        node->right = arena_zero(&graph->arena, from->right_count + 1, sizeof *node->right, error);
        TRY(node->right);
        for (size_t j = 0; j < from->right_count; j++)
            node->right[j] = from->right[j]->place;
        qsort(node->right, node->right_count, sizeof *node->right, compare_places);
        graph->edge_count += node->right_count;
        TRY(map_put(&graph->index, slice_of(node->key), node, error));
    }
    graph->node_count = count;
    return true;
}

bool graph_build(const struct model *model, const char *platform, bool decommissioned,
                 struct graph *out, struct error *error)
{
    *out = (struct graph){0};
    struct build build = {.model = model, .graph = out};
    out->platform = arena_copy_text(&out->arena, platform, error);
    bool ok = out->platform && build_roots(&build, decommissioned, error) &&
              build_nodes(&build, error) && build_priorities(&build, error) &&
              build_finish(&build, error);
    map_destroy(&build.index);
    map_destroy(&build.in_work);
    if (!ok)
        graph_destroy(out);
    return ok;
}

void graph_destroy(struct graph *graph)
{
    map_destroy(&graph->index);
    arena_destroy(&graph->arena);
    *graph = (struct graph){0};
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool graph_platforms(const struct model *model, bool decommissioned, struct arena *arena,
                     const char ***names, size_t *count, struct error *error)
{
    *count = 0;
    *names = arena_zero(arena, model->platform_count + 1, sizeof **names, error);
    TRY(*names);
    for (size_t i = 0; i < model->platform_count; i++) {
        const char *name = model->platforms[i].name;
        bool wanted = false;
        for (size_t j = 0; j < model->assignment_count && !wanted; j++) {
            const struct model_assignment *assignment = &model->assignments[j];
            const struct model_workspace *workspace = model_workspace(model, assignment->workspace);
            wanted = strcmp(assignment->platform, name) == 0 &&
                     assignment_counts(assignment, decommissioned) && workspace &&
                     model_group(workspace, assignment->group);
        }
        for (size_t j = 0; j < *count; j++)
            wanted &= strcmp((*names)[j], name) != 0;
        if (wanted)
            (*names)[(*count)++] = name;
    }
    qsort(*names, *count, sizeof **names, compare_texts);
    return true;
}

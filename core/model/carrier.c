#include "core/model/carrier.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/graph.h"

/* One platform's stream; those of a stream's name hang in a chain. */
struct carrier_entry {
    struct carrier carrier;
    struct carrier_entry *next;
};

static bool index_add(struct carrier_index *index, const struct model *model, const char *platform,
                      const struct graph_node *node, struct error *error)
{
    struct carrier_entry *entry = arena_zero(&index->arena, 1, sizeof *entry, error);
    TRY(entry);
    struct carrier *carrier = &entry->carrier;
    carrier->platform = platform;
    carrier->priority = node->priority;
    carrier->primary = model_is_primary(model, node->store, platform);
    carrier->stream = node->dataset
                          ? arena_format(&index->arena, error, "%s#%s", node->store, node->dataset)
                          : node->store;
    TRY(carrier->stream);
    entry->next = map_get_text(&index->streams, carrier->stream);
    return map_put(&index->streams, slice_of(carrier->stream), entry, error);
}

static bool index_add_platform(struct carrier_index *index, const struct model *model,
                               const char *platform, struct error *error)
{
    struct graph graph;
    TRY(graph_build(model, platform, false, &graph, error));
    bool ok = true;
    for (size_t i = 0; ok && i < graph.node_count; i++)
        if (graph.nodes[i].kind == GRAPH_INGESTION_MULTI ||
            graph.nodes[i].kind == GRAPH_INGESTION_SINGLE)
            ok = index_add(index, model, platform, &graph.nodes[i], error);
    graph_destroy(&graph);
    return ok;
}

bool carrier_index_build(const struct model *model, struct carrier_index *out, struct error *error)
{
    *out = (struct carrier_index){0};
    const char **names = NULL;
    size_t count = 0;
    bool ok = graph_platforms(model, false, &out->arena, &names, &count, error);
    for (size_t i = 0; ok && i < count; i++)
        ok = index_add_platform(out, model, names[i], error);
    if (!ok)
        carrier_index_destroy(out);
    return ok;
}

void carrier_index_destroy(struct carrier_index *index)
{
    map_destroy(&index->streams);
    arena_destroy(&index->arena);
    *index = (struct carrier_index){0};
}

static int compare_carriers(const void *a, const void *b)
{
    const struct carrier *x = a, *y = b;
    int order = strcmp(x->platform, y->platform);
    return order ? order : strcmp(x->stream, y->stream);
}

static struct carrier_entry *entries_of(const struct carrier_index *index,
                                        const struct model_store *store, const char *dataset,
                                        struct arena *arena, struct error *error)
{
    if (dataset == NULL)
        return map_get_text(&index->streams, store->name);
    const char *name = arena_format(arena, error, "%s#%s", store->name, dataset);
    return name ? map_get_text(&index->streams, name) : NULL;
}

bool carrier_find(const struct carrier_index *index, const struct model_store *store,
                  const char *dataset, struct arena *arena, struct carrier **out, size_t *count,
                  struct error *error)
{
    size_t streams = store->single && dataset == NULL ? store->dataset_count : 1, all = 0;
    *count = 0;
    *out = NULL;
    for (int fill = 0; fill < 2; fill++) {
        for (size_t i = 0; i < streams; i++) {
            const char *single = !store->single ? NULL
                                 : dataset      ? dataset
                                                : store->datasets[i].name;
            struct carrier_entry *entry = entries_of(index, store, single, arena, error);
            for (; entry; entry = entry->next) {
                if (fill)
                    (*out)[(*count)++] = entry->carrier;
                else
                    all++;
            }
        }
        if (fill == 0)
            *out = arena_zero(arena, all + 1, sizeof **out, error);
        TRY(*out);
    }
    qsort(*out, *count, sizeof **out, compare_carriers);
    return true;
}

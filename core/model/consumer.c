#include "core/model/consumer.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

/* One sink; those of a store hang in a chain, in document order. */
struct consumer_entry {
    struct consumer consumer;
    struct consumer_entry *next, *last; /* last: of the chain, in its first */
};

static bool index_add(struct consumer_index *index, const struct model_workspace *workspace,
                      const struct model_group *group, const struct model_sink *sink,
                      struct error *error)
{
    struct consumer_entry *entry = arena_zero(&index->arena, 1, sizeof *entry, error);
    TRY(entry);
    entry->consumer = (struct consumer){.workspace = workspace, .group = group, .sink = sink};
    entry->last = entry;
    struct consumer_entry *first = map_get_text(&index->stores, sink->store);
    if (first == NULL)
        return map_put(&index->stores, slice_of(sink->store), entry, error);
    first->last->next = entry;
    first->last = entry;
    return true;
}

bool consumer_index_build(const struct model *model, struct consumer_index *out,
                          struct error *error)
{
    *out = (struct consumer_index){.model = model};
    bool ok = true;
    for (size_t i = 0; ok && i < model->workspace_count; i++) {
        const struct model_workspace *workspace = &model->workspaces[i];
        if (model_workspace(model, workspace->name) != workspace)
            continue; /* a second one of the name */
        for (size_t j = 0; ok && j < workspace->group_count; j++) {
            const struct model_group *group = &workspace->groups[j];
            for (size_t k = 0; ok && k < group->sink_count; k++)
                ok = index_add(out, workspace, group, &group->sinks[k], error);
        }
    }
    if (!ok)
        consumer_index_destroy(out);
    return ok;
}

void consumer_index_destroy(struct consumer_index *index)
{
    map_destroy(&index->stores);
    arena_destroy(&index->arena);
    *index = (struct consumer_index){0};
}

/* ---- dependents, breadth first over transformers ---- */

struct walk {
    const struct consumer_index *index;
    struct consumer *found; /* ordinary memory while it grows */
    size_t count, capacity;
    struct map stores; /* that were walked */
};

static bool walk_store(struct walk *walk, const char *store, const char *dataset, unsigned hops,
                       const struct model_workspace *through, struct error *error)
{
    const struct consumer_entry *entry = map_get_text(&walk->index->stores, store);
    for (; entry; entry = entry->next) {
        if (dataset && strcmp(entry->consumer.sink->dataset, dataset) != 0)
            continue;
        TRY(memory_grow(&walk->found, &walk->capacity, walk->count + 1, sizeof *walk->found,
                        error));
        struct consumer *consumer = &walk->found[walk->count++];
        *consumer = entry->consumer;
        consumer->hops = hops;
        consumer->through = through;
    }
    return true;
}

/* The store that a workspace's transformer fills, when the model has it and both name each other.
 */
static const struct model_store *output_of(const struct model *model,
                                           const struct model_workspace *workspace)
{
    return workspace->output_store ? model_store(model, workspace->output_store) : NULL;
}

static bool walk_all(struct walk *walk, const char *store, const char *dataset, struct error *error)
{
    TRY(walk_store(walk, store, dataset, 0, NULL, error));
    for (size_t i = 0; i < walk->count; i++) {
        const struct consumer consumer = walk->found[i];
        const struct model_store *output = output_of(walk->index->model, consumer.workspace);
        if (output == NULL || map_get_text(&walk->stores, output->name))
            continue;
        TRY(map_put(&walk->stores, slice_of(output->name), walk, error));
        TRY(walk_store(walk, output->name, NULL, consumer.hops + 1, consumer.workspace, error));
    }
    return true;
}

bool consumer_find(const struct consumer_index *index, const char *store, const char *dataset,
                   struct arena *arena, struct consumer **out, size_t *count, struct error *error)
{
    struct walk walk = {.index = index};
    bool ok = walk_all(&walk, store, dataset, error);
    *count = ok ? walk.count : 0;
    *out = ok ? arena_zero(arena, walk.count + 1, sizeof **out, error) : NULL;
    ok = *out != NULL;
    if (ok && walk.count)
        memcpy(*out, walk.found, walk.count * sizeof **out);
    map_destroy(&walk.stores);
    free(walk.found);
    return ok;
}

void consumer_count(const struct consumer *consumers, size_t count, size_t *workspaces,
                    size_t *transformers)
{
    *workspaces = *transformers = 0;
    for (size_t i = 0; i < count; i++) {
        bool before = false;
        for (size_t j = 0; j < i && !before; j++)
            before = consumers[j].workspace == consumers[i].workspace;
        *workspaces += !before;
        *transformers += !before && consumers[i].workspace->transformer.name != NULL;
    }
}

static bool is_mapped(const struct model_group *group, const char *platform)
{
    for (const struct model_assignment *at = group->assigned; at; at = at->next)
        if (model_assignment_counts(at) &&
            (platform == NULL || strcmp(at->platform, platform) == 0))
            return true;
    return false;
}

void consumer_find_goal(const struct consumer_index *index, const char *store, const char *dataset,
                        const char *platform, struct consumer_goal *out)
{
    *out = (struct consumer_goal){0};
    const struct consumer_entry *entry = map_get_text(&index->stores, store);
    for (; entry; entry = entry->next) {
        const struct consumer *consumer = &entry->consumer;
        int64_t ms = model_latency_ms(consumer->group->latency);
        if (ms > 0 && (out->ms == 0 || ms < out->ms) &&
            (dataset == NULL || strcmp(consumer->sink->dataset, dataset) == 0) &&
            is_mapped(consumer->group, platform))
            *out = (struct consumer_goal){ms, consumer->workspace, consumer->group};
    }
}

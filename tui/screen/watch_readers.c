/* Which workspaces read what a stream brings, directly or through a transformer: who is hit when it
 * is stale. */
#include <string.h>

#include "core/base/memory.h"
#include "core/model/model.h"
#include "tui/screen/watch_private.h"

#include <stdlib.h>

struct reading_sink {
    const struct model_sink *sink;
    size_t workspace; /* index */
};

/* Which workspaces have groups that count, and their sinks. */
struct reading_map {
    const struct model *model;
    bool *wanted; /* by workspace: mapped here, or makes what such a one reads */
    struct reading_sink *sinks;
    size_t sink_count, sink_capacity;
    bool *marks; /* of one stream */
    const char **names;
};

static bool mapped_here(const struct model_assignment *assignment, const char *platform)
{
    return strcmp(assignment->platform, platform) == 0 &&
           (assignment->status == NULL || strcmp(assignment->status, "DECOMMISSIONED") != 0);
}

static bool add_group(struct reading_map *map, const struct model_workspace *workspace,
                      const struct model_group *group, struct error *error)
{
    for (size_t i = 0; i < group->sink_count; i++) {
        TRY(memory_grow(&map->sinks, &map->sink_capacity, map->sink_count + 1, sizeof *map->sinks,
                        error));
        map->sinks[map->sink_count++] =
            (struct reading_sink){&group->sinks[i], (size_t)(workspace - map->model->workspaces)};
    }
    return true;
}

/* The makers of stores that are read here are read themselves, all of their groups. */
static bool add_makers(struct reading_map *map, struct error *error)
{
    for (size_t i = 0; i < map->sink_count; i++) {
        const struct model_store *store = model_store(map->model, map->sinks[i].sink->store);
        const struct model_workspace *maker =
            store && store->workspace ? model_workspace(map->model, store->workspace) : NULL;
        if (maker == NULL || map->wanted[maker - map->model->workspaces])
            continue;
        map->wanted[maker - map->model->workspaces] = true;
        for (size_t k = 0; k < maker->group_count; k++)
            TRY(add_group(map, maker, &maker->groups[k], error));
    }
    return true;
}

static bool fill_map(struct reading_map *map, const char *platform, struct error *error)
{
    for (size_t i = 0; i < map->model->assignment_count; i++) {
        const struct model_assignment *assignment = &map->model->assignments[i];
        const struct model_workspace *workspace =
            model_workspace(map->model, assignment->workspace);
        const struct model_group *group =
            workspace ? model_group(workspace, assignment->group) : NULL;
        if (group && mapped_here(assignment, platform))
            TRY(add_group(map, workspace, group, error));
    }
    return add_makers(map, error);
}

static void mark_readers(struct reading_map *map, const char *store, const char *dataset,
                         bool *more)
{
    for (size_t i = 0; i < map->sink_count; i++) {
        const struct reading_sink *sink = &map->sinks[i];
        if (map->marks[sink->workspace] || strcmp(sink->sink->store, store) != 0 ||
            (dataset && strcmp(sink->sink->dataset, dataset) != 0))
            continue;
        map->marks[sink->workspace] = *more = true;
    }
}

static bool read_readers_of(struct watch_work *work, struct reading_map *map, size_t index,
                            struct error *error)
{
    const struct model *model = map->model;
    const struct stream *stream = &work->pipeline->streams[index];
    struct watch_reading *reading = &work->readings[index];
    bool more = false;
    size_t count = 0;
    memset(map->marks, 0, model->workspace_count);
    mark_readers(map, stream->store, stream->dataset, &more);
    while (more) {
        more = false;
        for (size_t i = 0; i < model->workspace_count; i++)
            if (map->marks[i] && model->workspaces[i].output_store)
                mark_readers(map, model->workspaces[i].output_store, NULL, &more);
    }
    for (size_t i = 0; i < model->workspace_count; i++)
        if (map->marks[i])
            map->names[count++] = model->workspaces[i].name;
    const char **names = arena_zero(&work->arena, count + 1, sizeof *names, error);
    TRY(names);
    memcpy(names, map->names, count * sizeof *names);
    reading->readers = names;
    reading->reader_count = count;
    return true;
}

bool watch_read_readers(struct watch_work *work, struct error *error)
{
    struct reading_map map = {.model = work->pipeline->model};
    size_t count = map.model->workspace_count;
    map.wanted = memory_zero(count ? count : 1, sizeof *map.wanted, error);
    map.marks = memory_zero(count ? count : 1, sizeof *map.marks, error);
    map.names = memory_zero(count ? count : 1, sizeof *map.names, error);
    bool ok =
        map.wanted && map.marks && map.names && fill_map(&map, work->pipeline->platform, error);
    for (size_t i = 0; ok && i < work->count; i++)
        ok = read_readers_of(work, &map, i, error);
    free(map.wanted);
    free(map.marks);
    free(map.names);
    free(map.sinks);
    work->readers_known = ok;
    return ok;
}

/* When all is read: names become lookups, teams know their stores and workspaces, groups their
 * assignments. The first of a name counts. */
#include <string.h>

#include "core/model/load.h"

/* Of a team within all zones: no two share one, whatever their names hold. */
#define TEAM_KEY "%zu %s/%s"

/* Stores that only a transformer's outputDatastore holds. */
static bool load_outputs(struct load *load, struct error *error)
{
    struct model *model = load->model;
    for (size_t i = 0; i < load->output_count; i++) {
        struct model_store *output = &load->outputs[i];
        bool known = false;
        for (size_t j = 0; j < model->store_count && !known; j++)
            known = strcmp(model->stores[j].name, output->name) == 0;
        if (!known)
            TRY(load_add_store(load, output, error));
    }
    return true;
}

/* Puts `value` unless the name is there already; *again tells. */
static bool load_put(struct map *map, const char *name, void *value, bool *again,
                     struct error *error)
{
    *again = map_get_text(map, name) != NULL;
    return *again || map_put(map, slice_of(name), value, error);
}

static bool load_index_names(struct load *load, struct error *error)
{
    struct model *model = load->model;
    bool again;
    for (size_t i = 0; i < model->store_count; i++) {
        struct model_store *store = &model->stores[i];
        TRY(load_put(&model->store_index, store->name, store, &again, error));
        load->zone = store->zone;
        load->team = store->team;
        load->store = store->name;
        TRY(!again ||
            load_warn(load, error, "store %s is there twice; the first counts", store->name));
    }
    load->store = NULL;
    for (size_t i = 0; i < model->workspace_count; i++) {
        struct model_workspace *workspace = &model->workspaces[i];
        TRY(load_put(&model->workspace_index, workspace->name, workspace, &again, error));
        load->zone = workspace->zone;
        load->team = workspace->team;
        load->workspace = workspace->name;
        TRY(!again || load_warn(load, error, "workspace %s is there twice; the first counts",
                                workspace->name));
    }
    load->zone = load->team = load->workspace = NULL;
    for (size_t i = 0; i < model->platform_count; i++)
        TRY(load_put(&model->platform_index, model->platforms[i].name, &model->platforms[i], &again,
                     error));
    for (size_t i = 0; i < model->primary_count; i++)
        TRY(load_put(&model->primary_index, model->primaries[i].store, &model->primaries[i], &again,
                     error));
    return true;
}

/* Zones and teams of one name are one: the first takes what the others hold. */
static bool load_index_teams(struct load *load, struct map *teams, struct error *error)
{
    struct model *model = load->model;
    bool again;
    for (size_t i = 0; i < model->zone_count; i++) {
        TRY(load_put(&model->zone_index, model->zones[i].name, &model->zones[i], &again, error));
        TRY(!again || load_warn(load, error, "zone %s is there twice; the first counts",
                                model->zones[i].name));
    }
    for (size_t i = 0; i < model->team_count; i++) {
        struct model_team *team = &model->teams[i];
        const char *key = arena_format(&model->arena, error, TEAM_KEY, strlen(team->zone),
                                       team->zone, team->name);
        TRY(key && load_put(teams, key, team, &again, error));
        TRY(!again || load_warn(load, error, "team %s/%s is there twice; the first counts",
                                team->zone, team->name));
        if (again)
            continue;
        struct model_zone *zone = map_get_text(&model->zone_index, team->zone);
        team->store_count = team->workspace_count = 0;
        zone->team_count++;
    }
    return true;
}

static struct model_team *load_team_of(const struct map *teams, const char *zone, const char *team,
                                       struct buffer *path, struct error *error)
{
    buffer_clear(path);
    bool ok = buffer_append_format(path, error, TEAM_KEY, strlen(zone), zone, team);
    return ok ? map_get(teams, buffer_slice(path)) : NULL;
}

/* Counts first, then fills: twice over the same lists. */
static bool load_fill_teams(struct load *load, const struct map *teams, bool fill,
                            struct error *error)
{
    struct model *model = load->model;
    for (size_t i = 0; i < model->store_count; i++) {
        struct model_store *store = &model->stores[i];
        struct model_team *team = load_team_of(teams, store->zone, store->team, &load->text, error);
        TRY(team);
        if (fill)
            team->stores[team->store_count] = store;
        team->store_count++;
    }
    for (size_t i = 0; i < model->workspace_count; i++) {
        struct model_workspace *workspace = &model->workspaces[i];
        struct model_team *team =
            load_team_of(teams, workspace->zone, workspace->team, &load->text, error);
        TRY(team);
        if (fill)
            team->workspaces[team->workspace_count] = workspace;
        team->workspace_count++;
    }
    return true;
}

static bool load_make_lists(struct load *load, const struct map *teams, struct error *error)
{
    struct model *model = load->model;
    struct arena *arena = &model->arena;
    for (size_t i = 0; i < model->zone_count; i++) {
        struct model_zone *zone = &model->zones[i];
        zone->teams = arena_zero(arena, zone->team_count + 1, sizeof *zone->teams, error);
        TRY(zone->teams);
        zone->team_count = 0;
    }
    for (size_t i = 0; i < teams->count; i++) {
        struct model_team *team = teams->entries[i].value;
        struct model_zone *zone = map_get_text(&model->zone_index, team->zone);
        zone->teams[zone->team_count++] = team;
        team->stores = arena_zero(arena, team->store_count + 1, sizeof *team->stores, error);
        team->workspaces =
            arena_zero(arena, team->workspace_count + 1, sizeof *team->workspaces, error);
        TRY(team->stores && team->workspaces);
        team->store_count = team->workspace_count = 0;
    }
    return true;
}

/* Hangs each assignment behind the others of its group, in their order. */
static void load_link_assignments(struct model *model)
{
    for (size_t i = model->assignment_count; i-- > 0;) {
        struct model_assignment *assignment = &model->assignments[i];
        const struct model_workspace *workspace = model_workspace(model, assignment->workspace);
        for (size_t j = 0; workspace && j < workspace->group_count; j++) {
            struct model_group *group = &workspace->groups[j];
            if (strcmp(group->name, assignment->group) != 0)
                continue;
            assignment->next = group->assigned;
            group->assigned = assignment;
            break;
        }
    }
}

bool load_index(struct load *load, struct error *error)
{
    struct map teams = {0};
    bool ok = load_outputs(load, error) && load_index_names(load, error) &&
              load_index_teams(load, &teams, error) &&
              load_fill_teams(load, &teams, false, error) && load_make_lists(load, &teams, error) &&
              load_fill_teams(load, &teams, true, error);
    map_destroy(&teams);
    if (ok)
        load_link_assignments(load->model);
    return ok;
}

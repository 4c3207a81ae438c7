/* Zones and their teams (bundle-format.md, section 3). */
#include <string.h>

#include "core/model/load.h"

static bool load_stores(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *name = arena_copy_slice(&load->model->arena, key, error);
        TRY(name);
        load->store = name;
        struct model_store store = {.name = name, .zone = load->zone, .team = load->team};
        if (reader_peek(in) == READER_OBJECT) {
            TRY(load_store(load, name, &store, error));
        } else {
            TRY(reader_skip(in, error));
            TRY(load_warn(load, error, "store %s is not in the bundle, only its name", name));
        }
        TRY(load_add_store(load, &store, error));
    }
    load->store = NULL;
    return reader_ended(in, error);
}

static bool load_workspaces(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        load->workspace = arena_copy_slice(&load->model->arena, key, error);
        TRY(load->workspace && load_workspace(load, load->workspace, error));
    }
    load->workspace = NULL;
    return reader_ended(in, error);
}

static bool load_team(struct load *load, const char *name, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_team team = {.name = name, .zone = load->zone};
    load->team = name;
    if (reader_peek(in) != READER_OBJECT) {
        TRY(reader_skip(in, error));
    } else {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            bool taken;
            if (slice_is(key, "dataStores"))
                TRY(load_stores(load, error));
            else if (slice_is(key, "workspaces"))
                TRY(load_workspaces(load, error));
            else if (slice_is(key, "owningRepo"))
                TRY(load_repository(load, &team.owner, error));
            else
                TRY(load_about(load, key, &team.about, &taken, error) &&
                    (taken || reader_skip(in, error)));
        }
        TRY(reader_ended(in, error));
    }
    load->team = NULL;
    TRY(load_grow(load, &model->teams, model->team_count, &load->team_capacity, sizeof team,
                  error));
    model->teams[model->team_count++] = team;
    return true;
}

static bool load_teams(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *name = arena_copy_slice(&load->model->arena, key, error);
        TRY(name && load_team(load, name, error));
    }
    return reader_ended(in, error);
}

static bool load_zone(struct load *load, const char *name, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_zone zone = {.name = name};
    load->zone = name;
    if (reader_peek(in) != READER_OBJECT) {
        TRY(reader_skip(in, error));
    } else {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            bool taken;
            if (slice_is(key, "teams"))
                TRY(load_teams(load, error));
            else if (slice_is(key, "owningRepo"))
                TRY(load_repository(load, &zone.owner, error));
            else
                TRY(load_about(load, key, &zone.about, &taken, error) &&
                    (taken || reader_skip(in, error)));
        }
        TRY(reader_ended(in, error));
    }
    load->zone = NULL;
    TRY(load_grow(load, &model->zones, model->zone_count, &load->zone_capacity, sizeof zone,
                  error));
    model->zones[model->zone_count++] = zone;
    return true;
}

bool load_zones(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *name = arena_copy_slice(&load->model->arena, key, error);
        TRY(name && load_zone(load, name, error));
    }
    return reader_ended(in, error);
}

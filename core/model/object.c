#include "core/model/object.h"

#include <string.h>

#include "core/base/nearest.h"

enum { NEAREST_MOST = 4096 };

const char *model_object_kind_name(enum model_object_kind kind)
{
    static const char *const names[] = {"model",     "zone",          "team",
                                        "store",     "dataset",       "column",
                                        "workspace", "dataset group", "platform"};
    return names[kind];
}

const char *object_name(const struct model *model, const struct model_object *object)
{
    switch (object->kind) {
    case OBJECT_MODEL:
        return model->name;
    case OBJECT_ZONE:
        return object->zone->name;
    case OBJECT_TEAM:
        return object->team->name;
    case OBJECT_STORE:
        return object->store->name;
    case OBJECT_DATASET:
        return object->dataset->name;
    case OBJECT_COLUMN:
        return object->column->name;
    case OBJECT_WORKSPACE:
        return object->workspace->name;
    case OBJECT_GROUP:
        return object->group->name;
    case OBJECT_PLATFORM:
        return object->platform->name;
    }
    return "?";
}

const struct model_about *object_about(const struct model *model, const struct model_object *object)
{
    static const struct model_about nothing;
    switch (object->kind) {
    case OBJECT_MODEL:
        return &model->about;
    case OBJECT_ZONE:
        return &object->zone->about;
    case OBJECT_TEAM:
        return &object->team->about;
    case OBJECT_STORE:
        return &object->store->about;
    case OBJECT_DATASET:
        return &object->dataset->about;
    case OBJECT_WORKSPACE:
        return &object->workspace->about;
    case OBJECT_GROUP:
        return &object->group->about;
    case OBJECT_PLATFORM:
        return &object->platform->about;
    case OBJECT_COLUMN:
        break; /* a column has its documentation alone */
    }
    return &nothing;
}

static bool team_has_store(const struct model_team *team, const char *name)
{
    for (size_t i = 0; i < team->store_count; i++)
        if (strcmp(team->stores[i]->name, name) == 0)
            return true;
    return false;
}

bool object_path(const struct model_object *object, struct buffer *out, struct error *error)
{
    if (object->kind == OBJECT_MODEL)
        return true;
    if (object->kind == OBJECT_PLATFORM)
        return buffer_append_format(out, error, "platforms/%s", object->platform->name);
    TRY(buffer_append_text(out, object->zone->name, error));
    if (object->kind == OBJECT_ZONE)
        return true;
    TRY(buffer_append_format(out, error, "/%s", object->team->name));
    if (object->workspace)
        TRY(buffer_append_format(
            out, error, "/%s%s",
            team_has_store(object->team, object->workspace->name) ? "workspaces/" : "",
            object->workspace->name));
    if (object->group)
        return buffer_append_format(out, error, "/%s", object->group->name);
    if (object->store)
        TRY(buffer_append_format(out, error, "/%s", object->store->name));
    if (object->dataset)
        TRY(buffer_append_format(out, error, "/%s", object->dataset->name));
    return object->column == NULL || buffer_append_format(out, error, "/%s", object->column->name);
}

/* ---- the tree ---- */

size_t object_child_count(const struct model *model, const struct model_object *object)
{
    switch (object->kind) {
    case OBJECT_MODEL:
        return model->zone_index.count + model->platform_count;
    case OBJECT_ZONE:
        return object->zone->team_count;
    case OBJECT_TEAM:
        return object->team->store_count + object->team->workspace_count;
    case OBJECT_STORE:
        return object->store->dataset_count;
    case OBJECT_DATASET:
        return object->dataset->column_count;
    case OBJECT_WORKSPACE:
        return object->workspace->group_count;
    case OBJECT_COLUMN:
    case OBJECT_GROUP:
    case OBJECT_PLATFORM:
        break;
    }
    return 0;
}

struct model_object object_child(const struct model *model, const struct model_object *object,
                                 size_t index)
{
    struct model_object child = *object;
    switch (object->kind) {
    case OBJECT_MODEL: {
        size_t zones = model->zone_index.count;
        child.kind = index < zones ? OBJECT_ZONE : OBJECT_PLATFORM;
        if (index < zones)
            child.zone = model->zone_index.entries[index].value;
        else
            child.platform = &model->platforms[index - zones];
        break;
    }
    case OBJECT_ZONE:
        child.kind = OBJECT_TEAM;
        child.team = object->zone->teams[index];
        break;
    case OBJECT_TEAM: {
        size_t stores = object->team->store_count;
        child.kind = index < stores ? OBJECT_STORE : OBJECT_WORKSPACE;
        if (index < stores)
            child.store = object->team->stores[index];
        else
            child.workspace = object->team->workspaces[index - stores];
        break;
    }
    case OBJECT_STORE:
        child.kind = OBJECT_DATASET;
        child.dataset = &object->store->datasets[index];
        break;
    case OBJECT_DATASET:
        child.kind = OBJECT_COLUMN;
        child.column = &object->dataset->columns[index];
        break;
    case OBJECT_WORKSPACE:
        child.kind = OBJECT_GROUP;
        child.group = &object->workspace->groups[index];
        break;
    case OBJECT_COLUMN:
    case OBJECT_GROUP:
    case OBJECT_PLATFORM:
        break;
    }
    return child;
}

static struct model_object object_in_team(const struct model *model, const char *zone,
                                          const char *team)
{
    struct model_object object = {.kind = OBJECT_TEAM, .zone = model_zone(model, zone)};
    object.team = object.zone ? model_team(object.zone, team) : NULL;
    return object;
}

struct model_object object_of_store(const struct model *model, const struct model_store *store)
{
    struct model_object object = object_in_team(model, store->zone, store->team);
    object.kind = OBJECT_STORE;
    object.store = store;
    return object;
}

struct model_object object_of_workspace(const struct model *model,
                                        const struct model_workspace *workspace)
{
    struct model_object object = object_in_team(model, workspace->zone, workspace->team);
    object.kind = OBJECT_WORKSPACE;
    object.workspace = workspace;
    return object;
}

/* ---- finding ---- */

struct finder {
    const struct model *model;
    struct model_object deepest; /* that was found on the way */
    struct slice missing;        /* what it does not hold */
    unsigned depth;
    bool any;
};

static void finder_missed(struct finder *finder, const struct model_object *object, unsigned depth,
                          struct slice name)
{
    if (finder->any && depth <= finder->depth)
        return;
    finder->any = true;
    finder->depth = depth;
    finder->deepest = *object;
    finder->missing = name;
}

/* The part before the first separator; *rest begins behind it, and is NULL when there is none. A
 * group or dataset follows '/' or '#', a column also '.'. */
static struct slice path_segment(const char *path, bool column_next, const char **rest)
{
    size_t length = strcspn(path, column_next ? "/#." : "/#");
    *rest = path[length] ? path + length + 1 : NULL;
    return slice_make(path, length);
}

static bool finder_below(struct finder *finder, struct model_object object, const char *path,
                         unsigned depth, struct model_object *out);

static bool finder_take(struct finder *finder, const struct model_object *object, const char *rest,
                        unsigned depth, struct model_object *out)
{
    if (rest && *rest)
        return finder_below(finder, *object, rest, depth + 1, out);
    *out = *object;
    return true;
}

/* Below a team one may say of which kind: "stores/X", "workspaces/X". */
static bool finder_in_team(struct finder *finder, const struct model_object *team,
                           struct slice name, const char *rest, unsigned depth,
                           struct model_object *out)
{
    bool stores = slice_is(name, "stores");
    if (rest == NULL || (!stores && !slice_is(name, "workspaces")))
        return false;
    struct slice wanted = path_segment(rest, false, &rest);
    size_t count = object_child_count(finder->model, team);
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(finder->model, team, i);
        if ((child.kind == OBJECT_STORE) == stores &&
            slice_is(wanted, object_name(finder->model, &child)) &&
            finder_take(finder, &child, rest, depth, out))
            return true;
    }
    return false;
}

static bool finder_below(struct finder *finder, struct model_object object, const char *path,
                         unsigned depth, struct model_object *out)
{
    const char *rest;
    struct slice name = path_segment(path, object.kind == OBJECT_STORE, &rest);
    if (object.kind == OBJECT_TEAM && finder_in_team(finder, &object, name, rest, depth, out))
        return true;
    size_t count = object_child_count(finder->model, &object);
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(finder->model, &object, i);
        if (slice_is(name, object_name(finder->model, &child)) &&
            finder_take(finder, &child, rest, depth, out))
            return true;
    }
    finder_missed(finder, &object, depth, name);
    return false;
}

/* A name without a path: zones, stores, workspaces, platforms, teams. */
static bool finder_named(struct finder *finder, struct slice name, const char *rest,
                         struct model_object *out)
{
    const struct model *model = finder->model;
    struct model_object object = {.kind = OBJECT_ZONE, .zone = map_get(&model->zone_index, name)};
    if (object.zone && finder_take(finder, &object, rest, 0, out))
        return true;
    const struct model_store *store = map_get(&model->store_index, name);
    object = store ? object_of_store(model, store) : object;
    if (store && finder_take(finder, &object, rest, 0, out))
        return true;
    const struct model_workspace *workspace = map_get(&model->workspace_index, name);
    object = workspace ? object_of_workspace(model, workspace) : object;
    if (workspace && finder_take(finder, &object, rest, 0, out))
        return true;
    object = (struct model_object){.kind = OBJECT_PLATFORM,
                                   .platform = map_get(&model->platform_index, name)};
    if (object.platform && finder_take(finder, &object, rest, 0, out))
        return true;
    for (size_t i = 0; i < model->team_count; i++) {
        const struct model_team *team = &model->teams[i];
        object = object_in_team(model, team->zone, team->name);
        if (object.team && slice_is(name, team->name) && finder_take(finder, &object, rest, 0, out))
            return true;
    }
    return false;
}

/* What the deepest object holds: the names to choose the nearest of. */
static bool finder_error(const struct finder *finder, const char *path, struct error *error)
{
    const struct model *model = finder->model;
    const char **names = NULL;
    struct arena arena = {0};
    size_t count = 0, zones = model->zone_count, platforms = model->platform_count;
    bool top = finder->deepest.kind == OBJECT_MODEL;
    size_t all = top ? zones + platforms + model->store_index.count + model->workspace_index.count
                     : object_child_count(model, &finder->deepest);
    names = arena_zero(&arena, all + 1, sizeof *names, error);
    for (size_t i = 0; names && top && i < model->store_index.count; i++)
        names[count++] = ((const struct model_store *)model->store_index.entries[i].value)->name;
    for (size_t i = 0; names && top && i < model->workspace_index.count; i++)
        names[count++] =
            ((const struct model_workspace *)model->workspace_index.entries[i].value)->name;
    size_t children = object_child_count(model, &finder->deepest);
    for (size_t i = 0; names && i < children; i++) {
        struct model_object child = object_child(model, &finder->deepest, i);
        names[count++] = object_name(model, &child);
    }
    char *missing = arena_copy_slice(&arena, finder->missing, error);
    if (names && missing) {
        const char *near =
            nearest_word(missing, names, count < NEAREST_MOST ? count : NEAREST_MOST);
        error_set(error, ERROR_NOT_FOUND, "surfboard model search finds a part of a name",
                  "%s: %s %s has no %s", path, model_object_kind_name(finder->deepest.kind),
                  object_name(model, &finder->deepest), missing);
        if (near)
            error_remedy(error, "did you mean %s?", near);
    }
    arena_destroy(&arena);
    return false;
}

bool object_find(const struct model *model, const char *path, struct model_object *out,
                 struct error *error)
{
    struct finder finder = {.model = model};
    const struct model_object top = {.kind = OBJECT_MODEL};
    while (*path == '/')
        path++;
    *out = top;
    if (*path == '\0')
        return true;
    const char *rest;
    struct slice name = path_segment(path, false, &rest);
    if (slice_is(name, "platforms") && rest) {
        struct model_object platform = {.kind = OBJECT_PLATFORM,
                                        .platform = model_platform(model, rest)};
        *out = platform;
        if (platform.platform)
            return true;
    }
    *out = top;
    if (finder_named(&finder, name, rest, out))
        return true;
    finder_missed(&finder, &top, 0, name);
    return finder_error(&finder, path, error);
}

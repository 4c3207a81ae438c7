#include "core/model/lint.h"

#include <stdlib.h>
#include <string.h>

#include "core/model/object.h"

struct linter {
    const struct model *model;
    struct lint *lint;
    size_t capacity;
    struct buffer path;
};

const char *lint_severity_name(enum lint_severity severity)
{
    static const char *const names[] = {"info", "warning", "error"};
    return names[severity];
}

static bool lint_add(struct linter *linter, enum lint_severity severity, const char *kind,
                     const char *path, const char *message, const char *remedy, struct error *error)
{
    struct lint *lint = linter->lint;
    TRY(path && message);
    if (lint->count == linter->capacity) {
        size_t wanted = linter->capacity ? linter->capacity * 2 : 16;
        struct lint_problem *fresh = arena_zero(&lint->arena, wanted, sizeof *fresh, error);
        TRY(fresh);
        if (lint->count)
            memcpy(fresh, lint->problems, lint->count * sizeof *fresh);
        lint->problems = fresh;
        linter->capacity = wanted;
    }
    lint->errors += severity == LINT_ERROR;
    lint->warnings += severity == LINT_WARNING;
    lint->problems[lint->count++] = (struct lint_problem){severity, kind, path, message, remedy};
    return true;
}

static const char *lint_path(struct linter *linter, const struct model_object *object,
                             struct error *error)
{
    buffer_clear(&linter->path);
    TRY(object_path(object, &linter->path, error));
    return arena_copy_slice(&linter->lint->arena, buffer_slice(&linter->path), error);
}

/* ---- groups: what they read, and whether anything flows to them ---- */

/* The place of a workspace's first group within the flags. */
static bool served_places(const struct model *model, struct arena *arena, size_t **places,
                          size_t *groups, struct error *error)
{
    *groups = 0;
    *places = arena_zero(arena, model->workspace_count + 1, sizeof **places, error);
    TRY(*places);
    for (size_t i = 0; i < model->workspace_count; i++) {
        (*places)[i] = *groups;
        *groups += model->workspaces[i].group_count;
    }
    return true;
}

static bool group_is_mapped(const struct model *model, const struct model_group *group)
{
    for (const struct model_assignment *at = group->assigned; at; at = at->next)
        if (model_assignment_counts(at) && model_platform(model, at->platform))
            return true;
    return false;
}

/* As the graph does it: a workspace with a served group takes along, by all its groups, those that
 * fill what it reads. */
bool lint_served(const struct model *model, struct arena *arena, bool **served, struct error *error)
{
    size_t *places, groups, head = 0, tail = 0;
    TRY(served_places(model, arena, &places, &groups, error));
    *served = arena_zero(arena, groups + 1, sizeof **served, error);
    size_t *queue = arena_zero(arena, model->workspace_count + 1, sizeof *queue, error);
    bool *queued = arena_zero(arena, model->workspace_count + 1, sizeof *queued, error);
    TRY(*served && queue && queued);
    for (size_t i = 0; i < model->workspace_count; i++) {
        const struct model_workspace *workspace = &model->workspaces[i];
        for (size_t j = 0; j < workspace->group_count; j++) {
            bool mapped = group_is_mapped(model, &workspace->groups[j]);
            (*served)[places[i] + j] = mapped;
            if (mapped && !queued[i])
                queue[tail++] = i;
            queued[i] |= mapped;
        }
    }
    while (head < tail) {
        const struct model_workspace *reader = &model->workspaces[queue[head++]];
        for (size_t j = 0; j < reader->group_count; j++)
            for (size_t k = 0; k < reader->groups[j].sink_count; k++) {
                const struct model_store *store =
                    model_store(model, reader->groups[j].sinks[k].store);
                const struct model_workspace *maker =
                    store && store->workspace ? model_workspace(model, store->workspace) : NULL;
                size_t at = maker ? (size_t)(maker - model->workspaces) : 0;
                if (maker == NULL)
                    continue;
                for (size_t m = 0; m < maker->group_count; m++)
                    (*served)[places[at] + m] = true;
                if (!queued[at])
                    queue[tail++] = at;
                queued[at] = true;
            }
    }
    return true;
}

static bool lint_sinks(struct linter *linter, const struct model_object *group, struct error *error)
{
    const struct model *model = linter->model;
    struct arena *arena = &linter->lint->arena;
    for (size_t i = 0; i < group->group->sink_count; i++) {
        const struct model_sink *sink = &group->group->sinks[i];
        const struct model_store *store = model_store(model, sink->store);
        if (store && (!store->loaded || model_dataset(store, sink->dataset)))
            continue;
        TRY(lint_add(linter, LINT_ERROR, store ? "sink-unknown-dataset" : "sink-unknown-store",
                     lint_path(linter, group, error),
                     store ? arena_format(arena, error, "store %s has no dataset %s", sink->store,
                                          sink->dataset)
                           : arena_format(arena, error, "there is no store %s", sink->store),
                     "correct the sink, or add what it names", error));
    }
    return true;
}

static bool lint_groups(struct linter *linter, struct error *error)
{
    const struct model *model = linter->model;
    struct arena arena = {0};
    bool *served = NULL;
    bool ok = lint_served(model, &arena, &served, error);
    for (size_t i = 0, at = 0; ok && i < model->workspace_count; i++) {
        struct model_object object = object_of_workspace(model, &model->workspaces[i]);
        object.kind = OBJECT_GROUP;
        bool first = model_workspace(model, object.workspace->name) == object.workspace;
        for (size_t j = 0; ok && j < object.workspace->group_count; j++, at++) {
            object.group = &object.workspace->groups[j];
            ok = lint_sinks(linter, &object, error);
            if (ok && first && !served[at])
                ok = lint_add(linter, LINT_WARNING, "group-without-platform",
                              lint_path(linter, &object, error),
                              object.group->assigned ? "no platform that the model has serves it"
                                                     : "no platform is mapped to it",
                              "map it to a platform, or remove it", error);
        }
    }
    arena_destroy(&arena);
    return ok;
}

/* ---- mappings, primary platforms, transformers ---- */

static bool lint_assignments(struct linter *linter, struct error *error)
{
    const struct model *model = linter->model;
    struct arena *arena = &linter->lint->arena;
    static const char remedy[] = "correct the mapping (dsg_platform_mapping.json)";
    for (size_t i = 0; i < model->assignment_count; i++) {
        const struct model_assignment *at = &model->assignments[i];
        const struct model_workspace *workspace = model_workspace(model, at->workspace);
        struct model_object object = {0};
        const char *path = "";
        if (workspace) {
            object = object_of_workspace(model, workspace);
            object.group = model_group(workspace, at->group);
            object.kind = object.group ? OBJECT_GROUP : OBJECT_WORKSPACE;
            path = lint_path(linter, &object, error);
        }
        if (workspace == NULL)
            TRY(lint_add(linter, LINT_ERROR, "mapping-unknown-workspace", path,
                         arena_format(arena, error,
                                      "a mapping names workspace %s, which is not there",
                                      at->workspace),
                         remedy, error));
        else if (object.group == NULL)
            TRY(lint_add(linter, LINT_ERROR, "mapping-unknown-group", path,
                         arena_format(arena, error, "a mapping names group %s, which is not there",
                                      at->group),
                         remedy, error));
        if (model_platform(model, at->platform) == NULL)
            TRY(lint_add(linter, LINT_ERROR, "mapping-unknown-platform", path,
                         arena_format(arena, error,
                                      "a mapping names platform %s, which is not there",
                                      at->platform),
                         remedy, error));
    }
    return true;
}

static bool lint_primaries(struct linter *linter, struct error *error)
{
    const struct model *model = linter->model;
    struct arena *arena = &linter->lint->arena;
    static const char remedy[] = "correct the primary ingestion platforms";
    for (size_t i = 0; i < model->primary_count; i++) {
        const struct model_primary *primary = &model->primaries[i];
        const struct model_store *store = model_store(model, primary->store);
        struct model_object object = {0};
        if (store)
            object = object_of_store(model, store);
        const char *path = store ? lint_path(linter, &object, error) : "";
        if (store == NULL)
            TRY(lint_add(linter, LINT_ERROR, "pip-unknown-store", path,
                         arena_format(arena, error,
                                      "primary platforms are named for store %s, which "
                                      "is not there",
                                      primary->store),
                         remedy, error));
        for (size_t j = 0; j < primary->platform_count; j++)
            if (model_platform(model, primary->platforms[j]) == NULL)
                TRY(lint_add(linter, LINT_ERROR, "pip-unknown-platform", path,
                             arena_format(arena, error,
                                          "%s is to be its primary platform, and is not "
                                          "there",
                                          primary->platforms[j]),
                             remedy, error));
    }
    return true;
}

static bool lint_transformers(struct linter *linter, struct error *error)
{
    const struct model *model = linter->model;
    struct arena *arena = &linter->lint->arena;
    for (size_t i = 0; i < model->workspace_count; i++) {
        const struct model_workspace *workspace = &model->workspaces[i];
        if (workspace->output_store == NULL || model_store(model, workspace->output_store))
            continue;
        struct model_object object = object_of_workspace(model, workspace);
        TRY(lint_add(linter, LINT_ERROR, "transformer-no-store", lint_path(linter, &object, error),
                     arena_format(arena, error,
                                  "its transformer fills store %s, which is not there",
                                  workspace->output_store),
                     "add the store to the team, or correct the name", error));
    }
    for (size_t i = 0; i < model->store_count; i++) {
        const struct model_store *store = &model->stores[i];
        if (store->workspace == NULL)
            continue;
        const struct model_workspace *maker = model_workspace(model, store->workspace);
        if (maker && maker->transformer.name)
            continue;
        struct model_object object = object_of_store(model, store);
        TRY(lint_add(linter, LINT_ERROR, "output-no-transformer", lint_path(linter, &object, error),
                     arena_format(arena, error,
                                  maker ? "workspace %s is to fill it, and has no "
                                          "transformer"
                                        : "workspace %s is to fill it, and is not there",
                                  store->workspace),
                     "add the transformer, or correct the name", error));
    }
    return true;
}

static bool lint_warnings(struct linter *linter, struct error *error)
{
    for (size_t i = 0; i < linter->model->warning_count; i++)
        TRY(lint_add(linter, LINT_WARNING, "bundle", linter->model->warnings[i].path,
                     linter->model->warnings[i].text, "correct it in the model and export it again",
                     error));
    return true;
}

/* '/' comes before every other byte, so that what lies below a path follows it at once. */
static int compare_paths(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    int x = *a == '/' ? 1 : (unsigned char)*a + (*a != '\0');
    int y = *b == '/' ? 1 : (unsigned char)*b + (*b != '\0');
    return (x > y) - (x < y);
}

static int compare_problems(const void *a, const void *b)
{
    const struct lint_problem *x = a, *y = b;
    int order = compare_paths(x->path, y->path);
    if (order == 0)
        order = (int)y->severity - (int)x->severity;
    if (order == 0)
        order = strcmp(x->kind, y->kind);
    return order ? order : strcmp(x->message, y->message);
}

bool lint_find(const struct model *model, struct lint *out, struct error *error)
{
    *out = (struct lint){0};
    struct linter linter = {.model = model, .lint = out};
    bool ok = lint_warnings(&linter, error) && lint_groups(&linter, error) &&
              lint_assignments(&linter, error) && lint_primaries(&linter, error) &&
              lint_transformers(&linter, error);
    buffer_destroy(&linter.path);
    if (ok && out->count)
        qsort(out->problems, out->count, sizeof *out->problems, compare_problems);
    if (!ok)
        lint_destroy(out);
    return ok;
}

void lint_destroy(struct lint *lint)
{
    arena_destroy(&lint->arena);
    *lint = (struct lint){0};
}

static bool path_is_below(const char *at, const char *path, size_t length)
{
    return length == 0 ||
           (strncmp(at, path, length) == 0 && (at[length] == '\0' || at[length] == '/'));
}

size_t lint_below(const struct lint *lint, const char *path, size_t *first)
{
    size_t length = strlen(path), low = 0, high = lint->count;
    while (low < high) { /* the first that is not before the path */
        size_t middle = low + (high - low) / 2;
        if (compare_paths(lint->problems[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    for (high = low; high < lint->count; high++)
        if (!path_is_below(lint->problems[high].path, path, length))
            break;
    return high - low;
}

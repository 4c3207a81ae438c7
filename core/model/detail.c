#include "core/model/detail.h"

#include <stdio.h>
#include <string.h>

#include "core/base/quantity.h"

enum { DEPENDENTS_SHOWN = 100, PROBLEMS_SHOWN = 50 };

struct maker {
    const struct survey *survey;
    const struct model_object *object;
    struct detail *detail;
    size_t capacity;
    struct error *error;
};

/* One more line; `text` NULL: out of memory. */
static bool add(struct maker *maker, enum detail_mark mark, const char *label, const char *text,
                const char *path)
{
    struct detail *detail = maker->detail;
    TRY(text);
    if (detail->count == maker->capacity) {
        size_t wanted = maker->capacity ? maker->capacity * 2 : 16;
        struct detail_line *fresh = arena_zero(&detail->arena, wanted, sizeof *fresh, maker->error);
        TRY(fresh);
        if (detail->count)
            memcpy(fresh, detail->lines, detail->count * sizeof *fresh);
        detail->lines = fresh;
        maker->capacity = wanted;
    }
    detail->lines[detail->count++] = (struct detail_line){label, text, mark, path};
    return true;
}

/* A line when there is something to say. */
static bool add_text(struct maker *maker, const char *label, const char *text)
{
    return text == NULL || *text == '\0' || add(maker, DETAIL_PLAIN, label, text, NULL);
}

/* A person's text, line by line. */
static bool add_lines(struct maker *maker, const char *label, const char *text)
{
    while (text && *text) {
        size_t length = strcspn(text, "\r\n");
        if (length)
            TRY(add(maker, DETAIL_PLAIN, label,
                    arena_copy_slice(&maker->detail->arena, slice_make(text, length), maker->error),
                    NULL));
        label = length ? "" : label;
        text += length + (text[length] != '\0');
    }
    return true;
}

#define FORMAT(maker, ...) arena_format(&(maker)->detail->arena, (maker)->error, __VA_ARGS__)

static const char *path_of(struct maker *maker, const struct model_object *object)
{
    struct buffer path = {0};
    const char *copy = NULL;
    if (object_path(object, &path, maker->error))
        copy = arena_copy_slice(&maker->detail->arena, buffer_slice(&path), maker->error);
    buffer_destroy(&path);
    return copy;
}

static bool add_about(struct maker *maker)
{
    const struct model_about *about = object_about(maker->survey->model, maker->object);
    TRY(add_lines(maker, "About", about->doc));
    if (about->production && strcmp(about->production, "PRODUCTION") == 0)
        TRY(add(maker, DETAIL_PLAIN, "Status", "production", NULL));
    return about->deprecation == NULL ||
           add(maker, DETAIL_WARN, "Status",
               *about->deprecation ? FORMAT(maker, "deprecated: %s", about->deprecation)
                                   : "deprecated",
               NULL);
}

static bool add_repository(struct maker *maker, const char *label,
                           const struct model_repository *repository)
{
    return repository->name == NULL ||
           add(maker, DETAIL_PLAIN, label,
               repository->branch
                   ? FORMAT(maker, "%s, branch %s", repository->name, repository->branch)
                   : repository->name,
               NULL);
}

static bool add_container(struct maker *maker, const char *label,
                          const struct model_container *container)
{
    if (container->type == NULL)
        return true;
    char port[32] = "";
    if (container->port)
        snprintf(port, sizeof port, ":%lld", (long long)container->port);
    return add(maker, DETAIL_PLAIN, label,
               FORMAT(maker, "%s %s%s%s%s%s%s", container->type,
                      container->name ? container->name : "?", container->database ? ": " : "",
                      container->database ? container->database : "", container->host ? " at " : "",
                      container->host ? container->host : "", port),
               NULL);
}

static const char *trigger_text(struct maker *maker, const char *name, const char *cron)
{
    if (name && cron)
        return FORMAT(maker, "%s (%s)", name, cron);
    return name ? name : cron;
}

/* ---- producers ---- */

static bool add_capture(struct maker *maker, const struct model_store *store)
{
    if (store->kind == NULL)
        return add(maker, DETAIL_WARN, "Capture", "the model does not say", NULL);
    const char *trigger = trigger_text(maker, store->trigger, store->cron);
    if (store->workspace) {
        const struct model_workspace *workspace =
            model_workspace(maker->survey->model, store->workspace);
        struct model_object by;
        if (workspace)
            by = object_of_workspace(maker->survey->model, workspace);
        return add(maker, DETAIL_PLAIN, "Capture",
                   FORMAT(maker, "filled by the transformer of %s", store->workspace),
                   workspace ? path_of(maker, &by) : NULL);
    }
    TRY(add(maker, DETAIL_PLAIN, "Capture",
            FORMAT(maker, "%s, %s%s%s", store->kind,
                   store->single ? "each dataset by itself" : "all datasets together",
                   trigger ? ", " : "", trigger ? trigger : ""),
            NULL));
    TRY(add_text(maker, "Watermark", store->watermark));
    return add_text(maker, "Credential", store->credential);
}

static bool add_streams(struct maker *maker, const struct model_store *store,
                        const struct model_dataset *dataset)
{
    struct carrier *carriers;
    size_t count;
    TRY(carrier_find(&maker->survey->carriers, store, dataset ? dataset->name : NULL,
                     &maker->detail->arena, &carriers, &count, maker->error));
    if (count == 0)
        return add(maker, DETAIL_PLAIN, "Stream", "none: no platform has to move it", NULL);
    for (size_t i = 0; i < count; i++) {
        const char *priority = model_priority_name(carriers[i].priority);
        TRY(add(maker, DETAIL_PLAIN, i ? "" : "Stream",
                FORMAT(maker, "%s, %s%s%s%s", carriers[i].stream, carriers[i].platform,
                       priority ? ", priority " : "", priority ? priority : "",
                       carriers[i].primary ? "" : ", not from its source"),
                NULL));
    }
    return true;
}

static const char *latency_text(const char *latency)
{
    static const char *const words[][2] = {{"SECONDS", "seconds: 60 s"},
                                           {"MINUTES", "minutes: 5 min"},
                                           {"HOURS", "hours: 1 h"},
                                           {"DAYS", "days: 24 h"}};
    for (size_t i = 0; latency && i < sizeof words / sizeof *words; i++)
        if (strcmp(latency, words[i][0]) == 0)
            return words[i][1];
    return latency;
}

static bool add_goal(struct maker *maker, const struct model_store *store,
                     const struct model_dataset *dataset)
{
    struct consumer_goal goal;
    consumer_find_goal(&maker->survey->consumers, store->name, dataset ? dataset->name : NULL, NULL,
                       &goal);
    if (goal.ms == 0)
        return true;
    struct model_object object = object_of_workspace(maker->survey->model, goal.workspace);
    object.kind = OBJECT_GROUP;
    object.group = goal.group;
    return add(maker, DETAIL_PLAIN, "Goal",
               FORMAT(maker, "%s, for %s %s", latency_text(goal.group->latency),
                      goal.workspace->name, goal.group->name),
               path_of(maker, &object));
}

/* "Consumer1: LiveDSG, ForensicDSG": a workspace's groups once each. */
static const char *consumer_text(struct maker *maker, const struct consumer *consumers,
                                 size_t count, size_t at)
{
    const struct consumer *first = &consumers[at];
    const char *text = FORMAT(maker, "%s:", first->workspace->name);
    for (size_t i = at; text && i < count; i++) {
        bool before = consumers[i].workspace != first->workspace;
        for (size_t j = at; j < i && !before; j++)
            before = consumers[j].group == consumers[i].group;
        if (!before)
            text = FORMAT(maker, "%s%s %s", text, i == at ? "" : ",", consumers[i].group->name);
    }
    return text && first->through ? FORMAT(maker, "%s (through %s)", text, first->through->name)
                                  : text;
}

static bool add_consumers(struct maker *maker, const struct model_store *store,
                          const struct model_dataset *dataset)
{
    struct consumer *found;
    size_t count, workspaces, transformers, shown = 0;
    TRY(consumer_find(&maker->survey->consumers, store->name, dataset ? dataset->name : NULL,
                      &maker->detail->arena, &found, &count, maker->error));
    consumer_count(found, count, &workspaces, &transformers);
    if (count == 0)
        return add(maker, DETAIL_PLAIN, "Used by", "nobody", NULL);
    TRY(add(maker, DETAIL_PLAIN, "Used by",
            FORMAT(maker, "%zu workspace%s, %zu transformer%s", workspaces,
                   workspaces == 1 ? "" : "s", transformers, transformers == 1 ? "" : "s"),
            NULL));
    for (size_t i = 0; i < count && shown < DEPENDENTS_SHOWN; i++) {
        bool before = false;
        for (size_t j = 0; j < i && !before; j++)
            before = found[j].workspace == found[i].workspace;
        if (before)
            continue;
        struct model_object object = object_of_workspace(maker->survey->model, found[i].workspace);
        TRY(add(maker, DETAIL_PLAIN, "", consumer_text(maker, found, count, i),
                path_of(maker, &object)));
        shown++;
    }
    return workspaces <= shown ||
           add(maker, DETAIL_PLAIN, "", FORMAT(maker, "and %zu more", workspaces - shown), NULL);
}

static bool detail_store(struct maker *maker)
{
    const struct model_store *store = maker->object->store;
    if (!store->loaded)
        return add(maker, DETAIL_WARN, "Status", "only its name is in the bundle", NULL);
    TRY(add_capture(maker, store) && add_container(maker, "Source", &store->container));
    if (store->approval)
        TRY(add(maker, DETAIL_PLAIN, "Access", "readers need an approval", NULL));
    return add_streams(maker, store, NULL) && add_goal(maker, store, NULL) &&
           add_consumers(maker, store, NULL) &&
           add_repository(maker, "Owner", &maker->object->team->owner);
}

static bool detail_dataset(struct maker *maker)
{
    const struct model_store *store = maker->object->store;
    const struct model_dataset *dataset = maker->object->dataset;
    if (store->about.deprecation)
        TRY(add(maker, DETAIL_WARN, "Status", "its store is deprecated", NULL));
    TRY(add_streams(maker, store, dataset) && add_capture(maker, store) &&
        add_container(maker, "Source", &store->container));
    if (strcmp(dataset->table, dataset->name) != 0)
        TRY(add(maker, DETAIL_PLAIN, "Table", dataset->table, NULL));
    TRY(add_text(maker, "Class", dataset->class));
    TRY(add_goal(maker, store, dataset) && add_consumers(maker, store, dataset));
    return dataset->schema
               ? add(maker, DETAIL_PLAIN, "Schema",
                     FORMAT(maker, "%s, %zu columns", dataset->schema, dataset->column_count), NULL)
               : add(maker, DETAIL_WARN, "Schema", "none", NULL);
}

static bool detail_column(struct maker *maker)
{
    const struct model_column *column = maker->object->column;
    const char *class = column->class ? column->class : maker->object->dataset->class;
    TRY(add_lines(maker, "About", column->doc));
    TRY(add(maker, DETAIL_PLAIN, "Type",
            FORMAT(maker, "%s%s", column->type, column->nullable ? "" : ", not null"), NULL));
    if (column->key)
        TRY(add(maker, DETAIL_PLAIN, "Key", FORMAT(maker, "part %u of it", column->key), NULL));
    return add_text(maker, "Class", class);
}

/* ---- consumers ---- */

static bool detail_workspace(struct maker *maker)
{
    const struct model_workspace *workspace = maker->object->workspace;
    const struct model_transformer *transformer = &workspace->transformer;
    if (!workspace->loaded)
        return add(maker, DETAIL_WARN, "Status", "only its name is in the bundle", NULL);
    TRY(add_text(maker, "Priority", model_priority_name(workspace->priority)));
    TRY(add_container(maker, "Container", &workspace->container));
    TRY(add_repository(maker, "Owner", &maker->object->team->owner));
    if (transformer->name == NULL)
        return true;
    const struct model_store *output =
        workspace->output_store ? model_store(maker->survey->model, workspace->output_store) : NULL;
    struct model_object object;
    if (output)
        object = object_of_store(maker->survey->model, output);
    TRY(add(maker, DETAIL_PLAIN, "Transformer",
            FORMAT(maker, "%s, fills %s", transformer->name,
                   workspace->output_store ? workspace->output_store : "nothing"),
            output ? path_of(maker, &object) : NULL));
    TRY(add_lines(maker, "", transformer->about.doc));
    TRY(add_text(maker, "Runs", trigger_text(maker, transformer->trigger, transformer->cron)));
    if (transformer->code)
        TRY(add(maker, DETAIL_PLAIN, "Code",
                FORMAT(maker, "%s%s%s%s%s", transformer->code, transformer->source.name ? ", " : "",
                       transformer->source.name ? transformer->source.name : "",
                       transformer->version ? ", " : "",
                       transformer->version ? transformer->version : ""),
                NULL));
    return true;
}

static bool add_platforms(struct maker *maker, const struct model_group *group)
{
    if (group->assigned == NULL)
        TRY(add(maker, DETAIL_WARN, "Platform", "none is mapped to it", NULL));
    for (const struct model_assignment *at = group->assigned; at; at = at->next)
        TRY(add(maker, DETAIL_PLAIN, at == group->assigned ? "Platform" : "",
                FORMAT(maker, "%s%s%s", at->platform, at->status ? ", " : "",
                       at->status ? at->status : ""),
                FORMAT(maker, "platforms/%s", at->platform)));
    return group->chooser == NULL || group->fixed == NULL ||
           add(maker, DETAIL_PLAIN, "Asks for",
               FORMAT(maker, "%s (%s)", group->fixed, group->chooser), NULL);
}

static bool add_retention(struct maker *maker, const struct model_group *group)
{
    if (group->milestoning == NULL && group->retention_s < 0 && group->regulator == NULL)
        return true;
    char least[48] = "", age[QUANTITY_TEXT_SIZE];
    if (group->retention_s >= 0 && group->retention_s < INT64_MAX / 1000) {
        quantity_format_age(group->retention_s * 1000, age);
        snprintf(least, sizeof least, "%skept at least %s", group->milestoning ? ", " : "", age);
    }
    return add(maker, DETAIL_PLAIN, "Retention",
               FORMAT(maker, "%s%s%s%s", group->milestoning ? group->milestoning : "", least,
                      group->regulator ? ", for " : "", group->regulator ? group->regulator : ""),
               NULL);
}

static bool detail_group(struct maker *maker)
{
    const struct model *model = maker->survey->model;
    const struct model_group *group = maker->object->group;
    TRY(add_platforms(maker, group));
    TRY(add_text(maker, "Latency", latency_text(group->latency)));
    TRY(add_retention(maker, group));
    for (size_t i = 0; i < group->sink_count; i++) {
        const struct model_sink *sink = &group->sinks[i];
        const struct model_store *store = model_store(model, sink->store);
        struct model_object object = {0};
        if (store)
            object = object_of_store(model, store);
        object.dataset = store ? model_dataset(store, sink->dataset) : NULL;
        object.kind = object.dataset ? OBJECT_DATASET : OBJECT_STORE;
        TRY(add(maker, object.dataset || (store && !store->loaded) ? DETAIL_PLAIN : DETAIL_FAIL,
                i ? "" : "Reads",
                FORMAT(maker, "%s#%s%s", sink->store, sink->dataset,
                       object.dataset            ? ""
                       : store && !store->loaded ? ", not in the bundle"
                                                 : ", which is not there"),
                object.dataset ? path_of(maker, &object) : NULL));
    }
    return group->sink_count || add(maker, DETAIL_WARN, "Reads", "nothing", NULL);
}

/* ---- the rest ---- */

static bool detail_platform(struct maker *maker)
{
    const struct model *model = maker->survey->model;
    const struct model_platform *platform = maker->object->platform;
    size_t groups = 0;
    for (size_t i = 0; i < model->assignment_count; i++)
        groups += strcmp(model->assignments[i].platform, platform->name) == 0;
    TRY(add_text(maker, "Kind", platform->type) &&
        add_text(maker, "Provider", platform->provider) &&
        add_text(maker, "Strategy", platform->strategy));
    return add(maker, DETAIL_PLAIN, "Serves", FORMAT(maker, "%zu groups", groups), NULL);
}

static bool detail_model(struct maker *maker)
{
    const struct model *model = maker->survey->model;
    size_t datasets = 0, groups = 0, alone = 0;
    for (size_t i = 0; i < model->store_count; i++)
        datasets += model->stores[i].dataset_count;
    for (size_t i = 0; i < model->workspace_count; i++) {
        groups += model->workspaces[i].group_count;
        for (size_t j = 0; j < model->workspaces[i].group_count; j++)
            alone += model->workspaces[i].groups[j].assigned == NULL;
    }
    TRY(add(maker, DETAIL_PLAIN, "File", model->path, NULL));
    TRY(add_repository(maker, "Owner", &model->owner) &&
        add_repository(maker, "Live", &model->live));
    TRY(add(maker, DETAIL_PLAIN, "Producers",
            FORMAT(maker, "%zu stores, %zu datasets", model->store_count, datasets), NULL));
    TRY(add(maker, DETAIL_PLAIN, "Consumers",
            FORMAT(maker, "%zu workspaces, %zu groups, %zu of them without a platform",
                   model->workspace_count, groups, alone),
            NULL));
    return add(maker, DETAIL_PLAIN, "Platforms", FORMAT(maker, "%zu", model->platform_count), NULL);
}

static bool add_lint(struct maker *maker)
{
    const struct lint *lint = &maker->survey->lint;
    const char *path = path_of(maker, maker->object);
    TRY(path);
    size_t first, count = lint_below(lint, path, &first);
    for (size_t i = 0; i < count && i < PROBLEMS_SHOWN; i++) {
        const struct lint_problem *problem = &lint->problems[first + i];
        bool here = strcmp(problem->path, path) == 0;
        TRY(add(maker, problem->severity == LINT_ERROR ? DETAIL_FAIL : DETAIL_WARN, i ? "" : "Lint",
                here ? problem->message : FORMAT(maker, "%s: %s", problem->path, problem->message),
                here ? NULL : problem->path));
    }
    return count <= PROBLEMS_SHOWN ||
           add(maker, DETAIL_WARN, "", FORMAT(maker, "and %zu more", count - PROBLEMS_SHOWN), NULL);
}

bool detail_build(const struct survey *survey, const struct model_object *object,
                  struct detail *out, struct error *error)
{
    *out = (struct detail){0};
    struct maker maker = {.survey = survey, .object = object, .detail = out, .error = error};
    bool ok = add_about(&maker);
    switch (object->kind) {
    case OBJECT_MODEL:
        ok = ok && detail_model(&maker);
        break;
    case OBJECT_ZONE:
        ok = ok && add_repository(&maker, "Owner", &object->zone->owner);
        break;
    case OBJECT_TEAM:
        ok = ok && add_repository(&maker, "Owner", &object->team->owner);
        break;
    case OBJECT_STORE:
        ok = ok && detail_store(&maker);
        break;
    case OBJECT_DATASET:
        ok = ok && detail_dataset(&maker);
        break;
    case OBJECT_COLUMN:
        ok = ok && detail_column(&maker);
        break;
    case OBJECT_WORKSPACE:
        ok = ok && detail_workspace(&maker);
        break;
    case OBJECT_GROUP:
        ok = ok && detail_group(&maker);
        break;
    case OBJECT_PLATFORM:
        ok = ok && detail_platform(&maker);
        break;
    }
    ok = ok && add_lint(&maker);
    if (!ok)
        detail_destroy(out);
    return ok;
}

void detail_destroy(struct detail *detail)
{
    arena_destroy(&detail->arena);
    *detail = (struct detail){0};
}

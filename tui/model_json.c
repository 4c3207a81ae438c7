#include "tui/model_json.h"

static json_t *path_json(const struct model_object *object)
{
    struct buffer path = {0};
    json_t *text = object_path(object, &path, NULL)
                       ? json_stringn(path.data ? path.data : "", path.length)
                       : NULL;
    buffer_destroy(&path);
    return text;
}

json_t *model_json_name(const struct model *model, const struct model_object *object)
{
    return json_pack("{s:o, s:s, s:s}", "path", path_json(object), "kind",
                     model_object_kind_name(object->kind), "name", object_name(model, object));
}

static json_t *container_json(const struct model_container *container)
{
    if (container->type == NULL)
        return NULL;
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:I}", "type", container->type, "name",
                     container->name, "database", container->database, "host", container->host,
                     "port", (json_int_t)container->port);
}

static json_t *repository_json(const struct model_repository *repository)
{
    if (repository->name == NULL)
        return NULL;
    return json_pack("{s:s, s:s*}", "repository", repository->name, "branch", repository->branch);
}

static json_t *columns_json(const struct model_dataset *dataset)
{
    json_t *list = json_array();
    for (size_t i = 0; i < dataset->column_count; i++) {
        const struct model_column *column = &dataset->columns[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:i, s:s*, s:s*}", "name",
                                              column->name, "type", column->type, "nullable",
                                              column->nullable, "key", (int)column->key, "class",
                                              column->class, "documentation", column->doc));
    }
    return list;
}

static json_t *streams_json(const struct survey *survey, const struct model_object *object)
{
    struct arena arena = {0};
    struct carrier *carriers;
    size_t count = 0;
    json_t *list = json_array();
    const char *dataset = object->dataset ? object->dataset->name : NULL;
    if (carrier_find(&survey->carriers, object->store, dataset, &arena, &carriers, &count, NULL))
        for (size_t i = 0; i < count; i++)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s*, s:b}", "stream", carriers[i].stream,
                                            "platform", carriers[i].platform, "priority",
                                            model_priority_name(carriers[i].priority),
                                            "from_source", carriers[i].primary));
    arena_destroy(&arena);
    return list;
}

static json_t *consumers_json(const struct survey *survey, const struct model_object *object)
{
    struct arena arena = {0};
    struct consumer *found;
    size_t count = 0;
    json_t *list = json_array();
    const char *dataset = object->dataset ? object->dataset->name : NULL;
    if (consumer_find(&survey->consumers, object->store->name, dataset, &arena, &found, &count,
                      NULL))
        for (size_t i = 0; i < count; i++)
            json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:s, s:s, s:i, s:s*}", "workspace", found[i].workspace->name,
                          "group", found[i].group->name, "store", found[i].sink->store, "dataset",
                          found[i].sink->dataset, "hops", (int)found[i].hops, "through",
                          found[i].through ? found[i].through->name : NULL));
    arena_destroy(&arena);
    return list;
}

static json_t *goal_json(const struct survey *survey, const struct model_object *object)
{
    struct consumer_goal goal;
    consumer_find_goal(&survey->consumers, object->store->name,
                       object->dataset ? object->dataset->name : NULL, NULL, &goal);
    if (goal.ms == 0)
        return NULL;
    return json_pack("{s:I, s:s, s:s, s:s}", "goal_s", (json_int_t)(goal.ms / 1000), "latency",
                     goal.group->latency, "workspace", goal.workspace->name, "group",
                     goal.group->name);
}

/* What a dataset has of its store, and a store of itself. */
static json_t *producer_json(const struct survey *survey, const struct model_object *object)
{
    const struct model_store *store = object->store;
    return json_pack("{s:s*, s:b, s:s*, s:o*, s:s*, s:s*, s:s*, s:o, s:o*, s:o}", "capture",
                     store->kind, "single", store->single, "filled_by", store->workspace,
                     "container", container_json(&store->container), "credential",
                     store->credential, "trigger", store->trigger, "cron", store->cron, "streams",
                     streams_json(survey, object), "goal", goal_json(survey, object), "consumers",
                     consumers_json(survey, object));
}

static json_t *dataset_json(const struct survey *survey, const struct model_object *object)
{
    const struct model_dataset *dataset = object->dataset;
    json_t *out = producer_json(survey, object);
    json_t *own =
        json_pack("{s:s, s:s*, s:s*, s:o}", "table", dataset->table, "schema", dataset->schema,
                  "class", dataset->class, "columns", columns_json(dataset));
    json_object_update(out, own);
    json_decref(own);
    return out;
}

static json_t *workspace_json(const struct model_workspace *workspace)
{
    const struct model_transformer *transformer = &workspace->transformer;
    json_t *made =
        transformer->name
            ? json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "name",
                        transformer->name, "documentation", transformer->about.doc, "output_store",
                        workspace->output_store, "code", transformer->code, "repository",
                        transformer->source.name, "version", transformer->version, "trigger",
                        transformer->trigger, "cron", transformer->cron)
            : NULL;
    return json_pack("{s:s*, s:o*, s:o*}", "priority", model_priority_name(workspace->priority),
                     "container", container_json(&workspace->container), "transformer", made);
}

static json_t *group_json(const struct model_group *group)
{
    json_t *platforms = json_array(), *reads = json_array();
    for (const struct model_assignment *at = group->assigned; at; at = at->next)
        json_array_append_new(
            platforms, json_pack("{s:s, s:s*}", "platform", at->platform, "status", at->status));
    for (size_t i = 0; i < group->sink_count; i++)
        json_array_append_new(reads, json_pack("{s:s, s:s}", "store", group->sinks[i].store,
                                               "dataset", group->sinks[i].dataset));
    json_t *out =
        json_pack("{s:o, s:s*, s:s*, s:s*, s:s*, s:s*, s:o}", "platforms", platforms, "latency",
                  group->latency, "milestoning", group->milestoning, "regulator", group->regulator,
                  "chooser", group->chooser, "fixed", group->fixed, "reads", reads);
    if (out && group->retention_s >= 0)
        json_object_set_new(out, "retention_s", json_integer(group->retention_s));
    return out;
}

static json_t *column_json(const struct model_column *column)
{
    return json_pack("{s:s, s:b, s:i, s:s*, s:s*}", "type", column->type, "nullable",
                     column->nullable, "key", (int)column->key, "class", column->class,
                     "documentation", column->doc);
}

static json_t *own_json(const struct survey *survey, const struct model_object *object)
{
    switch (object->kind) {
    case OBJECT_MODEL:
        return json_pack("{s:s, s:o*, s:o*}", "file", survey->model->path, "owner",
                         repository_json(&survey->model->owner), "live",
                         repository_json(&survey->model->live));
    case OBJECT_ZONE:
        return json_pack("{s:o*}", "owner", repository_json(&object->zone->owner));
    case OBJECT_TEAM:
        return json_pack("{s:o*}", "owner", repository_json(&object->team->owner));
    case OBJECT_STORE:
        return producer_json(survey, object);
    case OBJECT_DATASET:
        return dataset_json(survey, object);
    case OBJECT_COLUMN:
        return column_json(object->column);
    case OBJECT_WORKSPACE:
        return workspace_json(object->workspace);
    case OBJECT_GROUP:
        return group_json(object->group);
    case OBJECT_PLATFORM:
        return json_pack("{s:s*, s:s*, s:s*}", "type", object->platform->type, "provider",
                         object->platform->provider, "strategy", object->platform->strategy);
    }
    return NULL;
}

static json_t *problems_json(const struct survey *survey, const struct model_object *object)
{
    struct buffer path = {0};
    json_t *list = json_array();
    size_t first = 0, count = 0;
    if (object_path(object, &path, NULL) && buffer_text(&path, NULL))
        count = lint_below(&survey->lint, path.data, &first);
    for (size_t i = first; i < first + count; i++) {
        const struct lint_problem *problem = &survey->lint.problems[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity",
                                              lint_severity_name(problem->severity), "kind",
                                              problem->kind, "path", problem->path, "message",
                                              problem->message, "remedy", problem->remedy));
    }
    buffer_destroy(&path);
    return list;
}

json_t *model_json_object(const struct survey *survey, const struct model_object *object)
{
    const struct model *model = survey->model;
    const struct model_about *about = object_about(model, object);
    json_t *out = model_json_name(model, object), *own = own_json(survey, object);
    json_t *common = json_pack("{s:s*, s:s*, s:s*, s:o}", "documentation", about->doc, "production",
                               about->production, "deprecation", about->deprecation, "problems",
                               problems_json(survey, object));
    json_object_update(out, own);
    json_object_update(out, common);
    json_decref(own);
    json_decref(common);
    json_t *children = json_array();
    size_t count = object->kind == OBJECT_DATASET ? 0 : object_child_count(model, object);
    for (size_t i = 0; i < count; i++) {
        struct model_object child = object_child(model, object, i);
        json_array_append_new(children, model_json_name(model, &child));
    }
    if (out && object->kind != OBJECT_DATASET && object->kind != OBJECT_COLUMN)
        json_object_set_new(out, "holds", children);
    else
        json_decref(children);
    return out;
}

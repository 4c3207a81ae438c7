/* Consumers: workspaces, groups, sinks, transformers (bundle-format.md, section 5). */
#include <string.h>

#include "core/model/load.h"

static enum model_priority load_priority_value(const char *name)
{
    for (int i = PRIORITY_UNKNOWN; name && i <= PRIORITY_CRITICAL; i++)
        if (strcmp(name, model_priority_name((enum model_priority)i)) == 0)
            return (enum model_priority)i;
    return PRIORITY_UNKNOWN;
}

static bool load_priority(struct load *load, enum model_priority *out, struct error *error)
{
    struct reader *in = load->reader;
    const char *name = NULL;
    if (reader_peek(in) == READER_OBJECT) {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            if (slice_is(key, "priority"))
                TRY(load_text(load, &name, error));
            else
                TRY(reader_skip(in, error));
        }
        TRY(reader_ended(in, error));
    } else {
        TRY(load_text(load, &name, error));
    }
    *out = load_priority_value(name);
    return true;
}

/* The strategy's later names (section 9). */
static const char *load_milestoning(const char *name)
{
    static const char *const later[][2] = {
        {"SCD1", "LIVE_ONLY"}, {"SCD2", "FORENSIC"}, {"SCD4", "LIVE_WITH_FORENSIC_HISTORY"}};
    for (size_t i = 0; name && i < sizeof later / sizeof *later; i++)
        if (strcmp(name, later[i][0]) == 0)
            return later[i][1];
    return name;
}

static bool load_retention(struct load *load, struct model_group *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "latency"))
            TRY(load_text(load, &out->latency, error));
        else if (slice_is(key, "milestoningStrategy") || slice_is(key, "policy"))
            TRY(load_text(load, &out->milestoning, error));
        else
            TRY(reader_skip(in, error));
    }
    out->milestoning = load_milestoning(out->milestoning);
    return reader_ended(in, error);
}

static bool load_chooser(struct load *load, struct model_group *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "retention"))
            TRY(load_retention(load, out, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error);
}

static bool load_sink(struct load *load, struct slice name, struct model_sink *out,
                      struct error *error)
{
    struct reader *in = load->reader;
    const char *colon = name.length ? memchr(name.data, ':', name.length) : NULL;
    if (colon) {
        size_t store = (size_t)(colon - name.data);
        out->store = arena_copy_slice(&load->model->arena, slice_make(name.data, store), error);
        out->dataset = arena_copy_slice(&load->model->arena,
                                        slice_make(colon + 1, name.length - store - 1), error);
        TRY(out->store && out->dataset);
    }
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *text = NULL;
        bool store = slice_is(key, "storeName"), dataset = slice_is(key, "datasetName");
        if (!store && !dataset) {
            TRY(reader_skip(in, error));
            continue;
        }
        TRY(load_text(load, &text, error));
        if (store && text)
            out->store = text;
        if (dataset && text)
            out->dataset = text;
    }
    return reader_ended(in, error);
}

/* A map of sinks by "store:dataset", or a list of them. */
static bool load_sinks(struct load *load, struct model_group *out, struct error *error)
{
    struct reader *in = load->reader;
    bool list = reader_peek(in) == READER_ARRAY;
    if (!list && reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    size_t capacity = 0;
    TRY(list ? reader_array(in, error) : reader_object(in, error));
    for (struct slice key = {0}; list ? reader_item(in, error) : reader_member(in, &key, error);) {
        struct model_sink sink = {0};
        TRY(load_sink(load, key, &sink, error));
        if (sink.store == NULL || sink.dataset == NULL)
            continue;
        TRY(load_grow(load, &out->sinks, out->sink_count, &capacity, sizeof sink, error));
        out->sinks[out->sink_count++] = sink;
    }
    return reader_ended(in, error);
}

static bool load_group(struct load *load, const char *name, struct model_group *out,
                       struct error *error)
{
    struct reader *in = load->reader;
    const char *inner = NULL;
    *out = (struct model_group){.name = name};
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "name"))
            TRY(load_text(load, &inner, error));
        else if (slice_is(key, "platformMD"))
            TRY(load_chooser(load, out, error));
        else if (slice_is(key, "sinks"))
            TRY(load_sinks(load, out, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    return load_check_name(load, "dataset group", name, inner, error);
}

static bool load_groups(struct load *load, struct model_workspace *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    size_t capacity = 0;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *name = arena_copy_slice(&load->model->arena, key, error);
        TRY(name);
        struct model_group group;
        TRY(load_group(load, name, &group, error));
        if (model_group(out, name)) {
            TRY(load_warn(load, error, "workspace %s: group %s is there twice; the first counts",
                          out->name, name));
            continue;
        }
        TRY(load_grow(load, &out->groups, out->group_count, &capacity, sizeof group, error));
        out->groups[out->group_count++] = group;
    }
    return reader_ended(in, error);
}

/* outputDatastore: a name, or the whole store object: the store of that name in the team. */
static bool load_output_store(struct load *load, struct model_workspace *out, struct error *error)
{
    if (reader_peek(load->reader) != READER_OBJECT)
        return load_text(load, &out->output_store, error);
    struct model_store store;
    TRY(load_store(load, NULL, &store, error));
    out->output_store = store.name;
    TRY(load_grow(load, &load->outputs, load->output_count, &load->output_capacity, sizeof store,
                  error));
    load->outputs[load->output_count++] = store;
    return true;
}

static bool load_transformer(struct load *load, struct model_workspace *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "outputDatastore"))
            TRY(load_output_store(load, out, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error);
}

bool load_workspace(struct load *load, const char *name, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_workspace workspace = {
        .name = name, .zone = load->zone, .team = load->team, .priority = PRIORITY_UNKNOWN};
    const char *inner = NULL;
    if (reader_peek(in) == READER_OBJECT) {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            if (slice_is(key, "name"))
                TRY(load_text(load, &inner, error));
            else if (slice_is(key, "priority"))
                TRY(load_priority(load, &workspace.priority, error));
            else if (slice_is(key, "dataContainer"))
                TRY(load_container(load, &workspace.container, error));
            else if (slice_is(key, "dataTransformer"))
                TRY(load_transformer(load, &workspace, error));
            else if (slice_is(key, "datasetGroups") || slice_is(key, "dsgs"))
                TRY(load_groups(load, &workspace, error));
            else
                TRY(reader_skip(in, error));
        }
        TRY(reader_ended(in, error));
        TRY(load_check_name(load, "workspace", name, inner, error));
    } else {
        TRY(reader_skip(in, error));
        TRY(load_warn(load, error, "workspace %s is not in the bundle, only its name", name));
    }
    TRY(load_grow(load, &model->workspaces, model->workspace_count, &load->workspace_capacity,
                  sizeof workspace, error));
    model->workspaces[model->workspace_count++] = workspace;
    return true;
}

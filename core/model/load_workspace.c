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
            TRY(load_text_word(load, &out->latency, error));
        else if (slice_is(key, "milestoningStrategy") || slice_is(key, "policy"))
            TRY(load_text_word(load, &out->milestoning, error));
        else if (slice_is(key, "minRetentionTime"))
            TRY(reader_whole(in, -1, &out->retention_s, error));
        else if (slice_is(key, "regulator"))
            TRY(load_text_word(load, &out->regulator, error));
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
        else if (slice_is(key, "_type"))
            TRY(load_text_word(load, &out->chooser, error));
        else if (slice_is(key, "dataPlatform") || slice_is(key, "dataPlatformName"))
            TRY(load_text_word(load, &out->fixed, error));
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
        TRY(load_word(load, slice_make(name.data, store), &out->store, error) &&
            load_word(load, slice_make(colon + 1, name.length - store - 1), &out->dataset, error));
    }
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *text = NULL;
        bool store = slice_is(key, "storeName"), dataset = slice_is(key, "datasetName");
        bool deprecated = slice_is(key, "deprecationsAllowed");
        if (!store && !dataset && !deprecated) {
            TRY(reader_skip(in, error));
            continue;
        }
        TRY(load_text_word(load, &text, error));
        if (store && text)
            out->store = text;
        if (dataset && text)
            out->dataset = text;
        if (deprecated && text)
            out->deprecated = strcmp(text, "ALLOWED") == 0;
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
    *out = (struct model_group){.name = name, .retention_s = -1};
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "name"))
            TRY(load_text_word(load, &inner, error));
        else if (slice_is(key, "platformMD"))
            TRY(load_chooser(load, out, error));
        else if (slice_is(key, "sinks"))
            TRY(load_sinks(load, out, error));
        else
            TRY(load_about(load, key, &out->about, &taken, error) &&
                (taken || reader_skip(in, error)));
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
    TRY(load_store(load, NULL, &store, error)); /* its warnings are the workspace's */
    out->output_store = store.name;
    TRY(load_grow(load, &load->outputs, load->output_count, &load->output_capacity, sizeof store,
                  error));
    load->outputs[load->output_count++] = store;
    return true;
}

/* What a transformer runs: where its code lies, and which version of it. */
static bool load_code(struct load *load, struct model_transformer *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "_type"))
            TRY(load_text_word(load, &out->code, error));
        else if (slice_is(key, "repo"))
            TRY(load_repository(load, &out->source, error));
        else if (slice_is(key, "version") || slice_is(key, "requiredVersion") ||
                 slice_is(key, "type"))
            TRY(load_text_word(load, &out->version, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error);
}

static bool load_transformer(struct load *load, struct model_workspace *out, struct error *error)
{
    struct reader *in = load->reader;
    struct model_transformer *transformer = &out->transformer;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    transformer->name = "?";
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "outputDatastore"))
            TRY(load_output_store(load, out, error));
        else if (slice_is(key, "name"))
            TRY(load_text(load, &transformer->name, error));
        else if (slice_is(key, "code"))
            TRY(load_code(load, transformer, error));
        else if (slice_is(key, "trigger"))
            TRY(load_named(load, &transformer->trigger, "cron", &transformer->cron, error));
        else
            TRY(load_about(load, key, &transformer->about, &taken, error) &&
                (taken || reader_skip(in, error)));
    }
    if (transformer->name == NULL)
        transformer->name = "?";
    return reader_ended(in, error);
}

/* The members of a workspace; its groups find their duplicates by its name. */
static bool load_workspace_members(struct load *load, struct model_workspace *out,
                                   const char **inner, struct error *error)
{
    struct reader *in = load->reader;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "name"))
            TRY(load_text(load, inner, error));
        else if (slice_is(key, "priority"))
            TRY(load_priority(load, &out->priority, error));
        else if (slice_is(key, "dataContainer"))
            TRY(load_container(load, &out->container, error));
        else if (slice_is(key, "dataTransformer"))
            TRY(load_transformer(load, out, error));
        else if (slice_is(key, "datasetGroups") || slice_is(key, "dsgs"))
            TRY(load_groups(load, out, error));
        else
            TRY(load_about(load, key, &out->about, &taken, error) &&
                (taken || reader_skip(in, error)));
    }
    return reader_ended(in, error);
}

bool load_workspace(struct load *load, const char *name, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_workspace workspace = {
        .name = name, .zone = load->zone, .team = load->team, .priority = PRIORITY_UNKNOWN};
    if (reader_peek(in) == READER_OBJECT) {
        const char *inner = NULL;
        workspace.loaded = true;
        TRY(load_workspace_members(load, &workspace, &inner, error));
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

#include "core/pipeline/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/base/utf8.h"
#include "core/config/credential.h"
#include "core/model/consumer.h"
#include "core/model/graph.h"

static bool pipeline_find_platform(struct pipeline *pipeline, struct error *error)
{
    const struct model *model = pipeline->model;
    const char *wanted = pipeline->profile->platform;
    const char *path = pipeline->profile->path;
    const char *names[64];
    size_t count = 0;
    for (; count < model->platform_count && count < 64; count++)
        names[count] = model->platforms[count].name;
    if (wanted == NULL && model->platform_count == 1)
        wanted = names[0];
    if (wanted && model_platform(model, wanted)) {
        pipeline->platform = wanted;
        return true;
    }
    if (wanted) {
        error_set(error, ERROR_CONFIG, NULL, "%s: platform: the model has no %s", path, wanted);
        const char *near = nearest_word(wanted, names, count);
        return near ? error_remedy(error, "did you mean %s?", near) : false;
    }
    if (count == 0)
        return error_set(error, ERROR_CONFIG, "add a data platform to the model",
                         "%s: the model has no platform", model->path);
    char list[512] = "";
    for (size_t i = 0; i < count; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
    error_set(error, ERROR_CONFIG, NULL, "%s: platform is missing, and the model has several",
              path);
    return error_remedy(error, "set platform to one of: %s", list);
}

/* By the container's name; its database's name where no source has that. */
static const struct profile_source *pipeline_source_of(const struct profile *profile,
                                                       const struct model_container *container)
{
    const struct profile_source *source =
        container->name ? profile_source(profile, container->name) : NULL;
    if (source == NULL && container->database)
        source = profile_source(profile, container->database);
    return source;
}

/* NULL when changes of this store can be captured from here; else why not. */
static const char *pipeline_why_not(struct pipeline *pipeline, const struct model_store *store,
                                    const struct profile_stream *settings,
                                    const struct profile_source **source, struct error *error)
{
    struct arena *arena = &pipeline->arena;
    const struct model_primary *primary = model_primary(pipeline->model, store->name);
    bool here = primary == NULL || primary->platform_count == 0;
    for (size_t i = 0; primary && i < primary->platform_count; i++)
        here |= strcmp(primary->platforms[i], pipeline->platform) == 0;
    *source = pipeline_source_of(pipeline->profile, &store->container);
    if (store->workspace)
        return arena_format(arena, error, "filled by the transformer of workspace %s",
                            store->workspace);
    if (!here)
        return arena_format(arena, error, "platform %s reads it from the source",
                            primary->platforms[0]);
    if (store->kind == NULL || store->dataset_count == 0)
        return "the model says nothing of its data or how it is captured";
    if (strstr(store->kind, "Kafka") != NULL)
        return "its topics come from elsewhere";
    if (strcmp(store->kind, "CDCCaptureIngestion") != 0 &&
        (settings == NULL || settings->capture == NULL))
        return arena_format(arena, error,
                            "the model says %s; streams.%s.capture: cdc in the profile captures "
                            "its changes",
                            store->kind, store->single ? "<store>#<dataset>" : store->name);
    if (*source)
        return NULL;
    if (store->container.type && strcmp(store->container.type, "PostgresDatabase") != 0 &&
        strcmp(store->container.type, "HostPortSQLDatabase") != 0)
        return arena_format(arena, error, "its container is a %s, not Postgres",
                            store->container.type);
    return arena_format(arena, error, "the profile has no sources.%s",
                        store->container.name ? store->container.name : "<container>");
}

static char *lower(struct arena *arena, char *text)
{
    (void)arena;
    for (char *at = text; at && *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 'a' - 'A');
    return text;
}

/* One '_' for each character that Kafka does not allow in the name of a topic. */
static const char *topic_name(struct arena *arena, const char *prefix, const char *schema,
                              const char *table, struct error *error)
{
    char *name = arena_format(arena, error, "%s.%s.%s", prefix, schema, table);
    size_t length = name ? strlen(name) : 0, out = 0;
    for (size_t i = 0; i < length;) {
        size_t width = utf8_character_length(name + i, length - i);
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '.' || c == '_' || c == '-';
        name[out++] = plain ? c : '_';
        i += width ? width : 1;
    }
    if (name)
        name[out] = '\0';
    return name;
}

static bool pipeline_add_table(struct pipeline *pipeline, struct stream *stream,
                               const struct model_store *store, const struct model_dataset *dataset,
                               const struct profile_source *source, struct error *error)
{
    struct arena *arena = &pipeline->arena;
    struct stream_table *table = &stream->tables[stream->table_count];
    const char *dot = strchr(dataset->table, '.');
    *table = (struct stream_table){.store = store->name, .dataset = dataset->name};
    table->schema =
        dot ? arena_copy_slice(arena, slice_make(dataset->table, (size_t)(dot - dataset->table)),
                               error)
            : (source ? source->schema : "public");
    table->table = dot ? dot + 1 : dataset->table;
    table->name = lower(arena, arena_format(arena, error, "%s_%s", store->name, dataset->name));
    TRY(table->schema && table->name);
    table->ident = arena_format(arena, error, "%s.%s", pipeline->namespace, table->name);
    table->history_ident =
        arena_format(arena, error, "%s.%s_history", pipeline->namespace, table->name);
    TRY(table->ident && table->history_ident);
    stream->table_count++;
    return true;
}

static int pipeline_mode(const struct pipeline *pipeline, const struct profile_stream *settings)
{
    if (settings && settings->mode >= 0)
        return settings->mode;
    const struct model_platform *platform = model_platform(pipeline->model, pipeline->platform);
    const char *strategy = platform->strategy ? platform->strategy : "live_only";
    if (strcmp(strategy, "batch_milestoned") == 0 || strcmp(strategy, "SCD2") == 0)
        return MODE_HISTORY;
    return strcmp(strategy, "SCD4") == 0 ? MODE_BOTH : MODE_LIVE;
}

static bool pipeline_fill_stream(struct pipeline *pipeline, const struct graph_node *node,
                                 const struct consumer_index *consumers, struct stream *stream,
                                 struct error *error)
{
    const struct profile *profile = pipeline->profile;
    const struct model_store *store = model_store(pipeline->model, node->store);
    stream->store = store->name;
    stream->dataset =
        node->dataset ? arena_copy_text(&pipeline->arena, node->dataset, error) : NULL;
    stream->name = node->dataset
                       ? arena_format(&pipeline->arena, error, "%s#%s", store->name, node->dataset)
                       : store->name;
    TRY(stream->name && (node->dataset == NULL || stream->dataset));
    const struct profile_stream *settings = profile_stream(profile, stream->name);
    const struct profile_source *source;
    stream->kind = store->kind ? store->kind : "none";
    stream->no_capture = pipeline_why_not(pipeline, store, settings, &source, error);
    stream->mode = pipeline_mode(pipeline, settings);
    stream->on_bad_input = settings && settings->on_bad_input >= 0 ? settings->on_bad_input
                                                                   : profile->merge.on_bad_input;
    stream->special_values = settings ? settings->special_values : SPECIAL_NULL;
    stream->priority = model_priority_name(node->priority);
    struct consumer_goal goal;
    consumer_find_goal(consumers, stream->store, stream->dataset, pipeline->platform, &goal);
    bool set = settings && settings->freshness_ms >= 0;
    stream->freshness_ms = set ? settings->freshness_ms : goal.ms ? goal.ms : 86400000;
    stream->freshness_from_model = !set && goal.ms > 0;
    stream->tables =
        arena_zero(&pipeline->arena, store->dataset_count + 1, sizeof *stream->tables, error);
    TRY(stream->tables);
    for (size_t i = 0; i < store->dataset_count; i++)
        if (stream->dataset == NULL || strcmp(store->datasets[i].name, stream->dataset) == 0)
            TRY(pipeline_add_table(pipeline, stream, store, &store->datasets[i], source, error));
    return error == NULL || error->kind == ERROR_NONE;
}

static int compare_streams(const void *a, const void *b)
{
    return strcmp(((const struct stream *)a)->name, ((const struct stream *)b)->name);
}

static bool pipeline_find_streams(struct pipeline *pipeline, struct error *error)
{
    struct graph graph;
    struct consumer_index consumers = {0};
    TRY(graph_build(pipeline->model, pipeline->platform, false, &graph, error));
    bool ok = consumer_index_build(pipeline->model, &consumers, error);
    pipeline->streams =
        ok ? arena_zero(&pipeline->arena, graph.node_count + 1, sizeof *pipeline->streams, error)
           : NULL;
    ok = pipeline->streams != NULL;
    for (size_t i = 0; ok && i < graph.node_count; i++) {
        const struct graph_node *node = &graph.nodes[i];
        if (node->kind != GRAPH_INGESTION_MULTI && node->kind != GRAPH_INGESTION_SINGLE)
            continue;
        ok = pipeline_fill_stream(pipeline, node, &consumers,
                                  &pipeline->streams[pipeline->stream_count], error);
        pipeline->stream_count += ok;
    }
    consumer_index_destroy(&consumers);
    graph_destroy(&graph);
    if (ok)
        qsort(pipeline->streams, pipeline->stream_count, sizeof *pipeline->streams,
              compare_streams);
    return ok;
}

static bool pipeline_check_settings(const struct pipeline *pipeline, struct error *error)
{
    for (size_t i = 0; i < pipeline->profile->stream_count; i++) {
        struct error local = {0};
        const char *name = pipeline->profile->streams[i].name;
        if (pipeline_stream(pipeline, name, &local) == NULL) {
            error_set(error, ERROR_CONFIG, local.remedy,
                      "%s: streams.%s: platform %s has no such stream", pipeline->profile->path,
                      name, pipeline->platform);
            return false;
        }
    }
    return true;
}

/* A name as Postgres takes it without quotes, for slots and publications. */
static const char *object_name(struct arena *arena, const char *prefix, struct error *error)
{
    char *name = arena_format(arena, error, "surf_%.50s", prefix);
    for (char *at = lower(arena, name); at && *at; at++)
        if (!(*at >= 'a' && *at <= 'z') && !(*at >= '0' && *at <= '9'))
            *at = '_';
    return name;
}

/* Two streams of one capture may not ask for two slots. */
static bool capture_take_name(const struct pipeline *pipeline, const char *stream, const char *key,
                              const char *wanted, const char **name, const char **from,
                              struct error *error)
{
    if (wanted == NULL)
        return true;
    if (*from && strcmp(*name, wanted) != 0)
        return error_set(error, ERROR_CONFIG,
                         "streams of one source are captured together: give them one name",
                         "%s: streams.%s.%s is %s, but streams.%s.%s is %s",
                         pipeline->profile->path, stream, key, wanted, *from, key, *name);
    *name = wanted;
    *from = stream;
    return true;
}

static bool capture_name(struct pipeline *pipeline, struct capture *capture, struct error *error)
{
    const char *slot_from = NULL, *publication_from = NULL, *connector_from = NULL;
    capture->slot = object_name(&pipeline->arena, capture->prefix, error);
    capture->publication = capture->slot;
    capture->connector = capture->prefix;
    capture->transaction_topic =
        arena_format(&pipeline->arena, error, "%s.transaction", capture->prefix);
    capture->record_key =
        arena_format(&pipeline->arena, error, "%s/_capture.json", capture->prefix);
    TRY(capture->slot && capture->transaction_topic && capture->record_key);
    for (size_t i = 0; i < capture->stream_count; i++) {
        const char *name = capture->streams[i]->name;
        const struct profile_stream *settings = profile_stream(pipeline->profile, name);
        if (settings == NULL)
            continue;
        TRY(capture_take_name(pipeline, name, "slot", settings->slot, &capture->slot, &slot_from,
                              error));
        TRY(capture_take_name(pipeline, name, "publication", settings->publication,
                              &capture->publication, &publication_from, error));
        TRY(capture_take_name(pipeline, name, "connector", settings->connector, &capture->connector,
                              &connector_from, error));
    }
    return true;
}

static bool capture_add_stream(struct pipeline *pipeline, struct capture *capture,
                               struct stream *stream, struct error *error)
{
    stream->capture = capture;
    capture->streams[capture->stream_count++] = stream;
    for (size_t i = 0; i < stream->table_count; i++) {
        struct stream_table *table = &stream->tables[i];
        table->topic =
            topic_name(&pipeline->arena, capture->prefix, table->schema, table->table, error);
        table->schema_key =
            table->topic ? arena_format(&pipeline->arena, error, "_schema/%s.json", table->topic)
                         : NULL;
        TRY(table->schema_key);
        capture->tables[capture->table_count++] = table;
    }
    return true;
}

static bool pipeline_find_captures(struct pipeline *pipeline, struct error *error)
{
    const struct profile *profile = pipeline->profile;
    size_t tables = 0;
    for (size_t i = 0; i < pipeline->stream_count; i++)
        tables += pipeline->streams[i].table_count;
    pipeline->captures =
        arena_zero(&pipeline->arena, profile->source_count + 1, sizeof *pipeline->captures, error);
    TRY(pipeline->captures);
    for (size_t i = 0; i < profile->source_count; i++) {
        const struct profile_source *source = &profile->sources[i];
        struct capture *capture = &pipeline->captures[pipeline->capture_count];
        *capture = (struct capture){.source = source};
        /* The first captured source has the prefix for itself: a second one changes no names. */
        capture->prefix = pipeline->capture_count == 0
                              ? profile->capture.topic_prefix
                              : arena_format(&pipeline->arena, error, "%s_%s",
                                             profile->capture.topic_prefix, source->name);
        capture->streams = arena_zero(&pipeline->arena, pipeline->stream_count + 1,
                                      sizeof *capture->streams, error);
        capture->tables = arena_zero(&pipeline->arena, tables + 1, sizeof *capture->tables, error);
        TRY(capture->prefix && capture->streams && capture->tables);
        for (size_t j = 0; j < pipeline->stream_count; j++) {
            struct stream *stream = &pipeline->streams[j];
            const struct model_store *store = model_store(pipeline->model, stream->store);
            if (stream->no_capture == NULL &&
                pipeline_source_of(profile, &store->container) == source)
                TRY(capture_add_stream(pipeline, capture, stream, error));
        }
        if (capture->stream_count == 0)
            continue;
        TRY(capture_name(pipeline, capture, error));
        pipeline->capture_count++;
    }
    return true;
}

bool pipeline_open(const struct profile *profile, struct pipeline *out, struct error *error)
{
    struct error local = {0};
    *out = (struct pipeline){.profile = profile};
    bool ok = profile->model != NULL ||
              error_set(&local, ERROR_CONFIG, "add `model: FILE` with the path of a bundle",
                        "%s: model is missing", profile->path);
    ok = ok && (out->model = memory_zero(1, sizeof *out->model, &local)) != NULL;
    if (ok && !model_load(profile->model, out->model, &local)) {
        free(out->model);
        out->model = NULL;
        ok = false;
    }
    ok = ok && pipeline_find_platform(out, &local);
    if (ok) {
        out->namespace = lower(&out->arena, arena_copy_text(&out->arena, out->platform, &local));
        ok = out->namespace && pipeline_find_streams(out, &local) &&
             pipeline_check_settings(out, &local) && pipeline_find_captures(out, &local);
    }
    if (!ok) {
        pipeline_close(out);
        if (error)
            *error = local;
    }
    return ok;
}

void pipeline_close(struct pipeline *pipeline)
{
    if (pipeline->model)
        model_destroy(pipeline->model);
    free(pipeline->model);
    arena_destroy(&pipeline->arena);
    *pipeline = (struct pipeline){0};
}

const struct stream *pipeline_stream(const struct pipeline *pipeline, const char *name,
                                     struct error *error)
{
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0; i < pipeline->stream_count; i++) {
        if (strcmp(pipeline->streams[i].name, name) == 0)
            return &pipeline->streams[i];
        if (count < 256)
            names[count++] = pipeline->streams[i].name;
    }
    const char *near = nearest_word(name, names, count);
    error_set(error, ERROR_NOT_FOUND, "surfboard streams lists them",
              "platform %s has no stream %s", pipeline->platform, name);
    if (near)
        error_remedy(error, "did you mean %s?", near);
    return NULL;
}

const struct stream *pipeline_captured_stream(const struct pipeline *pipeline, const char *name,
                                              struct error *error)
{
    const struct stream *stream = pipeline_stream(pipeline, name, error);
    if (stream && stream->no_capture) {
        error_set(error, ERROR_CONFIG, "surfboard streams shows which streams can be captured",
                  "stream %s is not captured here: %s", name, stream->no_capture);
        return NULL;
    }
    return stream;
}

const struct stream_table *stream_table_find(const struct stream *stream, const char *dataset)
{
    for (size_t i = 0; i < stream->table_count; i++)
        if (strcmp(stream->tables[i].dataset, dataset) == 0)
            return &stream->tables[i];
    return NULL;
}

bool pipeline_source_conninfo(const struct pipeline *pipeline, const struct capture *capture,
                              struct buffer *out, struct error *error)
{
    return credential_conninfo(pipeline->profile, capture->source->dsn, capture->source->credential,
                               out, error);
}

bool pipeline_catalog_conninfo(const struct pipeline *pipeline, struct buffer *out,
                               struct error *error)
{
    const struct profile *profile = pipeline->profile;
    if (profile->lake.catalog.dsn == NULL)
        return error_set(error, ERROR_CONFIG, "add the catalog's database",
                         "%s: lake.catalog.dsn is missing", profile->path);
    return credential_conninfo(profile, profile->lake.catalog.dsn, profile->lake.catalog.credential,
                               out, error);
}

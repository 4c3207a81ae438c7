#include "core/model/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/model/load.h"

bool load_warn(struct load *load, struct error *error, const char *format, ...)
{
    struct model *model = load->model;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < model->warning_count; i++)
        if (strcmp(model->warnings[i], text) == 0)
            return true; /* reported once */
    if (model->warning_count >= 1000)
        return true;
    TRY(load_grow(load, &model->warnings, model->warning_count, &load->warning_capacity,
                  sizeof *model->warnings, error));
    const char *copy = arena_copy_text(&model->arena, text, error);
    TRY(copy);
    model->warnings[model->warning_count++] = copy;
    return true;
}

bool load_grow(struct load *load, void *pointer, size_t count, size_t *capacity, size_t size,
               struct error *error)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? *capacity * 2 : 4;
    void *fresh = arena_zero(&load->model->arena, wanted, size, error);
    TRY(fresh);
    if (count)
        memcpy(fresh, *(void **)pointer, count * size);
    *(void **)pointer = fresh;
    *capacity = wanted;
    return true;
}

bool load_text(struct load *load, const char **out, struct error *error)
{
    return reader_text(load->reader, &load->model->arena, out, error);
}

bool load_check_name(struct load *load, const char *what, const char *key, const char *name,
                     struct error *error)
{
    return name == NULL || strcmp(key, name) == 0 ||
           load_warn(load, error, "%s %s calls itself %s; the key in the map counts", what, key,
                     name);
}

static bool load_platform(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    struct model_platform platform = {.type = "?"};
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "name"))
            TRY(load_text(load, &platform.name, error));
        else if (slice_is(key, "_type"))
            TRY(load_text(load, &platform.type, error));
        else if (slice_is(key, "milestoneStrategy"))
            TRY(load_text(load, &platform.strategy, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    if (platform.name == NULL)
        return true;
    TRY(load_grow(load, &model->platforms, model->platform_count, &load->platform_capacity,
                  sizeof platform, error));
    model->platforms[model->platform_count++] = platform;
    return true;
}

static bool load_providers(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    TRY(reader_array(in, error));
    while (reader_item(in, error)) {
        if (reader_peek(in) != READER_OBJECT) {
            TRY(reader_skip(in, error));
            continue;
        }
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            if (!slice_is(key, "dataPlatforms") || reader_peek(in) != READER_ARRAY) {
                TRY(reader_skip(in, error));
                continue;
            }
            TRY(reader_array(in, error));
            while (reader_item(in, error))
                TRY(load_platform(load, error));
            TRY(reader_ended(in, error));
        }
        TRY(reader_ended(in, error));
    }
    return reader_ended(in, error);
}

static bool load_stores(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        const char *name = arena_copy_slice(&load->model->arena, key, error);
        TRY(name);
        struct model_store store = {.name = name, .zone = load->zone, .team = load->team};
        if (reader_peek(in) == READER_OBJECT) {
            TRY(load_store(load, name, &store, error));
        } else {
            TRY(reader_skip(in, error));
            TRY(load_warn(load, error, "store %s is not in the bundle, only its name", name));
        }
        TRY(load_add_store(load, &store, error));
    }
    return reader_ended(in, error);
}

static bool load_team(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "dataStores")) {
            TRY(load_stores(load, error));
        } else if (slice_is(key, "workspaces") && reader_peek(in) == READER_OBJECT) {
            TRY(reader_object(in, error));
            for (struct slice inner; reader_member(in, &inner, error);) {
                const char *name = arena_copy_slice(&load->model->arena, inner, error);
                TRY(name && load_workspace(load, name, error));
            }
            TRY(reader_ended(in, error));
        } else {
            TRY(reader_skip(in, error));
        }
    }
    return reader_ended(in, error);
}

static bool load_zones(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        load->zone = arena_copy_slice(&load->model->arena, key, error);
        TRY(load->zone);
        if (reader_peek(in) != READER_OBJECT) {
            TRY(reader_skip(in, error));
            continue;
        }
        TRY(reader_object(in, error));
        for (struct slice member; reader_member(in, &member, error);) {
            if (!slice_is(member, "teams") || reader_peek(in) != READER_OBJECT) {
                TRY(reader_skip(in, error));
                continue;
            }
            TRY(reader_object(in, error));
            for (struct slice team; reader_member(in, &team, error);) {
                load->team = arena_copy_slice(&load->model->arena, team, error);
                TRY(load->team && load_team(load, error));
            }
            TRY(reader_ended(in, error));
        }
        TRY(reader_ended(in, error));
    }
    return reader_ended(in, error);
}

static bool load_ecosystem(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "name"))
            TRY(load_text(load, &load->model->name, error));
        else if (slice_is(key, "platformServicesProviders"))
            TRY(load_providers(load, error));
        else if (slice_is(key, "dsgPlatformMappings"))
            TRY(load_mappings(load, error));
        else if (slice_is(key, "primaryIngestionPlatforms"))
            TRY(load_primaries(load, error));
        else if (slice_is(key, "zones"))
            TRY(load_zones(load, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error);
}

static bool load_document(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    const char *format = NULL;
    int64_t version = 0;
    bool ecosystem = false;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "format")) {
            TRY(load_text(load, &format, error));
        } else if (slice_is(key, "formatVersion")) {
            TRY(reader_whole(in, 0, &version, error));
        } else if (slice_is(key, "ecosystem") && reader_peek(in) == READER_OBJECT) {
            TRY(load_ecosystem(load, error));
            ecosystem = true;
        } else {
            TRY(reader_skip(in, error));
        }
    }
    TRY(reader_ended(in, error) && reader_finish(in, error));
    if (format == NULL || strcmp(format, "surfboard-model") != 0)
        return error_set(error, ERROR_CONFIG, "export the model as a surfboard-model bundle",
                         "%s: not a model bundle: format is %s", in->name,
                         format ? format : "missing");
    if (version > MODEL_FORMAT)
        return error_set(error, ERROR_CONFIG,
                         "use a newer surfboard, or export the model as version 1",
                         "%s: formatVersion %lld is newer than this surfboard reads (%d)", in->name,
                         (long long)version, MODEL_FORMAT);
    return ecosystem || error_set(error, ERROR_CONFIG, "export the model again",
                                  "%s: the bundle has no ecosystem", in->name);
}

/* Stores that only a transformer's outputDatastore holds. */
static bool load_outputs(struct load *load, struct error *error)
{
    for (size_t i = 0; i < load->output_count; i++) {
        bool known = false;
        for (size_t j = 0; j < load->model->store_count && !known; j++)
            known = strcmp(load->model->stores[j].name, load->outputs[i].name) == 0;
        if (!known)
            TRY(load_add_store(load, &load->outputs[i], error));
    }
    return true;
}

/* The first of a name counts. */
static bool load_index(struct load *load, struct error *error)
{
    struct model *model = load->model;
    TRY(load_outputs(load, error));
    for (size_t i = 0; i < model->store_count; i++) {
        struct model_store *store = &model->stores[i];
        if (map_get_text(&model->store_index, store->name))
            TRY(load_warn(load, error, "store %s is there twice; the first counts", store->name));
        else
            TRY(map_put(&model->store_index, slice_of(store->name), store, error));
    }
    for (size_t i = 0; i < model->workspace_count; i++) {
        struct model_workspace *workspace = &model->workspaces[i];
        if (map_get_text(&model->workspace_index, workspace->name))
            TRY(load_warn(load, error, "workspace %s is there twice; the first counts",
                          workspace->name));
        else
            TRY(map_put(&model->workspace_index, slice_of(workspace->name), workspace, error));
    }
    for (size_t i = 0; i < model->platform_count; i++)
        if (!map_get_text(&model->platform_index, model->platforms[i].name))
            TRY(map_put(&model->platform_index, slice_of(model->platforms[i].name),
                        &model->platforms[i], error));
    return true;
}

static bool load_sidecar(struct load *load, const char *folder, const char *name,
                         bool (*read)(struct load *, struct error *), struct error *error)
{
    char *path = file_join(folder, name, error);
    TRY(path);
    struct buffer text = {0};
    bool ok = true;
    if (file_exists(path)) {
        struct reader reader;
        ok = file_read(path, &text, error);
        reader_init(&reader, buffer_slice(&text), path);
        struct reader *bundle = load->reader;
        load->reader = &reader;
        if (ok && reader_peek(&reader) != READER_ARRAY)
            ok = reader_fail(&reader, error, "a list is wanted here");
        ok = ok && read(load, error) && reader_finish(&reader, error);
        load->reader = bundle;
        reader_destroy(&reader);
    }
    buffer_destroy(&text);
    free(path);
    return ok;
}

static bool model_read(struct slice text, const char *path, const char *folder, struct model *out,
                       struct error *error)
{
    *out = (struct model){0};
    struct reader reader;
    reader_init(&reader, text, path);
    struct load load = {.reader = &reader, .model = out};
    out->path = arena_copy_text(&out->arena, path, error);
    bool ok = out->path && load_document(&load, error);
    if (ok && folder)
        ok = load_sidecar(&load, folder, "dsg_platform_mapping.json", load_mappings, error) &&
             load_sidecar(&load, folder, "primary_ingestion_platforms.json", load_primaries, error);
    ok = ok && load_index(&load, error);
    if (ok && out->name == NULL)
        out->name = "?";
    reader_destroy(&reader);
    if (!ok)
        model_destroy(out);
    return ok;
}

bool model_parse(struct slice text, const char *path, struct model *out, struct error *error)
{
    return model_read(text, path, NULL, out, error);
}

bool model_load(const char *path, struct model *out, struct error *error)
{
    struct buffer text = {0};
    const char *slash = strrchr(path, '/');
    char *folder = slash ? memory_copy_slice(slice_make(path, (size_t)(slash - path + 1)), error)
                         : memory_copy_text(".", error);
    bool ok = folder && file_read(path, &text, error);
    if (folder && !ok && error && error->kind != ERROR_MEMORY) {
        error->kind = ERROR_CONFIG;
        error_prefix(error, "model");
    }
    ok = ok && model_read(buffer_slice(&text), path, folder, out, error);
    free(folder);
    buffer_destroy(&text);
    return ok;
}

void model_destroy(struct model *model)
{
    map_destroy(&model->store_index);
    map_destroy(&model->workspace_index);
    map_destroy(&model->platform_index);
    arena_destroy(&model->arena);
    *model = (struct model){0};
}

const struct model_store *model_store(const struct model *model, const char *name)
{
    return map_get_text(&model->store_index, name);
}

const struct model_workspace *model_workspace(const struct model *model, const char *name)
{
    return map_get_text(&model->workspace_index, name);
}

const struct model_platform *model_platform(const struct model *model, const char *name)
{
    return map_get_text(&model->platform_index, name);
}

const struct model_group *model_group(const struct model_workspace *workspace, const char *name)
{
    for (size_t i = 0; i < workspace->group_count; i++)
        if (strcmp(workspace->groups[i].name, name) == 0)
            return &workspace->groups[i];
    return NULL;
}

const struct model_primary *model_primary(const struct model *model, const char *store)
{
    for (size_t i = 0; i < model->primary_count; i++)
        if (strcmp(model->primaries[i].store, store) == 0)
            return &model->primaries[i];
    return NULL;
}

const char *model_priority_name(enum model_priority priority)
{
    static const char *const names[] = {"UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"};
    return priority < PRIORITY_UNKNOWN || priority > PRIORITY_CRITICAL ? NULL : names[priority];
}

int64_t model_latency_ms(const char *latency)
{
    static const struct {
        const char *word;
        int64_t ms;
    } words[] = {{"SECONDS", 60000}, {"MINUTES", 300000}, {"HOURS", 3600000}, {"DAYS", 86400000}};
    for (size_t i = 0; latency && i < sizeof words / sizeof *words; i++)
        if (strcmp(latency, words[i].word) == 0)
            return words[i].ms;
    return 0;
}

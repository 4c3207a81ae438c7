#include "core/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/model/load.h"

static bool load_ecosystem(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    struct model *model = load->model;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        bool taken;
        if (slice_is(key, "name"))
            TRY(load_text(load, &model->name, error));
        else if (slice_is(key, "owningRepo"))
            TRY(load_repository(load, &model->owner, error));
        else if (slice_is(key, "liveRepo"))
            TRY(load_repository(load, &model->live, error));
        else if (slice_is(key, "platformServicesProviders"))
            TRY(load_platforms(load, error));
        else if (slice_is(key, "dsgPlatformMappings"))
            TRY(load_mappings(load, error));
        else if (slice_is(key, "primaryIngestionPlatforms"))
            TRY(load_primaries(load, error));
        else if (slice_is(key, "zones"))
            TRY(load_zones(load, error));
        else
            TRY(load_about(load, key, &model->about, &taken, error) &&
                (taken || reader_skip(in, error)));
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

static void load_destroy(struct load *load)
{
    map_destroy(&load->words);
    buffer_destroy(&load->text);
    free(load->columns);
    free(load->keys);
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
    load_destroy(&load);
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
    map_destroy(&model->zone_index);
    map_destroy(&model->store_index);
    map_destroy(&model->workspace_index);
    map_destroy(&model->platform_index);
    map_destroy(&model->primary_index);
    arena_destroy(&model->arena);
    *model = (struct model){0};
}

const struct model_zone *model_zone(const struct model *model, const char *name)
{
    return map_get_text(&model->zone_index, name);
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

const struct model_team *model_team(const struct model_zone *zone, const char *name)
{
    for (size_t i = 0; i < zone->team_count; i++)
        if (strcmp(zone->teams[i]->name, name) == 0)
            return zone->teams[i];
    return NULL;
}

const struct model_dataset *model_dataset(const struct model_store *store, const char *name)
{
    for (size_t i = 0; i < store->dataset_count; i++)
        if (strcmp(store->datasets[i].name, name) == 0)
            return &store->datasets[i];
    return NULL;
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
    return map_get_text(&model->primary_index, store);
}

bool model_is_primary(const struct model *model, const char *store, const char *platform)
{
    const struct model_primary *primary = model_primary(model, store);
    bool found = primary == NULL || primary->platform_count == 0;
    for (size_t i = 0; primary && i < primary->platform_count; i++)
        found |= strcmp(primary->platforms[i], platform) == 0;
    return found;
}

bool model_assignment_counts(const struct model_assignment *assignment)
{
    return assignment->status == NULL || strcmp(assignment->status, "DECOMMISSIONED") != 0;
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

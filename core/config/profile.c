#include "core/config/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/config/context.h"
#include "core/config/keys.h"

static void profile_defaults(struct profile *profile)
{
    *profile = (struct profile){
        .format = PROFILE_FORMAT,
        .capture = {.kind = CAPTURE_NATIVE, .land = LAND_NATIVE},
        .lake = {.s3 = {.region = "us-east-1", .path_style = true},
                 .catalog = {.kind = CATALOG_JDBC, .name = "lake"}},
        .trino = {.user = "surfboard", .catalog = "lake"},
        .merge = {.memory = UINT64_C(512) << 20,
                  .on_bad_input = BAD_INPUT_STOP,
                  .on_gap = GAP_STOP,
                  .gap_wait_ms = 30000,
                  .format_version = 2,
                  .rewrite_at = 0.25},
        .maintain = {.snapshot_age_ms = 3600000, .min_snapshots = 20, .delete_grace_ms = 3600000},
        .jobs = {.group = GROUP_SOURCE, .memory = UINT64_C(4) << 30, .threads = 8, .max = 4},
        .schedule = {.kind = SCHEDULE_NONE, .call = CALL_ENQUEUE},
        .screen = {.theme = "dark", .accent = "red"},
    };
}

/* The format number first: a newer profile may have keys that this program cannot know. */
static bool profile_check_format(struct key_reader *reader, yaml_node_t *root, struct error *error)
{
    if (root->type != YAML_MAPPING_NODE)
        return true;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
        if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE ||
            strcmp((const char *)key->data.scalar.value, "format") != 0)
            continue;
        const char *text = (const char *)value->data.scalar.value;
        size_t line = value->start_mark.line + 1;
        if (strspn(text, "0123456789") == strlen(text) && strtoll(text, NULL, 10) > PROFILE_FORMAT)
            return error_set(error, ERROR_CONFIG, "use the surfboard that wrote it, or a newer one",
                             "%s:%zu: format: %s is newer than this surfboard reads (%d)",
                             reader->path, line, text, PROFILE_FORMAT);
        if (strtoll(text, NULL, 10) < 1)
            return error_set(error, ERROR_CONFIG, "write `format: 1`",
                             "%s:%zu: format: wants a number from 1, not %.40s", reader->path, line,
                             text);
    }
    return true;
}

static bool profile_read_document(struct key_reader *reader, struct profile *out,
                                  struct error *error)
{
    yaml_node_t *root = yaml_document_get_root_node(reader->document);
    if (root == NULL)
        return error_set(error, ERROR_CONFIG, "surfboard init writes one",
                         "%s: the profile is empty", reader->path);
    TRY(profile_check_format(reader, root, error));
    return key_read_mapping(reader, root, profile_keys, out, "", error);
}

static bool profile_yaml_error(const struct key_reader *reader, const yaml_parser_t *parser,
                               struct error *error)
{
    size_t line = parser->problem_mark.line ? parser->problem_mark.line : parser->context_mark.line;
    return error_set(error, parser->error == YAML_MEMORY_ERROR ? ERROR_MEMORY : ERROR_CONFIG,
                     "blanks decide what belongs to what; a text with : or # needs quotes",
                     "%s:%zu: not YAML: %s", reader->path, line + 1,
                     parser->problem ? parser->problem : "cannot be read");
}

static bool profile_read_one(yaml_parser_t *parser, struct key_reader *reader, struct profile *out,
                             struct error *error)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return profile_yaml_error(reader, parser, error);
    reader->document = &document;
    bool ok = profile_read_document(reader, out, error);
    reader->document = NULL;
    yaml_document_delete(&document);
    return ok;
}

static bool profile_read_no_more(yaml_parser_t *parser, const struct key_reader *reader,
                                 struct error *error)
{
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return profile_yaml_error(reader, parser, error);
    yaml_node_t *root = yaml_document_get_root_node(&document);
    if (root)
        error_set(error, ERROR_CONFIG, "a profile is one YAML document",
                  "%s:%zu: a second document begins", reader->path, root->start_mark.line + 1);
    yaml_document_delete(&document);
    return root == NULL;
}

static bool profile_read_yaml(struct slice text, struct key_reader *reader, struct profile *out,
                              struct error *error)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return error_set_memory(error, sizeof parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.data, text.length);
    bool ok = profile_read_one(&parser, reader, out, error) &&
              profile_read_no_more(&parser, reader, error);
    yaml_parser_delete(&parser);
    return ok;
}

static bool profile_require(const struct profile *profile, bool ok, const char *key,
                            const char *remedy, struct error *error)
{
    return ok || error_set(error, ERROR_CONFIG, remedy, "%s: %s is missing", profile->path, key);
}

/* What one key demands of another. */
static bool profile_check(const struct profile *profile, struct error *error)
{
    const char *path = profile->path;
    for (size_t i = 0; i < profile->source_count; i++) {
        char key[160];
        snprintf(key, sizeof key, "sources.%s.dsn", profile->sources[i].name);
        TRY(profile_require(profile, profile->sources[i].dsn, key,
                            "give it a libpq connection string without a password", error));
        if (strstr(profile->sources[i].dsn, "password="))
            return error_set(error, ERROR_CONFIG,
                             "name a credential instead and keep the password out of the profile",
                             "%s: %s holds a password", path, key);
    }
    if (profile->lake.catalog.dsn && strstr(profile->lake.catalog.dsn, "password="))
        return error_set(error, ERROR_CONFIG,
                         "name a credential instead and keep the password out of the profile",
                         "%s: lake.catalog.dsn holds a password", path);
    if (profile->capture.kind == CAPTURE_DEBEZIUM)
        TRY(profile_require(profile, profile->capture.connect && profile->capture.kafka,
                            "capture.connect or capture.kafka",
                            "a Debezium capture needs both; kind: native needs neither", error));
    if (profile->lake.warehouse && profile->lake.catalog.kind == CATALOG_JDBC)
        TRY(profile_require(profile, profile->lake.catalog.dsn, "lake.catalog.dsn",
                            "give the catalog's database, or set lake.catalog.kind: storage",
                            error));
    if (profile->merge.format_version < 2 || profile->merge.format_version > 3)
        return error_set(error, ERROR_CONFIG, "2 is the default; 3 has deletion vectors",
                         "%s: merge.format_version: wants 2 or 3", path);
    for (size_t i = 0; i < profile->stream_count; i++) {
        const struct profile_stream *stream = &profile->streams[i];
        if (stream->capture && strcmp(stream->capture, "cdc") != 0)
            return error_set(error, ERROR_CONFIG, "cdc, or leave the key out",
                             "%s: streams.%s.capture: wants cdc, not %s", path, stream->name,
                             stream->capture);
    }
    return true;
}

static bool profile_set_paths(const char *path, struct profile *out, struct error *error)
{
    char *real = realpath(path, NULL);
    out->path = real ? arena_copy_text(&out->arena, real, error)
                     : arena_copy_text(&out->arena, path, error);
    free(real);
    if (out->path == NULL)
        return false;
    const char *slash = strrchr(out->path, '/');
    size_t length = slash ? (size_t)(slash - out->path) : 0;
    out->folder = slash ? arena_copy_slice(&out->arena, slice_make(out->path, length), error)
                        : arena_copy_text(&out->arena, ".", error);
    const char *name = slash ? slash + 1 : out->path;
    const char *dot = strrchr(name, '.');
    out->context = arena_copy_slice(
        &out->arena, slice_make(name, dot && dot != name ? (size_t)(dot - name) : strlen(name)),
        error);
    return out->folder && out->context;
}

static bool profile_set_derived(struct profile *out, struct error *error)
{
    size_t legal = strspn(out->context, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789_-.");
    if (out->context[0] == '\0' || out->context[0] == '.' || out->context[legal])
        return error_set(error, ERROR_CONFIG, "use letters, digits, - and _",
                         "%s: context '%s' is not a name", out->path, out->context);
    if (out->capture.topic_prefix == NULL)
        out->capture.topic_prefix = out->context;
    if (out->state == NULL) {
        char *root = context_state_root(error);
        out->state = root ? arena_format(&out->arena, error, "%s/%s", root, out->context) : NULL;
        free(root);
    }
    if (out->state && out->credentials == NULL) {
        char *root = context_config_root(error);
        out->credentials = root ? arena_format(&out->arena, error, "%s/credentials", root) : NULL;
        free(root);
    }
    return out->state && out->credentials;
}

bool profile_parse(struct slice text, const char *path, struct profile *out, struct error *error)
{
    profile_defaults(out);
    struct key_reader reader = {.arena = &out->arena};
    struct error local = {0};
    bool ok = profile_set_paths(path, out, &local);
    if (ok) {
        reader.path = out->path;
        reader.folder = out->folder;
        ok = profile_read_yaml(text, &reader, out, &local) && profile_set_derived(out, &local) &&
             profile_check(out, &local);
    }
    if (!ok) {
        profile_destroy(out);
        if (error)
            *error = local;
    }
    return ok;
}

bool profile_load(const char *path, struct profile *out, struct error *error)
{
    struct buffer text = {0};
    bool ok = file_read(path, &text, error);
    if (!ok && error) {
        error->kind = ERROR_CONFIG; /* a profile that cannot be read is a wrong profile: exit 3 */
        error_prefix(error, "profile");
    }
    ok = ok && profile_parse(buffer_slice(&text), path, out, error);
    buffer_destroy(&text);
    return ok;
}

void profile_destroy(struct profile *profile)
{
    arena_destroy(&profile->arena);
    *profile = (struct profile){0};
}

const struct profile_source *profile_source(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->source_count; i++)
        if (strcmp(profile->sources[i].name, name) == 0)
            return &profile->sources[i];
    return NULL;
}

const struct profile_stream *profile_stream(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->stream_count; i++)
        if (strcmp(profile->streams[i].name, name) == 0)
            return &profile->streams[i];
    return NULL;
}

/* A state is shared when its folder says so: set-gid, writable by the group (design 2). */
static bool profile_state_shared(const struct profile *profile)
{
    struct stat status;
    return stat(profile->state, &status) == 0 && (status.st_mode & S_ISGID) &&
           (status.st_mode & S_IWGRP);
}

unsigned profile_state_file_mode(const struct profile *profile)
{
    return profile_state_shared(profile) ? 0660 : 0600;
}

char *profile_state_folder(const struct profile *profile, const char *name, struct error *error)
{
    if (!file_exists(profile->state) && !file_make_folders(profile->state, 0700, error)) {
        error_prefix(error, "state");
        return NULL;
    }
    char *path =
        *name ? file_join(profile->state, name, error) : file_join(profile->state, ".", error);
    if (path == NULL)
        return NULL;
    bool shared = profile_state_shared(profile);
    struct stat status;
    bool there = stat(path, &status) == 0;
    bool ok = there || file_make_folders(path, 0700, error);
    if (ok && !there && shared && chmod(path, 02770) != 0)
        ok = error_set_system(error, errno, "state: %s", path);
    if (ok)
        return path;
    free(path);
    return NULL;
}

/* init: the first-start guide without a screen: looks at what is named, asks what is missing when a
 * person sits there, and writes a commented profile. Never a secret. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/config/context.h"
#include "core/config/profile.h"
#include "core/model/model.h"
#include "core/net/probe.h"
#include "tui/verbs.h"

enum { INIT_FOUND_MOST = 64 };

/* What the guide knows; texts live in the arena. */
struct init {
    struct command *command;
    struct arena arena;
    const char *name, *model_path, *platform, *dsn, *deltas, *warehouse, *catalog_dsn, *state,
        *file;
    struct model model;
    bool has_model;
    const char *container; /* of the first store that can be captured */
    struct {
        const char *service, *url;
    } found[INIT_FOUND_MOST];
    size_t found_count;
};

static const struct option_spec init_options[] = {
    {"name", OPTION_TEXT, "CONTEXT", "name of the new context (local)"},
    {"model", OPTION_TEXT, "FILE", "the model's bundle (./model.json when it is there)"},
    {"platform", OPTION_TEXT, "NAME", "whose graph; needed when the model has several"},
    {"host", OPTION_TEXT, "HOST,…", "hosts to look for services on; no other host is asked"},
    {"source", OPTION_TEXT, "DSN", "the source database, as libpq writes it, without a password"},
    {"credential", OPTION_TEXT, "NAME", "the source's credential: NAME_USER, NAME_PASSWORD"},
    {"deltas", OPTION_TEXT, "PLACE", "where delta files go: a folder or s3://bucket"},
    {"warehouse", OPTION_TEXT, "PLACE", "where tables go: a folder or s3://bucket"},
    {"catalog", OPTION_TEXT, "DSN", "the catalog's database; without one: a storage catalog"},
    {"state", OPTION_TEXT, "DIR", "where runs, receipts and locks lie"},
    {"output", OPTION_TEXT, "FILE", "the file to write, `-` for stdout (the context's own file)"},
    {"force", OPTION_FLAG, NULL, "replace a profile that is there"},
    {0},
};

/* An option's text; else what a person answers; else `otherwise` (may be NULL). */
static bool init_ask(struct init *init, const char *option, const char *question,
                     const char *otherwise, const char **out, struct error *error)
{
    struct command *command = init->command;
    const char *given = command_option(command, option);
    char line[1024] = "";
    if (given == NULL && isatty(STDIN_FILENO) && command->err_is_terminal) {
        fprintf(command->err, "%s%s%s%s: ", question, otherwise ? " [" : "",
                otherwise ? otherwise : "", otherwise ? "]" : "");
        fflush(command->err);
        if (fgets(line, sizeof line, stdin) == NULL)
            return error_set(error, ERROR_INTERRUPTED, NULL, "no answer: nothing was written");
        line[strcspn(line, "\n")] = '\0';
    }
    const char *text = given ? given : line[0] ? line : otherwise;
    *out = text ? arena_copy_text(&init->arena, text, error) : NULL;
    return text == NULL || *out != NULL;
}

static bool init_add_found(struct init *init, const char *service, const char *url,
                           struct error *error)
{
    for (size_t i = 0; i < init->found_count; i++)
        if (strcmp(init->found[i].service, service) == 0)
            return true; /* the first one that answers counts */
    if (init->found_count == INIT_FOUND_MOST)
        return true;
    const char *copy = arena_copy_text(&init->arena, url, error);
    TRY(copy);
    init->found[init->found_count].service = service;
    init->found[init->found_count++].url = copy;
    command_say(init->command, "found %s at %s", service, url);
    return true;
}

static const char *init_url(const struct init *init, const char *service)
{
    for (size_t i = 0; i < init->found_count; i++)
        if (strcmp(init->found[i].service, service) == 0)
            return init->found[i].url;
    return NULL;
}

/* Services are known by what they answer, not by the port. */
static bool init_probe_port(struct init *init, const char *host, int port, struct error *error)
{
    char url[300];
    snprintf(url, sizeof url, "http://%s:%d", host, port);
    for (const struct probe_service *service = probe_services; service->name; service++) {
        struct probe_answer answer = {0};
        bool found = false;
        bool answered = probe_is_service(url, service, &found, &answer, NULL);
        probe_answer_destroy(&answer);
        if (answered && found && (service->word[0] || service->port == port))
            return init_add_found(init, service->name, url, error);
        if (!answered)
            break;
    }
    return true;
}

static bool init_probe_host(struct init *init, const char *host, struct error *error)
{
    static const int ports[] = {8083, 9200, 9000, 12080, 8080, 11080, 80};
    char where[300];
    struct error why = {0};
    bool any = false;
    command_progress(init->command, "looking at %s", host);
    if (probe_tcp(host, 5432, PROBE_CONNECT_MS, &why)) {
        snprintf(where, sizeof where, "%s:5432", host);
        TRY(init_add_found(init, "postgres", where, error));
        any = true;
    }
    if (why.kind == ERROR_UNREACHABLE && strstr(why.message, host) == why.message &&
        why.system == 0)
        return error_set(error, ERROR_UNREACHABLE, why.remedy, "%s", why.message);
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        if (!probe_tcp(host, ports[i], PROBE_CONNECT_MS, NULL))
            continue;
        any = true;
        TRY(init_probe_port(init, host, ports[i], error));
    }
    if (!any)
        command_say(init->command, "%s: none of the ports that services usually have answers",
                    host);
    return true;
}

static bool init_probe(struct init *init, struct error *error)
{
    const char *hosts = command_option(init->command, "host");
    while (hosts && *hosts) {
        char host[256];
        size_t length = strcspn(hosts, ", ");
        snprintf(host, sizeof host, "%.*s", (int)length, hosts);
        if (*host)
            TRY(init_probe_host(init, host, error));
        hosts += length + (hosts[length] != '\0');
    }
    return true;
}

static bool init_model(struct init *init, struct error *error)
{
    const char *standard = file_exists("model.json") ? "model.json" : NULL;
    TRY(init_ask(init, "model", "Model bundle", standard, &init->model_path, error));
    if (init->model_path == NULL || *init->model_path == '\0') {
        init->model_path = NULL;
        return true;
    }
    char *real = realpath(init->model_path, NULL);
    if (real == NULL) {
        error_set_system(error, errno, "model: %s", init->model_path);
        if (error)
            error->kind = ERROR_CONFIG;
        return false;
    }
    init->model_path = arena_copy_text(&init->arena, real, error);
    free(real);
    TRY(init->model_path && model_load(init->model_path, &init->model, error));
    init->has_model = true;
    const struct model *model = &init->model;
    const char *only = model->platform_count == 1 ? model->platforms[0].name : NULL;
    char question[512] = "Platform, of";
    for (size_t i = 0; i < model->platform_count; i++)
        snprintf(question + strlen(question), sizeof question - strlen(question), " %s",
                 model->platforms[i].name);
    TRY(init_ask(init, "platform", question, only, &init->platform, error));
    if (init->platform && model_platform(model, init->platform) == NULL)
        return error_set(error, ERROR_CONFIG, question, "the model has no platform %s",
                         init->platform);
    for (size_t i = 0; i < model->store_count && !init->container; i++) {
        const struct model_container *container = &model->stores[i].container;
        bool postgres = container->type && (strcmp(container->type, "PostgresDatabase") == 0 ||
                                            strcmp(container->type, "HostPortSQLDatabase") == 0);
        if (postgres && model->stores[i].workspace == NULL)
            init->container = container->name;
    }
    return true;
}

/* A double-quoted YAML text. */
static bool init_yaml(struct buffer *out, const char *text, struct error *error)
{
    return buffer_append_json_text(out, slice_of(text), error);
}

static bool init_line(struct buffer *out, const char *indent, const char *key, const char *value,
                      const char *comment, struct error *error)
{
    TRY(buffer_append_text(out, indent, error));
    if (value == NULL)
        TRY(buffer_append_text(out, "# ", error));
    TRY(buffer_append_text(out, key, error) && buffer_append_text(out, ": ", error));
    if (value)
        TRY(init_yaml(out, value, error));
    TRY(buffer_append_text(out, comment && *comment ? "    # " : "", error));
    return buffer_append_text(out, comment ? comment : "", error) &&
           buffer_append_byte(out, '\n', error);
}

static bool init_write_source(struct init *init, struct buffer *out, struct error *error)
{
    if (init->dsn == NULL)
        return buffer_append_text(
            out,
            "sources: {}               # by the container's name in the model, for example:\n"
            "#  customer_db: {dsn: \"host=127.0.0.1 dbname=shop user=surf\", credential: "
            "PG_SHOP}\n",
            error);
    const char *credential = command_option(init->command, "credential");
    TRY(buffer_append_text(
        out, "sources:                  # by the container's name in the model\n  ", error));
    TRY(init_yaml(out, init->container ? init->container : "source", error));
    TRY(buffer_append_text(out, ":\n", error));
    TRY(init_line(out, "    ", "dsn", init->dsn, "", error));
    TRY(init_line(out, "    ", "credential", credential,
                  "NAME_USER and NAME_PASSWORD in the environment or the credentials folder",
                  error));
    TRY(init_line(out, "    ", "query_user", NULL, "a role that can only read, for queries",
                  error));
    return buffer_append_text(out, "    generator: false      # true: simulate may write here\n",
                              error);
}

static bool init_write_lake(struct init *init, struct buffer *out, struct error *error)
{
    TRY(buffer_append_text(out, "lake:\n", error));
    TRY(init_line(out, "  ", "deltas", init->deltas, "files of changes: a folder or s3://bucket",
                  error));
    TRY(init_line(out, "  ", "warehouse", init->warehouse, "tables: a folder or s3://bucket",
                  error));
    if (init_url(init, "minio"))
        TRY(buffer_append_text(out, "  s3: {endpoint: ", error) &&
            init_yaml(out, init_url(init, "minio"), error) &&
            buffer_append_text(out, ", path_style: true, credential: MINIO}\n", error));
    if (init->catalog_dsn)
        return buffer_append_text(out, "  catalog: {kind: jdbc, name: lake, dsn: ", error) &&
               init_yaml(out, init->catalog_dsn, error) && buffer_append_text(out, "}\n", error);
    return buffer_append_text(
        out,
        "  catalog: {kind: storage}   # or {kind: jdbc, name: lake, dsn: …, credential: LAKE}\n",
        error);
}

static bool init_write_services(struct init *init, struct buffer *out, struct error *error)
{
    static const char *const names[] = {"airflow", "spark", "gitlab", "portainer"};
    const char *trino = init_url(init, "trino");
    if (trino)
        TRY(buffer_append_text(out, "trino: {url: ", error) && init_yaml(out, trino, error) &&
            buffer_append_text(out, ", user: surfboard, catalog: lake}\n", error));
    bool any = false;
    for (size_t i = 0; i < 4; i++) {
        const char *url = init_url(init, names[i]);
        if (url == NULL)
            continue;
        if (!any)
            TRY(buffer_append_text(out, "services:\n", error));
        any = true;
        TRY(buffer_append_format(out, error, "  %s: {url: ", names[i]) &&
            init_yaml(out, url, error) && buffer_append_text(out, "}\n", error));
    }
    return true;
}

static bool init_write(struct init *init, struct buffer *out, struct error *error)
{
    TRY(buffer_append_text(
        out,
        "# A profile of surfboard: which hosts, folders and policies. It holds no "
        "secrets.\n# `surfboard doctor` checks it; `man surfboard` explains it.\n"
        "format: 1\n",
        error));
    TRY(init_line(out, "", "context", init->name, "", error));
    TRY(buffer_append_text(
        out, "read_only: false          # true: every changing action is refused\n", error));
    TRY(init_line(out, "", "state", init->state,
                  "runs, receipts, locks; share it by a group (2770)", error));
    TRY(init_line(out, "", "model", init->model_path, "the bundle exported from DataSurface",
                  error));
    TRY(init_line(out, "", "platform", init->platform, "whose intention graph", error));
    TRY(init_write_source(init, out, error));
    TRY(buffer_append_text(
        out, "capture: {kind: native}   # reads Postgres itself; needs no Kafka\n", error));
    TRY(init_write_lake(init, out, error));
    TRY(init_write_services(init, out, error));
    return buffer_append_text(out,
                              "streams: {}               # per stream, for example: orders: "
                              "{capture: cdc, freshness: 5m}\n"
                              "merge: {memory: 512MiB, on_bad_input: stop, on_gap: stop}\n"
                              "maintain: {snapshot_age: 1h, min_snapshots: 20, delete_grace: 1h}\n",
                              error);
}

/* Places given here are meant from here, not from the profile's folder. */
static bool init_ask_place(struct init *init, const char *option, const char *question,
                           const char *otherwise, const char **out, struct error *error)
{
    TRY(init_ask(init, option, question, otherwise, out, error));
    char here[4096];
    if (*out == NULL || **out == '/' || strstr(*out, "://") || **out == '~')
        return true;
    if (getcwd(here, sizeof here) == NULL)
        return error_set_system(error, errno, "the present folder");
    return (*out = arena_format(&init->arena, error, "%s/%s", here, *out)) != NULL;
}

static bool init_questions(struct init *init, struct error *error)
{
    TRY(init_ask(init, "name", "Name of the context", "local", &init->name, error));
    TRY(init_model(init, error));
    TRY(init_probe(init, error));
    char question[256];
    snprintf(question, sizeof question, "Source database%s%s, as libpq writes it (no password)",
             init->container ? " for " : "", init->container ? init->container : "");
    TRY(init_ask(init, "source", question, NULL, &init->dsn, error));
    char *root = context_state_root(error);
    TRY(root);
    const char *state = arena_format(&init->arena, error, "%s/%s", root, init->name);
    free(root);
    TRY(state && init_ask_place(init, "state", "State folder", state, &init->state, error));
    const char *deltas = arena_format(&init->arena, error, "%s/deltas", init->state);
    const char *warehouse = arena_format(&init->arena, error, "%s/warehouse", init->state);
    TRY(deltas && warehouse);
    TRY(init_ask_place(init, "deltas", "Delta files", deltas, &init->deltas, error));
    TRY(init_ask_place(init, "warehouse", "Tables", warehouse, &init->warehouse, error));
    return init_ask(init, "catalog", "Catalog database (empty: a storage catalog)", NULL,
                    &init->catalog_dsn, error);
}

static bool init_choose_file(struct init *init, struct error *error)
{
    const char *output = command_option(init->command, "output");
    if (output) {
        init->file = output;
        return true;
    }
    char *folder = context_folder(error);
    TRY(folder);
    init->file = arena_format(&init->arena, error, "%s/%s.yaml", folder, init->name);
    bool ok = init->file && file_make_folders(folder, 0700, error);
    free(folder);
    return ok;
}

static bool init_save(struct init *init, struct buffer *text, struct error *error)
{
    struct command *command = init->command;
    bool to_stdout = strcmp(init->file, "-") == 0;
    struct profile check;
    TRY(profile_parse(buffer_slice(text), to_stdout ? "profile.yaml" : init->file, &check, error));
    profile_destroy(&check);
    if (to_stdout)
        return command_print_data(command, buffer_slice(text), error);
    if (file_exists(init->file) && !command_flag(command, "force"))
        return error_set(error, ERROR_REFUSED,
                         "add --force to replace it, or --output another file",
                         "%s is there already", init->file);
    TRY(file_write_atomic(init->file, buffer_slice(text), 0600, error));
    if (!command->json) {
        fprintf(command->out, "%s\n", init->file);
        command_say(command,
                    "next: surfboard --profile %s doctor, then plan, then up; "
                    "surfboard context --default %s makes it the default",
                    init->file, init->name);
        return true;
    }
    json_t *found = json_array();
    for (size_t i = 0; i < init->found_count; i++)
        json_array_append_new(found, json_pack("{s:s, s:s}", "service", init->found[i].service,
                                               "url", init->found[i].url));
    return command_print_json(
        command,
        json_pack("{s:s, s:s, s:o}", "context", init->name, "profile", init->file, "found", found),
        error);
}

static int init_run(struct command *command)
{
    struct error error = {0};
    struct init init = {.command = command};
    struct buffer text = {0};
    bool ok = init_questions(&init, &error) && init_choose_file(&init, &error) &&
              init_write(&init, &text, &error) && init_save(&init, &text, &error);
    buffer_destroy(&text);
    if (init.has_model)
        model_destroy(&init.model);
    arena_destroy(&init.arena);
    return ok ? 0 : command_fail(command, &error);
}

const struct verb verb_init = {
    .name = "init",
    .synopsis = "[--name CONTEXT] [--model FILE] [--host HOST,…] [--source DSN] [options]",
    .summary =
        "Guides through the first start: looks at the hosts named, writes a commented profile",
    .details =
        "On a terminal it asks for what no option says; elsewhere it takes defaults. Services "
        "are known by what they answer, and no host is asked that was not named. The profile "
        "holds no secret: passwords come from the environment or the credentials folder.",
    .options = init_options,
    .run = init_run,
};

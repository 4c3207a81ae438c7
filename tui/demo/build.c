/* What the demo stands on: a folder with a private Postgres, a shop in it, a model and a profile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/shop.h"
#include "tui/demo/demo.h"

enum { LOCK_LOOKS = 20, LOCK_LOOK_MS = 50 };

static bool build_folder(struct demo *demo, struct error *error)
{
    const char *given = command_option(demo->command, "dir");
    char path[DEMO_PATH_SIZE + 16], real[4096];
    if (given == NULL)
        given = "surfboard-demo";
    TRY(file_make_folders(given, 0755, error));
    if (realpath(given, real) == NULL)
        return error_set_system(error, errno, "%s", given);
    if (strlen(real) >= DEMO_PATH_SIZE - 64)
        return error_set(error, ERROR_USAGE, "choose a shorter --dir", "%s is too long", real);
    snprintf(demo->folder, sizeof demo->folder, "%.*s", (int)sizeof demo->folder - 1, real);
    snprintf(demo->profile_path, sizeof demo->profile_path, "%s/demo.yaml", demo->folder);
    snprintf(demo->logs, sizeof demo->logs, "%s/logs", demo->folder);
    TRY(file_make_folders(demo->logs, 0755, error));
    snprintf(path, sizeof path, "%s/lock", demo->folder);
    demo->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (demo->lock < 0)
        return error_set_system(error, errno, "%s", path);
    /* One that was just killed may not be gone yet. */
    bool locked = flock(demo->lock, LOCK_EX | LOCK_NB) == 0;
    for (int i = 0; !locked && i < LOCK_LOOKS; i++) {
        clock_sleep_ms(LOCK_LOOK_MS);
        locked = flock(demo->lock, LOCK_EX | LOCK_NB) == 0;
    }
    if (!locked)
        return error_set(error, ERROR_CONFLICT, "stop the other one, or choose another --dir",
                         "a demo runs in %s already", demo->folder);
    demo->resumed = file_exists(demo->profile_path);
    return true;
}

static bool build_cluster(struct demo *demo, struct error *error)
{
    char path[DEMO_PATH_SIZE + 16];
    snprintf(path, sizeof path, "%s/postgres", demo->folder);
    demo_say(demo,
             demo->resumed ? "starting the private Postgres again" : "making a private Postgres");
    TRY(demo_guard_await(demo, error) && cluster_open(path, &demo->cluster, error));
    demo->cluster_open = true;
    return cluster_start(&demo->cluster, error) && demo_guard_start(demo, error) &&
           cluster_create_database(&demo->cluster, "shop", error) &&
           cluster_create_database(&demo->cluster, "lake", error);
}

static bool build_shop(struct demo *demo, struct error *error)
{
    char text[96];
    char *dsn = cluster_dsn(&demo->cluster, "shop", error);
    struct pg *pg = dsn ? session_open(&(struct pg_options){.dsn = dsn}, error) : NULL;
    bool marked = false;
    bool ok = pg && shop_is_marked(pg, &marked, error);
    if (ok && !marked) {
        snprintf(text, sizeof text, "filling a shop with %lld customers", (long long)demo->rows);
        demo_say(demo, text);
        ok = shop_create(pg, demo->rows, error);
    }
    pg_close(pg);
    free(dsn);
    return ok;
}

static bool build_profile(struct demo *demo, struct error *error)
{
    char model[DEMO_PATH_SIZE + 16];
    char *shop = cluster_dsn(&demo->cluster, "shop", error);
    char *lake = cluster_dsn(&demo->cluster, "lake", error);
    struct buffer text = {0};
    bool ok = shop && lake &&
              buffer_append_text(
                  &text,
                  "# Written by surfboard demo, anew at each start: the server's port may change.\n"
                  "format: 1\ncontext: demo\nstate: state\nmodel: model.json\nplatform: Demo\n"
                  "sources:\n  shop_db:\n    generator: true      # simulate may write here\n"
                  "    dsn: ",
                  error) &&
              buffer_append_json_text(&text, slice_of(shop), error) &&
              buffer_append_text(&text,
                                 "\ncapture: {kind: native}\nlake:\n  deltas: deltas\n"
                                 "  warehouse: warehouse\n  catalog:\n    kind: jdbc\n"
                                 "    name: lake\n    dsn: ",
                                 error) &&
              buffer_append_json_text(&text, slice_of(lake), error) &&
              buffer_append_text(&text, "\nstreams: {shop: {freshness: 10s}}\n", error) &&
              file_write_atomic(demo->profile_path, buffer_slice(&text), 0600, error);
    snprintf(model, sizeof model, "%s/model.json", demo->folder);
    ok = ok && file_write_atomic(model, slice_of(demo_model), 0644, error);
    buffer_destroy(&text);
    free(shop);
    free(lake);
    TRY(ok && profile_load(demo->profile_path, &demo->profile, error));
    demo->profile_open = true;
    TRY(pipeline_open(&demo->profile, &demo->pipeline, error));
    demo->pipeline_open = true;
    const struct stream *stream = pipeline_captured_stream(&demo->pipeline, DEMO_STREAM, error);
    TRY(stream);
    for (size_t i = 0; i < stream->table_count && i < DEMO_TABLES_MOST; i++)
        demo->tables[demo->table_count++] =
            (struct demo_table){.name = stream->tables[i].dataset, .rows = -1};
    return true;
}

bool demo_build(struct demo *demo, struct error *error)
{
    demo->lock = -1;
    return build_folder(demo, error) && build_cluster(demo, error) && build_shop(demo, error) &&
           build_profile(demo, error);
}

bool demo_close(struct demo *demo, struct error *error)
{
    struct demo_child *children[] = {&demo->up, &demo->simulate, &demo->capture, &demo->merge,
                                     &demo->verify};
    for (size_t i = 0; i < sizeof children / sizeof *children; i++)
        demo_child_destroy(children[i]);
    lag_session_close(&demo->session);
    if (demo->pipeline_open)
        pipeline_close(&demo->pipeline);
    if (demo->profile_open)
        profile_destroy(&demo->profile);
    bool ok = !demo->cluster_open || cluster_stop(&demo->cluster, error);
    demo_guard_dismiss(demo);
    if (demo->lock >= 0)
        close(demo->lock);
    buffer_destroy(&demo->differences);
    return ok;
}

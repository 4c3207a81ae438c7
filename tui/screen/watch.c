#include "tui/screen/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "tui/screen/app.h"

enum { LOOK_MS = 1000, REST_MS = 30000, LOOK_LIMIT_MS = 20000, RUNS_MOST = 100, STALE_LOOKS = 3 };

/* What the job reads into, off the screen's thread; kept from look to look, with its connections.
 */
struct watch_work {
    struct app *app;
    const struct pipeline *pipeline;
    const struct profile *profile;
    struct lag_session session;
    struct lag *lags;
    size_t count;
    struct run_list runs;
    bool catalog_asked;
};

static bool watch_run(struct job *job, void *context, struct error *error)
{
    struct watch_work *work = context;
    for (size_t i = 0; i < work->count && !atomic_load(job_stop_flag(job)); i++)
        TRY(lag_measure(work->pipeline, &work->pipeline->streams[i], &work->session, &work->lags[i],
                        error));
    run_list_destroy(&work->runs);
    return run_list_load(work->profile, RUNS_MOST, &work->runs, error);
}

static void watch_service(struct watch *watch, const char *name, bool asked, bool there,
                          const struct error *why)
{
    struct watch_service *service = &watch->services[watch->service_count];
    if (watch->service_count == WATCH_SERVICES_MOST)
        return;
    watch->service_count++;
    *service = (struct watch_service){.name = name,
                                      .state = there   ? LAG_OK
                                               : asked ? LAG_UNKNOWN
                                                       : LAG_NONE};
    if (asked && !there)
        snprintf(service->why, sizeof service->why, "%.*s", (int)sizeof service->why - 1,
                 why->message);
}

/* Who answered in this look; sources of one kind stand as one, the worst counts. */
static void watch_take_services(struct watch *watch)
{
    struct lag_session *session = &watch->work->session;
    const struct lag_source *worst = NULL;
    watch->service_count = 0;
    for (size_t i = 0; i < session->source_count; i++)
        if (worst == NULL || session->sources[i].pg == NULL)
            worst = &session->sources[i];
    if (worst)
        watch_service(watch, "pg", true, worst->pg != NULL, &worst->why);
    if (watch->work->count)
        watch_service(watch, "lake", session->catalog || session->catalog_failed_ns,
                      session->catalog != NULL, &session->catalog_why);
}

static void watch_done(void *context, bool ok, const struct error *error)
{
    struct watch_work *work = context;
    struct app *app = work->app;
    struct watch *watch = &app->watch;
    int64_t now = clock_now_us();
    watch->job = NULL;
    app->dirty = true;
    if (ok) {
        for (size_t i = 0; i < watch->stream_count; i++) {
            watch->streams[i].lag = work->lags[i];
            watch->streams[i].known = true;
            watch->streams[i].checked_us = now;
        }
        run_list_destroy(&watch->runs);
        watch->runs = work->runs;
        work->runs = (struct run_list){0};
        watch->checked_us = now;
        watch_take_services(watch);
    } else if (error->kind != ERROR_INTERRUPTED) {
        app_fail(app, error);
    }
    if (watch->again)
        watch_look(app);
    else
        watch_pace(app);
}

static const struct job_kind watch_kind = {"streams", LOOK_LIMIT_MS, watch_run, watch_done};

bool watch_open(struct app *app, struct error *error)
{
    struct watch *watch = &app->watch;
    struct watch_work *work = memory_zero(1, sizeof *work, error);
    size_t count = app->pipeline.stream_count;
    TRY(work);
    watch->work = work;
    *work = (struct watch_work){.app = app, .pipeline = &app->pipeline, .profile = &app->profile};
    work->lags = memory_zero(count ? count : 1, sizeof *work->lags, error);
    watch->streams = memory_zero(count ? count : 1, sizeof *watch->streams, error);
    TRY(work->lags && watch->streams);
    work->count = watch->stream_count = count;
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < WATCH_SAMPLES; n++)
            watch->streams[i].samples[n] = -1;
    return true;
}

void watch_close(struct app *app)
{
    struct watch *watch = &app->watch;
    if (watch->work) {
        lag_session_close(&watch->work->session);
        run_list_destroy(&watch->work->runs);
        free(watch->work->lags);
        free(watch->work);
    }
    run_list_destroy(&watch->runs);
    free(watch->streams);
    *watch = (struct watch){0};
}

void watch_look(struct app *app)
{
    struct watch *watch = &app->watch;
    if (watch->work == NULL)
        return;
    watch->again = watch->job != NULL;
    if (watch->job == NULL)
        watch->job = app_job(app, &watch_kind, watch->work);
}

static void watch_timer(void *context)
{
    watch_look(context);
}

void watch_pace(struct app *app)
{
    const struct view *view = app->views[app->current];
    if (app->watch.work == NULL || app->watch.job)
        return;
    int64_t pace = view && view->kind->ticks ? LOOK_MS : REST_MS;
    int64_t since = app->watch.checked_us ? (clock_now_us() - app->watch.checked_us) / 1000 : pace;
    loop_after(&app->loop, since >= pace ? (app->watch.checked_us ? pace : 0) : pace - since,
               watch_timer, app);
}

const struct watch_stream *watch_stream(const struct app *app, const char *name)
{
    for (size_t i = 0; i < app->watch.stream_count; i++)
        if (strcmp(app->pipeline.streams[i].name, name) == 0)
            return &app->watch.streams[i];
    return NULL;
}

bool watch_is_stale(const struct app *app, const struct watch_stream *stream)
{
    const struct view *view = app->views[app->current];
    int64_t pace = view && view->kind->ticks ? LOOK_MS : REST_MS;
    return stream->known && clock_now_us() - stream->checked_us > STALE_LOOKS * pace * 1000;
}

enum glyph watch_glyph(const char *state, enum style *style)
{
    static const struct {
        const char *state;
        enum glyph glyph;
        enum style style;
    } looks[] = {{"ok", GLYPH_OK, STYLE_OK},
                 {"catching up", GLYPH_WARN, STYLE_WARN},
                 {"late", GLYPH_WARN, STYLE_WARN},
                 {"paused", GLYPH_WARN, STYLE_WARN},
                 {"stopped", GLYPH_WARN, STYLE_WARN},
                 {"FAILED", GLYPH_FAIL, STYLE_FAIL},
                 {"not built", GLYPH_ABSENT, STYLE_ABSENT},
                 {"not-built", GLYPH_ABSENT, STYLE_ABSENT}};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (strcmp(looks[i].state, state) == 0) {
            *style = looks[i].style;
            return looks[i].glyph;
        }
    *style = STYLE_UNKNOWN;
    return GLYPH_UNKNOWN;
}

void watch_age(double seconds, char *out, size_t size)
{
    char text[QUANTITY_TEXT_SIZE];
    if (seconds < 0) {
        snprintf(out, size, "?");
        return;
    }
    int64_t whole = (int64_t)seconds;
    if (whole >= 10 && whole < 60)
        whole -= whole % 10;
    quantity_format_age(whole * 1000, text);
    snprintf(out, size, "%s", text);
}

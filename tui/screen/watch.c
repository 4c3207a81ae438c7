#include "tui/screen/watch.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/library.h"
#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "tui/screen/watch_private.h"

/* The first frame is not shared with connecting and asking. */
enum {
    FIRST_LOOK_MS = 200,
    LOOK_MS = 1000,
    REST_MS = 30000,
    LOOK_LIMIT_MS = 20000,
    SILENT_MS = 3500,
    STALE_LOOKS = 3
};

#define TREND_US INT64_C(10000000) /* between two looks that are compared */
#define TREND_LEAST 0.5            /* seconds that a lag must fall by */

/* ---- what only several looks tell ---- */

void watch_trend_feed(struct watch_trend *trend, double value, int64_t now_us)
{
    int64_t since = now_us - trend->at_us;
    if (value < 0 || trend->at_us == 0 || since < 0) {
        *trend = (struct watch_trend){.value = value, .at_us = value < 0 ? 0 : now_us};
        return;
    }
    if (since < TREND_US)
        return;
    trend->falls = value < trend->value - TREND_LEAST;
    trend->value = value;
    trend->at_us = now_us;
}

void watch_rate_feed(struct watch_rate *rate, uint64_t count, int64_t now_us)
{
    int64_t since = now_us - rate->at_us;
    if (rate->at_us == 0 || since < 0 || count < rate->count) {
        *rate = (struct watch_rate){count, now_us, -1};
        return;
    }
    if (since < TREND_US)
        return;
    rate->per_s = (double)(count - rate->count) / ((double)since / 1e6);
    rate->count = count;
    rate->at_us = now_us;
}

/* The run that merges a stream now. */
static const struct run_summary *merging_run(const struct watch *watch, const char *stream)
{
    for (size_t i = 0; i < watch->runs.count; i++) {
        const struct run_summary *run = &watch->runs.runs[i];
        if (strcmp(run->state, "running") == 0 && strcmp(run->verb, "merge") == 0 &&
            strcmp(run->object, stream) == 0)
            return run;
    }
    return NULL;
}

static void judge_merging(const struct watch *watch, struct watch_stream *stream)
{
    const struct run_summary *run = merging_run(watch, stream->lag.stream->name);
    char to_go[QUANTITY_TEXT_SIZE] = "";
    stream->note[0] = stream->merging[0] = '\0';
    if (run == NULL)
        return;
    snprintf(stream->merging, sizeof stream->merging, "%s", run->id);
    if (run->progress.known && run->progress.eta_s >= 0)
        watch_age(run->progress.eta_s, to_go, sizeof to_go);
    snprintf(stream->note, sizeof stream->note, "run %s is merging%s%s%s", run->id,
             *to_go ? ", " : "", to_go, *to_go ? " to go" : "");
}

static void judge(const struct watch *watch, struct watch_stream *stream)
{
    const char *state = stream->lag.state;
    judge_merging(watch, stream);
    bool late = strcmp(state, "late") == 0;
    stream->state = late && stream->trend.falls ? "catching up" : state;
}

static void take_stream(struct watch *watch, size_t index, int64_t now)
{
    struct watch_stream *stream = &watch->streams[index];
    const struct watch_reading *reading = &watch->work->readings[index];
    stream->lag = reading->lag;
    stream->known = true;
    stream->checked_us = now;
    for (size_t i = 0; i < LAG_STAGES; i++)
        if (stream->lag.chain[i].state != LAG_UNKNOWN)
            stream->answered_us[i] = now;
    memcpy(stream->samples, reading->samples, sizeof stream->samples);
    stream->samples_exact = reading->samples_exact;
    stream->rows_s = reading->rows_s;
    stream->rows = reading->rows;
    stream->tables_there = reading->tables_there;
    stream->paused = strcmp(reading->lag.state, "paused") == 0;
    stream->readers = reading->readers;
    stream->reader_count = reading->reader_count;
    watch_trend_feed(&stream->trend, stream->lag.freshness_s, now);
    if (stream->lag.written_bytes)
        watch_rate_feed(&stream->wal, stream->lag.written_bytes, now);
}

/* ---- a look and what comes of it ---- */

static void watch_tick_views(struct app *app)
{
    struct view *view = app->views[app->current];
    if (view && view->kind->tick)
        view->kind->tick(view);
    for (size_t i = 0; i < app->box_count; i++)
        if (app->boxes[i]->kind->tick)
            app->boxes[i]->kind->tick(app->boxes[i]);
    app->dirty = true;
}

/* A look that takes longer than its second: ages go on all the same. */
static void watch_slow(void *context)
{
    struct app *app = context;
    watch_tick_views(app);
    if (app->watch.job && app->watch.fast)
        loop_after(&app->loop, LOOK_MS, watch_slow, app);
}

/* Nobody who was asked for so long is still shown as answering. */
static void watch_silent(void *context)
{
    struct app *app = context;
    watch_services_silent(app);
    app->dirty = true;
}

static bool watch_run(struct job *job, void *context, struct error *error)
{
    struct watch_work *work = context;
    bool ok = watch_read(work, job_stop_flag(job), error);
    /* Once, not each second: logging in and reading every table for the first time takes most, and
     * trimming holds up whoever allocates meanwhile. */
    if (!work->rested) {
        malloc_trim(0);
        library_rest();
    }
    work->rested = true;
    return ok;
}

static void watch_tell(struct app *app, const struct error *error)
{
    struct watch *watch = &app->watch;
    if (error->kind == ERROR_INTERRUPTED ||
        strncmp(watch->told, error->message, sizeof watch->told - 1) == 0)
        return;
    snprintf(watch->told, sizeof watch->told, "%.*s", (int)sizeof watch->told - 1, error->message);
    app_fail(app, error);
}

static void watch_take(struct app *app)
{
    struct watch *watch = &app->watch;
    struct watch_work *work = watch->work;
    int64_t now = clock_now_us();
    run_list_destroy(&watch->runs);
    watch->runs = work->runs;
    watch->runs_why = work->runs_why;
    watch->runs_us = now;
    work->runs = (struct run_list){0};
    for (size_t i = 0; i < work->measured; i++)
        take_stream(watch, i, now);
    for (size_t i = 0; i < watch->stream_count; i++)
        if (watch->streams[i].known)
            judge(watch, &watch->streams[i]);
    memcpy(watch->orphans, work->orphans, sizeof watch->orphans);
    watch->orphan_count = work->orphan_count;
    if (work->change_known) {
        watch->change = work->change;
        watch->change_known = true;
    }
}

static void watch_done(void *context, bool ok, const struct error *error)
{
    struct watch_work *work = context;
    struct app *app = work->app;
    struct watch *watch = &app->watch;
    watch->job = NULL;
    watch->looked_us = clock_now_us();
    if (work->whole)
        watch->whole_us = watch->looked_us;
    loop_cancel(&app->loop, watch_slow, app);
    loop_cancel(&app->loop, watch_silent, app);
    watch_take(app);
    watch_notice_open(app);
    if (ok)
        watch->told[0] = '\0';
    else
        watch_tell(app, error);
    if (ok && work->whole) {
        watch->checked_us = watch->looked_us;
        watch_services_take(app);
    } else if (!ok && error->kind == ERROR_UNREACHABLE) {
        watch_services_silent(app);
    }
    work->measured = 0;
    watch_tick_views(app);
    if (watch->again)
        watch_look(app);
    else
        watch_pace(app);
}

static const struct job_kind watch_kind = {"streams", LOOK_LIMIT_MS, watch_run, watch_done};

static void watch_start(struct app *app, bool whole)
{
    struct watch *watch = &app->watch;
    if (watch->work == NULL)
        return;
    watch->again = watch->job != NULL;
    watch->whole = watch->again && (watch->whole || whole);
    if (watch->job)
        return;
    watch->work->whole = whole;
    watch->job = app_job(app, &watch_kind, watch->work);
    if (watch->job && whole)
        loop_after(&app->loop, SILENT_MS, watch_silent, app);
    if (watch->job && watch->fast)
        loop_after(&app->loop, LOOK_MS, watch_slow, app);
}

void watch_look(struct app *app)
{
    watch_start(app, true);
}

/* ---- the pace ---- */

static const struct view_kind *kind_in_sight(const struct app *app)
{
    return app->views[app->current] ? app->views[app->current]->kind : NULL;
}

bool watch_runs_alive(const struct app *app)
{
    for (size_t i = 0; i < app->watch.runs.count; i++)
        if (strcmp(app->watch.runs.runs[i].state, "running") == 0)
            return true;
    return app->runner.count > 0;
}

/* Each second: what ticks. Runs tick while one is under way. */
static bool watch_is_fast(const struct app *app)
{
    const struct view_kind *kind = kind_in_sight(app);
    return kind && kind->ticks && (kind != &view_runs || watch_runs_alive(app));
}

/* Where it looks each second anyhow, nothing is to be done. */
void watch_runs_came(struct app *app)
{
    if (kind_in_sight(app) == &view_runs && !app->watch.fast)
        watch_start(app, false);
}

/* Runs alone when the view is that of runs; the streams then at the slow pace. */
static void watch_timer(void *context)
{
    struct app *app = context;
    const struct watch *watch = &app->watch;
    bool rested =
        watch->checked_us == 0 || clock_now_us() - watch->checked_us >= REST_MS * INT64_C(1000);
    watch_start(app, kind_in_sight(app) != &view_runs || rested);
}

/* The loop counts as busy until then: what waits for rest waits for the first look. */
static void watch_first_timer(void *context)
{
    struct app *app = context;
    app->watch.first_set = false;
    app->loop.busy--;
    watch_timer(app);
}

static void watch_first(struct app *app)
{
    if (app->watch.first_set)
        return;
    app->watch.first_set = true;
    app->loop.busy++;
    loop_after(&app->loop, FIRST_LOOK_MS, watch_first_timer, app);
}

void watch_pace(struct app *app)
{
    struct watch *watch = &app->watch;
    bool runs = kind_in_sight(app) == &view_runs;
    watch->fast = watch_is_fast(app);
    bool streams = watch->fast && !runs;
    watch->fast_us = !streams ? 0 : watch->fast_us ? watch->fast_us : clock_now_us();
    /* A look that began behind a page that rests: now its ages tick. */
    if (watch->job && watch->fast)
        loop_after(&app->loop, LOOK_MS, watch_slow, app);
    if (watch->work == NULL || watch->job)
        return;
    if (!watch->fast && watch->looked_us && !watch_services_any(&app->profile)) {
        loop_cancel(&app->loop, watch_timer, app);
        return;
    }
    if (watch->looked_us == 0) {
        watch_first(app);
        return;
    }
    int64_t pace = watch->fast ? LOOK_MS : REST_MS;
    int64_t last = runs ? watch->looked_us : watch->whole_us;
    int64_t since = last ? (clock_now_us() - last) / 1000 : pace;
    if (since >= pace || since < 0)
        watch_timer(app);
    else
        loop_after(&app->loop, pace - since, watch_timer, app);
}

/* ---- opening ---- */

bool watch_open(struct app *app, struct error *error)
{
    struct watch *watch = &app->watch;
    struct watch_work *work = memory_zero(1, sizeof *work, error);
    const char *why;
    TRY(work);
    watch->work = work;
    *work = (struct watch_work){
        .app = app,
        .pipeline = app_pipeline(app, &why),
        .profile = &app->profile,
        .read_only = app->read_only,
    };
    size_t count = work->pipeline ? work->pipeline->stream_count : 0;
    work->readings = memory_zero(count ? count : 1, sizeof *work->readings, error);
    watch->streams = memory_zero(count ? count : 1, sizeof *watch->streams, error);
    TRY(work->readings && watch->streams);
    work->count = watch->stream_count = count;
    for (size_t i = 0; i < count; i++) {
        watch->streams[i].lag.stream = &work->pipeline->streams[i];
        watch->streams[i].rows_s = watch->streams[i].wal.per_s = -1;
        watch->streams[i].rows = -1;
        for (size_t n = 0; n < WATCH_SAMPLES; n++)
            watch->streams[i].samples[n] = -1;
    }
    watch_services_start(app);
    watch_pace(app);
    return true;
}

void watch_close(struct app *app)
{
    struct watch *watch = &app->watch;
    watch_services_stop(app);
    watch_notice_close(app);
    if (watch->work) {
        lag_session_close(&watch->work->session);
        run_list_destroy(&watch->work->runs);
        arena_destroy(&watch->work->arena);
        free(watch->work->readings);
        free(watch->work);
    }
    run_list_destroy(&watch->runs);
    free(watch->streams);
    *watch = (struct watch){0};
}

/* ---- asking it ---- */

const struct watch_stream *watch_stream(const struct app *app, const char *name)
{
    for (size_t i = 0; i < app->watch.stream_count; i++)
        if (strcmp(app->pipeline.streams[i].name, name) == 0)
            return &app->watch.streams[i];
    return NULL;
}

const struct lag_table *watch_table(const struct app *app, const struct stream_table *table)
{
    const struct watch *watch = &app->watch;
    if (watch->job || watch->work == NULL)
        return NULL;
    return lag_tables_find(&watch->work->session.tables, table);
}

bool watch_is_stale(const struct app *app, const struct watch_stream *stream)
{
    int64_t pace = app->watch.fast_us ? LOOK_MS : REST_MS;
    /* Just come into sight: the first quick look is given its time. */
    int64_t since =
        stream->checked_us > app->watch.fast_us ? stream->checked_us : app->watch.fast_us;
    return stream->known && clock_now_us() - since > STALE_LOOKS * pace * 1000;
}

const char *watch_state(const struct app *app, const struct watch_stream *stream)
{
    return !stream->known || watch_is_stale(app, stream) ? "unknown" : stream->state;
}

/* ---- words ---- */

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
                 {"orphan", GLYPH_WARN, STYLE_WARN},
                 {"FAILED", GLYPH_FAIL, STYLE_FAIL},
                 {"not built", GLYPH_ABSENT, STYLE_ABSENT},
                 {"not-built", GLYPH_ABSENT, STYLE_ABSENT},
                 {"running", GLYPH_OK, STYLE_OK},
                 {"waiting", GLYPH_WARN, STYLE_WARN},
                 {"silent", GLYPH_WARN, STYLE_WARN},
                 {"done", GLYPH_DONE, STYLE_DIM},
                 {"failed", GLYPH_FAIL, STYLE_FAIL},
                 {"died", GLYPH_FAIL, STYLE_FAIL},
                 {"interrupted", GLYPH_WARN, STYLE_WARN}};
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

void watch_time(int64_t us, bool date, char *out, size_t size)
{
    time_t at = (time_t)(us / 1000000), now = (time_t)(clock_now_us() / 1000000);
    struct tm then, today;
    localtime_r(&at, &then);
    localtime_r(&now, &today);
    bool far = then.tm_yday != today.tm_yday || then.tm_year != today.tm_year;
    if (strftime(out, size, date && far ? "%m-%d %H:%M" : "%H:%M:%S", &then) == 0 && size)
        *out = '\0';
}

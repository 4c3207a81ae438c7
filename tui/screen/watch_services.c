/* The services that the profile names, asked by HTTP each 30 s at most, beside the watch: who hangs
 * here holds up no look at the streams. Only who is named in the profile is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/net/probe.h"
#include "tui/screen/watch_private.h"

enum { PROBE_EVERY_MS = 30000, PROBE_LIMIT_MS = 60000, PROBES_MOST = 8, PROBE_STALE_MS = 90000 };

struct watch_probe {
    struct app *app; /* NULL: the watch is closed; the job frees it */
    struct job *job;
    bool asked;
    struct probe_target {
        const char *name, *url, *service; /* service NULL: whoever answers */
        struct watch_service answer, fresh;
        int64_t answered_us;
    } targets[PROBES_MOST];
    size_t count;
};

static void probe_add(struct watch_probe *probe, const char *name, const char *url,
                      const char *service)
{
    if (url && probe->count < PROBES_MOST)
        probe->targets[probe->count++] =
            (struct probe_target){.name = name, .url = url, .service = service};
}

static void probe_fill(struct watch_probe *probe, const struct profile *profile)
{
    bool connect = profile->capture.kind != CAPTURE_NATIVE;
    probe_add(probe, "connect", connect ? profile->capture.connect : NULL, "connect");
    probe_add(probe, "s3", profile->lake.s3.endpoint, NULL);
    probe_add(probe, "trino", profile->trino.url, "trino");
    probe_add(probe, "airflow", profile->services.airflow.url, "airflow");
    probe_add(probe, "spark", profile->services.spark.url, "spark");
    probe_add(probe, "gitlab", profile->services.gitlab.url, "gitlab");
    probe_add(probe, "portainer", profile->services.portainer.url, "portainer");
}

/* A service may be known by several answers: newer versions have other paths. */
static bool probe_knows(const struct probe_target *target, bool *found, struct error *error)
{
    *found = false;
    for (const struct probe_service *kind = probe_services; kind->name && !*found; kind++) {
        struct probe_answer answer = {0};
        if (strcmp(kind->name, target->service) != 0)
            continue;
        bool answered = probe_is_service(target->url, kind, found, &answer, error);
        probe_answer_destroy(&answer);
        TRY(answered);
    }
    return true;
}

static void probe_ask(struct probe_target *target)
{
    struct error why = {0};
    bool found = true;
    bool answered;
    if (target->service) {
        answered = probe_knows(target, &found, &why);
    } else {
        struct probe_answer answer = {0};
        answered = probe_http(target->url, "/", &answer, &why);
        probe_answer_destroy(&answer);
    }
    target->fresh = (struct watch_service){
        .name = target->name,
        .state = !answered ? LAG_UNKNOWN
                 : found   ? LAG_OK
                           : LAG_FAIL,
    };
    if (!answered)
        snprintf(target->fresh.why, sizeof target->fresh.why, "%.*s",
                 (int)sizeof target->fresh.why - 1, why.message);
    else if (!found)
        snprintf(target->fresh.why, sizeof target->fresh.why, "somebody else answers at %.100s",
                 target->url);
}

static bool probe_run(struct job *job, void *context, struct error *error)
{
    (void)error;
    struct watch_probe *probe = context;
    for (size_t i = 0; i < probe->count && !atomic_load(job_stop_flag(job)); i++)
        probe_ask(&probe->targets[i]);
    return true;
}

static void probe_timer(void *context);

static void probe_done(void *context, bool ok, const struct error *error)
{
    (void)error;
    struct watch_probe *probe = context;
    probe->job = NULL;
    if (probe->app == NULL) {
        free(probe);
        return;
    }
    for (size_t i = 0; ok && i < probe->count; i++) {
        probe->targets[i].answer = probe->targets[i].fresh;
        probe->targets[i].answered_us = clock_now_us();
    }
    probe->asked = true;
    watch_services_take(probe->app);
    probe->app->dirty = true;
    loop_after(&probe->app->loop, PROBE_EVERY_MS, probe_timer, probe);
}

static const struct job_kind probe_kind = {"services", PROBE_LIMIT_MS, probe_run, probe_done};

static void probe_timer(void *context)
{
    struct watch_probe *probe = context;
    probe->job = app_job(probe->app, &probe_kind, probe);
}

bool watch_services_any(const struct profile *profile)
{
    struct watch_probe probe = {0};
    probe_fill(&probe, profile);
    return probe.count || profile->source_count ||
           (profile->lake.warehouse && profile->lake.catalog.kind == CATALOG_JDBC);
}

void watch_services_start(struct app *app)
{
    struct watch_probe *probe = memory_zero(1, sizeof *probe, NULL);
    if (probe == NULL)
        return;
    probe->app = app;
    probe_fill(probe, &app->profile);
    app->watch.probe = probe;
    if (probe->count)
        probe_timer(probe);
}

void watch_services_stop(struct app *app)
{
    struct watch_probe *probe = app->watch.probe;
    if (probe == NULL)
        return;
    loop_cancel(&app->loop, probe_timer, probe);
    app->watch.probe = NULL;
    probe->app = NULL;
    if (probe->job)
        job_stop(probe->job);
    else
        free(probe);
}

/* ---- the header's line ---- */

static void service_add(struct watch *watch, const char *name, enum lag_state state,
                        const char *why)
{
    if (watch->service_count == WATCH_SERVICES_MOST)
        return;
    struct watch_service *service = &watch->services[watch->service_count++];
    *service = (struct watch_service){.name = name, .state = state};
    snprintf(service->why, sizeof service->why, "%.*s", (int)sizeof service->why - 1, why);
}

/* Who answered the streams' look; sources stand as one, the worst counts. */
static void take_sessions(struct watch *watch)
{
    const struct lag_session *session = &watch->work->session;
    const struct lag_source *worst = NULL;
    for (size_t i = 0; i < session->source_count; i++)
        if (worst == NULL || session->sources[i].pg == NULL)
            worst = &session->sources[i];
    if (worst)
        service_add(watch, "pg", worst->pg ? LAG_OK : LAG_UNKNOWN,
                    worst->pg ? "" : worst->why.message);
    if (session->catalog || session->catalog_failed_ns)
        service_add(watch, "lake", session->catalog ? LAG_OK : LAG_UNKNOWN,
                    session->catalog ? "" : session->catalog_why.message);
}

void watch_services_silent(struct app *app)
{
    struct watch *watch = &app->watch;
    char since[16] = "the start";
    if (watch->checked_us)
        watch_time(watch->checked_us, false, since, sizeof since);
    for (size_t i = 0; i < watch->service_count; i++) {
        struct watch_service *service = &watch->services[i];
        if (strcmp(service->name, "pg") != 0 && strcmp(service->name, "lake") != 0)
            continue;
        service->state = LAG_UNKNOWN;
        snprintf(service->why, sizeof service->why, "no answer since %s", since);
    }
}

void watch_services_take(struct app *app)
{
    struct watch *watch = &app->watch;
    const struct watch_probe *probe = watch->probe;
    if (watch->job == NULL && watch->work) {
        /* While a look is under way the session is the worker's: what was known stays. */
        watch->service_count = 0;
        take_sessions(watch);
    } else {
        while (watch->service_count && probe &&
               strcmp(watch->services[watch->service_count - 1].name, "pg") != 0 &&
               strcmp(watch->services[watch->service_count - 1].name, "lake") != 0)
            watch->service_count--;
    }
    for (size_t i = 0; probe && i < probe->count; i++) {
        const struct probe_target *target = &probe->targets[i];
        bool fresh = target->answered_us &&
                     clock_now_us() - target->answered_us < PROBE_STALE_MS * INT64_C(1000);
        service_add(watch, target->name, fresh ? target->answer.state : LAG_UNKNOWN,
                    !fresh ? "no answer yet" : target->answer.why);
    }
}

#include "tui/doctor_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/host.h"
#include "core/base/memory.h"
#include "core/pipeline/boot.h"
#include "core/pipeline/pipeline.h"
#include "core/pipeline/wanted.h"
#include "tui/work.h"

enum { DOCTOR_RUNS = 500 };

struct working {
    const struct profile *profile;
    const struct pipeline *pipeline; /* NULL: the model can't be read; another check says so */
    struct wanted wanted;
    struct run_list runs;
    doctor_taker take;
    void *context;
};

static bool work_tell(const struct working *working, const char *check, enum step_verdict verdict,
                      const char *evidence, const char *cause, const char *remedy,
                      struct error *error)
{
    struct doctor_finding finding = {"work", check, verdict, evidence, cause, remedy};
    return working->take(working->context, &finding, error);
}

static bool work_check(const struct working *working, const struct wanted_work *work,
                       struct error *error)
{
    char evidence[512], cause[ERROR_MESSAGE_SIZE];
    const struct run_summary *alive =
        work_alive(working->pipeline, &working->runs, work->verb, work->object);
    if (alive && !alive->silent) {
        snprintf(evidence, sizeof evidence, "%s %s: run %s of %s is alive", work->verb,
                 work->object, alive->id, alive->by);
        return work_tell(working, "wanted", VERDICT_OK, evidence, NULL, NULL, error);
    }
    if (alive) {
        snprintf(evidence, sizeof evidence, "%s %s: run %s says nothing for %lld s", work->verb,
                 work->object, alive->id, (long long)(alive->silent_ms / 1000));
        return work_tell(working, "wanted", VERDICT_WARN, evidence,
                         "the whole process stands still: stopped, or stuck in the system",
                         "look at it (ps, its host's disks); surfboard cancel ends it", error);
    }
    const struct run_summary *last = work_last(&working->runs, work->verb, work->object);
    const char *said =
        last ? json_string_value(json_object_get(json_object_get(last->last, "error"), "message"))
             : NULL;
    snprintf(evidence, sizeof evidence, "%s %s is wanted (%s, since %s) and not alive%s%s%s%s",
             work->verb, work->object, work->by, work->since, last ? "; its last run " : "",
             last ? last->id : "", last ? ": " : "", last ? last->state : "");
    snprintf(cause, sizeof cause, "%s",
             last == NULL                       ? "it was never started"
             : strcmp(last->state, "died") == 0 ? "it was killed, or the machine went down"
             : said                             ? said
                                                : "it was stopped");
    return work_tell(working, "wanted", VERDICT_WARN, evidence, cause,
                     "surfboard resume starts it; surfboard pause STREAM when it shall not run",
                     error);
}

static bool work_check_unit(const struct working *working, const struct boot_facts *facts,
                            struct error *error)
{
    char evidence[BOOT_PATH_SIZE + 128], remedy[256];
    if (!facts->systemd && facts->unit[0] == '\0')
        return work_tell(working, "unit", VERDICT_WARN, "this machine runs no systemd",
                         "nothing starts wanted work when it comes up again",
                         "let its init, or @reboot in a crontab, call surfboard resume", error);
    if (facts->unit[0] == '\0')
        return work_tell(working, "unit", VERDICT_WARN,
                         "no systemd unit calls surfboard resume with this profile",
                         "nothing starts wanted work when the machine comes up again",
                         "surfboard unit prints one, and says where it goes", error);
    if (!facts->unit_enabled) {
        snprintf(evidence, sizeof evidence, "%s is not enabled", facts->unit);
        snprintf(remedy, sizeof remedy, "systemctl %senable --now %s",
                 facts->unit_of_user ? "--user " : "", strrchr(facts->unit, '/') + 1);
        return work_tell(working, "unit", VERDICT_WARN, evidence,
                         "nothing starts wanted work when the machine comes up again", remedy,
                         error);
    }
    return work_tell(working, "unit", VERDICT_OK, facts->unit, NULL, NULL, error);
}

static bool work_check_logout(const struct working *working, const struct boot_facts *facts,
                              const char *user, struct error *error)
{
    char evidence[BOOT_PATH_SIZE + 128], remedy[256];
    snprintf(remedy, sizeof remedy, "loginctl enable-linger %s", user);
    snprintf(evidence, sizeof evidence, "%s is a unit of user %s, who does not linger", facts->unit,
             user);
    if (facts->unit[0] && facts->unit_of_user && !facts->lingers)
        TRY(work_tell(working, "linger", VERDICT_WARN, evidence,
                      "their units start with the first login and end with the last logout", remedy,
                      error));
    if (facts->kills)
        TRY(work_tell(working, "logout", VERDICT_WARN, facts->kills_where,
                      "systemd ends every process of this user with their last logout, runs that "
                      "were started from a terminal included",
                      "start them by the unit (surfboard unit), or set KillUserProcesses=no",
                      error));
    return true;
}

static bool work_check_all(const struct working *working, struct error *error)
{
    size_t unpaused = 0;
    for (size_t i = 0; i < working->wanted.count; i++) {
        if (working->wanted.work[i].paused)
            continue;
        unpaused++;
        TRY(work_check(working, &working->wanted.work[i], error));
    }
    char user[64];
    struct boot_facts facts;
    host_user(user, sizeof user);
    char *units = boot_user_units(error);
    bool ok = units && boot_look("", user, units, working->profile, &facts, error);
    free(units);
    /* Without wanted work a boot has nothing to start; a logout matters to every run. */
    if (ok && unpaused)
        ok = work_check_unit(working, &facts, error);
    return ok && work_check_logout(working, &facts, user, error);
}

bool doctor_work(const struct profile *profile, doctor_taker take, void *context,
                 struct error *error)
{
    struct error why = {0};
    struct pipeline pipeline;
    struct working working = {.profile = profile, .take = take, .context = context};
    if (!wanted_load(profile, &working.wanted, &why))
        return work_tell(&working, "wanted", VERDICT_FAIL, "wanted.yaml cannot be read",
                         why.message, why.remedy, error);
    if (!run_list_load(profile, DOCTOR_RUNS, &working.runs, &why)) {
        wanted_destroy(&working.wanted);
        return work_tell(&working, "runs", VERDICT_FAIL, "the runs cannot be read", why.message,
                         why.remedy, error);
    }
    if (pipeline_open(profile, &pipeline, NULL))
        working.pipeline = &pipeline;
    bool ok = work_check_all(&working, error);
    if (working.pipeline)
        pipeline_close(&pipeline);
    run_list_destroy(&working.runs);
    wanted_destroy(&working.wanted);
    return ok;
}

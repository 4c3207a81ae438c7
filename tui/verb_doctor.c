/* doctor: every service, setting and credential, each with state, evidence, cause and remedy. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/config/credential.h"
#include "core/net/probe.h"
#include "core/pipeline/run.h"
#include "tui/doctor_work.h"
#include "tui/step_print.h"
#include "tui/steps.h"
#include "tui/verbs.h"

struct doctor {
    struct command *command;
    const struct profile *profile;
    json_t *checks;
    json_t *seen; /* objects that were looked at: {"server source.shop": true} */
    bool failed;
};

static bool doctor_add(struct doctor *doctor, const char *service, const char *check,
                       enum step_verdict verdict, const char *evidence, const char *cause,
                       const char *remedy, struct error *error)
{
    doctor->failed |= verdict == VERDICT_FAIL || verdict == VERDICT_UNKNOWN;
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "service", service, "check", check,
                               "state", step_verdict_name(verdict), "evidence", evidence, "cause",
                               cause ? cause : "", "remedy", remedy ? remedy : "");
    return json_array_append_new(doctor->checks, object) == 0 || error_set_memory(error, 0);
}

/* For checks of other files. */
static bool doctor_take(void *context, const struct doctor_finding *finding, struct error *error)
{
    return doctor_add(context, finding->service, finding->check, finding->verdict,
                      finding->evidence, finding->cause, finding->remedy, error);
}

static bool doctor_add_error(struct doctor *doctor, const char *service, const char *check,
                             const char *evidence, const struct error *why, struct error *error)
{
    enum step_verdict verdict = why->kind == ERROR_UNREACHABLE ? VERDICT_UNKNOWN : VERDICT_FAIL;
    return doctor_add(doctor, service, check, verdict, evidence, why->message, why->remedy, error);
}

static bool doctor_state(struct doctor *doctor, struct error *error)
{
    const struct profile *profile = doctor->profile;
    struct error why = {0};
    if (!file_exists(profile->state))
        return doctor_add(doctor, "state", "folder", VERDICT_WARN, profile->state,
                          "it is not there yet", "surfboard up makes it", error);
    bool ok = access(profile->state, R_OK | W_OK | X_OK) == 0;
    if (!ok)
        return doctor_add(doctor, "state", "folder", VERDICT_FAIL, profile->state,
                          "this user cannot write there",
                          "give this user the folder (chgrp, chmod 2770)", error);
    TRY(doctor_add(doctor, "state", "folder", VERDICT_OK, profile->state, NULL, NULL, error));
    struct run_list list;
    if (!run_list_load(profile, 50, &list, &why))
        return doctor_add_error(doctor, "state", "runs", "cannot be read", &why, error);
    for (size_t i = 0; ok && i < list.count; i++) {
        char evidence[256];
        snprintf(evidence, sizeof evidence, "run %s (%s %s) of %s", list.runs[i].id,
                 list.runs[i].verb, list.runs[i].object, list.runs[i].by);
        if (strcmp(list.runs[i].state, "died") == 0)
            ok = doctor_add(doctor, "state", "runs", VERDICT_WARN, evidence,
                            "it ended without a word: killed, or the machine went down",
                            list.runs[i].resumable ? "surfboard resume goes on with it"
                                                   : "run the same command again: it goes on "
                                                     "where it was",
                            error);
    }
    run_list_destroy(&list);
    return ok && doctor_work(profile, doctor_take, doctor, error);
}

static bool doctor_credential(struct doctor *doctor, const char *name, struct error *error)
{
    if (name == NULL)
        return true;
    struct credential credential;
    struct error why = {0};
    if (!credential_load(doctor->profile, name, &credential, &why))
        return doctor_add_error(doctor, "credentials", name, "missing", &why, error);
    char evidence[160];
    snprintf(evidence, sizeof evidence, "%s%s%sfrom the %s", credential.user ? "user " : "",
             credential.password ? "password " : "", credential.token ? "token " : "",
             credential.source);
    credential_destroy(&credential);
    return doctor_add(doctor, "credentials", name, VERDICT_OK, evidence, NULL, NULL, error);
}

static bool doctor_credentials(struct doctor *doctor, struct error *error)
{
    const struct profile *profile = doctor->profile;
    for (size_t i = 0; i < profile->source_count; i++)
        TRY(doctor_credential(doctor, profile->sources[i].credential, error));
    const char *const names[] = {profile->lake.s3.credential,
                                 profile->lake.catalog.credential,
                                 profile->trino.credential,
                                 profile->services.airflow.credential,
                                 profile->services.spark.credential,
                                 profile->services.gitlab.credential,
                                 profile->services.portainer.credential};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        TRY(doctor_credential(doctor, names[i], error));
    return true;
}

/* Asks a configured URL for what only this service answers. */
static bool doctor_service(struct doctor *doctor, const char *name, const char *url,
                           struct error *error)
{
    if (url == NULL)
        return true;
    char evidence[512];
    struct error why = {0};
    bool answered = false;
    for (const struct probe_service *service = probe_services; service->name; service++) {
        struct probe_answer answer = {0};
        bool found = false;
        if (strcmp(service->name, name) != 0)
            continue;
        if (!probe_is_service(url, service, &found, &answer, &why))
            return doctor_add_error(doctor, name, "reachable", url, &why, error);
        /* A closed door is a door: 401 and 403 come from a service that is up. */
        bool up = found || answer.status == 401 || answer.status == 403;
        snprintf(evidence, sizeof evidence, "%s%s: HTTP %ld in %lld ms", url, service->path,
                 answer.status, (long long)answer.latency_ms);
        probe_answer_destroy(&answer);
        if (up)
            return doctor_add(doctor, name, "reachable", VERDICT_OK, evidence, NULL, NULL, error);
        answered = true;
    }
    return !answered ||
           doctor_add(doctor, name, "reachable", VERDICT_FAIL, evidence,
                      "something answers there, but it does not look like this service",
                      "check the url in the profile", error);
}

static bool doctor_services(struct doctor *doctor, struct error *error)
{
    const struct profile *profile = doctor->profile;
    if (profile->capture.kind == CAPTURE_DEBEZIUM)
        TRY(doctor_service(doctor, "connect", profile->capture.connect, error));
    TRY(doctor_service(doctor, "minio", profile->lake.s3.endpoint, error));
    TRY(doctor_service(doctor, "trino", profile->trino.url, error));
    TRY(doctor_service(doctor, "airflow", profile->services.airflow.url, error));
    TRY(doctor_service(doctor, "spark", profile->services.spark.url, error));
    TRY(doctor_service(doctor, "gitlab", profile->services.gitlab.url, error));
    TRY(doctor_service(doctor, "portainer", profile->services.portainer.url, error));
    for (size_t i = 0; i < profile->source_count; i++)
        if (profile->sources[i].query_user == NULL)
            TRY(doctor_add(doctor, "profile", "query_user", VERDICT_WARN, profile->sources[i].name,
                           "queries run with the capture's own rights",
                           "name a role that can only read as query_user", error));
    if (profile->schedule.kind != SCHEDULE_NONE)
        TRY(doctor_add(doctor, "profile", "schedule", VERDICT_WARN, "schedule.kind is set",
                       "this version sets up no schedules",
                       "run merge --follow, or merge from cron", error));
    return true;
}

static const char *const doctor_step_states[] = {
    [STEP_UNKNOWN] = "cannot be checked", [STEP_ABSENT] = "not there yet",
    [STEP_OURS] = "there, made by us",    [STEP_FITS] = "there",
    [STEP_DIFFERS] = "not as it must be", [STEP_SHARED] = "there, ours, used by several streams",
};

static bool doctor_report(struct doctor *doctor, const struct step *step, const char *object,
                          const struct step_report *report, struct error *error)
{
    char evidence[512];
    enum step_verdict verdict = report->state == STEP_DIFFERS   ? VERDICT_FAIL
                                : report->state == STEP_UNKNOWN ? VERDICT_UNKNOWN
                                : report->state == STEP_ABSENT  ? VERDICT_WARN
                                                                : VERDICT_OK;
    snprintf(evidence, sizeof evidence, "%s: %s", object, doctor_step_states[report->state]);
    TRY(doctor_add(doctor, step->service, step->id, verdict, evidence,
                   report->needs_person      ? report->needs_person
                   : verdict == VERDICT_WARN ? "the stream was not brought up"
                                             : NULL,
                   report->needs_person_remedy ? report->needs_person_remedy
                   : verdict == VERDICT_WARN   ? "surfboard up"
                   : verdict == VERDICT_FAIL   ? "surfboard plan shows each difference"
                                               : NULL,
                   error));
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct step_finding *finding = &report->findings[i];
        TRY(doctor_add(doctor, step->service, finding->check, finding->verdict, finding->evidence,
                       finding->cause, finding->remedy, error));
    }
    return true;
}

static bool doctor_step(struct doctor *doctor, struct pipeline *pipeline,
                        const struct stream *stream, const struct step *step, struct error *error)
{
    struct bring_up work = {.pipeline = pipeline, .stream = stream, .stop = doctor->command->stop};
    struct step_target target = step_target_of(&work, step);
    if (step->applies && !step->applies(&target))
        return true;
    char *object = step_object(step, &target, error);
    char *key = object ? memory_format(error, "%s %s", step->id, object) : NULL;
    bool ok = key != NULL;
    struct step_report report;
    step_report_init(&report);
    if (ok && json_object_get(doctor->seen, key) == NULL) {
        json_object_set_new(doctor->seen, key, json_true());
        struct error why = {0};
        struct receipt *receipt = receipt_load(pipeline->profile, step->id, object, &why);
        target.receipt = receipt;
        bool asked = why.kind == ERROR_NONE && step_look(step, &target, &report, &why) &&
                     step_call(step->doctor, &target, &report, &why);
        ok = asked ? doctor_report(doctor, step, object, &report, error)
                   : doctor_add_error(doctor, step->service, step->id, object, &why, error);
        receipt_destroy(receipt);
    }
    step_report_destroy(&report);
    free(object);
    free(key);
    return ok;
}

static bool doctor_streams(struct doctor *doctor, struct error *error)
{
    struct error why = {0};
    struct pipeline pipeline;
    if (!pipeline_open(doctor->profile, &pipeline, &why))
        return doctor_add_error(doctor, "model", "bundle",
                                doctor->profile->model ? doctor->profile->model : "none", &why,
                                error);
    bool ok = true;
    for (size_t i = 0; ok && i < pipeline.stream_count; i++)
        for (size_t j = 0; ok && pipeline.streams[i].no_capture == NULL && all_steps[j]; j++)
            ok = doctor_step(doctor, &pipeline, &pipeline.streams[i], all_steps[j], error);
    if (ok && pipeline.capture_count == 0)
        ok = doctor_add(doctor, "model", "streams", VERDICT_WARN, "no stream is captured here",
                        "no source of the profile fits a store of the model",
                        "surfboard streams says why for each", error);
    pipeline_close(&pipeline);
    return ok;
}

static bool doctor_print(struct doctor *doctor, struct error *error)
{
    struct command *command = doctor->command;
    if (command->json)
        return command_print_json(command, json_pack("{s:O}", "checks", doctor->checks), error);
    size_t index;
    json_t *check;
    json_array_foreach(doctor->checks, index, check)
    {
        static const char *const names[] = {"ok", "warn", "fail", "unknown"};
        const char *service, *name, *state, *evidence, *cause, *remedy;
        int verdict = 0;
        char line[4096];
        json_unpack(check, "{s:s, s:s, s:s, s:s, s:s, s:s}", "service", &service, "check", &name,
                    "state", &state, "evidence", &evidence, "cause", &cause, "remedy", &remedy);
        while (verdict < 3 && strcmp(state, names[verdict]) != 0)
            verdict++;
        snprintf(line, sizeof line, "%s %-12s %-18s %s",
                 step_mark(command, (enum step_verdict)verdict), service, name, evidence);
        TRY(command_print_data(command, slice_of(line), error));
        fputc('\n', command->out);
        for (int i = 0; i < 2; i++) {
            const char *text = i ? remedy : cause;
            if (*text == '\0')
                continue;
            snprintf(line, sizeof line, "    %-7s %s", i ? "remedy" : "cause", text);
            TRY(command_print_data(command, slice_of(line), error));
            fputc('\n', command->out);
        }
    }
    return true;
}

static int doctor_run(struct command *command)
{
    struct error error = {0};
    struct doctor doctor = {.command = command,
                            .profile = command_profile(command, &error),
                            .checks = json_array(),
                            .seen = json_object()};
    bool ok = doctor.profile &&
              doctor_add(&doctor, "profile", "file", VERDICT_OK, doctor.profile->path, NULL, NULL,
                         &error) &&
              doctor_state(&doctor, &error) && doctor_credentials(&doctor, &error) &&
              doctor_streams(&doctor, &error) && doctor_services(&doctor, &error) &&
              doctor_print(&doctor, &error);
    json_decref(doctor.checks);
    json_decref(doctor.seen);
    if (!ok)
        return command_fail(command, &error);
    return doctor.failed ? 1 : 0;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .synopsis = "",
    .summary =
        "Checks every service, setting and credential; says cause and remedy of what is wrong",
    .details = "Asks only what the profile names, changes nothing, prints no secret. Exit 1 when "
               "something failed or could not be asked.",
    .run = doctor_run,
};

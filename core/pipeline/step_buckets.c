/* buckets: the places of delta files and tables are there and can be written. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/pipeline/receipt.h"
#include "core/pipeline/step.h"
#include "core/store/store.h"

enum { BUCKETS = 2 };

static const char *bucket_name(size_t index)
{
    return index ? "lake.warehouse" : "lake.deltas";
}

static const char *bucket_place(const struct step_target *target, size_t index)
{
    const struct profile *profile = target->pipeline->profile;
    return index ? profile->lake.warehouse : profile->lake.deltas;
}

/* Whether one may write there, prove() finds out by writing. */
static bool bucket_check_remote(struct step_report *report, const char *name, const char *place,
                                struct store *store, bool *there, struct error *error)
{
    struct error why = {0};
    if (store_root_exists(store, there, &why))
        return step_report_finding(report, name, VERDICT_OK, NULL, NULL, error, "%s: the bucket %s",
                                   place, *there ? "is there" : "is not there yet");
    report->state = why.kind == ERROR_UNREACHABLE ? STEP_UNKNOWN : STEP_DIFFERS;
    return step_report_finding(report, name, VERDICT_FAIL, why.message, why.remedy, error,
                               "%s cannot be looked at", place);
}

static bool bucket_check(struct step_report *report, const char *name, const char *place,
                         bool *there, struct error *error)
{
    struct stat status;
    *there = false;
    if (place == NULL) {
        report->state = STEP_DIFFERS;
        return step_report_finding(report, name, VERDICT_FAIL, "the profile does not say where",
                                   "add it: a folder or s3://bucket", error, "%s is missing", name);
    }
    struct error why = {0};
    struct store *store = store_open(place, NULL, &why);
    if (store == NULL) {
        report->state = STEP_UNKNOWN;
        return step_report_finding(report, name, VERDICT_FAIL, why.message, why.remedy, error,
                                   "%s cannot be opened", place);
    }
    if (!store_is_local(store)) {
        bool ok = bucket_check_remote(report, name, place, store, there, error);
        store_close(store);
        return ok;
    }
    store_close(store);
    if (stat(place, &status) != 0 && errno == ENOENT)
        return step_report_finding(report, name, VERDICT_OK, NULL, NULL, error,
                                   "%s is not there yet", place);
    bool usable = stat(place, &status) == 0 && S_ISDIR(status.st_mode) &&
                  access(place, R_OK | W_OK | X_OK) == 0;
    *there = usable;
    if (usable)
        return step_report_finding(report, name, VERDICT_OK, NULL, NULL, error, "%s can be written",
                                   place);
    report->state = STEP_DIFFERS;
    return step_report_finding(report, name, VERDICT_FAIL, "this user cannot write there",
                               "give this user the folder, or name another one", error, "%s: %s",
                               place, strerror(errno ? errno : ENOTDIR));
}

static bool buckets_check(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    bool all = true;
    report->state = STEP_FITS;
    json_decref(report->identity);
    report->identity = json_object();
    for (size_t i = 0; i < BUCKETS; i++) {
        bool there;
        TRY(bucket_check(report, bucket_name(i), bucket_place(target, i), &there, error));
        all &= there;
        if (there)
            json_object_set_new(report->identity, bucket_name(i),
                                json_string(bucket_place(target, i)));
    }
    if (report->state == STEP_FITS && !all)
        report->state = STEP_ABSENT;
    return report->identity != NULL || error_set_memory(error, 0);
}

static bool buckets_plan(const struct step_target *target, struct step_report *report,
                         struct error *error)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        const char *place = bucket_place(target, i);
        bool there = false;
        struct store *store = store_open(place, NULL, error);
        bool ok = store && store_root_exists(store, &there, error);
        bool local = ok && store_is_local(store);
        store_close(store);
        TRY(ok);
        if (!there)
            TRY(local ? step_report_line(report, error, "mkdir -p %s", place)
                      : step_report_line(report, error, "PUT the bucket of %s", place));
    }
    return true;
}

static bool buckets_apply(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    json_t *made = json_array();
    json_t *identity = json_object();
    bool ok = made && identity;
    for (size_t i = 0; ok && i < BUCKETS; i++) {
        const char *place = bucket_place(target, i);
        bool there = false;
        struct store *store = store_open(place, NULL, error);
        ok = store && store_root_exists(store, &there, error) &&
             (there || store_root_make(store, error));
        store_close(store);
        if (ok && !there)
            json_array_append_new(made, json_string(place));
        if (ok)
            json_object_set_new(identity, bucket_name(i), json_string(place));
    }
    json_decref(report->identity);
    json_decref(report->restore);
    report->identity = identity;
    report->restore = ok ? json_pack("{s:O}", "made", made) : NULL;
    json_decref(made);
    return ok;
}

static bool buckets_prove(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    /* check() has asked whether they can be written: that much one can know by looking. */
    for (size_t i = 0; i < BUCKETS && !target->only_looks; i++) {
        struct error why = {0};
        struct store *store = store_open(bucket_place(target, i), NULL, &why);
        bool ok = store && store_put(store, ".surfboard-probe", SLICE_LITERAL("probe\n"), &why) &&
                  store_delete(store, ".surfboard-probe", &why);
        store_close(store);
        TRY(step_report_finding(report, "write", ok ? VERDICT_OK : VERDICT_FAIL, why.message,
                                why.remedy, error, "%s an object in %s",
                                ok ? "wrote and removed" : "could not write",
                                bucket_place(target, i)));
    }
    return true;
}

static bool buckets_undo_plan(const struct step_target *target, struct step_report *report,
                              struct error *error)
{
    json_t *made = target->receipt ? json_object_get(target->receipt->restore, "made") : NULL;
    for (size_t i = 0; i < json_array_size(made); i++)
        TRY(step_report_line(report, error, "rmdir %s   (only when it is empty)",
                             json_string_value(json_array_get(made, i))));
    return true;
}

static bool buckets_undo(const struct step_target *target, struct step_report *report,
                         struct error *error)
{
    json_t *made = target->receipt ? json_object_get(target->receipt->restore, "made") : NULL;
    for (size_t i = 0; i < json_array_size(made); i++) {
        const char *place = json_string_value(json_array_get(made, i));
        struct error why = {0};
        bool removed = false;
        struct store *store = place ? store_open(place, NULL, &why) : NULL;
        bool ok = store && store_root_remove(store, &removed, &why);
        store_close(store);
        if (place && !removed)
            TRY(step_report_finding(
                report, "left", VERDICT_WARN, ok ? "it holds data" : why.message,
                "remove it by hand when nobody needs the data", error, "%s: left as it is", place));
    }
    return true;
}

const struct step step_buckets = {
    .service = "store",
    .id = "buckets",
    .title = "buckets: where delta files and tables lie",
    .why = "Capture writes files of changes here, and merge turns them into tables there.",
    .scope = STEP_PLATFORM,
    .requirement = true,
    .check = buckets_check,
    .plan = buckets_plan,
    .apply = buckets_apply,
    .prove = buckets_prove,
    .undo_plan = buckets_undo_plan,
    .undo = buckets_undo,
};

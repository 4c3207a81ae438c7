/* slot: keeps our place in the server's log. With native capture its creation also exports the
 * snapshot from which every table is copied first: the two can't be had apart. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/pipeline/lock.h"
#include "core/pipeline/receipt.h"
#include "core/store/store.h"
#include "plugins/postgres/capture.h"
#include "plugins/postgres/capture_record.h"
#include "plugins/postgres/session.h"
#include "plugins/postgres/steps.h"

enum { WAIT_RUNNING_MS = 60000, POLL_MS = 200 };

struct slot_view {
    struct pg *pg;
    struct store *store;
    struct capture_record record;
    bool found, active, lost, foreign;
    uint32_t publication_oid; /* 0: there is none */
    char confirmed[LSN_TEXT_SIZE], held[32], system_id[32], database[128];
};

static void slot_close(struct slot_view *view)
{
    capture_record_destroy(&view->record);
    store_close(view->store);
    pg_close(view->pg);
}

static bool slot_query(struct slot_view *view, const char *slot, struct error *error)
{
    struct pg_rows rows = {0};
    TRY(pg_query(view->pg,
                 "SELECT active, restart_lsn IS NULL OR coalesce(to_jsonb(s) ->> 'wal_status', '')"
                 " = 'lost', coalesce(plugin, '') <> 'pgoutput' OR database <> current_database(),"
                 " coalesce(confirmed_flush_lsn::text, ''), coalesce(pg_size_pretty("
                 "pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                 " ELSE pg_current_wal_lsn() END, restart_lsn)), '?')"
                 " FROM pg_catalog.pg_replication_slots s WHERE slot_name = $1",
                 &slot, 1, &rows, error));
    view->found = pg_rows_count(&rows) > 0;
    if (view->found) {
        view->active = pg_rows_value(&rows, 0, 0)[0] == 't';
        view->lost = pg_rows_value(&rows, 0, 1)[0] == 't';
        view->foreign = pg_rows_value(&rows, 0, 2)[0] == 't';
        snprintf(view->confirmed, sizeof view->confirmed, "%s", pg_rows_value(&rows, 0, 3));
        snprintf(view->held, sizeof view->held, "%s", pg_rows_value(&rows, 0, 4));
    }
    pg_rows_destroy(&rows);
    return true;
}

static bool slot_publication(struct slot_view *view, const char *publication, struct error *error)
{
    char oid[16];
    TRY(session_text(view->pg, "SELECT oid FROM pg_catalog.pg_publication WHERE pubname = $1",
                     &publication, 1, oid, sizeof oid, error));
    view->publication_oid = (uint32_t)strtoul(oid, NULL, 10);
    return true;
}

static bool slot_open(const struct step_target *target, struct slot_view *view, struct error *error)
{
    *view = (struct slot_view){.pg = steps_connect(target, error)};
    TRY(view->pg != NULL);
    if (target->pipeline->profile->lake.deltas == NULL)
        return error_set(error, ERROR_CONFIG, "set lake: {deltas: FOLDER}",
                         "%s: lake.deltas is not set", target->pipeline->profile->path);
    view->store = store_open(target->pipeline->profile->lake.deltas, NULL, error);
    snprintf(view->database, sizeof view->database, "%s", PQdb(pg_connection(view->pg)));
    return view->store && steps_system_id(view->pg, view->system_id, error) &&
           slot_query(view, target->capture->slot, error) &&
           slot_publication(view, target->capture->publication, error) &&
           capture_record_read(&view->record, view->store, target->capture->prefix, error);
}

/* ---- looking ---- */

static bool slot_fail(struct step_report *report, const char *cause, const char *remedy,
                      struct error *error, const char *evidence)
{
    report->state = STEP_DIFFERS;
    return step_report_finding(report, "slot", VERDICT_FAIL, cause, remedy, error, "%s", evidence);
}

static const char reload_remedy[] =
    "surfboard capture STREAM --reload takes a new snapshot; then surfboard verify STREAM --full";

/* Which trouble, if any: the first that fits. */
static bool slot_trouble(const struct slot_view *view, const struct capture *capture,
                         struct step_report *report, bool *trouble, struct error *error)
{
    char evidence[256];
    uint64_t slot_lsn = 0;
    lsn_parse(view->confirmed, &slot_lsn);
    bool streaming = view->record.found && !view->record.snapshotting;
    *trouble = true;
    snprintf(evidence, sizeof evidence, "slot %s", capture->slot);
    if (view->found && view->foreign)
        return slot_fail(report, "it belongs to another database or plugin",
                         "choose another name: streams.X.slot in the profile", error, evidence);
    if (streaming && strcmp(view->record.system_id, view->system_id) != 0)
        return slot_fail(report, "this is another server than the one captured before",
                         reload_remedy, error, evidence);
    if (streaming && !view->found)
        return slot_fail(report, "the slot is gone: changes since then can't be had", reload_remedy,
                         error, evidence);
    if (view->found && view->lost)
        return slot_fail(report, "the slot is lost: it fell behind max_slot_wal_keep_size",
                         reload_remedy, error, evidence);
    if (streaming && slot_lsn > view->record.confirmed)
        return slot_fail(report, "the slot stands ahead of what was captured: somebody read it",
                         reload_remedy, error, evidence);
    if (streaming && view->publication_oid != view->record.publication_oid)
        return slot_fail(report,
                         view->publication_oid ? "the publication is younger than the slot, which "
                                                 "can't see it"
                                               : "its publication was dropped",
                         reload_remedy, error, evidence);
    if (view->found && !view->record.found)
        return slot_fail(report, "the slot exists, but no capture left a record here",
                         "choose another name, or, if nobody uses it, drop it: SELECT "
                         "pg_drop_replication_slot('...')",
                         error, evidence);
    *trouble = false;
    return true;
}

/* Tables of the stream that have no snapshot yet. */
static bool slot_tables(const struct slot_view *view, const struct step_target *target,
                        struct step_report *report, size_t *missing, struct error *error)
{
    const struct stream *stream = target->stream;
    size_t count = stream ? stream->table_count : target->capture->table_count;
    *missing = 0;
    for (size_t i = 0; i < count; i++) {
        const struct stream_table *table = stream ? &stream->tables[i] : target->capture->tables[i];
        if (capture_record_table(&view->record, table->schema, table->table))
            continue;
        (*missing)++;
        TRY(step_report_difference(report, table->topic, "has its snapshot", "none yet", error));
    }
    return true;
}

static bool slot_look(const struct slot_view *view, const struct step_target *target,
                      struct step_report *report, struct error *error)
{
    const struct capture *capture = target->capture;
    bool trouble;
    size_t missing;
    if (view->found) {
        json_decref(report->identity);
        report->identity = json_pack("{s:s, s:s, s:s}", "system_identifier", view->system_id,
                                     "slot", capture->slot, "database", view->database);
        TRY(report->identity != NULL || error_set_memory(error, 128));
    }
    TRY(slot_trouble(view, capture, report, &trouble, error));
    if (trouble)
        return true;
    if (!view->record.found || view->record.snapshotting) {
        report->state = STEP_ABSENT;
        return step_report_finding(
            report, "slot", VERDICT_OK, NULL, NULL, error, "%s %s", capture->slot,
            view->record.snapshotting ? "has an unfinished snapshot" : "does not exist yet");
    }
    TRY(slot_tables(view, target, report, &missing, error));
    report->state = missing ? STEP_DIFFERS : STEP_FITS;
    report->repairable = missing > 0;
    char recorded[LSN_TEXT_SIZE];
    return step_report_finding(report, "slot", VERDICT_OK, NULL, NULL, error,
                               "%s is %s at %s (recorded %s) and holds %s of WAL", capture->slot,
                               view->active ? "read" : "not read now", view->confirmed,
                               lsn_format(view->record.confirmed, recorded), view->held);
}

static bool slot_check(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    struct slot_view view;
    bool ok = slot_open(target, &view, error) && slot_look(&view, target, report, error);
    slot_close(&view);
    return ok;
}

/* ---- changing ---- */

static bool slot_plan_tables(const struct step_target *target, const struct slot_view *view,
                             struct step_report *report, struct error *error)
{
    struct source_table *tables;
    size_t count;
    TRY(steps_tables(view->pg, target, &report->arena, &tables, &count, error));
    for (size_t i = 0; i < count; i++) {
        struct buffer name = {0};
        if (capture_record_table(&view->record, tables[i].stream->schema, tables[i].stream->table))
            continue;
        bool ok = steps_table_name(&name, tables[i].stream, error) && buffer_text(&name, error);
        if (ok && tables[i].estimate >= 0)
            ok = step_report_line(report, error, "COPY %s TO %s   (about %.0f rows)", name.data,
                                  tables[i].stream->topic, tables[i].estimate);
        else if (ok)
            ok = step_report_line(report, error, "COPY %s TO %s", name.data,
                                  tables[i].stream->topic);
        buffer_destroy(&name);
        TRY(ok);
    }
    return true;
}

static bool slot_plan(const struct step_target *target, struct step_report *report,
                      struct error *error)
{
    struct slot_view view;
    struct buffer name = {0};
    bool ok = slot_open(target, &view, error) &&
              pg_quote_name(&name, target->capture->slot, error) && buffer_text(&name, error);
    bool later = ok && view.record.found && !view.record.snapshotting;
    ok = ok && step_report_line(report, error,
                                "CREATE_REPLICATION_SLOT %s%s LOGICAL pgoutput EXPORT_SNAPSHOT",
                                name.data, later ? " TEMPORARY, beside it," : "");
    ok = ok && slot_plan_tables(target, &view, report, error);
    buffer_destroy(&name);
    slot_close(&view);
    return ok;
}

/* A capture that runs takes new tables in by itself, a moment later. */
static bool slot_await_running(const struct step_target *target, struct error *error)
{
    int64_t deadline = clock_monotonic_ns() + (int64_t)WAIT_RUNNING_MS * 1000000;
    for (;;) {
        struct slot_view view;
        struct step_report report;
        size_t missing = 1;
        step_report_init(&report);
        bool ok =
            slot_open(target, &view, error) && slot_tables(&view, target, &report, &missing, error);
        slot_close(&view);
        step_report_destroy(&report);
        TRY(ok);
        if (missing == 0)
            return true;
        if (target->stop && atomic_load(target->stop))
            return error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
        if (clock_monotonic_ns() > deadline)
            return error_set(error, ERROR_UNREACHABLE,
                             "look at the running capture, or stop it and run this again",
                             "the running capture has not taken the new tables in after 60 s");
        clock_sleep_ms(POLL_MS);
    }
}

static bool slot_snapshot(const struct step_target *target, struct error *error)
{
    struct buffer dsn = {0};
    struct capture_summary summary;
    TRY(pipeline_source_conninfo(target->pipeline, target->capture, &dsn, error));
    struct capture_options options = {.dsn = dsn.data,
                                      .slot = target->capture->slot,
                                      .publication = target->capture->publication,
                                      .prefix = target->capture->prefix,
                                      .deltas = target->pipeline->profile->lake.deltas,
                                      .once = true,
                                      .snapshot_only = true,
                                      .stop = target->stop,
                                      .event = target->event,
                                      .context = target->event_context};
    bool ok = capture_run(&options, &summary, error);
    if (ok && summary.stopped)
        ok = error_set(error, ERROR_INTERRUPTED, "run the same command again",
                       "stopped before the snapshot had ended");
    explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return ok;
}

static bool slot_apply(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    struct error why = {0};
    char name[256];
    snprintf(name, sizeof name, "capture.%s", target->capture->prefix);
    struct lock *lock = lock_take(target->pipeline->profile, name, "snapshot", &why);
    if (lock == NULL && why.kind != ERROR_CONFLICT) {
        if (error)
            *error = why;
        return false;
    }
    bool ok = lock ? slot_snapshot(target, error) : slot_await_running(target, error);
    lock_release(lock);
    TRY(ok);
    struct slot_view view;
    ok = slot_open(target, &view, error) && slot_look(&view, target, report, error);
    slot_close(&view);
    return ok;
}

/* ---- undoing ---- */

static bool slot_undo_plan(const struct step_target *target, struct step_report *report,
                           struct error *error)
{
    TRY(step_report_line(report, error,
                         "SELECT pg_drop_replication_slot('%s');   (its place in the log can't "
                         "come back)",
                         target->capture->slot));
    return step_report_line(report, error, "delete %s", target->capture->record_key);
}

static bool slot_undo(const struct step_target *target, struct step_report *report,
                      struct error *error)
{
    (void)report;
    struct slot_view view;
    bool ok = slot_open(target, &view, error);
    if (ok && view.found && view.active)
        ok = error_set(error, ERROR_CONFLICT, "stop the capture first",
                       "slot %s is being read: a capture still runs", target->capture->slot);
    if (ok && view.found) {
        struct pg_rows rows = {0};
        ok = pg_query(view.pg, "SELECT pg_drop_replication_slot($1)", &target->capture->slot, 1,
                      &rows, error);
        pg_rows_destroy(&rows);
    }
    ok = ok && store_delete(view.store, target->capture->record_key, error);
    slot_close(&view);
    return ok;
}

static bool slot_applies(const struct step_target *target)
{
    return steps_apply(target) && target->pipeline->profile->capture.kind == CAPTURE_NATIVE;
}

const struct step step_slot = {
    .service = "postgres",
    .id = "slot",
    .title = "slot: keeps our place in the log, and takes the first snapshot",
    .why = "The server keeps its log until the slot's reader has confirmed it, so nothing is "
           "missed. Its creation exports the snapshot that every table is copied from; changes "
           "follow on without a gap.",
    .scope = STEP_CAPTURE,
    .applies = slot_applies,
    .check = slot_check,
    .plan = slot_plan,
    .apply = slot_apply,
    .undo_plan = slot_undo_plan,
    .undo = slot_undo,
};

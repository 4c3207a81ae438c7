#include "core/pipeline/lag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/quantity.h"
#include "core/iceberg/catalog.h"
#include "core/merge/feed.h"
#include "core/net/pg.h"
#include "core/store/store.h"

enum { LAG_SOURCE, LAG_CAPTURED, LAG_FILES, LAG_MERGED, LAG_VISIBLE };
enum { LAG_ANSWER_MS = 5000, LAG_CONNECT_MS = 3000, LAG_MARKS_MOST = 64, LAG_RUNS = 200 };

#define LAG_AGAIN_NS INT64_C(5000000000) /* how long a silent service is left alone */
#define LAG_SLOT_NS INT64_C(300000000)   /* how long a slot's answer is good */
#define LAG_RUNS_NS INT64_C(1000000000)  /* how long the list of runs is good */

struct catalog *pipeline_catalog_open(const struct pipeline *pipeline, bool durable,
                                      struct error *error)
{
    const struct profile *profile = pipeline->profile;
    if (profile->lake.warehouse == NULL) {
        error_set(error, ERROR_CONFIG, "add lake.warehouse: a folder or s3://bucket",
                  "%s: lake.warehouse is missing", profile->path);
        return NULL;
    }
    if (profile->lake.catalog.kind == CATALOG_STORAGE)
        return catalog_storage_open(profile->lake.warehouse, durable, error);
    struct buffer dsn = {0};
    struct catalog *catalog = NULL;
    if (pipeline_catalog_conninfo(pipeline, &dsn, error))
        catalog = catalog_jdbc_open(dsn.data, profile->lake.catalog.name, profile->lake.warehouse,
                                    durable, error);
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return catalog;
}

void lag_session_close(struct lag_session *session)
{
    for (size_t i = 0; i < session->source_count; i++)
        pg_close(session->sources[i].pg);
    catalog_close(session->catalog);
    store_close(session->deltas);
    run_list_destroy(&session->runs);
    lag_tables_destroy(&session->tables);
    wanted_destroy(&session->wanted);
    *session = (struct lag_session){0};
}

const char *lag_state_name(enum lag_state state)
{
    static const char *const names[] = {"ok", "warn", "fail", "unknown", "not-built"};
    return names[state];
}

/* One measurement on its way. */
struct measure {
    const struct pipeline *pipeline;
    const struct stream *stream;
    struct lag_session *session;
    struct lag *lag;
    double now_s;
    bool slot_there, slot_active, slot_lost;
    int64_t record_ms; /* when the capture last wrote its record; 0: never */
    int64_t newest_file_ms;
    size_t files;
    size_t tables_there;
    int64_t newest_snapshot_ms;
    double oldest_s; /* commit time of the oldest change that is not merged; 0: all are */
};

static void stage_set(struct measure *measure, int index, enum lag_state state, double lag_s,
                      const char *position)
{
    struct lag_stage *stage = &measure->lag->chain[index];
    stage->state = state;
    stage->lag_s = lag_s;
    snprintf(stage->position, sizeof stage->position, "%s", position);
}

/* The first reason counts: it lies nearest to the source. */
static void lag_blame(struct measure *measure, int index, const char *state, const char *reason,
                      const char *remedy)
{
    struct lag *lag = measure->lag;
    if (lag->reason[0])
        return;
    lag->state = state;
    lag->stuck_at = lag->chain[index].stage;
    snprintf(lag->reason, sizeof lag->reason, "%s", reason);
    snprintf(lag->remedy, sizeof lag->remedy, "%s", remedy);
}

static struct pg *source_connection(struct measure *measure, struct error *error)
{
    struct lag_session *session = measure->session;
    const struct capture *capture = measure->stream->capture;
    struct lag_source *source = NULL;
    for (size_t i = 0; i < session->source_count; i++)
        if (session->sources[i].capture == capture)
            source = &session->sources[i];
    if (source == NULL && session->source_count < sizeof session->sources / sizeof *source) {
        source = &session->sources[session->source_count++];
        *source = (struct lag_source){.capture = capture};
    }
    if (source == NULL) {
        error_set(error, ERROR_UNSUPPORTED, "ask for one stream at a time", "more than 16 sources");
        return NULL;
    }
    if (source->pg && pg_is_alive(source->pg))
        return source->pg;
    pg_close(source->pg);
    source->pg = NULL;
    if (source->failed_ns && clock_monotonic_ns() - source->failed_ns < LAG_AGAIN_NS) {
        *error = source->why;
        return NULL;
    }
    struct buffer dsn = {0};
    if (pipeline_source_conninfo(measure->pipeline, capture, &dsn, error))
        source->pg = pg_open(&(struct pg_options){.dsn = dsn.data,
                                                  .connect_ms = LAG_CONNECT_MS,
                                                  .answer_ms = LAG_ANSWER_MS},
                             error);
    source->failed_ns = source->pg ? 0 : clock_monotonic_ns();
    source->why = *error;
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return source->pg;
}

/* safe_wal_size: what may still be written before the slot is lost (max_slot_wal_keep_size). */
static const char slot_query[] =
    "SELECT pg_current_wal_lsn()::text, s.active::int::text, s.confirmed_flush_lsn::text, "
    "pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::bigint::text, "
    "pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint::text, "
    "coalesce(s.wal_status, ''), s.safe_wal_size::text, "
    "pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint::text "
    "FROM (SELECT 1) one LEFT JOIN pg_replication_slots s ON s.slot_name = $1";

static bool slot_ask(struct lag_source *source, struct lag_slot *slot, struct error *error)
{
    struct pg_rows rows = {0};
    bool ok = pg_query(source->pg, slot_query, &source->capture->slot, 1, &rows, error);
    const char *values[8];
    for (size_t i = 0; i < 8; i++)
        values[i] = ok ? pg_rows_value(&rows, 0, i) : NULL;
    if (ok) {
        *slot = (struct lag_slot){.there = values[1] != NULL, .room_bytes = -1};
        slot->active = values[1] && values[1][0] == '1';
        slot->lost = values[5] && strcmp(values[5], "lost") == 0;
        int64_t behind = values[3] ? strtoll(values[3], NULL, 10) : 0;
        slot->behind_bytes = behind > 0 ? behind : 0;
        slot->held_bytes = values[4] ? strtoull(values[4], NULL, 10) : 0;
        slot->room_bytes = values[6] ? strtoll(values[6], NULL, 10) : -1;
        slot->written_bytes = values[7] ? strtoull(values[7], NULL, 10) : 0;
        snprintf(slot->written, sizeof slot->written, "%s", values[0] ? values[0] : "?");
        snprintf(slot->confirmed, sizeof slot->confirmed, "%s", values[2] ? values[2] : "no slot");
    }
    pg_rows_destroy(&rows);
    return ok;
}

/* All streams of a capture share its slot: one question for all of them in a look. */
static bool measure_slot(struct measure *measure, struct lag_slot *slot, struct error *error)
{
    struct pg *pg = source_connection(measure, error);
    TRY(pg);
    struct lag_source *source = measure->session->sources;
    while (source->pg != pg)
        source++;
    int64_t now = clock_monotonic_ns();
    if (source->slot_ns == 0 || now - source->slot_ns > LAG_SLOT_NS || now < source->slot_ns) {
        source->slot_ns = 0;
        TRY(slot_ask(source, &source->slot, error));
        source->slot_ns = now;
    }
    *slot = source->slot;
    return true;
}

static void measure_source(struct measure *measure)
{
    struct error error = {0};
    struct lag_slot slot;
    if (!measure_slot(measure, &slot, &error)) {
        stage_set(measure, LAG_SOURCE, LAG_UNKNOWN, -1, "?");
        stage_set(measure, LAG_CAPTURED, LAG_UNKNOWN, -1, "?");
        lag_blame(measure, LAG_SOURCE, "unknown", error.message, error.remedy);
        return;
    }
    stage_set(measure, LAG_SOURCE, LAG_OK, 0, slot.written);
    measure->slot_there = slot.there;
    measure->slot_active = slot.active;
    measure->slot_lost = slot.lost;
    measure->lag->captured_bytes = (uint64_t)slot.behind_bytes;
    measure->lag->held_bytes = slot.held_bytes;
    measure->lag->room_bytes = slot.room_bytes;
    measure->lag->written_bytes = slot.written_bytes;
    /* While a capture is at work its record is at most a second or two old; without one the record
     * tells since when nothing was read. */
    double since = measure->record_ms ? measure->now_s - (double)measure->record_ms / 1e3 : -1;
    double lag_s = slot.behind_bytes <= 0 ? 0 : since;
    stage_set(measure, LAG_CAPTURED,
              !slot.there                ? LAG_NONE
              : slot.lost                ? LAG_FAIL
              : slot.active              ? LAG_OK
              : lag_s > 0 || lag_s == -1 ? LAG_WARN
                                         : LAG_OK,
              lag_s, slot.confirmed);
}

static uint64_t hash_entry(uint64_t before, const struct store_entry *entry)
{
    uint64_t parts[] = {before, hash_bytes(entry->key, strlen(entry->key), 0), entry->size,
                        (uint64_t)entry->modified_ms};
    return hash_bytes(parts, sizeof parts, 0);
}

static bool measure_files(struct measure *measure, struct error *error)
{
    struct lag_session *session = measure->session;
    const struct profile *profile = measure->pipeline->profile;
    struct error why = {0};
    if (session->deltas == NULL && profile->lake.deltas)
        session->deltas = store_open(profile->lake.deltas, NULL, &why);
    bool ok = session->deltas != NULL;
    uint64_t size;
    if (ok && !store_stat(session->deltas, measure->stream->capture->record_key, &size,
                          &measure->record_ms, NULL))
        measure->record_ms = 0;
    for (size_t i = 0; ok && i < measure->stream->table_count; i++) {
        struct store_listing listing;
        uint64_t files = 0;
        char *prefix = memory_format(error, "%s/", measure->stream->tables[i].topic);
        TRY(prefix);
        ok = store_list(session->deltas, prefix, &listing, &why);
        free(prefix);
        if (!ok && why.kind == ERROR_NOT_FOUND) {
            ok = true;
            continue;
        }
        for (size_t j = 0; ok && j < listing.count; j++) {
            files = hash_entry(files, &listing.entries[j]);
            measure->files++;
            if (listing.entries[j].modified_ms > measure->newest_file_ms)
                measure->newest_file_ms = listing.entries[j].modified_ms;
        }
        if (ok)
            store_listing_destroy(&listing);
        struct lag_table *entry =
            lag_tables_entry(&session->tables, &measure->stream->tables[i], error);
        TRY(entry);
        entry->files = files;
    }
    char position[LAG_TEXT_SIZE];
    if (!ok) {
        stage_set(measure, LAG_FILES, LAG_UNKNOWN, -1, "?");
        lag_blame(measure, LAG_FILES, "unknown",
                  why.kind ? why.message : "the profile has no lake.deltas", why.remedy);
    } else if (measure->files == 0) {
        stage_set(measure, LAG_FILES, LAG_NONE, -1, "no files");
    } else {
        snprintf(position, sizeof position, "%zu files", measure->files);
        stage_set(measure, LAG_FILES, LAG_OK,
                  measure->now_s - (double)measure->newest_file_ms / 1e3, position);
    }
    return true;
}

/* Commit time of the first change behind the watermark; 0 when there is none. */
static bool oldest_waiting(struct measure *measure, const struct stream_table *table,
                           const json_t *watermark, double *out, struct error *error)
{
    struct feed_mark marks[LAG_MARKS_MOST];
    size_t count = 0;
    const char *partition;
    json_t *next;
    json_object_foreach(json_object_get(watermark, table->topic), partition, next)
    {
        if (count < LAG_MARKS_MOST)
            marks[count++] =
                (struct feed_mark){(int32_t)strtol(partition, NULL, 10), json_integer_value(next)};
    }
    *out = 0;
    struct feed_options options = {.accept_gaps = true};
    struct feed *feed = feed_open(measure->session->deltas, table->topic, table->topic, marks,
                                  count, &options, error);
    if (feed == NULL) {
        if (error->kind != ERROR_NOT_FOUND)
            return false;
        error_clear(error);
        return true;
    }
    struct change change;
    int32_t from;
    bool end = false;
    bool ok = feed_next(feed, &change, &from, &end, error);
    if (ok && !end) {
        int64_t ms = 0;
        if (change.ts_us)
            *out = (double)change.ts_us / 1e6;
        else
            *out = change_timestamp_ms(&change, &ms) ? (double)ms / 1e3 : measure->now_s;
    }
    feed_close(feed);
    return ok;
}

static bool measure_table(struct measure *measure, const struct stream_table *table,
                          struct error *error)
{
    struct lag_table *facts;
    TRY(lag_tables_look(&measure->session->tables, measure->session->catalog,
                        measure->pipeline->namespace, table, &facts, error));
    measure->tables_there += facts->there;
    if (facts->batch > measure->lag->batch)
        measure->lag->batch = facts->batch;
    if (facts->newest_ms > measure->newest_snapshot_ms)
        measure->newest_snapshot_ms = facts->newest_ms;
    bool known = facts->oldest_known && facts->oldest_files == facts->files &&
                 facts->oldest_version == facts->version;
    facts->oldest_known = false;
    TRY(known || oldest_waiting(measure, table, facts->watermark, &facts->oldest_s, error));
    facts->oldest_known = true;
    facts->oldest_files = facts->files;
    facts->oldest_version = facts->version;
    if (facts->oldest_s > 0 && (measure->oldest_s == 0 || facts->oldest_s < measure->oldest_s))
        measure->oldest_s = facts->oldest_s;
    return true;
}

bool pipeline_catalog_is_made(const struct pipeline *pipeline, bool *made, struct error *error)
{
    *made = true;
    if (pipeline->profile->lake.catalog.kind == CATALOG_STORAGE)
        return true;
    struct buffer dsn = {0};
    struct pg *pg = NULL;
    struct pg_rows rows = {0};
    if (pipeline_catalog_conninfo(pipeline, &dsn, error))
        pg = pg_open(&(struct pg_options){.dsn = dsn.data,
                                          .connect_ms = LAG_CONNECT_MS,
                                          .answer_ms = LAG_ANSWER_MS},
                     error);
    bool ok =
        pg && pg_query(pg, "SELECT to_regclass('iceberg_tables')::text", NULL, 0, &rows, error);
    *made = ok && pg_rows_value(&rows, 0, 0) != NULL;
    pg_rows_destroy(&rows);
    pg_close(pg);
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.length);
    buffer_destroy(&dsn);
    return ok;
}

static bool lake_open(struct measure *measure, bool *made, struct error *error)
{
    struct lag_session *session = measure->session;
    *made = true;
    if (session->catalog)
        return true;
    if (session->catalog_failed_ns &&
        clock_monotonic_ns() - session->catalog_failed_ns < LAG_AGAIN_NS) {
        *error = session->catalog_why;
        return false;
    }
    bool ok = pipeline_catalog_is_made(measure->pipeline, made, error);
    if (ok && *made)
        session->catalog = pipeline_catalog_open(measure->pipeline, false, error);
    ok = ok && (!*made || session->catalog);
    session->catalog_failed_ns = ok ? 0 : clock_monotonic_ns();
    session->catalog_why = *error;
    return ok;
}

static void measure_lake(struct measure *measure)
{
    struct error error = {0};
    struct lag *lag = measure->lag;
    bool made;
    bool ok = lake_open(measure, &made, &error) && measure->session->deltas;
    for (size_t i = 0; ok && made && i < measure->stream->table_count; i++)
        ok = measure_table(measure, &measure->stream->tables[i], &error);
    if (!ok) {
        stage_set(measure, LAG_MERGED, LAG_UNKNOWN, -1, "?");
        stage_set(measure, LAG_VISIBLE, LAG_UNKNOWN, -1, "?");
        lag_blame(measure, LAG_MERGED, error.kind == ERROR_INPUT ? "FAILED" : "unknown",
                  error.message, error.remedy);
        return;
    }
    char position[LAG_TEXT_SIZE], since[QUANTITY_TEXT_SIZE];
    double waiting = measure->oldest_s > 0 ? measure->now_s - measure->oldest_s : 0;
    lag->events_waiting_ms = (int64_t)(measure->oldest_s * 1e3);
    enum lag_state state = measure->tables_there == 0                              ? LAG_NONE
                           : waiting * 1e3 > (double)measure->stream->freshness_ms ? LAG_WARN
                                                                                   : LAG_OK;
    snprintf(position, sizeof position, "batch %lld", (long long)lag->batch);
    waiting = measure->tables_there == 0 ? -1 : waiting < 0 ? 0 : waiting;
    stage_set(measure, LAG_MERGED, state, waiting, measure->tables_there ? position : "never");
    quantity_format_age((int64_t)(measure->now_s * 1e3) - measure->newest_snapshot_ms, since);
    snprintf(position, sizeof position, "%zu of %zu tables, newest %s ago", measure->tables_there,
             measure->stream->table_count, since);
    stage_set(measure, LAG_VISIBLE, state, waiting,
              measure->newest_snapshot_ms ? position : "nothing");
}

/* A run that failed and was not followed by one that did not. */
static bool measure_runs(struct measure *measure, struct error *error)
{
    struct lag_session *session = measure->session;
    const struct profile *profile = measure->pipeline->profile;
    static const char *const verbs[] = {"capture", "merge"};
    if (!file_exists(profile->state))
        return true; /* nothing ever ran; who only looks makes no folders */
    if (session->runs_ns == 0 || clock_monotonic_ns() - session->runs_ns > LAG_RUNS_NS) {
        run_list_destroy(&session->runs);
        struct error why = {0};
        if (!run_list_load(profile, LAG_RUNS, &session->runs, &why) && why.kind == ERROR_MEMORY)
            return error_set_memory(error, 0);
        session->runs_why = why;
        session->runs_ns = clock_monotonic_ns();
    }
    /* A run that failed may be among those that can't be read: nothing is well then. */
    if (session->runs_why.kind)
        lag_blame(measure, LAG_MERGED, "unknown", session->runs_why.message,
                  session->runs_why.remedy);
    for (int verb = 0; verb < 2; verb++)
        for (size_t i = 0; i < session->runs.count; i++) {
            const struct run_summary *run = &session->runs.runs[i];
            if (strcmp(run->verb, verbs[verb]) != 0 ||
                strcmp(run->object, measure->stream->name) != 0)
                continue;
            const char *message =
                json_string_value(json_object_get(json_object_get(run->last, "error"), "message"));
            const char *remedy =
                json_string_value(json_object_get(json_object_get(run->last, "error"), "remedy"));
            int index = verb ? LAG_MERGED : LAG_CAPTURED;
            if (strcmp(run->state, "failed") == 0 && run->exit_code != 6) {
                char reason[LAG_REASON_SIZE];
                snprintf(reason, sizeof reason, "run %s (%s) failed%s%s", run->id, run->verb,
                         message ? ": " : "", message ? message : "");
                measure->lag->chain[index].state = LAG_FAIL;
                lag_blame(measure, index, "FAILED", reason, remedy ? remedy : "");
            }
            break; /* the newest of this verb */
        }
    return true;
}

static void lag_judge(struct measure *measure)
{
    struct lag *lag = measure->lag;
    double captured = lag->chain[LAG_CAPTURED].lag_s, merged = lag->chain[LAG_MERGED].lag_s;
    bool known =
        captured >= 0 && merged >= 0 && measure->tables_there == measure->stream->table_count;
    lag->freshness_s = known ? (captured > merged ? captured : merged) : -1;
    if (measure->slot_lost)
        lag_blame(measure, LAG_CAPTURED, "FAILED",
                  "the slot is lost: the server removed WAL that was not read yet",
                  "surfboard capture STREAM --reload takes a new snapshot");
    if (lag->reason[0])
        return;
    if (!measure->slot_there && measure->tables_there == 0) {
        lag_blame(measure, LAG_CAPTURED, "not built", "it was not brought up yet",
                  "surfboard up STREAM");
        return;
    }
    if (!measure->slot_there) {
        lag_blame(measure, LAG_CAPTURED, "FAILED", "its slot is gone",
                  "surfboard capture STREAM --reload takes a new snapshot");
        return;
    }
    double goal = (double)measure->stream->freshness_ms / 1e3;
    if (known && lag->freshness_s <= goal)
        return;
    bool by_capture = captured < 0 || captured > goal;
    if (by_capture && !measure->slot_active)
        lag_blame(measure, LAG_CAPTURED, "stopped", "nobody reads the slot",
                  "surfboard capture STREAM --follow");
    else if (by_capture)
        lag_blame(measure, LAG_CAPTURED, "late", "the capture is behind",
                  "wait, or look at its run: surfboard runs");
    else
        lag_blame(measure, LAG_MERGED, measure->tables_there ? "late" : "stopped",
                  measure->tables_there ? "changes wait to be merged" : "nothing was merged yet",
                  "surfboard merge STREAM");
}

/* Somebody stopped it on purpose: that is no failure, and not well either. */
static void lag_pause(struct measure *measure)
{
    struct lag *lag = measure->lag;
    struct lag_session *session = measure->session;
    static const char *const over[] = {"FAILED", "not built", "unknown"};
    for (size_t i = 0; i < sizeof over / sizeof *over; i++)
        if (strcmp(lag->state, over[i]) == 0)
            return;
    /* One reading serves all streams of a look. */
    int64_t now = clock_monotonic_ns();
    if (session->wanted_ns == 0 || now - session->wanted_ns > LAG_SLOT_NS ||
        now < session->wanted_ns) {
        wanted_destroy(&session->wanted);
        session->wanted = (struct wanted){0};
        /* doctor says what is wrong with the file */
        if (!wanted_load(measure->pipeline->profile, &session->wanted, NULL))
            session->wanted = (struct wanted){0};
        session->wanted_ns = now;
    }
    const struct wanted_work *merge = wanted_find(&session->wanted, "merge", measure->stream->name);
    if (merge && merge->paused) {
        lag->state = "paused";
        lag->stuck_at = lag->chain[LAG_MERGED].stage;
        snprintf(lag->reason, sizeof lag->reason, "paused by %s since %s", merge->by, merge->since);
        snprintf(lag->remedy, sizeof lag->remedy, "surfboard resume %s", measure->stream->name);
    }
}

bool lag_measure(const struct pipeline *pipeline, const struct stream *stream,
                 struct lag_session *session, struct lag *out, struct error *error)
{
    static const char *const stages[LAG_STAGES] = {"source", "captured", "files", "merged",
                                                   "visible"};
    *out = (struct lag){.stream = stream, .state = "ok", .freshness_s = -1, .room_bytes = -1};
    struct measure measure = {.pipeline = pipeline,
                              .stream = stream,
                              .session = session,
                              .lag = out,
                              .now_s = (double)clock_now_ms() / 1e3};
    for (int i = 0; i < LAG_STAGES; i++) {
        out->chain[i].stage = stages[i];
        stage_set(&measure, i, stream->capture ? LAG_UNKNOWN : LAG_NONE, -1,
                  stream->capture ? "?" : "none");
    }
    if (stream->capture == NULL) {
        out->state = "not built";
        snprintf(out->reason, sizeof out->reason, "%s", stream->no_capture);
        return true;
    }
    TRY(measure_files(&measure, error));
    measure_source(&measure);
    measure_lake(&measure);
    TRY(measure_runs(&measure, error));
    lag_judge(&measure);
    lag_pause(&measure);
    return true;
}

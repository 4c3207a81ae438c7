/* The watch's look: what is read, off the screen's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/net/pg.h"
#include "tui/screen/watch_private.h"

enum { RUNS_MOST = 200, MINUTE_MS = 60000 };

#define ORPHANS_EVERY_NS INT64_C(30000000000)

/* ---- runs: once for lag and list ---- */

static bool read_runs(struct watch_work *work, struct error *error)
{
    struct lag_session *session = &work->session;
    run_list_destroy(&work->runs);
    work->runs_why = (struct error){0};
    if (run_list_load(work->profile, RUNS_MOST, &work->runs, &work->runs_why))
        return true;
    if (work->runs_why.kind == ERROR_MEMORY)
        return error_set_memory(error, 0);
    session->runs_why = work->runs_why;
    return true;
}

/* The session borrows the list while it measures. */
static void lend_runs(struct watch_work *work, bool lend)
{
    struct lag_session *session = &work->session;
    session->runs = lend ? work->runs : (struct run_list){0};
    session->runs_why = work->runs_why;
    session->runs_ns = lend ? INT64_MAX : 0;
}

/* ---- rows by the minute ---- */

int64_t watch_sample(const struct lag_table *table, int64_t now_ms, int64_t samples[WATCH_SAMPLES])
{
    int64_t this_minute = now_ms / MINUTE_MS, last_minute_rows = 0;
    if (table->snapshot_count == 0)
        return 0;
    /* Before the oldest one that is still known nothing is known. */
    int64_t oldest = table->snapshots[table->snapshot_count - 1].at_ms / MINUTE_MS;
    for (int64_t i = 0; i < WATCH_SAMPLES; i++)
        if (this_minute - (WATCH_SAMPLES - 1 - i) >= oldest && samples[i] < 0)
            samples[i] = 0;
    for (size_t i = 0; i < table->snapshot_count; i++) {
        const struct lag_snapshot *snapshot = &table->snapshots[i];
        int64_t ago = this_minute - snapshot->at_ms / MINUTE_MS;
        if (ago >= 0 && ago < WATCH_SAMPLES)
            samples[WATCH_SAMPLES - 1 - ago] += snapshot->rows;
        if (now_ms - snapshot->at_ms < MINUTE_MS && snapshot->at_ms <= now_ms)
            last_minute_rows += snapshot->rows;
    }
    return last_minute_rows;
}

static void read_samples(struct watch_work *work, const struct stream *stream,
                         struct watch_reading *reading)
{
    int64_t now_ms = clock_now_ms(), rows = 0;
    bool counted = true;
    reading->rows = 0;
    reading->tables_there = 0;
    reading->samples_exact = true;
    for (size_t i = 0; i < WATCH_SAMPLES; i++)
        reading->samples[i] = -1;
    for (size_t i = 0; i < stream->table_count; i++) {
        const struct lag_table *table = lag_tables_find(&work->session.tables, &stream->tables[i]);
        if (table == NULL || !table->there || work->session.catalog == NULL)
            continue;
        reading->tables_there++;
        reading->rows += table->rows;
        counted = counted && table->rows >= 0;
        rows += watch_sample(table, now_ms, reading->samples);
        for (size_t k = 0; k < table->snapshot_count; k++)
            if (now_ms - table->snapshots[k].at_ms < WATCH_SAMPLES * MINUTE_MS)
                reading->samples_exact &= table->snapshots[k].rows_exact;
    }
    reading->rows_s = reading->tables_there ? (double)rows / 60 : -1;
    if (reading->tables_there == 0 || !counted)
        reading->rows = -1;
}

/* ---- slots that nobody reads ---- */

static bool capture_has_slot(const struct watch_work *work, const char *slot)
{
    for (size_t i = 0; i < work->pipeline->capture_count; i++)
        if (strcmp(work->pipeline->captures[i].slot, slot) == 0)
            return true;
    return false;
}

static void read_orphans_of(struct watch_work *work, const struct lag_source *source)
{
    static const char query[] =
        "SELECT slot_name, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint"
        "::text FROM pg_replication_slots WHERE NOT active AND NOT temporary AND "
        "(database IS NULL OR database = current_database()) ORDER BY slot_name";
    struct pg_rows rows = {0};
    struct error ignored = {0};
    if (source->pg == NULL || !pg_query(source->pg, query, NULL, 0, &rows, &ignored))
        return;
    for (size_t i = 0; i < pg_rows_count(&rows) && work->orphan_count < WATCH_ORPHANS_MOST; i++) {
        const char *slot = pg_rows_value(&rows, i, 0), *held = pg_rows_value(&rows, i, 1);
        if (slot == NULL || capture_has_slot(work, slot))
            continue;
        struct watch_orphan *orphan = &work->orphans[work->orphan_count++];
        snprintf(orphan->slot, sizeof orphan->slot, "%s", slot);
        snprintf(orphan->source, sizeof orphan->source, "%s", source->capture->source->name);
        orphan->held_bytes = held ? strtoull(held, NULL, 10) : 0;
    }
    pg_rows_destroy(&rows);
}

static void read_orphans(struct watch_work *work)
{
    int64_t now = clock_monotonic_ns();
    if (work->orphans_ns && now - work->orphans_ns < ORPHANS_EVERY_NS)
        return;
    work->orphan_count = 0;
    work->orphans_ns = now;
    for (size_t i = 0; i < work->session.source_count; i++)
        read_orphans_of(work, &work->session.sources[i]);
}

/* ---- all of it ---- */

static bool read_stream(struct watch_work *work, size_t index, struct error *error)
{
    const struct stream *stream = &work->pipeline->streams[index];
    struct watch_reading *reading = &work->readings[index];
    TRY(lag_measure(work->pipeline, stream, &work->session, &reading->lag, error));
    read_samples(work, stream, reading);
    return true;
}

bool watch_read(struct watch_work *work, const atomic_bool *stop, struct error *error)
{
    work->measured = 0;
    TRY(read_runs(work, error));
    if (!work->whole || work->pipeline == NULL)
        return true;
    TRY(work->readers_known || watch_read_readers(work, error));
    bool ok = true;
    lend_runs(work, true);
    while (ok && work->measured < work->count && !atomic_load(stop)) {
        ok = read_stream(work, work->measured, error);
        work->measured += ok;
    }
    lend_runs(work, false);
    if (ok && !atomic_load(stop)) {
        watch_read_events(work);
        read_orphans(work);
    }
    return ok && work->measured == work->count;
}

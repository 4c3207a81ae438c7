/* The report in lines: what is written, captured, merged, and how far behind the lake is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/neutral.h"
#include "core/base/quantity.h"
#include "core/iceberg/catalog.h"
#include "core/iceberg/table.h"
#include "tui/demo/demo.h"

enum { REPORT_EVERY_MS = 2000, MEASURE_EVERY_MS = 1000 };

void demo_say(struct demo *demo, const char *text)
{
    if (demo->command->json) {
        command_print_json(demo->command, json_pack("{s:s, s:s}", "event", "phase", "text", text),
                           NULL);
        return;
    }
    command_say(demo->command, "· %s", text);
}

/* What the newest snapshot's summary says: rows in data files less the rows deleted by position.
 * Exact for tables that only we write. */
static bool table_rows(struct demo *demo, struct demo_table *table, struct error *error)
{
    const struct stream *stream = pipeline_stream(&demo->pipeline, DEMO_STREAM, error);
    const struct stream_table *named = stream ? stream_table_find(stream, table->name) : NULL;
    if (named == NULL)
        return true;
    struct iceberg_table loaded = {0};
    struct iceberg_snapshot snapshot;
    struct catalog_ident ident = {demo->pipeline.namespace, named->name};
    struct error why = {0};
    if (!catalog_load(demo->session.catalog, ident, &loaded, &why)) {
        if (why.kind == ERROR_NOT_FOUND)
            return true;
        if (error)
            *error = why;
        return false;
    }
    if (iceberg_snapshot_find(&loaded, loaded.snapshot_id, &snapshot)) {
        const char *rows = iceberg_snapshot_summary(&snapshot, "total-records");
        const char *gone = iceberg_snapshot_summary(&snapshot, "total-position-deletes");
        table->rows = (rows ? strtoll(rows, NULL, 10) : 0) - (gone ? strtoll(gone, NULL, 10) : 0);
    }
    snprintf(table->location, sizeof table->location, "%s", loaded.location);
    iceberg_table_destroy(&loaded);
    return true;
}

bool demo_measure(struct demo *demo, struct error *error)
{
    int64_t now = clock_monotonic_ns();
    if (demo->measured_ns && now - demo->measured_ns < MEASURE_EVERY_MS * INT64_C(1000000))
        return true;
    const struct stream *stream = pipeline_stream(&demo->pipeline, DEMO_STREAM, error);
    TRY(stream && lag_measure(&demo->pipeline, stream, &demo->session, &demo->lag, error));
    demo->lag_known = true;
    for (size_t i = 0; i < demo->table_count && demo->session.catalog; i++)
        TRY(table_rows(demo, &demo->tables[i], error));
    demo->measured_ns = clock_monotonic_ns();
    return true;
}

static double report_rate(int64_t now, int64_t before, double seconds)
{
    return seconds > 0.05 ? (double)(now - before) / seconds : 0;
}

/* "0.8 s": the report looks once a second, so tenths are honest. */
static void report_lag(const struct demo *demo, char out[QUANTITY_TEXT_SIZE])
{
    /* Once the capture has ended, what else the server logs is nobody's change. */
    double s = demo->draining ? demo->lag.chain[3].lag_s : demo->lag.freshness_s;
    if (!demo->lag_known || s < 0)
        snprintf(out, QUANTITY_TEXT_SIZE, "?");
    else if (s < 10)
        snprintf(out, QUANTITY_TEXT_SIZE, "%.1f s", s);
    else
        quantity_format_age((int64_t)(s * 1e3), out);
}

static void report_print(struct demo *demo, const char *phase, double seconds)
{
    const struct demo_counts *now = &demo->counts, *old = &demo->shown;
    char lag[QUANTITY_TEXT_SIZE];
    report_lag(demo, lag);
    command_say(demo->command,
                "%s %3" PRId64 " s: %" PRId64 " rows changed (%.0f/s), %" PRId64
                " events merged (%.0f/s), batch %" PRId64 ", lake %s behind",
                phase, (clock_monotonic_ns() - demo->started_ns) / 1000000000, now->simulated,
                report_rate(now->simulated, old->simulated, seconds), now->events,
                report_rate(now->events, old->events, seconds), now->batch, lag);
}

/* Milliseconds are what it was measured in. */
static double report_seconds(const struct demo *demo)
{
    return (double)(int64_t)(demo->lag.freshness_s * 1000 + 0.5) / 1000;
}

static void report_json(struct demo *demo, const char *phase)
{
    json_t *rows = json_object();
    for (size_t i = 0; i < demo->table_count; i++)
        if (demo->tables[i].rows >= 0)
            json_object_set_new(rows, demo->tables[i].name, json_integer(demo->tables[i].rows));
    const struct demo_counts *now = &demo->counts;
    json_int_t captured = now->captured;
    captured += now->snapshot_rows;
    command_print_json(
        demo->command,
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "event", "progress", "phase", phase,
                  "simulated", (json_int_t)now->simulated, "captured", captured, "merged",
                  (json_int_t)now->events, "batch", (json_int_t)now->batch, "freshness_s",
                  demo->lag_known && demo->lag.freshness_s >= 0 ? json_real(report_seconds(demo))
                                                                : json_null(),
                  "rows", rows),
        NULL);
}

void demo_report(struct demo *demo, const char *phase)
{
    int64_t now = clock_monotonic_ns();
    if (demo->shown_ns && now - demo->shown_ns < REPORT_EVERY_MS * INT64_C(1000000))
        return;
    double seconds = demo->shown_ns ? (double)(now - demo->shown_ns) / 1e9 : 0;
    if (demo->command->json)
        report_json(demo, phase);
    else
        report_print(demo, phase, seconds);
    demo->shown = demo->counts;
    demo->shown_ns = now;
}

static bool finish_happened(const struct demo *demo)
{
    const struct demo_counts *counts = &demo->counts;
    return counts->events > 0 && counts->inserted > 0 && counts->updated > 0 &&
           counts->deleted > 0 && counts->key_changes > 0 && counts->unavailable > 0 &&
           counts->multi_table > 0;
}

static void finish_text(struct demo *demo)
{
    const struct demo_counts *counts = &demo->counts;
    FILE *out = demo->command->out;
    const char *folder = demo->folder;
    fprintf(out,
            "\n%" PRId64 " change events merged in %" PRId64 " batches: %" PRId64
            " inserted, %" PRId64 " updated, %" PRId64 " deleted,\n%" PRId64
            " changed keys, %" PRId64 " values left out because they had not changed, %" PRId64
            " transactions over several tables.\n",
            counts->events, counts->batches, counts->inserted, counts->updated, counts->deleted,
            counts->key_changes, counts->unavailable, counts->multi_table);
    if (demo->equal)
        fprintf(out, "Source and lake are equal, row by row, in %zu tables.\n", demo->table_count);
    else
        fprintf(out, "Source and lake are NOT proved equal.%s%.*s\n",
                demo->differences.length ? "\n" : "", SLICE_ARG(buffer_slice(&demo->differences)));
    fprintf(out,
            "\nWhere it lies:\n  %s/deltas       files of changes, one folder a table\n"
            "  %s/warehouse    the Iceberg tables\n  %s/state        runs, receipts, locks\n"
            "  %s/demo.yaml    the profile\n  %s/logs         what each process said\n",
            folder, folder, folder, folder, folder);
    fprintf(out,
            "\nLook further:\n  surfboard scan %s/warehouse/demo/shop_orders-* --limit 5\n"
            "  surfboard peek %s/deltas/demo.public.orders/0/00000000000000000000.jsonl\n"
            "  surfboard --profile %s runs\n  surfboard demo --dir %s   goes on from here\n",
            folder, folder, demo->profile_path, folder);
}

bool demo_finish(struct demo *demo, struct error *error)
{
    bool equal = demo->equal && finish_happened(demo);
    if (demo->equal && !equal && demo->differences.length == 0)
        TRY(buffer_append_text(
            &demo->differences,
            "not everything happened that the demo is to show: let it run longer", error));
    demo->equal = equal;
    const struct demo_counts *counts = &demo->counts;
    if (demo->command->json)
        return command_print_json(
            demo->command,
            json_pack("{s:s, s:I, s:I, s:b, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I}, s:s}",
                      "event", "demo", "events", (json_int_t)counts->events, "tables",
                      (json_int_t)demo->table_count, "equal", (int)equal, "dir", demo->folder,
                      "merged", "batches", (json_int_t)counts->batches, "inserted",
                      (json_int_t)counts->inserted, "updated", (json_int_t)counts->updated,
                      "deleted", (json_int_t)counts->deleted, "key_changes",
                      (json_int_t)counts->key_changes, "unavailable",
                      (json_int_t)counts->unavailable, "multi_table",
                      (json_int_t)counts->multi_table, "profile", demo->profile_path),
            error);
    finish_text(demo);
    return true;
}

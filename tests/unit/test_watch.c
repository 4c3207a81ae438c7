/* What several looks tell: trends, rates, rows by the minute; unchanged tables are not read again;
 * events and runs in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "tests/unit/lake.h"
#include "tui/screen/run_reader.h"
#include "tui/screen/run_words.h"
#include "tui/screen/watch.h"

enum { SECOND = 1000000, MINUTE_MS = 60000 };

static void a_lag_falls_only_between_looks_that_lie_apart(void **state)
{
    (void)state;
    struct watch_trend trend = {0};
    int64_t now = SECOND;
    watch_trend_feed(&trend, 100, now);
    for (int i = 1; i < 10; i++)
        watch_trend_feed(&trend, 100 - i, now + i * SECOND);
    assert_false(trend.falls);
    watch_trend_feed(&trend, 80, now + 10 * SECOND);
    assert_true(trend.falls);
    watch_trend_feed(&trend, 85, now + 12 * SECOND); /* too soon to say otherwise */
    assert_true(trend.falls);
    watch_trend_feed(&trend, 81, now + 20 * SECOND);
    assert_false(trend.falls);
    watch_trend_feed(&trend, -1, now + 21 * SECOND); /* nobody knows: begin anew */
    assert_false(trend.falls);
    watch_trend_feed(&trend, 5, now + 22 * SECOND);
    watch_trend_feed(&trend, 4.8, now + 40 * SECOND); /* wobble is no fall */
    assert_false(trend.falls);
    watch_trend_feed(&trend, 1, now + 10 * SECOND); /* the clock went back */
    assert_false(trend.falls);
}

static void a_rate_needs_two_looks_and_survives_a_reset(void **state)
{
    (void)state;
    struct watch_rate rate = {.per_s = -1};
    watch_rate_feed(&rate, 1000, SECOND);
    assert_true(rate.per_s < 0);
    watch_rate_feed(&rate, 2000, 2 * SECOND);
    assert_true(rate.per_s < 0);
    watch_rate_feed(&rate, 3000, 21 * SECOND);
    assert_true(rate.per_s > 99.9 && rate.per_s < 100.1);
    watch_rate_feed(&rate, 10, 22 * SECOND); /* another server */
    assert_true(rate.per_s < 0);
}

static struct lag_snapshot snapshot_at(int64_t at_ms, int64_t rows)
{
    return (struct lag_snapshot){.at_ms = at_ms, .rows = rows, .rows_exact = true};
}

static void rows_stand_in_the_minute_of_their_snapshot(void **state)
{
    (void)state;
    int64_t samples[WATCH_SAMPLES];
    static struct lag_table table;
    int64_t now = INT64_C(1000000) * MINUTE_MS + 30000;
    for (int i = 0; i < WATCH_SAMPLES; i++)
        samples[i] = -1;
    assert_int_equal(watch_sample(&table, now, samples), 0);
    assert_int_equal(samples[29], -1);
    table.there = true;
    table.snapshots[0] = snapshot_at(now - 1000, 5);
    table.snapshots[1] = snapshot_at(now - 40000, 7); /* the minute before, yet in the last 60 s */
    table.snapshots[2] = snapshot_at(now - 10 * MINUTE_MS, 100);
    table.snapshot_count = 3;
    assert_int_equal(watch_sample(&table, now, samples), 12);
    assert_int_equal(samples[29], 5);
    assert_int_equal(samples[28], 7);
    assert_int_equal(samples[19], 100);
    assert_int_equal(samples[20], 0);
    assert_int_equal(samples[18], -1); /* before the oldest that is known */
    /* A second table adds; older than half an hour it makes all minutes known. */
    table.snapshots[2] = snapshot_at(now - 50 * MINUTE_MS, 1000);
    watch_sample(&table, now, samples);
    assert_int_equal(samples[29], 10);
    assert_int_equal(samples[19], 100);
    assert_int_equal(samples[0], 0);
    /* Of a clock ahead of ours: not in the future's minutes, not now either. */
    table.snapshots[0] = snapshot_at(now + 5 * MINUTE_MS, 1);
    assert_int_equal(watch_sample(&table, now, samples), 7);
}

/* ---- tables are read when the catalog points elsewhere ---- */

static void unchanged_tables_are_not_read_again(void **state)
{
    (void)state;
    struct lake lake;
    struct iceberg_table made;
    struct error error = {0};
    struct lag_tables tables = {0};
    struct lag_table *table = NULL;
    lake_open(&lake);
    struct stream_table named = {.name = lake.uri};
    assert_true(lag_tables_look(&tables, lake.catalog, NULL, &named, &table, &error));
    assert_false(table->there);
    lake_create(&lake, &made);
    iceberg_table_destroy(&made);
    assert_true(lake_append(&lake, 0, 100, &error));
    assert_true(lag_tables_look(&tables, lake.catalog, NULL, &named, &table, &error));
    assert_true(table->there);
    assert_int_equal(table->rows, 100);
    assert_int_equal(table->snapshot_count, 1);
    assert_int_equal(table->snapshots[0].rows, 100);
    assert_false(table->snapshots[0].rows_exact);
    const char *pointer = table->pointer;
    long before;
    memory_fail_after(0);
    assert_true(lag_tables_look(&tables, lake.catalog, NULL, &named, &table, &error));
    before = memory_allocations();
    assert_ptr_equal(table->pointer, pointer);
    assert_true(before < 30); /* the name of the file, not its contents */
    assert_true(lake_append(&lake, 100, 130, &error));
    assert_true(lag_tables_look(&tables, lake.catalog, NULL, &named, &table, &error));
    assert_int_equal(table->rows, 130);
    assert_int_equal(table->snapshot_count, 2);
    assert_int_equal(table->snapshots[0].rows, 30);
    assert_ptr_equal(lag_tables_find(&tables, &named), table);
    lag_tables_destroy(&tables);
    lake_close(&lake);
}

/* ---- words ---- */

static void event_says(const char *text, const char *want, enum style want_style)
{
    struct buffer out = {0};
    json_t *event = json_loads(text, 0, NULL);
    enum style style = run_event_words(event, slice_of(text), &out);
    assert_non_null(buffer_text(&out, NULL));
    if (strstr(out.data, want) == NULL)
        fail_msg("%s\n  says: %s\n  not:  %s", text, out.data, want);
    assert_null(strchr(out.data, '\n'));
    assert_int_equal(style, want_style);
    json_decref(event);
    buffer_destroy(&out);
}

static void events_are_told_in_words(void **state)
{
    (void)state;
    event_says("{\"event\":\"start\",\"at\":\"2026-01-02T03:04:05.678Z\",\"verb\":\"merge\","
               "\"object\":\"shop\",\"user\":\"anna\",\"host\":\"dell1\",\"pid\":7}",
               "03:04:05  start     merge shop by anna@dell1, process 7", STYLE_STRONG);
    event_says("{\"event\":\"progress\",\"phase\":\"orders\",\"done\":5000,\"total\":20000,"
               "\"unit\":\"rows\",\"rate\":250.4,\"eta_s\":60}",
               "orders: 5 000 of 20 000 rows, 250/s, 1 min to go", STYLE_DIM);
    event_says("{\"event\":\"progress\",\"done\":-1,\"total\":null}", "-1", STYLE_DIM);
    event_says("{\"event\":\"waiting\",\"for\":\"a lock\",\"since_s\":12,\"limit_s\":60}",
               "for a lock, 10 s of 1 min", STYLE_WARN);
    event_says("{\"event\":\"end\",\"exit\":0}", "exit 0", STYLE_OK);
    event_says(
        "{\"event\":\"end\",\"exit\":7,\"error\":{\"message\":\"line\\n3\",\"remedy\":\"r\"}}",
        "exit 7: line 3; r", STYLE_FAIL);
    event_says("{\"event\":\"batch\",\"batch\":41,\"events\":100000,\"inserted\":20000,\"updated\":"
               "69000,\"deleted\":9900,\"files_added\":2,\"bytes_written\":7340032,\"wall_s\":0.41,"
               "\"gaps\":0,\"repeats\":3,\"state\":\"committed\"}",
               "41: 100 000 events, +20 000 ~69 000 -9 900, 3 repeats, 2 files, 7.3 MB, 0.41 s, "
               "committed",
               STYLE_TEXT);
    event_says("{\"event\":\"step\",\"step\":\"slot\",\"action\":\"stopped\",\"reason\":\"no\"}",
               "slot: stopped: no", STYLE_TEXT);
    event_says("{\"event\":\"odd\",\"a\":{},\"b\":[1],\"c\":\"\",\"d\":1.5,\"e\":true}",
               "b [1], d 1.5, e true", STYLE_TEXT);
    event_says("no json", "? no json", STYLE_UNKNOWN);
    event_says("{\"event\":5}", "? {\"event\":5}", STYLE_UNKNOWN);
}

static void a_run_says_how_it_stands(void **state)
{
    (void)state;
    char text[256];
    struct run_summary run = {.state = "running",
                              .verb = (char *)(uintptr_t) "merge",
                              .object = (char *)(uintptr_t) "",
                              .started = (char *)(uintptr_t) "2026-01-02T10:00:00Z",
                              .ended = (char *)(uintptr_t) ""};
    assert_string_equal(run_words_state(&run), "running");
    assert_true(run_words_part(&run) < 0);
    run.progress = (struct run_progress_figures){.known = true,
                                                 .done = 30,
                                                 .total = 20,
                                                 .rate = -1,
                                                 .eta_s = -1,
                                                 .unit = "rows",
                                                 .phase = "write"};
    assert_true(run_words_part(&run) == 1);
    run_words_says(&run, text, sizeof text);
    assert_string_equal(text, "write: 30 of 20 rows");
    run.progress.total = -1;
    run.progress.rate = 12;
    run.progress.phase[0] = '\0';
    run_words_says(&run, text, sizeof text);
    assert_string_equal(text, "30 rows, 12/s");
    run.silent = true;
    run.silent_ms = 70000;
    assert_string_equal(run_words_state(&run), "silent");
    run_words_says(&run, text, sizeof text);
    assert_non_null(strstr(text, "1 min"));
    run.silent = false;
    run.waiting = json_pack("{s:s, s:i}", "for", "a lock", "since_s", 3);
    assert_string_equal(run_words_state(&run), "waiting");
    run_words_says(&run, text, sizeof text);
    assert_string_equal(text, "waits for a lock, 3 s");
    json_decref(run.waiting);
    run.waiting = NULL;
    run.state = "died";
    run_words_took(&run, text, sizeof text);
    assert_string_equal(text, ""); /* it never said anything */
    run_words_says(&run, text, sizeof text);
    assert_string_equal(text, "died without an end");
    run.state = "done";
    run.ended = (char *)(uintptr_t) "2026-01-02T10:00:42Z";
    run_words_took(&run, text, sizeof text);
    assert_string_equal(text, "40 s");
    run_words_what(&run, text, sizeof text);
    assert_string_equal(text, "merge");
}

static void ages_are_coarse(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } ages[] = {{-1, "?"}, {0, "0 s"}, {9.9, "9 s"}, {19, "10 s"}, {59, "50 s"}, {61, "1 min"}};
    char text[32];
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        watch_age(ages[i].seconds, text, sizeof text);
        assert_string_equal(text, ages[i].text);
    }
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lag_falls_only_between_looks_that_lie_apart),
        cmocka_unit_test(a_rate_needs_two_looks_and_survives_a_reset),
        cmocka_unit_test(rows_stand_in_the_minute_of_their_snapshot),
        cmocka_unit_test(unchanged_tables_are_not_read_again),
        cmocka_unit_test(events_are_told_in_words),
        cmocka_unit_test(a_run_says_how_it_stands),
        cmocka_unit_test(ages_are_coarse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

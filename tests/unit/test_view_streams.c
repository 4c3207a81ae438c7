/* The home with many streams, and in states that no small world has: each shows by shape and word,
 * the worst first, and the cursor sticks to its stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "tui/screen/view_streams.h"

static char folder[64];
static struct app *app;

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(file_write_atomic(path, slice_of(text), 0600, NULL));
}

/* A model with `count` stores that one workspace reads, and a profile whose source is nowhere. */
static void write_world(int count)
{
    struct buffer model = {0};
    buffer_append_text(
        &model,
        "{\"format\":\"surfboard-model\",\"formatVersion\":1,\"ecosystem\":{\"name\":\"E\","
        "\"platformServicesProviders\":[{\"dataPlatforms\":[{\"name\":\"Live\","
        "\"milestoneStrategy\":"
        "\"live_only\"}]}],\"dsgPlatformMappings\":[{\"workspace\":\"W\",\"dsgName\":\"G\","
        "\"assignments\":[{\"dataPlatform\":\"Live\",\"status\":\"PROVISIONED\"}]}],"
        "\"zones\":{\"Z\":{\"teams\":{\"T\":{\"dataStores\":{",
        NULL);
    for (int i = 0; i < count; i++)
        buffer_append_format(
            &model, NULL,
            "%s\"s%03d\":{\"cmd\":{\"_type\":\"CDCCaptureIngestion\","
            "\"singleOrMultiDatasetIngestion\":1,\"dataContainer\":{\"_type\":\"PostgresDatabase\","
            "\"name\":\"db\",\"databaseName\":\"db\"}},\"datasets\":{\"a\":{}}}",
            i ? "," : "", i);
    buffer_append_text(
        &model,
        "},\"workspaces\":{\"W\":{\"dataContainer\":{\"_type\":\"X\",\"name\":\"c\"},\"priority\":"
        "{\"priority\":\"HIGH\"},\"datasetGroups\":{\"G\":{\"platformMD\":{\"retention\":{"
        "\"latency\":\"MINUTES\"}},\"sinks\":{",
        NULL);
    for (int i = 0; i < count; i++)
        buffer_append_format(&model, NULL, "%s\"s%03d:a\":{}", i ? "," : "", i);
    buffer_append_text(&model, "}}}}}}}}}}}", NULL);
    assert_non_null(buffer_text(&model, NULL));
    write_file("model.json", model.data);
    buffer_destroy(&model);
    write_file("surfboard.yaml",
               "format: 1\ncontext: many\nstate: state\nmodel: model.json\nplatform: Live\n"
               "sources: {db: {dsn: \"host=/nowhere dbname=db\"}}\n"
               "lake: {deltas: deltas, warehouse: warehouse, catalog: {kind: storage}}\n");
}

static void until_idle(void)
{
    struct error error = {0};
    for (int i = 0; i < 4000; i++) {
        bool quiet = loop_is_idle(&app->loop) && app->pipeline_state != PIPELINE_LOADING;
        assert_true(loop_turn(&app->loop, quiet ? 0 : 5, &error));
        if (quiet && loop_is_idle(&app->loop))
            return;
    }
    fail_msg("still busy");
}

static void open_app(int streams, int rows, int columns)
{
    static char profile[128];
    struct error error = {0};
    snprintf(folder, sizeof folder, "/tmp/surfboard-streams-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_world(streams);
    snprintf(profile, sizeof profile, "%s/surfboard.yaml", folder);
    struct app_options options = {.profile_path = profile,
                                  .rows = rows,
                                  .columns = columns,
                                  .depth = COLORS_256,
                                  .who = "surf@dell1",
                                  .first = ACTION_VIEW_STREAMS};
    app = calloc(1, sizeof *app);
    assert_non_null(app);
    if (!app_open(app, &options, &error))
        fail_msg("%s; %s", error.message, error.remedy);
    until_idle();
}

static void close_app(void)
{
    app_close(app);
    free(app);
    assert_true(file_remove_tree(folder, NULL));
}

/* Whether a row of the screen holds a text; the row in *row. */
static bool shows(const char *text, int *row)
{
    app_draw(app);
    for (int r = 0; r < app->canvas.rows; r++) {
        char line[2048];
        size_t length = 0;
        for (int c = 0; c < app->canvas.columns; c++) {
            const struct cell *cell = &app->canvas.cells[r * app->canvas.columns + c];
            memcpy(line + length, cell->text, cell->length);
            length += cell->length;
        }
        line[length] = '\0';
        if (strstr(line, text)) {
            if (row)
                *row = r;
            return true;
        }
    }
    return false;
}

static void assert_shows(const char *text)
{
    if (!shows(text, NULL))
        fail_msg("not on the screen: %s", text);
}

/* As if a look had answered so. */
static void set_state(size_t index, const char *state, const char *reason, const char *stuck_at,
                      double freshness_s)
{
    struct watch_stream *stream = &app->watch.streams[index];
    stream->known = true;
    stream->checked_us = clock_now_us();
    stream->lag.state = stream->state = state;
    stream->lag.stuck_at = stuck_at;
    stream->lag.freshness_s = freshness_s;
    stream->lag.batch = 41;
    stream->tables_there = 1;
    for (int i = 0; i < LAG_STAGES; i++)
        stream->lag.chain[i].state = LAG_OK;
    snprintf(stream->lag.reason, sizeof stream->lag.reason, "%s", reason);
    stream->lag.remedy[0] = '\0';
}

static struct streams_view *view(void)
{
    return (struct streams_view *)app->views[app->current];
}

static void tick(void)
{
    view_streams.tick(&view()->view);
}

static void every_state_shows_and_the_worst_stands_first(void **state)
{
    (void)state;
    open_app(9, 50, 160);
    for (size_t i = 0; i < 9; i++)
        set_state(i, "ok", "", NULL, 2);
    set_state(8, "FAILED", "run 0412 failed: password", "captured", 720);
    set_state(7, "late", "changes wait to be merged", "merged", 360);
    set_state(6, "stopped", "nobody reads the slot", "captured", 400);
    set_state(5, "late", "changes wait to be merged", "merged", 900);
    app->watch.streams[5].state = "catching up";
    snprintf(app->watch.streams[5].note, 64, "run 0413 is merging, 40 s to go");
    set_state(4, "ok", "", NULL, 2);
    app->watch.streams[4].state = "paused";
    app->watch.streams[4].paused = true;
    set_state(3, "not built", "it was not brought up yet", "captured", -1);
    set_state(2, "unknown", "connection refused", "source", -1);
    tick();
    assert_shows("1 FAILED · 1 unknown · 1 stopped · 1 late · 1 catching up · 1 paused · 2 ok · 1 "
                 "not built");
    assert_shows("1 workspace reads stale");
    assert_shows("✗ s008       run 0412 failed: password");
    assert_shows("? s002       connection refused");
    int rows[9];
    static const char *const order[] = {"✗ s008 ", "? s002 ", "▲ s006 ", "▲ s007 ", "▲ s005 ",
                                        "▲ s004 ", "● s000 ", "● s001 ", "· s003 "};
    int previous = 0;
    for (size_t i = 0; i < 9; i++) {
        char line[64];
        snprintf(line, sizeof line, "%s    ", order[i]);
        app_draw(app);
        rows[i] = -1;
        for (int r = 6; r < 20 && rows[i] < 0; r++) {
            const struct cell *cells = &app->canvas.cells[r * app->canvas.columns + 2];
            char text[32];
            size_t length = 0;
            for (int c = 0; c < 7; c++) {
                memcpy(text + length, cells[c].text, cells[c].length);
                length += cells[c].length;
            }
            text[length] = '\0';
            if (strcmp(text, order[i]) == 0)
                rows[i] = r;
        }
        assert_true(rows[i] > previous);
        previous = rows[i];
    }
    close_app();
}

static void the_cursor_sticks_to_its_stream(void **state)
{
    (void)state;
    open_app(5, 24, 80);
    for (size_t i = 0; i < 5; i++)
        set_state(i, "ok", "", NULL, 2);
    tick();
    app_key(app, KEY_DOWN);
    app_key(app, KEY_DOWN);
    assert_string_equal(streams_selected(view())->lag.stream->name, "s002");
    set_state(4, "FAILED", "x", "captured", 9);
    set_state(3, "late", "y", "merged", 900);
    tick();
    assert_string_equal(streams_selected(view())->lag.stream->name, "s002");
    assert_int_equal(view()->list.selected, 4);
    /* Asked about by name: what the list does meanwhile changes no target. */
    app_key(app, 'm');
    assert_shows("stream s002 of platform Live");
    set_state(2, "FAILED", "z", "captured", 9);
    tick();
    assert_shows("stream s002 of platform Live");
    close_app();
}

static void old_answers_grey_and_read_unknown(void **state)
{
    (void)state;
    open_app(2, 24, 80);
    set_state(0, "ok", "", NULL, 2);
    set_state(1, "ok", "", NULL, 2);
    tick();
    assert_shows("2 ok");
    app->watch.streams[1].checked_us -= 10000000;
    app->watch.fast_us -= 10000000;
    tick();
    assert_shows("1 unknown · 1 ok");
    assert_shows("no answer since");
    close_app();
}

static void a_run_that_merges_it_refuses_a_second_one(void **state)
{
    (void)state;
    open_app(1, 24, 80);
    set_state(0, "late", "changes wait to be merged", "merged", 900);
    tick();
    struct run_summary run = {.id = (char *)(uintptr_t) "0412",
                              .verb = (char *)(uintptr_t) "merge",
                              .object = (char *)(uintptr_t) "s000",
                              .by = (char *)(uintptr_t) "a@b",
                              .started = (char *)(uintptr_t) "",
                              .ended = (char *)(uintptr_t) "",
                              .state = "running"};
    struct run_list mine = {&run, 1}, theirs = app->watch.runs;
    app->watch.runs = mine;
    app_key(app, 'm');
    assert_string_equal(app->messages[(app->message_count - 1) % APP_MESSAGES_MOST].text,
                        "merge now: run 0412 merges it: 7 shows it");
    app->watch.runs = theirs;
    close_app();
}

static void no_stream_at_all_is_said(void **state)
{
    (void)state;
    open_app(0, 24, 80);
    assert_shows("asks for no stream on platform Live");
    app_key(app, KEY_DOWN);
    app_key(app, 'm');
    app_key(app, KEY_ENTER);
    app_resize(app, 1, 1);
    app_draw(app);
    close_app();
}

static void four_hundred_streams_are_measured_and_listed(void **state)
{
    (void)state;
    open_app(400, 50, 160);
    assert_int_equal(app->watch.stream_count, 400);
    assert_shows("400 unknown");
    assert_shows("1 workspace reads stale");
    app_key(app, KEY_END);
    assert_shows("s399");
    for (size_t i = 0; i < 400; i++)
        set_state(i, i % 2 ? "ok" : "late", "", NULL, (double)i);
    tick();
    int64_t before = clock_monotonic_ns();
    for (int i = 0; i < 200; i++)
        app_draw(app);
    int64_t draw = (clock_monotonic_ns() - before) / 200;
    before = clock_monotonic_ns();
    for (int i = 0; i < 50; i++)
        tick();
    print_message("a frame of 400 streams: %lld us, a tick: %lld us\n", (long long)draw / 1000,
                  (long long)(clock_monotonic_ns() - before) / 50000);
    app_key(app, '/');
    for (const char *at = "s123"; *at; at++)
        app_key(app, (key_code)*at);
    assert_shows("1 of 400");
    app_key(app, KEY_ENTER);
    app_key(app, 'g');
    assert_shows("export of s123#a into c");
    close_app();
}

static void wal_room_tells_how_long(void **state)
{
    (void)state;
    char text[256];
    struct watch_stream stream = {.known = true, .state = "stopped"};
    stream.lag.state = "stopped";
    for (int i = 0; i < LAG_STAGES; i++)
        stream.lag.chain[i].state = LAG_OK;
    stream.lag.chain[1].state = LAG_WARN;
    stream.lag.room_bytes = 1800000000;
    stream.lag.held_bytes = 212000000;
    stream.wal.per_s = 125000;
    streams_if_left(&stream, text, sizeof text);
    assert_string_equal(text, "slot is lost in about 4 h: 1.8 GB of WAL room, 7.5 MB/min");
    stream.wal.per_s = -1;
    streams_if_left(&stream, text, sizeof text);
    assert_string_equal(text, "slot is lost one day: 1.8 GB of WAL room (rate not known yet)");
    stream.lag.room_bytes = -1;
    streams_if_left(&stream, text, sizeof text);
    assert_string_equal(text, "no WAL limit: 212 MB held, until the disk is full");
    stream.lag.chain[0].state = LAG_UNKNOWN;
    streams_if_left(&stream, text, sizeof text);
    assert_string_equal(text, "not known: the source does not answer");
    stream.lag.chain[0].state = LAG_OK;
    stream.lag.chain[1].state = LAG_FAIL;
    streams_if_left(&stream, text, sizeof text);
    assert_non_null(strstr(text, "only a new snapshot helps"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_shows_and_the_worst_stands_first),
        cmocka_unit_test(the_cursor_sticks_to_its_stream),
        cmocka_unit_test(old_answers_grey_and_read_unknown),
        cmocka_unit_test(a_run_that_merges_it_refuses_a_second_one),
        cmocka_unit_test(no_stream_at_all_is_said),
        cmocka_unit_test(four_hundred_streams_are_measured_and_listed),
        cmocka_unit_test(wal_room_tells_how_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

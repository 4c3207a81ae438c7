/* Steps touch only what is theirs, runs leave a record, locks exclude; streams come from the model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/pipeline/bring_up.h"
#include "core/pipeline/lock.h"

static char folder[64];
static struct profile profile;
static struct pipeline pipeline;

static const char bundle[] =
    "{\"format\":\"surfboard-model\",\"formatVersion\":1,\"ecosystem\":{\"name\":\"E\","
    "\"platformServicesProviders\":[{\"dataPlatforms\":[{\"name\":\"Live\",\"milestoneStrategy\":"
    "\"live_only\"}]}],\"dsgPlatformMappings\":[{\"workspace\":\"W\",\"dsgName\":\"G\","
    "\"assignments\":[{\"dataPlatform\":\"Live\",\"status\":\"PROVISIONED\"}]}],"
    "\"primaryIngestionPlatforms\":[{\"storeName\":\"Far\",\"dataPlatforms\":[\"Other\"]}],"
    "\"zones\":{\"Z\":{\"teams\":{\"T\":{\"dataStores\":{"
    "\"Shop\":{\"cmd\":{\"_type\":\"CDCCaptureIngestion\",\"singleOrMultiDatasetIngestion\":1,"
    "\"dataContainer\":{\"_type\":\"PostgresDatabase\",\"name\":\"shop_db\",\"databaseName\":"
    "\"shop\"}},\"datasets\":{\"Orders\":{},\"lines\":{}}},"
    "\"Parts\":{\"cmd\":{\"_type\":\"SQLSnapshotIngestion\",\"singleOrMultiDatasetIngestion\":0,"
    "\"tableForDataset\":{\"bolts\":\"stock.bolt table\"},\"dataContainer\":{\"_type\":"
    "\"PostgresDatabase\",\"name\":\"shop_db\"}},\"datasets\":{\"bolts\":{},\"nuts\":{}}},"
    "\"Far\":{\"cmd\":{\"_type\":\"CDCCaptureIngestion\",\"singleOrMultiDatasetIngestion\":1,"
    "\"dataContainer\":{\"_type\":\"PostgresDatabase\",\"name\":\"shop_db\"}},\"datasets\":{\"f\":"
    "{}}},\"Ora\":{\"cmd\":{\"_type\":\"CDCCaptureIngestion\",\"dataContainer\":{\"_type\":"
    "\"OracleDatabase\",\"name\":\"ora\"}},\"datasets\":{\"o\":{}}}},"
    "\"workspaces\":{\"W\":{\"dataContainer\":{\"_type\":\"X\",\"name\":\"c\"},\"priority\":"
    "{\"priority\":\"HIGH\"},\"datasetGroups\":{\"G\":{\"platformMD\":{\"retention\":{\"latency\":"
    "\"MINUTES\"}},\"sinks\":{\"Shop:Orders\":{},\"Shop:lines\":{},\"Parts:bolts\":{},\"Far:f\":{},"
    "\"Ora:o\":{}}}}}}}}}}}}";

static const char profile_text[] =
    "format: 1\ncontext: dell\nstate: state\nmodel: model.json\n"
    "sources: {shop_db: {dsn: dbname=shop}}\n"
    "streams: {\"Parts#bolts\": {capture: cdc, mode: both, freshness: 1s}, Shop: {slot: mine}}\n"
    "lake: {deltas: deltas, warehouse: warehouse, catalog: {kind: storage}}\n";

static int set_up(void **state)
{
    (void)state;
    char path[128];
    struct error error = {0};
    snprintf(folder, sizeof folder, "/tmp/surfboard-pipeline-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/model.json", folder);
    assert_true(file_write_atomic(path, slice_of(bundle), 0600, NULL));
    snprintf(path, sizeof path, "%s/dell.yaml", folder);
    assert_true(file_write_atomic(path, slice_of(profile_text), 0600, NULL));
    if (!profile_load(path, &profile, &error) || !pipeline_open(&profile, &pipeline, &error))
        fail_msg("%s", error.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pipeline_close(&pipeline);
    profile_destroy(&profile);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

static void streams_are_the_ingestion_nodes_with_what_can_be_captured(void **state)
{
    (void)state;
    static const char *const names[] = {"Far", "Ora", "Parts#bolts", "Parts#nuts", "Shop"};
    assert_int_equal(pipeline.stream_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(pipeline.streams[i].name, names[i]);
    assert_non_null(strstr(pipeline.streams[0].no_capture, "platform Other"));
    assert_non_null(strstr(pipeline.streams[1].no_capture, "OracleDatabase"));
    assert_non_null(strstr(pipeline.streams[3].no_capture, "capture: cdc"));
    const struct stream *bolts = pipeline_captured_stream(&pipeline, "Parts#bolts", NULL);
    assert_int_equal(bolts->mode, MODE_BOTH);
    assert_int_equal(bolts->freshness_ms, 1000);
    assert_int_equal(bolts->table_count, 1);
    assert_string_equal(bolts->tables[0].schema, "stock");
    assert_string_equal(bolts->tables[0].table, "bolt table");
    assert_string_equal(bolts->tables[0].topic, "dell.stock.bolt_table");
    assert_string_equal(bolts->tables[0].ident, "live.parts_bolts");
    const struct stream *shop = pipeline_stream(&pipeline, "Shop", NULL);
    assert_int_equal(shop->mode, MODE_LIVE);
    assert_int_equal(shop->freshness_ms, 300000);
    assert_true(shop->freshness_from_model);
    assert_string_equal(stream_table_find(shop, "Orders")->name, "shop_orders");
    assert_string_equal(stream_table_find(shop, "Orders")->schema_key,
                        "_schema/dell.public.Orders.json");
    assert_int_equal(pipeline.capture_count, 1);
    assert_string_equal(pipeline.captures[0].prefix, "dell");
    assert_string_equal(pipeline.captures[0].slot, "mine");
    assert_string_equal(pipeline.captures[0].publication, "surf_dell");
    assert_int_equal(pipeline.captures[0].table_count, 3);
    struct error error = {0};
    assert_null(pipeline_stream(&pipeline, "Shopp", &error));
    assert_non_null(strstr(error.remedy, "Shop"));
    assert_null(pipeline_captured_stream(&pipeline, "Far", &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
}

static void settings_for_a_stream_that_is_not_there_are_refused(void **state)
{
    (void)state;
    char path[128], text[1024];
    struct profile other;
    struct pipeline opened;
    struct error error = {0};
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    snprintf(text, sizeof text, "model: model.json\nstreams: {Shup: {mode: live}}\n");
    assert_true(profile_parse(slice_of(text), path, &other, NULL));
    assert_false(pipeline_open(&other, &opened, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.message, "streams.Shup"));
    profile_destroy(&other);
}

/* ---- steps of a world that is a few variables ---- */

static struct {
    bool there[3];
    int version[3]; /* identity */
    bool foreign, prove_fails, apply_fails, needs_person;
    char log[512];
} world;

static size_t world_index(const struct step_target *target);

static bool world_check(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    size_t i = world_index(target);
    report->state = world.there[i] ? STEP_FITS : STEP_ABSENT;
    json_decref(report->identity);
    report->identity = world.there[i] ? json_pack("{s:i}", "version", world.version[i]) : NULL;
    return step_report_finding(report, "look", VERDICT_OK, NULL, NULL, error, "looked");
}

static void world_log(const char *what, size_t i)
{
    snprintf(world.log + strlen(world.log), sizeof world.log - strlen(world.log), "%s%zu ", what,
             i);
}

static bool world_plan(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    if (world.needs_person)
        report->needs_person = "restart the server";
    return step_report_line(report, error, "make %zu", world_index(target));
}

static bool world_apply(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    size_t i = world_index(target);
    world_log("apply", i);
    world.there[i] = true;
    world.version[i]++;
    if (world.apply_fails)
        return error_set(error, ERROR_IO, NULL, "it broke");
    json_decref(report->identity);
    report->identity = json_pack("{s:i}", "version", world.version[i]);
    report->restore = json_pack("{s:s}", "before", "old");
    return true;
}

static bool world_prove(const struct step_target *target, struct step_report *report,
                        struct error *error)
{
    (void)target;
    return step_report_finding(report, "works", world.prove_fails ? VERDICT_FAIL : VERDICT_OK,
                               "it does not", "mend it", error, "asked");
}

static bool world_undo(const struct step_target *target, struct step_report *report,
                       struct error *error)
{
    (void)report;
    (void)error;
    assert_string_equal(json_string_value(json_object_get(target->receipt->restore, "before")),
                        "old");
    world_log("undo", world_index(target));
    world.there[world_index(target)] = false;
    return true;
}

static bool world_release(const struct step_target *target, struct step_report *report,
                          struct error *error)
{
    (void)report;
    (void)error;
    world_log("release", world_index(target));
    return true;
}

#define WORLD_STEP(number, reach)                                                                  \
    {                                                                                              \
        .service = "world", .id = number, .title = "a step", .why = "why", .scope = reach,         \
        .check = world_check, .plan = world_plan, .apply = world_apply, .prove = world_prove,      \
        .undo_plan = world_plan, .undo = world_undo, .release = world_release,                     \
    }

static const struct step world_steps[] = {WORLD_STEP("zero", STEP_SOURCE),
                                          WORLD_STEP("one", STEP_CAPTURE),
                                          WORLD_STEP("two", STEP_STREAM)};
static const struct step *const world_list[] = {&world_steps[0], &world_steps[1], &world_steps[2],
                                                NULL};
static const struct step *world_now;

/* Which step is meant is seen by what the target has; streams share one place here. */
static size_t world_index(const struct step_target *target)
{
    (void)target;
    return (size_t)(world_now - world_steps);
}

static bool world_applies(const struct step_target *target);

static char events[2048];

static bool take_event(void *context, json_t *event, struct error *error)
{
    (void)context;
    (void)error;
    snprintf(events + strlen(events), sizeof events - strlen(events), "%s:%s ",
             json_string_value(json_object_get(event, "step")),
             json_string_value(json_object_get(event, "action")));
    json_decref(event);
    return true;
}

/* The runner asks applies() just before it works on a step: that is how the world knows which. */
static struct step applying[3];
static const struct step *const applying_list[] = {&applying[0], &applying[1], &applying[2], NULL};
static size_t asked;
static bool downwards;

static bool world_applies(const struct step_target *target)
{
    (void)target;
    size_t place = asked++ % 3;
    world_now = &world_steps[downwards ? 2 - place : place];
    return true;
}

static bool work_on(bool (*run)(const struct bring_up *, struct error *), const char *stream,
                    struct bring_up options, struct error *error)
{
    for (size_t i = 0; i < 3; i++) {
        applying[i] = *world_list[i];
        applying[i].applies = world_applies;
    }
    asked = 0;
    downwards = run == bring_up_undo;
    events[0] = world.log[0] = '\0';
    options.pipeline = &pipeline;
    options.steps = applying_list;
    options.stream = pipeline_stream(&pipeline, stream, NULL);
    options.event = take_event;
    return run(&options, error);
}

static void forget_world(void)
{
    char path[128];
    memset(&world, 0, sizeof world);
    snprintf(path, sizeof path, "%s/state/receipts", folder);
    assert_true(file_remove_tree(path, NULL));
}

static void up_applies_in_order_and_down_undoes_in_reverse(void **state)
{
    (void)state;
    forget_world();
    struct bring_up none = {0}, shared = {.shared = true}, dry = {.dry_run = true};
    assert_true(work_on(bring_up_apply, "Shop", dry, NULL));
    assert_string_equal(events, "zero:would-apply one:would-apply two:would-apply ");
    assert_string_equal(world.log, "");
    assert_true(work_on(bring_up_apply, "Shop", none, NULL));
    assert_string_equal(world.log, "apply0 apply1 apply2 ");
    assert_true(work_on(bring_up_apply, "Shop", none, NULL));
    assert_string_equal(events, "zero:kept one:kept two:kept ");
    assert_string_equal(world.log, "");
    assert_true(work_on(bring_up_undo, "Shop", dry, NULL));
    assert_string_equal(world.log, "");
    assert_true(work_on(bring_up_undo, "Shop", none, NULL));
    assert_string_equal(world.log, "undo2 undo1 ");
    assert_string_equal(events, "two:undone one:undone zero:kept-shared ");
    assert_true(work_on(bring_up_undo, "Shop", shared, NULL));
    assert_string_equal(world.log, "undo0 ");
    assert_true(work_on(bring_up_undo, "Shop", shared, NULL));
    assert_string_equal(events, "");
}

static void what_others_use_is_released_not_undone(void **state)
{
    (void)state;
    forget_world();
    struct bring_up none = {0}, one = {.only = "one"}, shared = {.shared = true};
    assert_true(work_on(bring_up_apply, "Shop", none, NULL));
    assert_true(work_on(bring_up_apply, "Parts#bolts", one, NULL));
    assert_string_equal(events, "one:kept ");
    struct receipt *receipt = receipt_load(&profile, "one", "capture.dell", NULL);
    assert_non_null(receipt);
    assert_int_equal(json_array_size(receipt->users), 2);
    receipt_destroy(receipt);
    assert_true(work_on(bring_up_undo, "Shop", shared, NULL));
    assert_string_equal(world.log, "undo2 release1 undo0 ");
    assert_true(world.there[1]);
}

static void what_is_not_ours_stops_up_and_survives_down(void **state)
{
    (void)state;
    forget_world();
    struct bring_up none = {0}, shared = {.shared = true};
    struct error error = {0};
    world.there[1] = true;
    assert_false(work_on(bring_up_apply, "Shop", none, &error));
    assert_int_equal(error.kind, ERROR_CHECK);
    assert_string_equal(events, "zero:applied one:stopped ");
    assert_true(work_on(bring_up_undo, "Shop", shared, NULL));
    assert_string_equal(world.log, "undo0 ");
    assert_true(world.there[1]);
}

static void an_object_made_anew_voids_the_receipt(void **state)
{
    (void)state;
    forget_world();
    struct bring_up none = {0};
    struct error error = {0};
    assert_true(work_on(bring_up_apply, "Shop", none, NULL));
    world.version[1] = 99;
    assert_false(work_on(bring_up_apply, "Shop", none, &error));
    assert_non_null(strstr(error.message, "identity"));
    error_clear(&error);
    assert_false(work_on(bring_up_undo, "Shop", none, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_string_equal(world.log, "undo2 ");
}

static void a_failed_apply_or_proof_stops_and_goes_on_later(void **state)
{
    (void)state;
    forget_world();
    struct bring_up none = {0};
    struct error error = {0};
    world.apply_fails = true; /* after it had made the object: a crash in between */
    assert_false(work_on(bring_up_apply, "Shop", none, &error));
    assert_int_equal(error.kind, ERROR_IO);
    world.apply_fails = false;
    world.prove_fails = true;
    assert_false(work_on(bring_up_apply, "Shop", none, &error));
    assert_int_equal(error.kind, ERROR_CHECK);
    assert_string_equal(error.remedy, "mend it");
    world.prove_fails = false;
    assert_true(work_on(bring_up_apply, "Shop", none, NULL));
    assert_string_equal(events, "zero:kept one:applied two:applied ");
    forget_world();
    world.needs_person = true;
    assert_false(work_on(bring_up_apply, "Shop", none, &error));
    assert_string_equal(world.log, "");
    assert_non_null(strstr(error.message, "restart the server"));
    struct bring_up odd = {.only = "five"};
    assert_false(work_on(bring_up_apply, "Shop", odd, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
}

static void receipts_come_back_as_they_were(void **state)
{
    (void)state;
    struct receipt *made = receipt_make("slot", "stream.a#b/c", RECEIPT_ADOPTED, "0007", NULL);
    made->identity = json_pack("{s:s}", "name", "x");
    assert_true(receipt_add_user(made, "one", NULL) && receipt_add_user(made, "two", NULL) &&
                receipt_add_user(made, "one", NULL));
    receipt_drop_user(made, "two");
    receipt_drop_user(made, "nobody");
    assert_true(receipt_save(&profile, made, NULL));
    struct receipt *read = receipt_load(&profile, "slot", "stream.a#b/c", NULL);
    assert_non_null(read);
    assert_int_equal(read->how, RECEIPT_ADOPTED);
    assert_string_equal(read->run, "0007");
    assert_string_equal(read->at, made->at);
    assert_true(json_equal(read->identity, made->identity));
    assert_null(read->restore);
    assert_true(receipt_has_user(read, "one"));
    assert_false(receipt_has_user(read, "two"));
    receipt_destroy(read);
    assert_true(receipt_remove(&profile, "slot", "stream.a#b/c", NULL));
    struct error error = {0};
    assert_null(receipt_load(&profile, "slot", "stream.a#b/c", &error));
    assert_int_equal(error.kind, ERROR_NONE);
    receipt_destroy(made);
    char path[160];
    snprintf(path, sizeof path, "%s/state/receipts/slot.new.json", folder);
    assert_true(file_write_atomic(
        path,
        slice_of("{\"format\":2,\"step\":\"s\",\"object\":\"o\",\"how\":\"created\",\"at\":\"\","
                 "\"by\":\"\",\"run\":\"\",\"users\":[]}"),
        0600, NULL));
    assert_null(receipt_load(&profile, "slot", "new", &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.message, "newer"));
}

static void a_run_is_alive_only_while_its_lock_is_held(void **state)
{
    (void)state;
    struct run *run = run_begin(&profile, "merge", "Shop", NULL);
    assert_non_null(run);
    assert_string_equal(run_id(run), "0001");
    assert_true(run_event(run, json_pack("{s:s}", "event", "progress"), false, NULL));
    struct run_list list;
    assert_true(run_list_load(&profile, 10, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.runs[0].state, "running");
    assert_string_equal(list.runs[0].verb, "merge");
    run_list_destroy(&list);
    pid_t child = fork();
    if (child == 0) {
        if (run_begin(&profile, "capture", "Shop", NULL) == NULL)
            _exit(1);
        _exit(0); /* without an end: it died */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct error failure = {0};
    error_set(&failure, ERROR_INPUT, "look", "bad line");
    assert_true(run_end(run, 7, &failure, NULL));
    assert_true(run_list_load(&profile, 10, &list, NULL));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.runs[0].id, "0002");
    assert_string_equal(list.runs[0].state, "died");
    assert_string_equal(list.runs[1].state, "failed");
    assert_int_equal(list.runs[1].exit_code, 7);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(list.runs[1].last, "error"), "kind")),
        "input");
    run_list_destroy(&list);
}

static void a_lock_names_who_holds_it(void **state)
{
    (void)state;
    struct error error = {0};
    struct lock *lock = lock_take(&profile, "stream.a#b", "merge", NULL);
    assert_non_null(lock);
    assert_null(lock_take(&profile, "stream.a#b", "capture", &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_non_null(strstr(error.message, "merge"));
    assert_non_null(strstr(error.message, "process"));
    struct lock *other = lock_take(&profile, "other", "merge", NULL);
    assert_non_null(other);
    lock_release(other);
    lock_release(lock);
    lock = lock_take(&profile, "stream.a#b", "merge", NULL);
    assert_non_null(lock);
    lock_release(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_the_ingestion_nodes_with_what_can_be_captured),
        cmocka_unit_test(settings_for_a_stream_that_is_not_there_are_refused),
        cmocka_unit_test(up_applies_in_order_and_down_undoes_in_reverse),
        cmocka_unit_test(what_others_use_is_released_not_undone),
        cmocka_unit_test(what_is_not_ours_stops_up_and_survives_down),
        cmocka_unit_test(an_object_made_anew_voids_the_receipt),
        cmocka_unit_test(a_failed_apply_or_proof_stops_and_goes_on_later),
        cmocka_unit_test(receipts_come_back_as_they_were),
        cmocka_unit_test(a_run_is_alive_only_while_its_lock_is_held),
        cmocka_unit_test(a_lock_names_who_holds_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

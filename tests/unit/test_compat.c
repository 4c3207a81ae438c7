/* What a released version wrote, every later one reads; what a newer one wrote is refused with the
 * remedy, never misread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/merge/key_index.h"
#include "core/merge/merge.h"
#include "core/merge/state.h"
#include "core/model/model.h"
#include "core/pipeline/events.h"
#include "core/pipeline/receipt.h"
#include "core/pipeline/run.h"
#include "core/pipeline/run_tail.h"
#include "core/pipeline/wanted.h"

#define RELEASE "tests/fixtures/compat/0.1.0"

static char folder[64];
static struct profile profile; /* its state is a copy of the release's */

static void copy_text(const char *name, struct buffer *out)
{
    char path[256];
    snprintf(path, sizeof path, RELEASE "/%s", name);
    buffer_clear(out);
    if (!file_read(path, out, NULL) || !buffer_text(out, NULL))
        fail_msg("%s is not there", path);
}

static int set_up(void **state)
{
    (void)state;
    char path[256], command[512];
    struct error error = {0};
    struct buffer text = {0};
    snprintf(folder, sizeof folder, "/tmp/surfboard-compat-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(command, sizeof command, "cp -r " RELEASE "/state '%s'", folder);
    assert_int_equal(system(command), 0);
    copy_text("profile.yaml", &text);
    char *at = strstr(text.data, "state: /srv/shop/state");
    assert_non_null(at);
    memcpy(at, "state: state #", strlen("state: state #"));
    snprintf(path, sizeof path, "%s/profile.yaml", folder);
    assert_true(file_write_atomic(path, slice_of(text.data), 0600, NULL));
    buffer_destroy(&text);
    if (!profile_load(path, &profile, &error))
        fail_msg("%s", error.message);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    profile_destroy(&profile);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

static void profile_and_bundle_are_read(void **state)
{
    (void)state;
    struct model model = {0};
    struct error error = {0};
    assert_string_equal(profile.context, "test");
    assert_int_equal(profile.capture.kind, CAPTURE_NATIVE);
    assert_string_equal(profile.streams[0].slot, "surf_shop");
    if (!model_load(RELEASE "/model.json", &model, &error))
        fail_msg("%s", error.message);
    model_destroy(&model);
}

static void runs_are_read(void **state)
{
    (void)state;
    static const char *const states[] = {"done", "done", "done", "interrupted",
                                         "done", "done", "died"};
    static const char *const verbs[] = {"up",    "resume", "capture", "merge",
                                        "pause", "merge",  "merge"};
    struct run_list list;
    assert_true(run_list_load(&profile, 100, &list, NULL));
    assert_int_equal(list.count, 7);
    for (size_t i = 0; i < 7; i++) {
        const struct run_summary *run = &list.runs[6 - i];
        if (strcmp(run->state, states[i]) != 0 || strcmp(run->verb, verbs[i]) != 0)
            fail_msg("run %s reads as %s, %s", run->id, run->verb, run->state);
        assert_string_equal(run->object, "shop");
        assert_string_equal(run->by, "anna@dell1");
    }
    const struct run_summary *died = &list.runs[0];
    assert_true(died->torn && died->resumable && died->progress.known);
    assert_int_equal(died->progress.done, 1200);
    assert_int_equal(died->progress.total, 2400);
    assert_string_equal(json_string_value(json_array_get(died->arguments, 1)), "shop");
    assert_true(list.runs[3].follows);
    run_list_destroy(&list);
    struct run_tail *tail = run_tail_open(&profile, "0001", 0, NULL);
    struct slice line = {0};
    size_t lines = 0;
    for (assert_true(run_tail_next(tail, &line, NULL, NULL)); line.data; lines++)
        assert_true(run_tail_next(tail, &line, NULL, NULL));
    assert_true(lines > 10);
    assert_int_equal(run_tail_state(tail), RUN_TAIL_ENDED);
    run_tail_close(tail);
}

static void receipt_wanted_work_and_events_are_read(void **state)
{
    (void)state;
    struct receipt *receipt = receipt_load(&profile, "slot", "capture.shop", NULL);
    assert_non_null(receipt);
    assert_int_equal(receipt->how, RECEIPT_CREATED);
    assert_true(receipt_has_user(receipt, "shop"));
    assert_non_null(json_object_get(receipt->identity, "system_identifier"));
    receipt_destroy(receipt);
    struct wanted wanted;
    assert_true(wanted_load(&profile, &wanted, NULL));
    assert_int_equal(wanted.count, 2);
    const struct wanted_work *merge = wanted_find(&wanted, "merge", "shop");
    assert_true(merge && merge->paused);
    assert_string_equal(merge->arguments[2], "--follow");
    wanted_destroy(&wanted);
    struct event_list events;
    assert_true(events_load(&profile, "shop", 0, 100, &events, NULL));
    assert_true(events.count >= 2);
    assert_string_equal(events.events[0].to, "wanted");
    assert_true(events.events[0].at_us > 0);
    event_list_destroy(&events);
}

/* Scripts read them: a key that was there stays. */
static void the_summary_of_a_merge_has_lost_no_key(void **state)
{
    (void)state;
    struct buffer text = {0};
    copy_text("summary.json", &text);
    json_t *then = json_parse(buffer_slice(&text), "summary", NULL);
    assert_int_equal(json_integer_value(json_object_get(then, "format")), 1);
    struct merge_summary summary = {0};
    json_t *now = merge_summary_json(&summary, "shop", NULL, NULL);
    const char *key;
    json_t *value;
    json_object_foreach(then, key, value)
    {
        if (strcmp(key, "at") == 0)
            continue; /* the run's file put it in */
        if (json_object_get(now, key) == NULL)
            fail_msg("the summary has no \"%s\" any more", key);
    }
    json_decref(then);
    json_decref(now);
    merge_summary_destroy(&summary);
    buffer_destroy(&text);
}

static void the_state_of_a_table_is_read(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct table_state table = {0};
    struct error error = {0};
    copy_text("table_state.json", &text);
    if (!table_state_parse(buffer_slice(&text), "shop.public.orders", &table, &error))
        fail_msg("%s", error.message);
    assert_int_equal(table.batch, 1);
    assert_int_equal(table.partitions[0].next, 50);
    table_state_destroy(&table);
    char *format = strstr(text.data, "\"format\":1");
    assert_non_null(format);
    format[strlen("\"format\":")] = '2';
    assert_false(table_state_parse(buffer_slice(&text), "shop.public.orders", &table, &error));
    assert_int_equal(error.kind, ERROR_UNSUPPORTED);
    assert_true(error.remedy[0] != '\0');
    buffer_destroy(&text);
}

/* It is disposable: one of another format is thrown away and built again, never misread. */
static void a_key_index_is_read_and_one_of_another_format_is_not(void **state)
{
    (void)state;
    const struct key_index_binding binding = {"6f1c3a52-8d1f-4c0e-9a57-000000000001",
                                              "/srv/shop/warehouse/lake/shop_orders/data/a.parquet",
                                              4096,
                                              7,
                                              1000,
                                              true};
    for (int newer = 0; newer < 2; newer++) {
        struct buffer text = {0};
        copy_text("key_index.bin", &text);
        if (newer)
            text.data[8]++; /* the format, behind the magic */
        struct key_index *index = key_index_take(&text, &binding, 42, NULL);
        if (newer) {
            assert_null(index);
            buffer_destroy(&text);
            continue;
        }
        assert_non_null(index);
        const struct key_probe probe = {.key = ((uint64_t)1 << 63) + 30, .tag = 5};
        struct key_hits hits = {0};
        assert_true(key_index_search(index, &probe, 1, &hits, NULL));
        assert_int_equal(hits.count, 1);
        assert_int_equal(hits.items[0].row, 989);
        free(hits.items);
        key_index_close(index);
    }
}

/* ---- the other direction ---- */

/* Makes the first `"format": 1` of a copied document a 2. */
static void make_newer(const char *name)
{
    char path[256];
    struct buffer text = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(file_read(path, &text, NULL) && buffer_text(&text, NULL));
    char *at = strstr(text.data, "format");
    assert_non_null(at);
    at += strcspn(at, "1");
    *at = '2';
    assert_true(file_write_atomic(path, slice_of(text.data), 0600, NULL));
    buffer_destroy(&text);
}

static void expect_refusal(bool read, const struct error *error)
{
    assert_false(read);
    assert_int_equal(error->kind, ERROR_CONFIG);
    if (strstr(error->message, "newer") == NULL || error->remedy[0] == '\0')
        fail_msg("%s (%s)", error->message, error->remedy);
}

static void what_is_newer_is_refused_with_the_remedy(void **state)
{
    (void)state;
    struct error error = {0};
    make_newer("state/receipts/slot.capture.shop.json");
    expect_refusal(receipt_load(&profile, "slot", "capture.shop", &error) != NULL, &error);
    error_clear(&error);
    struct wanted wanted;
    make_newer("state/wanted.yaml");
    expect_refusal(wanted_load(&profile, &wanted, &error), &error);
    error_clear(&error);
    struct event_list events;
    make_newer("state/events.jsonl");
    expect_refusal(events_load(&profile, NULL, 0, 10, &events, &error), &error);
    error_clear(&error);
    make_newer("state/runs/0006.jsonl");
    expect_refusal(run_tail_open(&profile, "0006", 0, &error) != NULL, &error);
    error_clear(&error);
    struct profile other;
    make_newer("profile.yaml");
    char path[256];
    snprintf(path, sizeof path, "%s/profile.yaml", folder);
    expect_refusal(profile_load(path, &other, &error), &error);
    error_clear(&error);
    struct model model = {0};
    struct buffer text = {0};
    copy_text("model.json", &text);
    char *at = strstr(text.data, "\"formatVersion\": 1");
    assert_non_null(at);
    at[strlen("\"formatVersion\": ")] = '2';
    expect_refusal(model_parse(buffer_slice(&text), "model.json", &model, &error), &error);
    buffer_destroy(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_and_bundle_are_read),
        cmocka_unit_test(runs_are_read),
        cmocka_unit_test(receipt_wanted_work_and_events_are_read),
        cmocka_unit_test(the_summary_of_a_merge_has_lost_no_key),
        cmocka_unit_test(the_state_of_a_table_is_read),
        cmocka_unit_test(a_key_index_is_read_and_one_of_another_format_is_not),
        cmocka_unit_test(what_is_newer_is_refused_with_the_remedy),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

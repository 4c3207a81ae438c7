/* The profile is read exactly as its contract says, and what is wrong in it is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/base/neutral.h"
#include "core/base/quantity.h"
#include "core/config/context.h"
#include "core/config/credential.h"
#include "core/config/profile.h"

static char folder[64];

static const char full[] =
    "format: 1\ncontext: dell\nread_only: false                    # comment\n"
    "state: /var/lib/surfboard/dell\ncredentials: /etc/surfboard/credentials\n"
    "model: model.json\nplatform: YellowLive\nsources:\n"
    "  customer_db: {dsn: \"host=127.0.0.1 port=5432 dbname=shop user=surf\", schema: public, "
    "connect_host: 127.0.0.1, credential: PG_SHOP, query_user: surf_read, generator: false}\n"
    "capture: {kind: debezium, connect: \"http://127.0.0.1:8083\", kafka: \"127.0.0.1:9092\", "
    "topic_prefix: dell, land: native, password: \"${file:/etc/connect/pg.properties:password}\"}\n"
    "lake:\n  deltas: s3://deltas\n  warehouse: lake/warehouse\n"
    "  s3: {endpoint: \"http://127.0.0.1:9200\", region: us-east-1, path_style: true, credential: "
    "MINIO}\n  catalog: {kind: jdbc, name: lake, dsn: \"host=127.0.0.1 port=5432 dbname=lake "
    "user=surf\", credential: LAKE}\n"
    "trino: {url: \"http://127.0.0.1:12080\", user: surfboard, catalog: lake, credential: TRINO}\n"
    "services: {airflow: {url: \"http://127.0.0.1:8080\", credential: AIRFLOW}, spark: {url: "
    "\"http://127.0.0.1:11080\"}, gitlab: {url: \"http://127.0.0.1:80\"}, portainer: {url: "
    "\"http://127.0.0.1:9000\", log: {container: airflow}}}\n"
    "streams: {orders: {capture: cdc, mode: both, freshness: 5m, on_bad_input: stop, "
    "special_values: \"null\", slot: shop_slot, publication: shop_pub, connector: shop}, "
    "Store1#x: {special_values: null}}\n"
    "merge: {memory: 512MiB, threads: 0, on_bad_input: stop, on_gap: accept, gap_wait: 30s, "
    "on_unknown: ignore, format_version: 2, rewrite_at: off, durability: none}\n"
    "maintain: {snapshot_age: 1h, min_snapshots: 20, delete_grace: 90m}\n"
    "jobs: {group: source, memory: 4GiB, threads: 8, max: 4}\n"
    "schedule: {kind: airflow, call: enqueue}\n"
    "screen: {theme: dark, accent: red, ascii: auto, mouse: false, keys: {quit: Q}}\n";

static void every_key_of_the_contract_is_read(void **state)
{
    (void)state;
    struct error error = {0};
    struct profile profile;
    if (!profile_parse(slice_of(full), "/etc/surf/dell.yaml", &profile, &error))
        fail_msg("%s", error.message);
    assert_string_equal(profile.context, "dell");
    assert_string_equal(profile.model, "/etc/surf/model.json");
    assert_string_equal(profile.lake.deltas, "s3://deltas");
    assert_string_equal(profile.lake.warehouse, "/etc/surf/lake/warehouse");
    assert_int_equal(profile.source_count, 1);
    assert_string_equal(profile_source(&profile, "customer_db")->credential, "PG_SHOP");
    assert_int_equal(profile.capture.kind, CAPTURE_DEBEZIUM);
    assert_int_equal(profile.stream_count, 2);
    const struct profile_stream *orders = profile_stream(&profile, "orders");
    assert_int_equal(orders->mode, MODE_BOTH);
    assert_int_equal(orders->freshness_ms, 300000);
    assert_string_equal(orders->slot, "shop_slot");
    assert_int_equal(profile_stream(&profile, "Store1#x")->mode, -1);
    assert_int_equal(profile_stream(&profile, "Store1#x")->special_values, SPECIAL_NULL);
    assert_int_equal(profile.merge.memory, 512 << 20);
    assert_int_equal(profile.merge.on_gap, GAP_ACCEPT);
    assert_true(profile.merge.rewrite_at < 0);
    assert_int_equal(profile.merge.durability, DURABILITY_NONE);
    assert_int_equal(profile.maintain.delete_grace_ms, 5400000);
    assert_int_equal(profile.jobs.memory, UINT64_C(4) << 30);
    assert_int_equal(profile.schedule.kind, SCHEDULE_AIRFLOW);
    assert_string_equal(profile.services.portainer.log.container, "airflow");
    assert_string_equal(profile.screen.keys[0].name, "quit");
    profile_destroy(&profile);
}

static void an_empty_profile_has_the_documented_defaults(void **state)
{
    (void)state;
    struct profile profile;
    assert_true(profile_parse(slice_of("format: 1\n"), "/x/home.yaml", &profile, NULL));
    assert_string_equal(profile.context, "home");
    assert_string_equal(profile.capture.topic_prefix, "home");
    assert_int_equal(profile.capture.kind, CAPTURE_NATIVE);
    assert_int_equal(profile.merge.memory, 512 << 20);
    assert_int_equal(profile.merge.gap_wait_ms, 30000);
    assert_true(profile.merge.rewrite_at > 0.24 && profile.merge.rewrite_at < 0.26);
    assert_int_equal(profile.maintain.min_snapshots, 20);
    assert_null(profile.model);
    profile_destroy(&profile);
}

static void what_is_wrong_is_named_by_line_key_and_nearest_word(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *remedy;
    } cases[] = {
        {"format: 2\nnew_thing: 1\n", "p.yaml:1: format: 2 is newer", "newer one"},
        {"format: 1\nmodl: m.json\n", "p.yaml:2: modl: unknown key", "'model'"},
        {"lake:\n  delta: x\n", "p.yaml:2: lake.delta: unknown key", "'deltas'"},
        {"sources:\n  a: {dns: x}\n", "p.yaml:2: sources.a.dns: unknown key", "'dsn'"},
        {"merge: {memory: lots}\n", "p.yaml:1: merge.memory: wants a size", "line 1"},
        {"merge:\n  on_gap: wait\n", "p.yaml:2: merge.on_gap: wants one of stop,accept", "line 2"},
        {"read_only: maybe\n", "read_only: wants true or false", ""},
        {"streams: {a: {freshness: fast}}\n", "streams.a.freshness: wants a duration", ""},
        {"model: [a]\n", "model: wants a path, not a list", ""},
        {"lake: x\n", "lake: wants a mapping, not x", ""},
        {"- a\n", "the profile wants a mapping", ""},
        {"a: b: c\n", "p.yaml:1: not YAML", ""},
        {"model: a\nmodel: b\n", "p.yaml:2: model: is there twice", ""},
        {"", "is empty", "init"},
        {"model: a\n---\nmodel: b\n", "a second document", ""},
        {"sources: {a: {dsn: \"dbname=x password=y\"}}\n", "holds a password", "credential"},
        {"sources: {a: {schema: b}}\n", "sources.a.dsn is missing", ""},
        {"sources: {a: {dsn: x}, a: {dsn: y}}\n", "is there twice", ""},
        {"capture: {kind: debezium}\n", "capture.connect", "native"},
        {"lake: {warehouse: w}\n", "lake.catalog.dsn is missing", "storage"},
        {"context: a/b\n", "is not a name", ""},
        {"merge: {format_version: 1}\n", "wants 2 or 3", ""},
        {"streams: {a: {capture: x}}\n", "wants cdc", ""},
        {"a: &x {b: *x}\n", "unknown key", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        struct profile profile;
        assert_false(profile_parse(slice_of(cases[i].text), "/t/p.yaml", &profile, &error));
        assert_int_equal(error.kind, ERROR_CONFIG);
        if (!strstr(error.message, cases[i].message) || !strstr(error.remedy, cases[i].remedy))
            fail_msg("%s: %s / %s", cases[i].text, error.message, error.remedy);
    }
}

static void every_allocation_failure_of_a_profile_is_an_error(void **state)
{
    (void)state;
    struct profile profile;
    memory_fail_after(0);
    assert_true(profile_parse(slice_of(full), "/t/p.yaml", &profile, NULL));
    profile_destroy(&profile);
    long all = memory_allocations();
    assert_true(all > 0);
    for (long i = 1; i <= all; i++) {
        struct error error = {0};
        memory_fail_after(i);
        bool ok = profile_parse(slice_of(full), "/t/p.yaml", &profile, &error);
        memory_fail_after(0);
        if (ok)
            profile_destroy(&profile);
        else
            assert_int_equal(error.kind, ERROR_MEMORY);
    }
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    assert_true(file_write_atomic(path, slice_of(text), mode, NULL));
    assert_int_equal(chmod(path, mode), 0);
}

static void secrets_are_taken_only_from_closed_files(void **state)
{
    (void)state;
    char credentials[96], user[128], password[128];
    snprintf(credentials, sizeof credentials, "%s/credentials", folder);
    snprintf(user, sizeof user, "%s/PG_USER", credentials);
    snprintf(password, sizeof password, "%s/PG_PASSWORD", credentials);
    assert_true(file_make_folders(credentials, 0700, NULL));
    assert_int_equal(chmod(credentials, 0700), 0);
    write_file(user, "anna\n", 0600);
    write_file(password, "it's \\ secret\n", 0600);
    struct profile profile = {.credentials = credentials};
    struct credential credential;
    struct error error = {0};
    assert_true(credential_load(&profile, "PG", &credential, NULL));
    assert_string_equal(credential.user, "anna");
    assert_string_equal(credential.source, "credentials folder");
    credential_destroy(&credential);
    struct buffer conninfo = {0};
    assert_true(credential_conninfo(&profile, "host=x", "PG", &conninfo, NULL));
    assert_string_equal(conninfo.data, "host=x user='anna' password='it\\'s \\\\ secret'");
    buffer_clear(&conninfo);
    assert_true(credential_conninfo(&profile, "host=x user=b", "PG", &conninfo, NULL));
    assert_string_equal(conninfo.data, "host=x user=b password='it\\'s \\\\ secret'");
    buffer_destroy(&conninfo);
    chmod(password, 0644);
    assert_false(credential_load(&profile, "PG", &credential, &error));
    assert_int_equal(error.kind, ERROR_REFUSED);
    assert_non_null(strstr(error.remedy, "chmod 0600"));
    chmod(password, 0600);
    chmod(credentials, 0755);
    assert_false(credential_load(&profile, "PG", &credential, &error));
    assert_int_equal(error.kind, ERROR_REFUSED);
    chmod(credentials, 0700);
    assert_false(credential_load(&profile, "NONE", &credential, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_null(strstr(error.message, "secret"));
    setenv("NONE_PASSWORD_FILE", password, 1);
    assert_true(credential_load(&profile, "NONE", &credential, NULL));
    assert_string_equal(credential.source, "file");
    credential_destroy(&credential);
    setenv("NONE_PASSWORD", "env", 1);
    assert_true(credential_load(&profile, "NONE", &credential, NULL));
    assert_string_equal(credential.password, "env");
    credential_destroy(&credential);
    unsetenv("NONE_PASSWORD");
    unsetenv("NONE_PASSWORD_FILE");
}

static void the_profile_is_chosen_in_the_documented_order(void **state)
{
    (void)state;
    struct context_choice choice;
    struct error error = {0};
    char contexts[96], dell[128];
    setenv("XDG_CONFIG_HOME", folder, 1);
    unsetenv("SURFBOARD_PROFILE");
    unsetenv("SURFBOARD_CONTEXT");
    assert_int_equal(chdir(folder), 0);
    assert_true(context_choose(NULL, NULL, &choice, NULL));
    assert_null(choice.path);
    write_file("surfboard.yaml", "format: 1\n", 0600);
    assert_true(context_choose(NULL, NULL, &choice, NULL));
    assert_string_equal(choice.from, "./surfboard.yaml");
    context_choice_destroy(&choice);
    snprintf(contexts, sizeof contexts, "%s/surfboard/contexts", folder);
    snprintf(dell, sizeof dell, "%s/dell.yaml", contexts);
    assert_true(file_make_folders(contexts, 0700, NULL));
    write_file(dell, "format: 1\n", 0600);
    assert_false(context_choose(NULL, "del", &choice, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.remedy, "dell"));
    assert_false(context_set_default("nowhere", NULL));
    assert_true(context_set_default("dell", NULL));
    assert_true(context_choose(NULL, NULL, &choice, NULL));
    assert_string_equal(choice.path, dell);
    context_choice_destroy(&choice);
    setenv("SURFBOARD_PROFILE", "/p.yaml", 1);
    assert_true(context_choose(NULL, NULL, &choice, NULL));
    assert_string_equal(choice.path, "/p.yaml");
    context_choice_destroy(&choice);
    assert_true(context_choose(NULL, "dell", &choice, NULL));
    assert_string_equal(choice.path, dell);
    context_choice_destroy(&choice);
    assert_false(context_choose("a", "b", &choice, NULL));
    unsetenv("SURFBOARD_PROFILE");
    struct context_list list;
    assert_true(context_list(&list, NULL));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.standard, "dell");
    context_list_destroy(&list);
}

static void a_shared_state_keeps_its_modes(void **state)
{
    (void)state;
    char shared[96], alone[96];
    snprintf(shared, sizeof shared, "%s/shared", folder);
    snprintf(alone, sizeof alone, "%s/alone", folder);
    assert_int_equal(mkdir(shared, 0700), 0);
    assert_int_equal(chmod(shared, 02770), 0);
    static const struct {
        mode_t folder, file;
    } wanted[] = {{02770, 0660}, {0700, 0600}};
    for (int i = 0; i < 2; i++) {
        struct profile profile = {.state = i ? alone : shared};
        char *runs = profile_state_folder(&profile, "runs", NULL);
        struct stat status;
        assert_int_equal(stat(runs, &status), 0);
        assert_int_equal(status.st_mode & 07777, wanted[i].folder);
        assert_int_equal(profile_state_file_mode(&profile), wanted[i].file);
        free(runs);
    }
}

static void sizes_and_durations_mean_what_people_write(void **state)
{
    (void)state;
    uint64_t bytes;
    int64_t ms;
    assert_true(quantity_parse_bytes("512MiB", &bytes) && bytes == 512 << 20);
    assert_true(quantity_parse_bytes("1.5k", &bytes) && bytes == 1536);
    assert_true(quantity_parse_bytes("2GB", &bytes) && bytes == UINT64_C(2000000000));
    assert_true(quantity_parse_bytes("7", &bytes) && bytes == 7);
    assert_false(quantity_parse_bytes("-1", &bytes) || quantity_parse_bytes("", &bytes) ||
                 quantity_parse_bytes("1x", &bytes) || quantity_parse_bytes("99999999TB", &bytes));
    assert_true(quantity_parse_duration("1h30m", &ms) && ms == 5400000);
    assert_true(quantity_parse_duration("250ms", &ms) && ms == 250);
    assert_true(quantity_parse_duration("5", &ms) && ms == 5000);
    assert_false(quantity_parse_duration("5 m", &ms) || quantity_parse_duration("m", &ms) ||
                 quantity_parse_duration("1h30", &ms) || quantity_parse_duration("", &ms));
    char text[QUANTITY_TEXT_SIZE];
    quantity_format_bytes(7340032, text);
    assert_string_equal(text, "7.3 MB");
    quantity_format_age(360000, text);
    assert_string_equal(text, "6 min");
    quantity_format_count(1204311, text);
    assert_string_equal(text, "1 204 311");
    static const char *const words[] = {"merge", "maintain", "model"};
    assert_string_equal(nearest_word("mrege", words, 3), "merge");
    assert_string_equal(nearest_word("maintane", words, 3), "maintain");
    assert_null(nearest_word("zzzzzz", words, 3));
}

static void text_from_data_cannot_steer_a_terminal(void **state)
{
    (void)state;
    struct buffer out = {0};
    assert_true(neutral_append(&out, slice_of("a\033[2J\nb\xE2\x80\xAE c\xFF h\xC3\xA9\xC2\x9B"),
                               ".", NULL));
    assert_true(slice_is(buffer_slice(&out), "a.[2J.b. c. h\xC3\xA9."));
    buffer_destroy(&out);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/surfboard-config-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return chdir("/") == 0 && file_remove_tree(folder, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_contract_is_read),
        cmocka_unit_test(an_empty_profile_has_the_documented_defaults),
        cmocka_unit_test(what_is_wrong_is_named_by_line_key_and_nearest_word),
        cmocka_unit_test(every_allocation_failure_of_a_profile_is_an_error),
        cmocka_unit_test(secrets_are_taken_only_from_closed_files),
        cmocka_unit_test(the_profile_is_chosen_in_the_documented_order),
        cmocka_unit_test(a_shared_state_keeps_its_modes),
        cmocka_unit_test(sizes_and_durations_mean_what_people_write),
        cmocka_unit_test(text_from_data_cannot_steer_a_terminal),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* What shall run is remembered whole or not at all; changes of state are told once each; what of
 * this machine starts and ends work is read right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/pipeline/boot.h"
#include "core/pipeline/events.h"
#include "core/pipeline/wanted.h"

static char folder[64];
static struct profile profile;

static int set_up(void **state)
{
    (void)state;
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/surfboard-want-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/dell.yaml", folder);
    assert_true(file_write_atomic(path,
                                  slice_of("context: dell\nstate: state\nlake: {deltas: a b%c, "
                                           "warehouse: w, catalog: {kind: storage}}\n"),
                                  0600, NULL));
    return profile_load(path, &profile, NULL) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    profile_destroy(&profile);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

static void put(const char *name, const char *text)
{
    char path[256], *slash;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    slash = strrchr(path, '/');
    *slash = '\0';
    assert_true(file_make_folders(path, 0700, NULL));
    *slash = '/';
    assert_true(file_write_atomic(path, slice_of(text), 0600, NULL));
}

static void forget(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(file_remove_tree(path, NULL));
}

/* ---- wanted ---- */

static void what_is_wanted_comes_back_as_it_was(void **state)
{
    (void)state;
    forget("state");
    struct wanted wanted;
    bool changed;
    static const char *const arguments[] = {"merge", "a#b \"c\"", "--follow", NULL};
    assert_true(wanted_load(&profile, &wanted, NULL));
    assert_int_equal(wanted.count, 0);
    wanted_destroy(&wanted);
    assert_true(wanted_set(&profile, "merge", "a#b \"c\"", arguments, false, &changed, NULL));
    assert_true(changed);
    assert_true(wanted_set(&profile, "merge", "a#b \"c\"", NULL, false, &changed, NULL));
    assert_false(changed);
    assert_true(wanted_set(&profile, "capture", "shop", NULL, true, &changed, NULL));
    assert_true(changed);
    assert_true(wanted_load(&profile, &wanted, NULL));
    assert_int_equal(wanted.count, 2);
    const struct wanted_work *merge = wanted_find(&wanted, "merge", "a#b \"c\"");
    assert_non_null(merge);
    assert_false(merge->paused);
    assert_string_equal(merge->arguments[1], "a#b \"c\"");
    assert_non_null(strchr(merge->by, '@'));
    const struct wanted_work *capture = wanted_find(&wanted, "capture", "shop");
    assert_true(capture->paused);
    assert_string_equal(capture->arguments[2], "--follow");
    assert_null(capture->arguments[3]);
    assert_null(wanted_find(&wanted, "merge", "shop"));
    wanted_destroy(&wanted);
    assert_true(wanted_drop(&profile, "merge", "a#b \"c\"", NULL));
    assert_true(wanted_drop(&profile, "merge", "nobody", NULL));
    assert_true(wanted_load(&profile, &wanted, NULL));
    assert_int_equal(wanted.count, 1);
    wanted_destroy(&wanted);
}

static void a_wanted_file_that_is_wrong_names_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "empty"},
        {"work: []\n", "format"},
        {"format: 2\nwork: []\nmore: 1\n", "newer"},
        {"format: 1\n", "work"},
        {"format: 1\nwork: {}\n", "a list"},
        {"format: 1\nwork:\n  - 7\n", ":3:"},
        {"format: 1\nwork:\n  - {verb: merge, object: x, arguments: []}\n", "arguments"},
        {"format: 1\nwork:\n  - {verb: merge, object: x, arguments: [query, x]}\n", "the verb"},
        {"format: 1\nwork:\n  - {verb: merge, object: x, paused: perhaps, arguments: [merge]}\n",
         "paused"},
        {"format: 1\nwork: [\n", "wanted.yaml:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wanted wanted;
        struct error error = {0};
        put("state/wanted.yaml", cases[i].text);
        if (wanted_load(&profile, &wanted, &error))
            fail_msg("case %zu was read", i);
        assert_int_equal(error.kind, ERROR_CONFIG);
        if (strstr(error.message, cases[i].says) == NULL)
            fail_msg("case %zu says: %s", i, error.message);
        assert_true(error.remedy[0] != '\0');
        assert_false(wanted_set(&profile, "merge", "x", NULL, false, NULL, NULL));
    }
    forget("state");
}

static void two_who_want_at_once_both_get_it(void **state)
{
    (void)state;
    forget("state");
    pid_t children[4];
    for (int i = 0; i < 4; i++)
        if ((children[i] = fork()) == 0) {
            char name[16];
            bool ok = true;
            for (int k = 0; k < 10; k++) {
                snprintf(name, sizeof name, "s%d-%d", i, k);
                ok &= wanted_set(&profile, "merge", name, NULL, false, NULL, NULL);
            }
            _exit(ok ? 0 : 1);
        }
    for (int i = 0; i < 4; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    struct wanted wanted;
    assert_true(wanted_load(&profile, &wanted, NULL));
    assert_int_equal(wanted.count, 40);
    wanted_destroy(&wanted);
}

/* ---- events ---- */

static void changes_of_state_are_told_once_and_found_by_object_and_time(void **state)
{
    (void)state;
    forget("state");
    struct event_list list;
    bool written;
    assert_true(events_note(&profile, "shop", "ok", NULL, &written, NULL));
    assert_false(written); /* no state: who looks makes none */
    put("state/other", "");
    assert_true(events_note(&profile, "shop", "ok", NULL, &written, NULL));
    assert_true(written);
    assert_true(events_note(&profile, "shop", "ok", NULL, &written, NULL));
    assert_false(written);
    assert_true(events_note(&profile, "parts", "late", "behind", &written, NULL));
    assert_true(events_note(&profile, "shop", "FAILED", "a \"reason\"\n", &written, NULL));
    struct state_event old = {.at_us = 1000000, .object = "shop", .to = "old", .by = "x@y"};
    assert_true(events_append(&profile, &old, NULL));
    assert_true(events_load(&profile, "shop", 0, 10, &list, NULL));
    assert_int_equal(list.count, 3);
    assert_string_equal(list.events[1].from, "ok");
    assert_string_equal(list.events[1].to, "FAILED");
    assert_string_equal(list.events[1].why, "a \"reason\"\n");
    assert_int_equal(list.events[2].at_us, 1000000);
    event_list_destroy(&list);
    assert_true(events_load(&profile, NULL, 0, 2, &list, NULL));
    assert_int_equal(list.count, 2);
    event_list_destroy(&list);
    assert_true(events_load(&profile, NULL, clock_now_us() + 1000000, 9, &list, NULL));
    assert_int_equal(list.count, 0);
    event_list_destroy(&list);
}

static void a_torn_line_of_events_is_closed_and_passed_over(void **state)
{
    (void)state;
    put("state/events.jsonl",
        "{\"format\":1,\"at\":\"2026-11-22T10:00:00.000Z\",\"object\":\"a\",\"to\":\"ok\"}\n"
        "{\"format\":1,\"at\":\"2026-11");
    struct state_event event = {.object = "a", .from = "ok", .to = "late"};
    assert_true(events_append(&profile, &event, NULL));
    struct event_list list;
    assert_true(events_load(&profile, NULL, 0, 9, &list, NULL));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.events[1].to, "late");
    event_list_destroy(&list);
    put("state/events.jsonl", "{\"format\":2,\"object\":\"a\",\"to\":\"ok\"}\n");
    struct error error = {0};
    assert_false(events_load(&profile, NULL, 0, 9, &list, &error));
    assert_int_equal(error.kind, ERROR_CONFIG);
    assert_non_null(strstr(error.message, "newer"));
    forget("state");
}

/* ---- boot ---- */

static struct boot_facts look(const char *user)
{
    struct boot_facts facts;
    char root[128], units[160];
    snprintf(root, sizeof root, "%s/root", folder);
    snprintf(units, sizeof units, "%s/units", folder);
    assert_true(boot_look(root, user, units, &profile, &facts, NULL));
    return facts;
}

static void a_logout_kills_by_the_last_setting_that_names_this_user(void **state)
{
    (void)state;
    assert_false(look("anna").kills);
    put("root/etc/systemd/logind.conf", "[Login]\n#KillUserProcesses=yes\n");
    assert_false(look("anna").kills);
    put("root/etc/systemd/logind.conf", "[Login]\n KillUserProcesses = yes \n");
    struct boot_facts facts = look("anna");
    assert_true(facts.kills);
    assert_non_null(strstr(facts.kills_where, "logind.conf:2: KillUserProcesses=yes"));
    assert_false(look("root").kills);
    put("root/etc/systemd/logind.conf.d/10-a.conf", "[Login]\nKillExcludeUsers=root anna\n");
    assert_false(look("anna").kills);
    assert_true(look("ann").kills);
    put("root/etc/systemd/logind.conf.d/20-b.conf", "[Login]\nKillUserProcesses=no\n");
    assert_false(look("ann").kills);
    forget("root");
}

static void the_unit_that_is_printed_is_the_unit_that_is_found(void **state)
{
    (void)state;
    struct buffer text = {0};
    assert_string_equal(look("anna").unit, "");
    assert_true(boot_print_unit(&profile, "/usr/bin/surf%board", false, &text, NULL) &&
                buffer_text(&text, NULL));
    assert_non_null(strstr(text.data, "ExecStart=-\"/usr/bin/surf%%board\" --profile \""));
    assert_non_null(strstr(text.data, "/a b%%c\""));
    assert_non_null(strstr(text.data, "Type=oneshot\nRemainAfterExit=yes\n"));
    assert_non_null(strstr(text.data, "User="));
    put("units/other.service", "[Service]\nExecStart=/bin/true resume\n");
    put("units/mine.service", text.data);
    struct boot_facts facts = look("anna");
    assert_non_null(strstr(facts.unit, "units/mine.service"));
    assert_true(facts.unit_of_user);
    assert_false(facts.unit_enabled);
    put("units/default.target.wants/mine.service", text.data);
    put("root/var/lib/systemd/linger/anna", "");
    facts = look("anna");
    assert_true(facts.unit_enabled);
    assert_true(facts.lingers);
    assert_false(look("bob").lingers);
    put("root/etc/systemd/system/sys.service", text.data);
    facts = look("anna");
    assert_false(facts.unit_of_user);
    buffer_destroy(&text);
    char *name = boot_unit_name(&profile, NULL);
    assert_string_equal(name, "surfboard-dell.service");
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_comes_back_as_it_was),
        cmocka_unit_test(a_wanted_file_that_is_wrong_names_its_line),
        cmocka_unit_test(two_who_want_at_once_both_get_it),
        cmocka_unit_test(changes_of_state_are_told_once_and_found_by_object_and_time),
        cmocka_unit_test(a_torn_line_of_events_is_closed_and_passed_over),
        cmocka_unit_test(a_logout_kills_by_the_last_setting_that_names_this_user),
        cmocka_unit_test(the_unit_that_is_printed_is_the_unit_that_is_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

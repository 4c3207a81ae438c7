/* The command line is parsed, refused, documented and completed from one table. */
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
#include "tui/command.h"

static char folder[64];
static char out_text[65536], err_text[65536];

/* Runs one command line; what it printed is in out_text and err_text. */
static int run(const char *line)
{
    char copy[1024];
    char *arguments[64];
    int count = 0;
    snprintf(copy, sizeof copy, "surfboard %s", line);
    for (char *rest = copy, *word; (word = strtok_r(rest, " ", &rest));)
        arguments[count++] = word;
    arguments[count] = NULL;
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out && err);
    int code = command_main(count, arguments, out, err, NULL);
    rewind(out);
    rewind(err);
    out_text[fread(out_text, 1, sizeof out_text - 1, out)] = '\0';
    err_text[fread(err_text, 1, sizeof err_text - 1, err)] = '\0';
    fclose(out);
    fclose(err);
    return code;
}

static void expect(const char *line, int code, const char *in_out, const char *in_err)
{
    int got = run(line);
    if (got != code || !strstr(out_text, in_out) || !strstr(err_text, in_err))
        fail_msg("%s: exit %d, out: %s err: %s", line, got, out_text, err_text);
}

static void wrong_words_name_the_nearest_right_one(void **state)
{
    (void)state;
    expect("pln", 2, "", "did you mean 'surfboard plan'");
    expect("model grap", 2, "", "did you mean 'surfboard model graph'");
    expect("up --dry-rn", 2, "", "did you mean --dry-run");
    expect("up --dry-run=yes", 2, "", "takes no argument");
    expect("up --step", 2, "", "--step wants a text");
    expect("down", 2, "", "down wants STREAM");
    expect("plan a b", 2, "", "does not take 'b'");
    expect("model graph --format odd", 2, "", "wants one of text|dot|json");
    expect("-x", 2, "", "unknown option -x");
    expect("", 2, "", "a verb is missing");
    expect("plan --profile a --context b", 2, "", "two profiles");
}

static void errors_with_json_are_one_document(void **state)
{
    (void)state;
    assert_int_equal(run("pln --json"), 2);
    json_t *root = json_loads(out_text, 0, NULL);
    json_t *error = json_object_get(root, "error");
    assert_string_equal(json_string_value(json_object_get(error, "kind")), "usage");
    assert_string_equal(json_string_value(json_object_get(error, "message")), "unknown verb 'pln'");
    assert_true(json_is_string(json_object_get(error, "remedy")));
    json_decref(root);
    expect("--json up --stp x", 2, "{\"error\":", "did you mean --step");
}

static void options_stand_before_or_after_the_verb(void **state)
{
    (void)state;
    char line[256];
    snprintf(line, sizeof line, "--profile %s/p.yaml streams --json", folder);
    expect(line, 3, "{\"error\":", "model is missing");
    snprintf(line, sizeof line, "streams --json --profile=%s/p.yaml", folder);
    expect(line, 3, "{\"error\":", "model is missing");
}

static void the_table_documents_itself(void **state)
{
    (void)state;
    expect("--version", 0, "surfboard " SURFBOARD_VERSION, "");
    expect("--help", 0, "exit codes:", "");
    expect("up --help", 0, "--until ID", "");
    expect("--man", 0, ".SH EXIT STATUS", "");
    expect("--completion bash", 0, "complete -F _surfboard surfboard", "");
    run("--man");
    char man[sizeof out_text];
    memcpy(man, out_text, sizeof man);
    run("--help");
    for (size_t i = 0; verbs[i]; i++) {
        char line[128];
        if (verbs[i]->flags & VERB_HIDDEN)
            continue;
        assert_non_null(strstr(out_text, verbs[i]->name));
        snprintf(line, sizeof line, ".SS %s", verbs[i]->name);
        assert_non_null(strstr(man, line));
        assert_true(verbs[i]->summary && verbs[i]->synopsis && verbs[i]->run);
        snprintf(line, sizeof line, "%s --help", verbs[i]->name);
        char copy[sizeof out_text];
        memcpy(copy, out_text, sizeof copy);
        assert_int_equal(run(line), 0);
        assert_non_null(strstr(out_text, "usage: surfboard"));
        memcpy(out_text, copy, sizeof copy);
    }
}

static void read_only_refuses_before_anything_happens(void **state)
{
    (void)state;
    char line[256];
    snprintf(line, sizeof line, "up --read-only --profile %s/p.yaml", folder);
    expect(line, 5, "", "--read-only was given");
    snprintf(line, sizeof line, "up --profile %s/ro.yaml", folder);
    expect(line, 5, "", "context ro is read-only");
    snprintf(line, sizeof line, "up --dry-run --profile %s/ro.yaml", folder);
    expect(line, 3, "", "model is missing"); /* looks on, and finds something else */
    snprintf(line, sizeof line, "down x --profile %s/p.yaml", folder);
    expect(line, 5, "", "--confirm x");
    snprintf(line, sizeof line, "up --profile %s/p.yaml", folder);
    expect(line, 3, "", "context p (from --profile)");
}

static int make_folder(void **state)
{
    (void)state;
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/surfboard-command-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/p.yaml", folder);
    assert_true(file_write_atomic(path, slice_of("format: 1\nstate: state\n"), 0600, NULL));
    snprintf(path, sizeof path, "%s/ro.yaml", folder);
    return file_write_atomic(path, slice_of("read_only: true\nstate: state\n"), 0600, NULL) ? 0
                                                                                            : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_words_name_the_nearest_right_one),
        cmocka_unit_test(errors_with_json_are_one_document),
        cmocka_unit_test(options_stand_before_or_after_the_verb),
        cmocka_unit_test(the_table_documents_itself),
        cmocka_unit_test(read_only_refuses_before_anything_happens),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

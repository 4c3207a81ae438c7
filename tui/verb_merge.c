/* merge: the merge engine, with a profile (streams of the model) and without (one topic folder into
 * one table). */
#include <string.h>

#include "core/base/file.h"
#include "core/change/table.h"
#include "core/merge/infer_key.h"
#include "tui/merge_run.h"
#include "tui/merge_streams.h"
#include "tui/table_form.h"
#include "tui/verbs.h"

/* -- without a profile ------------------------------------------------------------------------- */

static bool load_schema(const char *path, const char *deltas, struct change_table *out,
                        struct error *error)
{
    struct buffer text = {0};
    bool ok = file_read(path, &text, error);
    if (!ok && error->kind == ERROR_NOT_FOUND)
        error->kind = ERROR_CONFIG;
    ok = ok && change_table_parse(buffer_slice(&text), path, out, error) &&
         infer_key(out, deltas, error) &&
         (change_table_require_key(out, error) || error_prefix(error, "%s", path));
    buffer_destroy(&text);
    return ok;
}

static bool check_form(struct command *command, struct error *error)
{
    if (!command_option(command, "schema") || !command_option(command, "table") ||
        !command_option(command, "deltas"))
        return error_set(error, ERROR_USAGE, "surfboard merge --help",
                         "--deltas, --schema and --table go together");
    if (command->count)
        return error_set(error, ERROR_USAGE, "leave it out, or merge by profile",
                         "a stream (%s) beside --deltas", command_argument(command, 0));
    return true;
}

static int merge_file_form(struct command *command)
{
    struct table_form form = {0};
    struct change_table table = {0};
    struct error error = {0};
    struct merge_options merge_options = MERGE_OPTIONS_DEFAULT;
    const char *deltas = command_option(command, "deltas");
    int code = -1;
    bool ok = check_form(command, &error) && merge_run_options(command, &merge_options, &error) &&
              load_schema(command_option(command, "schema"), deltas, &table, &error) &&
              table_form_open(command, merge_options.durable, &form, &error);
    if (ok) {
        struct merge_table target = {
            .name = table.name,
            .table = &table,
            .deltas = deltas,
            .ident = form.ident,
            .location = form.location,
        };
        struct merge_stream stream = {
            .name = table.name, .catalog = form.catalog, .tables = &target, .table_count = 1};
        struct merge_run run = {
            .command = command,
            .stream = &stream,
            .options = merge_options,
            .follow = command_flag(command, "follow"),
            .result_code = command_flag(command, "result-code"),
        };
        code = merge_run(&run);
    }
    table_form_close(&form);
    change_table_destroy(&table);
    return ok ? code : command_fail(command, &error);
}

static int run(struct command *command)
{
    const char *mode = command_option(command, "mode");
    if (mode && strcmp(mode, "live") != 0) {
        struct error error = {0};
        error_set(&error, ERROR_REFUSED, "use --mode live",
                  "--mode %s: this build merges live tables only", mode);
        return command_fail(command, &error);
    }
    bool file = command_option(command, "deltas") || command_option(command, "schema") ||
                command_option(command, "table");
    return file ? merge_file_form(command) : merge_streams(command);
}

static const struct option_spec options[] = {
    {"all", OPTION_FLAG, NULL, "all streams of the profile"},
    {"deltas", OPTION_TEXT, "URI", "topic folder, its partitions below it"},
    {"schema", OPTION_TEXT, "FILE", "schema file of the table"},
    TABLE_FORM_OPTIONS,
    {"mode", OPTION_CHOICE, "live|history|both", "live: one row a key"},
    MERGE_RUN_OPTIONS,
    {0},
};

const struct verb verb_merge = {
    .name = "merge",
    .synopsis = "[STREAM...|--all] | --deltas URI --schema FILE --table URI",
    .summary = "Merges delta files into Iceberg tables",
    .details =
        "Reads what lies behind the watermark, keeps the last event of each key, writes new rows "
        "and position deletes, and commits all tables of a stream at once, with the watermark. "
        "Killed anywhere, a plain re-run goes on where the last commit ended.\n\n"
        "The last line of --json is the summary. Exit 7 is bad input (a bad line, a gap, a source "
        "that went back): the tables are as they were.",
    .options = options,
    .flags = VERB_CHANGES | VERB_JSON_LINES | VERB_GRACEFUL | VERB_OWN_RUNS | VERB_RESUMES,
    .least = 0,
    .most = -1,
    .run = run,
};

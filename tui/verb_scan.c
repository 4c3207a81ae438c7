/* surfboard scan: rows of any Iceberg table, without a profile. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/iceberg/table.h"
#include "tui/command_rows.h"
#include "tui/verbs.h"

static bool parse_snapshot(const char *text, int64_t *id, struct error *error)
{
    char *end = NULL;
    *id = strtoll(text, &end, 10);
    if (*text && *end == '\0' && *id >= 0)
        return true;
    return error_set(error, ERROR_USAGE, "see the ids with: surfboard peek TABLE",
                     "--snapshot: \"%s\" is no snapshot id", text);
}

static bool choose_snapshot(const struct command *command, const struct iceberg_table *table,
                            int64_t *id, struct error *error)
{
    const char *snapshot = command_option(command, "snapshot");
    const char *as_of = command_option(command, "as-of");
    struct iceberg_snapshot found;
    int64_t ms;
    *id = -1;
    if (snapshot && as_of)
        return error_set(error, ERROR_USAGE, "give one of them",
                         "--snapshot and --as-of exclude each other");
    if (snapshot)
        return parse_snapshot(snapshot, id, error);
    if (as_of) {
        TRY(query_parse_time(as_of, &ms, error) &&
            iceberg_snapshot_as_of(table, ms, &found, error));
        *id = found.id;
    }
    return true;
}

static bool print_count(struct command *command, const struct iceberg_table *table,
                        const struct query_scan_options *options, struct error *error)
{
    int64_t count = 0;
    TRY(query_scan_count(table, options, &count, error));
    if (!command->json) {
        fprintf(command->out, "%" PRId64 "\n", count);
        return true;
    }
    int64_t id = options->snapshot_id < 0 ? table->snapshot_id : options->snapshot_id;
    json_t *snapshot = id < 0 ? json_null() : json_integer((json_int_t)id);
    return command_print_json(
        command, json_pack("{s:I, s:o}", "count", (json_int_t)count, "snapshot", snapshot), error);
}

static bool scan(struct command *command, struct iceberg_table *table, struct arena *arena,
                 struct error *error)
{
    struct query_scan_options options = {.where = command_option(command, "where"),
                                         .limit = command_count(command, "limit", -1),
                                         .stop = command->stop};
    TRY(iceberg_table_open(command_argument(command, 0), table, error) &&
        choose_snapshot(command, table, &options.snapshot_id, error) &&
        command_split_columns(command_option(command, "columns"), arena, &options.columns,
                              &options.column_count, error));
    if (command_flag(command, "count"))
        return print_count(command, table, &options, error);
    struct result *result = query_scan_open(table, &options, error);
    bool more = false;
    bool ok = result && command_print_rows(command, result, -1, &more, error);
    result_close(result);
    return ok;
}

static int run(struct command *command)
{
    struct iceberg_table table = {0};
    struct arena arena = {0};
    struct error error = {0};
    if (command_flag(command, "count") && command_option(command, "limit"))
        return command_fail_usage(command, "--count and --limit exclude each other");
    bool ok = scan(command, &table, &arena, &error);
    iceberg_table_destroy(&table);
    arena_destroy(&arena);
    if (!ok && error.kind == ERROR_INTERRUPTED)
        return command_interrupted(command);
    return ok ? 0 : command_fail(command, &error);
}

static const struct option_spec options[] = {
    {"columns", OPTION_TEXT, "A,B", "only these columns, in this order"},
    {"where", OPTION_TEXT, "EXPR", "only rows for which this is true"},
    {"limit", OPTION_COUNT, "N", "at most so many rows"},
    {"snapshot", OPTION_TEXT, "ID", "the table as of this snapshot"},
    {"as-of", OPTION_TEXT, "TIME", "the table as of this time; without a zone it is UTC"},
    {"format", OPTION_CHOICE, COMMAND_ROWS_FORMATS, "how rows are printed (table)"},
    {"count", OPTION_FLAG, NULL, "only the number of rows, exactly"},
    {0}};

const struct verb verb_scan = {
    .name = "scan",
    .synopsis = "URI [--columns A,B] [--where EXPR] [--limit N] [--snapshot ID | --as-of TIME] "
                "[--format F] [--count]",
    .summary = "Prints the rows of an Iceberg table",
    .details =
        "URI is a table's folder (the newest metadata in it is read) or a metadata file.\n\n"
        "EXPR compares columns with values: = <> < <= > >=, BETWEEN, IN, LIKE (backslash "
        "escapes), IS NULL, AND, OR, NOT, parentheses. Text, dates, times and uuids stand in "
        "single quotes: \"placed >= '2024-02-29' AND state IN ('new', 'paid')\". Files that "
        "can't hold a matching row are not read.\n\n"
        "Data files must be Parquet. Position deletes, equality deletes and deletion vectors "
        "are applied. JSON has one object a line; decimals, dates and times are strings, binary "
        "is base64, a struct is an array of its fields.",
    .options = options,
    .flags = VERB_JSON_LINES,
    .least = 1,
    .most = 1,
    .run = run,
};

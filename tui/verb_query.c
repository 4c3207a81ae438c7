/* surfboard query: one statement for an engine, or a table of the lake by the built-in scan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/credential.h"
#include "core/query/select.h"
#include "tui/command_rows.h"
#include "tui/lake_table.h"
#include "tui/verbs.h"

#define NO_TRINO                                                                                   \
    "this version asks Postgres (--engine postgres) and reads tables itself (--engine scan)"

static bool open_table(struct command *command, const char *name, struct iceberg_table *out,
                       struct error *error)
{
    const struct profile *profile = strchr(name, '/') ? NULL : command_profile(command, error);
    return (profile || strchr(name, '/')) && lake_table_open(profile, name, out, error);
}

/* ---- the built-in scan ---- */

static struct result *open_scan(const struct iceberg_table *table,
                                const struct query_scan_options *options, bool count,
                                struct error *error)
{
    int64_t rows = 0;
    if (!count)
        return query_scan_open(table, options, error);
    return query_scan_count(table, options, &rows, error) ? result_from_count(rows, error) : NULL;
}

static bool run_scan(struct command *command, const char *sql, struct error *error)
{
    struct arena arena = {0};
    struct iceberg_table table = {0};
    struct select select = {.limit = -1};
    struct query_scan_options options = {.snapshot_id = -1, .limit = -1, .stop = command->stop};
    bool ok, more = false;
    if (sql) {
        ok = select_parse(slice_of(sql), &arena, &select, error);
        options.columns = ok && !select.all && !select.count ? select.columns : NULL;
        options.column_count = options.columns ? select.column_count : 0;
        const char *where =
            ok && select.where.length ? arena_copy_slice(&arena, select.where, error) : NULL;
        ok = ok && (where || select.where.length == 0);
        options.where = where;
        options.limit = select.count ? -1 : select.limit;
    } else {
        select.table = command_option(command, "table");
        options.where = command_option(command, "where");
        ok = command_split_columns(command_option(command, "columns"), &arena, &options.columns,
                                   &options.column_count, error);
    }
    ok = ok && open_table(command, select.table, &table, error);
    struct result *result = ok ? open_scan(&table, &options, select.count, error) : NULL;
    ok = result && command_print_rows(
                       command, result,
                       select.count && select.limit == 0 ? 0 : command_count(command, "limit", -1),
                       &more, error);
    result_close(result);
    iceberg_table_destroy(&table);
    arena_destroy(&arena);
    return ok;
}

/* ---- Postgres ---- */

static const struct profile_source *
choose_source(struct command *command, const struct profile *profile, struct error *error)
{
    const char *name = command_option(command, "source");
    if (name == NULL && profile->source_count == 1)
        return &profile->sources[0];
    const struct profile_source *found = name ? profile_source(profile, name) : NULL;
    if (found == NULL)
        error_set(error, name ? ERROR_NOT_FOUND : ERROR_USAGE,
                  "name one of the profile's sources with --source",
                  name ? "%s: no source %s" : "%s: has %s sources", profile->path,
                  name                    ? name
                  : profile->source_count ? "several"
                                          : "no");
    return found;
}

static bool run_postgres(struct command *command, const char *sql, struct error *error)
{
    const struct profile *profile = command_profile(command, error);
    TRY(profile != NULL);
    const struct profile_source *source = choose_source(command, profile, error);
    TRY(source != NULL);
    bool write = command_flag(command, "write"), more = false;
    /* The role without rights has its own password, by ~/.pgpass or the DSN; never the source's. */
    const char *user = write ? NULL : source->query_user;
    struct buffer dsn = {0}, tag = {0};
    bool ok =
        credential_conninfo(profile, source->dsn, user ? NULL : source->credential, &dsn, error);
    struct query_postgres_options options = {.dsn = dsn.data, .user = user, .stop = command->stop};
    if (ok && write) {
        ok = query_postgres_write(&options, sql, &tag, error) && buffer_text(&tag, error);
        if (ok && command->json)
            ok = command_print_json(command, json_pack("{s:s}", "done", tag.data), error);
        else if (ok)
            fprintf(command->out, "%s\n", tag.data);
    } else if (ok) {
        struct result *result = query_postgres_open(&options, sql, error);
        ok = result &&
             command_print_rows(command, result, command_count(command, "limit", -1), &more, error);
        if (ok && more)
            result_cancel(result);
        result_close(result);
    }
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.capacity);
    buffer_destroy(&dsn);
    buffer_destroy(&tag);
    return ok;
}

static bool confirm_write(struct command *command, struct error *error)
{
    TRY(command_begin_change(command, error));
    const struct profile *profile = command_profile(command, error);
    const char *confirm = command_option(command, "confirm");
    TRY(profile != NULL);
    if (confirm && strcmp(confirm, profile->context) == 0)
        return true;
    if (confirm)
        return error_set(error, ERROR_REFUSED, "give the name of the context that is meant",
                         "--confirm %s: this is context %s", confirm, profile->context);
    error_set(error, ERROR_REFUSED, NULL, "a statement that changes needs a confirmation");
    return error_remedy(error, "add --confirm %s", profile->context);
}

/* ---- the verb ---- */

static bool read_standard_input(struct buffer *out, struct error *error)
{
    for (;;) {
        TRY(buffer_reserve(out, 4096, error));
        ssize_t got = read(STDIN_FILENO, out->data + out->length, out->capacity - out->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_system(error, errno, "reading the statement");
        if (got == 0)
            return buffer_text(out, error) != NULL;
        out->length += (size_t)got;
    }
}

/* What the options say together; 0 or the exit code of a usage error. */
static int check_usage(struct command *command, bool scan)
{
    const char *table = command_option(command, "table");
    bool sql = command_argument(command, 0) != NULL;
    if (table && sql)
        return command_fail_usage(command, "--table and a statement exclude each other");
    if (table && !scan)
        return command_fail_usage(command, "--table is read by the built-in scan: leave --engine");
    if (!table && (command_option(command, "columns") || command_option(command, "where")))
        return command_fail_usage(command, "--columns and --where belong to --table");
    if (command_flag(command, "write") && scan)
        return command_fail_usage(command, "--write needs --engine postgres");
    if (command_option(command, "confirm") && !command_flag(command, "write"))
        return command_fail_usage(command, "--confirm belongs to --write");
    if (command_option(command, "source") && scan)
        return command_fail_usage(command, "--source belongs to --engine postgres");
    if (!table && !sql && isatty(STDIN_FILENO))
        return command_fail_usage(command, "no statement and no --table");
    return 0;
}

static int run(struct command *command)
{
    struct error error = {0};
    struct buffer text = {0};
    const char *engine = command_option(command, "engine");
    bool scan = engine == NULL || strcmp(engine, "scan") == 0;
    if (engine && strcmp(engine, "trino") == 0) {
        error_set(&error, ERROR_UNSUPPORTED, NO_TRINO, "no Trino engine");
        return command_fail(command, &error);
    }
    int usage = check_usage(command, scan);
    if (usage)
        return usage;
    const char *sql = command_argument(command, 0);
    bool ok = !command_flag(command, "write") || confirm_write(command, &error);
    if (ok && sql == NULL && command_option(command, "table") == NULL) {
        ok = read_standard_input(&text, &error);
        sql = text.data;
    }
    ok = ok && (scan ? run_scan(command, sql, &error) : run_postgres(command, sql, &error));
    buffer_destroy(&text);
    return ok ? 0 : command_fail(command, &error);
}

static const struct option_spec options[] = {
    {"engine", OPTION_CHOICE, "trino|postgres|scan", "who answers (scan)"},
    {"table", OPTION_TEXT, "T", "read this table: NAMESPACE.TABLE, TABLE, or its URI"},
    {"columns", OPTION_TEXT, "A,B", "only these columns, in this order"},
    {"where", OPTION_TEXT, "EXPR", "only rows for which this is true; see scan --help"},
    {"limit", OPTION_COUNT, "N", "at most so many rows"},
    {"format", OPTION_CHOICE, COMMAND_ROWS_FORMATS, "how rows are printed (table)"},
    {"source", OPTION_TEXT, "NAME", "which source of the profile, where it has several"},
    {"write", OPTION_FLAG, NULL, "send one statement that changes; needs --confirm"},
    {"confirm", OPTION_TEXT, "CONTEXT", "the context whose data may be changed"},
    {0}};

const struct verb verb_query = {
    .name = "query",
    .synopsis = "[--engine E] [SQL] | --table T [--columns A,B] [--where EXPR] [--limit N]",
    .summary = "Asks Postgres, or reads a table of the lake",
    .details =
        "Without SQL and --table the statement is read from standard input.\n\n"
        "The built-in scan knows SELECT *, count(*) or columns FROM table [WHERE EXPR] [LIMIT "
        "N].\n\n"
        "Postgres gets one reading statement in a read-only transaction, at most 60 s long; "
        "statements and functions that change something are refused. Where the profile's source "
        "names a query_user, that role asks. A statement that changes is sent with --write "
        "--confirm CONTEXT, never in a read-only context.",
    .options = options,
    .flags = VERB_JSON_LINES,
    .least = 0,
    .most = 1,
    .run = run,
};

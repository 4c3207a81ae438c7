#include "core/query/guard.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <strings.h>

#include "core/query/lexer.h"

/* Functions that change something, or run SQL that this guard does not see. Patterns over the name
 * in lower case; `except` are the reading ones among them. */
static const struct {
    const char *pattern, *except;
} effects[] = {
    {"set_config", NULL},
    {"pg_*slot*", "pg_get_replication_slots"},
    {"pg_replication_origin_*", NULL},
    {"pg_logical_emit_message", NULL},
    {"pg_sync_replication_slots", NULL},
    {"pg_terminate_backend", NULL},
    {"pg_cancel_backend", NULL},
    {"pg_reload_conf", NULL},
    {"pg_rotate_logfile*", NULL},
    {"pg_promote", NULL},
    {"pg_switch_wal", NULL},
    {"pg_log_*", NULL},
    {"pg_create_restore_point", NULL},
    {"pg_wal_replay_*", NULL},
    {"pg_backup_*", NULL},
    {"pg_start_backup", NULL},
    {"pg_stop_backup", NULL},
    {"pg_stat_reset*", NULL},
    {"pg_stat_force_next_flush", NULL},
    {"pg_notify", NULL},
    {"pg_advisory_*", NULL},
    {"pg_try_advisory_*", NULL},
    {"pg_export_snapshot", NULL},
    {"pg_file_*", NULL},
    {"pg_import_system_collations", NULL},
    {"pg_nextoid", NULL},
    {"pg_extension_config_dump", NULL},
    {"brin_*summarize*", NULL},
    {"gin_clean_pending_list", NULL},
    {"nextval", NULL},
    {"setval", NULL},
    {"dblink*", NULL},
    {"lo_*", NULL},
    {"lowrite", NULL},
    {"loread", NULL},
    {"query_to_xml*", NULL},
    {"cursor_to_xml*", NULL},
    {"table_to_xml*", NULL},
    {"schema_to_xml*", NULL},
    {"database_to_xml*", NULL},
    {"ts_stat", NULL},
    {"ts_rewrite", NULL},
    {"crosstab*", NULL},
    {"connectby", NULL},
};

static const char *const reading[] = {"select", "with",     "values", "table",
                                      "show",   "describe", "explain"};
/* Statements inside WITH and behind EXPLAIN ANALYZE that write. */
static const char *const writing[] = {"insert", "update", "delete",  "merge",   "create",
                                      "drop",   "alter",  "refresh", "execute", "declare"};

static bool is_one_of(const struct token *token, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (token_is_word(token, words[i]))
            return true;
    }
    return false;
}

static bool refuse(const struct token *token, const char *why, struct error *error)
{
    return error_set(error, ERROR_REFUSED,
                     "only reading statements are sent; a statement that changes needs --write "
                     "--confirm CONTEXT",
                     "byte %zu: %.*s: %s", token->at + 1, SLICE_ARG(token->text), why);
}

static bool has_effect(const struct token *name)
{
    char lower[72];
    if (name->text.length >= sizeof lower) /* Postgres cuts names at 63 bytes */
        return true;
    for (size_t i = 0; i < name->text.length; i++)
        lower[i] = (char)tolower((unsigned char)name->text.data[i]);
    lower[name->text.length] = '\0';
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
        if (fnmatch(effects[i].pattern, lower, 0) == 0 &&
            (effects[i].except == NULL || strcmp(effects[i].except, lower) != 0))
            return true;
    }
    return false;
}

struct guard {
    struct lexer lexer;
    struct token token, before; /* the present one and the one before it */
    bool explain, analyze, with;
    int depth; /* of parentheses */
    bool statement_seen;
};

/* One token of a reading statement. */
static bool check_token(struct guard *guard, struct error *error)
{
    const struct token *token = &guard->token;
    bool name = guard->before.kind == TOKEN_WORD || guard->before.kind == TOKEN_NAME;
    if (token_is_symbol(token, "(")) {
        guard->depth++;
        if (name && has_effect(&guard->before))
            return refuse(&guard->before, "a function with effects", error);
        return true;
    }
    if (token_is_symbol(token, ")"))
        guard->depth--;
    bool begins = guard->before.kind == TOKEN_END || token_is_symbol(&guard->before, "(") ||
                  token_is_symbol(&guard->before, ")");
    bool writes = is_one_of(token, writing, sizeof writing / sizeof *writing);
    if (guard->explain && !guard->statement_seen && guard->depth == 0) {
        if (token_is_word(token, "analyze") || token_is_word(token, "analyse"))
            guard->analyze = true;
        if (is_one_of(token, reading, sizeof reading / sizeof *reading) || writes)
            guard->statement_seen = true;
        guard->with = guard->with || token_is_word(token, "with");
        if (writes && guard->analyze)
            return refuse(token, "EXPLAIN ANALYZE would run it", error);
    } else if (guard->explain && !guard->statement_seen) {
        if (token_is_word(token, "analyze") || token_is_word(token, "analyse"))
            guard->analyze = true;
    } else if (guard->with && begins && writes && (!guard->explain || guard->analyze)) {
        return refuse(token, "a statement that changes", error);
    }
    return true;
}

static bool next(struct guard *guard, struct error *error)
{
    guard->before = guard->token;
    return lexer_next(&guard->lexer, &guard->token, error);
}

/* A semicolon may end the statement, nothing may follow it. */
static bool check_end(struct guard *guard, struct error *error)
{
    while (token_is_symbol(&guard->token, ";"))
        TRY(next(guard, error));
    return guard->token.kind == TOKEN_END ||
           refuse(&guard->token, "a second statement; one is sent at a time", error);
}

static bool check_reading(struct guard *guard, struct error *error)
{
    TRY(next(guard, error));
    while (token_is_symbol(&guard->token, "("))
        TRY(next(guard, error));
    if (guard->token.kind == TOKEN_END)
        return error_set(error, ERROR_USAGE, "write a statement", "the statement is empty");
    if (!is_one_of(&guard->token, reading, sizeof reading / sizeof *reading))
        return refuse(&guard->token, "not a reading statement", error);
    guard->explain = token_is_word(&guard->token, "explain");
    guard->with = token_is_word(&guard->token, "with");
    TRY(next(guard, error));
    while (guard->token.kind != TOKEN_END && !token_is_symbol(&guard->token, ";"))
        TRY(check_token(guard, error) && next(guard, error));
    return check_end(guard, error);
}

bool guard_check_reading(struct slice sql, struct error *error)
{
    struct arena arena = {0};
    struct guard guard = {.lexer = {.sql = sql, .arena = &arena}};
    bool ok = check_reading(&guard, error);
    arena_destroy(&arena);
    return ok;
}

bool guard_check_single(struct slice sql, struct error *error)
{
    static const char *const control[] = {"begin", "start",     "commit",  "end",     "rollback",
                                          "abort", "savepoint", "release", "prepare", "copy"};
    struct arena arena = {0};
    struct guard guard = {.lexer = {.sql = sql, .arena = &arena}};
    bool ok = next(&guard, error);
    if (ok && guard.token.kind == TOKEN_END)
        ok = error_set(error, ERROR_USAGE, "write a statement", "the statement is empty");
    if (ok && is_one_of(&guard.token, control, sizeof control / sizeof *control))
        ok = refuse(&guard.token, "not through here", error);
    while (ok && guard.token.kind != TOKEN_END && !token_is_symbol(&guard.token, ";"))
        ok = next(&guard, error);
    ok = ok && check_end(&guard, error);
    arena_destroy(&arena);
    return ok;
}

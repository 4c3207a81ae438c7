#include "core/query/select.h"

#include <stdlib.h>

#include "core/base/buffer.h"
#include "core/base/memory.h"
#include "core/query/lexer.h"

#define ASK_AN_ENGINE                                                                              \
    "the built-in scan knows SELECT columns FROM table [WHERE ...] [LIMIT n]; for more use "       \
    "--engine trino or postgres"

struct reader {
    struct lexer lexer;
    struct token token;
    size_t column_capacity;
};

static bool advance(struct reader *reader, struct error *error)
{
    return lexer_next(&reader->lexer, &reader->token, error);
}

static bool beyond(const struct reader *reader, struct error *error)
{
    if (reader->token.kind == TOKEN_END)
        return error_set(error, ERROR_USAGE, ASK_AN_ENGINE, "the statement ends too early");
    return error_set(error, ERROR_UNSUPPORTED, ASK_AN_ENGINE, "byte %zu: \"%.*s\" is beyond it",
                     reader->token.at + 1, SLICE_ARG(reader->token.text));
}

static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_NAME;
}

static bool need_word(struct reader *reader, const char *word, struct error *error)
{
    return token_is_word(&reader->token, word) ? advance(reader, error) : beyond(reader, error);
}

static bool read_column(struct reader *reader, struct select *out, struct error *error)
{
    if (!is_name(&reader->token))
        return beyond(reader, error);
    TRY(memory_grow(&out->columns, &reader->column_capacity, out->column_count + 1,
                    sizeof *out->columns, error));
    const char *copy = arena_copy_slice(reader->lexer.arena, reader->token.text, error);
    TRY(copy != NULL);
    out->columns[out->column_count++] = copy;
    return advance(reader, error);
}

static bool read_columns(struct reader *reader, struct select *out, struct error *error)
{
    if (token_is_symbol(&reader->token, "*")) {
        out->all = true;
        return advance(reader, error);
    }
    bool may_count = token_is_word(&reader->token, "count");
    TRY(read_column(reader, out, error));
    if (may_count && token_is_symbol(&reader->token, "(")) {
        TRY(advance(reader, error));
        if (!token_is_symbol(&reader->token, "*"))
            return beyond(reader, error);
        TRY(advance(reader, error));
        if (!token_is_symbol(&reader->token, ")"))
            return beyond(reader, error);
        out->count = true;
        out->column_count = 0;
        return advance(reader, error);
    }
    while (token_is_symbol(&reader->token, ","))
        TRY(advance(reader, error) && read_column(reader, out, error));
    return true;
}

/* a.b.c, each part bare or quoted. */
static bool read_table(struct reader *reader, struct select *out, struct error *error)
{
    struct buffer name = {0};
    bool ok = true, more = true;
    while (ok && more) {
        if (!is_name(&reader->token)) {
            ok = beyond(reader, error);
            break;
        }
        ok = (name.length == 0 || buffer_append_byte(&name, '.', error)) &&
             buffer_append_slice(&name, reader->token.text, error) && advance(reader, error);
        more = ok && token_is_symbol(&reader->token, ".");
        ok = ok && (!more || advance(reader, error));
    }
    out->table = ok ? arena_copy_slice(reader->lexer.arena, buffer_slice(&name), error) : NULL;
    buffer_destroy(&name);
    return out->table != NULL;
}

/* The text up to LIMIT, a semicolon or the end; where_parse() reads it once the table is known. */
static bool read_where(struct reader *reader, struct select *out, struct error *error)
{
    size_t start = reader->token.at, end = start;
    while (reader->token.kind != TOKEN_END && !token_is_word(&reader->token, "limit") &&
           !token_is_symbol(&reader->token, ";")) {
        static const char *const others[] = {"order",  "group",  "having", "union", "intersect",
                                             "except", "offset", "fetch",  "window"};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            if (token_is_word(&reader->token, others[i]))
                return beyond(reader, error);
        }
        TRY(advance(reader, error));
        end = reader->lexer.at;
        if (reader->token.kind == TOKEN_END || token_is_word(&reader->token, "limit") ||
            token_is_symbol(&reader->token, ";"))
            end = reader->token.at;
    }
    out->where = slice_make(reader->lexer.sql.data + start, end - start);
    return end > start || beyond(reader, error);
}

static bool read_limit(struct reader *reader, struct select *out, struct error *error)
{
    char text[24], *end = NULL;
    struct slice digits = reader->token.text;
    if (reader->token.kind != TOKEN_NUMBER || digits.length >= sizeof text)
        return beyond(reader, error);
    memcpy(text, digits.data, digits.length);
    text[digits.length] = '\0';
    out->limit = strtoll(text, &end, 10);
    if (*end || digits.length > 18)
        return beyond(reader, error);
    return advance(reader, error);
}

static bool parse_statement(struct reader *reader, struct select *out, struct error *error)
{
    TRY(advance(reader, error) && need_word(reader, "select", error) &&
        read_columns(reader, out, error) && need_word(reader, "from", error) &&
        read_table(reader, out, error));
    if (token_is_word(&reader->token, "where"))
        TRY(advance(reader, error) && read_where(reader, out, error));
    if (token_is_word(&reader->token, "limit"))
        TRY(advance(reader, error) && read_limit(reader, out, error));
    if (token_is_symbol(&reader->token, ";"))
        TRY(advance(reader, error));
    return reader->token.kind == TOKEN_END || beyond(reader, error);
}

bool select_parse(struct slice sql, struct arena *arena, struct select *out, struct error *error)
{
    struct reader reader = {.lexer = {.sql = sql, .arena = arena}};
    *out = (struct select){.limit = -1};
    bool ok = parse_statement(&reader, out, error);
    if (ok && out->column_count) {
        const char **columns = arena_zero(arena, out->column_count, sizeof *columns, error);
        ok = columns != NULL;
        if (ok)
            memcpy(columns, out->columns, out->column_count * sizeof *columns);
        free(out->columns);
        out->columns = columns;
    } else {
        free(out->columns);
        out->columns = NULL;
    }
    return ok;
}

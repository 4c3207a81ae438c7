/* Predicates, by recursive descent: or, and, not, comparison. */
#include <stdlib.h>
#include <strings.h>

#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/query/lexer.h"
#include "core/query/select.h"

enum { DEPTH_MOST = 200, LIST_MOST = 100000 };

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct expression_builder *builder;
    int depth;
};

static const struct expression *parse_or(struct parser *parser, struct error *error);

static bool advance(struct parser *parser, struct error *error)
{
    return lexer_next(&parser->lexer, &parser->token, error);
}

static bool expected(const struct parser *parser, const char *what, struct error *error)
{
    struct slice got = parser->token.text;
    if (parser->token.kind == TOKEN_END)
        return error_set(error, ERROR_USAGE, "see: surfboard scan --help",
                         "predicate: %s expected at the end", what);
    return error_set(error, ERROR_USAGE, "see: surfboard scan --help",
                     "predicate: byte %zu: %s expected, not \"%.*s\"", parser->token.at + 1, what,
                     SLICE_ARG(got));
}

static bool accept_word(struct parser *parser, const char *word, bool *accepted,
                        struct error *error)
{
    *accepted = token_is_word(&parser->token, word);
    return !*accepted || advance(parser, error);
}

static bool need_word(struct parser *parser, const char *word, const char *what,
                      struct error *error)
{
    bool accepted;
    return accept_word(parser, word, &accepted, error) &&
           (accepted || expected(parser, what, error));
}

static bool need_symbol(struct parser *parser, const char *symbol, struct error *error)
{
    if (!token_is_symbol(&parser->token, symbol))
        return expected(parser, symbol, error);
    return advance(parser, error);
}

const char *select_resolve_name(const struct schema *schema, const char *name, bool exact,
                                struct error *error)
{
    if (schema_field(schema, name))
        return name;
    const char *found = NULL;
    for (size_t i = 0; !exact && i < schema->field_count; i++) {
        if (strcasecmp(schema->fields[i].name, name) != 0)
            continue;
        if (found) {
            error_set(error, ERROR_USAGE, "quote the one that is meant: \"Name\"",
                      "column %s may be %s or %s", name, found, schema->fields[i].name);
            return NULL;
        }
        found = schema->fields[i].name;
    }
    if (found)
        return found;
    const char **names = memory_zero(schema->field_count, sizeof *names, error);
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < schema->field_count; i++)
        names[i] = schema->fields[i].name;
    const char *near = nearest_word(name, names, schema->field_count);
    error_set(error, ERROR_NOT_FOUND, "see the columns with: surfboard peek", "no column %s", name);
    if (near)
        error_remedy(error, "did you mean %s?", near);
    free(names);
    return NULL;
}

/* ---- literals ---- */

static bool is_type_word(const struct token *token)
{
    static const char *const words[] = {"date",    "time",    "timestamp", "timestamptz", "decimal",
                                        "numeric", "uuid",    "varchar",   "text",        "real",
                                        "double",  "integer", "bigint",    "boolean"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (token_is_word(token, words[i]))
            return true;
    }
    return false;
}

/* A sign belongs to the number behind it. */
static bool signed_number(struct parser *parser, struct expression_literal *out,
                          struct error *error)
{
    bool minus = token_is_symbol(&parser->token, "-");
    TRY(advance(parser, error));
    if (parser->token.kind != TOKEN_NUMBER)
        return expected(parser, "a number", error);
    const char *text = arena_format(parser->builder->arena, error, "%s%.*s", minus ? "-" : "",
                                    SLICE_ARG(parser->token.text));
    TRY(text != NULL);
    *out = (struct expression_literal){EXPRESSION_LITERAL_NUMBER, slice_of(text)};
    return advance(parser, error);
}

/* *is = false, with nothing taken, when no literal stands here. */
static bool parse_literal(struct parser *parser, struct expression_literal *out, bool *is,
                          struct error *error)
{
    struct token *token = &parser->token;
    *is = true;
    *out = (struct expression_literal){EXPRESSION_LITERAL_TEXT, token->text};
    if (token_is_symbol(token, "-") || token_is_symbol(token, "+"))
        return signed_number(parser, out, error);
    if (token->kind == TOKEN_NUMBER) {
        out->kind = EXPRESSION_LITERAL_NUMBER;
        return advance(parser, error);
    }
    if (token->kind == TOKEN_TEXT)
        return advance(parser, error);
    if (token->kind == TOKEN_BYTES) {
        const char *text =
            arena_format(parser->builder->arena, error, "\\x%.*s", SLICE_ARG(token->text));
        TRY(text != NULL);
        out->text = slice_of(text);
        return advance(parser, error);
    }
    if (token_is_word(token, "null")) {
        out->kind = EXPRESSION_LITERAL_NULL;
        return advance(parser, error);
    }
    if (token_is_word(token, "true") || token_is_word(token, "false")) {
        out->kind = EXPRESSION_LITERAL_BOOLEAN;
        out->text = slice_of(token_is_word(token, "true") ? "true" : "false");
        return advance(parser, error);
    }
    if (is_type_word(token)) {
        struct lexer kept = parser->lexer;
        struct token type = *token;
        TRY(advance(parser, error));
        if (token->kind == TOKEN_TEXT) {
            out->text = token->text;
            return advance(parser, error);
        }
        parser->lexer = kept; /* a column of that name */
        parser->token = type;
    }
    *is = false;
    return true;
}

static bool need_literal(struct parser *parser, struct expression_literal *out, struct error *error)
{
    bool is;
    return parse_literal(parser, out, &is, error) && (is || expected(parser, "a value", error));
}

/* ---- comparisons ---- */

static bool comparison_kind(const struct token *token, enum expression_kind *out)
{
    static const struct {
        const char *symbol;
        enum expression_kind kind;
    } symbols[] = {{"=", EXPRESSION_EQUAL},
                   {"<>", EXPRESSION_NOT_EQUAL},
                   {"!=", EXPRESSION_NOT_EQUAL},
                   {"<", EXPRESSION_LESS},
                   {"<=", EXPRESSION_LESS_OR_EQUAL},
                   {">", EXPRESSION_GREATER},
                   {">=", EXPRESSION_GREATER_OR_EQUAL}};
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        if (token_is_symbol(token, symbols[i].symbol)) {
            *out = symbols[i].kind;
            return true;
        }
    }
    return false;
}

/* "5 < n" is "n > 5". */
static enum expression_kind turned(enum expression_kind kind)
{
    switch (kind) {
    case EXPRESSION_LESS:
        return EXPRESSION_GREATER;
    case EXPRESSION_LESS_OR_EQUAL:
        return EXPRESSION_GREATER_OR_EQUAL;
    case EXPRESSION_GREATER:
        return EXPRESSION_LESS;
    case EXPRESSION_GREATER_OR_EQUAL:
        return EXPRESSION_LESS_OR_EQUAL;
    default:
        return kind;
    }
}

static const char *parse_column(struct parser *parser, struct error *error)
{
    if (parser->token.kind != TOKEN_WORD && parser->token.kind != TOKEN_NAME) {
        expected(parser, "a column", error);
        return NULL;
    }
    const char *name = arena_copy_slice(parser->builder->arena, parser->token.text, error);
    if (name)
        name = select_resolve_name(parser->builder->schema, name, parser->token.kind == TOKEN_NAME,
                                   error);
    return name && advance(parser, error) ? name : NULL;
}

static const struct expression *negate(struct parser *parser, const struct expression *inner,
                                       bool negated, struct error *error)
{
    if (inner == NULL || !negated)
        return inner;
    return expression_combine(parser->builder, EXPRESSION_NOT, &inner, 1, error);
}

static const struct expression *parse_between(struct parser *parser, const char *column,
                                              struct error *error)
{
    struct expression_literal low, high;
    if (!need_literal(parser, &low, error) || !need_word(parser, "and", "AND", error) ||
        !need_literal(parser, &high, error))
        return NULL;
    const struct expression *both[2];
    both[0] = expression_compare(parser->builder, EXPRESSION_GREATER_OR_EQUAL, column, &low, error);
    both[1] = both[0] ? expression_compare(parser->builder, EXPRESSION_LESS_OR_EQUAL, column, &high,
                                           error)
                      : NULL;
    return both[1] ? expression_combine(parser->builder, EXPRESSION_AND, both, 2, error) : NULL;
}

static const struct expression *parse_in(struct parser *parser, const char *column,
                                         struct error *error)
{
    struct expression_literal *list = NULL;
    size_t count = 0, capacity = 0;
    bool ok = need_symbol(parser, "(", error);
    while (ok) {
        ok = memory_grow(&list, &capacity, count + 1, sizeof *list, error) &&
             need_literal(parser, &list[count], error);
        count += ok;
        if (!ok || !token_is_symbol(&parser->token, ","))
            break;
        ok = count < LIST_MOST ? advance(parser, error)
                               : error_set(error, ERROR_USAGE, "ask for fewer",
                                           "predicate: more than %d values in a list", LIST_MOST);
    }
    ok = ok && need_symbol(parser, ")", error);
    const struct expression *made =
        ok ? expression_in(parser->builder, column, list, count, error) : NULL;
    free(list);
    return made;
}

static const struct expression *parse_like(struct parser *parser, const char *column,
                                           struct error *error)
{
    char escape = '\\';
    if (parser->token.kind != TOKEN_TEXT) {
        expected(parser, "a pattern in quotes", error);
        return NULL;
    }
    struct slice pattern = parser->token.text;
    bool has_escape;
    if (!advance(parser, error) || !accept_word(parser, "escape", &has_escape, error))
        return NULL;
    if (has_escape) {
        if (parser->token.kind != TOKEN_TEXT || parser->token.text.length > 1) {
            expected(parser, "one character in quotes", error);
            return NULL;
        }
        escape = parser->token.text.length ? parser->token.text.data[0] : '\0';
        if (!advance(parser, error))
            return NULL;
    }
    return expression_like(parser->builder, column, pattern, escape, error);
}

/* What may stand behind a column. */
static const struct expression *parse_tail(struct parser *parser, const char *column,
                                           struct error *error)
{
    enum expression_kind kind;
    bool is, negated, found;
    struct expression_literal literal;
    if (comparison_kind(&parser->token, &kind)) {
        if (!advance(parser, error) || !need_literal(parser, &literal, error))
            return NULL;
        return expression_compare(parser->builder, kind, column, &literal, error);
    }
    if (!accept_word(parser, "is", &is, error))
        return NULL;
    if (!accept_word(parser, "not", &negated, error))
        return NULL;
    if (is) {
        if (!need_word(parser, "null", "NULL", error))
            return NULL;
        return expression_is_null(parser->builder, column, negated, error);
    }
    static const struct {
        const char *word;
        const struct expression *(*parse)(struct parser *, const char *, struct error *);
    } tails[] = {{"between", parse_between}, {"in", parse_in}, {"like", parse_like}};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        if (!accept_word(parser, tails[i].word, &found, error))
            return NULL;
        if (found)
            return negate(parser, tails[i].parse(parser, column, error), negated, error);
    }
    const struct field *field = schema_field(parser->builder->schema, column);
    if (negated || field == NULL || field->type.kind != TYPE_BOOLEAN) {
        expected(parser, "a comparison", error);
        return NULL;
    }
    literal = (struct expression_literal){EXPRESSION_LITERAL_BOOLEAN, SLICE_LITERAL("true")};
    return expression_compare(parser->builder, EXPRESSION_EQUAL, column, &literal, error);
}

static const struct expression *parse_comparison(struct parser *parser, struct error *error)
{
    struct expression_literal literal;
    enum expression_kind kind;
    bool is;
    if (token_is_symbol(&parser->token, "(")) {
        if (!advance(parser, error))
            return NULL;
        const struct expression *inner = parse_or(parser, error);
        return inner && need_symbol(parser, ")", error) ? inner : NULL;
    }
    if (!parse_literal(parser, &literal, &is, error))
        return NULL;
    if (is) {
        if (!comparison_kind(&parser->token, &kind)) {
            expected(parser, "a comparison", error);
            return NULL;
        }
        const char *column = advance(parser, error) ? parse_column(parser, error) : NULL;
        return column ? expression_compare(parser->builder, turned(kind), column, &literal, error)
                      : NULL;
    }
    const char *column = parse_column(parser, error);
    return column ? parse_tail(parser, column, error) : NULL;
}

static const struct expression *parse_not(struct parser *parser, struct error *error)
{
    bool negated = false, again = true;
    while (again) {
        if (!accept_word(parser, "not", &again, error))
            return NULL;
        negated ^= again;
    }
    return negate(parser, parse_comparison(parser, error), negated, error);
}

/* Operands of one operator, gathered flat. */
static const struct expression *
parse_chain(struct parser *parser, const char *word, enum expression_kind kind,
            const struct expression *(*operand)(struct parser *, struct error *),
            struct error *error)
{
    const struct expression **list = NULL, *made = NULL;
    size_t count = 0, capacity = 0;
    bool more = true, ok = true;
    while (ok && more) {
        ok = memory_grow(&list, &capacity, count + 1, sizeof *list, error);
        const struct expression *one = ok ? operand(parser, error) : NULL;
        ok = one != NULL;
        if (ok)
            list[count++] = one;
        ok = ok && accept_word(parser, word, &more, error);
    }
    if (ok)
        made = count == 1 ? list[0] : expression_combine(parser->builder, kind, list, count, error);
    free(list);
    return made;
}

static const struct expression *parse_and(struct parser *parser, struct error *error)
{
    return parse_chain(parser, "and", EXPRESSION_AND, parse_not, error);
}

static const struct expression *parse_or(struct parser *parser, struct error *error)
{
    if (++parser->depth > DEPTH_MOST) {
        error_set(error, ERROR_USAGE, "simplify it", "predicate: parentheses nest too deep");
        return NULL;
    }
    const struct expression *made = parse_chain(parser, "or", EXPRESSION_OR, parse_and, error);
    parser->depth--;
    return made;
}

const struct expression *where_parse(struct slice text, struct expression_builder *builder,
                                     struct error *error)
{
    struct parser parser = {.lexer = {.sql = text, .arena = builder->arena}, .builder = builder};
    const struct expression *made = advance(&parser, error) ? parse_or(&parser, error) : NULL;
    if (made && parser.token.kind != TOKEN_END) {
        expected(&parser, "AND, OR or the end", error);
        return NULL;
    }
    return made;
}

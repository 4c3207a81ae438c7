#include "core/query/lexer.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "core/base/buffer.h"

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || isdigit((unsigned char)c) || c == '$';
}

static char peek_byte(const struct lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->sql.length ? lexer->sql.data[at] : '\0';
}

static bool unfinished(const struct lexer *lexer, size_t start, const char *what,
                       struct error *error)
{
    (void)lexer;
    return error_set(error, ERROR_USAGE, "close it", "byte %zu: %s does not end", start + 1, what);
}

/* Blanks, -- comments and nested comments. */
static bool skip_blanks(struct lexer *lexer, struct error *error)
{
    for (;;) {
        char c = peek_byte(lexer, 0);
        size_t start = lexer->at;
        if (lexer->at < lexer->sql.length && isspace((unsigned char)c)) {
            lexer->at++;
        } else if (c == '-' && peek_byte(lexer, 1) == '-') {
            while (lexer->at < lexer->sql.length && peek_byte(lexer, 0) != '\n')
                lexer->at++;
        } else if (c == '/' && peek_byte(lexer, 1) == '*') {
            int depth = 0;
            do {
                if (lexer->at >= lexer->sql.length)
                    return unfinished(lexer, start, "the comment", error);
                bool open = peek_byte(lexer, 0) == '/' && peek_byte(lexer, 1) == '*';
                bool shut = peek_byte(lexer, 0) == '*' && peek_byte(lexer, 1) == '/';
                depth += open - shut;
                lexer->at += open || shut ? 2 : 1;
            } while (depth > 0);
        } else {
            return true;
        }
    }
}

static char unescape(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    default:
        return c;
    }
}

/* From behind the opening quote. */
static bool read_quoted(struct lexer *lexer, char quote, bool backslashes, size_t start,
                        struct slice *out, struct error *error)
{
    struct buffer text = {0};
    bool ok = true, closed = false;
    while (ok && !closed && lexer->at < lexer->sql.length) {
        char c = lexer->sql.data[lexer->at++];
        if (c == quote && peek_byte(lexer, 0) == quote)
            lexer->at++;
        else if (c == quote)
            closed = true;
        else if (c == '\\' && backslashes && lexer->at < lexer->sql.length)
            c = unescape(lexer->sql.data[lexer->at++]);
        if (!closed)
            ok = buffer_append_byte(&text, (uint8_t)c, error);
    }
    if (ok && !closed)
        ok = unfinished(lexer, start, "the quote", error);
    const char *copy = ok ? arena_copy_slice(lexer->arena, buffer_slice(&text), error) : NULL;
    *out = slice_make(copy, text.length);
    buffer_destroy(&text);
    return copy != NULL;
}

/* $tag$ ... $tag$; false in *is when it is none ($1). */
static bool read_dollars(struct lexer *lexer, struct slice *out, bool *is, struct error *error)
{
    size_t start = lexer->at, at = start + 1;
    while (at < lexer->sql.length && is_name_part(lexer->sql.data[at]) &&
           lexer->sql.data[at] != '$')
        at++;
    *is = at < lexer->sql.length && lexer->sql.data[at] == '$' &&
          !isdigit((unsigned char)peek_byte(lexer, 1));
    if (!*is)
        return true;
    struct slice tag = slice_make(lexer->sql.data + start, at + 1 - start);
    for (size_t end = at + 1; end + tag.length <= lexer->sql.length; end++) {
        if (slice_equal(slice_make(lexer->sql.data + end, tag.length), tag)) {
            *out = slice_make(lexer->sql.data + at + 1, end - at - 1);
            lexer->at = end + tag.length;
            return true;
        }
    }
    return unfinished(lexer, start, "the dollar quote", error);
}

static void read_number(struct lexer *lexer)
{
    while (isdigit((unsigned char)peek_byte(lexer, 0)))
        lexer->at++;
    if (peek_byte(lexer, 0) == '.') {
        lexer->at++;
        while (isdigit((unsigned char)peek_byte(lexer, 0)))
            lexer->at++;
    }
    char c = peek_byte(lexer, 0);
    size_t sign = peek_byte(lexer, 1) == '-' || peek_byte(lexer, 1) == '+';
    if ((c == 'e' || c == 'E') && isdigit((unsigned char)peek_byte(lexer, 1 + sign))) {
        lexer->at += 1 + sign;
        while (isdigit((unsigned char)peek_byte(lexer, 0)))
            lexer->at++;
    }
}

static bool read_symbol(struct lexer *lexer, struct token *out, struct error *error)
{
    static const char *const doubles[] = {"<>", "<=", ">=", "!=", "::", "||", "->", "=>"};
    char c = peek_byte(lexer, 0), next = peek_byte(lexer, 1);
    size_t length = 1;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        if (doubles[i][0] == c && doubles[i][1] == next)
            length = 2;
    }
    if (strchr("()[]{},;.:*+-/%<>=!^|&~#@?$`\\", c) == NULL || c == '\0')
        return error_set(error, ERROR_USAGE, NULL, "byte %zu: 0x%02x has no place here",
                         lexer->at + 1, (unsigned)(unsigned char)c);
    out->kind = TOKEN_SYMBOL;
    out->text = slice_make(lexer->sql.data + lexer->at, length);
    lexer->at += length;
    return true;
}

bool lexer_next(struct lexer *lexer, struct token *out, struct error *error)
{
    TRY(skip_blanks(lexer, error));
    size_t start = lexer->at;
    *out = (struct token){.kind = TOKEN_END, .at = start};
    if (start >= lexer->sql.length)
        return true;
    char c = peek_byte(lexer, 0), next = peek_byte(lexer, 1);
    char lower = (char)tolower((unsigned char)c);
    if (lower == 'u' && next == '&' && (peek_byte(lexer, 2) == '"' || peek_byte(lexer, 2) == '\''))
        return error_set(error, ERROR_USAGE, "write the characters themselves",
                         "byte %zu: U&-escapes are not taken", start + 1);
    bool prefixed = next == '\'' && strchr("exbn", lower) && lower;
    if (c == '\'' || c == '"' || prefixed) {
        lexer->at += prefixed ? 2 : 1;
        out->kind = c == '"' ? TOKEN_NAME : lower == 'x' ? TOKEN_BYTES : TOKEN_TEXT;
        return read_quoted(lexer, c == '"' ? '"' : '\'', prefixed && lower == 'e', start,
                           &out->text, error);
    }
    if (c == '$') {
        bool is = false;
        out->kind = TOKEN_TEXT;
        TRY(read_dollars(lexer, &out->text, &is, error));
        return is || read_symbol(lexer, out, error);
    }
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)next))) {
        read_number(lexer);
        out->kind = TOKEN_NUMBER;
    } else if (is_name_start(c)) {
        while (lexer->at < lexer->sql.length && is_name_part(peek_byte(lexer, 0)))
            lexer->at++;
        out->kind = TOKEN_WORD;
    } else {
        return read_symbol(lexer, out, error);
    }
    out->text = slice_make(lexer->sql.data + start, lexer->at - start);
    return true;
}

bool token_is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && token->text.length == strlen(word) &&
           strncasecmp(token->text.data, word, token->text.length) == 0;
}

bool token_is_symbol(const struct token *token, const char *symbol)
{
    return token->kind == TOKEN_SYMBOL && slice_is(token->text, symbol);
}

/* lexer.h: SQL text as tokens, by Postgres' rules: '' and "" doubled inside, E'' with backslashes,
 * dollar quotes, nested comments. For the predicates of the built-in scan and for the guard that
 * lets only reading statements through. */
#ifndef SURFBOARD_QUERY_LEXER_H
#define SURFBOARD_QUERY_LEXER_H

#include "core/base/arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* keyword or bare name, as written */
    TOKEN_NAME,   /* "quoted name": the name */
    TOKEN_TEXT,   /* 'text', E'text', $$text$$: the text */
    TOKEN_BYTES,  /* X'00ff': the hex digits */
    TOKEN_NUMBER, /* 12, 1.5, .5, 1e-3 */
    TOKEN_SYMBOL  /* ( ) , ; * and operators such as <> <= :: */
};

struct token {
    enum token_kind kind;
    struct slice text;
    size_t at; /* byte in the statement, for messages */
};

struct lexer {
    struct slice sql;
    size_t at;
    struct arena *arena; /* unescaped texts */
};

/* ERROR_USAGE for an unfinished quote or comment, a stray byte, and for U&"" names. */
bool lexer_next(struct lexer *lexer, struct token *out, struct error *error);
/* Whether a token is this keyword (given in lower case). */
bool token_is_word(const struct token *token, const char *word);
bool token_is_symbol(const struct token *token, const char *symbol);

#endif

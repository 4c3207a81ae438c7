/* value.h: one JSON value into one row of a column; private to core/change. */
#ifndef SURFBOARD_CHANGE_VALUE_H
#define SURFBOARD_CHANGE_VALUE_H

#include <locale.h>

#include "core/base/column.h"
#include "core/change/form.h"
#include "core/change/token.h"

enum value_status {
    VALUE_FINE,
    VALUE_BENT,  /* the lake has no room for it: a null was appended */
    VALUE_BAD,   /* nothing was appended at this level; reader->problem says why */
    VALUE_FAILED /* memory; reader->error is set */
};

/* Scratch and messages of one thread. */
struct value_reader {
    struct buffer text;   /* an unescaped string */
    struct buffer bytes;  /* decoded base64, digits being made */
    struct buffer nested; /* the text of a JSON document in a string */
    locale_t c_locale;
    const char *problem;
    struct error *error;
};

bool value_reader_init(struct value_reader *reader, struct error *error);
void value_reader_destroy(struct value_reader *reader);

/* Appends the value (JSON null as null) to a column of the form's lake type. After VALUE_BAD and
 * VALUE_FAILED a nested column may hold part of a row: the caller truncates it. */
enum value_status value_append(struct value_reader *reader, const struct change_form *form,
                               const struct token *token, struct column *column);

/* ---- the parts, by file ---- */

/* The text of a string token; false with the error set when memory ran out. */
bool value_text(struct value_reader *reader, const struct token *token, struct slice *out);
static inline bool value_is_text(const struct token *token)
{
    return token->kind == TOKEN_STRING || token->kind == TOKEN_ESCAPED;
}
static inline bool value_is_number(const struct token *token)
{
    return token->kind == TOKEN_INTEGER || token->kind == TOKEN_NUMBER;
}
static inline enum value_status value_bad(struct value_reader *reader, const char *problem)
{
    reader->problem = problem;
    return VALUE_BAD;
}
static inline enum value_status value_done(bool appended)
{
    return appended ? VALUE_FINE : VALUE_FAILED;
}
enum value_status value_bent(struct value_reader *reader, struct column *column);
/* Appends eight or four bytes, or a run of bytes. */
enum value_status value_put_long(struct value_reader *reader, struct column *column, int64_t value);
enum value_status value_put_int(struct value_reader *reader, struct column *column, int32_t value);
enum value_status value_put_bytes(struct value_reader *reader, struct column *column,
                                  struct slice value);

/* value_number.c */
enum value_status value_float(struct value_reader *, const struct token *, struct column *);
enum value_status value_double(struct value_reader *, const struct token *, struct column *);
enum value_status value_decimal(struct value_reader *, const struct change_form *,
                                const struct token *, struct column *);
/* Numerics whose column is a string; also decimals that events write into a text column. */
enum value_status value_numeric(struct value_reader *, const struct change_form *,
                                const struct token *, struct column *);

/* value_time.c */
enum value_status value_date(struct value_reader *, const struct change_form *,
                             const struct token *, struct column *);
enum value_status value_time(struct value_reader *, const struct change_form *,
                             const struct token *, struct column *);
enum value_status value_timestamp(struct value_reader *, const struct change_form *,
                                  const struct token *, struct column *);
enum value_status value_timestamptz(struct value_reader *, const struct change_form *,
                                    const struct token *, struct column *);
enum value_status value_interval(struct value_reader *, const struct change_form *,
                                 const struct token *, struct column *);

/* value_nested.c */
enum value_status value_list(struct value_reader *, const struct change_form *,
                             const struct token *, struct column *);
enum value_status value_hstore(struct value_reader *, const struct token *, struct column *);
enum value_status value_point(struct value_reader *, const struct token *, struct column *);
enum value_status value_geometry(struct value_reader *, const struct change_form *,
                                 const struct token *, struct column *);
enum value_status value_sparse(struct value_reader *, const struct token *, struct column *);
/* The document in a string as one token; its text lives in reader->nested. */
enum value_status value_inner_document(struct value_reader *reader, const struct token *token,
                                       struct token *out);
/* The members named `a` and `b` of an object; TOKEN_ABSENT where there is none. */
enum value_status value_members(struct value_reader *reader, const struct token *object,
                                const char *a, struct token *a_out, const char *b,
                                struct token *b_out);

#endif

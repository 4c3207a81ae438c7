#include "core/change/value.h"

/* Walks a container that was checked before. */
struct walk {
    struct cursor cursor;
    char closing;
    bool more;
};

static bool walk_begin(struct walk *walk, const struct token *token)
{
    bool empty;
    *walk = (struct walk){.closing = token->kind == TOKEN_OBJECT ? '}' : ']'};
    walk->cursor = cursor_over(token->raw);
    if (!token_enter(&walk->cursor, walk->closing, &empty))
        return false;
    walk->more = !empty;
    return true;
}

static bool walk_element(struct walk *walk, struct token *out)
{
    return token_value(&walk->cursor, out) && token_more(&walk->cursor, walk->closing, &walk->more);
}

static bool walk_member(struct walk *walk, struct token *name, struct token *out)
{
    bool escaped;
    if (!token_name(&walk->cursor, &name->raw, &escaped))
        return false;
    name->kind = escaped ? TOKEN_ESCAPED : TOKEN_STRING;
    return walk_element(walk, out);
}

static enum value_status walk_bad(struct value_reader *reader, const struct walk *walk)
{
    return value_bad(reader, walk->cursor.problem ? walk->cursor.problem : "not a JSON value");
}

enum value_status value_members(struct value_reader *reader, const struct token *object,
                                const char *a, struct token *a_out, const char *b,
                                struct token *b_out)
{
    struct walk walk;
    struct token name, value;
    *a_out = *b_out = (struct token){.kind = TOKEN_ABSENT};
    if (!walk_begin(&walk, object))
        return walk_bad(reader, &walk);
    while (walk.more) {
        if (!walk_member(&walk, &name, &value))
            return walk_bad(reader, &walk);
        struct slice text;
        if (!value_text(reader, &name, &text))
            return VALUE_FAILED;
        if (slice_is(text, a))
            *a_out = value;
        else if (slice_is(text, b))
            *b_out = value;
    }
    return VALUE_FINE;
}

enum value_status value_list(struct value_reader *reader, const struct change_form *form,
                             const struct token *token, struct column *column)
{
    struct walk walk;
    struct token element;
    bool bent = false;
    if (token->kind != TOKEN_ARRAY)
        return value_bad(reader, "not a list");
    if (!walk_begin(&walk, token))
        return walk_bad(reader, &walk);
    while (walk.more) {
        if (!walk_element(&walk, &element))
            return walk_bad(reader, &walk);
        enum value_status status =
            value_append(reader, form->element, &element, &column->children[0]);
        if (status == VALUE_BAD || status == VALUE_FAILED)
            return status;
        bent |= status == VALUE_BENT;
    }
    if (!column_append_list_end(column, reader->error))
        return VALUE_FAILED;
    return bent ? VALUE_BENT : VALUE_FINE;
}

/* The document in a string as one token; its text lives in reader->nested. */
enum value_status value_inner_document(struct value_reader *reader, const struct token *token,
                                       struct token *out)
{
    buffer_clear(&reader->nested);
    if (token->kind == TOKEN_ESCAPED
            ? !token_unescape(token->raw, &reader->nested, reader->error)
            : !buffer_append_slice(&reader->nested, token->raw, reader->error))
        return VALUE_FAILED;
    struct cursor cursor = cursor_over(buffer_slice(&reader->nested));
    if (!token_value(&cursor, out) || !token_end(&cursor))
        return value_bad(reader, "not a JSON text");
    return VALUE_FINE;
}

enum value_status value_hstore(struct value_reader *reader, const struct token *token,
                               struct column *column)
{
    struct walk walk;
    struct token object = *token, name, value;
    struct slice text;
    if (value_is_text(token)) {
        enum value_status status = value_inner_document(reader, token, &object);
        if (status != VALUE_FINE)
            return status;
    }
    if (object.kind != TOKEN_OBJECT)
        return value_bad(reader, "not an object of texts");
    if (!walk_begin(&walk, &object))
        return walk_bad(reader, &walk);
    while (walk.more) {
        if (!walk_member(&walk, &name, &value))
            return walk_bad(reader, &walk);
        if (!value_text(reader, &name, &text) ||
            !column_append_bytes(&column->children[0], text, reader->error))
            return VALUE_FAILED;
        if (value.kind == TOKEN_NULL) {
            if (!column_append_null(&column->children[1], reader->error))
                return VALUE_FAILED;
            continue;
        }
        if (!value_is_text(&value))
            return value_bad(reader, "not an object of texts");
        if (!value_text(reader, &value, &text) ||
            !column_append_bytes(&column->children[1], text, reader->error))
            return VALUE_FAILED;
    }
    return value_done(column_append_list_end(column, reader->error));
}

enum value_status value_point(struct value_reader *reader, const struct token *token,
                              struct column *column)
{
    struct token x, y;
    if (token->kind != TOKEN_OBJECT)
        return value_bad(reader, "not a point");
    enum value_status status = value_members(reader, token, "x", &x, "y", &y);
    if (status == VALUE_FINE)
        status = value_double(reader, &x, &column->children[0]);
    if (status == VALUE_FINE)
        status = value_double(reader, &y, &column->children[1]);
    if (status != VALUE_FINE)
        return status;
    return value_done(column_append_struct_end(column, reader->error));
}

enum value_status value_geometry(struct value_reader *reader, const struct change_form *form,
                                 const struct token *token, struct column *column)
{
    static const struct change_form bytes = {.kind = KIND_BYTES},
                                    srid_form = {.kind = KIND_INTEGER};
    struct token wkb, srid;
    (void)form;
    if (token->kind != TOKEN_OBJECT)
        return value_bad(reader, "not a geometry");
    enum value_status status = value_members(reader, token, "wkb", &wkb, "srid", &srid);
    if (status == VALUE_FINE && !value_is_text(&wkb))
        return value_bad(reader, "a geometry without its bytes");
    if (status == VALUE_FINE)
        status = value_append(reader, &bytes, &wkb, &column->children[0]);
    if (status == VALUE_FINE)
        status = value_append(reader, &srid_form, &srid, &column->children[1]);
    if (status != VALUE_FINE)
        return status;
    return value_done(column_append_struct_end(column, reader->error));
}

/* {"dimensions": 5, "vector": [[1, 0.5], [3, 2]]} or {"1": 0.5, ...} -> "{1:0.5,3:2}/5", as
 * Postgres prints it. */
static enum value_status sparse_pair(struct value_reader *reader, const struct token *index,
                                     const struct token *value, struct buffer *out)
{
    if ((index->kind != TOKEN_INTEGER && index->kind != TOKEN_STRING) || !value_is_number(value))
        return value_bad(reader, "not a sparse vector");
    bool first = out->length == 1;
    if ((!first && !buffer_append_byte(out, ',', reader->error)) ||
        !buffer_append_slice(out, index->raw, reader->error) ||
        !buffer_append_byte(out, ':', reader->error) ||
        !buffer_append_slice(out, value->raw, reader->error))
        return VALUE_FAILED;
    return VALUE_FINE;
}

enum value_status value_sparse(struct value_reader *reader, const struct token *token,
                               struct column *column)
{
    struct token dimensions, vector, name, value, pair;
    struct walk walk, inner;
    if (token->kind != TOKEN_OBJECT)
        return value_bad(reader, "not a sparse vector");
    enum value_status status =
        value_members(reader, token, "dimensions", &dimensions, "vector", &vector);
    if (status != VALUE_FINE)
        return status;
    if (dimensions.kind != TOKEN_INTEGER ||
        (vector.kind != TOKEN_ARRAY && vector.kind != TOKEN_OBJECT) || !walk_begin(&walk, &vector))
        return value_bad(reader, "not a sparse vector");
    struct buffer *out = &reader->nested;
    buffer_clear(out);
    if (!buffer_append_byte(out, '{', reader->error))
        return VALUE_FAILED;
    while (walk.more) {
        bool good = true;
        if (vector.kind == TOKEN_OBJECT)
            good = walk_member(&walk, &name, &value);
        else
            good = walk_element(&walk, &pair) && pair.kind == TOKEN_ARRAY &&
                   walk_begin(&inner, &pair) && inner.more && walk_element(&inner, &name) &&
                   inner.more && walk_element(&inner, &value) && !inner.more;
        if (!good)
            return value_bad(reader, "not a sparse vector");
        status = sparse_pair(reader, &name, &value, out);
        if (status != VALUE_FINE)
            return status;
    }
    if (!buffer_append_text(out, "}/", reader->error) ||
        !buffer_append_slice(out, dimensions.raw, reader->error))
        return VALUE_FAILED;
    return value_put_bytes(reader, column, buffer_slice(out));
}

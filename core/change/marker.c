#include "core/change/marker.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/memory.h"
#include "core/codec/md5.h"

/* Version 3 of RFC 9562 without a namespace, as Java's UUID.nameUUIDFromBytes(). */
static void name_uuid(struct slice name, char out[37])
{
    uint8_t hash[16];
    md5(name, hash);
    hash[6] = (uint8_t)((hash[6] & 0x0F) | 0x30);
    hash[8] = (uint8_t)((hash[8] & 0x3F) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        at += (size_t)snprintf(out + at, 3, "%02x", hash[i]);
    }
}

bool marker_init(struct marker *marker, const char *placeholder, struct error *error)
{
    *marker = (struct marker){0};
    marker->memory = memory_copy_text(placeholder ? placeholder : MARKER_DEFAULT, error);
    TRY(marker->memory != NULL);
    marker->text = slice_of(marker->memory);
    name_uuid(marker->text, marker->uuid);
    return base64_encode(marker->text, &marker->base64, error);
}

void marker_destroy(struct marker *marker)
{
    buffer_destroy(&marker->base64);
    free(marker->memory);
    *marker = (struct marker){0};
}

/* Whether the string token says `wanted`; an unescaped one must have its length. */
static bool says(struct value_reader *reader, const struct token *token, struct slice wanted)
{
    struct slice text;
    if (token->kind == TOKEN_STRING)
        return slice_equal(token->raw, wanted);
    return token->kind == TOKEN_ESCAPED && value_text(reader, token, &text) &&
           slice_equal(text, wanted);
}

/* A scalar mark of a column or an element of this form. */
static bool scalar_matches(const struct marker *marker, struct value_reader *reader,
                           const struct change_form *form, const struct token *token)
{
    if (says(reader, token, marker->text))
        return true;
    switch (form->kind) {
    case KIND_BYTES:
    case KIND_DECIMAL:
    case KIND_NUMERIC:
        return says(reader, token, buffer_slice(&marker->base64));
    default:
        return false;
    }
}

static bool bytes_as_numbers(const struct marker *marker, struct cursor *cursor)
{
    struct token element;
    bool more = true;
    for (size_t i = 0; i < marker->text.length; i++) {
        int64_t value;
        if (!more || !token_value(cursor, &element) || element.kind != TOKEN_INTEGER ||
            !token_integer(element.raw, &value) || value != (signed char)marker->text.data[i] ||
            !token_more(cursor, ']', &more))
            return false;
    }
    return !more;
}

static bool list_matches(const struct marker *marker, struct value_reader *reader,
                         const struct change_form *element, const struct token *token)
{
    struct cursor cursor = cursor_over(token->raw);
    struct cursor again;
    struct token first;
    bool empty, more;
    if (!token_enter(&cursor, ']', &empty) || empty)
        return false;
    again = cursor;
    if (!token_value(&cursor, &first) || !token_more(&cursor, ']', &more))
        return false;
    if (first.kind == TOKEN_INTEGER)
        return element->kind != KIND_TEXT && bytes_as_numbers(marker, &again);
    return !more && (scalar_matches(marker, reader, element, &first) ||
                     (element->kind == KIND_UUID && says(reader, &first, slice_of(marker->uuid))));
}

/* {mark: mark} for hstore, {.., "value": mark} for decimals, {"wkb": mark, ..} for geometries. */
static bool object_matches(const struct marker *marker, struct value_reader *reader,
                           const struct change_form *form, const struct token *token)
{
    struct token a, b;
    if (form->kind == KIND_HSTORE)
        return value_members(reader, token, marker->text.data, &a, "", &b) == VALUE_FINE &&
               says(reader, &a, marker->text) && b.kind == TOKEN_ABSENT;
    return value_members(reader, token, "value", &a, "wkb", &b) == VALUE_FINE &&
           (says(reader, &a, buffer_slice(&marker->base64)) ||
            says(reader, &b, buffer_slice(&marker->base64)));
}

bool marker_matches(const struct marker *marker, struct value_reader *reader,
                    const struct change_form *form, const struct token *token)
{
    struct token inner;
    if (token->raw.length < marker->text.length)
        return false;
    switch (token->kind) {
    case TOKEN_STRING:
    case TOKEN_ESCAPED:
        if (scalar_matches(marker, reader, form, token))
            return true;
        /* An hstore that holds the mark twice is short. */
        return form->kind == KIND_HSTORE && token->raw.length < 4 * marker->text.length + 64 &&
               value_inner_document(reader, token, &inner) == VALUE_FINE &&
               inner.kind == TOKEN_OBJECT && object_matches(marker, reader, form, &inner);
    case TOKEN_ARRAY:
        return form->kind == KIND_LIST && list_matches(marker, reader, form->element, token);
    case TOKEN_OBJECT:
        return (form->kind == KIND_HSTORE || form->kind == KIND_DECIMAL ||
                form->kind == KIND_NUMERIC || form->kind == KIND_GEOMETRY) &&
               object_matches(marker, reader, form, token);
    default:
        return false;
    }
}

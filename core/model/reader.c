#include "core/model/reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"

void reader_init(struct reader *reader, struct slice text, const char *name)
{
    *reader = (struct reader){.text = text.data, .length = text.length, .name = name};
    if (slice_starts_with(text, SLICE_LITERAL("\xEF\xBB\xBF")))
        reader->at = 3;
}

void reader_destroy(struct reader *reader)
{
    buffer_destroy(&reader->key);
    buffer_destroy(&reader->scratch);
}

bool reader_fail(struct reader *reader, struct error *error, const char *what)
{
    size_t line = 1;
    for (size_t i = 0; i < reader->at && i < reader->length; i++)
        line += reader->text[i] == '\n';
    reader->failed = true;
    return error_set(error, ERROR_CONFIG,
                     "export the model again; a bundle is one whole JSON document",
                     "%s:%zu: byte %zu: %s", reader->name, line, reader->at, what);
}

bool reader_ended(const struct reader *reader, struct error *error)
{
    (void)error; /* set by the call that failed */
    return !reader->failed;
}

static void reader_blanks(struct reader *reader)
{
    while (reader->at < reader->length &&
           (reader->text[reader->at] == ' ' || reader->text[reader->at] == '\n' ||
            reader->text[reader->at] == '\t' || reader->text[reader->at] == '\r'))
        reader->at++;
}

static char reader_next(struct reader *reader)
{
    reader_blanks(reader);
    return reader->at < reader->length ? reader->text[reader->at] : '\0';
}

enum reader_kind reader_peek(struct reader *reader)
{
    char c = reader_next(reader);
    switch (c) {
    case '{':
        return READER_OBJECT;
    case '[':
        return READER_ARRAY;
    case '"':
        return READER_STRING;
    case 't':
        return READER_TRUE;
    case 'f':
        return READER_FALSE;
    case 'n':
        return READER_NULL;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? READER_NUMBER : READER_NOTHING;
    }
}

static bool reader_enter(struct reader *reader, char open, const char *what, struct error *error)
{
    if (reader_next(reader) != open)
        return reader_fail(reader, error, what);
    if (reader->depth + 1 >= READER_DEPTH_MOST)
        return reader_fail(reader, error, "nested deeper than 256 levels");
    reader->at++;
    reader->first[++reader->depth] = true;
    return true;
}

bool reader_object(struct reader *reader, struct error *error)
{
    return reader_enter(reader, '{', "an object is wanted here", error);
}

bool reader_array(struct reader *reader, struct error *error)
{
    return reader_enter(reader, '[', "a list is wanted here", error);
}

/* Before a member or item: eats the comma, or leaves at the closing bracket. */
static bool reader_step(struct reader *reader, char close, struct error *error)
{
    if (reader->failed)
        return false;
    char c = reader_next(reader);
    bool first = reader->first[reader->depth];
    if (c == close) {
        reader->at++;
        reader->depth--;
        return false;
    }
    if (!first) {
        if (c != ',')
            return reader_fail(reader, error,
                               close == '}' ? "',' or '}' is wanted here"
                                            : "',' or ']' is wanted here");
        reader->at++;
        reader_blanks(reader);
    }
    reader->first[reader->depth] = false;
    return true;
}

static int reader_hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* \uXXXX at reader->at (behind the u); pairs of surrogates become one character, a NUL and lone
 * surrogates U+FFFD: names are C strings. */
static bool reader_unicode(struct reader *reader, struct buffer *out, struct error *error)
{
    if (reader->length - reader->at < 4)
        return reader_fail(reader, error, "the text ends within \\u");
    int high = reader_hex4(reader->text + reader->at);
    if (high < 0)
        return reader_fail(reader, error, "\\u wants four hexadecimal digits");
    reader->at += 4;
    uint32_t point = (uint32_t)high;
    if (high >= 0xD800 && high < 0xDC00 && reader->length - reader->at >= 6 &&
        memcmp(reader->text + reader->at, "\\u", 2) == 0) {
        int low = reader_hex4(reader->text + reader->at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            point = 0x10000 + (((uint32_t)high - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            reader->at += 6;
        }
    }
    if (point == 0 || (point >= 0xD800 && point < 0xE000))
        point = 0xFFFD;
    char text[4];
    return buffer_append(out, text, utf8_encode(point, text), error);
}

static bool reader_escape(struct reader *reader, struct buffer *out, struct error *error)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    reader->at++; /* the backslash */
    char c = reader->at < reader->length ? reader->text[reader->at] : '\0';
    const char *known = c ? strchr(from, c) : NULL;
    if (known == NULL && c != 'u')
        return reader_fail(reader, error, "unknown escape in a string");
    reader->at++;
    return c == 'u' ? reader_unicode(reader, out, error)
                    : buffer_append_byte(out, (uint8_t)to[known - from], error);
}

/* The bytes up to a quote, backslash or control character, checked. */
static bool reader_plain(struct reader *reader, struct slice *out, struct error *error)
{
    const char *text = reader->text + reader->at;
    size_t left = reader->length - reader->at, i = 0;
    while (i < left && text[i] != '"' && text[i] != '\\' && (unsigned char)text[i] >= 0x20)
        i++;
    *out = slice_make(text, i);
    reader->at += i;
    if (i > READER_STRING_MOST)
        return reader_fail(reader, error, "a string is longer than 16 MiB");
    if (!utf8_valid(text, i))
        return reader_fail(reader, error, "a string is not UTF-8");
    if (i == left)
        return reader_fail(reader, error, "the document ends within a string");
    if ((unsigned char)text[i] < 0x20)
        return reader_fail(reader, error, "a control character in a string");
    return true;
}

/* Goes on behind the first escape: `plain` is what stood before it. */
static bool reader_escaped(struct reader *reader, struct slice plain, struct buffer *out,
                           struct error *error)
{
    buffer_clear(out);
    for (;;) {
        if (out->length + plain.length > READER_STRING_MOST)
            return reader_fail(reader, error, "a string is longer than 16 MiB");
        if (!buffer_append_slice(out, plain, error)) {
            reader->failed = true;
            return false;
        }
        if (reader->text[reader->at] == '"')
            return true;
        if (!reader_escape(reader, out, error)) {
            reader->failed = true;
            return false;
        }
        TRY(reader_plain(reader, &plain, error));
    }
}

/* Reads a string: a piece of the text itself, or with escapes, decoded in `scratch`. */
static bool reader_string(struct reader *reader, struct buffer *scratch, struct slice *out,
                          struct error *error)
{
    if (reader_next(reader) != '"')
        return reader_fail(reader, error, "a string is wanted here");
    reader->at++;
    TRY(reader_plain(reader, out, error));
    if (reader->text[reader->at] != '"') {
        TRY(reader_escaped(reader, *out, scratch, error));
        *out = buffer_slice(scratch);
        if (out->data == NULL)
            out->data = "";
    }
    reader->at++;
    return true;
}

bool reader_member(struct reader *reader, struct slice *key, struct error *error)
{
    if (!reader_step(reader, '}', error) || !reader_string(reader, &reader->key, key, error))
        return false;
    if (reader_next(reader) != ':')
        return reader_fail(reader, error, "':' is wanted behind a member's name");
    reader->at++;
    return true;
}

bool reader_item(struct reader *reader, struct error *error)
{
    return reader_step(reader, ']', error);
}

bool reader_slice(struct reader *reader, struct slice *out, struct error *error)
{
    *out = (struct slice){0};
    return reader_peek(reader) == READER_STRING
               ? reader_string(reader, &reader->scratch, out, error)
               : reader_skip(reader, error);
}

bool reader_text(struct reader *reader, struct arena *arena, const char **out, struct error *error)
{
    *out = NULL;
    struct slice text;
    TRY(reader_slice(reader, &text, error));
    if (text.data == NULL)
        return true;
    *out = arena_copy_slice(arena, text, error);
    reader->failed |= *out == NULL;
    return *out != NULL;
}

/* -?int frac? exp? by the grammar; *length is what it takes. */
static bool reader_number_length(const struct reader *reader, size_t *length)
{
    const char *text = reader->text + reader->at;
    size_t left = reader->length - reader->at, i = 0;
    i += left && text[0] == '-';
    size_t start = i;
    while (i < left && text[i] >= '0' && text[i] <= '9')
        i++;
    if (i == start || (text[start] == '0' && i > start + 1))
        return false;
    if (i < left && text[i] == '.') {
        start = ++i;
        while (i < left && text[i] >= '0' && text[i] <= '9')
            i++;
        if (i == start)
            return false;
    }
    if (i < left && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        i += i < left && (text[i] == '+' || text[i] == '-');
        start = i;
        while (i < left && text[i] >= '0' && text[i] <= '9')
            i++;
        if (i == start)
            return false;
    }
    *length = i;
    return true;
}

bool reader_whole(struct reader *reader, int64_t otherwise, int64_t *out, struct error *error)
{
    *out = otherwise;
    enum reader_kind kind = reader_peek(reader);
    if (kind == READER_TRUE || kind == READER_FALSE)
        *out = kind == READER_TRUE;
    if (kind == READER_NUMBER) {
        size_t start = reader->at;
        TRY(reader_skip(reader, error));
        char digits[64];
        size_t length = reader->at - start;
        if (length >= sizeof digits)
            return true;
        memcpy(digits, reader->text + start, length);
        digits[length] = '\0';
        double value = strtod(digits, NULL);
        if (strpbrk(digits, ".eE") == NULL && fabs(value) < 9e18)
            *out = strtoll(digits, NULL, 10);
        else if (value == floor(value) && fabs(value) < 9e15)
            *out = (int64_t)value;
        return true;
    }
    return reader_skip(reader, error);
}

static bool reader_word(struct reader *reader, const char *word, struct error *error)
{
    size_t length = strlen(word);
    if (reader->length - reader->at < length ||
        memcmp(reader->text + reader->at, word, length) != 0)
        return reader_fail(reader, error, "not a JSON value");
    reader->at += length;
    return true;
}

static bool reader_skip_scalar(struct reader *reader, struct error *error)
{
    size_t length = 0;
    struct slice text;
    switch (reader_peek(reader)) {
    case READER_STRING:
        return reader_string(reader, &reader->scratch, &text, error);
    case READER_TRUE:
        return reader_word(reader, "true", error);
    case READER_FALSE:
        return reader_word(reader, "false", error);
    case READER_NULL:
        return reader_word(reader, "null", error);
    case READER_NUMBER:
        if (!reader_number_length(reader, &length))
            return reader_fail(reader, error, "not a number");
        reader->at += length;
        return true;
    default:
        return reader_fail(reader, error, "a value is wanted here");
    }
}

/* Without recursion: the depth of a hostile document costs no stack. */
bool reader_skip(struct reader *reader, struct error *error)
{
    bool is_array[READER_DEPTH_MOST];
    unsigned base = reader->depth;
    for (;;) {
        enum reader_kind kind = reader_peek(reader);
        if (kind == READER_OBJECT || kind == READER_ARRAY) {
            TRY(kind == READER_ARRAY ? reader_array(reader, error) : reader_object(reader, error));
            is_array[reader->depth] = kind == READER_ARRAY;
        } else {
            TRY(reader_skip_scalar(reader, error));
        }
        for (;;) {
            if (reader->depth == base)
                return true;
            struct slice key;
            if (is_array[reader->depth] ? reader_item(reader, error)
                                        : reader_member(reader, &key, error))
                break;
            TRY(!reader->failed);
        }
    }
}

bool reader_finish(struct reader *reader, struct error *error)
{
    TRY(!reader->failed);
    reader_blanks(reader);
    return reader->at == reader->length ||
           reader_fail(reader, error, "something follows the document");
}

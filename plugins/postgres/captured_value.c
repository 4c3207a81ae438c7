#include "plugins/postgres/captured_value.h"

#include <stdlib.h>
#include <string.h>

#include "core/change/line_writer.h"
#include "plugins/postgres/captured_time.h"

void captured_writer_destroy(struct captured_writer *writer)
{
    buffer_destroy(&writer->scratch);
    buffer_destroy(&writer->element);
}

static bool captured_bad(struct slice text, const char *what, struct error *error)
{
    if (text.length > 60)
        text.length = 60;
    return error_set(error, ERROR_INPUT, "the session's settings may have been changed by the role",
                     "not %s as Postgres prints one: %.*s", what, SLICE_ARG(text));
}

static bool append_quoted(struct buffer *out, struct slice text, struct error *error)
{
    TRY(buffer_reserve(out, text.length + 2, error));
    out->data[out->length++] = '"';
    if (text.length)
        memcpy(out->data + out->length, text.data, text.length);
    out->length += text.length;
    out->data[out->length++] = '"';
    return true;
}

/* ---- numbers ---- */

static size_t digits_from(struct slice text, size_t at)
{
    size_t start = at;
    while (at < text.length && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at - start;
}

/* -?digits[.digits][e[+-]digits]: JSON's numbers but for leading zeros, which Postgres never
 * prints. `integer`: nothing behind the first digits. */
static bool is_number(struct slice text, bool integer)
{
    size_t at = text.length && text.data[0] == '-';
    size_t digits = digits_from(text, at);
    if (digits == 0 || (digits > 1 && text.data[at] == '0'))
        return false;
    at += digits;
    if (!integer && at < text.length && text.data[at] == '.') {
        digits = digits_from(text, ++at);
        at += digits;
        if (digits == 0)
            return false;
    }
    if (!integer && at < text.length && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        at += at < text.length && (text.data[at] == '+' || text.data[at] == '-');
        digits = digits_from(text, at);
        at += digits;
        if (digits == 0)
            return false;
    }
    return at == text.length;
}

static bool append_number(struct captured_writer *writer, struct buffer *out,
                          const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    if (text.length > 20 || !is_number(text, true))
        return captured_bad(text, "an integer", error);
    return buffer_append_slice(out, text, error);
}

static bool append_float(struct captured_writer *writer, struct buffer *out,
                         const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    if (is_number(text, false))
        return buffer_append_slice(out, text, error);
    if (slice_is(text, "NaN") || slice_is(text, "Infinity") || slice_is(text, "-Infinity"))
        return append_quoted(out, text, error);
    return captured_bad(text, "a number", error);
}

static bool append_boolean(struct captured_writer *writer, struct buffer *out,
                           const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    if (text.length != 1 || strchr("tf01", text.data[0]) == NULL)
        return captured_bad(text, "a boolean", error);
    bool yes = text.data[0] == 't' || text.data[0] == '1';
    return buffer_append_text(out, yes ? "true" : "false", error);
}

static bool append_decimal(struct captured_writer *writer, struct buffer *out,
                           const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    if (slice_is(text, "NaN"))
        return buffer_append_text(out, "\"NAN\"", error);
    if (slice_is(text, "Infinity"))
        return buffer_append_text(out, "\"POSITIVE_INFINITY\"", error);
    if (slice_is(text, "-Infinity"))
        return buffer_append_text(out, "\"NEGATIVE_INFINITY\"", error);
    return is_number(text, false) ? append_quoted(out, text, error)
                                  : captured_bad(text, "a decimal", error);
}

static bool append_money(struct captured_writer *writer, struct buffer *out,
                         const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    TRY(buffer_reserve(out, text.length + 2, error));
    out->data[out->length++] = '"';
    for (size_t i = 0; i < text.length; i++) {
        if ((text.data[i] >= '0' && text.data[i] <= '9') || text.data[i] == '.' ||
            text.data[i] == '-')
            out->data[out->length++] = text.data[i];
    }
    out->data[out->length++] = '"';
    return true;
}

/* ---- bytes and bits ---- */

static bool append_bytes(struct captured_writer *writer, struct buffer *out,
                         const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    if (!slice_starts_with(text, SLICE_LITERAL("\\x")))
        return captured_bad(text, "a bytea in hex form", error);
    return line_append_hex_base64(out, slice_make(text.data + 2, text.length - 2), error);
}

/* The last character is bit 0 of the first byte. */
static bool append_bits(struct captured_writer *writer, struct buffer *out,
                        const struct captured_type *type, struct slice text, struct error *error)
{
    static const char digits[] = "0123456789abcdef";
    (void)type;
    struct buffer *hex = &writer->scratch;
    buffer_clear(hex);
    size_t bytes = (text.length + 7) / 8;
    size_t used = 0;
    TRY(buffer_reserve(hex, bytes * 2 + 1, error));
    for (size_t i = 0; i < bytes; i++) {
        unsigned byte = 0;
        for (size_t bit = 0; bit < 8 && i * 8 + bit < text.length; bit++)
            byte |= (unsigned)(text.data[text.length - 1 - (i * 8 + bit)] == '1') << bit;
        hex->data[2 * i] = digits[byte >> 4];
        hex->data[2 * i + 1] = digits[byte & 15];
        if (byte)
            used = i + 1;
    }
    return line_append_hex_base64(out, slice_make(hex->data, used * 2), error);
}

/* ---- text inside text ---- */

/* A part of an hstore: "text" with backslash escapes, or NULL. Moves *at behind it. */
static bool hstore_part(struct slice text, size_t *at, struct buffer *out, bool *null,
                        struct error *error)
{
    size_t i = *at;
    buffer_clear(out);
    *null = false;
    if (i + 4 <= text.length && memcmp(text.data + i, "NULL", 4) == 0) {
        *null = true;
        *at = i + 4;
        return true;
    }
    if (i >= text.length || text.data[i] != '"')
        return captured_bad(text, "an hstore", error);
    for (i++; i < text.length && text.data[i] != '"'; i++) {
        i += text.data[i] == '\\';
        if (i < text.length)
            TRY(buffer_append_byte(out, (uint8_t)text.data[i], error));
    }
    *at = i + 1;
    return i < text.length || captured_bad(text, "an hstore", error);
}

static bool append_hstore(struct captured_writer *writer, struct buffer *out,
                          const struct captured_type *type, struct slice text, struct error *error)
{
    (void)type;
    struct buffer *object = &writer->scratch;
    buffer_clear(object);
    TRY(buffer_append_byte(object, '{', error));
    for (size_t at = 0; at < text.length;) {
        bool null;
        TRY(hstore_part(text, &at, &writer->element, &null, error));
        TRY(line_append_text(object, buffer_slice(&writer->element), error));
        if (at + 2 > text.length || memcmp(text.data + at, "=>", 2) != 0)
            return captured_bad(text, "an hstore", error);
        at += 2;
        TRY(buffer_append_byte(object, ':', error));
        TRY(hstore_part(text, &at, &writer->element, &null, error));
        TRY(null ? buffer_append_text(object, "null", error)
                 : line_append_text(object, buffer_slice(&writer->element), error));
        if (at < text.length) {
            TRY(buffer_append_byte(object, ',', error));
            at += 2; /* ", " */
        }
    }
    TRY(buffer_append_byte(object, '}', error));
    return line_append_text(out, buffer_slice(object), error);
}

/* ---- geometry ---- */

static bool append_point(struct captured_writer *writer, struct buffer *out,
                         const struct captured_type *type, struct slice text, struct error *error)
{
    const char *comma = text.length > 4 ? memchr(text.data, ',', text.length) : NULL;
    if (comma == NULL || text.data[0] != '(' || text.data[text.length - 1] != ')')
        return captured_bad(text, "a point", error);
    struct slice x = slice_make(text.data + 1, (size_t)(comma - text.data) - 1);
    struct slice y = slice_make(comma + 1, (size_t)(text.data + text.length - 1 - comma) - 1);
    char number[64];
    uint8_t wkb[21] = {1, 1};
    for (int i = 0; i < 2; i++) {
        struct slice part = i ? y : x;
        if (part.length >= sizeof number)
            return captured_bad(text, "a point", error);
        memcpy(number, part.data, part.length);
        number[part.length] = '\0';
        double value = strtod(number, NULL);
        memcpy(wkb + 5 + 8 * i, &value, 8);
    }
    char hex[2 * sizeof wkb + 1];
    for (size_t i = 0; i < sizeof wkb; i++) {
        hex[2 * i] = "0123456789abcdef"[wkb[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[wkb[i] & 15];
    }
    TRY(buffer_append_text(out, "{\"x\":", error));
    TRY(append_float(writer, out, type, x, error));
    TRY(buffer_append_text(out, ",\"y\":", error));
    TRY(append_float(writer, out, type, y, error));
    TRY(buffer_append_text(out, ",\"wkb\":", error));
    TRY(line_append_hex_base64(out, slice_make(hex, 2 * sizeof wkb), error));
    return buffer_append_text(out, ",\"srid\":null}", error);
}

/* Reads `count` bytes of little- or big-endian hexadecimal digits. */
static uint32_t hex_word(const char *digits, bool little)
{
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) {
        char pair[3] = {digits[2 * i], digits[2 * i + 1], '\0'};
        uint32_t byte = (uint32_t)strtoul(pair, NULL, 16);
        word |= byte << (little ? 8 * i : 24 - 8 * i);
    }
    return word;
}

/* PostGIS prints extended WKB in hexadecimal digits; a flag says that an SRID follows the type. */
static bool append_geometry(struct captured_writer *writer, struct buffer *out,
                            const struct captured_type *type, struct slice text,
                            struct error *error)
{
    (void)writer;
    (void)type;
    if (text.length < 10 || memchr(text.data, ' ', text.length))
        return captured_bad(text, "a geometry", error);
    bool little = text.data[1] == '1';
    bool has_srid = hex_word(text.data + 2, little) & 0x20000000U && text.length >= 18;
    TRY(buffer_append_text(out, "{\"wkb\":", error));
    TRY(line_append_hex_base64(out, text, error));
    TRY(buffer_append_text(out, ",\"srid\":", error));
    if (has_srid)
        TRY(line_append_number(out, (int32_t)hex_word(text.data + 10, little), error));
    else
        TRY(buffer_append_text(out, "null", error));
    return buffer_append_byte(out, '}', error);
}

/* ---- which function writes which form ---- */

static bool append_text(struct captured_writer *writer, struct buffer *out,
                        const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    return line_append_text(out, text, error);
}

/* "[1,2.5,3]": JSON as it stands. */
static bool append_vector(struct captured_writer *writer, struct buffer *out,
                          const struct captured_type *type, struct slice text, struct error *error)
{
    (void)writer;
    (void)type;
    bool good = text.length > 2 && text.data[0] == '[' && text.data[text.length - 1] == ']';
    for (size_t at = 1; good && at < text.length;) {
        size_t end = at;
        while (end + 1 < text.length && text.data[end] != ',')
            end++;
        good = is_number(slice_make(text.data + at, end - at), false);
        at = end + 1;
    }
    return good ? buffer_append_slice(out, text, error) : captured_bad(text, "a vector", error);
}

static bool append_time_form(struct captured_writer *writer, struct buffer *out,
                             const struct captured_type *type, struct slice text,
                             struct error *error)
{
    (void)writer;
    enum { TIMES = CAPTURED_DATE };
    static const struct {
        const char *name;
        bool (*append)(struct buffer *, struct slice, int, bool *, struct error *);
    } forms[] = {
        [CAPTURED_DATE - TIMES] = {"a date", captured_append_date},
        [CAPTURED_TIME - TIMES] = {"a time", captured_append_time},
        [CAPTURED_TIMETZ - TIMES] = {"a time with zone", captured_append_timetz},
        [CAPTURED_TIMESTAMP - TIMES] = {"a timestamp", captured_append_timestamp},
        [CAPTURED_TIMESTAMPTZ - TIMES] = {"a timestamp with zone", captured_append_timestamptz},
        [CAPTURED_INTERVAL - TIMES] = {"an interval", captured_append_interval},
    };
    bool good = false;
    TRY(forms[type->form - TIMES].append(out, text, type->fraction, &good, error));
    return good || captured_bad(text, forms[type->form - TIMES].name, error);
}

typedef bool captured_append_form(struct captured_writer *, struct buffer *,
                                  const struct captured_type *, struct slice, struct error *);

static captured_append_form *const captured_forms[] = {
    [CAPTURED_TEXT] = append_text,           [CAPTURED_NUMBER] = append_number,
    [CAPTURED_FLOAT] = append_float,         [CAPTURED_BOOLEAN] = append_boolean,
    [CAPTURED_DECIMAL] = append_decimal,     [CAPTURED_MONEY] = append_money,
    [CAPTURED_BYTES] = append_bytes,         [CAPTURED_DATE] = append_time_form,
    [CAPTURED_TIME] = append_time_form,      [CAPTURED_TIMETZ] = append_time_form,
    [CAPTURED_TIMESTAMP] = append_time_form, [CAPTURED_TIMESTAMPTZ] = append_time_form,
    [CAPTURED_INTERVAL] = append_time_form,  [CAPTURED_UUID] = append_text,
    [CAPTURED_BIT] = append_boolean,         [CAPTURED_BITS] = append_bits,
    [CAPTURED_HSTORE] = append_hstore,       [CAPTURED_POINT] = append_point,
    [CAPTURED_GEOMETRY] = append_geometry,   [CAPTURED_VECTOR] = append_vector,
};

/* ---- arrays ---- */

/* One element from *at on: quoted with escapes, or bare up to a delimiter or brace. */
static bool array_element(struct captured_writer *writer, struct buffer *out,
                          const struct captured_type *type, struct slice text, size_t *at,
                          struct error *error)
{
    struct buffer *element = &writer->element;
    size_t i = *at;
    bool quoted = text.data[i] == '"';
    struct slice value;
    buffer_clear(element);
    if (quoted) {
        for (i++; i < text.length && text.data[i] != '"'; i++) {
            i += text.data[i] == '\\';
            if (i < text.length)
                TRY(buffer_append_byte(element, (uint8_t)text.data[i], error));
        }
        if (i >= text.length)
            return captured_bad(text, "an array", error);
        *at = i + 1;
        value = element->length ? buffer_slice(element) : SLICE_LITERAL("");
    } else {
        while (i < text.length && text.data[i] != type->delimiter && text.data[i] != '}')
            i++;
        value = slice_make(text.data + *at, i - *at);
        *at = i;
        if (slice_is(value, "NULL"))
            return buffer_append_text(out, "null", error);
    }
    return captured_forms[type->form](writer, out, type, value, error);
}

static bool append_array(struct captured_writer *writer, struct buffer *out,
                         const struct captured_type *type, struct slice text, struct error *error)
{
    size_t at = 0;
    int depth = 0;
    if (text.length && text.data[0] == '[') { /* lower bounds: [5:6]={1,2} */
        const char *equals = memchr(text.data, '=', text.length);
        at = equals ? (size_t)(equals - text.data) + 1 : text.length;
    }
    if (at >= text.length || text.data[at] != '{')
        return captured_bad(text, "an array", error);
    while (at < text.length) {
        char c = text.data[at];
        if (c == '{' || c == '}') {
            depth += c == '{' ? 1 : -1;
            TRY(buffer_append_byte(out, c == '{' ? '[' : ']', error));
            at++;
            if (depth == 0)
                break;
        } else if (c == type->delimiter) {
            TRY(buffer_append_byte(out, ',', error));
            at++;
        } else {
            TRY(array_element(writer, out, type, text, &at, error));
        }
    }
    return (depth == 0 && at == text.length) || captured_bad(text, "an array", error);
}

bool captured_append(struct captured_writer *writer, struct buffer *out,
                     const struct captured_type *type, struct slice text, struct error *error)
{
    size_t before = out->length;
    bool ok = type->array ? append_array(writer, out, type, text, error)
                          : captured_forms[type->form](writer, out, type, text, error);
    if (!ok)
        out->length = before;
    return ok;
}

/* ---- markers ---- */

/* What Debezium 3.6 was seen to send for each type (fixtures: shop, toast-types); types that it was
 * never seen with get the string, alone or as an array's only element. */
#define MARKER_BASE64 "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="
#define MARKER_UUID "b68a35a7-17ad-35b3-af2a-ae46edb4545a"
#define MARKER_NUMBERS                                                                             \
    "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,118,97,"  \
    "108,117,101]"

static const char *array_marker(const struct captured_type *type)
{
    switch (type->form) {
    case CAPTURED_BYTES:
        return "[\"" MARKER_BASE64 "\"]";
    case CAPTURED_UUID:
        return "[\"" MARKER_UUID "\"]";
    case CAPTURED_NUMBER:
    case CAPTURED_DATE:
        return type->narrow ? "[\"" CAPTURED_PLACEHOLDER "\"]" : MARKER_NUMBERS;
    default:
        return "[\"" CAPTURED_PLACEHOLDER "\"]";
    }
}

bool captured_append_unavailable(struct buffer *out, const struct captured_type *type,
                                 struct error *error)
{
    if (type->array)
        return buffer_append_text(out, array_marker(type), error);
    if (type->form == CAPTURED_BYTES)
        return buffer_append_text(out, "\"" MARKER_BASE64 "\"", error);
    if (type->form == CAPTURED_HSTORE)
        return buffer_append_text(
            out, "\"{\\\"" CAPTURED_PLACEHOLDER "\\\":\\\"" CAPTURED_PLACEHOLDER "\\\"}\"", error);
    return buffer_append_text(out, "\"" CAPTURED_PLACEHOLDER "\"", error);
}

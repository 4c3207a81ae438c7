#include "core/base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_parse(struct slice text, const char *name, struct error *error)
{
    json_error_t problem;
    json_t *json = json_loadb(text.data ? text.data : "", text.length, JSON_ALLOW_NUL, &problem);
    if (json)
        return json;
    /* Inside a value jansson runs out of memory without a word. */
    if (problem.text[0] == '\0' || json_error_code(&problem) == json_error_out_of_memory)
        error_set_memory(error, text.length);
    else
        error_set(error, ERROR_INPUT, "the file is damaged or is no JSON", "%s:%d:%d: %s", name,
                  problem.line, problem.column, problem.text);
    return NULL;
}

/* jansson does not look at every answer of its callback: a failure is remembered here. */
struct json_output {
    struct buffer *out;
    struct error *error;
    bool in_string, failed;
};

enum { REAL_DIGITS = 17, REAL_SIZE = 40 };

/* A real as jansson printed it, with as few digits as give the same value: 0.768 stays 0.768. */
static struct slice json_shorten(struct slice text, char shorter[REAL_SIZE])
{
    char copy[REAL_SIZE];
    if (text.length >= sizeof copy || memchr(text.data, '.', text.length) == NULL)
        return text;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    double value = strtod(copy, NULL);
    for (int digits = 15; digits < REAL_DIGITS; digits++) {
        int length = snprintf(shorter, REAL_SIZE, "%.*g", digits, value);
        if (length > 0 && strtod(shorter, NULL) == value && strpbrk(shorter, ".e"))
            return slice_make(shorter, (size_t)length);
    }
    return text;
}

/* jansson hands out each quote alone, each number whole. */
static int json_print_some(const char *text, size_t length, void *context)
{
    struct json_output *output = context;
    struct slice some = slice_make(text, length);
    char shorter[REAL_SIZE];
    if (length == 1 && *text == '"')
        output->in_string = !output->in_string;
    else if (!output->in_string && length > 0 && (*text == '-' || (*text >= '0' && *text <= '9')))
        some = json_shorten(some, shorter);
    if (!output->failed && !buffer_append(output->out, some.data, some.length, output->error))
        output->failed = true;
    return output->failed ? -1 : 0;
}

static bool json_append(const json_t *json, size_t flags, struct buffer *out, struct error *error)
{
    struct json_output output = {.out = out, .error = error};
    flags |= JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS);
    bool ok = json && json_dump_callback(json, json_print_some, &output, flags) == 0;
    return !output.failed && (ok || error_set_memory(error, out->length));
}

bool json_print(const json_t *json, struct buffer *out, struct error *error)
{
    return json_append(json, JSON_COMPACT, out, error);
}

char *json_text(const json_t *json, size_t flags, struct error *error)
{
    struct buffer out = {0};
    if (json_append(json, flags, &out, error) && buffer_text(&out, error))
        return out.data;
    buffer_destroy(&out);
    return NULL;
}

static const json_t *json_member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

static bool json_absent(const char *key, const char *name, struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL, "%s: \"%s\" is missing", name, key);
}

bool json_optional_long(const json_t *object, const char *key, const char *name, int64_t *out,
                        struct error *error)
{
    const json_t *value = json_member(object, key);
    if (value == NULL)
        return true;
    if (!json_is_integer(value))
        return error_set(error, ERROR_INPUT, NULL, "%s: \"%s\" is not a whole number", name, key);
    *out = json_integer_value(value);
    return true;
}

bool json_optional_int(const json_t *object, const char *key, const char *name, int32_t *out,
                       struct error *error)
{
    int64_t wide = *out;
    TRY(json_optional_long(object, key, name, &wide, error));
    if (wide < INT32_MIN || wide > INT32_MAX)
        return error_set(error, ERROR_INPUT, NULL, "%s: \"%s\" is out of range", name, key);
    *out = (int32_t)wide;
    return true;
}

bool json_optional_text(const json_t *object, const char *key, const char *name, const char **out,
                        struct error *error)
{
    const json_t *value = json_member(object, key);
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return error_set(error, ERROR_INPUT, NULL, "%s: \"%s\" is not a text", name, key);
    *out = json_string_value(value);
    return true;
}

bool json_get_long(const json_t *object, const char *key, const char *name, int64_t *out,
                   struct error *error)
{
    return json_member(object, key) ? json_optional_long(object, key, name, out, error)
                                    : json_absent(key, name, error);
}

bool json_get_int(const json_t *object, const char *key, const char *name, int32_t *out,
                  struct error *error)
{
    return json_member(object, key) ? json_optional_int(object, key, name, out, error)
                                    : json_absent(key, name, error);
}

bool json_get_text(const json_t *object, const char *key, const char *name, const char **out,
                   struct error *error)
{
    return json_member(object, key) ? json_optional_text(object, key, name, out, error)
                                    : json_absent(key, name, error);
}

bool json_put(json_t *object, const char *key, json_t *value, struct error *error)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        return error_set_memory(error, 64);
    return true;
}

bool json_push(json_t *array, json_t *value, struct error *error)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        return error_set_memory(error, 64);
    return true;
}

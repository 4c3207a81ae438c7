/* Options and positionals, checked against the tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/base/quantity.h"
#include "tui/command_private.h"

size_t command_table_length(const struct option_spec *table)
{
    size_t count = 0;
    while (table && table[count].name)
        count++;
    return count;
}

static const struct option_spec *parse_find(const struct option_spec *table, struct slice name)
{
    for (size_t i = 0; i < command_table_length(table); i++)
        if (slice_is(name, table[i].name))
            return &table[i];
    return NULL;
}

static size_t parse_known(const char **known, size_t count, const struct option_spec *table)
{
    for (; table && table->name && count < COMMAND_OPTIONS_MOST; table++)
        known[count++] = table->name;
    return count;
}

static bool parse_unknown(struct slice name, const struct option_spec *options,
                          const char *verb_name, struct error *error)
{
    const char *known[COMMAND_OPTIONS_MOST];
    size_t count = parse_known(known, parse_known(known, 0, options), command_global_options);
    char text[64];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    const char *near = nearest_word(text, known, count);
    error_set(error, ERROR_USAGE, NULL, "unknown option --%.*s%s%s", SLICE_ARG(name),
              verb_name ? " of " : "", verb_name ? verb_name : "");
    if (near)
        return error_remedy(error, "did you mean --%s?", near);
    return error_remedy(error, "surfboard %s%s--help lists the options", verb_name ? verb_name : "",
                        verb_name ? " " : "");
}

static bool parse_whole(const char *text, uint64_t *out)
{
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return errno == 0 && *out <= INT64_MAX;
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && *out >= 0 && *out < 1e300;
}

static bool parse_choice(const char *text, const char *choices)
{
    size_t length = strlen(text);
    for (const char *at = choices; length && *at; at += strcspn(at, "|"), at += *at == '|')
        if (strncmp(at, text, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    return false;
}

static const char *const parse_wants[] = {
    [OPTION_FLAG] = "no argument",
    [OPTION_TEXT] = "a text",
    [OPTION_COUNT] = "a whole number",
    [OPTION_BYTES] = "a size such as 512MiB",
    [OPTION_DURATION] = "a duration such as 30s or 5m",
    [OPTION_REAL] = "a number",
    [OPTION_CHOICE] = "one of ",
};

static bool parse_argument(struct command_value *value, struct error *error)
{
    const struct option_spec *spec = value->spec;
    int64_t ms = 0;
    bool ok = true;
    if (value->text == NULL)
        return true; /* a flag */
    if (spec->kind == OPTION_COUNT)
        ok = parse_whole(value->text, &value->whole);
    else if (spec->kind == OPTION_BYTES)
        ok = quantity_parse_bytes(value->text, &value->whole);
    else if (spec->kind == OPTION_DURATION)
        ok = quantity_parse_duration(value->text, &ms);
    else if (spec->kind == OPTION_REAL)
        ok = parse_real(value->text, &value->real);
    else if (spec->kind == OPTION_CHOICE)
        ok = parse_choice(value->text, spec->argument);
    if (spec->kind == OPTION_DURATION)
        value->whole = (uint64_t)ms;
    return ok || error_set(error, ERROR_USAGE, NULL, "--%s wants %s%s, not '%s'", spec->name,
                           parse_wants[spec->kind],
                           spec->kind == OPTION_CHOICE ? spec->argument : "", value->text);
}

/* One argument that begins with a dash; *next is the index behind what it used. */
static bool parse_option(struct command_private *hidden, int count, char **arguments, int *next,
                         const struct option_spec *options, const char *verb_name, bool strict,
                         struct error *error)
{
    const char *text = arguments[*next];
    (*next)++;
    const char *equals = strchr(text, '=');
    struct slice name =
        slice_make(text + 2, equals ? (size_t)(equals - text - 2) : strlen(text) - 2);
    if (strcmp(text, "-h") == 0)
        name = SLICE_LITERAL("help");
    else if (text[1] != '-')
        return !strict || error_set(error, ERROR_USAGE,
                                    "options are written out with two dashes; --help lists them",
                                    "unknown option %s", text);
    const struct option_spec *spec = parse_find(options, name);
    if (spec == NULL)
        spec = parse_find(command_global_options, name);
    if (spec == NULL)
        return !strict || parse_unknown(name, options, verb_name, error);
    struct command_value value = {.spec = spec, .text = equals ? equals + 1 : NULL};
    if (spec->kind == OPTION_FLAG && equals)
        return !strict || error_set(error, ERROR_USAGE, NULL, "--%s takes no argument", spec->name);
    if (spec->kind != OPTION_FLAG && !equals) {
        if (*next >= count)
            return !strict || error_set(error, ERROR_USAGE, NULL, "--%s wants %s%s", spec->name,
                                        parse_wants[spec->kind],
                                        spec->kind == OPTION_CHOICE ? spec->argument : "");
        value.text = arguments[(*next)++];
    }
    if (strict && spec->kind != OPTION_FLAG)
        TRY(parse_argument(&value, error));
    if (hidden->value_count == COMMAND_OPTIONS_MOST)
        return error_set(error, ERROR_USAGE, NULL, "too many options");
    hidden->values[hidden->value_count++] = value;
    return true;
}

bool command_parse(struct command_private *hidden, int count, char **arguments,
                   const struct option_spec *options, const char *verb_name, bool strict,
                   struct error *error)
{
    hidden->value_count = 0;
    hidden->word_count = 0;
    bool only_words = false;
    for (int next = 1; next < count;) {
        const char *text = arguments[next];
        if (!only_words && strcmp(text, "--") == 0) {
            only_words = true;
            next++;
        } else if (only_words || text[0] != '-' || text[1] == '\0') {
            hidden->words[hidden->word_count++] = arguments[next++];
        } else {
            TRY(parse_option(hidden, count, arguments, &next, options, verb_name, strict, error));
        }
    }
    hidden->words[hidden->word_count] = NULL;
    return true;
}

const struct command_value *command_value(const struct command *command, const char *name)
{
    const struct command_private *hidden = command->hidden;
    for (size_t i = hidden->value_count; i > 0; i--)
        if (strcmp(hidden->values[i - 1].spec->name, name) == 0)
            return &hidden->values[i - 1];
    return NULL;
}

const char *command_option(const struct command *command, const char *name)
{
    const struct command_value *value = command_value(command, name);
    return value ? value->text : NULL;
}

bool command_flag(const struct command *command, const char *name)
{
    return command_value(command, name) != NULL;
}

int64_t command_count(const struct command *command, const char *name, int64_t otherwise)
{
    const struct command_value *value = command_value(command, name);
    return value ? (int64_t)value->whole : otherwise;
}

uint64_t command_bytes(const struct command *command, const char *name, uint64_t otherwise)
{
    const struct command_value *value = command_value(command, name);
    return value ? value->whole : otherwise;
}

int64_t command_duration_ms(const struct command *command, const char *name, int64_t otherwise)
{
    return command_count(command, name, otherwise);
}

double command_real(const struct command *command, const char *name, double otherwise)
{
    const struct command_value *value = command_value(command, name);
    return value ? value->real : otherwise;
}

const char *command_argument(const struct command *command, int index)
{
    return index >= 0 && index < command->count ? command->arguments[index] : NULL;
}

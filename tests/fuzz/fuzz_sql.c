/* Any text as a predicate, as a statement of the built-in scan, and before the guard of Postgres:
 * read or refused with a reason. What the guard lets through begins with a reading word. */
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include "core/query/guard.h"
#include "core/query/lexer.h"
#include "core/query/select.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct field fields[] = {
    {.id = 1, .name = "id", .type = {.kind = TYPE_LONG}},
    {.id = 2, .name = "Name", .type = {.kind = TYPE_STRING}},
    {.id = 3, .name = "paid", .type = {.kind = TYPE_BOOLEAN}},
    {.id = 4, .name = "day", .type = {.kind = TYPE_DATE}},
    {.id = 5, .name = "raw", .type = {.kind = TYPE_BINARY}},
    {.id = 6, .name = "d", .type = {.kind = TYPE_DOUBLE}},
    {.id = 7, .name = "m", .type = {.kind = TYPE_DECIMAL, .precision = 38, .scale = 10}},
    {.id = 8, .name = "at", .type = {.kind = TYPE_TIMESTAMPTZ}},
    {.id = 9, .name = "u", .type = {.kind = TYPE_UUID}},
};
static const struct schema schema = {.fields = fields, .field_count = 9};

static void check_refusal(bool ok, const struct error *error)
{
    if (!ok && (error->kind == ERROR_NONE || error->message[0] == '\0'))
        __builtin_trap();
}

static void check_reading(struct slice text)
{
    static const char *const words[] = {"select", "with",     "values", "table",
                                        "show",   "describe", "explain"};
    struct arena arena = {0};
    struct lexer lexer = {.sql = text, .arena = &arena};
    struct token token;
    do {
        if (!lexer_next(&lexer, &token, NULL))
            __builtin_trap();
    } while (token_is_symbol(&token, "("));
    bool known = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        known = known || token_is_word(&token, words[i]);
    if (!known)
        __builtin_trap();
    arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    struct arena arena = {0};
    struct expression_builder builder = {.schema = &schema, .arena = &arena};
    struct select select;
    struct error error = {0};
    check_refusal(where_parse(text, &builder, &error) != NULL, &error);
    error_clear(&error);
    check_refusal(select_parse(text, &arena, &select, &error), &error);
    error_clear(&error);
    bool reading = guard_check_reading(text, &error);
    check_refusal(reading, &error);
    if (reading)
        check_reading(text);
    expression_builder_destroy(&builder);
    arena_destroy(&arena);
    return 0;
}

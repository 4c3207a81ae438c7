/* Building predicates: columns found, literals converted. */
#include "core/iceberg/expression.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/base/random.h"

void expression_builder_destroy(struct expression_builder *builder)
{
    for (size_t i = 0; i < builder->made_count; i++)
        column_destroy(&builder->made[i]->literals);
    free(builder->made);
    builder->made = NULL;
    builder->made_count = builder->made_capacity = 0;
}

static struct expression *make(struct expression_builder *builder, enum expression_kind kind,
                               const struct field *field, struct error *error)
{
    struct expression *made = arena_zero(builder->arena, 1, sizeof *made, error);
    if (made == NULL || !memory_grow(&builder->made, &builder->made_capacity,
                                     builder->made_count + 1, sizeof *builder->made, error))
        return NULL;
    made->kind = kind;
    made->field = field;
    if (field && !column_init(&made->literals, &field->type, error))
        return NULL;
    if (field)
        builder->made[builder->made_count++] = made;
    return made;
}

static const struct field *find_field(const struct expression_builder *builder, const char *column,
                                      struct error *error)
{
    const struct field *field = schema_field(builder->schema, column);
    if (field)
        return field;
    size_t count = builder->schema->field_count;
    const char **names = memory_zero(count, sizeof *names, error);
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        names[i] = builder->schema->fields[i].name;
    const char *near = nearest_word(column, names, count);
    error_set(error, ERROR_NOT_FOUND, "see the columns with: surfboard peek", "no column %s",
              column);
    if (near)
        error_remedy(error, "did you mean %s?", near);
    free(names);
    return NULL;
}

static const struct field *find_plain_field(const struct expression_builder *builder,
                                            const char *column, struct error *error)
{
    const struct field *field = find_field(builder, column, error);
    if (field && type_is_nested(&field->type)) {
        error_set(error, ERROR_UNSUPPORTED, "use IS NULL or IS NOT NULL",
                  "column %s is a list, map or struct and can't be compared", column);
        return NULL;
    }
    return field;
}

/* ---- numbers, by value ---- */

enum number_place { NUMBER_BELOW, NUMBER_INSIDE, NUMBER_ABOVE, NUMBER_MALFORMED };

struct number {
    int128 floor; /* of value * 10^scale */
    bool exact;
};

/* The digits of a mantissa with its point, without it. */
struct digits {
    struct slice text;
    int64_t before; /* digits before the point, the exponent counted in */
    bool negative;
};

static bool parse_digits(struct slice text, struct digits *out)
{
    size_t at = 0, point = 0, count = 0;
    bool seen_point = false;
    out->negative = text.length && text.data[0] == '-';
    if (text.length && (text.data[0] == '-' || text.data[0] == '+'))
        at++;
    size_t first = at;
    for (; at < text.length; at++) {
        if (text.data[at] == '.' && !seen_point) {
            seen_point = true;
            continue;
        }
        if (text.data[at] < '0' || text.data[at] > '9')
            break;
        count++;
        point += !seen_point;
    }
    out->text = slice_make(text.data + first, at - first);
    out->before = (int64_t)point;
    if (count == 0)
        return false;
    if (at < text.length && (text.data[at] == 'e' || text.data[at] == 'E')) {
        int64_t exponent = 0;
        bool minus = ++at < text.length && text.data[at] == '-';
        at += at < text.length && (text.data[at] == '-' || text.data[at] == '+');
        size_t start = at;
        for (; at < text.length && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
            if (exponent < 1000000)
                exponent = exponent * 10 + (text.data[at] - '0');
        }
        if (at == start)
            return false;
        out->before += minus ? -exponent : exponent;
    }
    return at == text.length;
}

static enum number_place parse_number(struct slice text, int scale, struct number *out)
{
    struct digits digits;
    if (!parse_digits(text, &digits))
        return NUMBER_MALFORMED;
    const int128 most = decimal_power(37) - 1; /* with room for one more digit */
    int64_t wanted = digits.before + scale, seen = 0;
    int128 value = 0;
    out->exact = true;
    for (size_t i = 0; i < digits.text.length; i++) {
        char c = digits.text.data[i];
        if (c == '.')
            continue;
        if (seen++ >= wanted)
            out->exact = out->exact && c == '0';
        else if (value > most)
            return digits.negative ? NUMBER_BELOW : NUMBER_ABOVE;
        else
            value = value * 10 + (c - '0');
    }
    for (; value != 0 && seen < wanted; seen++) {
        if (value > most)
            return digits.negative ? NUMBER_BELOW : NUMBER_ABOVE;
        value *= 10;
    }
    out->floor = digits.negative ? -value - (out->exact ? 0 : 1) : value;
    return NUMBER_INSIDE;
}

static void number_range(const struct type *type, int128 *least, int128 *most)
{
    if (type->kind == TYPE_DECIMAL) {
        *most = decimal_power(type->precision) - 1;
        *least = -*most;
    } else {
        *most = type->kind == TYPE_INT ? (int128)INT32_MAX : (int128)INT64_MAX;
        *least = -*most - 1;
    }
}

static bool append_integer(struct column *column, const struct type *type, int128 value,
                           struct error *error)
{
    int32_t narrow = (int32_t)value;
    int64_t wide = (int64_t)value;
    if (type->kind == TYPE_DECIMAL)
        return column_append_bytes(column, slice_make(&value, sizeof value), error);
    if (type->kind == TYPE_INT)
        return column_append_bytes(column, slice_make(&narrow, sizeof narrow), error);
    return column_append_bytes(column, slice_make(&wide, sizeof wide), error);
}

static bool type_is_exact(const struct type *type)
{
    return type->kind == TYPE_INT || type->kind == TYPE_LONG || type->kind == TYPE_DECIMAL;
}

/* ---- literals of the other types ---- */

static bool append_real(struct column *column, const struct type *type, struct slice text,
                        struct error *error)
{
    char copy[400], *end = NULL;
    struct digits digits;
    double real;
    if (slice_is(text, "NaN"))
        real = (double)NAN;
    else if (slice_is(text, "Infinity") || slice_is(text, "-Infinity"))
        real = text.data[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    else if (text.length >= sizeof copy || !parse_digits(text, &digits))
        return false;
    else {
        memcpy(copy, text.data, text.length);
        copy[text.length] = '\0';
        /* Of a real column 0.1 is the real number nearest to 0.1. */
        real = type->kind == TYPE_FLOAT ? (double)strtof(copy, &end) : strtod(copy, &end);
    }
    float single = (float)real;
    return type->kind == TYPE_FLOAT
               ? column_append_bytes(column, slice_make(&single, sizeof single), error)
               : column_append_bytes(column, slice_make(&real, sizeof real), error);
}

static struct slice without_suffix(struct slice text, const char *suffix)
{
    if (slice_ends_with(text, slice_of(suffix)))
        text.length -= strlen(suffix);
    return text;
}

/* Dates alone stand for their midnight; a timestamptz without a zone is UTC. */
static bool parse_moment(struct slice text, bool zone, int64_t *us)
{
    if (zone) {
        if (datetime_parse_timestamptz(text, us))
            return true;
        text = without_suffix(text, " UTC");
    }
    if (datetime_parse_timestamp(text, us))
        return true;
    int64_t days;
    return datetime_parse_date(text, &days) &&
           !__builtin_mul_overflow(days, DATETIME_US_PER_DAY, us);
}

/* '\x00ff', as Postgres writes it. */
static bool parse_hex(struct slice text, struct buffer *out, struct error *error)
{
    if (text.length % 2 || text.length < 2 || text.data[0] != '\\' || text.data[1] != 'x')
        return false;
    for (size_t i = 2; i < text.length; i += 2) {
        char pair[3] = {text.data[i], text.data[i + 1], '\0'}, *end;
        unsigned long byte = strtoul(pair, &end, 16);
        if (end != pair + 2 || pair[0] == '-' || pair[0] == '+' || pair[0] == ' ')
            return false;
        TRY(buffer_append_byte(out, (uint8_t)byte, error));
    }
    return true;
}

static bool append_binary(struct column *column, const struct type *type, struct slice text,
                          struct error *error)
{
    struct buffer bytes = {0};
    bool ok = parse_hex(text, &bytes, error) &&
              (type->kind == TYPE_BINARY || bytes.length == (size_t)type->length) &&
              column_append_bytes(column, buffer_slice(&bytes), error);
    buffer_destroy(&bytes);
    return ok;
}

static bool append_text(struct column *column, const struct type *type, struct slice text,
                        struct error *error)
{
    int64_t wide = 0;
    int32_t narrow;
    uint8_t uuid[16], truth;
    switch (type->kind) {
    case TYPE_BOOLEAN:
        truth = slice_is(text, "true");
        return (truth || slice_is(text, "false")) &&
               column_append_bytes(column, slice_make(&truth, 1), error);
    case TYPE_STRING:
        return column_append_bytes(column, text, error);
    case TYPE_DATE:
        if (!datetime_parse_date(text, &wide) || wide < INT32_MIN || wide > INT32_MAX)
            return false;
        narrow = (int32_t)wide;
        return column_append_bytes(column, slice_make(&narrow, sizeof narrow), error);
    case TYPE_TIME:
        return datetime_parse_time(text, &wide) &&
               column_append_bytes(column, slice_make(&wide, sizeof wide), error);
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return parse_moment(text, type->kind == TYPE_TIMESTAMPTZ, &wide) &&
               column_append_bytes(column, slice_make(&wide, sizeof wide), error);
    case TYPE_UUID:
        return uuid_parse(text.data, text.length, uuid) &&
               column_append_bytes(column, slice_make(uuid, sizeof uuid), error);
    case TYPE_FIXED:
    case TYPE_BINARY:
        return append_binary(column, type, text, error);
    default:
        return false;
    }
}

static const char *literal_form(const struct type *type)
{
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return "write true or false";
    case TYPE_STRING:
        return "write text in single quotes";
    case TYPE_DATE:
        return "write '2024-02-29'";
    case TYPE_TIME:
        return "write '12:34:56.789012'";
    case TYPE_TIMESTAMP:
        return "write '2024-02-29 12:34:56.789012'";
    case TYPE_TIMESTAMPTZ:
        return "write '2024-02-29 12:34:56.789012+00:00'; without a zone it is UTC";
    case TYPE_UUID:
        return "write '00112233-4455-6677-8899-aabbccddeeff'";
    case TYPE_FIXED:
    case TYPE_BINARY:
        return "write X'00ff10'";
    default:
        return "write a number";
    }
}

static bool bad_literal(const struct field *field, struct slice text, struct error *error)
{
    struct buffer type = {0};
    bool printed = type_print(&field->type, &type, NULL) && buffer_text(&type, NULL);
    error_set(error, ERROR_USAGE, literal_form(&field->type),
              "column %s is of type %s: \"%.*s\" is no value of it", field->name,
              printed ? type.data : "?", SLICE_ARG(text));
    buffer_destroy(&type);
    return false;
}

/* Appends a literal of a type whose values have no order of their own to fall between. */
static bool append_plain(struct expression *made, const struct expression_literal *literal,
                         struct error *error)
{
    const struct type *type = &made->field->type;
    bool real = type->kind == TYPE_FLOAT || type->kind == TYPE_DOUBLE;
    struct error own = {0};
    bool ok = false;
    if (real && literal->kind != EXPRESSION_LITERAL_BOOLEAN)
        ok = append_real(&made->literals, type, literal->text, &own);
    else if (literal->kind == EXPRESSION_LITERAL_TEXT ||
             (literal->kind == EXPRESSION_LITERAL_BOOLEAN && type->kind == TYPE_BOOLEAN))
        ok = append_text(&made->literals, type, literal->text, &own);
    if (ok)
        return true;
    if (own.kind == ERROR_NONE)
        return bad_literal(made->field, literal->text, error);
    if (error)
        *error = own;
    return false;
}

/* What a comparison with a number beside the type's values comes to. */
static enum expression_kind beside(enum expression_kind kind, bool above)
{
    switch (kind) {
    case EXPRESSION_NOT_EQUAL:
        return EXPRESSION_ALWAYS;
    case EXPRESSION_LESS:
    case EXPRESSION_LESS_OR_EQUAL:
        return above ? EXPRESSION_ALWAYS : EXPRESSION_NEVER;
    case EXPRESSION_GREATER:
    case EXPRESSION_GREATER_OR_EQUAL:
        return above ? EXPRESSION_NEVER : EXPRESSION_ALWAYS;
    default:
        return EXPRESSION_NEVER;
    }
}

static bool set_exact(struct expression *made, const struct expression_literal *literal,
                      struct error *error)
{
    const struct type *type = &made->field->type;
    struct number number = {0};
    int128 least, most;
    enum number_place place = literal->kind == EXPRESSION_LITERAL_BOOLEAN
                                  ? NUMBER_MALFORMED
                                  : parse_number(literal->text, type->scale, &number);
    if (place == NUMBER_MALFORMED)
        return bad_literal(made->field, literal->text, error);
    number_range(type, &least, &most);
    if (place == NUMBER_ABOVE || (place == NUMBER_INSIDE && number.floor > most) ||
        (place == NUMBER_INSIDE && number.floor == most && !number.exact))
        made->kind = beside(made->kind, true);
    else if (place == NUMBER_BELOW || number.floor < least)
        made->kind = beside(made->kind, false);
    else if (number.exact)
        return append_integer(&made->literals, type, number.floor, error);
    else if (made->kind == EXPRESSION_EQUAL || made->kind == EXPRESSION_NOT_EQUAL)
        made->kind = beside(made->kind, true);
    else { /* between two values: x < 2.5 is x <= 2 */
        bool less = made->kind == EXPRESSION_LESS || made->kind == EXPRESSION_LESS_OR_EQUAL;
        made->kind = less ? EXPRESSION_LESS_OR_EQUAL : EXPRESSION_GREATER;
        return append_integer(&made->literals, type, number.floor, error);
    }
    return true;
}

static bool encode_values(struct expression_builder *builder, struct expression *made,
                          struct error *error)
{
    size_t count = made->literals.length;
    made->values = arena_zero(builder->arena, count, sizeof *made->values, error);
    struct buffer bytes = {0};
    bool ok = made->values != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        buffer_clear(&bytes);
        ok = iceberg_value_from_column(&made->literals, i, &bytes, error);
        const char *copy =
            ok ? arena_copy_slice(builder->arena, buffer_slice(&bytes), error) : NULL;
        ok = copy != NULL;
        made->values[i] = slice_make(copy, bytes.length);
    }
    buffer_destroy(&bytes);
    return ok;
}

const struct expression *expression_combine(struct expression_builder *builder,
                                            enum expression_kind kind,
                                            const struct expression *const *children, size_t count,
                                            struct error *error)
{
    struct expression *made = make(builder, kind, NULL, error);
    const struct expression **copy =
        made ? arena_zero(builder->arena, count, sizeof *copy, error) : NULL;
    if (copy == NULL)
        return NULL;
    memcpy(copy, children, count * sizeof *copy);
    made->children = copy;
    made->child_count = count;
    return made;
}

const struct expression *expression_compare(struct expression_builder *builder,
                                            enum expression_kind kind, const char *column,
                                            const struct expression_literal *literal,
                                            struct error *error)
{
    const struct field *field = find_plain_field(builder, column, error);
    struct expression *made = field ? make(builder, kind, field, error) : NULL;
    if (made == NULL)
        return NULL;
    if (literal->kind == EXPRESSION_LITERAL_NULL) {
        made->kind = EXPRESSION_UNKNOWN;
        return made;
    }
    bool ok = type_is_exact(&field->type) ? set_exact(made, literal, error)
                                          : append_plain(made, literal, error);
    return ok && encode_values(builder, made, error) ? made : NULL;
}

const struct expression *expression_is_null(struct expression_builder *builder, const char *column,
                                            bool negated, struct error *error)
{
    const struct field *field = find_field(builder, column, error);
    return field
               ? make(builder, negated ? EXPRESSION_IS_NOT_NULL : EXPRESSION_IS_NULL, field, error)
               : NULL;
}

const struct expression *expression_in(struct expression_builder *builder, const char *column,
                                       const struct expression_literal *literals, size_t count,
                                       struct error *error)
{
    const struct field *field = find_plain_field(builder, column, error);
    struct expression *made = field ? make(builder, EXPRESSION_IN, field, error) : NULL;
    for (size_t i = 0; made && i < count; i++) {
        if (literals[i].kind == EXPRESSION_LITERAL_NULL) {
            made->has_null_literal = true;
            continue;
        }
        made->kind = EXPRESSION_EQUAL; /* numbers that are no value of the type drop out */
        bool ok = type_is_exact(&field->type) ? set_exact(made, &literals[i], error)
                                              : append_plain(made, &literals[i], error);
        if (!ok)
            return NULL;
        made->kind = EXPRESSION_IN;
    }
    return made && encode_values(builder, made, error) ? made : NULL;
}

const struct expression *expression_like(struct expression_builder *builder, const char *column,
                                         struct slice pattern, char escape, struct error *error)
{
    const struct field *field = find_plain_field(builder, column, error);
    if (field && field->type.kind != TYPE_STRING) {
        error_set(error, ERROR_USAGE, "compare it with =, <, > or BETWEEN",
                  "column %s is no text: LIKE does not apply", column);
        return NULL;
    }
    struct expression *made = field ? make(builder, EXPRESSION_LIKE, field, error) : NULL;
    const char *copy = made ? arena_copy_slice(builder->arena, pattern, error) : NULL;
    if (copy == NULL)
        return NULL;
    if (escape && pattern.length && pattern.data[pattern.length - 1] == escape) {
        size_t run = 0;
        while (run < pattern.length && pattern.data[pattern.length - 1 - run] == escape)
            run++;
        if (run % 2) {
            error_set(error, ERROR_USAGE, "double the escape character to mean itself",
                      "LIKE pattern \"%.*s\" ends in its escape character", SLICE_ARG(pattern));
            return NULL;
        }
    }
    made->pattern = slice_make(copy, pattern.length);
    made->escape = escape;
    return made;
}

void expression_fields(const struct expression *expression,
                       void (*mark)(void *context, const struct field *field), void *context)
{
    if (expression->field)
        mark(context, expression->field);
    for (size_t i = 0; i < expression->child_count; i++)
        expression_fields(expression->children[i], mark, context);
}

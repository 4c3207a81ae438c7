/* Evaluating predicates over a batch. */
#include <math.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/iceberg/expression.h"

/* NaN equals itself and is greater than every other number. */
static int order_reals(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    return (a > b) - (a < b);
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* A column of nothing but empty texts has no bytes at all. */
static int order_texts(struct slice a, struct slice b)
{
    return a.data && b.data ? slice_compare(a, b) : ORDER(a.length, b.length);
}

static int order_values(const struct column *column, size_t row, const struct column *literals,
                        size_t literal)
{
    switch (column->type->kind) {
    case TYPE_BOOLEAN:
        return ORDER(((const uint8_t *)column->values)[row],
                     ((const uint8_t *)literals->values)[literal]);
    case TYPE_INT:
    case TYPE_DATE:
        return ORDER(column_int(column, row), column_int(literals, literal));
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return ORDER(column_long(column, row), column_long(literals, literal));
    case TYPE_FLOAT:
        return order_reals((double)column_float(column, row),
                           (double)column_float(literals, literal));
    case TYPE_DOUBLE:
        return order_reals(column_double(column, row), column_double(literals, literal));
    case TYPE_DECIMAL:
        return ORDER(column_decimal(column, row), column_decimal(literals, literal));
    case TYPE_UUID:
    case TYPE_FIXED:
        return order_texts(column_fixed(column, row), column_fixed(literals, literal));
    default:
        return order_texts(column_bytes(column, row), column_bytes(literals, literal));
    }
}

/* One pattern element: literal bytes, one character, or any run. */
enum like_element { LIKE_BYTE, LIKE_ONE, LIKE_ANY };

static enum like_element like_next(struct slice pattern, size_t *at, char escape, char *byte)
{
    char c = pattern.data[(*at)++];
    *byte = c;
    if (escape && c == escape && *at < pattern.length) {
        *byte = pattern.data[(*at)++];
        return LIKE_BYTE;
    }
    return c == '%' ? LIKE_ANY : c == '_' ? LIKE_ONE : LIKE_BYTE;
}

/* Greedy with one point to fall back to: the last %. */
static bool like_matches(struct slice text, struct slice pattern, char escape)
{
    size_t at = 0, in = 0, back_pattern = 0, back_text = 0;
    bool can_go_back = false;
    if (text.data == NULL)
        text = SLICE_LITERAL("");
    while (at < text.length || in < pattern.length) {
        size_t next = in;
        char byte;
        if (in < pattern.length) {
            enum like_element element = like_next(pattern, &next, escape, &byte);
            if (element == LIKE_ANY) {
                can_go_back = true;
                back_pattern = next;
                back_text = at;
                in = next;
                continue;
            }
            if (at < text.length && element == LIKE_ONE) {
                size_t width = utf8_character_length(text.data + at, text.length - at);
                at += width ? width : 1;
                in = next;
                continue;
            }
            if (at < text.length && element == LIKE_BYTE && text.data[at] == byte) {
                at++;
                in = next;
                continue;
            }
        }
        if (!can_go_back || back_text >= text.length)
            return false;
        size_t width = utf8_character_length(text.data + back_text, text.length - back_text);
        at = back_text += width ? width : 1;
        in = back_pattern;
    }
    return true;
}

static bool is_in(const struct expression *expression, const struct column *column, size_t row)
{
    for (size_t i = 0; i < expression->literals.length; i++) {
        if (order_values(column, row, &expression->literals, i) == 0)
            return true;
    }
    return false;
}

static uint8_t row_truth(const struct expression *expression, const struct column *column,
                         size_t row)
{
    switch (expression->kind) {
    case EXPRESSION_EQUAL:
        return order_values(column, row, &expression->literals, 0) == 0;
    case EXPRESSION_NOT_EQUAL:
        return order_values(column, row, &expression->literals, 0) != 0;
    case EXPRESSION_LESS:
        return order_values(column, row, &expression->literals, 0) < 0;
    case EXPRESSION_LESS_OR_EQUAL:
        return order_values(column, row, &expression->literals, 0) <= 0;
    case EXPRESSION_GREATER:
        return order_values(column, row, &expression->literals, 0) > 0;
    case EXPRESSION_GREATER_OR_EQUAL:
        return order_values(column, row, &expression->literals, 0) >= 0;
    case EXPRESSION_LIKE:
        return like_matches(column_bytes(column, row), expression->pattern, expression->escape);
    case EXPRESSION_IN:
        if (is_in(expression, column, row))
            return EXPRESSION_TRUE;
        return expression->has_null_literal ? EXPRESSION_NULL : EXPRESSION_FALSE;
    case EXPRESSION_ALWAYS:
        return EXPRESSION_TRUE;
    case EXPRESSION_NEVER:
        return EXPRESSION_FALSE;
    default:
        return EXPRESSION_NULL;
    }
}

static bool evaluate_leaf(const struct expression *expression, const struct batch *batch,
                          uint8_t *truth, struct error *error)
{
    const struct column *column = NULL;
    for (size_t i = 0; i < batch->column_count && column == NULL; i++) {
        if (batch->schema->fields[i].id == expression->field->id)
            column = &batch->columns[i];
    }
    if (column == NULL)
        return error_set(error, ERROR_INTERNAL, NULL, "column %s is not in the batch",
                         expression->field->name);
    bool wants_null = expression->kind == EXPRESSION_IS_NULL;
    bool about_null = wants_null || expression->kind == EXPRESSION_IS_NOT_NULL;
    for (size_t row = 0; row < batch->length; row++) {
        bool null = column_is_null(column, row);
        if (about_null)
            truth[row] = null == wants_null;
        else
            truth[row] = null ? EXPRESSION_NULL : row_truth(expression, column, row);
    }
    return true;
}

/* AND: false wins, then unknown. OR: true wins, then unknown. */
static void fold(enum expression_kind kind, uint8_t *truth, const uint8_t *other, size_t count)
{
    uint8_t winner = kind == EXPRESSION_AND ? EXPRESSION_FALSE : EXPRESSION_TRUE;
    for (size_t row = 0; row < count; row++) {
        if (truth[row] == winner || other[row] == winner)
            truth[row] = winner;
        else if (other[row] == EXPRESSION_NULL)
            truth[row] = EXPRESSION_NULL;
    }
}

bool expression_evaluate(const struct expression *expression, const struct batch *batch,
                         uint8_t *truth, struct error *error)
{
    if (expression->child_count == 0)
        return evaluate_leaf(expression, batch, truth, error);
    TRY(expression_evaluate(expression->children[0], batch, truth, error));
    if (expression->kind == EXPRESSION_NOT) {
        for (size_t row = 0; row < batch->length; row++)
            truth[row] = truth[row] == EXPRESSION_NULL ? EXPRESSION_NULL : !truth[row];
        return true;
    }
    uint8_t *other = memory_zero(batch->length, 1, error);
    bool ok = other != NULL;
    for (size_t i = 1; ok && i < expression->child_count; i++) {
        ok = expression_evaluate(expression->children[i], batch, other, error);
        if (ok)
            fold(expression->kind, truth, other, batch->length);
    }
    free(other);
    return ok;
}

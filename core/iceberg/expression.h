/* expression.h: predicates over rows, with SQL's three-valued logic, bound to the columns of a
 * schema; and what can be said about them from a file's statistics alone.
 *
 * Trees are built here (core/query parses text into them) and live in an arena. Literals are
 * checked and converted when the tree is built: a number is compared by value, whatever its form
 * ("qty < 2.5" on an int column), text is parsed to the column's type. NaN equals itself and is
 * greater than every other number, as in Postgres.
 */
#ifndef SURFBOARD_ICEBERG_EXPRESSION_H
#define SURFBOARD_ICEBERG_EXPRESSION_H

#include "core/iceberg/file.h"

enum expression_kind {
    EXPRESSION_AND,
    EXPRESSION_OR,
    EXPRESSION_NOT,
    EXPRESSION_EQUAL,
    EXPRESSION_NOT_EQUAL,
    EXPRESSION_LESS,
    EXPRESSION_LESS_OR_EQUAL,
    EXPRESSION_GREATER,
    EXPRESSION_GREATER_OR_EQUAL,
    EXPRESSION_IS_NULL,
    EXPRESSION_IS_NOT_NULL,
    EXPRESSION_IN,
    EXPRESSION_LIKE,
    EXPRESSION_NEVER,  /* false for a value, unknown for a null: "int_column = 2.5" */
    EXPRESSION_ALWAYS, /* true for a value, unknown for a null: "int_column < 1e30" */
    EXPRESSION_UNKNOWN /* a comparison with NULL */
};

struct expression {
    enum expression_kind kind;
    const struct expression *const *children; /* and, or: two or more; not: one */
    size_t child_count;
    const struct field *field; /* top-level column; borrowed from the schema bound to */
    struct column literals;    /* of the field's type: one, for IN any number; never null */
    struct slice *values;      /* the same in single-value form, for bounds */
    struct slice pattern;      /* like: % and _ */
    char escape;               /* like: '\0' for none */
    bool has_null_literal;     /* in: a NULL stood in the list */
};

struct expression_builder {
    const struct schema *schema; /* borrowed; must outlive the trees */
    struct arena *arena;         /* owns the trees */
    struct expression **made;    /* for expression_builder_destroy(): literals' memory */
    size_t made_count, made_capacity;
};

/* A literal as it was written. */
enum expression_literal_kind {
    EXPRESSION_LITERAL_NULL,
    EXPRESSION_LITERAL_NUMBER, /* 12, -1.5, 1e30 */
    EXPRESSION_LITERAL_TEXT,   /* the text between the quotes */
    EXPRESSION_LITERAL_BOOLEAN /* true, false */
};
struct expression_literal {
    enum expression_literal_kind kind;
    struct slice text;
};

void expression_builder_destroy(struct expression_builder *builder);
/* All return NULL with an error naming the column: ERROR_NOT_FOUND no such column (with the nearest
 * name), ERROR_USAGE a literal that can't be of the column's type, ERROR_UNSUPPORTED a comparison
 * of lists, maps or structs. */
const struct expression *expression_combine(struct expression_builder *builder,
                                            enum expression_kind kind,
                                            const struct expression *const *children, size_t count,
                                            struct error *error);
const struct expression *expression_compare(struct expression_builder *builder,
                                            enum expression_kind kind, const char *column,
                                            const struct expression_literal *literal,
                                            struct error *error);
const struct expression *expression_is_null(struct expression_builder *builder, const char *column,
                                            bool negated, struct error *error);
const struct expression *expression_in(struct expression_builder *builder, const char *column,
                                       const struct expression_literal *literals, size_t count,
                                       struct error *error);
const struct expression *expression_like(struct expression_builder *builder, const char *column,
                                         struct slice pattern, char escape, struct error *error);

/* SQL's truth values. */
enum expression_truth { EXPRESSION_FALSE = 0, EXPRESSION_TRUE = 1, EXPRESSION_NULL = 2 };

/* The value for each row of a batch that has the expression's columns (found by field id), into
 * truth[batch->length]. */
bool expression_evaluate(const struct expression *expression, const struct batch *batch,
                         uint8_t *truth, struct error *error);
/* Marks the top-level fields that the expression reads: calls `mark` once for each use. */
void expression_fields(const struct expression *expression,
                       void (*mark)(void *context, const struct field *field), void *context);

/* Whether a file may hold a row for which the expression is true; true when in doubt. By column
 * bounds, null and NaN counts, and by the partition values under `spec` (may be NULL). */
bool expression_may_match_file(const struct expression *expression, const struct iceberg_file *file,
                               const struct iceberg_spec *spec);
/* The same for a whole manifest, by the partition summaries of the manifest list. */
bool expression_may_match_manifest(const struct expression *expression,
                                   const struct iceberg_manifest *manifest,
                                   const struct iceberg_spec *spec);
/* The same for what is known of columns otherwise (a row group's statistics): `metric` answers
 * NULL for a column it knows nothing of; `rows` the number of rows. */
bool expression_may_match_metrics(const struct expression *expression, int64_t rows,
                                  const struct iceberg_metric *(*metric)(void *context,
                                                                         int32_t field_id),
                                  void *context);

#endif

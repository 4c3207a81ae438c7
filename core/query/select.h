/* select.h: the SQL of the built-in table scan: predicates, and
 *
 *     SELECT * | count(*) | column, ... FROM table [WHERE predicate] [LIMIT n]
 *
 * A predicate compares columns with literals: = <> != < <= > >=, [NOT] BETWEEN, [NOT] IN, [NOT]
 * LIKE (backslash escapes, or ESCAPE 'c'), IS [NOT] NULL, AND, OR, NOT, parentheses, a boolean
 * column alone. Literals: 12, 1.5e3, 'text', X'00ff', true, false, NULL, and a type before a text
 * (DATE '2024-02-29'). The column's type decides how a literal reads. Names match exactly, or else
 * without regard to case when that is unambiguous; "quoted" ones exactly.
 */
#ifndef SURFBOARD_QUERY_SELECT_H
#define SURFBOARD_QUERY_SELECT_H

#include "core/iceberg/expression.h"

/* ERROR_USAGE says where it stops making sense. The tree belongs to the builder. */
const struct expression *where_parse(struct slice text, struct expression_builder *builder,
                                     struct error *error);

struct select {
    bool all, count;      /* "*", "count(*)" */
    const char **columns; /* as written */
    size_t column_count;
    const char *table;  /* parts joined by dots */
    struct slice where; /* empty: none */
    int64_t limit;      /* -1: none */
};

/* All memory in `arena`. ERROR_UNSUPPORTED for SQL beyond the form above, with the remedy: an
 * engine. */
bool select_parse(struct slice sql, struct arena *arena, struct select *out, struct error *error);

/* The schema's own spelling of a name as written; NULL with ERROR_NOT_FOUND or ERROR_USAGE
 * (ambiguous). */
const char *select_resolve_name(const struct schema *schema, const char *name, bool exact,
                                struct error *error);

#endif

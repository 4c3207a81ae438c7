/* render.h: values of the lake as JSON, for tests that compare rows: integers as numbers, decimals,
 * dates and times as text, bytes and uuids as "\\x" and hexadecimal, lists, maps and structs as
 * such; NaN and infinities as their names. */
#ifndef SURFBOARD_TESTS_RENDER_H
#define SURFBOARD_TESTS_RENDER_H

#include <jansson.h>

#include "core/base/column.h"

/* New references. */
json_t *render_value(const struct column *column, size_t row);
json_t *render_text(struct slice text);
json_t *render_double(double value, bool single);

#endif

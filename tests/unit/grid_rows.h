/* grid_rows.h: rows for tests of the grid, made as a job makes them. */
#ifndef SURFBOARD_TESTS_UNIT_GRID_ROWS_H
#define SURFBOARD_TESTS_UNIT_GRID_ROWS_H

#include "tui/screen/rows.h"

/* Text columns, "number" ones when their name begins with n; values[row * columns + column], NULL
 * for nulls. */
struct rows *grid_rows_of(const char *const *names, size_t columns, const char *const *values,
                          size_t count);
/* `count` rows of `columns` columns: c0 a number, others "row 17 col 3". */
struct rows *grid_rows_many(size_t count, size_t columns);
/* One cell of so many bytes. */
struct rows *grid_rows_large(size_t bytes);

#endif

/* rows.h: seeded random schemas and rows of every type, and their canonical text, shared by unit
 * tests and test programs. The text of a row is a JSON array: dates, times and timestamps as
 * numbers, floats as the hexadecimal of their bits (NaN is "nan"), decimals as text, uuid, fixed
 * and binary as hexadecimal, maps as arrays of pairs, structs as arrays. */
#ifndef SURFBOARD_TESTS_ROWS_H
#define SURFBOARD_TESTS_ROWS_H

#include "core/base/column.h"
#include "core/base/random.h"

/* `columns` fields named c0, c1 ...; the first ones run through all primitive types, the rest are
 * drawn, nested ones up to `depth` deep. Field ids from 1, each used once. */
void rows_random_schema(struct random *random, size_t columns, int depth, struct schema *out);

enum rows_shape {
    ROWS_MIXED,    /* a shape for each column, drawn by its id */
    ROWS_DISTINCT, /* hardly a value twice */
    ROWS_FEW,      /* few distinct values */
    ROWS_NULLS,    /* optional columns all null */
    ROWS_SHAPES
};

/* Appends `count` random rows. */
void rows_random_batch(struct random *random, struct batch *batch, size_t count,
                       enum rows_shape shape);

void rows_print(const struct batch *batch, size_t row, struct buffer *out);

#endif

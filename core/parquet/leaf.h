/* leaf.h: the leaves of a schema as Parquet stores them, and the shredding of nested rows into
 * levels (Dremel); inside core/parquet, writing side. */
#ifndef SURFBOARD_PARQUET_LEAF_H
#define SURFBOARD_PARQUET_LEAF_H

#include "core/base/column.h"
#include "core/parquet/format.h"

struct parquet_leaf {
    const struct field *field;                   /* the leaf itself */
    const struct field *path[PARQUET_MAX_DEPTH]; /* from the top-level field to the leaf */
    uint16_t child[PARQUET_MAX_DEPTH]; /* child[i]: which child of path[i - 1] path[i] is */
    size_t depth;                      /* path entries */
    size_t top;                        /* index of the top-level field */
    uint8_t max_definition;
    uint8_t max_repetition;
    enum parquet_physical physical;
    int32_t width; /* bytes of a FIXED; of the others' PLAIN form; 0 byte array */
};

/* The leaves in schema order, in the arena. */
bool parquet_leaves_list(const struct schema *schema, struct arena *arena,
                         struct parquet_leaf **out, size_t *count, struct error *error);

/* How a primitive type is stored. */
enum parquet_physical parquet_physical_of(const struct type *type, int32_t *width);

/* Rows of a leaf, taken apart. Memory is kept between uses. */
struct parquet_shred {
    const struct column *column; /* the leaf's column */
    size_t levels;               /* entries, nulls included */
    size_t count;                /* present values */
    size_t first;                /* !scattered: they are rows [first, first + count) of `column` */
    bool scattered;              /* else rows[0 .. count) */
    bool uniform;                /* every definition level is the highest: definition is not set */
    uint8_t *definition;
    uint8_t *repetition; /* set when max_repetition > 0 */
    uint64_t *rows;
    size_t definition_capacity;
    size_t repetition_capacity;
    size_t rows_capacity;
};

void parquet_shred_destroy(struct parquet_shred *shred);
/* Takes rows [from, from + count) of the top-level column apart. */
bool parquet_shred_rows(struct parquet_shred *shred, const struct parquet_leaf *leaf,
                        const struct column *top, size_t from, size_t count, struct error *error);

/* Bytes of the leaf's values (nulls as if present) in rows [from, to) of its top-level column. */
uint64_t parquet_leaf_bytes(const struct parquet_leaf *leaf, const struct column *top, size_t from,
                            size_t to);

#endif

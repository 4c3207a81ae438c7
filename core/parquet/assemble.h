/* assemble.h: what a cursor reads, as a tree of the wanted fields beside the stored ones, and the
 * putting together of levels and values into columns; inside core/parquet. */
#ifndef SURFBOARD_PARQUET_ASSEMBLE_H
#define SURFBOARD_PARQUET_ASSEMBLE_H

#include "core/parquet/leaf_reader.h"

struct assembly {
    const struct field *want;
    const struct metadata_node *have; /* NULL: the file lacks it, so it is null */
    size_t reader;                    /* index of a leaf reader: its own, or one below it */
    uint8_t parent_definition;        /* level from which its parent is not null */
    uint8_t slot_definition;          /* level from which it has a place: the entry level of the
                                         innermost list or map around it */
    uint8_t slot_repetition;          /* lists and maps around it */
    struct assembly *children;
    size_t child_count;
};

struct assembler {
    const struct metadata *metadata;
    const struct source *source;
    struct leaf_reader *readers;
    size_t reader_count;
};

/* Puts the values that the assembly's readers have read into `out` (and its children), behind
 * out->length; *slots is how many rows that made. `expected` is that number where it is known. */
bool assemble_column(const struct assembler *assembler, const struct assembly *node,
                     struct column *out, size_t expected, struct error *error);

#endif

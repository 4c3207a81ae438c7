/* footer.h: the file's end as the writer makes it: schema, row groups, page index, metadata; inside
 * core/parquet. */
#ifndef SURFBOARD_PARQUET_FOOTER_H
#define SURFBOARD_PARQUET_FOOTER_H

#include "core/parquet/chunk.h"

struct group_record {
    int64_t rows;
    struct chunk_record *chunks; /* one a leaf */
};

struct footer {
    const struct schema *schema;
    const struct parquet_leaf *leaves;
    size_t leaf_count;
    struct group_record *groups;
    size_t group_count;
    int64_t rows;
    const struct parquet_writer_options *options;
};

/* Column indexes, then offset indexes; sets their places in the chunk records. */
bool footer_write_indexes(struct footer *footer, struct sink *sink, struct error *error);
/* FileMetaData, its length, the magic. */
bool footer_write(const struct footer *footer, struct sink *sink, struct error *error);

#endif

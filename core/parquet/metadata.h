/* metadata.h: a footer taken apart and checked, and page headers; inside core/parquet, reading
 * side. Texts and bounds are slices of the footer's bytes. */
#ifndef SURFBOARD_PARQUET_METADATA_H
#define SURFBOARD_PARQUET_METADATA_H

#include "core/base/stream.h"
#include "core/base/type.h"
#include "core/parquet/format.h"
#include "core/parquet/reader.h"

/* SchemaElement. */
struct metadata_element {
    int32_t physical; /* -1: a group */
    int32_t type_length;
    int32_t repetition; /* -1: none (the root) */
    struct slice name;
    int32_t children;
    int32_t converted; /* -1: none */
    int32_t scale;
    int32_t precision;
    int32_t field_id; /* -1: none */
    int32_t logical;  /* enum parquet_logical */
    bool utc;         /* of a logical time or timestamp */
    int32_t unit;     /* enum parquet_unit, 0 unknown */
    int32_t int_width;
    bool int_signed;
};

struct metadata_statistics {
    bool has_null_count;
    int64_t null_count;
    bool has_distinct_count;
    int64_t distinct_count;
    bool has_legacy; /* min and max: signed byte order for everything */
    struct slice legacy_min, legacy_max;
    bool has_min, has_max; /* min_value, max_value */
    struct slice min, max;
    bool min_exact, max_exact; /* said to be */
};

/* ColumnChunk with its ColumnMetaData. */
struct metadata_chunk {
    bool elsewhere; /* in another file */
    bool encrypted;
    int32_t physical;
    uint32_t encodings; /* bit n: encoding n */
    int32_t codec;
    int64_t values;
    int64_t uncompressed;
    int64_t compressed;
    int64_t data_offset;
    int64_t dictionary_offset; /* -1: none said */
    struct metadata_statistics statistics;
    int64_t offset_index_at; /* -1: none */
    int32_t offset_index_length;
    int64_t column_index_at; /* -1: none */
    int32_t column_index_length;
    int64_t begin; /* checked: pages lie in [begin, begin + compressed) */
};

struct metadata_group {
    int64_t rows;
    int64_t first_row;
    int64_t uncompressed;
    struct metadata_chunk *chunks; /* one a leaf */
};

struct metadata_pair {
    const char *key;
    const char *value; /* NULL: none */
};

/* How a node of the lake's schema is stored. */
struct metadata_node {
    struct field *field; /* in the schema */
    uint8_t definition;  /* level from which it is not null */
    uint8_t entry;       /* list, map: level from which an entry is there */
    uint8_t repetition;  /* list, map: level of its entries */
    size_t leaf;         /* primitive: its leaf; else the first one below */
    struct metadata_node *children;
    size_t child_count;
};

struct metadata_leaf {
    const struct metadata_element *element;
    const struct metadata_node *node;
    uint8_t max_definition;
    uint8_t max_repetition;
    bool ordered; /* column_orders says: by the type's order */
};

struct metadata {
    struct arena arena;
    struct slice footer; /* in the arena */
    int32_t version;
    struct metadata_element *elements;
    size_t element_count;
    int64_t rows;
    struct metadata_group *groups;
    size_t group_count;
    struct metadata_pair *pairs;
    size_t pair_count;
    const char *created_by;
    bool ours;            /* created by a surfboard: its page index is held against every page */
    struct schema schema; /* its memory is in `arena` too */
    bool has_ids;         /* some field has one */
    struct metadata_node root; /* children: the top-level fields */
    struct metadata_leaf *leaves;
    size_t leaf_count;
};

bool metadata_read(struct metadata *metadata, const struct source *source,
                   const struct parquet_limits *limits, struct error *error);
void metadata_destroy(struct metadata *metadata);

/* metadata_tree.c: the nodes, leaves and the lake's schema from the elements. */
bool metadata_build_tree(struct metadata *metadata, const struct source *source,
                         struct error *error);

/* Always false: "NAME: ... at byte N" and the remedy for a damaged file. */
bool metadata_damaged(const struct source *source, uint64_t offset, struct error *error,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

struct page_header {
    int32_t type; /* enum parquet_page, or one we do not know */
    int32_t uncompressed;
    int32_t compressed;
    bool has_crc;
    uint32_t crc;
    int32_t values; /* nulls included; entries of a dictionary page */
    int32_t encoding;
    int32_t definition_encoding;
    int32_t repetition_encoding;
    int32_t nulls;             /* v2 */
    int32_t rows;              /* v2; else -1 */
    int32_t definition_length; /* v2 */
    int32_t repetition_length; /* v2 */
    bool compressed_values;    /* v2 */
    size_t length;             /* of the header itself */
};

/* False when the bytes are no header, or end before it does. */
bool page_header_parse(struct slice bytes, struct page_header *out);

struct page_location {
    int64_t offset;
    int32_t size;
    int64_t first_row;
};

struct page_locations {
    struct page_location *pages;
    size_t count;
};

/* The offset index of a chunk, checked against the chunk's and group's extent, in the arena; count
 * 0 when it has none. */
bool metadata_read_locations(const struct metadata_chunk *chunk, int64_t group_rows,
                             const struct source *source, struct arena *arena,
                             struct page_locations *out, struct error *error);

#endif

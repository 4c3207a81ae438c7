/* schema.h: Avro schemas (Avro 1.11 specification), with the attributes that Iceberg adds:
 * field-id, element-id, key-id, value-id and logicalType. A parsed schema is a tree in an arena;
 * named types may refer back to themselves, so walks carry a depth. */
#ifndef SURFBOARD_AVRO_SCHEMA_H
#define SURFBOARD_AVRO_SCHEMA_H

#include <stdint.h>

#include "core/base/arena.h"

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED
};

struct avro_type;

struct avro_field {
    const char *name;
    int32_t id; /* Iceberg's field-id; -1 when absent */
    const struct avro_type *type;
};

struct avro_type {
    enum avro_kind kind;
    const char *name;    /* of record, enum, fixed; else NULL */
    const char *logical; /* logicalType; NULL when absent */
    int32_t precision, scale;
    bool adjust_to_utc;
    size_t size;               /* fixed: bytes */
    struct avro_field *fields; /* record */
    size_t field_count;
    const struct avro_type **branches; /* union; array and map: [0] = item */
    size_t branch_count;
    const char **symbols; /* enum */
    size_t symbol_count;
    int32_t element_id, key_id, value_id; /* -1 when absent */
};

struct avro_schema {
    const struct avro_type *root;
    struct arena arena;
};

/* ERROR_INPUT when the text is no Avro schema (or nests deeper than 64). */
bool avro_schema_parse(struct slice json, struct avro_schema *out, struct error *error);
void avro_schema_destroy(struct avro_schema *schema);

/* The field of a record with this Iceberg id; NULL when absent or when `type` is no record. */
const struct avro_field *avro_field_by_id(const struct avro_type *type, int32_t id);
/* For [null, T] and [T, null]: T, and which branch null is (0 or 1); NULL for other types. */
const struct avro_type *avro_optional(const struct avro_type *type, int *null_branch);

#endif

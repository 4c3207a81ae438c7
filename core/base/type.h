/* type.h: the logical types of the lake (Iceberg spec, "Schemas and Data Types"), shared by
 * parquet, avro, iceberg, change, merge and query.
 *
 * A schema is a list of fields; every field (and every list element, map key and value, struct
 * member) has an id that never changes. All memory of a schema lives in its arena.
 */
#ifndef SURFBOARD_BASE_TYPE_H
#define SURFBOARD_BASE_TYPE_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"

enum type_kind {
    TYPE_BOOLEAN,
    TYPE_INT,  /* 32 bits */
    TYPE_LONG, /* 64 bits */
    TYPE_FLOAT,
    TYPE_DOUBLE,
    TYPE_DECIMAL,     /* precision 1..38, 0 <= scale <= precision */
    TYPE_DATE,        /* days since 1970-01-01 */
    TYPE_TIME,        /* microseconds since midnight */
    TYPE_TIMESTAMP,   /* microseconds since 1970-01-01, no zone */
    TYPE_TIMESTAMPTZ, /* microseconds since 1970-01-01 UTC */
    TYPE_STRING,
    TYPE_UUID,
    TYPE_FIXED, /* `length` bytes */
    TYPE_BINARY,
    TYPE_LIST,   /* fields[0] = element */
    TYPE_MAP,    /* fields[0] = key, fields[1] = value */
    TYPE_STRUCT, /* fields = members */
    TYPE_KINDS
};

struct field;

struct type {
    enum type_kind kind;
    int32_t precision; /* decimal */
    int32_t scale;     /* decimal */
    int32_t length;    /* fixed */
    struct field *fields;
    size_t field_count;
};

struct field {
    int32_t id;
    bool required;
    const char *name;
    const char *doc; /* NULL when absent */
    struct type type;
};

struct schema {
    int32_t id;
    struct field *fields;
    size_t field_count;
    int32_t *identifier_ids; /* Iceberg's identifier-field-ids */
    size_t identifier_count;
    struct arena arena;
};

void schema_destroy(struct schema *schema);
/* Deep copy into a fresh schema. */
bool schema_copy(struct schema *out, const struct schema *schema, struct error *error);
/* Top-level field by name (exact) or id; NULL when absent. */
const struct field *schema_field(const struct schema *schema, const char *name);
const struct field *schema_field_by_id(const struct schema *schema, int32_t id);
/* Any field by id, nested ones included. */
const struct field *schema_find_id(const struct schema *schema, int32_t id);
/* The highest id in use, nested ones included; 0 when empty. */
int32_t schema_highest_id(const struct schema *schema);

bool type_equal(const struct type *a, const struct type *b); /* names, ids, docs aside */
bool type_is_nested(const struct type *type);                /* list, map, struct */
/* Deep copy into an arena. */
bool type_copy(struct type *out, const struct type *type, struct arena *arena, struct error *error);

/* Bytes of one value in a column's `values` array (column.h): boolean 1, int and date and float 4,
 * long, double, time, timestamps 8, decimal and uuid 16, fixed its length; 0 for string, binary
 * and nested types. */
size_t type_width(const struct type *type);

/* Iceberg's text form ("decimal(12,2)", "fixed[16]", "timestamptz", "list<string>" ...). Nested
 * types print for people: list<T>, map<K,V>, struct<a: T, ...>. */
bool type_print(const struct type *type, struct buffer *out, struct error *error);
/* Parses the text form of a primitive type (as in table metadata). ERROR_UNSUPPORTED for others. */
bool type_parse_primitive(const char *text, struct type *out, struct error *error);

#endif

/* schema.h: schemas and partition specs in Iceberg's JSON form (spec, appendix C), and the rules of
 * schema evolution. */
#ifndef SURFBOARD_ICEBERG_SCHEMA_H
#define SURFBOARD_ICEBERG_SCHEMA_H

#include <jansson.h>

#include "core/base/column.h"
#include "core/base/type.h"

/* ERROR_INPUT when malformed, ERROR_UNSUPPORTED for types this program does not know (variant,
 * nanosecond timestamps, ...), each naming the column. */
bool iceberg_schema_from_json(const json_t *json, struct schema *out, struct error *error);
/* New reference. `previous` (may be NULL): a JSON schema whose unknown attributes of fields with
 * the same id are carried over. */
json_t *iceberg_schema_to_json(const struct schema *schema, const json_t *previous,
                               struct error *error);

/* Gives every field whose id is <= 0 the next id above *last_id, nested ones included (top level
 * first, then inside, as Iceberg's writers do). */
bool iceberg_schema_assign_ids(struct schema *schema, int32_t *last_id, struct error *error);

/* Whether files written under `from` can be read as `to`: same id means same column (dropped and
 * added ones are fine; added ones must be optional; int->long, float->double, wider decimals; never
 * optional->required; never an id that `last_id` has passed and `from` does not have).
 * ERROR_UNSUPPORTED names the column and the remedy. */
bool iceberg_schema_check_evolution(const struct schema *from, const struct schema *to,
                                    int32_t last_id, struct error *error);

/* Whether a value of type `from` may be read as `to` (equal, or a legal promotion). */
bool iceberg_type_promotes(const struct type *from, const struct type *to);

enum iceberg_transform {
    ICEBERG_IDENTITY,
    ICEBERG_BUCKET,   /* argument: buckets */
    ICEBERG_TRUNCATE, /* argument: width */
    ICEBERG_YEAR,
    ICEBERG_MONTH,
    ICEBERG_DAY,
    ICEBERG_HOUR,
    ICEBERG_VOID,
    ICEBERG_TRANSFORM_UNKNOWN /* a newer one: files are read, never pruned by it, never written */
};

struct iceberg_partition_field {
    int32_t source_id;
    int32_t field_id; /* >= 1000 */
    const char *name;
    enum iceberg_transform transform;
    int32_t argument;
    struct type source_type; /* of the column, as far as any schema of the table knows it */
    struct type type;        /* of the partition value; string when unknown */
};

struct iceberg_spec {
    int32_t id;
    struct iceberg_partition_field *fields;
    size_t field_count;
};

/* One value in Iceberg's single-value binary form (spec, appendix D), or null. */
struct iceberg_value {
    bool present;
    struct slice bytes;
};

/* Applies a transform to a value in single-value form; the result lies in `arena`. */
bool iceberg_transform_apply(const struct iceberg_partition_field *field,
                             struct iceberg_value value, struct arena *arena,
                             struct iceberg_value *out, struct error *error);
/* The 32-bit hash below bucket[N]. ERROR_UNSUPPORTED for types that have none. */
bool iceberg_bucket_hash(const struct type *type, struct slice value, int32_t *out,
                         struct error *error);

/* Row `row` of a column in single-value form, appended to `out`; the caller handles nulls. */
bool iceberg_value_from_column(const struct column *column, size_t row, struct buffer *out,
                               struct error *error);
/* Appends the value to a column of type `type`; widths of types before a promotion (4-byte long,
 * 4-byte double) are widened. ERROR_INPUT when the length is impossible. */
bool iceberg_value_to_column(const struct type *type, struct slice value, struct column *out,
                             struct error *error);
/* Order of two values of this type, each possibly of the narrower width: <0, 0, >0. Strings and
 * binary by unsigned bytes. False (and no error) when either can't be one, or is NaN. */
bool iceberg_value_compare(const struct type *type, struct slice a, struct slice b, int *order);
/* For people: dates, times and decimals as text, binary as hex. */
bool iceberg_value_print(const struct type *type, struct slice value, struct buffer *out,
                         struct error *error);

#endif

/* spec.h: partition specs in JSON form. Private to core/iceberg. */
#ifndef SURFBOARD_ICEBERG_SPEC_H
#define SURFBOARD_ICEBERG_SPEC_H

#include "core/iceberg/schema.h"

/* Reads the fields array of one spec. `schemas`: where the types of source columns are looked for,
 * the first one that has the column. All memory from `arena`. */
bool iceberg_spec_read(const json_t *fields, const struct schema *current,
                       const struct schema *schemas, size_t schema_count, struct arena *arena,
                       struct iceberg_spec *out, struct error *error);

#endif

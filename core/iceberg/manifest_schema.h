/* manifest_schema.h: the Avro schemas of manifests and manifest lists (format version 2), with
 * every id the spec asks for. Private to core/iceberg. */
#ifndef SURFBOARD_ICEBERG_MANIFEST_SCHEMA_H
#define SURFBOARD_ICEBERG_MANIFEST_SCHEMA_H

#include "core/iceberg/schema.h"

extern const char manifest_list_schema[];

/* Appends the schema text for manifests of this spec. ERROR_UNSUPPORTED for a transform that is
 * not known. */
bool manifest_schema_text(const struct iceberg_spec *spec, struct buffer *out, struct error *error);
/* Appends one partition value, or null, in the encoding of that schema. */
bool manifest_put_partition(const struct type *type, const struct iceberg_value *value,
                            struct buffer *out, struct error *error);

#endif

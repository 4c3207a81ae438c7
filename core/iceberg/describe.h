/* describe.h: metadata files, manifest lists, manifests and other Avro files as JSON for people
 * (`surfboard peek`). */
#ifndef SURFBOARD_ICEBERG_DESCRIBE_H
#define SURFBOARD_ICEBERG_DESCRIBE_H

#include <jansson.h>

#include "core/base/stream.h"

/* {"kind": "manifest" | "manifest-list" | "avro", "metadata": {…}, "records": [… at most limit],
 * "more": true when cut}. New reference. Bounds are shown by their column's type. */
bool iceberg_describe_avro(const struct source *source, size_t limit, json_t **out,
                           struct error *error);
/* {"kind": "table-metadata", "location", "format_version", "uuid", "snapshots": N, "current":
 * {…}, "schema": [{id, name, type, required}], …, "properties"}. */
bool iceberg_describe_metadata(struct slice json, const char *name, json_t **out,
                               struct error *error);

#endif

/* statistics.h: what a written Parquet file tells its manifest (Iceberg spec, "Column statistics"):
 * counts for each column, bounds cut to 16 code points or bytes. */
#ifndef SURFBOARD_ICEBERG_STATISTICS_H
#define SURFBOARD_ICEBERG_STATISTICS_H

#include "core/iceberg/file.h"
#include "core/parquet/writer.h"

enum { ICEBERG_BOUND_LENGTH = 16, ICEBERG_BOUND_COLUMNS = 100 };

/* Field ids of position delete files. */
enum { ICEBERG_DELETE_PATH_ID = 2147483546, ICEBERG_DELETE_POSITION_ID = 2147483545 };

/* Describes an unpartitioned data file of `schema` (types decide how bounds are cut); set spec_id
 * and partition afterwards where the table has them. All memory from `arena`. Bounds are given for
 * the first ICEBERG_BOUND_COLUMNS leaves and for identifier columns; nested leaves get counts
 * only. */
bool iceberg_file_from_facts(const struct parquet_file_facts *facts, const struct schema *schema,
                             const char *path, struct arena *arena, struct iceberg_file *out,
                             struct error *error);

/* Cuts a bound; an upper bound is raised so that it stays one. *present = false when there is none
 * of that length. Types other than string and binary stay whole. */
bool iceberg_bound_cut(const struct type *type, struct slice value, bool upper, struct arena *arena,
                       struct iceberg_value *out, struct error *error);

#endif

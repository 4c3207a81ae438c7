/* scan_internal.h: what the files of the scan share. Private to core/iceberg. */
#ifndef SURFBOARD_ICEBERG_SCAN_INTERNAL_H
#define SURFBOARD_ICEBERG_SCAN_INTERNAL_H

#include "core/base/map.h"
#include "core/iceberg/scan.h"

/* ERROR_UNSUPPORTED, naming file and format, for files this program does not read. */
bool scan_check_format(const struct iceberg_file *file, struct error *error);

/* Opens any Parquet file that a manifest names; its length must be what the manifest says. Both
 * must be closed, reader first. */
bool scan_open_parquet(const struct iceberg_table *table, const struct iceberg_file *file,
                       struct source *source, struct parquet_reader **reader, struct error *error);

/* Appends the rows of a deletion vector blob (spec, "Deletion Vectors"), ascending. ERROR_INPUT
 * when it is damaged, or has more than `most`. */
bool scan_read_vector(struct slice blob, const char *name, size_t most,
                      struct iceberg_positions *positions, struct error *error);

/* Position delete files about several data files are read once for a scan. */
struct position_cache {
    struct map files;   /* path of the delete file -> struct position_file */
    size_t held, limit; /* positions held; beyond the limit files are read again each time */
};
void position_cache_destroy(struct position_cache *cache);
bool position_cache_add(struct position_cache *cache, const struct iceberg_table *table,
                        const struct iceberg_file *deletes, const struct iceberg_file *data,
                        struct iceberg_positions *positions, struct error *error);

/* The values that one equality delete file deletes. */
struct equality_set;
bool equality_set_load(const struct iceberg_table *table, const struct schema *rows,
                       const struct iceberg_file *deletes, struct equality_set **out,
                       struct error *error);
void equality_set_destroy(struct equality_set *set);
/* Clears keep[row] where the row's values are in the set. The batch must have its columns. */
bool equality_set_apply(const struct equality_set *set, const struct batch *batch, uint8_t *keep,
                        struct error *error);
/* The field that an equality id names: in `rows`, else in any schema of the table. */
const struct field *equality_field(const struct iceberg_table *table, const struct schema *rows,
                                   const struct iceberg_file *deletes, int32_t id,
                                   struct error *error);

/* Puts the reader on rows [first, first + count). */
bool scan_file_seek(struct iceberg_file_reader *reader, int64_t first, int64_t count,
                    struct error *error);
const struct parquet_reader *scan_file_parquet(const struct iceberg_file_reader *reader);

#endif

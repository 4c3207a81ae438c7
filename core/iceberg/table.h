/* table.h: a table's metadata file, loaded (Iceberg spec, "Table Metadata"), and its snapshots.
 *
 * The JSON is kept whole: whoever changes it changes members in place, so that what this program
 * does not know survives (statistics, refs, v3 members, ...). Versions 1, 2 and 3 are read.
 *
 * Paths in metadata are full URIs. When the metadata's own `location` is not where the table was
 * opened (a moved or copied table, s3:// files in a folder), paths below `location` are looked for
 * below the place where it was opened. */
#ifndef SURFBOARD_ICEBERG_TABLE_H
#define SURFBOARD_ICEBERG_TABLE_H

#include <jansson.h>

#include "core/base/map.h"
#include "core/base/type.h"
#include "core/iceberg/schema.h"
#include "core/store/store.h"

struct iceberg_snapshot {
    int64_t id;
    int64_t parent_id; /* -1 none */
    int64_t sequence_number;
    int64_t timestamp_ms;
    int32_t schema_id;         /* -1: not recorded, the table's current one counts */
    const char *manifest_list; /* NULL in v1 tables that list manifests inline */
    const json_t *json;        /* the whole object, borrowed from the table */
};

struct iceberg_table {
    json_t *metadata;
    char *metadata_location; /* the metadata file, as the catalog or the caller named it; or NULL */
    char *location;          /* as the metadata says; no slash at the end */
    char *namespace_name;    /* as the catalog knows it; NULL when opened by URI */
    char *name;
    struct store *store;         /* rooted where the table was opened; owned */
    struct store *outside_store; /* rooted at "/" or the bucket, for files elsewhere; owned */
    struct schema *schemas;      /* all, in the order of the metadata */
    size_t schema_count;
    const struct schema *schema; /* the current one, one of `schemas` */
    struct iceberg_spec *specs;
    size_t spec_count;
    const struct iceberg_spec *spec;    /* the default one */
    struct iceberg_snapshot *snapshots; /* in the order of the metadata */
    size_t snapshot_count;
    struct map snapshot_index; /* by id */
    int64_t snapshot_id;       /* current; -1 none */
    int64_t last_sequence_number;
    int32_t last_column_id;
    int format_version;
    const char *uuid;  /* "" when a v1 table has none */
    int64_t loaded_ms; /* wall clock at loading: a stalled writer can tell */
    struct arena arena;
};

/* Parses metadata JSON (gzip-compressed too). `metadata_location`: where it was read, a path or
 * URI ending in "/metadata/<file>", from which the table's store is opened. NULL: the metadata
 * alone, without a store (`store` is NULL then, and no file can be opened). */
bool iceberg_table_parse(struct slice json, const char *metadata_location,
                         struct iceberg_table *out, struct error *error);
void iceberg_table_destroy(struct iceberg_table *table); /* a zeroed one is fine */

/* Opens a table by URI, for reading: a metadata file (…/metadata/x.metadata.json), or a table
 * folder (version-hint.text and v<N> names first, else the one `<digits>-<uuid>` metadata file of
 * the highest number; two of the same number are ERROR_CONFLICT, with the names). */
bool iceberg_table_open(const char *uri, struct iceberg_table *out, struct error *error);

/* Whether what is written to the table is flushed (the default): opens its store anew. */
bool iceberg_table_set_durable(struct iceberg_table *table, bool durable, struct error *error);

/* Where a path of the metadata is: which store, and its key there (in `key`, cleared first). */
bool iceberg_table_resolve(const struct iceberg_table *table, const char *path,
                           struct store **store, struct buffer *key, struct error *error);
/* Opens a file that the metadata names. Close with store_source_close(). */
bool iceberg_table_source(const struct iceberg_table *table, const char *path, struct source *out,
                          struct error *error);
/* The full URI that is written for a key below the table ("data/x.parquet"); in `arena`. */
const char *iceberg_table_uri(const struct iceberg_table *table, const char *key,
                              struct arena *arena, struct error *error);

/* NULL when absent. */
const char *iceberg_table_property(const struct iceberg_table *table, const char *key);
const struct schema *iceberg_table_schema(const struct iceberg_table *table, int32_t schema_id);
const struct iceberg_spec *iceberg_table_spec(const struct iceberg_table *table, int32_t spec_id);

/* False when the table has no such snapshot (no error is set). */
bool iceberg_snapshot_find(const struct iceberg_table *table, int64_t id,
                           struct iceberg_snapshot *out);
/* A value of the summary, "operation" included; NULL when absent. */
const char *iceberg_snapshot_summary(const struct iceberg_snapshot *snapshot, const char *key);
/* The snapshot that was current at a time, by the snapshot log; ERROR_NOT_FOUND before the first.
 */
bool iceberg_snapshot_as_of(const struct iceberg_table *table, int64_t time_ms,
                            struct iceberg_snapshot *out, struct error *error);
/* A branch or tag. */
bool iceberg_snapshot_ref(const struct iceberg_table *table, const char *name,
                          struct iceberg_snapshot *out);
/* Whether `ancestor` is `descendant` or one of its parents, as far as the metadata still knows. */
bool iceberg_snapshot_descends(const struct iceberg_table *table, int64_t descendant,
                               int64_t ancestor);
/* The nearest snapshot from `from` (-1: current) upwards whose summary has `key`. */
bool iceberg_snapshot_nearest(const struct iceberg_table *table, int64_t from, const char *key,
                              struct iceberg_snapshot *out);
/* The schema that a snapshot's rows are shown with. */
const struct schema *iceberg_snapshot_schema(const struct iceberg_table *table,
                                             const struct iceberg_snapshot *snapshot);

#endif

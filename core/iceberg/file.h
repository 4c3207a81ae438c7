/* file.h: the files of a snapshot: manifest lists, manifests and their entries (Iceberg spec,
 * "Manifests", "Manifest Lists"; sequence number inheritance included). */
#ifndef SURFBOARD_ICEBERG_FILE_H
#define SURFBOARD_ICEBERG_FILE_H

#include "core/iceberg/table.h"

enum iceberg_content {
    ICEBERG_DATA = 0,
    ICEBERG_POSITION_DELETES = 1, /* deletion vectors too: format PUFFIN */
    ICEBERG_EQUALITY_DELETES = 2
};

enum iceberg_status { ICEBERG_EXISTING = 0, ICEBERG_ADDED = 1, ICEBERG_DELETED = 2 };

/* What is known of one leaf column in one file; -1 for a count that is not. Bounds are in
 * single-value form and may be looser than the truth. */
struct iceberg_metric {
    int32_t field_id;
    int64_t column_size, value_count, null_count, nan_count;
    struct iceberg_value lower, upper;
};

struct iceberg_file {
    enum iceberg_content content;
    enum iceberg_status status;
    const char *path;   /* full URI as in the metadata */
    const char *format; /* "PARQUET", "ORC", "AVRO", "PUFFIN" */
    int32_t spec_id;
    struct iceberg_value *partition; /* one for each field of the spec */
    size_t partition_count;
    int64_t record_count;
    int64_t size;                   /* bytes */
    struct iceberg_metric *metrics; /* by ascending field id */
    size_t metric_count;
    int64_t *split_offsets;
    size_t split_count;
    int32_t *equality_ids;
    size_t equality_count;
    int32_t sort_order_id;                /* -1 null */
    const char *referenced_data_file;     /* NULL when absent */
    int64_t content_offset, content_size; /* -1 null; deletion vectors */
    int64_t first_row_id;                 /* -1 null; v3 */
    struct slice key_metadata;            /* empty when null */
    int64_t snapshot_id;                  /* that added (or, DELETED, removed) it */
    int64_t sequence_number;              /* data sequence number, inherited ones filled in */
    int64_t file_sequence_number;
    const char *manifest_path; /* where its entry stands; NULL for a file not committed yet */
};

struct iceberg_partition_summary {
    bool contains_null;
    int contains_nan; /* 0, 1, or -1 not known */
    struct iceberg_value lower, upper;
};

struct iceberg_manifest {
    const char *path;
    int64_t length;
    int32_t spec_id;
    bool deletes; /* content: delete files */
    int64_t sequence_number, min_sequence_number;
    int64_t added_snapshot_id;
    int64_t added_files, existing_files, deleted_files; /* -1 when a v1 list has none */
    int64_t added_rows, existing_rows, deleted_rows;
    struct iceberg_partition_summary *partitions;
    size_t partition_count;
    struct slice key_metadata; /* empty when null */
    int64_t first_row_id;      /* -1 null; v3 */
};

struct iceberg_manifest_list {
    struct iceberg_manifest *items;
    size_t count;
    struct arena arena;
};

struct iceberg_file_list {
    struct iceberg_file *items;
    size_t count, capacity;
    struct arena arena;
};

void iceberg_manifest_list_destroy(struct iceberg_manifest_list *list);
void iceberg_file_list_destroy(struct iceberg_file_list *list);

/* The manifests of a snapshot (-1: the current one; none: an empty list). */
bool iceberg_snapshot_manifests(const struct iceberg_table *table, int64_t snapshot_id,
                                struct iceberg_manifest_list *out, struct error *error);
/* Appends the entries of one manifest; `live_only` leaves DELETED ones out. */
bool iceberg_manifest_files(const struct iceberg_table *table,
                            const struct iceberg_manifest *manifest, bool live_only,
                            struct iceberg_file_list *out, struct error *error);
/* All live files of a snapshot, data and deletes. */
bool iceberg_snapshot_files(const struct iceberg_table *table, int64_t snapshot_id,
                            struct iceberg_file_list *out, struct error *error);

/* NULL when the file has nothing on that column. */
const struct iceberg_metric *iceberg_file_metric(const struct iceberg_file *file, int32_t field_id);
/* The one data file a position delete file or deletion vector is about (referenced_data_file, or
 * equal bounds of file_path); {NULL, 0} when it may be about several. */
struct slice iceberg_file_scope(const struct iceberg_file *file);
/* Whether the delete file may apply to the data file, by sequence number, spec, partition and
 * scope (spec, "Scan Planning"). */
bool iceberg_delete_applies(const struct iceberg_table *table, const struct iceberg_file *deletes,
                            const struct iceberg_file *data);

/* Deep copy into an arena. */
bool iceberg_file_copy(struct iceberg_file *out, const struct iceberg_file *file,
                       struct arena *arena, struct error *error);

#endif

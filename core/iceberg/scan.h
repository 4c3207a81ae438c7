/* scan.h: reading a table: plan the files of a snapshot, apply deletes, hand out batches (Iceberg
 * spec, "Scan Planning", "Delete Formats").
 *
 * Columns are matched by field id, so files written before a rename, drop, addition or promotion
 * read right; the schema is that of the snapshot (of the table now, for the current one). Data
 * files must be Parquet; any other format is ERROR_UNSUPPORTED naming file and format before the
 * first row is handed out. Position deletes, deletion vectors (v3) and equality deletes apply by
 * the sequence rules.
 */
#ifndef SURFBOARD_ICEBERG_SCAN_H
#define SURFBOARD_ICEBERG_SCAN_H

#include <stdatomic.h>

#include "core/iceberg/expression.h"
#include "core/parquet/reader.h"

/* ---- the plan: which data files, and which deletes hit each ---- */

struct iceberg_scan_task {
    const struct iceberg_file *data;
    const struct iceberg_file **deletes; /* in the order of the manifests */
    size_t delete_count;
};

struct iceberg_plan {
    struct iceberg_file_list files;
    struct iceberg_scan_task *tasks; /* sorted by nothing: the order of the manifests */
    size_t task_count;
    size_t data_files; /* before pruning */
    struct arena arena;
};

/* snapshot_id -1: the current one (no snapshot: an empty plan). `where` NULL: all files. */
bool iceberg_plan_make(const struct iceberg_table *table, int64_t snapshot_id,
                       const struct expression *where, struct iceberg_plan *out,
                       struct error *error);
void iceberg_plan_destroy(struct iceberg_plan *plan);

/* ---- row numbers that are deleted ---- */

struct iceberg_positions {
    int64_t *rows; /* ascending, distinct */
    size_t count, capacity;
};

/* Adds the rows of `data` that one position delete file or deletion vector names (call
 * iceberg_positions_settle() after the last one). */
bool iceberg_positions_add(const struct iceberg_table *table, const struct iceberg_file *deletes,
                           const struct iceberg_file *data, struct iceberg_positions *positions,
                           struct error *error);
/* Sorts and makes distinct; ERROR_INPUT when a row is outside the file. */
bool iceberg_positions_settle(struct iceberg_positions *positions, const struct iceberg_file *data,
                              struct error *error);
void iceberg_positions_destroy(struct iceberg_positions *positions);

/* ---- one data file ---- */

struct iceberg_file_reader;

/* Opens a data file for reading rows of `projection` (which must outlive it). A file shorter or
 * longer than its manifest says is ERROR_INPUT. */
struct iceberg_file_reader *iceberg_file_open(const struct iceberg_table *table,
                                              const struct iceberg_file *data,
                                              const struct schema *projection, struct error *error);
void iceberg_file_close(struct iceberg_file_reader *reader);
/* Streams rows from the present one on: clears `out`, fills up to `max_rows`; *first_row is the
 * file's row number of the first (they are consecutive). No deletes are applied. 0 rows at the
 * end. */
bool iceberg_file_next(struct iceberg_file_reader *reader, struct batch *out, size_t max_rows,
                       int64_t *first_row, struct error *error);
/* Appends exactly these rows (ascending) to `out`, a batch of the projection. */
bool iceberg_file_rows(struct iceberg_file_reader *reader, const int64_t *rows, size_t count,
                       struct batch *out, struct error *error);

/* ---- the whole table ---- */

struct iceberg_scan_options {
    int64_t snapshot_id;        /* -1: current */
    const char *const *columns; /* top-level names, in the order wanted; NULL: all */
    size_t column_count;
    const struct expression *where; /* bound to iceberg_scan_row_schema() */
    const atomic_bool *stop;        /* polled; NULL: never */
};

struct iceberg_scan;

/* The schema that rows of this snapshot have (-1: current). NULL with ERROR_NOT_FOUND when there is
 * no such snapshot. */
const struct schema *iceberg_scan_row_schema(const struct iceberg_table *table, int64_t snapshot_id,
                                             struct error *error);
/* Plans. The table, `where` and its schema must outlive the scan. */
struct iceberg_scan *iceberg_scan_open(const struct iceberg_table *table,
                                       const struct iceberg_scan_options *options,
                                       struct error *error);
void iceberg_scan_close(struct iceberg_scan *scan);
/* The columns handed out, in order. */
const struct schema *iceberg_scan_schema(const struct iceberg_scan *scan);
const struct iceberg_plan *iceberg_scan_plan(const struct iceberg_scan *scan);
/* The next rows; *out is borrowed until the next call; NULL at the end. */
bool iceberg_scan_next(struct iceberg_scan *scan, const struct batch **out, struct error *error);
/* Counts rows: from the manifests where no delete and no predicate asks for more. Uses the scan
 * up. */
bool iceberg_scan_count(struct iceberg_scan *scan, int64_t *rows, struct error *error);

#endif

/* lag_table.h: what a table of the lake says about itself, for lag and the screen: kept as long as
 * the catalog points to the same metadata file, so that an unchanged table is not read again. */
#ifndef SURFBOARD_PIPELINE_LAG_TABLE_H
#define SURFBOARD_PIPELINE_LAG_TABLE_H

#include <jansson.h>

#include "core/base/error.h"
#include "core/pipeline/pipeline.h"

struct catalog;

enum { LAG_SNAPSHOTS_MOST = 256 };

/* A snapshot by its summary; -1: it does not say. */
struct lag_snapshot {
    int64_t id, at_ms, batch;
    int64_t rows;    /* that its batch inserted, updated and deleted, net; 0 for what is no batch */
    bool rows_exact; /* false: taken from what was written, by another version or program */
    int64_t files, bytes; /* added */
    char operation[16];
};

struct lag_table {
    const struct stream_table *table; /* of the pipeline */
    bool there;
    char *pointer; /* the metadata file that the rest was read from; NULL: none yet */
    int64_t batch, newest_ms;
    json_t *watermark;                                 /* {topic: {partition: next}}; NULL */
    int64_t rows;                                      /* in it now; -1: not known */
    struct lag_snapshot snapshots[LAG_SNAPSHOTS_MOST]; /* the last ones, the newest first */
    size_t snapshot_count;
    uint64_t version; /* rises when it is read anew */
    /* Its delta files, and the oldest change in them that is not merged: looked for again when
     * files or table changed. */
    uint64_t files; /* which there are, by name, size and time */
    uint64_t oldest_files, oldest_version;
    bool oldest_known;
    double oldest_s;
};

/* All tables of a session by stream_table; zero-initialise. */
struct lag_tables {
    struct lag_table **tables; /* in the order in which they were asked for */
    size_t count, capacity;
};

void lag_tables_destroy(struct lag_tables *tables);
/* NULL when it was never asked for. */
const struct lag_table *lag_tables_find(const struct lag_tables *tables,
                                        const struct stream_table *table);
/* Its entry, made when there is none; NULL: no memory. */
struct lag_table *lag_tables_entry(struct lag_tables *tables, const struct stream_table *table,
                                   struct error *error);
/* As the catalog has it now. A table that is not there is no error: `there` says so. */
bool lag_tables_look(struct lag_tables *tables, struct catalog *catalog, const char *namespace_name,
                     const struct stream_table *table, struct lag_table **out, struct error *error);

#endif

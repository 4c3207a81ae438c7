/* merge.h: the merge engine (design.md section 5): delta files of a stream in, one commit of all
 * its Iceberg tables out, with the watermark in it.
 *
 * A batch is: list and scan behind the watermark, cut at a transaction boundary, keep the last
 * event of each key, find the rows that they replace, write new rows and position deletes, commit.
 * Nothing is visible before the commit and nothing is lost after it: a batch that dies anywhere is
 * simply run again. The same input gives the same rows however it is cut into batches.
 *
 *     struct merge *merge = merge_open(&stream, &options, &error);
 *     do { merge_batch(merge, &summary, &error) } while (summary.more);
 *     merge_close(merge);
 *
 * One struct merge belongs to one thread; several streams may be merged at once by several of them.
 */
#ifndef SURFBOARD_MERGE_MERGE_H
#define SURFBOARD_MERGE_MERGE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/iceberg/catalog.h"

struct change_table;

enum merge_bad_input {
    MERGE_BAD_INPUT_STOP,      /* ERROR_INPUT; nothing is committed */
    MERGE_BAD_INPUT_QUARANTINE /* the line goes to <table>/quarantine with its reason, and is
                                  counted */
};
enum merge_gap {
    MERGE_GAP_STOP,  /* wait gap_wait_ms, list again, then ERROR_INPUT */
    MERGE_GAP_ACCEPT /* go on behind it, and count it */
};
enum merge_unknown {
    MERGE_UNKNOWN_IGNORE, /* members that the schema does not name are counted */
    MERGE_UNKNOWN_STOP    /* ... are ERROR_INPUT */
};

/* One source table and where it goes. All of it is borrowed for the life of the struct merge. */
struct merge_table {
    const char *name;                 /* in messages and in the summary's "snapshot" */
    const struct change_table *table; /* columns, key, replica identity */
    const char *deltas;               /* URI of the topic's folder; its last part is the topic */
    bool deltas_optional;             /* an absent folder is a table without events yet */
    struct catalog_ident ident;
    const char *location; /* for a new table; NULL: the catalog's choice */
};

struct merge_stream {
    const char *name;
    struct catalog *catalog;
    const struct merge_table *tables;
    size_t table_count;
    const char *transactions; /* URI of {prefix}.transaction; NULL: the cut is per table */
    const char *records;      /* URI for batch-<id>.json: needed by several tables in a catalog that
                                 can't commit them at once; else NULL */
};

struct merge_options {
    uint64_t memory;    /* bytes for keys and row images; 0: 512 MiB. A batch that would outgrow it
                           is cut into smaller ones */
    unsigned threads;   /* 0: as many as there are cores */
    int64_t max_events; /* about so many events a batch; 0: all that there are */
    enum merge_bad_input on_bad_input;
    enum merge_gap on_gap;
    enum merge_unknown on_unknown;
    int64_t gap_wait_ms;
    double rewrite_at; /* a data file with a larger share of deleted rows is rewritten behind the
                          batch, in a commit of its own; 0: never */
    bool durable;      /* fsync before the commit */
    bool refuse_bent;  /* values without room in the lake are bad input, not null */
    bool cold;         /* resolve keys by scanning key columns, without the key index */
    const char *index; /* folder of the key index; NULL: ${XDG_CACHE_HOME:-~/.cache}/surfboard */
    const atomic_bool *stop; /* polled; NULL: never. Ends with ERROR_INTERRUPTED, nothing half */
    void (*progress)(void *context, const char *phase, int64_t done, int64_t total);
    void *progress_context;
};

/* 512 MiB, all cores, stop on everything, 30 s, durable, no rewriting. */
#define MERGE_OPTIONS_DEFAULT                                                                      \
    {                                                                                              \
        .memory = (uint64_t)512 << 20, .gap_wait_ms = 30000, .durable = true,                      \
    }

enum merge_state { MERGE_NOTHING_TO_DO, MERGE_COMMITTED, MERGE_STOPPED };

/* What one batch did; merge_summary_add() makes the sum of several. Zero-initialise. */
struct merge_summary {
    enum merge_state state;
    bool more;            /* input behind this batch waits */
    int64_t batch;        /* the last batch id used; 0: none yet */
    int64_t batches;      /* commits in this sum */
    bool cut_transaction; /* false: "table" */
    bool over_memory;     /* one transaction was larger than the budget and was taken whole */
    int64_t events, inserted, updated, deleted, unchanged, skipped, repeats, gaps, quarantined;
    int64_t files_added, files_removed;
    int64_t bytes_read, bytes_written;
    json_t *bent;            /* {"column": count}, of a stream of several tables
                                {"table.column": count}; NULL when empty */
    json_t *unknown_columns; /* the same */
    json_t *snapshots;       /* {"table": snapshot id} */
    int64_t wall_ns, cpu_ns;
    size_t tables;
};

struct merge;

/* Checks the stream (a key in every table, a catalog that can do it) and opens what it needs. */
struct merge *merge_open(const struct merge_stream *stream, const struct merge_options *options,
                         struct error *error);
void merge_close(struct merge *merge);

/* Runs one batch. True with MERGE_COMMITTED or MERGE_NOTHING_TO_DO. On failure `out` has the state
 * MERGE_STOPPED and what was read so far, and the tables are as they were: ERROR_INPUT (bad
 * data, a gap, a source that went back), ERROR_CONFLICT (others kept winning), ERROR_UNKNOWN (the
 * commit's outcome can't be read now: run again). */
bool merge_batch(struct merge *merge, struct merge_summary *out, struct error *error);

void merge_summary_destroy(struct merge_summary *summary);
bool merge_summary_add(struct merge_summary *sum, const struct merge_summary *batch,
                       struct error *error);
/* The document of cli.md, "The summary of a merge"; `failure` fills "error" when stopped. NULL with
 * ERROR_MEMORY. */
json_t *merge_summary_json(const struct merge_summary *summary, const char *stream,
                           const struct error *failure, struct error *error);

#endif

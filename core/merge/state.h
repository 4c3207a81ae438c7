/* state.h: what a table knows of its input (design.md section 5, "State"): the property
 * surfboard.state, and the copy of it in the summary of each snapshot of ours, by which a rollback
 * of the table rolls the input back too.
 *
 *   {"format":1,"snapshot":ID,"batch":41,
 *    "watermark":{"shop.public.orders":{"0":100},"shop.transaction":{"0":40}},
 *    "transactions":{"topic":"shop.transaction","end_lsn":7},
 *    "positions":{"0":{"seq":[1,2],"order":1,"count":1,"op":"u","ts_us":1,"run":"…"}},
 *    "source":{"lsn":1,"tx":2},"reload":{"files":[…]},"dropped":["old"]}
 *
 * A newer format is refused; unknown members of this one are dropped.
 */
#ifndef SURFBOARD_MERGE_STATE_H
#define SURFBOARD_MERGE_STATE_H

#include "core/iceberg/table.h"
#include "core/merge/cut.h"

#define STATE_PROPERTY "surfboard.state"
#define STATE_SUMMARY_BATCH "surfboard.batch-id"
#define STATE_SUMMARY_ROWS "surfboard.rows" /* inserted + updated + deleted, net */
#define STATE_SUMMARY_WATERMARK "surfboard.watermark"

enum { STATE_FORMAT = 1 };

/* How far one partition of the table's topic was applied, and where in the source's log that was:
 * positions recognise repeats, they never order. */
struct partition_state {
    int32_t partition;
    int64_t next;                   /* offset */
    bool placed;                    /* the fields below are set */
    struct change_position highest; /* applied */
    int64_t count;                  /* records applied at `highest` */
    int64_t skipped;                /* of these, seen again since the source went back */
    bool back;                      /* records before `highest` came again; not beyond it yet */
    char op;                        /* of the record applied last */
    int64_t latest_us;              /* latest commit time applied */
    uint64_t run;                   /* hash of the capture's run id; 0: none */
};

struct table_state {
    int64_t batch; /* last id used; 0 none */
    struct partition_state *partitions;
    size_t partition_count, partition_capacity;
    char *transaction_topic; /* NULL: none */
    struct feed_mark *transaction_marks;
    size_t transaction_count;
    struct cut_state cut;
    bool has_source; /* a snapshot of the source was (or is being) read: */
    uint64_t source_lsn, source_tx;
    bool reloading;      /* ... and its last row was not seen yet */
    char **reload_files; /* keys seen in it by earlier batches (reload.h) */
    size_t reload_count, reload_capacity;
    char **dropped; /* columns of the lake that the source no longer has */
    size_t dropped_count, dropped_capacity;
};

void table_state_destroy(struct table_state *state); /* a zeroed one is fine */
bool table_state_copy(struct table_state *out, const struct table_state *state,
                      struct error *error);

/* ERROR_UNSUPPORTED for a newer format, ERROR_INPUT when it is not ours at all. */
bool table_state_parse(struct slice json, const char *topic, struct table_state *out,
                       struct error *error);
/* JSON text; `snapshot` is a number or "${snapshot-id}" (commit.h). Fresh memory. */
char *table_state_print(const struct table_state *state, const char *topic, const char *snapshot,
                        struct error *error);
/* The summary's watermark. Fresh memory. */
char *table_state_watermark(const struct table_state *state, const char *topic,
                            struct error *error);

/* The state that counts for this table: the property's, if the current snapshot is the one that it
 * belongs to or descends from it; else that of the nearest snapshot of ours. ERROR_REFUSED with a
 * remedy when there is none: a table that others filled is never taken over. */
bool table_state_load(const struct iceberg_table *table, const char *topic, struct table_state *out,
                      struct error *error);

/* The partition's state, made when absent. NULL with ERROR_MEMORY. */
struct partition_state *table_state_partition(struct table_state *state, int32_t partition,
                                              struct error *error);

/* What to do with a c, u, d or t. */
enum position_verdict { POSITION_NEW, POSITION_REPEAT, POSITION_WENT_BACK };

/* Judges a record's source position and notes it when it is new. `run`: hash of the run id, 0 when
 * the record has none. */
enum position_verdict position_judge(struct partition_state *state, const struct change *change,
                                     uint64_t run);

/* Adds a name to a list of names when it is not there. */
bool state_name_add(char ***names, size_t *count, size_t *capacity, const char *name,
                    struct error *error);
bool state_name_remove(char **names, size_t *count, const char *name);

#endif

/* target.h: one table of a stream while a batch is made for it. Private to core/merge.
 *
 * The steps of a batch, each in its own file and in this order:
 *   layout.c    the schema that the batch writes with (columns added, widened, dropped)
 *   conflate.c  the last event of each key
 *   resolve.c   which data file and row holds each key now
 *   judge.c     what the batch changes, net: inserted, updated, deleted, unchanged
 *   write.c     new rows, sorted by key
 *   fold.c      small data files into one
 *   rewrite.c   behind the batch: a data file without its deleted rows
 *   deletes.c   position deletes
 *   batch.c     all tables together, and the commit
 */
#ifndef SURFBOARD_MERGE_TARGET_H
#define SURFBOARD_MERGE_TARGET_H

#include "core/iceberg/catalog.h"
#include "core/iceberg/scan.h"
#include "core/merge/conflate.h"
#include "core/merge/key_index.h"
#include "core/merge/merge.h"
#include "core/parquet/writer.h"

/* What is kept of a data file from one batch to the next: its index, and which rows are deleted.
 * Good as long as nobody else has changed the table (target_remember()). */
struct file_memory {
    char *path;
    struct key_index *index; /* NULL: not opened yet */
    uint64_t *deleted;       /* one bit a row; NULL: not read yet */
    int64_t rows;
    int64_t deleted_count;
    char **applied; /* paths of the delete files in `deleted` */
    size_t applied_count, applied_capacity;
    bool live; /* in the present plan */
};

/* A data file of the present snapshot. */
struct data_file {
    const struct iceberg_scan_task *task;
    struct file_memory *memory;
    struct key_hit *hits; /* rows of keys of the batch that are not deleted; tag = entry */
    size_t hit_count;
    int64_t *gone; /* rows that this batch deletes, ascending once settled */
    size_t gone_count, gone_capacity;
    const char *new_delete; /* path of the delete file that this batch adds; NULL */
    bool dropped;           /* leaves the table: folded into another, or nothing is left in it */
};

/* An event whose row turned out bad behind the reading. */
struct bad_row {
    bool set;
    int32_t partition;
    int64_t offset;
};

/* The batch's rows of one new data file, on their way to the index. */
struct new_index {
    const char *path;
    int64_t length, rows;
    int64_t sequence; /* 0: the commit's */
    struct buffer file;
};

struct target {
    const struct merge_table *in;
    const struct merge_options *options;
    const struct key_index_folder *folder;
    char *topic;                    /* last part of the deltas URI */
    struct store *store;            /* rooted at the topic; NULL while an optional one is absent */
    struct change_row_reader *keys; /* of events and stored rows */
    struct change_row_reader *rows; /* rows that are written: its counters are reported */
    struct change_row_reader *compare; /* rows read for comparison and folding */
    struct conflate conflate;

    /* Of the present batch. */
    struct iceberg_table table;
    bool loaded;               /* false: there is no such table yet */
    struct table_state before; /* the state that the batch stands on */
    struct iceberg_plan plan;
    struct data_file *files;
    size_t file_count;
    struct iceberg_commit *commit;
    const struct schema *lake;  /* current or new; the commit's or the table's */
    struct schema write_schema; /* the source's columns, then ds_surf_batch_id; the lake's ids */
    struct schema key_schema;   /* the key's columns in key order */
    bool schema_changed;
    int64_t batch;          /* the id that rows get */
    struct key_order order; /* entries by key */
    struct new_index *indexes;
    size_t index_count, index_capacity;
    int64_t inserted, updated, deleted, unchanged;
    int64_t rows_written;
    struct bad_row bad; /* whose row could not be written */
    int64_t files_added, files_removed, bytes_written;
    struct arena arena; /* of the batch */

    /* From one batch to the next. */
    struct file_memory **memory;
    size_t memory_count, memory_capacity;
    int64_t memory_snapshot; /* the snapshot that the memory belongs to */
};

bool target_init(struct target *target, const struct merge_table *in,
                 const struct merge_options *options, const struct key_index_folder *folder,
                 struct error *error);
void target_destroy(struct target *target);
/* Forgets what belongs to one attempt at a batch; the commit's files stay where they are. */
void target_end(struct target *target);
/* Loads the table, its state and the plan of its files; all empty when it does not exist. */
bool target_load(struct target *target, struct catalog *catalog, struct error *error);
/* Creates the table that was not there. ERROR_CONFLICT: now it is. */
bool target_create(struct target *target, struct catalog *catalog, struct error *error);
/* After a commit that was won: saves the indexes of new files, and keeps what stays true. */
void target_remember(struct target *target);

/* Context for errors: "orders: ". Returns false. */
bool target_error(const struct target *target, struct error *error);
/* Context of one event: topic, partition, offset; noted as the bad one. Returns false. */
bool target_event_error(struct target *target, const struct key_entry *entry, struct error *error);

/* layout.c: begins the commit and decides the schemas. */
bool target_layout(struct target *target, struct error *error);

/* resolve.c */
bool target_resolve(struct target *target, struct error *error);
/* Reads which rows of a file are deleted already. */
bool data_file_deleted(struct target *target, struct data_file *file, struct error *error);
static inline bool data_file_is_deleted(const struct data_file *file, int64_t row)
{
    const uint64_t *bits = file->memory->deleted;
    return bits && (bits[row / 64] >> (row % 64) & 1);
}
/* Walks the key columns of a data file, deleted rows included. */
bool data_file_walk_keys(struct target *target, const struct data_file *file,
                         bool (*each)(void *context, const struct change_key *key, int64_t row,
                                      struct error *error),
                         void *context, struct error *error);

/* stored.c: rows as the table has them, fetched many at a time. */
struct stored_place {
    uint32_t entry; /* whose row */
    uint32_t row;   /* in the batch */
};
struct stored_rows {
    struct batch batch;          /* of target->write_schema */
    struct stored_place *places; /* by entry */
    size_t count, capacity;
    struct iceberg_file_reader **readers; /* one a data file, opened when needed */
    size_t reader_count;
};
bool stored_rows_init(struct stored_rows *stored, struct target *target, struct error *error);
void stored_rows_destroy(struct stored_rows *stored);
/* Replaces what is held by the rows of these entries (KEY_EXISTED ones; others are passed over). */
bool stored_rows_fetch(struct stored_rows *stored, struct target *target, const uint32_t *entries,
                       size_t count, struct error *error);
/* The row in stored->batch; SIZE_MAX when it was not fetched. */
size_t stored_rows_find(const struct stored_rows *stored, uint32_t entry);

/* judge.c: sets KEY_KEPT, the rows that go, and the counts. */
bool target_judge(struct target *target, struct error *error);
bool target_has_net_change(const struct target *target);

/* reload.c */
bool target_reload_unseen(struct target *target, struct error *error);
/* Puts the keys seen in this batch beside the table, for the batch that ends the reload. */
bool target_reload_save(struct target *target, struct error *error);

/* write.c */
bool target_write_rows(struct target *target, struct error *error);

/* One data file being written, with its key index. */
struct data_writer {
    struct target *target;
    const struct schema *schema;
    const char *key;
    struct store_writer *store;
    struct parquet_writer *parquet;
    struct key_index_entry *entries;
    size_t entry_count, entry_capacity;
    int64_t rows;
    int64_t sequence; /* data sequence number that the file keeps; 0: the commit's */
};
bool data_writer_open(struct data_writer *writer, struct target *target,
                      const struct schema *schema, struct error *error);
bool data_writer_add_key(struct data_writer *writer, uint64_t key, uint32_t high,
                         struct error *error);
bool data_writer_write(struct data_writer *writer, const struct batch *batch, struct error *error);
/* Ends the file and adds it to the commit. The writer can be opened again. */
bool data_writer_close(struct data_writer *writer, struct error *error);
void data_writer_destroy(struct data_writer *writer);

/* fold.c */
bool target_fold_files(struct target *target, struct error *error);

/* rewrite.c: puts the rewriting of one data file past options->rewrite_at into the commit; *found
 * false when there is none. */
bool target_rewrite(struct target *target, bool *found, struct error *error);

/* deletes.c */
bool target_write_deletes(struct target *target, struct error *error);
bool data_file_gone(struct data_file *file, int64_t row, struct error *error);

/* The entry's key as index and probes have it. */
static inline uint64_t entry_index_key(const struct conflate *conflate,
                                       const struct key_entry *entry)
{
    return conflate->keys.integer ? (uint64_t)entry->integer ^ UINT64_C(1) << 63
                                  : (uint64_t)entry->integer;
}

static inline bool entry_has_row(const struct key_entry *entry)
{
    return (entry->flags & (KEY_DECIDED | KEY_GONE)) == KEY_DECIDED;
}

#endif

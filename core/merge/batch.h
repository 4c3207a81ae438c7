/* batch.h: one batch over all tables of a stream. Private to core/merge. */
#ifndef SURFBOARD_MERGE_BATCH_H
#define SURFBOARD_MERGE_BATCH_H

#include "core/base/pool.h"
#include "core/merge/target.h"

struct batch_record;

/* A row that no check of its line finds bad: a value that was never sent. */
struct skipped_row {
    const struct target *target;
    struct bad_row row;
    struct error reason;
};

struct merge {
    struct merge_stream stream;
    struct merge_options options;
    struct key_index_folder folder;
    struct pool *pool;
    struct target *targets;
    size_t target_count;
    const char **topics;             /* names, by target */
    char *transaction_topic;         /* NULL: cut by table */
    struct store *transaction_store; /* rooted at the topic's folder */
    struct store *record_store;      /* of batch-<id>.json; NULL: not needed */
    bool was_read; /* the attempt came behind reading: a failure is about rows, not lines */
    bool careful;  /* a bad row image was found late: check each as it comes */
    struct skipped_row *skipped; /* set aside when the batch is read again */
    size_t skipped_count, skipped_capacity;
    int64_t soft_limit; /* events a batch that fit the memory; 0: none known */
};

/* What was read for the batch. */
struct batch_input {
    bool by_transaction;
    bool more;
    bool over_memory;
    struct cut_state cut;
    struct feed_mark *transaction_marks; /* fresh memory */
    size_t transaction_count;
    int64_t bytes_read;
    int64_t gaps;
};

/* input.c: reads every topic up to the cut and conflates it. With a record: up to its cut. */
bool batch_read(struct merge *merge, const struct batch_record *record, struct batch_input *input,
                struct error *error);

/* record.c: the cut of a batch that several tables commit one after the other. */
struct batch_record {
    int64_t batch;
    json_t *root;
};
/* The lowest record that waits; out->root NULL when there is none. */
bool batch_record_load(struct store *store, struct batch_record *out, struct error *error);
/* ERROR_EXISTS: another merge recorded this batch first. */
bool batch_record_put(struct merge *merge, const struct batch_input *input, int64_t batch,
                      struct error *error);
bool batch_record_remove(struct merge *merge, int64_t batch, struct error *error);
/* Where a partition of a topic ends; `otherwise` when the record does not name it. */
int64_t batch_record_end(const struct batch_record *record, const char *topic, int32_t partition,
                         int64_t otherwise);
bool batch_record_transactions(const struct batch_record *record, struct batch_input *input,
                               struct error *error);
void batch_record_destroy(struct batch_record *record);

#endif

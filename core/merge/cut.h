/* cut.h: where a batch ends (design.md section 5, step 2).
 *
 * With a transaction topic the batch ends behind whole source transactions: those whose END was
 * seen, in END order, as long as every event that END counts is there. Without one the cut is by
 * table and only never parts the two halves of a key change (d, tombstone, c).
 *
 * One pass over the input is enough in the usual case:
 *
 *     cut_open_transactions() or cut_open_tables()
 *     do {
 *         for each topic: open its feed from the watermark; for each record of feed_next():
 *             cut_admit() -> CUT_TAKE: conflate it; CUT_STOP: feed_stop(), which ends the partition
 *         cut_decide(&again)
 *     } while (again);      // events of an ENDed transaction are missing, or half a key change
 *                           // stands at an end: forget what was conflated, read again, take less
 *
 * Each round takes strictly less, so the loop ends. After it the feeds' marks are the watermark of
 * the tables' topics, and cut_marks() that of the transaction topic.
 */
#ifndef SURFBOARD_MERGE_CUT_H
#define SURFBOARD_MERGE_CUT_H

#include "core/merge/feed.h"

struct cut;

enum cut_kind { CUT_BY_TRANSACTION, CUT_BY_TABLE };
enum cut_verdict { CUT_TAKE, CUT_STOP };

/* What a batch leaves for the next one: part of the stream's state (surfboard.state). After a
 * reload from another cluster it begins at 0 again. */
struct cut_state {
    uint64_t end_lsn; /* LSN of the last END that was taken; 0 before the first */
};

/* Reads the transaction topic from its marks to its end. `topics` are the names of the stream's
 * topics ("shop.public.orders"), `transaction_topic` ("shop.transaction") names the topic and its
 * folder below the store. max_events: take whole transactions until about so many events, at least
 * one; 0: all. ERROR_NOT_FOUND when there is no such folder: use cut_open_tables(). A transaction
 * topic with records in several partitions is ERROR_UNSUPPORTED: END order is lost. */
struct cut *cut_open_transactions(struct store *store, const char *folder,
                                  const char *transaction_topic, const struct feed_mark *marks,
                                  size_t mark_count, const struct feed_options *options,
                                  const struct cut_state *state, const char *const *topics,
                                  size_t topic_count, uint64_t max_events, struct error *error);
struct cut *cut_open_tables(size_t topic_count, uint64_t max_events, struct error *error);
void cut_close(struct cut *cut);

enum cut_kind cut_kind(const struct cut *cut);

/* Whether this record belongs to the batch. `topic` is the index in `topics`. Snapshot rows and
 * records without a transaction are taken (up to about max_events); repeats of transactions that
 * were taken before are taken (the merge skips them by position); the first record of a later
 * transaction stops. */
bool cut_admit(struct cut *cut, size_t topic, int32_t partition, const struct change *change,
               enum cut_verdict *verdict, struct error *error);

/* After all feeds ended. *again: read everything again, with this same cut. */
bool cut_decide(struct cut *cut, bool *again, struct error *error);

/* What an end of the batch waits for: "transaction 3607 has 2 of its 5 events of shop.public.docs".
 * NULL: nothing. Good until the next call with this cut. */
const char *cut_waiting(const struct cut *cut);

/* Whether more complete input waits behind this cut (max_events was reached). */
bool cut_more_waits(const struct cut *cut);

/* After cut_decide() with again == false. */
struct cut_state cut_state(const struct cut *cut);
const struct feed_mark *cut_marks(const struct cut *cut, size_t *count);
/* Source transactions in the batch; bytes read of the transaction topic. */
uint64_t cut_transactions(const struct cut *cut);
uint64_t cut_bytes_read(const struct cut *cut);

#endif

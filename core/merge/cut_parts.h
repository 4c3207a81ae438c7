/* cut_parts.h: the two kinds of cut; private to core/merge's cut. */
#ifndef SURFBOARD_MERGE_CUT_PARTS_H
#define SURFBOARD_MERGE_CUT_PARTS_H

#include "core/merge/cut.h"

enum { CUT_WAITING_SIZE = 256 };

/* ---- by transaction: cut_transactions.c ---- */

struct cut_transactions;

struct cut_transactions *cut_transactions_open(
    struct store *store, const char *folder, const char *topic, const struct feed_mark *marks,
    size_t mark_count, const struct feed_options *options, const struct cut_state *state,
    const char *const *topics, size_t topic_count, uint64_t max_events, struct error *error);
void cut_transactions_close(struct cut_transactions *cut);
bool cut_transactions_admit(struct cut_transactions *cut, size_t topic, int32_t partition,
                            const struct change *change, enum cut_verdict *verdict);
bool cut_transactions_decide(struct cut_transactions *cut, char waiting[CUT_WAITING_SIZE]);
bool cut_transactions_more(const struct cut_transactions *cut);
struct cut_state cut_transactions_state(const struct cut_transactions *cut);
struct feed_mark *cut_transactions_marks(struct cut_transactions *cut, size_t *count);
uint64_t cut_transactions_count(const struct cut_transactions *cut);
uint64_t cut_transactions_bytes(const struct cut_transactions *cut);

/* ---- by table: cut_tables.c ---- */

struct cut_tables;

struct cut_tables *cut_tables_open(size_t topic_count, uint64_t max_events, struct error *error);
void cut_tables_close(struct cut_tables *cut);
bool cut_tables_admit(struct cut_tables *cut, size_t topic, int32_t partition,
                      const struct change *change, enum cut_verdict *verdict, struct error *error);
bool cut_tables_decide(struct cut_tables *cut, bool *again, char waiting[CUT_WAITING_SIZE],
                       struct error *error);
bool cut_tables_more(const struct cut_tables *cut);

#endif

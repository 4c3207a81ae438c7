#include "core/merge/cut.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/merge/cut_parts.h"

struct cut {
    struct cut_transactions *transactions; /* one of the two */
    struct cut_tables *tables;
    char waiting[CUT_WAITING_SIZE];
};

struct cut *cut_open_transactions(struct store *store, const char *folder,
                                  const char *transaction_topic, const struct feed_mark *marks,
                                  size_t mark_count, const struct feed_options *options,
                                  const struct cut_state *state, const char *const *topics,
                                  size_t topic_count, uint64_t max_events, struct error *error)
{
    struct cut *cut = memory_zero(1, sizeof *cut, error);
    if (cut == NULL)
        return NULL;
    cut->transactions =
        cut_transactions_open(store, folder, transaction_topic, marks, mark_count, options, state,
                              topics, topic_count, max_events, error);
    if (cut->transactions)
        return cut;
    free(cut);
    return NULL;
}

struct cut *cut_open_tables(size_t topic_count, uint64_t max_events, struct error *error)
{
    struct cut *cut = memory_zero(1, sizeof *cut, error);
    if (cut == NULL)
        return NULL;
    cut->tables = cut_tables_open(topic_count, max_events, error);
    if (cut->tables)
        return cut;
    free(cut);
    return NULL;
}

void cut_close(struct cut *cut)
{
    if (cut == NULL)
        return;
    cut_transactions_close(cut->transactions);
    cut_tables_close(cut->tables);
    free(cut);
}

enum cut_kind cut_kind(const struct cut *cut)
{
    return cut->transactions ? CUT_BY_TRANSACTION : CUT_BY_TABLE;
}

bool cut_admit(struct cut *cut, size_t topic, int32_t partition, const struct change *change,
               enum cut_verdict *verdict, struct error *error)
{
    if (cut->transactions)
        return cut_transactions_admit(cut->transactions, topic, partition, change, verdict);
    return cut_tables_admit(cut->tables, topic, partition, change, verdict, error);
}

bool cut_decide(struct cut *cut, bool *again, struct error *error)
{
    if (cut->tables)
        return cut_tables_decide(cut->tables, again, cut->waiting, error);
    *again = cut_transactions_decide(cut->transactions, cut->waiting);
    return true;
}

const char *cut_waiting(const struct cut *cut)
{
    return cut->waiting[0] ? cut->waiting : NULL;
}

bool cut_more_waits(const struct cut *cut)
{
    return cut->transactions ? cut_transactions_more(cut->transactions)
                             : cut_tables_more(cut->tables);
}

struct cut_state cut_state(const struct cut *cut)
{
    return cut->transactions ? cut_transactions_state(cut->transactions) : (struct cut_state){0};
}

const struct feed_mark *cut_marks(const struct cut *cut, size_t *count)
{
    *count = 0;
    return cut->transactions ? cut_transactions_marks(cut->transactions, count) : NULL;
}

uint64_t cut_transactions(const struct cut *cut)
{
    return cut->transactions ? cut_transactions_count(cut->transactions) : 0;
}

uint64_t cut_bytes_read(const struct cut *cut)
{
    return cut->transactions ? cut_transactions_bytes(cut->transactions) : 0;
}

/* The cut by table: anywhere but within a key change, which is d, tombstone, c of one row. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/merge/cut_parts.h"

/* The first half of a key change, whose second has not come yet. */
struct half {
    size_t topic;
    int32_t partition;
    int64_t offset;
    struct change_position position;
};

/* No record of the partition at or beyond `end`, from an earlier round. */
struct table_limit {
    size_t topic;
    int32_t partition;
    int64_t end;
};

struct topic_state {
    uint64_t taken;
    char last_op; /* of the last record that is no tombstone */
    struct change_position last;
    int32_t partition;
};

struct cut_tables {
    uint64_t most; /* records of one topic; 0: all */
    struct topic_state *topics;
    size_t topic_count;
    struct half *halves;
    size_t half_count, half_capacity;
    struct table_limit *limits;
    size_t limit_count, limit_capacity;
    bool more;
};

struct cut_tables *cut_tables_open(size_t topic_count, uint64_t max_events, struct error *error)
{
    struct cut_tables *cut = memory_zero(1, sizeof *cut, error);
    if (cut == NULL)
        return NULL;
    cut->topic_count = topic_count;
    cut->most = max_events && topic_count ? (max_events + topic_count - 1) / topic_count : 0;
    cut->topics = memory_zero(topic_count, sizeof *cut->topics, error);
    if (cut->topics)
        return cut;
    free(cut);
    return NULL;
}

void cut_tables_close(struct cut_tables *cut)
{
    if (cut == NULL)
        return;
    free(cut->topics);
    free(cut->halves);
    free(cut->limits);
    free(cut);
}

static bool same_row(const struct change_position *a, const struct change_position *b)
{
    return a->seq0 == b->seq0 && a->seq1 == b->seq1;
}

static bool is_beyond_limit(const struct cut_tables *cut, size_t topic, int32_t partition,
                            int64_t offset)
{
    for (size_t i = 0; i < cut->limit_count; i++) {
        const struct table_limit *limit = &cut->limits[i];
        if (limit->topic == topic && limit->partition == partition)
            return offset >= limit->end;
    }
    return false;
}

/* Notes a first half, and that a second one came (for repeats of the first, too). */
static bool note_halves(struct cut_tables *cut, size_t topic, int32_t partition,
                        const struct change *change, struct error *error)
{
    if (change->op == 'd' && change->new_key.data) {
        TRY(memory_grow(&cut->halves, &cut->half_capacity, cut->half_count + 1, sizeof *cut->halves,
                        error));
        cut->halves[cut->half_count++] =
            (struct half){topic, partition, change->offset, change->position};
    } else if (change->op == 'c' && change->old_key.data) {
        size_t kept = 0;
        for (size_t i = 0; i < cut->half_count; i++) {
            const struct half *half = &cut->halves[i];
            if (half->topic != topic || !same_row(&half->position, &change->position))
                cut->halves[kept++] = *half;
        }
        cut->half_count = kept;
    }
    return true;
}

/* Whether this record still belongs to what came last: the tombstone of a d, the c of a key change
 * (told by its header, or by its place in the log where headers were lost). */
static bool continues(const struct topic_state *state, const struct change *change)
{
    if (state->last_op != 'd')
        return false;
    return change->op == CHANGE_TOMBSTONE ||
           (change->op == 'c' && change->has_position && same_row(&state->last, &change->position));
}

bool cut_tables_admit(struct cut_tables *cut, size_t topic, int32_t partition,
                      const struct change *change, enum cut_verdict *verdict, struct error *error)
{
    struct topic_state *state = &cut->topics[topic];
    *verdict = CUT_STOP;
    if (state->partition != partition) {
        state->partition = partition;
        state->last_op = 0;
    }
    if (is_beyond_limit(cut, topic, partition, change->offset))
        return true;
    if (cut->most && state->taken >= cut->most && !continues(state, change)) {
        cut->more = true;
        return true;
    }
    TRY(note_halves(cut, topic, partition, change, error));
    state->taken++;
    if (change->op != CHANGE_TOMBSTONE) {
        state->last_op = change->op;
        state->last = change->position;
    }
    *verdict = CUT_TAKE;
    return true;
}

static bool add_limit(struct cut_tables *cut, const struct half *half, struct error *error)
{
    for (size_t i = 0; i < cut->limit_count; i++) {
        struct table_limit *limit = &cut->limits[i];
        if (limit->topic == half->topic && limit->partition == half->partition) {
            if (half->offset < limit->end)
                limit->end = half->offset;
            return true;
        }
    }
    TRY(memory_grow(&cut->limits, &cut->limit_capacity, cut->limit_count + 1, sizeof *cut->limits,
                    error));
    cut->limits[cut->limit_count++] =
        (struct table_limit){half->topic, half->partition, half->offset};
    return true;
}

bool cut_tables_decide(struct cut_tables *cut, bool *again, char waiting[CUT_WAITING_SIZE],
                       struct error *error)
{
    *again = cut->half_count > 0;
    for (size_t i = 0; i < cut->half_count; i++) {
        TRY(add_limit(cut, &cut->halves[i], error));
        snprintf(waiting, CUT_WAITING_SIZE,
                 "the key change that begins at offset %" PRId64 " waits for its second half",
                 cut->halves[i].offset);
    }
    if (!*again)
        return true;
    cut->half_count = 0;
    cut->more = false;
    memset(cut->topics, 0, cut->topic_count * sizeof *cut->topics);
    return true;
}

bool cut_tables_more(const struct cut_tables *cut)
{
    return cut->more;
}

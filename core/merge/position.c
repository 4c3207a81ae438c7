#include "core/merge/state.h"

static void position_apply(struct partition_state *state, const struct change *change)
{
    state->op = change->op;
    if (change->ts_us > state->latest_us)
        state->latest_us = change->ts_us;
}

/* Beyond everything applied so far. */
static enum position_verdict position_advance(struct partition_state *state,
                                              const struct change *change)
{
    state->placed = true;
    state->highest = change->position;
    state->count = 1;
    state->skipped = 0;
    state->back = false;
    position_apply(state, change);
    return POSITION_NEW;
}

/* At the highest position. Without a total order that is ordinary (a COPY gives many rows one LSN)
 * until the source has gone back; then as many as were applied there are repeats. With one, it is
 * the same record again, but for the second half of a key change. */
static enum position_verdict position_equal(struct partition_state *state,
                                            const struct change *change, bool exact)
{
    bool second_half = change->op == 'c' && state->op == 'd';
    if (state->back && state->skipped < state->count) {
        state->skipped++;
        return POSITION_REPEAT;
    }
    if (exact && !second_half)
        return POSITION_REPEAT;
    state->count++;
    if (state->back)
        state->skipped++;
    position_apply(state, change);
    return POSITION_NEW;
}

enum position_verdict position_judge(struct partition_state *state, const struct change *change,
                                     uint64_t run)
{
    bool restarted = run != 0 && state->run != 0 && run != state->run;
    if (run != 0)
        state->run = run;
    if (!change->has_position)
        return POSITION_NEW;
    if (!state->placed)
        return position_advance(state, change);
    if (restarted) {
        state->back = true;
        state->skipped = 0;
    }
    bool exact;
    int order = change_position_compare(&change->position, &state->highest, &exact);
    if (order > 0)
        return position_advance(state, change);
    if (order == 0)
        return position_equal(state, change, exact);
    if (change->ts_us > state->latest_us)
        return POSITION_WENT_BACK;
    state->back = true;
    state->skipped = 0;
    return POSITION_REPEAT;
}

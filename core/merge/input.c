/* Reading: from the watermark to the cut, each topic through its feed into its conflation. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/merge/batch.h"

enum { CHECK_RECORDS = 1024 };

/* Why reading ended before its time. */
enum read_stop { READ_DONE, READ_OUTGROWN };

struct reading {
    struct merge *merge;
    const struct batch_record *record;
    struct batch_input *input;
    struct cut *cut; /* NULL with a record */
    uint64_t budget; /* 0: none */
    int64_t events;
    enum read_stop stop;
};

static uint64_t memory_budget(const struct merge_options *options)
{
    uint64_t memory = options->memory ? options->memory : (uint64_t)512 << 20;
    /* The rest is for columns, pages and indexes on their way out. */
    return memory - memory / 4;
}

static bool outgrown(struct reading *reading)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < reading->merge->target_count; i++)
        bytes += conflate_bytes(&reading->merge->targets[i].conflate);
    return reading->budget && bytes > reading->budget;
}

static bool check(struct reading *reading, struct error *error)
{
    const struct merge_options *options = &reading->merge->options;
    if (options->stop && atomic_load(options->stop))
        return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted while reading");
    if (options->progress)
        options->progress(options->progress_context, "read", reading->events, 0);
    if (outgrown(reading))
        reading->stop = READ_OUTGROWN;
    return true;
}

static const struct error *skip_reason(const struct merge *merge, const struct target *target,
                                       int32_t partition, int64_t offset)
{
    for (size_t i = 0; i < merge->skipped_count; i++) {
        const struct skipped_row *row = &merge->skipped[i];
        if (row->target == target && row->row.partition == partition && row->row.offset == offset)
            return &row->reason;
    }
    return NULL;
}

static bool set_aside(struct target *target, struct feed *feed, struct slice line,
                      const struct error *reason, struct error *error)
{
    struct feed_place place = feed_place(feed);
    struct error why = *reason;
    error_clear(error);
    return conflate_set_aside(&target->conflate, line, &place, &why, error);
}

static bool take(struct reading *reading, size_t index, struct feed *feed,
                 const struct change *change, int32_t partition, struct error *error)
{
    struct target *target = &reading->merge->targets[index];
    if (reading->cut) {
        enum cut_verdict verdict = CUT_STOP;
        /* The topics of a source are written by several hands: the first events of a transaction
         * may lie there before the transaction topic does. They wait for it: taken now, they would
         * be missing when their END counts them. */
        bool early = reading->merge->transaction_store && change->transaction_id.data &&
                     cut_kind(reading->cut) == CUT_BY_TABLE;
        if (!early)
            TRY(cut_admit(reading->cut, index, partition, change, &verdict, error));
        if (verdict == CUT_STOP) {
            feed_stop(feed);
            return true;
        }
    }
    struct error own = {0};
    reading->events++;
    const struct error *reason = skip_reason(reading->merge, target, partition, change->offset);
    if (reason) {
        target->conflate.counters.events++;
        return set_aside(target, feed, feed_line(feed), reason, error);
    }
    if (conflate_take(&target->conflate, change, partition, &own))
        return true;
    if (own.kind == ERROR_INPUT && !target->conflate.fatal &&
        reading->merge->options.on_bad_input == MERGE_BAD_INPUT_QUARANTINE)
        return set_aside(target, feed, feed_line(feed), &own, error);
    struct feed_place place = feed_place(feed);
    error_prefix(&own, "%s/%s line %" PRIu64 " (offset %" PRId64 ")", target->topic, place.file,
                 place.line, place.offset);
    if (error)
        *error = own;
    return false;
}

/* A line that is no record, or that could not be read at all. */
static bool bad_line(struct reading *reading, struct target *target, struct feed *feed,
                     struct error *reason, struct error *error)
{
    struct slice line;
    if (reason->kind != ERROR_INPUT ||
        reading->merge->options.on_bad_input != MERGE_BAD_INPUT_QUARANTINE ||
        !feed_skip_bad(feed, &line)) {
        if (error)
            *error = *reason;
        return false;
    }
    target->conflate.counters.events++;
    return set_aside(target, feed, line, reason, error);
}

static bool read_feed(struct reading *reading, size_t index, struct feed *feed, struct error *error)
{
    for (uint64_t count = 1; reading->stop == READ_DONE; count++) {
        struct change change;
        int32_t partition;
        bool end = false;
        struct error own = {0};
        if (!feed_next(feed, &change, &partition, &end, &own)) {
            TRY(bad_line(reading, &reading->merge->targets[index], feed, &own, error));
            continue;
        }
        if (end)
            return true;
        TRY(take(reading, index, feed, &change, partition, error));
        if (count % CHECK_RECORDS == 0)
            TRY(check(reading, error));
    }
    return true;
}

/* With a record, everything ends where the record says; what it does not name is not read. */
static bool set_limits(struct reading *reading, const struct target *target, struct feed *feed,
                       struct error *error)
{
    size_t count;
    const struct feed_mark *marks = feed_marks(feed, &count);
    struct feed_mark *copy = memory_zero(count, sizeof *copy, error);
    TRY(copy != NULL);
    for (size_t i = 0; i < count; i++)
        copy[i] = marks[i];
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = feed_set_limit(
            feed, copy[i].partition,
            batch_record_end(reading->record, target->topic, copy[i].partition, copy[i].next),
            error);
    free(copy);
    return ok;
}

static bool take_marks(struct reading *reading, struct target *target, struct feed *feed,
                       struct error *error)
{
    size_t count;
    const struct feed_mark *marks = feed_marks(feed, &count);
    for (size_t i = 0; i < count; i++) {
        struct partition_state *state =
            table_state_partition(&target->conflate.state, marks[i].partition, error);
        TRY(state != NULL);
        state->next = marks[i].next;
    }
    const struct feed_counters *counters = feed_counters(feed);
    reading->input->bytes_read += (int64_t)counters->bytes_read;
    reading->input->gaps += (int64_t)counters->gaps;
    return true;
}

static struct feed *open_feed(struct reading *reading, struct target *target, struct error *error)
{
    const struct merge_options *options = &reading->merge->options;
    const struct table_state *before = &target->before;
    struct feed_options feed = {.accept_gaps = options->on_gap == MERGE_GAP_ACCEPT,
                                .gap_wait_ms = options->gap_wait_ms};
    struct feed_mark *marks = memory_zero(before->partition_count, sizeof *marks, error);
    if (marks == NULL)
        return NULL;
    for (size_t i = 0; i < before->partition_count; i++)
        marks[i] = (struct feed_mark){before->partitions[i].partition, before->partitions[i].next};
    struct feed *out =
        feed_open(target->store, "", target->topic, marks, before->partition_count, &feed, error);
    free(marks);
    return out;
}

static bool read_target(struct reading *reading, size_t index, struct error *error)
{
    struct target *target = &reading->merge->targets[index];
    TRY(conflate_begin(&target->conflate, &target->before, target->file_count == 0,
                       reading->merge->careful, error));
    change_row_counters_clear(target->rows);
    if (reading->record && target->before.batch >= reading->record->batch)
        return true; /* this table carries the recorded batch already */
    struct error own = {0};
    struct feed *feed = open_feed(reading, target, &own);
    if (feed == NULL) {
        if (own.kind == ERROR_NOT_FOUND && target->in->deltas_optional)
            return true;
        if (error)
            *error = own;
        return false;
    }
    bool ok = (reading->record == NULL || set_limits(reading, target, feed, error)) &&
              read_feed(reading, index, feed, error) && take_marks(reading, target, feed, error);
    feed_close(feed);
    return ok;
}

/* One pass over all topics; again as long as the cut finds that it took too much. */
static bool read_all(struct reading *reading, struct error *error)
{
    bool again = true;
    while (again) {
        again = false;
        reading->events = 0;
        reading->input->bytes_read = reading->input->gaps = 0;
        for (size_t i = 0; i < reading->merge->target_count; i++) {
            TRY(read_target(reading, i, error) || target_error(&reading->merge->targets[i], error));
            if (reading->stop != READ_DONE)
                return true;
        }
        if (reading->cut)
            TRY(cut_decide(reading->cut, &again, error));
    }
    return true;
}

/* The marks of the transaction topic that are furthest: tables commit them together, and one that
 * had nothing in a batch keeps older ones. */
static const struct table_state *furthest_state(const struct merge *merge)
{
    const struct table_state *best = NULL;
    int64_t furthest = -1;
    for (size_t i = 0; i < merge->target_count; i++) {
        const struct table_state *state = &merge->targets[i].before;
        int64_t sum = 0;
        for (size_t k = 0; k < state->transaction_count; k++)
            sum += state->transaction_marks[k].next;
        if (state->transaction_topic && merge->transaction_topic &&
            strcmp(state->transaction_topic, merge->transaction_topic) == 0 && sum > furthest) {
            best = state;
            furthest = sum;
        }
    }
    return best;
}

static struct cut *open_cut(struct merge *merge, uint64_t max_events, struct error *error)
{
    struct error own = {0};
    if (merge->transaction_store) {
        static const struct cut_state none = {0};
        const struct table_state *state = furthest_state(merge);
        struct feed_options options = {.accept_gaps = merge->options.on_gap == MERGE_GAP_ACCEPT,
                                       .gap_wait_ms = merge->options.gap_wait_ms};
        struct cut *cut = cut_open_transactions(
            merge->transaction_store, "", merge->transaction_topic,
            state ? state->transaction_marks : NULL, state ? state->transaction_count : 0, &options,
            state ? &state->cut : &none, merge->topics, merge->target_count, max_events, &own);
        if (cut || own.kind != ERROR_NOT_FOUND) {
            if (cut == NULL && error)
                *error = own;
            return cut;
        }
    }
    return cut_open_tables(merge->target_count, max_events, error);
}

static bool take_cut(struct merge *merge, const struct cut *cut, struct batch_input *input,
                     struct error *error)
{
    input->by_transaction = cut_kind(cut) == CUT_BY_TRANSACTION;
    input->more = cut_more_waits(cut);
    if (!input->by_transaction)
        return true;
    input->cut = cut_state(cut);
    input->bytes_read += (int64_t)cut_bytes_read(cut);
    size_t count;
    const struct feed_mark *marks = cut_marks(cut, &count);
    (void)merge;
    input->transaction_marks = memory_zero(count, sizeof *marks, error);
    TRY(input->transaction_marks != NULL);
    if (count)
        memcpy(input->transaction_marks, marks, count * sizeof *marks);
    input->transaction_count = count;
    return true;
}

static bool read_with_cut(struct merge *merge, uint64_t max_events, uint64_t budget,
                          struct batch_input *input, struct reading *reading, struct error *error)
{
    *reading = (struct reading){.merge = merge, .input = input, .budget = budget};
    reading->cut = open_cut(merge, max_events, error);
    TRY(reading->cut != NULL);
    bool ok = read_all(reading, error);
    if (ok && reading->stop == READ_DONE)
        ok = take_cut(merge, reading->cut, input, error);
    cut_close(reading->cut);
    return ok;
}

/* A batch that outgrows the memory is read again as a smaller one; a single transaction that does
 * is taken whole, and the summary says so. */
bool batch_read(struct merge *merge, const struct batch_record *record, struct batch_input *input,
                struct error *error)
{
    struct reading reading;
    if (record) {
        reading = (struct reading){.merge = merge, .record = record, .input = input};
        return read_all(&reading, error) && batch_record_transactions(record, input, error);
    }
    int64_t limit = merge->options.max_events;
    if (merge->soft_limit && (limit == 0 || limit > merge->soft_limit))
        limit = merge->soft_limit;
    uint64_t budget = memory_budget(&merge->options);
    for (;;) {
        TRY(read_with_cut(merge, (uint64_t)limit, budget, input, &reading, error));
        if (reading.stop == READ_DONE)
            return true;
        int64_t next = reading.events - reading.events / 4;
        if (limit == 1 || next <= 1) {
            budget = 0; /* one transaction: it is never parted */
            input->over_memory = true;
            merge->soft_limit = 0;
            continue;
        }
        limit = limit && next >= limit ? 1 + limit / 4 : next;
        merge->soft_limit = limit;
    }
}

#include "core/merge/merge.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/merge/batch.h"

enum { SKIPPED_ROWS = 1000, BATCH_ATTEMPTS = 6, PROBE_ATTEMPTS = 4, BACKOFF_MS = 50 };

/* -- opening ----------------------------------------------------------------------------------- */

static char *uri_name(const char *uri, struct error *error)
{
    size_t end = strlen(uri);
    while (end > 0 && uri[end - 1] == '/')
        end--;
    size_t from = end;
    while (from > 0 && uri[from - 1] != '/' && uri[from - 1] != ':')
        from--;
    return memory_copy_slice(slice_make(uri + from, end - from), error);
}

static bool check_stream(const struct merge_stream *stream, struct error *error)
{
    if (stream->table_count == 0)
        return error_set(error, ERROR_CONFIG, "give it a dataset", "stream %s has no tables",
                         stream->name);
    if (stream->table_count > 1 && !catalog_is_atomic(stream->catalog) && stream->records == NULL)
        return error_set(error, ERROR_INTERNAL, NULL,
                         "stream %s: several tables in this catalog need a place for records",
                         stream->name);
    return true;
}

static bool open_parts(struct merge *merge, struct error *error)
{
    const struct merge_stream *stream = &merge->stream;
    struct store_options options = {.durable = merge->options.durable};
    TRY(check_stream(stream, error));
    TRY(key_index_folder_open(merge->options.index, &merge->folder, error));
    merge->pool = pool_create(merge->options.threads, error);
    TRY(merge->pool != NULL);
    if (stream->transactions) {
        merge->transaction_topic = uri_name(stream->transactions, error);
        merge->transaction_store = store_open(stream->transactions, NULL, error);
        TRY(merge->transaction_topic && merge->transaction_store);
    }
    if (stream->records && stream->table_count > 1 && !catalog_is_atomic(stream->catalog)) {
        merge->record_store = store_open(stream->records, &options, error);
        TRY(merge->record_store != NULL);
    }
    merge->targets = memory_zero(stream->table_count, sizeof *merge->targets, error);
    merge->topics = memory_zero(stream->table_count, sizeof *merge->topics, error);
    TRY(merge->targets && merge->topics);
    for (size_t i = 0; i < stream->table_count; i++) {
        merge->target_count = i + 1;
        TRY(target_init(&merge->targets[i], &stream->tables[i], &merge->options, &merge->folder,
                        error));
        merge->topics[i] = merge->targets[i].topic;
    }
    return true;
}

struct merge *merge_open(const struct merge_stream *stream, const struct merge_options *options,
                         struct error *error)
{
    struct merge *merge = memory_zero(1, sizeof *merge, error);
    if (merge == NULL)
        return NULL;
    merge->stream = *stream;
    merge->options = *options;
    if (open_parts(merge, error))
        return merge;
    merge_close(merge);
    return NULL;
}

void merge_close(struct merge *merge)
{
    if (merge == NULL)
        return;
    for (size_t i = 0; i < merge->target_count; i++)
        target_destroy(&merge->targets[i]);
    free(merge->targets);
    free(merge->skipped);
    free(merge->topics);
    free(merge->transaction_topic);
    store_close(merge->transaction_store);
    store_close(merge->record_store);
    pool_destroy(merge->pool);
    key_index_folder_close(&merge->folder);
    free(merge);
}

/* -- one attempt ------------------------------------------------------------------------------- */

/* Whether the batch moves anything of this table. */
static bool is_active(const struct target *target)
{
    const struct table_state *now = &target->conflate.state, *before = &target->before;
    if (target->conflate.counters.events || target->commit == NULL)
        return target->commit != NULL;
    for (size_t i = 0; i < now->partition_count; i++) {
        int64_t was = 0;
        for (size_t k = 0; k < before->partition_count; k++) {
            if (before->partitions[k].partition == now->partitions[i].partition)
                was = before->partitions[k].next;
        }
        if (now->partitions[i].next != was)
            return true;
    }
    return false;
}

static bool load_targets(struct merge *merge, struct error *error)
{
    for (size_t i = 0; i < merge->target_count; i++)
        TRY(target_load(&merge->targets[i], merge->stream.catalog, error) ||
            target_error(&merge->targets[i], error));
    return true;
}

static int64_t last_batch(const struct merge *merge)
{
    int64_t batch = 0;
    for (size_t i = 0; i < merge->target_count; i++) {
        if (merge->targets[i].before.batch > batch)
            batch = merge->targets[i].before.batch;
    }
    return batch;
}

static bool report(const struct merge *merge, const char *phase, struct error *error)
{
    const struct merge_options *options = &merge->options;
    if (options->progress)
        options->progress(options->progress_context, phase, 0, 0);
    if (options->stop && atomic_load(options->stop))
        return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted");
    return true;
}

static bool judge_targets(struct merge *merge, bool *net, bool *active, struct error *error)
{
    *net = *active = false;
    for (size_t i = 0; i < merge->target_count; i++) {
        struct target *target = &merge->targets[i];
        TRY(((target->loaded || target_create(target, merge->stream.catalog, error)) &&
             target_layout(target, error)) ||
            target_error(target, error));
        if (!is_active(target)) {
            iceberg_commit_destroy(target->commit);
            target->commit = NULL;
            continue;
        }
        *active = true;
        TRY((target_resolve(target, error) && target_judge(target, error)) ||
            target_error(target, error));
        *net |= target_has_net_change(target);
    }
    return true;
}

static bool put_quarantine(struct target *target, struct error *error)
{
    const struct buffer *lines = &target->conflate.quarantine;
    if (lines->length == 0)
        return true;
    /* Named by where the batch began: a batch that is run again writes the same file again. */
    struct buffer name = {0};
    bool ok = buffer_append_format(&name, error, "quarantine/%s", target->topic);
    for (size_t i = 0; ok && i < target->before.partition_count; i++) {
        const struct partition_state *state = &target->before.partitions[i];
        ok = buffer_append_format(&name, error, "-%d.%lld", state->partition,
                                  (long long)state->next);
    }
    ok = ok && buffer_append_text(&name, ".jsonl", error) && buffer_text(&name, error) &&
         store_put(target->table.store, name.data, buffer_slice(lines), error) &&
         FAULT("merge.quarantine.after-file", error);
    buffer_destroy(&name);
    return ok;
}

static bool set_state(struct target *target, const struct merge *merge,
                      const struct batch_input *input, struct error *error)
{
    struct table_state *state = &target->conflate.state;
    state->batch = target->batch;
    if (target->conflate.reload_ended) {
        state->reloading = false;
        for (size_t i = 0; i < state->reload_count; i++)
            free(state->reload_files[i]);
        state->reload_count = 0;
    }
    if (!input->by_transaction)
        return true;
    free(state->transaction_topic);
    free(state->transaction_marks);
    state->transaction_marks = NULL;
    state->transaction_count = 0;
    state->transaction_topic = memory_copy_text(merge->transaction_topic, error);
    TRY(state->transaction_topic != NULL);
    state->transaction_marks =
        memory_zero(input->transaction_count, sizeof *state->transaction_marks, error);
    TRY(state->transaction_marks != NULL);
    if (input->transaction_count)
        memcpy(state->transaction_marks, input->transaction_marks,
               input->transaction_count * sizeof *state->transaction_marks);
    state->transaction_count = input->transaction_count;
    state->cut = input->cut;
    return true;
}

/* The watermark goes into the same commit as the rows: property, and summary of the snapshot. */
static bool finish_commit(struct target *target, struct error *error)
{
    char number[24], rows[24];
    snprintf(rows, sizeof rows, "%lld",
             (long long)target->inserted + (long long)target->updated + (long long)target->deleted);
    snprintf(number, sizeof number, "%lld", (long long)iceberg_commit_snapshot_id(target->commit));
    char *property =
        table_state_print(&target->conflate.state, target->topic, "${snapshot-id}", error);
    char *summary = table_state_print(&target->conflate.state, target->topic, number, error);
    char *watermark = table_state_watermark(&target->conflate.state, target->topic, error);
    bool ok = property && summary && watermark &&
              iceberg_commit_guard_property(target->commit, STATE_PROPERTY, error) &&
              iceberg_commit_set_property(target->commit, STATE_PROPERTY, property, error);
    if (ok && target_has_net_change(target)) {
        snprintf(number, sizeof number, "%lld", (long long)target->batch);
        ok =
            iceberg_commit_set_summary(target->commit, STATE_SUMMARY_BATCH, number, error) &&
            iceberg_commit_set_summary(target->commit, STATE_SUMMARY_ROWS, rows, error) &&
            iceberg_commit_set_summary(target->commit, STATE_SUMMARY_WATERMARK, watermark, error) &&
            iceberg_commit_set_summary(target->commit, STATE_PROPERTY, summary, error);
    }
    free(property);
    free(summary);
    free(watermark);
    return ok;
}

static bool write_target(struct target *target, const struct merge *merge,
                         const struct batch_input *input, struct error *error)
{
    TRY(put_quarantine(target, error));
    TRY(target_reload_save(target, error));
    TRY(set_state(target, merge, input, error));
    if (target_has_net_change(target))
        TRY(target_write_rows(target, error) && target_fold_files(target, error) &&
            target_write_deletes(target, error));
    return finish_commit(target, error);
}

static bool write_targets(struct merge *merge, const struct batch_input *input, int64_t batch,
                          struct error *error)
{
    TRY(FAULT("merge.batch.before-write", error));
    for (size_t i = 0; i < merge->target_count; i++) {
        struct target *target = &merge->targets[i];
        target->batch = batch;
        if (target->commit)
            TRY(write_target(target, merge, input, error) || target_error(target, error));
    }
    return FAULT("merge.batch.after-write", error);
}

/* -- publishing -------------------------------------------------------------------------------- */

/* A reply that was lost is asked for: the commit is looked up by its id. */
static bool probe(struct merge *merge, struct iceberg_commit *commit, bool *won,
                  struct error *error)
{
    for (int attempt = 0; attempt < PROBE_ATTEMPTS; attempt++) {
        struct error own = {0};
        if (catalog_probe(merge->stream.catalog, commit, won, &own))
            return true;
        if (attempt + 1 == PROBE_ATTEMPTS && error)
            *error = own;
        clock_sleep_ms(BACKOFF_MS << attempt);
    }
    return error_set(error, ERROR_UNKNOWN, "run merge again: it finds out, and nothing is lost",
                     "whether the commit happened can't be told now");
}

static bool settle_unknown(struct merge *merge, struct iceberg_commit *const *commits, size_t count,
                           struct error *error)
{
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        bool won = iceberg_commit_outcome(commits[i]) == ICEBERG_OUTCOME_WON;
        if (!won)
            TRY(probe(merge, commits[i], &won, error));
        if (won)
            iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_WON);
        else
            iceberg_commit_set_outcome(commits[i], ICEBERG_OUTCOME_LOST);
        all &= won;
    }
    return all || error_set(error, ERROR_CONFLICT, NULL, "the commit did not happen");
}

static bool publish(struct merge *merge, struct error *error)
{
    struct iceberg_commit **commits = memory_zero(merge->target_count, sizeof *commits, error);
    TRY(commits != NULL);
    size_t count = 0;
    for (size_t i = 0; i < merge->target_count; i++) {
        if (merge->targets[i].commit)
            commits[count++] = merge->targets[i].commit;
    }
    struct catalog_commit_options options = {.pool = merge->pool, .retries = -1};
    struct error own = {0};
    bool ok = FAULT("merge.commit.before-publish", &own) &&
              catalog_commit(merge->stream.catalog, commits, count, &options, &own);
    if (!ok && own.kind == ERROR_UNKNOWN) {
        error_clear(&own);
        ok = settle_unknown(merge, commits, count, &own);
    }
    free(commits);
    if (!ok && error)
        *error = own;
    return ok && FAULT("merge.commit.after-publish", error);
}

/* -- the summary ------------------------------------------------------------------------------- */

static bool count_name(json_t **counts, const char *table, struct slice column, int64_t count,
                       struct error *error)
{
    if (count == 0)
        return true;
    char *name =
        memory_format(error, "%s%s%.*s", table ? table : "", table ? "." : "", SLICE_ARG(column));
    if (*counts == NULL)
        *counts = json_object();
    bool ok = name && *counts &&
              json_object_set_new(
                  *counts, name,
                  json_integer(count + json_integer_value(json_object_get(*counts, name)))) == 0;
    free(name);
    return ok || error_set_memory(error, 0);
}

/* What the batch did to the table; what was read counts without a commit as well. */
static void sum_effect(const struct target *target, struct merge_summary *out)
{
    out->inserted += target->inserted;
    out->updated += target->updated;
    out->deleted += target->deleted;
    out->unchanged += target->unchanged;
    out->files_added += target->files_added;
    out->files_removed += target->files_removed;
    out->bytes_written += target->bytes_written;
}

static bool sum_target(const struct target *target, bool committed, struct merge_summary *out,
                       struct error *error)
{
    const struct conflate *conflate = &target->conflate;
    const struct change_table *table = target->in->table;
    const char *prefix = out->tables > 1 ? target->in->name : NULL;
    out->events += conflate->counters.events;
    out->skipped += conflate->counters.skipped;
    out->repeats += conflate->counters.repeats;
    out->quarantined += conflate->counters.quarantined;
    if (committed)
        sum_effect(target, out);
    for (size_t i = 0; i < table->column_count; i++)
        TRY(count_name(&out->bent, prefix, slice_of(table->columns[i].name),
                       (int64_t)change_row_bent(target->rows, i), error));
    struct slice name;
    uint64_t count;
    for (size_t i = 0; change_row_unknown(target->rows, i, &name, &count); i++)
        TRY(count_name(&out->unknown_columns, prefix, name, (int64_t)count, error));
    int64_t snapshot =
        committed && target->commit ? iceberg_commit_snapshot_id(target->commit) : -1;
    if (snapshot < 0 && target->loaded)
        snapshot = target->table.snapshot_id;
    if (snapshot >= 0) {
        if (out->snapshots == NULL)
            out->snapshots = json_object();
        if (json_object_set_new(out->snapshots, target->in->name, json_integer(snapshot)) != 0)
            return error_set_memory(error, 0);
    }
    return true;
}

static bool sum_batch(const struct merge *merge, const struct batch_input *input, bool committed,
                      struct merge_summary *out, struct error *error)
{
    out->cut_transaction = input->by_transaction;
    out->more = input->more;
    out->over_memory = input->over_memory;
    out->gaps += input->gaps;
    out->bytes_read += input->bytes_read;
    out->tables = merge->target_count;
    for (size_t i = 0; i < merge->target_count; i++)
        TRY(sum_target(&merge->targets[i], committed, out, error));
    return true;
}

/* -- a batch ----------------------------------------------------------------------------------- */

/* The cut that another run recorded and did not see through. One that all tables carry already is
 * done with: only its removal is missing. */
static bool take_record(struct merge *merge, struct batch_record *record, struct error *error)
{
    for (;;) {
        TRY(batch_record_load(merge->record_store, record, error));
        bool carried = record->root != NULL;
        for (size_t i = 0; i < merge->target_count; i++)
            carried &= merge->targets[i].before.batch >= record->batch;
        if (!carried)
            return true;
        TRY(batch_record_remove(merge, record->batch, error));
        batch_record_destroy(record);
    }
}

static bool run_attempt(struct merge *merge, struct batch_record *record, struct batch_input *input,
                        struct merge_summary *out, struct error *error)
{
    bool net, active;
    merge->was_read = false;
    TRY(load_targets(merge, error));
    if (merge->record_store)
        TRY(take_record(merge, record, error));
    TRY(report(merge, "read", error) &&
        batch_read(merge, record->root ? record : NULL, input, error));
    merge->was_read = true;
    TRY(report(merge, "resolve", error) && judge_targets(merge, &net, &active, error));
    int64_t last = last_batch(merge);
    int64_t batch = record->root ? record->batch : net ? last + 1 : last;
    if (active) {
        TRY(report(merge, "write", error) && write_targets(merge, input, batch, error));
        if (merge->record_store && record->root == NULL && net) {
            struct error own = {0};
            if (!batch_record_put(merge, input, batch, &own)) {
                if (own.kind == ERROR_EXISTS) /* another merge was first: take its cut */
                    own.kind = ERROR_CONFLICT;
                if (error)
                    *error = own;
                return false;
            }
        }
        TRY(report(merge, "commit", error) && publish(merge, error));
        out->state = MERGE_COMMITTED;
        out->batches = 1;
    }
    out->batch = batch;
    TRY(sum_batch(merge, input, true, out, error));
    out->more = active ? input->more : record->root != NULL;
    for (size_t i = 0; i < merge->target_count; i++) {
        if (merge->targets[i].commit)
            target_remember(&merge->targets[i]);
    }
    if (merge->record_store && (record->root || (active && net)))
        TRY(batch_record_remove(merge, batch, error));
    return true;
}

static void end_attempt(struct merge *merge, struct batch_record *record, struct batch_input *input,
                        bool ok)
{
    for (size_t i = 0; i < merge->target_count; i++) {
        struct target *target = &merge->targets[i];
        if (!ok && target->commit)
            iceberg_commit_discard(target->commit);
        target_end(target);
    }
    batch_record_destroy(record);
    free(input->transaction_marks);
    *input = (struct batch_input){0};
}

/* A row that is bad although its line is not: the next attempt sets it aside. */
static bool skip_bad_row(struct merge *merge, const struct error *failure)
{
    for (size_t i = 0; i < merge->target_count; i++) {
        const struct target *target = &merge->targets[i];
        if (!target->bad.set || merge->skipped_count >= SKIPPED_ROWS)
            continue;
        if (!memory_grow(&merge->skipped, &merge->skipped_capacity, merge->skipped_count + 1,
                         sizeof *merge->skipped, NULL))
            return false;
        merge->skipped[merge->skipped_count++] =
            (struct skipped_row){target, target->bad, *failure};
        return true;
    }
    return false;
}

/* What to do after a failed attempt: again, or not. Before target_end(). */
static bool try_again(struct merge *merge, const struct error *failure, int *conflicts)
{
    if (failure->kind == ERROR_INPUT && merge->was_read && !merge->careful) {
        /* A row image turned out bad when it was written: read again, checking each line as it
         * comes, so that its place can be named, or the line set aside and the one before it
         * count. */
        merge->careful = true;
        return true;
    }
    if (failure->kind == ERROR_INPUT && merge->was_read &&
        merge->options.on_bad_input == MERGE_BAD_INPUT_QUARANTINE)
        return skip_bad_row(merge, failure);
    if (failure->kind != ERROR_CONFLICT || ++*conflicts >= BATCH_ATTEMPTS)
        return false;
    clock_sleep_ms(BACKOFF_MS << *conflicts);
    return true;
}

/* Behind the batch, in commits of their own. Nothing depends on them: what fails now, or loses a
 * race, is done behind a later batch. */
static void rewrite_targets(struct merge *merge, struct merge_summary *out)
{
    for (size_t i = 0; i < merge->target_count; i++) {
        struct target *target = &merge->targets[i];
        struct error ignored = {0};
        bool found = false, ok = true;
        ok = target_load(target, merge->stream.catalog, &ignored) && target->loaded &&
             conflate_begin(&target->conflate, &target->before, false, false, &ignored) &&
             target_layout(target, &ignored) && target_rewrite(target, &found, &ignored);
        if (ok && found) {
            struct catalog_commit_options options = {.pool = merge->pool, .retries = 0};
            struct iceberg_commit *commit = target->commit;
            ok = FAULT("merge.rewrite.before-publish", &ignored) &&
                 catalog_commit(merge->stream.catalog, &commit, 1, &options, &ignored);
            if (ok) {
                out->files_added += target->files_added;
                out->files_removed += target->files_removed;
                out->bytes_written += target->bytes_written;
                target_remember(target);
            }
        }
        if (!ok && target->commit)
            iceberg_commit_discard(target->commit);
        target_end(target);
    }
}

static bool run_batch(struct merge *merge, struct merge_summary *out, struct error *error)
{
    for (int conflicts = 0;;) {
        struct batch_record record = {0};
        struct batch_input input = {0};
        struct error own = {0};
        merge_summary_destroy(out);
        *out = (struct merge_summary){.state = MERGE_NOTHING_TO_DO, .tables = merge->target_count};
        bool ok = run_attempt(merge, &record, &input, out, &own);
        bool again = !ok && try_again(merge, &own, &conflicts);
        if (!ok) {
            struct error ignored = {0};
            if (out->events == 0)
                sum_batch(merge, &input, false, out, &ignored);
            out->state = MERGE_STOPPED;
        }
        end_attempt(merge, &record, &input, ok);
        if (again)
            continue;
        if (!ok && error)
            *error = own;
        return ok;
    }
}

bool merge_batch(struct merge *merge, struct merge_summary *out, struct error *error)
{
    int64_t wall = clock_monotonic_ns(), cpu = clock_cpu_ns();
    bool ok = run_batch(merge, out, error);
    merge->careful = false;
    merge->skipped_count = 0;
    if (ok && out->state == MERGE_COMMITTED && merge->options.rewrite_at > 0)
        rewrite_targets(merge, out);
    out->wall_ns = clock_monotonic_ns() - wall;
    out->cpu_ns = clock_cpu_ns() - cpu;
    return ok;
}

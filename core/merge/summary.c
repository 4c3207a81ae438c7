#include <stdio.h>

#include "core/merge/merge.h"

void merge_summary_destroy(struct merge_summary *summary)
{
    json_decref(summary->bent);
    json_decref(summary->unknown_columns);
    json_decref(summary->snapshots);
    *summary = (struct merge_summary){0};
}

static bool add_counts(json_t **sum, json_t *counts, struct error *error)
{
    const char *name;
    json_t *value;
    if (counts && *sum == NULL)
        *sum = json_object();
    json_object_foreach(counts, name, value)
    {
        json_int_t total =
            json_integer_value(json_object_get(*sum, name)) + json_integer_value(value);
        if (json_object_set_new(*sum, name, json_integer(total)) != 0)
            return error_set_memory(error, 0);
    }
    return true;
}

bool merge_summary_add(struct merge_summary *sum, const struct merge_summary *batch,
                       struct error *error)
{
    if (sum->batches == 0 || batch->state != MERGE_NOTHING_TO_DO)
        sum->state = batch->state;
    if (batch->batch > sum->batch)
        sum->batch = batch->batch;
    sum->more = batch->more;
    sum->batches += batch->batches;
    sum->cut_transaction = batch->cut_transaction;
    sum->over_memory |= batch->over_memory;
    sum->events += batch->events;
    sum->inserted += batch->inserted;
    sum->updated += batch->updated;
    sum->deleted += batch->deleted;
    sum->unchanged += batch->unchanged;
    sum->skipped += batch->skipped;
    sum->repeats += batch->repeats;
    sum->gaps += batch->gaps;
    sum->quarantined += batch->quarantined;
    sum->files_added += batch->files_added;
    sum->files_removed += batch->files_removed;
    sum->bytes_read += batch->bytes_read;
    sum->bytes_written += batch->bytes_written;
    sum->wall_ns += batch->wall_ns;
    sum->cpu_ns += batch->cpu_ns;
    sum->tables = batch->tables;
    if (batch->snapshots) {
        if (sum->snapshots == NULL)
            sum->snapshots = json_object();
        if (json_object_update(sum->snapshots, batch->snapshots) != 0)
            return error_set_memory(error, 0);
    }
    return add_counts(&sum->bent, batch->bent, error) &&
           add_counts(&sum->unknown_columns, batch->unknown_columns, error);
}

static const char *state_name(enum merge_state state)
{
    static const char *const names[] = {[MERGE_NOTHING_TO_DO] = "nothing-to-do",
                                        [MERGE_COMMITTED] = "committed",
                                        [MERGE_STOPPED] = "stopped"};
    return names[state];
}

/* VmHWM, not getrusage(): that one begins with the parent's memory at fork. */
static int64_t peak_memory(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[128];
    long long kilobytes = 0;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmHWM: %lld", &kilobytes) == 1)
            break;
    }
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

static int set_number(json_t *root, const char *name, int64_t value)
{
    return json_object_set_new(root, name, json_integer(value));
}

static int set_object(json_t *root, const char *name, json_t *value)
{
    return json_object_set_new(root, name, value ? json_incref(value) : json_object());
}

static int set_seconds(json_t *root, const char *name, int64_t ns)
{
    int64_t ms = ns / 1000000;
    return json_object_set_new(root, name, json_real((double)ms / 1000.0));
}

static int set_counts(json_t *root, const struct merge_summary *summary)
{
    int failed = set_number(root, "events", summary->events);
    failed |= set_number(root, "inserted", summary->inserted);
    failed |= set_number(root, "updated", summary->updated);
    failed |= set_number(root, "deleted", summary->deleted);
    failed |= set_number(root, "unchanged", summary->unchanged);
    failed |= set_number(root, "skipped", summary->skipped);
    failed |= set_number(root, "repeats", summary->repeats);
    failed |= set_number(root, "gaps", summary->gaps);
    failed |= set_number(root, "quarantined", summary->quarantined);
    failed |= set_object(root, "bent", summary->bent);
    failed |= set_object(root, "unknown_columns", summary->unknown_columns);
    failed |= set_number(root, "files_added", summary->files_added);
    failed |= set_number(root, "files_removed", summary->files_removed);
    failed |= set_number(root, "bytes_read", summary->bytes_read);
    failed |= set_number(root, "bytes_written", summary->bytes_written);
    failed |= set_object(root, "snapshot", summary->snapshots);
    return failed;
}

json_t *merge_summary_json(const struct merge_summary *summary, const char *stream,
                           const struct error *failure, struct error *error)
{
    json_t *root = json_pack("{s:s,s:i,s:s,s:I,s:I,s:I,s:s}", "event", "summary", "format", 1,
                             "stream", stream, "batch", (json_int_t)summary->batch, "batches",
                             (json_int_t)summary->batches, "tables", (json_int_t)summary->tables,
                             "cut", summary->cut_transaction ? "transaction" : "table");
    int failed = root == NULL || set_counts(root, summary);
    failed |= set_seconds(root, "wall_s", summary->wall_ns);
    failed |= set_seconds(root, "cpu_s", summary->cpu_ns);
    failed |= set_number(root, "peak_rss_bytes", peak_memory());
    if (summary->over_memory)
        failed |= json_object_set_new(root, "over_memory", json_true());
    failed |= json_object_set_new(root, "more", json_boolean(summary->more));
    failed |= json_object_set_new(root, "state", json_string(state_name(summary->state)));
    if (failure && failure->kind != ERROR_NONE)
        failed |=
            json_object_set_new(root, "error",
                                json_pack("{s:s,s:s,s:s}", "kind", error_kind_name(failure->kind),
                                          "message", failure->message, "remedy", failure->remedy));
    if (failed) {
        json_decref(root);
        error_set_memory(error, 0);
        return NULL;
    }
    return root;
}

/* commit_summary.c: the summary of a commit's snapshot (spec, "Snapshots": optional fields). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/json.h"
#include "core/iceberg/commit_parts.h"

struct tally {
    int64_t data_files, delete_files, position_files, equality_files;
    int64_t records, position_deletes, equality_deletes, bytes;
};

static struct tally summary_tally(const struct commit_files *files)
{
    struct tally tally = {0};
    for (size_t i = 0; i < files->count; i++) {
        const struct iceberg_file *file = &files->items[i];
        tally.bytes += file->size;
        if (file->content == ICEBERG_DATA) {
            tally.data_files++;
            tally.records += file->record_count;
            continue;
        }
        bool position = file->content == ICEBERG_POSITION_DELETES;
        tally.delete_files++;
        *(position ? &tally.position_files : &tally.equality_files) += 1;
        *(position ? &tally.position_deletes : &tally.equality_deletes) += file->record_count;
    }
    return tally;
}

static const char *summary_operation(const struct iceberg_commit *commit, const struct tally *added,
                                     const struct tally *removed)
{
    if (commit->operation)
        return commit->operation;
    if (commit->merge_manifests && !commit->added.count && !commit->removed.count)
        return "replace";
    bool removes = removed->data_files || removed->delete_files || added->delete_files;
    if (!removes)
        return "append";
    return added->data_files ? "overwrite" : "delete";
}

static bool summary_put(json_t *summary, const char *key, int64_t value, bool always,
                        struct error *error)
{
    char text[24];
    if (value == 0 && !always)
        return true;
    snprintf(text, sizeof text, "%" PRId64, value);
    return json_put(summary, key, json_string(text), error);
}

/* Distinct partitions among the files that come and go. */
static bool summary_partitions(const struct iceberg_commit *commit, int64_t *out,
                               struct error *error)
{
    struct map seen = {0};
    struct arena arena = {0};
    const struct commit_files *lists[] = {&commit->added, &commit->removed};
    bool ok = true;
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; ok && i < lists[l]->count; i++) {
            const struct iceberg_file *file = &lists[l]->items[i];
            struct buffer key = {0};
            ok = buffer_append_u32_le(&key, (uint32_t)file->spec_id, error);
            for (size_t p = 0; ok && p < file->partition_count; p++) {
                const struct iceberg_value *value = &file->partition[p];
                ok = buffer_append_u64_le(&key, value->present ? value->bytes.length + 1 : 0,
                                          error) &&
                     (!value->present || buffer_append_slice(&key, value->bytes, error));
            }
            struct slice bytes = buffer_slice(&key);
            char *copy = ok ? arena_copy_slice(&arena, bytes, error) : NULL;
            ok = copy && map_put(&seen, slice_make(copy, bytes.length), copy, error);
            buffer_destroy(&key);
        }
    }
    *out = (int64_t)seen.count;
    map_destroy(&seen);
    arena_destroy(&arena);
    return ok;
}

/* total = the parent's total + added - removed; left out when the parent does not say. */
static bool summary_total(const struct iceberg_commit *commit, json_t *summary, const char *key,
                          int64_t change, struct error *error)
{
    struct iceberg_snapshot parent;
    int64_t before = 0;
    if (iceberg_snapshot_find(commit->base, commit->base->snapshot_id, &parent)) {
        const char *text = iceberg_snapshot_summary(&parent, key);
        char *end = NULL;
        before = text ? strtoll(text, &end, 10) : 0;
        if (text == NULL || end == text || *end != '\0')
            return true;
    }
    return summary_put(summary, key, before + change, true, error);
}

static bool summary_counts(const struct iceberg_commit *commit, json_t *summary,
                           const struct tally *added, const struct tally *removed,
                           struct error *error)
{
    const struct {
        const char *key;
        int64_t value;
    } counts[] = {
        {"added-data-files", added->data_files},
        {"deleted-data-files", removed->data_files},
        {"added-delete-files", added->delete_files},
        {"removed-delete-files", removed->delete_files},
        {"added-position-delete-files", added->position_files},
        {"removed-position-delete-files", removed->position_files},
        {"added-equality-delete-files", added->equality_files},
        {"removed-equality-delete-files", removed->equality_files},
        {"added-records", added->records},
        {"deleted-records", removed->records},
        {"added-position-deletes", added->position_deletes},
        {"removed-position-deletes", removed->position_deletes},
        {"added-equality-deletes", added->equality_deletes},
        {"removed-equality-deletes", removed->equality_deletes},
        {"added-files-size", added->bytes},
        {"removed-files-size", removed->bytes},
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        TRY(summary_put(summary, counts[i].key, counts[i].value, false, error));
    const struct {
        const char *key;
        int64_t change;
    } totals[] = {
        {"total-records", added->records - removed->records},
        {"total-files-size", added->bytes - removed->bytes},
        {"total-data-files", added->data_files - removed->data_files},
        {"total-delete-files", added->delete_files - removed->delete_files},
        {"total-position-deletes", added->position_deletes - removed->position_deletes},
        {"total-equality-deletes", added->equality_deletes - removed->equality_deletes},
    };
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        TRY(summary_total(commit, summary, totals[i].key, totals[i].change, error));
    return true;
}

static bool summary_fill(const struct iceberg_commit *commit, json_t *summary, struct error *error)
{
    struct tally added = summary_tally(&commit->added), removed = summary_tally(&commit->removed);
    int64_t partitions = 0, made = (int64_t)(commit->manifest_count + commit->replacement_count);
    TRY(json_put(summary, "operation", json_string(summary_operation(commit, &added, &removed)),
                 error));
    TRY(summary_counts(commit, summary, &added, &removed, error));
    TRY(summary_partitions(commit, &partitions, error));
    TRY(summary_put(summary, "changed-partition-count", partitions, true, error));
    TRY(summary_put(summary, "manifests-created", made, true, error));
    TRY(summary_put(summary, "manifests-kept", (int64_t)commit->manifests_kept, true, error));
    TRY(summary_put(summary, "manifests-replaced", (int64_t)commit->manifests_replaced, true,
                    error));
    TRY(json_put(summary, "engine-name", json_string("surfboard"), error));
    TRY(json_put(summary, "engine-version", json_string(SURFBOARD_VERSION), error));
    TRY(json_put(summary, ICEBERG_COMMIT_ID, json_string(commit->id), error));
    for (size_t i = 0; i < commit->summary.count; i++) {
        const struct commit_pair *pair = &commit->summary.items[i];
        if (pair->value)
            TRY(json_put(summary, pair->key, json_string(pair->value), error));
    }
    return true;
}

json_t *commit_make_summary(const struct iceberg_commit *commit, struct error *error)
{
    json_t *summary = json_object();
    if (summary == NULL)
        error_set_memory(error, 64);
    if (summary == NULL || summary_fill(commit, summary, error))
        return summary;
    json_decref(summary);
    return NULL;
}

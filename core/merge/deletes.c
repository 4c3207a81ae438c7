/* Position deletes: one small file for each data file that the batch touches; 8 of a size fold into
 * one, so that a data file has few of them however many batches touch it. */
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/iceberg/delete.h"
#include "core/merge/target.h"

enum { FOLD_COUNT = 8, FOLD_TIERS = 24 };

bool data_file_gone(struct data_file *file, int64_t row, struct error *error)
{
    if (file->gone_count == file->gone_capacity)
        TRY(memory_grow(&file->gone, &file->gone_capacity, file->gone_count + 1, sizeof *file->gone,
                        error));
    file->gone[file->gone_count++] = row;
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void settle_gone(struct data_file *file)
{
    bool sorted = true;
    for (size_t i = 1; i < file->gone_count && sorted; i++)
        sorted = file->gone[i - 1] < file->gone[i];
    if (sorted)
        return;
    qsort(file->gone, file->gone_count, sizeof *file->gone, compare_rows);
    size_t kept = 0;
    for (size_t i = 0; i < file->gone_count; i++) {
        if (kept == 0 || file->gone[kept - 1] != file->gone[i])
            file->gone[kept++] = file->gone[i];
    }
    file->gone_count = kept;
}

/* Powers of eight. */
static size_t tier_of(int64_t rows)
{
    size_t tier = 0;
    for (; rows >= FOLD_COUNT && tier < FOLD_TIERS - 1; rows /= FOLD_COUNT)
        tier++;
    return tier;
}

static bool is_own_delete(const struct data_file *file, const struct iceberg_file *deletes)
{
    return deletes->content == ICEBERG_POSITION_DELETES &&
           strcmp(deletes->format, "PARQUET") == 0 &&
           slice_is(iceberg_file_scope(deletes), file->task->data->path);
}

/* Chooses the delete files that are folded with the new one: all of its tier, once there are 8 with
 * it; the sum may complete the next tier. */
static size_t choose_folded(const struct data_file *file, bool *chosen)
{
    size_t count = 0;
    int64_t rows = (int64_t)file->gone_count;
    for (;;) {
        size_t tier = tier_of(rows), same = 0;
        for (size_t i = 0; i < file->task->delete_count; i++)
            same += !chosen[i] && is_own_delete(file, file->task->deletes[i]) &&
                    tier_of(file->task->deletes[i]->record_count) <= tier;
        if (same + 1 < FOLD_COUNT)
            return count;
        for (size_t i = 0; i < file->task->delete_count; i++) {
            const struct iceberg_file *deletes = file->task->deletes[i];
            if (chosen[i] || !is_own_delete(file, deletes) || tier_of(deletes->record_count) > tier)
                continue;
            chosen[i] = true;
            rows += deletes->record_count;
            count++;
        }
    }
}

static bool add_positions(struct iceberg_positions *positions, const int64_t *rows, size_t count,
                          struct error *error)
{
    TRY(memory_grow(&positions->rows, &positions->capacity, positions->count + count,
                    sizeof *positions->rows, error));
    memcpy(positions->rows + positions->count, rows, count * sizeof *rows);
    positions->count += count;
    return true;
}

static bool remove_file(struct target *target, const struct iceberg_file *file, struct error *error)
{
    target->files_removed++;
    return iceberg_commit_remove_file(target->commit, file, error);
}

static bool write_deletes(struct target *target, struct data_file *file, struct error *error)
{
    struct iceberg_positions positions = {0};
    struct iceberg_file out;
    bool *chosen = memory_zero(file->task->delete_count, sizeof *chosen, error);
    TRY(chosen != NULL);
    bool ok = add_positions(&positions, file->gone, file->gone_count, error);
    if (ok && choose_folded(file, chosen)) {
        for (size_t i = 0; ok && i < file->task->delete_count; i++) {
            if (chosen[i])
                ok = iceberg_positions_add(&target->table, file->task->deletes[i], file->task->data,
                                           &positions, error) &&
                     remove_file(target, file->task->deletes[i], error);
        }
        ok = ok && iceberg_positions_settle(&positions, file->task->data, error);
    }
    ok = ok && FAULT("merge.deletes.before-file", error) &&
         iceberg_write_position_deletes(target->commit, file->task->data, positions.rows,
                                        positions.count, &target->arena, &out, error) &&
         FAULT("merge.deletes.after-file", error) &&
         iceberg_commit_add_file(target->commit, &out, error);
    if (ok) {
        file->new_delete = out.path;
        target->files_added++;
        target->bytes_written += out.size;
    }
    iceberg_positions_destroy(&positions);
    free(chosen);
    return ok;
}

/* A data file goes together with the deletes that are only about it. */
static bool drop_file(struct target *target, struct data_file *file, struct error *error)
{
    file->dropped = true;
    TRY(remove_file(target, file->task->data, error));
    for (size_t i = 0; i < file->task->delete_count; i++) {
        if (slice_is(iceberg_file_scope(file->task->deletes[i]), file->task->data->path))
            TRY(remove_file(target, file->task->deletes[i], error));
    }
    return true;
}

bool target_write_deletes(struct target *target, struct error *error)
{
    for (size_t i = 0; i < target->file_count; i++) {
        struct data_file *file = &target->files[i];
        settle_gone(file);
        int64_t gone = file->memory->deleted_count + (int64_t)file->gone_count;
        if (file->dropped || (file->gone_count && gone == file->memory->rows))
            TRY(drop_file(target, file, error));
        else if (file->gone_count)
            TRY(write_deletes(target, file, error));
    }
    return true;
}

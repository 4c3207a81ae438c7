/* What a batch changes, net: which keys are inserted, updated, deleted, or stay as they are. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/merge/target.h"

enum { JUDGE_ROWS = 4096 };

struct judge {
    struct target *target;
    struct batch left, right; /* one row each */
    struct stored_rows stored;
    uint32_t *waiting; /* entries whose stored row is to be compared */
    size_t waiting_count;
    uint8_t *unavailable;
};

static bool columns_equal(const struct judge *judge, const struct batch *a, size_t a_row,
                          const struct batch *b, size_t b_row)
{
    for (size_t i = 0; i < judge->target->in->table->column_count; i++) {
        if (!column_rows_equal(&a->columns[i], a_row, &b->columns[i], b_row))
            return false;
    }
    return true;
}

static uint64_t byte_sum(const struct image *image)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < image->length; i++)
        sum += (uint8_t)image->data[i];
    return sum;
}

/* Images of equal rows have the same members, perhaps in another order: the same bytes. Only when
 * these agree are both read and compared. */
static bool images_equal(struct judge *judge, const struct key_entry *entry, bool *equal,
                         struct error *error)
{
    *equal = false;
    const struct image *before = &entry->before, *after = &entry->after;
    if (before->length != after->length || entry->before_schema != entry->schema)
        return true;
    *equal = memcmp(before->data, after->data, after->length) == 0;
    if (*equal || byte_sum(before) != byte_sum(after))
        return true;
    struct target *target = judge->target;
    struct slice schema = conflate_schema(&target->conflate, entry->schema);
    batch_clear(&judge->left);
    batch_clear(&judge->right);
    TRY(change_row_read(target->compare, image_slice(before), schema, false, &judge->left, NULL,
                        NULL, error));
    TRY(change_row_read(target->compare, image_slice(after), schema, false, &judge->right, NULL,
                        NULL, error));
    *equal = columns_equal(judge, &judge->left, 0, &judge->right, 0);
    return true;
}

/* Snapshot rows against what is stored, many at a time. */
static bool judge_waiting(struct judge *judge, struct error *error)
{
    struct target *target = judge->target;
    TRY(stored_rows_fetch(&judge->stored, target, judge->waiting, judge->waiting_count, error));
    for (size_t i = 0; i < judge->waiting_count; i++) {
        struct key_entry *entry = &target->conflate.keys.entries[judge->waiting[i]];
        size_t row = stored_rows_find(&judge->stored, judge->waiting[i]);
        batch_clear(&judge->left);
        TRY(change_row_read(target->compare, image_slice(&entry->after),
                            conflate_schema(&target->conflate, entry->schema), false, &judge->left,
                            NULL, NULL, error) ||
            target_event_error(target, entry, error));
        if (row != SIZE_MAX && columns_equal(judge, &judge->left, 0, &judge->stored.batch, row))
            entry->flags |= KEY_KEPT;
    }
    judge->waiting_count = 0;
    return true;
}

static bool judge_entry(struct judge *judge, uint32_t at, struct error *error)
{
    struct target *target = judge->target;
    struct key_entry *entry = &target->conflate.keys.entries[at];
    if (!entry_has_row(entry) || !(entry->flags & KEY_EXISTED) || target->conflate.truncated)
        return true;
    if (entry->flags & KEY_READ) {
        judge->waiting[judge->waiting_count++] = at;
        return judge->waiting_count < JUDGE_ROWS || judge_waiting(judge, error);
    }
    if (target->conflate.full && !(entry->flags & KEY_BORN) && entry->before.data) {
        bool equal;
        TRY(images_equal(judge, entry, &equal, error) || target_event_error(target, entry, error));
        if (equal)
            entry->flags |= KEY_KEPT;
    }
    return true;
}

static bool judge_kept(struct target *target, struct error *error)
{
    struct judge judge = {.target = target};
    judge.waiting = memory_zero(JUDGE_ROWS, sizeof *judge.waiting, error);
    bool ok = judge.waiting && batch_init(&judge.left, &target->write_schema, error) &&
              batch_init(&judge.right, &target->write_schema, error) &&
              stored_rows_init(&judge.stored, target, error);
    /* In the order of arrival: images lie one behind the other. */
    for (size_t i = 0; ok && i < target->conflate.keys.count; i++)
        ok = judge_entry(&judge, (uint32_t)i, error);
    if (ok && judge.waiting_count)
        ok = judge_waiting(&judge, error);
    stored_rows_destroy(&judge.stored);
    batch_destroy(&judge.left);
    batch_destroy(&judge.right);
    free(judge.waiting);
    return ok;
}

static void count_entry(struct target *target, const struct key_entry *entry)
{
    if (!(entry->flags & KEY_DECIDED))
        return;
    bool existed = entry->flags & KEY_EXISTED;
    if (entry->flags & KEY_GONE)
        existed ? target->deleted++ : target->unchanged++;
    else if (entry->flags & KEY_KEPT)
        target->unchanged++;
    else
        existed ? target->updated++ : target->inserted++;
}

static bool note_gone(struct target *target, struct error *error)
{
    for (size_t i = 0; i < target->file_count; i++) {
        struct data_file *file = &target->files[i];
        for (size_t hit = 0; hit < file->hit_count; hit++) {
            const struct key_entry *entry = &target->conflate.keys.entries[file->hits[hit].tag];
            if ((entry->flags & KEY_DECIDED) && !(entry->flags & KEY_KEPT))
                TRY(data_file_gone(file, file->hits[hit].row, error));
        }
    }
    return true;
}

/* A truncate takes every row, counted once: as updated when the key came again, else as deleted. */
static bool judge_truncated(struct target *target, struct error *error)
{
    int64_t live = 0, again = 0;
    for (size_t i = 0; i < target->file_count; i++) {
        struct data_file *file = &target->files[i];
        TRY(data_file_deleted(target, file, error));
        live += file->memory->rows - file->memory->deleted_count;
        file->dropped = true;
    }
    for (size_t i = 0; i < target->conflate.keys.count; i++) {
        const struct key_entry *entry = &target->conflate.keys.entries[i];
        again += entry_has_row(entry) && (entry->flags & KEY_EXISTED);
    }
    target->deleted = live - again;
    return true;
}

bool target_judge(struct target *target, struct error *error)
{
    struct conflate *conflate = &target->conflate;
    struct key_table *keys = &conflate->keys;
    bool unseen = conflate->reload_ended && conflate->state.reloading;
    target->inserted = target->updated = target->deleted = target->unchanged = 0;
    TRY(key_table_sort(keys, false, &target->order, error));
    for (size_t i = 0; unseen && i < keys->count; i++) {
        struct key_entry *entry = &keys->entries[i];
        if (entry_has_row(entry) && !(entry->flags & KEY_SEEN))
            entry->flags |= KEY_GONE;
    }
    TRY(judge_kept(target, error));
    for (size_t i = 0; i < keys->count; i++)
        count_entry(target, &keys->entries[i]);
    if (conflate->truncated)
        return judge_truncated(target, error);
    TRY(note_gone(target, error));
    return !unseen || target_reload_unseen(target, error);
}

bool target_has_net_change(const struct target *target)
{
    return target->inserted || target->updated || target->deleted;
}

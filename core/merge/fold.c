/* Small data files form tiers by their rows; 8 of a tier fold into one, in the batch's own commit,
 * while that stays small beside the batch (design.md section 5, step 5). Larger folds and rewrites
 * are maintenance. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/merge/sort.h"
#include "core/merge/target.h"

enum { FOLD_FILES = 8, FOLD_LEAST = 65536, FOLD_TIERS = 24, FOLD_CHUNK = 8192 };

static int64_t live_rows(const struct data_file *file)
{
    int64_t deleted = 0;
    for (size_t i = 0; i < file->task->delete_count; i++)
        deleted += file->task->deletes[i]->record_count;
    int64_t rows = file->task->data->record_count - deleted - (int64_t)file->gone_count;
    return rows < 0 ? 0 : rows;
}

static size_t tier_of(int64_t rows)
{
    size_t tier = 0;
    for (; rows >= FOLD_FILES && tier < FOLD_TIERS - 1; rows /= FOLD_FILES)
        tier++;
    return tier;
}

/* Rows of the folded files, and their keys. */
struct folding {
    struct target *target;
    struct batch rows;
    struct buffer keys;      /* bytes keys, one after the other */
    struct sort_pair *pairs; /* number or first bytes of the key; row */
    size_t *starts;          /* bytes keys: where each begins in `keys`; one more at the end */
    size_t count, capacity, start_capacity;
};

static bool is_gone(const struct data_file *file, size_t *next, int64_t row)
{
    while (*next < file->gone_count && file->gone[*next] < row)
        (*next)++;
    return (*next < file->gone_count && file->gone[*next] == row) ||
           data_file_is_deleted(file, row);
}

static int compare_gone(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool read_file(struct folding *folding, struct data_file *file, struct error *error)
{
    struct target *target = folding->target;
    TRY(data_file_deleted(target, file, error));
    if (file->gone_count)
        qsort(file->gone, file->gone_count, sizeof *file->gone, compare_gone);
    struct batch batch;
    TRY(batch_init(&batch, target->lake, error));
    struct iceberg_file_reader *reader =
        iceberg_file_open(&target->table, file->task->data, target->lake, error);
    bool ok = reader != NULL;
    int64_t first = 0;
    size_t gone = 0;
    while (ok) {
        ok = iceberg_file_next(reader, &batch, FOLD_CHUNK, &first, error);
        if (!ok || batch.length == 0)
            break;
        for (size_t row = 0; ok && row < batch.length; row++) {
            if (is_gone(file, &gone, first + (int64_t)row))
                continue;
            for (size_t i = 0; ok && i < batch.column_count; i++)
                ok = column_append_row(&folding->rows.columns[i], &batch.columns[i], row, error);
            folding->rows.length++;
        }
    }
    if (reader)
        iceberg_file_close(reader);
    batch_destroy(&batch);
    return ok;
}

static uint64_t first_bytes(struct slice bytes)
{
    uint64_t first = 0;
    for (size_t i = 0; i < 8; i++)
        first = first << 8 | (i < bytes.length ? (uint8_t)bytes.data[i] : 0);
    return first;
}

static bool read_keys(struct folding *folding, struct error *error)
{
    struct target *target = folding->target;
    const struct column *columns[64];
    size_t count = target->key_schema.field_count;
    for (size_t i = 0; i < count && i < 64; i++) {
        const struct field *field =
            schema_field_by_id(target->lake, target->key_schema.fields[i].id);
        columns[i] = &folding->rows.columns[field - target->lake->fields];
    }
    size_t rows = folding->rows.length;
    TRY(memory_grow(&folding->pairs, &folding->capacity, 2 * rows + 1, sizeof *folding->pairs,
                    error));
    TRY(memory_grow(&folding->starts, &folding->start_capacity, rows + 1, sizeof *folding->starts,
                    error));
    for (size_t row = 0; row < rows; row++) {
        struct change_key key;
        TRY(change_key_of_columns(target->keys, columns, row, &key, error));
        folding->pairs[row] = (struct sort_pair){
            key.is_integer ? sort_bias(key.integer) : first_bytes(key.bytes), row};
        folding->starts[row] = folding->keys.length;
        if (!key.is_integer)
            TRY(buffer_append_slice(&folding->keys, key.bytes, error));
    }
    folding->starts[rows] = folding->keys.length;
    return true;
}

static struct slice key_bytes(const struct folding *folding, uint64_t row)
{
    size_t from = folding->starts[row];
    return slice_make(folding->keys.data + from, folding->starts[row + 1] - from);
}

static int compare_ties(const void *a, const void *b, void *context)
{
    const struct sort_pair *left = a, *right = b;
    return slice_compare(key_bytes(context, left->at), key_bytes(context, right->at));
}

static const struct sort_pair *sort_rows(struct folding *folding)
{
    size_t rows = folding->rows.length;
    struct sort_pair *pairs = sort_pairs(folding->pairs, folding->pairs + rows, rows);
    if (folding->target->conflate.keys.integer)
        return pairs;
    for (size_t from = 0, end; from < rows; from = end) {
        for (end = from + 1; end < rows && pairs[end].key == pairs[from].key; end++)
            continue;
        if (end - from > 1)
            qsort_r(pairs + from, end - from, sizeof *pairs, compare_ties, folding);
    }
    return pairs;
}

static bool add_key(struct folding *folding, struct data_writer *writer,
                    const struct sort_pair *pair, struct error *error)
{
    if (folding->target->conflate.keys.integer)
        return data_writer_add_key(writer, pair->key, 0, error);
    struct key_hash hash =
        key_hash_bytes(key_bytes(folding, pair->at), folding->target->folder->seed);
    return data_writer_add_key(writer, hash.low, (uint32_t)hash.high, error);
}

static bool write_rows(struct folding *folding, struct error *error)
{
    struct target *target = folding->target;
    const struct sort_pair *pairs = sort_rows(folding);
    struct data_writer writer = {0};
    struct batch batch;
    TRY(batch_init(&batch, target->lake, error));
    bool ok = data_writer_open(&writer, target, target->lake, error);
    for (size_t i = 0; ok && i < folding->rows.length; i++) {
        for (size_t column = 0; ok && column < batch.column_count; column++)
            ok = column_append_row(&batch.columns[column], &folding->rows.columns[column],
                                   (size_t)pairs[i].at, error);
        ok = ok && add_key(folding, &writer, &pairs[i], error);
        batch.length++;
        if (ok && (batch.length == FOLD_CHUNK || i + 1 == folding->rows.length)) {
            ok = data_writer_write(&writer, &batch, error);
            batch_clear(&batch);
        }
    }
    ok = ok && data_writer_close(&writer, error);
    data_writer_destroy(&writer);
    batch_destroy(&batch);
    return ok;
}

static bool fold(struct target *target, struct data_file *const *files, size_t count,
                 struct error *error)
{
    struct folding folding = {.target = target};
    bool ok = batch_init(&folding.rows, target->lake, error);
    for (size_t i = 0; ok && i < count; i++) {
        ok = read_file(&folding, files[i], error);
        files[i]->dropped = true;
    }
    ok = ok && read_keys(&folding, error) &&
         (folding.rows.length == 0 || write_rows(&folding, error));
    batch_destroy(&folding.rows);
    buffer_destroy(&folding.keys);
    free(folding.pairs);
    free(folding.starts);
    return ok;
}

bool target_fold_files(struct target *target, struct error *error)
{
    int64_t room = 2 * target->rows_written;
    if (room < FOLD_LEAST)
        room = FOLD_LEAST;
    for (size_t tier = 0; tier < FOLD_TIERS; tier++) {
        struct data_file *chosen[FOLD_FILES];
        size_t count = 0;
        int64_t rows = 0;
        for (size_t i = 0; i < target->file_count && count < FOLD_FILES; i++) {
            struct data_file *file = &target->files[i];
            int64_t live = live_rows(file);
            if (file->dropped || tier_of(live) != tier)
                continue;
            chosen[count++] = file;
            rows += live;
        }
        if (count < FOLD_FILES || rows > room)
            continue;
        room -= rows;
        TRY(fold(target, chosen, count, error));
    }
    return true;
}

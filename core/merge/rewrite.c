/* A data file of which too much is deleted is written again without those rows, in a commit of its
 * own behind the batch: readers then skip nothing, and its delete files go. Rows keep their order,
 * their batch ids and their sequence number. */
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/merge/target.h"

enum { REWRITE_CHUNK = 8192 };

static bool is_past(const struct target *target, const struct data_file *file)
{
    double deleted = (double)file->memory->deleted_count;
    return deleted > 0 && deleted >= target->options->rewrite_at * (double)file->memory->rows;
}

/* The file with the largest share of deleted rows, if that is past the limit. */
static bool choose(struct target *target, struct data_file **out, struct error *error)
{
    *out = NULL;
    double worst = 0;
    for (size_t i = 0; i < target->file_count; i++) {
        struct data_file *file = &target->files[i];
        TRY(file->task->delete_count == 0 || data_file_deleted(target, file, error));
        double share = (double)file->memory->deleted_count / (double)(file->memory->rows + 1);
        if (is_past(target, file) && share > worst) {
            worst = share;
            *out = file;
        }
    }
    return true;
}

static bool add_keys(struct target *target, struct data_writer *writer, const struct batch *batch,
                     struct error *error)
{
    const struct column *columns[64];
    for (size_t i = 0; i < target->key_schema.field_count && i < 64; i++) {
        const struct field *field =
            schema_field_by_id(target->lake, target->key_schema.fields[i].id);
        columns[i] = &batch->columns[field - target->lake->fields];
    }
    for (size_t row = 0; row < batch->length; row++) {
        struct change_key key;
        TRY(change_key_of_columns(target->keys, columns, row, &key, error));
        if (key.is_integer) {
            TRY(data_writer_add_key(writer, (uint64_t)key.integer ^ UINT64_C(1) << 63, 0, error));
            continue;
        }
        struct key_hash hash = key_hash_bytes(key.bytes, target->folder->seed);
        TRY(data_writer_add_key(writer, hash.low, (uint32_t)hash.high, error));
    }
    return true;
}

static bool copy_live(struct target *target, const struct data_file *file, const struct batch *in,
                      int64_t first, struct batch *out, struct error *error)
{
    (void)target;
    batch_clear(out);
    for (size_t row = 0; row < in->length; row++) {
        if (data_file_is_deleted(file, first + (int64_t)row))
            continue;
        for (size_t i = 0; i < in->column_count; i++)
            TRY(column_append_row(&out->columns[i], &in->columns[i], row, error));
        out->length++;
    }
    return true;
}

static bool copy_file(struct target *target, struct data_file *file, struct error *error)
{
    struct batch in = {0}, out = {0};
    struct data_writer writer = {.sequence = file->task->data->sequence_number};
    struct iceberg_file_reader *reader = NULL;
    bool ok = batch_init(&in, target->lake, error) && batch_init(&out, target->lake, error) &&
              data_writer_open(&writer, target, target->lake, error);
    if (ok) {
        reader = iceberg_file_open(&target->table, file->task->data, target->lake, error);
        ok = reader != NULL;
    }
    while (ok) {
        int64_t first;
        ok = iceberg_file_next(reader, &in, REWRITE_CHUNK, &first, error);
        if (!ok || in.length == 0)
            break;
        ok = copy_live(target, file, &in, first, &out, error) &&
             add_keys(target, &writer, &out, error) && data_writer_write(&writer, &out, error);
    }
    ok = ok && data_writer_close(&writer, error);
    if (reader)
        iceberg_file_close(reader);
    data_writer_destroy(&writer);
    batch_destroy(&in);
    batch_destroy(&out);
    return ok;
}

bool target_rewrite(struct target *target, bool *found, struct error *error)
{
    struct data_file *file;
    TRY(choose(target, &file, error));
    *found = file != NULL;
    if (file == NULL)
        return true;
    file->dropped = true;
    return FAULT("merge.rewrite.before-file", error) && copy_file(target, file, error) &&
           target_write_deletes(target, error) &&
           iceberg_commit_set_operation(target->commit, "replace", error);
}

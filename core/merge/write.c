/* New rows, in key order. Row images are read here, straight into the columns that are written;
 * those that lack values are completed first from the chain of older images and stored rows. */
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/merge/target.h"

enum { WRITE_ROWS = 8192, WRITE_AHEAD = 8 };

/* A data file is closed when it has about so many bytes. */
#define WRITE_FILE_BYTES (INT64_C(256) << 20)

struct row_writer {
    struct target *target;
    struct data_writer file;
    bool open;
    struct batch batch;
    struct batch newest, older; /* one row each, for rows that lack values */
    uint8_t *lacking, *older_lacking;
    struct stored_rows stored;
    uint32_t *wanted; /* entries whose stored rows this chunk needs */
    size_t wanted_count, wanted_capacity;
};

static size_t column_count(const struct row_writer *writer)
{
    return writer->target->in->table->column_count;
}

static bool want(struct row_writer *writer, uint32_t entry, struct error *error)
{
    TRY(memory_grow(&writer->wanted, &writer->wanted_capacity, writer->wanted_count + 1,
                    sizeof *writer->wanted, error));
    writer->wanted[writer->wanted_count++] = entry;
    return true;
}

/* Whether the image lacks values at all, and if so which stored rows may be needed for it. */
static bool prepare_entry(struct row_writer *writer, struct key_entry *entry, struct error *error)
{
    struct conflate *conflate = &writer->target->conflate;
    size_t lacking;
    batch_clear(&writer->newest);
    TRY(change_row_read(writer->target->compare, image_slice(&entry->after),
                        conflate_schema(conflate, entry->schema), true, &writer->newest,
                        writer->lacking, &lacking, error) ||
        target_event_error(writer->target, entry, error));
    if (lacking == 0) {
        entry->flags &= (uint16_t)~KEY_FOLDED;
        return true;
    }
    for (uint32_t at = entry->older; at != KEY_NONE; at = conflate->olders[at].next) {
        const struct older *older = &conflate->olders[at];
        if (older->image.data)
            continue;
        TRY(want(writer, older->row_of, error));
        return older->or_row_of == older->row_of || want(writer, older->or_row_of, error);
    }
    return true;
}

static bool prepare_chunk(struct row_writer *writer, const uint32_t *entries, size_t count,
                          struct error *error)
{
    struct target *target = writer->target;
    writer->wanted_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct key_entry *entry = &target->conflate.keys.entries[entries[i]];
        if (entry->flags & KEY_FOLDED)
            TRY(prepare_entry(writer, entry, error));
    }
    if (writer->wanted_count == 0 || target->conflate.truncated)
        return true;
    if (writer->stored.readers == NULL)
        TRY(stored_rows_init(&writer->stored, target, error));
    return stored_rows_fetch(&writer->stored, target, writer->wanted, writer->wanted_count, error);
}

/* Puts the values of `from` that are still lacking into the batch. */
static bool fill(struct row_writer *writer, const struct batch *from, size_t row,
                 const uint8_t *from_lacking, size_t *left, struct error *error)
{
    for (size_t i = 0; i < column_count(writer); i++) {
        if (!writer->lacking[i] || (from_lacking && from_lacking[i]))
            continue;
        TRY(column_append_row(&writer->batch.columns[i], &from->columns[i], row, error));
        writer->lacking[i] = 0;
        (*left)--;
    }
    return true;
}

static bool fill_from_older(struct row_writer *writer, const struct older *older, size_t *left,
                            struct error *error)
{
    struct target *target = writer->target;
    if (older->image.data) {
        size_t count;
        batch_clear(&writer->older);
        TRY(change_row_read(target->compare, image_slice(&older->image),
                            conflate_schema(&target->conflate, older->schema),
                            older->next != KEY_NONE, &writer->older, writer->older_lacking, &count,
                            error));
        return fill(writer, &writer->older, 0, writer->older_lacking, left, error);
    }
    if (target->conflate.truncated || writer->stored.readers == NULL)
        return true;
    size_t row = stored_rows_find(&writer->stored, older->row_of);
    if (row == SIZE_MAX)
        row = stored_rows_find(&writer->stored, older->or_row_of);
    return row == SIZE_MAX || fill(writer, &writer->stored.batch, row, NULL, left, error);
}

static bool never_sent(const struct row_writer *writer, struct error *error)
{
    size_t column = 0;
    while (column < column_count(writer) && !writer->lacking[column])
        column++;
    return error_set(error, ERROR_INPUT,
                     "reload the table (a new snapshot); REPLICA IDENTITY FULL sends every value",
                     "column \"%s\" was not sent with this change (unchanged, stored out of line), "
                     "and no earlier value of the row is known",
                     writer->target->in->table->columns[column].name);
}

static bool append_folded(struct row_writer *writer, const struct key_entry *entry,
                          struct error *error)
{
    struct target *target = writer->target;
    const struct conflate *conflate = &target->conflate;
    size_t left;
    batch_clear(&writer->newest);
    TRY(change_row_read(target->rows, image_slice(&entry->after),
                        conflate_schema(conflate, entry->schema), true, &writer->newest,
                        writer->lacking, &left, error));
    for (size_t i = 0; i < column_count(writer); i++) {
        if (!writer->lacking[i])
            TRY(column_append_row(&writer->batch.columns[i], &writer->newest.columns[i], 0, error));
    }
    for (uint32_t at = entry->older; left && at != KEY_NONE; at = conflate->olders[at].next)
        TRY(fill_from_older(writer, &conflate->olders[at], &left, error));
    if (left)
        return never_sent(writer, error);
    writer->batch.length++;
    return true;
}

static bool append_entry(struct row_writer *writer, uint32_t at, struct error *error)
{
    struct target *target = writer->target;
    const struct key_entry *entry = &target->conflate.keys.entries[at];
    bool ok = entry->flags & KEY_FOLDED
                  ? append_folded(writer, entry, error)
                  : change_row_read(target->rows, image_slice(&entry->after),
                                    conflate_schema(&target->conflate, entry->schema), false,
                                    &writer->batch, NULL, NULL, error);
    if (!ok)
        return target_event_error(target, entry, error);
    return data_writer_add_key(&writer->file, entry_index_key(&target->conflate, entry),
                               target->conflate.keys.integer ? 0 : (uint32_t)entry->hash_high,
                               error);
}

/* The last column: the batch's id for every row. */
static bool append_batch_id(struct row_writer *writer, struct error *error)
{
    struct column *column = &writer->batch.columns[column_count(writer)];
    size_t count = writer->batch.length;
    TRY(column_reserve(column, count, error));
    int32_t *values = column->values;
    for (size_t i = 0; i < count; i++)
        values[i] = (int32_t)writer->target->batch;
    memset(column->valid, 1, count);
    column->length = count;
    return true;
}

/* Rows are written in key order, images lie in the order of arrival: without this each row waits
 * for memory. */
static void prefetch_image(const struct image *image)
{
    for (uint32_t at = 0; at < image->length && at < 512; at += 64)
        __builtin_prefetch(image->data + at);
}

static bool write_chunk(struct row_writer *writer, const uint32_t *entries, size_t count,
                        struct error *error)
{
    struct target *target = writer->target;
    if (count == 0)
        return true;
    if (!writer->open)
        TRY(data_writer_open(&writer->file, target, &target->write_schema, error));
    writer->open = true;
    batch_clear(&writer->batch);
    TRY(prepare_chunk(writer, entries, count, error));
    for (size_t i = 0; i < count; i++) {
        if (i + WRITE_AHEAD < count)
            prefetch_image(&target->conflate.keys.entries[entries[i + WRITE_AHEAD]].after);
        TRY(append_entry(writer, entries[i], error));
    }
    TRY(append_batch_id(writer, error));
    TRY(data_writer_write(&writer->file, &writer->batch, error));
    target->rows_written += (int64_t)count;
    if (target->options->stop && atomic_load(target->options->stop))
        return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted");
    if (parquet_writer_bytes(writer->file.parquet) < WRITE_FILE_BYTES)
        return true;
    writer->open = false;
    return data_writer_close(&writer->file, error);
}

static bool write_all(struct row_writer *writer, struct error *error)
{
    struct target *target = writer->target;
    const struct key_table *keys = &target->conflate.keys;
    uint32_t chunk[WRITE_ROWS];
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (i + WRITE_AHEAD < keys->count)
            __builtin_prefetch(&keys->entries[target->order.at[i + WRITE_AHEAD]].flags);
        const struct key_entry *entry = &keys->entries[target->order.at[i]];
        if (!entry_has_row(entry) || (entry->flags & KEY_KEPT))
            continue;
        chunk[count++] = target->order.at[i];
        if (count < WRITE_ROWS)
            continue;
        TRY(write_chunk(writer, chunk, count, error));
        count = 0;
    }
    TRY(write_chunk(writer, chunk, count, error));
    return !writer->open || data_writer_close(&writer->file, error);
}

bool target_write_rows(struct target *target, struct error *error)
{
    struct row_writer writer = {.target = target};
    writer.lacking = memory_zero(column_count(&writer), 1, error);
    writer.older_lacking = memory_zero(column_count(&writer), 1, error);
    bool ok = writer.lacking && writer.older_lacking &&
              batch_init(&writer.batch, &target->write_schema, error) &&
              batch_init(&writer.newest, &target->write_schema, error) &&
              batch_init(&writer.older, &target->write_schema, error) && write_all(&writer, error);
    data_writer_destroy(&writer.file);
    batch_destroy(&writer.batch);
    batch_destroy(&writer.newest);
    batch_destroy(&writer.older);
    stored_rows_destroy(&writer.stored);
    free(writer.lacking);
    free(writer.older_lacking);
    free(writer.wanted);
    return ok;
}

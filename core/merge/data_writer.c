/* One data file on its way: Parquet into the store, keys into its index, facts into the commit. */
#include <stdlib.h>

#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/iceberg/statistics.h"
#include "core/merge/target.h"

bool data_writer_open(struct data_writer *writer, struct target *target,
                      const struct schema *schema, struct error *error)
{
    writer->target = target;
    writer->schema = schema;
    writer->entry_count = 0;
    writer->rows = 0;
    TRY(FAULT("merge.data.before-file", error));
    writer->key = iceberg_commit_new_key(target->commit, "data", "parquet", error);
    TRY(writer->key != NULL);
    writer->store = store_writer_open(target->table.store, writer->key, error);
    TRY(writer->store != NULL);
    writer->parquet = parquet_writer_open(store_writer_sink(writer->store), schema, NULL, error);
    return writer->parquet != NULL;
}

bool data_writer_add_key(struct data_writer *writer, uint64_t key, uint32_t high,
                         struct error *error)
{
    if (writer->entry_count == writer->entry_capacity)
        TRY(memory_grow(&writer->entries, &writer->entry_capacity, writer->entry_count + 1,
                        sizeof *writer->entries, error));
    writer->entries[writer->entry_count] =
        (struct key_index_entry){key, high, (uint32_t)writer->entry_count};
    writer->entry_count++;
    return true;
}

bool data_writer_write(struct data_writer *writer, const struct batch *batch, struct error *error)
{
    writer->rows += (int64_t)batch->length;
    return parquet_writer_write(writer->parquet, batch, error);
}

static bool keep_index(struct data_writer *writer, const struct iceberg_file *file,
                       struct error *error)
{
    struct target *target = writer->target;
    if (target->options->cold)
        return true;
    TRY(memory_grow(&target->indexes, &target->index_capacity, target->index_count + 1,
                    sizeof *target->indexes, error));
    struct new_index *index = &target->indexes[target->index_count];
    *index =
        (struct new_index){.path = file->path, .length = file->size, .rows = file->record_count};
    target->index_count++;
    /* The sequence number is known once the commit is won: the binding is made then. */
    struct key_index_binding binding = {.table_uuid = target->table.uuid,
                                        .path = file->path,
                                        .integer = target->conflate.keys.integer};
    return key_index_build(writer->entries, writer->entry_count, &binding, target->folder->seed,
                           &index->file, error);
}

bool data_writer_close(struct data_writer *writer, struct error *error)
{
    struct target *target = writer->target;
    struct parquet_file_facts facts = {0};
    bool ok = parquet_writer_close(writer->parquet, &facts, error);
    parquet_writer_destroy(writer->parquet);
    writer->parquet = NULL;
    if (ok) {
        ok = store_writer_commit(writer->store, STORE_FLUSH_LATER, error);
        writer->store = NULL;
    }
    struct iceberg_file file;
    ok = ok && FAULT("merge.data.after-file", error);
    const char *uri = ok ? iceberg_commit_uri(target->commit, writer->key, error) : NULL;
    ok = uri && iceberg_file_from_facts(&facts, target->lake, uri, &target->arena, &file, error);
    if (ok) {
        file.spec_id = target->table.spec ? target->table.spec->id : 0;
        ok = (writer->sequence
                  ? iceberg_commit_add_file_at(target->commit, &file, writer->sequence, error)
                  : iceberg_commit_add_file(target->commit, &file, error)) &&
             keep_index(writer, &file, error);
        target->files_added++;
        target->bytes_written += file.size;
    }
    parquet_file_facts_destroy(&facts);
    return ok;
}

void data_writer_destroy(struct data_writer *writer)
{
    if (writer->parquet)
        parquet_writer_destroy(writer->parquet);
    store_writer_abort(writer->store);
    free(writer->entries);
    *writer = (struct data_writer){0};
}

#include "core/iceberg/delete.h"

#include "core/base/fault.h"
#include "core/iceberg/statistics.h"
#include "core/parquet/writer.h"

enum { DELETE_BATCH = 16384 };

static struct schema delete_schema(struct field fields[2])
{
    fields[0] = (struct field){.id = ICEBERG_DELETE_PATH_ID,
                               .required = true,
                               .name = "file_path",
                               .type = {.kind = TYPE_STRING}};
    fields[1] = (struct field){.id = ICEBERG_DELETE_POSITION_ID,
                               .required = true,
                               .name = "pos",
                               .type = {.kind = TYPE_LONG}};
    return (struct schema){.fields = fields, .field_count = 2};
}

static bool delete_check(const struct iceberg_file *data, const int64_t *positions, size_t count,
                         struct error *error)
{
    int64_t last = -1;
    for (size_t i = 0; i < count; i++) {
        if (positions[i] <= last || positions[i] >= data->record_count)
            return error_set(error, ERROR_INTERNAL, NULL,
                             "%s: row %lld to be deleted is out of order or beyond its %lld rows",
                             data->path, (long long)positions[i], (long long)data->record_count);
        last = positions[i];
    }
    return count > 0 || error_set(error, ERROR_INTERNAL, NULL, "%s: no rows to delete", data->path);
}

static bool delete_write_rows(struct parquet_writer *writer, struct batch *batch,
                              const struct iceberg_file *data, const int64_t *positions,
                              size_t count, struct error *error)
{
    struct slice path = slice_of(data->path);
    for (size_t from = 0; from < count; from += DELETE_BATCH) {
        size_t rows = count - from < DELETE_BATCH ? count - from : DELETE_BATCH;
        batch_clear(batch);
        for (size_t i = 0; i < rows; i++) {
            TRY(column_append_bytes(&batch->columns[0], path, error));
            TRY(column_append_bytes(&batch->columns[1],
                                    slice_make(&positions[from + i], sizeof *positions), error));
        }
        batch->length = rows;
        TRY(parquet_writer_write(writer, batch, error));
    }
    return true;
}

static bool delete_write(struct store_writer *file, const struct schema *schema,
                         const struct iceberg_file *data, const int64_t *positions, size_t count,
                         struct parquet_file_facts *facts, struct error *error)
{
    struct batch batch = {0};
    struct parquet_writer *writer =
        parquet_writer_open(store_writer_sink(file), schema, NULL, error);
    bool ok = writer && batch_init(&batch, schema, error) &&
              delete_write_rows(writer, &batch, data, positions, count, error) &&
              parquet_writer_close(writer, facts, error);
    batch_destroy(&batch);
    parquet_writer_destroy(writer);
    return ok;
}

bool iceberg_write_position_deletes(struct iceberg_commit *commit, const struct iceberg_file *data,
                                    const int64_t *positions, size_t count, struct arena *arena,
                                    struct iceberg_file *out, struct error *error)
{
    struct parquet_file_facts facts = {0};
    struct field fields[2];
    const struct schema schema = delete_schema(fields);
    TRY(delete_check(data, positions, count, error));
    const char *key = iceberg_commit_new_key(commit, "data", "deletes.parquet", error);
    const char *uri = key ? iceberg_commit_uri(commit, key, error) : NULL;
    TRY(uri != NULL);
    TRY(FAULT("iceberg.deletes.before-write", error));
    struct store_writer *file = store_writer_open(iceberg_commit_base(commit)->store, key, error);
    TRY(file != NULL);
    if (!delete_write(file, &schema, data, positions, count, &facts, error)) {
        store_writer_abort(file);
        return false;
    }
    bool ok = store_writer_commit(file, STORE_FLUSH_LATER, error) &&
              iceberg_file_from_facts(&facts, &schema, uri, arena, out, error);
    parquet_file_facts_destroy(&facts);
    TRY(ok);
    out->content = ICEBERG_POSITION_DELETES;
    out->spec_id = data->spec_id;
    out->partition = data->partition;
    out->partition_count = data->partition_count;
    out->referenced_data_file = arena_copy_text(arena, data->path, error);
    return out->referenced_data_file != NULL;
}

/* One data file: its rows as the columns of a projection, streamed or chosen by number. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/scan_internal.h"

enum { CHOSEN_STEP = 4096 };

struct iceberg_file_reader {
    const struct iceberg_file *data;
    const struct schema *projection;
    struct source source;
    struct parquet_reader *parquet;
    struct parquet_cursor *cursor;
    struct schema readable;        /* the projection with partition columns optional */
    struct iceberg_value *present; /* per field: the partition value of a column the file lacks */
    struct batch step;             /* for rows chosen by number */
};

bool scan_open_parquet(const struct iceberg_table *table, const struct iceberg_file *file,
                       struct source *source, struct parquet_reader **reader, struct error *error)
{
    TRY(scan_check_format(file, error) && iceberg_table_source(table, file->path, source, error));
    bool ok = (int64_t)source->size == file->size ||
              error_set(error, ERROR_INPUT, "fetch it again, or roll the table back",
                        "%s: is %llu bytes long, its manifest says %lld", file->path,
                        (unsigned long long)source->size, (long long)file->size);
    *reader = ok ? parquet_reader_open(source, NULL, error) : NULL;
    ok = *reader != NULL;
    if (ok && parquet_reader_rows(*reader) != file->record_count)
        ok = error_set(error, ERROR_INPUT, "fetch it again, or roll the table back",
                       "%s: has %lld rows, its manifest says %lld", file->path,
                       (long long)parquet_reader_rows(*reader), (long long)file->record_count);
    if (!ok) {
        parquet_reader_close(*reader);
        *reader = NULL;
        store_source_close(source);
    }
    return ok;
}

/* The value that the partition tuple gives for a column the file lacks (spec, "Column
 * Projection": files moved in from Hive leave partition columns out). */
static const struct iceberg_value *partition_value(const struct iceberg_table *table,
                                                   const struct iceberg_file *data, int32_t id)
{
    const struct iceberg_spec *spec = iceberg_table_spec(table, data->spec_id);
    for (size_t i = 0; spec && i < spec->field_count && i < data->partition_count; i++) {
        if (spec->fields[i].source_id == id && spec->fields[i].transform == ICEBERG_IDENTITY)
            return &data->partition[i];
    }
    return NULL;
}

/* Format v3 may give an added column a default for the rows before it. */
static bool has_initial_default(const struct iceberg_table *table, int32_t id)
{
    size_t i, k;
    const json_t *schema, *field;
    json_array_foreach(json_object_get(table->metadata, "schemas"), i, schema)
    {
        json_array_foreach(json_object_get(schema, "fields"), k, field)
        {
            const json_t *value = json_object_get(field, "initial-default");
            if (json_integer_value(json_object_get(field, "id")) == id && value &&
                !json_is_null(value))
                return true;
        }
    }
    return false;
}

static bool file_has_ids(const struct schema *schema)
{
    return schema_highest_id(schema) > 0;
}

static bool resolve_absent(struct iceberg_file_reader *reader, const struct iceberg_table *table,
                           struct error *error)
{
    const struct schema *in_file = parquet_reader_schema(reader->parquet);
    size_t count = reader->projection->field_count;
    reader->readable.fields = memory_zero(count, sizeof *reader->readable.fields, error);
    reader->present = memory_zero(count, sizeof *reader->present, error);
    if (reader->readable.fields == NULL || reader->present == NULL)
        return false;
    reader->readable.field_count = count;
    for (size_t i = 0; i < count; i++) {
        struct field *field = &reader->readable.fields[i];
        *field = reader->projection->fields[i];
        bool there = file_has_ids(in_file) ? schema_field_by_id(in_file, field->id) != NULL
                                           : schema_field(in_file, field->name) != NULL;
        if (there)
            continue;
        const struct iceberg_value *value = partition_value(table, reader->data, field->id);
        if (value) {
            reader->present[i] = *value;
            field->required = false;
        } else if (has_initial_default(table, field->id)) {
            return error_set(error, ERROR_UNSUPPORTED, "read other columns (--columns)",
                             "%s: column %s has a default for rows before it was added; this "
                             "version does not apply it",
                             reader->data->path, field->name);
        }
    }
    return true;
}

struct iceberg_file_reader *iceberg_file_open(const struct iceberg_table *table,
                                              const struct iceberg_file *data,
                                              const struct schema *projection, struct error *error)
{
    struct iceberg_file_reader *reader = memory_zero(1, sizeof *reader, error);
    if (reader == NULL)
        return NULL;
    reader->data = data;
    reader->projection = projection;
    bool ok = scan_open_parquet(table, data, &reader->source, &reader->parquet, error) &&
              resolve_absent(reader, table, error);
    if (ok) {
        reader->cursor = parquet_cursor_open(reader->parquet, &reader->readable, 0, -1, error);
        ok = reader->cursor || error_prefix(error, "data file %s", data->path);
    }
    if (!ok) {
        iceberg_file_close(reader);
        return NULL;
    }
    return reader;
}

void iceberg_file_close(struct iceberg_file_reader *reader)
{
    if (reader == NULL)
        return;
    batch_destroy(&reader->step);
    parquet_cursor_close(reader->cursor);
    parquet_reader_close(reader->parquet);
    store_source_close(&reader->source);
    free(reader->readable.fields);
    free(reader->present);
    free(reader);
}

bool scan_file_seek(struct iceberg_file_reader *reader, int64_t first, int64_t count,
                    struct error *error)
{
    return parquet_cursor_seek(reader->cursor, first, count, error);
}

const struct parquet_reader *scan_file_parquet(const struct iceberg_file_reader *reader)
{
    return reader->parquet;
}

/* Puts the partition value into every row of the columns the file lacks. */
static bool fill_present(const struct iceberg_file_reader *reader, struct batch *batch,
                         struct error *error)
{
    for (size_t i = 0; i < reader->readable.field_count; i++) {
        if (!reader->present[i].present)
            continue;
        struct column *column = &batch->columns[i];
        column_clear(column);
        for (size_t row = 0; row < batch->length; row++)
            TRY(iceberg_value_to_column(column->type, reader->present[i].bytes, column, error));
    }
    return true;
}

bool iceberg_file_next(struct iceberg_file_reader *reader, struct batch *out, size_t max_rows,
                       int64_t *first_row, struct error *error)
{
    *first_row = parquet_cursor_row(reader->cursor);
    return (parquet_cursor_next(reader->cursor, out, max_rows, error) &&
            fill_present(reader, out, error)) ||
           error_prefix(error, "data file %s", reader->data->path);
}

/* Appends the rows [from, from + count) of the step. */
static bool append_rows(struct batch *out, const struct batch *step, size_t from, size_t count,
                        struct error *error)
{
    for (size_t i = 0; i < out->column_count; i++) {
        for (size_t row = from; row < from + count; row++)
            TRY(column_append_row(&out->columns[i], &step->columns[i], row, error));
    }
    out->length += count;
    return true;
}

bool iceberg_file_rows(struct iceberg_file_reader *reader, const int64_t *rows, size_t count,
                       struct batch *out, struct error *error)
{
    if (reader->step.columns == NULL)
        TRY(batch_init(&reader->step, reader->projection, error));
    size_t done = 0;
    while (done < count) {
        /* Rows near each other are read in one step: skipping decodes less than seeking. */
        size_t last = done + 1;
        while (last < count && rows[last] - rows[done] < CHOSEN_STEP)
            last++;
        for (size_t i = done + 1; i < last; i++) {
            if (rows[i] <= rows[i - 1])
                return error_set(error, ERROR_INTERNAL, NULL, "%s: rows are not ascending",
                                 reader->data->path);
        }
        int64_t first = rows[done], span = rows[last - 1] - first + 1;
        if (first < 0 || first + span > reader->data->record_count)
            return error_set(error, ERROR_INTERNAL, NULL, "%s: row %lld is not in the file",
                             reader->data->path, (long long)rows[last - 1]);
        TRY(scan_file_seek(reader, first, span, error));
        while (done < last) {
            int64_t at;
            TRY(iceberg_file_next(reader, &reader->step, CHOSEN_STEP, &at, error));
            if (reader->step.length == 0)
                return error_set(error, ERROR_INPUT, "fetch it again, or roll the table back",
                                 "data file %s ends before row %lld", reader->data->path,
                                 (long long)rows[done]);
            int64_t end = at + (int64_t)reader->step.length;
            while (done < last && rows[done] < end) {
                size_t run = 1;
                while (done + run < last && rows[done + run] < end &&
                       rows[done + run] == rows[done] + (int64_t)run)
                    run++;
                TRY(append_rows(out, &reader->step, (size_t)(rows[done] - at), run, error));
                done += run;
            }
        }
    }
    return true;
}

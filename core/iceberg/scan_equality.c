/* Equality deletes, as Flink and Spark streaming write them: read, never written. A row is gone
 * when its values in the named columns equal a row of the delete file; null equals null. */
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/iceberg/scan_internal.h"

enum { BATCH_ROWS = 16384 };

struct equality_set {
    struct schema schema; /* the named columns; the array is ours, the rest the table's */
    struct map values;    /* encoded rows */
    struct arena arena;
};

void equality_set_destroy(struct equality_set *set)
{
    if (set == NULL)
        return;
    free(set->schema.fields);
    map_destroy(&set->values);
    arena_destroy(&set->arena);
    free(set);
}

const struct field *equality_field(const struct iceberg_table *table, const struct schema *rows,
                                   const struct iceberg_file *deletes, int32_t id,
                                   struct error *error)
{
    const struct field *field = schema_field_by_id(rows, id);
    for (size_t i = table->schema_count; field == NULL && i > 0; i--)
        field = schema_field_by_id(&table->schemas[i - 1], id);
    if (field == NULL)
        error_set(error, ERROR_UNSUPPORTED,
                  "fold the deletes with the engine that wrote them (rewrite_data_files)",
                  "equality delete file %s: field %d is inside a struct, or unknown", deletes->path,
                  (int)id);
    return field;
}

/* Each value: 0 for null, else 1, its length, its bytes. */
static bool encode_row(const struct schema *schema, const struct column *const *columns, size_t row,
                       struct buffer *out, struct error *error)
{
    buffer_clear(out);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (column_is_null(columns[i], row)) {
            TRY(buffer_append_byte(out, 0, error));
            continue;
        }
        TRY(buffer_append_byte(out, 1, error));
        size_t start = out->length;
        TRY(buffer_append_u32_le(out, 0, error) &&
            iceberg_value_from_column(columns[i], row, out, error));
        uint32_t length = (uint32_t)(out->length - start - 4);
        memcpy(out->data + start, &length, sizeof length);
    }
    return true;
}

static bool take_batch(struct equality_set *set, const struct batch *batch, struct buffer *row,
                       struct error *error)
{
    const struct column **columns = memory_zero(batch->column_count, sizeof *columns, error);
    bool ok = columns != NULL;
    for (size_t i = 0; ok && i < batch->column_count; i++)
        columns[i] = &batch->columns[i];
    for (size_t i = 0; ok && i < batch->length; i++) {
        ok = encode_row(&set->schema, columns, i, row, error);
        if (!ok || map_get(&set->values, buffer_slice(row)))
            continue;
        const char *copy = arena_copy_slice(&set->arena, buffer_slice(row), error);
        ok = copy && map_put(&set->values, slice_make(copy, row->length), set, error);
    }
    free(columns);
    return ok;
}

static bool read_values(struct equality_set *set, const struct iceberg_table *table,
                        const struct iceberg_file *deletes, struct error *error)
{
    struct source source = {0};
    struct parquet_reader *reader = NULL;
    TRY(scan_open_parquet(table, deletes, &source, &reader, error));
    struct batch batch = {0};
    struct buffer row = {0};
    bool ok = batch_init(&batch, &set->schema, error);
    struct parquet_cursor *cursor =
        ok ? parquet_cursor_open(reader, &set->schema, 0, -1, error) : NULL;
    ok = cursor != NULL;
    while (ok) {
        ok = parquet_cursor_next(cursor, &batch, BATCH_ROWS, error);
        if (!ok || batch.length == 0)
            break;
        ok = take_batch(set, &batch, &row, error);
    }
    if (!ok)
        error_prefix(error, "equality delete file %s", deletes->path);
    parquet_cursor_close(cursor);
    batch_destroy(&batch);
    buffer_destroy(&row);
    parquet_reader_close(reader);
    store_source_close(&source);
    return ok;
}

bool equality_set_load(const struct iceberg_table *table, const struct schema *rows,
                       const struct iceberg_file *deletes, struct equality_set **out,
                       struct error *error)
{
    struct equality_set *set = memory_zero(1, sizeof *set, error);
    TRY(set != NULL);
    bool ok = scan_check_format(deletes, error);
    if (ok && deletes->equality_count == 0)
        ok = error_set(error, ERROR_INPUT, "roll the table back",
                       "equality delete file %s names no columns", deletes->path);
    set->schema.fields =
        ok ? memory_zero(deletes->equality_count, sizeof *set->schema.fields, error) : NULL;
    ok = ok && set->schema.fields;
    for (size_t i = 0; ok && i < deletes->equality_count; i++) {
        const struct field *field =
            equality_field(table, rows, deletes, deletes->equality_ids[i], error);
        ok = field != NULL;
        if (ok) {
            set->schema.fields[set->schema.field_count] = *field;
            set->schema.fields[set->schema.field_count++].required = false;
        }
    }
    if (!ok || !read_values(set, table, deletes, error)) {
        equality_set_destroy(set);
        return false;
    }
    *out = set;
    return true;
}

bool equality_set_apply(const struct equality_set *set, const struct batch *batch, uint8_t *keep,
                        struct error *error)
{
    size_t count = set->schema.field_count;
    const struct column **columns = memory_zero(count, sizeof *columns, error);
    struct buffer row = {0};
    bool ok = columns != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        for (size_t k = 0; k < batch->column_count; k++) {
            if (batch->schema->fields[k].id == set->schema.fields[i].id)
                columns[i] = &batch->columns[k];
        }
        if (columns[i] == NULL) {
            error_set(error, ERROR_INTERNAL, NULL, "column %s is not in the batch",
                      set->schema.fields[i].name);
            ok = false;
        }
    }
    for (size_t i = 0; ok && i < batch->length; i++) {
        if (!keep[i])
            continue;
        ok = encode_row(&set->schema, columns, i, &row, error);
        if (ok && map_get(&set->values, buffer_slice(&row)))
            keep[i] = 0;
    }
    free(columns);
    buffer_destroy(&row);
    return ok;
}

#include "tests/unit/lake.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/iceberg/statistics.h"

void lake_fail(const char *what, const struct error *error)
{
    fprintf(stderr, "%s: %s: %s (%s)\n", what, error_kind_name(error->kind), error->message,
            error->remedy);
    exit(1);
}

void lake_open(struct lake *lake)
{
    struct error error = {0};
    snprintf(lake->folder, sizeof lake->folder, "/tmp/surfboard-lake-XXXXXX");
    if (mkdtemp(lake->folder) == NULL)
        lake_fail("mkdtemp", &error);
    snprintf(lake->uri, sizeof lake->uri, "%s/t", lake->folder);
    lake->catalog = catalog_storage_open(NULL, false, &error);
    if (lake->catalog == NULL)
        lake_fail("catalog", &error);
    lake->ident = (struct catalog_ident){NULL, lake->uri};
}

void lake_close(struct lake *lake)
{
    catalog_close(lake->catalog);
    file_remove_tree(lake->folder, NULL);
}

void lake_schema(struct schema *out)
{
    static const struct field fields[] = {
        {.id = 1, .required = true, .name = "id", .type = {.kind = TYPE_LONG}},
        {.id = 2, .name = "name", .type = {.kind = TYPE_STRING}},
        {.id = 3, .name = "amount", .type = {.kind = TYPE_DECIMAL, .precision = 12, .scale = 2}},
        {.id = 4, .name = "at", .type = {.kind = TYPE_TIMESTAMPTZ}},
    };
    struct error error = {0};
    int32_t key = 1;
    struct field copy[4];
    memcpy(copy, fields, sizeof copy);
    const struct schema plain = {
        .fields = copy, .field_count = 4, .identifier_ids = &key, .identifier_count = 1};
    if (!schema_copy(out, &plain, &error))
        lake_fail("schema", &error);
}

void lake_create(struct lake *lake, struct iceberg_table *out)
{
    struct error error = {0};
    struct schema schema;
    lake_schema(&schema);
    if (!catalog_create(lake->catalog, lake->ident, &schema, NULL, 0, NULL, out, &error))
        lake_fail("create", &error);
    schema_destroy(&schema);
}

void lake_load(struct lake *lake, struct iceberg_table *out)
{
    struct error error = {0};
    if (!catalog_load(lake->catalog, lake->ident, out, &error))
        lake_fail("load", &error);
}

static bool lake_fill(struct batch *batch, int64_t from, int64_t to, struct error *error)
{
    char name[32];
    for (int64_t n = from; n < to; n++) {
        int128 amount = n * 125;
        int64_t at = n * 1000000;
        int length = snprintf(name, sizeof name, "name %lld", (long long)n);
        TRY(column_append_bytes(&batch->columns[0], slice_make(&n, sizeof n), error));
        if (n % 7 == 0)
            TRY(column_append_null(&batch->columns[1], error));
        else
            TRY(column_append_bytes(&batch->columns[1], slice_make(name, (size_t)length), error));
        TRY(column_append_bytes(&batch->columns[2], slice_make(&amount, sizeof amount), error));
        TRY(column_append_bytes(&batch->columns[3], slice_make(&at, sizeof at), error));
    }
    batch->length = (size_t)(to - from);
    return true;
}

static bool lake_write(struct store_writer *file, const struct schema *schema, int64_t from,
                       int64_t to, struct parquet_file_facts *facts, struct error *error)
{
    struct batch batch = {0};
    struct parquet_writer *writer =
        parquet_writer_open(store_writer_sink(file), schema, NULL, error);
    bool ok = writer && batch_init(&batch, schema, error) && lake_fill(&batch, from, to, error) &&
              parquet_writer_write(writer, &batch, error) &&
              parquet_writer_close(writer, facts, error);
    batch_destroy(&batch);
    parquet_writer_destroy(writer);
    return ok;
}

bool lake_add_rows(struct iceberg_commit *commit, int64_t from, int64_t to, struct arena *arena,
                   struct iceberg_file *out, struct error *error)
{
    const struct iceberg_table *base = iceberg_commit_base(commit);
    struct parquet_file_facts facts = {0};
    struct iceberg_file file;
    const char *key = iceberg_commit_new_key(commit, "data", "parquet", error);
    const char *uri = key ? iceberg_commit_uri(commit, key, error) : NULL;
    struct store_writer *writer = uri ? store_writer_open(base->store, key, error) : NULL;
    TRY(writer != NULL);
    struct schema first = *base->schema;
    first.field_count = 4;
    if (!lake_write(writer, &first, from, to, &facts, error)) {
        store_writer_abort(writer);
        return false;
    }
    struct arena own = {0};
    bool ok =
        store_writer_commit(writer, STORE_FLUSH_LATER, error) &&
        iceberg_file_from_facts(&facts, base->schema, uri, arena ? arena : &own, &file, error) &&
        iceberg_commit_add_file(commit, &file, error);
    parquet_file_facts_destroy(&facts);
    arena_destroy(&own);
    if (ok && out)
        *out = file;
    return ok;
}

bool lake_append(struct lake *lake, int64_t from, int64_t to, struct error *error)
{
    struct iceberg_table table;
    TRY(catalog_load(lake->catalog, lake->ident, &table, error));
    struct iceberg_commit *commit = iceberg_commit_begin(&table, error);
    const struct catalog_commit_options options = {.retries = 100};
    bool ok = commit && lake_add_rows(commit, from, to, NULL, NULL, error) &&
              catalog_commit(lake->catalog, &commit, 1, &options, error);
    iceberg_commit_destroy(commit);
    iceberg_table_destroy(&table);
    return ok;
}

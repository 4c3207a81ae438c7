/* iceberg_rows: our side of the cross-reader test of tables.
 *
 *   iceberg_rows write SEED FOLDER STEPS   makes the table FOLDER with rows of every type and
 * changes it STEPS times (rows, deletes, rewrites, schema changes); prints the canonical text
 * (tests/unit/rows.h) of its rows iceberg_rows partitioned SEED FOLDER   a partitioned table of
 * rows (id, name, at), with deletes
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/memory.h"
#include "core/iceberg/catalog.h"
#include "core/iceberg/delete.h"
#include "core/iceberg/statistics.h"
#include "tests/unit/rows.h"

enum { FILES = 64, ROWS = 400 };

/* A data file that is live, as we mean it to be. */
struct part {
    struct batch rows;
    bool *gone;
    char *path;
};

struct model {
    struct random random;
    struct schema *schema; /* the present one; older rows lack its last columns */
    struct schema schemas[8];
    size_t schema_count;
    struct part parts[FILES];
    size_t part_count;
    struct catalog *catalog;
    struct catalog_ident ident;
    struct iceberg_table table;
    struct iceberg_commit *commit;
    struct arena arena;
};

static _Noreturn void fail(const struct error *error)
{
    fprintf(stderr, "iceberg_rows: %s: %s\n", error_kind_name(error->kind), error->message);
    exit(error_exit_code(error->kind));
}

#define MUST(expression)                                                                           \
    do {                                                                                           \
        struct error error = {0};                                                                  \
        if (!(expression))                                                                         \
            fail(&error);                                                                          \
    } while (0)

/* ---- commits ---- */

static void begin(struct model *model)
{
    MUST(catalog_load(model->catalog, model->ident, &model->table, &error));
    MUST((model->commit = iceberg_commit_begin(&model->table, &error)) != NULL);
}

static void publish(struct model *model)
{
    MUST(catalog_commit(model->catalog, &model->commit, 1, NULL, &error));
    iceberg_commit_destroy(model->commit);
    iceberg_table_destroy(&model->table);
    model->commit = NULL;
}

static void write_rows(struct model *model, const struct schema *schema, const struct batch *rows,
                       struct iceberg_file *out)
{
    struct parquet_file_facts facts;
    const char *key, *uri;
    struct store_writer *file;
    struct parquet_writer *writer;
    MUST((key = iceberg_commit_new_key(model->commit, "data", "parquet", &error)) != NULL);
    MUST((uri = iceberg_commit_uri(model->commit, key, &error)) != NULL);
    MUST((file = store_writer_open(model->table.store, key, &error)) != NULL);
    MUST((writer = parquet_writer_open(store_writer_sink(file), schema, NULL, &error)) != NULL);
    MUST(parquet_writer_write(writer, rows, &error));
    MUST(parquet_writer_close(writer, &facts, &error));
    parquet_writer_destroy(writer);
    MUST(store_writer_commit(file, STORE_FLUSH_LATER, &error));
    MUST(iceberg_file_from_facts(&facts, schema, uri, &model->arena, out, &error));
    parquet_file_facts_destroy(&facts);
}

static void add_part(struct model *model, size_t rows)
{
    struct part *part = &model->parts[model->part_count++];
    struct iceberg_file file;
    MUST(batch_init(&part->rows, model->schema, &error));
    rows_random_batch(&model->random, &part->rows, rows, ROWS_MIXED);
    MUST((part->gone = memory_zero(rows, 1, &error)) != NULL);
    write_rows(model, model->schema, &part->rows, &file);
    MUST((part->path = memory_copy_text(file.path, &error)) != NULL);
    MUST(iceberg_commit_add_file(model->commit, &file, &error));
}

static void drop_part(struct model *model, size_t index)
{
    struct part *part = &model->parts[index];
    batch_destroy(&part->rows);
    free(part->gone);
    free(part->path);
    model->parts[index] = model->parts[--model->part_count];
}

static const struct iceberg_file *find_file(const struct iceberg_file_list *files, const char *path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].path, path) == 0)
            return &files->items[i];
    }
    fprintf(stderr, "iceberg_rows: %s is not in the table\n", path);
    exit(1);
}

/* ---- changes ---- */

static void delete_rows(struct model *model, const struct iceberg_file_list *files)
{
    for (size_t p = 0; p < model->part_count; p++) {
        struct part *part = &model->parts[p];
        int64_t *positions;
        size_t count = 0;
        if (random_below(&model->random, 2))
            continue;
        MUST((positions = memory_zero(part->rows.length, sizeof *positions, &error)) != NULL);
        for (size_t row = 0; row < part->rows.length; row++) {
            if (!part->gone[row] && random_below(&model->random, 10) == 0) {
                part->gone[row] = true;
                positions[count++] = (int64_t)row;
            }
        }
        struct iceberg_file deletes;
        if (count) {
            MUST(iceberg_write_position_deletes(model->commit, find_file(files, part->path),
                                                positions, count, &model->arena, &deletes, &error));
            MUST(iceberg_commit_add_file(model->commit, &deletes, &error));
        }
        free(positions);
    }
}

/* Removes a file and what deletes rows of it; with `rewrite` its live rows come back. */
static void remove_part(struct model *model, const struct iceberg_file_list *files, size_t index,
                        bool rewrite)
{
    struct part *part = &model->parts[index];
    for (size_t i = 0; i < files->count; i++) {
        const struct iceberg_file *file = &files->items[i];
        if (strcmp(file->path, part->path) == 0 || slice_is(iceberg_file_scope(file), part->path))
            MUST(iceberg_commit_remove_file(model->commit, file, &error));
    }
    if (rewrite) {
        struct part *made = &model->parts[model->part_count];
        struct iceberg_file file;
        MUST(batch_init(&made->rows, part->rows.schema, &error));
        for (size_t row = 0; row < part->rows.length; row++) {
            for (size_t c = 0; !part->gone[row] && c < part->rows.column_count; c++)
                MUST(
                    column_append_row(&made->rows.columns[c], &part->rows.columns[c], row, &error));
            made->rows.length += !part->gone[row];
        }
        MUST((made->gone = memory_zero(made->rows.length, 1, &error)) != NULL);
        write_rows(model, made->rows.schema, &made->rows, &file);
        MUST((made->path = memory_copy_text(file.path, &error)) != NULL);
        MUST(iceberg_commit_add_file(model->commit, &file, &error));
        model->part_count++;
    }
    drop_part(model, index);
}

static void add_column(struct model *model)
{
    static const enum type_kind kinds[] = {TYPE_LONG, TYPE_STRING, TYPE_DATE, TYPE_BOOLEAN};
    if (model->schema_count == sizeof model->schemas / sizeof *model->schemas)
        return;
    size_t count = model->schema->field_count;
    struct field *fields;
    char name[16];
    MUST((fields = memory_zero(count + 1, sizeof *fields, &error)) != NULL);
    memcpy(fields, model->schema->fields, count * sizeof *fields);
    snprintf(name, sizeof name, "added%zu", model->schema_count);
    fields[count] = (struct field){.name = name, .type = {.kind = kinds[count % 4]}};
    const struct schema wider = {.fields = fields, .field_count = count + 1};
    const struct schema *made;
    MUST((made = iceberg_commit_set_schema(model->commit, &wider, &error)) != NULL);
    MUST(schema_copy(&model->schemas[model->schema_count], made, &error));
    model->schema = &model->schemas[model->schema_count++];
    free(fields);
}

static void step(struct model *model)
{
    struct iceberg_file_list files;
    begin(model);
    MUST(iceberg_snapshot_files(&model->table, -1, &files, &error));
    uint64_t what = random_below(&model->random, 10);
    size_t one = model->part_count ? random_below(&model->random, model->part_count) : 0;
    if (what == 0)
        add_column(model);
    else if (what == 1 && model->part_count > 1)
        remove_part(model, &files, one, false);
    else if (what <= 3 && model->part_count > 1)
        remove_part(model, &files, one, true);
    else if (what == 4)
        iceberg_commit_merge_manifests(model->commit);
    else if (what == 5)
        MUST(iceberg_commit_set_property(model->commit, "step", "a property alone", &error));
    if (what >= 5)
        delete_rows(model, &files);
    if (what >= 6 && model->part_count < FILES - 1)
        add_part(model, 1 + random_below(&model->random, ROWS));
    publish(model);
    iceberg_file_list_destroy(&files);
}

static void print_rows(const struct model *model)
{
    struct buffer text = {0};
    for (size_t p = 0; p < model->part_count; p++) {
        const struct part *part = &model->parts[p];
        for (size_t row = 0; row < part->rows.length; row++) {
            if (part->gone[row])
                continue;
            buffer_clear(&text);
            rows_print(&part->rows, row, &text);
            text.length--; /* the bracket */
            for (size_t c = part->rows.column_count; c < model->schema->field_count; c++)
                MUST(buffer_append_text(&text, ", null", &error));
            printf("%.*s]\n", (int)text.length, text.data);
        }
    }
    buffer_destroy(&text);
}

static void close_model(struct model *model)
{
    while (model->part_count)
        drop_part(model, 0);
    for (size_t i = 0; i < model->schema_count; i++)
        schema_destroy(&model->schemas[i]);
    catalog_close(model->catalog);
    arena_destroy(&model->arena);
}

static void write_table(uint64_t seed, const char *folder, int steps)
{
    struct model model = {.ident = {NULL, folder}};
    struct iceberg_table table;
    random_seed(&model.random, seed);
    rows_random_schema(&model.random, 20, 2, &model.schemas[model.schema_count++]);
    model.schema = &model.schemas[0];
    MUST((model.catalog = catalog_storage_open(NULL, true, &error)) != NULL);
    MUST(catalog_create(model.catalog, model.ident, model.schema, NULL, 0, NULL, &table, &error));
    iceberg_table_destroy(&table);
    for (int i = 0; i < steps; i++)
        step(&model);
    print_rows(&model);
    close_model(&model);
}

/* ---- partitions ---- */

/* The catalog makes unpartitioned tables; this one's first metadata file is put by hand. */
static void make_partitioned(const char *folder, const struct schema *schema)
{
    static const char spec[] =
        "[{\"spec-id\":0,\"fields\":["
        "{\"name\":\"id_bucket\",\"transform\":\"bucket[3]\",\"source-id\":1,\"field-id\":1000},"
        "{\"name\":\"name\",\"transform\":\"identity\",\"source-id\":2,\"field-id\":1001},"
        "{\"name\":\"at day\",\"transform\":\"day\",\"source-id\":3,\"field-id\":1002}]}]";
    struct buffer text = {0}, location = {0};
    char path[512];
    json_t *json;
    snprintf(path, sizeof path, "%s/metadata", folder);
    MUST(file_make_folders(path, 0755, &error));
    char *whole = realpath(folder, NULL);
    MUST(whole && buffer_append_format(&location, &error, "file://%s", whole) &&
         buffer_text(&location, &error));
    free(whole);
    MUST(iceberg_table_make_metadata(schema, location.data, NULL, 0, &text, &error));
    MUST((json = json_parse(buffer_slice(&text), "metadata", &error)) != NULL);
    MUST(json_put(json, "partition-specs", json_parse(slice_of(spec), "spec", &error), &error));
    MUST(json_put(json, "last-partition-id", json_integer(1002), &error));
    buffer_clear(&text);
    MUST(json_print(json, &text, &error));
    json_decref(json);
    snprintf(path, sizeof path, "%s/metadata/v1.metadata.json", folder);
    MUST(file_write_atomic(path, buffer_slice(&text), 0644, &error));
    buffer_destroy(&text);
    buffer_destroy(&location);
}

static void partition_of(struct model *model, const struct batch *rows, struct iceberg_file *out)
{
    const struct iceberg_spec *spec = model->table.spec;
    out->spec_id = spec->id;
    out->partition_count = spec->field_count;
    MUST((out->partition = arena_zero(&model->arena, spec->field_count, sizeof *out->partition,
                                      &error)) != NULL);
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct column *column = &rows->columns[spec->fields[i].source_id - 1];
        struct buffer bytes = {0};
        struct iceberg_value value = {.present = !column_is_null(column, 0)};
        if (value.present)
            MUST(iceberg_value_from_column(column, 0, &bytes, &error));
        value.bytes = buffer_slice(&bytes);
        MUST(iceberg_transform_apply(&spec->fields[i], value, &model->arena, &out->partition[i],
                                     &error));
        buffer_destroy(&bytes);
    }
}

static void write_partitioned(uint64_t seed, const char *folder)
{
    static const char *const names[] = {"a", "b/c=d \xC3\xA9", "", NULL};
    struct field fields[] = {
        {.id = 1, .required = true, .name = "id", .type = {.kind = TYPE_LONG}},
        {.id = 2, .name = "name", .type = {.kind = TYPE_STRING}},
        {.id = 3, .name = "at", .type = {.kind = TYPE_TIMESTAMP}},
    };
    struct model model = {.ident = {NULL, folder}, .schema_count = 1};
    const struct schema schema = {.fields = fields, .field_count = 3};
    random_seed(&model.random, seed);
    MUST(schema_copy(&model.schemas[0], &schema, &error));
    model.schema = &model.schemas[0];
    MUST((model.catalog = catalog_storage_open(NULL, true, &error)) != NULL);
    make_partitioned(folder, model.schema);
    begin(&model);
    for (int64_t id = 0; id < 40; id++) {
        struct part *part = &model.parts[model.part_count++];
        struct iceberg_file file;
        const char *name = names[id % 4];
        int64_t at = (id % 3 - 1) * INT64_C(86400000000) - (id % 5);
        MUST(batch_init(&part->rows, model.schema, &error));
        for (size_t copy = 0; copy < 5; copy++) { /* of one partition: the same values */
            struct column *columns = part->rows.columns;
            MUST(column_append_bytes(&columns[0], slice_make(&id, sizeof id), &error));
            MUST(name ? column_append_bytes(&columns[1], slice_of(name), &error)
                      : column_append_null(&columns[1], &error));
            MUST(column_append_bytes(&columns[2], slice_make(&at, sizeof at), &error));
            part->rows.length++;
        }
        MUST((part->gone = memory_zero(5, 1, &error)) != NULL);
        write_rows(&model, model.schema, &part->rows, &file);
        partition_of(&model, &part->rows, &file);
        MUST((part->path = memory_copy_text(file.path, &error)) != NULL);
        MUST(iceberg_commit_add_file(model.commit, &file, &error));
    }
    publish(&model);
    for (int round = 0; round < 3; round++) {
        struct iceberg_file_list files;
        begin(&model);
        MUST(iceberg_snapshot_files(&model.table, -1, &files, &error));
        if (round == 1)
            remove_part(&model, &files, 7, false);
        delete_rows(&model, &files);
        publish(&model);
        iceberg_file_list_destroy(&files);
    }
    print_rows(&model);
    close_model(&model);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "write") == 0) {
        write_table(strtoull(argv[2], NULL, 10), argv[3], atoi(argv[4]));
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "partitioned") == 0) {
        write_partitioned(strtoull(argv[2], NULL, 10), argv[3]);
        return 0;
    }
    fprintf(stderr, "usage: iceberg_rows write SEED FOLDER STEPS | partitioned SEED FOLDER\n");
    return 2;
}

/* The whole table: file by file, row group by row group, deletes and predicate applied. */
#include "core/iceberg/scan.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/nearest.h"
#include "core/iceberg/scan_internal.h"

enum { SCAN_BATCH_ROWS = 16384 };

struct iceberg_scan {
    const struct iceberg_table *table;
    const struct schema *rows; /* of the snapshot */
    const struct expression *where;
    const atomic_bool *stop;
    struct iceberg_plan plan;
    struct schema out;  /* the columns handed out */
    struct schema read; /* those, then what deletes and predicate need besides */
    struct batch batch; /* of `read` */
    struct batch view;  /* of `out`, borrowing the batch's columns */
    uint8_t *keep, *truth;
    size_t keep_capacity, truth_capacity;
    struct position_cache position_files;
    struct map equality_sets; /* path -> struct equality_set */
    /* the present task */
    size_t next_task;
    const struct iceberg_scan_task *task;
    struct iceberg_file_reader *file;
    struct iceberg_positions positions;
    size_t next_position;
    size_t next_group;
    int64_t left; /* rows of the range the cursor is on */
};

/* ---- which columns ---- */

static bool has_id(const struct schema *schema, int32_t id)
{
    return schema_field_by_id(schema, id) != NULL;
}

static bool add_field(struct schema *schema, size_t *capacity, const struct field *field,
                      struct error *error)
{
    TRY(memory_grow(&schema->fields, capacity, schema->field_count + 1, sizeof *schema->fields,
                    error));
    schema->fields[schema->field_count++] = *field;
    return true;
}

static bool unknown_column(const struct schema *rows, const char *name, struct error *error)
{
    const char **names = memory_zero(rows->field_count, sizeof *names, error);
    TRY(names != NULL);
    for (size_t i = 0; i < rows->field_count; i++)
        names[i] = rows->fields[i].name;
    const char *near = nearest_word(name, names, rows->field_count);
    error_set(error, ERROR_NOT_FOUND, "see the columns with: surfboard peek", "no column %s", name);
    if (near)
        error_remedy(error, "did you mean %s?", near);
    free(names);
    return false;
}

static bool choose_columns(struct iceberg_scan *scan, const struct iceberg_scan_options *options,
                           struct error *error)
{
    size_t capacity = 0;
    if (options->columns == NULL) {
        for (size_t i = 0; i < scan->rows->field_count; i++)
            TRY(add_field(&scan->out, &capacity, &scan->rows->fields[i], error));
        return true;
    }
    for (size_t i = 0; i < options->column_count; i++) {
        const struct field *field = schema_field(scan->rows, options->columns[i]);
        if (field == NULL)
            return unknown_column(scan->rows, options->columns[i], error);
        if (has_id(&scan->out, field->id))
            return error_set(error, ERROR_USAGE, "name each column once", "column %s twice",
                             field->name);
        TRY(add_field(&scan->out, &capacity, field, error));
    }
    return true;
}

struct marked {
    struct schema *schema;
    size_t *capacity;
    struct error *error;
    bool ok;
};

static void mark_field(void *context, const struct field *field)
{
    struct marked *marked = context;
    if (marked->ok && !has_id(marked->schema, field->id))
        marked->ok = add_field(marked->schema, marked->capacity, field, marked->error);
}

/* `wanted` columns first, in order, so that the batch handed out is a prefix of the one read. */
static bool choose_read(struct iceberg_scan *scan, const struct schema *wanted, struct error *error)
{
    size_t capacity = 0;
    free(scan->read.fields);
    scan->read = (struct schema){0};
    for (size_t i = 0; i < wanted->field_count; i++)
        TRY(add_field(&scan->read, &capacity, &wanted->fields[i], error));
    struct marked marked = {&scan->read, &capacity, error, true};
    if (scan->where)
        expression_fields(scan->where, mark_field, &marked);
    for (size_t t = 0; marked.ok && t < scan->plan.task_count; t++) {
        const struct iceberg_scan_task *task = &scan->plan.tasks[t];
        for (size_t d = 0; marked.ok && d < task->delete_count; d++) {
            const struct iceberg_file *deletes = task->deletes[d];
            for (size_t i = 0; marked.ok && deletes->content == ICEBERG_EQUALITY_DELETES &&
                               i < deletes->equality_count;
                 i++) {
                const struct field *field = equality_field(scan->table, scan->rows, deletes,
                                                           deletes->equality_ids[i], error);
                marked.ok = field != NULL;
                if (field && !has_id(&scan->read, field->id)) {
                    struct field loose = *field; /* a dropped column's files may lack it */
                    loose.required = false;
                    marked.ok = add_field(&scan->read, &capacity, &loose, error);
                }
            }
        }
    }
    batch_destroy(&scan->batch);
    return marked.ok && batch_init(&scan->batch, &scan->read, error);
}

/* ---- opening ---- */

static bool check_formats(const struct iceberg_plan *plan, struct error *error)
{
    for (size_t i = 0; i < plan->task_count; i++) {
        TRY(scan_check_format(plan->tasks[i].data, error));
        for (size_t d = 0; d < plan->tasks[i].delete_count; d++)
            TRY(scan_check_format(plan->tasks[i].deletes[d], error));
    }
    return true;
}

struct iceberg_scan *iceberg_scan_open(const struct iceberg_table *table,
                                       const struct iceberg_scan_options *options,
                                       struct error *error)
{
    struct iceberg_scan *scan = memory_zero(1, sizeof *scan, error);
    if (scan == NULL)
        return NULL;
    scan->table = table;
    scan->where = options->where;
    scan->stop = options->stop;
    scan->rows = iceberg_scan_row_schema(table, options->snapshot_id, error);
    if (scan->rows == NULL || !choose_columns(scan, options, error) ||
        !iceberg_plan_make(table, options->snapshot_id, options->where, &scan->plan, error)) {
        iceberg_scan_close(scan);
        return NULL;
    }
    return scan;
}

static void close_task(struct iceberg_scan *scan)
{
    iceberg_file_close(scan->file);
    iceberg_positions_destroy(&scan->positions);
    scan->file = NULL;
    scan->task = NULL;
    scan->next_position = scan->next_group = 0;
    scan->left = 0;
}

void iceberg_scan_close(struct iceberg_scan *scan)
{
    if (scan == NULL)
        return;
    close_task(scan);
    position_cache_destroy(&scan->position_files);
    for (size_t i = 0; i < scan->equality_sets.count; i++)
        equality_set_destroy(scan->equality_sets.entries[i].value);
    map_destroy(&scan->equality_sets);
    batch_destroy(&scan->batch);
    free(scan->out.fields);
    free(scan->read.fields);
    free(scan->keep);
    free(scan->truth);
    iceberg_plan_destroy(&scan->plan);
    free(scan);
}

const struct schema *iceberg_scan_schema(const struct iceberg_scan *scan)
{
    return &scan->out;
}

const struct iceberg_plan *iceberg_scan_plan(const struct iceberg_scan *scan)
{
    return &scan->plan;
}

/* ---- row groups ---- */

struct group_facts {
    const struct parquet_reader *parquet;
    size_t group;
    struct arena *arena;
    struct iceberg_metric metric;
};

static const struct iceberg_metric *group_metric(void *context, int32_t field_id)
{
    struct group_facts *group = context;
    struct parquet_column_facts facts = {0};
    if (!parquet_reader_group_facts(group->parquet, group->group, field_id, group->arena, &facts,
                                    NULL))
        return NULL;
    group->metric = (struct iceberg_metric){
        .field_id = field_id,
        .value_count = facts.value_count,
        .null_count = facts.null_count,
        .nan_count = facts.nan_count,
        .lower = {facts.has_bounds, facts.lower},
        .upper = {facts.has_bounds, facts.upper},
    };
    return &group->metric;
}

static bool group_may_match(const struct iceberg_scan *scan, size_t index,
                            const struct parquet_group *group)
{
    const struct parquet_reader *parquet = scan_file_parquet(scan->file);
    if (scan->where == NULL || schema_highest_id(parquet_reader_schema(parquet)) <= 0)
        return true;
    struct arena arena = {0};
    struct group_facts facts = {.parquet = parquet, .group = index, .arena = &arena};
    bool may = expression_may_match_metrics(scan->where, group->rows, group_metric, &facts);
    arena_destroy(&arena);
    return may;
}

/* Puts the cursor on the next run of row groups worth reading; *end at the end of the file. */
static bool next_range(struct iceberg_scan *scan, bool *end, struct error *error)
{
    struct parquet_group group;
    const struct parquet_reader *parquet = scan_file_parquet(scan->file);
    int64_t first = -1, count = 0;
    for (; parquet_reader_group(parquet, scan->next_group, &group); scan->next_group++) {
        if (group_may_match(scan, scan->next_group, &group)) {
            first = first < 0 ? group.first_row : first;
            count += group.rows;
        } else if (first >= 0) {
            break;
        }
    }
    *end = first < 0;
    scan->left = count;
    return *end || scan_file_seek(scan->file, first, count, error);
}

/* ---- one task ---- */

static bool load_positions(struct iceberg_scan *scan, const struct iceberg_scan_task *task,
                           struct error *error)
{
    scan->positions.count = 0;
    scan->next_position = 0;
    for (size_t i = 0; i < task->delete_count; i++) {
        if (task->deletes[i]->content == ICEBERG_POSITION_DELETES)
            TRY(position_cache_add(&scan->position_files, scan->table, task->deletes[i], task->data,
                                   &scan->positions, error));
    }
    return iceberg_positions_settle(&scan->positions, task->data, error);
}

static bool equality_set_of(struct iceberg_scan *scan, const struct iceberg_file *deletes,
                            struct equality_set **out, struct error *error)
{
    *out = map_get_text(&scan->equality_sets, deletes->path);
    if (*out)
        return true;
    TRY(equality_set_load(scan->table, scan->rows, deletes, out, error));
    if (map_put(&scan->equality_sets, slice_of(deletes->path), *out, error))
        return true;
    equality_set_destroy(*out);
    return false;
}

static bool open_task(struct iceberg_scan *scan, struct error *error)
{
    scan->task = &scan->plan.tasks[scan->next_task++];
    TRY(load_positions(scan, scan->task, error));
    scan->file = iceberg_file_open(scan->table, scan->task->data, &scan->read, error);
    return scan->file != NULL;
}

static bool grow_flags(struct iceberg_scan *scan, struct error *error)
{
    return memory_grow(&scan->keep, &scan->keep_capacity, scan->batch.length, 1, error) &&
           memory_grow(&scan->truth, &scan->truth_capacity, scan->batch.length, 1, error);
}

static bool apply(struct iceberg_scan *scan, int64_t first_row, struct error *error)
{
    size_t length = scan->batch.length;
    TRY(grow_flags(scan, error));
    memset(scan->keep, 1, length);
    while (scan->next_position < scan->positions.count &&
           scan->positions.rows[scan->next_position] < first_row)
        scan->next_position++;
    for (; scan->next_position < scan->positions.count; scan->next_position++) {
        int64_t at = scan->positions.rows[scan->next_position] - first_row;
        if (at >= (int64_t)length)
            break;
        scan->keep[at] = 0;
    }
    for (size_t i = 0; i < scan->task->delete_count; i++) {
        struct equality_set *set = NULL;
        if (scan->task->deletes[i]->content != ICEBERG_EQUALITY_DELETES)
            continue;
        TRY(equality_set_of(scan, scan->task->deletes[i], &set, error) &&
            equality_set_apply(set, &scan->batch, scan->keep, error));
    }
    if (scan->where) {
        TRY(expression_evaluate(scan->where, &scan->batch, scan->truth, error));
        for (size_t row = 0; row < length; row++)
            scan->keep[row] = scan->keep[row] && scan->truth[row] == EXPRESSION_TRUE;
    }
    return batch_keep(&scan->batch, scan->keep, error);
}

/* Fills the batch with the next rows that remain, or leaves it empty at the end of the scan. */
static bool advance(struct iceberg_scan *scan, struct error *error)
{
    for (;;) {
        if (scan->stop && atomic_load(scan->stop))
            return error_set(error, ERROR_INTERRUPTED, NULL, "the scan was stopped");
        batch_clear(&scan->batch);
        if (scan->task == NULL) {
            if (scan->next_task == scan->plan.task_count)
                return true;
            TRY(open_task(scan, error));
        }
        if (scan->left == 0) {
            bool end = false;
            TRY(next_range(scan, &end, error));
            if (end) {
                close_task(scan);
                continue;
            }
        }
        int64_t first_row = 0;
        TRY(iceberg_file_next(scan->file, &scan->batch, SCAN_BATCH_ROWS, &first_row, error));
        if (scan->batch.length == 0)
            return error_set(error, ERROR_INPUT, "fetch it again, or roll the table back",
                             "data file %s ends %lld rows early", scan->task->data->path,
                             (long long)scan->left);
        scan->left -= (int64_t)scan->batch.length;
        TRY(apply(scan, first_row, error));
        if (scan->batch.length > 0)
            return true;
    }
}

bool iceberg_scan_next(struct iceberg_scan *scan, const struct batch **out, struct error *error)
{
    *out = NULL;
    if (scan->batch.columns == NULL && scan->next_task == 0)
        TRY(check_formats(&scan->plan, error) && choose_read(scan, &scan->out, error));
    TRY(advance(scan, error));
    if (scan->batch.length == 0)
        return true;
    scan->view = (struct batch){.schema = &scan->out,
                                .columns = scan->batch.columns,
                                .column_count = scan->out.field_count,
                                .length = scan->batch.length};
    *out = &scan->view;
    return true;
}

static bool task_needs_rows(const struct iceberg_scan *scan, const struct iceberg_scan_task *task)
{
    for (size_t i = 0; i < task->delete_count; i++) {
        if (task->deletes[i]->content == ICEBERG_EQUALITY_DELETES)
            return true;
    }
    return scan->where != NULL;
}

bool iceberg_scan_count(struct iceberg_scan *scan, int64_t *rows, struct error *error)
{
    *rows = 0;
    for (size_t i = 0; i < scan->plan.task_count; i++) {
        const struct iceberg_scan_task *task = &scan->plan.tasks[i];
        if (!task_needs_rows(scan, task)) {
            if (task->delete_count)
                TRY(load_positions(scan, task, error));
            *rows += task->data->record_count - (int64_t)scan->positions.count;
            iceberg_positions_destroy(&scan->positions);
            continue;
        }
        if (scan->batch.columns == NULL)
            TRY(check_formats(&scan->plan, error) && choose_read(scan, &(struct schema){0}, error));
        /* The scan's own walk, over this task alone. */
        size_t all = scan->plan.task_count;
        scan->next_task = i;
        scan->plan.task_count = i + 1;
        bool ok;
        do {
            ok = advance(scan, error);
            *rows += ok ? (int64_t)scan->batch.length : 0;
        } while (ok && scan->batch.length > 0);
        scan->plan.task_count = all;
        TRY(ok);
    }
    scan->next_task = scan->plan.task_count;
    return true;
}

/* The built-in table scan as an engine. */
#include <stdlib.h>

#include "core/base/datetime.h"
#include "core/base/memory.h"
#include "core/iceberg/scan.h"
#include "core/query/engine.h"
#include "core/query/select.h"

struct scan_result {
    struct result base;
    struct iceberg_scan *scan;
    struct arena arena; /* the predicate and the names */
    struct expression_builder builder;
    atomic_bool cancelled;
    int64_t left; /* rows still wanted; -1: all */
    struct batch cut;
};

static void scan_close(struct result *result)
{
    struct scan_result *own = (struct scan_result *)result;
    iceberg_scan_close(own->scan);
    expression_builder_destroy(&own->builder);
    arena_destroy(&own->arena);
    free(own);
}

static void scan_cancel(struct result *result)
{
    atomic_store(&((struct scan_result *)result)->cancelled, true);
}

static bool scan_next_batch(struct result *result, const struct batch **out, struct error *error)
{
    struct scan_result *own = (struct scan_result *)result;
    *out = NULL;
    if (own->left == 0)
        return true;
    if (atomic_load(&own->cancelled))
        return error_set(error, ERROR_INTERRUPTED, NULL, "the scan was stopped");
    TRY(iceberg_scan_next(own->scan, out, error));
    if (*out == NULL || own->left < 0)
        return true;
    if ((int64_t)(*out)->length > own->left) {
        own->cut = **out;
        own->cut.length = (size_t)own->left;
        *out = &own->cut;
    }
    own->left -= (int64_t)(*out)->length;
    return true;
}

static const struct sql_engine scan_engine = {
    .name = "scan", .next_batch = scan_next_batch, .cancel = scan_cancel, .close = scan_close};

static bool open_scan(struct scan_result *own, const struct iceberg_table *table,
                      const struct query_scan_options *options, struct error *error)
{
    const struct schema *rows = iceberg_scan_row_schema(table, options->snapshot_id, error);
    TRY(rows != NULL);
    own->builder = (struct expression_builder){.schema = rows, .arena = &own->arena};
    struct iceberg_scan_options scan = {.snapshot_id = options->snapshot_id,
                                        .stop = options->stop ? options->stop : &own->cancelled};
    if (options->where) {
        scan.where = where_parse(slice_of(options->where), &own->builder, error);
        TRY(scan.where != NULL);
    }
    if (options->columns) {
        const char **names = arena_zero(&own->arena, options->column_count, sizeof *names, error);
        TRY(names != NULL);
        for (size_t i = 0; i < options->column_count; i++) {
            names[i] = select_resolve_name(rows, options->columns[i], false, error);
            TRY(names[i] != NULL);
        }
        scan.columns = names;
        scan.column_count = options->column_count;
    }
    own->scan = iceberg_scan_open(table, &scan, error);
    TRY(own->scan != NULL);
    own->base.schema = iceberg_scan_schema(own->scan);
    return true;
}

struct result *query_scan_open(const struct iceberg_table *table,
                               const struct query_scan_options *options, struct error *error)
{
    struct scan_result *own = memory_zero(1, sizeof *own, error);
    if (own == NULL)
        return NULL;
    own->base.engine = &scan_engine;
    own->left = options->limit;
    if (!open_scan(own, table, options, error)) {
        scan_close(&own->base);
        return NULL;
    }
    return &own->base;
}

void query_scan_size(const struct result *result, int64_t *rows, int64_t *bytes)
{
    const struct iceberg_plan *plan = iceberg_scan_plan(((const struct scan_result *)result)->scan);
    *rows = *bytes = 0;
    for (size_t i = 0; i < plan->task_count; i++) {
        *rows += plan->tasks[i].data->record_count;
        *bytes += plan->tasks[i].data->size;
    }
}

bool query_scan_count(const struct iceberg_table *table, const struct query_scan_options *options,
                      int64_t *count, struct error *error)
{
    struct result *result = query_scan_open(table, options, error);
    TRY(result != NULL);
    bool ok = iceberg_scan_count(((struct scan_result *)result)->scan, count, error);
    result_close(result);
    return ok;
}

bool query_parse_time(const char *text, int64_t *ms, struct error *error)
{
    char *end = NULL;
    struct slice slice = slice_of(text);
    int64_t us = 0, days = 0;
    long long number = strtoll(text, &end, 10);
    if (*text && *end == '\0') {
        *ms = number;
        return true;
    }
    if (slice_ends_with(slice, SLICE_LITERAL(" UTC")))
        slice.length -= 4;
    if (datetime_parse_timestamptz(slice, &us) || datetime_parse_timestamp(slice, &us) ||
        (datetime_parse_date(slice, &days) &&
         !__builtin_mul_overflow(days, DATETIME_US_PER_DAY, &us))) {
        *ms = us / 1000 - (us % 1000 < 0);
        return true;
    }
    return error_set(error, ERROR_USAGE, "write 2024-11-22T10:33:45Z, or milliseconds since 1970",
                     "\"%s\" is no time", text);
}

#include "tui/screen/query_work.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/config/credential.h"
#include "core/query/engine.h"
#include "core/query/guard.h"
#include "core/query/select.h"
#include "tui/lake_table.h"
#include "tui/screen/app.h"
#include "tui/screen/rows_maker.h"

struct query_work {
    const struct query_listener *listener;
    void *listening; /* NULL: nobody does any more */
    struct app *app;
    struct job *job;
    const struct profile *profile;
    struct query_engine engine;
    char *sql, *table;
    /* The worker's. */
    struct arena arena;
    struct iceberg_table lake;
    struct select select;
    size_t rows, bytes;
    bool whole; /* without limit and predicate pushed down: the files are read from end to end */
    struct query_end end;
};

/* ---- what the screen's thread hears ---- */

struct query_news {
    struct query_work *work;
    struct rows *rows;
    struct rows_block *block;
};

static void news_hear(void *context)
{
    struct query_news *news = context;
    struct query_work *work = news->work;
    if (work->listening == NULL) {
        rows_release(news->rows);
        free(news->block);
    } else {
        if (news->rows)
            work->listener->begin(work->listening, news->rows);
        if (news->block)
            work->listener->add(work->listening, news->block);
        app_dirty(work->app);
    }
    free(news);
}

static bool news_tell(struct job *job, struct query_work *work, struct rows *rows,
                      struct rows_block *block, struct error *error)
{
    struct query_news *news = memory_zero(1, sizeof *news, error);
    if (news)
        *news = (struct query_news){work, rows, block};
    if (news && job_tell(job, news_hear, news))
        return true;
    free(news);
    free(block);
    rows_release(rows);
    return error_set_memory(error, sizeof *news);
}

/* ---- rows, as an engine hands them over ---- */

static bool tell_block(struct job *job, struct query_work *work, struct rows_maker *maker,
                       struct error *error)
{
    if (maker->count == 0)
        return true;
    struct rows_block *block = rows_maker_take(maker, error);
    TRY(block != NULL);
    work->bytes += block->bytes;
    return news_tell(job, work, NULL, block, error);
}

/* *full: no more is wanted. */
static bool take_batch(struct job *job, struct query_work *work, struct rows_maker *maker,
                       const struct batch *batch, bool *full, struct error *error)
{
    for (size_t row = 0; row < batch->length; row++) {
        work->end.more = work->sql == NULL && work->rows == QUERY_PREVIEW_ROWS;
        work->end.capped =
            work->rows == QUERY_ROWS_MOST || work->bytes + maker->text.length > QUERY_BYTES_MOST;
        *full = work->end.more || work->end.capped;
        if (*full)
            break;
        TRY(rows_maker_add(maker, batch, row, error));
        work->rows++;
        if (rows_maker_full(maker))
            TRY(tell_block(job, work, maker, error));
    }
    return tell_block(job, work, maker, error);
}

static bool read_rows(struct job *job, struct query_work *work, struct result *result,
                      struct error *error)
{
    struct rows_maker maker;
    struct rows *rows = rows_create(result->schema, !work->engine.scan, error);
    bool full = false, ok = rows != NULL && rows_maker_init(&maker, rows->column_count, error);
    if (!ok) {
        rows_release(rows);
        return false;
    }
    ok = news_tell(job, work, rows, NULL, error);
    while (ok && !full) {
        const struct batch *batch = NULL;
        if (atomic_load(job_stop_flag(job)))
            ok = error_set(error, ERROR_INTERRUPTED, NULL, "cancelled");
        ok = ok && result_next(result, &batch, error);
        if (!ok || batch == NULL)
            break;
        ok = take_batch(job, work, &maker, batch, &full, error);
    }
    rows_maker_destroy(&maker);
    return ok;
}

/* ---- the built-in scan ---- */

static void learn_snapshot(struct query_work *work)
{
    struct iceberg_snapshot snapshot;
    struct query_facts *facts = &work->end.facts;
    const struct iceberg_table *lake = &work->lake;
    if (lake->namespace_name && lake->name)
        snprintf(facts->table, sizeof facts->table, "%s.%s", lake->namespace_name, lake->name);
    if (iceberg_snapshot_find(lake, lake->snapshot_id, &snapshot))
        facts->snapshot_us = snapshot.timestamp_ms * 1000;
    if (iceberg_snapshot_nearest(lake, -1, "surfboard.batch-id", &snapshot)) {
        const char *batch = iceberg_snapshot_summary(&snapshot, "surfboard.batch-id");
        facts->batch = batch ? strtoll(batch, NULL, 10) : 0;
    }
}

static bool parse_scan(struct query_work *work, struct query_scan_options *options,
                       struct error *error)
{
    work->select = (struct select){.all = true, .table = work->table, .limit = -1};
    if (work->sql == NULL) {
        options->limit = QUERY_PREVIEW_ROWS + 1; /* one more tells whether there are more */
        return true;
    }
    struct select *select = &work->select;
    TRY(select_parse(slice_of(work->sql), &work->arena, select, error));
    options->columns = select->all || select->count ? NULL : select->columns;
    options->column_count = options->columns ? select->column_count : 0;
    options->limit = select->count ? -1 : select->limit;
    if (select->where.length)
        options->where = arena_copy_slice(&work->arena, select->where, error);
    work->whole = select->limit < 0 && !select->count;
    return options->where || select->where.length == 0;
}

static bool run_scan(struct job *job, struct query_work *work, struct error *error)
{
    struct query_scan_options options = {
        .snapshot_id = -1, .limit = -1, .stop = job_stop_flag(job)};
    TRY(parse_scan(work, &options, error));
    bool slash = strchr(work->select.table, '/') != NULL;
    if (work->profile == NULL && !slash)
        return error_set(error, ERROR_CONFIG, "open a profile: surfboard --profile FILE",
                         "there is no profile that names a lake");
    TRY(lake_table_open(work->profile, work->select.table, &work->lake, error));
    learn_snapshot(work);
    struct result *result = NULL;
    int64_t rows = 0;
    if (!work->select.count)
        result = query_scan_open(&work->lake, &options, error);
    else if (query_scan_count(&work->lake, &options, &rows, error))
        result = result_from_count(rows, error);
    bool ok = result && read_rows(job, work, result, error);
    if (ok && work->whole && !work->end.capped)
        query_scan_size(result, &work->end.facts.read_rows, &work->end.facts.read_bytes);
    result_close(result);
    return ok;
}

/* ---- Postgres ---- */

static bool run_postgres(struct job *job, struct query_work *work, struct error *error)
{
    struct buffer dsn = {0};
    const struct profile_source *source = work->engine.source;
    /* The role without rights has its own password, by ~/.pgpass or the DSN. */
    const char *credential = source->query_user ? NULL : source->credential;
    bool ok = guard_check_reading(slice_of(work->sql), error) &&
              credential_conninfo(work->profile, source->dsn, credential, &dsn, error);
    struct query_postgres_options options = {
        .dsn = dsn.data, .user = source->query_user, .eager = true, .stop = job_stop_flag(job)};
    struct result *result = ok ? query_postgres_open(&options, work->sql, error) : NULL;
    if (dsn.data)
        explicit_bzero(dsn.data, dsn.capacity);
    buffer_destroy(&dsn);
    ok = result && read_rows(job, work, result, error);
    if (result)
        result_cancel(result); /* what is not fetched is not made */
    result_close(result);
    return ok;
}

/* ---- the job ---- */

static bool work_run(struct job *job, void *context, struct error *error)
{
    struct query_work *work = context;
    return work->engine.scan ? run_scan(job, work, error) : run_postgres(job, work, error);
}

static void work_done(void *context, bool ok, const struct error *error)
{
    struct query_work *work = context;
    work->end.ok = ok;
    work->end.error = error;
    if (work->listening)
        work->listener->end(work->listening, &work->end);
    app_dirty(work->app);
    iceberg_table_destroy(&work->lake);
    arena_destroy(&work->arena);
    free(work->sql);
    free(work->table);
    free(work);
}

static const struct job_kind query_job = {"query", 0, work_run, work_done};

struct query_work *query_work_start(struct app *app, const struct query_ask *ask)
{
    struct error error = {0};
    struct query_work *work = memory_zero(1, sizeof *work, &error);
    bool ok = work != NULL;
    if (ok) {
        *work = (struct query_work){.listener = ask->listener,
                                    .listening = ask->context,
                                    .app = app,
                                    .profile = app->has_profile ? &app->profile : NULL,
                                    .engine = ask->engine};
        work->end.facts.read_rows = work->end.facts.read_bytes = -1;
        work->sql = ask->sql ? memory_copy_text(ask->sql, &error) : NULL;
        work->table = ask->table ? memory_copy_text(ask->table, &error) : NULL;
        ok = (work->sql || !ask->sql) && (work->table || !ask->table);
    }
    if (ok) {
        /* Without a thread app_job() has told it and freed the work already. */
        struct job *job = app_job(app, &query_job, work);
        if (job)
            work->job = job;
        return job ? work : NULL;
    }
    struct query_end end = {.error = &error};
    ask->listener->end(ask->context, &end);
    if (work) {
        free(work->sql);
        free(work->table);
    }
    free(work);
    return NULL;
}

void query_work_stop(struct query_work *work)
{
    job_stop(work->job);
}

void query_work_leave(struct query_work *work)
{
    work->listening = NULL;
    job_stop(work->job);
}

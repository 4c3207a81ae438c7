/* Tabs of the Query view: asking, what comes, and rows in another order. */
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/query/lexer.h"
#include "tui/screen/view_query.h"

enum { CLOCK_MS = 1000 };

struct query_tab *query_tab_now(const struct query_view *query)
{
    return query->tab < query->tab_count ? query->tabs[query->tab] : NULL;
}

bool query_tab_runs(const struct query_tab *tab)
{
    return tab && tab->work;
}

size_t query_running(const struct query_view *query)
{
    size_t running = 0;
    for (size_t i = 0; i < query->tab_count; i++)
        running += query_tab_runs(query->tabs[i]);
    return running;
}

/* ---- rows in another order ---- */

struct query_arrange {
    struct query_tab *tab; /* NULL: it went away, or wants another order */
    struct app *app;
    struct job *job;
    struct rows *rows;
    struct rows_order order;
    char filter[FIELD_SIZE];
    uint32_t *map;
    size_t count;
};

static bool arrange_run(struct job *job, void *context, struct error *error)
{
    struct query_arrange *work = context;
    return rows_arrange(work->rows, &work->order, job_stop_flag(job), &work->map, &work->count,
                        error);
}

static void arrange_done(void *context, bool ok, const struct error *error)
{
    struct query_arrange *work = context;
    struct query_tab *tab = work->tab;
    if (tab) {
        tab->arrange = NULL;
        app_dirty(work->app);
    }
    if (tab && ok) {
        tab->grid.order = work->order;
        tab->grid.order.filter = tab->grid.filter.field.text;
        grid_arranged(&tab->grid, work->map, work->count);
        work->map = NULL;
    } else if (tab) {
        tab->grid.order.sorted = false;
        app_fail(work->app, error);
    }
    rows_release(work->rows);
    free(work->map);
    free(work);
}

static const struct job_kind arrange_job = {"sort", 0, arrange_run, arrange_done};

static void arrange_leave(struct query_tab *tab)
{
    if (tab->arrange == NULL)
        return;
    tab->arrange->tab = NULL;
    if (tab->arrange->job)
        job_stop(tab->arrange->job);
    tab->arrange = NULL;
}

void query_arrange(struct query_tab *tab)
{
    struct app *app = tab->view->view.app;
    struct error error = {0};
    arrange_leave(tab);
    if (!tab->grid.order.sorted && !filter_active(&tab->grid.filter)) {
        grid_arranged(&tab->grid, NULL, 0);
        return;
    }
    struct query_arrange *work = memory_zero(1, sizeof *work, &error);
    if (work == NULL) {
        app_fail(app, &error);
        return;
    }
    work->tab = tab;
    work->app = app;
    work->rows = rows_share(tab->grid.rows);
    work->order = tab->grid.order;
    snprintf(work->filter, sizeof work->filter, "%s", tab->grid.filter.field.text);
    work->order.filter = work->filter;
    tab->arrange = work;
    struct job *job = app_job(app, &arrange_job, work);
    if (job)
        work->job = job;
}

/* ---- the clock of what runs ---- */

static void query_clock(void *context)
{
    struct query_view *query = context;
    app_dirty(query->view.app);
    if (query_running(query))
        loop_after(&query->view.app->loop, CLOCK_MS, query_clock, query);
}

/* ---- what comes ---- */

static void tab_begin(void *context, struct rows *rows)
{
    struct query_tab *tab = context;
    struct error error = {0};
    tab->state = QUERY_READING;
    if (!grid_begin(&tab->grid, rows, &error)) {
        app_fail(tab->view->view.app, &error);
        query_work_stop(tab->work);
    }
}

static void tab_add(void *context, struct rows_block *block)
{
    struct query_tab *tab = context;
    if (tab->grid.rows == NULL) {
        free(block);
        return;
    }
    /* What can't be hooked in would leave a hole in the rows: better to stop here. */
    if (!rows_add(tab->grid.rows, block))
        query_work_stop(tab->work);
    grid_grew(&tab->grid);
}

static void tab_point_at_error(struct query_tab *tab)
{
    size_t at;
    struct editor *editor = &tab->view->editor;
    if (tab->sql && slice_is(editor_text(editor), tab->sql) && query_error_place(tab, &at))
        editor_move(editor, at);
}

static void tab_end(void *context, const struct query_end *end)
{
    struct query_tab *tab = context;
    bool cancelled = !end->ok && end->error->kind == ERROR_INTERRUPTED;
    tab->work = NULL;
    tab->took_ns = clock_monotonic_ns() - tab->started_ns;
    tab->facts = end->facts;
    if (end->facts.table[0])
        snprintf(tab->table, sizeof tab->table, "%s", end->facts.table);
    tab->more = end->more;
    tab->capped = end->capped;
    tab->state = end->ok ? QUERY_DONE : cancelled ? QUERY_CANCELLED : QUERY_FAILED;
    if (tab->state == QUERY_FAILED) {
        tab->error = *end->error;
        tab_point_at_error(tab);
    }
    if (tab->grid.rows) {
        tab->grid.rows->complete = true;
        grid_grew(&tab->grid);
    }
}

static const struct query_listener tab_listener = {tab_begin, tab_add, tab_end};

/* ---- names ---- */

/* "by status", "store1_orders", "values": what tells one tab from the next. */
static void name_from_tokens(struct lexer *lexer, char *out, size_t size)
{
    struct token token, before = {.kind = TOKEN_END};
    bool from = false, done = false;
    snprintf(out, size, "%s", "statement");
    for (size_t i = 0; !done && lexer_next(lexer, &token, NULL) && token.kind != TOKEN_END; i++) {
        bool name = token.kind == TOKEN_WORD || token.kind == TOKEN_NAME;
        if (i == 0 && name)
            snprintf(out, size, "%.*s", SLICE_ARG(token.text));
        if (name && token_is_word(&before, "by") && from) {
            snprintf(out, size, "by %.*s", SLICE_ARG(token.text));
            done = true;
        } else if (name && (token_is_word(&before, "from") || token_is_symbol(&before, "."))) {
            if (token_is_word(&before, "from") || from)
                snprintf(out, size, "%.*s", SLICE_ARG(token.text));
            from = true;
        } else if (from && (token_is_word(&token, "where") || token_is_word(&token, "order") ||
                            token_is_word(&token, "join"))) {
            done = true;
        }
        before = token;
    }
}

static void tab_take_name(struct query_tab *tab)
{
    if (tab->sql == NULL) {
        const char *dot = strrchr(tab->table, '.');
        snprintf(tab->name, sizeof tab->name, "%.*s", (int)sizeof tab->name - 1,
                 dot ? dot + 1 : tab->table);
        return;
    }
    struct arena arena = {0};
    struct lexer lexer = {.sql = slice_of(tab->sql), .arena = &arena};
    name_from_tokens(&lexer, tab->name, sizeof tab->name);
    arena_destroy(&arena);
}

/* ---- opening and closing ---- */

static void tab_close(struct query_tab *tab)
{
    arrange_leave(tab);
    if (tab->work)
        query_work_leave(tab->work);
    grid_destroy(&tab->grid);
    free(tab->sql);
    free(tab);
}

static void query_close_tab(struct query_view *query, size_t index)
{
    tab_close(query->tabs[index]);
    query->tab_count--;
    memmove(query->tabs + index, query->tabs + index + 1,
            (query->tab_count - index) * sizeof *query->tabs);
    if (query->tab > index || (query->tab == query->tab_count && query->tab))
        query->tab--;
}

void query_tabs_close(struct query_view *query)
{
    loop_cancel(&query->view.app->loop, query_clock, query);
    while (query->tab_count)
        query_close_tab(query, query->tab_count - 1);
}

/* An answer that failed was read when the next statement is sent; of the others the oldest go. */
static void query_make_room(struct query_view *query)
{
    size_t bytes = 0;
    for (size_t i = query->tab_count; i-- > 0;) {
        struct query_tab *tab = query->tabs[i];
        bytes += tab->grid.rows ? tab->grid.rows->bytes : 0;
        if ((tab->state == QUERY_FAILED && tab->grid.list.count == 0) || bytes > QUERY_TABS_BYTES)
            query_close_tab(query, i);
    }
    if (query->tab_count == QUERY_TABS_MOST)
        query_close_tab(query, 0);
}

static void tab_start(struct query_tab *tab)
{
    struct query_view *query = tab->view;
    tab->state = QUERY_ASKING;
    tab->started_ns = clock_monotonic_ns();
    tab->took_ns = 0;
    tab->more = tab->capped = false;
    tab->facts = (struct query_facts){.read_rows = -1, .read_bytes = -1};
    tab->work = query_work_start(query->view.app, &(struct query_ask){.engine = tab->engine,
                                                                      .sql = tab->sql,
                                                                      .table = tab->table,
                                                                      .listener = &tab_listener,
                                                                      .context = tab});
    loop_after(&query->view.app->loop, CLOCK_MS, query_clock, query);
}

static void query_open_tab(struct query_view *query, const char *sql, const char *table,
                           struct query_engine engine)
{
    struct error error = {0};
    struct query_tab *tab = memory_zero(1, sizeof *tab, &error);
    char *copy = tab && sql ? memory_copy_text(sql, &error) : NULL;
    if (tab == NULL || (sql && copy == NULL)) {
        free(tab);
        app_fail(query->view.app, &error);
        return;
    }
    query_make_room(query);
    tab->view = query;
    tab->sql = copy;
    tab->engine = engine;
    snprintf(tab->table, sizeof tab->table, "%s", table);
    tab_take_name(tab);
    query->tabs[query->tab_count++] = tab;
    query->tab = query->tab_count - 1;
    tab_start(tab);
}

void query_send(struct query_view *query, const char *sql)
{
    query_open_tab(query, sql, "", query->engines[query->engine]);
}

void query_preview(struct query_view *query, const char *table)
{
    if (query_running(query) >= QUERY_RUNNING_MOST) {
        app_say(query->view.app, STYLE_WARN, "%d statements run already; x cancels one",
                QUERY_RUNNING_MOST);
        return;
    }
    for (size_t i = 0; i < query->tab_count; i++)
        if (query->tabs[i]->sql == NULL && strcmp(query->tabs[i]->table, table) == 0) {
            query_close_tab(query, i);
            break;
        }
    query_open_tab(query, NULL, table, (struct query_engine){.scan = true});
}

void query_again(struct query_view *query, struct query_tab *tab)
{
    (void)query;
    arrange_leave(tab);
    grid_destroy(&tab->grid);
    tab_start(tab);
}

void query_stop(struct query_tab *tab)
{
    if (tab->work)
        query_work_stop(tab->work);
}

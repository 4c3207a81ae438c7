/* What is listed, into a file as CSV; and the command line that asks the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/memory.h"
#include "tui/screen/view_query.h"

enum { WRITE_BYTES = 1 << 16, STOP_EVERY = 1024 };

struct query_file {
    struct app *app;
    char path[FIELD_SIZE], own[FIELD_SIZE + 16]; /* own: written first when it replaces one */
    bool replaces;
    struct rows *rows;
    uint32_t *map; /* a copy; NULL: all */
    size_t count;
    size_t *columns, column_count;
};

/* ---- CSV: RFC 4180, lines end in \n; null is empty, empty text is "" ---- */

static bool put_text(struct buffer *out, struct slice text, struct error *error)
{
    bool quote = text.length == 0;
    for (size_t i = 0; i < text.length && !quote; i++)
        quote = memchr("\",\r\n", text.data[i], 4) != NULL || text.data[i] == '\0';
    if (!quote)
        return buffer_append_slice(out, text, error);
    TRY(buffer_append_byte(out, '"', error));
    for (size_t i = 0; i < text.length; i++)
        TRY((text.data[i] != '"' || buffer_append_byte(out, '"', error)) &&
            buffer_append_byte(out, (uint8_t)text.data[i], error));
    return buffer_append_byte(out, '"', error);
}

static bool put_head(const struct query_file *work, struct buffer *out, struct error *error)
{
    for (size_t i = 0; i < work->column_count; i++)
        TRY((i == 0 || buffer_append_byte(out, ',', error)) &&
            put_text(out, slice_of(work->rows->columns[work->columns[i]].name), error));
    return buffer_append_byte(out, '\n', error);
}

static bool put_row(const struct query_file *work, size_t row, struct buffer *out,
                    struct error *error)
{
    for (size_t i = 0; i < work->column_count; i++) {
        bool null;
        struct slice text = rows_cell(work->rows, row, work->columns[i], &null);
        TRY((i == 0 || buffer_append_byte(out, ',', error)) &&
            (null || put_text(out, text, error)));
    }
    return buffer_append_byte(out, '\n', error);
}

static bool write_rows(const struct query_file *work, struct job *job, int fd, struct error *error)
{
    struct buffer out = {0};
    bool ok = put_head(work, &out, error);
    for (size_t i = 0; ok && i < work->count; i++) {
        ok = put_row(work, work->map ? work->map[i] : i, &out, error);
        if (ok && i % STOP_EVERY == 0 && atomic_load(job_stop_flag(job)))
            ok = error_set(error, ERROR_INTERRUPTED, NULL, "stopped");
        if (ok && out.length >= WRITE_BYTES) {
            ok = file_write_all(fd, out.data, out.length, work->path, error);
            buffer_clear(&out);
        }
    }
    ok = ok && file_write_all(fd, out.data, out.length, work->path, error);
    buffer_destroy(&out);
    return ok;
}

/* A file that was not written to its end is taken away again. */
static bool file_run(struct job *job, void *context, struct error *error)
{
    struct query_file *work = context;
    const char *path = work->replaces ? work->own : work->path;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return error_set(error, ERROR_EXISTS, "E and Enter again write over it", "%s exists",
                         work->path);
    if (fd < 0)
        return error_set_system(error, errno, "%s", path);
    bool ok = write_rows(work, job, fd, error);
    if (close(fd) != 0 && ok)
        ok = error_set_system(error, errno, "%s", path);
    if (ok && work->replaces && rename(path, work->path) != 0)
        ok = error_set_system(error, errno, "%s", work->path);
    if (!ok)
        unlink(path);
    return ok;
}

static void file_free(struct query_file *work)
{
    rows_release(work->rows);
    free(work->map);
    free(work->columns);
    free(work);
}

/* The view may be gone: then only the message is left to say. */
static struct query_view *file_view(const struct query_file *work)
{
    for (size_t i = 0; view_kinds[i]; i++)
        if (view_kinds[i] == &view_query)
            return (struct query_view *)work->app->views[i];
    return NULL;
}

static void file_done(void *context, bool ok, const struct error *error)
{
    struct query_file *work = context;
    struct query_view *query = file_view(work);
    if (query)
        query->export_exists = !ok && error->kind == ERROR_EXISTS;
    if (!ok)
        app_fail(work->app, error);
    else if (work->rows->cut_cells)
        app_say(work->app, STYLE_WARN, "%zu rows are in %s; %zu cells were cut at %d MB",
                work->count, work->path, work->rows->cut_cells, ROWS_CELL_MOST >> 20);
    else
        app_say(work->app, STYLE_OK, "%zu rows are in %s", work->count, work->path);
    file_free(work);
}

static const struct job_kind file_job = {"export", 0, file_run, file_done};

/* ---- asking where to ---- */

static struct query_file *file_make(struct query_tab *tab, struct error *error)
{
    const struct grid *grid = &tab->grid;
    struct query_file *work = memory_zero(1, sizeof *work, error);
    if (work == NULL)
        return NULL;
    work->rows = rows_share(grid->rows);
    work->count = grid->list.count;
    work->columns = memory_zero(grid->rows->column_count, sizeof *work->columns, error);
    work->map = grid->map ? memory_zero(grid->map_count, sizeof *work->map, error) : NULL;
    if (work->columns == NULL || (grid->map && work->map == NULL)) {
        file_free(work);
        return NULL;
    }
    if (grid->map_count && work->map)
        memcpy(work->map, grid->map, grid->map_count * sizeof *work->map);
    for (size_t i = 0; i < grid->rows->column_count; i++)
        if (!grid->columns[i].hidden)
            work->columns[work->column_count++] = i;
    return work;
}

static void export_write(struct query_view *query, bool replaces)
{
    struct error error = {0};
    struct app *app = query->view.app;
    struct query_tab *tab = query_tab_now(query);
    struct query_file *work = tab && tab->grid.rows ? file_make(tab, &error) : NULL;
    if (work == NULL) {
        app_say(app, STYLE_FAIL, "nothing is written: %s",
                error.kind ? error.message : "the answer is gone");
        return;
    }
    work->app = app;
    work->replaces = replaces;
    snprintf(work->path, sizeof work->path, "%s", query->export_path);
    snprintf(work->own, sizeof work->own, "%s.%d.new", query->export_path, (int)getpid());
    app_job(app, &file_job, work);
}

static void export_over(struct app *app, void *context)
{
    (void)app;
    export_write(context, true);
}

static void export_named(struct app *app, void *context, struct slice text)
{
    struct query_view *query = context;
    char path[FIELD_SIZE], target[FIELD_SIZE + 16];
    const char *home = getenv("HOME");
    bool in_home = home && slice_starts_with(text, SLICE_LITERAL("~/"));
    if (text.length == 0)
        return;
    snprintf(path, sizeof path, "%s%.*s", in_home ? home : "",
             (int)(text.length - (in_home ? 1 : 0)), text.data + (in_home ? 1 : 0));
    bool again = query->export_exists && strcmp(path, query->export_path) == 0;
    snprintf(query->export_path, sizeof query->export_path, "%s", path);
    if (!again) {
        export_write(query, false);
        return;
    }
    snprintf(target, sizeof target, "file %s", path);
    app_ask(app, &(struct ask){.title = "Write over a file",
                               .target = target,
                               .plan = "the rows that are listed take the place of what it holds",
                               .undo = "none: what it holds now is lost",
                               .button = "write over it",
                               .yes = export_over,
                               .context = query});
}

void query_export(struct query_view *query)
{
    char label[64], initial[QUERY_NAME_SIZE + 8];
    const struct query_tab *tab = query_tab_now(query);
    snprintf(label, sizeof label, "%zu rows as CSV into file:", tab->grid.list.count);
    snprintf(initial, sizeof initial, "%s.csv", tab->name);
    for (char *at = initial; *at; at++)
        if (strchr("/ \t\n", *at))
            *at = '_';
    app_prompt(query->view.app,
               &(struct prompt){.title = "Export",
                                .label = label,
                                .initial = query->export_exists ? query->export_path : initial,
                                .done = export_named,
                                .context = query});
}

/* ---- the same by the command line ---- */

static bool append_quoted(struct buffer *out, const char *text)
{
    bool ok = buffer_append_text(out, " '", NULL);
    for (; ok && *text; text++)
        ok = *text == '\'' ? buffer_append_text(out, "'\\''", NULL)
                           : buffer_append_byte(out, (uint8_t)*text, NULL);
    return ok && buffer_append_byte(out, '\'', NULL);
}

bool query_twin(const struct query_view *query, struct buffer *out)
{
    const struct query_tab *tab = query_tab_now(query);
    static const struct object nothing;
    bool ok = app_twin(query->view.app, ACTION_EDITOR_RUN, &nothing, out);
    if (ok && tab->sql == NULL)
        return buffer_append_text(out, " --table", NULL) && append_quoted(out, tab->table) &&
               buffer_append_format(out, NULL, " --limit %d", QUERY_PREVIEW_ROWS);
    if (ok && !tab->engine.scan)
        ok = buffer_append_text(out, " --engine postgres --source", NULL) &&
             append_quoted(out, tab->engine.source->name);
    return ok && append_quoted(out, tab->sql);
}

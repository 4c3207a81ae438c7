/* The lines of the Streams view: which, in which order, and the sum over them. */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/view_streams.h"

const char *const streams_states[STREAMS_STATES] = {
    "FAILED", "unknown", "stopped", "late", "catching up", "paused", "ok", "not built"};
enum { RANK_UNKNOWN = 1, RANK_ORPHAN = 3, RANK_STALE_LAST = 4, RANK_TOLD_LAST = 5 };

static int state_rank(const char *state)
{
    for (int i = 0; i < STREAMS_STATES; i++)
        if (strcmp(streams_states[i], state) == 0)
            return i;
    return RANK_UNKNOWN;
}

const char *streams_row_name(const struct streams_view *view, const struct streams_row *row,
                             char out[OBJECT_TEXT_SIZE])
{
    const struct watch *watch = &view->view.app->watch;
    if (!row->orphan)
        return watch->streams[row->index].lag.stream->name;
    snprintf(out, OBJECT_TEXT_SIZE, "slot %s", watch->orphans[row->index].slot);
    return out;
}

const struct streams_row *streams_row(const struct streams_view *view)
{
    return view->list.count ? &view->rows[view->list.selected] : NULL;
}

const struct watch_stream *streams_selected(const struct streams_view *view)
{
    const struct streams_row *row = streams_row(view);
    return row && !row->orphan ? &view->view.app->watch.streams[row->index] : NULL;
}

void streams_stick(struct streams_view *view)
{
    char name[OBJECT_TEXT_SIZE];
    const struct streams_row *row = streams_row(view);
    if (row)
        snprintf(view->selected, sizeof view->selected, "%s", streams_row_name(view, row, name));
}

/* ---- which ---- */

static bool row_shown(const struct streams_view *view, const struct streams_row *row)
{
    char line[512], name[OBJECT_TEXT_SIZE];
    const struct app *app = view->view.app;
    if (!filter_active(&view->filter))
        return true;
    if (row->orphan) {
        snprintf(line, sizeof line, "%s orphan %s", streams_row_name(view, row, name),
                 app->watch.orphans[row->index].source);
    } else {
        const struct watch_stream *stream = &app->watch.streams[row->index];
        snprintf(line, sizeof line, "%s %s %s %s %s", stream->lag.stream->name,
                 watch_state(app, stream), stream->lag.stuck_at ? stream->lag.stuck_at : "",
                 stream->lag.stream->kind,
                 stream->lag.stream->capture ? stream->lag.stream->capture->source->name : "");
    }
    return filter_match(&view->filter, line);
}

static void keep_worst(struct streams_view *view, struct streams_row row)
{
    const struct watch *watch = &view->view.app->watch;
    if (row.rank > RANK_TOLD_LAST || (!row.orphan && !watch->streams[row.index].known))
        return;
    size_t at = view->worst_count;
    while (at && view->worst[at - 1].rank > row.rank)
        at--;
    if (at == STREAMS_WORST_MOST)
        return;
    if (view->worst_count < STREAMS_WORST_MOST)
        view->worst_count++;
    for (size_t i = view->worst_count - 1; i > at; i--)
        view->worst[i] = view->worst[i - 1];
    view->worst[at] = row;
}

static void add_row(struct streams_view *view, struct streams_row row)
{
    keep_worst(view, row);
    if (row_shown(view, &row) && memory_grow(&view->rows, &view->row_capacity, view->list.count + 1,
                                             sizeof *view->rows, NULL))
        view->rows[view->list.count++] = row;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Distinct workspaces that read something that is not well. */
static void count_readers(struct streams_view *view)
{
    const struct app *app = view->view.app;
    const char **names = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < app->watch.stream_count; i++) {
        const struct watch_stream *stream = &app->watch.streams[i];
        int rank = state_rank(watch_state(app, stream));
        bool stale = rank <= RANK_STALE_LAST ||
                     stream->lag.freshness_s * 1e3 > (double)stream->lag.stream->freshness_ms;
        for (size_t k = 0; stale && stream->known && k < stream->reader_count; k++)
            if (memory_grow(&names, &capacity, count + 1, sizeof *names, NULL))
                names[count++] = stream->readers[k];
    }
    if (count)
        qsort(names, count, sizeof *names, compare_text);
    view->readers_stale = 0;
    for (size_t i = 0; i < count; i++)
        view->readers_stale += i == 0 || strcmp(names[i], names[i - 1]) != 0;
    free(names);
}

/* ---- in which order ---- */

static double row_value(const struct streams_view *view, const struct streams_row *row)
{
    const struct watch_stream *stream =
        row->orphan ? NULL : &view->view.app->watch.streams[row->index];
    switch (view->sort) {
    case SORT_FRESH:
        return stream ? stream->lag.freshness_s : -1;
    case SORT_BATCH:
        return stream ? (double)stream->lag.batch : -1;
    case SORT_ROWS:
        return stream ? stream->rows_s : -1;
    case SORT_WORST:
        return -row->rank;
    default:
        return 0;
    }
}

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct streams_view *view = context;
    const struct streams_row *x = a, *y = b;
    char x_name[OBJECT_TEXT_SIZE], y_name[OBJECT_TEXT_SIZE];
    double difference = row_value(view, y) - row_value(view, x);
    int turn = view->turned ? -1 : 1;
    if (difference != 0)
        return difference > 0 ? turn : -turn;
    int order = strcmp(streams_row_name(view, x, x_name), streams_row_name(view, y, y_name));
    return view->sort == SORT_NAME ? order * turn : order;
}

/* Where the stream went that the cursor stood on; when it is gone the cursor keeps its line. */
static void find_selected(struct streams_view *view)
{
    char name[OBJECT_TEXT_SIZE];
    for (size_t i = 0; view->selected[0] && i < view->list.count; i++)
        if (strcmp(streams_row_name(view, &view->rows[i], name), view->selected) == 0) {
            view->list.selected = i;
            return;
        }
    list_set_count(&view->list, view->list.count);
}

void streams_fill(struct streams_view *view)
{
    const struct app *app = view->view.app;
    memset(view->counts, 0, sizeof view->counts);
    view->list.count = view->worst_count = view->looking = 0;
    view->total = app->watch.stream_count + app->watch.orphan_count;
    for (size_t i = 0; i < app->watch.stream_count; i++) {
        int rank = state_rank(watch_state(app, &app->watch.streams[i]));
        if (app->watch.streams[i].known)
            view->counts[rank]++;
        else
            view->looking++;
        add_row(view, (struct streams_row){false, i, rank});
    }
    for (size_t i = 0; i < app->watch.orphan_count; i++)
        add_row(view, (struct streams_row){true, i, RANK_ORPHAN});
    if (view->list.count)
        qsort_r(view->rows, view->list.count, sizeof *view->rows, compare_rows, view);
    find_selected(view);
    count_readers(view);
}

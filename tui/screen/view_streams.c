/* Streams, the home: what is wrong and who reads stale data, where it is stuck, what changed last,
 * how long until it gets worse, and the key that helps (screen.md, "Streams answers"). */
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/export.h"
#include "tui/screen/view_streams.h"

static struct view *streams_open(struct app *app, void *argument, struct error *error)
{
    (void)argument;
    struct streams_view *view = memory_zero(1, sizeof *view, error);
    if (view == NULL)
        return NULL;
    view->view = (struct view){&view_streams, app};
    streams_fill(view);
    return &view->view;
}

static void streams_close(struct view *base)
{
    struct streams_view *view = (struct streams_view *)base;
    filter_destroy(&view->filter);
    free(view->rows);
    free(view);
}

static void streams_tick(struct view *base)
{
    streams_fill((struct streams_view *)base);
}

static void streams_find(struct view *base, const struct object *object)
{
    struct streams_view *view = (struct streams_view *)base;
    if (object->stream[0] == '\0')
        return;
    snprintf(view->selected, sizeof view->selected, "%s", object->stream);
    filter_clear(&view->filter);
    streams_fill(view);
}

bool streams_object(struct view *base, struct object *out)
{
    const struct streams_view *view = (struct streams_view *)base;
    const struct app *app = base->app;
    const struct streams_row *row = streams_row(view);
    const struct watch_stream *stream = streams_selected(view);
    char name[OBJECT_TEXT_SIZE], age[32];
    if (row == NULL)
        return false;
    if (stream == NULL) {
        out->kind = "slot";
        snprintf(out->text, sizeof out->text, "%s\torphan", streams_row_name(view, row, name));
        return true;
    }
    out->kind = "stream";
    snprintf(out->stream, sizeof out->stream, "%s", stream->lag.stream->name);
    if (stream->lag.stream->table_count)
        snprintf(out->table, sizeof out->table, "%s", stream->lag.stream->tables[0].ident);
    watch_age(stream->lag.freshness_s, age, sizeof age);
    snprintf(out->text, sizeof out->text, "%s\t%s\t%s\tbatch %lld\t%s", out->stream,
             watch_state(app, stream), age, (long long)stream->lag.batch,
             stream->lag.stuck_at ? stream->lag.stuck_at : "");
    return true;
}

/* ---- keys ---- */

static enum answer streams_can(struct view *base, enum action_id action, const char **why)
{
    struct streams_view *view = (struct streams_view *)base;
    enum answer moves = list_can(&view->list, action);
    if (moves != ANSWER_ABSENT)
        return moves;
    switch (action) {
    case ACTION_BACK:
        return filter_active(&view->filter) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_FILTER:
    case ACTION_SORT:
    case ACTION_SORT_TURN:
        return view->total ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_EXPORT:
        return view->list.count ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_REFRESH:
        return base->app->watch.work ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return streams_can_stream(view, action, why);
    }
}

static void streams_export(struct streams_view *view)
{
    struct buffer text = {0};
    const struct app *app = view->view.app;
    bool ok = buffer_append_text(
        &text, "stream\tstate\tfreshness_s\tgoal_s\tbatch\trows_s\tstuck_at\treason\n", NULL);
    for (size_t i = 0; ok && i < view->list.count; i++) {
        const struct streams_row *row = &view->rows[i];
        if (row->orphan)
            continue;
        const struct watch_stream *stream = &app->watch.streams[row->index];
        ok = export_field(&text, stream->lag.stream->name, '\t') &&
             export_field(&text, watch_state(app, stream), '\t') &&
             buffer_append_format(&text, NULL, "%.1f\t%lld\t%lld\t%.1f\t", stream->lag.freshness_s,
                                  (long long)stream->lag.stream->freshness_ms / 1000,
                                  (long long)stream->lag.batch, stream->rows_s) &&
             export_field(&text, stream->lag.stuck_at ? stream->lag.stuck_at : "", '\t') &&
             export_field(&text, stream->lag.reason, '\n');
    }
    if (ok)
        app_export(view->view.app, "streams.tsv", buffer_slice(&text));
    buffer_destroy(&text);
}

static void streams_act(struct view *base, enum action_id action)
{
    struct streams_view *view = (struct streams_view *)base;
    if (list_act(&view->list, action)) {
        streams_stick(view);
        return;
    }
    switch (action) {
    case ACTION_BACK:
        filter_clear(&view->filter);
        streams_fill(view);
        break;
    case ACTION_FILTER:
        view->filter.editing = true;
        break;
    case ACTION_SORT:
        view->sort = (view->sort + 1) % SORTS;
        view->turned = false;
        streams_fill(view);
        break;
    case ACTION_SORT_TURN:
        view->turned = !view->turned;
        streams_fill(view);
        break;
    case ACTION_EXPORT:
        streams_export(view);
        break;
    case ACTION_REFRESH:
        app_say(base->app, STYLE_DIM, "looking again");
        watch_look(base->app);
        break;
    default:
        streams_stick(view);
        streams_act_stream(view, action);
    }
}

static bool streams_key(struct view *base, key_code key)
{
    struct streams_view *view = (struct streams_view *)base;
    bool changed;
    if (!filter_key(&view->filter, key, &changed))
        return false;
    if (changed)
        streams_fill(view);
    return true;
}

static const enum scope streams_scopes[] = {SCOPE_STREAMS, SCOPE_OBJECT, SCOPE_LIST, SCOPE_MOVE,
                                            SCOPE_COUNT};

static bool streams_types(const struct view *view)
{
    return ((const struct streams_view *)view)->filter.editing;
}

const struct view_kind view_streams = {
    .types = streams_types,
    .name = "streams",
    .title = "Streams",
    .action = ACTION_VIEW_STREAMS,
    .scopes = streams_scopes,
    .ticks = true,
    .open = streams_open,
    .close = streams_close,
    .draw = streams_draw,
    .can = streams_can,
    .act = streams_act,
    .key = streams_key,
    .object = streams_object,
    .tick = streams_tick,
    .shown = streams_tick,
    .find = streams_find,
};

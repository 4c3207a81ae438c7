/* Runs: what runs and what ran, newest first; their events; cancel and again. */
#include "tui/screen/view_runs.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "tui/screen/export.h"
#include "tui/screen/run_words.h"

/* ---- which, in which order ---- */

const struct run_summary *runs_selected(const struct runs_view *view)
{
    const struct run_list *runs = &view->view.app->watch.runs;
    if (view->list.count == 0 || view->rows[view->list.selected] >= runs->count)
        return NULL;
    return &runs->runs[view->rows[view->list.selected]];
}

static bool run_shown(const struct runs_view *view, const struct run_summary *run)
{
    char line[1024], says[512];
    if (!filter_active(&view->filter))
        return true;
    run_words_says(run, says, sizeof says);
    snprintf(line, sizeof line, "%s %s %s %s %s %s", run->id, run_words_state(run), run->verb,
             run->object, run->by, says);
    return filter_match(&view->filter, line);
}

static int state_order(const struct run_summary *run)
{
    static const char *const order[] = {"running", "died",        "failed",
                                        "newer",   "interrupted", "done"};
    for (int i = 0; i < 6; i++)
        if (strcmp(order[i], run->state) == 0)
            return i;
    return 3;
}

static int compare_runs(const void *a, const void *b, void *context)
{
    const struct runs_view *view = context;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    const struct run_summary *runs = view->view.app->watch.runs.runs;
    int turn = view->turned ? -1 : 1, order = 0;
    if (view->sort == RUNS_BY_STATE)
        order = state_order(&runs[x]) - state_order(&runs[y]);
    else if (view->sort == RUNS_BY_WHAT && (order = strcmp(runs[x].verb, runs[y].verb)) == 0)
        order = strcmp(runs[x].object, runs[y].object);
    if (order)
        return order * turn;
    order = x < y ? -1 : x > y;
    return view->sort == RUNS_NEWEST ? order * turn : order;
}

static void runs_count(struct runs_view *view, const struct run_summary *run)
{
    view->alive += strcmp(run->state, "running") == 0;
    view->failed += strcmp(run->state, "failed") == 0;
    view->died += strcmp(run->state, "died") == 0;
}

void runs_fill(struct runs_view *view)
{
    const struct run_list *runs = &view->view.app->watch.runs;
    size_t count = 0;
    view->alive = view->failed = view->died = 0;
    for (size_t i = 0; i < runs->count; i++) {
        runs_count(view, &runs->runs[i]);
        if (run_shown(view, &runs->runs[i]) &&
            memory_grow(&view->rows, &view->row_capacity, count + 1, sizeof *view->rows, NULL))
            view->rows[count++] = i;
    }
    if (count)
        qsort_r(view->rows, count, sizeof *view->rows, compare_runs, view);
    list_set_count(&view->list, count);
    for (size_t i = 0; view->selected[0] && i < count; i++)
        if (strcmp(runs->runs[view->rows[i]].id, view->selected) == 0)
            view->list.selected = i;
}

static void runs_stick(struct runs_view *view)
{
    const struct run_summary *run = runs_selected(view);
    /* On the newest: it stays with the newest. */
    if (run == NULL || (view->list.selected == 0 && view->sort == RUNS_NEWEST && !view->turned))
        view->selected[0] = '\0';
    else
        snprintf(view->selected, sizeof view->selected, "%s", run->id);
}

struct runs_view *runs_of(const struct app *app)
{
    for (size_t i = 0; view_kinds[i]; i++)
        if (view_kinds[i] == &view_runs)
            return (struct runs_view *)app->views[i];
    return NULL;
}

/* ---- the view ---- */

static struct view *runs_open(struct app *app, void *argument, struct error *error)
{
    (void)argument;
    struct runs_view *view = memory_zero(1, sizeof *view, error);
    if (view == NULL)
        return NULL;
    view->view = (struct view){&view_runs, app};
    runs_fill(view);
    return &view->view;
}

static void runs_close(struct view *base)
{
    struct runs_view *view = (struct runs_view *)base;
    filter_destroy(&view->filter);
    free(view->rows);
    free(view);
}

static void runs_tick(struct view *base)
{
    runs_fill((struct runs_view *)base);
}

static void runs_shown(struct view *base)
{
    runs_fill((struct runs_view *)base);
    watch_look(base->app);
}

static void runs_find(struct view *base, const struct object *object)
{
    struct runs_view *view = (struct runs_view *)base;
    if (object->run[0] == '\0')
        return;
    snprintf(view->selected, sizeof view->selected, "%.*s", (int)sizeof view->selected - 1,
             object->run);
    filter_clear(&view->filter);
    runs_fill(view);
}

static bool runs_object(struct view *base, struct object *out)
{
    const struct run_summary *run = runs_selected((struct runs_view *)base);
    char says[256];
    if (run == NULL)
        return false;
    run_words_says(run, says, sizeof says);
    out->kind = "run";
    snprintf(out->run, sizeof out->run, "%s", run->id);
    if (watch_stream(base->app, run->object))
        snprintf(out->stream, sizeof out->stream, "%s", run->object);
    snprintf(out->text, sizeof out->text, "%s\t%s\t%s\t%s\t%s\t%s", run->id, run_words_state(run),
             run->verb, run->object, run->by, says);
    return true;
}

static void runs_export(struct runs_view *view)
{
    struct buffer text = {0};
    const struct run_list *runs = &view->view.app->watch.runs;
    bool ok = buffer_append_text(
        &text, "run\tstate\tverb\tobject\tstarted\tended\tby\texit\tsays\n", NULL);
    for (size_t i = 0; ok && i < view->list.count; i++) {
        const struct run_summary *run = &runs->runs[view->rows[i]];
        char says[512];
        run_words_says(run, says, sizeof says);
        const char *const fields[] = {run->id,      run_words_state(run), run->verb, run->object,
                                      run->started, run->ended,           run->by};
        for (size_t k = 0; ok && k < sizeof fields / sizeof *fields; k++)
            ok = export_field(&text, fields[k], '\t');
        ok = ok && buffer_append_format(&text, NULL, "%d\t", run->exit_code) &&
             export_field(&text, says, '\n');
    }
    if (ok)
        app_export(view->view.app, "runs.tsv", buffer_slice(&text));
    buffer_destroy(&text);
}

static enum answer runs_can(struct view *base, enum action_id action, const char **why)
{
    struct runs_view *view = (struct runs_view *)base;
    const struct run_summary *run = runs_selected(view);
    enum answer moves = list_can(&view->list, action);
    if (moves != ANSWER_ABSENT)
        return moves;
    switch (action) {
    case ACTION_BACK:
        return filter_active(&view->filter) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_FILTER:
    case ACTION_SORT:
    case ACTION_SORT_TURN:
        return base->app->watch.runs.count ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_EXPORT:
        return view->list.count ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_REFRESH:
        return base->app->watch.work ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return runs_can_run(base->app, run, action, view->why, sizeof view->why, why);
    }
}

static void runs_act(struct view *base, enum action_id action)
{
    struct runs_view *view = (struct runs_view *)base;
    if (list_act(&view->list, action)) {
        runs_stick(view);
        return;
    }
    switch (action) {
    case ACTION_BACK:
        filter_clear(&view->filter);
        runs_fill(view);
        break;
    case ACTION_FILTER:
        view->filter.editing = true;
        break;
    case ACTION_SORT:
        view->sort = (view->sort + 1) % RUNS_SORTS;
        view->turned = false;
        runs_fill(view);
        break;
    case ACTION_SORT_TURN:
        view->turned = !view->turned;
        runs_fill(view);
        break;
    case ACTION_EXPORT:
        runs_export(view);
        break;
    case ACTION_REFRESH:
        app_say(base->app, STYLE_DIM, "looking again");
        watch_look(base->app);
        break;
    case ACTION_RUN_EVENTS:
        runs_events(base->app, runs_selected(view)->id);
        break;
    default:
        runs_ask(base->app, runs_selected(view), action);
    }
}

static bool runs_key(struct view *base, key_code key)
{
    struct runs_view *view = (struct runs_view *)base;
    bool changed;
    if (!filter_key(&view->filter, key, &changed))
        return false;
    if (changed)
        runs_fill(view);
    return true;
}

static const enum scope runs_scopes[] = {SCOPE_RUNS, SCOPE_LIST, SCOPE_MOVE, SCOPE_COUNT};

static bool runs_types(const struct view *view)
{
    return ((const struct runs_view *)view)->filter.editing;
}

const struct view_kind view_runs = {
    .types = runs_types,
    .name = "runs",
    .title = "Runs",
    .action = ACTION_VIEW_RUNS,
    .scopes = runs_scopes,
    .ticks = true, /* while a run is under way: see watch.c */
    .open = runs_open,
    .close = runs_close,
    .draw = runs_draw,
    .can = runs_can,
    .act = runs_act,
    .key = runs_key,
    .object = runs_object,
    .tick = runs_tick,
    .shown = runs_shown,
    .find = runs_find,
};

/* The Query view: SQL against the lake or a source; reads only. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "tui/screen/view_query.h"

/* ---- engines ---- */

static void query_find_engines(struct query_view *query)
{
    const struct app *app = query->view.app;
    if (!app->has_profile)
        return;
    if (app->profile.lake.warehouse || app->profile.lake.catalog.dsn)
        query->engines[query->engine_count++] = (struct query_engine){.scan = true};
    for (size_t i = 0; i < app->profile.source_count && query->engine_count < QUERY_ENGINES_MOST;
         i++)
        query->engines[query->engine_count++] =
            (struct query_engine){.source = &app->profile.sources[i]};
}

const char *query_engine_name(const struct query_view *query)
{
    static char name[128]; /* of the screen's thread */
    const char *why;
    if (query->engine_count == 0)
        return "nothing to ask";
    const struct query_engine *engine = &query->engines[query->engine];
    const struct pipeline *pipeline = app_pipeline(query->view.app, &why);
    if (!engine->scan)
        snprintf(name, sizeof name, "postgres: %s", engine->source->name);
    else
        snprintf(name, sizeof name, "scan: %s%s%s", query->view.app->profile.lake.catalog.name,
                 pipeline ? "." : "", pipeline ? pipeline->namespace : "");
    return name;
}

/* ---- opening and closing ---- */

static struct view *query_open(struct app *app, void *argument, struct error *error)
{
    (void)argument;
    struct query_view *query = memory_zero(1, sizeof *query, error);
    if (query == NULL)
        return NULL;
    query->view = (struct view){&view_query, app};
    query_find_engines(query);
    query_boot(query);
    return &query->view;
}

static void query_close(struct view *view)
{
    struct query_view *query = (struct query_view *)view;
    query_boot_leave(query);
    query_names_leave(query);
    query_tabs_close(query);
    editor_close(&query->editor);
    free(query);
}

/* ---- what works now ---- */

static bool has_rows(const struct query_tab *tab)
{
    return tab && tab->grid.list.count;
}

/* What needs all rows to be there. */
static enum answer can_arrange(const struct query_tab *tab, const char **why)
{
    if (tab == NULL || tab->grid.rows == NULL || tab->grid.rows->column_count == 0)
        return ANSWER_ABSENT;
    *why = "rows are still being read; x stops that";
    return tab->grid.rows->complete ? ANSWER_WORKS : ANSWER_REFUSED;
}

static enum answer can_run(const struct query_view *query, const char **why)
{
    *why = query->engine_count ? "three statements run already; Esc, then x cancels one"
                               : "the profile names neither a lake nor a source";
    return query->engine_count && query_running(query) < QUERY_RUNNING_MOST ? ANSWER_WORKS
                                                                            : ANSWER_REFUSED;
}

static enum answer can_in_editor(const struct query_view *query, enum action_id action,
                                 const char **why)
{
    switch (action) {
    case ACTION_EDITOR_RUN:
        return can_run(query, why);
    case ACTION_EDITOR_NEXT:
    case ACTION_EDITOR_SEARCH:
    case ACTION_EDITOR_LEAVE:
    case ACTION_PANE_PREVIOUS:
        return ANSWER_WORKS;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        return has_rows(query_tab_now(query)) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_INTERRUPT:
        return query_tab_runs(query_tab_now(query)) || editor_text(&query->editor).length ||
                       editor_searches(&query->editor)
                   ? ANSWER_WORKS
                   : ANSWER_ABSENT;
    default:
        return ANSWER_ABSENT;
    }
}

static enum answer can_with_tab(const struct query_view *query, const struct query_tab *tab,
                                enum action_id action, const char **why)
{
    switch (action) {
    case ACTION_RECORD:
    case ACTION_CELL:
    case ACTION_COPY:
        return has_rows(tab) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_COPY_TWIN:
        return ANSWER_WORKS;
    case ACTION_GRID_CANCEL:
        *why = "nothing is being read";
        return query_tab_runs(tab) ? ANSWER_WORKS : ANSWER_REFUSED;
    case ACTION_INTERRUPT:
        return query_tab_runs(tab) ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_REFRESH:
        if (query_tab_runs(tab)) {
            *why = "it is being read; x stops that";
            return ANSWER_REFUSED;
        }
        return can_run(query, why);
    case ACTION_SORT:
    case ACTION_FILTER:
    case ACTION_EXPORT:
        return can_arrange(tab, why);
    case ACTION_SORT_TURN:
        if (can_arrange(tab, why) == ANSWER_WORKS && !tab->grid.order.sorted) {
            *why = "nothing is sorted yet; s sorts by the column";
            return ANSWER_REFUSED;
        }
        return can_arrange(tab, why);
    default:
        return grid_can(&tab->grid, action, why);
    }
}

static enum answer can_in_grid(const struct query_view *query, enum action_id action,
                               const char **why)
{
    const struct query_tab *tab = query_tab_now(query);
    switch (action) {
    case ACTION_EDIT:
    case ACTION_ZOOM:
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        return ANSWER_WORKS;
    case ACTION_ENGINE:
        *why = query->engine_count ? "the profile names no other engine"
                                   : "the profile names neither a lake nor a source";
        return query->engine_count > 1 ? ANSWER_WORKS : ANSWER_REFUSED;
    case ACTION_PREVIOUS:
    case ACTION_NEXT:
        return query->tab_count > 1 ? ANSWER_WORKS : ANSWER_ABSENT;
    case ACTION_BACK:
        return query->zoomed || (tab && filter_active(&tab->grid.filter)) ? ANSWER_WORKS
                                                                          : ANSWER_ABSENT;
    default:
        return tab ? can_with_tab(query, tab, action, why) : ANSWER_ABSENT;
    }
}

static enum answer query_can(struct view *view, enum action_id action, const char **why)
{
    const struct query_view *query = (struct query_view *)view;
    return query->in_grid ? can_in_grid(query, action, why) : can_in_editor(query, action, why);
}

/* ---- doing it ---- */

static void query_run(struct query_view *query)
{
    struct error error = {0};
    if (!editor_enter(&query->editor))
        return;
    char *sql = memory_copy_slice(editor_text(&query->editor), &error);
    if (sql == NULL) {
        app_fail(query->view.app, &error);
        return;
    }
    editor_accept(&query->editor);
    query_remember(query, slice_of(sql));
    query_send(query, sql);
    free(sql);
}

static void query_focus(struct query_view *query, bool grid)
{
    editor_search_end(&query->editor, true);
    query->in_grid = grid;
    query->zoomed = query->zoomed && grid;
}

static void query_interrupt(struct query_view *query)
{
    struct query_tab *tab = query_tab_now(query);
    if (query_tab_runs(tab))
        query_stop(tab);
    else if (editor_searches(&query->editor))
        editor_search_end(&query->editor, false);
    else
        editor_clear(&query->editor);
}

static void act_in_editor(struct query_view *query, enum action_id action)
{
    struct query_tab *tab = query_tab_now(query);
    switch (action) {
    case ACTION_EDITOR_RUN:
        query_run(query);
        break;
    case ACTION_EDITOR_NEXT:
        editor_search_end(&query->editor, true);
        if (!query_complete(query))
            query_focus(query, true);
        break;
    case ACTION_EDITOR_SEARCH:
        if (query->editor.ready)
            editor_search(&query->editor);
        break;
    case ACTION_EDITOR_LEAVE:
        if (editor_searches(&query->editor))
            editor_search_end(&query->editor, true);
        else
            query_focus(query, true);
        break;
    case ACTION_PANE_PREVIOUS:
        query_focus(query, true);
        break;
    case ACTION_INTERRUPT:
        query_interrupt(query);
        break;
    default:
        if (tab)
            grid_act(&tab->grid, action);
    }
}

static void query_sort(struct query_tab *tab, bool turn)
{
    struct rows_order *order = &tab->grid.order;
    bool same = order->sorted && order->column == tab->grid.column;
    if (turn) {
        order->descending = !order->descending;
    } else {
        *order = (struct rows_order){.sorted = !same, .column = tab->grid.column};
    }
    query_arrange(tab);
}

static void query_copy_cell(struct query_view *query, const struct query_tab *tab)
{
    struct slice text;
    bool null;
    if (!grid_cell(&tab->grid, &text, &null))
        return;
    if (null)
        app_say(query->view.app, STYLE_WARN, "NULL is no text; nothing is copied");
    else
        app_copy(query->view.app, text);
}

static void query_copy_twin(struct query_view *query)
{
    struct buffer text = {0};
    if (query_twin(query, &text))
        app_copy(query->view.app, buffer_slice(&text));
    buffer_destroy(&text);
}

static void act_with_tab(struct query_view *query, struct query_tab *tab, enum action_id action)
{
    size_t row;
    switch (action) {
    case ACTION_RECORD:
        query_show_record(tab);
        break;
    case ACTION_CELL:
        if (grid_row(&tab->grid, &row))
            query_show_cell(query->view.app, tab->grid.rows, row, tab->grid.column);
        break;
    case ACTION_COPY:
        query_copy_cell(query, tab);
        break;
    case ACTION_COPY_TWIN:
        query_copy_twin(query);
        break;
    case ACTION_GRID_CANCEL:
    case ACTION_INTERRUPT:
        query_stop(tab);
        break;
    case ACTION_REFRESH:
        query_again(query, tab);
        break;
    case ACTION_SORT:
    case ACTION_SORT_TURN:
        query_sort(tab, action == ACTION_SORT_TURN);
        break;
    case ACTION_FILTER:
        tab->grid.filter.editing = true;
        break;
    case ACTION_EXPORT:
        query_export(query);
        break;
    default:
        grid_act(&tab->grid, action);
    }
}

static void query_back(struct query_view *query)
{
    struct query_tab *tab = query_tab_now(query);
    if (tab && filter_active(&tab->grid.filter)) {
        filter_clear(&tab->grid.filter);
        query_arrange(tab);
    } else {
        query->zoomed = false;
    }
}

static void act_in_grid(struct query_view *query, enum action_id action)
{
    struct query_tab *tab = query_tab_now(query);
    switch (action) {
    case ACTION_EDIT:
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
        query_focus(query, false);
        break;
    case ACTION_ZOOM:
        query->zoomed = !query->zoomed;
        break;
    case ACTION_ENGINE:
        query->engine = (query->engine + 1) % query->engine_count;
        query->names_why = (struct error){0};
        break;
    case ACTION_PREVIOUS:
        query->tab = (query->tab + query->tab_count - 1) % query->tab_count;
        break;
    case ACTION_NEXT:
        query->tab = (query->tab + 1) % query->tab_count;
        break;
    case ACTION_BACK:
        query_back(query);
        break;
    default:
        if (tab)
            act_with_tab(query, tab, action);
    }
}

static void query_act(struct view *view, enum action_id action)
{
    struct query_view *query = (struct query_view *)view;
    if (query->in_grid)
        act_in_grid(query, action);
    else
        act_in_editor(query, action);
}

/* ---- text ---- */

/* Keys that never are text of the editor: they have a meaning in the table. */
static bool key_is_action(const struct query_view *query, key_code key)
{
    const struct keymap *keymap = &query->view.app->keymap;
    return keymap_find(keymap, SCOPE_EDITOR, key) != ACTION_NONE || key == (KEY_CTRL | 'c') ||
           key == KEY_PAGE_UP || key == KEY_PAGE_DOWN || key == KEY_BACK_TAB;
}

static bool key_in_editor(struct query_view *query, key_code key)
{
    struct editor *editor = &query->editor;
    if (!editor->ready && editor->why.kind == ERROR_NONE && query->boot) {
        bool text = key == KEY_ENTER || (!key_is_action(query, key) && key != KEY_PASTE);
        if (text && editor->early_count < EDITOR_EARLY_MOST)
            editor->early[editor->early_count++] = key;
        return text;
    }
    if (!editor->ready || key_is_action(query, key))
        return false;
    query_names_want(query);
    if (key == KEY_PASTE) {
        editor_insert(editor, app_paste(query->view.app));
        return true;
    }
    enum editor_taken taken = editor_key(editor, key);
    if (taken == EDITOR_EXTERNAL)
        query_edit_outside(query);
    return taken != EDITOR_LEFT;
}

static bool query_key(struct view *view, key_code key)
{
    struct query_view *query = (struct query_view *)view;
    struct query_tab *tab = query_tab_now(query);
    bool changed;
    if (!query->in_grid)
        return key_in_editor(query, key);
    if (tab == NULL || !filter_key(&tab->grid.filter, key, &changed))
        return false;
    if (changed)
        query_arrange(tab);
    return true;
}

/* ---- for others ---- */

static bool query_object(struct view *view, struct object *out)
{
    const struct query_view *query = (struct query_view *)view;
    const struct query_tab *tab = query_tab_now(query);
    struct slice text;
    bool null;
    if (!query->in_grid || tab == NULL || !grid_cell(&tab->grid, &text, &null))
        return false;
    out->kind = "row";
    snprintf(out->table, sizeof out->table, "%s", tab->table);
    snprintf(out->text, sizeof out->text, "%.*s", SLICE_ARG(text));
    return true;
}

static void query_find(struct view *view, const struct object *object)
{
    struct query_view *query = (struct query_view *)view;
    if (object->table[0] == '\0')
        return;
    query_preview(query, object->table);
    query_focus(query, true);
}

static const enum scope query_scopes[] = {SCOPE_EDITOR, SCOPE_GRID, SCOPE_LIST, SCOPE_MOVE,
                                          SCOPE_COUNT};

static bool query_types(const struct view *view)
{
    const struct query_view *query = (const struct query_view *)view;
    const struct query_tab *tab = query_tab_now(query);
    return !query->in_grid || (tab && tab->grid.filter.editing);
}

const struct view_kind view_query = {
    .types = query_types,
    .name = "query",
    .title = "Query",
    .action = ACTION_VIEW_QUERY,
    .scopes = query_scopes,
    .open = query_open,
    .close = query_close,
    .draw = query_draw,
    .can = query_can,
    .act = query_act,
    .key = query_key,
    .object = query_object,
    .find = query_find,
};

/* view_query.h: the Query view, private to its files: an editor above, an answer below, a tab for
 * each of the last answers. */
#ifndef SURFBOARD_TUI_SCREEN_VIEW_QUERY_H
#define SURFBOARD_TUI_SCREEN_VIEW_QUERY_H

#include "tui/screen/app.h"
#include "tui/screen/editor.h"
#include "tui/screen/grid.h"
#include "tui/screen/query_names.h"
#include "tui/screen/query_work.h"

enum {
    QUERY_TABS_MOST = 9,
    QUERY_RUNNING_MOST = 3,       /* statements at once: the other threads are for other reads */
    QUERY_TABS_BYTES = 128 << 20, /* that all answers may take; the oldest go */
    QUERY_ENGINES_MOST = 16,
    QUERY_NAME_SIZE = 20,
    QUERY_PATH_SIZE = 1024
};

struct query_view;

enum query_state {
    QUERY_ASKING, /* nothing came yet */
    QUERY_READING,
    QUERY_DONE,
    QUERY_CANCELLED,
    QUERY_FAILED
};

struct query_tab {
    struct query_view *view;
    char name[QUERY_NAME_SIZE];
    char *sql;                    /* NULL: a preview of `table` */
    char table[QUERY_TABLE_SIZE]; /* in the lake; "" */
    struct query_engine engine;
    enum query_state state;
    struct query_work *work; /* under way; NULL */
    struct query_arrange *arrange;
    struct grid grid;
    struct query_facts facts;
    bool more, capped;
    struct error error; /* of QUERY_FAILED */
    int64_t started_ns, took_ns;
};

struct query_view {
    struct view view;
    struct editor editor;
    bool in_grid; /* the focus; else in the editor */
    bool zoomed;
    struct query_engine engines[QUERY_ENGINES_MOST];
    size_t engine_count, engine;
    struct query_tab *tabs[QUERY_TABS_MOST];
    size_t tab_count, tab;
    struct query_boot *boot; /* readline and history on their way; NULL */
    char history_path[QUERY_PATH_SIZE];
    bool history_told; /* that it can't be written */
    struct query_names names;
    size_t names_engine; /* whose they are, plus one; 0: nobody's */
    struct query_naming *naming;
    struct error names_why;
    char export_path[FIELD_SIZE]; /* of the last file; asked again, it is written over */
    bool export_exists;
};

/* The tab in sight; NULL. */
struct query_tab *query_tab_now(const struct query_view *query);
bool query_tab_runs(const struct query_tab *tab);
size_t query_running(const struct query_view *query);
const char *query_engine_name(const struct query_view *query); /* "scan: lake" */

/* ---- view_query_tab.c ---- */

/* Sends a statement, or looks into a table of the lake; a new tab shows what comes. */
void query_send(struct query_view *query, const char *sql);
void query_preview(struct query_view *query, const char *table);
void query_again(struct query_view *query, struct query_tab *tab);
void query_stop(struct query_tab *tab);
void query_tabs_close(struct query_view *query);
/* Has the rows in the order of the grid's sort and filter; a job does it. */
void query_arrange(struct query_tab *tab);

/* ---- view_query_draw.c ---- */

void query_draw(struct view *view, struct canvas *canvas, struct rect rect);
/* Byte of the statement that an error's message points at; false: it names none. */
bool query_error_place(const struct query_tab *tab, size_t *at);

/* ---- view_query_boot.c: what the editor needs from outside ---- */

void query_boot(struct query_view *query);
void query_boot_leave(struct query_view *query);
void query_remember(struct query_view *query, struct slice statement);
void query_edit_outside(struct query_view *query); /* $EDITOR */

/* ---- view_query_complete.c ---- */

/* Tab in the editor: false when there is nothing to complete. */
bool query_complete(struct query_view *query);
void query_names_want(struct query_view *query);
void query_names_leave(struct query_view *query);

/* ---- view_query_cell.c: boxes ---- */

void query_show_record(struct query_tab *tab);
/* A cell's whole text: JSON indented, long lines folded. */
void query_show_cell(struct app *app, const struct rows *rows, size_t row, size_t column);

/* ---- view_query_export.c ---- */

void query_export(struct query_view *query); /* asks where to */
bool query_twin(const struct query_view *query, struct buffer *out);

#endif

/* query_work.h: one statement, or one look into a table, being asked by a job. Knows no view: what
 * comes is handed to a listener, on the screen's thread. Apart from the view's own header because
 * engines know another `struct field` than widgets. */
#ifndef SURFBOARD_TUI_SCREEN_QUERY_WORK_H
#define SURFBOARD_TUI_SCREEN_QUERY_WORK_H

#include "core/config/profile.h"
#include "tui/screen/rows.h"

enum {
    QUERY_PREVIEW_ROWS = 500,
    QUERY_BYTES_MOST = 64 << 20, /* that one answer may take; the rest is not fetched */
    QUERY_ROWS_MOST = 1000000,   /* the same */
    QUERY_TABLE_SIZE = 160
};

struct app;
struct job;
struct query_work;

/* Who answers: the built-in scan, or a source of the profile. */
struct query_engine {
    bool scan;
    const struct profile_source *source; /* NULL for the scan */
};

struct query_facts {
    int64_t read_rows, read_bytes; /* of the files that were read whole; -1: not known */
    int64_t batch;                 /* that the snapshot holds; 0: none known */
    int64_t snapshot_us;           /* when it was committed; 0: not known */
    char table[QUERY_TABLE_SIZE];  /* "namespace.name" in the lake; "" */
};

struct query_end {
    bool ok;
    bool more;   /* there are rows beyond the preview's limit */
    bool capped; /* there are rows beyond QUERY_BYTES_MOST or QUERY_ROWS_MOST */
    const struct error *error;
    struct query_facts facts;
};

/* All on the screen's thread, in this order. */
struct query_listener {
    void (*begin)(void *context, struct rows *rows); /* takes the share */
    void (*add)(void *context, struct rows_block *block);
    void (*end)(void *context, const struct query_end *end);
};

struct query_ask {
    struct query_engine engine;
    const char *sql;   /* NULL: the first QUERY_PREVIEW_ROWS of `table` */
    const char *table; /* in the lake */
    const struct query_listener *listener;
    void *context;
};

/* Begins. NULL when there is no memory: end() was called then. */
struct query_work *query_work_start(struct app *app, const struct query_ask *ask);
/* Cancels, at the server too; what came stays, end() follows. */
void query_work_stop(struct query_work *work);
/* Cancels, and nobody listens any more. */
void query_work_leave(struct query_work *work);

#endif

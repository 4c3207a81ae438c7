/* query_names.h: what a statement may name: tables and columns of an engine, for completion. */
#ifndef SURFBOARD_TUI_SCREEN_QUERY_NAMES_H
#define SURFBOARD_TUI_SCREEN_QUERY_NAMES_H

#include <stdatomic.h>

#include "core/base/arena.h"
#include "tui/screen/query_work.h"

enum { QUERY_TABLES_MOST = 64 /* of the lake, whose columns are read */ };

struct query_name {
    const char *text;  /* as it is written in a statement */
    const char *table; /* of a column: its table, without schema; NULL: it is a table */
};

struct query_names {
    struct query_name *items;
    size_t count, capacity;
    struct arena arena;
};

/* On a worker. */
bool query_names_read(const struct profile *profile, const struct query_engine *engine,
                      const atomic_bool *stop, struct query_names *out, struct error *error);
void query_names_destroy(struct query_names *names);

#endif

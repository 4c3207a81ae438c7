/* pg_error.h: the inside of struct pg, and how server errors become ours. Not for others. */
#ifndef SURFBOARD_NET_PG_ERROR_H
#define SURFBOARD_NET_PG_ERROR_H

#include "core/net/pg.h"

struct pg {
    PGconn *connection;
    char *name;
    const atomic_bool *stop;
    int64_t answer_ms;
    char sqlstate[6];
};

/* Why connecting failed; returns false. */
bool pg_error_connect(struct pg *pg, struct error *error);

#endif

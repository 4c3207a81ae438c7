/* replication.h: a walsender session: its commands by the simple protocol, then the stream of
 * changes. Everything waits with the stop flag in sight. */
#ifndef SURFBOARD_POSTGRES_REPLICATION_H
#define SURFBOARD_POSTGRES_REPLICATION_H

#include <stdatomic.h>

#include "plugins/postgres/pgoutput.h"
#include "plugins/postgres/session.h"

struct replication {
    struct pg *pg;
    const atomic_bool *stop; /* NULL: never */
    char *message;           /* the CopyData that is looked at now */
    uint64_t received;       /* highest position that the server told */
    int64_t status_ns;       /* monotonic time of the last status */
};

bool replication_open(struct replication *replication, const struct pg_options *options,
                      struct error *error);
/* Ends the stream politely when there is one (2 s), so that the last status is taken in. */
void replication_close(struct replication *replication);

/* A replication command with rows ("IDENTIFY_SYSTEM", CREATE_REPLICATION_SLOT). PQclear() the
 * result. ERROR_INTERRUPTED by the stop flag: a slot waits for all running transactions. */
bool replication_command(struct replication *replication, const char *sql, PGresult **out,
                         struct error *error);

/* START_REPLICATION from `lsn` (the server begins at the slot's confirmed point if that is later).
 */
bool replication_start(struct replication *replication, const char *slot, const char *publication,
                       uint64_t lsn, struct error *error);
/* The next message, waiting up to wait_ms; *got = false when none came. The body is good until the
 * next call. ERROR_UNREACHABLE when the server ended the stream. */
bool replication_next(struct replication *replication, int64_t wait_ms,
                      struct replication_message *out, bool *got, struct error *error);
/* Tells the server what is durable; `ask`: a keepalive is wanted. */
bool replication_status(struct replication *replication, uint64_t flushed, bool ask,
                        struct error *error);

#endif

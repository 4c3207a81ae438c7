/* capture.h: native capture (design.md section 5a): changes of a Postgres database into delta files
 * of the shape that Debezium writes, by a replication connection (pgoutput, protocol 1).
 *
 *   first start   slot with an exported snapshot, every table of the publication copied as `r` rows
 *                 at that point, then the changes behind it
 *   later         from the slot's confirmed point; what is durable already is dropped by position
 *   killed while the snapshot was taken: slot dropped, taken anew (a reload for the reader)
 *   a table that joined the publication: a snapshot of its own, by a temporary slot
 *
 * A change is confirmed to the server only when its files and the record
 * {prefix}/_capture.json {system_id, slot, confirmed, tables} are durable. The capture stops, with
 * the remedy --reload, rather than lose changes: slot gone, lost or ahead of the record, another
 * server, publication made anew.
 */
#ifndef SURFBOARD_POSTGRES_CAPTURE_H
#define SURFBOARD_POSTGRES_CAPTURE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/base/error.h"

struct capture_options {
    const char *dsn, *user, *password; /* user and password: NULL as the dsn says */
    const char *slot;
    const char *publication;   /* must exist */
    const char *prefix;        /* of the topics */
    const char *deltas;        /* store URI */
    const char *const *tables; /* "schema.table" that must be published; NULL-ended, NULL: none */
    bool once;                 /* end when caught up with the server's position at the start */
    bool snapshot_only;        /* end when all tables have their snapshot */
    bool reload;               /* drop the slot and take a new snapshot */
    bool fast;                 /* no fsync: tests and benches */
    int64_t rotate_ms;         /* a line waits at most so long; 0: 1000 */
    uint64_t rotate_bytes;     /* publish when so much waits; 0: 16 MiB */
    int64_t reconnect_ms;      /* give up when the server stays away longer; 0: 60 000 */
    const atomic_bool *stop;   /* polled; NULL: never */
    /* Progress, as JSON objects with "event": start, snapshot, progress, waiting, note. Takes over
     * the reference. NULL: nobody listens. */
    void (*event)(void *context, json_t *event);
    void *context;
};

struct capture_summary {
    bool stopped;  /* by the stop flag */
    bool reloaded; /* a snapshot of all tables was taken */
    uint64_t snapshot_rows, snapshot_tables;
    uint64_t events; /* change records written, tombstones aside; snapshot rows not counted */
    uint64_t inserts, updates, deletes, key_changes, truncates, unavailable;
    uint64_t transactions;
    uint64_t repeats; /* sent again by the slot, durable already */
    uint64_t files, bytes;
    uint64_t confirmed; /* LSN */
    uint64_t reconnects;
};

/* Runs until caught up (once), stopped (true, summary->stopped) or failed. The summary is filled in
 * every case. Kinds: ERROR_INPUT with remedy --reload when changes would be lost; ERROR_CONFLICT
 * when the slot is in use or another capture writes the same topics; ERROR_NOT_FOUND for the
 * publication; ERROR_UNREACHABLE. */
bool capture_run(const struct capture_options *options, struct capture_summary *summary,
                 struct error *error);

/* {"event":"summary", ...}; NULL when out of memory. */
json_t *capture_summary_json(const struct capture_summary *summary, const struct error *failure);

#endif

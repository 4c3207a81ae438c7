/* maintain.h: keeps a table that is committed to every second from growing for ever: old snapshots,
 * old metadata files, and what crashed commits left. Bounded work in each call. */
#ifndef SURFBOARD_ICEBERG_MAINTAIN_H
#define SURFBOARD_ICEBERG_MAINTAIN_H

#include "core/iceberg/catalog.h"

struct iceberg_expiry {
    int64_t snapshot_age_ms; /* younger snapshots stay (default 1 h) */
    size_t min_snapshots;    /* the newest N of main's history stay (default 20) */
    int64_t delete_grace_ms; /* so long after a snapshot was superseded it stays readable (1 h) */
    size_t max_snapshots;    /* at most so many expired in one call; 0: 500 */
    bool dry_run;            /* counts only */
};

struct iceberg_maintained {
    size_t snapshots_expired;
    size_t files_deleted;    /* data and delete files */
    size_t metadata_deleted; /* manifests, lists, metadata files */
    int64_t bytes_deleted;
    size_t left; /* more work waits: so many snapshots or files */
};

/* Drops expired snapshots in a commit of their own, then deletes what only they reached. Refs,
 * their history as their retention asks, and gc.enabled=false are respected. Counts are added to
 * *done. */
bool iceberg_expire(struct catalog *catalog, struct catalog_ident ident,
                    const struct iceberg_expiry *options, struct iceberg_maintained *done,
                    struct error *error);

/* Files named <uuid>-surfboard-... (and metadata files of ours) that no snapshot, log or head
 * reaches and that are older than the grace: what commits that crashed or lost left. Files of other
 * writers are never touched, but superseded metadata files of a storage catalog are anybody's:
 * they go in ascending order, never those in the log or younger than 24 h. At most `limit` files in
 * one call (0: 10 000). */
bool iceberg_orphans(struct catalog *catalog, struct catalog_ident ident, int64_t grace_ms,
                     size_t limit, bool dry_run, struct iceberg_maintained *done,
                     struct error *error);

#endif

/* commit_parts.h: what the files of a commit's implementation share. Private to core/iceberg. */
#ifndef SURFBOARD_ICEBERG_COMMIT_PARTS_H
#define SURFBOARD_ICEBERG_COMMIT_PARTS_H

#include <pthread.h>

#include "core/base/random.h"
#include "core/iceberg/commit.h"

struct commit_files {
    struct iceberg_file *items;
    size_t count, capacity;
};

struct commit_pair {
    const char *key, *value; /* NULL value: remove */
};

struct commit_pairs {
    struct commit_pair *items;
    size_t count, capacity;
};

/* A manifest that takes the place of some of the base's: entries of removed files become DELETED,
 * the others EXISTING. Good as long as the base has all of its sources. */
struct commit_replacement {
    const char **sources; /* manifest paths */
    size_t source_count;
    size_t files_removed; /* by us, found in the sources */
    struct iceberg_manifest manifest;
};

struct iceberg_commit {
    const struct iceberg_table *base;
    struct iceberg_table newer; /* what `base` points to after a rebase; owned */
    char id[UUID_TEXT_SIZE];
    int64_t snapshot_id; /* of the snapshot, if it makes one */
    int64_t begun_ms;
    struct arena arena;
    pthread_mutex_t lock; /* for new_key() and uri(): arena, keys, next */
    const char **keys;    /* everything this commit may have written, below the table */
    size_t key_count, key_capacity;
    unsigned next, attempt;

    struct commit_files added, removed;
    struct commit_pairs properties, summary, guards;
    int64_t *dropped;
    size_t dropped_count, dropped_capacity;
    const char *operation; /* NULL: from the files */
    struct schema schema;  /* when has_schema */
    bool has_schema, force_snapshot, merge_manifests;

    /* made by prepare */
    struct iceberg_manifest *manifests; /* of the added files, written once */
    size_t manifest_count, manifest_capacity;
    bool manifests_written;
    struct commit_replacement *replacements;
    size_t replacement_count, replacement_capacity;
    size_t manifests_kept, manifests_replaced;
    const char *list_key; /* of this attempt */
    struct buffer metadata;
    int64_t updated_ms;    /* its last-updated-ms */
    const char *published; /* where it was (or may have been) put */
    enum iceberg_outcome outcome;
};

/* A key "metadata/<id>-surfboard-<format>", registered for discard. */
const char *commit_metadata_key(struct iceberg_commit *commit, struct error *error,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));
bool commit_makes_snapshot(const struct iceberg_commit *commit);
/* Removes one of our own files and forgets it; best effort. */
void commit_delete_own(struct iceberg_commit *commit, const char *key);
/* The key of a path below the table's store; NULL when it lies elsewhere. */
const char *commit_key_of(struct iceberg_commit *commit, const char *path, struct error *error);

/* Manifests and manifest list for the present base (commit_manifests.c). */
bool commit_write_manifests(struct iceberg_commit *commit, struct error *error);
/* The snapshot's summary object, new reference (commit_summary.c). */
json_t *commit_make_summary(const struct iceberg_commit *commit, struct error *error);
/* The new metadata into commit->metadata (commit_metadata.c). */
bool commit_make_metadata(struct iceberg_commit *commit, struct error *error);

#endif

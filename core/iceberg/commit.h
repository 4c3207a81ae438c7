/* commit.h: one change to one table, from its base metadata to new metadata.
 *
 *     commit = iceberg_commit_begin(table)
 *     iceberg_commit_new_key() -> write the file to table->store (STORE_FLUSH_LATER)
 *     iceberg_commit_add_file() / _remove_file() / _set_schema() / _set_property() / ...
 *     catalog_commit(catalog, &commit, 1, options)        see catalog.h; prepares and publishes
 *     iceberg_commit_destroy()
 *
 * A commit that adds or removes files makes a snapshot; one that only sets properties or a schema
 * does not. Files are written once: when the race for the pointer is lost, iceberg_commit_rebase()
 * checks that the change still makes sense on the new head, and only manifest list and metadata are
 * written again (sequence numbers are inherited).
 *
 * Every file of ours is named <commit id>-surfboard-...: the names are the journal by which
 * iceberg_orphans() (maintain.h) finds what a crashed commit left behind. The summary has
 * surfboard.commit-id; so has the table property of that name, which is how a lost reply is told
 * from a lost race. */
#ifndef SURFBOARD_ICEBERG_COMMIT_H
#define SURFBOARD_ICEBERG_COMMIT_H

#include "core/base/pool.h"
#include "core/iceberg/file.h"

#define ICEBERG_COMMIT_ID "surfboard.commit-id"

struct iceberg_commit;

/* The table is borrowed until the commit is destroyed. ERROR_UNSUPPORTED for format versions other
 * than 2, naming the remedy (v1: upgrade by Trino or Spark; v3: readable only). */
struct iceberg_commit *iceberg_commit_begin(const struct iceberg_table *table, struct error *error);
/* Frees; deletes nothing. */
void iceberg_commit_destroy(struct iceberg_commit *commit);
/* Deletes the files this commit has written and registered by new_key(), for a caller that gives
 * up. Never after ERROR_UNKNOWN: refused (does nothing) while the outcome is open, or after it was
 * won. Best effort: what can't be deleted stays for iceberg_orphans(). */
void iceberg_commit_discard(struct iceberg_commit *commit);

const char *iceberg_commit_id(const struct iceberg_commit *commit); /* uuid text */
/* The metadata the commit stands on now: the table given, or the one rebased on. */
const struct iceberg_table *iceberg_commit_base(const struct iceberg_commit *commit);

/* A fresh key for a file of this commit: "<folder>/<commit id>-surfboard-<n>.<suffix>" ("data",
 * "parquet"); valid as long as the commit. Thread-safe. The file is flushed with the commit. */
const char *iceberg_commit_new_key(struct iceberg_commit *commit, const char *folder,
                                   const char *suffix, struct error *error);
/* The full URI of a key, as iceberg_file.path wants it; valid as long as the commit. Thread-safe.
 */
const char *iceberg_commit_uri(struct iceberg_commit *commit, const char *key, struct error *error);

/* Adds a data or delete file (copied). The path must be full; status, snapshot and sequence numbers
 * are ignored: it is added now. */
bool iceberg_commit_add_file(struct iceberg_commit *commit, const struct iceberg_file *file,
                             struct error *error);
/* Adds a file that keeps an older data sequence number (compaction: deletes committed meanwhile
 * must still apply to it). */
bool iceberg_commit_add_file_at(struct iceberg_commit *commit, const struct iceberg_file *file,
                                int64_t sequence_number, struct error *error);
/* Removes a live file, as iceberg_snapshot_files() gave it (copied). */
bool iceberg_commit_remove_file(struct iceberg_commit *commit, const struct iceberg_file *file,
                                struct error *error);
/* Makes `schema` the current one (ids as in the base for kept columns; new columns with id <= 0 get
 * theirs here, to be read back from the returned schema, which lives as long as the commit). An
 * equal schema that the table had before is used again. NULL with the rules of
 * iceberg_schema_check_evolution(). */
const struct schema *iceberg_commit_set_schema(struct iceberg_commit *commit,
                                               const struct schema *schema, struct error *error);
/* NULL value: removes. A value may hold the words "${snapshot-id}", replaced by the id of the
 * commit's snapshot (or the current one when it makes none). */
bool iceberg_commit_set_property(struct iceberg_commit *commit, const char *key, const char *value,
                                 struct error *error);
/* A member of the snapshot summary. */
bool iceberg_commit_set_summary(struct iceberg_commit *commit, const char *key, const char *value,
                                struct error *error);
/* By default from the files: append, delete or overwrite. Compaction says "replace". */
bool iceberg_commit_set_operation(struct iceberg_commit *commit, const char *operation,
                                  struct error *error);
/* Makes a snapshot even without a file (Trino does so at creation). */
void iceberg_commit_force_snapshot(struct iceberg_commit *commit);
/* Rebasing fails with ERROR_CONFLICT unless the property is still what it was in the base: how two
 * merges on one table exclude each other ("surfboard.state"). */
bool iceberg_commit_guard_property(struct iceberg_commit *commit, const char *key,
                                   struct error *error);
/* Drops snapshots from the metadata (expiry); refused for those that a ref names. */
bool iceberg_commit_drop_snapshot(struct iceberg_commit *commit, int64_t snapshot_id,
                                  struct error *error);
/* Tries a compaction of manifests in this commit even below commit.manifest.min-count-to-merge. */
void iceberg_commit_merge_manifests(struct iceberg_commit *commit);

/* The id the snapshot has (or will have); -1 when the commit makes none. Known from begin on. */
int64_t iceberg_commit_snapshot_id(const struct iceberg_commit *commit);
/* Whether anything would change. */
bool iceberg_commit_is_empty(const struct iceberg_commit *commit);

/* ---- for catalogs ---- */

/* Writes manifests (once) and the manifest list (for each base), not yet flushed, and makes the new
 * metadata. */
bool iceberg_commit_prepare(struct iceberg_commit *commit, struct error *error);
/* The new metadata as JSON text; good until the next prepare or destroy. */
struct slice iceberg_commit_metadata(const struct iceberg_commit *commit);
/* One flush wave over every file of the commit and `extra` (may be NULL). */
bool iceberg_commit_flush(struct iceberg_commit *commit, const char *extra, struct pool *pool,
                          struct error *error);
/* Stands the commit on newer metadata of the same table (*newer is moved in, always consumed).
 * ERROR_CONFLICT, naming what collides, when: another uuid; removed files or data files that our
 * position deletes name are no longer live; new deletes apply to removed data files; the schema
 * changed under a schema change; a guarded property changed. */
bool iceberg_commit_rebase(struct iceberg_commit *commit, struct iceberg_table *newer,
                           struct error *error);
/* Whether `table` (a later load) holds this commit: its snapshot, its commit id, or its metadata
 * file in the log (a catalog's file by the commit id in its name; v<N> by `metadata_file`, the full
 * URI as published, its time and contents). `metadata_file` may be NULL. */
bool iceberg_commit_is_in(const struct iceberg_commit *commit, const struct iceberg_table *table,
                          const char *metadata_file);
/* What became of it; set by the catalog. */
enum iceberg_outcome {
    ICEBERG_OUTCOME_OPEN, /* not published */
    ICEBERG_OUTCOME_WON,
    ICEBERG_OUTCOME_LOST,   /* not published, the pointer moved: rebase or discard */
    ICEBERG_OUTCOME_UNKNOWN /* may be published: delete nothing */
};
void iceberg_commit_set_outcome(struct iceberg_commit *commit, enum iceberg_outcome outcome);
enum iceberg_outcome iceberg_commit_outcome(const struct iceberg_commit *commit);
/* Remembers the full URI of the metadata file, before it is put. */
bool iceberg_commit_set_published(struct iceberg_commit *commit, const char *metadata_file,
                                  struct error *error);
const char *iceberg_commit_published(const struct iceberg_commit *commit); /* NULL: not yet */

/* Metadata JSON text of a new, empty table (format version 2): fresh uuid, ids as in `schema`.
 * Appended to `out`. */
struct iceberg_property {
    const char *key, *value;
};
bool iceberg_table_make_metadata(const struct schema *schema, const char *location,
                                 const struct iceberg_property *properties, size_t property_count,
                                 struct buffer *out, struct error *error);

#endif

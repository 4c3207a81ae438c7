/* store.h: objects under keys, in a local folder or in a bucket of S3. One face for delta files,
 * data files, manifests and pointers.
 *
 * A key is a relative path with '/' between its parts ("metadata/v3.metadata.json"); no empty,
 * "." or ".." parts. Objects are whole: a reader sees all of one or nothing, never half. A store
 * does not change once it is open, so every function may be called from several threads at once.
 * Error messages name the full path; kinds: ERROR_NOT_FOUND, ERROR_EXISTS (put-if-absent lost),
 * ERROR_UNKNOWN (the object is visible but may not survive a power cut, or its writing was asked
 * for and no answer came: re-read, never delete), ERROR_IO with errno otherwise; from S3 the kinds
 * of s3.h.
 *
 * In a folder, what is being written is ".surfboard-<uuid>.tmp" beside the object, locked with
 * flock() while its writer lives. Such files never show in listings; store_sweep() removes those of
 * dead writers. In S3 it is a multipart upload, or only in memory.
 */
#ifndef SURFBOARD_STORE_STORE_H
#define SURFBOARD_STORE_STORE_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/pool.h"
#include "core/base/stream.h"

struct store;
struct store_writer;

struct store_options {
    bool durable; /* fsync what was written, and the folders that name it */
};

/* Opens "/abs", "relative", "file:/abs" or "file:///abs" (taken literally: no %-decoding, as all
 * Iceberg writers do), or "s3://bucket/path" (s3.h says at which end point, by which keys; "s3a:"
 * and "s3n:" are the same). Nothing is created yet: folders come with the first object, a bucket
 * must be there; nothing is asked of S3 yet either. NULL options: durable. ERROR_UNSUPPORTED for
 * other schemes. */
struct store *store_open(const char *uri, const struct store_options *options, struct error *error);
void store_close(struct store *store);
/* The absolute path, without a slash at the end ("/" itself aside); of S3, the URI. */
const char *store_root(const struct store *store);
/* "file:///abs" or "s3://bucket/path": the form that is written into table metadata. */
const char *store_uri(const struct store *store);
bool store_is_durable(const struct store *store);
/* Whether it is a folder of this machine. */
bool store_is_local(const struct store *store);
/* The root itself: the folder, or the bucket that the place is in. Making what is there is fine;
 * removing takes an empty one only, else *removed is false. */
bool store_root_exists(struct store *store, bool *exists, struct error *error);
bool store_root_make(struct store *store, struct error *error);
bool store_root_remove(struct store *store, bool *removed, struct error *error);
/* The key of a full URI or absolute path below this store, a view into `uri`; false when it lies
 * elsewhere. "file:/a", "file:///a" and "/a" are the same place. */
bool store_key(const struct store *store, const char *uri, const char **key);

/* Appends the whole object. */
bool store_read(struct store *store, const char *key, struct buffer *out, struct error *error);
/* read() never faults when the file shrinks (ERROR_INPUT); map() is for immutable objects. */
bool store_source_open(struct store *store, const char *key, struct source *out,
                       struct error *error);
void store_source_close(struct source *source); /* a zeroed source is fine */

/* Creates or replaces. */
bool store_put(struct store *store, const char *key, struct slice body, struct error *error);
/* Creates; false with ERROR_EXISTS when the key is taken. An I/O error behind a link that did
 * happen is a success. Durable when it returns (if the store is). */
bool store_put_if_absent(struct store *store, const char *key, struct slice body,
                         struct error *error);

enum store_flush {
    STORE_FLUSH_NOW,  /* durable when commit returns */
    STORE_FLUSH_LATER /* the caller passes the key to store_sync() before anything refers to it */
};

/* A new object of any size. It appears under its key at commit, which loses with ERROR_EXISTS when
 * the key is taken. Commit and abort both free the writer; abort leaves nothing behind. */
struct store_writer *store_writer_open(struct store *store, const char *key, struct error *error);
struct sink *store_writer_sink(struct store_writer *writer);
bool store_writer_commit(struct store_writer *writer, enum store_flush flush, struct error *error);
void store_writer_abort(struct store_writer *writer); /* NULL is fine */

/* One flush wave: the files in parallel on the pool (NULL: here), then each folder on the way to
 * them once. Nothing to do on a store that is not durable. */
bool store_sync(struct store *store, const char *const *keys, size_t count, struct pool *pool,
                struct error *error);

struct store_entry {
    const char *key;
    uint64_t size;
    int64_t modified_ms;
};

struct store_listing {
    struct store_entry *entries;
    size_t count;
    struct arena arena; /* owns the keys */
};

/* All objects whose key begins with `prefix` ("" for all), at any depth, sorted by the bytes of
 * their keys. A prefix without objects is an empty listing; a root that is absent is
 * ERROR_NOT_FOUND; a folder that can't be read is an error, never a short listing. */
bool store_list(struct store *store, const char *prefix, struct store_listing *out,
                struct error *error);
void store_listing_destroy(struct store_listing *listing);
/* Whether there is a folder of that name ("" the root itself); in S3: any object below it. */
bool store_has_folder(struct store *store, const char *key, bool *there, struct error *error);

bool store_stat(struct store *store, const char *key, uint64_t *size, int64_t *modified_ms,
                struct error *error);
bool store_exists(struct store *store, const char *key, bool *exists, struct error *error);
/* An absent object is fine. */
bool store_delete(struct store *store, const char *key, struct error *error);
/* Many: of S3, a thousand with one request. After an error some are gone and some are not. */
bool store_delete_many(struct store *store, const char *const *keys, size_t count,
                       struct error *error);
/* Removes what killed writers left below the folder `prefix` ("" or "data/"); in S3:
 * uploads begun more than a day ago. */
bool store_sweep(struct store *store, const char *prefix, size_t *removed, struct error *error);

#endif

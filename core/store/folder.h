/* folder.h: what the files of store/ share about a folder store. Not for others. */
#ifndef SURFBOARD_STORE_FOLDER_H
#define SURFBOARD_STORE_FOLDER_H

#include <sys/stat.h>

#include "core/store/store_ops.h"

#define STORE_TEMPORARY_PREFIX ".surfboard-"
#define STORE_TEMPORARY_SUFFIX ".tmp"

extern const struct store_ops folder_ops;

struct store *folder_open(const char *uri, const struct store_options *options,
                          struct error *error);
struct store_writer *folder_writer_open(struct store *store, const char *key, struct error *error);
bool folder_writer_commit(struct store_writer *writer, enum store_flush flush, struct error *error);
void folder_writer_abort(struct store_writer *writer);
bool folder_put(struct store *store, const char *key, struct slice body, bool if_absent,
                struct error *error);
bool folder_sync(struct store *store, const char *const *keys, size_t count, struct pool *pool,
                 struct error *error);
bool folder_list(struct store *store, const char *prefix, struct store_listing *out,
                 struct error *error);
bool folder_sweep(struct store *store, const char *prefix, size_t *removed, struct error *error);

/* The full path of a key in fresh memory; NULL with ERROR_INTERNAL when the key is malformed. */
char *store_path(const struct store *store, const char *key, struct error *error);
/* The part of a path before its last slash, in fresh memory. */
char *store_path_folder(const char *path, struct error *error);
/* mkdir -p; in a durable store each folder made is synced into its parent at once. */
bool store_make_folders(const struct store *store, const char *folder, struct error *error);
bool store_name_is_temporary(const char *name);

#endif

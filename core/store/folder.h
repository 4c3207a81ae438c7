/* folder.h: what the files of store/ share about a folder store. Not for others. */
#ifndef SURFBOARD_STORE_FOLDER_H
#define SURFBOARD_STORE_FOLDER_H

#include <sys/stat.h>

#include "core/store/store.h"

#define STORE_TEMPORARY_PREFIX ".surfboard-"
#define STORE_TEMPORARY_SUFFIX ".tmp"

struct store {
    char *root; /* absolute, no slash at the end unless it is "/" */
    char *uri;
    bool durable;
};

/* The full path of a key in fresh memory; NULL with ERROR_INTERNAL when the key is malformed. */
char *store_path(const struct store *store, const char *key, struct error *error);
/* The part of a path before its last slash, in fresh memory. */
char *store_path_folder(const char *path, struct error *error);
/* mkdir -p; in a durable store each folder made is synced into its parent at once. */
bool store_make_folders(const struct store *store, const char *folder, struct error *error);
bool store_name_is_temporary(const char *name);

#endif

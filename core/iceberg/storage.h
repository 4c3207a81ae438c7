/* storage.h: the newest metadata file of a table folder (spec, "File System Tables"). Private to
 * core/iceberg. */
#ifndef SURFBOARD_ICEBERG_STORAGE_H
#define SURFBOARD_ICEBERG_STORAGE_H

#include "core/store/store.h"

enum { STORAGE_NAME_SIZE = 256 };

struct storage_head {
    int64_t version; /* -1: no table there */
    bool versioned;  /* named v<N>; else <digits>-<uuid>, a catalog's table: for reading only */
    char key[STORAGE_NAME_SIZE];
};

/* By version-hint.text and probing upwards from it; without a good hint by listing. Two catalog
 * files of the highest number are ERROR_CONFLICT. */
bool storage_find_head(struct store *store, struct storage_head *out, struct error *error);
/* By listing alone: what a writer that may have been stalled asks. */
bool storage_list_head(struct store *store, struct storage_head *out, struct error *error);
/* The number in version-hint.text; -1 when absent or unreadable: it is only a hint. */
int64_t storage_read_hint(struct store *store);
/* "metadata/v<N>.metadata.json" */
void storage_version_key(int64_t version, char out[STORAGE_NAME_SIZE]);
/* The version of "v<N>.metadata.json" and its compressed forms; -1 for other names. */
int64_t storage_name_version(const char *name);
/* The number of "<digits>-<uuid>.metadata.json" and its compressed forms; -1 for other names. */
int64_t storage_name_number(const char *name);

#endif

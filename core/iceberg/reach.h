/* reach.h: which files below a table its snapshots need. Private to core/iceberg. */
#ifndef SURFBOARD_ICEBERG_REACH_H
#define SURFBOARD_ICEBERG_REACH_H

#include "core/base/map.h"
#include "core/iceberg/file.h"

struct reach_file {
    const char *key; /* below the table */
    int64_t size;    /* -1 not known */
    bool metadata;   /* manifest or manifest list */
};

/* A set of files by key, whatever form their URIs have. Files elsewhere are never in it. */
struct reach {
    struct map files;     /* key -> struct reach_file */
    struct map manifests; /* path -> struct iceberg_manifest, those seen */
    struct arena arena;
};

void reach_destroy(struct reach *reach);
bool reach_add(struct reach *reach, const struct iceberg_table *table, const char *path,
               int64_t size, bool metadata, struct error *error);
bool reach_has(const struct reach *reach, const char *key);
/* The snapshot's manifest list and manifests; not yet the files that these name. `known` (may be
 * NULL): manifests to leave out. */
bool reach_add_lists(struct reach *reach, const struct iceberg_table *table,
                     const struct iceberg_snapshot *snapshot, const struct reach *known,
                     struct error *error);
/* The files that the manifests seen name: live ones, or with `gone` those marked DELETED too. */
bool reach_add_files(struct reach *reach, const struct iceberg_table *table, bool gone,
                     struct error *error);

#endif

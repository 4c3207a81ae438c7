/* model.h: a DataSurface model from its bundle (format surfboard-model, version 1): who produces
 * which datasets, who wants them, which platform serves whom. Loaded in one pass, held in an arena.
 * References stay names, as in the bundle; lookups go through the indexes below. Duplicates,
 * dangling names and unknown kinds never refuse a bundle: they are warnings. */
#ifndef SURFBOARD_MODEL_MODEL_H
#define SURFBOARD_MODEL_MODEL_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/map.h"

enum { MODEL_FORMAT = 1 };

enum model_priority {
    PRIORITY_NONE = -1, /* nobody needs it */
    PRIORITY_UNKNOWN,
    PRIORITY_LOW,
    PRIORITY_MEDIUM,
    PRIORITY_HIGH,
    PRIORITY_CRITICAL
};

struct model_container {
    const char *type; /* "PostgresDatabase"; NULL: no container */
    const char *name, *database, *host;
    int64_t port; /* 0: none */
};

struct model_dataset {
    const char *name;
    const char *table; /* tableForDataset or topicForDataset; else the dataset's name */
    size_t column_count;
};

struct model_store {
    const char *name, *zone, *team;
    const char *kind;      /* cmd's _type: "CDCCaptureIngestion"; NULL: no capture */
    const char *workspace; /* DataTransformerOutput: who fills it; else NULL */
    bool single;           /* one stream for each dataset */
    bool loaded;           /* false: only its name is in the bundle */
    struct model_container container;
    const char *credential, *trigger, *cron; /* NULL when absent */
    struct model_dataset *datasets;
    size_t dataset_count;
};

struct model_sink {
    const char *store, *dataset;
};

struct model_group {
    const char *name;
    const char *latency;     /* SECONDS, MINUTES, HOURS, DAYS; NULL */
    const char *milestoning; /* LIVE_ONLY, FORENSIC, LIVE_WITH_FORENSIC_HISTORY; NULL */
    struct model_sink *sinks;
    size_t sink_count;
};

struct model_workspace {
    const char *name, *zone, *team;
    enum model_priority priority;
    struct model_container container;
    const char *output_store; /* of its transformer; NULL: none */
    struct model_group *groups;
    size_t group_count;
};

struct model_platform {
    const char *name, *type;
    const char *strategy; /* live_only, batch_milestoned; NULL */
};

struct model_assignment {
    const char *workspace, *group, *platform, *status;
};

struct model_primary { /* a store that only these platforms read from its source */
    const char *store;
    const char **platforms;
    size_t platform_count;
};

struct model {
    const char *path, *name; /* of the file; of the ecosystem */
    struct model_platform *platforms;
    size_t platform_count;
    struct model_store *stores; /* in document order, duplicates included */
    size_t store_count;
    struct model_workspace *workspaces;
    size_t workspace_count;
    struct model_assignment *assignments;
    size_t assignment_count;
    struct model_primary *primaries;
    size_t primary_count;
    const char **warnings;
    size_t warning_count;
    struct map store_index, workspace_index, platform_index; /* the first of a name */
    struct arena arena;
};

/* Reads the bundle, and beside it dsg_platform_mapping.json and primary_ingestion_platforms.json
 * where they lie: they then take the place of the bundle's own lists. */
bool model_load(const char *path, struct model *out, struct error *error);
/* The bundle alone, from memory; `path` names it in messages. */
bool model_parse(struct slice text, const char *path, struct model *out, struct error *error);
void model_destroy(struct model *model);

const struct model_store *model_store(const struct model *model, const char *name);
const struct model_workspace *model_workspace(const struct model *model, const char *name);
const struct model_platform *model_platform(const struct model *model, const char *name);
const struct model_group *model_group(const struct model_workspace *workspace, const char *name);
/* NULL: every platform may read it from its source. */
const struct model_primary *model_primary(const struct model *model, const char *store);

const char *model_priority_name(enum model_priority priority); /* NULL for PRIORITY_NONE */
/* The goal behind a latency word in milliseconds (screen.md); 0 when there is none. */
int64_t model_latency_ms(const char *latency);

#endif

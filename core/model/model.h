/* model.h: a DataSurface model from its bundle (format surfboard-model, version 1): who produces
 * which datasets, who wants them, which platform serves whom. Loaded in one pass, held in an arena.
 *
 * References stay names, as in the bundle; lookups go through the indexes below. Duplicates,
 * dangling names and unknown kinds never refuse a bundle: they are warnings. A text that the bundle
 * lacks is NULL. What one asks of a model beyond its contents has headers of its own: object.h
 * (paths), consumer.h (who depends on it, how fresh they want it), carrier.h (which stream brings
 * it), graph.h, lint.h. */
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

/* What every object may say of itself. */
struct model_about {
    const char *doc;         /* its documentation, as a person wrote it */
    const char *production;  /* "PRODUCTION", "NOT_PRODUCTION" */
    const char *deprecation; /* why; "" when it is deprecated without a reason; else NULL */
};

struct model_repository {
    const char *name, *branch; /* "owner/name"; who may change the object */
};

struct model_container {
    const char *type; /* "PostgresDatabase"; NULL: no container */
    const char *name, *database, *host;
    int64_t port; /* 0: none */
};

struct model_column {
    const char *name;
    const char *type;  /* as a person reads it: "varchar(20)", "decimal(12,2)", "array<date>" */
    const char *class; /* its classification: "PC3 ssn, CPI" */
    const char *doc;
    bool nullable;
    uint32_t key; /* its place in the primary key, from 1; 0: not part of it */
};

struct model_dataset {
    const char *name;
    const char *table; /* tableForDataset or topicForDataset; else the dataset's name */
    struct model_about about;
    const char *schema;           /* "DDLTable", "AvroSchema"; NULL: none */
    const char *class;            /* of the whole dataset: it then stands for all columns */
    struct model_column *columns; /* of an Avro schema its fields */
    size_t column_count;
};

struct model_store {
    const char *name, *zone, *team;
    struct model_about about;
    const char *kind;      /* cmd's _type: "CDCCaptureIngestion"; NULL: no capture */
    const char *workspace; /* DataTransformerOutput: who fills it; else NULL */
    bool single;           /* one stream for each dataset */
    bool loaded;           /* false: only its name is in the bundle */
    bool approval;         /* who reads it needs an approval */
    struct model_container container;
    const char *credential, *trigger, *cron;
    const char *watermark; /* the column that tells what is new */
    struct model_dataset *datasets;
    size_t dataset_count;
};

struct model_sink {
    const char *store, *dataset;
    bool deprecated; /* a deprecated dataset is fine */
};

struct model_assignment {
    const char *workspace, *group, *platform, *status;
    const struct model_assignment *next; /* of the same group */
};

struct model_group {
    const char *name;
    struct model_about about;
    const char *latency;     /* SECONDS, MINUTES, HOURS, DAYS */
    const char *milestoning; /* LIVE_ONLY, FORENSIC, LIVE_WITH_FORENSIC_HISTORY */
    int64_t retention_s;     /* how long at least the data is kept; -1: nothing said */
    const char *regulator;
    const char *chooser;                     /* platformMD's _type: how its platform is chosen */
    const char *fixed;                       /* the platform that it names itself */
    const struct model_assignment *assigned; /* the first; NULL: no platform serves it */
    struct model_sink *sinks;
    size_t sink_count;
};

struct model_transformer {
    const char *name; /* NULL: the workspace has none */
    struct model_about about;
    const char *code;               /* "PythonRepoCodeArtifact" */
    struct model_repository source; /* of its code */
    const char *version;            /* of its code */
    const char *trigger, *cron;
};

struct model_workspace {
    const char *name, *zone, *team;
    struct model_about about;
    bool loaded; /* false: only its name is in the bundle */
    enum model_priority priority;
    struct model_container container;
    struct model_transformer transformer;
    const char *output_store; /* of its transformer; NULL: none */
    struct model_group *groups;
    size_t group_count;
};

struct model_team {
    const char *name, *zone; /* a team's name is unique within its zone only */
    struct model_about about;
    struct model_repository owner;
    const struct model_store **stores; /* in document order, duplicates included */
    size_t store_count;
    const struct model_workspace **workspaces;
    size_t workspace_count;
};

struct model_zone {
    const char *name;
    struct model_about about;
    struct model_repository owner;
    const struct model_team **teams;
    size_t team_count;
};

struct model_platform {
    const char *name, *type;
    struct model_about about;
    const char *provider; /* of its platform services */
    const char *strategy; /* live_only, batch_milestoned; NULL */
};

struct model_primary { /* a store that only these platforms read from its source */
    const char *store;
    const char **platforms;
    size_t platform_count;
};

struct model_warning {
    const char *path; /* of the object it is about, as in object.h; "": the model */
    const char *text;
};

struct model {
    const char *path, *name; /* of the file; of the ecosystem */
    struct model_about about;
    struct model_repository owner, live;
    struct model_zone *zones;
    size_t zone_count;
    struct model_team *teams;
    size_t team_count;
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
    struct model_warning *warnings;
    size_t warning_count;
    struct map zone_index, store_index, workspace_index, platform_index; /* the first of a name */
    struct map primary_index;
    struct arena arena;
};

/* Reads the bundle, and beside it dsg_platform_mapping.json and primary_ingestion_platforms.json
 * where they lie: they then take the place of the bundle's own lists. */
bool model_load(const char *path, struct model *out, struct error *error);
/* The bundle alone, from memory; `path` names it in messages. */
bool model_parse(struct slice text, const char *path, struct model *out, struct error *error);
void model_destroy(struct model *model);

const struct model_zone *model_zone(const struct model *model, const char *name);
const struct model_store *model_store(const struct model *model, const char *name);
const struct model_workspace *model_workspace(const struct model *model, const char *name);
const struct model_platform *model_platform(const struct model *model, const char *name);
const struct model_team *model_team(const struct model_zone *zone, const char *name);
const struct model_dataset *model_dataset(const struct model_store *store, const char *name);
const struct model_group *model_group(const struct model_workspace *workspace, const char *name);
/* NULL: every platform may read it from its source. */
const struct model_primary *model_primary(const struct model *model, const char *store);
/* Whether the platform reads the store from its source. */
bool model_is_primary(const struct model *model, const char *store, const char *platform);
/* Whether an assignment asks for anything: one that is DECOMMISSIONED does not. */
bool model_assignment_counts(const struct model_assignment *assignment);

const char *model_priority_name(enum model_priority priority); /* NULL for PRIORITY_NONE */
/* The goal behind a latency word in milliseconds (screen.md); 0 when there is none. */
int64_t model_latency_ms(const char *latency);

#endif

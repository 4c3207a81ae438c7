/* graph.h: the intention graph of a platform: which data has to flow where, derived from who asks
 * for what (datasurface-model, "Intention graph"). Ingestion nodes are the streams. */
#ifndef SURFBOARD_MODEL_GRAPH_H
#define SURFBOARD_MODEL_GRAPH_H

#include "core/model/model.h"

enum graph_kind {
    GRAPH_INGESTION_MULTI,  /* all datasets of a store */
    GRAPH_INGESTION_SINGLE, /* one dataset */
    GRAPH_EXPORT,           /* a dataset into a consumer's container */
    GRAPH_TRIGGER,          /* joins the inputs of a transformer */
    GRAPH_TRANSFORMER
};

struct graph_node {
    enum graph_kind kind;
    const char *key;       /* "IngestionMultiNode/Ingest/<platform>/<store>" */
    const char *store;     /* ingestion, export; else NULL */
    const char *dataset;   /* single ingestion, export */
    const char *container; /* export */
    const char *workspace; /* trigger, transformer */
    enum model_priority priority;
    size_t *right; /* indexes of the nodes that it feeds, ascending */
    size_t right_count;
};

struct graph {
    const char *platform;
    struct graph_node *nodes; /* sorted by key */
    size_t node_count, edge_count;
    struct map index; /* key -> node */
    struct arena arena;
};

/* A mapping whose status is DECOMMISSIONED asks for nothing, unless `decommissioned` is set
 * (DataSurface itself takes it along). Names that lead nowhere make no nodes. */
bool graph_build(const struct model *model, const char *platform, bool decommissioned,
                 struct graph *out, struct error *error);
void graph_destroy(struct graph *graph);

/* Platforms that have a graph: known ones that some group is mapped to, sorted; `names` lies in the
 * arena. */
bool graph_platforms(const struct model *model, bool decommissioned, struct arena *arena,
                     const char ***names, size_t *count, struct error *error);

const char *graph_kind_name(enum graph_kind kind); /* "IngestionMultiNode", … */

#endif

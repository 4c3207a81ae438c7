/* consumer.h: who depends on a dataset, and how fresh they want it. A workspace depends on what its
 * groups read, and through a transformer on everything that the transformer reads: who reads its
 * output store depends on its inputs (bundle-format.md, section 8, "dependents"). */
#ifndef SURFBOARD_MODEL_CONSUMER_H
#define SURFBOARD_MODEL_CONSUMER_H

#include "core/model/model.h"

struct consumer {
    const struct model_workspace *workspace;
    const struct model_group *group;
    const struct model_sink
        *sink;     /* what the group reads: the dataset, or a transformer's output */
    unsigned hops; /* 0: reads it itself; n: n transformers lie between */
    const struct model_workspace *through; /* the last transformer's workspace; NULL with 0 hops */
};

/* All sinks of a model by the store that they read; made once, asked often. The model stays. */
struct consumer_index {
    const struct model *model;
    struct map stores; /* name -> consumer_entry */
    struct arena arena;
};

bool consumer_index_build(const struct model *model, struct consumer_index *out,
                          struct error *error);
void consumer_index_destroy(struct consumer_index *index);

/* Those of a dataset, or with NULL of the whole store: nearest first, then in document order; a
 * group once for each sink. The list lies in the arena. */
bool consumer_find(const struct consumer_index *index, const char *store, const char *dataset,
                   struct arena *arena, struct consumer **out, size_t *count, struct error *error);
/* How many workspaces and transformers are among them. */
void consumer_count(const struct consumer *consumers, size_t count, size_t *workspaces,
                    size_t *transformers);

/* The tightest latency that a group asks for which reads it itself and which an assignment that
 * counts maps to the platform (NULL: to any). *out is zero when none asks. */
struct consumer_goal {
    int64_t ms; /* 0: nobody says */
    const struct model_workspace *workspace;
    const struct model_group *group;
};
void consumer_find_goal(const struct consumer_index *index, const char *store, const char *dataset,
                        const char *platform, struct consumer_goal *out);

#endif

/* carrier.h: which stream of which platform brings a dataset. The streams are the ingestion nodes
 * of the platforms' intention graphs: a store's datasets move together, or each by itself. */
#ifndef SURFBOARD_MODEL_CARRIER_H
#define SURFBOARD_MODEL_CARRIER_H

#include "core/model/model.h"

struct carrier {
    const char *platform;
    const char *stream; /* "orders", or "orders#lines" */
    enum model_priority priority;
    bool primary; /* false: the platform gets it from another one, not from its source */
};

/* Of all platforms that have a graph. The model stays. */
struct carrier_index {
    struct map streams; /* name -> carrier_entry */
    struct arena arena;
};

bool carrier_index_build(const struct model *model, struct carrier_index *out, struct error *error);
void carrier_index_destroy(struct carrier_index *index);

/* The carriers of a dataset, or with NULL of any dataset of the store, by platform's and then
 * stream's name; none when no platform moves it. The list lies in the arena. */
bool carrier_find(const struct carrier_index *index, const struct model_store *store,
                  const char *dataset, struct arena *arena, struct carrier **out, size_t *count,
                  struct error *error);

#endif

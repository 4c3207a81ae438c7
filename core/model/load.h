/* load.h: what the loader's files share. Private to core/model. */
#ifndef SURFBOARD_MODEL_LOAD_H
#define SURFBOARD_MODEL_LOAD_H

#include "core/model/model.h"
#include "core/model/reader.h"

struct load {
    struct reader *reader;
    struct model *model;
    const char *zone, *team;     /* where we are */
    struct model_store *outputs; /* written out within transformers: the team's own ones count */
    size_t output_count, output_capacity;
    /* Lists grow in ordinary memory and move to the arena when they are whole. */
    size_t platform_capacity, store_capacity, workspace_capacity, assignment_capacity,
        primary_capacity, warning_capacity;
};

bool load_warn(struct load *load, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Room for one more, doubled within the arena; keeps what is there. */
bool load_grow(struct load *load, void *pointer, size_t count, size_t *capacity, size_t size,
               struct error *error);
bool load_text(struct load *load, const char **out, struct error *error);
/* For a map entry: its name is the key, and a differing `name` inside is a warning. */
bool load_check_name(struct load *load, const char *what, const char *key, const char *name,
                     struct error *error);

bool load_store(struct load *load, const char *key, struct model_store *out, struct error *error);
bool load_add_store(struct load *load, const struct model_store *store, struct error *error);
bool load_workspace(struct load *load, const char *key, struct error *error);
bool load_container(struct load *load, struct model_container *out, struct error *error);
bool load_mappings(struct load *load, struct error *error);
bool load_primaries(struct load *load, struct error *error);

#endif

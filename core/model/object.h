/* object.h: one thing of a model, the path that names it, and the tree that they make.
 *
 *     USA                              a zone
 *     USA/team1                        a team
 *     USA/team1/Store1                 a store, or a workspace when no store of the team has the
 * name USA/team1/Store1/customers/dob   a dataset, a column USA/team1/Consumer1/LiveDSG      a
 * group of a workspace USA/team1/workspaces/Store1      the workspace beside a store of that name
 * (and stores/Store1) platforms/YellowLive             a platform
 *     "" or "/"                        the model
 *
 * Shorter, as one says it: Store1, Store1#customers, Store1#customers.dob, Consumer1#LiveDSG,
 * team1, YellowLive. A name alone is looked for among zones, stores, workspaces, platforms and
 * teams, in this order. Names with '/', '#' or '.' in them are found by the tree only. */
#ifndef SURFBOARD_MODEL_OBJECT_H
#define SURFBOARD_MODEL_OBJECT_H

#include "core/base/buffer.h"
#include "core/model/model.h"

enum model_object_kind {
    OBJECT_MODEL,
    OBJECT_ZONE,
    OBJECT_TEAM,
    OBJECT_STORE,
    OBJECT_DATASET,
    OBJECT_COLUMN,
    OBJECT_WORKSPACE,
    OBJECT_GROUP,
    OBJECT_PLATFORM
};

/* What lies above it is filled in too: a column has its dataset, store, team and zone. */
struct model_object {
    enum model_object_kind kind;
    const struct model_zone *zone;
    const struct model_team *team;
    const struct model_store *store;
    const struct model_dataset *dataset;
    const struct model_column *column;
    const struct model_workspace *workspace;
    const struct model_group *group;
    const struct model_platform *platform;
};

const char *model_object_kind_name(enum model_object_kind kind); /* "store", "dataset group", … */
const char *object_name(const struct model *model, const struct model_object *object);
const struct model_about *object_about(const struct model *model,
                                       const struct model_object *object);
/* Its path in full, appended. */
bool object_path(const struct model_object *object, struct buffer *out, struct error *error);

struct model_object object_of_store(const struct model *model, const struct model_store *store);
struct model_object object_of_workspace(const struct model *model,
                                        const struct model_workspace *workspace);

/* ERROR_NOT_FOUND names the nearest name there is. */
bool object_find(const struct model *model, const char *path, struct model_object *out,
                 struct error *error);

/* ---- the tree: zones, then platforms; a team's stores, then its workspaces ---- */

size_t object_child_count(const struct model *model, const struct model_object *object);
/* The one at `index`, less than the count. */
struct model_object object_child(const struct model *model, const struct model_object *object,
                                 size_t index);

/* ---- search ---- */

struct object_hit {
    struct model_object object;
    const char *where; /* what holds the word: "name", "documentation", "type", "class", "table" */
};

/* Objects that hold the word in name, documentation, a column's type or class, a dataset's table;
 * without regard to the case of ASCII letters. Whole names first, then names, then the rest; within
 * these in the tree's order. *total counts all, `most` are kept. The list lies in the arena. */
bool object_search(const struct model *model, const char *word, size_t most, struct arena *arena,
                   struct object_hit **hits, size_t *count, size_t *total, struct error *error);

#endif

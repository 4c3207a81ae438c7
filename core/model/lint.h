/* lint.h: what is wrong with a model as far as its names tell: dangling references, groups that no
 * platform serves, and what the loader warned about. Each problem has the path of its object
 * (object.h), so that the tree can show it where it belongs. */
#ifndef SURFBOARD_MODEL_LINT_H
#define SURFBOARD_MODEL_LINT_H

#include "core/model/model.h"

enum lint_severity { LINT_INFO, LINT_WARNING, LINT_ERROR };

struct lint_problem {
    enum lint_severity severity;
    const char *kind; /* "sink-unknown-dataset" */
    const char *path; /* "USA/team1/Consumer1/LiveDSG"; "": the model as a whole */
    const char *message, *remedy;
};

struct lint {
    struct lint_problem *problems; /* by path, the worst first */
    size_t count, errors, warnings;
    struct arena arena;
};

bool lint_find(const struct model *model, struct lint *out, struct error *error);
void lint_destroy(struct lint *lint);

const char *lint_severity_name(enum lint_severity severity); /* "error", … */
/* The problems of an object and of all that lies below it: problems[*first] and on. */
size_t lint_below(const struct lint *lint, const char *path, size_t *first);

/* Whether data flows to the group: a known platform is mapped to it, or its workspace's transformer
 * fills what a group reads to which data flows. One flag for each group, workspace after workspace,
 * in the arena. */
bool lint_served(const struct model *model, struct arena *arena, bool **served,
                 struct error *error);

#endif

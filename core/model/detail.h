/* detail.h: what a person wants to know of one object, as labelled lines: the detail pane and
 * `model show` print the same. A dataset's columns are not among them: they are a table (model.h).
 */
#ifndef SURFBOARD_MODEL_DETAIL_H
#define SURFBOARD_MODEL_DETAIL_H

#include "core/model/survey.h"

enum detail_mark { DETAIL_PLAIN, DETAIL_WARN, DETAIL_FAIL };

struct detail_line {
    const char *label; /* "Goal"; "" goes on with the one above */
    const char *text;
    enum detail_mark mark;
    const char *path; /* of another object that the line speaks of; NULL */
};

struct detail {
    struct detail_line *lines;
    size_t count;
    struct arena arena;
};

bool detail_build(const struct survey *survey, const struct model_object *object,
                  struct detail *out, struct error *error);
void detail_destroy(struct detail *detail);

#endif

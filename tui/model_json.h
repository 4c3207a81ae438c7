/* model_json.h: objects of a model as JSON, for `model show` and `model search`. */
#ifndef SURFBOARD_TUI_MODEL_JSON_H
#define SURFBOARD_TUI_MODEL_JSON_H

#include <jansson.h>

#include "core/model/survey.h"

/* What the model says of the object, who depends on it, what is wrong below it, and the paths of
 * what it holds. NULL when out of memory. */
json_t *model_json_object(const struct survey *survey, const struct model_object *object);
/* {"path", "kind", "name"} */
json_t *model_json_name(const struct model *model, const struct model_object *object);

#endif

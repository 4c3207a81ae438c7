#include "core/model/survey.h"

bool survey_build(const struct model *model, struct survey *out, struct error *error)
{
    *out = (struct survey){.model = model};
    bool ok = consumer_index_build(model, &out->consumers, error) &&
              carrier_index_build(model, &out->carriers, error) &&
              lint_find(model, &out->lint, error);
    if (!ok)
        survey_destroy(out);
    return ok;
}

void survey_destroy(struct survey *survey)
{
    consumer_index_destroy(&survey->consumers);
    carrier_index_destroy(&survey->carriers);
    lint_destroy(&survey->lint);
    *survey = (struct survey){0};
}

#include "core/query/engine.h"

bool result_next(struct result *result, const struct batch **out, struct error *error)
{
    return result->engine->next_batch(result, out, error);
}

void result_cancel(struct result *result)
{
    result->engine->cancel(result);
}

void result_close(struct result *result)
{
    if (result)
        result->engine->close(result);
}

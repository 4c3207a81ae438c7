#include "core/query/engine.h"

#include <stdlib.h>

#include "core/base/memory.h"

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

/* ---- one row ---- */

struct count_result {
    struct result base;
    struct field field;
    struct schema schema;
    struct batch batch;
    bool handed_out;
};

static bool count_next(struct result *result, const struct batch **out, struct error *error)
{
    (void)error;
    struct count_result *own = (struct count_result *)result;
    *out = own->handed_out ? NULL : &own->batch;
    own->handed_out = true;
    return true;
}

static void count_cancel(struct result *result)
{
    (void)result; /* nothing runs */
}

static void count_close(struct result *result)
{
    batch_destroy(&((struct count_result *)result)->batch);
    free(result);
}

static const struct sql_engine count_engine = {
    .name = "count", .next_batch = count_next, .cancel = count_cancel, .close = count_close};

struct result *result_from_count(int64_t count, struct error *error)
{
    struct count_result *own = memory_zero(1, sizeof *own, error);
    if (own == NULL)
        return NULL;
    own->field =
        (struct field){.id = 1, .required = true, .name = "count", .type = {.kind = TYPE_LONG}};
    own->schema = (struct schema){.fields = &own->field, .field_count = 1};
    own->base = (struct result){&count_engine, &own->schema};
    if (!batch_init(&own->batch, &own->schema, error) ||
        !column_append_bytes(&own->batch.columns[0], slice_make(&count, sizeof count), error)) {
        count_close(&own->base);
        return NULL;
    }
    own->batch.length = 1;
    return &own->base;
}

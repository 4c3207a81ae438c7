#include "tests/unit/store_race.h"

#include <stdatomic.h>
#include <stdio.h>

#include "core/base/pool.h"

enum { THREADS = 8, NAMES = 20, PUTS_A_NAME = 8 };

struct race {
    struct store *store;
    atomic_int won;
};

static bool race_put(void *context, size_t index, struct error *error)
{
    struct race *race = context;
    char key[32];
    struct error own = {0};
    snprintf(key, sizeof key, "m/v%zu", index / PUTS_A_NAME);
    if (store_put_if_absent(race->store, key, SLICE_LITERAL("body"), &own))
        atomic_fetch_add(&race->won, 1);
    else if (own.kind != ERROR_EXISTS)
        return error_set(error, own.kind, NULL, "%s", own.message);
    return true;
}

int store_race(struct store *store, struct error *error)
{
    struct race race = {.store = store};
    struct pool *pool = pool_create(THREADS, error);
    bool ok = pool && pool_run(pool, NAMES * PUTS_A_NAME, race_put, &race, error);
    pool_destroy(pool);
    return ok ? atomic_load(&race.won) : -1;
}

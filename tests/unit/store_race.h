/* store_race.h: writers that race for the same objects, for the tests of stores. */
#ifndef SURFBOARD_TESTS_UNIT_STORE_RACE_H
#define SURFBOARD_TESTS_UNIT_STORE_RACE_H

#include "core/store/store.h"

/* Eight threads put "m/v0" to "m/v19" if absent, each name eight times; returns how many puts won.
 * Any failure but a lost race is -1 with the error. */
int store_race(struct store *store, struct error *error);

#endif

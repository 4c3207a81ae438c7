/* random.h: seeded numbers for generators and tests (never for secrets), and uuids from the
 * system's entropy for names that must not collide. */
#ifndef SURFBOARD_BASE_RANDOM_H
#define SURFBOARD_BASE_RANDOM_H

#include <stdint.h>

#include "core/base/error.h"

/* splitmix64; any seed is good. */
struct random {
    uint64_t state;
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Uniform in [0, bound); 0 when bound is 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* Uniform in [0, 1). */
double random_unit(struct random *random);

enum { UUID_TEXT_SIZE = 37 };

bool random_bytes(void *out, size_t length, struct error *error);
/* A version 4 uuid: 16 bytes, and as 36 lower-case characters with NUL. */
bool uuid_make(uint8_t out[16], struct error *error);
void uuid_format(const uint8_t uuid[16], char out[UUID_TEXT_SIZE]);
/* Accepts the 36-character form, either case. */
bool uuid_parse(const char *text, size_t length, uint8_t out[16]);

#endif

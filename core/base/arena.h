/* arena.h: memory for what lives and dies together (a model, a batch, a manifest). Zero-initialise
 * or arena_init(); arena_destroy() frees all. Pointers stay valid until reset or destroy. */
#ifndef SURFBOARD_BASE_ARENA_H
#define SURFBOARD_BASE_ARENA_H

#include "core/base/error.h"
#include "core/base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes handed out, for memory budgets */
};

void arena_init(struct arena *arena);
void arena_destroy(struct arena *arena);
/* Forgets everything but keeps the newest block for use again. */
void arena_reset(struct arena *arena);

/* Memory aligned for any type, not cleared; NULL with ERROR_MEMORY. */
void *arena_allocate(struct arena *arena, size_t bytes, struct error *error);
/* Cleared memory for count * size bytes. */
void *arena_zero(struct arena *arena, size_t count, size_t size, struct error *error);
/* A NUL-terminated copy. */
char *arena_copy_slice(struct arena *arena, struct slice text, struct error *error);
char *arena_copy_text(struct arena *arena, const char *text, struct error *error);
char *arena_format(struct arena *arena, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

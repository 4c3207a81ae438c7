/* memory.h: allocation that reports failure as an error, and that tests can make fail.
 *
 * Everything in core that allocates goes through here or through buffer.h / arena.h. In builds with
 * fault points, memory_fail_after(n) makes the n-th allocation from now fail (0 = never), so that
 * tests can walk a function's allocation failures one by one.
 */
#ifndef SURFBOARD_BASE_MEMORY_H
#define SURFBOARD_BASE_MEMORY_H

#include "core/base/error.h"
#include "core/base/slice.h"

/* Zeroed memory for count * size bytes; NULL with ERROR_MEMORY on failure or overflow. Free with
 * free(). A zero-byte request returns a pointer that can be freed. */
void *memory_zero(size_t count, size_t size, struct error *error);

/* Grows *pointer to at least `needed` elements of `size` bytes (doubling from 16), keeping what it
 * holds. *capacity counts elements. New memory is not cleared. On failure everything stays. */
bool memory_grow(void *pointer, size_t *capacity, size_t needed, size_t size, struct error *error);

/* Copies with a terminating NUL. NULL with ERROR_MEMORY on failure. */
char *memory_copy_text(const char *text, struct error *error);
char *memory_copy_slice(struct slice text, struct error *error);

/* printf into fresh memory. */
char *memory_format(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void memory_fail_after(long allocations);
/* How many allocations were asked for since memory_fail_after() was last called. */
long memory_allocations(void);

/* realloc() that honours memory_fail_after(); for buffer.c and arena.c. */
void *memory_realloc(void *pointer, size_t bytes);

#endif

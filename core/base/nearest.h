/* nearest.h: "did you mean": the word of a list that a mistyped one is closest to. */
#ifndef SURFBOARD_BASE_NEAREST_H
#define SURFBOARD_BASE_NEAREST_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`; case counts as half a
 * replacement. Words beyond 63 bytes are compared by their first 63. The result counts half edits.
 */
size_t nearest_distance(const char *a, const char *b);
/* The nearest of `count` words, NULL when none is near (further than a third of the longer word,
 * and at least 2 edits are always allowed for words of four letters and more). */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif

/* map.h: hash map from byte strings to pointers (open addressing, insertion order kept for walks).
 * Keys are borrowed: they must live as long as the map (an arena's, a document's). Values are the
 * caller's. Zero-initialise, then map_destroy(). For hot paths see merge's own tables. */
#ifndef SURFBOARD_BASE_MAP_H
#define SURFBOARD_BASE_MAP_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct map_entry {
    struct slice key;
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries; /* in order of insertion; walk 0 .. count-1 */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index + 1 of an entry; 0 = free */
    size_t slot_count;
};

void map_destroy(struct map *map);
/* Puts or replaces. */
bool map_put(struct map *map, struct slice key, void *value, struct error *error);
/* NULL when absent. */
void *map_get(const struct map *map, struct slice key);
void *map_get_text(const struct map *map, const char *key);

uint64_t hash_bytes(const void *data, size_t length, uint64_t seed); /* XXH3-64 */

#endif

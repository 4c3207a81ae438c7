#include "core/base/map.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/memory.h"

uint64_t hash_bytes(const void *data, size_t length, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, length, seed);
}

void map_destroy(struct map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct map){0};
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t map_find(const struct map *map, struct slice key, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    size_t at = (size_t)hash & mask;
    while (map->slots[at]) {
        const struct map_entry *entry = &map->entries[map->slots[at] - 1];
        if (entry->hash == hash && slice_equal(entry->key, key))
            break;
        at = (at + 1) & mask;
    }
    return at;
}

static bool map_widen(struct map *map, struct error *error)
{
    size_t count = map->slot_count ? map->slot_count * 2 : 16;
    uint32_t *slots = memory_zero(count, sizeof *slots, error);
    if (slots == NULL)
        return false;
    free(map->slots);
    map->slots = slots;
    map->slot_count = count;
    for (size_t i = 0; i < map->count; i++)
        slots[map_find(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)i + 1;
    return true;
}

bool map_put(struct map *map, struct slice key, void *value, struct error *error)
{
    if ((map->count + 1) * 2 > map->slot_count)
        TRY(map_widen(map, error));
    uint64_t hash = hash_bytes(key.data, key.length, 0);
    size_t at = map_find(map, key, hash);
    if (map->slots[at]) {
        map->entries[map->slots[at] - 1].value = value;
        return true;
    }
    if (map->count >= UINT32_MAX - 1)
        return error_set_memory(error, map->count);
    TRY(memory_grow(&map->entries, &map->capacity, map->count + 1, sizeof *map->entries, error));
    map->entries[map->count] = (struct map_entry){key, hash, value};
    map->count++;
    map->slots[at] = (uint32_t)map->count;
    return true;
}

void *map_get(const struct map *map, struct slice key)
{
    if (map->slot_count == 0)
        return NULL;
    size_t at = map_find(map, key, hash_bytes(key.data, key.length, 0));
    return map->slots[at] ? map->entries[map->slots[at] - 1].value : NULL;
}

void *map_get_text(const struct map *map, const char *key)
{
    return map_get(map, slice_of(key));
}

#include "core/merge/key_table.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/memory.h"
#include "core/merge/sort.h"

/* Room for sorting more keys than this is given back at once. */
enum { SORT_KEEP = 1 << 18 };

struct key_hash key_hash_bytes(struct slice bytes, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data, bytes.length, seed);
    return (struct key_hash){hash.high64, hash.low64};
}

void key_table_init(struct key_table *table, bool integer, uint64_t seed)
{
    *table = (struct key_table){.integer = integer, .seed = seed};
}

void key_table_destroy(struct key_table *table)
{
    free(table->entries);
    free(table->slots);
    image_pool_destroy(&table->pool);
    *table = (struct key_table){.integer = table->integer, .seed = table->seed};
}

void key_table_clear(struct key_table *table)
{
    table->count = 0;
    if (table->slots)
        memset(table->slots, 0, table->slot_count * sizeof *table->slots);
    image_pool_reset(&table->pool);
}

size_t key_table_bytes(const struct key_table *table)
{
    return table->count * sizeof *table->entries + table->slot_count * sizeof *table->slots +
           table->pool.used;
}

static uint64_t entry_hash(const struct key_table *table, const struct key_entry *entry)
{
    return table->integer ? key_mix(entry->integer) : (uint64_t)entry->integer;
}

/* The upper half of the hash tells most other keys from this one without looking at their entries:
 * that would be a cache miss each. */
static uint64_t slot_of(uint64_t hash, size_t index)
{
    return (hash & UINT64_C(0xFFFFFFFF00000000)) | (uint32_t)(index + 1);
}

static struct key_entry *slot_entry(const struct key_table *table, uint64_t slot)
{
    return &table->entries[(uint32_t)slot - 1];
}

static bool table_widen(struct key_table *table, struct error *error)
{
    size_t count = table->slot_count ? table->slot_count * 2 : 1024;
    uint64_t *slots = memory_zero(count, sizeof *slots, error);
    TRY(slots != NULL);
    size_t mask = count - 1;
    for (size_t i = 0; i < table->count; i++) {
        uint64_t hash = entry_hash(table, &table->entries[i]);
        size_t at = (size_t)hash & mask;
        while (slots[at])
            at = (at + 1) & mask;
        slots[at] = slot_of(hash, i);
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    return true;
}

static bool entry_is(const struct key_table *table, const struct key_entry *entry,
                     const struct change_key *key, struct key_hash hash)
{
    if (table->integer)
        return entry->integer == key->integer;
    return (uint64_t)entry->integer == hash.low && entry->hash_high == hash.high &&
           slice_equal(slice_make(entry->bytes, entry->length), key->bytes);
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t table_slot(const struct key_table *table, const struct change_key *key,
                         struct key_hash hash)
{
    size_t mask = table->slot_count - 1;
    size_t at = (size_t)hash.low & mask;
    for (uint64_t slot; (slot = table->slots[at]) != 0; at = (at + 1) & mask) {
        if ((slot ^ hash.low) >> 32 == 0 && entry_is(table, slot_entry(table, slot), key, hash))
            break;
    }
    return at;
}

static struct key_hash table_hash(const struct key_table *table, const struct change_key *key)
{
    return table->integer ? (struct key_hash){0, key_mix(key->integer)}
                          : key_hash_bytes(key->bytes, table->seed);
}

struct key_entry *key_table_find(const struct key_table *table, const struct change_key *key)
{
    if (table->count == 0)
        return NULL;
    size_t at = table_slot(table, key, table_hash(table, key));
    return table->slots[at] ? slot_entry(table, table->slots[at]) : NULL;
}

struct key_entry *key_table_put(struct key_table *table, const struct change_key *key,
                                struct error *error)
{
    if ((table->count + 1) * 8 > table->slot_count * 5 && !table_widen(table, error))
        return NULL;
    struct key_hash hash = table_hash(table, key);
    size_t at = table_slot(table, key, hash);
    if (table->slots[at])
        return slot_entry(table, table->slots[at]);
    if (table->count >= KEY_NONE - 1) {
        error_set_memory(error, table->count);
        return NULL;
    }
    if (!memory_grow(&table->entries, &table->capacity, table->count + 1, sizeof *table->entries,
                     error))
        return NULL;
    struct key_entry *entry = &table->entries[table->count];
    *entry = (struct key_entry){.older = KEY_NONE, .file = KEY_NONE};
    if (table->integer) {
        entry->integer = key->integer;
    } else {
        struct image copy = {0};
        if (!image_store(&table->pool, &copy, key->bytes, error))
            return NULL;
        entry->integer = (int64_t)hash.low;
        entry->hash_high = hash.high;
        entry->bytes = copy.data;
        entry->length = copy.length;
    }
    table->slots[at] = slot_of(hash.low, table->count++);
    return entry;
}

/* -- sorting ----------------------------------------------------------------------------------- */

static uint64_t bytes_prefix(const struct key_entry *entry)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < entry->length ? (uint8_t)entry->bytes[i] : 0);
    return prefix;
}

static uint64_t sort_key(const struct key_table *table, const struct key_entry *entry, bool by_hash)
{
    if (table->integer)
        return sort_bias(entry->integer);
    return by_hash ? (uint64_t)entry->integer : bytes_prefix(entry);
}

struct tie_context {
    const struct key_table *table;
    bool by_hash;
};

static int compare_ties(const void *a, const void *b, void *context)
{
    const struct tie_context *tie = context;
    const struct key_entry *left = &tie->table->entries[((const struct sort_pair *)a)->at];
    const struct key_entry *right = &tie->table->entries[((const struct sort_pair *)b)->at];
    if (tie->by_hash)
        return ((uint32_t)left->hash_high > (uint32_t)right->hash_high) -
               ((uint32_t)left->hash_high < (uint32_t)right->hash_high);
    return slice_compare(slice_make(left->bytes, left->length),
                         slice_make(right->bytes, right->length));
}

bool key_table_sort(const struct key_table *table, bool by_hash, struct key_order *out,
                    struct error *error)
{
    size_t count = table->count;
    TRY(memory_grow(&out->at, &out->capacity, count + 1, sizeof *out->at, error));
    TRY(memory_grow(&out->scratch, &out->scratch_capacity, 4 * count + 1, sizeof *out->scratch,
                    error));
    struct sort_pair *pairs = (struct sort_pair *)(void *)out->scratch;
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct sort_pair){sort_key(table, &table->entries[i], by_hash), i};
    pairs = sort_pairs(pairs, pairs + count, count);
    if (!table->integer) {
        struct tie_context tie = {table, by_hash};
        for (size_t from = 0, end; from < count; from = end) {
            for (end = from + 1; end < count && pairs[end].key == pairs[from].key; end++)
                continue;
            if (end - from > 1)
                qsort_r(pairs + from, end - from, sizeof *pairs, compare_ties, &tie);
        }
    }
    for (size_t i = 0; i < count; i++)
        out->at[i] = (uint32_t)pairs[i].at;
    if (count >= SORT_KEEP) {
        free(out->scratch);
        out->scratch = NULL;
        out->scratch_capacity = 0;
    }
    return true;
}

void key_order_destroy(struct key_order *order)
{
    free(order->at);
    free(order->scratch);
    *order = (struct key_order){0};
}

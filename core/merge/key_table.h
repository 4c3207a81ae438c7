/* key_table.h: the keys that a batch touches, one entry a key (open addressing, linear probing).
 * Whole-number keys are compared as themselves, others by 128 bits of hash and then byte by byte.
 */
#ifndef SURFBOARD_MERGE_KEY_TABLE_H
#define SURFBOARD_MERGE_KEY_TABLE_H

#include "core/change/row.h"
#include "core/merge/image.h"

/* A mixing function for whole-number keys: every bit of the key reaches the lower bits. */
static inline uint64_t key_mix(int64_t integer)
{
    uint64_t x = (uint64_t)integer;
    x ^= x >> 32;
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ x >> 32;
}

/* 128 bits of seeded XXH3, of which the index keeps the low 64 and the lower half of the high. */
struct key_hash {
    uint64_t high;
    uint64_t low;
};
struct key_hash key_hash_bytes(struct slice bytes, uint64_t seed);

enum key_flag {
    KEY_DECIDED = 1,   /* the batch has an event for it; else it is here only to be looked up */
    KEY_GONE = 2,      /* no row at the end of the batch (the last event was d) */
    KEY_FOLDED = 4,    /* `after` may hold marks of values that were not sent: `older` has them */
    KEY_SHARED = 8,    /* `after` serves others too: never overwrite it */
    KEY_SEEN = 16,     /* in the reload that is going on */
    KEY_READ = 32,     /* last event is a snapshot row: compare it with what is stored */
    KEY_BORN = 64,     /* first event was c or r: `before` says nothing */
    KEY_EXISTED = 128, /* the table has a row of this key: file and row are set */
    KEY_KEPT = 256     /* ... which is what the batch would write: it stays */
};

enum { KEY_NONE = UINT32_MAX };

struct key_entry {
    int64_t integer;     /* whole-number key; else the low 64 bits of the hash */
    uint64_t hash_high;  /* byte keys */
    const char *bytes;   /* byte keys: in the pool */
    uint32_t length;     /* byte keys */
    uint32_t older;      /* FOLDED: index of struct older (conflate.h); else KEY_NONE */
    struct image after;  /* raw row image of the last event, in the pool */
    struct image before; /* FULL: raw image before the first event */
    int64_t offset;      /* of the last event, for messages */
    uint32_t partition;
    uint32_t file;          /* resolved: index of the data file; KEY_NONE */
    uint32_t row;           /* ... and the row in it */
    uint16_t schema;        /* which of the batch's Connect schemas `after` was written with */
    uint16_t before_schema; /* ... and `before` */
    uint16_t flags;         /* enum key_flag */
};

struct key_table {
    bool integer;
    uint64_t seed; /* of the hash */
    struct key_entry *entries;
    size_t count;
    size_t capacity;
    uint64_t *slots; /* upper half of the hash, entry index + 1; 0 = free */
    size_t slot_count;
    struct image_pool pool;
};

void key_table_init(struct key_table *table, bool integer, uint64_t seed);
void key_table_destroy(struct key_table *table);
/* Forgets all keys and images, keeps the memory. */
void key_table_clear(struct key_table *table);

/* The entry of a key, made when absent (zeroed but for the key, older = KEY_NONE). The pointer is
 * good until the next put; the index (entry - entries) for as long as the table lives. */
struct key_entry *key_table_put(struct key_table *table, const struct change_key *key,
                                struct error *error);
/* NULL when absent. */
struct key_entry *key_table_find(const struct key_table *table, const struct change_key *key);

/* Bytes in use, for the memory budget. */
size_t key_table_bytes(const struct key_table *table);

/* The entries' indexes in key order (`by_hash`: in the order of key_index.h, which for whole
 * numbers is the same). `out` grows to count. */
struct key_order {
    uint32_t *at;
    size_t capacity;
    uint64_t *scratch;
    size_t scratch_capacity;
};
bool key_table_sort(const struct key_table *table, bool by_hash, struct key_order *out,
                    struct error *error);
void key_order_destroy(struct key_order *order);

#endif

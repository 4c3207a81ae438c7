#include "core/parquet/dictionary.h"

#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/memory.h"

enum { FIRST_SLOTS = 1 << 10 };

bool dictionary_init(struct dictionary *dictionary, size_t width, struct error *error)
{
    *dictionary = (struct dictionary){.width = width, .slot_count = FIRST_SLOTS};
    dictionary->slots = memory_zero(FIRST_SLOTS, sizeof *dictionary->slots, error);
    return dictionary->slots != NULL;
}

void dictionary_destroy(struct dictionary *dictionary)
{
    buffer_destroy(&dictionary->plain);
    free(dictionary->slots);
    free(dictionary->offsets);
    free(dictionary->stamps);
    *dictionary = (struct dictionary){0};
}

void dictionary_clear(struct dictionary *dictionary)
{
    if (dictionary->count)
        memset(dictionary->slots, 0, dictionary->slot_count * sizeof *dictionary->slots);
    buffer_clear(&dictionary->plain);
    dictionary->count = 0;
}

/* Slots are placed by the middle bits, so the upper ones (all that a round double has) come in. */
static uint64_t mix(uint64_t value)
{
    return (value ^ value >> 32) * 0x9e3779b97f4a7c15u;
}

static uint64_t slot_of(uint64_t hash, size_t entry)
{
    return (hash & 0xffffffff00000000u) | (uint64_t)(entry + 1);
}

/* A slot knows only the upper half of its hash, so that is what places it. */
static size_t place_of(uint64_t hash, size_t slot_count)
{
    return (size_t)(hash >> 32) & (slot_count - 1);
}

/* Doubles the table when it is half full. */
static bool make_room(struct dictionary *dictionary, struct error *error)
{
    size_t entries = dictionary->count + 1;
    if (dictionary->width == 0)
        TRY(memory_grow(&dictionary->offsets, &dictionary->offsets_capacity, entries,
                        sizeof *dictionary->offsets, error));
    TRY(memory_grow(&dictionary->stamps, &dictionary->stamps_capacity, entries,
                    sizeof *dictionary->stamps, error));
    if (entries * 2 <= dictionary->slot_count)
        return true;
    size_t larger = dictionary->slot_count * 2;
    uint64_t *slots = memory_zero(larger, sizeof *slots, error);
    TRY(slots != NULL);
    for (size_t i = 0; i < dictionary->slot_count; i++) {
        uint64_t slot = dictionary->slots[i];
        if (slot == 0)
            continue;
        size_t place = place_of(slot, larger);
        while (slots[place])
            place = (place + 1) & (larger - 1);
        slots[place] = slot;
    }
    free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->slot_count = larger;
    return true;
}

/* Appends a value that is not there yet at the slot found for it. */
static bool add_entry(struct dictionary *dictionary, size_t place, uint64_t hash,
                      struct slice value, bool *fits, struct error *error)
{
    size_t bytes = value.length + (dictionary->width ? 0 : 4);
    if (dictionary->count == DICTIONARY_MOST_ENTRIES ||
        dictionary->plain.length + bytes > DICTIONARY_MOST_BYTES) {
        *fits = false;
        return true;
    }
    size_t entry = dictionary->count;
    dictionary->slots[place] = slot_of(hash, entry);
    if (dictionary->width == 0) {
        dictionary->offsets[entry] = (uint32_t)dictionary->plain.length;
        TRY(buffer_append_u32_le(&dictionary->plain, (uint32_t)value.length, error));
    }
    TRY(buffer_append_slice(&dictionary->plain, value, error));
    dictionary->stamps[entry] = 0;
    dictionary->count++;
    return true;
}

/* The entry of a value by its hash, or the free place for it (then *entry is UINT32_MAX). */
static inline size_t find(const struct dictionary *dictionary, uint64_t hash, struct slice value,
                          uint32_t *entry)
{
    size_t mask = dictionary->slot_count - 1;
    size_t place = place_of(hash, dictionary->slot_count);
    for (uint64_t slot; (slot = dictionary->slots[place]) != 0; place = (place + 1) & mask) {
        if ((slot ^ hash) >> 32)
            continue;
        uint32_t candidate = (uint32_t)slot - 1;
        if (slice_equal(dictionary_value(dictionary, candidate), value)) {
            *entry = candidate;
            return place;
        }
    }
    *entry = UINT32_MAX;
    return place;
}

static bool add_value(struct dictionary *dictionary, uint64_t hash, struct slice value,
                      uint32_t *out, bool *fits, struct error *error)
{
    size_t place = find(dictionary, hash, value, out);
    if (*out != UINT32_MAX)
        return true;
    *out = (uint32_t)dictionary->count;
    TRY(add_entry(dictionary, place, hash, value, fits, error));
    return !*fits || make_room(dictionary, error);
}

/* Values of 4 and 8 bytes: the whole value is hashed and compared in registers. */
static bool add_words(struct dictionary *dictionary, const char *values, size_t width, size_t count,
                      uint32_t *out, bool *fits, struct error *error)
{
    for (size_t i = 0; i < count && *fits; i++) {
        uint64_t word = 0;
        memcpy(&word, values + i * width, width);
        uint64_t hash = mix(word);
        size_t mask = dictionary->slot_count - 1;
        size_t place = place_of(hash, dictionary->slot_count);
        uint64_t slot;
        for (; (slot = dictionary->slots[place]) != 0; place = (place + 1) & mask) {
            if ((slot ^ hash) >> 32)
                continue;
            uint64_t known = 0;
            memcpy(&known, dictionary->plain.data + ((uint32_t)slot - 1) * width, width);
            if (known == word)
                break;
        }
        if (slot) {
            out[i] = (uint32_t)slot - 1;
            continue;
        }
        out[i] = (uint32_t)dictionary->count;
        TRY(add_entry(dictionary, place, hash, slice_make(values + i * width, width), fits, error));
        if (*fits)
            TRY(make_room(dictionary, error));
    }
    return true;
}

bool dictionary_add_fixed(struct dictionary *dictionary, const void *values, size_t count,
                          uint32_t *out, bool *fits, struct error *error)
{
    *fits = true;
    TRY(make_room(dictionary, error));
    if (dictionary->width == 4)
        return add_words(dictionary, values, 4, count, out, fits, error);
    if (dictionary->width == 8)
        return add_words(dictionary, values, 8, count, out, fits, error);
    for (size_t i = 0; i < count && *fits; i++) {
        struct slice value =
            slice_make((const char *)values + i * dictionary->width, dictionary->width);
        uint64_t hash = hash_bytes(value.data, value.length, 0);
        TRY(add_value(dictionary, hash, value, &out[i], fits, error));
    }
    return true;
}

bool dictionary_add_bytes(struct dictionary *dictionary, const char *bytes, const uint64_t *offsets,
                          const uint64_t *rows, size_t first, size_t count, uint32_t *out,
                          bool *fits, struct error *error)
{
    *fits = true;
    TRY(make_room(dictionary, error));
    for (size_t i = 0; i < count && *fits; i++) {
        uint64_t row = rows ? rows[i] : first + i;
        struct slice value = {bytes ? bytes + offsets[row] : "",
                              (size_t)(offsets[row + 1] - offsets[row])};
        uint64_t hash = hash_bytes(value.data, value.length, 0);
        TRY(add_value(dictionary, hash, value, &out[i], fits, error));
    }
    return true;
}

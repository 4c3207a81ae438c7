/* key_index.h: which row of a data file holds a key: one sorted, mmapped file for each data file,
 * in a cache folder of this machine (design.md section 5, step 4).
 *
 * An entry is 12 bytes for whole-number keys (the number, the row) and 16 for others (96 bits of
 * a seeded XXH3-128, the row). Nothing but speed depends on an index: it is bound to table uuid,
 * path, length and sequence number of its data file and to this machine's seed, every block that is
 * read is checked against its checksum, and whatever does not fit is thrown away and built again by
 * scanning the key columns. Deleted rows stay in it: whoever searches looks at the deletes too.
 *
 * File, little-endian: header (64 bytes), the first key of each block (8 each), the checksum of
 * each block (8 each), then blocks of up to 512 entries: keys (8 each), upper halves of the hash (4
 * each, hashes only), rows (4 each).
 */
#ifndef SURFBOARD_MERGE_KEY_INDEX_H
#define SURFBOARD_MERGE_KEY_INDEX_H

#include "core/base/buffer.h"
#include "core/base/error.h"

enum { KEY_INDEX_FORMAT = 1, KEY_INDEX_BLOCK = 512 };

/* What an index belongs to. */
struct key_index_binding {
    const char *table_uuid;
    const char *path; /* of the data file, as the manifest has it */
    int64_t length;   /* bytes */
    int64_t sequence; /* data sequence number */
    int64_t rows;
    bool integer;
};

/* The folder of all indexes, with the seed of this machine's hashes. */
struct key_index_folder {
    char *path; /* NULL: nothing is kept, indexes live for one batch */
    uint64_t seed;
};

/* `path` NULL: ${XDG_CACHE_HOME:-~/.cache}/surfboard/index. Makes the folder and the seed. A folder
 * that can't be written is not an error: nothing is kept then. */
bool key_index_folder_open(const char *path, struct key_index_folder *out, struct error *error);
void key_index_folder_close(struct key_index_folder *folder);

/* -- writing -- */

struct key_index_entry {
    uint64_t key;  /* sort_bias() of the number, or the low 64 bits of the hash */
    uint32_t high; /* lower half of the hash's upper 64 bits; 0 for numbers */
    uint32_t row;
};

/* Sorts the entries (in place) and lays them out as a file in `out` (cleared first). */
bool key_index_build(struct key_index_entry *entries, size_t count,
                     const struct key_index_binding *binding, uint64_t seed, struct buffer *out,
                     struct error *error);
/* Binds a built index to its data file once all of that is known. */
bool key_index_rebind(struct buffer *file, const struct key_index_binding *binding);
/* Puts the file into the folder; no fsync, as a torn one is found out. */
bool key_index_save(const struct key_index_folder *folder, const struct key_index_binding *binding,
                    struct slice file, struct error *error);
void key_index_drop(const struct key_index_folder *folder, const struct key_index_binding *binding);
/* Removes the table's indexes whose data file is not among the bindings. */
void key_index_sweep(const struct key_index_folder *folder, const char *table_uuid,
                     const struct key_index_binding *keep, size_t count);

/* -- reading -- */

struct key_index;

/* The saved index of a data file; *out NULL when there is none that fits (a misfit is removed).
 * Fails only when memory is out. */
bool key_index_open(const struct key_index_folder *folder, const struct key_index_binding *binding,
                    struct key_index **out, struct error *error);
/* One over the bytes of key_index_build(), which it takes over. */
struct key_index *key_index_take(struct buffer *file, const struct key_index_binding *binding,
                                 uint64_t seed, struct error *error);
void key_index_close(struct key_index *index);

/* A key that is looked for; `tag` is the caller's. */
struct key_probe {
    uint64_t key;
    uint32_t high;
    uint32_t tag;
};

struct key_hit {
    uint32_t tag;
    uint32_t row;
};

struct key_hits {
    struct key_hit *items;
    size_t count, capacity;
};

/* Appends a hit for every entry that equals one of the probes (ascending by key, high). Gallops
 * when the probes are few for the file's rows, else walks. ERROR_INPUT: the index is damaged. */
bool key_index_search(const struct key_index *index, const struct key_probe *probes, size_t count,
                      struct key_hits *out, struct error *error);

#endif

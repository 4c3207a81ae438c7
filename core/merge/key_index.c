#include "core/merge/key_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/file.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/random.h"
#include "core/merge/sort.h"

/* All fields have the same place on every machine that Surfboard runs on (64 bits, little-endian).
 */
struct index_header {
    char magic[4]; /* "SBKI" */
    uint32_t format;
    uint64_t binding; /* hash of everything in struct key_index_binding */
    uint64_t seed;
    uint64_t count;
    uint64_t blocks;
    uint64_t directory; /* checksum of the first keys and block checksums */
    uint32_t integer;
    uint32_t reserved;
    uint64_t self; /* checksum of the header before this */
};
_Static_assert(sizeof(struct index_header) == 64, "the header's layout is the file's");

static const char index_magic[4] = {'S', 'B', 'K', 'I'};

struct key_index {
    const char *base;
    size_t size;
    bool mapped;
    bool integer;
    size_t count;
    size_t blocks;
    const uint64_t *first;  /* first key of each block */
    const uint64_t *checks; /* checksum of each block */
    const char *data;
    uint8_t *seen; /* a block that was checked once is not checked again */
};

/* A block's arrays. */
struct index_block {
    size_t count;
    const uint64_t *keys;
    const uint32_t *highs; /* NULL for numbers */
    const uint32_t *rows;
};

static size_t entry_bytes(bool integer)
{
    return integer ? 12 : 16;
}

static uint64_t binding_hash(const struct key_index_binding *binding)
{
    uint64_t hash = hash_bytes(binding->table_uuid, strlen(binding->table_uuid), 1);
    hash = hash_bytes(binding->path, strlen(binding->path), hash);
    int64_t numbers[4] = {binding->length, binding->sequence, binding->rows, binding->integer};
    return hash_bytes(numbers, sizeof numbers, hash);
}

/* -- the folder -------------------------------------------------------------------------------- */

static char *default_folder(struct error *error)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/')
        return file_join(cache, "surfboard/index", error);
    const char *home = getenv("HOME");
    if (home && *home == '/')
        return file_join(home, ".cache/surfboard/index", error);
    return memory_copy_text("", error);
}

/* The seed is made once and never changes; two processes that make it at once agree by link(2). */
static bool folder_seed(struct key_index_folder *folder)
{
    char *path = file_join(folder->path, "seed", NULL);
    struct buffer text = {0};
    bool ok = path != NULL;
    if (ok && !file_exists(path)) {
        uint64_t fresh;
        char name[64];
        snprintf(name, sizeof name, "seed.%ld", (long)getpid());
        char *mine = file_join(folder->path, name, NULL);
        ok = mine && random_bytes(&fresh, sizeof fresh, NULL) &&
             file_write_atomic(mine, slice_make(&fresh, sizeof fresh), 0644, NULL);
        if (ok) {
            ok = link(mine, path) == 0 || errno == EEXIST;
            unlink(mine);
        }
        free(mine);
    }
    ok = ok && file_read(path, &text, NULL) && text.length == sizeof folder->seed;
    if (ok)
        memcpy(&folder->seed, text.data, sizeof folder->seed);
    buffer_destroy(&text);
    free(path);
    return ok;
}

bool key_index_folder_open(const char *path, struct key_index_folder *out, struct error *error)
{
    *out = (struct key_index_folder){0};
    out->path = path ? memory_copy_text(path, error) : default_folder(error);
    TRY(out->path != NULL);
    struct error ignored = {0};
    if (*out->path && file_make_folders(out->path, 0755, &ignored) && folder_seed(out))
        return true;
    key_index_folder_close(out);
    return random_bytes(&out->seed, sizeof out->seed, error);
}

void key_index_folder_close(struct key_index_folder *folder)
{
    free(folder->path);
    *folder = (struct key_index_folder){0};
}

static bool index_name(const struct key_index_binding *binding, char out[32])
{
    uint64_t hash = hash_bytes(binding->path, strlen(binding->path), 0);
    return snprintf(out, 32, "%016" PRIx64 ".keys", hash) > 0;
}

/* <folder>/<table uuid>/<hash of the path>.keys; fresh memory, NULL when nothing is kept. */
static char *index_path(const struct key_index_folder *folder,
                        const struct key_index_binding *binding, bool make, struct error *error)
{
    if (folder->path == NULL)
        return NULL;
    char name[32];
    index_name(binding, name);
    char *table = file_join(folder->path, binding->table_uuid, error);
    char *path = NULL;
    if (table && (!make || file_make_folders(table, 0755, error)))
        path = file_join(table, name, error);
    free(table);
    return path;
}

void key_index_drop(const struct key_index_folder *folder, const struct key_index_binding *binding)
{
    char *path = index_path(folder, binding, false, NULL);
    if (path)
        unlink(path);
    free(path);
}

void key_index_sweep(const struct key_index_folder *folder, const char *table_uuid,
                     const struct key_index_binding *keep, size_t count)
{
    char *path = folder->path ? file_join(folder->path, table_uuid, NULL) : NULL;
    DIR *dir = path ? opendir(path) : NULL;
    struct map names = {0};
    struct arena arena = {0};
    bool ok = dir != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        char name[32];
        index_name(&keep[i], name);
        const char *copy = arena_copy_text(&arena, name, NULL);
        ok = copy && map_put(&names, slice_of(copy), &names, NULL);
    }
    struct dirent *entry;
    while (ok && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.' && map_get_text(&names, entry->d_name) == NULL)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
    map_destroy(&names);
    arena_destroy(&arena);
    free(path);
}

/* -- writing ----------------------------------------------------------------------------------- */

static bool entry_before(const struct key_index_entry *a, const struct key_index_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->high < b->high;
}

static int compare_entries(const void *a, const void *b)
{
    const struct key_index_entry *left = a, *right = b;
    return entry_before(left, right) ? -1 : entry_before(right, left);
}

/* Entries with one key are few: after the radix sort by key, each such run is sorted on its own. */
static bool sort_entries(struct key_index_entry *entries, size_t count, struct error *error)
{
    size_t at = 1;
    while (at < count && !entry_before(&entries[at], &entries[at - 1]))
        at++;
    if (at >= count)
        return true;
    struct sort_pair *pairs = memory_zero(2 * count, sizeof *pairs, error);
    TRY(pairs != NULL);
    for (size_t i = 0; i < count; i++)
        pairs[i] =
            (struct sort_pair){entries[i].key, (uint64_t)entries[i].high << 32 | entries[i].row};
    struct sort_pair *sorted = sort_pairs(pairs, pairs + count, count);
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct key_index_entry){sorted[i].key, (uint32_t)(sorted[i].at >> 32),
                                              (uint32_t)sorted[i].at};
    free(pairs);
    for (size_t from = 0, end; from < count; from = end) {
        for (end = from + 1; end < count && entries[end].key == entries[from].key; end++)
            continue;
        if (end - from > 1)
            qsort(entries + from, end - from, sizeof *entries, compare_entries);
    }
    return true;
}

static void write_block(char *out, const struct key_index_entry *entries, size_t count,
                        bool integer)
{
    char *highs = out + count * 8;
    char *rows = highs + (integer ? 0 : count * 4);
    for (size_t i = 0; i < count; i++) {
        memcpy(out + i * 8, &entries[i].key, 8);
        if (!integer)
            memcpy(highs + i * 4, &entries[i].high, 4);
        memcpy(rows + i * 4, &entries[i].row, 4);
    }
}

bool key_index_build(struct key_index_entry *entries, size_t count,
                     const struct key_index_binding *binding, uint64_t seed, struct buffer *out,
                     struct error *error)
{
    TRY(sort_entries(entries, count, error));
    size_t blocks = (count + KEY_INDEX_BLOCK - 1) / KEY_INDEX_BLOCK;
    size_t directory = blocks * 16;
    size_t size = sizeof(struct index_header) + directory + count * entry_bytes(binding->integer);
    buffer_clear(out);
    TRY(buffer_reserve(out, size, error));
    char *first = out->data + sizeof(struct index_header);
    char *checks = first + blocks * 8;
    char *at = first + directory;
    for (size_t block = 0; block < blocks; block++) {
        size_t from = block * KEY_INDEX_BLOCK;
        size_t here = count - from < KEY_INDEX_BLOCK ? count - from : KEY_INDEX_BLOCK;
        size_t bytes = here * entry_bytes(binding->integer);
        write_block(at, entries + from, here, binding->integer);
        uint64_t check = hash_bytes(at, bytes, block);
        memcpy(first + block * 8, &entries[from].key, 8);
        memcpy(checks + block * 8, &check, 8);
        at += bytes;
    }
    struct index_header header = {
        .format = KEY_INDEX_FORMAT,
        .binding = binding_hash(binding),
        .seed = seed,
        .count = count,
        .blocks = blocks,
        .directory = hash_bytes(first, directory, 0),
        .integer = binding->integer,
    };
    memcpy(header.magic, index_magic, sizeof index_magic);
    header.self = hash_bytes(&header, offsetof(struct index_header, self), 0);
    memcpy(out->data, &header, sizeof header);
    out->length = size;
    return true;
}

bool key_index_rebind(struct buffer *file, const struct key_index_binding *binding)
{
    struct index_header header;
    if (file->length < sizeof header)
        return false;
    memcpy(&header, file->data, sizeof header);
    header.binding = binding_hash(binding);
    header.self = hash_bytes(&header, offsetof(struct index_header, self), 0);
    memcpy(file->data, &header, sizeof header);
    return true;
}

bool key_index_save(const struct key_index_folder *folder, const struct key_index_binding *binding,
                    struct slice file, struct error *error)
{
    if (folder->path == NULL)
        return true;
    char *path = index_path(folder, binding, true, error);
    TRY(path != NULL);
    char *mine = memory_format(error, "%s.%ld.tmp", path, (long)getpid());
    int fd = mine ? open(mine, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    bool ok = fd >= 0 && file_write_all(fd, file.data, file.length, mine, error);
    if (mine && fd < 0)
        error_set_system(error, errno, "creating %s", mine);
    if (fd >= 0)
        close(fd);
    if (ok && rename(mine, path) != 0)
        ok = error_set_system(error, errno, "renaming %s", mine);
    if (!ok && fd >= 0)
        unlink(mine);
    free(mine);
    free(path);
    return ok;
}

/* -- reading ----------------------------------------------------------------------------------- */

static bool index_adopt(struct key_index *index, const struct key_index_binding *binding,
                        uint64_t seed)
{
    struct index_header header;
    if (index->size < sizeof header)
        return false;
    memcpy(&header, index->base, sizeof header);
    if (memcmp(header.magic, index_magic, sizeof index_magic) != 0 ||
        header.format != KEY_INDEX_FORMAT ||
        header.self != hash_bytes(&header, offsetof(struct index_header, self), 0) ||
        header.binding != binding_hash(binding) || header.integer != binding->integer ||
        (!binding->integer && header.seed != seed) || header.count > UINT32_MAX)
        return false;
    index->integer = binding->integer;
    index->count = (size_t)header.count;
    index->blocks = (index->count + KEY_INDEX_BLOCK - 1) / KEY_INDEX_BLOCK;
    size_t directory = index->blocks * 16;
    if (header.blocks != index->blocks ||
        index->size != sizeof header + directory + index->count * entry_bytes(index->integer))
        return false;
    const char *first = index->base + sizeof header;
    if (hash_bytes(first, directory, 0) != header.directory)
        return false;
    index->first = (const uint64_t *)(const void *)first;
    index->checks = index->first + index->blocks;
    index->data = first + directory;
    index->seen = memory_zero(index->blocks, 1, NULL);
    return index->seen != NULL;
}

bool key_index_open(const struct key_index_folder *folder, const struct key_index_binding *binding,
                    struct key_index **out, struct error *error)
{
    *out = NULL;
    if (folder->path == NULL)
        return true;
    char *path = index_path(folder, binding, false, error);
    TRY(path != NULL);
    struct key_index *index = memory_zero(1, sizeof *index, error);
    int fd = index ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat stat;
    if (fd >= 0 && fstat(fd, &stat) == 0 && stat.st_size > 0) {
        void *base = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (base != MAP_FAILED)
            *index = (struct key_index){.base = base, .size = (size_t)stat.st_size, .mapped = true};
    }
    if (fd >= 0)
        close(fd);
    if (index && index_adopt(index, binding, folder->seed)) {
        *out = index;
    } else if (index) {
        key_index_close(index);
        if (fd >= 0)
            unlink(path);
    }
    free(path);
    return index != NULL;
}

struct key_index *key_index_take(struct buffer *file, const struct key_index_binding *binding,
                                 uint64_t seed, struct error *error)
{
    struct key_index *index = memory_zero(1, sizeof *index, error);
    if (index == NULL)
        return NULL;
    *index = (struct key_index){.base = file->data, .size = file->length};
    *file = (struct buffer){0};
    if (index_adopt(index, binding, seed))
        return index;
    key_index_close(index);
    error_set(error, ERROR_INTERNAL, NULL, "the key index of %s can't be read back", binding->path);
    return NULL;
}

void key_index_close(struct key_index *index)
{
    if (index == NULL)
        return;
    union {
        const char *in;
        void *out;
    } base = {index->base};
    if (index->mapped)
        munmap(base.out, index->size);
    else
        free(base.out);
    free(index->seen);
    free(index);
}

static bool index_block(const struct key_index *index, size_t number, struct index_block *out,
                        struct error *error)
{
    size_t from = number * KEY_INDEX_BLOCK;
    size_t left = index->count - from;
    out->count = left < KEY_INDEX_BLOCK ? left : KEY_INDEX_BLOCK;
    size_t width = entry_bytes(index->integer);
    const char *data = index->data + from * width;
    if (!index->seen[number]) {
        if (hash_bytes(data, out->count * width, number) != index->checks[number])
            return error_set(error, ERROR_INPUT, NULL, "block %zu of a key index is damaged",
                             number);
        index->seen[number] = 1;
    }
    out->keys = (const uint64_t *)(const void *)data;
    const uint32_t *behind = (const uint32_t *)(const void *)(data + out->count * 8);
    out->highs = index->integer ? NULL : behind;
    out->rows = index->integer ? behind : behind + out->count;
    return true;
}

/* The first position in [from, count) whose key is not below `key`: doubling steps, then halving;
 * near hits cost little, far ones the logarithm of the distance. */
static size_t gallop(const uint64_t *keys, size_t from, size_t count, uint64_t key)
{
    size_t step = 1, low = from, high = from;
    while (high < count && keys[high] < key) {
        low = high + 1;
        high += step;
        step *= 2;
    }
    if (high > count)
        high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool hits_add(struct key_hits *hits, uint32_t tag, uint32_t row, struct error *error)
{
    if (hits->count == hits->capacity)
        TRY(memory_grow(&hits->items, &hits->capacity, hits->count + 1, sizeof *hits->items,
                        error));
    hits->items[hits->count++] = (struct key_hit){tag, row};
    return true;
}

/* All entries equal to the probe, from position `at` of block `number` on; may run into the blocks
 * that follow. */
static bool collect(const struct key_index *index, size_t number, size_t at,
                    const struct key_probe *probe, struct key_hits *out, struct error *error)
{
    struct index_block block;
    for (; number < index->blocks; number++, at = 0) {
        if (at == 0 && index->first[number] > probe->key)
            return true;
        TRY(index_block(index, number, &block, error));
        for (; at < block.count; at++) {
            if (block.keys[at] != probe->key)
                return true;
            if (block.highs == NULL || block.highs[at] == probe->high)
                TRY(hits_add(out, probe->tag, block.rows[at], error));
        }
    }
    return true;
}

bool key_index_search(const struct key_index *index, const struct key_probe *probes, size_t count,
                      struct key_hits *out, struct error *error)
{
    /* With many probes the next hit is a few entries on: a plain walk beats galloping. */
    bool walk = count > index->count / 16;
    size_t number = 0, at = 0;
    struct index_block block = {0};
    size_t loaded = SIZE_MAX;
    for (size_t i = 0; i < count && index->blocks; i++) {
        uint64_t key = probes[i].key;
        /* The block that may hold the first entry with this key: the last one that begins below
         * it (an equal run may begin in the block before the one that starts with it). */
        size_t next = gallop(index->first, number, index->blocks, key);
        size_t wanted = next > number ? next - 1 : number;
        if (wanted != number) {
            number = wanted;
            at = 0;
        }
        if (loaded != number) {
            TRY(index_block(index, number, &block, error));
            loaded = number;
        }
        if (walk) {
            while (at < block.count && block.keys[at] < key)
                at++;
        } else {
            at = gallop(block.keys, at, block.count, key);
        }
        if (at < block.count ? block.keys[at] == key
                             : number + 1 < index->blocks && index->first[number + 1] == key)
            TRY(collect(index, number, at, &probes[i], out, error));
    }
    return true;
}

#include "core/merge/feed_list.h"

#include <stdlib.h>

#include "core/base/memory.h"
#include "core/store/store.h"

static const struct {
    const char *ending;
    enum codec codec;
} endings[] = {
    {".jsonl", CODEC_NONE},
    {".jsonl.gz", CODEC_GZIP},
    {".jsonl.zst", CODEC_ZSTD},
};

/* The length of the name without the ending of a delta file; 0 for other files. */
static size_t stem_length(struct slice name, enum codec *codec)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct slice ending = slice_of(endings[i].ending);
        if (slice_ends_with(name, ending)) {
            *codec = endings[i].codec;
            return name.length - ending.length;
        }
    }
    return 0;
}

/* Up to 18 digits; -1 for anything else. */
static int64_t whole_number(struct slice text)
{
    int64_t value = 0;
    size_t from = 0;
    while (from + 1 < text.length && text.data[from] == '0')
        from++;
    if (text.length == 0 || text.length - from > 18)
        return -1;
    for (size_t i = from; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

/* The digits at the end of the stem: "00000000000000000042", "shop.orders-0-42". */
static int64_t hint_of(struct slice stem)
{
    size_t from = stem.length;
    while (from && stem.data[from - 1] >= '0' && stem.data[from - 1] <= '9')
        from--;
    return whole_number(slice_make(stem.data + from, stem.length - from));
}

static int64_t partition_of(struct slice folder)
{
    struct slice word = SLICE_LITERAL("partition=");
    if (slice_starts_with(folder, word))
        folder = slice_make(folder.data + word.length, folder.length - word.length);
    int64_t partition = whole_number(folder);
    return partition > INT32_MAX ? -1 : partition;
}

/* Takes one listed object in; *taken false when it is none of ours. */
static bool entry_of(struct slice path, const char *topic, struct feed_entry *out, bool *taken,
                     struct error *error)
{
    const char *slash = memrchr(path.data, '/', path.length);
    struct slice folder = slice_make(path.data, slash ? (size_t)(slash - path.data) : 0);
    struct slice name = slash ? slice_make(slash + 1, path.length - folder.length - 1) : path;
    size_t stem = stem_length(name, &out->codec);
    *taken = false;
    if (stem == 0 || *name.data == '.' || *name.data == '_' ||
        (folder.length && (*folder.data == '.' || *folder.data == '_')))
        return true;
    int64_t partition = slash ? partition_of(folder) : 0;
    if (partition < 0)
        return error_set(error, ERROR_INPUT,
                         "delta files lie in the topic's folder, or in a folder named by their "
                         "partition's number below it",
                         "topic %s: %.*s lies in a folder that is no partition", topic,
                         SLICE_ARG(path));
    out->partition = (int32_t)partition;
    out->hint = hint_of(slice_make(name.data, stem));
    out->first = out->last = -1;
    *taken = true;
    return true;
}

static int compare_entries(const void *left, const void *right)
{
    const struct feed_entry *a = left, *b = right;
    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    uint64_t a_hint = (uint64_t)a->hint, b_hint = (uint64_t)b->hint; /* -1 is the highest */
    if (a_hint != b_hint)
        return a_hint < b_hint ? -1 : 1;
    return strcmp(a->key, b->key);
}

/* What is known of the file, if it is still the same one. */
static void remember(struct feed_entry *entry, const struct feed_list *before)
{
    const struct feed_entry *old = before && before->count
                                       ? bsearch(entry, before->entries, before->count,
                                                 sizeof *before->entries, compare_entries)
                                       : NULL;
    if (old == NULL || old->size != entry->size || old->modified_ms != entry->modified_ms)
        return;
    entry->first = old->first;
    entry->last = old->last;
    entry->read = old->read;
}

static bool take_entries(const struct store_listing *listing, size_t prefix, const char *topic,
                         const struct feed_list *before, struct feed_list *out, struct error *error)
{
    out->entries = memory_zero(listing->count, sizeof *out->entries, error);
    TRY(out->entries != NULL);
    for (size_t i = 0; i < listing->count; i++) {
        const struct store_entry *object = &listing->entries[i];
        struct feed_entry *entry = &out->entries[out->count];
        bool taken;
        *entry = (struct feed_entry){.size = object->size, .modified_ms = object->modified_ms};
        TRY(entry_of(slice_of(object->key + prefix), topic, entry, &taken, error));
        if (!taken)
            continue;
        entry->key = arena_copy_text(&out->arena, object->key, error);
        TRY(entry->key != NULL);
        remember(entry, before);
        out->count++;
    }
    if (out->count)
        qsort(out->entries, out->count, sizeof *out->entries, compare_entries);
    return true;
}

/* An empty listing is an empty topic only when the folder is there. */
static bool require_folder(struct store *store, const char *folder, const char *topic,
                           struct error *error)
{
    bool there = false;
    TRY(store_has_folder(store, folder, &there, error));
    return there || error_set(error, ERROR_NOT_FOUND,
                              "check the folder's name; capture makes it with the first record",
                              "topic %s: no folder %s/%s", topic, store_root(store), folder);
}

bool feed_list_read(struct store *store, const char *folder, const char *topic,
                    const struct feed_list *before, struct feed_list *out, struct error *error)
{
    struct store_listing listing = {0};
    struct buffer prefix = {0};
    *out = (struct feed_list){0};
    bool good = *folder == '\0' || (buffer_append_text(&prefix, folder, error) &&
                                    buffer_append_byte(&prefix, '/', error));
    const char *text = good ? buffer_text(&prefix, error) : NULL;
    good = text && store_list(store, text, &listing, error);
    if (good && listing.count == 0 && *folder)
        good = require_folder(store, folder, topic, error);
    if (good)
        good = take_entries(&listing, prefix.length, topic, before, out, error);
    store_listing_destroy(&listing);
    buffer_destroy(&prefix);
    if (!good)
        feed_list_destroy(out);
    return good;
}

void feed_list_destroy(struct feed_list *list)
{
    free(list->entries);
    arena_destroy(&list->arena);
    *list = (struct feed_list){0};
}

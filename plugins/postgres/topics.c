#include "plugins/postgres/topics.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/change/event.h"
#include "core/store/store.h"

enum { TOPIC_KEPT_BYTES = 4 << 20 };

/* ---- names ---- */

static bool topic_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Appends the name with one '_' for each character that topic names can't have. */
static bool topic_append_name(struct buffer *out, const char *name, struct error *error)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length;) {
        size_t width = utf8_character_length(name + i, length - i);
        bool plain = width == 1 && topic_character(name[i]);
        TRY(buffer_append_byte(out, plain ? (uint8_t)name[i] : '_', error));
        i += width ? width : 1;
    }
    return true;
}

static void topic_free(struct topic *topic)
{
    if (topic == NULL)
        return;
    free(topic->name);
    free(topic->collection);
    buffer_destroy(&topic->waiting);
    free(topic);
}

/* ---- where a topic stands ---- */

/* Reads "[commit, order]". */
static bool position_parse(struct slice json, struct line_position *out)
{
    char text[64];
    char *end;
    if (json.length < 5 || json.length >= sizeof text || json.data[0] != '[')
        return false;
    memcpy(text, json.data, json.length);
    text[json.length] = '\0';
    out->commit = strtoull(text + 1, &end, 10);
    if (*end != ',')
        return false;
    out->order = strtoll(end + 1, &end, 10);
    return *end == ']';
}

static struct slice last_line(struct slice file)
{
    while (file.length && file.data[file.length - 1] == '\n')
        file.length--;
    size_t start = file.length;
    while (start > 0 && file.data[start - 1] != '\n')
        start--;
    return slice_make(file.data + start, file.length - start);
}

static bool topic_read_end(struct topic *topic, struct slice file, const char *key,
                           struct error *error)
{
    struct change_scanner *scanner = change_scanner_create(error);
    if (scanner == NULL)
        return false;
    struct change change;
    bool ok = change_scan_line(scanner, last_line(file), &change, error);
    if (!ok)
        error_prefix(error, "last line of %s", key);
    if (ok && !position_parse(change.capture_position, &topic->durable))
        ok = error_set(error, ERROR_CONFLICT,
                       "use another topic prefix, or an empty folder for the deltas",
                       "%s was not written by a native capture: no __surfboard.position", key);
    if (ok)
        topic->next = change.offset + 1;
    change_scanner_destroy(scanner);
    return ok;
}

/* The last file by name holds the highest offsets: names are first offsets, in 20 digits. */
static bool topic_recover(struct topics *topics, struct topic *topic, struct error *error)
{
    char prefix[1024];
    struct store_listing listing = {0};
    snprintf(prefix, sizeof prefix, "%s/0/", topic->name);
    topic->durable = (struct line_position){0, -1};
    struct error why = {0};
    if (!store_list(topics->store, prefix, &listing, &why)) {
        if (why.kind == ERROR_NOT_FOUND)
            return true; /* no delta store yet */
        *error = why;
        return false;
    }
    bool ok = true;
    if (listing.count > 0) {
        const char *key = listing.entries[listing.count - 1].key;
        struct buffer file = {0};
        if (!slice_ends_with(slice_of(key), SLICE_LITERAL(".jsonl")))
            ok = error_set(error, ERROR_CONFLICT,
                           "use another topic prefix, or an empty folder for the deltas",
                           "%s was not written by a native capture", key);
        ok = ok && store_read(topics->store, key, &file, error) &&
             topic_read_end(topic, buffer_slice(&file), key, error);
        buffer_destroy(&file);
    }
    topic->last = topic->durable;
    topic->first_waiting = topic->next;
    store_listing_destroy(&listing);
    return ok;
}

static struct topic *topics_add(struct topics *topics, const char *schema, const char *table,
                                struct error *error)
{
    struct buffer name = {0};
    struct topic *topic = memory_zero(1, sizeof *topic, error);
    bool ok = topic && topic_append_name(&name, topics->prefix, error) &&
              buffer_append_byte(&name, '.', error);
    if (ok && schema)
        ok = topic_append_name(&name, schema, error) && buffer_append_byte(&name, '.', error);
    ok = ok && topic_append_name(&name, table, error) && buffer_text(&name, error) &&
         memory_grow(&topics->items, &topics->capacity, topics->count + 1, sizeof *topics->items,
                     error);
    if (ok) {
        topic->name = name.data;
        name = (struct buffer){0};
        topic->collection =
            schema ? memory_format(error, "%s.%s", schema, table) : memory_copy_text(table, error);
        ok = topic->collection && topic_recover(topics, topic, error);
    }
    buffer_destroy(&name);
    if (!ok) {
        topic_free(topic);
        return NULL;
    }
    topics->items[topics->count++] = topic;
    return topic;
}

struct topic *topics_open_topic(struct topics *topics, const char *schema, const char *table,
                                struct error *error)
{
    struct buffer collection = {0};
    struct topic *found = NULL;
    if (!buffer_append_format(&collection, error, "%s.%s", schema, table))
        return NULL;
    for (size_t i = 0; i < topics->count && found == NULL; i++) {
        if (slice_is(buffer_slice(&collection), topics->items[i]->collection))
            found = topics->items[i];
    }
    buffer_destroy(&collection);
    if (found)
        return found;
    struct topic *topic = topics_add(topics, schema, table, error);
    for (size_t i = 0; topic && i + 1 < topics->count; i++) {
        if (strcmp(topics->items[i]->name, topic->name) != 0)
            continue;
        error_set(error, ERROR_CONFIG,
                  "rename one of the tables, or take it out of the publication",
                  "tables %s and %s would share the topic %s", topics->items[i]->collection,
                  topic->collection, topic->name);
        topics->count--;
        topic_free(topic);
        return NULL;
    }
    return topic;
}

bool topics_open(struct topics *topics, struct store *store, const char *prefix, struct pool *pool,
                 struct error *error)
{
    *topics = (struct topics){.store = store, .prefix = prefix, .pool = pool};
    topics->transactions = topics_add(topics, NULL, "transaction", error);
    if (topics->transactions == NULL)
        topics_close(topics);
    return topics->transactions != NULL;
}

void topics_close(struct topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        topic_free(topics->items[i]);
    free(topics->items);
    *topics = (struct topics){0};
}

/* ---- appending and publishing ---- */

bool topic_has(const struct topic *topic, struct line_position position)
{
    return position.commit < topic->durable.commit ||
           (position.commit == topic->durable.commit && position.order <= topic->durable.order);
}

void topics_appended(struct topics *topics, struct topic *topic, struct line_position position)
{
    topic->next++;
    topic->last = position;
    topics->waiting += topic->waiting.length - topic->counted;
    topic->counted = topic->waiting.length;
    if (topics->first_waiting_ns == 0)
        topics->first_waiting_ns = clock_monotonic_ns();
}

static bool topic_publish(struct topics *topics, struct topic *topic, struct error *error)
{
    char key[1024];
    if (topic->waiting.length == 0)
        return true;
    snprintf(key, sizeof key, "%s/0/%020lld.jsonl", topic->name, (long long)topic->first_waiting);
    if (!store_put_if_absent(topics->store, key, buffer_slice(&topic->waiting), error)) {
        if (error && error->kind == ERROR_EXISTS) {
            error->kind = ERROR_CONFLICT;
            error_remedy(error, "another capture writes to topic %s: stop one of the two",
                         topic->name);
        }
        return false;
    }
    if (topic->waiting.capacity > TOPIC_KEPT_BYTES)
        buffer_destroy(&topic->waiting); /* a bulk load's memory is not kept for ever */
    buffer_clear(&topic->waiting);
    topic->counted = 0;
    topic->first_waiting = topic->next;
    topic->durable = topic->last;
    return true;
}

struct publishing {
    struct topics *topics;
    struct topic **items;
};

static bool publish_one(void *context, size_t index, struct error *error)
{
    struct publishing *publishing = context;
    return topic_publish(publishing->topics, publishing->items[index], error);
}

bool topics_publish(struct topics *topics, struct error *error)
{
    if (topics->first_waiting_ns == 0)
        return true;
    struct publishing publishing = {topics,
                                    memory_zero(topics->count, sizeof(struct topic *), error)};
    if (publishing.items == NULL)
        return false;
    size_t count = 0;
    uint64_t files = topics->transactions->waiting.length > 0;
    uint64_t bytes = topics->waiting;
    for (size_t i = 0; i < topics->count; i++) {
        if (topics->items[i] != topics->transactions && topics->items[i]->waiting.length)
            publishing.items[count++] = topics->items[i];
    }
    bool ok = FAULT("capture.files.before-publish", error) &&
              pool_run(topics->pool, count, publish_one, &publishing, error) &&
              FAULT("capture.files.before-transactions", error) &&
              topic_publish(topics, topics->transactions, error) &&
              FAULT("capture.files.after-publish", error);
    free(publishing.items);
    if (ok) {
        topics->first_waiting_ns = 0;
        topics->waiting = 0;
        topics->files += files + count;
        topics->bytes += bytes;
    }
    return ok;
}

void topics_rewind(struct topics *topics)
{
    for (size_t i = 0; i < topics->count; i++) {
        struct topic *topic = topics->items[i];
        buffer_clear(&topic->waiting);
        topic->counted = 0;
        topic->next = topic->first_waiting;
        topic->last = topic->durable;
        topic->in_transaction = 0;
    }
    topics->first_waiting_ns = 0;
    topics->waiting = 0;
}

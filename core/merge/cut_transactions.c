/* The cut by source transaction. The transaction topic is read first; its ENDs, in order, are the
 * transactions that may be taken. While the tables' topics are read, their events are counted
 * against what each END says. Transactions come in END order in every topic, so each topic ends at
 * the first event of a transaction that is not among them.
 *
 * A connector that crashed sends transactions again, with their old LSNs. A second END is passed
 * over; events of transactions that ended before are let through, and the merge skips them by
 * position: sequence[0], the commit before an event's own transaction, lies below the last END that
 * was taken. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/change/token.h"
#include "core/merge/cut_parts.h"

enum { OLD_TRANSACTION = UINT32_MAX - 1, NO_TRANSACTION = UINT32_MAX };

/* An END. */
struct ended {
    uint64_t id, lsn;
    int64_t next; /* offset behind it in the transaction topic */
};

/* Events of one transaction in one topic. */
struct expected {
    uint32_t transaction; /* index among the ENDs */
    uint32_t count, seen;
    int32_t partition;
    int64_t highest; /* total_order seen in this partition: repeats come again from below */
};

struct expected_list {
    struct expected *items;       /* in END order */
    size_t count, capacity, last; /* last: found last */
};

/* Transaction id -> index, or OLD_TRANSACTION. Open addressing; id 0 does not occur. */
struct id_table {
    uint64_t *ids;
    uint32_t *indexes;
    size_t slots, used;
};

struct cut_transactions {
    struct ended *ended;
    size_t ended_count, ended_capacity;
    size_t taken; /* the first so many are the batch */
    struct id_table table;
    struct expected_list *expected; /* by topic */
    const char *const *topics;
    size_t topic_count;
    struct map topic_index; /* topic name -> index + 1 */
    char *prefix;           /* "shop." */
    struct buffer name;
    struct cut_state before;
    struct feed_mark mark; /* of the transaction topic's only partition */
    bool has_mark;
    uint64_t max_events, events; /* events of the ENDs so far, in our topics */
    uint64_t loose;              /* records without a transaction taken in this round */
    bool more;
    uint64_t bytes_read;
};

/* ---- ids ---- */

static size_t id_slot(const struct id_table *table, uint64_t id)
{
    size_t slot = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (table->slots - 1);
    while (table->ids[slot] && table->ids[slot] != id)
        slot = (slot + 1) & (table->slots - 1);
    return slot;
}

static uint32_t id_find(const struct id_table *table, uint64_t id)
{
    if (table->slots == 0)
        return NO_TRANSACTION;
    size_t slot = id_slot(table, id);
    return table->ids[slot] ? table->indexes[slot] : NO_TRANSACTION;
}

static bool id_grow(struct id_table *table, struct error *error)
{
    struct id_table grown = {.slots = table->slots ? table->slots * 2 : 1024};
    grown.ids = memory_zero(grown.slots, sizeof *grown.ids, error);
    grown.indexes = memory_zero(grown.slots, sizeof *grown.indexes, error);
    if (grown.ids == NULL || grown.indexes == NULL) {
        free(grown.ids);
        free(grown.indexes);
        return false;
    }
    for (size_t i = 0; i < table->slots; i++) {
        if (table->ids[i] == 0)
            continue;
        size_t slot = id_slot(&grown, table->ids[i]);
        grown.ids[slot] = table->ids[i];
        grown.indexes[slot] = table->indexes[i];
    }
    grown.used = table->used;
    free(table->ids);
    free(table->indexes);
    *table = grown;
    return true;
}

static bool id_put(struct id_table *table, uint64_t id, uint32_t index, struct error *error)
{
    if (table->used * 2 >= table->slots)
        TRY(id_grow(table, error));
    size_t slot = id_slot(table, id);
    table->used += table->ids[slot] == 0;
    table->ids[slot] = id;
    table->indexes[slot] = index;
    return true;
}

/* The number in front of the colon; a hash of anything else. Never 0. */
static uint64_t transaction_id(struct slice text, uint64_t *lsn)
{
    int64_t number;
    struct slice key = change_transaction_key(text, lsn);
    if (token_integer(key, &number) && number > 0)
        return (uint64_t)number;
    return hash_bytes(key.data, key.length, 1) | UINT64_C(1) << 63;
}

/* ---- the transaction topic ---- */

/* The index of the topic that a data collection's events go to; topic_count when it is not ours.
 * Kafka's names hold letters, digits, '.', '_' and '-'; Debezium writes '_' for all else, and one
 * for each UTF-16 unit. */
static bool topic_of(struct cut_transactions *cut, struct slice collection, size_t *topic,
                     struct error *error)
{
    buffer_clear(&cut->name);
    TRY(buffer_append_text(&cut->name, cut->prefix, error));
    for (size_t i = 0; i < collection.length;) {
        unsigned char c = (unsigned char)collection.data[i];
        bool legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '.' || c == '_' || c == '-';
        size_t width = utf8_character_length(collection.data + i, collection.length - i);
        TRY(buffer_append_byte(&cut->name, legal ? c : '_', error));
        if (width == 4)
            TRY(buffer_append_byte(&cut->name, '_', error));
        i += width ? width : 1;
    }
    uintptr_t found = (uintptr_t)map_get(&cut->topic_index, buffer_slice(&cut->name));
    *topic = found ? found - 1 : cut->topic_count;
    return true;
}

static bool add_expected(struct cut_transactions *cut, size_t topic, uint32_t transaction,
                         int64_t count, struct error *error)
{
    struct expected_list *list = &cut->expected[topic];
    if (list->count && list->items[list->count - 1].transaction == transaction) {
        list->items[list->count - 1].count += (uint32_t)count; /* two tables, one topic */
        return true;
    }
    TRY(memory_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items, error));
    list->items[list->count++] = (struct expected){
        .transaction = transaction, .count = (uint32_t)count, .partition = -1, .highest = -1};
    return true;
}

static bool bad_end(struct error *error)
{
    return error_set(error, ERROR_INPUT, NULL,
                     "data_collections of an END is not a list of {data_collection, event_count}");
}

/* One {"data_collection": "public.docs", "event_count": 2}. */
static bool read_collection(struct cursor *j, struct slice *name, bool *escaped, int64_t *count,
                            struct error *error)
{
    bool more;
    token_space(j);
    *name = (struct slice){0};
    *count = -1;
    if (j->at == j->end || *j->at != '{' || !token_enter(j, '}', &more))
        return bad_end(error);
    for (more = !more; more;) {
        struct slice key;
        struct token value;
        bool key_escaped;
        if (!token_name(j, &key, &key_escaped) || !token_value(j, &value) ||
            !token_more(j, '}', &more))
            return bad_end(error);
        if (slice_is(key, "data_collection") &&
            (value.kind == TOKEN_STRING || value.kind == TOKEN_ESCAPED)) {
            *name = value.raw;
            *escaped = value.kind == TOKEN_ESCAPED;
        } else if (slice_is(key, "event_count") && value.kind == TOKEN_INTEGER) {
            if (!token_integer(value.raw, count))
                return bad_end(error);
        }
    }
    return (name->data && *count >= 0 && *count < UINT32_MAX) || bad_end(error);
}

/* Reads what an END counts. With `add` it is noted for transaction `index`; *events sums those of
 * our topics. */
static bool read_collections(struct cut_transactions *cut, const struct change *end, bool add,
                             uint32_t index, uint64_t *events, struct error *error)
{
    struct cursor j = cursor_over(end->data_collections);
    struct buffer plain = {0};
    bool more = false, good = true;
    *events = 0;
    if (end->data_collections.data == NULL)
        return true;
    if (!token_enter(&j, ']', &more))
        return bad_end(error);
    for (more = !more; good && more;) {
        struct slice name;
        bool escaped = false;
        int64_t count;
        size_t topic;
        good = read_collection(&j, &name, &escaped, &count, error);
        buffer_clear(&plain);
        if (good && escaped)
            good = token_unescape(name, &plain, error);
        good = good && topic_of(cut, escaped ? buffer_slice(&plain) : name, &topic, error);
        if (good && topic < cut->topic_count) {
            *events += (uint64_t)count;
            good = !add || count == 0 || add_expected(cut, topic, index, count, error);
        }
        if (good && !token_more(&j, ']', &more))
            good = bad_end(error);
    }
    buffer_destroy(&plain);
    return good;
}

/* Takes an END in; *full when it no longer fits into max_events. */
static bool take_end(struct cut_transactions *cut, const struct change *change, bool *full,
                     struct error *error)
{
    uint64_t lsn, events;
    uint64_t id = transaction_id(change->transaction_id, &lsn);
    uint64_t newest = cut->ended_count ? cut->ended[cut->ended_count - 1].lsn : cut->before.end_lsn;
    uint32_t known = id_find(&cut->table, id);
    if (lsn ? lsn <= newest : known != NO_TRANSACTION)
        return known != NO_TRANSACTION || id_put(&cut->table, id, OLD_TRANSACTION, error);
    TRY(read_collections(cut, change, false, 0, &events, error));
    *full = cut->max_events && cut->ended_count && cut->events + events > cut->max_events;
    if (*full)
        return true;
    if (cut->ended_count >= OLD_TRANSACTION)
        return error_set(error, ERROR_UNSUPPORTED, "merge with --max-events",
                         "more than 4 billion transactions in one batch");
    uint32_t index = (uint32_t)cut->ended_count;
    TRY(read_collections(cut, change, true, index, &events, error));
    TRY(memory_grow(&cut->ended, &cut->ended_capacity, cut->ended_count + 1, sizeof *cut->ended,
                    error));
    cut->ended[cut->ended_count++] =
        (struct ended){.id = id, .lsn = lsn, .next = change->offset + 1};
    cut->events += events;
    return id_put(&cut->table, id, index, error);
}

static bool read_topic(struct cut_transactions *cut, struct feed *feed, struct error *error)
{
    for (;;) {
        struct change change;
        int32_t partition;
        bool end, full = false;
        TRY(feed_next(feed, &change, &partition, &end, error));
        if (end)
            return true;
        if (cut->has_mark && partition != cut->mark.partition)
            return error_set(error, ERROR_UNSUPPORTED, "give the transaction topic one partition",
                             "the transaction topic has records in several partitions");
        if (!cut->has_mark) {
            cut->mark = (struct feed_mark){partition, 0};
            cut->has_mark = true;
        }
        if (change.op != CHANGE_TRANSACTION || !change.transaction_end)
            continue;
        if (!take_end(cut, &change, &full, error)) {
            struct feed_place place = feed_place(feed);
            return error_prefix(error, "file %s, line %" PRIu64 ", offset %" PRId64, place.file,
                                place.line, place.offset);
        }
        if (full) {
            cut->more = true;
            return true;
        }
    }
}

static bool cut_init(struct cut_transactions *cut, const char *topic, struct error *error)
{
    const char *dot = strrchr(topic, '.');
    cut->prefix = memory_copy_slice(slice_make(topic, dot ? (size_t)(dot - topic) + 1 : 0), error);
    TRY(cut->prefix != NULL);
    cut->expected = memory_zero(cut->topic_count, sizeof *cut->expected, error);
    TRY(cut->expected != NULL);
    for (size_t i = 0; i < cut->topic_count; i++)
        TRY(map_put(&cut->topic_index, slice_of(cut->topics[i]), (void *)(uintptr_t)(i + 1),
                    error));
    return true;
}

struct cut_transactions *cut_transactions_open(
    struct store *store, const char *folder, const char *topic, const struct feed_mark *marks,
    size_t mark_count, const struct feed_options *options, const struct cut_state *state,
    const char *const *topics, size_t topic_count, uint64_t max_events, struct error *error)
{
    struct cut_transactions *cut = memory_zero(1, sizeof *cut, error);
    if (cut == NULL)
        return NULL;
    cut->topics = topics;
    cut->topic_count = topic_count;
    cut->before = state ? *state : (struct cut_state){0};
    cut->max_events = max_events;
    if (mark_count) {
        cut->mark = marks[0];
        cut->has_mark = true;
    }
    struct feed *feed = feed_open(store, folder, topic, marks, mark_count, options, error);
    bool good = feed && cut_init(cut, topic, error) && read_topic(cut, feed, error);
    if (feed)
        cut->bytes_read = feed_counters(feed)->bytes_read;
    feed_close(feed);
    cut->taken = cut->ended_count;
    if (good)
        return cut;
    cut_transactions_close(cut);
    return NULL;
}

void cut_transactions_close(struct cut_transactions *cut)
{
    if (cut == NULL)
        return;
    for (size_t i = 0; cut->expected && i < cut->topic_count; i++)
        free(cut->expected[i].items);
    free(cut->expected);
    free(cut->ended);
    free(cut->table.ids);
    free(cut->table.indexes);
    map_destroy(&cut->topic_index);
    free(cut->prefix);
    buffer_destroy(&cut->name);
    free(cut);
}

/* ---- the tables' topics ---- */

/* The entry of a transaction in a topic; NULL when its END does not count this topic. Events of one
 * transaction stand together, those of the next behind them. */
static struct expected *find_expected(struct expected_list *list, uint32_t transaction)
{
    if (list->last < list->count && list->items[list->last].transaction == transaction)
        return &list->items[list->last];
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].transaction < transaction)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == list->count || list->items[low].transaction != transaction)
        return NULL;
    list->last = low;
    return &list->items[low];
}

static void count_event(struct cut_transactions *cut, size_t topic, int32_t partition,
                        uint32_t transaction, int64_t total_order)
{
    struct expected *expected = find_expected(&cut->expected[topic], transaction);
    if (expected == NULL)
        return;
    if (expected->partition != partition) {
        expected->partition = partition;
        expected->highest = -1;
    }
    if (total_order >= 0 && total_order <= expected->highest)
        return; /* a repeat */
    expected->highest = total_order;
    expected->seen++;
}

/* Snapshot rows, tombstones and what else has no transaction. A tombstone goes with its d. */
static void admit_loose(struct cut_transactions *cut, const struct change *change,
                        enum cut_verdict *verdict)
{
    *verdict = CUT_TAKE;
    if (change->op == CHANGE_TOMBSTONE)
        return;
    if (cut->max_events && cut->loose >= cut->max_events) {
        cut->more = true;
        *verdict = CUT_STOP;
        return;
    }
    cut->loose++;
}

bool cut_transactions_admit(struct cut_transactions *cut, size_t topic, int32_t partition,
                            const struct change *change, enum cut_verdict *verdict)
{
    if (change->transaction_id.data == NULL) {
        admit_loose(cut, change, verdict);
        return true;
    }
    uint64_t commit = change->position.seq0 ? change->position.seq0 : change->position.seq1;
    uint32_t transaction = id_find(&cut->table, transaction_id(change->transaction_id, NULL));
    bool ours = transaction < cut->taken;
    bool old = transaction == OLD_TRANSACTION ||
               (!ours && change->has_position && commit < cut->before.end_lsn);
    *verdict = ours || old ? CUT_TAKE : CUT_STOP;
    if (ours)
        count_event(cut, topic, partition, transaction, change->position.total_order);
    return true;
}

bool cut_transactions_decide(struct cut_transactions *cut, char waiting[CUT_WAITING_SIZE])
{
    size_t taken = cut->taken;
    for (size_t topic = 0; topic < cut->topic_count; topic++) {
        const struct expected_list *list = &cut->expected[topic];
        for (size_t i = 0; i < list->count && list->items[i].transaction < taken; i++) {
            const struct expected *expected = &list->items[i];
            if (expected->seen >= expected->count)
                continue;
            taken = expected->transaction;
            snprintf(waiting, CUT_WAITING_SIZE,
                     "transaction %" PRIu64 " has %" PRIu32 " of its %" PRIu32 " events of %s",
                     cut->ended[taken].id, expected->seen, expected->count, cut->topics[topic]);
        }
    }
    if (taken == cut->taken)
        return false;
    cut->taken = taken;
    cut->loose = 0;
    cut->more = false; /* what comes behind waits for the incomplete one */
    for (size_t topic = 0; topic < cut->topic_count; topic++) {
        struct expected_list *list = &cut->expected[topic];
        for (size_t i = 0; i < list->count; i++) {
            list->items[i].seen = 0;
            list->items[i].partition = -1;
            list->items[i].highest = -1;
        }
        list->last = 0;
    }
    return true;
}

bool cut_transactions_more(const struct cut_transactions *cut)
{
    return cut->more;
}

struct cut_state cut_transactions_state(const struct cut_transactions *cut)
{
    struct cut_state state = cut->before;
    if (cut->taken && cut->ended[cut->taken - 1].lsn > state.end_lsn)
        state.end_lsn = cut->ended[cut->taken - 1].lsn;
    return state;
}

struct feed_mark *cut_transactions_marks(struct cut_transactions *cut, size_t *count)
{
    *count = cut->has_mark;
    if (cut->taken)
        cut->mark.next = cut->ended[cut->taken - 1].next;
    return &cut->mark;
}

uint64_t cut_transactions_count(const struct cut_transactions *cut)
{
    return cut->taken;
}

uint64_t cut_transactions_bytes(const struct cut_transactions *cut)
{
    return cut->bytes_read;
}

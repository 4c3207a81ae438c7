/* A batch ends where a source transaction ends: the promises of core/merge/cut.h, on captured
 * topics with crashes in them and on written ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/base/map.h"
#include "core/merge/cut.h"
#include "core/store/store.h"

static char root[64];
static struct error error;

#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

enum { TOPICS_MOST = 16 };

/* A stream as the merge would read it: topics, marks, what each transaction brought so far. */
struct stream {
    struct store *store;
    const char *transactions;
    const char *topics[TOPICS_MOST];
    size_t topic_count;
    struct feed_mark marks[TOPICS_MOST], transaction_mark;
    bool has_transaction_mark;
    struct cut_state state;
    struct map seen; /* "txId/total_order" -> 1 */
    struct arena arena;
    uint64_t records, batches, rounds;
};

static void stream_open(struct stream *stream, const char *uri)
{
    stream->store = store_open(uri, NULL, &error);
    must(stream->store != NULL);
}

static void stream_close(struct stream *stream)
{
    store_close(stream->store);
    map_destroy(&stream->seen);
    arena_destroy(&stream->arena);
}

static struct cut *open_cut(struct stream *stream, uint64_t max_events)
{
    struct feed_options options = {.gap_wait_ms = 0};
    struct cut *cut =
        stream->transactions
            ? cut_open_transactions(stream->store, stream->transactions, stream->transactions,
                                    &stream->transaction_mark, stream->has_transaction_mark,
                                    &options, &stream->state, stream->topics, stream->topic_count,
                                    max_events, &error)
            : cut_open_tables(stream->topic_count, max_events, &error);
    must(cut != NULL);
    return cut;
}

struct round_note {
    uint64_t records;
    struct feed_mark marks[TOPICS_MOST];
    struct map seen;
};

static void note_event(struct stream *stream, struct round_note *note, const struct change *change)
{
    note->records++;
    if (change->transaction_id.data == NULL)
        return;
    struct slice id = change_transaction_key(change->transaction_id, NULL);
    char *text = arena_format(&stream->arena, &error, "%.*s/%" PRId64, SLICE_ARG(id),
                              change->position.total_order);
    must(text != NULL);
    must(map_put(&note->seen, slice_of(text), (void *)1, &error));
}

static void read_topic(struct stream *stream, struct cut *cut, size_t topic,
                       struct round_note *note)
{
    struct feed_options options = {.gap_wait_ms = 0};
    struct feed *feed = feed_open(stream->store, stream->topics[topic], stream->topics[topic],
                                  &stream->marks[topic], 1, &options, &error);
    must(feed != NULL);
    for (;;) {
        struct change change;
        int32_t partition;
        bool end;
        enum cut_verdict verdict;
        must(feed_next(feed, &change, &partition, &end, &error));
        if (end)
            break;
        must(cut_admit(cut, topic, partition, &change, &verdict, &error));
        if (verdict == CUT_STOP)
            feed_stop(feed);
        else
            note_event(stream, note, &change);
    }
    size_t count;
    note->marks[topic] = feed_marks(feed, &count)[0];
    assert_int_equal(count, 1);
    feed_close(feed);
}

/* One batch; returns how many records it took. `more` may be NULL. */
static uint64_t batch(struct stream *stream, uint64_t max_events, bool *more)
{
    struct cut *cut = open_cut(stream, max_events);
    struct round_note note = {0};
    bool again = true;
    while (again) {
        map_destroy(&note.seen);
        note = (struct round_note){0};
        stream->rounds++;
        for (size_t topic = 0; topic < stream->topic_count; topic++)
            read_topic(stream, cut, topic, &note);
        must(cut_decide(cut, &again, &error));
    }
    memcpy(stream->marks, note.marks, sizeof note.marks);
    for (size_t i = 0; i < note.seen.count; i++)
        must(map_put(&stream->seen, note.seen.entries[i].key, (void *)1, &error));
    map_destroy(&note.seen);
    if (stream->transactions) {
        size_t count;
        const struct feed_mark *marks = cut_marks(cut, &count);
        stream->has_transaction_mark = count == 1;
        if (count)
            stream->transaction_mark = marks[0];
        stream->state = cut_state(cut);
    }
    if (more)
        *more = cut_more_waits(cut);
    stream->records += note.records;
    stream->batches++;
    cut_close(cut);
    return note.records;
}

/* In the `replay` capture every transaction on these topics has two accounts and one move, or is a
 * key change: whatever is taken must be whole transactions. */
static void expect_whole_transactions(const struct stream *stream)
{
    struct map counts = {0};
    for (size_t i = 0; i < stream->seen.count; i++) {
        struct slice key = stream->seen.entries[i].key;
        struct slice id = slice_make(
            key.data, (size_t)((const char *)memchr(key.data, '/', key.length) - key.data));
        uintptr_t count = (uintptr_t)map_get(&counts, id);
        must(map_put(&counts, id, (void *)(count + 1), &error));
    }
    for (size_t i = 0; i < counts.count; i++) {
        struct slice id = counts.entries[i].key;
        uintptr_t count = (uintptr_t)counts.entries[i].value;
        /* The highest order tells how many there are. */
        char highest[64];
        snprintf(highest, sizeof highest, "%.*s/%zu", SLICE_ARG(id), (size_t)count);
        assert_non_null(map_get_text(&stream->seen, highest));
        snprintf(highest, sizeof highest, "%.*s/%zu", SLICE_ARG(id), (size_t)count + 1);
        assert_null(map_get_text(&stream->seen, highest));
    }
    map_destroy(&counts);
}

static void replayed_transactions_are_taken_whole_in_any_split(void **state)
{
    (void)state;
    uint64_t all = 0;
    for (uint64_t most = 0; most < 40; most = most ? most * 3 : 1) {
        struct stream stream = {.transactions = "replay.transaction",
                                .topics = {"replay.public.accounts", "replay.public.moves"},
                                .topic_count = 2};
        stream_open(&stream, "tests/fixtures/debezium/replay/objects");
        bool more = true;
        while (more) {
            batch(&stream, most, &more);
            expect_whole_transactions(&stream);
            assert_true(stream.batches < 5000);
        }
        assert_int_equal(batch(&stream, most, &more), 0);
        all = all ? all : stream.records;
        assert_int_equal(stream.records, all);
        assert_true(all > 1000);
        stream_close(&stream);
    }
}

static void every_transaction_of_the_shop_is_complete(void **state)
{
    (void)state;
    struct stream stream = {
        .transactions = "shop.transaction",
        .topics = {"shop.public.types_all", "shop.public.types_more", "shop.public.customers",
                   "shop.public.orders", "shop.public.order_lines", "shop.public.docs",
                   "shop.public.docs_full", "shop.public.audit_nopk", "shop.public.by_index",
                   "shop.public.wiped", "shop.public.wiped_too", "shop.public.evolve",
                   "shop.Sales_Dept.Order_Items", "shop.public.heartbeat"},
        .topic_count = 14};
    stream_open(&stream, "tests/fixtures/debezium/shop/objects");
    bool more;
    uint64_t taken = batch(&stream, 0, &more);
    assert_false(more);
    assert_int_equal(stream.rounds, 1); /* nothing was missing */
    assert_true(taken > 700);
    assert_int_equal(batch(&stream, 0, &more), 0);
    stream_close(&stream);
}

/* ---- written topics ---- */

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/surfboard-cut-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return file_remove_tree(root, &error) ? 0 : -1;
}

/* A topic being written: the file is put anew with each record. */
struct topic {
    const char *name;
    struct buffer text;
    int64_t next;
};

static void put(struct topic *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct topic *topic, const char *format, ...)
{
    char value[2000], path[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    must(buffer_append_format(&topic->text, &error, "{%s,\"offset\":%" PRId64 "}\n", value,
                              topic->next++));
    snprintf(path, sizeof path, "%s/%s/0", root, topic->name);
    must(file_make_folders(path, 0700, &error));
    strcat(path, "/0.jsonl");
    must(file_write_atomic(path, buffer_slice(&topic->text), 0600, &error));
}

static void event(struct topic *topic, char op, int id, int transaction, int order, int commit)
{
    put(topic,
        "\"key\":{\"id\":%d},\"value\":{\"op\":\"%c\",\"before\":null,\"after\":%s,\"source\":"
        "{\"sequence\":\"[\\\"%d\\\",\\\"%d\\\"]\",\"lsn\":%d},\"transaction\":{\"id\":"
        "\"%d:%d\",\"total_order\":%d}}",
        id, op, op == 'd' ? "null" : "{\"id\":1}", commit, commit + order, commit + order,
        transaction, commit + order, order);
}

static void end_of(struct topic *topic, int transaction, int lsn, const char *collections)
{
    put(topic,
        "\"key\":{},\"value\":{\"status\":\"END\",\"id\":\"%d:%d\",\"event_count\":9,"
        "\"data_collections\":%s}",
        transaction, lsn, collections);
}

static void begin_of(struct topic *topic, int transaction)
{
    put(topic,
        "\"key\":{},\"value\":{\"status\":\"BEGIN\",\"id\":\"%d:1\",\"event_count\":null,"
        "\"data_collections\":null}",
        transaction);
}

static struct stream written_stream(bool transactions)
{
    struct stream stream = {.transactions = transactions ? "p.transaction" : NULL,
                            .topics = {"p.s.a", "p.s.b_c"},
                            .topic_count = 2};
    stream_open(&stream, root);
    return stream;
}

static void an_incomplete_transaction_waits(void **state)
{
    (void)state;
    struct topic t = {.name = "p.transaction"}, a = {.name = "p.s.a"}, b = {.name = "p.s.b_c"};
    struct stream stream = written_stream(true);
    begin_of(&t, 7);
    event(&a, 'c', 1, 7, 1, 100);
    event(&b, 'c', 1, 7, 2, 100);
    assert_int_equal(batch(&stream, 0, NULL), 0); /* no END yet */
    event(&a, 'c', 2, 8, 1, 200);
    end_of(&t, 7, 110,
           "[{\"data_collection\":\"s.a\",\"event_count\":1},"
           "{\"event_count\":2,\"data_collection\":\"s.b c\"},"
           "{\"data_collection\":\"s.elsewhere\",\"event_count\":40}]");
    end_of(&t, 8, 210, "[{\"data_collection\":\"s.a\",\"event_count\":1}]");
    struct cut *cut = open_cut(&stream, 0);
    cut_close(cut);
    assert_int_equal(batch(&stream, 0, NULL), 0); /* b's second event is missing */
    event(&b, 'c', 2, 7, 3, 100);
    event(&b, 'c', 3, 9, 1, 300);
    bool more;
    assert_int_equal(batch(&stream, 0, &more), 4);
    assert_false(more);
    assert_int_equal(stream.marks[0].next, 2);
    assert_int_equal(stream.marks[1].next, 2);
    assert_int_equal(stream.state.end_lsn, 210);
    assert_int_equal(stream.transaction_mark.next, 3);
    end_of(&t, 9, 310, "[{\"data_collection\":\"s.b c\",\"event_count\":1}]");
    assert_int_equal(batch(&stream, 0, NULL), 1);
    stream_close(&stream);
    buffer_destroy(&t.text);
    buffer_destroy(&a.text);
    buffer_destroy(&b.text);
}

static void a_large_transaction_is_never_parted(void **state)
{
    (void)state;
    struct topic t = {.name = "p.transaction"}, a = {.name = "p.s.a"}, b = {.name = "p.s.b_c"};
    struct stream stream = written_stream(true);
    event(&b, 'r', 1, 1, 1, 1);
    for (int i = 1; i <= 50; i++)
        event(&a, 'c', i, 7, i, 100);
    event(&a, 'c', 51, 8, 1, 200);
    end_of(&t, 1, 2, "[]");
    end_of(&t, 7, 190, "[{\"data_collection\":\"s.a\",\"event_count\":50}]");
    end_of(&t, 8, 210, "[{\"data_collection\":\"s.a\",\"event_count\":1}]");
    bool more;
    assert_int_equal(batch(&stream, 10, &more), 1);
    assert_true(more);
    assert_int_equal(batch(&stream, 10, &more), 50);
    assert_true(more);
    assert_int_equal(batch(&stream, 10, &more), 1);
    assert_false(more);
    stream_close(&stream);
    buffer_destroy(&t.text);
    buffer_destroy(&a.text);
    buffer_destroy(&b.text);
}

static void repeats_of_taken_transactions_do_not_stop_the_topic(void **state)
{
    (void)state;
    struct topic t = {.name = "p.transaction"}, a = {.name = "p.s.a"}, b = {.name = "p.s.b_c"};
    struct stream stream = written_stream(true);
    const char *one = "[{\"data_collection\":\"s.a\",\"event_count\":1}]";
    const char *three = "[{\"data_collection\":\"s.a\",\"event_count\":3}]";
    event(&b, 'c', 1, 5, 1, 50);
    end_of(&t, 5, 60, "[{\"data_collection\":\"s.b c\",\"event_count\":1}]");
    event(&a, 'c', 1, 6, 1, 60);
    end_of(&t, 6, 100, one);
    event(&a, 'c', 2, 7, 1, 100); /* the connector dies within 7 ... */
    event(&a, 'c', 3, 7, 2, 100);
    assert_int_equal(batch(&stream, 0, NULL), 2);
    event(&a, 'c', 1, 6, 1, 60); /* ... and sends 6 again, then all of 7 */
    end_of(&t, 6, 100, one);
    assert_int_equal(batch(&stream, 0, NULL), 0); /* half of 7 stands in front of it */
    event(&a, 'c', 2, 7, 1, 100);
    event(&a, 'c', 3, 7, 2, 100);
    event(&a, 'c', 4, 7, 3, 100);
    end_of(&t, 7, 200, three);
    end_of(&t, 7, 200, three);
    assert_int_equal(batch(&stream, 0, NULL), 6);
    assert_int_equal(stream.state.end_lsn, 200);
    event(&a, 'c', 4, 7, 3, 100); /* a repeat alone */
    assert_int_equal(batch(&stream, 0, NULL), 1);
    stream_close(&stream);
    buffer_destroy(&t.text);
    buffer_destroy(&a.text);
    buffer_destroy(&b.text);
}

static void snapshot_rows_are_taken_in_portions(void **state)
{
    (void)state;
    struct topic t = {.name = "p.transaction"}, a = {.name = "p.s.a"}, b = {.name = "p.s.b_c"};
    struct stream stream = written_stream(true);
    for (int i = 0; i < 25; i++)
        put(&a,
            "\"key\":{\"id\":%d},\"value\":{\"op\":\"r\",\"after\":{\"id\":%d},\"source\":"
            "{\"lsn\":5},\"transaction\":null}",
            i, i);
    event(&a, 'u', 1, 7, 1, 100);
    event(&b, 'u', 1, 7, 2, 100);
    end_of(&t, 7, 110,
           "[{\"data_collection\":\"s.a\",\"event_count\":1},"
           "{\"data_collection\":\"s.b c\",\"event_count\":1}]");
    bool more;
    assert_int_equal(batch(&stream, 10, &more), 10);
    assert_true(more);
    assert_int_equal(batch(&stream, 10, &more), 10);
    assert_true(more);
    assert_int_equal(batch(&stream, 10, &more), 7);
    assert_false(more);
    stream_close(&stream);
    buffer_destroy(&t.text);
    buffer_destroy(&a.text);
    buffer_destroy(&b.text);
}

static void half(struct topic *topic, char op, int lsn, const char *header)
{
    put(topic,
        "\"key\":{\"id\":1},\"value\":{\"op\":\"%c\",\"before\":null,\"after\":%s,\"source\":"
        "{\"lsn\":%d}},\"headers\":[%s]",
        op, op == 'd' ? "null" : "{\"id\":1}", lsn, header);
}

static void tombstone(struct topic *topic)
{
    put(topic, "\"key\":{\"id\":1},\"value\":null");
}

#define NEW_KEY "{\"key\":\"__debezium.newkey\",\"value\":{\"id\":2}}"
#define OLD_KEY "{\"key\":\"__debezium.oldkey\",\"value\":{\"id\":1}}"

static void a_key_change_is_never_parted(void **state)
{
    (void)state;
    struct topic a = {.name = "p.s.a"}, b = {.name = "p.s.b_c"};
    struct stream stream = written_stream(false);
    half(&b, 'c', 1, "");
    half(&a, 'c', 10, "");
    half(&a, 'd', 20, NEW_KEY);
    assert_int_equal(batch(&stream, 0, NULL), 2); /* the second half is not there yet */
    tombstone(&a);
    assert_int_equal(batch(&stream, 0, NULL), 0);
    half(&a, 'c', 20, OLD_KEY);
    half(&a, 'u', 30, "");
    assert_int_equal(batch(&stream, 0, NULL), 4);
    /* Not by the number of events either, with headers lost. */
    half(&a, 'd', 40, "");
    tombstone(&a);
    half(&a, 'c', 40, "");
    half(&a, 'u', 50, "");
    bool more;
    assert_int_equal(batch(&stream, 1, &more), 3);
    assert_true(more);
    assert_int_equal(batch(&stream, 1, &more), 1);
    assert_false(more);
    /* A plain delete at the end is no half. */
    half(&a, 'd', 60, "");
    tombstone(&a);
    assert_int_equal(batch(&stream, 0, NULL), 2);
    /* A first half that comes again after a crash. */
    half(&a, 'd', 70, NEW_KEY);
    half(&a, 'd', 70, NEW_KEY);
    tombstone(&a);
    half(&a, 'c', 70, OLD_KEY);
    assert_int_equal(batch(&stream, 0, &more), 4);
    assert_false(more);
    stream_close(&stream);
    buffer_destroy(&a.text);
    buffer_destroy(&b.text);
}

static void the_cut_says_what_it_waits_for(void **state)
{
    (void)state;
    struct topic t = {.name = "p.transaction"}, a = {.name = "p.s.a"}, b = {.name = "p.s.b_c"};
    struct stream stream = written_stream(true);
    event(&a, 'c', 1, 7, 1, 100);
    event(&b, 'c', 1, 8, 1, 200);
    end_of(&t, 7, 110, "[{\"data_collection\":\"s.a\",\"event_count\":3}]");
    struct cut *cut = open_cut(&stream, 0);
    struct round_note note = {0};
    bool again;
    read_topic(&stream, cut, 0, &note);
    must(cut_decide(cut, &again, &error));
    assert_true(again);
    assert_string_equal(cut_waiting(cut), "transaction 7 has 1 of its 3 events of p.s.a");
    map_destroy(&note.seen);
    cut_close(cut);
    stream.transactions = "p.absent";
    struct feed_options options = {0};
    assert_null(cut_open_transactions(stream.store, "p.absent", "p.absent", NULL, 0, &options, NULL,
                                      stream.topics, 2, 0, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    stream_close(&stream);
    buffer_destroy(&t.text);
    buffer_destroy(&a.text);
    buffer_destroy(&b.text);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replayed_transactions_are_taken_whole_in_any_split),
        cmocka_unit_test(every_transaction_of_the_shop_is_complete),
        test(an_incomplete_transaction_waits),
        test(a_large_transaction_is_never_parted),
        test(repeats_of_taken_transactions_do_not_stop_the_topic),
        test(snapshot_rows_are_taken_in_portions),
        test(a_key_change_is_never_parted),
        test(the_cut_says_what_it_waits_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

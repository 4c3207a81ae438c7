/* The feed delivers each record of a topic once and in order, whatever became of the files: the
 * promises of core/merge/feed.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/codec/codec.h"
#include "core/merge/feed.h"
#include "core/store/store.h"

static char root[64];
static struct store *store;
static struct error error;

#define must(expression)                                                                           \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fail_msg("%s: %s", #expression, error.message);                                        \
    } while (0)

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/surfboard-feed-XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    error = (struct error){0};
    store = store_open(root, NULL, &error);
    return store && file_make_folders(root, 0700, &error) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    return file_remove_tree(root, &error) ? 0 : -1;
}

static void line_of(struct buffer *out, int64_t offset, const char *tag)
{
    must(buffer_append_format(out, &error,
                              "{\"key\":{\"id\":%lld},\"value\":{\"before\":null,\"after\":"
                              "{\"id\":%lld,\"v\":\"%s\"},\"source\":{\"lsn\":%lld},\"op\":\"c\","
                              "\"ts_ms\":1},\"offset\":%lld,\"timestamp\":1,\"headers\":[]}",
                              (long long)offset, (long long)offset, tag, (long long)offset + 100,
                              (long long)offset));
}

/* Records from .. to - 1, lines parted by newlines, none behind the last. */
static void records(struct buffer *out, int64_t from, int64_t to)
{
    for (int64_t i = from; i < to; i++) {
        if (out->length)
            must(buffer_append_byte(out, '\n', &error));
        line_of(out, i, "x");
    }
}

static void write_bytes(const char *name, struct slice bytes, int age_s)
{
    char path[256];
    snprintf(path, sizeof path, "%s/t/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    must(file_make_folders(path, 0700, &error));
    *slash = '/';
    must(file_write_atomic(path, bytes, 0600, &error));
    struct timespec now, times[2];
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= age_s;
    times[0] = times[1] = now;
    assert_int_equal(utimensat(0, path, times, 0), 0);
}

static void write_records(const char *name, int64_t from, int64_t to)
{
    struct buffer text = {0}, packed = {0};
    records(&text, from, to);
    enum codec codec = strstr(name, ".gz")    ? CODEC_GZIP
                       : strstr(name, ".zst") ? CODEC_ZSTD
                                              : CODEC_NONE;
    if (codec == CODEC_NONE)
        write_bytes(name, buffer_slice(&text), 100);
    else {
        must(codec_compress(NULL, codec, 0, buffer_slice(&text), &packed, &error));
        write_bytes(name, buffer_slice(&packed), 100);
    }
    buffer_destroy(&text);
    buffer_destroy(&packed);
}

static struct feed *open_feed(int64_t next, bool accept)
{
    struct feed_mark mark = {0, next};
    struct feed_options options = {.accept_gaps = accept, .gap_wait_ms = 0};
    struct feed *feed = feed_open(store, "t", "t", &mark, 1, &options, &error);
    must(feed != NULL);
    return feed;
}

/* Reads to the end; the offsets must be from .. to - 1 in one partition. */
static void expect_offsets(struct feed *feed, int64_t from, int64_t to)
{
    struct change change;
    int32_t partition;
    bool end;
    for (int64_t i = from;; i++) {
        must(feed_next(feed, &change, &partition, &end, &error));
        if (end) {
            assert_int_equal(i, to);
            break;
        }
        assert_int_equal(change.offset, i);
        assert_int_equal(partition, 0);
    }
    size_t count;
    const struct feed_mark *marks = feed_marks(feed, &count);
    assert_int_equal(count, 1);
    assert_int_equal(marks[0].next, to);
}

static void read_all(int64_t next, int64_t to)
{
    struct feed *feed = open_feed(next, false);
    expect_offsets(feed, next, to);
    feed_close(feed);
}

/* Reads until it fails; returns the offset expected next. */
static int64_t read_until_failure(struct feed *feed)
{
    struct change change;
    int32_t partition;
    bool end = false;
    while (feed_next(feed, &change, &partition, &end, &error))
        assert_false(end);
    size_t count;
    return feed_marks(feed, &count)[0].next;
}

static void plain_gzip_and_zstd_files_are_read_in_order(void **state)
{
    (void)state;
    write_records("0/00000000000000000000.jsonl", 0, 10);
    write_records("0/00000000000000000010.jsonl.gz", 10, 5000);
    write_records("0/00000000000000005000.jsonl.zst", 5000, 9000);
    read_all(0, 9000);
    read_all(10, 9000);
    read_all(4321, 9000);
    read_all(9000, 9000);
    struct feed *feed = open_feed(0, false);
    expect_offsets(feed, 0, 9000);
    assert_true(feed_counters(feed)->bytes_read > 1000);
    assert_int_equal(feed_counters(feed)->records, 9000);
    feed_close(feed);
}

static void files_in_the_topic_s_folder_are_partition_0(void **state)
{
    (void)state;
    write_records("00000000000000000000.jsonl", 0, 3);
    write_records("t-0-3.jsonl.gz", 3, 6);
    write_bytes("_capture.json", SLICE_LITERAL("{}"), 0);
    write_bytes(".hidden.jsonl", SLICE_LITERAL("{}"), 0);
    read_all(0, 6);
}

static void partitions_come_one_after_the_other(void **state)
{
    (void)state;
    write_records("10/0.jsonl", 0, 2);
    write_records("2/0.jsonl", 5, 7);
    write_records("partition=0/0.jsonl", 0, 1);
    struct feed_mark marks[] = {{2, 5}, {7, 4}};
    struct feed_options options = {.gap_wait_ms = 0};
    struct feed *feed = feed_open(store, "t", "t", marks, 2, &options, &error);
    must(feed != NULL);
    static const struct feed_mark wanted[] = {{0, 0}, {2, 5}, {2, 6}, {10, 0}, {10, 1}};
    struct change change;
    int32_t partition;
    bool end;
    for (size_t i = 0; i < 5; i++) {
        must(feed_next(feed, &change, &partition, &end, &error));
        assert_false(end);
        assert_int_equal(partition, wanted[i].partition);
        assert_int_equal(change.offset, wanted[i].next);
    }
    must(feed_next(feed, &change, &partition, &end, &error));
    assert_true(end);
    size_t count;
    const struct feed_mark *after = feed_marks(feed, &count);
    assert_int_equal(count, 4);
    assert_int_equal(after[1].next, 7);
    assert_int_equal(after[2].partition, 7);
    assert_int_equal(after[2].next, 4);
    feed_close(feed);
}

static void overlapping_and_repeated_files_tell_each_offset_once(void **state)
{
    (void)state;
    write_records("0/0.jsonl", 0, 60);
    write_records("0/40.jsonl", 40, 51); /* within the first */
    write_records("0/50.jsonl", 50, 70);
    write_records("0/50-again.jsonl", 50, 70);
    write_records("0/60.jsonl", 55, 80); /* its name lies */
    for (int64_t from = 0; from <= 80; from++)
        read_all(from, 80);
}

static void an_older_file_may_have_grown(void **state)
{
    (void)state;
    write_records("0/0.jsonl", 0, 60);
    write_records("0/40.jsonl", 40, 51);
    read_all(51, 60);
    write_records("0/100.jsonl", 60, 65);
    read_all(51, 65);
    write_records("0/0.jsonl", 0, 20); /* and shrunk */
    read_all(65, 65);
}

static void names_are_hints_only(void **state)
{
    (void)state;
    write_records("0/500.jsonl", 0, 10);
    write_records("0/0.jsonl", 10, 20);
    write_records("0/zz.jsonl", 20, 30);
    for (int64_t from = 0; from <= 30; from++)
        read_all(from, 30);
}

static void a_gap_between_files_stops(void **state)
{
    (void)state;
    write_records("0/0.jsonl", 0, 10);
    write_records("0/12.jsonl", 12, 20);
    struct feed *feed = open_feed(0, false);
    assert_int_equal(read_until_failure(feed), 10);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "offsets 10 to 11 are missing"));
    assert_non_null(strstr(error.message, "0/12.jsonl"));
    assert_non_null(strstr(error.remedy, "on_gap"));
    struct slice line;
    assert_false(feed_skip_bad(feed, &line));
    feed_close(feed);
}

static void a_gap_is_accepted_and_counted_on_request(void **state)
{
    (void)state;
    write_records("0/0.jsonl", 3, 10);
    write_records("0/12.jsonl", 12, 14);
    struct feed *feed = open_feed(0, true);
    struct change change;
    int32_t partition;
    bool end = false;
    int64_t count = 0, sum = 0;
    for (;;) {
        must(feed_next(feed, &change, &partition, &end, &error));
        if (end)
            break;
        count++;
        sum += change.offset;
    }
    assert_int_equal(count, 9);
    assert_int_equal(sum, 3 + 4 + 5 + 6 + 7 + 8 + 9 + 12 + 13);
    assert_int_equal(feed_counters(feed)->gaps, 1);
    /* ... and not the first file's: it is named by what it begins at */
    feed_close(feed);
}

static void gaps_inside_a_file_are_legal(void **state)
{
    (void)state;
    struct buffer text = {0};
    records(&text, 0, 3);
    records(&text, 7, 9);
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    struct feed *feed = open_feed(0, false);
    struct change change;
    int32_t partition;
    bool end = false;
    int64_t last = -1;
    for (;;) {
        must(feed_next(feed, &change, &partition, &end, &error));
        if (end)
            break;
        last = change.offset;
    }
    assert_int_equal(last, 8);
    assert_int_equal(feed_counters(feed)->gaps, 0);
    feed_close(feed);
}

static void offsets_that_go_back_over_a_gap_are_refused(void **state)
{
    (void)state;
    struct buffer text = {0};
    records(&text, 0, 3);
    records(&text, 7, 9);
    records(&text, 4, 5);
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    struct feed *feed = open_feed(0, false);
    read_until_failure(feed);
    assert_non_null(strstr(error.message, "goes back"));
    feed_close(feed);
}

static void a_file_of_two_overlapping_ones_is_fine(void **state)
{
    (void)state;
    struct buffer text = {0};
    records(&text, 0, 10);
    records(&text, 5, 15);
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    read_all(0, 15);
}

static void check_torn(const char *name, enum codec codec, size_t cut)
{
    struct buffer text = {0}, packed = {0};
    records(&text, 0, 200);
    must(codec_compress(NULL, codec, 0, buffer_slice(&text), &packed, &error));
    write_bytes(name, slice_make(packed.data, packed.length - cut), 100);
    struct feed *feed = open_feed(0, true); /* accepting gaps does not accept a torn end */
    int64_t next = read_until_failure(feed);
    assert_true(next <= 199);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "ends in the middle of a record"));
    feed_close(feed);
    write_bytes(name, buffer_slice(&packed), 100);
    read_all(next, 200);
    buffer_destroy(&text);
    buffer_destroy(&packed);
}

static void a_torn_end_is_no_end(void **state)
{
    (void)state;
    /* Cut anywhere in the last record. */
    for (size_t cut = 1; cut < 120; cut += 7)
        check_torn("0/0.jsonl", CODEC_NONE, cut);
    write_bytes("0/0.jsonl", SLICE_LITERAL(""), 100);
    check_torn("0/0.jsonl.gz", CODEC_GZIP, 3);
    check_torn("0/0.jsonl.gz", CODEC_GZIP, 40);
    write_bytes("0/0.jsonl.gz", SLICE_LITERAL(""), 100);
    check_torn("0/0.jsonl.zst", CODEC_ZSTD, 1);
}

static void a_torn_file_is_made_good_by_another(void **state)
{
    (void)state;
    struct buffer text = {0};
    records(&text, 0, 20);
    write_bytes("0/0.jsonl", slice_make(text.data, text.length - 5), 100);
    buffer_destroy(&text);
    write_records("0/19.jsonl", 19, 25);
    read_all(0, 25);
    read_all(24, 25);
}

static void a_bad_line_is_named_and_can_be_skipped(void **state)
{
    (void)state;
    struct buffer text = {0};
    records(&text, 0, 2);
    must(buffer_append_text(&text, "\n\r\n{\"key\":nonsense}\n", &error));
    line_of(&text, 3, "x");
    must(buffer_append_text(&text, "\n{\"offset\":4}", &error));
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    write_records("0/5.jsonl", 5, 7);
    struct feed *feed = open_feed(0, false);
    assert_int_equal(read_until_failure(feed), 2);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "t/0/0.jsonl, line 4 (byte "));
    assert_non_null(strstr(error.message, "offset 2)"));
    assert_int_equal(read_until_failure(feed), 2); /* stays failed until it is skipped */
    struct slice line;
    assert_true(feed_skip_bad(feed, &line));
    assert_true(slice_is(line, "{\"key\":nonsense}"));
    assert_int_equal(read_until_failure(feed), 4);
    assert_non_null(strstr(error.message, "has no value"));
    assert_true(feed_skip_bad(feed, &line));
    expect_offsets(feed, 5, 7);
    feed_close(feed);
    read_all(4 + 1, 7);
}

static void a_line_too_many_does_not_cost_a_record(void **state)
{
    (void)state;
    struct buffer text = {0};
    records(&text, 0, 2);
    must(buffer_append_text(&text, "\ngarbage", &error));
    records(&text, 2, 5);
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    struct feed *feed = open_feed(0, false);
    assert_int_equal(read_until_failure(feed), 2);
    struct slice line;
    assert_true(feed_skip_bad(feed, &line));
    expect_offsets(feed, 2, 5);
    feed_close(feed);
    read_all(3, 5); /* the garbage lies behind the mark */
}

static void a_stop_takes_the_last_record_back(void **state)
{
    (void)state;
    write_records("0/0.jsonl", 0, 10);
    write_records("1/0.jsonl", 0, 10);
    struct feed_options options = {.gap_wait_ms = 0};
    struct feed *feed = feed_open(store, "t", "t", NULL, 0, &options, &error);
    must(feed != NULL);
    must(feed_set_limit(feed, 1, 4, &error));
    struct change change;
    int32_t partition;
    bool end = false;
    int64_t taken[2] = {0, 0};
    for (;;) {
        must(feed_next(feed, &change, &partition, &end, &error));
        if (end)
            break;
        if (partition == 0 && change.offset == 6)
            feed_stop(feed);
        else
            taken[partition]++;
    }
    size_t count;
    const struct feed_mark *marks = feed_marks(feed, &count);
    assert_int_equal(count, 2);
    assert_int_equal(marks[0].next, 6);
    assert_int_equal(marks[1].next, 4);
    assert_int_equal(taken[0], 6);
    assert_int_equal(taken[1], 4);
    feed_close(feed);
}

static void bom_crlf_and_blank_lines_are_stepped_over(void **state)
{
    (void)state;
    struct buffer text = {0};
    must(buffer_append_text(&text, "\xEF\xBB\xBF", &error));
    line_of(&text, 0, "x");
    must(buffer_append_text(&text, "\r\n\r\n \t\n", &error));
    line_of(&text, 1, "x");
    must(buffer_append_text(&text, "\r\n", &error));
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    read_all(0, 2);
}

static void lines_longer_than_a_chunk_are_read(void **state)
{
    (void)state;
    struct buffer text = {0};
    char *long_text = malloc(3000001);
    memset(long_text, 'y', 3000000);
    long_text[3000000] = '\0';
    records(&text, 0, 3);
    must(buffer_append_byte(&text, '\n', &error));
    line_of(&text, 3, long_text);
    records(&text, 4, 6);
    free(long_text);
    write_bytes("0/0.jsonl", buffer_slice(&text), 0);
    buffer_destroy(&text);
    read_all(0, 6);
}

static void an_absent_topic_is_not_an_empty_one(void **state)
{
    (void)state;
    assert_null(feed_open(store, "absent", "absent", NULL, 0, NULL, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    char path[128];
    snprintf(path, sizeof path, "%s/t", root);
    must(file_make_folders(path, 0700, &error));
    struct feed *feed = open_feed(0, false);
    expect_offsets(feed, 0, 0);
    feed_close(feed);
    write_records("other/0.jsonl", 0, 1);
    assert_null(feed_open(store, "t", "t", NULL, 0, NULL, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "no partition"));
}

static void a_file_that_vanishes_or_shrinks_is_no_end(void **state)
{
    (void)state;
    write_records("0/0.jsonl", 0, 10);
    write_records("0/10.jsonl", 10, 30000);
    struct feed *feed = open_feed(0, false);
    char path[128];
    snprintf(path, sizeof path, "%s/t/0/10.jsonl", root);
    struct change change;
    int32_t partition;
    bool end = false;
    while (feed_next(feed, &change, &partition, &end, &error) && change.offset < 20)
        assert_false(end);
    assert_int_equal(truncate(path, 100), 0);
    int64_t next = read_until_failure(feed);
    assert_true(next > 20 && next < 30000);
    assert_non_null(strstr(error.message, "ends in the middle"));
    feed_close(feed);

    feed = open_feed(0, false);
    assert_int_equal(unlink(path), 0);
    expect_offsets(feed, 0, 10);
    feed_close(feed);
}

static void damaged_compression_is_bad_input(void **state)
{
    (void)state;
    struct buffer text = {0}, packed = {0};
    records(&text, 0, 2000);
    must(codec_compress(NULL, CODEC_GZIP, 0, buffer_slice(&text), &packed, &error));
    memset(packed.data + packed.length / 2, 0x55, 64);
    write_bytes("0/0.jsonl.gz", buffer_slice(&packed), 100);
    struct feed *feed = open_feed(0, false);
    read_until_failure(feed);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "t/0/0.jsonl.gz"));
    feed_close(feed);
    buffer_destroy(&text);
    buffer_destroy(&packed);
}

static void a_watch_wakes_for_new_files_and_folders(void **state)
{
    (void)state;
    char topic[128];
    snprintf(topic, sizeof topic, "%s/t", root);
    must(file_make_folders(topic, 0700, &error));
    const char *folders[] = {topic};
    bool woken;
    struct feed_watch *watch = feed_watch_open(folders, 1, &error);
    must(watch != NULL);
    must(feed_watch_wait(watch, 0, &woken, &error));
    assert_false(woken);
    write_records("0/0.jsonl", 0, 1);
    must(feed_watch_wait(watch, 5000, &woken, &error));
    assert_true(woken);
    while (woken)
        must(feed_watch_wait(watch, 0, &woken, &error));
    write_records("0/1.jsonl", 1, 2);
    must(feed_watch_wait(watch, 5000, &woken, &error));
    assert_true(woken);
    feed_watch_close(watch);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        test(plain_gzip_and_zstd_files_are_read_in_order),
        test(files_in_the_topic_s_folder_are_partition_0),
        test(partitions_come_one_after_the_other),
        test(overlapping_and_repeated_files_tell_each_offset_once),
        test(an_older_file_may_have_grown),
        test(names_are_hints_only),
        test(a_gap_between_files_stops),
        test(a_gap_is_accepted_and_counted_on_request),
        test(gaps_inside_a_file_are_legal),
        test(offsets_that_go_back_over_a_gap_are_refused),
        test(a_file_of_two_overlapping_ones_is_fine),
        test(a_torn_end_is_no_end),
        test(a_torn_file_is_made_good_by_another),
        test(a_bad_line_is_named_and_can_be_skipped),
        test(a_line_too_many_does_not_cost_a_record),
        test(a_stop_takes_the_last_record_back),
        test(bom_crlf_and_blank_lines_are_stepped_over),
        test(lines_longer_than_a_chunk_are_read),
        test(an_absent_topic_is_not_an_empty_one),
        test(a_file_that_vanishes_or_shrinks_is_no_end),
        test(damaged_compression_is_bad_input),
        test(a_watch_wakes_for_new_files_and_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

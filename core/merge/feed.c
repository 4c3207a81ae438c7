#include "core/merge/feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/merge/feed_file.h"
#include "core/merge/feed_list.h"
#include "core/store/store.h"

enum {
    NEAR = 64,     /* files before and behind that are searched for missing offsets */
    POLL_MS = 250, /* while waiting for a gap to close */
    VANISHED_MOST = 5
};
static const int64_t gap_wait_default = 30000;
/* How much of the older files is read again in search of missing offsets: at a gap, at the end of a
 * topic whose mark stood inside a file, at any other end. */
static const uint64_t again_at_gap = UINT64_C(1) << 30, again_inside = UINT64_C(1) << 26,
                      again_at_end = UINT64_C(1) << 23;

struct feed_part {
    int32_t partition;
    int64_t next, limit;
    bool done;
    bool waited;  /* for what is missing at `next` */
    bool started; /* a record was delivered */
    bool inside;  /* the first one stood in the middle of its file */
    /* A file that ended in the middle of the record at `torn`; -1: none. */
    int64_t torn, torn_written_ms;
    bool shrunk; /* it lost what it had while it was read */
    char *torn_file;
};

struct feed {
    struct store *store;
    char *folder, *topic;
    struct feed_options options;
    struct change_scanner *scanner;
    struct feed_list list;
    struct feed_part *parts; /* by partition */
    size_t part_count, part_capacity, part;
    struct feed_mark *marks; /* what feed_marks() hands out */
    size_t mark_capacity;
    struct feed_counters counters;

    struct feed_file file;
    size_t entry;           /* the open one; SIZE_MAX: none */
    int64_t before;         /* offset of the record before in this file, told or guessed; -1 */
    int64_t first, highest; /* of this file; -1: no record yet */
    bool jumped;            /* its offsets left some out */
    bool bad_at_end;        /* the line read last was bad, and skipped */
    unsigned vanished;

    struct slice line;
    struct buffer place_file;
    struct feed_place place;
    bool bad_line;        /* feed_next() failed on one */
    struct error failure; /* kind != NONE: repeated until it is skipped */
};

/* ---- opening ---- */

static int compare_parts(const void *left, const void *right)
{
    const struct feed_part *a = left, *b = right;
    return (a->partition > b->partition) - (a->partition < b->partition);
}

static bool add_part(struct feed *feed, int32_t partition, int64_t next, struct error *error)
{
    TRY(memory_grow(&feed->parts, &feed->part_capacity, feed->part_count + 1, sizeof *feed->parts,
                    error));
    TRY(memory_grow(&feed->marks, &feed->mark_capacity, feed->part_count + 1, sizeof *feed->marks,
                    error));
    feed->parts[feed->part_count++] =
        (struct feed_part){.partition = partition, .next = next, .limit = INT64_MAX, .torn = -1};
    return true;
}

static struct feed_part *find_part(struct feed *feed, int32_t partition)
{
    for (size_t i = 0; i < feed->part_count; i++) {
        if (feed->parts[i].partition == partition)
            return &feed->parts[i];
    }
    return NULL;
}

/* Partitions that have files but no mark begin at 0. The current one stays the current one. */
static bool add_listed_parts(struct feed *feed, struct error *error)
{
    int32_t current = feed->counters.files ? feed->parts[feed->part].partition : -1;
    for (size_t i = 0; i < feed->list.count; i++) {
        if (find_part(feed, feed->list.entries[i].partition) == NULL)
            TRY(add_part(feed, feed->list.entries[i].partition, 0, error));
    }
    if (feed->part_count)
        qsort(feed->parts, feed->part_count, sizeof *feed->parts, compare_parts);
    for (size_t i = 0; current >= 0 && i < feed->part_count; i++) {
        if (feed->parts[i].partition == current)
            feed->part = i;
    }
    return true;
}

static bool list_again(struct feed *feed, struct error *error)
{
    struct feed_list fresh;
    TRY(feed_list_read(feed->store, feed->folder, feed->topic, &feed->list, &fresh, error));
    feed_list_destroy(&feed->list);
    feed->list = fresh;
    return add_listed_parts(feed, error);
}

static bool feed_init(struct feed *feed, const char *folder, const char *topic,
                      const struct feed_mark *marks, size_t mark_count, struct error *error)
{
    feed->folder = memory_copy_text(folder, error);
    feed->topic = memory_copy_text(topic, error);
    TRY(feed->folder != NULL && feed->topic != NULL);
    feed->scanner = change_scanner_create_with(feed->options.lanes, error);
    TRY(feed->scanner != NULL);
    for (size_t i = 0; i < mark_count; i++)
        TRY(add_part(feed, marks[i].partition, marks[i].next, error));
    return list_again(feed, error);
}

struct feed *feed_open(struct store *store, const char *folder, const char *topic,
                       const struct feed_mark *marks, size_t mark_count,
                       const struct feed_options *options, struct error *error)
{
    struct feed *feed = memory_zero(1, sizeof *feed, error);
    if (feed == NULL)
        return NULL;
    feed->store = store;
    feed->entry = SIZE_MAX;
    feed->options = options ? *options : (struct feed_options){.gap_wait_ms = -1};
    if (feed->options.gap_wait_ms < 0)
        feed->options.gap_wait_ms = gap_wait_default;
    if (feed_init(feed, folder, topic, marks, mark_count, error))
        return feed;
    feed_close(feed);
    return NULL;
}

void feed_close(struct feed *feed)
{
    if (feed == NULL)
        return;
    feed_file_destroy(&feed->file);
    feed_list_destroy(&feed->list);
    change_scanner_destroy(feed->scanner);
    buffer_destroy(&feed->place_file);
    for (size_t i = 0; i < feed->part_count; i++)
        free(feed->parts[i].torn_file);
    free(feed->parts);
    free(feed->marks);
    free(feed->folder);
    free(feed->topic);
    free(feed);
}

/* ---- choosing the next file ---- */

/* What the search for the record at `next` came to. */
struct search {
    size_t take;     /* the entry to read; SIZE_MAX: none */
    int64_t blocked; /* the lowest first offset beyond `next`; INT64_MAX: none */
    size_t blocked_entry;
};

static bool is_candidate(const struct feed_entry *entry, int64_t next)
{
    return !entry->read && (entry->first < 0 || entry->first <= next);
}

/* The entries of a partition are list.entries[*low .. *high); *base is the last one that is named
 * by an offset not beyond `next` (*low when there is none). */
static void part_range(const struct feed *feed, const struct feed_part *part, size_t *low,
                       size_t *base, size_t *high)
{
    const struct feed_entry *entries = feed->list.entries;
    *low = 0;
    while (*low < feed->list.count && entries[*low].partition < part->partition)
        ++*low;
    *high = *base = *low;
    while (*high < feed->list.count && entries[*high].partition == part->partition) {
        if (entries[*high].hint >= 0 && entries[*high].hint <= part->next)
            *base = *high;
        ++*high;
    }
    /* Others of that name tell the same offsets. */
    while (*base > *low && entries[*base - 1].hint == entries[*base].hint)
        --*base;
}

/* Files in the order of their names from the base on; those beyond a gap are looked into, a few, in
 * case that the names are wrong. */
static void search_forward(const struct feed *feed, const struct feed_part *part, size_t base,
                           size_t high, struct search *out)
{
    size_t looked = 0;
    for (size_t i = base; i < high; i++) {
        const struct feed_entry *entry = &feed->list.entries[i];
        if (out->take == SIZE_MAX && looked < NEAR && is_candidate(entry, part->next))
            out->take = i;
        if (entry->read || entry->first <= part->next || entry->first == INT64_MAX)
            continue;
        looked++;
        if (entry->first < out->blocked) {
            out->blocked = entry->first;
            out->blocked_entry = i;
        }
    }
}

/* Older files, the nearest first: one of them may have grown over what its name covers. */
static void search_backward(const struct feed *feed, const struct feed_part *part, size_t low,
                            size_t base, struct search *out)
{
    const struct feed_entry *entries = feed->list.entries;
    uint64_t budget = out->blocked != INT64_MAX ? again_at_gap
                      : part->inside            ? again_inside
                                                : again_at_end;
    uint64_t size = 0;
    for (size_t back = 1; back <= NEAR && base - low >= back; back++) {
        const struct feed_entry *entry = &entries[base - back];
        size += entry->size;
        bool worth = size <= budget || entry->modified_ms > entries[base].modified_ms;
        if (worth && is_candidate(entry, part->next)) {
            out->take = base - back;
            return;
        }
    }
}

static struct search search(const struct feed *feed, const struct feed_part *part)
{
    size_t low, base, high;
    struct search out = {SIZE_MAX, INT64_MAX, SIZE_MAX};
    part_range(feed, part, &low, &base, &high);
    search_forward(feed, part, base, high, &out);
    if (out.take == SIZE_MAX && base < high)
        search_backward(feed, part, low, base, &out);
    return out;
}

/* Sleeps a little, then lists again. False also when a signal came. */
static bool wait_a_little(struct feed *feed, int64_t left_ms, struct error *error)
{
    if (left_ms > 0 && !clock_sleep_ms(left_ms < POLL_MS ? left_ms : POLL_MS))
        return error_set(error, ERROR_INTERRUPTED, NULL, "interrupted while waiting for topic %s",
                         feed->topic);
    return list_again(feed, error);
}

/* Waits until gap_wait_ms have passed since a file was written, or there is something to read. */
static bool wait_for_more(struct feed *feed, int64_t written, struct error *error)
{
    struct feed_part *part;
    int64_t now = clock_now_ms();
    int64_t wait = feed->options.gap_wait_ms - (now > written ? now - written : 0);
    int64_t until = clock_monotonic_ns() + (wait > 0 ? wait : 0) * 1000000;
    do {
        TRY(wait_a_little(feed, (until - clock_monotonic_ns()) / 1000000, error));
        part = &feed->parts[feed->part];
        if (search(feed, part).take != SIZE_MAX)
            return true;
    } while (clock_monotonic_ns() < until);
    part->waited = true;
    return true;
}

static bool fail_gap(struct feed *feed, const struct feed_part *part, const struct search *found,
                     struct error *error)
{
    error_set(error, ERROR_INPUT, NULL,
              "topic %s, partition %d: offsets %" PRId64 " to %" PRId64
              " are missing: the next file, %s, begins at offset %" PRId64,
              feed->topic, part->partition, part->next, found->blocked - 1,
              feed->list.entries[found->blocked_entry].key, found->blocked);
    return error_remedy(error, "bring the missing file; or go on without these records with "
                               "on_gap: accept (--on-gap accept), and verify the table");
}

static bool fail_torn(struct feed *feed, const struct feed_part *part, struct error *error)
{
    error_set(error, ERROR_INPUT, NULL,
              "topic %s, partition %d: file %s ends in the middle of a record, behind offset "
              "%" PRId64,
              feed->topic, part->partition, part->torn_file, part->next - 1);
    return error_remedy(error, "wait until it is written to its end, or bring it whole; everything "
                               "before it can be merged");
}

static bool open_file(struct feed *feed, size_t index, struct error *error)
{
    struct feed_entry *entry = &feed->list.entries[index];
    TRY(feed_file_open(&feed->file, feed->store, entry->key, entry->codec, error));
    feed->entry = index;
    feed->before = feed->first = feed->highest = -1;
    feed->jumped = feed->bad_at_end = false;
    feed->counters.files++;
    buffer_clear(&feed->place_file);
    return buffer_append_text(&feed->place_file, entry->key, error) &&
           buffer_text(&feed->place_file, error) != NULL;
}

/* Nothing has the record at `next`: an end, a torn end, or a gap. *again: search once more. */
static bool nothing_found(struct feed *feed, const struct search *found, bool *again,
                          struct error *error)
{
    struct feed_part *part = &feed->parts[feed->part];
    bool gap = found->blocked != INT64_MAX, torn = part->torn == part->next;
    *again = gap || torn;
    if (!*again)
        return true;
    const struct feed_entry *entry = gap ? &feed->list.entries[found->blocked_entry] : NULL;
    if (gap && !torn &&
        entry->hint == part->next) { /* named by `next`: what is missing never was */
        part->next = found->blocked;
        return true;
    }
    if (!part->waited)
        return wait_for_more(feed, torn ? part->torn_written_ms : entry->modified_ms, error);
    if (!gap)
        return fail_torn(feed, part, error);
    if (!feed->options.accept_gaps)
        return torn ? fail_torn(feed, part, error) : fail_gap(feed, part, found, error);
    feed->counters.gaps++;
    part->next = found->blocked;
    part->waited = false;
    return true;
}

/* Opens the file that holds the record at `next`, or the nearest behind it. *found false: the
 * partition is at its end. */
static bool seek(struct feed *feed, bool *found, struct error *error)
{
    for (;;) {
        struct search result = search(feed, &feed->parts[feed->part]);
        bool again = true;
        *found = result.take != SIZE_MAX;
        if (!*found) {
            TRY(nothing_found(feed, &result, &again, error));
            if (!again)
                return true;
            continue;
        }
        struct error problem = {0};
        if (open_file(feed, result.take, &problem))
            return true;
        if (problem.kind != ERROR_NOT_FOUND || ++feed->vanished > VANISHED_MOST) {
            if (error)
                *error = problem;
            return error_prefix(error, "topic %s", feed->topic);
        }
        TRY(list_again(feed, error)); /* it vanished since it was listed */
    }
}

/* ---- records ---- */

static struct feed_entry *open_entry(struct feed *feed)
{
    return &feed->list.entries[feed->entry];
}

/* The open file told what it has. */
static void close_entry(struct feed *feed)
{
    struct feed_entry *entry = open_entry(feed);
    struct feed_part *part = &feed->parts[feed->part];
    if (feed->bad_at_end && feed->before >= part->next)
        part->next = feed->before + 1; /* bad lines count as the records they should have been */
    entry->read = true;
    entry->last = feed->highest;
    if (entry->first < 0)
        entry->first = INT64_MAX;
    if (part->torn_file && !part->shrunk && strcmp(part->torn_file, entry->key) == 0)
        part->torn = -1; /* it was, and is whole now */
    feed_file_close(&feed->file);
    feed->entry = SIZE_MAX;
}

/* It ended in the middle of a record, which may be one that is still wanted. */
static bool close_torn(struct feed *feed, bool shrunk, struct error *error)
{
    const struct feed_entry entry = *open_entry(feed);
    struct feed_part *part = &feed->parts[feed->part];
    bool wanted = feed->highest >= 0 ? feed->highest + 1 >= part->next
                                     : entry.hint < 0 || entry.hint >= part->next;
    feed->bad_at_end = false;
    close_entry(feed);
    if (!wanted && !shrunk)
        return true;
    free(part->torn_file);
    part->torn_file = memory_copy_text(entry.key, error);
    part->torn = part->next;
    part->torn_written_ms = entry.modified_ms;
    part->shrunk = shrunk;
    return part->torn_file != NULL;
}

/* Where the file's next record should stand: for a line whose own offset can't be read. */
static int64_t guess_offset(struct feed *feed)
{
    const struct feed_entry *entry = open_entry(feed);
    return feed->before >= 0  ? feed->before + 1
           : entry->hint >= 0 ? entry->hint
                              : feed->parts[feed->part].next;
}

static bool fail_line(struct feed *feed, int64_t offset, struct error *problem, struct error *error)
{
    error_prefix(problem,
                 "topic %s: file %s, line %" PRIu64 " (byte %" PRIu64 ", offset %" PRId64 ")",
                 feed->topic, feed->place.file, feed->file.line, feed->file.byte, offset);
    if (problem->remedy[0] == '\0')
        error_remedy(problem, "mend or remove the line, or set such lines aside with "
                              "on_bad_input: quarantine (--on-bad-input quarantine)");
    if (error)
        *error = *problem;
    return false;
}

/* Notes the offset as one of this file's. Going back is fine over what the file told already. */
static bool note_offset(struct feed *feed, int64_t offset, struct error *error)
{
    if (offset <= feed->highest && (feed->jumped || offset < feed->first)) {
        struct error problem = {0};
        error_set(&problem, ERROR_INPUT,
                  "records of a partition must stand in the order of their "
                  "offsets",
                  "the offset goes back from %" PRId64, feed->highest);
        return fail_line(feed, offset, &problem, error);
    }
    feed->jumped |= feed->highest >= 0 && offset > feed->highest + 1;
    if (feed->first < 0)
        feed->first = open_entry(feed)->first = offset;
    if (offset > feed->highest)
        feed->highest = offset;
    feed->before = offset;
    feed->bad_at_end = false;
    return true;
}

enum outcome { OUTCOME_DELIVER, OUTCOME_PASS, OUTCOME_FAIL };

/* A file that begins beyond the next offset is left: others are looked at first. */
static bool leave_beyond_gap(struct feed *feed, int64_t offset)
{
    const struct feed_part *part = &feed->parts[feed->part];
    struct feed_entry *entry = open_entry(feed);
    if (feed->highest >= 0 || offset <= part->next)
        return false;
    entry->first = offset;
    feed_file_close(&feed->file);
    feed->entry = SIZE_MAX;
    return true;
}

/* Whether the record of this offset comes now. */
static enum outcome admit(struct feed *feed, int64_t offset, struct error *error)
{
    struct feed_part *part = &feed->parts[feed->part];
    if (leave_beyond_gap(feed, offset))
        return OUTCOME_PASS;
    if (!note_offset(feed, offset, error))
        return OUTCOME_FAIL;
    if (offset < part->next) {
        feed->counters.again++;
        return OUTCOME_PASS;
    }
    if (offset >= part->limit) {
        part->done = true;
        return OUTCOME_PASS;
    }
    if (!part->started)
        part->inside = feed->first < offset;
    part->started = true;
    return OUTCOME_DELIVER;
}

/* A line that is no record, where the record of offset `before` + 1 should stand. */
static enum outcome bad_line(struct feed *feed, struct error *problem, struct error *error)
{
    struct feed_part *part = &feed->parts[feed->part];
    int64_t offset = guess_offset(feed);
    if (leave_beyond_gap(feed, offset))
        return OUTCOME_PASS;
    feed->before = offset;
    if (offset < part->next) /* told in a batch before */
        return OUTCOME_PASS;
    if (offset >= part->limit) {
        part->done = true;
        return OUTCOME_PASS;
    }
    fail_line(feed, offset, problem, error);
    feed->place.offset = offset;
    feed->bad_line = problem->kind == ERROR_INPUT;
    return OUTCOME_FAIL;
}

/* The next line of the open file. */
static enum outcome read_line(struct feed *feed, struct change *out, struct error *error)
{
    struct error problem = {0};
    enum feed_line kind;
    uint64_t before = feed->file.bytes_read;
    bool read = feed_file_line(&feed->file, &feed->line, &kind, &problem);
    feed->counters.bytes_read += feed->file.bytes_read - before;
    feed->place.line = feed->file.line;
    feed->place.byte = feed->file.byte;
    feed->place.file = feed->place_file.data;
    feed->place.partition = feed->parts[feed->part].partition;
    if (!read) {
        fail_line(feed, guess_offset(feed), &problem, error);
        return OUTCOME_FAIL;
    }
    if (kind == FEED_LINE_END) {
        close_entry(feed);
        return OUTCOME_PASS;
    }
    if (kind == FEED_LINE_TORN)
        return close_torn(feed, feed->file.shrunk, error) ? OUTCOME_PASS : OUTCOME_FAIL;
    if (!change_scan_line(feed->scanner, feed->line, out, &problem)) {
        if (kind == FEED_LINE_LAST && change_scan_torn(feed->scanner))
            return close_torn(feed, false, error) ? OUTCOME_PASS : OUTCOME_FAIL;
        return bad_line(feed, &problem, error);
    }
    return admit(feed, out->offset, error);
}

bool feed_next(struct feed *feed, struct change *out, int32_t *partition, bool *end,
               struct error *error)
{
    struct error problem = {0};
    *end = false;
    if (feed->failure.kind != ERROR_NONE) {
        if (error)
            *error = feed->failure;
        return false;
    }
    while (feed->part < feed->part_count) {
        struct feed_part *part = &feed->parts[feed->part];
        enum outcome outcome = OUTCOME_PASS;
        bool found = true;
        if (!part->done && part->next < part->limit) {
            if (feed->entry == SIZE_MAX && !seek(feed, &found, &problem))
                outcome = OUTCOME_FAIL;
            else if (found)
                outcome = read_line(feed, out, &problem);
        } else {
            found = false;
        }
        if (outcome == OUTCOME_FAIL) {
            feed->failure = problem;
            if (error)
                *error = problem;
            return false;
        }
        part = &feed->parts[feed->part]; /* the list of parts may have moved */
        if (outcome == OUTCOME_DELIVER) {
            feed->place.offset = out->offset;
            part->next = out->offset + 1;
            part->waited = false;
            feed->counters.records++;
            *partition = part->partition;
            return true;
        }
        if (!found) {
            feed_file_close(&feed->file);
            feed->entry = SIZE_MAX;
            feed->part++;
        }
    }
    *end = true;
    return true;
}

bool feed_skip_bad(struct feed *feed, struct slice *line)
{
    if (!feed->bad_line)
        return false;
    *line = feed->line;
    feed->bad_line = false;
    feed->bad_at_end = true;
    feed->failure = (struct error){0};
    return true;
}

struct slice feed_line(const struct feed *feed)
{
    return feed->line;
}

struct feed_place feed_place(const struct feed *feed)
{
    return feed->place;
}

void feed_stop(struct feed *feed)
{
    if (feed->part >= feed->part_count)
        return;
    struct feed_part *part = &feed->parts[feed->part];
    part->next = feed->place.offset;
    part->done = true;
}

bool feed_set_limit(struct feed *feed, int32_t partition, int64_t end, struct error *error)
{
    struct feed_part *part = find_part(feed, partition);
    if (part == NULL) {
        TRY(add_part(feed, partition, 0, error));
        part = &feed->parts[feed->part_count - 1];
        part->limit = end;
        return add_listed_parts(feed, error); /* sorts */
    }
    part->limit = end;
    return true;
}

const struct feed_mark *feed_marks(const struct feed *feed, size_t *count)
{
    /* The array is scratch of the feed, sized when parts are added; a const feed may fill it. */
    for (size_t i = 0; i < feed->part_count; i++)
        feed->marks[i] = (struct feed_mark){feed->parts[i].partition, feed->parts[i].next};
    *count = feed->part_count;
    return feed->marks;
}

const struct feed_counters *feed_counters(const struct feed *feed)
{
    return &feed->counters;
}

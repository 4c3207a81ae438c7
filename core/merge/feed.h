/* feed.h: the records of one topic, in order and exactly once, out of whatever files lie there.
 *
 * Below the topic's folder lie {partition}/{anything}.jsonl[.gz|.zst], or such files directly
 * (partition 0). Names and sizes are hints only: the records' own offsets decide. A file may grow,
 * shrink, overlap others, come again or hold nothing new; of two records with one offset the first
 * read counts. Records come in (partition, offset) order, each offset at or beyond the partition's
 * mark once.
 *
 * A file whose first offset lies beyond the next expected one is a gap: the feed waits gap_wait_ms,
 * lists again, then fails (ERROR_INPUT: nothing beyond the gap may be committed) or goes on and
 * counts, by `accept_gaps`. Gaps inside one file are legal (compacted and transactional topics),
 * and so is a file named exactly by the offset that follows.
 *
 * A torn end (a last line that stops in the middle; a .gz or .zst stream that ends early; a file
 * that shrinks while it is read): what lies before it is delivered; then, unless other files hold
 * the missing offsets, the feed waits gap_wait_ms and fails with ERROR_INPUT, on_gap or not.
 *
 * Waiting counts from the moment the file in question was written: an old one is not waited for.
 *
 * Memory is constant: one file is open at a time, read in chunks.
 */
#ifndef SURFBOARD_MERGE_FEED_H
#define SURFBOARD_MERGE_FEED_H

#include "core/change/event.h"

struct store;
struct feed;

/* The next offset wanted of a partition. */
struct feed_mark {
    int32_t partition;
    int64_t next;
};

struct feed_options {
    bool accept_gaps;    /* on_gap: accept; default stop */
    int64_t gap_wait_ms; /* < 0: the default 30 000; 0: do not wait */
    enum change_lanes lanes;
};

struct feed_counters {
    uint64_t records;    /* delivered */
    uint64_t bytes_read; /* from the store, compressed as they lie there */
    uint64_t gaps;       /* holes between files that were accepted */
    uint64_t again;      /* records passed over because their offset was delivered before */
    uint64_t files;      /* opened */
};

/* Where the record delivered last stands. */
struct feed_place {
    const char *file; /* key in the store */
    uint64_t line;    /* from 1 */
    uint64_t byte;    /* of the line's start, in the decompressed text */
    int32_t partition;
    int64_t offset;
};

/* Lists and prepares; reads no data file yet. `folder` is the topic's key below the store's root
 * ("" = the root itself); `topic` names it in messages. Partitions without a mark start at 0.
 * A folder that is not there is ERROR_NOT_FOUND, one that can't be read ERROR_IO: never "empty".
 * An existing folder without files is an empty feed. NULL options: defaults. `marks` is copied. */
struct feed *feed_open(struct store *store, const char *folder, const char *topic,
                       const struct feed_mark *marks, size_t mark_count,
                       const struct feed_options *options, struct error *error);
void feed_close(struct feed *feed);

/* The next record; its slices are good until the next call. *end = true: all partitions are at
 * their ends or limits (or stopped), *out is not set.
 *
 * ERROR_INPUT (a line that is bad, a gap, a torn end) names topic, file, line, byte and offset.
 * After it feed_marks() still says how far whole records were delivered: a caller may commit up to
 * there. feed_skip_bad() goes on behind a bad line for the policy `quarantine`. */
bool feed_next(struct feed *feed, struct change *out, int32_t *partition, bool *end,
               struct error *error);

/* After feed_next() failed on one bad line: its bytes (until the next call) and true, and the feed
 * will go on behind it; false when the trouble was not one line (a gap, a torn end, I/O). A bad
 * line counts as the record that should stand there: feed_place() gives its offset. */
bool feed_skip_bad(struct feed *feed, struct slice *line);

/* The line as it stood in the file, of the record delivered last: for quarantine. */
struct slice feed_line(const struct feed *feed);
struct feed_place feed_place(const struct feed *feed);

/* The record delivered last is not taken: its partition ends before it (a cut). */
void feed_stop(struct feed *feed);
/* No record of the partition at or beyond `end` is delivered. */
bool feed_set_limit(struct feed *feed, int32_t partition, int64_t end, struct error *error);

/* The next offsets, for the watermark: everything below was delivered (or accepted as missing).
 * One for each partition that has a mark or files, by partition; good until the next call. */
const struct feed_mark *feed_marks(const struct feed *feed, size_t *count);
const struct feed_counters *feed_counters(const struct feed *feed);

/* --follow: waits until something new may lie in one of the local folders (inotify: moved in,
 * closed after writing, new partition folders), or timeout_ms passed. *woken tells which. Folders
 * on stores without a local path are waited for with the timeout alone. A signal is
 * ERROR_INTERRUPTED. */
struct feed_watch;
struct feed_watch *feed_watch_open(const char *const *folders, size_t count, struct error *error);
bool feed_watch_wait(struct feed_watch *watch, int64_t timeout_ms, bool *woken,
                     struct error *error);
void feed_watch_close(struct feed_watch *watch);

#endif

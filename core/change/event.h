/* event.h: one line of a delta file, read on demand.
 *
 * A line is one JSON object {"key","value","offset","timestamp","headers"} around a Debezium
 * envelope (cli.md "Schema file", design.md section 1). change_scan_line() walks it once, checks it
 * strictly and notes where the members lie that a merge needs; nothing is decoded that nobody asked
 * for and nothing is allocated (two scratch buffers of the scanner grow when a line holds JSON
 * texts in strings or escapes where plain text is wanted).
 *
 * What is checked: the whole line, read or skipped, is RFC 8259 JSON in strict UTF-8: structure,
 * literals, number grammar, escapes (lone surrogates refused), no control characters in strings, no
 * byte-order mark (core/merge/feed.h takes the one at the start of a file away), at most
 * CHANGE_DEPTH levels. Numbers of any size are accepted where nothing reads them. Accept and reject
 * agree with jansson (JSON_ALLOW_NUL), but for numbers beyond 64 bits, \u0000 in member names, and
 * a NUL byte behind a number, which jansson overlooks.
 *
 * Members come in any order at every level; of duplicates the last counts. `key` and `value` may be
 * JSON texts in strings, and each may carry {"schema", "payload"}. The line must be an object.
 */
#ifndef SURFBOARD_CHANGE_EVENT_H
#define SURFBOARD_CHANGE_EVENT_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

enum { CHANGE_DEPTH = 512 };

/* change.op: Debezium's letters, and for records without an op: */
enum {
    CHANGE_TOMBSTONE = 0,    /* value null */
    CHANGE_HEARTBEAT = 'h',  /* value has nothing but ts_ms, ts_us, ts_ns */
    CHANGE_TRANSACTION = 'x' /* a BEGIN or END record of {prefix}.transaction */
};

/* source.snapshot, as Debezium writes it. */
enum change_snapshot {
    CHANGE_SNAPSHOT_NO,  /* null, absent, "false" */
    CHANGE_SNAPSHOT_ROW, /* "true" */
    CHANGE_SNAPSHOT_FIRST,
    CHANGE_SNAPSHOT_FIRST_IN_TABLE, /* "first_in_data_collection" */
    CHANGE_SNAPSHOT_LAST_IN_TABLE,  /* "last_in_data_collection" */
    CHANGE_SNAPSHOT_LAST,
    CHANGE_SNAPSHOT_INCREMENTAL
};

/* Where in the source's log a record comes from: recognises repeats, never orders (design.md 5). */
struct change_position {
    uint64_t seq0;       /* source.sequence[0], the commit before this transaction; 0 when null */
    uint64_t seq1;       /* source.sequence[1], the event; source.lsn when there is no sequence */
    int64_t total_order; /* transaction.total_order; -1 when there is none */
};

/* All slices are borrowed from the line or the scanner: good until the next change_scan_line() with
 * this scanner, and as long as the line's memory. A slice with data == NULL: absent or null. */
struct change {
    int64_t offset;         /* the record's place in its partition; >= 0 */
    struct slice timestamp; /* of the record, ISO text or digits: see change_timestamp_ms() */
    char op;                /* c u d r t m, or one of the CHANGE_ values above */
    enum change_snapshot snapshot;

    /* Raw JSON objects; schema wrappers and string quoting are already taken off. */
    struct slice key, before, after;
    struct slice key_schema, value_schema; /* Connect schemas: the key's, the envelope's */

    struct change_position position;
    bool has_position;           /* sequence or lsn was there */
    int64_t ts_us;               /* source.ts_us, else source.ts_ms, else the envelope's; 0: none */
    uint64_t lsn;                /* source.lsn; 0 when null */
    uint64_t tx_id;              /* source.txId; 0 when null */
    struct slice transaction_id; /* transaction.id as plain text: "txId:lsn"; for
                                    CHANGE_TRANSACTION the record's own id */
    struct slice source_schema, source_table; /* plain text */

    /* Headers, raw JSON values as they stand in the line. */
    struct slice old_key, new_key; /* __debezium.oldkey, __debezium.newkey: the key object */
    struct slice run_id;           /* __debezium.context.runId */
    struct slice capture_position; /* __surfboard.position */

    /* CHANGE_TRANSACTION only. */
    bool transaction_end;          /* status END; false: BEGIN */
    int64_t event_count;           /* -1 when null */
    struct slice data_collections; /* raw JSON array of {"data_collection", "event_count"} */
};

/* Which instructions to use; all give the same answers. */
enum change_lanes {
    CHANGE_LANES_BEST,
    CHANGE_LANES_PORTABLE,
    CHANGE_LANES_SSE2,
    CHANGE_LANES_AVX2
};

struct change_scanner;

struct change_scanner *change_scanner_create(struct error *error);
/* ERROR_UNSUPPORTED where this machine lacks the instructions. */
struct change_scanner *change_scanner_create_with(enum change_lanes lanes, struct error *error);
void change_scanner_destroy(struct change_scanner *scanner);

/* Reads one line (without its newline; blanks and a CR around it are fine). ERROR_INPUT names the
 * byte of the line and what is wrong; *out is then undefined. */
bool change_scan_line(struct change_scanner *scanner, struct slice line, struct change *out,
                      struct error *error);

/* After change_scan_line() failed: whether the line was right as far as it went, but ended in the
 * middle: a torn write rather than a wrong line. */
bool change_scan_torn(const struct change_scanner *scanner);

/* The record's timestamp in milliseconds since 1970; false when there is none, or none that can be
 * read. */
bool change_timestamp_ms(const struct change *change, int64_t *out);

/* Orders a before b (< 0), equal (0), behind (> 0): seq0, then seq1, then total_order, where both
 * have one. *exact is false when the answer 0 came without a total order on both sides: two rows of
 * a COPY share one LSN and are not repeats of each other. `exact` may be NULL. */
int change_position_compare(const struct change_position *a, const struct change_position *b,
                            bool *exact);

/* The part of a transaction id that BEGIN, END and events share: "3607:102964536" -> "3607"; and
 * the number behind the colon (0 when there is none). */
struct slice change_transaction_key(struct slice transaction_id, uint64_t *lsn);

#endif

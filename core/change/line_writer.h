/* line_writer.h: writes the lines of delta files (design.md sections 1 and 5a): the shape that
 * event.h reads, with Debezium's envelope of the recommended modes. One memcpy for each part, no
 * allocation but the growth of the caller's buffer.
 *
 *   {"key":K,"value":{"before":B,"after":A,"source":{...},"transaction":{...},"op":"c","ts_ms":N,
 *    "ts_us":N,"ts_ns":N},"offset":N,"timestamp":MS,"headers":[...]}\n
 *
 * Every line carries the header `__surfboard.position` = [commit LSN, total order]: how a capture
 * that starts again knows what is durable already.
 */
#ifndef SURFBOARD_CHANGE_LINE_WRITER_H
#define SURFBOARD_CHANGE_LINE_WRITER_H

#include <stdint.h>

#include "core/base/buffer.h"

/* ---- JSON values ---- */

/* A JSON string with quotes. The text must be UTF-8; control characters, quote and backslash are
 * escaped, everything else is copied. */
bool line_append_text(struct buffer *out, struct slice text, struct error *error);
bool line_append_number(struct buffer *out, int64_t value, struct error *error);
/* base64 in quotes, of bytes given in hexadecimal digits (as Postgres prints bytea, without its
 * "\x"); ERROR_INPUT when they are not. */
bool line_append_hex_base64(struct buffer *out, struct slice digits, struct error *error);

/* ---- what is the same in all lines of one table ---- */

struct line_table {
    struct buffer head; /* `"source":{"version":…,…,"table":"orders"` */
};

/* `version` of the capture, `name` the topic prefix. Texts are copied. */
bool line_table_init(struct line_table *table, const char *version, const char *name,
                     const char *database, const char *schema, const char *relation,
                     struct error *error);
void line_table_destroy(struct line_table *table);

/* ---- one record ---- */

struct line_position {
    uint64_t commit; /* LSN of the transaction's commit; of the consistent point for op r */
    int64_t order;   /* total order in the transaction; 0 for op r and BEGIN */
};

struct line_event {
    char op;                         /* c u d r t */
    struct slice key, before, after; /* JSON; empty: null */
    struct slice old_key, new_key;   /* JSON for the headers of a key change; empty: none */
    const char *snapshot;            /* "first", "true" ...; NULL: streamed */
    uint64_t lsn, tx_id;
    uint64_t last_commit;             /* sequence[0]; 0: null */
    int64_t committed_us;             /* source.ts_us: commit time */
    int64_t captured_us;              /* when this line is made */
    struct slice transaction_id;      /* empty: transaction null */
    int64_t total_order, table_order; /* from 1 */
    struct line_position position;
    int64_t offset;
};

bool line_append_event(struct buffer *out, const struct line_table *table,
                       const struct line_event *event, struct error *error);
/* The tombstone behind a d: same key, headers, position and time; its own offset. */
bool line_append_tombstone(struct buffer *out, const struct line_event *deleted, int64_t offset,
                           struct error *error);

struct line_collection {
    struct slice name; /* "public.orders", plain text */
    int64_t events;
};

/* A record of {prefix}.transaction. END when `collections` is not NULL. `id` is plain text. */
bool line_append_transaction(struct buffer *out, struct slice id,
                             const struct line_collection *collections, size_t collection_count,
                             int64_t event_count, int64_t committed_us, int64_t captured_us,
                             struct line_position position, int64_t offset, struct error *error);

#endif

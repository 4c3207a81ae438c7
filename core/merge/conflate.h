/* conflate.h: what a batch makes of one table: the last event of each key (design.md section 5,
 * step 3), and everything else that its events say: truncation, reloads, repeats.
 *
 * Row images stay raw JSON until it is known which of them survive. An update that does not carry
 * all values (Debezium's mark of an unchanged out-of-line value) is chained to the image before it,
 * down to the row in the table: `older`.
 */
#ifndef SURFBOARD_MERGE_CONFLATE_H
#define SURFBOARD_MERGE_CONFLATE_H

#include "core/merge/key_table.h"
#include "core/merge/state.h"

/* Where values that an image lacks are found. */
struct older {
    struct image image; /* data NULL: the stored row of `row_of`, else (a key change that was
                           applied before) of `or_row_of` */
    uint16_t schema;
    uint32_t next; /* index of struct older when this image may lack values too; KEY_NONE */
    uint32_t row_of;
    uint32_t or_row_of;
};

/* The delete that was read last in a partition: the first half of a key change whose headers were
 * lost is the one at the same position as the create behind it. */
struct last_delete {
    int32_t partition;
    bool set;
    struct change_position position;
    uint32_t entry;
};

struct conflate_counters {
    int64_t events, skipped, repeats, quarantined;
};

struct conflate {
    const struct change_table *table;
    const char *topic;
    bool full;           /* REPLICA IDENTITY FULL: `before` is complete */
    bool table_empty;    /* no rows before this batch */
    bool careful;        /* read every image when it comes, so that its line can be set aside */
    bool marks_anywhere; /* columns of types whose marks can't be told from the text alone */
    struct change_row_reader *reader; /* borrowed: keys, and images when careful */

    struct key_table keys;
    struct older *olders;
    size_t older_count, older_capacity;
    struct image *schemas; /* Connect schemas of images; [0] is none */
    size_t schema_count, schema_capacity;
    struct last_delete *deletes; /* one a partition */
    size_t delete_count, delete_capacity;

    struct table_state state; /* as it will be after this batch; owned */
    bool truncated;
    bool half;  /* the record is the second half of a key change, told by its position */
    bool fatal; /* the last failure is no matter of one line: never set it aside */
    bool reload_began, reload_ended; /* in this batch */
    struct conflate_counters counters;
    struct buffer quarantine; /* JSON lines */
    struct batch scratch;     /* careful */
    struct schema scratch_schema;
};

/* `state` is copied. */
bool conflate_init(struct conflate *conflate, const struct change_table *table, const char *topic,
                   struct change_row_reader *reader, uint64_t seed, struct error *error);
void conflate_destroy(struct conflate *conflate);
/* Begins a batch (again) from this state. */
bool conflate_begin(struct conflate *conflate, const struct table_state *state, bool table_empty,
                    bool careful, struct error *error);

/* Takes one record. ERROR_INPUT names what is wrong with it; the record then left no trace. */
bool conflate_take(struct conflate *conflate, const struct change *change, int32_t partition,
                   struct error *error);
/* Puts a line aside, with its reason. */
bool conflate_set_aside(struct conflate *conflate, struct slice line,
                        const struct feed_place *place, const struct error *reason,
                        struct error *error);

/* Bytes held, for the budget. */
size_t conflate_bytes(const struct conflate *conflate);
/* The Connect schema an image was written with; empty for none. */
static inline struct slice conflate_schema(const struct conflate *conflate, uint16_t index)
{
    return index ? image_slice(&conflate->schemas[index]) : (struct slice){0};
}

#endif

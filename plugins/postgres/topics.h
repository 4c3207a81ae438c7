/* topics.h: the topics of one capture in the delta store: where each one's offsets stand, what is
 * waiting to be written, and publishing it.
 *
 * Lines gather in memory, one buffer a topic, and become visible as whole files
 * {prefix}.{schema}.{table}/0/{first offset, 20 digits}.jsonl, put if absent and durable before
 * anything refers to them. The transaction topic goes last: an END line is never visible before the
 * events it counts. A file that is there already means that another capture writes here
 * (ERROR_CONFLICT). Whoever appends bounds the memory: topics->waiting says how much there is.
 */
#ifndef SURFBOARD_POSTGRES_TOPICS_H
#define SURFBOARD_POSTGRES_TOPICS_H

#include "core/base/map.h"
#include "core/base/pool.h"
#include "core/change/line_writer.h"

struct store;

struct topic {
    char *name;                   /* "shop.public.orders" */
    char *collection;             /* "public.orders", as the source spells it */
    struct buffer waiting;        /* whole lines */
    size_t counted;               /* bytes of it that topics->waiting has */
    int64_t first_waiting;        /* offset of the first of them */
    int64_t next;                 /* the next free offset */
    struct line_position last;    /* of the last line that was appended */
    struct line_position durable; /* of the last line that is durable; {0, -1}: none */
    /* Counters of the running transaction, for END. */
    uint64_t in_transaction; /* which one they belong to */
    int64_t events;
};

struct topics {
    struct store *store; /* borrowed */
    const char *prefix;  /* borrowed */
    struct pool *pool;   /* borrowed; NULL: one file after the other */
    struct topic **items;
    size_t count, capacity;
    struct topic *transactions;
    size_t waiting;           /* bytes, of all topics */
    int64_t first_waiting_ns; /* monotonic time at which the oldest waiting line came; 0: none */
    uint64_t files, bytes;    /* published so far */
};

/* Opens {prefix}.transaction; the others with topics_open_topic(). */
bool topics_open(struct topics *topics, struct store *store, const char *prefix, struct pool *pool,
                 struct error *error);
void topics_close(struct topics *topics);

/* The topic of a table: finds its last durable line. Characters that Kafka does not allow in names
 * become '_'; two tables that then share a name are ERROR_CONFIG. */
struct topic *topics_open_topic(struct topics *topics, const char *schema, const char *table,
                                struct error *error);

/* Whether a line at this position is durable already (a slot sends again from its confirmed point
 * after a restart). */
bool topic_has(const struct topic *topic, struct line_position position);

/* Call behind each line that was appended to topic->waiting: moves offset and position on. */
void topics_appended(struct topics *topics, struct topic *topic, struct line_position position);

/* Makes everything that waits visible and durable. On failure what was not published still waits,
 * and publishing may be tried again. */
bool topics_publish(struct topics *topics, struct error *error);
/* Forgets what waits, back to the durable ends: before the source sends again. */
void topics_rewind(struct topics *topics);

#endif

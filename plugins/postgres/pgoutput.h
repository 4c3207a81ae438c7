/* pgoutput.h: the messages of Postgres' logical replication (documentation, "Logical Replication
 * Message Formats"), protocol version 1, and of the streaming replication around them.
 *
 * Decoding borrows from the message and allocates nothing but the arrays of a reader, which grow to
 * the widest tuple. Every length is checked: a message that is cut or lies is ERROR_INPUT. */
#ifndef SURFBOARD_POSTGRES_PGOUTPUT_H
#define SURFBOARD_POSTGRES_PGOUTPUT_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

/* ---- around: CopyData of a replication stream ---- */

struct replication_message {
    bool keepalive;       /* else data */
    uint64_t start;       /* of data: where it begins */
    uint64_t end;         /* the server's position */
    bool reply_requested; /* keepalive only */
    struct slice body;    /* of data: one pgoutput message */
};

bool replication_decode(struct slice data, struct replication_message *out, struct error *error);

enum { REPLICATION_STATUS_SIZE = 34 };

/* Standby status update: written and flushed up to here; `ask` wants a keepalive back. */
void replication_encode_status(uint64_t written, uint64_t flushed, int64_t now_us, bool ask,
                               uint8_t out[REPLICATION_STATUS_SIZE]);

/* ---- inside: pgoutput ---- */

enum pgoutput_kind {
    PGOUTPUT_BEGIN = 'B',
    PGOUTPUT_COMMIT = 'C',
    PGOUTPUT_ORIGIN = 'O',
    PGOUTPUT_RELATION = 'R',
    PGOUTPUT_TYPE = 'Y',
    PGOUTPUT_INSERT = 'I',
    PGOUTPUT_UPDATE = 'U',
    PGOUTPUT_DELETE = 'D',
    PGOUTPUT_TRUNCATE = 'T',
    PGOUTPUT_MESSAGE = 'M'
};

/* One value of a tuple. */
struct pgoutput_value {
    char kind; /* 'n' null, 'u' unchanged out-of-line value, 't' text */
    struct slice text;
};

struct pgoutput_tuple {
    struct pgoutput_value *values;
    size_t count; /* 0: absent */
    size_t capacity;
};

struct pgoutput_column {
    bool in_key; /* of the replica identity */
    struct slice name;
    uint32_t type;
    int32_t modifier;
};

struct pgoutput_message {
    char kind;         /* enum pgoutput_kind */
    uint64_t lsn;      /* BEGIN: of the commit; COMMIT: of the commit */
    uint64_t end_lsn;  /* COMMIT: behind it */
    int64_t commit_us; /* BEGIN, COMMIT: microseconds since 1970 */
    uint32_t xid;      /* BEGIN */
    uint32_t relation; /* RELATION, INSERT, UPDATE, DELETE */
    /* RELATION */
    struct slice schema, name;
    char identity; /* 'd' default, 'n' nothing, 'f' full, 'i' index */
    struct pgoutput_column *columns;
    size_t column_count;
    /* INSERT, UPDATE: after; UPDATE, DELETE: before. before_kind 'K': only the identity's columns
     * have values; 'O': the whole old row; 0: absent. */
    char before_kind;
    struct pgoutput_tuple before, after;
    /* TRUNCATE */
    uint32_t *relations;
    size_t relation_count;
    size_t column_capacity, relation_capacity;
};

/* Decodes one message into `out`, whose arrays are used again; a zeroed one is fine. Slices borrow
 * from `body`. Unknown kinds are ERROR_UNSUPPORTED. */
bool pgoutput_decode(struct slice body, struct pgoutput_message *out, struct error *error);
void pgoutput_message_destroy(struct pgoutput_message *message);

#endif

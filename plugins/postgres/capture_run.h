/* capture_run.h: what the parts of a running capture share. Private to capture*.c. */
#ifndef SURFBOARD_POSTGRES_CAPTURE_RUN_H
#define SURFBOARD_POSTGRES_CAPTURE_RUN_H

#include "core/base/map.h"
#include "plugins/postgres/capture.h"
#include "plugins/postgres/capture_record.h"
#include "plugins/postgres/relation.h"
#include "plugins/postgres/replication.h"
#include "plugins/postgres/topics.h"

/* A table of the publication, as the catalog has it now. */
struct published_table {
    uint32_t oid;
    uint32_t membership; /* oid of its row in pg_publication_rel: another one when it left and came
                            back; 0 when it is in by schema or FOR ALL TABLES */
    const char *schema, *name;
    char kind;          /* 'r', 'p' */
    int64_t estimate;   /* rows */
    const char *filter; /* row filter as SQL; NULL none */
};

struct published {
    struct published_table *tables;
    size_t count;
    uint32_t oid; /* of the publication */
    struct arena arena;
};

/* Keeps a relation under its oid; relation NULL: its changes are passed over. */
struct relation_slot {
    uint32_t oid;
    struct relation *relation;
};

struct transaction {
    bool open;
    bool begun; /* BEGIN was appended */
    uint64_t number;
    uint64_t commit_lsn;
    int64_t commit_us;
    uint32_t xid;
    char id[48];
    int64_t events;         /* all, those in a table's snapshot too: total orders never shift */
    int64_t written;        /* events that END counts */
    struct topic **touched; /* in order of their first event */
    size_t touched_count, touched_capacity;
};

struct capture_run {
    const struct capture_options *options;
    struct capture_summary *summary;
    struct pg_options connect;
    struct store *store;
    struct pool *pool;
    struct topics topics;
    struct capture_record record;
    struct published published;
    struct pg *catalog;
    struct replication replication;
    struct map relations; /* by oid: struct relation_slot */
    struct captured_writer values;
    struct buffer key, other_key, before, after; /* JSON of one event */
    struct transaction transaction;
    uint64_t last_commit; /* end of the commit before: sequence[0] */
    uint64_t complete;    /* everything before this was appended */
    uint64_t target;      /* once: end here, or when the server has nothing more, see
                             stream_is_dry() */
    bool asked;           /* a keepalive was asked for and has not come */
    uint64_t dry_lsn;     /* the position of the last one */
    unsigned dry_count;   /* how many in a row told the same, with nothing between */
    int64_t event_ns, check_ns, published_ns;
    uint64_t events_told;
    bool again; /* the set of tables changed: connect again */
};

bool capture_stopped(const struct capture_run *capture);
/* Hands an event to whoever listens; takes over the reference. */
void capture_tell(struct capture_run *capture, json_t *event);
/* "took a new snapshot" remedy: for everything that would lose changes. */
bool capture_needs_reload(struct error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Publishes what waits when enough does or it is old enough; `now`: in any case. */
bool capture_publish(struct capture_run *capture, bool now, struct error *error);

/* Writes the schema file of a table that has (again) been described, and tells of columns that it
 * leaves out. */
bool capture_write_schema(struct capture_run *capture, const struct relation *relation,
                          struct error *error);

/* capture_check.c: reads the publication; ERROR_NOT_FOUND when there is none. */
bool capture_read_publication(struct capture_run *capture, struct error *error);
/* Compares server, slot and record; *fresh: take the first snapshot (again). */
bool capture_check(struct capture_run *capture, bool *fresh, struct error *error);
/* Drops the capture's slot when it is there. */
bool capture_drop_slot(struct capture_run *capture, struct error *error);

/* capture_snapshot.c: the first snapshot of all tables by a new slot, or one of the tables that
 * joined later. */
bool capture_first_snapshot(struct capture_run *capture, struct error *error);
bool capture_new_tables(struct capture_run *capture, struct error *error);

/* capture_apply.c: one pgoutput message into lines. */
/* `lsn` of the change itself. */
bool capture_apply(struct capture_run *capture, uint64_t lsn,
                   const struct pgoutput_message *message, struct error *error);
void capture_forget_relations(struct capture_run *capture);

/* capture_stream.c: until caught up, stopped, or the tables changed (capture->again). */
bool capture_stream(struct capture_run *capture, struct error *error);

#endif

/* steps.h: the steps of a Postgres source, in the order of bring-up (core/pipeline/step.h), and
 * what they share. Checks follow services.md section 1.4; every finding is one named question. */
#ifndef SURFBOARD_POSTGRES_STEPS_H
#define SURFBOARD_POSTGRES_STEPS_H

#include "core/net/pg.h"
#include "core/pipeline/step.h"

/* server: settings that need an administrator; role: rights of the role that captures; identity:
 * tables, replica identities, schema files; publication; slot: with native capture also the first
 * snapshot, which only the creation of a slot can export. */
extern const struct step step_server, step_role, step_identity, step_publication, step_slot;

/* ---- shared by step_*.c ---- */

/* A session with the source as the capture's role; 5 s to connect, 30 s to answer. */
struct pg *steps_connect(const struct step_target *target, struct error *error);
/* The system identifier of the server. */
bool steps_system_id(struct pg *pg, char out[32], struct error *error);
/* Whether target->capture is set: streams that can't be captured have none of these steps. */
bool steps_apply(const struct step_target *target);

/* "schema"."table" into `out`. */
bool steps_table_name(struct buffer *out, const struct stream_table *table, struct error *error);

/* What the catalog says of one captured table. */
struct source_table {
    const struct stream_table *stream;
    bool found;
    char oid[16];
    char kind;        /* 'r' table, 'p' partitioned, 'v' view … */
    char persistence; /* 'p', 'u', 't' */
    char identity;    /* 'd' 'n' 'f' 'i' */
    bool owned;       /* we may alter it */
    bool may_select, may_use_schema;
    bool has_key;     /* primary key, or what stands for one */
    bool key_covered; /* the replica identity holds the key's columns */
    double estimate;  /* rows; -1: never analysed */
};

/* One for each table of the target's stream (of the whole capture when it has none); in `arena`. */
bool steps_tables(struct pg *pg, const struct step_target *target, struct arena *arena,
                  struct source_table **out, size_t *count, struct error *error);

#endif

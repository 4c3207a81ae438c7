/* verify_table.h: one table of a verification. Private to verify*.c. */
#ifndef SURFBOARD_POSTGRES_VERIFY_TABLE_H
#define SURFBOARD_POSTGRES_VERIFY_TABLE_H

#include "core/change/table.h"
#include "core/iceberg/catalog.h"
#include "core/store/store.h"
#include "plugins/postgres/relation.h"
#include "plugins/postgres/row_digest.h"
#include "plugins/postgres/verify.h"

enum { VERIFY_EXAMPLES = 10 };

struct verify_side; /* what a row of a side is made from; verify_compare.c */

struct verify {
    const struct verify_options *options;
    struct store *deltas;
    struct catalog *catalog;
    struct pg *reader; /* repeatable read, at the position */
    uint64_t position;
    int64_t told_ns;
};

struct verify_table {
    struct verify *verify;
    const struct stream_table *from;
    struct change_table table; /* as the schema file has it */
    bool table_loaded;
    struct iceberg_table lake;
    bool lake_loaded;
    struct change_row_reader *keys; /* turns keys into digests */
    struct held_rows touched; /* keys changed behind the position, as far as the lake has it */
    bool touched_all;         /* by a truncate */
    int64_t needed;           /* offset that the lake must have passed; -1: unknown */
    int64_t merged;           /* offset that the loaded lake table stands before */
    struct held_rows held;    /* lake rows; of the source, for a sample */
    uint64_t exact, lag, differs, source_only, lake_only;
    uint64_t source_rows, lake_rows;
    json_t *examples;
};

/* ---- verify_position.c ---- */

/* Waits until everything committed before the position is captured and merged. */
bool verify_await(struct verify *verify, struct verify_table *tables, size_t count,
                  struct error *error);

/* ---- verify_compare.c ---- */

/* Reads both sides and fills in the counts. */
bool verify_compare(struct verify_table *table, struct error *error);
/* Loads schema file and key reader. */
bool verify_table_open(struct verify_table *table, struct error *error);
void verify_table_close(struct verify_table *table);

void verify_tell(struct verify *verify, json_t *event);
bool verify_stopped(const struct verify *verify, struct error *error);

#endif

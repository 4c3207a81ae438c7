/* simulate.h: keeps changing the demo shop (shop.h) the way a shop changes: orders with lines over
 * several tables in one transaction, payments, corrections, renamed and renumbered keys, swapped
 * keys, nulls, large texts that stay while their row changes, deletes, savepoints and whole
 * transactions rolled back. Seeded: the same seed on the same rows makes the same changes. */
#ifndef SURFBOARD_POSTGRES_SIMULATE_H
#define SURFBOARD_POSTGRES_SIMULATE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/base/error.h"

struct simulate_options {
    const char *dsn;
    double rate;    /* changed rows a second; 0: as fast as the server takes them */
    int64_t run_ms; /* 0: until stopped */
    int64_t rows;   /* end behind about so many changed rows; 0: no limit */
    uint64_t seed;
    int mix[3];              /* weights of inserts, updates, deletes; all 0: 40:45:15 */
    const atomic_bool *stop; /* polled; NULL: never */
    void (*event)(void *context,
                  json_t *event); /* "progress" each second; takes over; NULL: none */
    void *context;
};

struct simulate_summary {
    bool stopped;
    uint64_t transactions, rollbacks, multi_table;
    uint64_t inserts, updates, deletes, key_changes; /* rows; key changes are updates too */
    double seconds;
};

/* ERROR_REFUSED unless the database carries the marker. */
bool simulate_run(const struct simulate_options *options, struct simulate_summary *summary,
                  struct error *error);
/* Parses "40:45:15". */
bool simulate_parse_mix(const char *text, int mix[3], struct error *error);
/* {"event": `name`, ...}; NULL when out of memory. */
json_t *simulate_summary_json(const struct simulate_summary *summary, const char *name,
                              uint64_t seed);

#endif

/* capture_record.h: {prefix}/_capture.json in the delta store: what a capture must remember beyond
 * the topics themselves. Written whole and durable before the server is told. */
#ifndef SURFBOARD_POSTGRES_CAPTURE_RECORD_H
#define SURFBOARD_POSTGRES_CAPTURE_RECORD_H

#include <stdint.h>

#include "core/base/error.h"

struct store;

struct captured_table {
    char *schema, *name;
    uint32_t oid;
    uint32_t membership; /* in the publication; see struct published_table */
    uint64_t snapshot;   /* where its snapshot was taken: what was committed before is in it */
};

struct capture_record {
    bool found;         /* false: no capture ran here */
    bool snapshotting;  /* the first snapshot has not ended */
    char system_id[32]; /* of the server */
    char database[128];
    char slot[72];
    char publication[128];
    uint32_t publication_oid;
    uint64_t confirmed;
    int64_t transactions_from; /* offset in {prefix}.transaction where this slot's began: positions
                                  before it may be another server's */
    struct captured_table *tables; /* that have their snapshot */
    size_t table_count, table_capacity;
};

/* Reads the record; absent is fine. ERROR_CONFIG for a newer format or a file that is not one. */
bool capture_record_read(struct capture_record *record, struct store *store, const char *prefix,
                         struct error *error);
bool capture_record_write(const struct capture_record *record, struct store *store,
                          const char *prefix, struct error *error);
void capture_record_destroy(struct capture_record *record);

const struct captured_table *capture_record_table(const struct capture_record *record,
                                                  const char *schema, const char *name);
/* Copies the names of `table`. */
bool capture_record_add(struct capture_record *record, const struct captured_table *table,
                        struct error *error);
void capture_record_remove(struct capture_record *record, size_t index);

#endif

/* catalog.h: where the pointer to a table's metadata lives.
 *
 * catalog_storage_open(): the folder itself (Iceberg spec, "File System Tables"):
 * v<N>.metadata.json put if absent. catalog_jdbc_open() (catalog_jdbc.c): a row in Postgres,
 * several tables in one transaction. A catalog may be used by one thread at a time. */
#ifndef SURFBOARD_ICEBERG_CATALOG_H
#define SURFBOARD_ICEBERG_CATALOG_H

#include "core/iceberg/commit.h"

struct catalog;

struct catalog_ident {
    const char *namespace_name; /* levels joined by a dot; NULL: `name` is the table's own URI
                                   (storage catalog only) */
    const char *name;
};

struct catalog_commit_options {
    struct pool *pool; /* for the flush wave; NULL: one after the other */
    int retries;       /* further attempts after a lost race; -1: commit.retry.num-retries (4) */
    /* Run inside the catalog's transaction, before it commits, where the catalog has one (JDBC:
     * `connection` is its struct pg *); else not called. */
    bool (*in_transaction)(void *context, void *connection, struct error *error);
    void *context;
};

struct catalog_listing {
    struct catalog_ident *items;
    size_t count;
    struct arena arena;
};

/* What an implementation gives. commit publishes commits that are prepared already and sets each
 * one's outcome; it makes one attempt. */
struct catalog_ops {
    const char *kind; /* "storage", "jdbc" */
    bool atomic;      /* several tables in one commit: all or none */
    bool (*load)(struct catalog *catalog, struct catalog_ident ident, struct iceberg_table *out,
                 struct error *error);
    bool (*create)(struct catalog *catalog, struct catalog_ident ident, const char *location,
                   struct slice metadata, struct error *error);
    bool (*location)(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                     struct error *error);
    bool (*pointer)(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                    struct error *error);
    bool (*publish)(struct catalog *catalog, struct iceberg_commit *const *commits, size_t count,
                    const struct catalog_commit_options *options, struct error *error);
    bool (*list)(struct catalog *catalog, const char *namespace_name, struct catalog_listing *out,
                 struct error *error);
    bool (*drop)(struct catalog *catalog, struct catalog_ident ident, struct error *error);
    void (*close)(struct catalog *catalog);
};

/* First member of every implementation. */
struct catalog {
    const struct catalog_ops *ops;
};

/* `warehouse`: folder or URI; a table is <warehouse>/<namespace>/<name>. NULL: only tables named by
 * their own URI. `durable` false: nothing is flushed (tests, --durability none). */
struct catalog *catalog_storage_open(const char *warehouse, bool durable, struct error *error);
/* Defined in catalog_jdbc.c. `warehouse` is where new tables go: <warehouse>/<namespace>/<name>-
 * <uuid>. Makes the catalog's two tables when they are absent. */
struct catalog *catalog_jdbc_open(const char *dsn, const char *catalog_name, const char *warehouse,
                                  bool durable, struct error *error);
void catalog_close(struct catalog *catalog); /* NULL is fine */

/* ERROR_NOT_FOUND when there is no such table. */
bool catalog_load(struct catalog *catalog, struct catalog_ident ident, struct iceberg_table *out,
                  struct error *error);
/* Appends what names the table's present metadata file, ended by a NUL, without reading that: as
 * long as it stays the same the table is the same. ERROR_NOT_FOUND as above. */
bool catalog_pointer(struct catalog *catalog, struct catalog_ident ident, struct buffer *out,
                     struct error *error);
/* Creates an empty format-v2 table and loads it. ERROR_EXISTS when it is there already. `location`
 * NULL: the catalog's choice. Fields with id <= 0 get ids. */
bool catalog_create(struct catalog *catalog, struct catalog_ident ident,
                    const struct schema *schema, const struct iceberg_property *properties,
                    size_t property_count, const char *location, struct iceberg_table *out,
                    struct error *error);

/* Publishes the commits (at most one a table): all or none where the catalog can (ops->atomic),
 * else one after the other in the order given. Prepares, flushes, publishes; after a lost race
 * reloads, rebases and tries again. Empty commits count as won.
 *   ERROR_CONFLICT  the change no longer makes sense, or the retries are used up
 *   ERROR_UNKNOWN   it may have happened: load again later and ask catalog_probe()
 * Each commit's iceberg_commit_outcome() says what became of it. */
bool catalog_commit(struct catalog *catalog, struct iceberg_commit *const *commits, size_t count,
                    const struct catalog_commit_options *options, struct error *error);
/* Settles an unknown outcome: loads the table anew and looks for the commit. *won tells. */
bool catalog_probe(struct catalog *catalog, struct iceberg_commit *commit, bool *won,
                   struct error *error);

/* `namespace_name` NULL: of all namespaces. */
bool catalog_list(struct catalog *catalog, const char *namespace_name, struct catalog_listing *out,
                  struct error *error);
void catalog_listing_destroy(struct catalog_listing *listing);
/* Forgets the table; its files stay. ERROR_UNSUPPORTED by the storage catalog, which has no pointer
 * but the files. */
bool catalog_drop(struct catalog *catalog, struct catalog_ident ident, struct error *error);
bool catalog_is_atomic(const struct catalog *catalog);

#endif

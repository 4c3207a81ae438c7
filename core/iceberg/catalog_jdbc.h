/* catalog_jdbc.h: the catalog in Postgres, in the layout of Iceberg's JDBC catalog, schema V1
 * (tables iceberg_tables and iceberg_namespace_properties), which Trino and Spark share with us.
 * Open it with catalog_jdbc_open() (catalog.h). The connection is made at the first use and again
 * after it broke; the connection string (keep it in memory only) may carry a password. */
#ifndef SURFBOARD_ICEBERG_CATALOG_JDBC_H
#define SURFBOARD_ICEBERG_CATALOG_JDBC_H

#include "core/iceberg/catalog.h"
#include "core/net/pg.h"

/* What the files of this catalog share. Not for others. */
struct catalog_jdbc {
    struct catalog base;
    char *dsn, *name, *warehouse; /* warehouse may be NULL: every table names its location */
    bool durable;
    bool unsettled; /* a commit's outcome could not be read: read behind locks from now on */
    struct pg *pg;  /* NULL or broken: connect again */
};

/* A good connection, made when needed. */
bool catalog_jdbc_connect(struct catalog_jdbc *jdbc, struct error *error);
/* BEGIN with the lock timeout of this catalog. */
bool catalog_jdbc_begin(struct catalog_jdbc *jdbc, struct error *error);
/* The pointer of a table; `lock`: waits for transactions that are changing it (inside one). */
bool catalog_jdbc_pointer(struct catalog_jdbc *jdbc, struct catalog_ident ident, bool lock,
                          struct buffer *out, bool *found, struct error *error);
bool catalog_jdbc_publish(struct catalog *catalog, struct iceberg_commit *const *commits,
                          size_t count, const struct catalog_commit_options *options,
                          struct error *error);

/* Gives a table another name; its files stay where they are. ERROR_EXISTS when the new name is
 * taken, ERROR_NOT_FOUND. JDBC catalogs only. */
bool catalog_jdbc_rename(struct catalog *catalog, struct catalog_ident from,
                         struct catalog_ident to, struct error *error);

#endif

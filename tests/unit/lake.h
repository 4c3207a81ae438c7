/* lake.h: small Iceberg tables for tests: a scratch folder, a storage catalog, data files of known
 * rows. Row n is {id: n, name: "name n" (null for each seventh), amount: n * 1.25, at: n seconds}.
 * Failures end the test program with the error's text. */
#ifndef SURFBOARD_TESTS_LAKE_H
#define SURFBOARD_TESTS_LAKE_H

#include "core/iceberg/catalog.h"

struct lake {
    char folder[64];
    char uri[96]; /* of the table: <folder>/t */
    struct catalog *catalog;
    struct catalog_ident ident;
};

/* Makes the folder and opens the catalog (nothing is flushed); no table yet. */
void lake_open(struct lake *lake);
/* Closes, and removes the folder. */
void lake_close(struct lake *lake);

/* The schema of the rows above; ids 1 to 4, identifier column id. */
void lake_schema(struct schema *out);
void lake_create(struct lake *lake, struct iceberg_table *out);
void lake_load(struct lake *lake, struct iceberg_table *out);

/* Writes rows [from, to) into a new data file and adds it to the commit. *out (may be NULL) gets
 * the file, its memory from the commit's base arena or `arena`. */
bool lake_add_rows(struct iceberg_commit *commit, int64_t from, int64_t to, struct arena *arena,
                   struct iceberg_file *out, struct error *error);
/* A whole commit that appends rows. */
bool lake_append(struct lake *lake, int64_t from, int64_t to, struct error *error);
/* Prints the error and ends the program. */
void lake_fail(const char *what, const struct error *error) __attribute__((noreturn));

#endif

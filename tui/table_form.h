/* table_form.h: a table named on the command line: by its URI in a storage catalog, or by three
 * more options in a JDBC catalog (cli.md, "merge --deltas"). */
#ifndef SURFBOARD_TUI_TABLE_FORM_H
#define SURFBOARD_TUI_TABLE_FORM_H

#include "core/iceberg/catalog.h"
#include "tui/command.h"

struct table_form {
    struct catalog *catalog; /* owned */
    struct catalog_ident ident;
    const char *location; /* for a new table; NULL: the URI is the table */
    char *namespace_name;
    char *warehouse;
};

#define TABLE_FORM_OPTIONS                                                                         \
    {"table", OPTION_TEXT, "URI", "location of the Iceberg table"},                                \
        {"catalog-dsn", OPTION_TEXT, "DSN", "Postgres that holds the JDBC catalog"},               \
        {"catalog-name", OPTION_TEXT, "NAME", "of the JDBC catalog"},                              \
    {                                                                                              \
        "ident", OPTION_TEXT, "NS.TABLE", "of the table in the JDBC catalog"                       \
    }

bool table_form_open(struct command *command, bool durable, struct table_form *out,
                     struct error *error);
void table_form_close(struct table_form *form); /* a zeroed one is fine */

#endif

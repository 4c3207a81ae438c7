#include "tui/table_form.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

static bool split_ident(struct table_form *form, const char *ident, const char *table,
                        struct error *error)
{
    const char *dot = strrchr(ident, '.');
    if (dot == NULL || dot == ident || dot[1] == '\0')
        return error_set(error, ERROR_USAGE, "--ident NAMESPACE.TABLE",
                         "--ident %s: not a namespace and a table", ident);
    form->namespace_name = memory_copy_slice(slice_make(ident, (size_t)(dot - ident)), error);
    const char *slash = strrchr(table, '/');
    form->warehouse = slash && slash != table
                          ? memory_copy_slice(slice_make(table, (size_t)(slash - table)), error)
                          : memory_copy_text(slash ? "/" : ".", error);
    form->ident = (struct catalog_ident){form->namespace_name, dot + 1};
    form->location = table;
    return form->namespace_name && form->warehouse;
}

bool table_form_open(struct command *command, bool durable, struct table_form *out,
                     struct error *error)
{
    *out = (struct table_form){0};
    const char *table = command_option(command, "table");
    const char *dsn = command_option(command, "catalog-dsn");
    const char *name = command_option(command, "catalog-name");
    const char *ident = command_option(command, "ident");
    int given = (dsn != NULL) + (name != NULL) + (ident != NULL);
    if (table == NULL)
        return error_set(error, ERROR_USAGE, "--table URI", "no --table");
    if (given != 0 && given != 3)
        return error_set(error, ERROR_USAGE, "give all three, or none for a storage catalog",
                         "--catalog-dsn, --catalog-name and --ident go together");
    if (given == 0) {
        out->ident.name = table;
        out->catalog = catalog_storage_open(NULL, durable, error);
        return out->catalog != NULL;
    }
    TRY(split_ident(out, ident, table, error));
    out->catalog = catalog_jdbc_open(dsn, name, out->warehouse, durable, error);
    return out->catalog != NULL;
}

void table_form_close(struct table_form *form)
{
    catalog_close(form->catalog);
    free(form->namespace_name);
    free(form->warehouse);
    *form = (struct table_form){0};
}

/* embedded.h: the Connect schema that an event may carry with it wins over the schema file on how
 * values are written (Debezium's semantic names); private to core/change. */
#ifndef SURFBOARD_CHANGE_EMBEDDED_H
#define SURFBOARD_CHANGE_EMBEDDED_H

#include "core/change/form.h"

/* The forms of one table's columns as the last schema seen gives them. Schemas hardly ever change
 * between events, so the last one is kept byte for byte and compared. */
struct embedded {
    const struct change_table *table;
    bool envelope;                    /* the schema is an envelope's: look into `after` */
    const struct change_form **forms; /* by column; what the row reader uses */
    struct buffer schema;             /* the one that `forms` comes from; empty: the file alone */
    struct arena arena;               /* of `schema`'s own forms */
};

bool embedded_init(struct embedded *embedded, const struct change_table *table, bool envelope,
                   struct error *error);
void embedded_destroy(struct embedded *embedded);
/* Makes `forms` fit this schema (empty: none). ERROR_INPUT when it is not a Connect schema. */
bool embedded_use(struct embedded *embedded, struct slice schema, struct error *error);

#endif

/* reader.h: the row reader's insides, shared by row.c and key.c; private to core/change. */
#ifndef SURFBOARD_CHANGE_READER_H
#define SURFBOARD_CHANGE_READER_H

#include "core/base/map.h"
#include "core/change/embedded.h"
#include "core/change/marker.h"
#include "core/change/row.h"

enum {
    READER_UNKNOWN_NAMES = 256, /* distinct ones counted by name; the rest as "(others)" */
    READER_NOWHERE = UINT32_MAX /* the id of a member that is passed over */
};

struct unknown_member {
    char *name;
    uint64_t count;
    uint64_t pending; /* in the row being read */
};

struct change_row_reader {
    const struct change_table *table;
    struct change_row_options options;
    struct marker marker;
    struct value_reader values;
    struct embedded row_schema, key_schema;

    struct map names;         /* column name -> index + 1 */
    struct token_slot *slots; /* order of the members of the row before */
    size_t slot_count;
    struct token *cells; /* by column */
    uint64_t *bent, *bent_pending;
    struct unknown_member *unknown;
    size_t unknown_count, unknown_capacity;
    bool unknown_in_row;
    struct buffer name;

    struct token_slot *key_slots;
    struct token *key_cells;         /* by key ordinal */
    struct column *key_columns;      /* one row each */
    const struct column **key_views; /* to them */
    bool integer_key;
    struct buffer key_text, key_bytes;
};

/* The column of a member's name; column_count when there is none. Uses reader->name. */
bool reader_column(struct change_row_reader *reader, struct slice raw, bool escaped, size_t *column,
                   struct error *error);

/* ERROR_INPUT for a value of a column. */
bool reader_bad_value(const struct change_row_reader *reader, size_t column,
                      const struct token *token, const char *problem, struct error *error);

bool reader_key_init(struct change_row_reader *reader, struct error *error);
void reader_key_destroy(struct change_row_reader *reader);

#endif

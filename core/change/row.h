/* row.h: from the raw JSON of `before`, `after` and `key` to typed columns and keys.
 *
 * A row reader belongs to one table and one thread; it learns the order in which members come and
 * then finds each name with one comparison. It keeps counters over all rows that it reads.
 *
 * Values without room in the lake (numeric NaN and infinities, date and timestamp infinities,
 * timestamps beyond the year 294247) become null and are counted by column as "bent", or refused
 * when the options say so; in a key column they are always bad input. Members that the table does
 * not name are counted as unknown, or refused. Everything else that does not fit its column is
 * ERROR_INPUT naming the column and the value; nothing is clamped, wrapped or guessed.
 */
#ifndef SURFBOARD_CHANGE_ROW_H
#define SURFBOARD_CHANGE_ROW_H

#include "core/base/column.h"
#include "core/change/event.h"
#include "core/change/table.h"

struct change_row_options {
    const char *placeholder; /* the connector's unavailable.value.placeholder; NULL: default */
    bool refuse_bent;        /* special_values: quarantine */
    bool refuse_unknown;     /* on_unknown: stop */
};

struct change_row_reader;

/* `table` must outlive the reader. NULL options: defaults. */
struct change_row_reader *change_row_reader_create(const struct change_table *table,
                                                   const struct change_row_options *options,
                                                   struct error *error);
void change_row_reader_destroy(struct change_row_reader *reader);

/* Appends one row to the first table->column_count columns of `out` (types as table->columns[i]
 * .type; later columns, such as ds_surf_batch_id, are the caller's) and sets out->length. `schema`
 * is change.value_schema or empty. A member that is not there reads as null.
 *
 * `unavailable` (column_count bytes, or NULL: markers are then ERROR_INPUT) gets 1 for each column
 * that holds Debezium's mark of an unchanged out-of-line value, else 0; the column itself gets a
 * null. *unavailable_count says how many. Marks are only looked for when `marks` is true: in
 * `after` of u, and of c with an old key; an insert may hold the same text as data.
 *
 * On failure the batch is as before. Bent values and unknown members are counted on success. */
bool change_row_read(struct change_row_reader *reader, struct slice object, struct slice schema,
                     bool marks, struct batch *out, uint8_t *unavailable, size_t *unavailable_count,
                     struct error *error);

/* True where marks may stand in the `after` of this record: op u, or c with an old key in its
 * headers, and the table is not REPLICA IDENTITY FULL. A key change whose headers were lost is a c
 * behind its d and tombstone at one position: the caller knows, and passes marks itself. */
bool change_has_marks(const struct change_table *table, const struct change *change);

/* A key as the merge's tables want it. Tables whose key is one smallint, integer, bigint or oid
 * column have `integer`; all others have bytes whose memcmp order is the order of the key columns'
 * values (numbers by value, texts by bytes). Equal keys have equal bytes, and only those. */
struct change_key {
    bool is_integer;
    int64_t integer;
    struct slice bytes; /* borrowed until the next call with the same reader */
};

bool change_key_is_integer(const struct change_table *table);

/* Reads `key` (change.key with change.key_schema, or a header's key object). A member of the key
 * that is missing, null, NaN or an infinity is ERROR_INPUT. Members that are not part of the
 * primary key are passed over (message.key.columns may name more). */
bool change_key_read(struct change_row_reader *reader, struct slice key, struct slice schema,
                     struct change_key *out, struct error *error);

/* The key of row `row` of columns that hold the key's columns in key order (key_count of them): for
 * data files and for rows read before. Same bytes as change_key_read() for the same values. */
bool change_key_of_columns(struct change_row_reader *reader, const struct column *const *columns,
                           size_t row, struct change_key *out, struct error *error);

/* Counters since the reader was created; index = column. */
uint64_t change_row_bent(const struct change_row_reader *reader, size_t column);
/* Unknown members by name: walk index 0 .. until false. */
bool change_row_unknown(const struct change_row_reader *reader, size_t index, struct slice *name,
                        uint64_t *count);
/* Sets all counters to 0, for a new batch. */
void change_row_counters_clear(struct change_row_reader *reader);

#endif

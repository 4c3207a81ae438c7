#include "core/merge/infer_key.h"

#include <jansson.h>

#include "core/merge/feed.h"
#include "core/store/store.h"

static bool set_key(struct change_table *table, const json_t *key, struct error *error)
{
    size_t *columns = arena_zero(&table->arena, table->column_count, sizeof *columns, error);
    TRY(columns != NULL);
    size_t count = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        if (json_object_get(key, table->columns[i].name) == NULL)
            continue;
        if (type_is_nested(&table->columns[i].type))
            return error_set(error, ERROR_UNSUPPORTED, "give the table a primary key",
                             "table %s: key column \"%s\" is of a nested type", table->name,
                             table->columns[i].name);
        table->columns[i].key_ordinal = (int)count;
        columns[count++] = i;
    }
    if (count != json_object_size(key))
        return error_set(error, ERROR_CONFIG, "bring the schema file up to date",
                         "table %s: the key of its events has members that are not among the "
                         "columns",
                         table->name);
    table->key_columns = columns;
    table->key_count = count;
    return true;
}

static bool read_key(struct change_table *table, struct feed *feed, struct error *error)
{
    for (;;) {
        struct change change;
        int32_t partition;
        bool end = false;
        TRY(feed_next(feed, &change, &partition, &end, error));
        if (end)
            return true;
        if (change.key.data == NULL)
            continue;
        json_t *key = json_loadb(change.key.data, change.key.length, 0, NULL);
        bool found = json_object_size(key) > 0;
        bool ok = !found || set_key(table, key, error);
        json_decref(key);
        if (!ok || found)
            return ok;
    }
}

bool infer_key(struct change_table *table, const char *deltas, struct error *error)
{
    if (table->key_count || table->identity != CHANGE_IDENTITY_INDEX)
        return true;
    struct store *store = store_open(deltas, NULL, error);
    TRY(store != NULL);
    struct feed_options options = {.accept_gaps = true, .gap_wait_ms = 0};
    struct error own = {0};
    struct feed *feed = feed_open(store, "", deltas, NULL, 0, &options, &own);
    bool ok = feed ? read_key(table, feed, error) : own.kind == ERROR_NOT_FOUND;
    if (feed)
        feed_close(feed);
    else if (!ok && error)
        *error = own;
    store_close(store);
    return ok;
}

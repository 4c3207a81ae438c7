#include "plugins/postgres/capture_record.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/buffer.h"
#include "core/base/memory.h"
#include "core/store/store.h"
#include "plugins/postgres/session.h"

enum { RECORD_FORMAT = 1 };

static bool record_key(const char *prefix, char out[512], struct error *error)
{
    if (snprintf(out, 512, "%s/_capture.json", prefix) < 512)
        return true;
    return error_set(error, ERROR_CONFIG, "choose a shorter topic_prefix",
                     "topic prefix %.40s... is too long", prefix);
}

static bool record_text(const json_t *json, const char *member, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text && snprintf(out, size, "%s", text) < (int)size;
}

static bool record_tables(struct capture_record *record, const json_t *tables, struct error *error)
{
    for (size_t i = 0; i < json_array_size(tables); i++) {
        const json_t *json = json_array_get(tables, i);
        const char *snapshot = json_string_value(json_object_get(json, "snapshot"));
        struct captured_table table = {
            .schema = (char *)json_string_value(json_object_get(json, "schema")),
            .name = (char *)json_string_value(json_object_get(json, "table")),
            .oid = (uint32_t)json_integer_value(json_object_get(json, "oid")),
            .membership = (uint32_t)json_integer_value(json_object_get(json, "membership"))};
        if (table.schema == NULL || table.name == NULL || snapshot == NULL ||
            !lsn_parse(snapshot, &table.snapshot))
            return error_set(error, ERROR_CONFIG, NULL, "a table without its name and snapshot");
        TRY(capture_record_add(record, &table, error));
    }
    return true;
}

static bool record_parse(struct capture_record *record, const json_t *json, struct error *error)
{
    char state[16];
    char confirmed[LSN_TEXT_SIZE];
    if (json_integer_value(json_object_get(json, "format")) > RECORD_FORMAT)
        return error_set(error, ERROR_CONFIG, "use the newer surfboard that wrote it",
                         "format %lld, this program reads %d",
                         (long long)json_integer_value(json_object_get(json, "format")),
                         RECORD_FORMAT);
    if (!record_text(json, "system_id", record->system_id, sizeof record->system_id) ||
        !record_text(json, "database", record->database, sizeof record->database) ||
        !record_text(json, "slot", record->slot, sizeof record->slot) ||
        !record_text(json, "publication", record->publication, sizeof record->publication) ||
        !record_text(json, "state", state, sizeof state) ||
        !record_text(json, "confirmed", confirmed, sizeof confirmed) ||
        !lsn_parse(confirmed, &record->confirmed))
        return error_set(error, ERROR_CONFIG,
                         "restore it from a backup, or take a new snapshot: capture --reload",
                         "not the record of a capture");
    record->snapshotting = strcmp(state, "snapshot") == 0;
    record->publication_oid =
        (uint32_t)json_integer_value(json_object_get(json, "publication_oid"));
    record->transactions_from = json_integer_value(json_object_get(json, "transactions_from"));
    record->found = true;
    return record_tables(record, json_object_get(json, "tables"), error);
}

bool capture_record_read(struct capture_record *record, struct store *store, const char *prefix,
                         struct error *error)
{
    char key[512];
    struct buffer text = {0};
    struct error why = {0};
    *record = (struct capture_record){0};
    TRY(record_key(prefix, key, error));
    if (!store_read(store, key, &text, &why)) {
        buffer_destroy(&text);
        if (why.kind == ERROR_NOT_FOUND)
            return true;
        if (error)
            *error = why;
        return false;
    }
    json_t *json = json_loadb(text.data, text.length, 0, NULL);
    buffer_destroy(&text);
    bool ok = record_parse(record, json, error); /* NULL reads as an object without members */
    json_decref(json);
    return ok || error_prefix(error, "%s/%s", store_root(store), key);
}

bool capture_record_write(const struct capture_record *record, struct store *store,
                          const char *prefix, struct error *error)
{
    char key[512];
    char lsn[LSN_TEXT_SIZE];
    TRY(record_key(prefix, key, error));
    json_t *tables = json_array();
    for (size_t i = 0; i < record->table_count; i++) {
        const struct captured_table *table = &record->tables[i];
        json_array_append_new(tables,
                              json_pack("{s:s, s:s, s:I, s:I, s:s}", "schema", table->schema,
                                        "table", table->name, "oid", (json_int_t)table->oid,
                                        "membership", (json_int_t)table->membership, "snapshot",
                                        lsn_format(table->snapshot, lsn)));
    }
    json_t *json = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:o}", "format", RECORD_FORMAT, "system_id",
        record->system_id, "database", record->database, "slot", record->slot, "publication",
        record->publication, "publication_oid", (json_int_t)record->publication_oid, "state",
        record->snapshotting ? "snapshot" : "streaming", "confirmed",
        lsn_format(record->confirmed, lsn), "transactions_from",
        (json_int_t)record->transactions_from, "tables", tables);
    char *text = json && json_array_size(tables) == record->table_count
                     ? json_text(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER, error)
                     : NULL;
    bool ok = text ? store_put(store, key, slice_of(text), error) : error_set_memory(error, 1024);
    free(text);
    json_decref(json);
    return ok;
}

static void captured_table_free(struct captured_table *table)
{
    free(table->schema);
    free(table->name);
}

void capture_record_destroy(struct capture_record *record)
{
    for (size_t i = 0; i < record->table_count; i++)
        captured_table_free(&record->tables[i]);
    free(record->tables);
    *record = (struct capture_record){0};
}

const struct captured_table *capture_record_table(const struct capture_record *record,
                                                  const char *schema, const char *name)
{
    for (size_t i = 0; i < record->table_count; i++) {
        if (strcmp(record->tables[i].schema, schema) == 0 &&
            strcmp(record->tables[i].name, name) == 0)
            return &record->tables[i];
    }
    return NULL;
}

bool capture_record_add(struct capture_record *record, const struct captured_table *table,
                        struct error *error)
{
    TRY(memory_grow(&record->tables, &record->table_capacity, record->table_count + 1,
                    sizeof *record->tables, error));
    struct captured_table copy = *table;
    copy.schema = memory_copy_text(table->schema, error);
    copy.name = memory_copy_text(table->name, error);
    if (copy.schema == NULL || copy.name == NULL) {
        captured_table_free(&copy);
        return false;
    }
    record->tables[record->table_count++] = copy;
    return true;
}

void capture_record_remove(struct capture_record *record, size_t index)
{
    captured_table_free(&record->tables[index]);
    record->tables[index] = record->tables[--record->table_count];
}

/* Any bytes as a line of a delta file: each set of instructions reads it alike, jansson agrees on
 * whether it is JSON, and what is read goes on through the row reader of a table with every kind of
 * column. */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/change/row.h"
#include "core/change/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One column of each kind, named as in tests/fixtures/debezium (types_all, types_more). */
static const char table_json[] =
    "{\"name\":\"t\",\"primary_key\":[\"id\",\"c_text\"],\"columns\":["
    "{\"name\":\"id\",\"type\":\"bigint\"},{\"name\":\"c_text\",\"type\":\"text\"},"
    "{\"name\":\"c_int4\",\"type\":\"int\"},{\"name\":\"c_num\",\"type\":\"numeric(12,2)\"},"
    "{\"name\":\"c_numfree\",\"type\":\"numeric\"},{\"name\":\"c_real\",\"type\":\"real\"},"
    "{\"name\":\"c_double\",\"type\":\"float8\"},{\"name\":\"c_bool\",\"type\":\"bool\"},"
    "{\"name\":\"c_bytea\",\"type\":\"bytea\"},{\"name\":\"c_date\",\"type\":\"date\"},"
    "{\"name\":\"c_time\",\"type\":\"time\"},{\"name\":\"c_ts\",\"type\":\"timestamp\"},"
    "{\"name\":\"c_tstz\",\"type\":\"timestamptz\"},{\"name\":\"c_uuid\",\"type\":\"uuid\"},"
    "{\"name\":\"c_jsonb\",\"type\":\"jsonb\"},{\"name\":\"c_ints\",\"type\":\"int[]\"},"
    "{\"name\":\"c_texts\",\"type\":\"text[]\"},{\"name\":\"c_interval\",\"type\":\"interval\"},"
    "{\"name\":\"b10\",\"type\":\"bit(10)\"},{\"name\":\"vb\",\"type\":\"varbit(20)\"},"
    "{\"name\":\"na\",\"type\":\"numeric(10,2)[]\"},{\"name\":\"p\",\"type\":\"point\"},"
    "{\"name\":\"h\",\"type\":\"hstore\"},{\"name\":\"nneg\",\"type\":\"numeric(5,-2)\"},"
    "{\"name\":\"g\",\"type\":\"geometry\"},{\"name\":\"sv\",\"type\":\"sparsevec(3)\"},"
    "{\"name\":\"ua\",\"type\":\"uuid[]\"}],\"encoding\":{ENCODING}}";

static const char *const encodings[] = {
    "",
    "\"decimal\":\"precise\",\"time\":\"adaptive\",\"interval\":\"numeric\",\"binary\":\"hex\"",
    "\"decimal\":\"double\",\"time\":\"isostring\",\"binary\":\"base64-url-safe\"",
    "\"time\":\"nanoseconds\"",
};
enum { TABLES = sizeof encodings / sizeof *encodings };

static struct change_scanner *scanners[3];
static struct change_table tables[TABLES];
static struct schema schemas[TABLES];
static struct batch batches[TABLES];
static struct change_row_reader *readers[TABLES];

static void must(bool good)
{
    if (!good)
        abort();
}

static void set_up(void)
{
    struct error error = {0};
    for (int i = 0; i < 3; i++)
        scanners[i] = change_scanner_create_with((enum change_lanes)(i + 1), &error);
    for (size_t i = 0; i < TABLES; i++) {
        char json[4000];
        const char *place = strstr(table_json, "ENCODING");
        snprintf(json, sizeof json, "%.*s%s%s", (int)(place - table_json), table_json, encodings[i],
                 place + strlen("ENCODING"));
        must(change_table_parse(slice_of(json), "t", &tables[i], &error));
        must(change_table_lake_schema(&tables[i], &schemas[i], &error));
        must(batch_init(&batches[i], &schemas[i], &error));
        readers[i] = change_row_reader_create(&tables[i], NULL, &error);
        must(readers[i] != NULL);
    }
}

static void check_columns(const struct column *column)
{
    for (size_t i = 0; i < column->child_count; i++) {
        const struct column *child = &column->children[i];
        must(child->length ==
             (column->type->kind == TYPE_STRUCT
                  ? column->length
                  : (size_t)(column->offsets ? column->offsets[column->length] : 0)));
        check_columns(child);
    }
}

static void read_row(size_t table, struct slice object, struct slice schema, bool marks)
{
    struct error error = {0};
    struct batch *batch = &batches[table];
    uint8_t gone[32];
    size_t gone_count, before = batch->length;
    if (object.data == NULL)
        return;
    bool good =
        change_row_read(readers[table], object, schema, marks, batch, gone, &gone_count, &error);
    must(good || (error.kind != ERROR_NONE && error.message[0]));
    must(batch->length == before + good);
    for (size_t i = 0; i < tables[table].column_count; i++) {
        must(batch->columns[i].length == batch->length);
        check_columns(&batch->columns[i]);
    }
    if (batch->length > 100)
        batch_clear(batch);
}

static void read_record(const struct change *change)
{
    for (size_t i = 0; i < TABLES; i++) {
        struct change_key key;
        struct error error = {0};
        read_row(i, change->after, change->value_schema, change->op == 'u');
        read_row(i, change->before, change->value_schema, false);
        if (!change_key_read(readers[i], change->key, change->key_schema, &key, &error))
            must(error.message[0] != '\0');
        change_key_read(readers[i], change->old_key, (struct slice){0}, &key, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (readers[0] == NULL)
        set_up();
    struct slice line = slice_make(data, size);
    struct change changes[3];
    bool good[3] = {false};
    for (int i = 0; i < 3; i++) {
        struct error error = {0};
        if (scanners[i] == NULL)
            continue;
        good[i] = change_scan_line(scanners[i], line, &changes[i], &error);
        must(good[i] || error.message[0]);
        must(good[i] == good[0]);
        must(!good[i] ||
             (changes[i].offset == changes[0].offset && changes[i].op == changes[0].op &&
              slice_equal(changes[i].after, changes[0].after) &&
              slice_equal(changes[i].key, changes[0].key)));
    }
    size_t at;
    json_error_t problem;
    bool is_json = scan_check_portable(line, &at);
    json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
    enum json_error_code code = json ? json_error_unknown : json_error_code(&problem);
    /* jansson bounds numbers to 64 bits, refuses \u0000 in names, nests deeper than we do, and
     * loses a NUL byte behind a number. */
    if (memchr(data, 0, size) == NULL && code != json_error_numeric_overflow &&
        code != json_error_null_byte_in_key && code != json_error_stack_overflow &&
        size <= CHANGE_DEPTH)
        must(is_json == (json != NULL));
    json_decref(json);
    if (good[0])
        read_record(&changes[0]);
    read_row(size % TABLES, line, (struct slice){0}, true); /* a row without its envelope */
    return 0;
}

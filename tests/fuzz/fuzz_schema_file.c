/* Any bytes as a schema file: read into a table and a lake schema, or refused with a message. */
#include <stddef.h>
#include <stdint.h>

#include "core/change/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct change_table table;
    struct schema schema;
    struct error error = {0};
    if (change_table_parse(slice_make(data, size), "fuzz.json", &table, &error)) {
        if (table.column_count == 0 || table.key_count > table.column_count)
            __builtin_trap();
        if (change_table_lake_schema(&table, &schema, &error)) {
            if (schema.field_count != table.column_count + 1)
                __builtin_trap();
            schema_destroy(&schema);
        } else if (error.message[0] == '\0') {
            __builtin_trap();
        }
        struct change_row_reader *reader = change_row_reader_create(&table, NULL, &error);
        if (reader == NULL)
            __builtin_trap();
        change_row_reader_destroy(reader);
    } else if (error.kind != ERROR_CONFIG || error.message[0] == '\0') {
        __builtin_trap();
    }
    change_table_destroy(&table);
    return 0;
}

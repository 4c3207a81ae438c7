#include "core/change/table.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/change/form.h"
#include "core/change/token.h"

static const char batch_column[] = "ds_surf_batch_id";

struct choice {
    const char *word;
    int value;
};

static const struct choice identities[] = {
    {"default", CHANGE_IDENTITY_DEFAULT},
    {"full", CHANGE_IDENTITY_FULL},
    {"index", CHANGE_IDENTITY_INDEX},
    {"nothing", CHANGE_IDENTITY_NOTHING},
    {NULL, 0},
};
static const struct choice decimals[] = {
    {"string", CHANGE_DECIMAL_STRING},
    {"precise", CHANGE_DECIMAL_PRECISE},
    {"double", CHANGE_DECIMAL_DOUBLE},
    {NULL, 0},
};
static const struct choice times[] = {
    {"microseconds", CHANGE_TIME_MICROSECONDS},
    {"adaptive", CHANGE_TIME_ADAPTIVE},
    {"adaptive_time_microseconds", CHANGE_TIME_ADAPTIVE_MICROSECONDS},
    {"connect", CHANGE_TIME_CONNECT},
    {"isostring", CHANGE_TIME_ISOSTRING},
    {"nanoseconds", CHANGE_TIME_NANOSECONDS},
    {NULL, 0},
};
static const struct choice binaries[] = {
    {"base64", CHANGE_BINARY_BASE64},
    {"bytes", CHANGE_BINARY_BASE64}, /* the connector's word for it */
    {"base64-url-safe", CHANGE_BINARY_BASE64_URL},
    {"hex", CHANGE_BINARY_HEX},
    {NULL, 0},
};
static const struct choice intervals[] = {
    {"string", CHANGE_INTERVAL_STRING},
    {"numeric", CHANGE_INTERVAL_NUMERIC},
    {NULL, 0},
};

/* A member that is one of a few words; absent leaves *out. */
static bool read_choice(const json_t *object, const char *key, const struct choice *choices,
                        int *out, struct error *error)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL)
        return true;
    const char *word = json_string_value(value);
    for (const struct choice *choice = choices; word && choice->word; choice++) {
        if (strcmp(word, choice->word) == 0) {
            *out = choice->value;
            return true;
        }
    }
    char known[160] = "";
    for (const struct choice *choice = choices; choice->word; choice++) {
        strcat(known, choice == choices ? "" : ", ");
        strcat(known, choice->word);
    }
    error_set(error, ERROR_CONFIG, NULL, "%s: \"%s\" is not known", key, word ? word : "(no text)");
    return error_remedy(error, "one of: %s", known);
}

static bool read_encoding(const json_t *root, struct change_encoding *out, struct error *error)
{
    const json_t *encoding = json_object_get(root, "encoding");
    if (encoding == NULL)
        return true;
    if (!json_is_object(encoding))
        return error_set(error, ERROR_CONFIG, NULL, "encoding is not an object");
    int decimal = 0, time = 0, binary = 0, interval = 0;
    if (!read_choice(encoding, "decimal", decimals, &decimal, error) ||
        !read_choice(encoding, "time", times, &time, error) ||
        !read_choice(encoding, "binary", binaries, &binary, error) ||
        !read_choice(encoding, "interval", intervals, &interval, error))
        return error_prefix(error, "encoding");
    *out = (struct change_encoding){.decimal = (unsigned)decimal,
                                    .time = (unsigned)time,
                                    .binary = (unsigned)binary,
                                    .interval = (unsigned)interval};
    return true;
}

static bool read_column(const json_t *json, size_t index, struct change_table *table,
                        struct error *error)
{
    struct change_column *column = &table->columns[index];
    const json_t *name = json_object_get(json, "name"), *type = json_object_get(json, "type");
    const json_t *nullable = json_object_get(json, "nullable");
    if (!json_is_string(name) || json_string_length(name) == 0)
        return error_set(error, ERROR_CONFIG, NULL, "columns[%zu] has no name", index);
    column->name = arena_copy_text(&table->arena, json_string_value(name), error);
    TRY(column->name != NULL);
    if (strcmp(column->name, batch_column) == 0)
        return error_set(error, ERROR_CONFIG, "rename the column in the source",
                         "column %s: the merge adds a column of this name", column->name);
    if (change_table_column(table, slice_of(column->name)) < index)
        return error_set(error, ERROR_CONFIG, NULL, "column %s stands there twice", column->name);
    if (!json_is_string(type))
        return error_set(error, ERROR_CONFIG, NULL, "column %s has no type", column->name);
    if (nullable && !json_is_boolean(nullable))
        return error_set(error, ERROR_CONFIG, NULL, "column %s: nullable is neither true nor false",
                         column->name);
    column->pg_type = arena_copy_text(&table->arena, json_string_value(type), error);
    struct change_form *form = arena_zero(&table->arena, 1, sizeof *form, error);
    TRY(column->pg_type != NULL && form != NULL);
    if (!change_form_of(column->pg_type, &table->encoding, &column->type, form, &table->arena,
                        error))
        return error_prefix(error, "column %s", column->name);
    column->form = form;
    column->nullable = nullable == NULL || json_is_true(nullable);
    column->key_ordinal = -1;
    return true;
}

/* The column becomes the next of the key. */
static bool add_key_column(struct change_table *table, struct slice name, struct error *error)
{
    size_t index = change_table_column(table, name);
    if (index == table->column_count)
        return error_set(error, ERROR_CONFIG, "list the column under columns",
                         "primary_key: there is no column %.*s", SLICE_ARG(name));
    struct change_column *column = &table->columns[index];
    if (column->key_ordinal >= 0)
        return error_set(error, ERROR_CONFIG, NULL, "primary_key: column %s stands there twice",
                         column->name);
    if (type_is_nested(&column->type))
        return error_set(error, ERROR_CONFIG, "choose a key of plain values",
                         "primary_key: column %s of type %s can't be part of a key", column->name,
                         column->pg_type);
    column->key_ordinal = (int)table->key_count;
    table->key_columns[table->key_count++] = index;
    return true;
}

static bool read_key(const json_t *root, struct change_table *table, struct error *error)
{
    const json_t *key = json_object_get(root, "primary_key");
    table->key_columns =
        arena_zero(&table->arena, table->column_count, sizeof *table->key_columns, error);
    TRY(table->key_columns != NULL);
    if (key == NULL || json_is_null(key))
        return true;
    if (!json_is_array(key))
        return error_set(error, ERROR_CONFIG, NULL, "primary_key is not a list");
    size_t index;
    json_t *name;
    json_array_foreach(key, index, name)
    {
        if (!json_is_string(name))
            return error_set(error, ERROR_CONFIG, NULL, "primary_key[%zu] is not a name", index);
        TRY(add_key_column(table, slice_of(json_string_value(name)), error));
    }
    return true;
}

static bool read_text(const json_t *root, const char *key, const char **out,
                      struct change_table *table, struct error *error)
{
    const json_t *value = json_object_get(root, key);
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return error_set(error, ERROR_CONFIG, NULL, "%s is not a text", key);
    *out = arena_copy_text(&table->arena, json_string_value(value), error);
    return *out != NULL;
}

static bool read_table(const json_t *root, struct change_table *table, struct error *error)
{
    int identity = CHANGE_IDENTITY_DEFAULT;
    const json_t *columns = json_object_get(root, "columns");
    TRY(read_text(root, "name", &table->name, table, error));
    TRY(read_text(root, "source_schema", &table->source_schema, table, error));
    if (table->name == NULL)
        return error_set(error, ERROR_CONFIG, NULL, "name is missing");
    TRY(read_choice(root, "replica_identity", identities, &identity, error));
    table->identity = (enum change_identity)identity;
    TRY(read_encoding(root, &table->encoding, error));
    if (!json_is_array(columns) || json_array_size(columns) == 0)
        return error_set(error, ERROR_CONFIG, NULL, "columns is not a list with columns in it");
    table->columns =
        arena_zero(&table->arena, json_array_size(columns), sizeof *table->columns, error);
    TRY(table->columns != NULL);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        table->column_count = i; /* those read so far, for the search for doubles */
        TRY(read_column(json_array_get(columns, i), i, table, error));
    }
    table->column_count = json_array_size(columns);
    return read_key(root, table, error);
}

bool change_table_parse(struct slice json, const char *file, struct change_table *out,
                        struct error *error)
{
    *out = (struct change_table){0};
    json_error_t problem;
    json_t *root =
        json_loadb(json.data ? json.data : "", json.length, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        return error_set(error, ERROR_CONFIG,
                         "mend the file; its form is in the manual under "
                         "\"Schema file\"",
                         "%s: line %d: %s", file, problem.line, problem.text);
    bool read = json_is_object(root)
                    ? read_table(root, out, error)
                    : error_set(error, ERROR_CONFIG, NULL, "the schema file is not an object");
    json_decref(root);
    return read || error_prefix(error, "%s", file);
}

void change_table_destroy(struct change_table *table)
{
    arena_destroy(&table->arena);
    *table = (struct change_table){0};
}

bool change_table_require_key(const struct change_table *table, struct error *error)
{
    if (table->key_count)
        return true;
    error_set(error, ERROR_CONFIG, NULL, "table %s has no primary key", table->name);
    return error_remedy(error,
                        "give the table a primary key, or name the columns of a unique index under "
                        "primary_key and in the connector's message.key.columns");
}

size_t change_table_column(const struct change_table *table, struct slice name)
{
    size_t i = 0;
    while (i < table->column_count && !slice_is(name, table->columns[i].name))
        i++;
    return i;
}

/* Ids for the nested fields of one type, in the order of the libraries: a level at a time. */
static void number_nested(struct type *type, int32_t *next)
{
    for (size_t i = 0; i < type->field_count; i++)
        type->fields[i].id = (*next)++;
    for (size_t i = 0; i < type->field_count; i++)
        number_nested(&type->fields[i].type, next);
}

static bool fill_schema(const struct change_table *table, struct schema *out, struct error *error)
{
    size_t count = table->column_count;
    bool floating = false;
    out->fields = arena_zero(&out->arena, count + 1, sizeof *out->fields, error);
    out->identifier_ids =
        arena_zero(&out->arena, table->key_count + 1, sizeof *out->identifier_ids, error);
    TRY(out->fields != NULL && out->identifier_ids != NULL);
    out->field_count = count + 1;
    for (size_t i = 0; i < count; i++) {
        const struct change_column *column = &table->columns[i];
        struct field *field = &out->fields[i];
        field->id = (int32_t)i + 1;
        field->required = column->key_ordinal >= 0;
        field->name = arena_copy_text(&out->arena, column->name, error);
        TRY(field->name != NULL);
        TRY(type_copy(&field->type, &column->type, &out->arena, error));
        floating |= field->required &&
                    (column->type.kind == TYPE_FLOAT || column->type.kind == TYPE_DOUBLE);
    }
    out->fields[count] =
        (struct field){.id = (int32_t)count + 1, .name = batch_column, .type = {.kind = TYPE_INT}};
    int32_t next = (int32_t)count + 2;
    for (size_t i = 0; i < count; i++)
        number_nested(&out->fields[i].type, &next);
    for (size_t i = 0; !floating && i < table->key_count; i++)
        out->identifier_ids[out->identifier_count++] = (int32_t)table->key_columns[i] + 1;
    return true;
}

bool change_table_lake_schema(const struct change_table *table, struct schema *out,
                              struct error *error)
{
    *out = (struct schema){0};
    if (fill_schema(table, out, error))
        return true;
    schema_destroy(out);
    return false;
}

static void key_in_column_order(struct change_table *table)
{
    size_t ordinal = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key_ordinal < 0)
            continue;
        table->columns[i].key_ordinal = (int)ordinal;
        table->key_columns[ordinal++] = i;
    }
}

bool change_table_adopt_key(struct change_table *table, struct slice key, struct error *error)
{
    struct cursor j = cursor_over(key);
    struct buffer text = {0};
    bool more = false, good = key.length && *j.at == '{' && token_enter(&j, '}', &more);
    for (more = good && !more; good && more;) {
        struct slice name;
        struct token value;
        bool escaped;
        good = token_name(&j, &name, &escaped) && token_value(&j, &value) &&
               token_more(&j, '}', &more);
        buffer_clear(&text);
        if (good && escaped)
            good = token_unescape(name, &text, error);
        if (good)
            good = add_key_column(table, escaped ? buffer_slice(&text) : name, error);
        if (!good && j.problem == NULL) {
            buffer_destroy(&text);
            return error_prefix(error, "table %s: the key of its events", table->name);
        }
    }
    buffer_destroy(&text);
    if (good)
        key_in_column_order(table);
    return good || error_set(error, ERROR_INPUT, NULL, "table %s: the key of its events: %s",
                             table->name, j.problem ? j.problem : "not an object");
}

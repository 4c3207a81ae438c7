/* The schema of a dataset: columns, primary key, classification (bundle-format.md, section 4). */
#include <string.h>

#include "core/base/memory.h"
#include "core/model/load.h"

/* One {"dcType": …, "name": …}: "PC3 ssn". */
static bool load_class_item(struct load *load, struct buffer *out, struct error *error)
{
    struct reader *in = load->reader;
    const char *type = NULL, *name = NULL;
    if (reader_peek(in) != READER_OBJECT) {
        TRY(load_text_word(load, &type, error));
    } else {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);) {
            if (slice_is(key, "dcType"))
                TRY(load_text_word(load, &type, error));
            else if (slice_is(key, "name"))
                TRY(load_text_word(load, &name, error));
            else
                TRY(reader_skip(in, error));
        }
        TRY(reader_ended(in, error));
    }
    if (type == NULL && name == NULL)
        return true;
    return (out->length == 0 || buffer_append_text(out, ", ", error)) &&
           (type == NULL || buffer_append_text(out, type, error)) &&
           (type == NULL || name == NULL || buffer_append_byte(out, ' ', error)) &&
           (name == NULL || buffer_append_text(out, name, error));
}

bool load_class(struct load *load, const char **out, struct error *error)
{
    struct reader *in = load->reader;
    *out = NULL;
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    buffer_clear(&load->text);
    TRY(reader_array(in, error));
    while (reader_item(in, error))
        TRY(load_class_item(load, &load->text, error));
    TRY(reader_ended(in, error));
    return load->text.length == 0 || load_word(load, buffer_slice(&load->text), out, error);
}

bool load_add_column(struct load *load, const struct model_column *column, struct error *error)
{
    struct load_word *word = load_word_of(column->name);
    if (word->stamp == load->stamp)
        return load_warn(load, error, "store %s: column %s is there twice; the first counts",
                         load->store ? load->store : "?", column->name);
    TRY(memory_grow(&load->columns, &load->column_capacity, load->column_count + 1,
                    sizeof *load->columns, error));
    word->stamp = load->stamp;
    word->place = load->column_count;
    load->columns[load->column_count++] = *column;
    return true;
}

static bool load_column(struct load *load, struct slice name, struct error *error)
{
    struct reader *in = load->reader;
    struct model_column column = {.type = "?", .nullable = true};
    int64_t nullable = 1, key_part = 0;
    TRY(load_word(load, name, &column.name, error));
    if (reader_peek(in) != READER_OBJECT) {
        TRY(reader_skip(in, error));
        return load_add_column(load, &column, error);
    }
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "type"))
            TRY(load_type(load, &column.type, error));
        else if (slice_is(key, "nullable"))
            TRY(reader_whole(in, 1, &nullable, error));
        else if (slice_is(key, "primaryKey"))
            TRY(reader_whole(in, 0, &key_part, error));
        else if (slice_is(key, "classification"))
            TRY(load_class(load, &column.class, error));
        else if (slice_is(key, "documentation") || slice_is(key, "doc"))
            TRY(load_doc(load, &column.doc, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    column.nullable = nullable != 0;
    column.key = key_part != 0;
    return load_add_column(load, &column, error);
}

static bool load_columns(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);)
        TRY(load_column(load, key, error));
    return reader_ended(in, error);
}

/* {"colNames": [...]}, or the list alone. */
static bool load_keys(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    load->key_count = 0;
    if (reader_peek(in) == READER_OBJECT) {
        TRY(reader_object(in, error));
        for (struct slice key; reader_member(in, &key, error);)
            TRY(slice_is(key, "colNames") && reader_peek(in) == READER_ARRAY
                    ? load_keys(load, error)
                    : reader_skip(in, error));
        return reader_ended(in, error);
    }
    if (reader_peek(in) != READER_ARRAY)
        return reader_skip(in, error);
    TRY(reader_array(in, error));
    while (reader_item(in, error)) {
        const char *name;
        TRY(load_text_word(load, &name, error));
        TRY(name == NULL || memory_grow(&load->keys, &load->key_capacity, load->key_count + 1,
                                        sizeof *load->keys, error));
        if (name)
            load->keys[load->key_count++] = name;
    }
    return reader_ended(in, error);
}

/* A list of key columns overrules the columns' own flags, which else count in their order. */
static void load_key_places(struct load *load)
{
    uint32_t place = 0;
    for (size_t i = 0; i < load->column_count; i++) {
        struct model_column *column = &load->columns[i];
        column->key = column->key && load->key_count == 0 ? ++place : 0;
    }
    for (size_t i = 0; i < load->key_count; i++) {
        const struct load_word *word = load_word_of(load->keys[i]);
        if (word->stamp == load->stamp && load->columns[word->place].key == 0)
            load->columns[word->place].key = (uint32_t)i + 1;
    }
}

bool load_schema(struct load *load, struct model_dataset *out, struct error *error)
{
    struct reader *in = load->reader;
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    load->stamp++;
    load->column_count = load->key_count = 0;
    out->schema = "?";
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        struct slice text;
        if (slice_is(key, "_type"))
            TRY(load_text_word(load, &out->schema, error));
        else if (slice_is(key, "primaryKeyColumns"))
            TRY(load_keys(load, error));
        else if (slice_is(key, "columns"))
            TRY(load_columns(load, error));
        else if (slice_is(key, "avroSchema"))
            TRY(reader_slice(in, &text, error) &&
                (text.data == NULL || load_avro(load, text, error)));
        else if (slice_is(key, "classification"))
            TRY(load_class(load, &out->class, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    if (out->schema == NULL)
        out->schema = "?";
    load_key_places(load);
    out->column_count = load->column_count;
    if (load->column_count == 0)
        return true;
    out->columns =
        arena_allocate(&load->model->arena, load->column_count * sizeof *out->columns, error);
    TRY(out->columns);
    memcpy(out->columns, load->columns, load->column_count * sizeof *out->columns);
    return true;
}

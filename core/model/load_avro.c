/* The fields of an Avro schema as columns: a union with null is a nullable column, a logical type
 * is shown by its name. What can't be read is a warning. */
#include <stdio.h>
#include <string.h>

#include "core/model/load.h"

struct avro_parts {
    const char *type, *logical, *items, *values;
    int64_t precision, scale, size;
};

static bool avro_type(struct load *load, const char **out, bool *nullable, struct error *error);

/* ["null", "long"]: "long", and nullable. */
static bool avro_union(struct load *load, const char **out, bool *nullable, struct error *error)
{
    struct reader *in = load->reader;
    char text[LOAD_TYPE_SIZE] = "";
    TRY(reader_array(in, error));
    while (reader_item(in, error)) {
        const char *type = NULL;
        bool inner = false;
        TRY(avro_type(load, &type, &inner, error));
        size_t length = strlen(text);
        if (strcmp(type, "null") == 0)
            *nullable = true;
        else
            snprintf(text + length, sizeof text - length, "%s%s", length ? " | " : "", type);
    }
    if (text[0] == '\0')
        memcpy(text, "null", sizeof "null");
    return reader_ended(in, error) && load_type_text(load, text, out, error);
}

static bool avro_object(struct load *load, const char **out, struct error *error)
{
    struct reader *in = load->reader;
    struct avro_parts parts = {0};
    bool nullable;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "type"))
            TRY(avro_type(load, &parts.type, &nullable, error));
        else if (slice_is(key, "logicalType"))
            TRY(load_text_word(load, &parts.logical, error));
        else if (slice_is(key, "items"))
            TRY(avro_type(load, &parts.items, &nullable, error));
        else if (slice_is(key, "values"))
            TRY(avro_type(load, &parts.values, &nullable, error));
        else if (slice_is(key, "precision"))
            TRY(reader_whole(in, 0, &parts.precision, error));
        else if (slice_is(key, "scale"))
            TRY(reader_whole(in, 0, &parts.scale, error));
        else if (slice_is(key, "size"))
            TRY(reader_whole(in, 0, &parts.size, error));
        else
            TRY(reader_skip(in, error));
    }
    TRY(reader_ended(in, error));
    char text[LOAD_TYPE_SIZE];
    const char *type = parts.type ? parts.type : "?";
    if (parts.logical && strcmp(parts.logical, "decimal") == 0)
        snprintf(text, sizeof text, "decimal(%lld,%lld)", (long long)parts.precision,
                 (long long)parts.scale);
    else if (parts.logical)
        snprintf(text, sizeof text, "%s", parts.logical);
    else if (parts.items)
        snprintf(text, sizeof text, "%s<%s>", type, parts.items);
    else if (parts.values)
        snprintf(text, sizeof text, "%s<string, %s>", type, parts.values);
    else if (parts.size > 0)
        snprintf(text, sizeof text, "%s(%lld)", type, (long long)parts.size);
    else
        snprintf(text, sizeof text, "%s", type);
    return load_type_text(load, text, out, error);
}

static bool avro_type(struct load *load, const char **out, bool *nullable, struct error *error)
{
    *out = NULL;
    *nullable = false;
    enum reader_kind kind = reader_peek(load->reader);
    if (kind == READER_ARRAY)
        return avro_union(load, out, nullable, error);
    if (kind == READER_OBJECT)
        return avro_object(load, out, error);
    TRY(load_text_word(load, out, error));
    return *out || load_word(load, SLICE_LITERAL("?"), out, error);
}

static bool avro_field(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    struct model_column column = {.type = "?"};
    if (reader_peek(in) != READER_OBJECT)
        return reader_skip(in, error);
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (slice_is(key, "name"))
            TRY(load_text_word(load, &column.name, error));
        else if (slice_is(key, "type"))
            TRY(avro_type(load, &column.type, &column.nullable, error));
        else if (slice_is(key, "doc"))
            TRY(load_text(load, &column.doc, error));
        else
            TRY(reader_skip(in, error));
    }
    return reader_ended(in, error) &&
           (column.name == NULL || load_add_column(load, &column, error));
}

static bool avro_record(struct load *load, struct error *error)
{
    struct reader *in = load->reader;
    TRY(reader_object(in, error));
    for (struct slice key; reader_member(in, &key, error);) {
        if (!slice_is(key, "fields") || reader_peek(in) != READER_ARRAY) {
            TRY(reader_skip(in, error));
            continue;
        }
        TRY(reader_array(in, error));
        while (reader_item(in, error))
            TRY(avro_field(load, error));
        TRY(reader_ended(in, error));
    }
    return reader_ended(in, error) && reader_finish(in, error);
}

bool load_avro(struct load *load, struct slice text, struct error *error)
{
    struct reader inner, *outer = load->reader;
    struct error local = {0};
    reader_init(&inner, text, "avroSchema");
    load->reader = &inner;
    bool ok = avro_record(load, &local);
    load->reader = outer;
    reader_destroy(&inner);
    if (ok)
        return true;
    if (local.kind == ERROR_MEMORY)
        return error_set_memory(error, 0);
    return load_warn(load, error, "store %s: %s", load->store ? load->store : "?", local.message);
}

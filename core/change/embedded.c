#include "core/change/embedded.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/base/memory.h"

static const struct {
    const char *name;
    enum change_coding coding;
} codings[] = {
    {"org.apache.kafka.connect.data.Decimal", CODING_PRECISE},
    {"io.debezium.data.VariableScaleDecimal", CODING_VARIABLE},
    {"org.apache.kafka.connect.data.Time", CODING_MILLIS},
    {"org.apache.kafka.connect.data.Timestamp", CODING_MILLIS},
    {"org.apache.kafka.connect.data.Date", CODING_PLAIN},
    {"io.debezium.time.Date", CODING_PLAIN},
    {"io.debezium.time.Time", CODING_MILLIS},
    {"io.debezium.time.MicroTime", CODING_PLAIN},
    {"io.debezium.time.NanoTime", CODING_NANOS},
    {"io.debezium.time.Timestamp", CODING_MILLIS},
    {"io.debezium.time.MicroTimestamp", CODING_PLAIN},
    {"io.debezium.time.NanoTimestamp", CODING_NANOS},
    {"io.debezium.time.ZonedTimestamp", CODING_PLAIN},
    {"io.debezium.time.IsoDate", CODING_ISO},
    {"io.debezium.time.IsoTime", CODING_ISO},
    {"io.debezium.time.IsoTimestamp", CODING_ISO},
    {"io.debezium.time.MicroDuration", CODING_PLAIN},
    {"io.debezium.time.NanoDuration", CODING_NANOS},
    {"io.debezium.time.Interval", CODING_PLAIN},
};

bool embedded_init(struct embedded *embedded, const struct change_table *table, bool envelope,
                   struct error *error)
{
    *embedded = (struct embedded){.table = table, .envelope = envelope};
    embedded->forms = memory_zero(table->column_count, sizeof *embedded->forms, error);
    TRY(embedded->forms != NULL);
    for (size_t i = 0; i < table->column_count; i++)
        embedded->forms[i] = table->columns[i].form;
    return true;
}

void embedded_destroy(struct embedded *embedded)
{
    free(embedded->forms);
    buffer_destroy(&embedded->schema);
    arena_destroy(&embedded->arena);
    *embedded = (struct embedded){0};
}

/* A number among the parameters, which are texts. */
static int32_t parameter(const json_t *field, const char *name, int32_t otherwise)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(field, "parameters"), name));
    char *end;
    long value = text ? strtol(text, &end, 10) : 0;
    return text && end != text && *end == '\0' && value > -100000 && value < 100000 ? (int32_t)value
                                                                                    : otherwise;
}

static bool form_by_schema(const struct change_form *from, const json_t *field, struct arena *arena,
                           const struct change_form **out, struct error *error)
{
    struct change_form *form = arena_zero(arena, 1, sizeof *form, error);
    TRY(form != NULL);
    *form = *from;
    *out = form;
    const char *type = json_string_value(json_object_get(field, "type"));
    const char *name = json_string_value(json_object_get(field, "name"));
    if (form->kind == KIND_LIST && type && strcmp(type, "array") == 0) {
        const struct change_form *element;
        TRY(form_by_schema(from->element, json_object_get(field, "items"), arena, &element, error));
        form->element = arena_zero(arena, 1, sizeof *form->element, error);
        TRY(form->element != NULL);
        *form->element = *element;
        return true;
    }
    if (form->kind == KIND_BYTES) /* base64 when it is bytes; a string is base64 or hex by mode */
        form->coding = type && strcmp(type, "bytes") == 0 ? CODING_PLAIN : form->coding;
    else if (type)
        form->coding = CODING_PLAIN;
    for (size_t i = 0; name && i < sizeof codings / sizeof *codings; i++) {
        if (strcmp(name, codings[i].name) == 0)
            form->coding = codings[i].coding;
    }
    if (form->coding == CODING_PRECISE)
        form->scale = parameter(field, "scale", form->scale);
    if (form->kind == KIND_BITS && !form->varying)
        form->bits = parameter(field, "length", form->bits);
    return true;
}

/* The fields of the row: those of `after` in an envelope, else the schema's own. */
static const json_t *row_fields(const json_t *schema, bool envelope)
{
    const json_t *fields = json_object_get(schema, "fields");
    if (!envelope)
        return fields;
    size_t index;
    json_t *field;
    json_array_foreach((json_t *)(uintptr_t)fields, index, field)
    {
        const char *name = json_string_value(json_object_get(field, "field"));
        if (name && strcmp(name, "after") == 0)
            return json_object_get(field, "fields");
    }
    return NULL;
}

static bool read_schema(struct embedded *embedded, const json_t *root, struct error *error)
{
    const json_t *fields = row_fields(root, embedded->envelope);
    if (!json_is_array(fields))
        return error_set(error, ERROR_INPUT, "set the converter's schemas.enable to false",
                         "the event's schema does not describe a row");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "field"));
        size_t column = name ? change_table_column(embedded->table, slice_of(name))
                             : embedded->table->column_count;
        if (column == embedded->table->column_count)
            continue; /* the row reader counts unknown members */
        TRY(form_by_schema(embedded->table->columns[column].form, field, &embedded->arena,
                           &embedded->forms[column], error));
    }
    return true;
}

static void forget(struct embedded *embedded)
{
    for (size_t i = 0; i < embedded->table->column_count; i++)
        embedded->forms[i] = embedded->table->columns[i].form;
    arena_reset(&embedded->arena);
    buffer_clear(&embedded->schema);
}

bool embedded_use(struct embedded *embedded, struct slice schema, struct error *error)
{
    if (slice_equal(schema, buffer_slice(&embedded->schema)))
        return true;
    forget(embedded);
    if (schema.length == 0)
        return true;
    json_error_t problem;
    json_t *root = json_loadb(schema.data, schema.length, 0, &problem);
    if (root == NULL)
        return error_set(error, ERROR_INPUT, NULL, "the event's schema: %s", problem.text);
    bool read =
        read_schema(embedded, root, error) && buffer_append_slice(&embedded->schema, schema, error);
    json_decref(root);
    if (!read)
        forget(embedded);
    return read;
}

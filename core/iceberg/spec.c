#include "core/iceberg/spec.h"

#include <inttypes.h>

#include "core/base/json.h"

static const struct {
    const char *name;
    enum iceberg_transform transform;
} transform_names[] = {
    {"identity", ICEBERG_IDENTITY}, {"void", ICEBERG_VOID}, {"year", ICEBERG_YEAR},
    {"month", ICEBERG_MONTH},       {"day", ICEBERG_DAY},   {"hour", ICEBERG_HOUR},
};

static void spec_read_transform(const char *text, struct iceberg_partition_field *out)
{
    int end = 0;
    out->transform = ICEBERG_TRANSFORM_UNKNOWN;
    for (size_t i = 0; i < sizeof transform_names / sizeof *transform_names; i++) {
        if (strcmp(text, transform_names[i].name) == 0)
            out->transform = transform_names[i].transform;
    }
    if (sscanf(text, "bucket[%" SCNd32 "]%n", &out->argument, &end) == 1 && end > 0 &&
        text[end] == '\0' && out->argument > 0)
        out->transform = ICEBERG_BUCKET;
    end = 0;
    if (sscanf(text, "truncate[%" SCNd32 "]%n", &out->argument, &end) == 1 && end > 0 &&
        text[end] == '\0' && out->argument > 0)
        out->transform = ICEBERG_TRUNCATE;
}

static void spec_result_type(struct iceberg_partition_field *field)
{
    switch (field->transform) {
    case ICEBERG_BUCKET:
    case ICEBERG_YEAR:
    case ICEBERG_MONTH:
    case ICEBERG_HOUR:
        field->type = (struct type){.kind = TYPE_INT};
        break;
    case ICEBERG_DAY:
        field->type = (struct type){.kind = TYPE_DATE};
        break;
    case ICEBERG_TRANSFORM_UNKNOWN:
        field->type = (struct type){.kind = TYPE_STRING};
        break;
    default:
        field->type = field->source_type;
        break;
    }
}

/* The type of a column, which may be gone from the current schema. */
static void spec_source_type(struct iceberg_partition_field *field, const struct schema *current,
                             const struct schema *schemas, size_t schema_count)
{
    const struct field *source = current ? schema_find_id(current, field->source_id) : NULL;
    for (size_t i = 0; source == NULL && i < schema_count; i++)
        source = schema_find_id(&schemas[i], field->source_id);
    if (source && !type_is_nested(&source->type))
        field->source_type = source->type;
    else
        field->source_type = (struct type){.kind = TYPE_STRING};
}

bool iceberg_spec_read(const json_t *fields, const struct schema *current,
                       const struct schema *schemas, size_t schema_count, struct arena *arena,
                       struct iceberg_spec *out, struct error *error)
{
    if (!json_is_array(fields))
        return error_set(error, ERROR_INPUT, NULL, "partition spec: \"fields\" is missing");
    out->field_count = json_array_size(fields);
    out->fields = arena_zero(arena, out->field_count, sizeof *out->fields, error);
    TRY(out->fields != NULL);
    for (size_t i = 0; i < out->field_count; i++) {
        const json_t *json = json_array_get(fields, i);
        struct iceberg_partition_field *field = &out->fields[i];
        const char *name = NULL, *transform = NULL;
        field->field_id = 1000 + (int32_t)i; /* v1 did not write it */
        TRY(json_get_text(json, "name", "partition spec", &name, error));
        TRY(json_get_text(json, "transform", "partition spec", &transform, error));
        TRY(json_optional_int(json, "field-id", "partition spec", &field->field_id, error));
        if (json_object_get(json, "source-id"))
            TRY(json_get_int(json, "source-id", "partition spec", &field->source_id, error));
        else /* v3: several sources */
            field->source_id =
                (int32_t)json_integer_value(json_array_get(json_object_get(json, "source-ids"), 0));
        TRY((field->name = arena_copy_text(arena, name, error)) != NULL);
        spec_read_transform(transform, field);
        spec_source_type(field, current, schemas, schema_count);
        spec_result_type(field);
    }
    return true;
}

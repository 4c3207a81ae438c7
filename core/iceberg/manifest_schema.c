#include "core/iceberg/manifest_schema.h"

#include <ctype.h>
#include <inttypes.h>

#include "core/avro/writer.h"
#include "core/base/decimal.h"

/* clang-format off */
#define REQUIRED(name, type, id) \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"field-id\":" #id "}"
#define OPTIONAL(name, type, id)                                                                   \
    "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null,\"field-id\":" #id "}"
#define MAP(name, key_id, value_id, value_type, id)                                                \
    OPTIONAL(name,                                                                                 \
             "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"k" #key_id             \
             "_v" #value_id "\",\"fields\":[" REQUIRED("key", "int", key_id) ","                   \
             REQUIRED("value", value_type, value_id) "]},\"logicalType\":\"map\"}",                \
             id)
#define LIST(name, type, element_id, id)                                                           \
    OPTIONAL(name,                                                                                 \
             "{\"type\":\"array\",\"items\":\"" type "\",\"element-id\":" #element_id "}", id)

const char manifest_list_schema[] =
    "{\"type\":\"record\",\"name\":\"manifest_file\",\"fields\":["
    REQUIRED("manifest_path", "string", 500) ","
    REQUIRED("manifest_length", "long", 501) ","
    REQUIRED("partition_spec_id", "int", 502) ","
    REQUIRED("content", "int", 517) ","
    REQUIRED("sequence_number", "long", 515) ","
    REQUIRED("min_sequence_number", "long", 516) ","
    REQUIRED("added_snapshot_id", "long", 503) ","
    REQUIRED("added_files_count", "int", 504) ","
    REQUIRED("existing_files_count", "int", 505) ","
    REQUIRED("deleted_files_count", "int", 506) ","
    REQUIRED("added_rows_count", "long", 512) ","
    REQUIRED("existing_rows_count", "long", 513) ","
    REQUIRED("deleted_rows_count", "long", 514) ","
    OPTIONAL("partitions",
             "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"r508\",\"fields\":["
             REQUIRED("contains_null", "boolean", 509) ","
             OPTIONAL("contains_nan", "\"boolean\"", 518) ","
             OPTIONAL("lower_bound", "\"bytes\"", 510) ","
             OPTIONAL("upper_bound", "\"bytes\"", 511) "]},\"element-id\":508}",
             507) ","
    OPTIONAL("key_metadata", "\"bytes\"", 519) "]}";

static const char entry_head[] =
    "{\"type\":\"record\",\"name\":\"manifest_entry\",\"fields\":["
    REQUIRED("status", "int", 0) ","
    OPTIONAL("snapshot_id", "\"long\"", 1) ","
    OPTIONAL("sequence_number", "\"long\"", 3) ","
    OPTIONAL("file_sequence_number", "\"long\"", 4) ","
    "{\"name\":\"data_file\",\"type\":{\"type\":\"record\",\"name\":\"r2\",\"fields\":["
    REQUIRED("content", "int", 134) ","
    REQUIRED("file_path", "string", 100) ","
    REQUIRED("file_format", "string", 101) ","
    "{\"name\":\"partition\",\"type\":{\"type\":\"record\",\"name\":\"r102\",\"fields\":[";

static const char entry_tail[] =
    "]},\"field-id\":102},"
    REQUIRED("record_count", "long", 103) ","
    REQUIRED("file_size_in_bytes", "long", 104) ","
    MAP("column_sizes", 117, 118, "long", 108) ","
    MAP("value_counts", 119, 120, "long", 109) ","
    MAP("null_value_counts", 121, 122, "long", 110) ","
    MAP("nan_value_counts", 138, 139, "long", 137) ","
    MAP("lower_bounds", 126, 127, "bytes", 125) ","
    MAP("upper_bounds", 129, 130, "bytes", 128) ","
    OPTIONAL("key_metadata", "\"bytes\"", 131) ","
    LIST("split_offsets", "long", 133, 132) ","
    LIST("equality_ids", "int", 136, 135) ","
    OPTIONAL("sort_order_id", "\"int\"", 140) ","
    OPTIONAL("referenced_data_file", "\"string\"", 143)
    "]},\"field-id\":2}]}";

/* clang-format on */

/* ---- partition fields ---- */

/* Avro names are letters, digits and underscores: others become _xHH, as Iceberg's library does. */
static bool schema_put_name(const char *name, struct buffer *out, struct error *error)
{
    for (const char *at = name; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        bool letter = (byte < 0x80 && isalpha(byte)) || byte == '_';
        bool digit = byte >= '0' && byte <= '9';
        if (letter || (digit && at != name))
            TRY(buffer_append_byte(out, byte, error));
        else if (digit)
            TRY(buffer_append_format(out, error, "_%c", byte));
        else
            TRY(buffer_append_format(out, error, "_x%X", (unsigned)byte));
    }
    return *name != '\0' || buffer_append_byte(out, '_', error);
}

static size_t schema_decimal_width(int32_t precision)
{
    int128 most = decimal_power(precision) - 1;
    size_t width = 1;
    while (width < 16 && most >> (8 * width - 1) != 0)
        width++;
    return width;
}

static bool schema_put_fixed(const char *name, size_t size, const char *more, bool known,
                             struct buffer *out, struct error *error)
{
    if (known) /* a named type is spelt out once */
        return buffer_append_format(out, error, "\"%s\"", name);
    return buffer_append_format(out, error, "{\"type\":\"fixed\",\"name\":\"%s\",\"size\":%zu%s}",
                                name, size, more);
}

static bool schema_put_type(const struct type *type, bool known, struct buffer *out,
                            struct error *error)
{
    static const char *const plain[TYPE_KINDS] = {
        [TYPE_BOOLEAN] = "\"boolean\"",
        [TYPE_INT] = "\"int\"",
        [TYPE_LONG] = "\"long\"",
        [TYPE_FLOAT] = "\"float\"",
        [TYPE_DOUBLE] = "\"double\"",
        [TYPE_STRING] = "\"string\"",
        [TYPE_BINARY] = "\"bytes\"",
        [TYPE_DATE] = "{\"type\":\"int\",\"logicalType\":\"date\"}",
        [TYPE_TIME] = "{\"type\":\"long\",\"logicalType\":\"time-micros\"}",
        [TYPE_TIMESTAMP] =
            "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":false}",
        [TYPE_TIMESTAMPTZ] =
            "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":true}",
    };
    char name[48], more[96];
    if (plain[type->kind])
        return buffer_append_text(out, plain[type->kind], error);
    if (type->kind == TYPE_UUID)
        return schema_put_fixed("uuid_fixed", 16, ",\"logicalType\":\"uuid\"", known, out, error);
    if (type->kind == TYPE_FIXED) {
        snprintf(name, sizeof name, "fixed_%" PRId32, type->length);
        return schema_put_fixed(name, (size_t)type->length, "", known, out, error);
    }
    snprintf(name, sizeof name, "decimal_%" PRId32 "_%" PRId32, type->precision, type->scale);
    snprintf(more, sizeof more,
             ",\"logicalType\":\"decimal\",\"precision\":%" PRId32 ",\"scale\":%" PRId32,
             type->precision, type->scale);
    return schema_put_fixed(name, schema_decimal_width(type->precision), more, known, out, error);
}

bool manifest_schema_text(const struct iceberg_spec *spec, struct buffer *out, struct error *error)
{
    TRY(buffer_append_text(out, entry_head, error));
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct iceberg_partition_field *field = &spec->fields[i];
        if (field->transform == ICEBERG_TRANSFORM_UNKNOWN)
            return error_set(error, ERROR_UNSUPPORTED, "write to this table with Trino or Spark",
                             "partition field %s: its transform is not known", field->name);
        bool known = false;
        for (size_t j = 0; j < i; j++)
            known = known || type_equal(&spec->fields[j].type, &field->type);
        TRY(buffer_append_text(out, i ? ",{\"name\":\"" : "{\"name\":\"", error));
        TRY(schema_put_name(field->name, out, error));
        TRY(buffer_append_text(out, "\",\"type\":[\"null\",", error));
        TRY(schema_put_type(&field->type, known, out, error));
        TRY(buffer_append_format(out, error, "],\"default\":null,\"field-id\":%" PRId32 "}",
                                 field->field_id));
    }
    return buffer_append_text(out, entry_tail, error);
}

/* ---- partition values ---- */

static int64_t partition_long(struct slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.length && i < 8; i++)
        value |= (uint64_t)(uint8_t)bytes.data[i] << (8 * i);
    return bytes.length == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static bool partition_put_raw(const struct type *type, struct slice bytes, size_t width,
                              struct buffer *out, struct error *error)
{
    float narrow = 0;
    double wide = 0;
    if (type->kind == TYPE_DOUBLE && bytes.length == 4) { /* from before a promotion */
        memcpy(&narrow, bytes.data, 4);
        wide = (double)narrow;
        bytes = slice_make(&wide, 8);
    }
    if (bytes.length != width)
        return error_set(error, ERROR_INPUT, NULL, "a partition value has %zu bytes instead of %zu",
                         bytes.length, width);
    return buffer_append_slice(out, bytes, error);
}

bool manifest_put_partition(const struct type *type, const struct iceberg_value *value,
                            struct buffer *out, struct error *error)
{
    uint8_t fixed[16];
    int128 decimal = 0;
    if (!value->present)
        return avro_put_long(out, 0, error);
    TRY(avro_put_long(out, 1, error));
    switch (type->kind) {
    case TYPE_BOOLEAN:
        return avro_put_boolean(out, value->bytes.length && value->bytes.data[0], error);
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return avro_put_long(out, partition_long(value->bytes), error);
    case TYPE_FLOAT:
        return partition_put_raw(type, value->bytes, 4, out, error);
    case TYPE_DOUBLE:
        return partition_put_raw(type, value->bytes, 8, out, error);
    case TYPE_DECIMAL: {
        size_t width = schema_decimal_width(type->precision);
        if (!decimal_from_bytes(value->bytes, &decimal) || !decimal_fits(decimal, type->precision))
            return error_set(error, ERROR_INPUT, NULL, "a partition value is out of range");
        decimal_to_bytes_fixed(decimal, fixed, width);
        return buffer_append(out, fixed, width, error);
    }
    case TYPE_UUID:
        return partition_put_raw(type, value->bytes, 16, out, error);
    case TYPE_FIXED:
        return partition_put_raw(type, value->bytes, (size_t)type->length, out, error);
    default:
        return avro_put_bytes(out, value->bytes, error);
    }
}

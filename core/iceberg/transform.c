/* transform.c: partition transforms (spec, "Partition Transforms", appendix B for the hash). */
#include "core/base/datetime.h"
#include "core/base/decimal.h"
#include "core/base/utf8.h"
#include "core/codec/codec.h"
#include "core/iceberg/schema.h"

static int64_t transform_long(struct slice bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.length; i++)
        value |= (uint64_t)(uint8_t)bytes.data[i] << (8 * i);
    return bytes.length == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

static bool transform_keep(const void *data, size_t length, struct arena *arena,
                           struct iceberg_value *out, struct error *error)
{
    char *copy = arena_copy_slice(arena, slice_make(data, length), error);
    *out = (struct iceberg_value){copy != NULL, slice_make(copy, length)};
    return copy != NULL;
}

static bool transform_keep_le(uint64_t value, size_t width, struct arena *arena,
                              struct iceberg_value *out, struct error *error)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    return transform_keep(bytes, width, arena, out, error);
}

static bool transform_refused(const struct iceberg_partition_field *field, struct error *error)
{
    return error_set(error, ERROR_UNSUPPORTED,
                     "write to an unpartitioned table, or one partitioned by identity or bucket",
                     "partition field %s: its transform has no value for this type",
                     field->name ? field->name : "?");
}

bool iceberg_bucket_hash(const struct type *type, struct slice value, int32_t *out,
                         struct error *error)
{
    uint8_t bytes[8];
    switch (type->kind) {
    case TYPE_INT:
    case TYPE_DATE:
    case TYPE_LONG:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ: {
        if (value.length != 4 && value.length != 8)
            break;
        uint64_t wide = (uint64_t)transform_long(value);
        for (size_t i = 0; i < 8; i++)
            bytes[i] = (uint8_t)(wide >> (8 * i));
        *out = (int32_t)codec_murmur3(slice_make(bytes, 8));
        return true;
    }
    case TYPE_DECIMAL: {
        int128 decimal = 0;
        uint8_t minimal[16];
        if (!decimal_from_bytes(value, &decimal))
            break;
        *out =
            (int32_t)codec_murmur3(slice_make(minimal, decimal_to_bytes_minimal(decimal, minimal)));
        return true;
    }
    case TYPE_STRING:
    case TYPE_UUID:
    case TYPE_FIXED:
    case TYPE_BINARY:
        *out = (int32_t)codec_murmur3(value);
        return true;
    default:
        break;
    }
    return error_set(error, ERROR_UNSUPPORTED, "bucket by another column",
                     "values of this type have no bucket hash");
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return quotient - (value % by < 0);
}

/* Years, months, days or hours since 1970. */
static bool transform_time(const struct iceberg_partition_field *field, struct slice value,
                           struct arena *arena, struct iceberg_value *out, struct error *error)
{
    enum type_kind kind = field->source_type.kind;
    bool is_date = kind == TYPE_DATE && value.length == 4;
    if (!is_date && !((kind == TYPE_TIMESTAMP || kind == TYPE_TIMESTAMPTZ) && value.length == 8))
        return transform_refused(field, error);
    int64_t raw = transform_long(value), result = 0, year = 0;
    int64_t days = is_date ? raw : floor_divide(raw, DATETIME_US_PER_DAY);
    int month = 0, day = 0;
    datetime_civil_from_days(days, &year, &month, &day);
    if (field->transform == ICEBERG_YEAR)
        result = year - 1970;
    else if (field->transform == ICEBERG_MONTH)
        result = (year - 1970) * 12 + month - 1;
    else if (field->transform == ICEBERG_DAY)
        result = days;
    else if (is_date)
        return transform_refused(field, error);
    else
        result = floor_divide(raw, DATETIME_US_PER_DAY / 24);
    return transform_keep_le((uint64_t)result, 4, arena, out, error);
}

static bool transform_truncate(const struct iceberg_partition_field *field, struct slice value,
                               struct arena *arena, struct iceberg_value *out, struct error *error)
{
    int64_t width = field->argument;
    size_t end = 0;
    switch (field->source_type.kind) {
    case TYPE_INT:
    case TYPE_LONG: {
        if (value.length != 4 && value.length != 8)
            return transform_refused(field, error);
        int64_t number = transform_long(value);
        int64_t rest = ((number % width) + width) % width;
        return transform_keep_le((uint64_t)number - (uint64_t)rest,
                                 field->source_type.kind == TYPE_INT ? 4 : 8, arena, out, error);
    }
    case TYPE_DECIMAL: {
        int128 decimal = 0;
        uint8_t bytes[16];
        if (!decimal_from_bytes(value, &decimal))
            return transform_refused(field, error);
        decimal -= ((decimal % width) + width) % width;
        return transform_keep(bytes, decimal_to_bytes_minimal(decimal, bytes), arena, out, error);
    }
    case TYPE_STRING:
        for (int64_t i = 0; i < width && end < value.length; i++) {
            size_t step = utf8_character_length(value.data + end, value.length - end);
            end += step ? step : 1;
        }
        return transform_keep(value.data, end, arena, out, error);
    case TYPE_BINARY:
        end = value.length < (size_t)width ? value.length : (size_t)width;
        return transform_keep(value.data, end, arena, out, error);
    default:
        return transform_refused(field, error);
    }
}

bool iceberg_transform_apply(const struct iceberg_partition_field *field,
                             struct iceberg_value value, struct arena *arena,
                             struct iceberg_value *out, struct error *error)
{
    int32_t hash = 0;
    *out = (struct iceberg_value){0};
    if (!value.present || field->transform == ICEBERG_VOID)
        return true;
    switch (field->transform) {
    case ICEBERG_IDENTITY:
        return transform_keep(value.bytes.data, value.bytes.length, arena, out, error);
    case ICEBERG_BUCKET:
        TRY(iceberg_bucket_hash(&field->source_type, value.bytes, &hash, error));
        return transform_keep_le((uint64_t)((hash & INT32_MAX) % field->argument), 4, arena, out,
                                 error);
    case ICEBERG_TRUNCATE:
        return transform_truncate(field, value.bytes, arena, out, error);
    case ICEBERG_YEAR:
    case ICEBERG_MONTH:
    case ICEBERG_DAY:
    case ICEBERG_HOUR:
        return transform_time(field, value.bytes, arena, out, error);
    default:
        return transform_refused(field, error);
    }
}

#include "core/iceberg/decode.h"

int32_t decode_field_id(const struct avro_field *field, const struct decode_name *names,
                        size_t count)
{
    if (field->id != -1)
        return field->id;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i].name, field->name) == 0)
            return names[i].id;
    }
    return -1;
}

bool decode_mismatch(const struct avro_cursor *cursor, const char *what, struct error *error)
{
    return error_set(error, ERROR_INPUT, "the file is damaged: restore it, or roll the table back",
                     "%s: %s", cursor->name, what);
}

bool decode_present(struct avro_cursor *cursor, const struct avro_type **type, bool *present,
                    struct error *error)
{
    if ((*type)->kind == AVRO_UNION) {
        int64_t branch = 0;
        TRY(avro_get_long(cursor, &branch, error));
        if (branch < 0 || (uint64_t)branch >= (*type)->branch_count)
            return decode_mismatch(cursor, "a union has no such branch", error);
        *type = (*type)->branches[branch];
    }
    *present = (*type)->kind != AVRO_NULL;
    return true;
}

bool decode_long(struct avro_cursor *cursor, const struct avro_type *type, int64_t *out,
                 struct error *error)
{
    bool present = false;
    TRY(decode_present(cursor, &type, &present, error));
    if (!present)
        return true;
    if (type->kind != AVRO_INT && type->kind != AVRO_LONG)
        return decode_mismatch(cursor, "a number is stored as another type", error);
    return avro_get_long(cursor, out, error);
}

bool decode_int(struct avro_cursor *cursor, const struct avro_type *type, int32_t *out,
                struct error *error)
{
    int64_t wide = *out;
    TRY(decode_long(cursor, type, &wide, error));
    if (wide < INT32_MIN || wide > INT32_MAX)
        return decode_mismatch(cursor, "a number is out of range", error);
    *out = (int32_t)wide;
    return true;
}

bool decode_boolean(struct avro_cursor *cursor, const struct avro_type *type, bool *out,
                    struct error *error)
{
    bool present = false;
    TRY(decode_present(cursor, &type, &present, error));
    if (!present)
        return true;
    if (type->kind != AVRO_BOOLEAN)
        return decode_mismatch(cursor, "a truth value is stored as another type", error);
    return avro_get_boolean(cursor, out, error);
}

bool decode_bytes(struct avro_cursor *cursor, const struct avro_type *type, struct slice *out,
                  bool *present, struct error *error)
{
    TRY(decode_present(cursor, &type, present, error));
    if (!*present)
        return true;
    if (type->kind == AVRO_FIXED)
        return avro_get_raw(cursor, type->size, out, error);
    if (type->kind != AVRO_BYTES && type->kind != AVRO_STRING)
        return decode_mismatch(cursor, "bytes are stored as another type", error);
    return avro_get_bytes(cursor, out, error);
}

bool decode_text(struct avro_cursor *cursor, const struct avro_type *type, const char **out,
                 struct arena *arena, struct error *error)
{
    struct slice bytes = {0};
    bool present = false;
    TRY(decode_bytes(cursor, type, &bytes, &present, error));
    if (!present)
        return true;
    if (bytes.length && memchr(bytes.data, '\0', bytes.length))
        return decode_mismatch(cursor, "a path holds a zero byte", error);
    return (*out = arena_copy_slice(arena, bytes, error)) != NULL;
}

bool decode_blob(struct avro_cursor *cursor, const struct avro_type *type, struct slice *out,
                 bool *present, struct arena *arena, struct error *error)
{
    struct slice bytes = {0};
    TRY(decode_bytes(cursor, type, &bytes, present, error));
    if (!*present)
        return true;
    const char *copy = arena_copy_slice(arena, bytes, error);
    *out = slice_make(copy, bytes.length);
    return copy != NULL;
}

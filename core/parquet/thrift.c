#include "core/parquet/thrift.h"

/* ---- writing ---- */

static void put(struct thrift_writer *writer, const void *data, size_t length)
{
    writer->ok = writer->ok && buffer_append(writer->out, data, length, writer->error);
}

static void put_varint(struct thrift_writer *writer, uint64_t value)
{
    uint8_t bytes[10];
    size_t length = 0;
    while (value >= 0x80) {
        bytes[length++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[length++] = (uint8_t)value;
    put(writer, bytes, length);
}

static void put_zigzag(struct thrift_writer *writer, int64_t value)
{
    put_varint(writer, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static void put_field(struct thrift_writer *writer, int16_t id, enum thrift_type type)
{
    int16_t *last = &writer->last[writer->depth];
    int delta = id - *last;
    if (delta > 0 && delta < 16) {
        uint8_t byte = (uint8_t)(delta << 4 | (int)type);
        put(writer, &byte, 1);
    } else {
        uint8_t byte = (uint8_t)type;
        put(writer, &byte, 1);
        put_zigzag(writer, id);
    }
    *last = id;
}

void thrift_write_begin(struct thrift_writer *writer, struct buffer *out, struct error *error)
{
    *writer = (struct thrift_writer){.out = out, .error = error, .ok = true, .depth = -1};
    thrift_struct_begin(writer);
}

void thrift_struct_begin(struct thrift_writer *writer)
{
    if (writer->depth + 1 >= THRIFT_DEPTH) {
        writer->ok = error_set(writer->error, ERROR_INTERNAL, NULL, "thrift: nested too deeply");
        return;
    }
    writer->last[++writer->depth] = 0;
}

void thrift_struct_end(struct thrift_writer *writer)
{
    put(writer, "", 1);
    if (writer->depth > 0)
        writer->depth--;
}

void thrift_field_bool(struct thrift_writer *writer, int16_t id, bool value)
{
    put_field(writer, id, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_field_i8(struct thrift_writer *writer, int16_t id, int8_t value)
{
    put_field(writer, id, THRIFT_I8);
    put(writer, &value, 1);
}

void thrift_field_i16(struct thrift_writer *writer, int16_t id, int16_t value)
{
    put_field(writer, id, THRIFT_I16);
    put_zigzag(writer, value);
}

void thrift_field_i32(struct thrift_writer *writer, int16_t id, int32_t value)
{
    put_field(writer, id, THRIFT_I32);
    put_zigzag(writer, value);
}

void thrift_field_i64(struct thrift_writer *writer, int16_t id, int64_t value)
{
    put_field(writer, id, THRIFT_I64);
    put_zigzag(writer, value);
}

void thrift_field_binary(struct thrift_writer *writer, int16_t id, struct slice value)
{
    put_field(writer, id, THRIFT_BINARY);
    thrift_element_binary(writer, value);
}

void thrift_field_struct(struct thrift_writer *writer, int16_t id)
{
    put_field(writer, id, THRIFT_STRUCT);
    thrift_struct_begin(writer);
}

void thrift_field_list(struct thrift_writer *writer, int16_t id, enum thrift_type element,
                       size_t count)
{
    put_field(writer, id, THRIFT_LIST);
    uint8_t byte = (uint8_t)((count < 15 ? count << 4 : 0xf0) | (size_t)element);
    put(writer, &byte, 1);
    if (count >= 15)
        put_varint(writer, count);
}

void thrift_element_bool(struct thrift_writer *writer, bool value)
{
    uint8_t byte = value ? THRIFT_TRUE : THRIFT_FALSE;
    put(writer, &byte, 1);
}

void thrift_element_int(struct thrift_writer *writer, int64_t value)
{
    put_zigzag(writer, value);
}

void thrift_element_binary(struct thrift_writer *writer, struct slice value)
{
    put_varint(writer, value.length);
    put(writer, value.data, value.length);
}

/* ---- reading ---- */

void thrift_read_begin(struct thrift_reader *reader, struct slice bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.data;
    *reader = (struct thrift_reader){data, data, data + bytes.length, false, 0};
}

static uint8_t take_byte(struct thrift_reader *reader)
{
    if (reader->at == reader->end || reader->failed) {
        reader->failed = true;
        return 0;
    }
    return *reader->at++;
}

static uint64_t take_varint(struct thrift_reader *reader)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        uint8_t byte = take_byte(reader);
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    reader->failed = true;
    return 0;
}

static int64_t take_zigzag(struct thrift_reader *reader)
{
    uint64_t value = take_varint(reader);
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

bool thrift_read_field(struct thrift_reader *reader, struct thrift_field *field)
{
    uint8_t byte = take_byte(reader);
    if (byte == THRIFT_STOP || reader->failed)
        return false;
    field->type = byte & 0x0f;
    int64_t id = byte >> 4 ? field->id + (byte >> 4) : take_zigzag(reader);
    if (id < INT16_MIN || id > INT16_MAX)
        reader->failed = true;
    field->id = (int16_t)id;
    return !reader->failed;
}

bool thrift_read_bool(struct thrift_reader *reader, uint8_t type)
{
    if (type != THRIFT_TRUE && type != THRIFT_FALSE)
        reader->failed = true;
    return type == THRIFT_TRUE;
}

int64_t thrift_read_int(struct thrift_reader *reader, uint8_t type)
{
    if (type == THRIFT_I8)
        return (int8_t)take_byte(reader);
    if (type == THRIFT_I16 || type == THRIFT_I32 || type == THRIFT_I64)
        return take_zigzag(reader);
    reader->failed = true;
    return 0;
}

int32_t thrift_read_i32(struct thrift_reader *reader, uint8_t type)
{
    int64_t value = thrift_read_int(reader, type);
    if (value < INT32_MIN || value > INT32_MAX)
        reader->failed = true;
    return reader->failed ? 0 : (int32_t)value;
}

struct slice thrift_read_binary(struct thrift_reader *reader, uint8_t type)
{
    uint64_t length = type == THRIFT_BINARY ? take_varint(reader) : UINT64_MAX;
    if (reader->failed || length > (uint64_t)(reader->end - reader->at)) {
        reader->failed = true;
        return (struct slice){0};
    }
    struct slice value = {(const char *)reader->at, (size_t)length};
    reader->at += length;
    return value;
}

size_t thrift_read_list(struct thrift_reader *reader, uint8_t type, uint8_t *element)
{
    *element = 0;
    if (type != THRIFT_LIST && type != THRIFT_SET) {
        reader->failed = true;
        return 0;
    }
    uint8_t byte = take_byte(reader);
    *element = byte & 0x0f;
    uint64_t count = byte >> 4 == 15 ? take_varint(reader) : byte >> 4;
    if (count > (uint64_t)(reader->end - reader->at))
        reader->failed = true;
    return reader->failed ? 0 : (size_t)count;
}

bool thrift_read_bool_element(struct thrift_reader *reader)
{
    return take_byte(reader) == THRIFT_TRUE;
}

bool thrift_read_enter(struct thrift_reader *reader, uint8_t type)
{
    if (type != THRIFT_STRUCT || ++reader->depth > 2 * THRIFT_DEPTH)
        reader->failed = true;
    return !reader->failed;
}

void thrift_read_leave(struct thrift_reader *reader)
{
    reader->depth--;
}

static void skip_bytes(struct thrift_reader *reader, uint64_t length)
{
    if (length > (uint64_t)(reader->end - reader->at))
        reader->failed = true;
    else
        reader->at += length;
}

static void skip_map(struct thrift_reader *reader)
{
    uint64_t count = take_varint(reader);
    if (count == 0)
        return;
    uint8_t types = take_byte(reader);
    for (; count > 0 && !reader->failed; count--) {
        for (int side = 0; side < 2; side++) {
            uint8_t type = side ? types & 0x0f : types >> 4;
            if (type == THRIFT_TRUE || type == THRIFT_FALSE)
                take_byte(reader);
            else
                thrift_skip(reader, type);
        }
    }
}

static void skip_list(struct thrift_reader *reader)
{
    uint8_t element;
    size_t count = thrift_read_list(reader, THRIFT_LIST, &element);
    for (; count > 0 && !reader->failed; count--) {
        if (element == THRIFT_TRUE || element == THRIFT_FALSE)
            take_byte(reader);
        else
            thrift_skip(reader, element);
    }
}

static void skip_struct(struct thrift_reader *reader)
{
    struct thrift_field field = {0};
    while (thrift_read_field(reader, &field))
        thrift_skip(reader, field.type);
}

void thrift_skip(struct thrift_reader *reader, uint8_t type)
{
    if (reader->failed || ++reader->depth > 2 * THRIFT_DEPTH) {
        reader->failed = true;
        return;
    }
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        break;
    case THRIFT_I8:
        take_byte(reader);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        take_varint(reader);
        break;
    case THRIFT_DOUBLE:
        skip_bytes(reader, 8);
        break;
    case THRIFT_UUID:
        skip_bytes(reader, 16);
        break;
    case THRIFT_BINARY:
        thrift_read_binary(reader, type);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        skip_list(reader);
        break;
    case THRIFT_MAP:
        skip_map(reader);
        break;
    case THRIFT_STRUCT:
        skip_struct(reader);
        break;
    default:
        reader->failed = true;
    }
    reader->depth--;
}

/* thrift.h: the Thrift compact protocol, as much of it as Parquet's metadata needs; inside
 * core/parquet.
 *
 * Both directions remember a failure: after it writing does nothing and reading gives zeros, so
 * that callers check once at the end.
 */
#ifndef SURFBOARD_PARQUET_THRIFT_H
#define SURFBOARD_PARQUET_THRIFT_H

#include <stdint.h>

#include "core/base/buffer.h"

enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1, /* as a field: the value; as a list element type: boolean */
    THRIFT_FALSE = 2,
    THRIFT_I8 = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12,
    THRIFT_UUID = 13
};

enum { THRIFT_DEPTH = 16 };

/* ---- writing ---- */

struct thrift_writer {
    struct buffer *out;
    struct error *error;
    bool ok;
    int depth;
    int16_t last[THRIFT_DEPTH]; /* field id before, for each open struct */
};

/* The outermost struct is opened; close it with thrift_struct_end(). */
void thrift_write_begin(struct thrift_writer *writer, struct buffer *out, struct error *error);
void thrift_struct_begin(struct thrift_writer *writer); /* as a list element */
void thrift_struct_end(struct thrift_writer *writer);
void thrift_field_bool(struct thrift_writer *writer, int16_t id, bool value);
void thrift_field_i8(struct thrift_writer *writer, int16_t id, int8_t value);
void thrift_field_i16(struct thrift_writer *writer, int16_t id, int16_t value);
void thrift_field_i32(struct thrift_writer *writer, int16_t id, int32_t value);
void thrift_field_i64(struct thrift_writer *writer, int16_t id, int64_t value);
void thrift_field_binary(struct thrift_writer *writer, int16_t id, struct slice value);
void thrift_field_struct(struct thrift_writer *writer, int16_t id);
void thrift_field_list(struct thrift_writer *writer, int16_t id, enum thrift_type element,
                       size_t count);
void thrift_element_bool(struct thrift_writer *writer, bool value);
void thrift_element_int(struct thrift_writer *writer, int64_t value);
void thrift_element_binary(struct thrift_writer *writer, struct slice value);

/* ---- reading ---- */

struct thrift_reader {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    bool failed; /* the bytes are not what was asked for, or end too early */
    int depth;
};

struct thrift_field {
    int16_t id;
    uint8_t type;
};

void thrift_read_begin(struct thrift_reader *reader, struct slice bytes);
/* The next field of the present struct into *field (zero it before the first); false behind the
 * last one and on failure. */
bool thrift_read_field(struct thrift_reader *reader, struct thrift_field *field);
bool thrift_read_bool(struct thrift_reader *reader, uint8_t type);
int64_t thrift_read_int(struct thrift_reader *reader, uint8_t type); /* i8 to i64 */
int32_t thrift_read_i32(struct thrift_reader *reader, uint8_t type); /* fails beyond 32 bits */
struct slice thrift_read_binary(struct thrift_reader *reader, uint8_t type);
/* How many elements follow, and their type; every element takes at least one byte, so a count
 * beyond the bytes left fails. */
size_t thrift_read_list(struct thrift_reader *reader, uint8_t type, uint8_t *element);
/* Elements of a list of booleans are bytes. */
bool thrift_read_bool_element(struct thrift_reader *reader);
/* To be called where a struct (of this type) begins and behind its last field. */
bool thrift_read_enter(struct thrift_reader *reader, uint8_t type);
void thrift_read_leave(struct thrift_reader *reader);
void thrift_skip(struct thrift_reader *reader, uint8_t type);

#endif

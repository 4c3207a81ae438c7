/* captured_value.h: from a value as Postgres prints it (session.h's settings) to JSON as Debezium
 * writes it in the recommended modes (decimals as strings, times in microseconds, ISO intervals,
 * base64). The table of services.md section 2.4 and the fixtures decide.
 *
 * Where Debezium loses a value we don't: 2-D arrays come as nested arrays, timestamps beyond the
 * year 294247 as the exact number; `name` and types that nobody knows as their text.
 */
#ifndef SURFBOARD_POSTGRES_CAPTURED_VALUE_H
#define SURFBOARD_POSTGRES_CAPTURED_VALUE_H

#include <stdint.h>

#include "core/base/buffer.h"

enum captured_form {
    CAPTURED_TEXT,   /* and json, xml, uuid, enum, network, ranges ...: as printed */
    CAPTURED_NUMBER, /* smallint, integer, bigint, oid */
    CAPTURED_FLOAT,  /* NaN and infinities as strings */
    CAPTURED_BOOLEAN,
    CAPTURED_DECIMAL,     /* string; NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY */
    CAPTURED_MONEY,       /* string without currency and commas */
    CAPTURED_BYTES,       /* base64 */
    CAPTURED_DATE,        /* days */
    CAPTURED_TIME,        /* microseconds */
    CAPTURED_TIMETZ,      /* "07:04:56.789Z" */
    CAPTURED_TIMESTAMP,   /* microseconds */
    CAPTURED_TIMESTAMPTZ, /* "2024-02-29T10:34:56.789012Z" */
    CAPTURED_INTERVAL,    /* "P1Y2M3DT4H5M6.789S" */
    CAPTURED_UUID,        /* as text; its own form because of its marker in arrays */
    CAPTURED_BIT,         /* bit(1): boolean */
    CAPTURED_BITS,        /* base64 of little-endian bytes, trailing zero bytes cut */
    CAPTURED_HSTORE,      /* string of a JSON object */
    CAPTURED_POINT,       /* {"x", "y", "wkb", "srid"} */
    CAPTURED_GEOMETRY,    /* {"wkb", "srid"} */
    CAPTURED_VECTOR       /* array of numbers */
};

struct captured_type {
    enum captured_form form; /* of the elements when `array` */
    bool array;
    char delimiter; /* between an array's elements: ',' but for box */
    bool narrow;    /* an integer of 2 bytes: its arrays have no marker of Debezium's */
    int fraction;   /* digits that a timestamptz is padded to: 0..6 */
};

/* The unavailable.value.placeholder that we write. */
#define CAPTURED_PLACEHOLDER "__debezium_unavailable_value"

struct captured_writer {
    struct buffer scratch; /* for values that are JSON inside a string */
    struct buffer element; /* an array's element without its quotes */
};

void captured_writer_destroy(struct captured_writer *writer); /* a zeroed one is fine */

/* Appends the JSON of one value that is not null. ERROR_INPUT when the text is not of its type's
 * form, with the text's first characters; `out` is then as before. */
bool captured_append(struct captured_writer *writer, struct buffer *out,
                     const struct captured_type *type, struct slice text, struct error *error);

/* Appends Debezium's marker of an unchanged out-of-line value of this type. */
bool captured_append_unavailable(struct buffer *out, const struct captured_type *type,
                                 struct error *error);

#endif

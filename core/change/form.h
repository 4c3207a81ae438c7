/* form.h: how a value of a column is written in events; private to core/change. */
#ifndef SURFBOARD_CHANGE_FORM_H
#define SURFBOARD_CHANGE_FORM_H

#include "core/change/table.h"

/* What the source's value is, whatever its type in the lake. */
enum change_kind {
    KIND_BOOLEAN,
    KIND_INTEGER, /* lake: int or long */
    KIND_FLOAT,
    KIND_DOUBLE,
    KIND_DECIMAL, /* numeric(p,s), money */
    KIND_NUMERIC, /* numeric that only fits a string */
    KIND_TEXT,
    KIND_BYTES,
    KIND_UUID,
    KIND_DATE,
    KIND_TIME,
    KIND_TIMESTAMP,
    KIND_TIMESTAMPTZ,
    KIND_INTERVAL,
    KIND_BITS,
    KIND_HSTORE,
    KIND_POINT,
    KIND_GEOMETRY,
    KIND_SPARSE_VECTOR,
    KIND_LIST
};

enum change_coding {
    CODING_PLAIN,    /* as the recommended modes write it */
    CODING_PRECISE,  /* decimals: base64 of the unscaled integer, at `scale` */
    CODING_VARIABLE, /* decimals: {"scale", "value"} */
    CODING_MILLIS,   /* times: a number of milliseconds ... */
    CODING_NANOS,    /* ... of nanoseconds; CODING_PLAIN: of microseconds */
    CODING_ISO,      /* dates and times as ISO text */
    CODING_HEX,      /* bytes; CODING_PLAIN: base64 */
    CODING_BASE64_URL
};

struct change_form {
    enum change_kind kind;
    enum change_coding coding;
    int32_t scale; /* of CODING_PRECISE */
    int32_t bits;  /* KIND_BITS: n of bit(n), bit varying(n) */
    bool varying;  /* KIND_BITS: bit varying: its length is not sent */
    bool
        drop_fraction; /* KIND_NUMERIC with a negative scale: ".000" is the connector's, not ours */
    struct change_form *element; /* KIND_LIST */
};

/* types.c: the form of a Postgres type under an encoding, and its lake type. The problem is told
 * without file and column: the caller adds them. */
bool change_form_of(const char *pg_type, const struct change_encoding *encoding, struct type *type,
                    struct change_form *form, struct arena *arena, struct error *error);

#endif

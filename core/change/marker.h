/* marker.h: Debezium's marks of an unchanged out-of-line (TOAST) value, which an update does not
 * carry; private to core/change. By the type of the column:
 *
 *   text-like, json, numeric as text   the placeholder
 *   bytea, precise decimals            base64 of its bytes (hex mode: the placeholder)
 *   arrays of texts, of bytea          one element of the above
 *   uuid[]                             one element, the name-based (MD5) UUID of its bytes
 *   arrays of numbers, dates, times    its bytes as numbers
 *   hstore                             {placeholder: placeholder}, as an object or its text
 */
#ifndef SURFBOARD_CHANGE_MARKER_H
#define SURFBOARD_CHANGE_MARKER_H

#include "core/change/value.h"

#define MARKER_DEFAULT "__debezium_unavailable_value"

struct marker {
    struct slice text;
    struct buffer base64;
    char uuid[37];
    char *memory; /* of text */
};

bool marker_init(struct marker *marker, const char *placeholder, struct error *error);
void marker_destroy(struct marker *marker);
/* `reader` lends its scratch; memory running out reads as "no", and the value's own reading then
 * fails for the same reason. */
bool marker_matches(const struct marker *marker, struct value_reader *reader,
                    const struct change_form *form, const struct token *token);

#endif

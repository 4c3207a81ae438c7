/* value.h: values as text and as JSON. The forms (those Trino's answers have in the fixtures):
 *   int, long           exact digits             boolean       true, false
 *   float, double       shortest digits that read back the same; "NaN", "Infinity", "-Infinity"
 *   decimal             "1.10", all digits of its scale
 *   date                "2024-02-29"             time          "12:34:56.789012"
 *   timestamp           "2024-02-29 12:34:56.789012"           timestamptz: the same + " UTC"
 *   uuid                "00112233-4455-6677-8899-aabbccddeeff" binary, fixed: base64
 *   list                array     struct: array of its fields  map: object
 * In JSON all but numbers, booleans and nested values are strings; NaN and infinities too. */
#ifndef SURFBOARD_QUERY_VALUE_H
#define SURFBOARD_QUERY_VALUE_H

#include "core/base/column.h"

/* Appends the JSON of a row's value; null for a null. */
bool value_append_json(const struct column *column, size_t row, struct buffer *out,
                       struct error *error);
/* Appends the bare text: strings as they are, nested values as JSON. Not for nulls. */
bool value_append_text(const struct column *column, size_t row, struct buffer *out,
                       struct error *error);
/* A double's shortest text, "1.0" for whole ones; `single`: it was a float. */
bool value_append_real(double value, bool single, struct buffer *out, struct error *error);

#endif

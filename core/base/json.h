/* json.h: small, trusted-size JSON (table metadata, Avro schemas, documents) by jansson. Never for
 * change events: see core/change. Members keep their order; integers are 64-bit. */
#ifndef SURFBOARD_BASE_JSON_H
#define SURFBOARD_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "core/base/buffer.h"

/* Parses a whole text; new reference, NULL with ERROR_INPUT naming `name`, line and column. */
json_t *json_parse(struct slice text, const char *name, struct error *error);
/* Appends compact JSON text. Reals keep their value, in as few digits as that takes. */
bool json_print(const json_t *json, struct buffer *out, struct error *error);
/* JSON text in fresh memory; `flags` are jansson's (JSON_COMPACT, JSON_INDENT(1)). Not
 * json_dumps(), which may answer a cut text when memory runs out. A NULL `json` is ERROR_MEMORY. */
char *json_text(const json_t *json, size_t flags, struct error *error);

/* Members of an object. The getters without "optional" fail with ERROR_INPUT, naming `name` and the
 * key, when the member is absent, null or of another type; the optional ones then leave *out alone
 * when it is absent or null. */
bool json_get_long(const json_t *object, const char *key, const char *name, int64_t *out,
                   struct error *error);
bool json_get_int(const json_t *object, const char *key, const char *name, int32_t *out,
                  struct error *error);
bool json_get_text(const json_t *object, const char *key, const char *name, const char **out,
                   struct error *error);
bool json_optional_long(const json_t *object, const char *key, const char *name, int64_t *out,
                        struct error *error);
bool json_optional_int(const json_t *object, const char *key, const char *name, int32_t *out,
                       struct error *error);
bool json_optional_text(const json_t *object, const char *key, const char *name, const char **out,
                        struct error *error);

/* Puts a new reference into an object or array and takes it over; a NULL value (allocation failed)
 * or a failed put is ERROR_MEMORY. */
bool json_put(json_t *object, const char *key, json_t *value, struct error *error);
bool json_push(json_t *array, json_t *value, struct error *error);

#endif

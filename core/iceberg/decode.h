/* decode.h: Avro values as Iceberg's metadata files hold them. Private to core/iceberg.
 * Each reads one value of `type` (optional or not); null and absent leave *out as it was. */
#ifndef SURFBOARD_ICEBERG_DECODE_H
#define SURFBOARD_ICEBERG_DECODE_H

#include "core/avro/reader.h"

/* Names for the ids, for files whose writer forgot them. */
struct decode_name {
    int32_t id;
    const char *name;
};

/* The field's id, by its attribute or by name; -1 for neither. */
int32_t decode_field_id(const struct avro_field *field, const struct decode_name *names,
                        size_t count);

/* Reads the branch of a union: *type becomes the one inside; false in *present for null. */
bool decode_present(struct avro_cursor *cursor, const struct avro_type **type, bool *present,
                    struct error *error);
bool decode_long(struct avro_cursor *cursor, const struct avro_type *type, int64_t *out,
                 struct error *error);
bool decode_int(struct avro_cursor *cursor, const struct avro_type *type, int32_t *out,
                struct error *error);
bool decode_boolean(struct avro_cursor *cursor, const struct avro_type *type, bool *out,
                    struct error *error);
/* string, bytes, fixed; borrowed from the block; *present tells null from empty. */
bool decode_bytes(struct avro_cursor *cursor, const struct avro_type *type, struct slice *out,
                  bool *present, struct error *error);
/* The same, copied into the arena; text ends with NUL. */
bool decode_text(struct avro_cursor *cursor, const struct avro_type *type, const char **out,
                 struct arena *arena, struct error *error);
bool decode_blob(struct avro_cursor *cursor, const struct avro_type *type, struct slice *out,
                 bool *present, struct arena *arena, struct error *error);
bool decode_mismatch(const struct avro_cursor *cursor, const char *what, struct error *error);

#endif

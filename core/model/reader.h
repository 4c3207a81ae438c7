/* reader.h: reads a JSON document once, from front to back, without building a tree: bundles may be
 * hundreds of megabytes. Strict JSON (RFC 8259) and UTF-8; a byte order mark is accepted; depth and
 * string length are bounded (bundle-format.md, section 9). The caller asks for what it expects:
 *
 *     TRY(reader_object(reader, error));
 *     for (struct slice key; reader_member(reader, &key, error);)
 *         if (slice_is(key, "name")) TRY(reader_text(...)); else TRY(reader_skip(reader, error));
 *     TRY(reader_ended(reader, error));
 */
#ifndef SURFBOARD_MODEL_READER_H
#define SURFBOARD_MODEL_READER_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"

enum reader_kind {
    READER_OBJECT,
    READER_ARRAY,
    READER_STRING,
    READER_NUMBER,
    READER_TRUE,
    READER_FALSE,
    READER_NULL,
    READER_NOTHING /* not the start of a value */
};

enum { READER_DEPTH_MOST = 256, READER_STRING_MOST = 16 << 20 };

struct reader {
    const char *text;
    size_t length, at;
    const char *name; /* of the file, for messages */
    unsigned depth;
    bool first[READER_DEPTH_MOST]; /* no member or item was read at this depth yet */
    bool failed;
    struct buffer key, scratch; /* a member's name, a string, when they have escapes */
};

void reader_init(struct reader *reader, struct slice text, const char *name);
void reader_destroy(struct reader *reader);

/* What value comes next. */
enum reader_kind reader_peek(struct reader *reader);
/* Enters an object or array; ERROR_CONFIG when something else comes. */
bool reader_object(struct reader *reader, struct error *error);
bool reader_array(struct reader *reader, struct error *error);
/* The next member's name (good until the next call) or item; false at the end, which is then left,
 * or on an error: reader_ended() tells which. */
bool reader_member(struct reader *reader, struct slice *key, struct error *error);
bool reader_item(struct reader *reader, struct error *error);
bool reader_ended(const struct reader *reader, struct error *error);
/* A string, good until the next call. null gives no data; another kind is skipped and gives none
 * too: a reader keeps going over what it does not understand. */
bool reader_slice(struct reader *reader, struct slice *out, struct error *error);
/* The same, copied into the arena; NULL for what is no string. */
bool reader_text(struct reader *reader, struct arena *arena, const char **out, struct error *error);
/* A number that is whole and fits (1.0 and 1e0 do), or true and false as 1 and 0; `otherwise` for
 * null and for anything else. */
bool reader_whole(struct reader *reader, int64_t otherwise, int64_t *out, struct error *error);
bool reader_skip(struct reader *reader, struct error *error);
/* Only white space may follow. */
bool reader_finish(struct reader *reader, struct error *error);

/* "file:line: what"; returns false. */
bool reader_fail(struct reader *reader, struct error *error, const char *what);

#endif

/* buffer.h: bytes that grow. Owned by the struct; zero-initialise ({0}) or buffer_init(), then
 * buffer_destroy(). A buffer may be cleared and used again: its memory stays. */
#ifndef SURFBOARD_BASE_BUFFER_H
#define SURFBOARD_BASE_BUFFER_H

#include <stdint.h>

#include "core/base/error.h"
#include "core/base/slice.h"

struct buffer {
    char *data; /* NULL until the first byte */
    size_t length;
    size_t capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_destroy(struct buffer *buffer);

static inline void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->data, buffer->length};
}

/* Makes room for `more` bytes behind the present end. */
bool buffer_reserve(struct buffer *buffer, size_t more, struct error *error);
bool buffer_append(struct buffer *buffer, const void *data, size_t length, struct error *error);
bool buffer_append_slice(struct buffer *buffer, struct slice text, struct error *error);
bool buffer_append_text(struct buffer *buffer, const char *text, struct error *error);
bool buffer_append_byte(struct buffer *buffer, uint8_t byte, struct error *error);
bool buffer_append_u32_le(struct buffer *buffer, uint32_t value, struct error *error);
bool buffer_append_u64_le(struct buffer *buffer, uint64_t value, struct error *error);
bool buffer_append_format(struct buffer *buffer, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts a NUL behind the text (not counted in length) and returns it; NULL when out of memory. */
const char *buffer_text(struct buffer *buffer, struct error *error);

/* JSON string with quotes; control characters, quote and backslash escaped; bytes that are not
 * UTF-8 become U+FFFD. */
bool buffer_append_json_text(struct buffer *buffer, struct slice text, struct error *error);

#endif

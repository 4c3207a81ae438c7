#include "core/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/base/utf8.h"

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_destroy(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

bool buffer_reserve(struct buffer *buffer, size_t more, struct error *error)
{
    if (more <= buffer->capacity - buffer->length)
        return true;
    size_t needed;
    if (__builtin_add_overflow(buffer->length, more, &needed))
        return error_set_memory(error, more);
    return memory_grow(&buffer->data, &buffer->capacity, needed, 1, error);
}

bool buffer_append(struct buffer *buffer, const void *data, size_t length, struct error *error)
{
    if (length == 0)
        return true;
    TRY(buffer_reserve(buffer, length, error));
    memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    return true;
}

bool buffer_append_slice(struct buffer *buffer, struct slice text, struct error *error)
{
    return buffer_append(buffer, text.data, text.length, error);
}

bool buffer_append_text(struct buffer *buffer, const char *text, struct error *error)
{
    return buffer_append(buffer, text, strlen(text), error);
}

bool buffer_append_byte(struct buffer *buffer, uint8_t byte, struct error *error)
{
    return buffer_append(buffer, &byte, 1, error);
}

bool buffer_append_u32_le(struct buffer *buffer, uint32_t value, struct error *error)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    return buffer_append(buffer, bytes, sizeof bytes, error);
}

bool buffer_append_u64_le(struct buffer *buffer, uint64_t value, struct error *error)
{
    return buffer_append_u32_le(buffer, (uint32_t)value, error) &&
           buffer_append_u32_le(buffer, (uint32_t)(value >> 32), error);
}

bool buffer_append_format(struct buffer *buffer, struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    size_t room = buffer->capacity - buffer->length;
    int length = vsnprintf(room ? buffer->data + buffer->length : NULL, room, format, arguments);
    va_end(arguments);
    bool ok = length >= 0 || error_set(error, ERROR_INTERNAL, NULL, "a text can't be formatted");
    if (ok && (size_t)length >= room) {
        ok = buffer_reserve(buffer, (size_t)length + 1, error);
        if (ok)
            vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
    }
    va_end(again);
    if (ok)
        buffer->length += (size_t)length;
    return ok;
}

const char *buffer_text(struct buffer *buffer, struct error *error)
{
    if (!buffer_reserve(buffer, 1, error))
        return NULL;
    buffer->data[buffer->length] = '\0';
    return buffer->data;
}

bool buffer_append_json_text(struct buffer *buffer, struct slice text, struct error *error)
{
    static const char short_escapes[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    TRY(buffer_append_byte(buffer, '"', error));
    size_t at = 0;
    while (at < text.length) {
        size_t from = at;
        unsigned char c = 0;
        while (at < text.length && (c = (unsigned char)text.data[at]) >= 0x20 && c < 0x80 &&
               c != '"' && c != '\\')
            at++;
        TRY(buffer_append(buffer, text.data + from, at - from, error));
        if (at == text.length)
            break;
        if (c >= 0x80) {
            size_t width = utf8_character_length(text.data + at, text.length - at);
            TRY(width ? buffer_append(buffer, text.data + at, width, error)
                      : buffer_append_text(buffer, "\xEF\xBF\xBD", error));
            at += width ? width : 1;
            continue;
        }
        if (c == '"' || c == '\\')
            TRY(buffer_append_format(buffer, error, "\\%c", c));
        else if (short_escapes[c])
            TRY(buffer_append_format(buffer, error, "\\%c", short_escapes[c]));
        else
            TRY(buffer_append_format(buffer, error, "\\u%04x", c));
        at++;
    }
    return buffer_append_byte(buffer, '"', error);
}

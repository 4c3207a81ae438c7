#include "core/base/stream.h"

#include <inttypes.h>

bool source_read(const struct source *source, uint64_t offset, void *out, size_t length,
                 struct error *error)
{
    if (offset > source->size || length > source->size - offset)
        return error_set(error, ERROR_INPUT, "the file is cut short: fetch or write it again",
                         "%s: %zu bytes at %" PRIu64 " are beyond its end (%" PRIu64 " bytes)",
                         source->name ? source->name : "input", length, offset, source->size);
    return length == 0 || source->read(source->context, offset, out, length, error);
}

bool sink_write(struct sink *sink, const void *data, size_t length, struct error *error)
{
    if (length == 0)
        return true;
    TRY(sink->write(sink->context, data, length, error));
    sink->written += length;
    return true;
}

static bool memory_read(void *context, uint64_t offset, void *out, size_t length,
                        struct error *error)
{
    (void)error;
    const struct slice *bytes = context;
    memcpy(out, bytes->data + offset, length);
    return true;
}

static const char *memory_map(void *context)
{
    return ((const struct slice *)context)->data;
}

struct source source_from_memory(const struct slice *bytes, const char *name)
{
    /* The context is only read; the struct has no const member for it. */
    union {
        const struct slice *in;
        void *out;
    } pointer = {bytes};
    return (struct source){pointer.out, bytes->length, name, memory_read, memory_map};
}

static bool buffer_write(void *context, const void *data, size_t length, struct error *error)
{
    return buffer_append(context, data, length, error);
}

struct sink sink_to_buffer(struct buffer *buffer)
{
    return (struct sink){buffer, 0, buffer_write};
}

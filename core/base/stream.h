/* stream.h: where bytes come from and go to, so that formats (Parquet, Avro) need not know the
 * store. Implemented by store/ and, for memory, below. */
#ifndef SURFBOARD_BASE_STREAM_H
#define SURFBOARD_BASE_STREAM_H

#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/error.h"

/* Random-access reading of one immutable object. The functions may be called from several threads
 * at once. */
struct source {
    void *context;
    uint64_t size;    /* bytes */
    const char *name; /* for messages; borrowed */
    /* Fills exactly `length` bytes from `offset`, or fails. Beyond the end is ERROR_INPUT. */
    bool (*read)(void *context, uint64_t offset, void *out, size_t length, struct error *error);
    /* The whole object as mapped memory, NULL when this source can't; good until it is closed. */
    const char *(*map)(void *context);
};

/* Appending writer of one new object. */
struct sink {
    void *context;
    uint64_t written; /* bytes so far, counted by sink_write() */
    bool (*write)(void *context, const void *data, size_t length, struct error *error);
};

bool source_read(const struct source *source, uint64_t offset, void *out, size_t length,
                 struct error *error);
bool sink_write(struct sink *sink, const void *data, size_t length, struct error *error);

/* A source over borrowed memory; a sink into a buffer. */
struct source source_from_memory(const struct slice *bytes, const char *name);
struct sink sink_to_buffer(struct buffer *buffer);

#endif

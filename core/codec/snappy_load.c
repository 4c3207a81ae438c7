/* The functions of snappy that we call, passed on to the library once it is loaded. */
#pragma GCC visibility push(hidden)
#include <snappy-c.h>
#pragma GCC visibility pop

#include "core/base/library.h"
#include "core/codec/snappy_load.h"

/* clang-format off */
/* X(type, name, parameters, arguments, what it gives without the library) */
#define SNAPPY_FUNCTIONS(X) \
    X(size_t, snappy_max_compressed_length, (size_t length), (length), 0) \
    X(snappy_status, snappy_compress, (const char *in, size_t length, char *out, size_t *room), \
      (in, length, out, room), SNAPPY_INVALID_INPUT) \
    X(snappy_status, snappy_uncompress, (const char *in, size_t length, char *out, size_t *room), \
      (in, length, out, room), SNAPPY_INVALID_INPUT) \
    X(snappy_status, snappy_uncompressed_length, (const char *in, size_t length, size_t *out), \
      (in, length, out), SNAPPY_INVALID_INPUT)
/* clang-format on */

static struct {
    SNAPPY_FUNCTIONS(LIBRARY_POINTER)
} calls;

static const struct library_symbol symbols[] = {SNAPPY_FUNCTIONS(LIBRARY_SYMBOL)};
static struct library library = LIBRARY("libsnappy", "libsnappy1v5", symbols, "libsnappy.so.1");

bool snappy_ready(struct error *error)
{
    return library_ready(&library, error);
}

SNAPPY_FUNCTIONS(LIBRARY_PASS)

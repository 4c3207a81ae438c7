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

#define POINTER(type, name, parameters, arguments, otherwise) __typeof__(name) *name;
static struct {
    SNAPPY_FUNCTIONS(POINTER)
} snappy;

#define SYMBOL(type, name, parameters, arguments, otherwise) {#name, &snappy.name},
static const struct library_symbol snappy_symbols[] = {SNAPPY_FUNCTIONS(SYMBOL)};

static struct library library =
    LIBRARY("libsnappy", "libsnappy1v5", snappy_symbols, "libsnappy.so.1");

bool snappy_ready(struct error *error)
{
    return library_ready(&library, error);
}

#define PASS(type, name, parameters, arguments, otherwise)                                         \
    type name parameters                                                                           \
    {                                                                                              \
        return library_is_ready(&library) ? snappy.name arguments : (otherwise);                   \
    }
SNAPPY_FUNCTIONS(PASS)

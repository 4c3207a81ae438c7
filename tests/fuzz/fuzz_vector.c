/* Any bytes as a deletion vector. The frame's checksum is made right, so that the bitmap below it
 * is reached: read or refused, in memory that the input's size bounds. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/codec/codec.h"
#include "core/iceberg/scan_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_once(struct slice blob)
{
    struct iceberg_positions positions = {0};
    struct error error = {0};
    if (!scan_read_vector(blob, "fuzz", 1 << 20, &positions, &error) && error.message[0] == '\0')
        __builtin_trap();
    iceberg_positions_destroy(&positions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_once(slice_make(data, size));
    if (size < 12)
        return 0;
    uint8_t *framed = malloc(size);
    if (framed == NULL)
        return 0;
    memcpy(framed, data, size);
    uint32_t body = (uint32_t)size - 8;
    uint32_t sum = codec_crc32(0, slice_make(framed + 4, body));
    for (int i = 0; i < 4; i++) {
        framed[i] = (uint8_t)(body >> (24 - 8 * i));
        framed[size - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    }
    read_once(slice_make(framed, size));
    free(framed);
    return 0;
}

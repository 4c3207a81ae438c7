/* lz4.h: decoding of one LZ4 block (no frame), for LZ4_RAW pages; inside core/codec. */
#ifndef SURFBOARD_CODEC_LZ4_H
#define SURFBOARD_CODEC_LZ4_H

#include "core/base/error.h"
#include "core/base/slice.h"

/* Fills exactly `out_length` bytes or returns false: the block is damaged or of another size. */
bool lz4_decompress_block(struct slice in, void *out, size_t out_length);

#endif

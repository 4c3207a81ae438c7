/* md5.h: MD5 (RFC 1321), for names only: name-based UUIDs are made of it. Never for secrets. */
#ifndef SURFBOARD_CODEC_MD5_H
#define SURFBOARD_CODEC_MD5_H

#include <stdint.h>

#include "core/base/slice.h"

void md5(struct slice text, uint8_t out[16]);

#endif

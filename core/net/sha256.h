/* sha256.h: SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104): what signed requests are made of. */
#ifndef SURFBOARD_NET_SHA256_H
#define SURFBOARD_NET_SHA256_H

#include <stdint.h>

#include "core/base/slice.h"

enum { SHA256_SIZE = 32, SHA256_HEX_SIZE = 65 };

void sha256(struct slice bytes, uint8_t out[SHA256_SIZE]);
void sha256_hmac(struct slice key, struct slice text, uint8_t out[SHA256_SIZE]);
/* Lower-case hex with NUL. */
void sha256_hex(const uint8_t hash[SHA256_SIZE], char out[SHA256_HEX_SIZE]);

#endif

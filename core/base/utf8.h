/* utf8.h: strict UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF). */
#ifndef SURFBOARD_BASE_UTF8_H
#define SURFBOARD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the well-formed character at `data` (1 to 4), or 0 when there is none. */
size_t utf8_character_length(const char *data, size_t length);

/* The code point of the well-formed character at `data`; its length by utf8_character_length(). */
uint32_t utf8_decode(const char *data, size_t width);

/* Writes 1 to 4 bytes; returns how many. `point` must be a legal scalar value. */
size_t utf8_encode(uint32_t point, char *out);

/* Whether all bytes are well-formed. Runs over plain ASCII eight bytes at a time. */
bool utf8_valid(const char *data, size_t length);

#endif

/* base64.h: RFC 4648 base64 with padding. */
#ifndef SURFBOARD_BASE_BASE64_H
#define SURFBOARD_BASE_BASE64_H

#include "core/base/buffer.h"

/* Appends the decoded bytes; false with ERROR_INPUT when the text is not base64. Missing padding
 * is accepted, white space is not. */
bool base64_decode(struct slice text, struct buffer *out, struct error *error);
bool base64_encode(struct slice bytes, struct buffer *out, struct error *error);

#endif

/* neutral.h: text from data made safe to show on a terminal. */
#ifndef SURFBOARD_BASE_NEUTRAL_H
#define SURFBOARD_BASE_NEUTRAL_H

#include "core/base/buffer.h"

/* Appends `text` with each control character (C0, DEL, C1), bidirectional or zero-width format
 * character, line or paragraph separator, and each byte that is not UTF-8 replaced by `mark` (a
 * middle dot, or "." where the terminal has no UTF-8). Newlines and tabs are controls too: a caller
 * that wants lines splits first. */
bool neutral_append(struct buffer *out, struct slice text, const char *mark, struct error *error);
#define NEUTRAL_DOT "\xC2\xB7"
/* Whether the code point is one of those: what moves the cursor, reverses text or hides itself. The
 * screen (canvas_text.c) asks the same table. */
bool neutral_is_unsafe(uint32_t point);

#endif

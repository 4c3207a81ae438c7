/* peek_delta.h: what a delta file holds, event by event. Private to the verb peek. */
#ifndef SURFBOARD_TUI_PEEK_DELTA_H
#define SURFBOARD_TUI_PEEK_DELTA_H

#include "core/base/stream.h"
#include "core/codec/codec.h"
#include "tui/command.h"

/* Reads the whole file, shows the first `limit` events and a summary. *bad counts the lines that
 * could not be read; each is shown with its reason. A torn end is told, and is no error. */
bool peek_delta(struct command *command, const struct source *source, enum codec codec,
                int64_t limit, int64_t *bad, struct error *error);

#endif

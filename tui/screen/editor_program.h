/* editor_program.h: the user's own editor over a text. */
#ifndef SURFBOARD_TUI_SCREEN_EDITOR_PROGRAM_H
#define SURFBOARD_TUI_SCREEN_EDITOR_PROGRAM_H

#include "core/base/buffer.h"

/* Runs $VISUAL, else $EDITOR, else vi, in the foreground of the terminal `fd`, over a file of mode
 * 0600 with `text`, and appends what the file holds then to `out`. Waits for its end: who calls has
 * given the terminal back. ERROR_CHECK when it ended badly: the text counts as not edited. */
bool editor_program_run(int fd, struct slice text, struct buffer *out, struct error *error);

#endif

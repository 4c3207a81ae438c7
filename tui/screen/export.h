/* export.h: writes what a view lists into a file that the user names, off the screen's thread. */
#ifndef SURFBOARD_TUI_SCREEN_EXPORT_H
#define SURFBOARD_TUI_SCREEN_EXPORT_H

#include "core/base/buffer.h"

struct app;

/* Asks for the file's name (proposing `name`, in the folder that the program was started in), then
 * writes `text` (copied) there as a job. An existing file is not replaced. */
void app_export(struct app *app, const char *name, struct slice text);

/* Appends a field of a line with tabs; tabs and control characters in it become blanks. */
bool export_field(struct buffer *out, const char *field, char end);

#endif

/* field.h: one line of text being edited: in prompts, filters, forms and the palette. */
#ifndef SURFBOARD_TUI_SCREEN_FIELD_H
#define SURFBOARD_TUI_SCREEN_FIELD_H

#include "core/base/slice.h"
#include "tui/screen/canvas.h"
#include "tui/screen/key.h"

enum { FIELD_SIZE = 1024 };

struct field {
    char text[FIELD_SIZE]; /* UTF-8, ended; what is pasted loses its control characters */
    size_t length, cursor; /* bytes */
    bool secret;           /* drawn as dots */
};

void field_set(struct field *field, const char *text);
/* True when the key was one of editing: characters, arrows, Home, End, Backspace, Delete, Ctrl-U,
 * Ctrl-K, Ctrl-W, Ctrl-E. */
bool field_key(struct field *field, key_code key);
void field_paste(struct field *field, struct slice text);
/* Scrolls sideways so that the cursor is in sight; puts the hardware cursor there when `focused`.
 */
void field_draw(const struct field *field, struct canvas *canvas, int row, int column, int columns,
                bool focused);

#endif

/* list.h: what lists of lines share: the selected line, the part in sight, moving. The caller owns
 * the lines and draws each; the selected one is marked by a glyph in the column before it and by
 * the hardware cursor, so that a move changes few cells. */
#ifndef SURFBOARD_TUI_SCREEN_LIST_H
#define SURFBOARD_TUI_SCREEN_LIST_H

#include "tui/screen/action.h"
#include "tui/screen/view.h"

struct list {
    size_t count, selected, top;
    int page; /* lines in sight when it was drawn last */
};

void list_set_count(struct list *list, size_t count);
/* Whether it is an action of moving that does something here; and does it. */
enum answer list_can(const struct list *list, enum action_id action);
bool list_act(struct list *list, enum action_id action);
/* Draws the lines in sight. row() draws one into one line of `rect` behind the marker's column. */
void list_draw(struct list *list, struct canvas *canvas, struct rect rect, bool focused,
               void (*row)(void *context, size_t index, struct canvas *canvas, struct rect rect,
                           bool selected),
               void *context);
/* "line 5 of 14" for a frame's lower border; "" when all are in sight. */
void list_note(const struct list *list, char *out, size_t size);

#endif

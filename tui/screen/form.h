/* form.h: labelled fields and buttons in a column. Tab and the arrows move, Enter goes on to the
 * next field or presses the button. */
#ifndef SURFBOARD_TUI_SCREEN_FORM_H
#define SURFBOARD_TUI_SCREEN_FORM_H

#include "tui/screen/field.h"
#include "tui/screen/view.h"

enum { FORM_FIELDS_MOST = 12, FORM_BUTTONS_MOST = 4 };

struct form {
    struct form_field {
        const char *label, *help; /* texts that live */
        struct field field;
        char note[160]; /* what was found about it: "2 stores, 1 can be captured" */
        enum style note_style;
    } fields[FORM_FIELDS_MOST];
    size_t field_count;
    const char *buttons[FORM_BUTTONS_MOST];
    size_t button_count;
    size_t focus; /* fields first, then buttons */
};

/* Text for the focused field; true when taken. */
bool form_key(struct form *form, key_code key);
/* Tab, Shift-Tab, Up, Down: moves. */
enum answer form_can(const struct form *form, enum action_id action);
bool form_act(struct form *form, enum action_id action);
/* The focused button, -1 on a field. */
int form_button(const struct form *form);
/* Returns the rows that it took. Fields that do not fit scroll. */
int form_draw(struct form *form, struct canvas *canvas, struct rect rect);

#endif

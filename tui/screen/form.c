#include "tui/screen/form.h"

#include <string.h>

static size_t form_places(const struct form *form)
{
    return form->field_count + form->button_count;
}

int form_button(const struct form *form)
{
    return form->focus < form->field_count ? -1 : (int)(form->focus - form->field_count);
}

bool form_key(struct form *form, key_code key)
{
    if (form_button(form) >= 0)
        return false;
    if (key == (KEY_CTRL | 'c')) {
        field_set(&form->fields[form->focus].field, "");
        return true;
    }
    return field_key(&form->fields[form->focus].field, key);
}

enum answer form_can(const struct form *form, enum action_id action)
{
    bool on_button = form_button(form) >= 0;
    switch (action) {
    case ACTION_PANE_NEXT:
    case ACTION_PANE_PREVIOUS:
    case ACTION_UP:
    case ACTION_DOWN:
    case ACTION_ACCEPT:
        return ANSWER_WORKS;
    case ACTION_LEFT:
    case ACTION_RIGHT:
        return on_button ? ANSWER_WORKS : ANSWER_ABSENT;
    default:
        return ANSWER_ABSENT;
    }
}

bool form_act(struct form *form, enum action_id action)
{
    size_t places = form_places(form);
    switch (action) {
    case ACTION_PANE_NEXT:
    case ACTION_DOWN:
    case ACTION_RIGHT:
        form->focus = (form->focus + 1) % places;
        return true;
    case ACTION_PANE_PREVIOUS:
    case ACTION_UP:
    case ACTION_LEFT:
        form->focus = (form->focus + places - 1) % places;
        return true;
    case ACTION_ACCEPT:
        if (form_button(form) >= 0)
            return false; /* the view presses it */
        form->focus++;
        return true;
    default:
        return false;
    }
}

static int form_label_width(const struct form *form)
{
    int widest = 0;
    for (size_t i = 0; i < form->field_count; i++) {
        int width = (int)strlen(form->fields[i].label);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void draw_buttons(const struct form *form, struct canvas *canvas, int row, struct rect rect)
{
    int column = rect.column + 1;
    for (size_t i = 0; i < form->button_count; i++) {
        bool on = form->focus == form->field_count + i;
        if (on)
            canvas_cursor(canvas, row, column + 2);
        column += canvas_format(canvas, row, column, rect.column + rect.columns - column,
                                on ? STYLE_BUTTON_ON : STYLE_BUTTON, "[ %s ]", form->buttons[i]) +
                  2;
    }
}

int form_draw(struct form *form, struct canvas *canvas, struct rect rect)
{
    int label = form_label_width(form), row = rect.row;
    int lines = (int)form->field_count * 2 + 1;
    size_t first = 0;
    /* The focused field stays in sight; the buttons always are. */
    while (lines - 2 * (int)first > rect.rows && first < form->focus && first < form->field_count)
        first++;
    for (size_t i = first; i < form->field_count && row < rect.row + rect.rows - 2; i++) {
        struct form_field *field = &form->fields[i];
        bool on = form->focus == i;
        canvas_print(canvas, row, rect.column + 1, label, on ? STYLE_STRONG : STYLE_LABEL,
                     field->label);
        field_draw(&field->field, canvas, row, rect.column + label + 3, rect.columns - label - 4,
                   on);
        canvas_print(canvas, row + 1, rect.column + label + 3, rect.columns - label - 4,
                     field->note[0] ? field->note_style : STYLE_DIM,
                     field->note[0] ? field->note : field->help);
        row += 2;
    }
    draw_buttons(form, canvas, row, rect);
    return row + 1 - rect.row;
}

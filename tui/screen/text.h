/* text.h: lines of text to read: scrolls, folds long lines, finds words, follows a growing end. */
#ifndef SURFBOARD_TUI_SCREEN_TEXT_H
#define SURFBOARD_TUI_SCREEN_TEXT_H

#include "core/base/buffer.h"
#include "tui/screen/field.h"
#include "tui/screen/view.h"

struct text {
    struct buffer bytes; /* lines parted by newlines */
    struct text_line {
        size_t start, length;
        enum style style;
    } * lines;
    size_t line_count, line_capacity;
    size_t top;        /* first line in sight */
    int left;          /* cells scrolled sideways, without wrap */
    int page, columns; /* in sight when it was drawn last */
    int indent;        /* cells before what a folded line goes on with */
    bool wrap, tail;
    struct field search;
    bool searching; /* keys go to the field */
};

void text_destroy(struct text *text);
void text_clear(struct text *text);
/* Appends lines; a last line without newline is one too. False: no memory. */
bool text_append(struct text *text, enum style style, struct slice bytes);
bool text_print(struct text *text, enum style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum answer text_can(const struct text *text, enum action_id action);
bool text_act(struct text *text, enum action_id action);
/* While searching; true when taken. */
bool text_key(struct text *text, key_code key);
void text_draw(struct text *text, struct canvas *canvas, struct rect rect, bool focused);
bool text_at_end(const struct text *text); /* the last line is in sight */
/* "line 1 of 20", "" when all is in sight. */
void text_note(const struct text *text, char *out, size_t size);

#endif

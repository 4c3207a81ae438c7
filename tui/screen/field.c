#include "tui/screen/field.h"

#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

void field_set(struct field *field, const char *text)
{
    snprintf(field->text, sizeof field->text, "%s", text);
    field->length = field->cursor = strlen(field->text);
}

static size_t field_before(const struct field *field, size_t at)
{
    if (at == 0)
        return 0;
    do
        at--;
    while (at && ((unsigned char)field->text[at] & 0xC0) == 0x80);
    return at;
}

static size_t field_behind(const struct field *field, size_t at)
{
    if (at == field->length)
        return at;
    size_t length = utf8_character_length(field->text + at, field->length - at);
    return at + (length ? length : 1);
}

static void field_remove(struct field *field, size_t from, size_t to)
{
    memmove(field->text + from, field->text + to, field->length - to + 1);
    field->length -= to - from;
    field->cursor = from;
}

static void field_insert(struct field *field, const char *bytes, size_t length)
{
    if (field->length + length >= FIELD_SIZE)
        return;
    memmove(field->text + field->cursor + length, field->text + field->cursor,
            field->length - field->cursor + 1);
    memcpy(field->text + field->cursor, bytes, length);
    field->length += length;
    field->cursor += length;
}

void field_paste(struct field *field, struct slice text)
{
    for (size_t at = 0; at < text.length;) {
        size_t length = utf8_character_length(text.data + at, text.length - at);
        if (length == 0 || (length == 1 && ((unsigned char)text.data[at] < ' ' ||
                                            (unsigned char)text.data[at] == 0x7F))) {
            at++;
            continue;
        }
        field_insert(field, text.data + at, length);
        at += length;
    }
}

static size_t field_word_start(const struct field *field)
{
    size_t at = field->cursor;
    while (at && field->text[at - 1] == ' ')
        at--;
    while (at && field->text[at - 1] != ' ')
        at--;
    return at;
}

bool field_key(struct field *field, key_code key)
{
    char bytes[4];
    if (key >= ' ' && key < KEY_CTRL && key != 0x7F) {
        field_insert(field, bytes, utf8_encode(key, bytes));
        return true;
    }
    switch (key) {
    case KEY_LEFT:
        field->cursor = field_before(field, field->cursor);
        return true;
    case KEY_RIGHT:
        field->cursor = field_behind(field, field->cursor);
        return true;
    case KEY_HOME:
        field->cursor = 0;
        return true;
    case KEY_END:
    case KEY_CTRL | 'e':
        field->cursor = field->length;
        return true;
    case KEY_BACKSPACE:
        field_remove(field, field_before(field, field->cursor), field->cursor);
        return true;
    case KEY_DELETE:
        field_remove(field, field->cursor, field_behind(field, field->cursor));
        return true;
    case KEY_CTRL | 'u':
        field_remove(field, 0, field->cursor);
        return true;
    case KEY_CTRL | 'k':
        field_remove(field, field->cursor, field->length);
        return true;
    case KEY_CTRL | 'w':
        field_remove(field, field_word_start(field), field->cursor);
        return true;
    default:
        return false;
    }
}

void field_draw(const struct field *field, struct canvas *canvas, int row, int column, int columns,
                bool focused)
{
    char dots[FIELD_SIZE];
    struct slice text = {field->text, field->length};
    int cursor = text_width((struct slice){field->text, field->cursor}, FIELD_SIZE);
    if (field->secret) {
        size_t count = 0;
        for (size_t at = 0; at < field->length; at = field_behind(field, at))
            dots[count++] = '*';
        text = (struct slice){dots, count};
        cursor = 0;
        for (size_t at = 0; at < field->cursor; at = field_behind(field, at))
            cursor++;
    }
    int skip = cursor >= columns ? cursor - columns + 1 : 0;
    size_t offset = text_offset(text, skip);
    canvas_fill(canvas, (struct rect){row, column, 1, columns}, STYLE_FIELD, ' ');
    canvas_text(canvas, row, column, columns, STYLE_FIELD,
                (struct slice){text.data + offset, text.length - offset});
    if (focused)
        canvas_cursor(canvas, row, column + cursor - skip);
}
